//! What a forge lets one in with.

use std::fmt;

/// A token. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A text is no token: it is empty, or has other than visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no token: expected visible ASCII characters and no blanks")]
pub struct TokenError;

impl Token {
    /// A token as a person keeps it; a newline at its end is theirs.
    ///
    /// # Errors
    /// [`TokenError`], which does not repeat the text.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A text from outside without the token: a server may answer with what it was sent.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(&self.0, "[token]")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_ascii_and_never_shown() {
        let token = Token::new("ghp_0123\n").unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert_eq!(token.redact("bad ghp_0123!"), "bad [token]!");
        for text in ["", "\n", "a b", "a\tb", "ä", "a\r\nX-Header: 1"] {
            assert_eq!(Token::new(text), Err(TokenError), "{text:?}");
        }
    }
}

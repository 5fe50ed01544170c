//! What a registry lets one in with.

use std::fmt;

/// What a registry lets one in with. Its secrets are never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A user's password, or a token that takes its place.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token that the registry itself gave out.
    Token(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Password { user, .. } => f
                .debug_struct("Password")
                .field("user", user)
                .finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token(..)"),
        }
    }
}

impl Credentials {
    /// A text from outside without the secret: a registry may answer with what it was sent.
    pub(crate) fn redact(&self, text: &str) -> String {
        match self {
            Self::Anonymous => text.to_owned(),
            Self::Password { password: secret, .. } | Self::Token(secret) if secret.is_empty() => {
                text.to_owned()
            }
            Self::Password { password: secret, .. } | Self::Token(secret) => text.replace(secret, "[secret]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let password = Credentials::Password {
            user: "releaser".to_owned(),
            password: "correct horse".to_owned(),
        };
        assert_eq!(format!("{password:?}"), "Password { user: \"releaser\", .. }");
        assert_eq!(password.redact("got `correct horse`!"), "got `[secret]`!");
        let token = Credentials::Token("horse".to_owned());
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert_eq!(token.redact("correct horse"), "correct [secret]");
        assert_eq!(Credentials::Token(String::new()).redact("text"), "text");
        assert_eq!(Credentials::Anonymous.redact("text"), "text");
    }
}

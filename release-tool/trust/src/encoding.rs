//! The text forms that minisign's files share: comment lines and base64, read strictly.

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

pub(crate) const UNTRUSTED: &str = "untrusted comment: ";
pub(crate) const TRUSTED: &str = "trusted comment: ";

/// The longest comment that is written or read. The C tool stops at 1,024 for the untrusted one.
pub(crate) const MAX_COMMENT: usize = 1000;

/// Whether a text can stand as a comment: printable ASCII in one line, not empty, no blank at either end. Blanks at the
/// end are where the existing parsers disagree: some trim them before they check the signature, some do not.
pub(crate) fn is_comment(text: &str) -> bool {
    let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    printable
        && !text.is_empty()
        && text.len() <= MAX_COMMENT
        && !text.starts_with(' ')
        && !text.ends_with(' ')
}

/// Splits a text into exactly `N` lines, each ended by one LF, without any other control character or anything that is
/// not ASCII.
pub(crate) fn lines<const N: usize>(text: &[u8]) -> Result<[&str; N], String> {
    if let Some(at) = text
        .iter()
        .position(|&byte| byte != b'\n' && !(0x20..0x7f).contains(&byte))
    {
        let line = text[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        return Err(format!(
            "line {line} holds the byte 0x{:02x}; expected printable ASCII and LF",
            text[at]
        ));
    }
    let text = std::str::from_utf8(text).map_err(|_| "not ASCII".to_owned())?;
    let Some(body) = text.strip_suffix('\n') else {
        return Err("the last line does not end with LF".to_owned());
    };
    let found: Vec<&str> = body.split('\n').collect();
    let count = found.len();
    found
        .try_into()
        .map_err(|_| format!("{count} lines, expected exactly {N}"))
}

/// The comment of a line that starts with `prefix`.
pub(crate) fn comment<'a>(line: &'a str, prefix: &str, number: usize) -> Result<&'a str, String> {
    let Some(comment) = line.strip_prefix(prefix) else {
        return Err(format!("line {number} does not start with `{prefix}`"));
    };
    if is_comment(comment) {
        Ok(comment)
    } else {
        let rule = format!("1 to {MAX_COMMENT} characters without a blank at either end");
        Err(format!("line {number} holds no plain comment; expected {rule}"))
    }
}

/// Decodes a line of base64 in its one canonical form to exactly `N` bytes. Used for secret keys too, so the error
/// tells nothing of the content.
pub(crate) fn base64<const N: usize>(line: &str, number: usize) -> Result<Zeroizing<[u8; N]>, String> {
    let wrong = || format!("line {number} is not {N} bytes in canonical base64");
    let mut bytes = Zeroizing::new([0; N]);
    // One more byte of room than wanted would hide nothing: the decoded length is compared.
    let decoded = Base64::decode(line, &mut *bytes).map_err(|_| wrong())?.len();
    let again = Zeroizing::new(Base64::encode_string(&*bytes));
    if decoded == N && *again == line {
        Ok(bytes)
    } else {
        Err(wrong())
    }
}

/// Canonical base64.
pub(crate) fn to_base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(Base64::encode_string(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_form() {
        assert_eq!(*base64::<2>("AAE=", 2).unwrap(), [0, 1]);
        for bad in [
            "AAF=", "AAE", "AAE==", "AAE= ", " AAE=", "AA\nE=", "AAEC", "AA==", "", "A-_=", "AAE\t",
        ] {
            assert!(base64::<2>(bad, 2).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_are_counted_and_ended() {
        assert_eq!(lines::<2>(b"a\nb\n").unwrap(), ["a", "b"]);
        for (bad, reason) in [
            (&b"a\nb"[..], "does not end with LF"),
            (b"a\n", "1 lines, expected exactly 2"),
            (b"a\nb\n\n", "3 lines"),
            (b"a\r\nb\n", "line 1 holds the byte 0x0d"),
            (b"a\nb\xc3\xa4\n", "line 2 holds the byte 0xc3"),
            (b"a\nb\0\n", "0x00"),
            (b"", "does not end with LF"),
        ] {
            let error = lines::<2>(bad).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}

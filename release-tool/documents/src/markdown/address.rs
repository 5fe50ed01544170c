//! Which addresses a document may lead to.

use super::is_hidden;
use std::fmt::Write as _;

/// The schemes of addresses that a reader may be sent to.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// The address of a link as it is written into a page; `None` when nobody should follow it.
///
/// Allowed are `http:`, `https:` and `mailto:`, and relative references that stay with the page's own server (RFC 3986,
/// section 4.2). Browsers skip tabs and line ends within a scheme and read `\` as `/`, so an address with a blank, a
/// control character or a `\` is refused instead of being tidied. What is not ASCII is written in percent encoding.
pub(super) fn allowed(address: &str) -> Option<String> {
    let strange = |c: char| c.is_whitespace() || is_hidden(c) || c == '\\';
    if address.is_empty() || address.contains(strange) || address.starts_with("//") {
        return None;
    }
    let end = address.find([':', '/', '?', '#']);
    if let Some(scheme) = end
        .filter(|end| address[*end..].starts_with(':'))
        .map(|end| &address[..end])
        && !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let mut out = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn pages_mailboxes_and_neighbouring_files_may_be_led_to() {
        for address in [
            "https://example.org/a?b=c&d=e#f",
            "HTTP://example.org",
            "mailto:security@example.org",
            "release-notes.html",
            "../SHA256SUMS",
            "#contents",
            "/releases/0.6.0/",
            "a/b:c",
            "?x=javascript:y",
        ] {
            assert_eq!(allowed(address).as_deref(), Some(address));
        }
        assert_eq!(
            allowed("https://example.org/ä|\"").as_deref(),
            Some("https://example.org/%C3%A4%7C%22")
        );
    }

    #[test]
    fn nothing_else_may_be() {
        for address in [
            "",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            "java\nscript:alert(1)",
            " javascript:alert(1)",
            "\u{1}javascript:alert(1)",
            "\u{200b}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://example.org",
            "//example.org/x",
            "\\\\example.org\\x",
            "/\\example.org",
            ":x",
        ] {
            assert_eq!(allowed(address), None, "{address:?}");
        }
    }
}

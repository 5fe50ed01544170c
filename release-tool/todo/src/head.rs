//! How an item that is about a release starts: `**v0.6.0** (2026 Q3): theme`.

use std::ops::Range;
use vrel_model::{Stage, Version};

/// The start of an item that is about a release, or about a range of them. Ranges of bytes count from the item's text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// The release, or the first of the range.
    pub(crate) version: Version,
    /// The last of the range; the same as `version` for a single one.
    pub(crate) last: Version,
    /// Where the versions end.
    pub(crate) versions_end: usize,
    /// What is in the parentheses behind the versions.
    pub(crate) when: Option<Range<usize>>,
    /// What comes after all that, without a colon in front.
    pub(crate) rest: &'a str,
}

/// Reads the start of an item's text. `None` when the text is not about a release; an error with the offending word when
/// it is, but not rightly so.
pub(crate) fn parse(text: &str) -> Option<Result<Head<'_>, String>> {
    let (first, rest) = version_word(text)?;
    let Some(version) = final_version(first) else {
        return Some(Err(first.to_owned()));
    };
    let mut last = version.clone();
    let mut rest = rest;
    if let Some((word, after)) = rest.trim_start().strip_prefix("to ").and_then(version_word) {
        match final_version(word).filter(|end| *end > version) {
            Some(end) => last = end,
            None => return Some(Err(word.to_owned())),
        }
        rest = after;
    }
    let versions_end = text.len() - rest.len();
    let mut when = None;
    if let Some((inner, after)) = rest
        .trim_start()
        .strip_prefix('(')
        .and_then(|inner| inner.split_once(')'))
    {
        let end = text.len() - after.len() - 1;
        when = Some(end - inner.len()..end);
        rest = after;
    }
    let rest = rest.trim_start();
    let rest = rest
        .strip_prefix(':')
        .map_or(rest, |rest| rest.strip_prefix("**").unwrap_or(rest))
        .trim();
    Some(Ok(Head {
        version,
        last,
        versions_end,
        when,
        rest,
    }))
}

/// A plain or bold word that looks like a version, and what comes after it.
fn version_word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let plain = text.strip_prefix("**").unwrap_or(text);
    let end = plain
        .find(|c: char| c.is_whitespace() || matches!(c, '*' | ':' | ',' | '('))
        .unwrap_or(plain.len());
    let (word, rest) = plain.split_at(end);
    let number = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let dotted = number.contains('.') || number.len() < word.len();
    (dotted && number.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| (word, rest.strip_prefix("**").unwrap_or(rest)))
}

/// Reads `v0.6.0` or `0.6.0`.
pub(crate) fn final_version(word: &str) -> Option<Version> {
    let version: Version = word.strip_prefix('v').unwrap_or(word).parse().ok()?;
    (version.stage() == Stage::Final).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_versions_a_time_and_a_rest() {
        let text = "**v0.6.0** (2026 Q3): Rust (self-hosting), desktop";
        let head = parse(text).unwrap().unwrap();
        assert_eq!(
            (head.version.to_string(), head.last.to_string()),
            ("0.6.0".into(), "0.6.0".into())
        );
        assert_eq!(&text[..head.versions_end], "**v0.6.0**");
        assert_eq!(&text[head.when.unwrap()], "2026 Q3");
        assert_eq!(head.rest, "Rust (self-hosting), desktop");
    }

    #[test]
    fn a_range_may_be_bold_apart_or_together() {
        for text in [
            "**v0.3.0** to **v0.3.9** (2026)",
            "**v0.3.0 to v0.3.9** (2026)",
            "0.3.0 to 0.3.9 (2026)",
        ] {
            let head = parse(text).unwrap().unwrap();
            assert_eq!(
                (head.version.to_string(), head.last.to_string()),
                ("0.3.0".into(), "0.3.9".into()),
                "{text}"
            );
            assert_eq!(&text[head.when.unwrap()], "2026", "{text}");
        }
    }

    #[test]
    fn the_colon_may_be_bold_too() {
        assert_eq!(parse("**v0.6.0:** desktop").unwrap().unwrap().rest, "desktop");
    }

    #[test]
    fn what_looks_like_a_version_must_be_one() {
        for (text, wrong) in [
            ("**v0.6**: x", "v0.6"),
            ("v0.6.0-rc1: x", "v0.6.0-rc1"),
            ("**v0.3.9** to **v0.3.0**", "v0.3.0"),
            ("0.6.x later", "0.6.x"),
        ] {
            assert_eq!(parse(text), Some(Err(wrong.to_owned())), "{text}");
        }
        for text in [
            "",
            "desktop",
            "3 mirrors",
            "very soon",
            "**bold** words",
            "2026 Q3",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! What is known not to work, and what to do about it.

use crate::lines::{Kind, Line, block_end};
use crate::read::{paragraph, shape};
use crate::sections::top_items;
use crate::{TodoError, head};
use std::ops::Range;
use vrel_model::Version;

/// Something that does not work but stops no release. Its notes list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownIssue {
    /// Line, from 1.
    pub line: usize,
    /// The release that has it, with its candidates; `None` is every release.
    pub version: Option<Version>,
    /// What it is, as Markdown on one line.
    pub text: String,
    /// What to do until it is solved, as Markdown on one line.
    pub workaround: Option<String>,
}

/// Reads the section. A ticked box is an issue that is solved.
pub(crate) fn read(lines: &[Line<'_>], section: &Range<usize>) -> Result<Vec<KnownIssue>, TodoError> {
    let mut issues = Vec::new();
    for at in top_items(lines, section) {
        let Kind::Item(item) = &lines[at].kind else {
            continue;
        };
        let solved = item.mark.as_ref().is_some_and(|mark| mark.ticked);
        if solved || item.text.trim_end_matches('.').eq_ignore_ascii_case("none") {
            continue;
        }
        let head = head::parse(item.text)
            .transpose()
            .ok()
            .filter(|head| head.as_ref().is_none_or(|head| head.version == head.last));
        let Some(head) = head else {
            let remedy = "write `**v0.6.0**: …` for one release, or name none for every release";
            return Err(shape(lines, at, "one final version X.Y.Z or none", remedy));
        };
        let (version, text) = match head {
            Some(head) => (Some(head.version), head.rest),
            None => (None, item.text),
        };
        let (text, mut workaround) = split_workaround(&paragraph(lines, at, text));
        for inner in at + 1..block_end(lines, at) {
            if let Kind::Item(item) = &lines[inner].kind
                && let (before, Some(text)) = split_workaround(&paragraph(lines, inner, item.text))
                && before.is_empty()
            {
                workaround.get_or_insert(text);
            }
        }
        if text.is_empty() {
            let remedy = "say what happens, and when, before its workaround";
            return Err(shape(lines, at, "what does not work", remedy));
        }
        issues.push(KnownIssue {
            line: at + 1,
            version,
            text,
            workaround,
        });
    }
    Ok(issues)
}

/// Cuts a text before `Workaround:`, which may be bold. What follows it is the workaround, unless it is nothing.
fn split_workaround(text: &str) -> (String, Option<String>) {
    const WORD: &str = "workaround";
    let place = text.char_indices().find_map(|(at, _)| {
        // The word must begin here: `noworkaround:` is none.
        let begins = text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let (word, rest) = text[at..].split_at_checked(WORD.len())?;
        let rest = ["**:", ":**", ":"]
            .iter()
            .find_map(|end| rest.strip_prefix(end))?;
        (begins && word.eq_ignore_ascii_case(WORD)).then_some((at, rest.trim()))
    });
    let Some((at, rest)) = place else {
        return (text.to_owned(), None);
    };
    let before = text[..at].strip_suffix("**").unwrap_or(&text[..at]).trim_end();
    (before.to_owned(), (!rest.is_empty()).then(|| rest.to_owned()))
}

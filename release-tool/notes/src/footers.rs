//! What the body of a commit message says in its footers.
//!
//! A footer is `Key: text` at the start of a line, anywhere in the body outside fenced code. Its text goes on, over
//! blank lines too, until the next footer (Conventional Commits 1.0.0, rule 9).

use crate::contained::{PICKED, picked_from};
use crate::references::collect_settled;
use vrel_documents::markdown::{is_blank, opening_fence};

/// The footers that matter to the notes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Footers {
    pub(crate) issues: Vec<u64>,
    pub(crate) highlights: Vec<String>,
    /// Texts of `BREAKING CHANGE`, each with its `Migration`.
    pub(crate) breaking: Vec<(String, Option<String>)>,
    /// `Migration` without a breaking change before it.
    pub(crate) migration: Option<String>,
    /// Texts of `Deprecated`, each with its `Replacement`.
    pub(crate) deprecated: Vec<(String, Option<String>)>,
    /// `Replacement` without a `Deprecated` before it.
    pub(crate) replacement: Option<String>,
    /// Texts of `Known-Issue`, each with its `Workaround`.
    pub(crate) known_issues: Vec<(String, Option<String>)>,
    pub(crate) limitations: Vec<String>,
    pub(crate) upgrade_notes: Vec<String>,
    /// The commits that this one was picked from, oldest first.
    pub(crate) upstream: Vec<String>,
    /// Names and addresses of `Co-authored-by`.
    pub(crate) co_authors: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Highlight,
    Breaking,
    Migration,
    Deprecated,
    Replacement,
    KnownIssue,
    Workaround,
    Limitation,
    UpgradeNote,
    CoAuthor,
    /// A footer that says nothing to users.
    Other,
}

/// The known keys in lower case, with hyphens.
const KEYS: &[(&str, Key)] = &[
    ("highlight", Key::Highlight),
    ("breaking-change", Key::Breaking),
    ("breaking change", Key::Breaking),
    ("migration", Key::Migration),
    ("deprecated", Key::Deprecated),
    ("deprecates", Key::Deprecated),
    ("replacement", Key::Replacement),
    ("known-issue", Key::KnownIssue),
    ("workaround", Key::Workaround),
    ("limitation", Key::Limitation),
    ("upgrade-note", Key::UpgradeNote),
    ("co-authored-by", Key::CoAuthor),
    ("bug", Key::Other),
    ("cc", Key::Other),
    ("change-id", Key::Other),
    ("closes", Key::Other),
    ("depends-on", Key::Other),
    ("fixes", Key::Other),
    ("issue", Key::Other),
    ("link", Key::Other),
    ("refs", Key::Other),
    ("resolves", Key::Other),
    ("see-also", Key::Other),
];

/// The key of a footer and the text that follows it on its line.
fn footer(line: &str) -> Option<(Key, &str)> {
    [":", " #"].into_iter().find_map(|separator| {
        let (key, text) = line.split_once(separator)?;
        // The longest key has 15 bytes; prose before a colon is mostly longer.
        if key.len() > 20 {
            return None;
        }
        if let Some((_, known)) = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return Some((*known, text.trim()));
        }
        // `Reviewed-by`, `Tested-by` and whatever else people sign.
        let bytes = key.as_bytes();
        let word = bytes
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
        (word && bytes.len() > 3 && bytes.to_ascii_lowercase().ends_with(b"-by"))
            .then_some((Key::Other, text))
    })
}

impl Footers {
    /// Reads the body of a message: all but its first line.
    pub(crate) fn parse(body: &str) -> Self {
        let mut footers = Self::default();
        let mut open: Option<(Key, String)> = None;
        let mut closing_fence = None;
        let mut lines = body.lines();
        while let Some(line) = lines.next() {
            let words = line.trim();
            let in_code = match closing_fence {
                Some(fence) => {
                    if words == fence {
                        closing_fence = None;
                    }
                    true
                }
                None => {
                    closing_fence = opening_fence(words)
                        .filter(|fence| lines.clone().any(|later| later.trim() == *fence));
                    closing_fence.is_some()
                }
            };
            if !in_code {
                collect_settled(words, &mut footers.issues);
                // Only a line that is not indented begins a footer: indented ones go on with it.
                if let Some((key, text)) = footer(line) {
                    footers.close(open.take());
                    open = Some((key, text.to_owned()));
                    continue;
                }
                if words.starts_with(PICKED) {
                    footers
                        .upstream
                        .extend(picked_from(words).map(str::to_ascii_lowercase));
                    continue;
                }
            }
            if let Some((_, text)) = &mut open {
                text.push('\n');
                // What is indented in code means something.
                text.push_str(if in_code { line.trim_end() } else { words });
            }
        }
        footers.close(open);
        footers
    }

    fn close(&mut self, open: Option<(Key, String)>) {
        let Some((key, text)) = open else { return };
        if is_blank(&text) {
            return;
        }
        let text = text.trim().to_owned();
        match key {
            Key::Highlight => self.highlights.push(text),
            Key::Breaking => self.breaking.push((text, None)),
            Key::Migration => attach(&mut self.breaking, &mut self.migration, text),
            Key::Deprecated => self.deprecated.push((text, None)),
            Key::Replacement => attach(&mut self.deprecated, &mut self.replacement, text),
            Key::KnownIssue => self.known_issues.push((text, None)),
            // A workaround of nothing is no use to anyone.
            Key::Workaround => attach(&mut self.known_issues, &mut None, text),
            Key::Limitation => self.limitations.push(text),
            Key::UpgradeNote => self.upgrade_notes.push(text),
            Key::CoAuthor => {
                let line = text.lines().next().unwrap_or_default();
                let (name, address) = line.split_once('<').unwrap_or((line, ""));
                let address = address.split('>').next().unwrap_or_default();
                self.co_authors
                    .push((name.trim().to_owned(), address.trim().to_owned()));
            }
            Key::Other => {}
        }
    }
}

/// Gives a text to the last item that it can belong to, else keeps it for what the subject says. A second text for the
/// same item is added to the first.
fn attach(items: &mut [(String, Option<String>)], alone: &mut Option<String>, text: String) {
    let slot = match items.last_mut() {
        Some((_, slot)) => slot,
        None => alone,
    };
    match slot {
        Some(there) => {
            there.push_str("\n\n");
            there.push_str(&text);
        }
        None => *slot = Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str, more: Option<&str>) -> (String, Option<String>) {
        (text.to_owned(), more.map(str::to_owned))
    }

    #[test]
    fn footers_go_on_until_the_next_one() {
        let footers = Footers::parse(
            "\nWhy this is done.\nNote: this is prose.\n\nBREAKING CHANGE: the first\n  goes on\n\nand on.\n\
             migration: do this\nBREAKING-CHANGE: the second\nReviewed-by: Ada <ada@example.org>\nnot part of anything\n",
        );
        assert_eq!(
            footers.breaking,
            [
                pair("the first\ngoes on\n\nand on.", Some("do this")),
                pair("the second", None)
            ]
        );
        assert_eq!(footers.migration, None);
    }

    #[test]
    fn code_holds_no_footers() {
        let footers = Footers::parse(
            "Migration: run\n```sh\nHighlight: no\n  Fixes #1\n```\nHighlight: yes\nFixes #2\n",
        );
        assert_eq!(
            footers.migration.as_deref(),
            Some("run\n```sh\nHighlight: no\n  Fixes #1\n```")
        );
        assert_eq!(footers.highlights, ["yes"]);
        assert_eq!(footers.issues, [2]);
    }

    #[test]
    fn each_remedy_belongs_to_what_stands_before_it() {
        let footers = Footers::parse(
            "Known-Issue: a\nWorkaround: for a\nWorkaround: more for a\nKnown-Issue: b\n\
             Workaround:\nDeprecated: x\nReplacement: y\nLimitation: l\nUpgrade-Note: u\n",
        );
        assert_eq!(
            footers.known_issues,
            [pair("a", Some("for a\n\nmore for a")), pair("b", None)]
        );
        assert_eq!(footers.deprecated, [pair("x", Some("y"))]);
        assert_eq!(
            (footers.limitations, footers.upgrade_notes),
            (vec!["l".into()], vec!["u".into()])
        );
        let alone = Footers::parse("Workaround: of nothing\nReplacement: z\n");
        assert_eq!(
            (alone.known_issues, alone.replacement.as_deref()),
            (vec![], Some("z"))
        );
    }

    #[test]
    fn what_git_and_forges_add_is_left_out() {
        let footers = Footers::parse(
            "Highlight: fast\nSigned-off-by: A <a@b>\nRefs #3\nChange-Id: I1\nFixes #12\nHighlight: small\n\
             (cherry picked from commit 0123456789012345678901234567890123456789)\n\
             Co-Authored-By: Zoë  <zoe@example.org>\nCo-authored-by: Nobody\n",
        );
        assert_eq!(footers.highlights, ["fast", "small"]);
        assert_eq!(footers.issues, [12]);
        let people = [("Zoë", "zoe@example.org"), ("Nobody", "")];
        assert_eq!(
            footers.co_authors,
            people.map(|(name, address)| (name.to_owned(), address.to_owned()))
        );
    }

    #[test]
    fn an_unclosed_fence_swallows_no_footer() {
        let footers = Footers::parse("```\nHighlight: seen\nFixes #3\n");
        assert_eq!(footers.highlights, ["seen"]);
        assert_eq!(footers.issues, [3]);
    }
}

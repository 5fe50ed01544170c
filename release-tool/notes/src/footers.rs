//! What the body of a commit message says in its footers.
//!
//! A footer is `Key: text` at the start of a line, anywhere in the body outside fenced code. Its text goes on, over
//! blank lines too, until the next footer (Conventional Commits 1.0.0, rule 9).

use crate::markdown::is_blank;
use crate::references::collect_settled;

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
    // Most lines are told from a footer by their first bytes; the longest key has 16 with its colon.
    let (key, text) = line.split_once(':').or_else(|| line.split_once(" #"))?;
    if key.len() > 32 || !key.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return None;
    }
    if let Some((_, known)) = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
        return Some((*known, text.trim()));
    }
    let word = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (word && key.len() > 3 && key[key.len() - 3..].eq_ignore_ascii_case("-by")).then_some((Key::Other, text))
}

impl Footers {
    /// Reads the body of a message: all but its first line.
    pub(crate) fn parse(body: &str) -> Self {
        let mut footers = Self::default();
        let mut open: Option<(Key, String)> = None;
        let mut in_code = false;
        for line in body.lines() {
            let words = line.trim();
            if words.starts_with("```") {
                in_code = !in_code;
            }
            if !in_code {
                collect_settled(words, &mut footers.issues);
                // Only a line that is not indented begins a footer: indented ones go on with it.
                if let Some((key, text)) = footer(line) {
                    footers.close(open.take());
                    open = Some((key, text.to_owned()));
                    continue;
                }
                if words.starts_with("(cherry picked from commit ") {
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
                let (name, address) = text.split_once('<').unwrap_or((&text, ""));
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

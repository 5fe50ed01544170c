//! People's texts as Markdown (CommonMark 0.31 with GitHub's tables) that shows them as they were written.
//!
//! Commit messages and hand-edited contexts are not trusted: nothing in them may become a link, HTML, a heading or a
//! table. Only three things that people mean are kept: code between backticks, lists, and fenced code.

use std::fmt::Write as _;

/// Whether nothing of a text would be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}

/// Characters that show nothing and can change how the rest is shown: controls, marks of writing direction (they make
/// code read otherwise than it runs) and spaces without width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line, without what is hidden and with single spaces.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = !line.is_empty();
        } else if !is_hidden(c) {
            if gap {
                line.push(' ');
                gap = false;
            }
            line.push(c);
        }
    }
    line
}

/// The text as part of a paragraph, list item or heading.
pub(crate) fn inline(text: &str) -> String {
    let line = on_one_line(text);
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line.as_str();
    let mut before = None;
    while let Some(at) = rest.find('`') {
        let (plain, ticked) = rest.split_at(at);
        escape(plain, before, Some('`'), &mut out);
        let ticks = ticked.len() - ticked.trim_start_matches('`').len();
        let (fence, inside) = ticked.split_at(ticks);
        before = Some('`');
        match closing(inside, ticks) {
            Some(end) if !inside[..end].trim().is_empty() => {
                out.push_str(fence);
                out.push_str(&inside[..end]);
                out.push_str(fence);
                rest = &inside[end + ticks..];
            }
            _ => {
                for _ in 0..ticks {
                    out.push_str("\\`");
                }
                rest = inside;
            }
        }
    }
    escape(rest, before, None, &mut out);
    out
}

/// The text as a cell of a table, where a code span could not hold a `|`.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&on_one_line(text), None, None, &mut out);
    out
}

/// Where the run of exactly `ticks` backticks begins that closes a code span.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find('`') {
        let start = from + at;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        if run == ticks {
            return Some(start);
        }
        from = start + run;
    }
    None
}

/// Escapes what Markdown would take for markup, and only that: notes are read in terminals too. `before` and `after`
/// are the characters around the text; none before it means the start of a paragraph.
fn escape(text: &str, before: Option<char>, after: Option<char>, out: &mut String) {
    let mut previous = before;
    let mut characters = text.chars().peekable();
    // Digits so far at the start of the paragraph, where `1.` begins a list.
    let mut only_digits = before.is_none();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().or(after);
        let at_start = previous.is_none();
        let alphanumeric = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let special = match c {
            '`' | '*' | '[' | ']' | '<' | '|' | '~' => true,
            '_' => !(alphanumeric(previous) && alphanumeric(next)),
            '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
            '&' => next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '#'),
            '#' => !next.is_some_and(|next| next.is_ascii_digit()) && !alphanumeric(previous),
            '>' | '-' | '+' | '=' | ':' => at_start,
            '.' | ')' => only_digits && !at_start,
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
        only_digits &= c.is_ascii_digit();
        previous = Some(c);
    }
}

/// The text as paragraphs, lists and fenced code that stand first in a list item: every line but the first is indented
/// by `indent` spaces.
pub(crate) fn block(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    write_parts(&parts(text), indent, &mut out);
    out
}

/// The same, but behind a label on the same line, blank or line breaks included.
pub(crate) fn block_after_label(text: &str, indent: usize) -> String {
    let parts = parts(text);
    // A list or code behind a label needs a line of its own.
    let mut out = match parts.first() {
        Some(Part::Paragraph(_)) => " ".to_owned(),
        _ => format!("\n\n{:indent$}", ""),
    };
    write_parts(&parts, indent, &mut out);
    out
}

fn write_parts(parts: &[Part<'_>], indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    let mut previous: Option<&Part<'_>> = None;
    for part in parts {
        match (previous, part) {
            (None, _) => {}
            (Some(Part::Item { .. }), Part::Item { .. }) => {
                let _ = write!(out, "\n{margin}");
            }
            _ => {
                let _ = write!(out, "\n\n{margin}");
            }
        }
        previous = Some(part);
        match part {
            Part::Paragraph(words) => out.push_str(&inline(words)),
            Part::Item { mark, words } => {
                let _ = write!(out, "{mark} {}", inline(words));
            }
            Part::Code { language, lines } => {
                let fence = "`".repeat(longest_run(lines).max(2) + 1);
                let _ = write!(out, "{fence}{language}");
                for line in lines {
                    let visible: String = line.chars().filter(|c| *c == '\t' || !is_hidden(*c)).collect();
                    // A blank line is left blank: an indent alone would be a trailing blank.
                    let margin = if visible.trim().is_empty() { "" } else { &margin };
                    let _ = write!(out, "\n{margin}{}", visible.trim_end());
                }
                let _ = write!(out, "\n{margin}{fence}");
            }
        }
    }
}

/// A piece of a text.
enum Part<'a> {
    /// Lines that belong together.
    Paragraph(String),
    /// An item of a list.
    Item {
        /// `-`, or a number and a dot.
        mark: &'a str,
        /// What stands behind it.
        words: String,
    },
    /// Lines that are shown as they are.
    Code {
        /// What follows the opening fence, when it is a plain word.
        language: &'a str,
        /// The lines between the fences.
        lines: Vec<&'a str>,
    },
}

/// Cuts a text at blank lines, list marks and fences. A fence that is not closed is no fence.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    // Whether the next line of text goes on with the last part.
    let mut open = false;
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let words = line.trim();
        if is_blank(words) {
            open = false;
        } else if let Some((language, length)) = fenced(words, &lines[at..]) {
            let lines = lines[at..at + length].to_vec();
            parts.push(Part::Code { language, lines });
            at += length + 1;
            open = false;
        } else if let Some((mark, words)) = item(words) {
            let words = words.to_owned();
            parts.push(Part::Item { mark, words });
            open = true;
        } else {
            match parts.last_mut() {
                Some(Part::Paragraph(text) | Part::Item { words: text, .. }) if open => {
                    text.push(' ');
                    text.push_str(words);
                }
                _ => parts.push(Part::Paragraph(words.to_owned())),
            }
            open = true;
        }
    }
    parts
}

/// The language of the code that the opening fence `words` begins, and how many lines it has; `None` when it is no
/// fence, or is never closed, or has nothing inside.
fn fenced<'a>(words: &'a str, following: &[&str]) -> Option<(&'a str, usize)> {
    let (fence, language) = words.split_at(words.len() - words.trim_start_matches('`').len());
    if fence.len() < 3 || language.contains('`') {
        return None;
    }
    let length = following.iter().position(|line| line.trim() == fence)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte);
    let language = if language.bytes().all(plain) { language } else { "" };
    let empty = following[..length].iter().all(|line| is_blank(line));
    (!empty).then_some((language, length))
}

/// The mark of a list item and what follows it.
fn item(words: &str) -> Option<(&str, &str)> {
    let (mark, rest) = words.split_once(' ')?;
    let digits = mark.strip_suffix('.').unwrap_or_default();
    let mark = match mark {
        "-" | "*" => "-",
        // CommonMark knows numbers of at most nine digits.
        _ if (1..10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => mark,
        _ => return None,
    };
    (!is_blank(rest)).then_some((mark, rest))
}

fn longest_run(lines: &[&str]) -> usize {
    let run = |line: &&str| line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    lines.iter().map(run).max().unwrap_or(0)
}

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

/// The text as paragraphs, lists and fenced code inside a list item or at the top level: every line but the first is
/// indented by `indent` spaces.
pub(crate) fn block(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut out = String::with_capacity(text.len() + 16);
    let mut after_item = false;
    for part in parts(text) {
        let is_item = matches!(part, Part::Item(_));
        if !out.is_empty() || !matches!(part, Part::Paragraph(_)) {
            // What begins with a mark of its own needs its own line, also as the first thing of a list item.
            let gap = if is_item && after_item { "\n" } else { "\n\n" };
            let _ = write!(out, "{gap}{margin}");
        }
        after_item = is_item;
        match part {
            Part::Paragraph(words) => out.push_str(&inline(&words)),
            Part::Item(words) => {
                let _ = write!(out, "- {}", inline(&words));
            }
            Part::Code(lines) => {
                let fence = "`".repeat(longest_run(&lines).max(2) + 1);
                out.push_str(&fence);
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
    out
}

enum Part<'a> {
    Paragraph(String),
    Item(String),
    Code(Vec<&'a str>),
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
            continue;
        }
        if let Some(length) = fence_end(words, &lines[at..]) {
            parts.push(Part::Code(lines[at..at + length].to_vec()));
            at += length + 1;
            open = false;
            continue;
        }
        if let Some(item) = item(words) {
            parts.push(Part::Item(item.to_owned()));
            open = true;
            continue;
        }
        match parts.last_mut() {
            Some(Part::Paragraph(text) | Part::Item(text)) if open => {
                text.push(' ');
                text.push_str(words);
            }
            _ => parts.push(Part::Paragraph(words.to_owned())),
        }
        open = true;
    }
    parts
}

/// How many lines of code follow the opening fence `words`; `None` when it is none, or is never closed, or empty.
fn fence_end(words: &str, following: &[&str]) -> Option<usize> {
    let ticks = words.len() - words.trim_start_matches('`').len();
    if ticks < 3 || words[ticks..].contains('`') {
        return None;
    }
    let fence = &words[..ticks];
    let length = following.iter().position(|line| line.trim() == fence)?;
    let empty = following[..length].iter().all(|line| is_blank(line));
    (!empty).then_some(length)
}

/// What follows the mark of a list item.
fn item(words: &str) -> Option<&str> {
    let digits = words.len() - words.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = if digits > 0 {
        words[digits..]
            .strip_prefix(". ")
            .or_else(|| words[digits..].strip_prefix(") "))
    } else {
        words.strip_prefix("- ").or_else(|| words.strip_prefix("* "))
    };
    mark.filter(|rest| !is_blank(rest))
}

fn longest_run(lines: &[&str]) -> usize {
    let run = |line: &&str| line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    lines.iter().map(run).max().unwrap_or(0)
}

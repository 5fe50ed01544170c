//! People's texts as Markdown (CommonMark 0.31 with GitHub's tables) that shows them as they were written.
//!
//! Commit messages and hand-edited contexts are not trusted: nothing in them may become a link, HTML, a heading or a
//! table. Only three things that people mean are kept: code between backticks, lists, and fenced code.

use std::fmt::Write as _;

/// Whether nothing of a text would be seen.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}

/// Characters that show nothing and can change how the rest is shown: controls, marks of writing direction (they make
/// code read otherwise than it runs) and spaces without width.
pub(crate) fn is_hidden(c: char) -> bool {
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
#[must_use]
pub fn inline(text: &str) -> String {
    escaped(text, false)
}

/// The text as a cell of a table, where `|` must be escaped in code too.
#[must_use]
pub fn cell(text: &str) -> String {
    escaped(text, true)
}

fn escaped(text: &str, in_cell: bool) -> String {
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
                let code = &inside[..end];
                out.push_str(fence);
                if in_cell {
                    out.push_str(&code.replace('|', "\\|"));
                } else {
                    out.push_str(code);
                }
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
    let mut characters = text.char_indices().peekable();
    // Digits so far at the start of the paragraph, where `1.` begins a list.
    let mut only_digits = before.is_none();
    while let Some((at, c)) = characters.next() {
        let next = characters.peek().map(|(_, next)| *next).or(after);
        let at_start = previous.is_none();
        let alphanumeric = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let special = match c {
            '`' | '*' | '[' | ']' | '<' | '|' | '~' | '$' => true,
            '_' => !(alphanumeric(previous) && alphanumeric(next)),
            '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
            '&' => is_entity(&text[at + 1..]),
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

/// Whether what follows a `&` makes it a character reference, as in `&lt;`.
fn is_entity(rest: &str) -> bool {
    let name = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '#');
    name.len() < rest.len() && name.starts_with(';')
}

/// The text as paragraphs, lists and fenced code that stand first in a list item: every line but the first is indented
/// by `indent` spaces.
#[must_use]
pub fn block(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    write_parts(&parts(text), indent, &mut out);
    out
}

/// The same, but behind a label on the same line, blank or line breaks included.
#[must_use]
pub fn block_after_label(text: &str, indent: usize) -> String {
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

/// The backticks of a line that opens fenced code.
#[must_use]
pub fn opening_fence(words: &str) -> Option<&str> {
    let (fence, language) = words.split_at(words.len() - words.trim_start_matches('`').len());
    (fence.len() >= 3 && !language.contains('`')).then_some(fence)
}

/// The language of the code that `words` open, and how many of the following lines it has; `None` when it is no fence,
/// or is never closed, or has nothing inside.
fn fenced<'a>(words: &'a str, following: &[&str]) -> Option<(&'a str, usize)> {
    let fence = opening_fence(words)?;
    let length = following.iter().position(|line| line.trim() == fence)?;
    let language = &words[fence.len()..];
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    /// The extensions that forges have.
    fn forge() -> Options {
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_MATH
            | Options::ENABLE_GFM
    }

    /// What a reader of the Markdown sees, and which kinds of markup there are.
    fn read(markdown: &str) -> (String, Vec<&'static str>) {
        let mut seen = String::new();
        let mut markup = Vec::new();
        for event in Parser::new_ext(markdown, forge()) {
            match event {
                Event::Text(text) => seen.push_str(&text),
                Event::Code(text) => {
                    seen.push_str(&text);
                    markup.push("code");
                }
                Event::SoftBreak => seen.push('\n'),
                Event::Start(Tag::Paragraph) => markup.push("paragraph"),
                Event::Start(Tag::List(_)) => markup.push("list"),
                Event::Start(Tag::Item) => markup.push("item"),
                Event::Start(Tag::CodeBlock(_)) => markup.push("code block"),
                Event::Start(_) => markup.push("other"),
                Event::End(_) => {}
                _ => markup.push("other"),
            }
        }
        (seen, markup)
    }

    #[test]
    fn markup_that_nobody_meant_is_shown_as_it_was_written() {
        for (text, expected) in [
            (
                "plain words, with (brackets) and 1.5 GiB!",
                "plain words, with (brackets) and 1.5 GiB!",
            ),
            ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
            (
                "[x](javascript:y) and ![z](w)",
                "\\[x\\](javascript:y) and !\\[z\\](w)",
            ),
            ("a | b", "a \\| b"),
            ("2 * 3 *stars* ~~gone~~", "2 \\* 3 \\*stars\\* \\~\\~gone\\~\\~"),
            ("$5 or $HOME", "\\$5 or \\$HOME"),
            ("snake_case and _emphasis_", "snake_case and \\_emphasis\\_"),
            ("# no heading #", "\\# no heading \\#"),
            ("#12 and C# stay", "#12 and C# stay"),
            ("1. no list", "1\\. no list"),
            ("- no item", "\\- no item"),
            ("> no quote, a > b", "\\> no quote, a > b"),
            ("AT&T &amp; &#60;", "AT&T \\&amp; \\&#60;"),
            ("C:\\dir \\* end\\", "C:\\dir \\\\\\* end\\\\"),
            (
                "`code|<b>` stays, ` alone does not",
                "`code|<b>` stays, \\` alone does not",
            ),
            ("``a ` b`` and ``` `` ```", "``a ` b`` and ``` `` ```"),
            ("` ` and ``", "\\` \\` and \\`\\`"),
            ("  many \t blanks\nand lines ", "many blanks and lines"),
            ("a\u{202e}b\u{7}c\u{200b}", "abc"),
        ] {
            assert_eq!(inline(text), expected);
        }
        assert_eq!(cell("`a|b` | <i>"), "`a\\|b` \\| \\<i>");
    }

    #[test]
    fn blocks_keep_paragraphs_lists_and_code() {
        let text =
            "first\nline\n\nsecond\n- one\n  goes on\n* two\n1. three\n```sh\nvrel <x>\n\n  y  \n```\nlast";
        assert_eq!(
            block(text, 2),
            "first line\n\n  second\n\n  - one goes on\n  - two\n  1. three\n\n  ```sh\n  vrel <x>\n\n    y\n  ```\n\n  last"
        );
        assert_eq!(block_after_label("words", 2), " words");
        assert_eq!(block_after_label("- one", 2), "\n\n  - one");
        assert_eq!(block("```\nnever closed", 2), "\\`\\`\\` never closed");
        assert_eq!(block("````\n```\n````", 0), "````\n```\n````");
        assert_eq!(block("```\na ````` b\n```", 0), "``````\na ````` b\n``````");
        assert_eq!(block("-\n1.\nx", 2), "\\- 1. x");
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for blank in ["", " \n\t", "\u{200b}\u{feff}", "\u{1b}\u{202e}", "\u{3164}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        assert!(!is_blank("\u{200b}x"));
    }

    /// Texts that are rich in what Markdown reacts to.
    fn text() -> impl Strategy<Value = String> {
        let tricky = proptest::sample::select(
            "`*_[]()<>|~#\\&;!:=+-.1 29\n\t\"'$^{}@/ahttp://www.example.com\u{200b}é"
                .chars()
                .collect::<Vec<_>>(),
        );
        proptest::collection::vec(prop_oneof![4 => tricky, 1 => any::<char>()], 0..40)
            .prop_map(|characters| characters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn one_line_is_read_as_it_was_written(text in text()) {
            let (seen, markup) = read(&inline(&text));
            let bare = |text: &str| text.chars().filter(|c| *c != '`' && !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&seen), bare(&on_one_line(&text)));
            prop_assert!(!markup.iter().any(|kind| *kind != "code" && *kind != "paragraph"), "{:?}", markup);
        }

        #[test]
        fn a_cell_is_one_cell(text in text()) {
            let table = format!("| a | b |\n| --- | --- |\n| {} | last |\n", cell(&text));
            let (seen, _) = read(&table);
            let bare = |text: &str| text.chars().filter(|c| *c != '`' && !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&seen), format!("ab{}last", bare(&on_one_line(&text))));
        }

        #[test]
        fn a_block_stays_within_its_list_item(text in text()) {
            if is_blank(&text) {
                prop_assert_eq!(block(&text, 2), "");
                return Ok(());
            }
            let item = format!("- {}\n- next\n", block(&text, 2));
            let (_, markup) = read(&item);
            prop_assert!(!markup.contains(&"other"), "{item:?} {markup:?}");
            let mut depth = 0;
            let mut top_items = 0;
            for event in Parser::new_ext(&item, forge()) {
                match event {
                    Event::Start(Tag::Item) => { top_items += usize::from(depth == 0); depth += 1; }
                    Event::End(pulldown_cmark::TagEnd::Item) => depth -= 1,
                    Event::Start(Tag::Paragraph | Tag::CodeBlock(_)) => prop_assert!(depth > 0, "{:?}", item),
                    _ => {}
                }
            }
            prop_assert_eq!(top_items, 2, "{:?}", item);
        }
    }
}

//! A Markdown text as lines, each with as much structure as a plan needs: headings, list items, boxes.

use std::ops::Range;

/// One line and what it is.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    /// Where the line starts in the text, in bytes.
    pub(crate) start: usize,
    /// The line without its ending.
    pub(crate) body: &'a str,
    /// `"\n"`, `"\r\n"`, or empty at the end of a text that does not end in a newline.
    pub(crate) ending: &'a str,
    /// Columns of white space before the text; of a code block or comment, those before its first line.
    pub(crate) indent: usize,
    /// What the line is.
    pub(crate) kind: Kind<'a>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// Nothing but white space.
    Blank,
    /// `## title`, unindented.
    Heading { level: usize, title: &'a str },
    /// A line that starts a list item.
    Item(Item<'a>),
    /// A line that ends a paragraph without belonging to it: a rule, a quotation, a table's row.
    Break,
    /// Part of a fenced code block or of a comment: never structure.
    Opaque,
    /// Anything else.
    Text,
}

/// The first line of a list item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    /// `-`, `*`, `+`, or a number with its full stop or parenthesis.
    pub(crate) bullet: &'a str,
    /// The box, when the item has one.
    pub(crate) mark: Option<Mark>,
    /// The text after bullet and box, without white space around it.
    pub(crate) text: &'a str,
    /// Where the text starts in the whole text, in bytes.
    pub(crate) text_start: usize,
}

/// A box, `[ ]` or `[x]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Whether it is ticked.
    pub(crate) ticked: bool,
    /// The byte between the brackets, in the whole text.
    pub(crate) range: Range<usize>,
}

impl Line<'_> {
    /// Where the next line starts.
    pub(crate) fn end(&self) -> usize {
        self.body_end() + self.ending.len()
    }

    /// Where the line's text ends, in bytes.
    pub(crate) fn body_end(&self) -> usize {
        self.start + self.body.len()
    }
}

/// What the lines so far left open.
enum Open<'a> {
    Fence { fence: &'a str, indent: usize },
    Comment { indent: usize },
}

/// Splits a text into lines.
pub(crate) fn split(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let body = whole.strip_suffix('\n').unwrap_or(whole);
        let body = if body.len() < whole.len() {
            body.strip_suffix('\r').unwrap_or(body)
        } else {
            body
        };
        let ending = &whole[body.len()..];
        // A byte order mark would hide a heading on the first line.
        let visible = if start == 0 {
            body.strip_prefix('\u{feff}').unwrap_or(body)
        } else {
            body
        };
        let trimmed = visible.trim_start_matches([' ', '\t']);
        let columns = columns(&visible[..visible.len() - trimmed.len()]);
        let (indent, kind) = match &open {
            Some(Open::Fence { fence, indent }) => {
                let indent = *indent;
                if closes(fence, trimmed) {
                    open = None;
                }
                (indent, Kind::Opaque)
            }
            Some(Open::Comment { indent }) => {
                let indent = *indent;
                if trimmed.contains("-->") {
                    open = None;
                }
                (indent, Kind::Opaque)
            }
            None => {
                if let Some(fence) = opening_fence(trimmed) {
                    open = Some(Open::Fence {
                        fence,
                        indent: columns,
                    });
                    (columns, Kind::Opaque)
                } else if let Some(rest) = trimmed.strip_prefix("<!--") {
                    if !rest.contains("-->") {
                        open = Some(Open::Comment { indent: columns });
                    }
                    (columns, Kind::Opaque)
                } else {
                    (
                        columns,
                        kind(trimmed, columns, start + body.len() - trimmed.len()),
                    )
                }
            }
        };
        lines.push(Line {
            start,
            body,
            ending,
            indent,
            kind,
        });
        start += whole.len();
    }
    lines
}

/// The line behind the last one that belongs to the list item on line `item`: its continuation, what is nested in it, and
/// the blank lines between those.
pub(crate) fn block_end(lines: &[Line<'_>], item: usize) -> usize {
    let indent = lines[item].indent;
    let mut end = item + 1;
    for (at, line) in lines.iter().enumerate().skip(item + 1) {
        let lazy = line.kind == Kind::Text && at == end && lines[at - 1].kind != Kind::Opaque;
        match line.kind {
            Kind::Blank => {}
            _ if line.indent > indent || lazy => end = at + 1,
            _ => break,
        }
    }
    end
}

/// The line behind the last one of the paragraph that starts on line `first`.
pub(crate) fn paragraph_end(lines: &[Line<'_>], first: usize) -> usize {
    let more = lines[first + 1..]
        .iter()
        .take_while(|line| line.kind == Kind::Text);
    first + 1 + more.count()
}

fn columns(blank: &str) -> usize {
    blank.chars().fold(0, |column, c| {
        if c == '\t' {
            (column / 4 + 1) * 4
        } else {
            column + 1
        }
    })
}

/// The run of backticks or tildes that opens a code block.
fn opening_fence(trimmed: &str) -> Option<&str> {
    let sign = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = trimmed.trim_start_matches(sign);
    let fence = &trimmed[..trimmed.len() - info.len()];
    // With a backtick behind it, it is code within a line of text.
    (fence.len() >= 3 && !(sign == '`' && info.contains('`'))).then_some(fence)
}

fn closes(fence: &str, trimmed: &str) -> bool {
    let line = trimmed.trim_end();
    line.starts_with(fence) && line.trim_start_matches(&fence[..1]).is_empty()
}

/// What a line outside code and comments is. `start` is where `trimmed` starts in the whole text.
fn kind(trimmed: &str, indent: usize, start: usize) -> Kind<'_> {
    let text = trimmed.trim_end();
    if text.is_empty() {
        return Kind::Blank;
    }
    if let Some(heading) = heading(text).filter(|_| indent == 0) {
        return heading;
    }
    if is_rule(text) || text.starts_with(['>', '|']) {
        return Kind::Break;
    }
    item(text, start).map_or(Kind::Text, Kind::Item)
}

fn heading(text: &str) -> Option<Kind<'_>> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    let is_heading = (1..=6).contains(&level) && (rest.is_empty() || rest.starts_with([' ', '\t']));
    let title = rest.trim();
    // Closing number signs are decoration, but only behind a blank: `C#` keeps its own.
    let bare = title.trim_end_matches('#');
    let title = if bare.is_empty() || bare.ends_with([' ', '\t']) {
        bare.trim_end()
    } else {
        title
    };
    is_heading.then_some(Kind::Heading { level, title })
}

fn is_rule(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| !matches!(c, ' ' | '\t'));
    let Some(first) = signs.next().filter(|c| matches!(c, '-' | '*' | '_')) else {
        return false;
    };
    let rest: Vec<char> = signs.collect();
    rest.len() >= 2 && rest.iter().all(|c| *c == first)
}

fn item(text: &str, start: usize) -> Option<Item<'_>> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let bullet = match digits {
        0 if text.starts_with(['-', '*', '+']) => &text[..1],
        1..=9 if text[digits..].starts_with(['.', ')']) => &text[..=digits],
        _ => return None,
    };
    let rest = &text[bullet.len()..];
    let content = rest.trim_start_matches([' ', '\t']);
    if !rest.is_empty() && content.len() == rest.len() {
        return None;
    }
    let content_start = start + text.len() - content.len();
    let Some((ticked, after)) = boxed(content) else {
        return Some(Item {
            bullet,
            mark: None,
            text: content,
            text_start: content_start,
        });
    };
    let item_text = after.trim_start_matches([' ', '\t']);
    Some(Item {
        bullet,
        mark: Some(Mark {
            ticked,
            range: content_start + 1..content_start + 2,
        }),
        text: item_text,
        text_start: start + text.len() - item_text.len(),
    })
}

fn boxed(content: &str) -> Option<(bool, &str)> {
    let inner = content.strip_prefix('[')?;
    let ticked = match inner.as_bytes().first()? {
        b' ' => false,
        b'x' | b'X' => true,
        _ => return None,
    };
    let after = inner[1..].strip_prefix(']')?;
    (after.is_empty() || after.starts_with([' ', '\t'])).then_some((ticked, after))
}

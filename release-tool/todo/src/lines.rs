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
    /// The column that what belongs to the item has to reach.
    pub(crate) content_column: usize,
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

/// A code block or comment that has begun.
struct Open<'a> {
    until: Until<'a>,
    /// The column that it stands at.
    indent: usize,
    /// Index of the line that began it.
    at: usize,
}

/// What ends a code block or comment.
enum Until<'a> {
    /// At least these backticks or tildes, alone on a line.
    Fence(&'a str),
    /// `-->`.
    CommentEnd,
}

impl<'a> Until<'a> {
    /// What ends the code block or comment that begins with this text and does not end with it.
    fn of(text: &'a str) -> Option<Self> {
        let comment = text.strip_prefix("<!--").filter(|rest| !rest.contains("-->"));
        opening_fence(text)
            .map(Self::Fence)
            .or(comment.map(|_| Self::CommentEnd))
    }

    fn is_met(&self, trimmed: &str) -> bool {
        match self {
            Self::CommentEnd => trimmed.contains("-->"),
            Self::Fence(fence) => {
                trimmed.starts_with(fence) && trimmed.trim_end().trim_start_matches(&fence[..1]).is_empty()
            }
        }
    }
}

/// Splits a text into lines. An error is the index of the line whose code block or comment never ends: whatever comes
/// after it could not be told from code.
pub(crate) fn split(text: &str) -> Result<Vec<Line<'_>>, usize> {
    let mut lines = Vec::new();
    let mut open: Option<Open<'_>> = None;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let body = whole
            .strip_suffix("\r\n")
            .or_else(|| whole.strip_suffix('\n'))
            .unwrap_or(whole);
        // A byte order mark would hide a heading on the first line.
        let visible = if start == 0 {
            body.trim_start_matches('\u{feff}')
        } else {
            body
        };
        let trimmed = visible.trim_start_matches([' ', '\t']);
        let mut indent = advance(0, &visible[..visible.len() - trimmed.len()]);
        let kind = if let Some(inside) = &open {
            indent = inside.indent;
            if inside.until.is_met(trimmed) {
                open = None;
            }
            Kind::Opaque
        } else {
            let kind = kind(trimmed, indent, start + body.len() - trimmed.len());
            let (content, column) = match &kind {
                Kind::Item(item) => (item.text, item.content_column),
                _ => (trimmed, indent),
            };
            open = Until::of(content).map(|until| Open {
                until,
                indent: column,
                at: lines.len(),
            });
            kind
        };
        lines.push(Line {
            start,
            body,
            ending: &whole[body.len()..],
            indent,
            kind,
        });
        start += whole.len();
    }
    open.map_or(Ok(lines), |open| Err(open.at))
}

/// The line behind the last one that belongs to the list item on line `at`: its continuation, what is nested in it, and
/// the blank lines between those.
pub(crate) fn block_end(lines: &[Line<'_>], at: usize) -> usize {
    let column = match &lines[at].kind {
        Kind::Item(item) => item.content_column,
        _ => lines[at].indent + 1,
    };
    let mut end = at + 1;
    for (at, line) in lines.iter().enumerate().skip(at + 1) {
        // A paragraph goes on without indentation, as long as no blank line ends it.
        let lazy = line.kind == Kind::Text && at == end && lines[at - 1].kind != Kind::Opaque;
        match line.kind {
            Kind::Blank => {}
            _ if line.indent >= column || lazy => end = at + 1,
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

/// The column after white space that starts at another one; tabs go to multiples of four.
pub(crate) fn advance(column: usize, white: &str) -> usize {
    white.chars().fold(column, |column, c| {
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

/// What a line outside code and comments is. `start` is where `trimmed` starts in the whole text.
fn kind(trimmed: &str, indent: usize, start: usize) -> Kind<'_> {
    let text = trimmed.trim_end();
    if text.is_empty() {
        return Kind::Blank;
    }
    if let Some(heading) = heading(text).filter(|_| indent == 0) {
        return heading;
    }
    if opening_fence(text).is_some() || text.starts_with("<!--") {
        return Kind::Opaque;
    }
    if is_rule(text) || text.starts_with(['>', '|']) {
        return Kind::Break;
    }
    item(text, indent, start).map_or(Kind::Text, Kind::Item)
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

fn item(text: &str, indent: usize, start: usize) -> Option<Item<'_>> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let bullet = match digits {
        0 if text.starts_with(['-', '*', '+']) => &text[..1],
        1..=9 if text[digits..].starts_with(['.', ')']) => &text[..=digits],
        _ => return None,
    };
    let rest = &text[bullet.len()..];
    let content = rest.trim_start_matches([' ', '\t']);
    let white = &rest[..rest.len() - content.len()];
    if white.is_empty() && !content.is_empty() {
        return None;
    }
    let after_bullet = indent + bullet.len();
    let content_column = match advance(after_bullet, white) {
        // More white space than that belongs to the content, which is then code.
        column if column > after_bullet + 4 || content.is_empty() => after_bullet + 1,
        column => column,
    };
    let mut item_text = content;
    let mut mark = None;
    if let Some((ticked, after)) = boxed(content) {
        let at = start + text.len() - content.len() + 1;
        mark = Some(Mark {
            ticked,
            range: at..at + 1,
        });
        item_text = after.trim_start_matches([' ', '\t']);
    }
    let text_start = start + text.len() - item_text.len();
    Some(Item {
        bullet,
        mark,
        text: item_text,
        text_start,
        content_column,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> String {
        let sign = |line: Line<'_>| match line.kind {
            Kind::Blank => '_',
            Kind::Heading { .. } => 'h',
            Kind::Item(Item { mark: Some(mark), .. }) => {
                if mark.ticked {
                    'x'
                } else {
                    'o'
                }
            }
            Kind::Item(_) => 'i',
            Kind::Break => 'b',
            Kind::Opaque => 'c',
            Kind::Text => 't',
        };
        split(text).unwrap().into_iter().map(sign).collect()
    }

    #[test]
    fn lines_are_told_apart() {
        for (text, expected) in [
            ("", ""),
            ("\n \t\n", "__"),
            ("# a\n####### b\n#c\n## \n ## d\n", "httht"),
            ("- a\n* b\n+ c\n-d\n12. e\n3) f\n-\n", "iiitiii"),
            ("- [ ] a\n- [x] b\n- [X] c\n- [y] d\n- [x](e)\n- [ ]\n", "oxxiio"),
            ("---\n* * *\n- - -\n> q\n| a |\n--\n", "bbbbbt"),
            ("```\n## a\n~~~\n````\nb\n", "cccct"),
            ("``` `a`\n~~~ `b`\n- [ ] c\n~~~~\n", "tccc"),
            ("<!-- ## a -->\n<!--\n- [ ] b\n--> c\nd\n", "cccct"),
            ("- ```\n  - [ ] a\n  ```\n- b\n", "icci"),
            ("\u{feff}## a\r\n- b\r\n\r\n", "hi_"),
        ] {
            assert_eq!(kinds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_put_together_are_the_text() {
        let text = "\u{feff}a\r\n\r\r\n\t- [x]  b \n\n```\nc\n```\nd";
        let lines = split(text).unwrap();
        let whole: String = lines.iter().flat_map(|line| [line.body, line.ending]).collect();
        assert_eq!(whole, text);
        assert!(lines.windows(2).all(|pair| pair[0].end() == pair[1].start));
    }

    #[test]
    fn headings_lose_closing_signs_but_not_their_own() {
        let title = |text| match split(text).unwrap().remove(0).kind {
            Kind::Heading { level, title } => (level, title.to_owned()),
            other => panic!("{other:?}"),
        };
        assert_eq!(title("## Next release  ##  "), (2, "Next release".to_owned()));
        assert_eq!(title("# C#"), (1, "C#".to_owned()));
        assert_eq!(title("### ###"), (3, String::new()));
    }

    #[test]
    fn an_item_knows_where_its_parts_are() {
        let text = "a\n\t-\t[x]  b c  \n";
        let Kind::Item(item) = &split(text).unwrap()[1].kind else {
            panic!("not an item");
        };
        assert_eq!((item.bullet, item.text, item.content_column), ("-", "b c", 8));
        assert_eq!(&text[item.text_start..], "b c  \n");
        assert_eq!(&text[item.mark.as_ref().unwrap().range.clone()], "x");
    }

    #[test]
    fn what_never_ends_is_named() {
        assert_eq!(split("a\n```\n## b\n").unwrap_err(), 1);
        assert_eq!(split("a\nb\n<!-- c\n").unwrap_err(), 2);
        assert_eq!(split("- ~~~\n").unwrap_err(), 0);
    }

    #[test]
    fn an_item_reaches_as_far_as_markdown_says() {
        for (text, end) in [
            ("- a\nlazy\n\n  inside\n\n  - nested\n\noutside\n", 6),
            ("- a\n\noutside\n", 1),
            ("- a\n - sibling\n", 1),
            ("-   a\n  - sibling\n", 1),
            ("1. a\n   - nested\n- sibling\n", 2),
            ("- a\n## heading\n", 1),
            ("- a\n  ```\n0\n  ```\noutside\n", 4),
            ("- a\n> quotation\n", 1),
        ] {
            assert_eq!(block_end(&split(text).unwrap(), 0), end, "{text:?}");
        }
    }
}

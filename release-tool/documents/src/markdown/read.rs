//! From Markdown to the tree.

use super::tree::{Block, Document, Inline, Side, Table};
use super::{address, is_hidden};
use pulldown_cmark::{Alignment, Event, HeadingLevel, Options, Parser, Tag, TextMergeStream};
use std::collections::BTreeSet;

/// How deep lists and quotations may lie within each other; what is deeper is shown at this depth. Without a limit a
/// text of nothing but `>` would need more stack than there is.
const MAX_DEPTH: usize = 24;

impl Document {
    /// Reads Markdown.
    #[must_use]
    pub fn read(markdown: &str) -> Self {
        let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
        let mut reader = Reader {
            events: TextMergeStream::new(Parser::new_ext(markdown, options)),
            ids: BTreeSet::new(),
        };
        Self {
            blocks: reader.blocks(0),
        }
    }
}

struct Reader<I> {
    events: I,
    /// The ids of headings that are taken.
    ids: BTreeSet<String>,
}

impl<'a, I: Iterator<Item = Event<'a>>> Reader<I> {
    /// Blocks up to the end of what they are in.
    fn blocks(&mut self, depth: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        // Text that is in no paragraph, as in the items of a list without blank lines.
        let mut plain = Vec::new();
        // How many starts were passed over, whose ends will come.
        let mut passed = 0;
        while let Some(event) = self.events.next() {
            match event {
                Event::End(_) if passed == 0 => break,
                Event::End(_) => passed -= 1,
                Event::Start(tag) => match self.inline(tag, depth) {
                    Ok(mut pieces) => plain.append(&mut pieces),
                    Err(tag) => {
                        flush(&mut plain, &mut blocks);
                        match self.block(tag, depth) {
                            Some(block) => blocks.push(block),
                            None => passed += 1,
                        }
                    }
                },
                Event::Rule => {
                    flush(&mut plain, &mut blocks);
                    blocks.push(Block::Rule);
                }
                other => plain.extend(leaf(other)),
            }
        }
        flush(&mut plain, &mut blocks);
        blocks
    }

    /// The block that a tag starts, up to its end; `None` for a tag whose content stands for itself.
    fn block(&mut self, tag: Tag<'a>, depth: usize) -> Option<Block> {
        let too_deep = depth >= MAX_DEPTH;
        Some(match tag {
            Tag::Paragraph | Tag::HtmlBlock => Block::Paragraph(self.content(depth)),
            Tag::Heading { level, .. } => {
                let content = self.content(depth);
                let id = self.id(&super::tree::words(&content));
                Block::Heading {
                    level: number(level),
                    id,
                    content,
                }
            }
            Tag::CodeBlock(_) => Block::Code(self.code()),
            Tag::BlockQuote(_) if !too_deep => Block::Quote(self.blocks(depth + 1)),
            Tag::List(start) if !too_deep => Block::List {
                start,
                items: self.items(depth),
            },
            Tag::Table(sides) => Block::Table(self.table(&sides, depth)),
            _ => return None,
        })
    }

    fn items(&mut self, depth: usize) -> Vec<Vec<Block>> {
        let mut items = Vec::new();
        // A list holds items and nothing else.
        while let Some(Event::Start(_)) = self.events.next() {
            items.push(self.blocks(depth + 1));
        }
        items
    }

    fn table(&mut self, sides: &[Alignment], depth: usize) -> Table {
        let columns: Vec<Side> = sides
            .iter()
            .map(|side| match side {
                Alignment::None | Alignment::Left => Side::Left,
                Alignment::Center => Side::Middle,
                Alignment::Right => Side::Right,
            })
            .collect();
        let mut rows = Vec::new();
        // The head and the rows are equal but for their tags; the head comes first.
        while let Some(Event::Start(_)) = self.events.next() {
            let mut cells = Vec::new();
            while let Some(Event::Start(_)) = self.events.next() {
                cells.push(self.content(depth));
            }
            cells.resize(columns.len(), Vec::new());
            rows.push(cells);
        }
        let head = if rows.is_empty() {
            vec![Vec::new(); columns.len()]
        } else {
            rows.remove(0)
        };
        Table { columns, head, rows }
    }

    /// The text of a code block up to its end.
    fn code(&mut self) -> String {
        let mut code = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::End(_) => break,
                Event::Text(text) => code.extend(
                    text.chars()
                        .filter(|c| matches!(c, '\n' | '\t') || !is_hidden(*c)),
                ),
                _ => {}
            }
        }
        code.truncate(code.trim_end_matches('\n').len());
        code
    }

    /// Pieces of a line up to the end of what they are in.
    fn content(&mut self, depth: usize) -> Vec<Inline> {
        let mut content = Vec::new();
        let mut passed = 0;
        while let Some(event) = self.events.next() {
            match event {
                Event::End(_) if passed == 0 => break,
                Event::End(_) => passed -= 1,
                Event::Start(tag) => match self.inline(tag, depth) {
                    Ok(mut pieces) => content.append(&mut pieces),
                    Err(_) => passed += 1,
                },
                other => content.extend(leaf(other)),
            }
        }
        content
    }

    /// The pieces that a tag starts, up to its end; the tag itself when it starts something else, or lies too deep.
    fn inline(&mut self, tag: Tag<'a>, depth: usize) -> Result<Vec<Inline>, Tag<'a>> {
        if depth >= 2 * MAX_DEPTH {
            return Err(tag);
        }
        let piece = match tag {
            Tag::Emphasis => Inline::Emphasis(self.content(depth + 1)),
            Tag::Strong => Inline::Strong(self.content(depth + 1)),
            Tag::Strikethrough => Inline::Struck(self.content(depth + 1)),
            Tag::Link {
                link_type, dest_url, ..
            } => {
                let address = if link_type == pulldown_cmark::LinkType::Email {
                    format!("mailto:{dest_url}")
                } else {
                    dest_url.to_string()
                };
                return Ok(self.link(&address, depth));
            }
            // A page loads nothing, so a picture becomes a link to it under the words that stand for it.
            Tag::Image { dest_url, .. } => return Ok(self.link(&dest_url, depth)),
            other => return Err(other),
        };
        Ok(vec![piece])
    }

    /// A link, or just its words when nobody should follow it.
    fn link(&mut self, address: &str, depth: usize) -> Vec<Inline> {
        let content = self.content(depth + 1);
        match address::allowed(address) {
            Some(address) => vec![Inline::Link { address, content }],
            None => content,
        }
    }

    /// An id for a heading, made as forges make them, so that links within a document work there as well.
    fn id(&mut self, words: &str) -> String {
        let mut id = String::with_capacity(words.len());
        for c in words.trim().to_lowercase().chars() {
            match c {
                ' ' | '-' => id.push('-'),
                _ if c.is_alphanumeric() || c == '_' => id.push(c),
                _ => {}
            }
        }
        if id.is_empty() {
            id.push_str("section");
        }
        let first = id.clone();
        let mut number = 0;
        while !self.ids.insert(id.clone()) {
            number += 1;
            id = format!("{first}-{number}");
        }
        id
    }
}

fn flush(plain: &mut Vec<Inline>, blocks: &mut Vec<Block>) {
    if !plain.is_empty() {
        blocks.push(Block::Plain(std::mem::take(plain)));
    }
}

fn leaf(event: Event<'_>) -> Option<Inline> {
    Some(match event {
        Event::Code(text) => Inline::Code(visible(&text)),
        // HTML is shown, not interpreted.
        Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => Inline::Text(visible(&text)),
        Event::SoftBreak => Inline::Text(" ".to_owned()),
        Event::HardBreak => Inline::Break,
        _ => return None,
    })
}

/// Without characters that show nothing but change how the rest is shown, or what a terminal does.
fn visible(text: &str) -> String {
    let shown = |c: char| if matches!(c, '\n' | '\t') { ' ' } else { c };
    text.chars().map(shown).filter(|c| !is_hidden(*c)).collect()
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_nobody_should_follow_become_their_words() {
        let document = Document::read(
            "[a](javascript:alert(1)) [b](<java\tscript:x>) [c](&#106;avascript:x) <javascript:x> [d](http://example.org) \
             <me@example.org> ![e](data:x) ![f](f.png)\n",
        );
        assert_eq!(
            document.links(),
            ["http://example.org", "mailto:me@example.org", "f.png"]
        );
        let [Block::Paragraph(content)] = &document.blocks[..] else {
            panic!("{document:?}")
        };
        assert_eq!(
            super::super::tree::words(content),
            "a b c javascript:x d me@example.org e f"
        );
    }

    #[test]
    fn html_is_text() {
        let document = Document::read("<div onclick=\"x\">\n*a*\n</div>\n\nb <b>c</b> <!-- d -->\n");
        let text: Vec<_> = document
            .blocks
            .iter()
            .map(|block| match block {
                Block::Paragraph(content) => super::super::tree::words(content),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(text, ["<div onclick=\"x\"> *a* </div> ", "b <b>c</b> <!-- d -->"]);
    }

    #[test]
    fn characters_that_show_nothing_are_left_out() {
        let document = Document::read("a\u{202e}b\u{1b}[31m `c\u{200b}d`\n\n    e\u{1b}f\tg\n");
        assert_eq!(
            document.blocks,
            [
                Block::Paragraph(vec![Inline::Text("ab[31m ".into()), Inline::Code("cd".into())]),
                Block::Code("ef\tg".into())
            ]
        );
    }

    #[test]
    fn headings_have_ids_of_their_own() {
        let document = Document::read("# A b!\n# a B\n# ...\n# Änderung `x_y`\n# a b-1\n");
        let ids: Vec<_> = document
            .blocks
            .iter()
            .map(|block| match block {
                Block::Heading { id, .. } => id.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids, ["a-b", "a-b-1", "section", "änderung-x_y", "a-b-1-1"]);
        assert_eq!(document.title().as_deref(), Some("A b!"));
    }

    #[test]
    fn depth_is_limited_and_nothing_is_lost_by_that() {
        for text in [
            format!("{}end\n", "> ".repeat(5000)),
            format!("{}end\n", "- ".repeat(5000)),
            format!("{}end{}\n", "*a ".repeat(2000), "*".repeat(2000)),
            format!("{}end{}\n", "[".repeat(3000), "](x)".repeat(3000)),
        ] {
            let document = Document::read(&text);
            assert!(document.text().contains("end"), "{}", &text[..8]);
            assert!(document.html("Deep").contains("end"), "{}", &text[..8]);
        }
    }

    #[test]
    fn a_table_s_rows_are_as_wide_as_the_table() {
        let document = Document::read("| a | b |\n| --- | ---: |\n| 1 |\n| 1 | 2 | 3 |\n");
        let [Block::Table(table)] = &document.blocks[..] else {
            panic!("{document:?}")
        };
        assert_eq!(table.columns, [Side::Left, Side::Right]);
        assert!(table.rows.iter().all(|row| row.len() == 2) && table.rows.len() == 2);
    }
}

//! The tree as plain text, for terminals and mail.

use super::table::table;
use super::tree::{Block, Document, Inline};
use super::wrap::{WIDTH, columns, lines};

/// How far code is indented.
const CODE: &str = "    ";

impl Document {
    /// The document as plain text of at most [`WIDTH`] columns. Only code, addresses and words that are too wide for
    /// their place go beyond. Where links lead is listed at the end, under the numbers that stand behind their words.
    #[must_use]
    pub fn text(&self) -> String {
        let mut writer = Writer {
            out: String::new(),
            addresses: Vec::new(),
        };
        writer.blocks(&self.blocks, &mut Margin::default());
        if !writer.addresses.is_empty() {
            let addresses = std::mem::take(&mut writer.addresses);
            writer.heading(2, "Links");
            writer.out.push('\n');
            for (index, address) in addresses.iter().enumerate() {
                writer.out.push_str(&format!("[{}] {address}\n", index + 1));
            }
        }
        writer.out
    }
}

/// What stands at the left of every line.
#[derive(Clone, Default)]
struct Margin {
    /// Of the next line: a list item's mark.
    first: Option<String>,
    /// Of all others.
    rest: String,
}

impl Margin {
    fn take(&mut self) -> String {
        self.first.take().unwrap_or_else(|| self.rest.clone())
    }

    fn width(&self) -> usize {
        WIDTH.saturating_sub(columns(&self.rest))
    }
}

struct Writer {
    out: String,
    /// Where links lead, in the order of their numbers.
    addresses: Vec<String>,
}

impl Writer {
    fn blocks(&mut self, blocks: &[Block], margin: &mut Margin) {
        for (index, block) in blocks.iter().enumerate() {
            let after_words = index > 0 && matches!(blocks[index - 1], Block::Plain(_));
            // A list within an item without blank lines follows the item's words immediately.
            let close =
                matches!(block, Block::Plain(_)) || (after_words && matches!(block, Block::List { .. }));
            if index > 0 && !close {
                self.line("", margin);
            }
            self.block(block, margin);
        }
    }

    fn block(&mut self, block: &Block, margin: &mut Margin) {
        match block {
            Block::Heading { level, content, .. } => {
                let words = self.words(content);
                self.heading(*level, &words);
            }
            Block::Paragraph(content) | Block::Plain(content) => {
                let words = self.words(content);
                for line in lines(&words, margin.width()) {
                    self.line(&line, margin);
                }
            }
            Block::Code(text) => {
                for line in text.lines() {
                    let line = format!("{CODE}{line}");
                    self.line(line.trim_end(), margin);
                }
            }
            Block::Quote(blocks) => {
                let mut inner = margin.clone();
                inner.first = inner.first.map(|first| first + "> ");
                inner.rest.push_str("> ");
                self.blocks(blocks, &mut inner);
                margin.first = None;
            }
            Block::List { start, items } => {
                // Items that have paragraphs are set apart, as they were in the source.
                let spread = items
                    .iter()
                    .flatten()
                    .any(|block| matches!(block, Block::Paragraph(_)));
                let last = start.map(|start| start.saturating_add(items.len() as u64 - 1));
                let wide = last.map_or(1, |last| last.to_string().len() + 1);
                for (index, item) in items.iter().enumerate() {
                    if index > 0 && spread {
                        self.line("", margin);
                    }
                    let mark = match start {
                        Some(start) => format!("{}.", start.saturating_add(index as u64)),
                        None => "-".to_owned(),
                    };
                    let mut inner = Margin {
                        first: Some(format!("{}{mark:wide$} ", margin.take())),
                        rest: format!("{}{}", margin.rest, " ".repeat(wide + 1)),
                    };
                    if item.is_empty() {
                        self.line("", &mut inner);
                    }
                    self.blocks(item, &mut inner);
                }
            }
            Block::Table(found) => {
                let head: Vec<_> = found.head.iter().map(|cell| self.cell(cell)).collect();
                let rows: Vec<Vec<_>> = found
                    .rows
                    .iter()
                    .map(|row| row.iter().map(|cell| self.cell(cell)).collect())
                    .collect();
                for line in table(&found.columns, &head, &rows, margin.width()) {
                    self.line(&line, margin);
                }
            }
            Block::Rule => {
                let line = "-".repeat(margin.width().min(WIDTH));
                self.line(&line, margin);
            }
        }
    }

    fn heading(&mut self, level: u8, words: &str) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        // More room above the larger ones.
        if level <= 2 && !self.out.is_empty() {
            self.out.push('\n');
        }
        let lines = lines(words, WIDTH);
        let wide = lines.iter().map(|line| columns(line)).max().unwrap_or(0);
        for line in lines {
            self.out.push_str(&line);
            self.out.push('\n');
        }
        let under = match level {
            1 => "=",
            2 => "-",
            3 => "~",
            _ => return,
        };
        self.out.push_str(&under.repeat(wide));
        self.out.push('\n');
    }

    fn line(&mut self, line: &str, margin: &mut Margin) {
        let line = format!("{}{line}", margin.take());
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// The words of a cell, which has one line.
    fn cell(&mut self, content: &[Inline]) -> String {
        self.words(content).replace('\n', " ").trim().to_owned()
    }

    /// The words of a line; a line break is one in them.
    fn words(&mut self, content: &[Inline]) -> String {
        let mut words = String::new();
        for piece in content {
            match piece {
                Inline::Text(text) => words.push_str(text),
                Inline::Code(text) => {
                    words.push('`');
                    words.push_str(text);
                    words.push('`');
                }
                // What is meant is clear from the words, unlike with what is struck out.
                Inline::Emphasis(inner) | Inline::Strong(inner) => words.push_str(&self.words(inner)),
                Inline::Struck(inner) => words.push_str(&format!("~~{}~~", self.words(inner))),
                Inline::Link { address, content } => self.link(address, content, &mut words),
                Inline::Break => words.push('\n'),
            }
        }
        words
    }

    fn link(&mut self, address: &str, content: &[Inline], words: &mut String) {
        let inner = self.words(content);
        if inner.is_empty() || inner == address || address.strip_prefix("mailto:") == Some(&inner) {
            let bare = address.strip_prefix("mailto:").unwrap_or(address);
            words.push_str(&format!("<{bare}>"));
            return;
        }
        words.push_str(&inner);
        // A place in the same document is found by its words.
        if address.starts_with('#') {
            return;
        }
        let known = self.addresses.iter().position(|known| known == address);
        let number = known.unwrap_or_else(|| {
            self.addresses.push(address.to_owned());
            self.addresses.len() - 1
        });
        words.push_str(&format!("\u{a0}[{}]", number + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structure_is_kept_without_markup() {
        let text = Document::read(
            "# Title\n\nWords with **weight**, [a link](http://e.org/x), [the same](http://e.org/x), [here](#title), \
             <http://e.org> and <me@e.org>.\n\n## Part\n\n- one\n- two\n  1. inner\n  2. ~~inner~~\n\n9. spread\n\n   more\n10. \
             out\n\n        code  \n\n> quoted\n> - item\n",
        )
        .text();
        let expected = "Title\n=====\n\n\
            Words with weight, a link\u{a0}[1], the same\u{a0}[1], here, <http://e.org> and\n<me@e.org>.\n\n\n\
            Part\n----\n\n- one\n- two\n  1. inner\n  2. ~~inner~~\n\n\
            9.  spread\n\n    more\n\n10. out\n\n        code\n\n\
            > quoted\n>\n> - item\n\n\nLinks\n-----\n\n[1] http://e.org/x\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_empty_document_is_empty() {
        assert_eq!(Document::read("").text(), "");
        assert_eq!(Document::read("-\n-\n").text(), "-\n-\n");
    }
}

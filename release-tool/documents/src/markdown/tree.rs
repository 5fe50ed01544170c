//! A Markdown document as a tree, in which everything is harmless already.

/// A Markdown document that was read.
///
/// Reading never fails: every text is a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub(super) blocks: Vec<Block>,
}

/// A piece of a document that begins on a new line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Heading {
        /// 1 to 6.
        level: u8,
        /// What a link's fragment names; unique in the document.
        id: String,
        content: Vec<Inline>,
    },
    Paragraph(Vec<Inline>),
    /// Text of a list item whose list has no blank lines between items.
    Plain(Vec<Inline>),
    Code(String),
    Quote(Vec<Block>),
    List {
        /// The first item's number; `None` for a list with bullets.
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Table(Table),
    Rule,
}

/// A table. Rows have as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) columns: Vec<Side>,
    pub(super) head: Vec<Vec<Inline>>,
    pub(super) rows: Vec<Vec<Vec<Inline>>>,
}

/// To which side of its column a cell's text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inline {
    Text(String),
    Code(String),
    Emphasis(Vec<Inline>),
    Strong(Vec<Inline>),
    /// What no longer holds.
    Struck(Vec<Inline>),
    Link {
        /// Where it leads, see [`super::address`].
        address: String,
        content: Vec<Inline>,
    },
    /// The next piece begins on a new line.
    Break,
}

impl Document {
    /// The text of the first heading of level 1.
    #[must_use]
    pub fn title(&self) -> Option<String> {
        self.blocks.iter().find_map(|block| match block {
            Block::Heading {
                level: 1, content, ..
            } => Some(words(content)),
            _ => None,
        })
    }

    /// Where its links lead, in the order in which they occur, each once.
    #[must_use]
    pub fn links(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.blocks
            .iter()
            .for_each(|block| links_of_block(block, &mut found));
        found
    }
}

/// The words alone.
pub(super) fn words(content: &[Inline]) -> String {
    content
        .iter()
        .map(|piece| match piece {
            Inline::Text(text) | Inline::Code(text) => text.clone(),
            Inline::Emphasis(inner)
            | Inline::Strong(inner)
            | Inline::Struck(inner)
            | Inline::Link { content: inner, .. } => words(inner),
            Inline::Break => " ".to_owned(),
        })
        .collect()
}

fn links_of_block<'d>(block: &'d Block, found: &mut Vec<&'d str>) {
    match block {
        Block::Heading { content, .. } | Block::Paragraph(content) | Block::Plain(content) => {
            links_of(content, found);
        }
        Block::Quote(blocks) => blocks.iter().for_each(|block| links_of_block(block, found)),
        Block::List { items, .. } => items
            .iter()
            .flatten()
            .for_each(|block| links_of_block(block, found)),
        Block::Table(table) => {
            let cells = table.head.iter().chain(table.rows.iter().flatten());
            cells.for_each(|cell| links_of(cell, found));
        }
        Block::Code(_) | Block::Rule => {}
    }
}

fn links_of<'d>(content: &'d [Inline], found: &mut Vec<&'d str>) {
    for piece in content {
        match piece {
            Inline::Link { address, content } => {
                if !found.contains(&address.as_str()) {
                    found.push(address);
                }
                links_of(content, found);
            }
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Struck(inner) => links_of(inner, found),
            Inline::Text(_) | Inline::Code(_) | Inline::Break => {}
        }
    }
}

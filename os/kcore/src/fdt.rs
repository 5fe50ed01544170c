//! Flattened device trees. Source: Devicetree Specification 0.4, chapter 5 "Flattened Devicetree (DTB) Format".

use core::fmt;

use crate::bytes::{be32, be64};

const MAGIC: u32 = 0xd00d_feed;
const HEADER: usize = 40;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 16;

/// Why a device tree cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdtError {
    /// It does not begin with the magic number.
    Magic,
    /// It is older than version 16, or not backward compatible with 17; this is its last compatible version.
    Version(u32),
    /// It, or the block or token at this offset, ends too early.
    Truncated(usize),
    /// The token at this offset is unknown, or stands where it may not.
    Token(usize),
    /// The name at this offset is not ASCII text with an end.
    Name(usize),
    /// Nodes are nested deeper than 16 levels.
    Depth,
}

impl fmt::Display for FdtError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => out.write_str("device tree: no magic number"),
            Self::Version(version) => write!(out, "device tree: incompatible with version {version}"),
            Self::Truncated(at) => write!(out, "device tree: ends too early at byte {at}"),
            Self::Token(at) => write!(out, "device tree: unexpected token at byte {at}"),
            Self::Name(at) => write!(out, "device tree: malformed name at byte {at}"),
            Self::Depth => write!(out, "device tree: more than {MAX_DEPTH} levels"),
        }
    }
}

/// A device tree whose header has been checked.
#[derive(Clone, Copy, Debug)]
pub struct Fdt<'a> {
    bytes: &'a [u8],
    structure: (usize, usize),
    strings: (usize, usize),
    reservations: usize,
}

/// A node with those of its properties that the kernel asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Node<'a> {
    /// Its name with the unit address.
    pub name: &'a str,
    /// How deep it lies; the root has depth 0.
    pub depth: usize,
    /// Whether its addresses are physical addresses: all buses above it pass them on unchanged.
    pub physical: bool,
    /// Whether it can be used: it has no status, or "okay".
    pub enabled: bool,
    /// Its `compatible` list: texts that each end with a zero byte.
    pub compatible: &'a [u8],
    reg: &'a [u8],
    properties: (usize, usize),
    /// Cells of addresses and sizes in its own `reg`.
    cells: (u32, u32),
    child_cells: (u32, u32),
    passes_on: bool,
}

impl<'a> Node<'a> {
    /// Whether its `compatible` list names `model`.
    pub fn is_compatible(&self, model: &str) -> bool {
        self.compatible
            .split(|&byte| byte == 0)
            .any(|text| text == model.as_bytes())
    }

    /// The address ranges of its `reg`, as start and length. Ends at the first that is not of one or two cells.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (mut reg, (address, size)) = (self.reg, self.cells);
        core::iter::from_fn(move || {
            let start = cells(reg, 0, address)?;
            let len = cells(reg, address as usize * 4, size)?;
            reg = &reg[(address + size) as usize * 4..];
            Some((start, len))
        })
    }

    /// The value of one of its properties.
    pub fn property(&self, fdt: &Fdt<'a>, name: &str) -> Option<&'a [u8]> {
        let mut at = self.properties.0;
        while at < self.properties.1 {
            match fdt.token(at).ok()? {
                (Token::Property(found, value), _) if found == name => return Some(value),
                (_, next) => at = next,
            }
        }
        None
    }
}

/// A number of one or two cells at a byte offset.
fn cells(bytes: &[u8], offset: usize, count: u32) -> Option<u64> {
    match count {
        1 => be32(bytes, offset).map(u64::from),
        2 => be64(bytes, offset),
        _ => None,
    }
}

/// A property value as one number of one or two cells.
pub fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 => cells(value, 0, 1),
        8 => cells(value, 0, 2),
        _ => None,
    }
}

enum Token<'a> {
    Begin(&'a str),
    End,
    Property(&'a str, &'a [u8]),
    Nop,
    Last,
}

impl<'a> Fdt<'a> {
    /// The length that a device tree claims, from its first eight bytes.
    ///
    /// # Errors
    /// When they don't begin with the magic number, or claim less than a header.
    pub fn claimed_len(head: &[u8]) -> Result<usize, FdtError> {
        if be32(head, 0) != Some(MAGIC) {
            return Err(FdtError::Magic);
        }
        match be32(head, 4) {
            Some(len) if len as usize >= HEADER => Ok(len as usize),
            _ => Err(FdtError::Truncated(4)),
        }
    }

    /// Checks the header.
    ///
    /// # Errors
    /// When the magic number or version is wrong, or a block does not lie within `bytes`.
    pub fn new(bytes: &'a [u8]) -> Result<Self, FdtError> {
        let len = Self::claimed_len(bytes)?;
        let bytes = bytes.get(..len).ok_or(FdtError::Truncated(bytes.len()))?;
        let field = |offset| {
            be32(bytes, offset)
                .map(|value| value as usize)
                .ok_or(FdtError::Truncated(offset))
        };
        let last_compatible = field(24)?;
        if field(20)? < 16 || last_compatible > 17 {
            return Err(FdtError::Version(last_compatible as u32));
        }
        let block = |start: usize, size: usize| match start.checked_add(size) {
            Some(end) if end <= len => Ok((start, end)),
            _ => Err(FdtError::Truncated(start)),
        };
        // Version 16 has no size of the structure block: it then ends where the file does.
        let size = if field(20)? >= 17 {
            field(36)?
        } else {
            len.saturating_sub(field(8)?)
        };
        let structure = block(field(8)?, size)?;
        let strings = block(field(12)?, field(32)?)?;
        Ok(Self {
            bytes,
            structure,
            strings,
            reservations: field(16)?,
        })
    }

    /// Length of the tree in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a tree has at least a header")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The memory reservation block, as start and length.
    pub fn reservations(&self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (bytes, mut at) = (self.bytes, self.reservations);
        core::iter::from_fn(move || {
            let entry = (be64(bytes, at)?, be64(bytes, at.checked_add(8)?)?);
            at += 16;
            (entry != (0, 0)).then_some(entry)
        })
    }

    /// Visits every node, parents before children. The second argument lists the parents, the root first.
    ///
    /// # Errors
    /// At the first malformed place; the nodes before it have been visited.
    pub fn walk(&self, mut visit: impl FnMut(&Node<'a>, &[Node<'a>])) -> Result<(), FdtError> {
        let mut stack = [Node::default(); MAX_DEPTH];
        let mut depth = 0_usize;
        let mut at = self.structure.0;
        loop {
            let (token, next) = self.token(at)?;
            match token {
                Token::Begin(name) => {
                    let parent = depth.checked_sub(1).map(|parent| stack[parent]);
                    let slot = stack.get_mut(depth).ok_or(FdtError::Depth)?;
                    let (node, end) = self.node(name, depth, parent.as_ref(), next)?;
                    *slot = node;
                    visit(&node, &stack[..depth]);
                    depth += 1;
                    at = end;
                }
                Token::End => {
                    depth = depth.checked_sub(1).ok_or(FdtError::Token(at))?;
                    at = next;
                }
                Token::Nop => at = next,
                Token::Last if depth == 0 => return Ok(()),
                Token::Last | Token::Property(..) => return Err(FdtError::Token(at)),
            }
        }
    }

    /// Reads a node's properties, which all stand before its children. Returns the offset behind them.
    fn node(
        &self,
        name: &'a str,
        depth: usize,
        parent: Option<&Node<'a>>,
        start: usize,
    ) -> Result<(Node<'a>, usize), FdtError> {
        let mut node = Node {
            name,
            depth,
            physical: parent.is_none_or(|parent| parent.physical && parent.passes_on),
            enabled: true,
            // Defaults of the specification for a node that does not say.
            child_cells: (2, 1),
            cells: parent.map_or((2, 1), |parent| parent.child_cells),
            // The root's children have physical addresses; any other node has to say that it passes addresses on.
            passes_on: parent.is_none(),
            ..Node::default()
        };
        let mut at = start;
        loop {
            let (token, next) = self.token(at)?;
            match token {
                Token::Property(key, value) => match key {
                    "compatible" => node.compatible = value,
                    "reg" => node.reg = value,
                    "status" => node.enabled = matches!(value, b"okay\0" | b"ok\0"),
                    "ranges" => node.passes_on |= value.is_empty(),
                    "#address-cells" => node.child_cells.0 = be32(value, 0).unwrap_or(0),
                    "#size-cells" => node.child_cells.1 = be32(value, 0).unwrap_or(0),
                    _ => {}
                },
                Token::Nop => {}
                Token::Begin(_) | Token::End | Token::Last => {
                    node.properties = (start, at);
                    return Ok((node, at));
                }
            }
            at = next;
        }
    }

    /// The token at an offset, and the offset of the next one.
    fn token(&self, at: usize) -> Result<(Token<'a>, usize), FdtError> {
        let end = self.structure.1;
        let structure = &self.bytes[..end];
        let word = |at: usize| be32(structure, at).ok_or(FdtError::Truncated(at));
        let next = at + 4;
        match word(at)? {
            BEGIN_NODE => {
                let name = text(structure, next)?;
                Ok((Token::Begin(name), aligned(next + name.len() + 1)))
            }
            END_NODE => Ok((Token::End, next)),
            PROPERTY => {
                let (len, name) = (word(next)? as usize, word(next + 4)? as usize);
                let start = next + 8;
                let value = start.checked_add(len).and_then(|stop| structure.get(start..stop));
                let value = value.ok_or(FdtError::Truncated(start))?;
                let name = self.strings.0.checked_add(name).ok_or(FdtError::Name(at))?;
                Ok((
                    Token::Property(text(&self.bytes[..self.strings.1], name)?, value),
                    aligned(start + len),
                ))
            }
            NOP => Ok((Token::Nop, next)),
            END => Ok((Token::Last, next)),
            _ => Err(FdtError::Token(at)),
        }
    }
}

/// Tokens start at multiples of four.
fn aligned(at: usize) -> usize {
    at.saturating_add(3) & !3
}

/// Text at an offset up to the zero byte that ends it.
fn text(bytes: &[u8], at: usize) -> Result<&str, FdtError> {
    let rest = bytes.get(at..).ok_or(FdtError::Truncated(at))?;
    let len = rest
        .iter()
        .position(|&byte| byte == 0)
        .ok_or(FdtError::Name(at))?;
    match core::str::from_utf8(&rest[..len]) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(FdtError::Name(at)),
    }
}

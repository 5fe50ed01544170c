//! The one thing that the loader wants from a device tree: which memory it reserves.
//!
//! Firmware may list such memory as free in its own map (U-Boot does so with what OpenSBI keeps for itself),
//! because it leaves it to operating systems to read the tree. Format: Devicetree Specification 0.4, chapter
//! 5.

use crate::PAGE;
use bootinfo::{MemoryKind, MemoryRegion};
use core::fmt;

/// First word of a device tree.
pub const MAGIC: u32 = 0xd00d_feed;

/// Real trees are below 2 MiB; a larger number in a header means that it is none.
pub const MAX_LEN: u32 = 16 << 20;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;

/// Why a device tree cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// The first word is not [`MAGIC`].
    Magic(u32),
    /// A length of more than [`MAX_LEN`].
    Length(u32),
    /// A block or a property reaches beyond the end of the tree.
    Truncated {
        /// Offset that was to be read.
        at: usize,
    },
    /// An unknown token in the structure block.
    Token {
        /// Its offset.
        at: usize,
        /// The token.
        found: u32,
    },
    /// `#address-cells` or `#size-cells` of `/reserved-memory` are not 1 or 2.
    Cells(u32),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Magic(found) => write!(f, "expected magic {MAGIC:#x}, got {found:#x}"),
            Self::Length(found) => write!(f, "expected at most {MAX_LEN} bytes, got {found}"),
            Self::Truncated { at } => {
                write!(f, "cut short: expected more data at offset {at:#x}, got the end")
            }
            Self::Token { at, found } => write!(
                f,
                "offset {at:#x}: expected a token from 1 to 4 or 9, got {found}"
            ),
            Self::Cells(found) => {
                write!(
                    f,
                    "/reserved-memory: expected addresses and sizes of 1 or 2 cells, got {found}"
                )
            }
        }
    }
}

/// Length in bytes of the tree whose first two words are `magic` and `len`.
///
/// # Errors
///
/// If these are not the first words of a device tree.
pub fn check_start(magic: u32, len: u32) -> Result<usize, TreeError> {
    match (magic, len) {
        (MAGIC, len) if len <= MAX_LEN => Ok(len as usize),
        (MAGIC, len) => Err(TreeError::Length(len)),
        (magic, _) => Err(TreeError::Magic(magic)),
    }
}

/// Calls `found` for each region that `tree` reserves, widened to whole pages: its memory reservation block
/// and the `reg` properties of the nodes in `/reserved-memory`.
///
/// # Errors
///
/// If the tree is damaged; `found` may have been called for regions in front of the damage.
pub fn reserved_memory(tree: &[u8], mut found: impl FnMut(MemoryRegion)) -> Result<(), TreeError> {
    check_start(u32_at(tree, 0)?, u32_at(tree, 4)?)?;
    let mut emit = |start: u64, len: u64| {
        let first = start / PAGE;
        let end = start.saturating_add(len).div_ceil(PAGE);
        if len > 0 {
            let kind = MemoryKind::Reserved as u32;
            found(MemoryRegion {
                start: first * PAGE,
                pages: end - first,
                kind,
                reserved: 0,
            });
        }
    };

    let mut at = u32_at(tree, 16)? as usize;
    loop {
        let (start, len) = (cells_at(tree, at, 2)?, cells_at(tree, at + 8, 2)?);
        if (start, len) == (0, 0) {
            break;
        }
        emit(start, len);
        at += 16;
    }

    let strings = u32_at(tree, 12)? as usize;
    let mut at = u32_at(tree, 8)? as usize;
    let mut depth = 0u32;
    // At depth 2: the root has depth 1.
    let mut inside = false;
    // The defaults of the specification for nodes that do not say.
    let (mut address_cells, mut size_cells) = (2, 1);
    loop {
        let token = u32_at(tree, at)?;
        at += 4;
        match token {
            BEGIN_NODE => {
                let name = string_at(tree, at)?;
                at += (name.len() + 1).next_multiple_of(4);
                depth += 1;
                if depth == 2 {
                    inside = name == b"reserved-memory";
                }
            }
            END_NODE => depth = depth.saturating_sub(1),
            PROPERTY => {
                let len = u32_at(tree, at)? as usize;
                let name = string_at(tree, strings.saturating_add(u32_at(tree, at + 4)? as usize))?;
                let value = tree
                    .get(at + 8..at + 8 + len)
                    .ok_or(TreeError::Truncated { at })?;
                at += 8 + len.next_multiple_of(4);
                match (inside, depth, name) {
                    (true, 2, b"#address-cells") => address_cells = cell_count(value)?,
                    (true, 2, b"#size-cells") => size_cells = cell_count(value)?,
                    (true, 3, b"reg") => {
                        for pair in value.chunks_exact(4 * (address_cells + size_cells)) {
                            emit(
                                cells_at(pair, 0, address_cells)?,
                                cells_at(pair, 4 * address_cells, size_cells)?,
                            );
                        }
                    }
                    _ => {}
                }
            }
            NOP => {}
            END => return Ok(()),
            found => return Err(TreeError::Token { at: at - 4, found }),
        }
    }
}

fn cell_count(value: &[u8]) -> Result<usize, TreeError> {
    match u32_at(value, 0)? {
        count @ 1..=2 => Ok(count as usize),
        count => Err(TreeError::Cells(count)),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, TreeError> {
    let word = bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .ok_or(TreeError::Truncated { at })?;
    Ok(u32::from_be_bytes(*word))
}

/// A number of one or two cells.
fn cells_at(bytes: &[u8], at: usize, cells: usize) -> Result<u64, TreeError> {
    let first = u64::from(u32_at(bytes, at)?);
    if cells == 1 {
        Ok(first)
    } else {
        Ok(first << 32 | u64::from(u32_at(bytes, at + 4)?))
    }
}

fn string_at(bytes: &[u8], at: usize) -> Result<&[u8], TreeError> {
    let rest = bytes.get(at..).ok_or(TreeError::Truncated { at })?;
    let len = rest
        .iter()
        .position(|&b| b == 0)
        .ok_or(TreeError::Truncated { at })?;
    Ok(&rest[..len])
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Writes trees with the properties that matter here.
    struct Writer {
        structure: Vec<u8>,
        strings: Vec<u8>,
    }

    impl Writer {
        fn word(&mut self, word: u32) {
            self.structure.extend(word.to_be_bytes());
        }
        fn pad(&mut self) {
            self.structure.resize(self.structure.len().next_multiple_of(4), 0);
        }
        fn node(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
            self.word(BEGIN_NODE);
            self.structure.extend(name.as_bytes());
            self.structure.push(0);
            self.pad();
            content(self);
            self.word(END_NODE);
        }
        fn property(&mut self, name: &str, value: &[u8]) {
            self.word(PROPERTY);
            self.word(value.len() as u32);
            self.word(self.strings.len() as u32);
            self.strings.extend(name.as_bytes());
            self.strings.push(0);
            self.structure.extend(value);
            self.pad();
        }
        fn finish(mut self, reservations: &[(u64, u64)]) -> Vec<u8> {
            self.word(END);
            let reserve_len = (reservations.len() + 1) * 16;
            let structure_at = 40 + reserve_len;
            let strings_at = structure_at + self.structure.len();
            let total = strings_at + self.strings.len();
            let mut tree = Vec::new();
            for word in [
                MAGIC,
                total as u32,
                structure_at as u32,
                strings_at as u32,
                40,
                17,
                16,
                0,
                0,
                0,
            ] {
                tree.extend(word.to_be_bytes());
            }
            for &(start, len) in reservations.iter().chain([&(0, 0)]) {
                tree.extend(start.to_be_bytes());
                tree.extend(len.to_be_bytes());
            }
            tree.extend(self.structure);
            tree.extend(self.strings);
            tree
        }
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| w.to_be_bytes()).collect()
    }

    fn sample() -> Vec<u8> {
        let mut w = Writer {
            structure: Vec::new(),
            strings: Vec::new(),
        };
        w.node("", |w| {
            w.property("model", b"test\0");
            w.node("memory@80000000", |w| {
                w.property("reg", &words(&[0, 0x8000_0000, 0, 0x2000_0000]))
            });
            w.node("reserved-memory", |w| {
                w.property("#address-cells", &words(&[2]));
                w.property("#size-cells", &words(&[2]));
                w.property("ranges", &[]);
                w.node("mmode@80000000", |w| {
                    w.property("reg", &words(&[0, 0x8000_0000, 0, 0x8_0001, 1, 0x10, 0, 1]));
                    w.node("part", |w| w.property("reg", &words(&[0, 1, 0, 1])));
                });
                w.word(NOP);
                w.node("later", |w| w.property("size", &words(&[0, 1])));
            });
            w.node("soc", |w| {
                w.node("uart", |w| w.property("reg", &words(&[0, 0x1000_0000, 0, 0x100])));
            });
        });
        w.finish(&[(0x1000, 0x1000)])
    }

    fn pages(tree: &[u8]) -> Result<Vec<(u64, u64)>, TreeError> {
        let mut found = vec![];
        reserved_memory(tree, |r| {
            assert_eq!(r.kind, MemoryKind::Reserved as u32);
            found.push((r.start, r.pages));
        })
        .map(|()| found)
    }

    #[test]
    fn reservations_and_reserved_nodes_are_found_and_nothing_else() {
        assert_eq!(
            pages(&sample()).unwrap(),
            [(0x1000, 1), (0x8000_0000, 0x81), (0x1_0000_0000, 1)]
        );
    }

    #[test]
    fn one_cell_numbers_are_read() {
        let mut w = Writer {
            structure: Vec::new(),
            strings: Vec::new(),
        };
        w.node("", |w| {
            w.node("reserved-memory", |w| {
                w.property("#address-cells", &words(&[1]));
                w.property("#size-cells", &words(&[1]));
                w.node("a", |w| w.property("reg", &words(&[0x4000, 0x2000, 0x9000, 0])));
            });
        });
        assert_eq!(pages(&w.finish(&[])).unwrap(), [(0x4000, 2)]);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let mut tree = sample();
        tree[0] = 0;
        assert_eq!(pages(&tree), Err(TreeError::Magic(0x000d_feed)));
        assert_eq!(
            check_start(MAGIC, MAX_LEN + 1),
            Err(TreeError::Length(MAX_LEN + 1))
        );
        assert_eq!(pages(&[]), Err(TreeError::Truncated { at: 0 }));
        let mut w = Writer {
            structure: Vec::new(),
            strings: Vec::new(),
        };
        w.node("", |w| {
            w.node("reserved-memory", |w| w.property("#size-cells", &words(&[3])))
        });
        assert_eq!(pages(&w.finish(&[])), Err(TreeError::Cells(3)));
    }

    #[test]
    fn damage_never_panics() {
        let good = sample();
        for len in 0..good.len() {
            // Cutting off only strings that nothing needs is no damage.
            let _ = pages(&good[..len]);
        }
        for at in 0..good.len() {
            for value in [0, 1, 3, 9, 0x7f, 0xff] {
                let mut tree = good.clone();
                tree[at] = value;
                let _ = pages(&tree);
            }
        }
    }
}

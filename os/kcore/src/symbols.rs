//! A table of a program's symbols: from an address to the name of what lies there.
//!
//! All numbers are little-endian. The table is read where it lies:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | [`MAGIC`] |
//! | 8 | address that the others are relative to |
//! | 4 | end of the last symbol, relative |
//! | 4 | number of symbols |
//! | 4 | length of all names |
//! | 8 each | per symbol, by address: its address, relative; where its name starts among the names |
//! | as said | the names, in this order, one behind the other, as UTF-8 |
//!
//! The release tool makes such a table of the linked kernel (`release-tool/build/src/function_names.rs`) and writes it into
//! the image. What is behind it does not matter.

use core::fmt;

use crate::bytes::{le32, le64};

/// How a table starts. The last byte is the format's version.
pub const MAGIC: [u8; 8] = *b"symbols\x02";
const HEADER_LEN: usize = 28;
const ENTRY_LEN: usize = 8;

/// Why bytes are no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It starts with something else.
    NotATable,
    /// It ends too early.
    Truncated,
    /// Addresses, or names, are not in order or lie outside.
    Disordered,
    /// The names are not UTF-8.
    BadName,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NotATable => "not a symbol table",
            Self::Truncated => "the symbol table ends too early",
            Self::Disordered => "the symbol table is not in order",
            Self::BadName => "a symbol's name is not UTF-8",
        })
    }
}

/// A checked table.
#[derive(Clone, Copy, Debug)]
pub struct Symbols<'a> {
    base: u64,
    end: u32,
    entries: &'a [[u8; ENTRY_LEN]],
    names: &'a str,
}

/// What lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, as in the table.
    pub name: &'a str,
    /// How many bytes the address is behind its start.
    pub offset: u64,
}

impl<'a> Symbols<'a> {
    /// Checks a table, in time linear in its length.
    ///
    /// # Errors
    /// When the bytes do not begin with a table.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if !MAGIC.starts_with(bytes.get(..MAGIC.len()).unwrap_or(bytes)) {
            return Err(Error::NotATable);
        }
        let header = || {
            Some((
                le64(bytes, 8)?,
                le32(bytes, 16)?,
                le32(bytes, 20)?,
                le32(bytes, 24)?,
                &bytes[HEADER_LEN..],
            ))
        };
        let (base, end, count, names_len, rest) = header().ok_or(Error::Truncated)?;
        let count = count as usize;
        let (entries, _) = rest.as_chunks::<ENTRY_LEN>();
        let entries = entries.get(..count).ok_or(Error::Truncated)?;
        let names = rest[count * ENTRY_LEN..].get(..names_len as usize);
        let names = core::str::from_utf8(names.ok_or(Error::Truncated)?).map_err(|_| Error::BadName)?;
        let table = Self {
            base,
            end,
            entries,
            names,
        };
        table.check()?;
        Ok(table)
    }

    /// How many symbols there are.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The symbol in which `address` lies: the last one that starts there or before. `None` before the first symbol and
    /// from the end of the last on.
    pub fn find(&self, address: u64) -> Option<Symbol<'a>> {
        let relative = u32::try_from(address.checked_sub(self.base)?).ok()?;
        if relative >= self.end {
            return None;
        }
        let behind = self.entries.partition_point(|entry| fields(entry).0 <= relative);
        let index = behind.checked_sub(1)?;
        let (start, name) = fields(&self.entries[index]);
        let name_end = match self.entries.get(behind) {
            Some(next) => fields(next).1 as usize,
            None => self.names.len(),
        };
        Some(Symbol {
            name: self.names.get(name as usize..name_end)?,
            offset: u64::from(relative - start),
        })
    }

    fn check(&self) -> Result<(), Error> {
        let mut before: Option<(u32, u32)> = None;
        for entry in self.entries {
            let (start, name) = fields(entry);
            if before.is_some_and(|(address, last)| start <= address || name < last)
                || start >= self.end
                || name as usize > self.names.len()
            {
                return Err(Error::Disordered);
            }
            if !self.names.is_char_boundary(name as usize) {
                return Err(Error::BadName);
            }
            before = Some((start, name));
        }
        if u64::from(self.end).checked_add(self.base).is_none() {
            return Err(Error::Disordered);
        }
        Ok(())
    }
}

fn fields(entry: &[u8; ENTRY_LEN]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = *entry;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

//! The initrd: a POSIX ustar archive, read strictly.
//!
//! Format: POSIX.1-1988 "ustar". Regular files, directories, and hard links to files that come earlier: other names for
//! them. A symbolic link or a device in an initrd is an error, not something to skip.

use core::fmt;

const BLOCK: usize = 512;

/// A regular file of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name as the archive has it, without a leading `./`.
    pub name: &'a str,
    /// What is in it.
    pub data: &'a [u8],
}

/// What is wrong with an archive, and at which byte the header of the entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TarError {
    /// Offset of the header in the archive.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The archive ends within a header, within a file's data, or before the two zero blocks.
    Truncated,
    /// The header has no ustar magic and version.
    Magic,
    /// The header's checksum does not match.
    Checksum,
    /// A number is not octal digits with an end.
    Number,
    /// The name is empty, absolute, not UTF-8, or uses the prefix field.
    Name,
    /// The entry is no regular file, no directory and no hard link; this is its type flag.
    Type(u8),
    /// A hard link to what is no file that comes earlier.
    Link,
}

impl fmt::Display for TarError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "initrd: entry at byte {}: ", self.offset)?;
        match self.reason {
            Reason::Truncated => out.write_str("the archive ends too early"),
            Reason::Magic => out.write_str("not a ustar header (GNU tar writes one with --format=ustar)"),
            Reason::Checksum => out.write_str("the header's checksum does not match"),
            Reason::Number => out.write_str("a number is not octal"),
            Reason::Name => out.write_str("the name is empty, absolute, not UTF-8 or longer than 100 bytes"),
            Reason::Type(flag) => {
                write!(
                    out,
                    "type {:?} is no regular file, directory or hard link",
                    char::from(flag)
                )
            }
            Reason::Link => out.write_str("a hard link to what is no earlier file"),
        }
    }
}

/// Reads the regular files of an archive in their order. After an error it ends.
#[derive(Clone, Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    offset: usize,
    done: bool,
    /// Entries from here on are not looked at.
    end: usize,
}

impl<'a> Archive<'a> {
    /// Starts at the first entry.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            offset: 0,
            done: false,
            end: usize::MAX,
        }
    }

    /// Looks at every entry, so that no later search meets an error.
    ///
    /// # Errors
    /// The first thing that is wrong anywhere in the archive.
    pub fn check(&self) -> Result<usize, TarError> {
        let mut files = 0;
        for file in self.clone() {
            file?;
            files += 1;
        }
        Ok(files)
    }

    /// The first file with this name.
    pub fn find(&self, name: &str) -> Option<File<'a>> {
        self.clone().map_while(Result::ok).find(|file| file.name == name)
    }

    fn block(&self, offset: usize) -> Result<&'a [u8; BLOCK], Reason> {
        let end = offset.checked_add(BLOCK).ok_or(Reason::Truncated)?;
        self.bytes
            .get(offset..end)
            .and_then(|block| block.try_into().ok())
            .ok_or(Reason::Truncated)
    }

    /// The next entry: `None` at the end, `Some(None)` for a directory.
    fn entry(&mut self) -> Result<Option<Option<File<'a>>>, Reason> {
        let header = self.block(self.offset)?;
        if header.iter().all(|&byte| byte == 0) {
            let second = self.block(self.offset + BLOCK)?;
            return if second.iter().all(|&byte| byte == 0) {
                Ok(None)
            } else {
                Err(Reason::Magic)
            };
        }
        if header[257..265] != *b"ustar\x0000" {
            return Err(Reason::Magic);
        }
        if octal(&header[148..156])? != checksum(header) {
            return Err(Reason::Checksum);
        }
        let name = name(header)?;
        let at = self.offset;
        let len = usize::try_from(octal(&header[124..136])?).map_err(|_| Reason::Truncated)?;
        let start = self.offset + BLOCK;
        let end = start.checked_add(len).ok_or(Reason::Truncated)?;
        let data = self.bytes.get(start..end).ok_or(Reason::Truncated)?;
        self.offset = end.checked_next_multiple_of(BLOCK).ok_or(Reason::Truncated)?;
        match header[156] {
            b'0' | 0 => Ok(Some(Some(File { name, data }))),
            b'5' if len == 0 => Ok(Some(None)),
            // Among what comes earlier links are passed over: one link may not lead to another.
            b'1' if len == 0 && self.end != usize::MAX => Ok(Some(None)),
            b'1' if len == 0 => {
                let target = text(&header[157..257])?;
                let earlier = Self {
                    end: at,
                    ..Self::new(self.bytes)
                };
                let data = earlier.find(target).ok_or(Reason::Link)?.data;
                Ok(Some(Some(File { name, data })))
            }
            flag => Err(Reason::Type(flag)),
        }
    }
}

impl<'a> Iterator for Archive<'a> {
    type Item = Result<File<'a>, TarError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done && self.offset < self.end {
            let offset = self.offset;
            match self.entry() {
                Ok(Some(Some(file))) => return Some(Ok(file)),
                Ok(Some(None)) => {}
                Ok(None) => self.done = true,
                Err(reason) => {
                    self.done = true;
                    return Some(Err(TarError { offset, reason }));
                }
            }
        }
        None
    }
}

/// The sum of the header's bytes, with the checksum field counted as spaces.
fn checksum(header: &[u8; BLOCK]) -> u64 {
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    sum(&header[..148]) + 8 * u64::from(b' ') + sum(&header[156..])
}

/// Octal digits, maybe after spaces, up to a space or zero.
fn octal(field: &[u8]) -> Result<u64, Reason> {
    let field = field.trim_ascii_start();
    let len = field
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'7'))
        .unwrap_or(field.len());
    let (digits, rest) = field.split_at(len);
    if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, b' ' | 0)) {
        return Err(Reason::Number);
    }
    // Twelve octal digits, the longest field, are 36 bits.
    Ok(digits
        .iter()
        .fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}

/// UTF-8 up to a zero or the end of the field, without a leading `./`.
fn text(field: &[u8]) -> Result<&str, Reason> {
    let len = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let name = core::str::from_utf8(&field[..len]).map_err(|_| Reason::Name)?;
    Ok(name.strip_prefix("./").unwrap_or(name))
}

fn name(header: &[u8; BLOCK]) -> Result<&str, Reason> {
    let name = text(&header[..100])?;
    // "./" alone is the directory that some archives begin with.
    let is_root = name.is_empty() && header[0] != 0;
    if header[345] != 0 || name.starts_with('/') || (name.is_empty() && !is_root) {
        return Err(Reason::Name);
    }
    Ok(name)
}

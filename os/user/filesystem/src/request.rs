//! What can be asked, and how it travels in four words.

use crate::server::Handle;

/// Where in the payload a path lies: first an absolute path that it is relative to (empty for the root), then the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Length of the base in bytes.
    pub base: u32,
    /// Length of the path in bytes.
    pub len: u32,
}

/// What an offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The start of the file.
    Start,
    /// The handle's position.
    Current,
    /// The end of the file.
    End,
}

/// A request. Paths and data are in the payload, and so is what the answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Opens a file; the result is a handle, the lowest that is free.
    Open {
        /// Its path.
        path: Path,
        /// How, as [`Flags::bits`](crate::Flags::bits).
        flags: u32,
    },
    /// Gives a handle up.
    Close(Handle),
    /// Reads at the position and moves it; the result is the number of bytes, 0 at the end.
    Read {
        /// From what.
        handle: Handle,
        /// At most so many bytes.
        len: u32,
    },
    /// Writes at the position and moves it; the result is the number of bytes, which may be less than `len`.
    Write {
        /// To what.
        handle: Handle,
        /// So many bytes of the payload.
        len: u32,
    },
    /// Reads at an offset, without the position.
    ReadAt {
        /// From what.
        handle: Handle,
        /// At most so many bytes.
        len: u32,
        /// Where, in bytes.
        offset: u64,
    },
    /// Writes at an offset, without the position; with `APPEND`, at the end.
    WriteAt {
        /// To what.
        handle: Handle,
        /// So many bytes of the payload.
        len: u32,
        /// Where, in bytes.
        offset: u64,
    },
    /// Moves the position; the result is the new one. A directory can only be moved to its start.
    Seek {
        /// Whose.
        handle: Handle,
        /// From where.
        whence: Whence,
        /// How far, in bytes.
        offset: i64,
    },
    /// Sets the length of a file that is open for writing.
    Truncate {
        /// Which.
        handle: Handle,
        /// Its new length in bytes.
        len: u64,
    },
    /// Writes a [`Stat`](crate::Stat) of what is open.
    Stat(Handle),
    /// Writes a [`Stat`](crate::Stat) of what a path leads to.
    StatPath(Path),
    /// Writes further entries of an open directory, to be read with [`Listing`](crate::Listing); none at the end.
    ReadDirectory(Handle),
    /// Makes a directory.
    MakeDirectory(Path),
    /// Takes the name of anything but a directory away.
    RemoveFile(Path),
    /// Takes an empty directory away.
    RemoveDirectory(Path),
    /// Gives something another name, in place of what has it.
    Rename {
        /// Its old path.
        from: Path,
        /// Length of the new path, which follows the old one and is relative to the same base.
        to: u32,
    },
    /// Writes the absolute path without `.`, `..` and doubled slashes.
    Canonical(Path),
    /// Makes a pipe; the result is the reading handle, and the writing one times 2³².
    Pipe {
        /// `NONBLOCK` for both ends, or 0.
        flags: u32,
    },
    /// Makes another handle for the same open file, with one position for both; the result is the handle.
    Duplicate(Handle),
    /// For the manager only: gives another client a handle of the same open file.
    Share {
        /// Whose handle.
        from: u64,
        /// Which.
        handle: Handle,
        /// Who gets one.
        to: u64,
        /// Which number it gets; what has it is closed. Without, the lowest that is free.
        at: Option<Handle>,
    },
    /// For the manager only: this client is no more.
    Gone(u64),
}

fn path(word: u64) -> Path {
    Path {
        base: word as u32,
        len: (word >> 32) as u32,
    }
}

impl From<Path> for u64 {
    fn from(path: Path) -> Self {
        Self::from(path.base) | Self::from(path.len) << 32
    }
}

impl Request {
    /// Label and words that stand for the request.
    pub fn to_words(self) -> (u32, [u64; 4]) {
        let pair = |handle: Handle, len: u32| u64::from(handle.0) | u64::from(len) << 32;
        match self {
            Self::Open { path, flags } => (1, [path.into(), flags.into(), 0, 0]),
            Self::Close(handle) => (2, [handle.0.into(), 0, 0, 0]),
            Self::Read { handle, len } => (3, [pair(handle, len), 0, 0, 0]),
            Self::Write { handle, len } => (4, [pair(handle, len), 0, 0, 0]),
            Self::ReadAt { handle, len, offset } => (5, [pair(handle, len), offset, 0, 0]),
            Self::WriteAt { handle, len, offset } => (6, [pair(handle, len), offset, 0, 0]),
            Self::Seek {
                handle,
                whence,
                offset,
            } => (7, [handle.0.into(), whence as u64, offset as u64, 0]),
            Self::Truncate { handle, len } => (8, [handle.0.into(), len, 0, 0]),
            Self::Stat(handle) => (9, [handle.0.into(), 0, 0, 0]),
            Self::StatPath(path) => (10, [path.into(), 0, 0, 0]),
            Self::ReadDirectory(handle) => (11, [handle.0.into(), 0, 0, 0]),
            Self::MakeDirectory(path) => (12, [path.into(), 0, 0, 0]),
            Self::RemoveFile(path) => (13, [path.into(), 0, 0, 0]),
            Self::RemoveDirectory(path) => (14, [path.into(), 0, 0, 0]),
            Self::Rename { from, to } => (15, [from.into(), to.into(), 0, 0]),
            Self::Canonical(path) => (16, [path.into(), 0, 0, 0]),
            Self::Pipe { flags } => (17, [flags.into(), 0, 0, 0]),
            Self::Duplicate(handle) => (18, [handle.0.into(), 0, 0, 0]),
            Self::Share { from, handle, to, at } => {
                let at = at.map_or(0, |at| u64::from(at.0) + 1);
                (19, [from, handle.0.into(), to, at])
            }
            Self::Gone(client) => (20, [client, 0, 0, 0]),
        }
    }

    /// The request that label and words stand for. `None` when they stand for none.
    pub fn from_words(label: u32, words: [u64; 4]) -> Option<Self> {
        let small = |index: usize| u32::try_from(words[index]).ok();
        let handle = || small(0).map(Handle);
        let pair = (Handle(words[0] as u32), (words[0] >> 32) as u32);
        Some(match label {
            1 => Self::Open {
                path: path(words[0]),
                flags: small(1)?,
            },
            2 => Self::Close(handle()?),
            3 => Self::Read {
                handle: pair.0,
                len: pair.1,
            },
            4 => Self::Write {
                handle: pair.0,
                len: pair.1,
            },
            5 => Self::ReadAt {
                handle: pair.0,
                len: pair.1,
                offset: words[1],
            },
            6 => Self::WriteAt {
                handle: pair.0,
                len: pair.1,
                offset: words[1],
            },
            7 => Self::Seek {
                handle: handle()?,
                whence: [Whence::Start, Whence::Current, Whence::End]
                    .into_iter()
                    .find(|&whence| whence as u64 == words[1])?,
                offset: words[2] as i64,
            },
            8 => Self::Truncate {
                handle: handle()?,
                len: words[1],
            },
            9 => Self::Stat(handle()?),
            10 => Self::StatPath(path(words[0])),
            11 => Self::ReadDirectory(handle()?),
            12 => Self::MakeDirectory(path(words[0])),
            13 => Self::RemoveFile(path(words[0])),
            14 => Self::RemoveDirectory(path(words[0])),
            15 => Self::Rename {
                from: path(words[0]),
                to: small(1)?,
            },
            16 => Self::Canonical(path(words[0])),
            17 => Self::Pipe { flags: small(0)? },
            18 => Self::Duplicate(handle()?),
            19 => Self::Share {
                from: words[0],
                handle: Handle(small(1)?),
                to: words[2],
                at: match words[3] {
                    0 => None,
                    at => Some(Handle(u32::try_from(at - 1).ok()?)),
                },
            },
            20 => Self::Gone(words[0]),
            _ => return None,
        })
    }
}

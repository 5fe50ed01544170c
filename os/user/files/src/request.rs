//! What the labels and words of a message ask for.

use filesystem::{Flags, Handle, Path, Request, Whence};
use protocol::{Error, IO_SIZE, files};

/// A request, and what of the client's buffer belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) request: Request,
    /// So many bytes of the buffer are its argument.
    pub(crate) input: usize,
    /// Lengths of the paths in them, one behind the other.
    pub(crate) paths: [usize; 2],
    /// So many bytes of the buffer are room for the answer.
    pub(crate) room: usize,
}

impl Decoded {
    const fn plain(request: Request) -> Self {
        Self {
            request,
            input: 0,
            paths: [0; 2],
            room: 0,
        }
    }

    /// Whether what the buffer holds may be the argument: paths are absolute.
    pub(crate) fn check(&self, input: &[u8]) -> Result<(), Error> {
        let mut rest = input;
        for len in self.paths.into_iter().filter(|&len| len > 0) {
            let (path, behind) = rest.split_at_checked(len).ok_or(Error::BadArgument)?;
            if !path.starts_with(b"/") {
                return Err(Error::BadName);
            }
            rest = behind;
        }
        Ok(())
    }
}

fn handle(word: u64) -> Result<Handle, Error> {
    u32::try_from(word).map(Handle).map_err(|_| Error::BadHandle)
}

/// A length of something that is in the buffer.
fn length(word: u64) -> Result<usize, Error> {
    if word > IO_SIZE {
        return Err(Error::TooLong);
    }
    Ok(word as usize)
}

fn path(len: usize) -> Path {
    Path {
        base: 0,
        len: len as u32,
    }
}

fn flags(bits: u64) -> Result<u32, Error> {
    use files::open;
    const MEANING: [(u64, u32); 7] = [
        (open::READ, Flags::READ.bits()),
        (open::WRITE, Flags::WRITE.bits()),
        (open::APPEND, Flags::APPEND.bits()),
        (open::TRUNCATE, Flags::TRUNCATE.bits()),
        (open::CREATE, Flags::CREATE.bits()),
        (open::CREATE_NEW, Flags::CREATE.bits() | Flags::EXCLUSIVE.bits()),
        // What else could be done with a directory?
        (open::DIRECTORY, Flags::DIRECTORY.bits() | Flags::READ.bits()),
    ];
    let known = MEANING.iter().fold(0, |all, &(bit, _)| all | bit);
    if bits & !known != 0 {
        return Err(Error::BadArgument);
    }
    let meant = MEANING.iter().filter(|&&(bit, _)| bits & bit != 0);
    Ok(meant.fold(0, |all, &(_, flag)| all | flag))
}

/// Reads a request of a client.
///
/// # Errors
/// `NotSupported` for labels of other servers, `BadArgument`, `BadHandle`, `TooLong`.
pub(crate) fn decode(label: u32, words: [u64; 4]) -> Result<Decoded, Error> {
    let [first, second, third, _] = words;
    let of_path = |request: fn(Path) -> Request| {
        let len = length(first)?;
        if len == 0 {
            return Err(Error::NotFound);
        }
        Ok(Decoded {
            input: len,
            paths: [len, 0],
            ..Decoded::plain(request(path(len)))
        })
    };
    Ok(match label {
        files::OPEN => {
            let decoded = of_path(Request::StatPath)?;
            Decoded {
                request: Request::Open {
                    path: path(decoded.input),
                    flags: flags(second)?,
                },
                ..decoded
            }
        }
        files::CLOSE => Decoded::plain(Request::Close(handle(first)?)),
        files::READ => {
            // Less than was asked for is always allowed.
            let len = second.min(IO_SIZE);
            Decoded {
                room: len as usize,
                ..Decoded::plain(Request::Read {
                    handle: handle(first)?,
                    len: len as u32,
                })
            }
        }
        files::WRITE => {
            let len = length(second)?;
            Decoded {
                input: len,
                ..Decoded::plain(Request::Write {
                    handle: handle(first)?,
                    len: len as u32,
                })
            }
        }
        files::SEEK => Decoded::plain(Request::Seek {
            handle: handle(first)?,
            whence: match third {
                0 => Whence::Start,
                1 => Whence::Current,
                2 => Whence::End,
                _ => return Err(Error::BadArgument),
            },
            offset: second as i64,
        }),
        files::STATUS => Decoded {
            room: filesystem::Stat::BYTES,
            ..Decoded::plain(Request::Stat(handle(first)?))
        },
        files::STATUS_OF_PATH => Decoded {
            room: filesystem::Stat::BYTES,
            ..of_path(Request::StatPath)?
        },
        files::READ_DIRECTORY => Decoded {
            room: IO_SIZE as usize,
            ..Decoded::plain(Request::ReadDirectory(handle(first)?))
        },
        files::CREATE_DIRECTORY => of_path(Request::MakeDirectory)?,
        files::REMOVE_FILE => of_path(Request::RemoveFile)?,
        files::REMOVE_DIRECTORY => of_path(Request::RemoveDirectory)?,
        files::RENAME => {
            let (old, new) = (length(first)?, length(second)?);
            if old == 0 || new == 0 {
                return Err(Error::NotFound);
            }
            Decoded {
                input: length((old + new) as u64)?,
                paths: [old, new],
                ..Decoded::plain(Request::Rename {
                    from: path(old),
                    to: new as u32,
                })
            }
        }
        files::PIPE => Decoded::plain(Request::Pipe { flags: 0 }),
        files::DUPLICATE => Decoded::plain(Request::Duplicate(handle(first)?)),
        files::TRUNCATE => Decoded::plain(Request::Truncate {
            handle: handle(first)?,
            len: second,
        }),
        _ => return Err(Error::NotSupported),
    })
}

/// Reads a request of the process server.
///
/// # Errors
/// As for [`decode`]; `NoProcess` when a number is none of a process.
pub(crate) fn decode_of_manager(label: u32, words: [u64; 4]) -> Result<Request, Error> {
    let process = |number: u64| {
        if clients::is_process(number) {
            Ok(number)
        } else {
            Err(Error::NoProcess)
        }
    };
    let [first, second, third, _] = words;
    match label {
        files::PASS_ON => Ok(Request::Share {
            from: process(second)?,
            handle: handle(first)?,
            to: process(third)?,
            at: None,
        }),
        files::GONE => Ok(Request::Gone(process(first)?)),
        _ => Err(Error::NotSupported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_the_buffer_are_refused() {
        for (label, words) in [
            (files::OPEN, [IO_SIZE + 1, 1, 0, 0]),
            (files::WRITE, [0, IO_SIZE + 1, 0, 0]),
            (files::RENAME, [IO_SIZE, 1, 0, 0]),
            (files::RENAME, [u64::MAX, u64::MAX, 0, 0]),
        ] {
            assert_eq!(decode(label, words), Err(Error::TooLong), "label {label}");
        }
    }

    #[test]
    fn a_read_gets_no_more_room_than_the_buffer_has() {
        let decoded = decode(files::READ, [3, u64::MAX, 0, 0]).unwrap();
        assert_eq!(decoded.room as u64, IO_SIZE);
    }

    #[test]
    fn unknown_bits_and_labels_are_refused() {
        assert_eq!(decode(files::OPEN, [1, 128, 0, 0]), Err(Error::BadArgument));
        assert_eq!(decode(files::SEEK, [0, 0, 3, 0]), Err(Error::BadArgument));
        for label in [
            0,
            files::SET_MODE,
            files::SIZE,
            files::PASS_ON,
            files::GONE,
            u32::MAX,
        ] {
            assert_eq!(decode(label, [1; 4]), Err(Error::NotSupported), "label {label}");
        }
    }

    #[test]
    fn handles_are_numbers_of_32_bits() {
        for label in [
            files::CLOSE,
            files::READ,
            files::WRITE,
            files::STATUS,
            files::DUPLICATE,
        ] {
            assert_eq!(
                decode(label, [1 << 32, 0, 0, 0]),
                Err(Error::BadHandle),
                "label {label}"
            );
        }
    }

    #[test]
    fn only_absolute_paths_are_paths() {
        let decoded = decode(files::RENAME, [2, 2, 0, 0]).unwrap();
        assert_eq!(decoded.check(b"/a/b"), Ok(()));
        assert_eq!(decoded.check(b"/ab/"), Err(Error::BadName));
        assert_eq!(decoded.check(b"/a"), Err(Error::BadArgument));
    }
}

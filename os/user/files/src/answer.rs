//! What the answers of the tree are as labels, words and bytes of a reply.

use filesystem::{Kind, Stat};
use protocol::Error;
use protocol::files::kind;

/// The protocol's word for why the tree refused.
pub(crate) fn error(error: filesystem::Error) -> Error {
    use filesystem::Error as Of;
    match error {
        Of::NotFound => Error::NotFound,
        Of::Exists => Error::Exists,
        Of::NotDirectory => Error::NotDirectory,
        Of::IsDirectory => Error::IsDirectory,
        Of::NotEmpty => Error::NotEmpty,
        Of::BadName => Error::BadName,
        Of::NameTooLong => Error::TooLong,
        Of::ReadOnly => Error::ReadOnly,
        Of::NoSpace | Of::TooLarge => Error::NoSpace,
        Of::TooManyOpen => Error::TooManyOpen,
        Of::BrokenPipe => Error::BrokenPipe,
        Of::WouldBlock => Error::WouldBlock,
        Of::NotSupported | Of::NotSeekable => Error::NotSupported,
        Of::CrossDevice => Error::CrossDevice,
        Of::BadHandle => Error::BadHandle,
        Of::Busy | Of::TooMany => Error::Busy,
        Of::IntoItself | Of::BadArgument => Error::BadArgument,
        Of::NotPermitted => Error::PermissionDenied,
        Of::NotReady => Error::WouldBlock,
        _ => Error::Other,
    }
}

const fn kind_of(of: Kind) -> u64 {
    match of {
        Kind::File => kind::FILE,
        Kind::Directory => kind::DIRECTORY,
        Kind::Device => kind::DEVICE,
        Kind::Pipe => kind::PIPE,
    }
}

/// Kind, length and number of what is open. The number tells nodes of different file systems apart.
pub(crate) fn status(stat: &Stat) -> [u64; 4] {
    let kind = if stat.device == crate::CONSOLE_DEVICE {
        kind::CONSOLE
    } else {
        kind_of(stat.kind)
    };
    let system = u64::from(stat.system) << 48;
    [kind, stat.len, stat.node | system, 0]
}

/// Rewrites the entries that the tree has put into the first `len` bytes in the form of the protocol, in place: that form
/// is shorter. Returns its length.
pub(crate) fn directory(bytes: &mut [u8], len: usize) -> usize {
    /// Bytes of the tree's form before the name: number, kind, length.
    const HEAD: usize = 10;
    let (mut from, mut to) = (0, 0);
    while from + HEAD <= len {
        let kind = Kind::from_number(bytes[from + 8]).map_or(kind::FILE, kind_of);
        let name = bytes[from + 9];
        let start = from + HEAD;
        let end = start + usize::from(name);
        if end > len {
            break;
        }
        bytes[to] = kind as u8;
        bytes[to + 1] = name;
        bytes[to + 2] = 0;
        bytes.copy_within(start..end, to + 3);
        to += 3 + usize::from(name);
        from = end;
    }
    to
}

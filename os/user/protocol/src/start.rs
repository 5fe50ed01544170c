//! What a program starts with: a record in memory, at the address that is its argument.
//!
//! Words of 64 bits, little endian: [`MAGIC`], process number, group, number of arguments, number of variables, then for
//! each of the three standard streams its server (0 none, 1 files, 2 console) and handle, how many bytes of heap the program
//! has from the beginning, the length of the record in bytes, where the heap begins, where the I/O buffer is, where memory
//! of channels and stacks of threads begin, and the number of names that the program may register. Behind them texts, each
//! with its length in four bytes before it: current directory, program, arguments (the first one is the program's name for
//! itself), variables as `name=value`, names.

/// First word of a record.
pub const MAGIC: u64 = u64::from_le_bytes(*b"vstart03");

/// Words before the texts.
pub const WORDS: usize = 18;

/// Which word is the length.
pub const LENGTH: usize = 12;

/// Longest record in bytes: what an I/O buffer holds.
pub const MAX_LEN: usize = crate::IO_SIZE as usize;

/// A standard stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// 0 none, 1 the file server, 2 the console server.
    pub server: u64,
    /// Handle at that server.
    pub handle: u64,
}

/// The record without its texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The process.
    pub process: u64,
    /// Its group.
    pub group: u64,
    /// How many arguments there are.
    pub arguments: u64,
    /// How many variables there are.
    pub variables: u64,
    /// Input, output, errors.
    pub streams: [Stream; 3],
    /// Bytes that are mapped where the heap begins.
    pub heap: u64,
    /// Length of the record in bytes. Whoever maps it says so.
    pub length: u64,
    /// First address of the heap.
    pub heap_start: u64,
    /// Address of the I/O buffer.
    pub io: u64,
    /// First address of the memory of channels.
    pub channels: u64,
    /// First address of the stacks of threads that it starts itself.
    pub threads: u64,
    /// How many names there are that it may register.
    pub provides: u64,
}

/// Writes a record. Texts come in the order that the module says.
#[derive(Debug)]
pub struct Writer<'a> {
    bytes: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Begins with the header; `None` when there is too little room.
    pub fn new(bytes: &'a mut [u8], header: &Header) -> Option<Self> {
        let mut writer = Self { bytes, len: 0 };
        let [input, output, errors] = header.streams;
        for word in [
            MAGIC,
            header.process,
            header.group,
            header.arguments,
            header.variables,
            input.server,
            input.handle,
            output.server,
            output.handle,
            errors.server,
            errors.handle,
            header.heap,
            header.length,
            header.heap_start,
            header.io,
            header.channels,
            header.threads,
            header.provides,
        ] {
            writer.put(&word.to_le_bytes())?;
        }
        Some(writer)
    }

    /// Adds a text; `None` when there is too little room.
    pub fn text(&mut self, text: &str) -> Option<()> {
        self.put(&u32::try_from(text.len()).ok()?.to_le_bytes())?;
        self.put(text.as_bytes())
    }

    /// Adds a text that consists of two parts; `None` when there is too little room.
    pub fn joined(&mut self, first: &str, between: &str, second: &str) -> Option<()> {
        let len = first.len() + between.len() + second.len();
        self.put(&u32::try_from(len).ok()?.to_le_bytes())?;
        self.put(first.as_bytes())?;
        self.put(between.as_bytes())?;
        self.put(second.as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        self.bytes
            .get_mut(self.len..self.len + bytes.len())?
            .copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// Length of the record so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: there is a header.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Reads a record that may be anything.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// The header.
    pub header: Header,
    texts: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads the header; `None` when this is no record, or a text is cut off or not UTF-8.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let word = |index: usize| -> Option<u64> {
            Some(u64::from_le_bytes(
                bytes.get(index * 8..index * 8 + 8)?.try_into().ok()?,
            ))
        };
        let stream = |index: usize| -> Option<Stream> {
            Some(Stream {
                server: word(index)?,
                handle: word(index + 1)?,
            })
        };
        if word(0)? != MAGIC {
            return None;
        }
        let header = Header {
            process: word(1)?,
            group: word(2)?,
            arguments: word(3)?,
            variables: word(4)?,
            streams: [stream(5)?, stream(7)?, stream(9)?],
            heap: word(11)?,
            length: word(LENGTH)?,
            heap_start: word(13)?,
            io: word(14)?,
            channels: word(15)?,
            threads: word(16)?,
            provides: word(17)?,
        };
        let reader = Self {
            header,
            texts: bytes.get(WORDS * 8..)?,
        };
        let given = header.arguments.checked_add(header.variables)?;
        let count = given.checked_add(header.provides)?.checked_add(2)?;
        let complete = count <= bytes.len() as u64 / 4 && reader.texts().count() as u64 == count;
        complete.then_some(reader)
    }

    /// All texts: current directory, program, arguments, variables, names.
    pub fn texts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let header = &self.header;
        // `new` has counted them.
        let count = 2 + (header.arguments + header.variables + header.provides) as usize;
        let mut rest = self.texts;
        core::iter::from_fn(move || {
            let (len, behind) = rest.split_first_chunk::<4>()?;
            let text = behind.get(..u32::from_le_bytes(*len) as usize)?;
            rest = &behind[text.len()..];
            core::str::from_utf8(text).ok()
        })
        .take(count)
    }

    /// The current directory.
    pub fn directory(&self) -> &'a str {
        self.texts().next().unwrap_or("/")
    }

    /// The program.
    pub fn program(&self) -> &'a str {
        self.texts().nth(1).unwrap_or_default()
    }

    /// The arguments; the first one is the program's name for itself.
    pub fn arguments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.texts().skip(2).take(self.header.arguments as usize)
    }

    /// The variables, as `name=value`.
    pub fn variables(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let first = 2 + self.header.arguments as usize;
        self.texts().skip(first).take(self.header.variables as usize)
    }

    /// The names that the program may register.
    pub fn provides(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let first = 2 + self.header.arguments + self.header.variables;
        self.texts().skip(first as usize)
    }
}

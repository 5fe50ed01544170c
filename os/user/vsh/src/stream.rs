//! What commands read from and write to.

use alloc::collections::BTreeMap;
use core::cell::{Cell, RefCell};

use rt::fs::File;
use rt::io::{ErrorKind, Read as _, Result, Write as _};
use rt::process::{Stdio, pipe};

use crate::prelude::*;

/// What certainly fits into an empty pipe.
const FITS_PIPE: usize = 4096;

/// Bytes that are there already, and how many of them have been read.
#[derive(Debug, Default)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    read: Cell<usize>,
}

/// One descriptor's file.
#[derive(Clone, Debug)]
pub(crate) enum Stream {
    File(Rc<File>),
    /// A here-document, or what a builtin wrote for the next stage of a pipeline.
    Text(Rc<Text>),
    /// Collects what is written, for a command substitution.
    Capture(Rc<RefCell<Vec<u8>>>),
    Null,
}

impl Stream {
    pub(crate) fn text(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Text(Rc::new(Text {
            bytes: bytes.into(),
            read: Cell::new(0),
        }))
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Self::File(file) => (&**file).read(buffer),
            Self::Text(text) => {
                let len = text
                    .bytes
                    .get(text.read.get()..)
                    .unwrap_or_default()
                    .read(buffer)?;
                text.read.set(text.read.get() + len);
                Ok(len)
            }
            Self::Capture(_) => Err(ErrorKind::InvalidInput.into()),
            Self::Null => Ok(0),
        }
    }

    pub(crate) fn write_all(&self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::File(file) => (&**file).write_all(bytes),
            Self::Text(_) => Err(ErrorKind::InvalidInput.into()),
            Self::Capture(captured) => {
                captured.borrow_mut().extend_from_slice(bytes);
                Ok(())
            }
            Self::Null => Ok(()),
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::File(file) if file.is_terminal())
    }
}

/// The descriptors of a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams(BTreeMap<u32, Stream>);

impl Streams {
    /// The standard streams of this process; those that it was started without are missing.
    pub(crate) fn standard() -> Self {
        let files = [
            rt::io::stdin().as_file(),
            rt::io::stdout().as_file(),
            rt::io::stderr().as_file(),
        ];
        let opened = (0..)
            .zip(files)
            .filter_map(|(descriptor, file)| Some((descriptor, file.ok()?)));
        Self(
            opened
                .map(|(descriptor, file)| (descriptor, Stream::File(Rc::new(file))))
                .collect(),
        )
    }

    pub(crate) fn get(&self, descriptor: u32) -> Result<&Stream> {
        self.0.get(&descriptor).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub(crate) fn set(&mut self, descriptor: u32, stream: Stream) {
        self.0.insert(descriptor, stream);
    }

    pub(crate) fn close(&mut self, descriptor: u32) {
        self.0.remove(&descriptor);
    }
}

/// What is captured, and the pipe that it comes through.
type Drain = (Rc<RefCell<Vec<u8>>>, File, File);

/// Pipes between programs and captures, for the programs that are being started.
#[derive(Debug, Default)]
pub(crate) struct Drains(Vec<Drain>);

impl Drains {
    /// What to start a program with, for it to read from or write to the stream.
    ///
    /// A long text goes through a file in the directory for temporary files: a pipe would need somebody to fill it.
    pub(crate) fn stdio(&mut self, stream: Option<&Stream>, temporary: &str) -> Result<Stdio> {
        match stream {
            None | Some(Stream::Null) => Ok(Stdio::Null),
            Some(Stream::File(file)) => file.try_clone().map(Stdio::File),
            Some(Stream::Text(text)) => {
                let rest = text.bytes.get(text.read.get()..).unwrap_or_default();
                text.read.set(text.bytes.len());
                if rest.len() <= FITS_PIPE {
                    let (reader, mut writer) = pipe()?;
                    writer.write_all(rest)?;
                    return Ok(Stdio::File(reader));
                }
                through_file(rest, temporary).map(Stdio::File)
            }
            Some(Stream::Capture(captured)) => {
                let known = self.0.iter().find(|(other, ..)| Rc::ptr_eq(other, captured));
                if let Some((_, _, writer)) = known {
                    return writer.try_clone().map(Stdio::File);
                }
                let (reader, writer) = pipe()?;
                let stdio = writer.try_clone()?;
                self.0.push((Rc::clone(captured), reader, writer));
                Ok(Stdio::File(stdio))
            }
        }
    }

    /// Collects what the programs write, until they have all ended or closed it.
    pub(crate) fn collect(self) -> Result<()> {
        // There is an end only when this shell cannot write any more either.
        let readers: Vec<_> = self
            .0
            .into_iter()
            .map(|(captured, reader, _writer)| (captured, reader))
            .collect();
        for (captured, mut reader) in readers {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            captured.borrow_mut().append(&mut bytes);
        }
        Ok(())
    }
}

fn through_file(bytes: &[u8], directory: &str) -> Result<File> {
    let mut number = rt::time::now().as_nanos();
    loop {
        let path = format!("{directory}/vsh-{}-{number:x}", rt::process::id());
        match File::options().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
            Ok(mut file) => {
                let reader = file.write_all(bytes).and_then(|()| File::open(&path));
                rt::fs::remove_file(&path)?;
                return reader;
            }
        }
    }
}

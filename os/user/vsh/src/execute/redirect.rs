//! Redirections.

use rt::fs::{File, FileKind};
use rt::io::{Error, ErrorKind};

use crate::ast::{Redirection, Target, Word};
use crate::prelude::*;
use crate::shell::{Shell, Stop};
use crate::stream::{Stream, Streams};

/// What became of redirections.
#[derive(Debug)]
pub(crate) enum Redirected {
    /// They hold; these streams are to be put back.
    Done(Streams),
    /// One failed, and none holds. It has been reported.
    Failed,
}

impl Shell {
    /// Makes redirections hold for the commands that are run from now on.
    pub(crate) fn redirect(&mut self, redirections: &[Redirection]) -> Result<Redirected, Stop> {
        let saved = self.state.streams.clone();
        for redirection in redirections {
            match self.redirect_one(redirection) {
                Ok(true) => {}
                Ok(false) => {
                    self.state.streams = saved;
                    return Ok(Redirected::Failed);
                }
                Err(stop) => {
                    self.state.streams = saved;
                    return Err(stop);
                }
            }
        }
        Ok(Redirected::Done(saved))
    }

    fn redirect_one(&mut self, redirection: &Redirection) -> Result<bool, Stop> {
        let descriptor = |default| redirection.descriptor.unwrap_or(default);
        let clobber = !self.state.options.noclobber;
        match &redirection.target {
            Target::Read(word) => self.open(descriptor(0), word, File::open),
            Target::Write(word) => self.open(descriptor(1), word, |path| create(path, clobber)),
            Target::Replace(word) => self.open(descriptor(1), word, File::create),
            Target::Append(word) => self.open(descriptor(1), word, File::append),
            Target::ReadWrite(word) => self.open(descriptor(0), word, |path| {
                File::options().read(true).write(true).create(true).open(path)
            }),
            Target::Both { append, word } => {
                let opened = self.open(1, word, |path| {
                    if *append {
                        File::append(path)
                    } else {
                        create(path, clobber)
                    }
                })?;
                if let Ok(stream) = self.state.streams.get(1).cloned() {
                    self.state.streams.set(2, stream);
                }
                Ok(opened)
            }
            Target::Duplicate { input, word } => self.duplicate(descriptor(u32::from(!input)), word),
            Target::Here(word) => {
                let text = match word.get() {
                    Some(word) => self.expand_text(word)?,
                    None => String::new(),
                };
                self.state.streams.set(descriptor(0), Stream::text(text));
                Ok(true)
            }
            Target::HereString(word) => {
                let text = self.expand_text(word)? + "\n";
                self.state.streams.set(descriptor(0), Stream::text(text));
                Ok(true)
            }
        }
    }

    fn open(
        &mut self,
        descriptor: u32,
        word: &Word,
        open: impl FnOnce(&str) -> rt::io::Result<File>,
    ) -> Result<bool, Stop> {
        let path = self.expand_text(word)?;
        // Every system has a way to lose output, but not every one has it as a file.
        let stream = match open(&path) {
            Ok(file) => Stream::File(Rc::new(file)),
            Err(_) if path == "/dev/null" => Stream::Null,
            Err(error) => {
                self.report(format_args!("{path}: {error}"));
                return Ok(false);
            }
        };
        self.state.streams.set(descriptor, stream);
        Ok(true)
    }

    fn duplicate(&mut self, descriptor: u32, word: &Word) -> Result<bool, Stop> {
        let source = self.expand_text(word)?;
        if source == "-" {
            self.state.streams.close(descriptor);
            return Ok(true);
        }
        let stream = source
            .parse()
            .ok()
            .and_then(|source| self.state.streams.get(source).ok());
        let Some(stream) = stream.cloned() else {
            self.report(format_args!("{source}: bad file descriptor"));
            return Ok(false);
        };
        self.state.streams.set(descriptor, stream);
        Ok(true)
    }
}

fn create(path: &str, clobber: bool) -> rt::io::Result<File> {
    let exists = || rt::fs::metadata(path).is_ok_and(|metadata| metadata.kind == FileKind::File);
    if !clobber && exists() {
        return Err(Error::from(ErrorKind::AlreadyExists));
    }
    File::create(path)
}

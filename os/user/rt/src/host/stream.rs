//! The standard streams and the terminal.

use std::fmt;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{
    InputModes, OptionalActions, OutputModes, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

use super::File;
use crate::io::{ErrorKind, Result};
use crate::terminal::Mode;

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Input,
    Output,
    Error,
}

pub(crate) fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Input => std::io::stdin().is_terminal(),
        Stream::Output => std::io::stdout().is_terminal(),
        Stream::Error => std::io::stderr().is_terminal(),
    }
}

pub(crate) fn stream_file(stream: Stream) -> Result<File> {
    let descriptor = match stream {
        Stream::Input => std::io::stdin().as_fd().try_clone_to_owned(),
        Stream::Output => std::io::stdout().as_fd().try_clone_to_owned(),
        Stream::Error => std::io::stderr().as_fd().try_clone_to_owned(),
    };
    Ok(descriptor?.into())
}

pub(crate) fn read_input(buffer: &mut [u8]) -> Result<usize> {
    let input = std::io::stdin();
    if input.is_terminal() {
        super::wait_for_input(&input)?;
    }
    // Past std's buffer, which would keep what other programs should get.
    Ok(rustix::io::read(&input, buffer)?)
}

pub(crate) fn write_output(bytes: &[u8]) -> Result<usize> {
    Ok(std::io::stdout().write(bytes)?)
}

pub(crate) fn flush_output() -> Result<()> {
    Ok(std::io::stdout().flush()?)
}

pub(crate) fn write_error(bytes: &[u8]) -> Result<usize> {
    Ok(std::io::stderr().write(bytes)?)
}

pub(crate) fn print(text: fmt::Arguments<'_>) -> Result<()> {
    Ok(std::io::stdout().write_fmt(text)?)
}

pub(crate) fn print_error(text: fmt::Arguments<'_>) -> Result<()> {
    Ok(std::io::stderr().write_fmt(text)?)
}

pub(crate) fn set_mode(mode: Mode) -> Result<()> {
    /// What the terminal was like before it was first made raw.
    static COOKED: Mutex<Option<Termios>> = Mutex::new(None);
    let input = std::io::stdin();
    let mut cooked = COOKED.lock().unwrap_or_else(PoisonError::into_inner);
    let attributes = match mode {
        Mode::Cooked => match cooked.clone() {
            Some(attributes) => attributes,
            None => return Ok(()),
        },
        Mode::Raw => {
            let mut attributes = tcgetattr(&input)?;
            cooked.get_or_insert_with(|| attributes.clone());
            attributes.make_raw();
            attributes.output_modes |= OutputModes::OPOST;
            // What is typed ahead of a program that reads lines must have line feeds.
            attributes.input_modes |= InputModes::ICRNL;
            attributes
        }
    };
    Ok(tcsetattr(&input, OptionalActions::Drain, &attributes)?)
}

pub(crate) fn size() -> Result<(u16, u16)> {
    let size = tcgetwinsize(std::io::stdin())?;
    if size.ws_row == 0 || size.ws_col == 0 {
        return Err(ErrorKind::Unsupported.into());
    }
    Ok((size.ws_row, size.ws_col))
}

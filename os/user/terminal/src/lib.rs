//! What lies between a serial line and the programs that use it as a terminal: editing of lines, echo, signals, flow
//! control, and who may read.
//!
//! [`Terminal`] is a state machine. Bytes of the line go in with [`receive`](Terminal::receive), bytes for the line
//! come out of [`output`](Terminal::output). Reads and writes of programs are answered at once or parked; what completes
//! later comes from [`ready`](Terminal::ready), signals for programs from [`signal`](Terminal::signal).
//!
//! What always holds:
//!
//! - No byte and no request makes it panic, and what it keeps is bounded: [`INPUT`] bytes for programs, [`OUTPUT`] for
//!   the line, [`PARKED`] requests.
//! - What does not fit is dropped as it comes, with a bell when lines are edited. Room for the end of a line that is
//!   being typed is never used for anything else.
//! - While lines are edited the cursor's line shows what was typed and not erased, behind what programs wrote.
//! - In raw mode programs get the very bytes that came, and nothing is echoed. What came in raw mode and is not read before
//!   lines are edited again is what it had been if it had come after that.
//! - A group in the background reads nothing.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod edit;
mod programs;
mod screen;
mod settings;

pub use programs::{ATOMIC, Client, Completed, Error, Outcome, PARKED, Ticket};
pub use screen::OUTPUT;
pub use settings::{Background, Settings};

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use programs::Parked;
use screen::Screen;

/// Bytes of input that are kept for programs: whole lines and the one that is being typed.
pub const INPUT: usize = 4096;

/// Signals that may wait to be fetched.
const SIGNALS: usize = 16;

/// What the terminal asks a group of processes to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Somebody has pressed `^C`.
    Interrupt,
    /// Somebody has pressed `^Z`, or the group has read from the background.
    Stop,
}

/// A terminal. See the [crate](self).
#[derive(Debug)]
pub struct Terminal {
    settings: Settings,
    background: Background,
    foreground: Option<u32>,
    /// Rows and columns.
    size: (u16, u16),
    /// The line that is being typed.
    line: Vec<u8>,
    /// The next byte is taken as it is.
    literal: bool,
    /// Nothing is echoed although it should be: it was typed before.
    silent: bool,
    /// Bytes for programs.
    input: VecDeque<u8>,
    /// How many bytes of `input` belong to each of its lines. One without bytes is an end of file. While lines are edited
    /// the bytes of all lines are all bytes of `input`; in raw mode they are its first ones, and no line is without bytes.
    lines: VecDeque<usize>,
    screen: Screen,
    readers: VecDeque<Parked>,
    writers: VecDeque<Parked>,
    completed: VecDeque<Completed>,
    signals: VecDeque<(u32, Signal)>,
    next: u64,
}

impl Terminal {
    /// A terminal that edits lines, of 24 rows and 80 columns, without a foreground group.
    pub fn new(background: Background) -> Self {
        Self {
            settings: Settings::COOKED,
            background,
            foreground: None,
            size: (24, 80),
            line: Vec::new(),
            literal: false,
            silent: false,
            input: VecDeque::new(),
            lines: VecDeque::new(),
            screen: Screen::default(),
            readers: VecDeque::new(),
            writers: VecDeque::new(),
            completed: VecDeque::new(),
            signals: VecDeque::new(),
            next: 0,
        }
    }

    /// The next byte for the line, unless its other side has asked for silence.
    pub fn output(&mut self) -> Option<u8> {
        let byte = self.screen.next()?;
        self.serve_writers();
        Some(byte)
    }

    /// The next signal, and the group that it is for.
    pub fn signal(&mut self) -> Option<(u32, Signal)> {
        self.signals.pop_front()
    }

    /// How it behaves.
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// Changes how it behaves.
    ///
    /// Into raw mode: a line that was being typed can be read, as far as it is, and ends of files are forgotten. Out of it:
    /// what nobody has read counts as typed now, so that it comes in lines, edits and signals. Only what of it is an
    /// unfinished line is echoed: whoever reads bytes has shown the others, or will.
    pub fn set_settings(&mut self, settings: Settings) {
        let edited = core::mem::replace(&mut self.settings, settings).edit;
        if !settings.flow {
            self.screen.stopped = false;
        }
        if edited && !settings.edit {
            self.literal = false;
            self.lines.retain(|&line| line > 0);
            self.input.extend(self.line.drain(..));
        } else if settings.edit && !edited {
            self.retype();
        }
        self.serve_readers();
    }

    /// The group that may read and gets the signals; without one everybody may, and there are none.
    pub const fn foreground(&self) -> Option<u32> {
        self.foreground
    }

    /// Makes a group the foreground.
    pub fn set_foreground(&mut self, group: Option<u32>) {
        self.foreground = group;
        self.serve_readers();
    }

    /// Rows and columns.
    pub const fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Says how many rows and columns it has.
    pub fn set_size(&mut self, rows: u16, columns: u16) {
        self.size = (rows, columns);
    }

    /// Queues a signal, unless the same one waits already.
    fn raise(&mut self, group: u32, signal: Signal) {
        if !self.signals.contains(&(group, signal)) && self.signals.len() < SIGNALS {
            self.signals.push_back((group, signal));
        }
    }
}

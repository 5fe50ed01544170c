//! What a byte from the line does.

use alloc::vec::Vec;

use crate::screen::{is_continuation, is_control};
use crate::{INPUT, Signal, Terminal};

const fn control(letter: u8) -> u8 {
    letter & 0x1f
}

const INTERRUPT: u8 = control(b'C');
const END_OF_FILE: u8 = control(b'D');
const BACKSPACE: u8 = control(b'H');
const START: u8 = control(b'Q');
const REPRINT: u8 = control(b'R');
const STOP: u8 = control(b'S');
const KILL: u8 = control(b'U');
const LITERAL: u8 = control(b'V');
const WORD: u8 = control(b'W');
const SUSPEND: u8 = control(b'Z');
const DELETE: u8 = 0x7f;
const BELL: u8 = 7;

/// How much is erased.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Erase {
    Character,
    Word,
    Line,
}

impl Terminal {
    /// Takes a byte from the line.
    pub fn receive(&mut self, byte: u8) {
        if core::mem::take(&mut self.literal) {
            self.insert(byte);
        } else if !self.command(byte) {
            match byte {
                b'\r' if self.settings.newline_in => self.insert_or_end(b'\n'),
                byte => self.insert_or_end(byte),
            }
        }
        self.serve_readers();
    }

    /// Takes what came in raw mode, and is in no line, once more.
    pub(crate) fn retype(&mut self) {
        let in_lines: usize = self.lines.iter().sum();
        let typed: Vec<u8> = self.input.drain(in_lines..).collect();
        self.silent = true;
        for byte in typed {
            self.receive(byte);
        }
        self.silent = false;
        if self.echoes() && !self.line.is_empty() {
            self.screen.begin_line();
            self.show_line();
        }
    }

    fn echoes(&self) -> bool {
        self.settings.echo && !self.silent
    }

    /// Does what flow control and signals mean; whether the byte was one of them.
    fn command(&mut self, byte: u8) -> bool {
        let signal = match byte {
            START if self.settings.flow => {
                self.screen.stopped = false;
                return true;
            }
            STOP if self.settings.flow => {
                self.screen.stopped = true;
                return true;
            }
            INTERRUPT if self.settings.signals => Signal::Interrupt,
            SUSPEND if self.settings.signals => Signal::Stop,
            _ => return false,
        };
        // Whoever interrupts wants to see the end of it, and not what was meant for the program before.
        self.line.clear();
        self.input.clear();
        self.lines.clear();
        self.screen.clear();
        self.screen.stopped = false;
        if self.echoes() {
            self.echo(byte);
        }
        if let Some(group) = self.foreground {
            self.raise(group, signal);
        }
        self.serve_writers();
        true
    }

    fn insert_or_end(&mut self, byte: u8) {
        if !self.settings.edit {
            self.insert(byte);
            return;
        }
        match byte {
            DELETE | BACKSPACE => self.erase(Erase::Character),
            WORD => self.erase(Erase::Word),
            KILL => self.erase(Erase::Line),
            LITERAL => {
                self.literal = true;
                if self.echoes() {
                    self.screen.put_all(b"^\x08");
                }
            }
            REPRINT if self.settings.echo => self.reprint(),
            b'\n' | END_OF_FILE => self.end_line(byte),
            byte => self.insert(byte),
        }
    }

    /// Adds a byte to the line, or in raw mode to the input.
    fn insert(&mut self, byte: u8) {
        // One place stays free for the end of the line.
        let limit = if self.settings.edit { INPUT - 1 } else { INPUT };
        if self.line.len() + self.input.len() >= limit {
            self.ring();
            return;
        }
        if self.echoes() {
            if self.line.is_empty() {
                self.screen.begin_line();
            }
            // A newline here is one that was typed behind `^V`, or comes in raw mode.
            if byte == b'\n' && !self.settings.edit {
                self.screen.put(byte, self.settings.newline_out);
            } else {
                self.echo(byte);
            }
        }
        if self.settings.edit {
            self.line.push(byte);
        } else {
            self.input.push_back(byte);
        }
    }

    fn end_line(&mut self, byte: u8) {
        let newline = byte == b'\n';
        let len = self.line.len() + usize::from(newline);
        if self.input.len() + len > INPUT || self.lines.len() >= INPUT {
            self.ring();
            return;
        }
        if newline {
            self.line.push(byte);
            if self.echoes() {
                self.screen.put(byte, self.settings.newline_out);
            }
        }
        self.input.extend(self.line.drain(..));
        self.lines.push_back(len);
    }

    fn ring(&mut self) {
        if self.settings.edit {
            self.screen.put(BELL, false);
        }
    }

    fn echo(&mut self, byte: u8) {
        if is_control(byte) && byte != b'\t' {
            self.screen.put_all(&[b'^', byte ^ 0x40]);
        } else {
            self.screen.put(byte, self.settings.newline_out);
        }
    }

    fn reprint(&mut self) {
        if !self.echoes() {
            return;
        }
        self.echo(REPRINT);
        self.screen.put(b'\n', self.settings.newline_out);
        self.show_line();
    }

    fn show_line(&mut self) {
        for at in 0..self.line.len() {
            self.echo(self.line[at]);
        }
    }

    fn erase(&mut self, what: Erase) {
        let mut in_word = false;
        while let Some(first) = self.last_character() {
            let byte = self.line[first];
            if what == Erase::Word {
                // Bytes of further characters count as letters.
                let is_word = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
                if in_word && !is_word {
                    break;
                }
                in_word |= is_word;
            }
            self.line.truncate(first);
            if self.echoes() {
                self.erase_shown(byte);
            }
            if what == Erase::Character {
                break;
            }
        }
    }

    /// Where the line's last character begins. Bytes that begin none count with the ones before them.
    fn last_character(&self) -> Option<usize> {
        let starts = self.line.iter().rposition(|&byte| !is_continuation(byte));
        if self.line.is_empty() {
            None
        } else {
            Some(starts.unwrap_or(0))
        }
    }

    /// Takes a character, which began with this byte, off the screen.
    fn erase_shown(&mut self, byte: u8) {
        if byte == b'\t' {
            let tab = self.line.iter().rposition(|&byte| byte == b'\t');
            let since = &self.line[tab.map_or(0, |tab| tab + 1)..];
            let columns = since.iter().map(|&byte| columns(byte)).sum();
            self.screen.erase_tab(columns, tab.is_some());
            return;
        }
        for _ in 0..columns(byte) {
            self.screen.put_all(b"\x08 \x08");
        }
    }
}

/// Columns that the echo of a byte takes; not for tabs.
const fn columns(byte: u8) -> usize {
    if is_control(byte) {
        2
    } else if is_continuation(byte) {
        0
    } else {
        1
    }
}

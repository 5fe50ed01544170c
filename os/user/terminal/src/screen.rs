//! Bytes on their way to the line, and where the cursor is.

use alloc::collections::VecDeque;

/// Bytes that are kept for the line.
pub const OUTPUT: usize = 4096;

/// Columns from one tab stop to the next.
const TAB: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Screen {
    queue: VecDeque<u8>,
    /// The other side has asked for silence.
    pub(crate) stopped: bool,
    /// Where the cursor is when all bytes are out.
    column: usize,
    /// Where it is now.
    shown: usize,
    /// Column in which the line that is being typed begins.
    start: usize,
}

/// Whether the byte is one that a terminal does not show as it is.
pub(crate) const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control()
}

/// Whether the byte goes on with a character of several bytes.
pub(crate) const fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

impl Screen {
    pub(crate) fn next(&mut self) -> Option<u8> {
        if self.stopped {
            return None;
        }
        let byte = self.queue.pop_front()?;
        self.shown = after(self.shown, byte);
        Some(byte)
    }

    pub(crate) fn room(&self) -> usize {
        OUTPUT - self.queue.len()
    }

    /// Drops what is not out yet.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.column = self.shown;
    }

    /// Remembers that a line begins here.
    pub(crate) fn begin_line(&mut self) {
        self.start = self.column;
    }

    /// Puts a byte, and with `newline_out` a carriage return before a newline. Whether there was room.
    pub(crate) fn put(&mut self, byte: u8, newline_out: bool) -> bool {
        let wants_return = byte == b'\n' && newline_out;
        if self.room() < 1 + usize::from(wants_return) {
            return false;
        }
        if wants_return {
            self.push(b'\r');
        }
        self.push(byte);
        true
    }

    fn push(&mut self, byte: u8) {
        self.queue.push_back(byte);
        self.column = after(self.column, byte);
        if matches!(byte, b'\r' | b'\n') {
            self.start = self.column;
        }
    }

    /// Puts bytes all or not at all: half of a group would leave the cursor where nobody expects it.
    pub(crate) fn put_all(&mut self, bytes: &[u8]) {
        if self.room() >= bytes.len() {
            for &byte in bytes {
                self.put(byte, false);
            }
        }
    }

    /// Moves back over a tab. What is left of the line takes `columns` columns, counted from its last tab if it has
    /// one.
    pub(crate) fn erase_tab(&mut self, columns: usize, after_tab: bool) {
        let before = columns + if after_tab { 0 } else { self.start };
        self.put_all(&[8; TAB][..TAB - before % TAB]);
    }
}

/// The column after a byte.
fn after(column: usize, byte: u8) -> usize {
    match byte {
        b'\r' => 0,
        b'\t' => column.saturating_add(TAB - column % TAB),
        8 => column.saturating_sub(1),
        _ if is_control(byte) || is_continuation(byte) => column,
        _ => column.saturating_add(1),
    }
}

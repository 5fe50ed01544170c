//! Printing.

use core::fmt;

use abi::start::slot;
use syscall::debug_write;

const CAPACITY: usize = 256;

/// Collects text and gives it to the kernel in pieces; what is left goes when the value is dropped.
pub struct Console {
    text: [u8; CAPACITY],
    len: usize,
}

impl Default for Console {
    fn default() -> Self {
        Self {
            text: [0; CAPACITY],
            len: 0,
        }
    }
}

impl Console {
    fn flush(&mut self) -> fmt::Result {
        let len = core::mem::take(&mut self.len);
        if len == 0 {
            return Ok(());
        }
        debug_write(slot::MACHINE, &self.text[..len])
            .map(|_| ())
            .map_err(|_| fmt::Error)
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The kernel takes whole characters only.
        for character in text.chars() {
            if self.len + character.len_utf8() > CAPACITY {
                self.flush()?;
            }
            self.len += character.encode_utf8(&mut self.text[self.len..]).len();
        }
        Ok(())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // There is nowhere to report that the console takes nothing.
        let _ = self.flush();
    }
}

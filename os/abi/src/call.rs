//! How arguments travel in registers.

use core::fmt;

/// How many argument registers a system call has.
pub const ARGUMENTS: usize = 6;

/// Bytes that the kernel reads from the caller's memory. Nothing is checked yet: the kernel does that when it copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserBytes {
    /// Address in the caller's address space.
    pub addr: u64,
    /// Length in bytes.
    pub len: u64,
}

/// Room in the caller's memory that the kernel writes to. Nothing is checked yet: the kernel does that when it copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserBuffer {
    /// Address in the caller's address space.
    pub addr: u64,
    /// Length in bytes.
    pub len: u64,
}

/// What a documented argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// One register.
    Number,
    /// Two registers: address and length of bytes that the kernel reads.
    Bytes,
    /// Two registers: address and length of room that the kernel writes to.
    Buffer,
}

impl fmt::Display for ArgumentKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Number => "number",
            Self::Bytes => "bytes (address, length)",
            Self::Buffer => "buffer (address, length)",
        })
    }
}

/// One argument of a system call.
#[derive(Clone, Copy, Debug)]
pub struct ArgumentSpec {
    /// Its name in the stub and in the reference.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgumentKind,
}

/// The argument registers of one call, read from left to right.
#[derive(Clone, Debug)]
pub struct Registers {
    values: [u64; ARGUMENTS],
    used: usize,
}

impl Registers {
    /// Starts at the first argument.
    pub const fn new(values: [u64; ARGUMENTS]) -> Self {
        Self { values, used: 0 }
    }

    /// The next register; zero behind the last one, which the table's test rules out.
    fn next(&mut self) -> u64 {
        let value = self.values.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        value
    }
}

/// An argument that can be read from registers, and says what it is for the reference.
pub(crate) trait Argument {
    /// What the reference calls it.
    const KIND: ArgumentKind;

    /// Takes as many registers as the argument has.
    fn take(registers: &mut Registers) -> Self;
}

impl Argument for u64 {
    const KIND: ArgumentKind = ArgumentKind::Number;

    fn take(registers: &mut Registers) -> Self {
        registers.next()
    }
}

impl Argument for UserBytes {
    const KIND: ArgumentKind = ArgumentKind::Bytes;

    fn take(registers: &mut Registers) -> Self {
        Self {
            addr: registers.next(),
            len: registers.next(),
        }
    }
}

impl Argument for UserBuffer {
    const KIND: ArgumentKind = ArgumentKind::Buffer;

    fn take(registers: &mut Registers) -> Self {
        Self {
            addr: registers.next(),
            len: registers.next(),
        }
    }
}

//! How a program ended.

use core::fmt;

/// What a program did that it was killed for. A newer kernel may tell more apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Fault {
    /// It read an address that it may not read.
    BadRead = 1,
    /// It wrote to an address that it may not write to.
    BadWrite = 2,
    /// It jumped to an address that holds no code of its own.
    BadJump = 3,
    /// It touched the hole below its stack.
    StackOverflow = 4,
    /// It executed an instruction that does not exist or that only the kernel may execute.
    IllegalInstruction = 5,
    /// It used an address that no program can have, or a privileged instruction; x86_64 does not tell these apart.
    Protection = 6,
    /// It divided by zero, or an equivalent.
    Arithmetic = 7,
    /// It accessed memory at an address that is not a multiple of the access size.
    Alignment = 8,
    /// It executed a breakpoint and nothing debugs it.
    Breakpoint = 9,
    /// The CPU reported something else.
    Other = 10,
}

impl Fault {
    /// Every fault, in order.
    pub const ALL: &[Self] = &[
        Self::BadRead,
        Self::BadWrite,
        Self::BadJump,
        Self::StackOverflow,
        Self::IllegalInstruction,
        Self::Protection,
        Self::Arithmetic,
        Self::Alignment,
        Self::Breakpoint,
        Self::Other,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::BadRead => "bad read",
            Self::BadWrite => "bad write",
            Self::BadJump => "bad jump",
            Self::StackOverflow => "stack overflow",
            Self::IllegalInstruction => "illegal instruction",
            Self::Protection => "protection violation",
            Self::Arithmetic => "arithmetic error",
            Self::Alignment => "misaligned access",
            Self::Breakpoint => "breakpoint",
            Self::Other => "unclassified fault",
        })
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It ended by itself, with this code.
    Exited(u32),
    /// It did what it may not do, and was ended for that.
    Killed(Fault),
}

/// Set in the encoded fate of a killed program.
const KILLED: u64 = 1 << 32;

impl Fate {
    /// As one number: the exit code, or bit 32 and the number of the fault.
    pub const fn encode(self) -> u64 {
        match self {
            Self::Exited(code) => code as u64,
            Self::Killed(fault) => KILLED | fault as u64,
        }
    }

    /// Reads [`Self::encode`]'s value; `None` when it is no fate.
    pub fn decode(value: u64) -> Option<Self> {
        if let Ok(code) = u32::try_from(value) {
            return Some(Self::Exited(code));
        }
        Fault::ALL
            .iter()
            .map(|&fault| Self::Killed(fault))
            .find(|fate| fate.encode() == value)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(out, "exited with code {code}"),
            Self::Killed(fault) => write!(out, "killed: {fault}"),
        }
    }
}

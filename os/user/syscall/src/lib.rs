//! System calls: one function for each row of the table in crate `abi`.
#![no_std]

use abi::{ARGUMENTS, Error, Message, SystemCall, Tag, WORDS, decode_result};

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
mod arch;

pub use arch::{illegal_instruction, privileged_instruction};

/// A timeout that never comes.
pub const FOREVER: u64 = u64::MAX;

/// Makes a system call as it is: number and argument registers in, result registers out.
///
/// # Safety
/// The arguments are those of the call: addresses are of memory that the kernel may read, or write where it writes; and
/// what the call does to the program's own memory and threads is what the caller can bear.
pub unsafe fn raw(number: u64, arguments: [u64; ARGUMENTS]) -> [u64; ARGUMENTS] {
    // SAFETY: the caller's promise.
    unsafe { arch::system_call(number, arguments) }
}

/// Type of an argument on this side.
macro_rules! user_type {
    (number) => {
        u64
    };
    (bytes) => {
        &[u8]
    };
    (buffer) => {
        &mut [u8]
    };
}

/// An argument as the registers that carry it.
trait Argument {
    /// Writes the registers and returns the rest.
    fn put(self, registers: &mut [u64]) -> &mut [u64];
}

impl Argument for u64 {
    fn put(self, registers: &mut [u64]) -> &mut [u64] {
        registers[0] = self;
        &mut registers[1..]
    }
}

impl Argument for &[u8] {
    fn put(self, registers: &mut [u64]) -> &mut [u64] {
        registers[0] = self.as_ptr().addr() as u64;
        registers[1] = self.len() as u64;
        &mut registers[2..]
    }
}

impl Argument for &mut [u8] {
    fn put(self, registers: &mut [u64]) -> &mut [u64] {
        registers[0] = self.as_mut_ptr().expose_provenance() as u64;
        registers[1] = self.len() as u64;
        &mut registers[2..]
    }
}

/// What a stub returns: a call that does not come back when it succeeds returns why it failed.
macro_rules! result_type {
    (never) => { Error };
    (message) => { Result<Message, Error> };
    ($text:literal) => { Result<u64, Error> };
}

/// Turns the result registers into what the stub returns.
macro_rules! result_value {
    (never, $registers:expr) => {
        match decode_result($registers[0]) {
            Err(error) => error,
            // Only a kernel that breaks its own ABI gets here.
            Ok(_) => Error::UnknownCall,
        }
    };
    (message, $registers:expr) => {
        decode_result($registers[0]).map(|badge| message(badge, $registers))
    };
    ($text:literal, $registers:expr) => {
        decode_result($registers[0])
    };
}

fn message(badge: u64, [_, tag, words @ ..]: [u64; ARGUMENTS]) -> Message {
    const { assert!(ARGUMENTS == 2 + WORDS) };
    Message {
        badge,
        tag: Tag(tag),
        words,
    }
}

macro_rules! stubs {
    ($($(#[doc = $doc:literal])+ $number:literal $variant:ident $stub:ident
       ($($arg:ident: $kind:ident),*) -> $returns:tt: $($error:ident)*;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// `abi/SYSCALLS.md` says what it returns and which errors it has.
            #[allow(clippy::missing_errors_doc, reason = "the reference lists them")]
            pub fn $stub($($arg: user_type!($kind)),*) -> result_type!($returns) {
                let mut registers = [0; ARGUMENTS];
                let rest = &mut registers[..];
                $(let rest = $arg.put(rest);)*
                let _ = rest;
                // SAFETY: the registers are the arguments of this call, made from slices that are borrowed until it
                // returns: shared where the kernel reads, exclusively where it writes.
                let registers = unsafe { arch::system_call(SystemCall::$variant as u64, registers) };
                result_value!($returns, registers)
            }
        )+
    };
}

abi::with_system_calls!(stubs);

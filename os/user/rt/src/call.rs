//! System calls: one function for each row of the table in crate `abi`.

use abi::{ARGUMENTS, Error, SystemCall, decode_result};

use crate::arch;

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
    ($text:literal) => { Result<u64, Error> };
}

/// Turns the result register into what the stub returns.
macro_rules! result_value {
    (never, $register:expr) => {
        match decode_result($register) {
            Err(error) => error,
            // Only a kernel that breaks its own ABI gets here.
            Ok(_) => Error::UnknownCall,
        }
    };
    ($text:literal, $register:expr) => {
        decode_result($register)
    };
}

macro_rules! stubs {
    ($($(#[doc = $doc:literal])+ $number:literal $variant:ident $stub:ident
       ($($arg:ident: $kind:ident),*) -> $returns:tt: $($error:ident)*;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// `abi/SYSCALLS.md` says what it returns and which errors it has.
            pub fn $stub($($arg: user_type!($kind)),*) -> result_type!($returns) {
                let mut registers = [0; ARGUMENTS];
                let rest = &mut registers[..];
                $(let rest = $arg.put(rest);)*
                let _ = rest;
                // SAFETY: the registers are the arguments of this call, made from slices that are borrowed until it
                // returns: shared where the kernel reads, exclusively where it writes.
                let register = unsafe { arch::system_call(SystemCall::$variant as u64, registers) };
                result_value!($returns, register)
            }
        )+
    };
}

abi::with_system_calls!(stubs);

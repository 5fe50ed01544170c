//! The conditions that `fault` brings about, and what has to become of it.
//!
//! `fault` and `fault-suite` share this list: the argument of `fault` is the number of a condition.
#![no_std]

use abi::{Fate, Fault};

macro_rules! conditions {
    ($($(#[doc = $doc:literal])+ $number:literal $name:ident $text:literal => $($expected:expr),+;)+) => {
        /// What `fault` does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u64)]
        pub enum Condition {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Condition {
            /// Every condition.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The condition with this number.
            pub fn from_number(number: u64) -> Option<Self> {
                Self::ALL.iter().copied().find(|&condition| condition as u64 == number)
            }

            /// Its name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The fates that are right.
            pub const fn expected(self) -> &'static [Fate] {
                match self { $(Self::$name => &[$($expected),+],)+ }
            }
        }
    };
}

/// Argument that makes `fault` work for ever, without a system call.
pub const BUSY_LOOP: u64 = 100;

const READ: Fate = Fate::Killed(Fault::BadRead);
const WRITE: Fate = Fate::Killed(Fault::BadWrite);
const JUMP: Fate = Fate::Killed(Fault::BadJump);
const ILLEGAL: Fate = Fate::Killed(Fault::IllegalInstruction);

conditions! {
    /// Nothing: returns 42.
    0 Exit "exit" => Fate::Exited(42);
    /// Reads the first byte of the kernel's code.
    1 KernelRead "kernel-read" => READ;
    /// Writes to the kernel's code.
    2 KernelWrite "kernel-write" => WRITE;
    /// Calls into the kernel's code.
    3 KernelJump "kernel-jump" => JUMP;
    /// Reads physical memory where the kernel maps it.
    4 PhysicalMapRead "physical-map-read" => READ;
    /// Reads address 0.
    5 NullRead "null-read" => READ;
    /// Writes to address 0.
    6 NullWrite "null-write" => WRITE;
    /// Jumps to an address where nothing is mapped.
    7 WildJump "wild-jump" => JUMP;
    /// Executes an instruction that no CPU has.
    8 IllegalInstruction "illegal-instruction" => ILLEGAL;
    /// Executes an instruction that only the kernel may execute. x86_64 calls that a protection violation.
    9 PrivilegedInstruction "privileged-instruction" => ILLEGAL, Fate::Killed(Fault::Protection);
    /// Calls itself until the stack is used up.
    10 StackOverflow "stack-overflow" => Fate::Killed(Fault::StackOverflow);
    /// Writes to its own code.
    11 CodeWrite "code-write" => WRITE;
    /// Writes to its own constants.
    12 ConstantWrite "constant-write" => WRITE;
    /// Jumps to its own data.
    13 DataJump "data-jump" => JUMP;
    /// Jumps to its own stack.
    14 StackJump "stack-jump" => JUMP;
    /// Gives the kernel bad pointers, numbers and texts; it gets error numbers and lives.
    15 BadArguments "bad-arguments" => Fate::Exited(0);
    /// Asks for power-off, without the right to it.
    16 PowerOff "power-off" => Fate::Exited(0);
    /// Panics.
    17 Panic "panic" => Fate::Exited(101);
    /// Reads an address that is not in any program's half nor in the kernel's, or is unmapped in both.
    18 HoleRead "hole-read" => READ, Fate::Killed(Fault::Protection);
}

//! The reference page, written from the tables.

use core::fmt;

use crate::call::ArgumentKind;
use crate::error::Error;
use crate::fate::Fault;
use crate::table::{SYSTEM_CALLS, SystemCallSpec};

/// Displays as the Markdown text of `SYSCALLS.md`.
#[derive(Clone, Copy, Debug)]
pub struct Reference;

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HEAD)?;
        for spec in SYSTEM_CALLS {
            call(out, spec)?;
        }
        out.write_str("\n## Error numbers\n\n| number | name | meaning |\n| --- | --- | --- |\n")?;
        for error in Error::ALL {
            writeln!(
                out,
                "| {} | `{}` | {} |",
                error.number(),
                error.name(),
                error.meaning().trim()
            )?;
        }
        out.write_str(FAULTS)?;
        for &fault in Fault::ALL {
            writeln!(out, "| {} | {fault} |", fault as u8)?;
        }
        Ok(())
    }
}

fn call(out: &mut fmt::Formatter<'_>, spec: &SystemCallSpec) -> fmt::Result {
    writeln!(out, "\n## {}: `{}`\n", spec.call as u64, spec.name)?;
    for line in spec.doc {
        writeln!(out, "{}", line.trim())?;
    }
    out.write_str("\n| argument | register | kind |\n| --- | --- | --- |\n")?;
    let mut register = 0;
    for argument in spec.arguments {
        let width = if argument.kind == ArgumentKind::Number {
            1
        } else {
            2
        };
        let last = register + width - 1;
        if width == 1 {
            writeln!(out, "| `{}` | {register} | {} |", argument.name, argument.kind)?;
        } else {
            writeln!(
                out,
                "| `{}` | {register}, {last} | {} |",
                argument.name, argument.kind
            )?;
        }
        register += width;
    }
    if spec.arguments.is_empty() {
        out.write_str("| none | | |\n")?;
    }
    writeln!(out, "\nReturns: {}.", spec.returns)?;
    if !spec.errors.is_empty() {
        out.write_str("\nErrors:")?;
        for (index, error) in spec.errors.iter().enumerate() {
            write!(out, "{} `{}`", if index == 0 { "" } else { "," }, error.name())?;
        }
        out.write_str(".\n")?;
    }
    Ok(())
}

const HEAD: &str = "\
# System calls

Written by `cargo run -p abi --example reference` from the table in `src/table.rs`; a test compares the two.

| architecture | instruction | number | argument registers 0 to 5 | result registers 0 to 5 |
| --- | --- | --- | --- | --- |
| x86_64 | `syscall` | `rax` | `rdi` `rsi` `rdx` `r10` `r8` `r9` | `rax` `rsi` `rdx` `r10` `r8` `r9` (`rcx` and `r11` are lost) |
| aarch64 | `svc #0` | `x8` | `x0` `x1` `x2` `x3` `x4` `x5` | `x0` `x1` `x2` `x3` `x4` `x5` |
| riscv64 | `ecall` | `a7` | `a0` `a1` `a2` `a3` `a4` `a5` | `a0` `a1` `a2` `a3` `a4` `a5` |

Result register 0 holds a value below 2^63, or a negated error number. A call that returns a message puts the badge there,
the tag into result register 1 and the words into 2 to 5; the others change result register 0 alone. Every call can return
`UnknownCall`. A program starts with its argument in argument register 0 and its stack pointer at the top of its stack.

## Tags

| bits | meaning |
| --- | --- |
| 0 to 31 | label: sender and receiver agree on it |
| 32 | carries a capability: word 3 is the slot it comes from, on receipt the slot it went to |
| 33 | on sending: the capability is moved, not copied; on receipt: the sender waits for a reply |
| 34 | on receipt: no message but a notification; word 0 has its bits |
| 35 | on receipt: the kernel reports a fault; the words are fault number, address, program counter, stack pointer |
";

const FAULTS: &str = "
## Faults

What a thread has done that its handler is told about:

| number | fault |
| --- | --- |
";

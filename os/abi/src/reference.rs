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
        out.write_str(FATES)?;
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

| architecture | instruction | number | argument registers 0 to 5 | result |
| --- | --- | --- | --- | --- |
| x86_64 | `syscall` | `rax` | `rdi` `rsi` `rdx` `r10` `r8` `r9` | `rax` (`rcx` and `r11` are lost) |
| aarch64 | `svc #0` | `x8` | `x0` `x1` `x2` `x3` `x4` `x5` | `x0` |
| riscv64 | `ecall` | `a7` | `a0` `a1` `a2` `a3` `a4` `a5` | `a0` |

The result register holds a value below 2^63, or a negated error number. Every call can return `UnknownCall`. A program
starts with its argument in argument register 0 and its stack pointer at the top of its stack.
";

const FATES: &str = "
## Fates

`wait` returns the exit code of a program that called `exit`. Of a program that the kernel killed it returns 2^32 plus the
number of the fault:

| number | fault |
| --- | --- |
";

//! The standard commands with the behaviour of GNU's for the options that each one lists.
//!
//! A command is a [`Spec`]: its table of options drives both the parser and `--help`. Contents of files are bytes, names
//! of files are UTF-8. An operand that fails is reported and the next one is taken; the exit status tells of it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod commands;
mod input;
mod man_page;
mod number;
mod output;
mod regex;
mod spec;

use alloc::string::String;
use alloc::vec::Vec;

pub use commands::COMMANDS;
pub use man_page::ManPage;
pub use spec::{Opt, Spec, Style};

use output::Out;
use spec::{Invocation, Parsed};

/// Status of a wrong use of a command.
const WRONG_USE: u32 = 2;

/// Why a command ends early.
enum Stop {
    /// Standard output takes nothing more.
    Output(rt::io::Error),
    /// The command line makes no sense; ends with status 2 and a hint.
    Usage(String),
    /// Ends with this status and message.
    Fatal(u32, String),
}

impl From<rt::io::Error> for Stop {
    fn from(error: rt::io::Error) -> Self {
        Self::Output(error)
    }
}

/// How a command ended: its exit status, or why it could not go on.
type Run = Result<u32, Stop>;

/// Runs the command that the arguments name and returns its exit status.
pub fn main(args: Vec<String>) -> u32 {
    let mut args = args.into_iter();
    let mut called = args.next().unwrap_or_default();
    if base(&called) == "coreutils" {
        match args.next() {
            Some(name) if name != "--help" => called = name,
            other => return list(other.is_some()),
        }
    }
    let name = base(&called);
    match COMMANDS.iter().find(|spec| spec.name == name) {
        Some(spec) => run(spec, args.collect()),
        None => {
            rt::eprintln!("coreutils: no command is called {name}");
            rt::eprintln!("Try 'coreutils --help' for the commands.");
            127
        }
    }
}

/// The last component of a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn list(asked: bool) -> u32 {
    let mut text =
        String::from("Usage: coreutils COMMAND [ARGUMENT]...\n\nThe commands, each with --help:\n");
    for spec in COMMANDS {
        text.push_str(&alloc::format!("  {:<10} {}\n", spec.name, spec.summary));
    }
    if asked {
        let mut out = Out::new();
        return u32::from(out.put(text.as_bytes()).and_then(|()| out.flush()).is_err());
    }
    rt::eprint!("{text}");
    WRONG_USE
}

fn run(spec: &'static Spec, args: Vec<String>) -> u32 {
    let mut out = Out::new();
    let result = match Parsed::new(spec, args) {
        Ok(Parsed::Help) => out.put(spec.help().as_bytes()).map(|()| 0),
        Ok(Parsed::Run(options, operands)) => {
            let mut invocation = Invocation::new(spec, options, operands);
            (spec.run)(&mut invocation, &mut out).map(|status| status.max(invocation.failed()))
        }
        Err(reason) => Err(Stop::Usage(reason)),
    };
    let flushed = out.flush();
    let name = spec.name;
    match result.and_then(|status| flushed.map(|()| status)) {
        Ok(status) => status,
        // Whoever read the output wants no more of it, as `head` does: nothing to complain of.
        Err(Stop::Output(error)) if error.kind() == rt::io::ErrorKind::BrokenPipe => 1,
        Err(Stop::Output(error)) => {
            rt::eprintln!("{name}: write error: {error}");
            spec.trouble
        }
        Err(Stop::Usage(reason)) => {
            rt::eprintln!("{name}: {reason}");
            rt::eprintln!("Try '{name} --help' for more information.");
            WRONG_USE
        }
        Err(Stop::Fatal(status, reason)) => {
            rt::eprintln!("{name}: {reason}");
            status
        }
    }
}

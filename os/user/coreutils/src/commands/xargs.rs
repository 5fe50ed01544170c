//! `xargs`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use rt::process::{Command, Stdio};

use super::env::{find, run as run_command};
use crate::input::{Input, PIECE};
use crate::output::Out;
use crate::spec::{Invocation, Spec, Style, flag, value};
use crate::{Run, Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "xargs",
    usage: &["[OPTION]... [COMMAND [ARGUMENT]...]"],
    summary: "Runs a command with words of standard input as further arguments",
    options: &[
        value('n', "max-args", "N", "give each command at most N of them"),
        flag('0', "null", "they end with NUL bytes, and quotes mean nothing"),
        flag('r', "no-run-if-empty", "run nothing if there are none"),
    ],
    style: Style::First,
    notes: "Words are separated by white space; '...', \"...\" and a backslash keep it within one. Without a COMMAND it\n\
            is echo. A command gets at most 64 KiB of words.",
    status: &[
        ("0", "all went well"),
        ("1", "something failed; 2 for wrong use"),
        ("123", "a command ended with a status from 1 to 125"),
        ("124", "a command ended with status 255"),
        ("126", "the command could not be started"),
        ("127", "the command was not found"),
    ],
    trouble: 1,
    run,
};

/// How many bytes of words one command gets.
const MOST: usize = 64 * 1024;

fn run(invocation: &mut Invocation, _: &mut Out) -> Run {
    let most = match invocation.value('n') {
        None => usize::MAX,
        Some(text) => match number::count(text).and_then(|n| usize::try_from(n).ok()) {
            Some(n) if n > 0 => n,
            _ => return Err(Stop::Fatal(1, format!("{text}: not a number from 1 on"))),
        },
    };
    let mut bytes = Vec::new();
    let mut input = Input::open("-")?;
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => bytes.extend_from_slice(&piece[..len]),
            Err(error) => return Err(Stop::Fatal(1, format!("standard input: {error}"))),
        }
    }
    let words = if invocation.has('0') {
        by_nul(&bytes)
    } else {
        split(&bytes).map_err(|reason| Stop::Fatal(1, reason))?
    };
    let mut command = core::mem::take(&mut invocation.operands);
    if command.is_empty() {
        command.push("echo".to_string());
    }
    if words.is_empty() {
        return if invocation.has('r') {
            Ok(0)
        } else {
            start(&command, &[])
        };
    }
    let mut status = 0;
    let mut rest = &words[..];
    while !rest.is_empty() {
        let mut size = 0;
        let fits = rest.iter().take(most).take_while(|word| {
            size += word.len() + 1;
            size <= MOST
        });
        // A word that is too long for itself is tried all the same.
        let (now, later) = rest.split_at(fits.count().max(1));
        rest = later;
        match start(&command, now)? {
            0 => {}
            255 => return Err(Stop::Fatal(124, format!("{}: ended with status 255", command[0]))),
            code @ 129.. => {
                return Err(Stop::Fatal(
                    125,
                    format!("{}: ended by signal {}", command[0], code - 128),
                ));
            }
            _ => status = 123,
        }
    }
    Ok(status)
}

fn start(command: &[String], words: &[String]) -> Run {
    let mut process = Command::new(find(&command[0], rt::env::var("PATH").as_deref()));
    process
        .arg0(command[0].as_str())
        .args(&command[1..])
        .args(words)
        .stdin(Stdio::Null);
    run_command(&command[0], &mut process)
}

fn word(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn by_nul(bytes: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = bytes.split(|&byte| byte == 0).map(word).collect();
    if words.last().is_some_and(String::is_empty) {
        words.pop();
    }
    words
}

fn split(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(open.take().map(|bytes| word(&bytes))),
            b'\'' | b'"' => {
                let text = open.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some(&other) if other == byte => break,
                        Some(b'\n') | None => return Err(format!("a quote is open: {}", char::from(byte))),
                        Some(&other) => text.push(other),
                    }
                }
            }
            b'\\' => open.get_or_insert_default().extend(rest.next()),
            byte => open.get_or_insert_default().push(byte),
        }
    }
    words.extend(open.map(|bytes| word(&bytes)));
    Ok(words)
}

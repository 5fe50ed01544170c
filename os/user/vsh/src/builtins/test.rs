//! `test` and `[`.

use core::cmp::Ordering;

use rt::fs::{File, FileKind, Metadata, metadata};

use crate::prelude::*;
use crate::shell::{Run, Shell, USAGE};

pub(super) fn test(shell: &mut Shell, arguments: &[String]) -> Run {
    Ok(answer(shell, &arguments[0], &arguments[1..]))
}

pub(super) fn bracket(shell: &mut Shell, arguments: &[String]) -> Run {
    match arguments {
        [name, expression @ .., last] if last == "]" => Ok(answer(shell, name, expression)),
        _ => {
            shell.report(format_args!("[: missing `]'"));
            Ok(USAGE)
        }
    }
}

fn answer(shell: &Shell, name: &str, arguments: &[String]) -> u32 {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match evaluate(shell, &arguments) {
        Ok(truth) => u32::from(!truth),
        Err(problem) => {
            shell.report(format_args!("{name}: {problem}"));
            USAGE
        }
    }
}

type Answer = Result<bool, String>;

/// With up to four arguments their number decides what is what, so that any text can be tested.
fn evaluate(shell: &Shell, arguments: &[&str]) -> Answer {
    match *arguments {
        [] => Ok(false),
        [text] => Ok(!text.is_empty()),
        ["!", text] => Ok(text.is_empty()),
        [operator, operand] if is_unary(operator) => unary(shell, operator, operand),
        [left, operator, right] if is_binary(operator) => binary(left, operator, right),
        [left, "-a", right] => Ok(!left.is_empty() && !right.is_empty()),
        [left, "-o", right] => Ok(!left.is_empty() || !right.is_empty()),
        ["!", ref rest @ ..] if rest.len() <= 3 => evaluate(shell, rest).map(|truth| !truth),
        ["(", ref inner @ .., ")"] if inner.len() <= 2 => evaluate(shell, inner),
        _ => {
            let mut rest = arguments;
            let truth = or(shell, &mut rest)?;
            match rest.first() {
                None => Ok(truth),
                Some(extra) => Err(format!("{extra}: unexpected")),
            }
        }
    }
}

fn or(shell: &Shell, rest: &mut &[&str]) -> Answer {
    let mut truth = and(shell, rest)?;
    while let ["-o", later @ ..] = *rest {
        *rest = later;
        truth |= and(shell, rest)?;
    }
    Ok(truth)
}

fn and(shell: &Shell, rest: &mut &[&str]) -> Answer {
    let mut truth = primary(shell, rest)?;
    while let ["-a", later @ ..] = *rest {
        *rest = later;
        truth &= primary(shell, rest)?;
    }
    Ok(truth)
}

fn primary(shell: &Shell, rest: &mut &[&str]) -> Answer {
    // Any number of them in a loop: each level of recursion takes stack.
    let mut negated = false;
    while let ["!", later @ ..] = *rest
        && !later.is_empty()
    {
        negated = !negated;
        *rest = later;
    }
    let truth = match **rest {
        [left, operator, right, ref later @ ..] if is_binary(operator) => {
            *rest = later;
            binary(left, operator, right)
        }
        ["(", ref later @ ..] => {
            let depth = |text: &&str| match *text {
                "(" => 1,
                ")" => -1,
                _ => 0,
            };
            let mut open = 1_i32;
            let end = later.iter().position(|text| {
                open += depth(text);
                open == 0
            });
            let end = end.ok_or("missing `)'")?;
            let (inner, after) = later.split_at(end);
            *rest = &after[1..];
            if rest.len() + inner.len() > 200 {
                return Err("too many arguments".into());
            }
            evaluate(shell, inner)
        }
        [operator, operand, ref later @ ..] if is_unary(operator) => {
            *rest = later;
            unary(shell, operator, operand)
        }
        [text, ref later @ ..] => {
            *rest = later;
            Ok(!text.is_empty())
        }
        [] => Err("argument expected".into()),
    }?;
    Ok(truth != negated)
}

fn is_unary(operator: &str) -> bool {
    matches!(
        operator,
        "-b" | "-c" | "-d" | "-e" | "-f" | "-n" | "-p" | "-r" | "-s" | "-t" | "-w" | "-x" | "-z"
    )
}

fn unary(shell: &Shell, operator: &str, operand: &str) -> Answer {
    let is = |test: fn(&Metadata) -> bool| metadata(operand).is_ok_and(|metadata| test(&metadata));
    Ok(match operator {
        "-n" => !operand.is_empty(),
        "-z" => operand.is_empty(),
        "-t" => {
            let descriptor =
                u32::try_from(integer(operand)?).map_err(|_| format!("{operand}: bad descriptor"))?;
            shell
                .state
                .streams
                .get(descriptor)
                .is_ok_and(crate::stream::Stream::is_terminal)
        }
        "-e" => is(|_| true),
        "-f" => is(|metadata| metadata.kind == FileKind::File),
        "-d" => is(|metadata| metadata.kind == FileKind::Directory),
        // Devices are not told apart.
        "-b" | "-c" => is(|metadata| metadata.kind == FileKind::Device),
        "-p" => is(|metadata| metadata.kind == FileKind::Pipe),
        "-s" => is(|metadata| metadata.len > 0),
        "-x" => is(|metadata| metadata.executable),
        // Who may do what, the file system knows best.
        "-r" => is(|metadata| metadata.kind == FileKind::Pipe) || File::open(operand).is_ok(),
        _ => {
            is(|metadata| matches!(metadata.kind, FileKind::Directory | FileKind::Pipe))
                || File::options().append(true).open(operand).is_ok()
        }
    })
}

fn is_binary(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "==" | "!=" | "<" | ">" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge"
    )
}

fn binary(left: &str, operator: &str, right: &str) -> Answer {
    if !operator.starts_with('-') {
        let order = left.cmp(right);
        return Ok(match operator {
            "=" | "==" => order == Ordering::Equal,
            "!=" => order != Ordering::Equal,
            "<" => order == Ordering::Less,
            _ => order == Ordering::Greater,
        });
    }
    let order = integer(left)?.cmp(&integer(right)?);
    Ok(match operator {
        "-eq" => order == Ordering::Equal,
        "-ne" => order != Ordering::Equal,
        "-lt" => order == Ordering::Less,
        "-le" => order != Ordering::Greater,
        "-gt" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn integer(text: &str) -> Result<i64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("{text}: integer expected"))
}

//! `test` and `[`.

use alloc::format;
use alloc::string::{String, ToString};

use rt::fs::{FileKind, OpenOptions};

use crate::spec::{Spec, Style};
use crate::{Run, Stop};

const NOTES: &str = "\
Expressions, from what binds least:
  A -o B, A -a B, ! A, ( A )
  -n TEXT, TEXT           it is not empty         -z TEXT        it is empty
  A = B, A == B, A != B   texts                   A < B, A > B   order of texts
  A -eq B                 integers, so -ne -lt -le -gt -ge
  -e FILE                 it exists               -s FILE        it exists and is not empty
  -f -d -p -c -b FILE     it is a file, directory, pipe, device (-c and -b are the same)
  -r -w FILE              it can be opened for reading, writing, or is no plain file
  -x FILE                 it may be executed, or is a directory
  -L -h FILE              never: there are no symbolic links
  A -ef B                 both names are of one file
  -t NUMBER               this stream (0, 1 or 2) is a terminal";

const STATUS: &[(&str, &str)] = &[
    ("0", "the expression is true"),
    ("1", "it is false"),
    ("2", "it makes no sense"),
];

pub(crate) static TEST: Spec = Spec {
    name: "test",
    usage: &["[EXPRESSION]"],
    summary: "Tells by its exit status whether an expression is true",
    options: &[],
    style: Style::Raw,
    notes: NOTES,
    status: STATUS,
    trouble: 2,
    run: |invocation, _| evaluate(&invocation.operands),
};

pub(crate) static BRACKET: Spec = Spec {
    name: "[",
    usage: &["[EXPRESSION] ]"],
    summary: "Tells by its exit status whether an expression is true",
    options: &[],
    style: Style::Raw,
    notes: NOTES,
    status: STATUS,
    trouble: 2,
    run: |invocation, _| match invocation.operands.split_last() {
        Some((last, rest)) if last == "]" => evaluate(rest),
        _ => Err(wrong("] is missing".to_string())),
    },
};

fn wrong(reason: String) -> Stop {
    Stop::Fatal(2, reason)
}

fn evaluate(words: &[String]) -> Run {
    Ok(u32::from(!by_count(words)?))
}

/// With up to four words their number decides, so that no text is taken for an operator.
fn by_count(words: &[String]) -> Result<bool, Stop> {
    match words {
        [] => Ok(false),
        [text] => Ok(!text.is_empty()),
        [not, text] if not == "!" => Ok(text.is_empty()),
        [operator, text] => unary(operator, text)
            .unwrap_or_else(|| Err(wrong(format!("{operator}: no such operator with one operand")))),
        [a, operator, b] if is_binary(operator) => binary(a, operator, b),
        [a, operator, b] if operator == "-a" => Ok(!a.is_empty() && !b.is_empty()),
        [a, operator, b] if operator == "-o" => Ok(!a.is_empty() || !b.is_empty()),
        [not, rest @ ..] if not == "!" && words.len() <= 4 => by_count(rest).map(|value| !value),
        [open, text, close] if open == "(" && close == ")" => Ok(!text.is_empty()),
        [_, operator, _] => Err(wrong(format!("{operator}: no such operator with two operands"))),
        [open, a, b, close] if open == "(" && close == ")" => by_count(&[a.clone(), b.clone()]),
        words => {
            let mut parser = Parser { words, depth: 0 };
            let value = parser.or()?;
            match parser.words.first() {
                Some(word) => Err(wrong(format!("{word}: it was not expected here"))),
                None => Ok(value),
            }
        }
    }
}

/// Parentheses in parentheses, for each of which the parser recurs.
const MAX_DEPTH: usize = 50;

struct Parser<'a> {
    words: &'a [String],
    depth: usize,
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<bool, Stop> {
        let mut value = self.and()?;
        while self.take("-o") {
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, Stop> {
        let mut value = self.not()?;
        while self.take("-a") {
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, Stop> {
        let mut value = true;
        while self.take("!") {
            value = !value;
        }
        Ok(self.primary()? == value)
    }

    fn primary(&mut self) -> Result<bool, Stop> {
        if let [a, operator, b, rest @ ..] = self.words
            && is_binary(operator)
        {
            self.words = rest;
            return binary(a, operator, b);
        }
        if self.take("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(wrong("too many parentheses in parentheses".to_string()));
            }
            let value = self.or()?;
            self.depth -= 1;
            if !self.take(")") {
                return Err(wrong(") is missing".to_string()));
            }
            return Ok(value);
        }
        if let [operator, text, rest @ ..] = self.words
            && let Some(value) = unary(operator, text)
        {
            self.words = rest;
            return value;
        }
        match self.words {
            [text, rest @ ..] => {
                self.words = rest;
                Ok(!text.is_empty())
            }
            [] => Err(wrong("an operand is missing at the end".to_string())),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words {
            [first, rest @ ..] if first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

fn is_binary(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "==" | "!=" | "<" | ">" | "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" | "-ef"
    )
}

fn binary(a: &str, operator: &str, b: &str) -> Result<bool, Stop> {
    Ok(match operator {
        "=" | "==" => a == b,
        "!=" => a != b,
        "<" => a < b,
        ">" => a > b,
        "-ef" => match (rt::fs::canonicalize(a), rt::fs::canonicalize(b)) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        },
        _ => {
            let (a, b) = (integer(a)?, integer(b)?);
            match operator {
                "-eq" => a == b,
                "-ne" => a != b,
                "-lt" => a < b,
                "-le" => a <= b,
                "-gt" => a > b,
                _ => a >= b,
            }
        }
    })
}

fn integer(text: &str) -> Result<i128, Stop> {
    text.trim_matches([' ', '\t'])
        .parse()
        .map_err(|_| wrong(format!("{text}: not an integer")))
}

fn unary(operator: &str, text: &str) -> Option<Result<bool, Stop>> {
    let kind = |kind| rt::fs::metadata(text).is_ok_and(|metadata| metadata.kind == kind);
    Some(Ok(match operator {
        "-n" => !text.is_empty(),
        "-z" => text.is_empty(),
        "-e" => rt::fs::metadata(text).is_ok(),
        "-s" => rt::fs::metadata(text).is_ok_and(|metadata| metadata.len > 0 || metadata.is_dir()),
        "-f" => kind(FileKind::File),
        "-d" => kind(FileKind::Directory),
        "-p" => kind(FileKind::Pipe),
        "-c" | "-b" => kind(FileKind::Device),
        "-L" | "-h" => false,
        // Only files are opened: a pipe would make it wait, and a device could do anything.
        "-r" | "-w" if rt::fs::metadata(text).is_ok_and(|metadata| !metadata.is_file()) => true,
        "-r" => OpenOptions::new().read(true).open(text).is_ok(),
        "-w" => OpenOptions::new().write(true).open(text).is_ok(),
        "-x" => rt::fs::metadata(text).is_ok_and(|metadata| metadata.executable || metadata.is_dir()),
        "-t" => match integer(text) {
            Ok(0) => rt::io::stdin().is_terminal(),
            Ok(1) => rt::io::stdout().is_terminal(),
            Ok(2) => rt::io::stderr().is_terminal(),
            Ok(_) => false,
            Err(stop) => return Some(Err(stop)),
        },
        _ => return None,
    }))
}

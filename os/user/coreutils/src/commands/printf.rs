//! `printf`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::escape::{Octal, one, unescape};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "printf",
    usage: &["FORMAT [ARGUMENT]..."],
    summary: "Prints arguments as a format says",
    options: &[],
    style: Style::Raw,
    notes: "The format has escapes as in `echo -e` (octal: \\NNN) and conversions %d %i %u %o %x %X %c %s %b %% with\n\
            flags - + space 0 #, width and precision, each a number or *. It is used again as long as there are\n\
            arguments; missing ones are empty or 0. A number may be octal (017), hexadecimal (0x1f) or a character ('a).\n\
            There are no conversions of floating-point numbers.",
    status: STATUS,
    trouble: 1,
    run,
};

/// The arguments that have not been used, and what was wrong with those that have.
struct Arguments<'a> {
    rest: &'a [String],
    wrong: Vec<String>,
}

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let operands = core::mem::take(&mut invocation.operands);
    let operands = match operands.first() {
        Some(first) if first == "--" => &operands[1..],
        _ => &operands[..],
    };
    let Some((format, rest)) = operands.split_first() else {
        return Err(Stop::Usage("no format was given".to_string()));
    };
    let mut arguments = Arguments {
        rest,
        wrong: Vec::new(),
    };
    let mut text = Vec::new();
    loop {
        let before = arguments.rest.len();
        let more = once(format.as_bytes(), &mut arguments, &mut text);
        out.put(&text)?;
        text.clear();
        for wrong in arguments.wrong.drain(..) {
            invocation.complain(wrong);
        }
        match more {
            Err(reason) => return Err(Stop::Fatal(1, reason)),
            Ok(more) if !more || arguments.rest.is_empty() => return Ok(0),
            Ok(_) if arguments.rest.len() == before => {
                invocation.warn(&arguments.rest[0], "the format has no place for this");
                return Ok(0);
            }
            Ok(_) => {}
        }
    }
}

impl<'a> Arguments<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn number(&mut self) -> i128 {
        let Some(text) = self.next() else { return 0 };
        if let Some(character) = text.strip_prefix(['\'', '"']) {
            return i128::from(character.bytes().next().unwrap_or(0));
        }
        let (value, len) = number(text);
        if len < text.len() || text.is_empty() {
            self.wrong.push(format!("{text}: not a number"));
        }
        value
    }
}

/// A number as in C at the start of a text, and how long it is.
fn number(text: &str) -> (i128, usize) {
    let sign = text.starts_with(['-', '+']);
    let digits = &text[usize::from(sign)..];
    let (radix, prefix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, 2),
        [b'0', ..] => (8, 0),
        _ => (10, 0),
    };
    let mut value = 0i128;
    let mut len = 0;
    for digit in digits[prefix..].chars().map_while(|c| c.to_digit(radix)) {
        value = value
            .saturating_mul(i128::from(radix))
            .saturating_add(i128::from(digit));
        len += 1;
    }
    if len == 0 {
        return (0, 0);
    }
    let value = if text.starts_with('-') { -value } else { value };
    (value, usize::from(sign) + prefix + len)
}

/// A conversion: its flags, width and precision.
#[derive(Default)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Goes through the format once. False if `\c` ended the output.
fn once(format: &[u8], arguments: &mut Arguments<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
    let mut rest = format;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'\\' => match one(tail, Octal::Plain) {
                Some((None, _)) => return Ok(false),
                Some((Some(byte), len)) => {
                    out.push(byte);
                    rest = &tail[len..];
                }
                // A quote may be written with a backslash too.
                None if tail.first() == Some(&b'"') => {
                    out.push(b'"');
                    rest = &tail[1..];
                }
                None => out.push(b'\\'),
            },
            b'%' if tail.first() == Some(&b'%') => {
                out.push(b'%');
                rest = &tail[1..];
            }
            b'%' => {
                let (conversion, len) = parse(tail, arguments);
                let letter = tail.get(len).copied().unwrap_or(b' ');
                if !convert(&conversion, letter, arguments, out)? {
                    return Ok(false);
                }
                rest = &tail[len + 1..];
            }
            byte => out.push(byte),
        }
    }
    Ok(true)
}

fn parse(text: &[u8], arguments: &mut Arguments<'_>) -> (Conversion, usize) {
    let mut conversion = Conversion::default();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'-' => conversion.left = true,
            b'+' => conversion.plus = true,
            b' ' => conversion.space = true,
            b'0' => conversion.zero = true,
            b'#' => conversion.alternate = true,
            _ => break,
        }
        at += 1;
    }
    let mut size = |at: &mut usize| {
        if text.get(*at) == Some(&b'*') {
            *at += 1;
            return arguments.number();
        }
        let mut value = 0i128;
        while let Some(digit @ b'0'..=b'9') = text.get(*at) {
            value = (value * 10 + i128::from(digit - b'0')).min(1 << 30);
            *at += 1;
        }
        value
    };
    let width = size(&mut at);
    conversion.left |= width < 0;
    conversion.width = width.unsigned_abs().min(1 << 30) as usize;
    if text.get(at) == Some(&b'.') {
        at += 1;
        conversion.precision = usize::try_from(size(&mut at)).ok();
    }
    (conversion, at)
}

fn convert(
    conversion: &Conversion,
    letter: u8,
    arguments: &mut Arguments<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, String> {
    let mut more = true;
    let text = match letter {
        b's' => arguments.next().unwrap_or("").as_bytes().to_vec(),
        b'b' => {
            let mut text = Vec::new();
            more = unescape(arguments.next().unwrap_or("").as_bytes(), Octal::Both, &mut text);
            text
        }
        b'c' => arguments.next().unwrap_or("").bytes().take(1).collect(),
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => {
            let value = arguments.number();
            conversion.pad_number(letter, value, out);
            return Ok(true);
        }
        _ => return Err(format!("%{}: no such conversion", char::from(letter))),
    };
    let len = if letter == b'c' {
        text.len()
    } else {
        conversion.precision.unwrap_or(text.len()).min(text.len())
    };
    conversion.pad(&text[..len], out);
    Ok(more)
}

impl Conversion {
    fn pad(&self, text: &[u8], out: &mut Vec<u8>) {
        let spaces = core::iter::repeat_n(b' ', self.width.saturating_sub(text.len()));
        if self.left {
            out.extend_from_slice(text);
            out.extend(spaces);
        } else {
            out.extend(spaces);
            out.extend_from_slice(text);
        }
    }

    fn pad_number(&self, letter: u8, value: i128, out: &mut Vec<u8>) {
        let signed = matches!(letter, b'd' | b'i');
        let (low, high) = if signed {
            (i64::MIN.into(), i64::MAX.into())
        } else {
            (i64::MIN.into(), u64::MAX.into())
        };
        let value: i128 = value.clamp(low, high);
        // What has no sign shows the bits of a negative number.
        let bits = value as u64;
        let mut digits = match letter {
            b'o' => format!("{bits:o}"),
            b'x' => format!("{bits:x}"),
            b'X' => format!("{bits:X}"),
            b'u' => format!("{bits}"),
            _ => format!("{}", value.unsigned_abs()),
        };
        let mut sign = match letter {
            b'd' | b'i' if value < 0 => "-",
            b'd' | b'i' if self.plus => "+",
            b'd' | b'i' if self.space => " ",
            b'x' if self.alternate && bits != 0 => "0x",
            b'X' if self.alternate && bits != 0 => "0X",
            _ => "",
        };
        match self.precision {
            Some(0) if value == 0 => digits.clear(),
            Some(precision) => digits = format!("{digits:0>precision$}"),
            None => {}
        }
        if letter == b'o' && self.alternate && !digits.starts_with('0') {
            digits.insert(0, '0');
        }
        if self.zero && !self.left && self.precision.is_none() {
            let width = self.width.saturating_sub(sign.len());
            digits = format!("{digits:0>width$}");
        }
        if digits.is_empty() && !signed {
            sign = "";
        }
        self.pad(format!("{sign}{digits}").as_bytes(), out);
    }
}

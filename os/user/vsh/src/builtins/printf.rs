//! `printf`.

use super::misuse;
use super::output::unescape;
use crate::prelude::*;
use crate::shell::{Run, Shell};
use crate::unparse::quote_if_needed;

/// A conversion: `%-08.3d`.
#[derive(Debug, Default)]
struct Conversion {
    left: bool,
    zeros: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Wider fields than this serve nobody, and would take memory.
const MAX_WIDTH: usize = 4096;

pub(super) fn printf(shell: &mut Shell, arguments: &[String]) -> Run {
    let rest = match &arguments[1..] {
        [first, rest @ ..] if first == "--" => rest,
        rest => rest,
    };
    let Some((format, mut values)) = rest.split_first() else {
        return Ok(misuse(shell, "printf", "format required"));
    };
    let mut output = String::new();
    let mut status = 0;
    loop {
        let before = values.len();
        let go_on = format_once(shell, format, &mut values, &mut output, &mut status);
        // The format is used again as long as it takes arguments, and there are any.
        if !go_on || values.is_empty() || values.len() == before {
            break;
        }
    }
    Ok(status.max(shell.print(&output)))
}

/// Writes the format once. False when `\c` ended all output, or the format is wrong.
fn format_once(
    shell: &Shell,
    format: &str,
    values: &mut &[String],
    output: &mut String,
    status: &mut u32,
) -> bool {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (text, stopped) = unescape(&rest[..at]);
        output.push_str(&text);
        if stopped {
            return false;
        }
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            output.push('%');
            rest = after;
            continue;
        }
        let conversion = Conversion::parse(&mut rest, shell, values);
        let mut characters = rest.chars();
        let Some(kind) = characters.next() else {
            *status = misuse(shell, "printf", "%: conversion required");
            return false;
        };
        rest = characters.as_str();
        let value = match values.split_first() {
            Some((first, later)) => {
                *values = later;
                first.as_str()
            }
            None => "",
        };
        match kind {
            's' => output.push_str(&conversion.pad(conversion.cut(value), false)),
            'q' => output.push_str(&conversion.pad(quote_if_needed(value), false)),
            'c' => output.push_str(&conversion.pad(value.chars().take(1).collect(), false)),
            'b' => {
                let (text, stopped) = unescape(value);
                output.push_str(&conversion.pad(conversion.cut(&text), false));
                if stopped {
                    return false;
                }
            }
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let number = integer(shell, value, status);
                output.push_str(&conversion.number(kind, number));
            }
            _ => {
                *status = misuse(shell, "printf", &format!("%{kind}: invalid conversion"));
                return false;
            }
        }
    }
    let (text, stopped) = unescape(rest);
    output.push_str(&text);
    !stopped
}

/// The value of a numeric argument; `'a` and `"a` are the character's number.
fn integer(shell: &Shell, text: &str, status: &mut u32) -> i128 {
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return quoted
            .chars()
            .next()
            .map_or(0, |character| i128::from(u32::from(character)));
    }
    let trimmed = text.trim_start();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (digits, radix) =
        if let Some(digits) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            (digits, 16)
        } else if digits.len() > 1 && digits.starts_with('0') {
            (&digits[1..], 8)
        } else {
            (digits, 10)
        };
    let len = digits
        .find(|character: char| !character.is_digit(radix))
        .unwrap_or(digits.len());
    if !text.is_empty() && (len < digits.len() || len == 0) {
        shell.report(format_args!("printf: {text}: invalid number"));
        *status = 1;
    }
    // Beyond 64 bits the nearest number is shown.
    let value = digits[..len].chars().fold(0_i128, |value, digit| {
        let digit = digit.to_digit(radix).unwrap_or(0);
        (value * i128::from(radix) + i128::from(digit)).min(i128::from(u64::MAX))
    });
    value * sign
}

impl Conversion {
    /// Reads flags, width and precision.
    fn parse(rest: &mut &str, shell: &Shell, values: &mut &[String]) -> Self {
        let mut conversion = Self::default();
        while let Some(flag) = rest.chars().next() {
            match flag {
                '-' => conversion.left = true,
                '0' => conversion.zeros = true,
                '+' => conversion.plus = true,
                ' ' => conversion.blank = true,
                '#' => conversion.alternate = true,
                _ => break,
            }
            *rest = &rest[1..];
        }
        let mut size = |rest: &mut &str| {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                let (first, later) = values
                    .split_first()
                    .map_or(("0", &[][..]), |(first, later)| (first, later));
                *values = later;
                return integer(shell, first, &mut 0);
            }
            let len = rest
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(rest.len());
            let value = rest[..len].parse().unwrap_or(0);
            *rest = &rest[len..];
            value
        };
        let clamp = |value: i128| {
            usize::try_from(value.unsigned_abs()).map_or(MAX_WIDTH, |value| value.min(MAX_WIDTH))
        };
        let width = size(rest);
        conversion.left |= width < 0;
        conversion.width = clamp(width);
        if let Some(after) = rest.strip_prefix('.') {
            *rest = after;
            let precision = size(rest);
            conversion.precision = (precision >= 0).then(|| clamp(precision));
        }
        conversion
    }

    /// At most as many characters as the precision says.
    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn pad(&self, text: String, zeros: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            text + &" ".repeat(missing)
        } else if zeros {
            let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
        } else {
            " ".repeat(missing) + &text
        }
    }

    fn number(&self, kind: char, value: i128) -> String {
        // Conversions without sign show negative numbers as the bits they have.
        let bits = u64::try_from(value)
            .unwrap_or_else(|_| i64::try_from(value).map_or(u64::MAX, i64::cast_unsigned));
        let signed = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        let (sign, mut digits) = match kind {
            'd' | 'i' if signed < 0 => ("-", signed.unsigned_abs().to_string()),
            'd' | 'i' if self.plus => ("+", signed.to_string()),
            'd' | 'i' if self.blank => (" ", signed.to_string()),
            'd' | 'i' => ("", signed.to_string()),
            'u' => ("", bits.to_string()),
            'o' => (
                "",
                format!("{}{bits:o}", if self.alternate && bits != 0 { "0" } else { "" }),
            ),
            'x' => ("", format!("{bits:x}")),
            _ => ("", format!("{bits:X}")),
        };
        if let Some(precision) = self.precision {
            digits = "0".repeat(precision.saturating_sub(digits.len())) + &digits;
        }
        if self.alternate && bits != 0 && matches!(kind, 'x' | 'X') {
            digits = format!("0{kind}{digits}");
        }
        self.pad(format!("{sign}{digits}"), self.zeros && self.precision.is_none())
    }
}

//! `echo` and `help`.

use super::{ALL, find, usage};
use crate::prelude::*;
use crate::shell::{Run, Shell};

pub(super) fn echo(shell: &mut Shell, arguments: &[String]) -> Run {
    let (mut line_feed, mut escapes) = (true, false);
    let mut rest = &arguments[1..];
    while let [first, later @ ..] = rest {
        let Some(options) = first.strip_prefix('-') else {
            break;
        };
        if options.is_empty() || !options.chars().all(|option| "neE".contains(option)) {
            break;
        }
        for option in options.chars() {
            match option {
                'n' => line_feed = false,
                option => escapes = option == 'e',
            }
        }
        rest = later;
    }
    let mut text = super::join(rest);
    if escapes {
        let (unescaped, stopped) = unescape(&text);
        text = unescaped;
        line_feed &= !stopped;
    }
    if line_feed {
        text.push('\n');
    }
    Ok(shell.print(&text))
}

/// Replaces escapes; and whether a `\c` ended the text.
pub(super) fn unescape(text: &str) -> (String, bool) {
    let mut result = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        let Some(escaped) = rest.next() else {
            result.push('\\');
            break;
        };
        let mut digits = |radix, most: usize, start: u32| {
            let mut value = start;
            for _ in 0..most {
                let Some(digit) = rest.peek().and_then(|next| next.to_digit(radix)) else {
                    break;
                };
                rest.next();
                value = value.wrapping_mul(radix).wrapping_add(digit);
            }
            value
        };
        let code = match escaped {
            'a' => 7,
            'b' => 8,
            'c' => return (result, true),
            'e' => 27,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' => 92,
            '0' => digits(8, 3, 0),
            '1'..='7' => digits(8, 2, u32::from(escaped) - u32::from('0')),
            'x' => digits(16, 2, 0),
            other => {
                result.push('\\');
                u32::from(other)
            }
        };
        result.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    (result, false)
}

pub(super) fn help(shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() > 1 {
        let mut status = 0;
        for name in &arguments[1..] {
            match find(name) {
                Some(builtin) => status = status.max(shell.print(&usage(builtin))),
                None => {
                    shell.report(format_args!("help: {name}: no such builtin"));
                    status = 1;
                }
            }
        }
        return Ok(status);
    }
    let mut text = String::from("Builtins; `help NAME` and `NAME --help` say more:\n");
    for builtin in ALL {
        text += format!("  {} {}", builtin.name, builtin.arguments).trim_end();
        text.push('\n');
    }
    Ok(shell.print(&text))
}

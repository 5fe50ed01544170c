//! Backslash escapes in text.

use alloc::vec::Vec;

/// Which octal escapes there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Octal {
    /// `\0` and up to three digits.
    Zero,
    /// Up to three digits.
    Plain,
    /// Both: a leading zero does not count.
    Both,
}

/// Appends a text with its escapes replaced. False if `\c` ended it.
pub(crate) fn unescape(text: &[u8], octal: Octal, to: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            to.push(byte);
            continue;
        }
        match one(rest, octal) {
            Some((None, _)) => return false,
            Some((Some(byte), len)) => {
                to.push(byte);
                rest = &rest[len..];
            }
            None => to.push(b'\\'),
        }
    }
    true
}

/// The byte that the text behind a backslash stands for, none for `\c`, and the length of the text.
pub(crate) fn one(text: &[u8], octal: Octal) -> Option<(Option<u8>, usize)> {
    let byte = match text.first()? {
        b'a' => 7,
        b'b' => 8,
        b'c' => return Some((None, 1)),
        b'e' => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'x' => {
            let (byte, len) = digits(&text[1..], 2, 16);
            return (len > 0).then_some((Some(byte), len + 1));
        }
        b'0' if octal != Octal::Plain => {
            let (byte, len) = digits(&text[1..], 3, 8);
            return Some((Some(byte), len + 1));
        }
        b'0'..=b'7' if octal != Octal::Zero => {
            let (byte, len) = digits(text, 3, 8);
            return Some((Some(byte), len));
        }
        _ => return None,
    };
    Some((Some(byte), 1))
}

/// A number of at most `max` digits, of which the low byte counts, and how many digits it has.
fn digits(text: &[u8], max: usize, radix: u32) -> (u8, usize) {
    let mut value = 0;
    let mut len = 0;
    while len < max {
        let Some(digit) = text.get(len).and_then(|&byte| char::from(byte).to_digit(radix)) else {
            break;
        };
        value = (value * radix + digit) & 0xff;
        len += 1;
    }
    (value as u8, len)
}

//! The sets of `tr`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::regex::class;

/// A part of a set.
enum Part {
    Byte(u8),
    Range(u8, u8),
    Class(&'static str, fn(u8) -> bool),
    Equivalent(u8),
    /// So many of a byte; 0 as many as are needed.
    Repeat(u8, u64),
}

/// What a set is made of.
pub(crate) struct Set(Vec<Part>);

impl Set {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // Each byte with whether it came from an escape, which has no meaning of its own.
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            if byte != b'\\' || tail.is_empty() {
                bytes.push((byte, false));
                continue;
            }
            let (byte, len) = escape(tail);
            bytes.push((byte, true));
            rest = &tail[len..];
        }
        let mut parts = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            if let Some((part, len)) = bracket(&bytes[at..])? {
                parts.push(part);
                at += len;
                continue;
            }
            match bytes[at..] {
                [(from, _), (b'-', false), (to, _), ..] => {
                    if from > to {
                        let (from, to) = (char::from(from), char::from(to));
                        return Err(format!("{from}-{to}: the range decreases"));
                    }
                    parts.push(Part::Range(from, to));
                    at += 3;
                }
                _ => {
                    parts.push(Part::Byte(bytes[at].0));
                    at += 1;
                }
            }
        }
        Ok(Self(parts))
    }

    /// Whether it may be what is translated to.
    pub(crate) fn check_translation(&self, complement: bool) -> Result<(), String> {
        for part in &self.0 {
            match part {
                Part::Class("upper" | "lower", _) if !complement => {}
                Part::Class(name, _) => return Err(format!("[:{name}:]: SET2 cannot have this class")),
                Part::Equivalent(_) => return Err("SET2 cannot have [=X=]".to_string()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Its bytes in order; `[a*]` fills it up to this length, and needs one.
    pub(crate) fn expand(&self, len: Option<usize>) -> Result<Vec<u8>, String> {
        let mut fixed = 0u64;
        let mut open = 0;
        for part in &self.0 {
            fixed = fixed.saturating_add(match part {
                Part::Byte(_) | Part::Equivalent(_) => 1,
                Part::Range(from, to) => u64::from(to - from) + 1,
                Part::Class(_, is) => (0..=u8::MAX).filter(|&byte| is(byte)).count() as u64,
                Part::Repeat(_, 0) => {
                    open += 1;
                    0
                }
                Part::Repeat(_, n) => *n,
            });
        }
        let repeats = self.0.iter().any(|part| matches!(part, Part::Repeat(..)));
        if repeats && len.is_none() {
            return Err("SET1 cannot have [X*]".to_string());
        }
        if open > 1 {
            return Err("SET2 can have one [X*] only".to_string());
        }
        let fill = (len.unwrap_or(0) as u64).saturating_sub(fixed);
        let mut bytes = Vec::new();
        for part in &self.0 {
            match *part {
                Part::Byte(byte) | Part::Equivalent(byte) => bytes.push(byte),
                Part::Range(from, to) => bytes.extend(from..=to),
                Part::Class(_, is) => bytes.extend((0..=u8::MAX).filter(|&byte| is(byte))),
                Part::Repeat(byte, n) => {
                    let n = if n == 0 { fill } else { n };
                    // More than there are bytes to translate are never looked at.
                    let n = usize::try_from(n).unwrap_or(usize::MAX).min(256);
                    bytes.resize(bytes.len() + n, byte);
                }
            }
        }
        Ok(bytes)
    }
}

/// The byte that the text behind a backslash stands for, and the text's length.
fn escape(text: &[u8]) -> (u8, usize) {
    let byte = match text[0] {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'0'..=b'7' => {
            let mut value = 0u32;
            let mut len = 0;
            while let Some(digit @ b'0'..=b'7') = text.get(len)
                && len < 3
                && value * 8 + u32::from(digit - b'0') <= 255
            {
                value = value * 8 + u32::from(digit - b'0');
                len += 1;
            }
            return (value as u8, len);
        }
        byte => byte,
    };
    (byte, 1)
}

/// What stands in brackets, and its length, if it is a class or a repetition.
fn bracket(bytes: &[(u8, bool)]) -> Result<Option<(Part, usize)>, String> {
    let [(b'[', false), (kind, escaped), ..] = *bytes else {
        return Ok(None);
    };
    if !escaped && (kind == b':' || kind == b'=') {
        let close = |w: &[(u8, bool)]| w == [(kind, false), (b']', false)];
        if let Some(len) = bytes[2..].windows(2).position(close) {
            let name: Vec<u8> = bytes[2..2 + len].iter().map(|&(byte, _)| byte).collect();
            if kind == b':' {
                match class::named(&name) {
                    Some((name, is)) => return Ok(Some((Part::Class(name, is), len + 4))),
                    // As a list of bytes it is meant when a repetition follows.
                    None if bytes.get(2) != Some(&(b'*', false)) => {
                        return Err(format!("{}: no such class", String::from_utf8_lossy(&name)));
                    }
                    None => {}
                }
            } else if let [byte] = name[..] {
                return Ok(Some((Part::Equivalent(byte), len + 4)));
            } else if bytes.get(2) != Some(&(b'*', false)) {
                return Err(format!("{}: not one byte", String::from_utf8_lossy(&name)));
            }
        }
    }
    if bytes.get(2) == Some(&(b'*', false))
        && let Some(end) = bytes[3..].iter().position(|&byte| byte == (b']', false))
    {
        let digits: Vec<u8> = bytes[3..3 + end].iter().map(|&(byte, _)| byte).collect();
        let radix = if digits.first() == Some(&b'0') { 8 } else { 10 };
        let mut count = 0u64;
        for digit in digits {
            match char::from(digit).to_digit(radix) {
                Some(digit) => {
                    count = count
                        .saturating_mul(u64::from(radix))
                        .saturating_add(u64::from(digit))
                }
                None => return Err("[X*N]: N is not a number".to_string()),
            }
        }
        return Ok(Some((Part::Repeat(kind, count), end + 4)));
    }
    Ok(None)
}

//! The answer file: what an unattended installation does. Lines are `key = value`, empty, or comments with `#`.
//!
//! | key | value | when absent |
//! | --- | --- | --- |
//! | `install-to` | `empty` (the only empty disk), `disk N` (the number that the installer shows) or `size N MiB` (the only disk of that size; also `GiB`) | an error |
//! | `erase` | `yes`: a disk that is not empty may be overwritten; `no` | `no` |
//! | `then` | `power-off`, `restart` or `start` (the live system) | `power-off` |

use core::fmt;

/// Longest answer file in bytes.
pub const MAX_LEN: usize = 4096;

/// Which disk to install to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The only one that looks empty.
    Empty,
    /// By its number, from 1.
    Number(usize),
    /// The only one of this size in bytes.
    Size(u64),
}

/// What to do after an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Switch the machine off.
    PowerOff,
    /// Restart it.
    Restart,
    /// Start the live system.
    Start,
}

/// A complete answer file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Which disk to install to.
    pub target: Target,
    /// Whether a disk that is not empty may be overwritten.
    pub erase: bool,
    /// What to do afterwards.
    pub then: Then,
}

/// What is wrong with an answer file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswersError<'a> {
    /// It is longer than [`MAX_LEN`].
    TooLong,
    /// It is not UTF-8.
    NotText,
    /// A line without `=`, by its number.
    NotAnAnswer(usize),
    /// A key that does not exist.
    UnknownKey(usize, &'a str),
    /// A key that was there before.
    Again(usize, &'a str),
    /// A value that the key cannot have: line, key, value.
    Value(usize, &'a str, &'a str),
    /// `install-to` is missing.
    NoTarget,
}

impl fmt::Display for AnswersError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "expected at most {MAX_LEN} bytes, got more"),
            Self::NotText => f.write_str("expected UTF-8 text, got something else"),
            Self::NotAnAnswer(line) => write!(f, "line {line}: expected `key = value`, got no `=`"),
            Self::UnknownKey(line, key) => {
                write!(
                    f,
                    "line {line}: expected `install-to`, `erase` or `then`, got `{key}`"
                )
            }
            Self::Again(line, key) => write!(f, "line {line}: expected `{key}` once, got it again"),
            Self::Value(line, key, value) => {
                let expected = match *key {
                    "install-to" => "`empty`, `disk N`, `size N MiB` or `size N GiB`",
                    "erase" => "`yes` or `no`",
                    _ => "`power-off`, `restart` or `start`",
                };
                write!(f, "line {line}: {key}: expected {expected}, got `{value}`")
            }
            Self::NoTarget => f.write_str("expected a line `install-to = …`, got none"),
        }
    }
}

impl Answers {
    /// Reads an answer file.
    ///
    /// # Errors
    /// At the first line that is wrong: an answer that is not understood is never passed over.
    pub fn parse(bytes: &[u8]) -> Result<Self, AnswersError<'_>> {
        if bytes.len() > MAX_LEN {
            return Err(AnswersError::TooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| AnswersError::NotText)?;
        // Editors of some systems put a byte-order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (mut target, mut erase, mut then) = (None, None, None);
        for (index, line) in text.lines().enumerate() {
            let (number, line) = (index + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').ok_or(AnswersError::NotAnAnswer(number))?;
            let (key, value) = (key.trim(), value.trim());
            let wrong = AnswersError::Value(number, key, value);
            let again = match key {
                "install-to" => target.replace(parse_target(value).ok_or(wrong)?).is_some(),
                "erase" => erase.replace(parse_erase(value).ok_or(wrong)?).is_some(),
                "then" => then.replace(parse_then(value).ok_or(wrong)?).is_some(),
                _ => return Err(AnswersError::UnknownKey(number, key)),
            };
            if again {
                return Err(AnswersError::Again(number, key));
            }
        }
        Ok(Self {
            target: target.ok_or(AnswersError::NoTarget)?,
            erase: erase.unwrap_or(false),
            then: then.unwrap_or(Then::PowerOff),
        })
    }
}

fn parse_target(value: &str) -> Option<Target> {
    if value == "empty" {
        return Some(Target::Empty);
    }
    let (kind, rest) = value.split_once(' ')?;
    match kind {
        "disk" => crate::disks::parse_number(rest.trim()).map(Target::Number),
        "size" => {
            let (count, unit) = rest.trim().split_once(' ')?;
            let unit: u64 = match unit.trim() {
                "MiB" => 1 << 20,
                "GiB" => 1 << 30,
                _ => return None,
            };
            let count = crate::disks::parse_number(count)? as u64;
            count.checked_mul(unit).map(Target::Size)
        }
        _ => None,
    }
}

fn parse_erase(value: &str) -> Option<bool> {
    match value {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn parse_then(value: &str) -> Option<Then> {
    match value {
        "power-off" => Some(Then::PowerOff),
        "restart" => Some(Then::Restart),
        "start" => Some(Then::Start),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;
    use std::vec;

    #[test]
    fn complete_files_are_read() {
        let text = "\u{feff}# fleet\r\n\r\n install-to = disk 2\r\nerase=yes\nthen = restart\n";
        let answers = Answers {
            target: Target::Number(2),
            erase: true,
            then: Then::Restart,
        };
        assert_eq!(Answers::parse(text.as_bytes()), Ok(answers));
        let answers = Answers {
            target: Target::Empty,
            erase: false,
            then: Then::PowerOff,
        };
        assert_eq!(Answers::parse(b"install-to = empty"), Ok(answers));
        for (text, bytes) in [
            ("install-to = size 64 MiB", 64 << 20),
            ("install-to = size 2 GiB", 2 << 30),
        ] {
            assert_eq!(
                Answers::parse(text.as_bytes()).unwrap().target,
                Target::Size(bytes)
            );
        }
    }

    #[test]
    fn every_mistake_is_an_error_that_names_its_line() {
        for (text, expected) in [
            ("", "expected a line `install-to = …`, got none"),
            ("\ninstall-to", "line 2: expected `key = value`, got no `=`"),
            (
                "instal-to = empty",
                "line 1: expected `install-to`, `erase` or `then`, got `instal-to`",
            ),
            (
                "install-to = empty\ninstall-to = empty",
                "line 2: expected `install-to` once, got it again",
            ),
            ("erase = Yes", "line 1: erase: expected `yes` or `no`, got `Yes`"),
            (
                "then = reboot",
                "line 1: then: expected `power-off`, `restart` or `start`, got `reboot`",
            ),
        ] {
            assert_eq!(Answers::parse(text.as_bytes()).unwrap_err().to_string(), expected);
        }
        for value in [
            "",
            "disk",
            "disk 0",
            "disk 1x",
            "disk +1",
            "2",
            "size 64",
            "size 64 MB",
            "size 99999999999999999999 GiB",
            "Empty",
        ] {
            let text = std::format!("install-to = {value}");
            let error = Answers::parse(text.as_bytes()).unwrap_err();
            assert!(matches!(error, AnswersError::Value(1, "install-to", _)), "{text}");
        }
        assert_eq!(Answers::parse(&[0xff]), Err(AnswersError::NotText));
        assert_eq!(Answers::parse(&vec![b' '; 4097]), Err(AnswersError::TooLong));
    }
}

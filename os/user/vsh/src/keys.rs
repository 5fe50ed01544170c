//! Bytes from a terminal to keys.

use crate::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Character(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
    /// With the letter in lower case.
    Control(char),
    Alt(char),
    /// Nothing that means anything here.
    Unknown,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// After Escape.
    Escape,
    /// After Escape and `[` or `O`: the parameters.
    Sequence(Vec<u8>),
    /// In a character of several bytes: how many there will be.
    Character(Vec<u8>, usize),
}

/// Longer sequences are noise.
const MAX_SEQUENCE: usize = 16;

#[derive(Debug, Default)]
pub(crate) struct Decoder(State);

impl Decoder {
    /// Takes a byte; returns a key when it is complete.
    pub(crate) fn push(&mut self, byte: u8) -> Option<Key> {
        match core::mem::take(&mut self.0) {
            State::Ground => self.ground(byte),
            State::Escape => match byte {
                b'[' | b'O' => {
                    self.0 = State::Sequence(Vec::new());
                    None
                }
                0x1b => {
                    self.0 = State::Escape;
                    None
                }
                0x7f | 8 => Some(Key::Alt('\u{7f}')),
                0x20..0x7f => Some(Key::Alt(char::from(byte).to_ascii_lowercase())),
                _ => Some(Key::Unknown),
            },
            State::Sequence(mut bytes) => match byte {
                0x40..=0x7e => Some(sequence(&bytes, byte)),
                _ if bytes.len() == MAX_SEQUENCE => Some(Key::Unknown),
                _ => {
                    bytes.push(byte);
                    self.0 = State::Sequence(bytes);
                    None
                }
            },
            State::Character(mut bytes, len) => {
                if byte & 0xc0 != 0x80 {
                    // The character is broken; this byte is not part of it.
                    return self.ground(byte);
                }
                bytes.push(byte);
                if bytes.len() < len {
                    self.0 = State::Character(bytes, len);
                    return None;
                }
                let text = core::str::from_utf8(&bytes).ok();
                Some(
                    text.and_then(|text| text.chars().next())
                        .map_or(Key::Unknown, Key::Character),
                )
            }
        }
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        let key = match byte {
            b'\r' | b'\n' => Key::Enter,
            b'\t' => Key::Tab,
            8 | 0x7f => Key::Backspace,
            0x1b => {
                self.0 = State::Escape;
                return None;
            }
            1..=26 => Key::Control(char::from(byte - 1 + b'a')),
            0x20..0x7f => Key::Character(char::from(byte)),
            0xc2..=0xf4 => {
                let len = match byte {
                    0xe0..0xf0 => 3,
                    0xf0.. => 4,
                    _ => 2,
                };
                self.0 = State::Character(vec![byte], len);
                return None;
            }
            _ => Key::Unknown,
        };
        Some(key)
    }
}

/// A key that sends `ESC [ parameters last`.
fn sequence(parameters: &[u8], last: u8) -> Key {
    // Ctrl or Alt with an arrow moves by word.
    let modified = parameters.ends_with(b";5") || parameters.ends_with(b";3");
    match (last, parameters) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if modified => Key::WordRight,
        (b'D', _) if modified => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        _ => Key::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|&byte| decoder.push(byte)).collect()
    }

    #[test]
    fn keys_of_terminals() {
        for (bytes, expected) in [
            (&b"a"[..], &[Key::Character('a')][..]),
            (
                "ä€😀".as_bytes(),
                &[Key::Character('ä'), Key::Character('€'), Key::Character('😀')],
            ),
            (b"\r", &[Key::Enter]),
            (
                b"\x01\x7f\x08",
                &[Key::Control('a'), Key::Backspace, Key::Backspace],
            ),
            (
                b"\x1b[A\x1bOB\x1b[C\x1b[D",
                &[Key::Up, Key::Down, Key::Right, Key::Left],
            ),
            (b"\x1b[H\x1b[4~\x1b[3~", &[Key::Home, Key::End, Key::Delete]),
            (b"\x1b[1;5D\x1bf", &[Key::WordLeft, Key::Alt('f')]),
            (b"\xc3a", &[Key::Character('a')]),
        ] {
            assert_eq!(keys(bytes), expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn after_any_bytes_keys_come_again(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut decoder = Decoder::default();
            for byte in bytes {
                decoder.push(byte);
            }
            for _ in 0..=MAX_SEQUENCE {
                decoder.push(b'x');
            }
            prop_assert_eq!(decoder.push(b'y'), Some(Key::Character('y')));
        }
    }
}

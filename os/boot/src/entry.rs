//! A line that a person types, key by key.

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A printable character.
    Character(char),
    /// Takes the last character away.
    Backspace,
    /// Ends the line.
    Enter,
}

impl Key {
    /// What a character from a keyboard or a terminal means; `None` for control characters without a meaning here.
    pub fn of(character: char) -> Option<Self> {
        match character {
            '\r' | '\n' => Some(Self::Enter),
            '\u{8}' | '\u{7f}' => Some(Self::Backspace),
            other if other.is_control() => None,
            other => Some(Self::Character(other)),
        }
    }
}

/// What to show after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// Nothing: the key had no effect.
    Nothing,
    /// A character more.
    Character(char),
    /// A character less.
    Erase,
    /// The line is complete.
    Done,
}

/// Longest line; more than every answer that is understood.
const MAX: usize = 32;

/// A line in the making. Only ASCII: every answer is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    bytes: [u8; MAX],
    len: usize,
}

impl Line {
    /// Takes a key into account.
    pub fn press(&mut self, key: Key) -> Echo {
        match key {
            Key::Enter => Echo::Done,
            Key::Backspace if self.len > 0 => {
                self.len -= 1;
                Echo::Erase
            }
            Key::Character(character) if character.is_ascii() && self.len < MAX => {
                self.bytes[self.len] = character as u8;
                self.len += 1;
                Echo::Character(character)
            }
            _ => Echo::Nothing,
        }
    }

    /// What was typed, without spaces around it.
    pub fn text(&self) -> &str {
        // Only ASCII gets in.
        core::str::from_utf8(&self.bytes[..self.len]).unwrap_or("").trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Line {
        let mut line = Line::default();
        for key in text.chars().filter_map(Key::of) {
            line.press(key);
        }
        line
    }

    #[test]
    fn mistakes_can_be_taken_back() {
        assert_eq!(typed(" yess\u{8} \u{1b}\t").text(), "yes");
        assert_eq!(typed("\u{7f}\u{8}2").text(), "2");
        assert_eq!(typed("é").text(), "");
    }

    #[test]
    fn echoes_show_what_happened() {
        let mut line = Line::default();
        assert_eq!(line.press(Key::Backspace), Echo::Nothing);
        assert_eq!(line.press(Key::Character('y')), Echo::Character('y'));
        assert_eq!(line.press(Key::Backspace), Echo::Erase);
        assert_eq!(line.press(Key::Enter), Echo::Done);
        for _ in 0..MAX {
            line.press(Key::Character('x'));
        }
        assert_eq!(line.press(Key::Character('x')), Echo::Nothing);
        assert_eq!(line.text().len(), MAX);
    }
}

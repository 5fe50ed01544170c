//! Keys to lines, and lines to screens.

use super::*;
use crate::keys::Decoder;
use proptest::prelude::*;

struct Past(Vec<String>);

impl Helper for Past {
    fn history(&self) -> &[String] {
        &self.0
    }

    fn complete(&self, before: &[char]) -> Completion {
        let start = before
            .iter()
            .rposition(|&character| character == ' ')
            .map_or(0, |at| at + 1);
        let word: String = before[start..].iter().collect();
        let all = ["echo", "exit", "export", "usr/", "größe"];
        let candidates = all
            .iter()
            .filter(|name| name.starts_with(&word))
            .map(|&name| name.into());
        Completion {
            start,
            candidates: candidates.collect(),
        }
    }
}

fn past() -> Past {
    Past(
        ["ls -l", "echo one", "cd /tmp", "echo two"]
            .map(String::from)
            .into(),
    )
}

/// Presses keys as a terminal sends them: the editor, and what the last key led to.
fn typed(keys: &str) -> (Editor, Outcome) {
    let (mut editor, mut decoder, mut outcome) = (Editor::new("$ "), Decoder::default(), Outcome::Go);
    for byte in keys.bytes() {
        if let Some(key) = decoder.push(byte) {
            outcome = editor.press(key, &past());
        }
    }
    (editor, outcome)
}

#[test]
fn keys_make_lines() {
    for (keys, expected) in [
        ("abc", "abc|"),
        ("abc\x7f", "ab|"),
        ("\x7f", "|"),
        ("abc\x1b[D\x1b[DX", "aX|bc"),
        ("abc\x01X\x05Y", "XabcY|"),
        ("abc\x1b[HX\x1b[FY", "XabcY|"),
        ("abc\x1b[D\x1b[3~", "ab|"),
        ("abc\x01\x04", "|bc"),
        ("one two\x17", "one |"),
        ("one two\x15", "|"),
        ("one two\x1bb\x0b", "one |"),
        ("one two\x1bb\x0b\x19\x19", "one twotwo|"),
        ("one two\x01\x1bfX", "oneX| two"),
        ("one two\x1b[1;5D\x1b[1;5DX", "X|one two"),
        ("one two\x01\x1bd", "| two"),
        ("one-two\x1b\x7f", "one-|"),
        ("ab\x14", "ba|"),
        ("grün\x1b[D\x7f", "gr|n"),
        ("\x1b[A", "echo two|"),
        ("\x1b[A\x1b[A", "cd /tmp|"),
        ("new\x1b[A\x1b[A\x1b[B\x1b[B", "new|"),
        ("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A", "ls -l|"),
        ("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[B", "echo one|"),
        ("\x1b[B", "|"),
        ("\x12ls", "ls -l|"),
        ("\x12echo", "echo two|"),
        ("\x12echo\x12", "echo one|"),
        ("\x12echo\x12\x05!", "echo one!|"),
        ("typed\x12echo\x07", "typed|"),
        ("ec\t", "echo |"),
        ("ex\t", "ex|"),
        ("exp\t1", "export 1|"),
        ("ls us\t", "ls usr/|"),
        ("gr\t", "größe |"),
        ("nothing\t", "nothing|"),
    ] {
        let (editor, _) = typed(keys);
        let mut shown: Vec<char> = editor.line.clone();
        shown.insert(editor.cursor, '|');
        assert_eq!(shown.into_iter().collect::<String>(), expected, "{keys:?}");
    }
}

#[test]
fn keys_have_outcomes() {
    for (keys, expected) in [
        ("ls\r", Outcome::Done("ls".into())),
        ("\r", Outcome::Done(String::new())),
        ("ab\x03", Outcome::Cancelled),
        ("\x04", Outcome::End),
        ("a\x04", Outcome::Go),
        ("\x0c", Outcome::Clear),
        ("\x12two\r", Outcome::Done("echo two".into())),
        ("ex\t", Outcome::Choices(vec!["exit".into(), "export".into()])),
    ] {
        assert_eq!(typed(keys).1, expected, "{keys:?}");
    }
}

/// A terminal of this many columns, as far as the editor needs one.
struct Screen {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            rows: vec![Vec::new()],
            row: 0,
            column: 0,
        }
    }

    fn line_feed(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
    }

    fn show(&mut self, text: &str) {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\r' => self.column = 0,
                '\n' => {
                    self.column = 0;
                    self.line_feed();
                }
                '\x1b' => {
                    assert_eq!(characters.next(), Some('['));
                    let mut number = String::new();
                    let last = loop {
                        match characters.next().expect("a whole sequence") {
                            digit @ '0'..='9' => number.push(digit),
                            last => break last,
                        }
                    };
                    let number: usize = number.parse().unwrap_or(1);
                    match last {
                        'A' => self.row = self.row.checked_sub(number).expect("a row above"),
                        'C' => self.column += number,
                        'J' => {
                            self.rows[self.row].truncate(self.column);
                            self.rows.truncate(self.row + 1);
                        }
                        other => panic!("sequence {other}"),
                    }
                }
                character => {
                    if self.column == self.columns {
                        self.column = 0;
                        self.line_feed();
                    }
                    let row = &mut self.rows[self.row];
                    if row.len() <= self.column {
                        row.resize(self.column + 1, ' ');
                    }
                    row[self.column] = character;
                    self.column += 1;
                }
            }
        }
        assert!(self.column <= self.columns);
    }

    fn text(&self) -> String {
        self.rows.iter().flatten().collect()
    }
}

#[test]
fn long_lines_wrap() {
    let mut screen = Screen::new(10);
    let (mut editor, _) = typed("123456789");
    screen.show(&editor.render(10));
    assert_eq!((screen.rows.len(), screen.row, screen.column), (2, 1, 1));
    editor.press(Key::Home, &past());
    screen.show(&editor.render(10));
    assert_eq!((screen.row, screen.column), (0, 2));
    assert_eq!(screen.text(), "$ 123456789");
    screen.show(&editor.leave(10));
    assert_eq!((screen.row, screen.column), (2, 0));
}

#[test]
fn colours_take_no_columns() {
    assert_eq!(visible_width("\x1b[1;32m~\x1b[0m $ "), 4);
}

proptest! {
    #[test]
    fn the_screen_shows_the_line(keys in "[ab \x01\x02\x05\x06\x0b\x15\x17\x19\x7f\x10\x0e\t]{0,80}", columns in 3_usize..12) {
        let mut screen = Screen::new(columns);
        let mut editor = Editor::new("> ");
        let mut decoder = Decoder::default();
        screen.show(&editor.render(columns));
        for byte in keys.bytes() {
            if let Some(key) = decoder.push(byte) {
                editor.press(key, &past());
                screen.show(&editor.render(columns));
                let line: String = editor.line.iter().collect();
                let (shown, expected) = (screen.text(), format!("> {line}"));
                prop_assert_eq!(shown.trim_end(), expected.trim_end());
                let at = 2 + editor.cursor;
                prop_assert_eq!((screen.row, screen.column), (at / columns, at % columns));
            }
        }
    }
}

//! Lines, signals, flow control, groups and limits, and what holds for any bytes.

use proptest::prelude::*;
use terminal::{Background, Error, INPUT, OUTPUT, Outcome, PARKED, Settings, Signal, Terminal};

fn cooked() -> Terminal {
    Terminal::new(Background::Refuse)
}

fn typed(terminal: &mut Terminal, bytes: &[u8]) -> Vec<u8> {
    let mut echo = Vec::new();
    for &byte in bytes {
        terminal.receive(byte);
        echo.extend(std::iter::from_fn(|| terminal.output()));
    }
    echo
}

/// A read that does not wait.
fn read(terminal: &mut Terminal, room: usize) -> Vec<u8> {
    let mut bytes = vec![0xee; room];
    match terminal.read(1, 1, &mut bytes) {
        Outcome::Done(count) => bytes.truncate(count),
        other => panic!("{other:?}"),
    }
    bytes
}

#[test]
fn a_line_is_read_when_it_ends() {
    let mut terminal = cooked();
    assert_eq!(
        typed(&mut terminal, b"heyy\x7f\x08llo"),
        b"heyy\x08 \x08\x08 \x08llo"
    );
    let Outcome::Park(ticket) = terminal.read(1, 1, &mut [0; 4]) else {
        panic!()
    };
    assert_eq!(terminal.ready(), None);
    assert_eq!(typed(&mut terminal, b"\r"), b"\r\n");
    let done = terminal.ready().unwrap();
    assert_eq!(
        (done.ticket, done.client, done.count, done.bytes),
        (ticket, 1, 4, b"hell".to_vec())
    );
    // The rest of the line, and no more than it.
    typed(&mut terminal, b"next\n");
    assert_eq!(read(&mut terminal, 100), b"o\n");
    assert_eq!(read(&mut terminal, 100), b"next\n");
}

#[test]
fn the_end_of_file_comes_behind_what_was_typed() {
    let mut terminal = cooked();
    typed(&mut terminal, b"part\x04\x04after\n");
    assert_eq!(read(&mut terminal, 100), b"part");
    assert_eq!(read(&mut terminal, 100), b"");
    assert_eq!(read(&mut terminal, 100), b"after\n");
}

#[test]
fn signals_go_to_the_foreground_and_drop_what_was_typed() {
    let mut terminal = cooked();
    terminal.set_foreground(Some(9));
    assert_eq!(typed(&mut terminal, b"line\nabc\x03"), b"line\r\nabc^C");
    assert_eq!(typed(&mut terminal, b"\x1a\x03"), b"^Z^C");
    assert_eq!(terminal.signal(), Some((9, Signal::Interrupt)));
    assert_eq!(terminal.signal(), Some((9, Signal::Stop)));
    assert_eq!(terminal.signal(), None);
    let mut bytes = [0; 9];
    assert!(matches!(terminal.read(1, 9, &mut bytes), Outcome::Park(_)));
    typed(&mut terminal, b"\n");
    assert_eq!(terminal.ready().unwrap().bytes, b"\n");
}

#[test]
fn silence_holds_output_back_until_it_ends() {
    let mut terminal = cooked();
    assert_eq!(typed(&mut terminal, b"\x13abc"), b"");
    assert_eq!(terminal.write(1, b"x\n"), Outcome::Done(2));
    assert_eq!(typed(&mut terminal, b"\x11"), b"abcx\r\n");
    // An interrupt drops what is held back, and ends the silence.
    typed(&mut terminal, b"\x13abc");
    assert_eq!(typed(&mut terminal, b"\x03"), b"^C");
}

#[test]
fn the_background_reads_nothing() {
    let mut terminal = cooked();
    terminal.set_foreground(Some(1));
    typed(&mut terminal, b"secret\n");
    assert_eq!(
        terminal.read(5, 2, &mut [0; 9]),
        Outcome::Refused(Error::Background)
    );

    let mut terminal = Terminal::new(Background::Stop);
    terminal.set_foreground(Some(1));
    let Outcome::Park(behind) = terminal.read(5, 2, &mut [0; 9]) else {
        panic!()
    };
    assert_eq!(terminal.signal(), Some((2, Signal::Stop)));
    let Outcome::Park(front) = terminal.read(6, 1, &mut [0; 9]) else {
        panic!()
    };
    typed(&mut terminal, b"one\ntwo\n");
    let done = terminal.ready().unwrap();
    assert_eq!((done.ticket, done.bytes), (front, b"one\n".to_vec()));
    assert_eq!(terminal.ready(), None);
    terminal.set_foreground(Some(2));
    let done = terminal.ready().unwrap();
    assert_eq!((done.ticket, done.bytes), (behind, b"two\n".to_vec()));
}

#[test]
fn a_full_line_rings_and_still_can_end() {
    let mut terminal = cooked();
    typed(&mut terminal, &[b'a'; INPUT - 1]);
    assert_eq!(typed(&mut terminal, b"bb"), [7, 7]);
    assert_eq!(typed(&mut terminal, b"\x7fc\n"), b"\x08 \x08c\r\n");
    // Everything is full: not even an empty line fits.
    assert_eq!(typed(&mut terminal, b"\nx"), [7, 7]);
    let line = read(&mut terminal, 2 * INPUT);
    assert_eq!(line.len(), INPUT);
    assert_eq!(line[INPUT - 3..], *b"ac\n");
    typed(&mut terminal, b"free\n");
    assert_eq!(read(&mut terminal, 9), b"free\n");
    // Ends of files take no bytes, but are counted as well.
    for _ in 0..INPUT {
        assert_eq!(typed(&mut terminal, b"\x04"), b"");
    }
    assert_eq!(typed(&mut terminal, b"\x04"), [7]);
}

#[test]
fn writers_wait_for_room_in_their_order() {
    let mut terminal = cooked();
    assert_eq!(terminal.write(1, &[b'x'; OUTPUT + 50]), Outcome::Done(OUTPUT));
    let Outcome::Park(first) = terminal.write(1, b"\nfirst") else {
        panic!()
    };
    let Outcome::Park(second) = terminal.write(2, b"second") else {
        panic!()
    };
    assert_eq!(terminal.output(), Some(b'x'));
    assert_eq!(terminal.ready(), None, "it goes out whole");
    let all: Vec<u8> = std::iter::from_fn(|| terminal.output()).collect();
    let done: Vec<_> = std::iter::from_fn(|| terminal.ready())
        .map(|done| (done.ticket, done.count))
        .collect();
    assert_eq!(done, [(first, 6), (second, 6)]);
    assert_eq!(all[..OUTPUT - 1], [b'x'; OUTPUT - 1]);
    assert_eq!(all[OUTPUT - 1..], *b"\r\nfirstsecond");
}

#[test]
fn parked_requests_are_bounded_and_can_be_withdrawn() {
    let mut terminal = cooked();
    let tickets: Vec<_> = (0..PARKED as u64)
        .map(|client| match terminal.read(client, 1, &mut [0; 9]) {
            Outcome::Park(ticket) => ticket,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(terminal.read(0, 1, &mut [0; 9]), Outcome::Refused(Error::TooMany));
    assert!(terminal.cancel(tickets[0]));
    assert!(!terminal.cancel(tickets[0]));
    terminal.client_gone(1);
    typed(&mut terminal, b"line\n");
    assert_eq!(terminal.ready().unwrap().client, 2);
    typed(&mut terminal, b"line\n");
    terminal.client_gone(3);
    assert_eq!(terminal.ready(), None);
}

#[test]
fn what_was_typed_survives_a_change_of_mode() {
    let mut terminal = cooked();
    typed(&mut terminal, b"a\nbc\x04de\nf");
    terminal.set_settings(Settings::RAW);
    assert_eq!(read(&mut terminal, 3), b"a\nb");
    typed(&mut terminal, b"g\x7fh\ri");
    terminal.set_settings(Settings::COOKED);
    // What was a line, or ended like one, still is.
    assert_eq!(read(&mut terminal, 100), b"c");
    assert_eq!(read(&mut terminal, 100), b"de\n");
    assert_eq!(read(&mut terminal, 100), b"fh\n");
    assert!(matches!(terminal.read(1, 1, &mut [0; 9]), Outcome::Park(_)));
    typed(&mut terminal, b"\n");
    assert_eq!(terminal.ready().unwrap().bytes, b"i\n");
}

#[test]
fn what_came_raw_is_typed_when_lines_are_edited() {
    let mut terminal = cooked();
    terminal.set_foreground(Some(1));
    terminal.set_settings(Settings::RAW);
    assert_eq!(typed(&mut terminal, b"one\rtw\x7fwo\r\x04\rhalf"), b"");
    terminal.set_settings(Settings::COOKED);
    // Only what can still be edited is shown, and erased where it stands.
    assert_eq!(typed(&mut terminal, b"\x7f"), b"half\x08 \x08");
    for line in [&b"one\n"[..], b"two\n", b"", b"\n"] {
        assert_eq!(read(&mut terminal, 100), line);
    }
    typed(&mut terminal, b"ves\r");
    assert_eq!(read(&mut terminal, 100), b"halves\n");

    // A signal takes away what came before it, as ever.
    terminal.set_settings(Settings::RAW);
    typed(&mut terminal, b"before\r\x03after\r");
    assert_eq!(terminal.signal(), None);
    terminal.set_settings(Settings::COOKED);
    assert_eq!(terminal.signal(), Some((1, Signal::Interrupt)));
    assert_eq!(read(&mut terminal, 100), b"after\n");

    // An end of the file that was meant for lines is not one among bytes, and not one later.
    typed(&mut terminal, b"\x04");
    terminal.set_settings(Settings::RAW);
    terminal.set_settings(Settings::COOKED);
    assert!(matches!(terminal.read(1, 1, &mut [0; 9]), Outcome::Park(_)));
}

#[test]
fn what_came_raw_and_is_too_long_for_a_line_is_cut_off() {
    let mut terminal = cooked();
    terminal.set_settings(Settings::RAW);
    typed(&mut terminal, &[b'x'; INPUT]);
    terminal.set_settings(Settings::COOKED);
    typed(&mut terminal, b"\r");
    let line = read(&mut terminal, 2 * INPUT);
    assert_eq!((line.len(), line[INPUT - 1]), (INPUT, b'\n'));
}

/// A screen of one endless line: what a real one would show of it.
#[derive(Default)]
struct Screen {
    cells: Vec<char>,
    cursor: usize,
}

impl Screen {
    fn show(&mut self, bytes: &[u8]) {
        for character in String::from_utf8(bytes.to_vec()).unwrap().chars() {
            match character {
                '\n' => self.cells.clear(),
                '\r' => self.cursor = 0,
                '\x08' => self.cursor -= 1,
                '\t' => self.cursor += 8 - self.cursor % 8,
                '\x07' => {}
                character => {
                    if self.cells.len() <= self.cursor {
                        self.cells.resize(self.cursor + 1, ' ');
                    }
                    self.cells[self.cursor] = character;
                    self.cursor += 1;
                }
            }
        }
    }

    fn text(&self) -> String {
        self.cells.iter().collect::<String>().trim_end().into()
    }
}

/// How a line is shown behind a prompt.
fn shown(prompt: &str, line: &[char]) -> (String, usize) {
    let mut text: Vec<char> = prompt.chars().collect();
    for &character in line {
        match character {
            '\t' => text.resize(text.len() / 8 * 8 + 8, ' '),
            control if control.is_ascii_control() => text.extend(['^', (control as u8 ^ 0x40) as char]),
            character => text.push(character),
        }
    }
    let column = text.len();
    (text.iter().collect::<String>().trim_end().into(), column)
}

fn key() -> impl Strategy<Value = char> {
    prop_oneof![
        8 => prop::sample::select(vec!['a', 'b', '_', ' ', '.', '\t', 'é', '界', '\u{1}', '\u{1b}']),
        4 => prop::sample::select(vec!['\u{7f}', '\u{8}', '\u{17}', '\u{15}', '\u{12}']),
        1 => Just('\r'),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// After every key the screen shows the prompt and the line as a naive editor has it, and the cursor is at its end.
    #[test]
    fn the_screen_shows_the_line(prompt in "[a-z]{0,10}", keys in prop::collection::vec(key(), 0..80)) {
        let mut terminal = cooked();
        let mut screen = Screen::default();
        terminal.write(1, prompt.as_bytes());
        let mut prompt = prompt;
        let mut line: Vec<char> = Vec::new();
        for key in keys {
            let mut bytes = [0; 4];
            let echo = typed(&mut terminal, key.encode_utf8(&mut bytes).as_bytes());
            let out: Vec<u8> = echo;
            // The prompt comes out with the first echo.
            screen.show(&out);
            match key {
                '\u{7f}' | '\u{8}' => drop(line.pop()),
                '\u{15}' => line.clear(),
                '\u{12}' => prompt.clear(),
                '\u{17}' => {
                    let letter = |character: &char| character.is_ascii_alphanumeric() || *character == '_' || !character.is_ascii();
                    while line.last().is_some_and(|last| !letter(last)) {
                        line.pop();
                    }
                    while line.last().is_some_and(letter) {
                        line.pop();
                    }
                }
                '\r' => {
                    prop_assert_eq!(read(&mut terminal, INPUT), format!("{}\n", line.iter().collect::<String>()).into_bytes());
                    line.clear();
                    prompt.clear();
                }
                key => line.push(key),
            }
            screen.show(&std::iter::from_fn(|| terminal.output()).collect::<Vec<_>>());
            let (text, column) = shown(&prompt, &line);
            // What was never printed for lack of a key is still to come.
            if !screen.cells.is_empty() || !text.is_empty() {
                prop_assert_eq!((screen.text(), screen.cursor), (text, column), "after {:?}", key);
            }
        }
    }

    /// In raw mode what goes in comes out, and nothing is echoed.
    #[test]
    fn raw_is_raw(chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), 1..300usize), 0..20)) {
        let mut terminal = cooked();
        terminal.set_settings(Settings::RAW);
        let (mut sent, mut got) = (Vec::new(), Vec::new());
        for (bytes, room) in chunks {
            prop_assert_eq!(typed(&mut terminal, &bytes), b"");
            sent.extend(bytes);
            if got.len() < sent.len() {
                got.extend(read(&mut terminal, room));
            }
            prop_assert_eq!(terminal.write(1, b"a\nb"), Outcome::Done(3));
            let out: Vec<u8> = std::iter::from_fn(|| terminal.output()).collect();
            prop_assert_eq!(out, b"a\nb");
        }
        while got.len() < sent.len() {
            got.extend(read(&mut terminal, 100));
        }
        prop_assert_eq!(got, sent);
    }

    /// Anything at all: no panic, bounded output, every ticket completes at most once, and a byte's echo is never longer
    /// than what it erases or reprints.
    #[test]
    fn any_use_is_survived(steps in prop::collection::vec((0..10u8, any::<u8>(), 0..700usize), 0..300)) {
        let mut terminal = Terminal::new(Background::Stop);
        let mut parked = Vec::new();
        for (what, byte, count) in steps {
            let outcome = match what {
                0 => terminal.read(u64::from(byte % 3), u32::from(byte % 2), &mut vec![0; count]),
                1 => terminal.write(u64::from(byte % 3), &vec![byte; count]),
                2 => {
                    let bit = |shift: u8| byte >> shift & 1 == 1;
                    terminal.set_settings(Settings {
                        edit: bit(0), echo: bit(1), signals: bit(2), flow: bit(3), newline_in: bit(4), newline_out: bit(5),
                    });
                    Outcome::Done(0)
                }
                3 => {
                    terminal.set_foreground((byte < 200).then_some(u32::from(byte % 2)));
                    Outcome::Done(0)
                }
                4 => {
                    let taken = std::iter::from_fn(|| terminal.output()).take(count).count();
                    prop_assert!(taken <= count);
                    Outcome::Done(0)
                }
                5 => {
                    terminal.client_gone(u64::from(byte % 3));
                    Outcome::Done(0)
                }
                6 => {
                    for _ in 0..count {
                        terminal.receive(byte);
                    }
                    Outcome::Done(0)
                }
                _ => {
                    terminal.receive(byte);
                    Outcome::Done(0)
                }
            };
            if let Outcome::Park(ticket) = outcome {
                parked.push(ticket);
            }
            prop_assert!(parked.len() < 400);
            while let Some(done) = terminal.ready() {
                prop_assert_eq!(done.bytes.len() == done.count || done.bytes.is_empty(), true);
                let at = parked.iter().position(|&ticket| ticket == done.ticket);
                prop_assert!(at.is_some());
                parked.remove(at.unwrap());
            }
            let _ = terminal.signal();
        }
        // Nothing writes any more, so what comes out is bounded by what was kept.
        terminal.client_gone(0);
        terminal.client_gone(1);
        terminal.client_gone(2);
        terminal.set_settings(Settings::RAW);
        prop_assert!(std::iter::from_fn(|| terminal.output()).count() <= OUTPUT);
        prop_assert_eq!(terminal.ready(), None);
    }

    /// One byte is answered with at most three bytes for each column that the line takes.
    #[test]
    fn echo_is_bounded(bytes in prop::collection::vec(0..=255u8, 0..200)) {
        let mut terminal = cooked();
        for (length, byte) in bytes.into_iter().enumerate() {
            let echo = typed(&mut terminal, &[byte]);
            // Two columns for a control character, eight for a tab.
            prop_assert!(echo.len() <= 8.max(3 * 2 * (length + 2)), "{} bytes for {}", echo.len(), byte);
        }
    }
}

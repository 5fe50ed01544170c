//! The same keys here and on a pseudo-terminal of Linux: the same echo, and the same lines read.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, tcgetattr, tcsetattr,
};
use terminal::{Background, Outcome, Settings, Terminal};

/// A pseudo-terminal: where the keys go, and where the program reads.
struct Pty {
    master: File,
    slave: File,
}

impl Pty {
    /// `None` where there are none, as in some containers.
    fn new(cooked: bool) -> Option<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).ok()?;
        grantpt(&master).ok()?;
        unlockpt(&master).ok()?;
        let name = ptsname(&master, Vec::new()).ok()?;
        let nonblocking = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
        let slave = rustix::fs::open(name, nonblocking, Mode::empty()).ok()?;
        rustix::fs::fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK).ok()?;
        let mut termios = tcgetattr(&slave).ok()?;
        termios.make_raw();
        if cooked {
            termios.input_modes = InputModes::ICRNL | InputModes::IXON | InputModes::IUTF8;
            termios.output_modes = OutputModes::OPOST | OutputModes::ONLCR;
            termios.local_modes = LocalModes::ISIG
                | LocalModes::ICANON
                | LocalModes::IEXTEN
                | LocalModes::ECHO
                | LocalModes::ECHOE
                | LocalModes::ECHOK
                | LocalModes::ECHOKE
                | LocalModes::ECHOCTL;
        }
        let codes = [
            (SpecialCodeIndex::VINTR, 3),
            (SpecialCodeIndex::VQUIT, 0),
            (SpecialCodeIndex::VERASE, 0x7f),
            (SpecialCodeIndex::VKILL, 0x15),
            (SpecialCodeIndex::VEOF, 4),
            (SpecialCodeIndex::VEOL, 0),
            (SpecialCodeIndex::VEOL2, 0),
            (SpecialCodeIndex::VSTART, 0x11),
            (SpecialCodeIndex::VSTOP, 0x13),
            (SpecialCodeIndex::VSUSP, 0x1a),
            (SpecialCodeIndex::VREPRINT, 0x12),
            (SpecialCodeIndex::VWERASE, 0x17),
            (SpecialCodeIndex::VLNEXT, 0x16),
        ];
        if cooked {
            for (index, code) in codes {
                termios.special_codes[index] = code;
            }
        }
        tcsetattr(&slave, OptionalActions::Now, &termios).ok()?;
        let (master, slave) = (File::from(master), File::from(slave));
        Some(Self { master, slave })
    }

    /// What is shown until it is so many bytes, or for half a second nothing comes.
    fn shown(&mut self, len: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let mut last = Instant::now();
        while all.len() < len && last.elapsed() < Duration::from_millis(500) {
            let mut bytes = [0; 4096];
            match self.master.read(&mut bytes) {
                Ok(count) => {
                    all.extend(&bytes[..count]);
                    last = Instant::now();
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
        }
        all
    }

    /// One read of the program.
    fn read(&mut self, room: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; room];
        match self.slave.read(&mut bytes) {
            Ok(count) => {
                bytes.truncate(count);
                Some(bytes)
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                None
            }
        }
    }
}

fn ours_shown(ours: &mut Terminal) -> Vec<u8> {
    std::iter::from_fn(|| ours.output()).collect()
}

fn ours_read(ours: &mut Terminal, room: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; room];
    match ours.read(1, 1, &mut bytes) {
        Outcome::Done(count) => {
            bytes.truncate(count);
            Some(bytes)
        }
        Outcome::Park(ticket) => {
            assert!(ours.cancel(ticket));
            None
        }
        Outcome::Refused(error) => panic!("{error:?}"),
    }
}

/// Ends whatever the keys have begun: a literal, silence, a line; and then a line that says that all keys were taken.
const TAIL: &[u8] = b"\x11\x11\n\n#\n";

/// Keys without `^H`, for which Linux has no room beside delete.
fn key() -> impl Strategy<Value = Vec<u8>> {
    let text = prop::sample::select(vec![
        "a", "B", "7", "_", " ", "-", "é", "界", "😀", "\t", "\u{1}", "\u{1b}", "\0",
    ]);
    let edit = prop::sample::select(vec![0x7f, 0x17, 0x15, 0x12, 0x16, 0x04]);
    prop_oneof![
        12 => text.prop_map(|text| text.as_bytes().to_vec()),
        6 => edit.prop_map(|byte| vec![byte]),
        1 => prop::sample::select(vec![b'\r', b'\n']).prop_map(|byte| vec![byte]),
        1 => prop::sample::select(vec![0x11, 0x13]).prop_map(|byte| vec![byte]),
        1 => prop::sample::select(vec![0x03, 0x1a]).prop_map(|byte| vec![byte]),
    ]
}

/// Types keys on both sides and compares what is shown. What comes before a signal or silence has to be shown before:
/// these take away, or hold back, what is still on its way.
fn type_on_both(pty: &mut Pty, ours: &mut Terminal, keys: &[u8]) -> Result<(), TestCaseError> {
    let is_alone = |byte: u8| matches!(byte, 0x03 | 0x1a | 0x11 | 0x13);
    for part in keys.chunk_by(|&one, &next| !is_alone(one) && !is_alone(next)) {
        pty.master.write_all(part).unwrap();
        part.iter().for_each(|&byte| ours.receive(byte));
        let mine = ours_shown(ours);
        prop_assert_eq!(show(&pty.shown(mine.len())), show(&mine), "{:?}", show(part));
    }
    Ok(())
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_are_edited_as_linux_does(keys in prop::collection::vec(key(), 0..60), rooms in prop::collection::vec(1..40usize, 200)) {
        let Some(mut pty) = Pty::new(true) else { return Ok(()) };
        let mut ours = Terminal::new(Background::Refuse);
        let keys = keys.concat();
        type_on_both(&mut pty, &mut ours, &keys)?;
        type_on_both(&mut pty, &mut ours, TAIL)?;
        // Everything up to the line that says so, in reads of any size.
        let mut last = Vec::new();
        for room in rooms {
            let mine = ours_read(&mut ours, room);
            let other = pty.read(room);
            prop_assert_eq!(other.as_deref().map(show), mine.as_deref().map(show), "{} after {:?}", room, show(&last));
            match mine {
                Some(bytes) => last = bytes,
                None => break,
            }
        }
    }

    /// What comes while a program reads bytes, and then lines without having read it all, is read as if it had come then.
    #[test]
    fn what_came_raw_is_edited_as_linux_does(
        early in prop::collection::vec(key(), 0..20),
        late in prop::collection::vec(key(), 0..40),
        rooms in prop::collection::vec(1..40usize, 200),
    ) {
        let Some(mut pty) = Pty::new(true) else { return Ok(()) };
        let mut ours = Terminal::new(Background::Refuse);
        // Ends of files do not outlast the change.
        let early: Vec<u8> = early.concat().into_iter().filter(|&byte| byte != 4).collect();
        type_on_both(&mut pty, &mut ours, &early)?;
        type_on_both(&mut pty, &mut ours, TAIL)?;
        ours.set_settings(Settings::RAW);
        for part in [late.concat().as_slice(), TAIL] {
            pty.master.write_all(part).unwrap();
            part.iter().for_each(|&byte| ours.receive(byte));
            prop_assert_eq!(ours.output(), None);
        }
        // Linux has taken all keys when it has echoed the last ones.
        let start = Instant::now();
        let mut echo = Vec::new();
        while !echo.ends_with(b"#\r\n") && start.elapsed() < Duration::from_secs(5) {
            echo.extend(pty.shown(1));
        }
        ours.set_settings(Settings::COOKED);
        for room in rooms {
            let mine = ours_read(&mut ours, room);
            let other = pty.read(room);
            prop_assert_eq!(other.as_deref().map(show), mine.as_deref().map(show), "{:?}", show(&late.concat()));
            if mine.is_none() {
                break;
            }
        }
    }

    #[test]
    fn output_and_raw_input_are_as_on_linux(bytes in prop::collection::vec(any::<u8>(), 1..300)) {
        let Some(mut pty) = Pty::new(false) else { return Ok(()) };
        let mut ours = Terminal::new(Background::Refuse);
        ours.set_settings(Settings::RAW);
        pty.master.write_all(&bytes).unwrap();
        bytes.iter().for_each(|&byte| ours.receive(byte));
        let mut other = Vec::new();
        let start = Instant::now();
        while other.len() < bytes.len() && start.elapsed() < Duration::from_millis(500) {
            other.extend(pty.read(4096).unwrap_or_default());
        }
        prop_assert_eq!(Some(other), ours_read(&mut ours, 4096));

        let Some(mut pty) = Pty::new(true) else { return Ok(()) };
        ours.set_settings(Settings::COOKED);
        pty.slave.write_all(&bytes).unwrap();
        prop_assert_eq!(ours.write(1, &bytes[..bytes.len().min(200)]), Outcome::Done(bytes.len().min(200)));
        let mut mine = ours_shown(&mut ours);
        if bytes.len() > 200 {
            ours.write(1, &bytes[200..]);
            mine.extend(ours_shown(&mut ours));
        }
        prop_assert_eq!(pty.shown(mine.len()), mine);
    }
}

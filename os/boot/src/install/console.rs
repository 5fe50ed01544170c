//! Asking a person.

use boot_core::entry::{Echo, Key, Line};
use core::time::Duration;
use uefi::boot;
use uefi::proto::console::text::{Key as FirmwareKey, ScanCode};
use uefi::{print, println};

/// How often the keyboard is looked at.
const POLL: Duration = Duration::from_millis(20);

/// The key that was pressed since the last call, if it means something.
fn pressed() -> Option<Key> {
    // A keyboard that fails is as good as one that nobody touches.
    let key = uefi::system::with_stdin(|input| input.read_key().ok().flatten())?;
    match key {
        FirmwareKey::Printable(character) => Key::of(character.into()),
        // What terminals send for the backspace key.
        FirmwareKey::Special(ScanCode::DELETE) => Some(Key::Backspace),
        FirmwareKey::Special(_) => None,
    }
}

/// The first key within a time.
pub(super) fn key_within(limit: Duration) -> Option<Key> {
    let mut left = limit;
    loop {
        if let Some(key) = pressed() {
            return Some(key);
        }
        left = left.checked_sub(POLL)?;
        boot::stall(POLL);
    }
}

/// Asks, and waits for a line. `first` was pressed before.
pub(super) fn ask(question: &str, first: Option<Key>) -> Line {
    print!("{question} ");
    let mut line = Line::default();
    let mut next = first;
    loop {
        let key = match next.take() {
            Some(key) => key,
            None => match key_within(Duration::from_secs(60)) {
                Some(key) => key,
                None => continue,
            },
        };
        match line.press(key) {
            Echo::Nothing => {}
            Echo::Character(character) => print!("{character}"),
            Echo::Erase => print!("\u{8} \u{8}"),
            Echo::Done => {
                println!();
                return line;
            }
        }
    }
}

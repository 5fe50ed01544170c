//! A person at the serial line of a machine.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use vrel_build::Machine;
use vrel_build::installer::{Media, command};
use vrel_world::RealWorld;

/// After this time a machine that says nothing new hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// A machine that runs, and everything that it has said.
pub(crate) struct Typist {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    said: String,
    /// What was said before this place has been read.
    read: usize,
}

impl Typist {
    /// Starts a machine.
    pub(crate) fn start(machine: &Machine, medium: &str, media: &Media<'_>) -> Self {
        let command =
            command(&RealWorld::default(), machine, medium, media).unwrap_or_else(|error| panic!("{error}"));
        let mut child = Command::new(&command.program)
            .args(&command.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (keyboard, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(len @ 1..) = output.read(&mut piece) {
                if sender.send(piece[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            said: String::new(),
            read: 0,
        }
    }

    /// Takes what comes next; whether something came.
    fn listen(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.screen.recv_timeout(left) {
            Ok(bytes) => {
                self.said.push_str(&String::from_utf8_lossy(&bytes));
                true
            }
            Err(_) => false,
        }
    }

    /// Waits until the machine says this, behind what was waited for before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.said[self.read..].find(text) {
                self.read += at + text.len();
                return;
            }
            let heard = self.listen(deadline);
            assert!(
                heard,
                "expected `{text}` behind byte {}, got:\n{}",
                self.read, self.said
            );
        }
    }

    fn write(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types, and waits for what is said to it.
    pub(crate) fn answer(&mut self, keys: &str, expected: &str) {
        self.write(keys);
        self.wait_for(expected);
    }

    /// Types, waits for the machine's end, and returns the emulator's exit status.
    pub(crate) fn end_after(self, keys: &str) -> Option<i32> {
        self.last_words_after(keys).0
    }

    /// As [`Self::end_after`], with everything that the machine said.
    pub(crate) fn last_words_after(mut self, keys: &str) -> (Option<i32>, String) {
        self.write(keys);
        let deadline = Instant::now() + PATIENCE;
        while self.listen(deadline) {}
        assert!(
            Instant::now() < deadline,
            "expected the machine's end, got:\n{}",
            self.said
        );
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
    }
}

impl Drop for Typist {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The shell at a terminal: editing, jobs, signals.

mod common;

use std::io::{Read as _, Write as _};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{Shell, shell};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Long enough for a busy machine; reached only by tests that fail.
const PATIENCE: Duration = Duration::from_secs(20);

/// A person at a terminal.
struct Session {
    child: Child,
    keyboard: std::fs::File,
    screen: Receiver<Vec<u8>>,
    /// What has been shown since the last expectation.
    shown: String,
    place: tempfile::TempDir,
}

impl Session {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let size = rustix::termios::Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&controller, size).unwrap();
        // `setsid` gives the shell a session of which the terminal can be the controlling one.
        let template = shell(Shell::Vsh, place.path());
        let mut command = std::process::Command::new("setsid");
        command
            .args(["--ctty", "--wait"])
            .arg(template.get_program())
            .arg("-i");
        command.env_clear().envs(
            template
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command
            .env("HOME", place.path())
            .env("PS1", "READY> ")
            .current_dir(place.path());
        let open = || {
            std::fs::File::options()
                .read(true)
                .write(true)
                .open(&name)
                .unwrap()
        };
        command.stdin(open()).stdout(open()).stderr(open());
        let child = command.spawn().unwrap();
        let controller: std::fs::File = controller.into();
        let mut reader = controller.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut session = Self {
            child,
            keyboard: controller,
            screen,
            shown: String::new(),
            place,
        };
        session.expect("READY> ");
        session
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until a text is shown, and forgets everything up to it.
    #[track_caller]
    fn expect(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            if let Some(at) = self.shown.find(text) {
                self.shown.drain(..at + text.len());
                return;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("`{text}' was not shown, but: {:?}", self.shown),
            }
        }
    }

    /// Types a line, and waits for what it writes and the next prompt.
    #[track_caller]
    fn line(&mut self, line: &str, output: &str) {
        self.press(&format!("{line}\r"));
        // The line is shown as it is typed; what it writes comes after the line's end.
        self.expect("\r\n");
        self.expect(output);
        self.expect("READY> ");
    }

    fn end(mut self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap();
            }
            assert!(start.elapsed() < PATIENCE, "the shell does not end");
            // Its last words must not fill the terminal.
            let _ = self.screen.recv_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // After `end` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn lines_are_edited_and_run() {
    let mut session = Session::new();
    session.line("echo hello", "hello\r\n");
    session.line("ecko\x1b[D\x7fh\x05 edited\x01\x1bf\x05 more", "edited more\r\n");
    session.line("\x1b[A\x15echo up", "up\r\n");
    session.line("\x12hello", "hello\r\n");
    session.line("x=completed; ec\t$x", "completed\r\n");
    session.line("echo 'two\r lines'", "two\r\n lines\r\n");
    session.line("if true; then\recho compound\rfi", "compound\r\n");
    session.line("cat <<E\rdocument\rE", "document\r\n");
    session.line("nosuch", "vsh: nosuch: command not found\r\n");
    session.line("echo $?", "127\r\n");
    session.line("echo )", "syntax error near unexpected token `)'\r\n");
    session.press("exit 3\r");
    assert_eq!(session.end(), 3);
}

#[test]
fn control_c_gives_up_lines_and_commands() {
    let mut session = Session::new();
    session.press("never typed\x03");
    session.expect("READY> ");
    session.line("echo $?", "130\r\n");
    session.press("echo started; sleep 60\r");
    session.expect("started\r\n");
    session.press("\x03");
    // The prompt does not hide the key.
    session.expect("^C\r\n");
    session.expect("READY> ");
    session.line("echo $?", "130\r\n");
    session.press("echo looping; while true; do :; done\r");
    session.expect("looping\r\n");
    session.press("\x03");
    session.expect("^C\r\n");
    session.expect("READY> ");
    session.press("echo looping; while true; do sleep 0.05; done\r");
    session.expect("looping\r\n");
    session.press("\x03");
    session.expect("^C\r\n");
    session.expect("READY> ");
    session.press("read x\r");
    session.expect("\r\n");
    std::thread::sleep(Duration::from_millis(100));
    session.press("\x03");
    session.expect("^C\r\n");
    session.expect("READY> ");
    session.line("echo alive", "alive\r\n");
}

#[test]
fn jobs_stop_and_go_on() {
    let mut session = Session::new();
    session.press("echo begin; cat\r");
    session.expect("begin\r\n");
    session.press("shown\r");
    session.expect("shown\r\n");
    session.expect("shown\r\n");
    session.press("\x1a");
    session.expect("Stopped");
    session.expect("READY> ");
    session.line("echo $?", "148\r\n");
    session.line("jobs", "[1]+  Stopped                 cat\r\n");
    session.press("fg\r");
    session.expect("cat\r\n");
    session.press("again\r");
    session.expect("again\r\n");
    session.expect("again\r\n");
    session.press("\x04");
    session.expect("READY> ");
    session.line("sleep 60 &", "[1] ");
    session.line("jobs", "Running                 sleep 60\r\n");
    session.line("kill %1; wait %1; echo $?", "143\r\n");
    session.press("sleep 60\r");
    session.expect("\r\n");
    std::thread::sleep(Duration::from_millis(200));
    session.press("\x1a");
    session.expect("Stopped");
    session.expect("READY> ");
    session.line("bg", "[1] sleep 60 &\r\n");
    session.press("fg %sleep\r");
    session.expect("sleep 60\r\n");
    std::thread::sleep(Duration::from_millis(200));
    session.press("\x03");
    session.expect("^C\r\n");
    session.expect("READY> ");
    session.line("sh -c 'exit 5' & sleep 0.2", "[1] ");
    session.line("echo prompt", "prompt\r\n");
    session.press("\x04");
    assert_eq!(session.end(), 0);
}

#[test]
fn history_is_kept_and_tab_lists() {
    let mut session = Session::new();
    session.line("touch common-one common-two 'with blank'", "");
    session.press("ls com\t");
    session.expect("common-");
    session.press("\t");
    session.expect("common-one  common-two\r\n");
    session.line("o\t", "common-one\r\n");
    session.line("echo with\t", "with blank\r\n");
    session.line("echo $HOM\t", &format!("{}\r\n", session.place.path().display()));
    session.line("history 2", "  5  ");
    let kept = std::fs::read_to_string(session.place.path().join(".vsh_history")).unwrap();
    assert!(
        kept.starts_with("touch common-one common-two 'with blank'\nls common-one \n"),
        "{kept}"
    );
    session.press("\x04");
    assert_eq!(session.end(), 0);
}

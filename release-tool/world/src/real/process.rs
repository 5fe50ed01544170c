//! Real programs.

use super::Interrupt;
use super::streams::Streams;
use crate::{Answer, Command, ErrorKind, Exit, Processes, Result, Stream, WorldError};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How often a wait looks at the time limit and at the interrupt flag.
const POLL: Duration = Duration::from_millis(20);

/// The first of the waits, each twice as long as the one before, for a program that is about to end.
const FIRST_PAUSE: Duration = Duration::from_micros(100);

/// How long a program that has ended may have streams that somebody else keeps open.
const GRACE: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct RealProcesses {
    interrupt: Interrupt,
    supervisor: Option<(PathBuf, Vec<String>)>,
}

impl RealProcesses {
    pub(super) fn new(interrupt: Interrupt, supervisor: Option<(PathBuf, Vec<String>)>) -> Self {
        Self {
            interrupt,
            supervisor,
        }
    }

    fn system_command(&self, command: &Command) -> std::process::Command {
        let mut system = match &self.supervisor {
            None => std::process::Command::new(&command.program),
            Some((program, leading)) => {
                let mut system = std::process::Command::new(program);
                system
                    .args(leading)
                    .arg(std::process::id().to_string())
                    .arg(&command.program);
                system
            }
        };
        set_up(&mut system, command);
        system
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own, so that it can be killed with everything that it starts.
        system.process_group(0);
        system
    }
}

/// Gives a program its arguments, environment and directory.
fn set_up(system: &mut std::process::Command, command: &Command) {
    system.args(&command.args);
    for name in &command.env_remove {
        system.env_remove(name);
    }
    system.envs(command.env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = &command.dir {
        system.current_dir(dir);
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, signal) => Exit::Signal(signal.unwrap_or(0)),
    }
}

/// Kills the whole group when dropped, so that nothing is left behind however the wait ends.
struct Group(Child);

impl Group {
    fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            // An error means that the group is gone already.
            let _gone_already = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.kill();
            drop(self.0.wait());
        }
    }
}

impl RealProcesses {
    /// Passes lines on until both streams are closed; `Some` when the program had to be killed before.
    fn follow(
        &self,
        group: &mut Group,
        streams: &mut Streams,
        deadline: Option<Instant>,
        on_line: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<Option<Exit>> {
        let mut ended_at: Option<Instant> = None;
        while !streams.are_closed() {
            // Before the streams: when nothing is there to be read after this, the program's last word has been read.
            if ended_at.is_none() && matches!(group.0.try_wait(), Ok(Some(_))) {
                ended_at = Some(Instant::now());
            }
            let found = streams.read(POLL, on_line)?;
            if self.interrupt.is_set() {
                group.kill();
                self.interrupt.check()?;
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                group.kill();
                return Ok(Some(Exit::TimedOut));
            }
            // A program that ended may have left a child that keeps the streams open; what it printed by then is all.
            if found.is_none() && ended_at.is_some_and(|at| at.elapsed() > GRACE) {
                group.kill();
                break;
            }
        }
        Ok(None)
    }

    /// Runs a program to its end, with what `keep` takes of it at hand when a line comes.
    fn run_to_end<T>(
        &self,
        command: &Command,
        mut system: std::process::Command,
        keep: impl FnOnce(&mut Child) -> T,
        mut on_line: impl FnMut(&mut T, Stream, &[u8]),
    ) -> Result<Exit> {
        let spawned = system.spawn();
        let child = spawned.map_err(|error| WorldError::io("start", &command.program, &error))?;
        let deadline = command.timeout.map(|limit| Instant::now() + limit);
        let mut group = Group(child);
        let mut kept = keep(&mut group.0);
        let mut on_line = |stream, line: &[u8]| on_line(&mut kept, stream, line);
        let mut streams = Streams::of(&mut group.0);
        let killed = self.follow(&mut group, &mut streams, deadline, &mut on_line)?;
        let exit = self.wait(&mut group, deadline)?;
        streams.finish(&mut on_line)?;
        Ok(killed.unwrap_or(exit))
    }

    /// Waits for a program whose streams are closed. Most have closed them by ending, and are gone a moment later.
    fn wait(&self, group: &mut Group, deadline: Option<Instant>) -> Result<Exit> {
        let mut pause = FIRST_PAUSE;
        loop {
            match group.0.try_wait() {
                Ok(Some(status)) => return Ok(exit_of(status)),
                Ok(None) => {}
                Err(error) => {
                    return Err(WorldError::new(
                        "wait for",
                        "a program",
                        ErrorKind::Other,
                        error.to_string(),
                    ));
                }
            }
            self.interrupt.check()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                group.kill();
                return Ok(Exit::TimedOut);
            }
            std::thread::park_timeout(pause);
            pause = (2 * pause).min(POLL);
        }
    }
}

impl Processes for RealProcesses {
    fn run(&self, command: &Command, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Exit> {
        self.interrupt.check()?;
        let system = self.system_command(command);
        self.run_to_end(command, system, |_| (), |(), stream, line| on_line(stream, line))
    }

    fn converse(&self, command: &Command, answer: Answer<'_>) -> Result<Exit> {
        self.interrupt.check()?;
        let mut system = self.system_command(command);
        system.stdin(Stdio::piped());
        let input = |child: &mut Child| child.stdin.take();
        self.run_to_end(command, system, input, |input, stream, line| {
            if let (Some(text), Some(input)) = (answer(stream, line), input) {
                // A program that reads no more has ended or is about to, and its status tells.
                let _ended = input.write_all(&text).and_then(|()| input.flush());
            }
        })
    }

    fn attach(&self, command: &Command) -> Result<Exit> {
        self.interrupt.check()?;
        let mut system = std::process::Command::new(&command.program);
        set_up(&mut system, command);
        // In the tool's own group: a terminal lets no other one read.
        let status = system.status();
        status
            .map(exit_of)
            .map_err(|error| WorldError::io("start", &command.program, &error))
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        let runnable =
            |path: &PathBuf| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok() && path.is_file();
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(runnable);
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|dir| dir.join(name))
            .find(runnable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(command: &Command) -> (Exit, Vec<(Stream, String)>) {
        let mut lines = Vec::new();
        let exit = RealProcesses::default()
            .run(command, &mut |stream, line| {
                lines.push((stream, String::from_utf8_lossy(line).into_owned()))
            })
            .unwrap();
        (exit, lines)
    }

    fn shell(script: &str) -> Command {
        Command::new("sh").args(["-c", script])
    }

    fn shell_child(script: &str) -> Child {
        RealProcesses::default()
            .system_command(&shell(script))
            .spawn()
            .unwrap()
    }

    #[test]
    fn lines_of_both_streams_and_the_status_come_through() {
        let (exit, mut lines) = run(&shell("echo out; echo err >&2; printf 'no end'; exit 7"));
        assert_eq!(exit, Exit::Status(7));
        lines.sort_by(|a, b| a.1.cmp(&b.1));
        let expected = [
            (Stream::Stderr, "err".to_owned()),
            (Stream::Stdout, "no end".to_owned()),
            (Stream::Stdout, "out".to_owned()),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_program_is_answered_line_by_line() {
        let mut heard = Vec::new();
        let script = "echo name?; read name; echo \"hello $name\"; read more; echo \"and $more\"; cat";
        let exit = RealProcesses::default().converse(
            &shell(script).timeout(Duration::from_secs(2)),
            &mut |_, line| {
                let line = String::from_utf8_lossy(line).into_owned();
                let answer = match line.as_str() {
                    "name?" => Some(b"you\n".to_vec()),
                    // More than one line at once, and more than the program reads before it ends.
                    "hello you" => Some(b"then\nlast\n".to_vec()),
                    _ => None,
                };
                heard.push(line);
                answer
            },
        );
        // Its input stays open, so that `cat` waits for more until its time is over.
        assert_eq!(exit.unwrap(), Exit::TimedOut);
        assert_eq!(heard, ["name?", "hello you", "and then", "last"]);
    }

    #[test]
    fn an_answer_that_nobody_reads_is_no_failure() {
        let exit = RealProcesses::default().converse(&shell("exec 0<&-; echo a; exit 3"), &mut |_, _| {
            Some(vec![b'x'; 1 << 20])
        });
        assert_eq!(exit.unwrap(), Exit::Status(3));
    }

    #[test]
    fn environment_and_directory_are_set() {
        let command = shell("echo $A-$HOME; pwd")
            .env("A", "b")
            .env_remove("HOME")
            .dir(std::path::Path::new("/"));
        let (_, lines) = run(&command);
        assert_eq!(
            lines.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(),
            ["b-", "/"]
        );
    }

    #[test]
    fn the_time_limit_kills_the_whole_group() {
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            "(sleep 600; touch {}/alive) & echo $!; wait",
            dir.path().display()
        );
        let (exit, lines) = run(&shell(&script).timeout(Duration::from_millis(300)));
        assert_eq!(exit, Exit::TimedOut);
        let grandchild = std::path::Path::new("/proc").join(&lines[0].1).join("stat");
        let gone =
            |stat: &std::path::Path| std::fs::read_to_string(stat).is_ok_and(|text| !text.contains(" Z "));
        let deadline = Instant::now() + Duration::from_secs(10);
        while gone(&grandchild) {
            assert!(Instant::now() < deadline, "the grandchild lives");
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_interrupt_kills_the_program() {
        let interrupt = Interrupt::default();
        let processes = RealProcesses::new(interrupt.clone(), None);
        let error = processes
            .run(&shell("echo started; sleep 600"), &mut |_, _| interrupt.set())
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted);
    }

    #[test]
    fn a_daemon_that_keeps_the_streams_open_does_not_block() {
        let (exit, lines) = run(&shell("sleep 600 & echo done"));
        assert_eq!((exit, lines.len()), (Exit::Status(0), 1));
    }

    #[test]
    fn nothing_is_lost_when_this_side_is_slower_than_the_program() {
        // When the second line is passed on, the program is long gone, its daemon keeps the streams open, and most of what
        // it printed has not been read.
        let mut lines = Vec::new();
        let exit = RealProcesses::default()
            .run(
                &shell("sleep 600 & echo why >&2; seq 10000; printf end"),
                &mut |stream, line| {
                    if lines.is_empty() {
                        std::thread::sleep(3 * GRACE);
                    }
                    lines.push((stream, String::from_utf8_lossy(line).into_owned()));
                },
            )
            .unwrap();
        assert_eq!(exit, Exit::Status(0));
        lines.retain(|line| *line != (Stream::Stderr, "why".to_owned()));
        let numbers = (1..=10_000).map(|number| number.to_string());
        let expected = numbers
            .chain(["end".to_owned()])
            .map(|line| (Stream::Stdout, line));
        assert!(lines.into_iter().eq(expected));
    }

    #[test]
    fn what_was_printed_before_this_side_looked_is_read() {
        // As under load: the process ended, its last line waits in the pipe, and whoever reads comes later than any grace.
        let mut child = shell_child("sleep 600 & echo refs/heads/main");
        while !matches!(child.try_wait(), Ok(Some(_))) {
            std::thread::yield_now();
        }
        std::thread::sleep(2 * GRACE);
        let mut streams = Streams::of(&mut child);
        let mut lines = Vec::new();
        RealProcesses::default()
            .follow(&mut Group(child), &mut streams, None, &mut |_, line| {
                lines.push(line.to_vec())
            })
            .unwrap();
        assert_eq!(lines, [b"refs/heads/main"]);
    }

    #[test]
    fn a_program_that_is_missing_or_fails_is_named() {
        let missing = RealProcesses::default()
            .output(&Command::new("no-such-program"))
            .unwrap_err();
        assert_eq!(missing.kind, ErrorKind::NotFound);
        assert!(
            missing.to_string().contains("cannot start no-such-program"),
            "{missing}"
        );
        let failed = RealProcesses::default()
            .output(&shell("echo why >&2; exit 3"))
            .unwrap_err();
        assert!(failed.to_string().ends_with("exit status 3: why"), "{failed}");
        assert_eq!(RealProcesses::default().find("no-such-program"), None);
        assert!(RealProcesses::default().find("sh").is_some());
    }
}

//! Who may read from the terminal: those in the foreground.

use abi::Tag;
use processes::{Pid, Reading, Signal, Target};
use protocol::files::{self, reader};

use crate::lives::{Server, own};

/// Tells the console that somebody else may be in the foreground.
pub(crate) fn tell_foreground() {
    // Without a console nobody reads from it.
    let _ = syscall::call(own::TO_CONSOLE, Tag::new(files::FOREGROUND).0, 0, 0, 0, 0);
}

impl Server {
    /// Says of everybody who wants to read from the terminal whether it may. The console asks about each process once, or
    /// once more after it went on, which takes a request to this server: so there is an end.
    pub(crate) fn judge_readers(&mut self) {
        let (mut client, mut verdict) = (0, reader::REFUSED);
        loop {
            let tag = Tag::new(files::READER).0;
            match syscall::call(own::TO_CONSOLE, tag, client, verdict, 0, 0) {
                Ok(reply) if reply.tag.label() == protocol::OK && reply.words[0] != 0 => {
                    client = reply.words[0];
                }
                _ => return,
            }
            verdict = match self.process_of(client) {
                Some(pid) => self.judge_reader(pid),
                None => reader::REFUSED,
            };
        }
    }

    /// What becomes of a process that wants to read. Stops the group of one that has to wait.
    fn judge_reader(&mut self, pid: Pid) -> u64 {
        // Who holds the stop key back could not be stopped by it either.
        let holds = self.lives.get(&pid).is_some_and(|life| life.holds_interrupts);
        match self.table.may_read(pid) {
            Ok(Reading::Allowed) => reader::ALLOWED,
            Ok(Reading::Stops) if !holds => {
                let group = self.table.info(pid).map_or(pid, |info| info.group);
                // Whoever has ended meanwhile needs no signal.
                let _ = self.table.kill(Target::Group(group), Signal::Stop);
                reader::STOPPED
            }
            _ => reader::REFUSED,
        }
    }
}

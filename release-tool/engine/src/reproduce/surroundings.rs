//! The same machine as seen from elsewhere: what a build must not depend on is different.

use std::path::{Path, PathBuf};
use std::time::Duration;
use vrel_model::UtcTime;
use vrel_world::{Answer, Command, Exit, Fs, Git, Processes, Result, Stream, World};

/// A world whose clock is 400 days ahead, and whose programs may have another time zone, another locale and another
/// directory for what is temporary. The home directory stays: compilers may be found by it.
pub struct Ahead<'a> {
    world: &'a dyn World,
    programs: Programs<'a>,
}

struct Programs<'a> {
    world: &'a dyn World,
    env: Vec<(String, String)>,
}

impl<'a> Ahead<'a> {
    /// How far ahead the clock is, in days.
    pub const DAYS: u32 = 400;

    /// A world with another clock, whose programs see what this process sees.
    #[must_use]
    pub fn new(world: &'a dyn World) -> Self {
        let env = Vec::new();
        Self {
            world,
            programs: Programs { world, env },
        }
    }

    /// As [`Ahead::new`], and programs see other variables; `temporary` is an existing directory.
    pub(crate) fn with_variables(world: &'a dyn World, temporary: &Path) -> Self {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let env = vec![
            // By its rule, because not every machine knows zones by name.
            pair("TZ", "<+1345>-13:45"),
            pair("LC_ALL", "C"),
            pair("TMPDIR", &temporary.display().to_string()),
        ];
        Self {
            world,
            programs: Programs { world, env },
        }
    }
}

impl World for Ahead<'_> {
    fn fs(&self) -> &dyn Fs {
        self.world.fs()
    }

    fn scratch(&self) -> &dyn Fs {
        self.world.scratch()
    }

    fn git(&self) -> &dyn Git {
        self.world.git()
    }

    fn processes(&self) -> &dyn Processes {
        &self.programs
    }

    fn now(&self) -> UtcTime {
        self.world.now().plus_days(Self::DAYS)
    }

    fn uptime(&self) -> Duration {
        self.world.uptime()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.world.random(buffer)
    }

    fn check_interrupt(&self) -> Result<()> {
        self.world.check_interrupt()
    }
}

impl Programs<'_> {
    fn with_variables(&self, command: &Command) -> Command {
        let mut command = command.clone();
        // What the caller sets by itself counts for more.
        let set: Vec<String> = command.env.iter().map(|(name, _)| name.clone()).collect();
        let others = self.env.iter().filter(|(name, _)| !set.contains(name));
        command.env.extend(others.cloned());
        command
    }
}

impl Processes for Programs<'_> {
    fn run(&self, command: &Command, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Exit> {
        self.world.processes().run(&self.with_variables(command), on_line)
    }

    fn converse(&self, command: &Command, answer: Answer<'_>) -> Result<Exit> {
        self.world
            .processes()
            .converse(&self.with_variables(command), answer)
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        self.world.processes().find(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::RealWorld;

    #[test]
    fn programs_see_another_zone_and_directory_unless_they_are_told_otherwise() {
        let world = RealWorld::default();
        let elsewhere = Ahead::with_variables(&world, Path::new("/elsewhere"));
        let command = Command::new("sh").args(["-c", "echo $TZ $TMPDIR $LC_ALL"]);
        let said =
            |command: &Command| String::from_utf8(elsewhere.processes().output(command).unwrap()).unwrap();
        assert_eq!(said(&command), "<+1345>-13:45 /elsewhere C\n");
        let command = command.env("TZ", "UTC");
        assert_eq!(said(&command), "UTC /elsewhere C\n");
        assert!(elsewhere.now().unix() >= world.now().unix() + 399 * 86400);
    }
}

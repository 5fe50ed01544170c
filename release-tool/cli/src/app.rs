//! What the verbs share: the world, the repository, and where a person keeps keys.

use crate::args::Global;
use crate::exit::Failure;
use crate::supervise;
use std::path::{Path, PathBuf};
use vrel_engine::{Site, load_from_work_tree};
use vrel_process::Policies;
use vrel_world::{Interrupt, RealWorld, World};

/// The program's surroundings. Only here are the environment and the home directory looked at.
pub(crate) struct App {
    /// The machine.
    pub(crate) world: RealWorld,
    /// The options that every verb has.
    pub(crate) global: Global,
}

impl App {
    /// Prepares the world. The first Ctrl-C (or SIGTERM) asks the work to stop at the next safe point; the second ends
    /// the program at once, which the journal survives too.
    pub(crate) fn new(global: Global) -> Self {
        let interrupt = Interrupt::default();
        let flag = interrupt.clone();
        let handler = move || {
            if flag.is_set() {
                std::process::exit(130);
            }
            crate::output::say("stopping; press Ctrl-C again to stop at once");
            flag.set();
        };
        // Without a handler Ctrl-C just kills the program, which is safe as well.
        drop(ctrlc::set_handler(handler));
        Self {
            world: RealWorld::new(interrupt, supervise::supervisor()),
            global,
        }
    }

    /// The repository's top directory.
    ///
    /// # Errors
    /// When the current directory, or the one given, is in no repository.
    pub(crate) fn root(&self) -> Result<PathBuf, Failure> {
        let start = self.global.repo.as_deref().unwrap_or(Path::new("."));
        let found = self.world.git().discover(start).map_err(|error| {
            Failure::from(error).hint("change into the repository, or name it with `--repo DIR`")
        })?;
        // Absolute, so that programs that run in other directories find it.
        std::path::absolute(&found)
            .map_err(|error| vrel_world::WorldError::io("look at", &found, &error).into())
    }

    /// The repository's policy files and paths.
    ///
    /// # Errors
    /// When a policy file is missing or wrong.
    pub(crate) fn site(&self) -> Result<(Site, Policies), Failure> {
        let root = self.root()?;
        let policies = load_from_work_tree(&self.world, &root)?;
        Ok((Site::new(&root, &policies.config), policies))
    }
}

/// Where secret keys are kept unless a person says otherwise: `$XDG_CONFIG_HOME/veridian/keys`, else
/// `~/.config/veridian/keys`.
#[must_use]
pub(crate) fn default_key_dir() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(config.join("veridian/keys"))
}

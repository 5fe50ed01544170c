//! A world for tests whose programs are closures and whose files are real.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use vrel_model::UtcTime;
use vrel_world::{
    Command, ErrorKind, Exit, Fs, Git, Processes, RealWorld, Result, Stream, World, WorldError,
};

type Program = dyn Fn(&Command) -> (Exit, String) + Send + Sync;

/// Programs by their paths; what one prints goes to both streams.
#[derive(Default)]
pub(crate) struct FakeWorld {
    real: RealWorld,
    programs: BTreeMap<PathBuf, Box<Program>>,
    /// By name, as in the search path.
    names: BTreeMap<String, PathBuf>,
    /// What was run.
    pub(crate) ran: Mutex<Vec<Command>>,
}

impl FakeWorld {
    /// Adds a program, found under its path and, when `name` is given, in the search path.
    pub(crate) fn program(
        mut self,
        name: Option<&str>,
        path: impl Into<PathBuf>,
        run: impl Fn(&Command) -> (Exit, String) + Send + Sync + 'static,
    ) -> Self {
        let path = path.into();
        if let Some(name) = name {
            self.names.insert(name.to_owned(), path.clone());
        }
        self.programs.insert(path, Box::new(run));
        self
    }
}

impl Processes for FakeWorld {
    fn run(&self, command: &Command, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Exit> {
        self.ran.lock().unwrap().push(command.clone());
        let Some(program) = self.programs.get(&command.program) else {
            let object = command.program.display().to_string();
            return Err(WorldError::new(
                "start",
                object,
                ErrorKind::NotFound,
                "there is no such program",
            ));
        };
        let (exit, text) = program(command);
        for line in text.lines() {
            on_line(Stream::Stdout, line.as_bytes());
            on_line(Stream::Stderr, line.as_bytes());
        }
        Ok(exit)
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        let by_path = Some(PathBuf::from(name)).filter(|path| self.programs.contains_key(path));
        self.names.get(name).cloned().or(by_path)
    }
}

impl World for FakeWorld {
    fn fs(&self) -> &dyn Fs {
        self.real.fs()
    }

    fn git(&self) -> &dyn Git {
        self.real.git()
    }

    fn processes(&self) -> &dyn Processes {
        self
    }

    fn now(&self) -> UtcTime {
        self.real.now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.real.random(buffer)
    }

    fn check_interrupt(&self) -> Result<()> {
        self.real.check_interrupt()
    }
}

/// A toolchain that exists only in name.
pub(crate) fn toolchain() -> crate::Toolchain {
    crate::Toolchain {
        rustc: "/rustc".into(),
        cargo: "/cargo".into(),
        linker: "/rust-lld".into(),
        sysroot: "/sysroot".into(),
        core: crate::toolchain::CoreLibraries::FromSource,
        rustc_version: "rustc 1\n".to_owned(),
        cargo_version: "cargo 1\n".to_owned(),
        linker_version: "LLD 1\n".to_owned(),
    }
}

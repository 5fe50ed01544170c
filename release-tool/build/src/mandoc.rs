//! `mandoc`, which checks and renders manual pages.

use crate::BuildError;
use sha2::{Digest as _, Sha256};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vrel_model::Sha256Digest;
use vrel_world::{Command, ErrorKind, Exit, World, WorldError};

/// The program, with what its results depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandoc {
    program: PathBuf,
    digest: Sha256Digest,
}

/// What a page is rendered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rendering {
    /// HTML without head and frame. References lead to files beside it, named `NAME.SECTION.html`.
    HtmlFragment,
    /// UTF-8 text of 78 columns, with backspaces for bold and underlined characters.
    Text,
}

impl Mandoc {
    /// Looks for the program in the search path.
    ///
    /// # Errors
    /// When it is not there, or cannot be read.
    pub fn find(world: &dyn World) -> Result<Self, BuildError> {
        let program = world.processes().find("mandoc").ok_or(BuildError::NoMandoc)?;
        // It does not say its version, so it is known by its bytes.
        let digest = digest_of_file(world, &program)?;
        Ok(Self { program, digest })
    }

    /// SHA-256 of the program: another version may render pages otherwise.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Checks a page, a file in `dir`. Everything from warnings on is an error: a page with one is shown otherwise than its
    /// author meant by some program.
    ///
    /// # Errors
    /// [`BuildError::ManPage`] with what was found.
    pub(crate) fn check(&self, world: &dyn World, dir: &Path, file: &str) -> Result<(), BuildError> {
        let mut said = String::new();
        let command = self.command(dir).args(["-T", "lint", "-W", "warning", file]);
        let exit = world.processes().run(&command, &mut |_, line| {
            said.push_str(&String::from_utf8_lossy(line));
            said.push('\n');
        })?;
        if exit == Exit::Status(0) && said.is_empty() {
            return Ok(());
        }
        Err(BuildError::ManPage {
            page: file.to_owned(),
            said,
        })
    }

    /// Renders a page, a file in `dir`, whose foot names `system`.
    ///
    /// # Errors
    /// When the program fails.
    pub(crate) fn render(
        &self,
        world: &dyn World,
        dir: &Path,
        file: &str,
        system: &str,
        rendering: Rendering,
    ) -> Result<String, BuildError> {
        let arguments: &[&str] = match rendering {
            Rendering::HtmlFragment => &["-T", "html", "-O", "fragment,man=%N.%S.html"],
            Rendering::Text => &["-T", "utf8", "-O", "width=78"],
        };
        let command = self
            .command(dir)
            .args(arguments.iter().copied())
            // Else pages without a system of their own would name the machine's.
            .args(["-I", &format!("os={system}"), "-K", "utf-8", file]);
        let output = world.processes().output(&command)?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// The program in a directory and a locale that have no part in what it writes.
    fn command(&self, dir: &Path) -> Command {
        Command::new(&self.program)
            .dir(dir)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env_remove("MANPATH")
    }
}

fn digest_of_file(world: &dyn World, path: &Path) -> Result<Sha256Digest, BuildError> {
    let mut file = world.fs().open(path)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        let count = file.read(&mut buffer).map_err(|error| {
            let object = path.display().to_string();
            WorldError::new("read", object, ErrorKind::Other, error.to_string())
        })?;
        if count == 0 {
            return Ok(Sha256Digest::new(hash.finalize().into()));
        }
        hash.update(&buffer[..count]);
    }
}

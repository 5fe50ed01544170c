//! Building a second time, in other surroundings, and comparing every byte.

mod compare;
mod surroundings;

pub use compare::{Difference, compare};
pub use surroundings::Ahead;

use crate::building::{Building, Built};
use crate::cut_rc::{build_error, failed};
use crate::{EngineError, Progress, load_at_commit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_model::{ArtifactName, PlannedArtifact, UtcTime};
use vrel_world::{FileKind, Fs, Scratch, World};

/// Under which name errors and progress speak of a second build.
const STEP: &str = "reproduce";

/// Everything that a build of a commit depends on, as a value: another process can be given it. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuild {
    /// Under which name the cache remembers what was built the last time.
    pub name: String,
    /// The repository.
    pub repository: PathBuf,
    /// The directory with the files of the commit.
    pub root: PathBuf,
    /// The version, as it stands in files and as the system names itself.
    pub version: String,
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// The commit's time.
    pub time: UtcTime,
    /// What is made.
    pub artifacts: Vec<PlannedArtifact>,
    /// Where compiled code and artifacts are kept.
    pub cache: PathBuf,
    /// Where cargo keeps the sources of crates.
    pub cargo_home: PathBuf,
    /// How many programs and packers work at the same time.
    pub jobs: usize,
    /// Where the artifacts are put, under their names.
    pub out: PathBuf,
}

impl Rebuild {
    /// Builds.
    ///
    /// # Errors
    /// When the commit has no valid `vrel.toml`, or when something cannot be compiled, packed or written.
    pub fn run(
        &self,
        world: &dyn World,
        tool_pages: &BTreeMap<String, Vec<u8>>,
        progress: &dyn Progress,
    ) -> Result<Built, EngineError> {
        let config = load_at_commit(world, &self.repository, &self.commit)?;
        world.fs().create_dir_all(&self.out)?;
        let building = Building {
            // It is compared, and then nobody needs it any more.
            world: &Scratch(world),
            name: &self.name,
            config: &config,
            repository: &self.repository,
            root: &self.root,
            image: &config.os.image,
            version: &self.version,
            commit: &self.commit,
            time: self.time,
            artifacts: &self.artifacts,
            tool_pages,
            cache: &self.cache,
            cargo_home: &self.cargo_home,
            jobs: self.jobs,
        };
        let built = building.run(&self.out, STEP, progress);
        built.map_err(|error| build_error(STEP, error))
    }
}

/// Compares the artifacts of two builds, which lie under their names in two directories. Every one that differs is
/// listed, in the order of `names`.
///
/// # Errors
/// When a file cannot be read.
pub fn differing<'a>(
    world: &dyn World,
    names: impl IntoIterator<Item = &'a ArtifactName>,
    first: &Path,
    second: &Path,
) -> Result<Vec<(ArtifactName, Difference)>, EngineError> {
    let mut found = Vec::new();
    for name in names {
        let difference = compare(world, &first.join(name.as_str()), &second.join(name.as_str()))?;
        found.extend(difference.map(|difference| (name.clone(), difference)));
    }
    Ok(found)
}

/// Copies the compiled core libraries from one cache into another that has none. They are checked by their digests when
/// they are used.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy_core_libraries(world: &dyn World, from: &Path, to: &Path) -> Result<(), EngineError> {
    let (from, to) = (from.join("sysroots"), to.join("sysroots"));
    if world.fs().metadata(&from)?.is_some() {
        copy_tree(world, world.fs(), &from, &to)?;
    }
    Ok(())
}

/// Copies directories and files. Hidden names are left out: they are what an interrupted build left.
fn copy_tree(world: &dyn World, fs: &dyn Fs, from: &Path, to: &Path) -> Result<(), EngineError> {
    world.check_interrupt()?;
    fs.create_dir_all(to)?;
    for entry in fs.list(from)? {
        let (source, target) = (from.join(&entry.name), to.join(&entry.name));
        match entry.kind {
            _ if entry.name.starts_with('.') => {}
            FileKind::Directory => copy_tree(world, fs, &source, &target)?,
            FileKind::File => fs.copy_new(&source, &target)?,
            FileKind::Other => {
                let what = source.display();
                return Err(failed(
                    STEP,
                    format!("{what}: expected a file or a directory, got something else"),
                ));
            }
        }
    }
    Ok(())
}

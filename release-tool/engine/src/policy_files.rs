//! Reading the policy files, from the work tree or from a commit.

use crate::EngineError;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use vrel_build::Targets;
use vrel_build::recipe::check_options;
use vrel_model::{ArtifactPolicy, Config, IdentifierError, toml_file};
use vrel_process::Policies;
use vrel_world::{ErrorKind, FileKind, World};

/// Where policy files are read from.
#[derive(Clone, Copy)]
enum Place<'a> {
    WorkTree,
    /// The commit's id.
    Commit(&'a str),
}

/// The policy files of one place.
struct Files<'a> {
    world: &'a dyn World,
    root: &'a Path,
    place: Place<'a>,
}

fn policy(path: impl Into<PathBuf>, reason: impl Into<String>) -> EngineError {
    EngineError::Policy {
        path: path.into(),
        reason: reason.into(),
    }
}

impl Files<'_> {
    /// How errors name a file: relative to the repository's top directory.
    fn called(&self, path: &Path) -> PathBuf {
        match self.place {
            Place::WorkTree => path.to_owned(),
            Place::Commit(commit) => format!("{} of commit {commit}", path.display()).into(),
        }
    }

    fn text(&self, path: &Path) -> Result<String, EngineError> {
        let bytes = match self.place {
            Place::WorkTree => match self.world.fs().read(&self.root.join(path)) {
                Err(error) if error.kind == ErrorKind::NotFound => {
                    let reason = "this file is missing; is this the top of a repository that vrel releases?";
                    return Err(policy(self.called(path), reason));
                }
                read => read?,
            },
            Place::Commit(commit) => {
                let bytes = self
                    .world
                    .git()
                    .file_at(self.root, commit, &path.to_string_lossy())?;
                bytes.ok_or_else(|| policy(self.called(path), "the commit has no such file"))?
            }
        };
        String::from_utf8(bytes).map_err(|_| policy(self.called(path), "this file is not UTF-8 text"))
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<T, EngineError> {
        Ok(toml_file::parse(&self.called(path), &self.text(path)?)?)
    }

    /// The names of a directory's files.
    fn names(&self, dir: &str) -> Result<Vec<String>, EngineError> {
        match self.place {
            Place::WorkTree => match self.world.fs().list(&self.root.join(dir)) {
                Err(error) if error.kind == ErrorKind::NotFound => {
                    Err(policy(dir, "this directory is missing"))
                }
                entries => {
                    let files = entries?.into_iter().filter(|entry| entry.kind == FileKind::File);
                    Ok(files.map(|entry| entry.name).collect())
                }
            },
            Place::Commit(commit) => {
                let paths = self.world.git().paths_at(self.root, commit, dir)?;
                let name = |path: &String| Some(path.strip_prefix(dir)?.strip_prefix('/')?.to_owned());
                Ok(paths
                    .iter()
                    .filter_map(name)
                    .filter(|name| !name.contains('/'))
                    .collect())
            }
        }
    }

    /// Every `*.toml` of a directory, by file name without the ending.
    fn read_dir<T: DeserializeOwned>(&self, dir: &str) -> Result<Vec<(String, T)>, EngineError> {
        let mut files = Vec::new();
        for name in self.names(dir)? {
            if let Some(stem) = name.strip_suffix(".toml") {
                files.push((stem.to_owned(), self.read(&Path::new(dir).join(&name))?));
            }
        }
        if files.is_empty() {
            let called = self.called(Path::new(dir));
            return Err(policy(called, "there is no .toml file in this directory"));
        }
        Ok(files)
    }

    /// Every `*.toml` of a directory, by the name that its file's name is; none where there is no such directory.
    fn read_named<K, T>(&self, dir: &str) -> Result<BTreeMap<K, T>, EngineError>
    where
        K: FromStr<Err = IdentifierError> + Ord,
        T: DeserializeOwned,
    {
        let there = match self.place {
            Place::WorkTree => self.world.fs().metadata(&self.root.join(dir))?.is_some(),
            Place::Commit(_) => !self.names(dir)?.is_empty(),
        };
        if !there {
            return Ok(BTreeMap::new());
        }
        let mut files = BTreeMap::new();
        for (name, stem) in self
            .names(dir)?
            .iter()
            .filter_map(|name| Some((name, name.strip_suffix(".toml")?)))
        {
            let path = Path::new(dir).join(name);
            let key = stem
                .parse()
                .map_err(|error: IdentifierError| policy(self.called(&path), error.to_string()))?;
            files.insert(key, self.read(&path)?);
        }
        Ok(files)
    }

    fn load(&self) -> Result<Policies, EngineError> {
        let config = self.read(Path::new("vrel.toml"))?;
        let mut channels = BTreeMap::new();
        for (stem, channel) in self.read_dir("channels")? {
            let path = Path::new("channels").join(format!("{stem}.toml"));
            let name = stem.parse().map_err(|error: vrel_model::ChannelNameError| {
                policy(self.called(&path), error.to_string())
            })?;
            channels.insert(name, channel);
        }
        let mut artifacts = BTreeMap::new();
        for (stem, artifact) in self.read_dir::<ArtifactPolicy>("artifacts")? {
            let path = Path::new("artifacts").join(format!("{stem}.toml"));
            check_options(&self.called(&path), &self.text(&path)?, artifact.packer)?;
            let kind = stem.parse().map_err(|error: vrel_model::ArtifactKindError| {
                policy(self.called(&path), error.to_string())
            })?;
            artifacts.insert(kind, artifact);
        }
        let signing = self.read(Path::new("signing/policy.toml"))?;
        let gates = self.read_named("gates")?;
        let people = self.read_named("signing/people")?;
        Ok(Policies {
            config,
            channels,
            artifacts,
            signing,
            gates,
            people,
        })
    }
}

/// The policy files of a repository's work tree. Files are named in errors relative to `root`.
///
/// # Errors
/// When one is missing or wrong; with its line.
pub fn load_from_work_tree(world: &dyn World, root: &Path) -> Result<Policies, EngineError> {
    let place = Place::WorkTree;
    Files { world, root, place }.load()
}

/// The policy files as they are in a commit: what its release consists of.
///
/// # Errors
/// When one is missing or wrong; with its line.
pub fn load_policies_at_commit(
    world: &dyn World,
    root: &Path,
    commit: &str,
) -> Result<Policies, EngineError> {
    let place = Place::Commit(commit);
    Files { world, root, place }.load()
}

/// `vrel.toml` as it is in a commit: how that commit is built.
///
/// # Errors
/// When the commit has none, or a wrong one.
pub fn load_at_commit(world: &dyn World, root: &Path, commit: &str) -> Result<Config, EngineError> {
    let place = Place::Commit(commit);
    Files { world, root, place }.read(Path::new("vrel.toml"))
}

/// `os/targets.toml` as it is in a commit.
///
/// # Errors
/// When the commit has none, or a wrong one.
pub(crate) fn targets_at_commit(
    world: &dyn World,
    root: &Path,
    commit: &str,
    config: &Config,
) -> Result<Targets, EngineError> {
    let place = Place::Commit(commit);
    Files { world, root, place }.read(&config.os.source.join("targets.toml"))
}

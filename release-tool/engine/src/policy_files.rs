//! Reading the policy files, from the work tree or from a commit.

use crate::EngineError;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_build::recipe::check_options;
use vrel_model::{ArtifactPolicy, Config, toml_file};
use vrel_process::Policies;
use vrel_world::{ErrorKind, FileKind, World};

fn read<T: DeserializeOwned>(world: &dyn World, root: &Path, path: &Path) -> Result<T, EngineError> {
    Ok(toml_file::parse(path, &text(world, root, path)?)?)
}

fn text(world: &dyn World, root: &Path, path: &Path) -> Result<String, EngineError> {
    let policy = |reason: String| EngineError::Policy {
        path: path.to_owned(),
        reason,
    };
    let bytes = world
        .fs()
        .read(&root.join(path))
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => {
                policy("this file is missing; is this the top of a repository that vrel releases?".into())
            }
            _ => EngineError::World(error),
        })?;
    String::from_utf8(bytes).map_err(|_| policy("this file is not UTF-8 text".into()))
}

/// Every `*.toml` of a directory, by file name without the ending.
fn read_dir<T: DeserializeOwned>(
    world: &dyn World,
    root: &Path,
    dir: &str,
) -> Result<Vec<(String, T)>, EngineError> {
    let policy = |path: PathBuf, reason: String| EngineError::Policy { path, reason };
    let entries = world
        .fs()
        .list(&root.join(dir))
        .map_err(|error| match error.kind {
            ErrorKind::NotFound => policy(dir.into(), "this directory is missing".into()),
            _ => EngineError::World(error),
        })?;
    let mut files = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind == FileKind::File) {
        if let Some(stem) = entry.name.strip_suffix(".toml") {
            let path = Path::new(dir).join(&entry.name);
            files.push((stem.to_owned(), read(world, root, &path)?));
        }
    }
    if files.is_empty() {
        return Err(policy(
            dir.into(),
            "there is no .toml file in this directory".into(),
        ));
    }
    Ok(files)
}

/// The policy files of a repository's work tree. Files are named in errors relative to `root`.
///
/// # Errors
/// When one is missing or wrong; with its line.
pub fn load_from_work_tree(world: &dyn World, root: &Path) -> Result<Policies, EngineError> {
    let config: Config = read(world, root, Path::new("vrel.toml"))?;
    check_records_branch(&config)?;
    let mut channels = BTreeMap::new();
    for (stem, policy) in read_dir(world, root, "channels")? {
        let path = Path::new("channels").join(format!("{stem}.toml"));
        let name = stem
            .parse()
            .map_err(|error: vrel_model::ChannelNameError| EngineError::Policy {
                path,
                reason: error.to_string(),
            })?;
        channels.insert(name, policy);
    }
    let mut artifacts = BTreeMap::new();
    for (stem, policy) in read_dir::<ArtifactPolicy>(world, root, "artifacts")? {
        let path = Path::new("artifacts").join(format!("{stem}.toml"));
        check_options(&path, &text(world, root, &path)?, policy.packer)?;
        let kind = stem
            .parse()
            .map_err(|error: vrel_model::ArtifactKindError| EngineError::Policy {
                path,
                reason: error.to_string(),
            })?;
        artifacts.insert(kind, policy);
    }
    let signing = read(world, root, Path::new("signing/policy.toml"))?;
    Ok(Policies {
        config,
        channels,
        artifacts,
        signing,
    })
}

/// The records' branch has a history of its own, so it is none of the others.
fn check_records_branch(config: &Config) -> Result<(), EngineError> {
    let records = config.git.records_branch.as_str();
    if records != config.git.main {
        return Ok(());
    }
    Err(EngineError::Policy {
        path: "vrel.toml".into(),
        reason: format!(
            "`git.records-branch` and `git.main` are both `{records}`; the records need a branch of their own"
        ),
    })
}

/// `vrel.toml` as it is in a commit: how that commit is built.
///
/// # Errors
/// When the commit has none, or a wrong one.
pub fn load_at_commit(world: &dyn World, root: &Path, commit: &str) -> Result<Config, EngineError> {
    let path = PathBuf::from(format!("vrel.toml of commit {commit}"));
    let bytes = world.git().file_at(root, commit, "vrel.toml")?;
    let policy = |reason: &str| EngineError::Policy {
        path: path.clone(),
        reason: reason.to_owned(),
    };
    let bytes = bytes.ok_or_else(|| policy("the commit has no such file"))?;
    let text = String::from_utf8(bytes).map_err(|_| policy("this file is not UTF-8 text"))?;
    Ok(toml_file::parse(&path, &text)?)
}

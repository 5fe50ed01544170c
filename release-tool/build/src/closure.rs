//! Which directories of the operating system's workspace a package is compiled from.

use crate::{BuildError, read_toml};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use vrel_world::{FileKind, World};

/// What is compiled into every package, besides the packages' directories.
const SHARED: [&str; 2] = ["Cargo.lock", "Cargo.toml"];

#[derive(Deserialize)]
struct WorkspaceFile {
    workspace: WorkspaceTable,
}

#[derive(Deserialize)]
struct WorkspaceTable {
    members: Vec<String>,
}

#[derive(Deserialize)]
struct PackageFile {
    package: PackageTable,
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
    #[serde(default, rename = "build-dependencies")]
    build_dependencies: BTreeMap<String, Dependency>,
    /// By target; whether it is the one that is compiled for does not matter: what is too much does no harm.
    #[serde(default)]
    target: BTreeMap<String, TargetTable>,
}

#[derive(Deserialize)]
struct TargetTable {
    #[serde(default)]
    dependencies: BTreeMap<String, Dependency>,
    #[serde(default, rename = "build-dependencies")]
    build_dependencies: BTreeMap<String, Dependency>,
}

#[derive(Deserialize)]
struct PackageTable {
    name: String,
}

/// A dependency; only whether it has a path matters.
#[derive(Deserialize)]
#[serde(untagged)]
enum Dependency {
    Table { path: Option<PathBuf> },
    Version(serde::de::IgnoredAny),
}

/// The packages of a workspace, each with its directory and those of the packages that it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packages {
    directories: BTreeMap<String, PathBuf>,
    uses: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Packages {
    /// Reads the `Cargo.toml` of the workspace in `os` and those of its members.
    ///
    /// # Errors
    /// When one is missing or malformed.
    pub fn read(world: &dyn World, os: &Path) -> Result<Self, BuildError> {
        let mut packages = Self::default();
        let manifest = os.join("Cargo.toml");
        if world.fs().metadata(&manifest)?.is_none() {
            return Ok(packages);
        }
        let workspace: WorkspaceFile = read_toml(world, &manifest)?;
        for member in &workspace.workspace.members {
            let mut directories = vec![PathBuf::from(member)];
            if let Some(parent) = member.strip_suffix("/*") {
                let entries = world.fs().list(&os.join(parent))?;
                let entries = entries
                    .into_iter()
                    .filter(|entry| entry.kind == FileKind::Directory);
                directories = entries.map(|entry| Path::new(parent).join(entry.name)).collect();
            }
            for directory in directories {
                let file: PackageFile = read_toml(world, &os.join(&directory).join("Cargo.toml"))?;
                let for_targets = file.target.into_values().flat_map(|target| {
                    let of_both = target.dependencies.into_values();
                    of_both.chain(target.build_dependencies.into_values())
                });
                let uses = file
                    .dependencies
                    .into_values()
                    .chain(file.build_dependencies.into_values())
                    .chain(for_targets);
                let uses = uses.filter_map(|dependency| match dependency {
                    Dependency::Table { path } => path.map(|path| normal(&directory.join(path))),
                    Dependency::Version(_) => None,
                });
                packages.uses.insert(directory.clone(), uses.collect());
                packages.directories.insert(file.package.name, directory);
            }
        }
        Ok(packages)
    }

    /// The files and directories, relative to the workspace, that these packages are compiled from; `None`, which stands for
    /// the whole workspace, when one of them is not a member.
    #[must_use]
    pub fn sources(&self, packages: &[String]) -> Option<BTreeSet<PathBuf>> {
        let mut sources: BTreeSet<PathBuf> = SHARED.iter().map(PathBuf::from).collect();
        let mut open: Vec<&PathBuf> = packages
            .iter()
            .map(|package| self.directories.get(package))
            .collect::<Option<_>>()?;
        while let Some(directory) = open.pop() {
            if sources.insert(directory.clone()) {
                open.extend(self.uses.get(directory).into_iter().flatten());
            }
        }
        Some(sources)
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::RealWorld;

    #[test]
    fn a_package_is_compiled_from_its_directory_and_those_of_the_packages_that_it_uses() {
        let os = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../os");
        let packages = Packages::read(&RealWorld::default(), &os).unwrap();
        let sources = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            let sources = packages.sources(&names)?;
            Some(
                sources
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            sources(&["init"]).unwrap(),
            [
                "Cargo.lock",
                "Cargo.toml",
                "abi",
                "channel",
                "user/init",
                "user/protocol",
                "user/rt",
                "user/services",
                "user/syscall"
            ]
        );
        assert_eq!(
            sources(&["kernel"]).unwrap(),
            [
                "Cargo.lock",
                "Cargo.toml",
                "abi",
                "bootinfo",
                "hal",
                "kcore",
                "kernel"
            ]
        );
        assert!(sources(&["init", "boot"]).unwrap().contains(&"boot".to_owned()));
        assert_eq!(sources(&["no-such-package"]), None);
    }

    #[test]
    fn a_directory_without_a_workspace_has_no_packages() {
        let dir = tempfile::tempdir().unwrap();
        let packages = Packages::read(&RealWorld::default(), dir.path()).unwrap();
        assert_eq!(packages, Packages::default());
        assert_eq!(packages.sources(&["kernel".to_owned()]), None);
    }
}

//! The packages of a cargo workspace: what `cargo metadata` says of them, and the digests of their lock file.

use super::SbomProblem;
use super::licence::canonical;
use cargo_metadata::{DependencyKind, Metadata, TargetKind};
use std::collections::BTreeMap;
use std::str::FromStr;
use vrel_model::Sha256Digest;

/// A workspace's packages with their dependencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub(super) packages: BTreeMap<PackageId, Package>,
}

/// What tells packages apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackageId {
    pub(super) name: String,
    pub(super) version: String,
    /// The directory in the repository of one that is developed there, `None` for one from the registry.
    pub(super) directory: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// A valid SPDX expression.
    pub(super) licence: Option<String>,
    /// Where its authors develop it.
    pub(super) repository: Option<String>,
    /// SHA-256 of the archive that the registry gave out; for those from the registry.
    pub(super) sha256: Option<Sha256Digest>,
    /// Runs inside the compiler: no code of it is in what it compiles.
    pub(super) is_macro: bool,
    /// Whether it is a program.
    pub(super) is_program: bool,
    pub(super) needs: BTreeMap<PackageId, Need>,
}

/// What a package is needed for. Where there are several reasons, the first of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    Normal,
    Build,
    Test,
}

impl Workspace {
    /// Reads the output of `cargo metadata --format-version 1` and the workspace's lock file. `directory` is where the
    /// workspace lies in the repository, empty for its root.
    ///
    /// With `--filter-platform` the packages are those that the named platforms need, without it those of all platforms
    /// that any library supports.
    ///
    /// # Errors
    /// When either is malformed, a package is neither of this workspace nor from the public registry with a SHA-256 in
    /// the lock file, or its licence is not an SPDX expression.
    pub fn parse(directory: &str, metadata: &[u8], lock: &[u8]) -> Result<Self, SbomProblem> {
        let malformed = |reason: String| SbomProblem::Metadata {
            directory: directory.to_owned(),
            reason,
        };
        let metadata: Metadata =
            serde_json::from_slice(metadata).map_err(|error| malformed(error.to_string()))?;
        let checksums = checksums(directory, lock)?;
        let mut ids = BTreeMap::new();
        let mut packages = BTreeMap::new();
        for package in &metadata.packages {
            let id = id(directory, &metadata, package)?;
            let sha256 = match id.directory {
                Some(_) => None,
                None => Some(checksum(&checksums, &id)?),
            };
            let targets = || package.targets.iter().flat_map(|target| &target.kind);
            let found = Package {
                licence: canonical(&id.name, package.license.as_deref())?,
                repository: package.repository.clone(),
                sha256,
                is_macro: targets().any(|kind| *kind == TargetKind::ProcMacro),
                is_program: targets().any(|kind| *kind == TargetKind::Bin),
                needs: BTreeMap::new(),
            };
            ids.insert(package.id.clone(), id.clone());
            packages.insert(id, found);
        }
        let resolve = metadata
            .resolve
            .as_ref()
            .ok_or_else(|| malformed("it has no dependency graph; run it without `--no-deps`".to_owned()))?;
        let known = |package| {
            ids.get(package).ok_or_else(|| {
                malformed(format!(
                    "the graph names `{package}`, which is not among the packages"
                ))
            })
        };
        for node in &resolve.nodes {
            let mut needs = BTreeMap::new();
            for dependency in &node.deps {
                let kinds = dependency.dep_kinds.iter().map(|info| need(info.kind));
                if let Some(need) = kinds.min() {
                    needs.insert(known(&dependency.pkg)?.clone(), need);
                }
            }
            if let Some(package) = packages.get_mut(known(&node.id)?) {
                package.needs = needs;
            }
        }
        Ok(Self { packages })
    }
}

fn need(kind: DependencyKind) -> Need {
    match kind {
        DependencyKind::Build => Need::Build,
        DependencyKind::Development => Need::Test,
        // A kind that is invented later counts as the one that says most.
        _ => Need::Normal,
    }
}

fn id(
    directory: &str,
    metadata: &Metadata,
    package: &cargo_metadata::Package,
) -> Result<PackageId, SbomProblem> {
    let name = package.name.to_string();
    let directory = match &package.source {
        Some(source) if source.is_crates_io() => None,
        Some(source) => {
            return Err(SbomProblem::Source {
                package: name,
                found: source.repr.clone(),
            });
        }
        None => {
            let own = package.manifest_path.parent();
            let inside = own.and_then(|own| own.strip_prefix(&metadata.workspace_root).ok());
            let Some(inside) = inside else {
                return Err(SbomProblem::Source {
                    package: name,
                    found: package.manifest_path.to_string(),
                });
            };
            let parts = [directory, inside.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            Some(parts.join("/"))
        }
    };
    Ok(PackageId {
        name,
        version: package.version.to_string(),
        directory,
    })
}

type Checksums = BTreeMap<(String, String), Sha256Digest>;

fn checksums(directory: &str, lock: &[u8]) -> Result<Checksums, SbomProblem> {
    let malformed = |reason: String| SbomProblem::LockFile {
        directory: directory.to_owned(),
        reason,
    };
    let lock = std::str::from_utf8(lock).map_err(|error| malformed(error.to_string()))?;
    let lock = cargo_lock::Lockfile::from_str(lock).map_err(|error| malformed(error.to_string()))?;
    let digest = |package: cargo_lock::Package| {
        let bytes = package.checksum?.as_sha256()?;
        let key = (package.name.to_string(), package.version.to_string());
        Some((key, Sha256Digest::new(bytes)))
    };
    let from_registry = |package: &cargo_lock::Package| {
        package
            .source
            .as_ref()
            .is_some_and(cargo_lock::SourceId::is_default_registry)
    };
    Ok(lock
        .packages
        .into_iter()
        .filter(from_registry)
        .filter_map(digest)
        .collect())
}

fn checksum(checksums: &Checksums, id: &PackageId) -> Result<Sha256Digest, SbomProblem> {
    let key = (id.name.clone(), id.version.clone());
    checksums.get(&key).copied().ok_or_else(|| SbomProblem::Unlocked {
        package: format!("{} {}", id.name, id.version),
    })
}

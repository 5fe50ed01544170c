//! The digests of source files and trees.

use crate::listing::{Listed, Listing};
use crate::{GraphError, Input};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use vrel_model::Sha256Digest;
use vrel_trust::sha256_files;
use vrel_world::{FileKind, World};

/// The bits of a file's mode that let somebody execute it.
const EXECUTABLE: u32 = 0o111;

/// What a source is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) sha256: Sha256Digest,
    /// Of a tree.
    pub(crate) listing: Option<Listing>,
}

/// A source as an input names it: a path, and of a tree the parts that count.
type Name = (PathBuf, Option<Vec<String>>);

/// The sources of several nodes, each read once.
#[derive(Default)]
pub(crate) struct Sources {
    by_name: BTreeMap<Name, Source>,
}

fn name(input: &Input) -> Option<Name> {
    match input {
        Input::File { path } => Some((path.clone(), None)),
        Input::Tree { path, only } => Some((path.clone(), Some(only.clone()))),
        Input::Output { .. } | Input::All { .. } | Input::Fact { .. } => None,
    }
}

/// A source whose files have been found but not read.
struct Found {
    directories: BTreeSet<String>,
    /// Relative path, whether it can be executed, and its number among all files to read.
    files: Vec<(String, bool, usize)>,
}

/// All files to read, each once.
#[derive(Default)]
struct Files {
    paths: Vec<PathBuf>,
    numbers: BTreeMap<PathBuf, usize>,
}

impl Files {
    fn number(&mut self, path: PathBuf) -> usize {
        if let Some(&number) = self.numbers.get(&path) {
            return number;
        }
        let number = self.paths.len();
        self.paths.push(path.clone());
        self.numbers.insert(path, number);
        number
    }
}

impl Sources {
    /// Reads the sources among inputs, given with the name of their node and slot; `threads` at a time.
    ///
    /// # Errors
    /// [`GraphError::Source`] when one is not there or is something else, and what reading returns.
    pub(crate) fn read<'i>(
        world: &dyn World,
        inputs: impl Iterator<Item = (&'i str, &'i str, &'i Input)>,
        threads: NonZeroUsize,
    ) -> Result<Self, GraphError> {
        let mut files = Files::default();
        let mut found: BTreeMap<Name, Found> = BTreeMap::new();
        for (node, slot, input) in inputs {
            let Some(name) = name(input) else { continue };
            let Entry::Vacant(new) = found.entry(name) else {
                continue;
            };
            let walk = Walk { world, node, slot };
            let all = walk.find(new.key(), &mut files)?;
            new.insert(all);
        }
        let digests = sha256_files(world, &files.paths, threads)?;
        let by_name = found
            .into_iter()
            .map(|(name, found)| {
                let source = match name.1 {
                    None => Source {
                        sha256: digests[found.files[0].2].1,
                        listing: None,
                    },
                    Some(_) => tree(found, &|number| digests[number].1),
                };
                (name, source)
            })
            .collect();
        Ok(Self { by_name })
    }

    /// What an input is made of, if it is a source.
    pub(crate) fn get(&self, input: &Input) -> Option<&Source> {
        self.by_name.get(&name(input)?)
    }
}

fn tree(found: Found, digest: &dyn Fn(usize) -> Sha256Digest) -> Source {
    let mut listing = Listing::default();
    for path in found.directories {
        listing.insert(path, Listed::Directory);
    }
    for (path, executable, number) in found.files {
        let digest = digest(number);
        let listed = if executable {
            Listed::Executable(digest)
        } else {
            Listed::File(digest)
        };
        listing.insert(path, listed);
    }
    Source {
        sha256: listing.digest(),
        listing: Some(listing),
    }
}

/// On the way through one source.
struct Walk<'a> {
    world: &'a dyn World,
    node: &'a str,
    slot: &'a str,
}

impl Walk<'_> {
    fn problem(&self, path: &Path, expected: &'static str, kind: Option<FileKind>) -> GraphError {
        GraphError::Source {
            node: self.node.to_owned(),
            slot: self.slot.to_owned(),
            path: path.to_owned(),
            expected,
            found: match kind {
                None => "nothing",
                Some(FileKind::File) => "a file",
                Some(FileKind::Directory) => "a directory",
                Some(FileKind::Other) => "a symbolic link or a special file",
            },
        }
    }

    fn find(&self, (path, only): &Name, files: &mut Files) -> Result<Found, GraphError> {
        let mut found = Found {
            directories: BTreeSet::new(),
            files: Vec::new(),
        };
        let kind = self.world.fs().metadata(path)?.map(|metadata| metadata.kind);
        match (only, kind) {
            (None, Some(FileKind::File)) => {
                found
                    .files
                    .push((String::new(), false, files.number(path.clone())))
            }
            (None, _) => return Err(self.problem(path, "a file", kind)),
            (Some(only), Some(FileKind::Directory)) => {
                let only: BTreeSet<&str> = only.iter().map(String::as_str).collect();
                for part in &only {
                    self.part(path, part, &mut found, files)?;
                }
                if only.is_empty() {
                    self.directory(path, "", &mut found, files)?;
                }
                // Parts may overlap.
                found.files.sort();
                found.files.dedup();
            }
            (Some(_), _) => return Err(self.problem(path, "a directory", kind)),
        }
        Ok(found)
    }

    /// One part of a tree that was asked for by name.
    fn part(&self, root: &Path, part: &str, found: &mut Found, files: &mut Files) -> Result<(), GraphError> {
        let path = root.join(part);
        let (parent, name) = part.rsplit_once('/').unwrap_or(("", part));
        let parent = root.join(parent);
        // The directory's own entry tells a symbolic link from what it leads to.
        let there = self
            .world
            .fs()
            .metadata(&parent)?
            .is_some_and(|metadata| metadata.kind == FileKind::Directory);
        let entries = if there {
            self.world.fs().list(&parent)?
        } else {
            Vec::new()
        };
        let kind = entries
            .into_iter()
            .find(|entry| entry.name == name)
            .map(|entry| entry.kind);
        match kind {
            Some(kind) => self.entry(&path, part.to_owned(), kind, found, files),
            None => Err(self.problem(&path, "a file or directory", None)),
        }
    }

    fn directory(
        &self,
        dir: &Path,
        relative: &str,
        found: &mut Found,
        files: &mut Files,
    ) -> Result<(), GraphError> {
        self.world.check_interrupt()?;
        for entry in self.world.fs().list(dir)? {
            let inner = if relative.is_empty() {
                entry.name.clone()
            } else {
                format!("{relative}/{}", entry.name)
            };
            self.entry(&dir.join(&entry.name), inner, entry.kind, found, files)?;
        }
        Ok(())
    }

    fn entry(
        &self,
        path: &Path,
        relative: String,
        kind: FileKind,
        found: &mut Found,
        files: &mut Files,
    ) -> Result<(), GraphError> {
        match kind {
            FileKind::Directory => {
                self.directory(path, &relative, found, files)?;
                found.directories.insert(relative);
            }
            FileKind::File => {
                let metadata = self.world.fs().metadata(path)?;
                let metadata = metadata.ok_or_else(|| self.problem(path, "a file", None))?;
                let executable = metadata.mode & EXECUTABLE != 0;
                found
                    .files
                    .push((relative, executable, files.number(path.to_owned())));
            }
            FileKind::Other => return Err(self.problem(path, "a file or directory", Some(kind))),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

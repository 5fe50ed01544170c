//! Building one node.

use crate::lookup::Resolved;
use crate::record::{ActionRecord, Outputs};
use crate::sources::Sources;
use crate::{
    Action, Cache, CachedFile, Cost, Damage, Event, Executor, GraphError, Node, Observer, Workspace,
};
use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use vrel_trust::digest_files;
use vrel_world::{FileKind, WorldError};

/// What became of a node.
pub(crate) enum Made {
    /// Its outputs are in the cache.
    Outputs(Outputs),
    /// It did not run because inputs are damaged: the nodes that made them, the outputs, the objects.
    Damaged(Vec<(String, String, CachedFile, Damage)>),
}

/// What building needs to know.
pub(crate) struct Builder<'a> {
    pub(crate) cache: &'a Cache<'a>,
    pub(crate) executor: &'a dyn Executor,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) sources: &'a Sources,
}

/// How many threads go with so many cores.
pub(crate) fn threads(cores: u32) -> NonZeroUsize {
    let cores = usize::try_from(cores).unwrap_or(usize::MAX);
    NonZeroUsize::new(cores).unwrap_or(NonZeroUsize::MIN)
}

impl Builder<'_> {
    /// Makes the outputs of a node and puts them into the cache: first the content, then the record, so that a record
    /// never promises what is not there.
    pub(crate) fn build(&self, node: &Node, resolved: &Resolved, granted: Cost) -> Result<Made, GraphError> {
        let world = self.cache.world;
        world.check_interrupt()?;
        let damaged = self.check_inputs(resolved, granted)?;
        if !damaged.is_empty() {
            return Ok(Made::Damaged(damaged));
        }
        let workspace = self.cache.workspaces.make(&resolved.recipe.outputs)?;
        let made = self.pack(node, resolved, granted, &workspace);
        let removed = self.cache.workspaces.remove(&workspace);
        let outputs = made?;
        removed?;
        for (slot, input) in &node.inputs {
            let listing = self.sources.get(input).and_then(|source| source.listing.as_ref());
            if let (Some(listing), Some(recipe)) = (listing, resolved.recipe.inputs.get(slot)) {
                self.cache.put_tree(recipe.sha256, listing)?;
            }
        }
        let recipe = resolved.recipe.clone();
        let record = ActionRecord::new(&node.name, recipe, outputs.clone(), world.now());
        self.cache.put_action(&record)?;
        Ok(Made::Outputs(outputs))
    }

    fn check_inputs(
        &self,
        resolved: &Resolved,
        granted: Cost,
    ) -> Result<Vec<(String, String, CachedFile, Damage)>, GraphError> {
        let files: Vec<CachedFile> = resolved.objects.iter().map(|(_, _, file)| *file).collect();
        let objects = &self.cache.objects;
        let mut damaged = Vec::new();
        for (file, damage) in objects.check(&files, threads(granted.cores))? {
            objects.drop_damaged(&file, damage, &self.cache.workspaces)?;
            let makers = resolved
                .objects
                .iter()
                .filter(|(_, _, other)| other.sha256 == file.sha256);
            damaged.extend(makers.map(|(node, output, _)| (node.clone(), output.clone(), file, damage)));
        }
        Ok(damaged)
    }

    fn pack(
        &self,
        node: &Node,
        resolved: &Resolved,
        granted: Cost,
        workspace: &Workspace,
    ) -> Result<Outputs, GraphError> {
        let action = Action::new(&node.name, &resolved.recipe, &resolved.paths, granted);
        let say = |line: &str| {
            self.observer.event(Event::Line {
                node: &node.name,
                line,
            });
        };
        // A packer that breaks down has no chance to break what others do: it shares nothing with them but the world,
        // whose effects are atomic.
        let executed = catch_unwind(AssertUnwindSafe(|| {
            self.executor.execute(&action, workspace, &say)
        }));
        let executed = executed.map_err(|panic| GraphError::Panic {
            node: node.name.clone(),
            packer: node.packer.clone(),
            message: message(panic.as_ref()),
        })?;
        if let Err(error) = executed {
            // A packer that was stopped has not failed.
            self.cache.world.check_interrupt()?;
            return Err(GraphError::Packer {
                node: node.name.clone(),
                reason: error.to_string(),
            });
        }
        self.check_sources(node, granted)?;
        let paths = self.written(node, &action.outputs, workspace)?;
        let digests = digest_files(self.cache.world, &paths, threads(granted.cores), &|_, _| {})?;
        let mut outputs = Outputs::new();
        for ((output, path), digests) in action.outputs.iter().zip(&paths).zip(digests) {
            self.cache.objects.store(path, digests.into())?;
            outputs.insert(output.clone(), digests.into());
        }
        Ok(outputs)
    }

    /// The paths of the outputs.
    ///
    /// # Errors
    /// When one is missing, empty, or no file: a link into the workspace would soon lead nowhere.
    fn written(
        &self,
        node: &Node,
        outputs: &[String],
        workspace: &Workspace,
    ) -> Result<Vec<PathBuf>, GraphError> {
        let fs = self.cache.world.scratch();
        let check = |output: &String| {
            let path = workspace.outputs.join(output);
            let parent = path.parent().unwrap_or(&workspace.outputs);
            let name = output.rsplit('/').next().unwrap_or(output);
            let entries = match fs.metadata(parent)? {
                Some(parent_found) if parent_found.kind == FileKind::Directory => fs.list(parent)?,
                _ => Vec::new(),
            };
            let entry = entries.into_iter().find(|entry| entry.name == name);
            let found = match entry.map(|entry| entry.kind) {
                None => "nothing",
                Some(FileKind::Directory) => "a directory",
                Some(FileKind::Other) => "a symbolic link or a special file",
                Some(FileKind::File) if fs.metadata(&path)?.is_none_or(|found| found.len == 0) => {
                    "an empty file"
                }
                Some(FileKind::File) => return Ok(path),
            };
            Err(GraphError::NotWritten {
                node: node.name.clone(),
                packer: node.packer.clone(),
                output: output.clone(),
                found,
            })
        };
        outputs.iter().map(check).collect()
    }

    /// A packer reads sources where they lie. Whatever it made of one that changed meanwhile has no key.
    fn check_sources(&self, node: &Node, granted: Cost) -> Result<(), GraphError> {
        let inputs = node.inputs.iter();
        let inputs = inputs.map(|(slot, input)| (node.name.as_str(), slot.as_str(), input));
        let changed = |slot: &str| GraphError::SourceChanged {
            node: node.name.clone(),
            slot: slot.to_owned(),
        };
        let now =
            Sources::read(self.cache.world, inputs, threads(granted.cores)).map_err(|error| match error {
                GraphError::Source { slot, .. } => changed(&slot),
                other => other,
            })?;
        for (slot, input) in &node.inputs {
            if now.get(input) != self.sources.get(input) {
                return Err(changed(slot));
            }
        }
        Ok(())
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Whether an error means that a person asked the program to stop.
pub(crate) fn is_interrupt(error: &GraphError) -> bool {
    let stopped = |error: &WorldError| error.kind == vrel_world::ErrorKind::Interrupted;
    matches!(error, GraphError::World(error) if stopped(error))
}

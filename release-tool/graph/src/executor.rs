//! Where packers run.

use crate::{Action, Job, PackerError, Packers, Workspace};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_world::{Scratch, World};

/// Runs actions: in this process, or on other machines.
pub trait Executor: Sync {
    /// The packers that it has, with their versions.
    fn packers(&self) -> BTreeMap<String, u32>;

    /// Makes the outputs of an action in the workspace. It is called for several actions at the same time. `line` is told
    /// lines of progress.
    ///
    /// # Errors
    /// The packer's. What is in the workspace is then thrown away.
    fn execute(
        &self,
        action: &Action,
        workspace: &Workspace,
        line: &(dyn Fn(&str) + Sync),
    ) -> Result<(), PackerError>;
}

/// Runs packers in this process.
pub struct LocalExecutor<'a> {
    world: &'a dyn World,
    packers: &'a Packers,
}

impl<'a> LocalExecutor<'a> {
    /// An executor with these packers.
    #[must_use]
    pub fn new(world: &'a dyn World, packers: &'a Packers) -> Self {
        Self { world, packers }
    }
}

impl Executor for LocalExecutor<'_> {
    fn packers(&self) -> BTreeMap<String, u32> {
        self.packers.versions()
    }

    fn execute(
        &self,
        action: &Action,
        workspace: &Workspace,
        line: &(dyn Fn(&str) + Sync),
    ) -> Result<(), PackerError> {
        let packer = self
            .packers
            .get(&action.packer)
            .filter(|found| found.version() == action.version);
        let packer = packer.ok_or_else(|| {
            let (name, version) = (&action.packer, action.version);
            let found = self
                .packers
                .get(name)
                .map_or("none".to_owned(), |found| found.version().to_string());
            PackerError::new(format!(
                "expected version {version} of the packer `{name}`, got {found}"
            ))
        })?;
        let inputs: BTreeMap<String, PathBuf> = action
            .inputs
            .iter()
            .filter_map(|(slot, input)| Some((slot.clone(), input.path.clone()?)))
            .collect();
        let output = |name: &String| (name.clone(), workspace.outputs.join(name));
        packer.pack(&Job {
            // The cache checks what packers write before anybody uses it.
            world: &Scratch(self.world),
            node: &action.node,
            params: &action.params,
            inputs: &inputs,
            outputs: &action.outputs.iter().map(output).collect(),
            scratch: &workspace.scratch,
            cores: action.cores,
            memory: action.memory,
            line,
        })
    }
}

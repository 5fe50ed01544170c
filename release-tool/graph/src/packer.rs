//! What makes files.

use crate::GraphError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use vrel_world::World;

/// Makes files from files. Equal parameters and inputs must give equal bytes, whatever the number of cores, the names of
/// the node and the directories, and the day.
pub trait Packer: Send + Sync {
    /// How nodes call it.
    fn name(&self) -> &str;

    /// To be raised with every change of the packer that changes the bytes that it makes.
    fn version(&self) -> u32;

    /// Writes every output of the job.
    ///
    /// # Errors
    /// Whatever kept it from doing so; nothing that it wrote is then kept.
    fn pack(&self, job: &Job<'_>) -> Result<(), PackerError>;
}

/// One piece of work for a packer.
pub struct Job<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// The node, for messages.
    pub node: &'a str,
    /// The node's parameters.
    pub params: &'a Value,
    /// The input files and directories by slot; facts have none. They are not to be changed.
    pub inputs: &'a BTreeMap<String, PathBuf>,
    /// Where to write each output. The directories exist, the files do not.
    pub outputs: &'a BTreeMap<String, PathBuf>,
    /// An empty directory for what is needed on the way; it is removed afterwards.
    pub scratch: &'a Path,
    /// How many cores to use.
    pub cores: u32,
    /// How much memory to use, in bytes.
    pub memory: u64,
    /// Is told lines of progress.
    pub line: &'a (dyn Fn(&str) + Sync),
}

impl Job<'_> {
    /// The input of a slot.
    ///
    /// # Errors
    /// When the node has no such input.
    pub fn input(&self, slot: &str) -> Result<&Path, PackerError> {
        find("input", slot, self.inputs)
    }

    /// The files of an input that stands for all outputs of a node: name of the output and path, sorted.
    pub fn inputs_of<'s>(&'s self, slot: &'s str) -> impl Iterator<Item = (&'s str, &'s Path)> {
        let name = move |full: &'s str| full.strip_prefix(slot)?.strip_prefix('/');
        self.inputs
            .iter()
            .filter_map(move |(full, path)| Some((name(full)?, path.as_path())))
    }

    /// Where to write an output.
    ///
    /// # Errors
    /// When the node has no such output.
    pub fn output(&self, name: &str) -> Result<&Path, PackerError> {
        find("output", name, self.outputs)
    }

    /// The parameters as a value of the packer's own type.
    ///
    /// # Errors
    /// When they have another form.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, PackerError> {
        T::deserialize(self.params)
            .map_err(|error| PackerError::new(format!("parameters {}: {error}", self.params)))
    }

    /// Tells a line of progress.
    pub fn say(&self, line: &str) {
        (self.line)(line);
    }
}

fn find<'m>(what: &str, name: &str, map: &'m BTreeMap<String, PathBuf>) -> Result<&'m Path, PackerError> {
    map.get(name).map(PathBuf::as_path).ok_or_else(|| {
        let known: Vec<&str> = map.keys().map(String::as_str).collect();
        PackerError::new(format!(
            "expected an {what} `{name}`, got only {}",
            known.join(", ")
        ))
    })
}

/// Why a packer failed. Made from any error by `?`; like `anyhow`'s, it is not an error itself, because nothing else
/// leaves room for that conversion.
pub struct PackerError {
    source: Box<dyn Error + Send + Sync>,
}

impl PackerError {
    /// An error that is only text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            source: message.into().into(),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for PackerError {
    fn from(error: E) -> Self {
        Self {
            source: Box::new(error),
        }
    }
}

impl fmt::Display for PackerError {
    /// The error and its causes. A cause whose text is part of what was said before is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.source.to_string();
        let mut cause = self.source.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                said = format!("{said}: {text}");
            }
            cause = error.source();
        }
        f.write_str(&said)
    }
}

impl fmt::Debug for PackerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.source, f)
    }
}

/// The packers that there are, by name.
#[derive(Default)]
pub struct Packers {
    by_name: BTreeMap<String, Box<dyn Packer>>,
}

impl Packers {
    /// No packers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`GraphError::DuplicatePacker`] when its name is taken.
    pub fn add(&mut self, packer: impl Packer + 'static) -> Result<(), GraphError> {
        let name = packer.name().to_owned();
        if self.by_name.contains_key(&name) {
            return Err(GraphError::DuplicatePacker { packer: name });
        }
        self.by_name.insert(name, Box::new(packer));
        Ok(())
    }

    /// The one of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&dyn Packer> {
        self.by_name.get(name).map(AsRef::as_ref)
    }

    /// Names and versions.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, u32> {
        let packers = self.by_name.iter();
        packers
            .map(|(name, packer)| (name.clone(), packer.version()))
            .collect()
    }
}

//! What is made, by which packer, from what.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_model::Sha256Digest;

/// What a node needs of the machine while it runs. It decides what runs at the same time, never what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// How many processor cores; 0 counts as 1.
    pub cores: u32,
    /// How much memory, in bytes.
    pub memory: u64,
}

impl Default for Cost {
    /// One core and 64 MiB.
    fn default() -> Self {
        Self {
            cores: 1,
            memory: 64 << 20,
        }
    }
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Input {
    /// One file of another node.
    Output {
        /// The node.
        node: String,
        /// The name of its output.
        output: String,
    },
    /// All files of another node; the packer finds each as `slot/output`.
    All {
        /// The node.
        node: String,
    },
    /// A source file. Its content counts, its name and mode do not.
    File {
        /// The file.
        path: PathBuf,
    },
    /// A directory of source files: what counts is each relative path, whether it is a directory or a file, whether the
    /// file can be executed, and its content. Symbolic links are refused.
    Tree {
        /// The directory.
        path: PathBuf,
        /// What of it is an input, as relative paths of files and directories; everything when empty. The packer is
        /// given the directory as a whole, and must read nothing else in it.
        only: Vec<String>,
    },
    /// Something that is no file, for example the identity of a compiler.
    Fact {
        /// The digest of a description of it.
        digest: Sha256Digest,
    },
}

impl Input {
    /// One file of another node.
    pub fn output(node: impl Into<String>, output: impl Into<String>) -> Self {
        Self::Output {
            node: node.into(),
            output: output.into(),
        }
    }

    /// All files of another node.
    pub fn all(node: impl Into<String>) -> Self {
        Self::All { node: node.into() }
    }

    /// A source file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into() }
    }

    /// A whole directory of source files.
    pub fn tree(path: impl Into<PathBuf>) -> Self {
        Self::Tree {
            path: path.into(),
            only: Vec::new(),
        }
    }

    /// Parts of a directory of source files, as relative paths.
    pub fn parts<S: Into<String>>(path: impl Into<PathBuf>, only: impl IntoIterator<Item = S>) -> Self {
        Self::Tree {
            path: path.into(),
            only: only.into_iter().map(Into::into).collect(),
        }
    }

    /// The node that it comes from, if it comes from one.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Output { node, .. } | Self::All { node } => Some(node),
            Self::File { .. } | Self::Tree { .. } | Self::Fact { .. } => None,
        }
    }
}

/// One piece of work: a packer makes files from inputs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// What it is called, for example `x86_64/kernel`. It is no part of the key: two nodes that do the same share what
    /// they make.
    pub name: String,
    /// Which packer runs.
    pub packer: String,
    /// What the packer is told.
    pub params: Value,
    /// What goes in, by the name under which the packer asks for it.
    pub inputs: BTreeMap<String, Input>,
    /// The files that come out: relative paths, at least one.
    pub outputs: Vec<String>,
    /// The final names of those outputs that leave the graph, by output. No part of the key.
    pub finals: BTreeMap<String, String>,
    /// What it needs of the machine.
    pub cost: Cost,
}

impl Node {
    /// A node without parameters, inputs and outputs.
    pub fn new(name: impl Into<String>, packer: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            packer: packer.into(),
            params: Value::Null,
            inputs: BTreeMap::new(),
            outputs: Vec::new(),
            finals: BTreeMap::new(),
            cost: Cost::default(),
        }
    }

    /// Sets the parameters.
    #[must_use]
    pub fn params(mut self, params: Value) -> Self {
        self.params = params;
        self
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, slot: impl Into<String>, input: Input) -> Self {
        self.inputs.insert(slot.into(), input);
        self
    }

    /// Adds an output.
    #[must_use]
    pub fn output(mut self, name: impl Into<String>) -> Self {
        self.outputs.push(name.into());
        self
    }

    /// Adds an output that leaves the graph under a final name.
    #[must_use]
    pub fn final_output(mut self, name: impl Into<String>, final_name: impl Into<String>) -> Self {
        let name = name.into();
        self.finals.insert(name.clone(), final_name.into());
        self.outputs.push(name);
        self
    }

    /// Sets the cost: cores, and memory in bytes.
    #[must_use]
    pub fn cost(mut self, cores: u32, memory: u64) -> Self {
        self.cost = Cost { cores, memory };
        self
    }
}

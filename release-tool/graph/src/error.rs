//! Why something was not built.

use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use vrel_model::Sha256Digest;
use vrel_world::WorldError;

/// What is wrong with a file that should have a certain content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "damage")]
pub enum Damage {
    /// It is not there, or is not a file.
    Gone,
    /// It has another length, in bytes.
    Length {
        /// What it should be.
        expected: u64,
        /// What it is.
        found: u64,
    },
    /// It has another content.
    Content {
        /// The digest that it should have.
        expected: Sha256Digest,
        /// The digest that it has.
        found: Sha256Digest,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("expected a file, got none"),
            Self::Length { expected, found } => write!(f, "expected {expected} bytes, got {found}"),
            Self::Content { expected, found } => write!(f, "expected the SHA-256 {expected}, got {found}"),
        }
    }
}

/// Why something was not built: the object, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// An effect failed, or the program was asked to stop.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A name of an odd form.
    #[error("{what} name {name:?}: expected a relative path of letters, digits and ._+~-@=, but {problem}")]
    Name {
        /// What is called so.
        what: &'static str,
        /// The name.
        name: String,
        /// What is odd about it.
        problem: String,
    },
    /// Two nodes of one name.
    #[error("two nodes are called `{node}`")]
    DuplicateNode {
        /// The name.
        node: String,
    },
    /// A node that makes nothing.
    #[error("{node}: expected at least one output, got none")]
    NoOutputs {
        /// The node.
        node: String,
    },
    /// Outputs that would have the same place, or one of which would be a directory of the other.
    #[error("{node}: the outputs `{output}` and `{other}` cannot exist together")]
    OutputClash {
        /// The node.
        node: String,
        /// The one.
        output: String,
        /// The other.
        other: String,
    },
    /// Two inputs under one name.
    #[error("{node}: two inputs are called `{slot}`")]
    SlotClash {
        /// The node.
        node: String,
        /// The name.
        slot: String,
    },
    /// Two nodes that would make one final file.
    #[error("the final file `{file}` is made by two nodes: {first} and {second}")]
    FinalClash {
        /// The file.
        file: String,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// A node is asked for that does not exist.
    #[error("expected one of the nodes {}, got `{node}`", known.join(", "))]
    UnknownNode {
        /// What was asked for.
        node: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A node is made from one that does not exist.
    #[error("{node}: input `{slot}`: expected the name of a node, got `{input}`")]
    UnknownInput {
        /// The node.
        node: String,
        /// The input.
        slot: String,
        /// The name.
        input: String,
    },
    /// An output is used that the node does not have.
    #[error("{wanted_by}: expected one of the outputs of `{node}` ({}), got `{output}`", known.join(", "))]
    UnknownOutput {
        /// Who uses it.
        wanted_by: String,
        /// Whose output.
        node: String,
        /// The name.
        output: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Nodes that wait for each other; the first is the last again.
    #[error("nodes are made from themselves: {}", nodes.join(" <- "))]
    Cycle {
        /// Their names, each made from the next.
        nodes: Vec<String>,
    },
    /// A packer that nobody has.
    #[error("{node}: expected one of the packers {}, got `{packer}`", known.join(", "))]
    UnknownPacker {
        /// The node.
        node: String,
        /// The name.
        packer: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Two packers of one name.
    #[error("two packers are called `{packer}`")]
    DuplicatePacker {
        /// The name.
        packer: String,
    },
    /// A source file or directory that is not there or is something else.
    #[error("{node}: input `{slot}`: {}: expected {expected}, got {found}", path.display())]
    Source {
        /// The node.
        node: String,
        /// The input.
        slot: String,
        /// Its path.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A source changed while a packer was reading it; what the packer made is thrown away.
    #[error("{node}: input `{slot}` changed while it was read: build again")]
    SourceChanged {
        /// The node.
        node: String,
        /// The input.
        slot: String,
    },
    /// The packer failed.
    #[error("cannot make {node}: {reason}")]
    Packer {
        /// The node.
        node: String,
        /// The packer's error, with its causes.
        reason: String,
    },
    /// The packer broke down.
    #[error("cannot make {node}: its packer `{packer}` panicked: {message}")]
    Panic {
        /// The node.
        node: String,
        /// The packer.
        packer: String,
        /// What it said.
        message: String,
    },
    /// The packer succeeded but an output is missing or empty.
    #[error("{node}: expected its packer `{packer}` to write the output `{output}`, got {found}")]
    NotWritten {
        /// The node.
        node: String,
        /// The packer.
        packer: String,
        /// The output.
        output: String,
        /// What is in its place.
        found: &'static str,
    },
    /// Building again gave other bytes while others already used the first ones. What was made last is in the cache, so
    /// that the next run goes on with it.
    #[error(
        "{node}: its packer is not reproducible: expected the output `{output}` with the SHA-256 {expected} as before, got {found} from the same inputs"
    )]
    NotReproducible {
        /// The node.
        node: String,
        /// The output.
        output: String,
        /// What it was.
        expected: Sha256Digest,
        /// What it is now.
        found: Sha256Digest,
    },
    /// A file that this run itself wrote or checked is no longer what it was.
    #[error("{}: changed since this run wrote it: {damage}; is the disk failing, or does another program write there?", path.display())]
    Unstable {
        /// The object.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
    },
    /// An object of the cache is not what it should be; it has been dropped, and a run builds it again.
    #[error("{}: damaged in the cache: {damage}; build again", path.display())]
    Damaged {
        /// The object.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
    },
    /// The cache is being pruned.
    #[error("{}: expected a cache that nobody prunes, got one in the hands of {holder}: wait for it", dir.display())]
    Pruning {
        /// The cache.
        dir: PathBuf,
        /// What the other says of itself.
        holder: String,
    },
    /// The cache is in use and cannot be pruned now.
    #[error("{}: expected a cache that nobody uses, got one that a build or another prune is using: wait for it", dir.display())]
    InUse {
        /// The cache.
        dir: PathBuf,
    },
    /// The same target is asked for twice.
    #[error("{}: expected one file to be placed here, got `{first}` and `{second}`", path.display())]
    PlacedTwice {
        /// The target.
        path: PathBuf,
        /// The one, as node and output.
        first: String,
        /// The other.
        second: String,
    },
    /// Something that is not a file has the name that a file is to get.
    #[error("{}: expected a file or nothing to be replaced, got something else", path.display())]
    NotAFile {
        /// The target.
        path: PathBuf,
    },
}

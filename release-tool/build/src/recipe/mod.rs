//! The recipe of a release: from its planned artifacts to the nodes of a build graph.
//!
//! What an architecture is made of comes first, as nodes named `x86_64/parts/…`; then one node for each artifact, named
//! by its kind: `x86_64/qcow2`, `source`.

mod archives;
mod artifacts;
#[cfg(test)]
mod golden;
mod images;
mod options;
mod packers;
mod parts;
mod with_tools;

pub use options::check_options;
pub use packers::{Tools, packers};

use crate::closure::Packages;
use crate::{BuildError, Image, Targets};
use std::path::Path;
use vrel_graph::{Graph, Node};
use vrel_model::{Arch, Packer, PlannedArtifact, Sha256Digest, UtcTime};

/// The output of a node that makes an artifact.
const ARTIFACT: &str = "artifact";

/// What is built.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// The name of the graph, under which the cache remembers what was made the last time.
    pub name: &'a str,
    /// The product's id.
    pub product: &'a str,
    /// The product's name for people.
    pub product_name: &'a str,
    /// The version, as it stands in files and as the system names itself.
    pub version: &'a str,
    /// The commit, 40 hexadecimal digits.
    pub commit: &'a str,
    /// The time in every archive and file system: the commit's.
    pub time: UtcTime,
    /// The directory with the files of the commit, or the work tree.
    pub root: &'a Path,
    /// The operating system's directory below `root`.
    pub os: &'a Path,
    /// Which programs go into the initrd.
    pub image: &'a Image,
    /// How the system is compiled.
    pub targets: &'a Targets,
    /// What each package is compiled from.
    pub packages: &'a Packages,
    /// The digest of what the compiler is.
    pub toolchain: Sha256Digest,
    /// The digest of what GRUB is; `None` when no artifact is to boot by BIOS.
    pub grub: Option<Sha256Digest>,
    /// The digest of what renders manual pages; `None` when no artifact has any.
    pub mandoc: Option<Sha256Digest>,
    /// The digest of the tool's own manual pages.
    pub tool_pages: Sha256Digest,
    /// Where the sources are for people, an address.
    pub source_url: &'a str,
    /// Size of the EFI system partition.
    pub esp_size: u64,
    /// zstd level where an artifact's options name none.
    pub zstd_level: i32,
    /// zstd worker threads where an artifact's options name none.
    pub zstd_workers: u32,
    /// What is made in the end.
    pub artifacts: &'a [PlannedArtifact],
}

impl Recipe<'_> {
    /// The graph.
    ///
    /// # Errors
    /// When `targets.toml` lacks an architecture, or an artifact's options are none of its packer's.
    pub fn graph(&self) -> Result<Graph, BuildError> {
        let mut nodes = Vec::new();
        for arch in self.arches() {
            nodes.extend(self.parts(arch)?);
        }
        for artifact in self.artifacts {
            nodes.extend(self.artifact(artifact)?);
        }
        Ok(Graph::new(self.name, nodes)?)
    }

    /// The architectures of the artifacts; all when there is an artifact for all.
    fn arches(&self) -> Vec<Arch> {
        let wanted = |arch: &Arch| self.artifacts.iter().any(|artifact| artifact.arch == Some(*arch));
        let needs_all = |artifact: &PlannedArtifact| artifact.packer.needs_every_arch();
        if self.artifacts.iter().any(needs_all) {
            return Arch::ALL.to_vec();
        }
        Arch::ALL.into_iter().filter(wanted).collect()
    }

    /// The node that makes an artifact, and the name of its output there.
    #[must_use]
    pub fn output_of(artifact: &PlannedArtifact) -> (String, &'static str) {
        let Some(arch) = artifact.arch else {
            return (artifact.kind.to_string(), ARTIFACT);
        };
        match artifact.packer {
            Packer::Kernel => (part(arch, "kernel"), parts::KERNEL),
            Packer::KernelFlat => (part(arch, "kernel-flat"), parts::KERNEL_FLAT),
            Packer::Initrd => (part(arch, "initrd"), parts::INITRD),
            _ => (format!("{arch}/{}", artifact.kind), ARTIFACT),
        }
    }

    /// A node of an image packer, with what all of them are told.
    fn image_node(&self, name: String, packer: &str, arch: Arch) -> Node {
        Node::new(name, packer).params(serde_json::json!({
            "product": self.product, "version": self.version, "arch": arch, "time": self.time.unix(),
        }))
    }
}

/// The name of an architecture's part.
fn part(arch: Arch, name: &str) -> String {
    format!("{arch}/parts/{name}")
}

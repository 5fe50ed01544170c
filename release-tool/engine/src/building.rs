//! Building artifacts: of a commit for its release, or of a work tree for those who work on the system.

use crate::{EngineError, Progress, ProgressEvent};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use vrel_build::closure::Packages;
use vrel_build::compile::Compiler;
use vrel_build::mandoc::Mandoc;
use vrel_build::recipe::{Recipe, Tools, packers};
use vrel_build::{BuildError, Image, Targets, Toolchain, beside};
use vrel_graph::{
    Budget, Cache, CachedFile, Event, Explanation, Graph, GraphError, LocalExecutor, Node, Observer, Outcome,
    Placement, explain, run, run_and_place,
};
use vrel_model::{Arch, ArtifactName, Config, Packer, PlannedArtifact, Sha256Digest, UtcTime};
use vrel_pack::grub;
use vrel_trust::{Digests, digest_bytes};
use vrel_world::World;

/// How much memory the nodes that run at the same time may use together.
const MEMORY: u64 = 2 << 30;

/// What to build, from where, with what. Paths are absolute.
#[derive(Clone, Copy)]
pub struct Building<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// Under which name the cache remembers what was built the last time, for example `work-tree`.
    pub name: &'a str,
    /// `vrel.toml` of what is built.
    pub config: &'a Config,
    /// The repository, for the source tarball.
    pub repository: &'a Path,
    /// The directory with the files of the commit, or the work tree.
    pub root: &'a Path,
    /// The image description, a file of `os/images` without `.toml`.
    pub image: &'a str,
    /// The version, as it stands in files and as the system names itself.
    pub version: &'a str,
    /// The commit, 40 hexadecimal digits.
    pub commit: &'a str,
    /// The time in every archive and file system: the commit's.
    pub time: UtcTime,
    /// What is made.
    pub artifacts: &'a [PlannedArtifact],
    /// The manual pages of this tool, by file name.
    pub tool_pages: &'a BTreeMap<String, Vec<u8>>,
    /// Where compiled code and artifacts are kept between builds.
    pub cache: &'a Path,
    /// Where cargo keeps the sources of crates.
    pub cargo_home: &'a Path,
    /// How many programs and packers work at the same time.
    pub jobs: usize,
}

/// An artifact that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltArtifact {
    /// Its file name.
    pub name: ArtifactName,
    /// What it holds.
    pub digests: Digests,
}

/// What a build came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The artifacts, in the order in which they were asked for.
    pub artifacts: Vec<BuiltArtifact>,
    /// SHA-256 of what the compiler says of itself.
    pub toolchain: Sha256Digest,
    /// What the build was made with, by name: the compiler, GRUB.
    pub tools: BTreeMap<String, String>,
    /// The nodes that were built, each with the reasons, in the order of their names.
    pub rebuilt: Vec<(String, String)>,
    /// How many nodes there are.
    pub nodes: usize,
}

/// What a build is made of, node by node.
pub(crate) struct Outline {
    /// The nodes, by name.
    pub(crate) nodes: BTreeMap<String, OutlinedNode>,
    /// The artifacts, in the order in which they were asked for.
    pub(crate) artifacts: Vec<BuiltArtifact>,
    /// SHA-256 of what the compiler says of itself.
    pub(crate) toolchain: Sha256Digest,
}

/// A node of an outline.
pub(crate) struct OutlinedNode {
    /// What it is, as the graph has it.
    pub(crate) node: Node,
    /// What it makes, by output.
    pub(crate) outputs: BTreeMap<String, CachedFile>,
}

/// A recipe with what is needed to follow it.
struct Prepared {
    graph: Graph,
    tools: Tools,
    toolchain: Sha256Digest,
    identities: BTreeMap<String, String>,
}

impl Building<'_> {
    fn prepare(&self) -> Result<Prepared, BuildError> {
        let world = self.world;
        let os = self.root.join(&self.config.os.source);
        let targets = Targets::read(world, &os)?;
        let image = Image::read(world, &os, self.image)?;
        let packages = Packages::read(world, &os)?;
        // Asking programs what they are takes most of the time of a build that has nothing to do.
        let (toolchain, grub) = beside(
            || Toolchain::find(world, &targets.triples(), &self.config.toolchain.rust),
            || self.grub(),
        );
        let toolchain = toolchain?;
        let mut identities = BTreeMap::from([("toolchain".to_owned(), toolchain.identity())]);
        let mut bios = None;
        if let Some((installed, identity)) = grub? {
            identities.insert("grub".to_owned(), identity);
            bios = Some(installed);
        }
        let mut mandoc = None;
        if self
            .artifacts
            .iter()
            .any(|artifact| artifact.packer == Packer::ManPages)
        {
            let found = Mandoc::find(world)?;
            identities.insert("mandoc".to_owned(), found.digest().to_string());
            mandoc = Some(found);
        }
        let digest = |name: &str| {
            let text = identities.get(name);
            text.map(|text| digest_bytes(text.as_bytes()).sha256)
        };
        let pages: Vec<u8> = self
            .tool_pages
            .iter()
            .flat_map(|(name, page)| [name.as_bytes(), b"\0", page.as_slice(), b"\0"].concat())
            .collect();
        let recipe = Recipe {
            name: self.name,
            product: self.config.product.id.as_str(),
            product_name: &self.config.product.name,
            version: self.version,
            commit: self.commit,
            time: self.time,
            root: self.root,
            os: &os,
            image: &image,
            targets: &targets,
            packages: &packages,
            toolchain: digest_bytes(toolchain.identity().as_bytes()).sha256,
            grub: digest("grub"),
            mandoc: digest("mandoc"),
            tool_pages: digest_bytes(&pages).sha256,
            source_url: self.config.git.public_url.as_deref().unwrap_or_default(),
            esp_size: self.config.os.esp_size.0,
            zstd_level: self.config.toolchain.zstd_level,
            zstd_workers: self.config.toolchain.zstd_workers,
            artifacts: self.artifacts,
        };
        let graph = recipe.graph()?;
        let compiler = toolchain.digest();
        let tools = Tools {
            toolchain,
            os,
            cache: self.cache.to_owned(),
            cargo_home: self.cargo_home.to_owned(),
            repository: self.repository.to_owned(),
            root: self.root.to_owned(),
            mandoc,
            compiler: Compiler::default(),
            grub: bios,
            tool_pages: self.tool_pages.clone(),
            targets,
        };
        Ok(Prepared {
            graph,
            tools,
            toolchain: compiler,
            identities,
        })
    }

    /// GRUB with its identity, if an artifact is made with it.
    fn grub(&self) -> Result<Option<(grub::Installed, String)>, BuildError> {
        if !self.artifacts.iter().any(boots_by_bios) {
            return Ok(None);
        }
        let installed = grub::Installed::find(self.world)?;
        let identity = installed.identity(self.world)?;
        Ok(Some((installed, identity)))
    }

    /// Where built artifacts are kept.
    fn artifact_cache(&self) -> PathBuf {
        self.cache.join("artifacts")
    }

    /// Builds what is not in the cache and puts the artifacts into `out` under their names.
    ///
    /// # Errors
    /// When something cannot be compiled, packed or written.
    pub fn run(&self, out: &Path, step: &str, progress: &dyn Progress) -> Result<Built, BuildError> {
        let prepared = self.prepare()?;
        let packers = packers(prepared.tools)?;
        let executor = LocalExecutor::new(self.world, &packers);
        let cache = Cache::open(self.world, &self.artifact_cache())?;
        let mut placements = Vec::new();
        for artifact in self.artifacts {
            let (node, output) = Recipe::output_of(artifact);
            placements.push(Placement {
                node,
                output: output.to_owned(),
                to: out.join(artifact.name.as_str()),
            });
        }
        let teller = Teller::new(step, progress);
        let (graph, budget) = (&prepared.graph, self.budget());
        let report = run_and_place(graph, &placements, &cache, &executor, budget, &teller)?;
        let mut artifacts = Vec::new();
        for (artifact, placed) in self.artifacts.iter().zip(&placements) {
            artifacts.push(BuiltArtifact {
                name: artifact.name.clone(),
                digests: report.output(&placed.node, &placed.output)?.into(),
            });
        }
        let rebuilt = report
            .nodes
            .iter()
            .filter_map(|(name, node)| match &node.outcome {
                Outcome::Reused => None,
                Outcome::Built { why } => {
                    let why: Vec<_> = why.iter().map(ToString::to_string).collect();
                    Some((name.clone(), why.join("; ")))
                }
            });
        Ok(Built {
            artifacts,
            toolchain: prepared.toolchain,
            tools: prepared.identities,
            rebuilt: rebuilt.collect(),
            nodes: report.nodes.len(),
        })
    }

    /// Builds what is not in the cache and leaves it there. What came out is told node by node.
    ///
    /// # Errors
    /// When something cannot be compiled or packed.
    pub(crate) fn outline(&self, step: &str, progress: &dyn Progress) -> Result<Outline, BuildError> {
        let prepared = self.prepare()?;
        let packers = packers(prepared.tools)?;
        let executor = LocalExecutor::new(self.world, &packers);
        let cache = Cache::open(self.world, &self.artifact_cache())?;
        let wanted: BTreeSet<String> = self
            .artifacts
            .iter()
            .map(|artifact| Recipe::output_of(artifact).0)
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let teller = Teller::new(step, progress);
        let report = run(
            &prepared.graph,
            &wanted,
            &cache,
            &executor,
            self.budget(),
            &teller,
        )?;
        let mut artifacts = Vec::new();
        for artifact in self.artifacts {
            let (node, output) = Recipe::output_of(artifact);
            artifacts.push(BuiltArtifact {
                name: artifact.name.clone(),
                digests: report.output(&node, output)?.into(),
            });
        }
        let mut nodes = BTreeMap::new();
        for (name, done) in report.nodes {
            let node = prepared.graph.node(&name)?.clone();
            let outputs = done.outputs;
            nodes.insert(name, OutlinedNode { node, outputs });
        }
        Ok(Outline {
            nodes,
            artifacts,
            toolchain: prepared.toolchain,
        })
    }

    /// What runs at the same time at most.
    fn budget(&self) -> Budget {
        Budget {
            cores: u32::try_from(self.jobs)
                .ok()
                .and_then(NonZeroU32::new)
                .unwrap_or(NonZeroU32::MIN),
            memory: MEMORY,
        }
    }

    /// What a node is made of, and whether it is up to date. A node is named by its own name, or by its artifact's file.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn explain(&self, node: &str) -> Result<Explanation, BuildError> {
        let prepared = self.prepare()?;
        let packers = packers(prepared.tools)?;
        let executor = LocalExecutor::new(self.world, &packers);
        let cache = Cache::open(self.world, &self.artifact_cache())?;
        let named = self
            .artifacts
            .iter()
            .find(|artifact| artifact.name.as_str() == node);
        let node = named.map_or_else(|| node.to_owned(), |artifact| Recipe::output_of(artifact).0);
        Ok(explain(&prepared.graph, &node, &cache, &executor)?)
    }
}

/// Whether an artifact is an ISO for a machine with a BIOS.
fn boots_by_bios(artifact: &PlannedArtifact) -> bool {
    artifact.packer == Packer::Iso
        && artifact.arch == Some(Arch::X86_64)
        && artifact.options.get("bios") == Some(&serde_json::Value::Bool(true))
}

/// Passes on what the graph tells.
struct Teller<'a> {
    step: &'a str,
    progress: &'a dyn Progress,
    /// Nodes done, and nodes in all.
    counts: std::sync::Mutex<(u64, u64)>,
}

impl<'a> Teller<'a> {
    fn new(step: &'a str, progress: &'a dyn Progress) -> Self {
        Self {
            step,
            progress,
            counts: std::sync::Mutex::default(),
        }
    }

    fn advance(&self, node: &str, what: &str) {
        let (done, total) = {
            let mut counts = self
                .counts
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            counts.0 += 1;
            *counts
        };
        let text = format!("{node}{what}");
        self.progress.event(&ProgressEvent::Advanced {
            step: self.step,
            done,
            total,
            what: &text,
        });
    }
}

impl Observer for Teller<'_> {
    fn event(&self, event: Event<'_>) {
        let say = |source: &str, line: &str| {
            self.progress.event(&ProgressEvent::Output {
                step: self.step,
                source,
                line,
            });
        };
        match event {
            Event::Planned { nodes } => {
                let mut counts = self
                    .counts
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                *counts = (0, nodes as u64);
            }
            Event::Reused { node } => self.advance(node, " (unchanged)"),
            Event::Started { node, why } => {
                let why: Vec<_> = why.iter().map(ToString::to_string).collect();
                say(node, &format!("building: {}", why.join("; ")));
            }
            Event::Line { node, line } => say(node, line),
            Event::Built { node, .. } => self.advance(node, ""),
            Event::Failed { node, error } => say(node, &format!("failed: {error}")),
            Event::Warned(warning) => say("warning", &warning.to_string()),
        }
    }
}

impl From<GraphError> for EngineError {
    fn from(error: GraphError) -> Self {
        crate::cut_rc::build_error("build", error)
    }
}

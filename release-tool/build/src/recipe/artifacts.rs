//! One node for each artifact.

use super::options::{Compression, IsoOptions, None};
use super::parts::ESP;
use super::{Recipe, part};
use crate::BuildError;
use crate::api_docs::Reference;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use vrel_graph::{Input, Node};
use vrel_model::{Arch, Packer, PlannedArtifact};
use vrel_pack::{disk, gcp, qcow2};

impl Recipe<'_> {
    /// The node of an artifact; `None` for one that is a part, which leaves the graph from there.
    pub(super) fn artifact(&self, artifact: &PlannedArtifact) -> Result<Option<Node>, BuildError> {
        let Some(arch) = artifact.arch else {
            return self.portable(artifact).map(Some);
        };
        let name = Self::output_of(artifact).0;
        let image = |packer: &str| self.image_node(name.clone(), packer, arch);
        let node = match artifact.packer {
            Packer::Kernel | Packer::KernelFlat | Packer::Initrd => {
                options::<None>(artifact)?;
                return Ok(Option::None);
            }
            Packer::Disk => {
                let options: disk::Options = options(artifact)?;
                with(image("disk"), "options", to_json(artifact, &options)?)
                    .input("esp", Input::output(part(arch, "esp"), ESP))
            }
            Packer::Gcp => self.gcp(artifact, image("gcp"), arch)?,
            Packer::Iso => self.iso(artifact, image("iso"), arch)?,
            Packer::Qcow2 => {
                let options: qcow2::Options = options(artifact)?;
                with(
                    self.of_disk(artifact, image("qcow2"))?,
                    "options",
                    to_json(artifact, &options)?,
                )
            }
            Packer::Vdi | Packer::Vhd => {
                options::<None>(artifact)?;
                self.of_disk(artifact, image(&artifact.packer.to_string()))?
            }
            Packer::Vmdk => {
                options::<None>(artifact)?;
                let node = self.of_disk(artifact, image("vmdk"))?;
                with(node, "file_name", artifact.name.as_str().into())
            }
            Packer::Ova => {
                let node = self.of_disk(artifact, image("ova"))?;
                let node = with(node, "options", artifact.options.clone());
                with(node, "product_name", self.product_name.into())
            }
            Packer::AwsImport => self.aws_import(artifact, image("aws-import"))?,
            Packer::Symbols => {
                let node = self.compressed(artifact, image("symbols"))?;
                let compiled = |name: &str| Input::all(part(arch, &format!("compiled-{name}")));
                node.input("kernel", compiled("kernel"))
                    .input("programs", compiled("programs"))
            }
            other => {
                return Err(unexpected(
                    artifact,
                    format!("`{other}` makes nothing for one architecture"),
                ));
            }
        };
        Ok(Some(node.final_output(super::ARTIFACT, artifact.name.as_str())))
    }

    /// A node whose input is the raw disk that the artifact is converted from.
    fn of_disk(&self, artifact: &PlannedArtifact, node: Node) -> Result<Node, BuildError> {
        let source = self.source_of(artifact)?;
        Ok(node.input("disk", {
            let (node, output) = Self::output_of(source);
            Input::output(node, output)
        }))
    }

    fn source_of(&self, artifact: &PlannedArtifact) -> Result<&PlannedArtifact, BuildError> {
        let from = artifact.from.as_ref();
        let source = self.artifacts.iter().find(|other| Some(&other.name) == from);
        source.ok_or_else(|| unexpected(artifact, "what it is converted from is not built".to_owned()))
    }

    /// Google Cloud takes disks of whole GiB only, so this one has a disk of its own.
    fn gcp(&self, artifact: &PlannedArtifact, node: Node, arch: Arch) -> Result<Node, BuildError> {
        let options: gcp::Options = options(artifact)?;
        let node = with(node, "options", to_json(artifact, &options)?);
        Ok(node.input("esp", Input::output(part(arch, "esp"), ESP)))
    }

    fn iso(&self, artifact: &PlannedArtifact, node: Node, arch: Arch) -> Result<Node, BuildError> {
        let chosen: IsoOptions = options(artifact)?;
        // Other architectures have no BIOS.
        let bios = chosen.bios && arch == Arch::X86_64;
        let loader = &self.targets.get(arch)?.loader.file;
        let mut node = with(node, "product_name", self.product_name.into());
        node.params["loader_file"] = loader.clone().into();
        node.params["esp_size"] = self.esp_size.into();
        node.params["bios"] = bios.into();
        let node = self.boot_files(node, arch, loader);
        Ok(match self.grub.filter(|_| bios) {
            Some(digest) => node.input("grub", Input::Fact { digest }),
            Option::None => node,
        })
    }

    /// The disk that AWS imports, and what that was converted from.
    fn aws_import(&self, artifact: &PlannedArtifact, node: Node) -> Result<Node, BuildError> {
        let mut node = with(node, "options", artifact.options.clone());
        node.params["product_name"] = self.product_name.into();
        let mut disks = Vec::new();
        let mut source = self.source_of(artifact)?;
        loop {
            let slot = source.packer.to_string();
            disks.push(json!({"slot": slot, "name": source.name, "format": slot}));
            let (name, output) = Self::output_of(source);
            node = node.input(slot, Input::output(name, output));
            match &source.from {
                Some(_) => source = self.source_of(source)?,
                Option::None => break,
            }
        }
        Ok(with(node, "disks", disks.into()))
    }

    /// A node of an artifact for all architectures.
    fn portable(&self, artifact: &PlannedArtifact) -> Result<Node, BuildError> {
        let name = Self::output_of(artifact).0;
        let params = json!({
            "product": self.product, "product_name": self.product_name, "version": self.version, "commit": self.commit,
            "time": self.time.unix(),
        });
        let packer = artifact.packer.to_string();
        let node = Node::new(name, &packer).params(params);
        let node = match artifact.packer {
            // Its second worker has something to do only when the first has been given some MiB: a core that is kept
            // free for it would mostly idle.
            Packer::Source => self.compressed(artifact, node)?.cost(1, 256 << 20),
            Packer::Oci => {
                options::<None>(artifact)?;
                let mut node = with(node, "source", self.source_url.into());
                node.params["entries"] = self.entries();
                for arch in Arch::ALL {
                    node = node.input(arch.as_str(), Input::all(part(arch, "programs")));
                }
                node
            }
            Packer::Vendor => {
                let node = self
                    .compressed(artifact, node)?
                    .cost(self.zstd_workers, 512 << 20);
                node.input("tool", Input::file(self.root.join("Cargo.lock")))
                    .input("os", Input::file(self.os.join("Cargo.lock")))
            }
            Packer::ManPages => {
                let programs = self.image.programs.iter();
                let pages = Input::Tree {
                    path: self.os.to_owned(),
                    only: programs.map(|program| format!("user/{program}/man")).collect(),
                };
                let mut node = self.compressed(artifact, node)?;
                node.params["programs"] = self.image.programs.clone().into();
                let node = node.input("pages", pages).input(
                    "tool",
                    Input::Fact {
                        digest: self.tool_pages,
                    },
                );
                match self.mandoc {
                    Some(digest) => node.input("mandoc", Input::Fact { digest }),
                    Option::None => node,
                }
            }
            Packer::ApiDocs => {
                let libraries: Vec<_> = Reference::libraries()
                    .into_iter()
                    .map(|library| library.name)
                    .collect();
                let sources = self.packages.sources(&libraries).unwrap_or_default();
                let only = sources.iter().map(|path| path.to_string_lossy().into_owned());
                let sources = Input::Tree {
                    path: self.os.to_owned(),
                    only: only.collect(),
                };
                let node = self.compressed(artifact, node)?.cost(1, 512 << 20);
                node.input("sources", sources).input(
                    "toolchain",
                    Input::Fact {
                        digest: self.toolchain,
                    },
                )
            }
            other => {
                return Err(unexpected(
                    artifact,
                    format!("`{other}` makes nothing for all architectures"),
                ));
            }
        };
        Ok(node.final_output(super::ARTIFACT, artifact.name.as_str()))
    }

    /// A node told how its archive is compressed.
    fn compressed(&self, artifact: &PlannedArtifact, node: Node) -> Result<Node, BuildError> {
        let chosen: Compression = options(artifact)?;
        let level = chosen.level.unwrap_or(self.zstd_level);
        if !(1..=19).contains(&level) {
            return Err(unexpected(
                artifact,
                format!("`level` is {level}, expected 1 to 19"),
            ));
        }
        if let Some(log) = chosen.window_log.filter(|log| !(10..=27).contains(log)) {
            return Err(unexpected(
                artifact,
                format!("`window-log` is {log}, expected 10 to 27"),
            ));
        }
        let zstd = json!({
            "level": level, "window_log": chosen.window_log, "workers": chosen.workers.unwrap_or(self.zstd_workers),
        });
        Ok(with(node, "zstd", zstd))
    }
}

fn with(mut node: Node, key: &str, value: Value) -> Node {
    node.params[key] = value;
    node
}

fn options<T: DeserializeOwned>(artifact: &PlannedArtifact) -> Result<T, BuildError> {
    let parsed = T::deserialize(&artifact.options);
    parsed.map_err(|error| unexpected(artifact, format!("`options`: {error}")))
}

fn to_json<T: serde::Serialize>(artifact: &PlannedArtifact, options: &T) -> Result<Value, BuildError> {
    serde_json::to_value(options).map_err(|error| unexpected(artifact, error.to_string()))
}

fn unexpected(artifact: &PlannedArtifact, problem: String) -> BuildError {
    BuildError::Recipe {
        artifact: artifact.kind.to_string(),
        problem,
    }
}

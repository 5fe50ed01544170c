//! What every architecture's artifacts are made of.

use super::{Recipe, part};
use crate::BuildError;
use crate::compile::Part;
use vrel_graph::{Input, Node};
use vrel_model::{Arch, Packer, PlannedArtifact};

/// The stamped kernel.
pub(super) const KERNEL: &str = "kernel.elf";

/// The same as a flat image.
pub(super) const KERNEL_FLAT: &str = "kernel.bin";

/// The initrd.
pub(super) const INITRD: &str = "initrd.tar";

/// A partition.
pub(super) const ESP: &str = "esp.img";

/// A compiler's memory, in bytes: rustc with link-time optimisation of one program.
const COMPILER_MEMORY: u64 = 512 << 20;

impl Recipe<'_> {
    /// The nodes of an architecture's parts.
    pub(super) fn parts(&self, arch: Arch) -> Result<Vec<Node>, BuildError> {
        let targets = self.targets.get(arch)?;
        let loader = targets.loader.file.clone();
        let programs = &self.image.programs;
        let compiled = |name: &str| part(arch, &format!("compiled-{name}"));
        let mut nodes = vec![
            self.compile(
                arch,
                Part::Loader,
                std::slice::from_ref(&targets.loader.package),
                std::slice::from_ref(&loader),
            )?,
            self.compile(
                arch,
                Part::Kernel,
                std::slice::from_ref(&targets.kernel.package),
                std::slice::from_ref(&targets.kernel.package),
            )?,
            self.compile(arch, Part::Programs, programs, programs)?,
        ];
        let kernel_params = serde_json::json!({
            "name": self.product_name, "version": self.version, "commit": self.commit, "arch": arch,
            "machine": targets.machine,
        });
        let kernel_from = Input::output(compiled("kernel"), &targets.kernel.package);
        let kernel = Node::new(part(arch, "kernel"), "kernel").params(kernel_params);
        nodes.push(self.finals(kernel.input("elf", kernel_from), arch, Packer::Kernel, KERNEL));
        let flat = Node::new(part(arch, "kernel-flat"), "kernel-flat");
        let flat = flat.input("elf", Input::output(part(arch, "kernel"), KERNEL));
        nodes.push(self.finals(flat, arch, Packer::KernelFlat, KERNEL_FLAT));

        let mut stripped = Node::new(part(arch, "programs"), "strip")
            .params(serde_json::json!({"arch": arch, "machine": targets.machine}))
            .input("elf", Input::all(compiled("programs")));
        stripped.outputs.clone_from(programs);
        nodes.push(stripped);
        let mut params = serde_json::json!({"entries": self.entries(), "time": self.time.unix()});
        let links = self.image.further_names();
        if !links.is_empty() {
            params["links"] = serde_json::json!(links);
        }
        if let Some(path) = &self.image.os_release {
            params["os_release"] = serde_json::json!({
                "path": path, "name": self.product_name, "id": self.product, "version": self.version,
                "commit": self.commit, "image": self.image_id(arch),
            });
        }
        let mut initrd =
            Node::new(part(arch, "initrd"), "initrd").input("programs", Input::all(part(arch, "programs")));
        if !self.image.files.is_empty() {
            params["files"] = serde_json::json!(self.image.files);
            let (path, only) = (self.os.to_owned(), self.image.files.values().cloned().collect());
            initrd = initrd.input("files", Input::Tree { path, only });
        }
        let initrd = initrd.params(params);
        nodes.push(self.finals(initrd, arch, Packer::Initrd, INITRD));

        let mut esp = self.image_node(part(arch, "esp"), "esp", arch);
        esp.params["size"] = self.esp_size.into();
        esp.params["loader_file"] = loader.clone().into();
        nodes.push(self.boot_files(esp, arch, &loader).output(ESP));
        Ok(nodes)
    }

    /// The id that an image has whatever its version.
    fn image_id(&self, arch: Arch) -> String {
        format!("{}-{}-{arch}", self.product, self.image.name)
    }

    /// Each program with its name in the root file system.
    pub(super) fn entries(&self) -> serde_json::Value {
        let programs = self.image.programs.iter();
        programs
            .map(|program| serde_json::json!([program, self.image.entry_name(program)]))
            .collect()
    }

    /// The files that firmware and loader read, as inputs.
    pub(super) fn boot_files(&self, node: Node, arch: Arch, loader: &str) -> Node {
        node.input("loader", Input::output(part(arch, "compiled-loader"), loader))
            .input("kernel", Input::output(part(arch, "kernel"), KERNEL))
            .input("initrd", Input::output(part(arch, "initrd"), INITRD))
    }

    /// A node that compiles packages. Its outputs are named by package.
    fn compile(
        &self,
        arch: Arch,
        what: Part,
        packages: &[String],
        outputs: &[String],
    ) -> Result<Node, BuildError> {
        let targets = self.targets.get(arch)?;
        // Nothing named stands for the whole directory.
        let sources = self.packages.sources(packages).unwrap_or_default();
        let only = sources
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        let (name, target) = match what {
            Part::Kernel => ("kernel", serde_json::to_value(&targets.kernel)),
            Part::Programs => ("programs", serde_json::to_value(&targets.user)),
            Part::Loader => ("loader", serde_json::to_value(&targets.loader)),
        };
        let target = target.map_err(|error| BuildError::Recipe {
            artifact: name.to_owned(),
            problem: error.to_string(),
        })?;
        let params = serde_json::json!({
            "arch": arch, "part": what, "packages": packages, "target": target, "machine": targets.machine,
        });
        let path = self.os.to_owned();
        let mut node = Node::new(part(arch, &format!("compiled-{name}")), "cargo")
            .params(params)
            .input("sources", Input::Tree { path, only })
            .input(
                "toolchain",
                Input::Fact {
                    digest: self.toolchain,
                },
            )
            .cost(1, COMPILER_MEMORY);
        node.outputs = outputs.to_vec();
        Ok(node)
    }

    /// Adds a part's output, which is published when an artifact's packer is that part's.
    fn finals(&self, node: Node, arch: Arch, packer: Packer, output: &str) -> Node {
        let is_it = |artifact: &&PlannedArtifact| artifact.packer == packer && artifact.arch == Some(arch);
        match self.artifacts.iter().find(is_it) {
            Some(artifact) => node.final_output(output, artifact.name.as_str()),
            None => node.output(output),
        }
    }
}

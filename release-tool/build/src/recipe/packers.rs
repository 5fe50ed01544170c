//! The packers of the recipe: what each node of the graph does.
//!
//! A packer's version is raised with every change that changes the bytes it makes.

use crate::binary::check_elf;
use crate::compile::{Compiler, Part, Request};
use crate::function_names::write_names;
use crate::mandoc::Mandoc;
use crate::stamp::{Identity, write_identity};
use crate::strip::{Names, strip};
use crate::{Line, Targets, Toolchain, flat};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_graph::{GraphError, Job, Packer, PackerError, Packers};
use vrel_model::{Arch, UtcTime};
use vrel_pack::grub::Installed;
use vrel_pack::os_release::OsRelease;
use vrel_pack::{Ids, initrd};

type Result = std::result::Result<(), PackerError>;

/// What packers need of the machine; nothing of it changes what they make.
#[derive(Debug)]
pub struct Tools {
    /// The compiler.
    pub toolchain: Toolchain,
    /// How the system is compiled.
    pub targets: Targets,
    /// The operating system's directory, absolute.
    pub os: PathBuf,
    /// Where compiled crates are kept between builds, absolute.
    pub cache: PathBuf,
    /// Where cargo keeps the sources of crates, absolute.
    pub cargo_home: PathBuf,
    /// The repository whose commit the source tarball is of.
    pub repository: PathBuf,
    /// The directory with the files of the commit, or the work tree.
    pub root: PathBuf,
    /// What renders manual pages, where they are made.
    pub mandoc: Option<Mandoc>,
    /// What compiles; the reference is made with it too.
    pub compiler: Compiler,
    /// GRUB, where images are to boot by BIOS.
    pub grub: Option<Installed>,
    /// The tool's own manual pages, by file name.
    pub tool_pages: BTreeMap<String, Vec<u8>>,
}

impl Tools {
    /// What a compiler is asked for.
    pub(super) fn request<'a>(&'a self, arches: &'a [Arch], programs: &'a [String]) -> Request<'a> {
        Request {
            toolchain: &self.toolchain,
            targets: &self.targets,
            os: &self.os,
            cache: &self.cache,
            cargo_home: &self.cargo_home,
            arches,
            programs,
            jobs: 1,
        }
    }
}

/// All packers of the recipe.
///
/// # Errors
/// Never: no two have the same name, which a test holds.
pub fn packers(tools: Tools) -> std::result::Result<Packers, GraphError> {
    let tools = std::sync::Arc::new(tools);
    let mut packers = Packers::new();
    packers.add(Cargo {
        tools: std::sync::Arc::clone(&tools),
    })?;
    for (name, version, pack) in SIMPLE {
        packers.add(Simple {
            name,
            version: *version,
            pack: *pack,
        })?;
    }
    for (name, version, pack) in super::with_tools::ALL {
        packers.add(WithTools {
            name,
            version: *version,
            pack: *pack,
            tools: std::sync::Arc::clone(&tools),
        })?;
    }
    Ok(packers)
}

/// A packer that is a function of its job alone.
struct Simple {
    name: &'static str,
    version: u32,
    pack: fn(&Job<'_>) -> Result,
}

impl Packer for Simple {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn pack(&self, job: &Job<'_>) -> Result {
        (self.pack)(job)
    }
}

/// A packer that also needs something of the machine.
struct WithTools {
    name: &'static str,
    version: u32,
    pack: fn(&Job<'_>, &Tools) -> Result,
    tools: std::sync::Arc<Tools>,
}

impl Packer for WithTools {
    fn name(&self) -> &str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn pack(&self, job: &Job<'_>) -> Result {
        (self.pack)(job, &self.tools)
    }
}

/// Compiles packages of the operating system.
struct Cargo {
    tools: std::sync::Arc<Tools>,
}

#[derive(Deserialize)]
struct CargoParams {
    arch: Arch,
    part: Part,
    packages: Vec<String>,
}

impl Packer for Cargo {
    fn name(&self) -> &'static str {
        "cargo"
    }

    fn version(&self) -> u32 {
        1
    }

    fn pack(&self, job: &Job<'_>) -> Result {
        let params: CargoParams = job.params()?;
        let arches = [params.arch];
        let programs = if params.part == Part::Programs {
            params.packages.as_slice()
        } else {
            &[]
        };
        let request = self.tools.request(&arches, programs);
        let say = &mut |line: Line<'_>| job.say(line.text);
        let files = self
            .tools
            .compiler
            .part(job.world, &request, params.arch, params.part, say)?;
        for (name, content) in files {
            write(job, &name, &content)?;
        }
        Ok(())
    }
}

/// Writes an output.
pub(super) fn write(job: &Job<'_>, output: &str, content: &[u8]) -> Result {
    Ok(job.world.fs().write(job.output(output)?, content, 0o644)?)
}

/// Writes the only output of a node.
pub(super) fn only_output<'j>(job: &'j Job<'_>) -> std::result::Result<&'j Path, PackerError> {
    match job.outputs.values().next() {
        Some(path) if job.outputs.len() == 1 => Ok(path),
        _ => Err(PackerError::new("expected a node with one output")),
    }
}

/// Name, version, and what it does.
pub(super) type Row<F> = (&'static str, u32, F);

/// What a packer does that is a function of its job alone.
type Pack = fn(&Job<'_>) -> Result;

pub(super) const SIMPLE: &[Row<Pack>] = &[
    ("kernel", 3, kernel),
    ("kernel-flat", 1, kernel_flat),
    ("strip", 2, strip_programs),
    ("initrd", 1, pack_initrd),
    ("esp", 1, super::images::esp),
    ("disk", 1, super::images::disk),
    ("gcp", 1, super::images::gcp),
    ("qcow2", 1, super::images::qcow2),
    ("vdi", 1, super::images::vdi),
    ("vhd", 1, super::images::vhd),
    ("vmdk", 1, super::images::vmdk),
    ("ova", 1, super::images::ova),
    ("aws-import", 1, super::images::aws_import),
    ("oci", 2, super::archives::oci),
    ("symbols", 2, super::archives::symbols),
];

#[derive(Deserialize)]
struct KernelParams {
    name: String,
    version: String,
    commit: String,
    arch: Arch,
    machine: u16,
}

fn kernel(job: &Job<'_>) -> Result {
    let params: KernelParams = job.params()?;
    let elf = job.world.fs().read(job.input("elf")?)?;
    check_elf(&elf, "kernel", params.arch, params.machine)?;
    let mut elf = strip(&elf, "kernel", Names::Kept)?;
    write_names(&mut elf)?;
    let identity = Identity {
        name: params.name,
        version: params.version,
        commit: params.commit,
        arch: params.arch,
    };
    write_identity(&mut elf, &identity)?;
    Ok(job.world.fs().write(only_output(job)?, &elf, 0o644)?)
}

fn kernel_flat(job: &Job<'_>) -> Result {
    let elf = job.world.fs().read(job.input("elf")?)?;
    let flat = flat::flatten(&elf, "kernel")?;
    Ok(job.world.fs().write(only_output(job)?, &flat, 0o644)?)
}

#[derive(Deserialize)]
struct StripParams {
    arch: Arch,
    machine: u16,
}

fn strip_programs(job: &Job<'_>) -> Result {
    let params: StripParams = job.params()?;
    for (name, path) in job.inputs_of("elf") {
        let elf = job.world.fs().read(path)?;
        check_elf(&elf, name, params.arch, params.machine)?;
        write(job, name, &strip(&elf, name, Names::Removed)?)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct InitrdParams {
    /// Program and its name in the archive.
    entries: Vec<(String, String)>,
    /// Further name and the name in the archive that it is for.
    #[serde(default)]
    links: BTreeMap<String, String>,
    /// Name in the archive of a file that is no program, and its path in the input `files`.
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    os_release: Option<OsReleaseParams>,
    time: i64,
}

/// The file that says which system it is.
#[derive(Deserialize)]
struct OsReleaseParams {
    path: String,
    name: String,
    id: String,
    version: String,
    commit: String,
    image: String,
}

fn pack_initrd(job: &Job<'_>) -> Result {
    let params: InitrdParams = job.params()?;
    let mut programs = BTreeMap::new();
    for (program, entry) in &params.entries {
        let path = job.input(&format!("programs/{program}"))?;
        programs.insert(entry.as_str(), job.world.fs().read(path)?);
    }
    let mut files = BTreeMap::new();
    for (name, path) in &params.files {
        let content = job.world.fs().read(&job.input("files")?.join(path))?;
        files.insert(name.as_str(), content);
    }
    if let Some(of) = &params.os_release {
        let text = OsRelease {
            name: &of.name,
            id: &of.id,
            version: &of.version,
            commit: &of.commit,
            image: Some(&of.image),
        };
        files.insert(of.path.as_str(), text.to_string().into_bytes());
    }
    let content = initrd::Content {
        programs: borrowed(&programs),
        links: params
            .links
            .iter()
            .map(|(name, target)| (name.as_str(), target.as_str()))
            .collect(),
        files: borrowed(&files),
    };
    let archive = initrd::build(&content, UtcTime::from_unix(params.time)?)?;
    Ok(job.world.fs().write(only_output(job)?, &archive, 0o644)?)
}

fn borrowed<'a>(all: &'a BTreeMap<&'a str, Vec<u8>>) -> BTreeMap<&'a str, &'a [u8]> {
    all.iter()
        .map(|(name, content)| (*name, content.as_slice()))
        .collect()
}

/// What the packers of images have in common.
#[derive(Deserialize)]
pub(super) struct ImageParams {
    pub(super) product: String,
    pub(super) version: String,
    pub(super) arch: Arch,
    pub(super) time: i64,
}

impl ImageParams {
    /// The image's identifiers and the time inside.
    pub(super) fn of(job: &Job<'_>) -> std::result::Result<(Ids, UtcTime, Self), PackerError> {
        let params: Self = job.params()?;
        let ids = Ids::new(&params.product, &params.version, params.arch);
        Ok((ids, UtcTime::from_unix(params.time)?, params))
    }
}

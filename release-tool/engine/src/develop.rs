//! Building the work tree as it is, for those who work on the system.

use crate::cut_rc::build_error;
use crate::system::System;
use crate::{EngineError, Progress, ProgressEvent, Site};
use std::path::PathBuf;
use vrel_build::compile::{self, Request};
use vrel_build::stamp::Identity;
use vrel_build::{Image, Targets, Toolchain, flat};
use vrel_model::{Arch, Config, UtcTime, Version};
use vrel_pack::{Ids, disk, iso};
use vrel_world::World;

/// What to build of the work tree, and with what.
#[derive(Clone, Debug)]
pub struct DevelopmentBuild {
    /// For which architectures.
    pub arches: Vec<Arch>,
    /// The image description, a file of `os/images` without `.toml`.
    pub image: String,
    /// How many compilers run at the same time.
    pub jobs: usize,
    /// Where compiled code is kept.
    pub cache: PathBuf,
    /// Where cargo keeps the sources of crates.
    pub cargo_home: PathBuf,
}

/// The built system of one architecture. The same kernel is there twice, because emulators differ in what they take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltSystem {
    /// The architecture.
    pub arch: Arch,
    /// What it says of itself when it boots.
    pub identity: Identity,
    /// The kernel, an ELF file.
    pub kernel: PathBuf,
    /// The kernel as a flat image.
    pub kernel_flat: PathBuf,
    /// The initrd.
    pub initrd: PathBuf,
    /// The disk image.
    pub disk: PathBuf,
    /// The ISO.
    pub iso: PathBuf,
}

/// The version that a development build calls itself; the commit beside it says more.
const VERSION: &str = "0.0.0-dev";

impl BuiltSystem {
    /// Where a build of an architecture and an image lies, whether or not it was made.
    #[must_use]
    pub fn locate(site: &Site, config: &Config, arch: Arch, image: &str, commit: &str) -> Self {
        let dir = site.state().join("build").join(image).join(arch.as_str());
        Self {
            arch,
            identity: Identity {
                name: config.product.name.clone(),
                version: VERSION.to_owned(),
                commit: commit.to_owned(),
                arch,
            },
            kernel: dir.join("kernel.elf"),
            kernel_flat: dir.join("kernel.bin"),
            initrd: dir.join("initrd.tar"),
            disk: dir.join("disk.img"),
            iso: dir.join("system.iso"),
        }
    }
}

/// Builds the work tree.
///
/// # Errors
/// When something does not compile, does not fit, or cannot be written.
pub fn build_work_tree(
    world: &dyn World,
    site: &Site,
    config: &Config,
    build: &DevelopmentBuild,
    progress: &dyn Progress,
) -> Result<Vec<BuiltSystem>, EngineError> {
    let error = |error| build_error("build", error);
    let os = site.root().join(&config.os.source);
    let head = world
        .git()
        .head(site.root())?
        .commit
        .unwrap_or_else(|| "0".repeat(40));
    let time = match world.git().commit_time(site.root(), &head) {
        Ok(time) => time,
        Err(_) => UtcTime::from_unix(0).map_err(|error| crate::cut_rc::failed("build", error))?,
    };
    let targets = Targets::read(world, &os).map_err(error)?;
    let image = Image::read(world, &os, &build.image).map_err(error)?;
    let toolchain = Toolchain::find(world, &targets.triples(), &config.toolchain.rust).map_err(error)?;
    let request = Request {
        toolchain: &toolchain,
        targets: &targets,
        os: &os,
        cache: &build.cache,
        cargo_home: &build.cargo_home,
        arches: &build.arches,
        programs: &image.programs,
        jobs: build.jobs,
    };
    let compiled = compile::compile(world, &request, &mut |line| {
        progress.event(&ProgressEvent::Output {
            step: "build",
            source: line.source,
            line: line.text,
        });
    });
    let mut systems = Vec::new();
    for (arch, compiled) in compiled.map_err(error)? {
        let built = BuiltSystem::locate(site, config, arch, &build.image, &head);
        let system = System::assemble(&image, compiled, &built.identity, time).map_err(error)?;
        let ids = Ids::new(config.product.id.as_str(), &Version::new(0, 0, 0), arch);
        let esp = system.esp(config.os.esp_size.0, &ids, time).map_err(error)?;
        if let Some(dir) = built.kernel.parent() {
            world.fs().create_dir_all(dir)?;
        }
        world.fs().write(&built.kernel, &system.kernel, 0o644)?;
        let flattened = flat::flatten(&system.kernel, "kernel").map_err(error)?;
        world.fs().write(&built.kernel_flat, &flattened, 0o644)?;
        world.fs().write(&built.initrd, &system.initrd, 0o644)?;
        disk::write(world, &built.disk, &esp, &ids).map_err(|error| build_error("build", error))?;
        let volume = format!("{} {arch}", config.product.name);
        iso::write(world, &built.iso, &volume, &system.content(), &esp, &ids, time)
            .map_err(|error| build_error("build", error))?;
        systems.push(built);
    }
    Ok(systems)
}

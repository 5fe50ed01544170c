//! Booting an artifact, whatever its format.

use crate::EngineError;
use crate::cut_rc::build_error;
use std::path::{Path, PathBuf};
use vrel_build::installer::{Installation, install};
use vrel_build::qemu::{self, Boot, Booted, Files};
use vrel_build::stamp::Identity;
use vrel_build::{Exchange, Image, Line, Machine, flat};
use vrel_model::{Arch, Packer};
use vrel_pack::{gcp, ova};
use vrel_world::{Exit, World};

/// The media whose boot is two: that of the installer, and that of what it installed.
const INSTALLERS: &str = "install";

/// What boots are made with: the machines, and what the system of an image is asked.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The machines.
    pub machines: Vec<Machine>,
    /// What the system is asked once it is up.
    pub session: Vec<Exchange>,
    /// What is typed to have it measured.
    pub measure: Vec<Exchange>,
}

impl Lab {
    /// Reads `machines/*.toml` and `images/<image>.toml` of the operating system's source directory.
    ///
    /// # Errors
    /// When one of them is missing or malformed.
    pub fn read(world: &dyn World, os: &Path, image: &str) -> Result<Self, vrel_build::BuildError> {
        let image = Image::read(world, os, image)?;
        Ok(Self {
            machines: Machine::read_all(world, os)?,
            session: image.session,
            measure: image.measure,
        })
    }

    /// The first machine of an architecture.
    #[must_use]
    pub fn machine(&self, arch: Arch) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.arch == arch)
    }
}

/// One artifact to boot from one medium.
#[derive(Clone, Copy)]
pub struct BootTest<'a> {
    /// The machine that runs the emulator.
    pub world: &'a dyn World,
    /// The machine that is emulated.
    pub machine: &'a Machine,
    /// One of its media.
    pub medium: &'a str,
    /// What made the artifact, and so what must be unpacked before it can be booted.
    pub packer: Packer,
    /// The artifact.
    pub file: &'a Path,
    /// The initrd that goes with a kernel.
    pub initrd: Option<&'a Path>,
    /// The raw image of an older system that is on the disk when an installer starts; `None`: the disk is empty.
    pub over: Option<&'a Path>,
    /// A directory for what is needed only while the boot lasts; it is removed afterwards.
    pub scratch: &'a Path,
    /// The system that must say its name.
    pub expected: &'a Identity,
    /// What it is asked then.
    pub session: &'a [Exchange],
}

impl BootTest<'_> {
    /// Boots the artifact. Each line of the serial line goes to `on_line` as it comes.
    ///
    /// # Errors
    /// When the artifact cannot be unpacked, or does not boot.
    pub fn run(&self, on_line: &mut dyn FnMut(Line<'_>)) -> Result<Booted, EngineError> {
        let fs = self.world.fs();
        fs.remove_dir_all(self.scratch)?;
        fs.create_dir_all(self.scratch)?;
        let booted = if self.medium.starts_with(INSTALLERS) {
            let installation = Installation {
                machine: self.machine,
                medium: self.medium,
                iso: self.file,
                over: self.over,
                scratch: self.scratch,
                expected: self.expected,
                session: self.session,
            };
            install(self.world, &installation, on_line).map(|installed| installed.booted)
        } else {
            self.boot(on_line)
        };
        let booted = booted.map_err(|error| build_error("boot", error))?;
        fs.remove_dir_all(self.scratch)?;
        Ok(booted)
    }

    fn boot(&self, on_line: &mut dyn FnMut(Line<'_>)) -> Result<Booted, vrel_build::BuildError> {
        self.with_files(|files| {
            let boot = Boot {
                machine: self.machine,
                medium: self.medium,
                files,
                expected: self.expected,
                session: self.session,
            };
            qemu::boot(self.world, &boot, on_line)
        })
    }

    /// Boots the artifact with its serial line at the tool's own terminal, and returns once the machine has ended.
    ///
    /// # Errors
    /// When the artifact cannot be unpacked, or the emulator not be started.
    pub fn attach(&self) -> Result<Exit, EngineError> {
        let fs = self.world.fs();
        fs.remove_dir_all(self.scratch)?;
        fs.create_dir_all(self.scratch)?;
        let ended = self.with_files(|files| qemu::attach(self.world, self.machine, self.medium, &files));
        fs.remove_dir_all(self.scratch)?;
        ended.map_err(|error| build_error("boot", error))
    }

    /// Does something with the files that the machine is started with.
    fn with_files<T>(
        &self,
        act: impl FnOnce(Files<'_>) -> Result<T, vrel_build::BuildError>,
    ) -> Result<T, vrel_build::BuildError> {
        let flat_kernel = self.scratch.join("kernel.bin");
        let unpacked: PathBuf;
        let files = match self.packer {
            Packer::Kernel => {
                let kernel = self.world.fs().read(self.file)?;
                let flat = flat::flatten(&kernel, &self.file.display().to_string())?;
                self.world.fs().write(&flat_kernel, &flat, 0o644)?;
                Files {
                    kernel: Some(self.file),
                    kernel_flat: Some(&flat_kernel),
                    initrd: self.initrd,
                    image: None,
                }
            }
            Packer::Gcp => {
                unpacked = self.scratch.join("disk.raw");
                gcp::unpack(self.world, self.file, &unpacked)?;
                image(&unpacked)
            }
            Packer::Ova => {
                let disks = ova::unpack(self.world, self.file, self.scratch)?.disks;
                unpacked = disks.into_iter().next().unwrap_or_default();
                image(&unpacked)
            }
            _ => image(self.file),
        };
        act(files)
    }
}

fn image(file: &Path) -> Files<'_> {
    Files {
        image: Some(file),
        ..Files::default()
    }
}

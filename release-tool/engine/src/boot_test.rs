//! Booting an artifact, whatever its format.

use crate::EngineError;
use crate::cut_rc::build_error;
use std::path::{Path, PathBuf};
use vrel_build::installer::{Installation, install};
use vrel_build::qemu::{self, Boot, Booted, Files};
use vrel_build::stamp::Identity;
use vrel_build::{Line, Machine, flat};
use vrel_model::Packer;
use vrel_pack::{gcp, ova};
use vrel_world::World;

/// The media whose boot is two: that of the installer, and that of what it installed.
const INSTALLERS: &str = "install";

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
        let boot = Boot {
            machine: self.machine,
            medium: self.medium,
            files,
            expected: self.expected,
        };
        qemu::boot(self.world, &boot, on_line)
    }
}

fn image(file: &Path) -> Files<'_> {
    Files {
        image: Some(file),
        ..Files::default()
    }
}

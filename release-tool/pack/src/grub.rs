//! GRUB for machines with a BIOS: the image that an ISO's El Torito entry boots, and the code for the first sector of
//! the same ISO on a USB stick. Both load the kernel by Multiboot2.

use crate::PackError;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vrel_world::{Command, ErrorKind, World};

/// How distributions call the program that links GRUB images.
const PROGRAMS: [&str; 3] = ["grub-mkimage", "grub2-mkimage", "i686-elf-grub-mkimage"];

/// Where they keep GRUB's parts for BIOS.
const DIRECTORIES: [&str; 4] = [
    "/usr/lib/grub/i386-pc",
    "/usr/share/grub2/i386-pc",
    "/opt/homebrew/lib/i686-elf-grub/i386-pc",
    "/usr/local/lib/i686-elf-grub/i386-pc",
];

/// What the image can do: read the medium that it came from, and start the kernel. There is no menu, so no `normal`.
const MODULES: [&str; 7] = [
    "biosdisk",
    "boot",
    "iso9660",
    "multiboot2",
    "search_fs_file",
    "serial",
    "terminal",
];

/// What the image does. The medium that it was started from comes first; what goes wrong is said on screen and serial
/// line. Only single commands: the parser of scripts is a part of `normal`.
const CONFIG: &str = "\
serial --unit=0 --speed=115200
terminal_output console serial
search.file /veridian/kernel.elf root $root
multiboot2 /veridian/kernel.elf
module2 /veridian/initrd.tar
boot
";

/// Bytes of the first sector in front of disk signature and partition table.
pub(crate) const MBR_CODE_LEN: usize = 440;

/// What an ISO needs to boot by BIOS.
#[derive(Clone, PartialEq, Eq)]
pub struct Grub {
    /// The El Torito boot image.
    pub(crate) core: Vec<u8>,
    /// The boot code for the first sector, without the address of the image.
    pub(crate) mbr: Vec<u8>,
}

impl std::fmt::Debug for Grub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Grub({} and {} bytes)", self.core.len(), self.mbr.len())
    }
}

/// GRUB as it is installed on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    program: PathBuf,
    directory: PathBuf,
}

impl Installed {
    /// Looks for it.
    ///
    /// # Errors
    /// [`PackError::NoGrub`], with a hint what to install, when program or parts are missing.
    pub fn find(world: &dyn World) -> Result<Self, PackError> {
        let program = PROGRAMS.iter().find_map(|name| world.processes().find(name));
        let program = program.ok_or(PackError::NoGrub {
            expected: "the program grub-mkimage in the search path",
        })?;
        for directory in DIRECTORIES.map(PathBuf::from) {
            // Machines may have GRUB for UEFI alone.
            if world.fs().metadata(&directory.join("boot_hybrid.img"))?.is_some() {
                return Ok(Self { program, directory });
            }
        }
        Err(PackError::NoGrub {
            expected: "GRUB's parts for BIOS (i386-pc/boot_hybrid.img)",
        })
    }

    /// Where its parts are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What the images depend on, for a build's key: GRUB's version, its parts, and what this module makes of them.
    ///
    /// # Errors
    /// When GRUB does not run or its parts cannot be read.
    pub fn identity(&self, world: &dyn World) -> Result<String, PackError> {
        let version = world
            .processes()
            .output(&Command::new(&self.program).arg("--version"))?;
        let version = String::from_utf8_lossy(&version);
        // `/usr/bin/grub-mkimage (GRUB) 2.12`: where it lies does not matter.
        let version = version.trim().rsplit(") ").next().unwrap_or_default().to_owned();
        let mut digest = Sha256::new();
        digest.update(CONFIG);
        digest.update(MODULES.join(" "));
        for entry in world.fs().list(&self.directory)? {
            let is_part = [".img", ".mod", ".lst"]
                .iter()
                .any(|ending| entry.name.ends_with(ending));
            if is_part {
                let content = match world.fs().read(&self.directory.join(&entry.name)) {
                    // A link that leads nowhere is no part.
                    Err(error) if error.kind == ErrorKind::NotFound => continue,
                    other => other?,
                };
                digest.update(format!("\0{}\0{}\0", entry.name, content.len()));
                digest.update(content);
            }
        }
        let mut text = format!("GRUB {version} sha256:");
        for byte in digest.finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }

    /// Links the images. `scratch` is a directory whose files may be overwritten.
    ///
    /// # Errors
    /// When GRUB's program fails or makes something that cannot boot.
    pub fn build(&self, world: &dyn World, scratch: &Path) -> Result<Grub, PackError> {
        let (config, output) = (scratch.join("grub.cfg"), scratch.join("grub.img"));
        world.fs().create_dir_all(scratch)?;
        world.fs().write(&config, CONFIG.as_bytes(), 0o644)?;
        let command = Command::new(&self.program)
            .args(["--format=i386-pc-eltorito", "--prefix=/boot/grub"])
            .arg(format!("--directory={}", self.directory.display()))
            .arg(format!("--config={}", config.display()))
            .arg(format!("--output={}", output.display()))
            .args(MODULES);
        world.processes().output(&command)?;
        let core = world.fs().read(&output)?;
        world.fs().remove_file(&config)?;
        world.fs().remove_file(&output)?;
        let mut mbr = world.fs().read(&self.directory.join("boot_hybrid.img"))?;
        // The boot information goes to bytes 2548 to 2555 of the image; its end marker is the first sector's.
        if core.len() < 2556 || mbr.len() != 512 || !mbr.ends_with(&[0x55, 0xaa]) {
            return Err(PackError::Grub {
                problem: format!(
                    "expected a boot image of at least 2556 bytes and a boot sector, got {} and {} bytes",
                    core.len(),
                    mbr.len()
                ),
            });
        }
        mbr.truncate(MBR_CODE_LEN);
        Ok(Grub { core, mbr })
    }
}

impl Grub {
    /// The first bytes of the ISO: boot code that loads the image from `block`, in units of 2048 bytes.
    ///
    /// GRUB reads from its `kernel_sector`, bytes 0x1b0 to 0x1b7, in units of 512 bytes. The image's first 2048 bytes
    /// are for El Torito; what this code has to load comes behind them.
    pub(crate) fn boot_code(&self, block: u64) -> Vec<u8> {
        let mut code = self.mbr.clone();
        code[0x1b0..0x1b8].copy_from_slice(&(block * 4 + 4).to_le_bytes());
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::RealWorld;

    #[test]
    fn equal_grubs_give_equal_images() {
        let world = RealWorld::default();
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let installed = Installed::find(&world).unwrap();
        let first = installed.build(&world, one.path()).unwrap();
        let second = installed.build(&world, &two.path().join("made")).unwrap();
        assert!(first == second);
        assert_eq!(std::fs::read_dir(one.path()).unwrap().count(), 0);
        let identity = installed.identity(&world).unwrap();
        assert!(
            identity.starts_with("GRUB ") && identity.contains(" sha256:") && !identity.contains('/'),
            "{identity}"
        );
        assert_eq!(identity, installed.identity(&world).unwrap());
    }

    #[test]
    fn a_part_that_changes_changes_the_identity() {
        let world = RealWorld::default();
        let installed = Installed::find(&world).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(
            installed.directory.join("boot_hybrid.img"),
            dir.path().join("boot_hybrid.img"),
        )
        .unwrap();
        let mine = Installed {
            directory: dir.path().to_owned(),
            ..installed
        };
        let before = mine.identity(&world).unwrap();
        std::fs::write(dir.path().join("x.mod"), b"module").unwrap();
        assert_ne!(before, mine.identity(&world).unwrap());
    }

    #[test]
    fn a_failing_program_says_why() {
        let world = RealWorld::default();
        let installed = Installed::find(&world).unwrap();
        let (parts, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let broken = Installed {
            directory: parts.path().to_owned(),
            ..installed
        };
        let error = broken.build(&world, scratch.path()).unwrap_err().to_string();
        assert!(
            error.contains("grub-mkimage") && error.contains("moddep.lst"),
            "{error}"
        );
    }
}

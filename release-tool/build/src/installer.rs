//! Installing from an ISO in QEMU, and booting what was installed.

use crate::qemu::{self, Boot, Booted, Files};
use crate::stamp::Identity;
use crate::{BootFailure, BuildError, Exchange, Line, Machine};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use vrel_world::{Command, World, WorldError};

/// Size of the disk that is installed to, in bytes. It takes only the space of what is installed.
pub const TARGET_SIZE: u64 = 64 << 20;

/// What the installer says of itself starts with this.
const SAYS: &str = "installer: ";

/// What it says when the system is on the disk and was read back.
const INSTALLED: &str = "installer: VeridianOS is installed on disk ";

/// The answers for an empty disk.
const ANSWERS: &str = "install-to = empty\nthen = power-off\n";

/// The answers for the disk of this size, whatever is on it. Its number depends on what the firmware lists before it.
fn answers_for(size: u64) -> String {
    format!(
        "install-to = size {} MiB\nerase = yes\nthen = power-off\n",
        size >> 20
    )
}

/// What to install where.
#[derive(Clone, Copy, Debug)]
pub struct Installation<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// How it is started from the ISO: `install` or `install-usb`.
    pub medium: &'a str,
    /// The ISO.
    pub iso: &'a Path,
    /// The raw image of the system that is on the disk and is replaced; `None`: the disk is empty.
    pub over: Option<&'a Path>,
    /// A directory for the disk and the answer file.
    pub scratch: &'a Path,
    /// The system that must say its name, started from the disk alone.
    pub expected: &'a Identity,
    /// What it is asked then.
    pub session: &'a [Exchange],
}

/// A system that was installed and came up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The end of what the machine printed on its serial line while installing.
    pub installer: Vec<String>,
    /// The boot of what was installed.
    pub booted: Booted,
    /// The disk.
    pub target: PathBuf,
}

/// Boots the ISO with a disk, which is empty or holds another system, and an answer file, waits for the end of the installation, and boots the disk. The
/// ISO is not changed. Each line of the serial line goes to `on_line` as it comes.
///
/// # Errors
/// As [`qemu::boot`]; and [`BuildError::Boot`] with [`BootFailure::NotInstalled`] when the installer refuses or fails.
pub fn install(
    world: &dyn World,
    installation: &Installation<'_>,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<Installed, BuildError> {
    let Installation {
        machine,
        medium,
        scratch,
        ..
    } = *installation;
    let (target, answers) = (scratch.join("target.img"), scratch.join("answers"));
    world.fs().create_dir_all(&answers.join("veridian"))?;
    let text = match installation.over {
        None => {
            blank_disk(world, &target, TARGET_SIZE)?;
            ANSWERS.to_owned()
        }
        Some(image) => answers_for(disk_with(world, &target, image)?),
    };
    world
        .fs()
        .write(&answers.join("veridian/answers.txt"), text.as_bytes(), 0o644)?;
    let media = Media {
        iso: installation.iso,
        target: &target,
        answers: &answers,
    };
    let mut said = None;
    let serial = run(world, machine, medium, &media, &mut |line| {
        if line.text.starts_with(SAYS) {
            said = Some(line.text.to_owned());
        }
        on_line(line);
    })?;
    if !said.as_ref().is_some_and(|said| said.starts_with(INSTALLED)) {
        return Err(BuildError::Boot {
            machine: machine.name.clone(),
            medium: medium.to_owned(),
            failure: BootFailure::NotInstalled { said },
            serial,
        });
    }
    let boot = Boot {
        machine,
        medium: "disk",
        files: Files {
            image: Some(&target),
            ..Files::default()
        },
        expected: installation.expected,
        session: installation.session,
    };
    let booted = qemu::boot(world, &boot, on_line)?;
    Ok(Installed {
        installer: serial,
        booted,
        target,
    })
}

/// What a machine has while it installs.
#[derive(Clone, Copy, Debug)]
pub struct Media<'a> {
    /// The ISO.
    pub iso: &'a Path,
    /// The disk to install to, which is written to.
    pub target: &'a Path,
    /// A directory that the machine sees as a volume; with `veridian/answers.txt` in it nobody is asked.
    pub answers: &'a Path,
}

impl<'a> Media<'a> {
    fn value_of(&self, name: &str) -> Option<&'a Path> {
        match name {
            "image" => Some(self.iso),
            "target" => Some(self.target),
            "answers" => Some(self.answers),
            _ => None,
        }
    }
}

/// Starts a machine from an ISO with a disk to install to, and returns the last 200 lines of its serial line once it has
/// been switched off, whatever the installer did.
///
/// # Errors
/// As [`qemu::run`].
pub fn run(
    world: &dyn World,
    machine: &Machine,
    medium: &str,
    media: &Media<'_>,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<Vec<String>, BuildError> {
    qemu::run_with(world, machine, medium, &|name| media.value_of(name), on_line)
}

/// The command line with which [`run`] starts the emulator, for whoever wants to type at the serial line.
///
/// # Errors
/// When emulator, firmware or a file is missing.
pub fn command(
    world: &dyn World,
    machine: &Machine,
    medium: &str,
    media: &Media<'_>,
) -> Result<Command, BuildError> {
    Ok(qemu::prepare(world, machine, medium, &|name| media.value_of(name))?.0)
}

/// Makes a disk of at least [`TARGET_SIZE`] that begins with an image, as one does that the image was written to, and
/// returns its size.
fn disk_with(world: &dyn World, path: &Path, image: &Path) -> Result<u64, BuildError> {
    let length = world.fs().metadata(image)?.map_or(0, |found| found.len);
    let size = TARGET_SIZE.max(length.next_multiple_of(1 << 20));
    let failed = |error: &std::io::Error| WorldError::io("write", path, error);
    let mut from = world.fs().open(image)?;
    let mut file = world.fs().create(path)?;
    for range in world.fs().extents(image)? {
        from.seek(SeekFrom::Start(range.start))
            .and_then(|_| file.seek(SeekFrom::Start(range.start)))
            .and_then(|_| std::io::copy(&mut (&mut from).take(range.end - range.start), &mut file))
            .map_err(|error| failed(&error))?;
    }
    if length < size {
        file.seek(SeekFrom::Start(size - 1))
            .and_then(|_| file.write_all(&[0]))
            .map_err(|error| failed(&error))?;
    }
    file.commit()?;
    Ok(size)
}

/// Makes a disk of zeros that takes no space.
///
/// # Errors
/// When it cannot be written.
pub fn blank_disk(world: &dyn World, path: &Path, size: u64) -> Result<(), BuildError> {
    let mut file = world.fs().create(path)?;
    if let Some(last) = size.checked_sub(1) {
        let written = file
            .seek(SeekFrom::Start(last))
            .and_then(|_| file.write_all(&[0]));
        written.map_err(|error| WorldError::io("write", path, &error))?;
    }
    Ok(file.commit()?)
}

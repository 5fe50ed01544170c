//! A virtual machine in one file: a tar archive of the description, the digests and the disk (DMTF DSP0243, "Distribution").

use crate::image_file::ImageFile;
use crate::ovf::{self, Machine};
use crate::raw::SECTOR;
use crate::{Ids, PackError, tarball, vmdk};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tar::EntryType;
use vrel_model::{Arch, ByteSize, UtcTime};
use vrel_world::{World, WorldError};

/// The file system that tar's headers are for: sizes below 8 GiB, in eleven octal digits.
const MAX_FILE: u64 = (8 << 30) - 1;

/// Longest name of a file in the package that fits into a header.
const MAX_NAME: usize = 100;

/// A description or a list of digests is no longer.
const MAX_TEXT: u64 = 1 << 20;

/// So much is copied at once.
const PIECE: usize = 256 << 10;

/// What a policy may choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The machine's memory, whole MiB from 64 MiB to 1 TiB.
    pub memory: ByteSize,
    /// The machine's processors, 1 to 64.
    pub cpus: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: ByteSize(512 << 20),
            cpus: 1,
        }
    }
}

/// What the package says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Package<'a> {
    /// The virtual machine's name, and what its files are called: letters, digits, `.`, `_`, `+` and `-`.
    pub name: &'a str,
    /// What runs in it, for people.
    pub product: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it runs on.
    pub arch: Arch,
}

/// Packs the raw disk image `raw` as `out`, dated `time`.
///
/// # Errors
/// When the disk's size is not a whole number of sectors, the options are out of range, the disk is larger than 8 GiB when
/// compressed, and when a file cannot be read or written.
pub fn write(
    world: &dyn World,
    raw: &Path,
    out: &Path,
    options: &Options,
    package: &Package<'_>,
    ids: &Ids,
    time: UtcTime,
) -> Result<(), PackError> {
    let memory = check(options, package)?;
    let mut disk = vmdk::open(world, raw)?;
    let [description_name, digests_name, disk_name] =
        [".ovf", ".mf", "-disk1.vmdk"].map(|suffix| format!("{}{suffix}", package.name));
    let machine = Machine {
        name: package.name,
        product: package.product,
        version: package.version,
        arch: package.arch,
        disk: &disk_name,
        capacity: disk.len(),
        memory,
        cpus: options.cpus,
    };
    let description = ovf::describe(&machine, ids);
    let digests = |disk: &str| {
        let description = hex(&Sha256::digest(&description));
        format!("SHA256({description_name})= {description}\nSHA256({disk_name})= {disk}\n")
    };
    // The digest of the disk stands before the disk, but its length is known.
    let digests_len = digests(&hex(&[0; 32])).len() as u64;
    let digests_at = SECTOR + (description.len() as u64).next_multiple_of(SECTOR);
    let disk_at = digests_at + SECTOR + digests_len.next_multiple_of(SECTOR);

    let mut image = ImageFile::create(world, out)?;
    image.skip_to(disk_at + SECTOR);
    let disk_len = vmdk::stream(&mut disk, &mut image, &disk_name, ids)?;
    if disk_len > MAX_FILE {
        return Err(PackError::DiskSize {
            path: raw.to_owned(),
            format: "ova (compressed)",
            unit: SECTOR,
            max: MAX_FILE,
            size: disk_len,
        });
    }
    let disk_digest = digest_of(world, &mut image, disk_at + SECTOR, disk_len)?;
    let digests = digests(&disk_digest);
    let files = [
        (0, &description_name, description.as_bytes()),
        (digests_at, &digests_name, digests.as_bytes()),
    ];
    for (at, name, content) in files {
        image.put_at(at, &header(name, content.len() as u64, time)?)?;
        image.put(content)?;
    }
    image.put_at(disk_at, &header(&disk_name, disk_len, time)?)?;
    // The disk is of whole sectors. Two more of zeros end the archive.
    image.skip_to(disk_at + SECTOR + disk_len + 2 * SECTOR);
    image.commit()
}

/// Checks what people may choose, and returns the memory in MiB.
fn check(options: &Options, package: &Package<'_>) -> Result<u64, PackError> {
    let refuse = |setting, expected: &str, found: String| {
        Err(PackError::Setting {
            setting,
            expected: expected.to_owned(),
            found,
        })
    };
    let ByteSize(memory) = options.memory;
    if !memory.is_multiple_of(1 << 20) || !(64 << 20..=1 << 40).contains(&memory) {
        return refuse(
            "memory",
            "whole MiB from 64 MiB to 1 TiB",
            options.memory.to_string(),
        );
    }
    if !(1..=64).contains(&options.cpus) {
        return refuse("cpus", "1 to 64", options.cpus.to_string());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let name = package.name;
    if name.is_empty()
        || name.len() + "-disk1.vmdk".len() > MAX_NAME
        || !name.chars().all(plain)
        || name.starts_with('.')
    {
        let expected = "at most 89 letters, digits, `.`, `_`, `+` and `-`";
        return refuse("the virtual machine's name", expected, name.to_owned());
    }
    Ok(memory >> 20)
}

fn header(name: &str, len: u64, time: UtcTime) -> Result<Vec<u8>, PackError> {
    let mut header = tarball::header(time, EntryType::Regular, 0o644, len);
    header
        .set_path(name)
        .map_err(|error| tarball::archive_error(name, &error))?;
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

/// The SHA-256 of what was written.
fn digest_of(world: &dyn World, image: &mut ImageFile, at: u64, len: u64) -> Result<String, PackError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; PIECE];
    let mut left = len;
    let found = image.seek(SeekFrom::Start(at));
    found.map_err(|error| image.explain(&error))?;
    while left > 0 {
        world.check_interrupt()?;
        let piece = &mut buffer[..left.min(PIECE as u64) as usize];
        let read = image.read_exact(piece);
        read.map_err(|error| image.explain(&error))?;
        hasher.update(&*piece);
        left -= piece.len() as u64;
    }
    Ok(hex(&hasher.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a package that was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The description.
    pub description: PathBuf,
    /// The disks, in the order in which they are packed.
    pub disks: Vec<PathBuf>,
}

/// Unpacks a package into a directory, after comparing everything with its digests.
///
/// # Errors
/// [`PackError::Package`] when the package has no digests or others, holds a file that they do not name or one that could
/// be written elsewhere, or is cut short; and when a file cannot be read or written.
pub fn unpack(world: &dyn World, package: &Path, dir: &Path) -> Result<Unpacked, PackError> {
    let file = io::BufReader::with_capacity(PIECE, world.fs().open(package)?);
    let mut archive = tar::Archive::new(file);
    let reader = Reader { world, package };
    let mut entries = archive.entries().map_err(|error| reader.damaged(&error))?;
    let mut next = |expected: &str| match entries.next() {
        None => Err(reader.refuse(expected, "the end")),
        Some(entry) => {
            let entry = entry.map_err(|error| reader.damaged(&error))?;
            let name = reader.name(&entry)?;
            Ok((name, entry))
        }
    };
    let (description_name, mut entry) = next("a description, NAME.ovf")?;
    if !description_name.ends_with(".ovf") {
        return Err(reader.refuse("a description, NAME.ovf, in the first place", &description_name));
    }
    let description = reader.text(&mut entry)?;
    let (digests_name, mut entry) = next("digests, NAME.mf")?;
    if !digests_name.ends_with(".mf") {
        return Err(reader.refuse("digests, NAME.mf, in the second place", &digests_name));
    }
    let digests = reader.digests(&reader.text(&mut entry)?)?;
    let (first, others) = match digests.split_first() {
        Some(((name, digest), others)) if *name == description_name => (digest, others),
        _ => {
            return Err(reader.refuse(
                &format!("a digest of {description_name} in the first place"),
                "another",
            ));
        }
    };
    reader.compare(&description_name, first, &hex(&Sha256::digest(&description)))?;
    world.fs().create_dir_all(dir)?;
    let mut unpacked = Unpacked {
        description: dir.join(&description_name),
        disks: Vec::new(),
    };
    for (expected, digest) in others {
        let (name, mut entry) = next(expected)?;
        if name != *expected {
            return Err(reader.refuse(expected, &name));
        }
        let path = dir.join(&name);
        let mut image = ImageFile::create(world, &path)?;
        let found = reader.copy(&mut entry, &mut image)?;
        reader.compare(&name, digest, &found)?;
        image.commit()?;
        unpacked.disks.push(path);
    }
    if let Ok((name, _)) = next("") {
        return Err(reader.refuse("nothing more", &name));
    }
    world.fs().write(&unpacked.description, &description, 0o644)?;
    Ok(unpacked)
}

/// Reads a package, and says what is wrong with it.
struct Reader<'w> {
    world: &'w dyn World,
    package: &'w Path,
}

impl Reader<'_> {
    fn refuse(&self, expected: &str, found: &str) -> PackError {
        PackError::Package {
            path: self.package.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }

    fn damaged(&self, error: &io::Error) -> PackError {
        match error.kind() {
            // How the library says that it does not understand the archive.
            io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                self.refuse("a whole tar archive", &error.to_string())
            }
            _ => WorldError::io("read", self.package, error).into(),
        }
    }

    /// An entry's name: of a regular file, without directories.
    fn name(&self, entry: &tar::Entry<'_, impl Read>) -> Result<String, PackError> {
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = format!("`{}`", name.escape_debug());
        if entry.header().entry_type() != EntryType::Regular {
            return Err(self.refuse("regular files only", &shown));
        }
        if name.contains('/') || tarball::path_problem(&name).is_some() {
            return Err(self.refuse("plain file names", &shown));
        }
        Ok(name)
    }

    fn text(&self, entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>, PackError> {
        if entry.size() > MAX_TEXT {
            let found = format!("{} bytes", entry.size());
            return Err(self.refuse("at most 1 MiB of text", &found));
        }
        let mut text = Vec::new();
        entry
            .read_to_end(&mut text)
            .map_err(|error| self.damaged(&error))?;
        Ok(text)
    }

    /// Lines of the form `SHA256(NAME)= DIGITS`.
    fn digests(&self, text: &[u8]) -> Result<Vec<(String, String)>, PackError> {
        let text = String::from_utf8_lossy(text);
        let one = |line: &str| {
            let (name, digest) = line.strip_prefix("SHA256(")?.rsplit_once(")= ")?;
            let good = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            good.then(|| (name.to_owned(), digest.to_ascii_lowercase()))
        };
        text.lines()
            .map(|line| {
                let shown = format!("`{}`", line.escape_debug());
                one(line).ok_or_else(|| self.refuse("digests as `SHA256(NAME)= DIGITS`", &shown))
            })
            .collect()
    }

    /// Copies an entry and returns its SHA-256.
    fn copy(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
        image: &mut ImageFile,
    ) -> Result<String, PackError> {
        let size = entry.size();
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; PIECE];
        let mut copied = 0;
        loop {
            self.world.check_interrupt()?;
            let count = entry.read(&mut buffer).map_err(|error| self.damaged(&error))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            image.put(&buffer[..count])?;
            copied += count as u64;
        }
        if copied != size {
            return Err(self.refuse(&format!("{size} bytes of a disk"), &format!("{copied} bytes")));
        }
        Ok(hex(&hasher.finalize()))
    }

    fn compare(&self, name: &str, expected: &str, found: &str) -> Result<(), PackError> {
        if expected == found {
            return Ok(());
        }
        Err(self.refuse(&format!("{name} with the SHA-256 {expected}"), found))
    }
}

//! The sources of every crate that a build needs, so that it can be repeated when no registry can be asked.
//!
//! The archive is a directory source, as cargo calls it, with a `CARGO_HOME` that leads to it. Each crate is taken from
//! what cargo has downloaded, checked against the lock file, and packed anew with one owner and time. The
//! crates that the compiler's own libraries need are not in it: they come with the compiler's sources.

use crate::PackError;
use crate::image_file::{Failure, ImageFile, write_stream};
use crate::tarball::{Tarball, Zstd, zstd_encoder};
use crate::vendor_crate::{CHECKSUMS, Checked, Locked};
use crate::vendor_lock::read_locks;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use vrel_model::UtcTime;
use vrel_world::{Command, FileKind, World};

/// The compressor takes locks for every piece that it is given, so it is given large ones.
const BUFFER: usize = 256 << 10;

/// cargo's configuration. The directory is relative to the one that `cargo-home` is in.
const CONFIG: &str = "# Takes crates from the directory `vendor` and from nowhere else.\n\
    [source.crates-io]\n\
    replace-with = \"vendor\"\n\
    \n\
    [source.vendor]\n\
    directory = \"vendor\"\n\
    \n\
    [net]\n\
    offline = true\n";

/// What is packed and how.
#[derive(Clone, Copy, Debug)]
pub struct Vendor<'a> {
    /// The directory that everything is in, without a slash at its end.
    pub prefix: &'a str,
    /// When files were changed: the commit's time.
    pub time: UtcTime,
    /// How it is compressed. Crates repeat each other over long distances, so a large window pays.
    pub zstd: Zstd,
    /// Where cargo keeps what it downloads.
    pub cargo_home: &'a Path,
    /// The lock files whose crates are packed: their names in errors, and their text.
    pub locks: &'a [(&'a str, &'a str)],
}

/// What was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Crates.
    pub crates: usize,
    /// Their files.
    pub files: usize,
}

/// Writes the archive, `tar.zst`, to `path`.
///
/// # Errors
/// When a lock file cannot be understood or names something else than crates of crates.io, when a crate was not
/// downloaded, is not the one that is locked, or holds anything but plain files below its own directory; and when an
/// effect fails.
pub fn write(world: &dyn World, path: &Path, vendor: &Vendor<'_>) -> Result<Packed, PackError> {
    let locked = read_locks(vendor.locks)?;
    let found = find(world, vendor.cargo_home, &locked)?;
    write_stream(world, path, |file| pack(world, file, vendor, &found))
}

/// Downloads what is missing of the crates that the lock files beside these manifests name.
///
/// # Errors
/// When cargo fails, with what it says.
pub fn fetch(
    world: &dyn World,
    cargo: &Path,
    cargo_home: &Path,
    manifests: &[&Path],
) -> Result<(), PackError> {
    for manifest in manifests {
        let command = Command::new(cargo)
            .args(["fetch", "--locked", "--quiet", "--manifest-path"])
            .arg(manifest.display().to_string())
            .env("CARGO_HOME", cargo_home.display().to_string())
            .env("CARGO_TERM_COLOR", "never");
        world.processes().output(&command)?;
    }
    Ok(())
}

/// Tells failures to read from failures to write, where both come back as one.
struct Watched<'a> {
    inner: &'a mut dyn Read,
    failure: Option<String>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(error.to_string());
        }
        read
    }
}

/// Each crate with the file that cargo downloaded.
fn find(
    world: &dyn World,
    cargo_home: &Path,
    locked: &BTreeMap<String, Locked>,
) -> Result<Vec<(Locked, PathBuf)>, PackError> {
    let cache = cargo_home.join("registry/cache");
    let mut known = BTreeMap::new();
    if world.fs().metadata(&cache)?.is_some() {
        // One directory for each address that a registry was ever had at.
        for registry in world.fs().list(&cache)? {
            if registry.kind != FileKind::Directory {
                continue;
            }
            let registry = cache.join(registry.name);
            for entry in world.fs().list(&registry)? {
                known
                    .entry(entry.name.clone())
                    .or_insert_with(|| registry.join(entry.name));
            }
        }
    }
    let mut missing = Vec::new();
    let mut found = Vec::new();
    for wanted in locked.values() {
        match known.get(&format!("{}.crate", wanted.directory())) {
            Some(path) => found.push((wanted.clone(), path.clone())),
            None => missing.push(wanted.directory()),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    Err(PackError::Crate {
        name: missing.join(", "),
        problem: format!("expected the downloaded source in {}, got none", cache.display()),
    })
}

fn pack(
    world: &dyn World,
    out: &mut ImageFile,
    vendor: &Vendor<'_>,
    crates: &[(Locked, PathBuf)],
) -> Result<Packed, Failure> {
    let prefix = vendor.prefix;
    let encoder = zstd_encoder(&mut *out, vendor.zstd)?;
    let mut tarball = Tarball::new(BufWriter::with_capacity(BUFFER, encoder), vendor.time);
    let readme = readme(prefix, crates.len());
    for (name, text) in [("README.md", readme.as_str()), ("cargo-home/config.toml", CONFIG)] {
        tarball.file(
            &format!("{prefix}/{name}"),
            0o644,
            text.len() as u64,
            text.as_bytes(),
        )?;
    }
    let mut files = 0;
    for (locked, path) in crates {
        let checked = Checked::open(world, locked, path)?;
        let directory = format!("{prefix}/vendor/{}", locked.directory());
        files += 1 + checked.files;
        let sums = checked.checksums.as_bytes();
        tarball.file(
            &format!("{directory}/{CHECKSUMS}"),
            0o644,
            sums.len() as u64,
            sums,
        )?;
        checked.each(world, &mut |file| {
            let mode = if file.executable { 0o755 } else { 0o644 };
            let path = format!("{directory}/{}", file.path);
            let mut content = Watched {
                inner: file.content,
                failure: None,
            };
            let packed = tarball.file(&path, mode, file.size, &mut content);
            match content.failure {
                Some(problem) => Err(Failure::Other(PackError::Crate {
                    name: format!("{} {}", locked.name, locked.version),
                    problem: format!("cannot be unpacked: {problem}"),
                })),
                None => Ok(packed?),
            }
        })?;
    }
    let encoder = tarball
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?;
    out.flush()?;
    Ok(Packed {
        crates: crates.len(),
        files,
    })
}

fn readme(prefix: &str, crates: usize) -> String {
    format!(
        "# The crates that the source needs\n\
         \n\
         {crates} crates, each as crates.io has it, checked against the lock files of the source tarball of the same\n\
         version. With them it builds without a network. Unpack both, and let cargo use this directory's `cargo-home`:\n\
         \n\
         ```console\n\
         $ tar -xf {prefix}.tar.zst\n\
         $ export CARGO_HOME=\"$PWD/{prefix}/cargo-home\"\n\
         $ cargo build --offline --locked\n\
         ```\n\
         \n\
         cargo compares every file with the crate's `.cargo-checksum.json`, and that with the lock file. The compiler's own\n\
         libraries are built from the sources that come with the compiler (Debian's `rust-web-src`, rustup's component\n\
         `rust-src`), which have the crates that they need with them.\n"
    )
}

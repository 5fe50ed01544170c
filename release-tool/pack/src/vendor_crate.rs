//! One crate: from what cargo downloaded to the files of a directory source.

use crate::PackError;
use crate::tarball::path_problem;
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::path::Path;
use tar::{Archive, EntryType};
use vrel_model::Sha256Digest;
use vrel_world::{ReadSeek, World, WorldError};

/// How much a crate may unpack to, in bytes: several times the largest one in use. One crate at a time is in memory.
const MAX_UNPACKED: u64 = 96 << 20;

/// How much is hashed at once.
const PIECE: usize = 64 << 10;

/// By this file cargo checks a crate of a directory source.
const CHECKSUMS: &str = ".cargo-checksum.json";

/// A crate as a lock file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// SHA-256 of the file that a registry gives out.
    pub(crate) checksum: Sha256Digest,
}

impl Locked {
    /// The directory in its archive, which is also what the archive is called.
    pub(crate) fn directory(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    fn wrong(&self, problem: String) -> PackError {
        PackError::Crate {
            name: format!("{} {}", self.name, self.version),
            problem,
        }
    }
}

/// A file of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CrateFile {
    /// What is in it.
    pub(crate) content: Vec<u8>,
    /// Whether it has an execute bit.
    pub(crate) executable: bool,
}

/// A crate's files by path, with the list of their checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// By path below the crate's directory.
    pub(crate) files: BTreeMap<String, CrateFile>,
}

impl Unpacked {
    /// Checks and unpacks what cargo downloaded.
    pub(crate) fn read(world: &dyn World, locked: &Locked, path: &Path) -> Result<Self, PackError> {
        let failed = |error: &io::Error| PackError::World(WorldError::io("read", path, error));
        let mut file = world.fs().open(path)?;
        let found = digest(world, &mut file, &failed)?;
        if found != locked.checksum {
            let expected = locked.checksum;
            return Err(locked.wrong(format!(
                "expected {} with sha256 {expected}, got {found}",
                path.display()
            )));
        }
        file.rewind().map_err(|error| failed(&error))?;
        let mut files = unpack(locked, file)?;
        let sums: BTreeMap<&str, String> = files
            .iter()
            .map(|(path, file)| {
                let digest = Sha256Digest::new(Sha256::digest(&file.content).into());
                (path.as_str(), digest.to_string())
            })
            .collect();
        let mut document = serde_json::json!({ "files": sums, "package": locked.checksum });
        document.sort_all_objects();
        let checksums = CrateFile {
            content: document.to_string().into_bytes(),
            executable: false,
        };
        if files.insert(CHECKSUMS.to_owned(), checksums).is_some() {
            return Err(locked.wrong(format!("expected no file {CHECKSUMS} in it, got one")));
        }
        Ok(Self { files })
    }
}

fn digest(
    world: &dyn World,
    file: &mut dyn ReadSeek,
    failed: &dyn Fn(&io::Error) -> PackError,
) -> Result<Sha256Digest, PackError> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        world.check_interrupt()?;
        match file.read(&mut piece).map_err(|error| failed(&error))? {
            0 => return Ok(Sha256Digest::new(hash.finalize().into())),
            count => hash.update(&piece[..count]),
        }
    }
}

/// The files of a crate's archive. The checksum says that it is the registry's, not that it means well.
fn unpack(locked: &Locked, file: impl Read) -> Result<BTreeMap<String, CrateFile>, PackError> {
    let broken = |error: io::Error| locked.wrong(format!("cannot be unpacked: {error}"));
    let directory = format!("{}/", locked.directory());
    let mut left = MAX_UNPACKED;
    let mut files = BTreeMap::new();
    // A whole crate and not one byte more, whatever the headers in it claim.
    let limited = GzDecoder::new(file).take(MAX_UNPACKED + 1);
    for entry in Archive::new(limited).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        let name = path.strip_prefix(&directory).unwrap_or_default().to_owned();
        match kind {
            EntryType::Directory => continue,
            EntryType::Regular | EntryType::Continuous => {}
            other => {
                return Err(locked.wrong(format!(
                    "expected plain files in it, got `{}`, an entry of type {other:?}",
                    path.escape_debug()
                )));
            }
        }
        if let Some(problem) = path_problem(&name) {
            return Err(locked.wrong(format!(
                "expected all of it below {directory}, got `{}`: {problem}",
                path.escape_debug()
            )));
        }
        let size = entry.size();
        left = left.checked_sub(size).ok_or_else(|| {
            locked.wrong(format!(
                "expected at most {MAX_UNPACKED} bytes of files in it, got more"
            ))
        })?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        let executable = entry.header().mode().map_err(broken)? & 0o111 != 0;
        if files.insert(name, CrateFile { content, executable }).is_some() {
            return Err(locked.wrong(format!(
                "expected each file once, got `{}` twice",
                path.escape_debug()
            )));
        }
    }
    if files.is_empty() {
        return Err(locked.wrong("expected files in it, got none".to_owned()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};
    use vrel_world::RealWorld;

    /// A crate's archive with one entry more than a manifest, whose path is written as it is.
    fn archive(path: &str, kind: EntryType, link: &str) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind, link) in [("a-1.0.0/Cargo.toml", EntryType::Regular, ""), (path, kind, link)] {
            let mut header = Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_entry_type(kind);
            header.set_mode(0o755);
            header.set_size(0);
            header.set_cksum();
            builder.append(&header, io::empty()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn read(content: &[u8], checksum: Option<&[u8]>) -> Result<Unpacked, PackError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a-1.0.0.crate");
        std::fs::write(&path, content).unwrap();
        let locked = Locked {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            checksum: Sha256Digest::new(Sha256::digest(checksum.unwrap_or(content)).into()),
        };
        Unpacked::read(&RealWorld::default(), &locked, &path)
    }

    #[test]
    fn files_get_the_checksums_that_cargo_wants() {
        let content = archive("a-1.0.0/build.sh", EntryType::Regular, "");
        let unpacked = read(&content, None).unwrap();
        let names: Vec<_> = unpacked.files.keys().collect();
        assert_eq!(names, [".cargo-checksum.json", "Cargo.toml", "build.sh"]);
        assert!(unpacked.files["build.sh"].executable);
        let sums: serde_json::Value = serde_json::from_slice(&unpacked.files[CHECKSUMS].content).unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            sums["files"],
            serde_json::json!({ "Cargo.toml": empty, "build.sh": empty })
        );
        let package = Sha256Digest::new(Sha256::digest(&content).into());
        assert_eq!(sums["package"], package.to_string());
    }

    #[test]
    fn another_crate_than_the_locked_one_is_refused() {
        let content = archive("a-1.0.0/x", EntryType::Regular, "");
        let error = read(&content, Some(b"other")).unwrap_err();
        assert!(
            error.to_string().starts_with("the crate a 1.0.0: expected "),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("cargo fetch --locked"), "{error}");
    }

    #[test]
    fn entries_that_lead_elsewhere_are_refused() {
        for (path, kind, expected) in [
            (
                "/etc/passwd",
                EntryType::Regular,
                "expected all of it below a-1.0.0/",
            ),
            (
                "a-1.0.0/../../x",
                EntryType::Regular,
                "expected all of it below a-1.0.0/",
            ),
            (
                "b-1.0.0/x",
                EntryType::Regular,
                "expected all of it below a-1.0.0/",
            ),
            ("a-1.0.0", EntryType::Regular, "expected all of it below a-1.0.0/"),
            ("a-1.0.0/x", EntryType::Symlink, "an entry of type Symlink"),
            ("a-1.0.0/x", EntryType::Link, "an entry of type Link"),
            ("a-1.0.0/x", EntryType::Fifo, "an entry of type Fifo"),
            (
                "a-1.0.0/Cargo.toml",
                EntryType::Regular,
                "got `a-1.0.0/Cargo.toml` twice",
            ),
            (
                "a-1.0.0/.cargo-checksum.json",
                EntryType::Regular,
                "expected no file .cargo-checksum.json",
            ),
        ] {
            let error = read(&archive(path, kind, "/etc/passwd"), None).unwrap_err();
            assert!(error.to_string().contains(expected), "{path}: {error}");
        }
        for damaged in [&b"text"[..], &archive("a-1.0.0/x", EntryType::Regular, "")[..60]] {
            let error = read(damaged, None).unwrap_err();
            assert!(error.to_string().contains("a 1.0.0"), "{error}");
        }
    }
}

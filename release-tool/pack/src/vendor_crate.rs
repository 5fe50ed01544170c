//! One crate: from what cargo downloaded to the files of a directory source, without holding it in memory.

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

/// How much a crate may unpack to, in bytes: several times the largest one in use.
const MAX_UNPACKED: u64 = 96 << 20;

/// How much is hashed at once.
const PIECE: usize = 64 << 10;

/// By this file cargo checks a crate of a directory source.
pub(crate) const CHECKSUMS: &str = ".cargo-checksum.json";

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

/// A crate that is what was locked, with the list of its files' checksums. The files stay in the archive: it is read once
/// to check it, once to hash the files, and once to hand them out, so that a crate may be of any size.
pub(crate) struct Checked<'a> {
    locked: &'a Locked,
    path: &'a Path,
    file: Box<dyn ReadSeek>,
    /// How many files it has, without the list.
    pub(crate) files: usize,
    /// What is to stand in [`CHECKSUMS`].
    pub(crate) checksums: String,
}

/// One file, while the archive is read.
pub(crate) struct CrateFile<'a> {
    /// Its path below the crate's directory.
    pub(crate) path: &'a str,
    /// Whether it has an execute bit.
    pub(crate) executable: bool,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// What is in it.
    pub(crate) content: &'a mut dyn Read,
}

impl<'a> Checked<'a> {
    /// Checks what cargo downloaded and lists its files.
    pub(crate) fn open(world: &dyn World, locked: &'a Locked, path: &'a Path) -> Result<Self, PackError> {
        let mut checked = Self {
            locked,
            path,
            file: world.fs().open(path)?,
            files: 0,
            checksums: String::new(),
        };
        // All of it, before anything looks into it.
        let mut all = Hashed::new(&mut *checked.file);
        let read = drain(world, &mut all)?;
        let found = all.digest();
        read.and_then(|()| checked.file.rewind())
            .map_err(|error| checked.unreadable(&error))?;
        checked.expect(found)?;
        let mut sums = BTreeMap::new();
        walk(world, locked, &mut *checked.file, &mut |file| {
            let broken = |error: &io::Error| locked.wrong(format!("cannot be unpacked: {error}"));
            let mut content = Hashed::new(file.content);
            drain(world, &mut content)?.map_err(|error| broken(&error))?;
            if content.count != file.size {
                let (path, expected, found) = (file.path, file.size, content.count);
                return Err(locked.wrong(format!("expected {expected} bytes of `{path}`, got {found}")));
            }
            if sums.insert(file.path.to_owned(), content.digest()).is_some() {
                let path = file.path.escape_debug();
                return Err(locked.wrong(format!("expected each file once, got `{path}` twice")));
            }
            Ok(())
        })?;
        if sums.is_empty() {
            return Err(locked.wrong("expected files in it, got none".to_owned()));
        }
        if sums.contains_key(CHECKSUMS) {
            return Err(locked.wrong(format!("expected no file {CHECKSUMS} in it, got one")));
        }
        checked.files = sums.len();
        let mut document = serde_json::json!({ "files": sums, "package": locked.checksum });
        document.sort_all_objects();
        checked.checksums = document.to_string();
        Ok(checked)
    }

    /// Hands out the files, in the order of the crate's archive.
    ///
    /// # Errors
    /// Those of `visit`, and when the archive is another than a moment ago.
    pub(crate) fn each<E: From<PackError>>(
        mut self,
        world: &dyn World,
        visit: &mut dyn FnMut(CrateFile<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let rewound = self.file.rewind();
        rewound.map_err(|error| self.unreadable(&error))?;
        let mut all = Hashed::new(&mut *self.file);
        walk(world, self.locked, &mut all, visit)?;
        let read = drain(world, &mut all)?;
        let found = all.digest();
        read.map_err(|error| self.unreadable(&error))?;
        Ok(self.expect(found)?)
    }

    fn expect(&self, found: Sha256Digest) -> Result<(), PackError> {
        let (path, expected) = (self.path.display(), self.locked.checksum);
        if found == expected {
            return Ok(());
        }
        Err(self
            .locked
            .wrong(format!("expected {path} with sha256 {expected}, got {found}")))
    }

    fn unreadable(&self, error: &io::Error) -> PackError {
        PackError::World(WorldError::io("read", self.path, error))
    }
}

/// Counts and hashes what is read.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
    count: u64,
}

impl<R> Hashed<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            count: 0,
        }
    }

    fn digest(self) -> Sha256Digest {
        Sha256Digest::new(self.hash.finalize().into())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

/// Reads to the end; the inner result is the reader's.
fn drain(world: &dyn World, reader: &mut dyn Read) -> Result<io::Result<()>, PackError> {
    let mut piece = vec![0; PIECE];
    loop {
        world.check_interrupt()?;
        match reader.read(&mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Visits the files of a crate's archive. The checksum says that it is the registry's, not that it means well.
fn walk<E: From<PackError>>(
    world: &dyn World,
    locked: &Locked,
    file: &mut dyn Read,
    visit: &mut dyn FnMut(CrateFile<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let broken = |error: io::Error| locked.wrong(format!("cannot be unpacked: {error}"));
    let directory = format!("{}/", locked.directory());
    let mut left = MAX_UNPACKED;
    // A whole crate and not one byte more, whatever the headers in it claim.
    let limited = GzDecoder::new(file).take(MAX_UNPACKED + 1);
    for entry in Archive::new(limited).entries().map_err(broken)? {
        world.check_interrupt().map_err(PackError::from)?;
        let mut entry = entry.map_err(broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = path.strip_prefix(&directory).unwrap_or_default();
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular | EntryType::Continuous => {}
            other => {
                let problem = format!(
                    "expected plain files in it, got `{}`, an entry of type {other:?}",
                    path.escape_debug()
                );
                return Err(locked.wrong(problem).into());
            }
        }
        if let Some(problem) = path_problem(name) {
            let problem = format!(
                "expected all of it below {directory}, got `{}`: {problem}",
                path.escape_debug()
            );
            return Err(locked.wrong(problem).into());
        }
        let size = entry.size();
        left = left.checked_sub(size).ok_or_else(|| {
            locked.wrong(format!(
                "expected at most {MAX_UNPACKED} bytes of files in it, got more"
            ))
        })?;
        let executable = entry.header().mode().map_err(broken)? & 0o111 != 0;
        visit(CrateFile {
            path: name,
            executable,
            size,
            content: &mut entry,
        })?;
    }
    Ok(())
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

    struct Unpacked {
        files: BTreeMap<String, (bool, Vec<u8>)>,
        checksums: String,
    }

    fn read(content: &[u8], checksum: Option<&[u8]>) -> Result<Unpacked, PackError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a-1.0.0.crate");
        std::fs::write(&path, content).unwrap();
        let locked = locked(checksum.unwrap_or(content));
        let world = RealWorld::default();
        let checked = Checked::open(&world, &locked, &path)?;
        let (count, checksums) = (checked.files, checked.checksums.clone());
        let mut files = BTreeMap::new();
        checked.each::<PackError>(&world, &mut |file| {
            let mut content = Vec::new();
            file.content.read_to_end(&mut content).unwrap();
            assert_eq!(content.len() as u64, file.size);
            files.insert(file.path.to_owned(), (file.executable, content));
            Ok(())
        })?;
        assert_eq!(files.len(), count);
        Ok(Unpacked { files, checksums })
    }

    fn locked(content: &[u8]) -> Locked {
        Locked {
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            checksum: Sha256Digest::new(Sha256::digest(content).into()),
        }
    }

    #[test]
    fn files_get_the_checksums_that_cargo_wants() {
        let content = archive("a-1.0.0/build.sh", EntryType::Regular, "");
        let unpacked = read(&content, None).unwrap();
        let names: Vec<_> = unpacked.files.keys().collect();
        assert_eq!(names, ["Cargo.toml", "build.sh"]);
        assert_eq!(unpacked.files["build.sh"], (true, Vec::new()));
        let sums: serde_json::Value = serde_json::from_str(&unpacked.checksums).unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            sums["files"],
            serde_json::json!({ "Cargo.toml": empty, "build.sh": empty })
        );
        let package = Sha256Digest::new(Sha256::digest(&content).into());
        assert_eq!(sums["package"], package.to_string());
    }

    #[test]
    fn an_archive_that_changes_while_it_is_packed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a-1.0.0.crate");
        let content = archive("a-1.0.0/build.sh", EntryType::Regular, "");
        std::fs::write(&path, &content).unwrap();
        let (world, locked) = (RealWorld::default(), locked(&content));
        let checked = Checked::open(&world, &locked, &path).unwrap();
        std::fs::write(&path, archive("a-1.0.0/other.sh", EntryType::Regular, "")).unwrap();
        let error = checked.each::<PackError>(&world, &mut |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("with sha256"), "{error}");
    }

    #[test]
    fn another_crate_than_the_locked_one_is_refused() {
        let content = archive("a-1.0.0/x", EntryType::Regular, "");
        let error = read(&content, Some(b"other")).err().unwrap();
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
            ("a-1.0.0/Cargo.toml", EntryType::Regular, "got `Cargo.toml` twice"),
            (
                "a-1.0.0/.cargo-checksum.json",
                EntryType::Regular,
                "expected no file .cargo-checksum.json",
            ),
        ] {
            let error = read(&archive(path, kind, "/etc/passwd"), None).err().unwrap();
            assert!(error.to_string().contains(expected), "{path}: {error}");
        }
        for damaged in [&b"text"[..], &archive("a-1.0.0/x", EntryType::Regular, "")[..60]] {
            let error = read(damaged, None).err().unwrap();
            assert!(error.to_string().contains("a 1.0.0"), "{error}");
        }
    }
}

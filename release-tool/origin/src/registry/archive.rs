//! Reading a container image's archive: which blobs it has, where they lie in the file, and whether all are sound.

use crate::OriginError;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, MediaType};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{Read, SeekFrom};
use std::path::{Path, PathBuf};
use vrel_model::Sha256Digest;
use vrel_world::{ReadSeek, World};

/// The longest document that is read. Registries take no longer manifests either (OCI distribution specification 1.1,
/// "Pushing Manifests").
const MAX_DOCUMENT: u64 = 4 << 20;

/// How much is read at once.
pub(crate) const PIECE: usize = 256 << 10;

/// Where blobs lie in the archive.
const BLOBS: &str = "blobs/sha256/";

/// A configuration or a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    /// SHA-256 of its content.
    pub(crate) digest: Sha256Digest,
    /// Length in bytes.
    pub(crate) size: u64,
    /// Where it begins in the archive.
    offset: u64,
}

/// A manifest or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// SHA-256 of its content.
    pub(crate) digest: Sha256Digest,
    /// What it is.
    pub(crate) media_type: String,
    /// Its content.
    pub(crate) content: Vec<u8>,
}

/// An archive that was read and found sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    path: PathBuf,
    /// All blobs that the manifests name, each once.
    pub(crate) blobs: Vec<Blob>,
    /// The manifests, then the index that names them: in this order a registry always has what a document names.
    pub(crate) documents: Vec<Document>,
    /// Digest of the index.
    pub(crate) index: Sha256Digest,
}

impl Archive {
    /// Reads an archive and checks every digest in it.
    ///
    /// # Errors
    /// When it cannot be read, or is not the archive of one image index.
    pub(crate) fn open(world: &dyn World, path: &Path) -> Result<Self, OriginError> {
        let reader = Reader {
            world,
            path,
            entries: entries(world, path)?,
        };
        let layout = reader.file("oci-layout")?;
        let version = serde_json::from_slice::<serde_json::Value>(&layout);
        if version
            .ok()
            .as_ref()
            .and_then(|layout| layout["imageLayoutVersion"].as_str())
            != Some("1.0.0")
        {
            return Err(reader.wrong("expected `imageLayoutVersion` 1.0.0 in oci-layout, got another"));
        }
        let outer: ImageIndex = reader.parse("index.json", &reader.file("index.json")?)?;
        let [top] = &outer.manifests()[..] else {
            let found = outer.manifests().len();
            return Err(reader.wrong(format!(
                "expected one image index in index.json, got {found} entries"
            )));
        };
        if *top.media_type() != MediaType::ImageIndex {
            let found = top.media_type();
            return Err(reader.wrong(format!("expected an image index in index.json, got `{found}`")));
        }
        let index = reader.document(top)?;
        let named: ImageIndex = reader.parse("the image index", &index.content)?;
        let (mut blobs, mut documents) = (BTreeMap::new(), Vec::new());
        for entry in named.manifests() {
            let document = reader.document(entry)?;
            let manifest: ImageManifest = reader.parse(&document.digest.to_string(), &document.content)?;
            for descriptor in [manifest.config()].into_iter().chain(manifest.layers()) {
                let blob = reader.blob(descriptor)?;
                if blobs.insert(blob.digest, blob).is_none() {
                    reader.check(blob)?;
                }
            }
            documents.push(document);
        }
        if documents.is_empty() {
            return Err(reader.wrong("expected at least one image in the index, got none"));
        }
        let digest = index.digest;
        documents.push(index);
        Ok(Self {
            path: path.to_owned(),
            blobs: blobs.into_values().collect(),
            documents,
            index: digest,
        })
    }

    /// A blob's content, to be read from.
    pub(crate) fn content(&self, world: &dyn World, blob: Blob) -> Result<Box<dyn Read + Send>, OriginError> {
        content(world, &self.path, blob)
    }
}

fn content(world: &dyn World, path: &Path, blob: Blob) -> Result<Box<dyn Read + Send>, OriginError> {
    let mut file: Box<dyn ReadSeek> = world.fs().open(path)?;
    file.seek(SeekFrom::Start(blob.offset))
        .map_err(|error| unreadable(path, &error))?;
    Ok(Box::new(file.take(blob.size)))
}

fn unreadable(path: &Path, error: &std::io::Error) -> OriginError {
    vrel_world::WorldError::io("read", path, error).into()
}

/// Where each file of the archive lies, and how long it is.
fn entries(world: &dyn World, path: &Path) -> Result<BTreeMap<String, (u64, u64)>, OriginError> {
    let wrong = |error: &std::io::Error| OriginError::ImageArchive {
        archive: path.display().to_string(),
        problem: error.to_string(),
    };
    let mut archive = tar::Archive::new(world.fs().open(path)?);
    let mut found = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(|error| wrong(&error))? {
        let entry = entry.map_err(|error| wrong(&error))?;
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
            found.insert(name, (entry.raw_file_position(), entry.size()));
        }
    }
    Ok(found)
}

struct Reader<'a> {
    world: &'a dyn World,
    path: &'a Path,
    entries: BTreeMap<String, (u64, u64)>,
}

impl Reader<'_> {
    fn wrong(&self, problem: impl Into<String>) -> OriginError {
        OriginError::ImageArchive {
            archive: self.path.display().to_string(),
            problem: problem.into(),
        }
    }

    fn entry(&self, name: &str) -> Result<(u64, u64), OriginError> {
        let entry = self.entries.get(name).copied();
        entry.ok_or_else(|| self.wrong(format!("expected a file {name} in it, got none")))
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, OriginError> {
        let (offset, size) = self.entry(name)?;
        if size > MAX_DOCUMENT {
            return Err(self.wrong(format!(
                "{name}: expected at most {MAX_DOCUMENT} bytes, got {size}"
            )));
        }
        let blob = Blob {
            digest: Sha256Digest::new([0; 32]),
            size,
            offset,
        };
        let mut bytes = Vec::new();
        let read = content(self.world, self.path, blob)?.read_to_end(&mut bytes);
        read.map_err(|error| unreadable(self.path, &error))?;
        Ok(bytes)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, name: &str, bytes: &[u8]) -> Result<T, OriginError> {
        serde_json::from_slice(bytes).map_err(|error| self.wrong(format!("{name}: {error}")))
    }

    fn digest(&self, descriptor: &Descriptor) -> Result<Sha256Digest, OriginError> {
        let text = descriptor.digest().to_string();
        let digest = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        digest.ok_or_else(|| self.wrong(format!("expected a digest sha256:…, got `{text}`")))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Blob, OriginError> {
        let digest = self.digest(descriptor)?;
        let (offset, size) = self.entry(&format!("{BLOBS}{digest}"))?;
        if size != descriptor.size() {
            let expected = descriptor.size();
            return Err(self.wrong(format!("{digest}: expected {expected} bytes, got {size}")));
        }
        Ok(Blob { digest, size, offset })
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Document, OriginError> {
        let blob = self.blob(descriptor)?;
        let content = self.file(&format!("{BLOBS}{}", blob.digest))?;
        self.compare(blob.digest, Sha256::digest(&content).into())?;
        Ok(Document {
            digest: blob.digest,
            media_type: descriptor.media_type().to_string(),
            content,
        })
    }

    /// Reads a blob and compares it with its name.
    fn check(&self, blob: Blob) -> Result<(), OriginError> {
        let mut content = content(self.world, self.path, blob)?;
        let (mut hash, mut piece) = (Sha256::new(), vec![0; PIECE]);
        loop {
            self.world.check_interrupt()?;
            let count = content
                .read(&mut piece)
                .map_err(|error| unreadable(self.path, &error))?;
            if count == 0 {
                return self.compare(blob.digest, hash.finalize().into());
            }
            hash.update(&piece[..count]);
        }
    }

    fn compare(&self, expected: Sha256Digest, found: [u8; 32]) -> Result<(), OriginError> {
        let found = Sha256Digest::new(found);
        if expected == found {
            return Ok(());
        }
        Err(self.wrong(format!("expected a blob of sha256 {expected}, got {found}")))
    }
}

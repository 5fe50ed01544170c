//! Pushing and tagging: what is asked of a registry, in which order.

use super::archive::{Archive, Document};
use super::connection::Connection;
use super::{Credentials, RepositoryName};
use crate::{HttpLimits, OriginError};
use oci_spec::image::MediaType;
use std::path::Path;
use vrel_model::{Sha256Digest, Version};
use vrel_world::World;

/// The longest tag (OCI distribution specification 1.1, "Pulling manifests").
const MAX_TAG: usize = 128;

/// A repository of a registry. Not to be used from asynchronous code: its methods block.
pub struct Registry<'w> {
    world: &'w dyn World,
    connection: Connection<'w>,
}

/// What a push did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Digest of the index of all architectures, to be tagged.
    pub index: Sha256Digest,
    /// What was sent: configurations, layers, manifests and the index.
    pub sent: usize,
    /// What the registry had already.
    pub known: usize,
}

/// What setting a tag did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tagged {
    /// The tag is new.
    Now,
    /// It was there and names the same image.
    Before,
}

impl<'w> Registry<'w> {
    /// A client of a repository. Makes no connection yet.
    ///
    /// # Errors
    /// When no connection can be made on this machine at all.
    pub fn new(
        world: &'w dyn World,
        repository: RepositoryName,
        credentials: Credentials,
        limits: HttpLimits,
    ) -> Result<Self, OriginError> {
        let connection = Connection::new(world, repository, credentials, limits)?;
        Ok(Self { world, connection })
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &RepositoryName {
        self.connection.repository()
    }

    /// Pushes an image archive, and reads all of it back. What the registry has already is not sent again, so a push
    /// that was broken off is continued, and one that is repeated only checks. Nothing gets a name: see
    /// [`Registry::tag`].
    ///
    /// # Errors
    /// When the archive is not sound, when the registry cannot be reached, refuses, or afterwards has something else.
    pub fn push(&self, archive: &Path) -> Result<Pushed, OriginError> {
        let archive = Archive::open(self.world, archive)?;
        self.connection.log_in()?;
        let mut sent = 0;
        for &blob in &archive.blobs {
            if !self.connection.has_blob(blob)? {
                let content = archive.content(self.world, blob)?;
                self.connection.send_blob(blob, content)?;
                sent += 1;
            }
            self.connection.check_blob(blob)?;
        }
        for document in &archive.documents {
            if self.connection.document(document.digest)?.is_none() {
                self.connection.send_document(document, None)?;
                sent += 1;
                if self.connection.document(document.digest)?.is_none() {
                    return Err(self.connection.differs(
                        "a stored document",
                        document.digest,
                        "none".to_owned(),
                    ));
                }
            }
        }
        Ok(Pushed {
            index: archive.index,
            sent,
            known: archive.blobs.len() + archive.documents.len() - sent,
        })
    }

    /// Gives the image of a digest, which was pushed before, the version as its name. This makes it public.
    ///
    /// A registry cannot compare and set: whoever calls this holds the lock on the release.
    ///
    /// # Errors
    /// [`OriginError::Immutable`] when the version names another image; [`OriginError::NotFound`] when there is no such
    /// image; else as [`Registry::push`].
    pub fn tag(&self, version: &Version, index: Sha256Digest) -> Result<Tagged, OriginError> {
        match self.tagged(version)? {
            Some(existing) if existing == index => return Ok(Tagged::Before),
            Some(existing) => {
                return Err(OriginError::Immutable {
                    object: format!("{}:{version}", self.repository()),
                    existing,
                    new: index,
                });
            }
            None => {}
        }
        let content = self
            .connection
            .document(index)?
            .ok_or_else(|| OriginError::NotFound {
                origin: self.repository().to_string(),
                object: format!("sha256:{index}"),
            })?;
        let said: Option<serde_json::Value> = serde_json::from_slice(&content).ok();
        let media_type = said
            .as_ref()
            .and_then(|document| document["mediaType"].as_str())
            .map_or_else(|| MediaType::ImageIndex.to_string(), str::to_owned);
        let document = Document {
            digest: index,
            media_type,
            content: content.to_vec(),
        };
        self.connection
            .send_document(&document, Some(&version.to_string()))?;
        match self.tagged(version)? {
            Some(found) if found == index => Ok(Tagged::Now),
            found => Err(self.connection.differs(
                &format!("the tag {version}"),
                index,
                found.map_or("none".to_owned(), |found| found.to_string()),
            )),
        }
    }

    /// The image that a version names; `None` when it names none.
    ///
    /// # Errors
    /// As [`Registry::push`].
    pub fn tagged(&self, version: &Version) -> Result<Option<Sha256Digest>, OriginError> {
        let tag = version.to_string();
        // Every other rule for tags holds for all versions.
        if tag.len() > MAX_TAG {
            return Err(OriginError::Repository {
                address: format!("{}:{tag}", self.repository()),
                reason: format!("expected a tag of at most {MAX_TAG} bytes, got {}", tag.len()),
            });
        }
        self.connection.log_in()?;
        self.connection.tagged(&tag)
    }

    /// Whether the registry has an image, with its content unchanged.
    ///
    /// # Errors
    /// As [`Registry::push`].
    pub fn has(&self, index: Sha256Digest) -> Result<bool, OriginError> {
        self.connection.log_in()?;
        Ok(self.connection.document(index)?.is_some())
    }
}

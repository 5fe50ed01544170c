//! A connection to a registry. It is not trusted: not to answer, and not to have what it says.

use super::archive::{Blob, Document, PIECE};
use super::{Credentials, RepositoryName};
use crate::http::{Network, TICK, causes};
use crate::{HttpLimits, OriginError};
use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{DigestError, OciDistributionError as Failure, OciErrorCode};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::io::{self, Read};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::{Instant, timeout};
use vrel_model::Sha256Digest;
use vrel_world::World;

/// What a tag may name; asked for all of them, a registry converts nothing.
const ACCEPTED: [&str; 4] = [
    OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE,
];

/// How much of a registry's own words an error shows, in characters.
const MAX_WORDS: usize = 500;

/// A connection to one repository.
pub(crate) struct Connection<'w> {
    world: &'w dyn World,
    repository: RepositoryName,
    credentials: Credentials,
    auth: RegistryAuth,
    limits: HttpLimits,
    client: Client,
    network: Network,
}

impl<'w> Connection<'w> {
    pub(crate) fn new(
        world: &'w dyn World,
        repository: RepositoryName,
        credentials: Credentials,
        limits: HttpLimits,
    ) -> Result<Self, OriginError> {
        let wrong = |reason: String| OriginError::Repository {
            address: repository.to_string(),
            reason,
        };
        let network = Network::start().map_err(|error| wrong(error.to_string()))?;
        // A proxy from the environment would be a choice that this library must not make. The client has no switch
        // for that, but one proxy that is used for no host takes the place of all others.
        let (nowhere, everything) = ("http://127.0.0.1:9".to_owned(), "*".to_owned());
        let client = Client::try_from(ClientConfig {
            protocol: if repository.is_plain_http() {
                ClientProtocol::HttpsExcept(vec![repository.registry().to_owned()])
            } else {
                ClientProtocol::Https
            },
            // One request with a known length: some registries know nothing else.
            use_monolithic_push: true,
            connect_timeout: Some(limits.connect),
            user_agent: concat!("vrel/", env!("CARGO_PKG_VERSION")),
            https_proxy: Some(nowhere),
            no_proxy: Some(everything),
            ..ClientConfig::default()
        });
        let client = client.map_err(|error| wrong(causes(&error)))?;
        Ok(Self {
            world,
            repository,
            auth: match &credentials {
                Credentials::Anonymous => RegistryAuth::Anonymous,
                Credentials::Password { user, password } => {
                    RegistryAuth::Basic(user.clone(), password.clone())
                }
                Credentials::Token(token) => RegistryAuth::Bearer(token.clone()),
            },
            credentials,
            limits,
            client,
            network,
        })
    }

    pub(crate) fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Asks for leave once, so that a refusal is not mistaken for something that is missing.
    pub(crate) fn log_in(&self) -> Result<(), OriginError> {
        let reference = self.by_tag("");
        let action = "logging in";
        let answer = self.client.auth(&reference, &self.auth, RegistryOperation::Push);
        self.wait(action, None, answer)?
            .map_err(|error| self.explain(action, error))?;
        Ok(())
    }

    /// Whether the registry says that it has a blob.
    pub(crate) fn has_blob(&self, blob: Blob) -> Result<bool, OriginError> {
        let action = format!("looking for sha256:{}", blob.digest);
        let (reference, digest) = (self.by_digest(blob.digest), format!("sha256:{}", blob.digest));
        let answer = self.client.blob_exists(&reference, &digest);
        self.wait(&action, None, answer)?
            .map_err(|error| self.explain(&action, error))
    }

    /// Sends a blob, whose content is read piece by piece.
    pub(crate) fn send_blob(&self, blob: Blob, content: Box<dyn Read + Send>) -> Result<(), OriginError> {
        let action = format!("taking sha256:{}", blob.digest);
        let progress = Arc::new(AtomicU64::new(0));
        let counted = progress.clone();
        let pieces = pieces(content);
        let pieces = pieces.map(move |piece| {
            let bytes = piece.map_err(Failure::IoError)?;
            counted.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            Ok(bytes)
        });
        let (reference, digest) = (self.by_digest(blob.digest), format!("sha256:{}", blob.digest));
        let answer = self
            .client
            .push_blob_stream(&reference, stream::iter(pieces), &digest, Some(blob.size));
        self.wait(&action, Some(&progress), answer)?
            .map_err(|error| self.explain(&action, error))?;
        Ok(())
    }

    /// Reads a blob back and compares it.
    pub(crate) fn check_blob(&self, blob: Blob) -> Result<(), OriginError> {
        let action = format!("giving back sha256:{}", blob.digest);
        let progress = Arc::new(AtomicU64::new(0));
        let (reference, digest) = (self.by_digest(blob.digest), format!("sha256:{}", blob.digest));
        let read = async {
            let mut content = self.client.pull_blob_stream(&reference, digest.as_str()).await?;
            let mut hash = Sha256::new();
            while let Some(piece) = content.stream.next().await {
                let piece = match piece {
                    Ok(piece) => piece,
                    // The client compares digests too; what it found is computed here anyway.
                    Err(error) if is_digest_error(&error) => break,
                    Err(error) => return Err(Failure::IoError(error)),
                };
                let len = piece.len() as u64;
                if progress.fetch_add(len, Ordering::Relaxed) + len > blob.size {
                    return Ok(None);
                }
                hash.update(&piece);
            }
            Ok(Some(Sha256Digest::new(hash.finalize().into())))
        };
        let found = self
            .wait(&action, Some(&progress), read)?
            .map_err(|error| self.explain(&action, error))?;
        match found {
            Some(found) if found == blob.digest => Ok(()),
            found => {
                let found = found.map_or("a longer blob".to_owned(), |found| found.to_string());
                Err(self.differs("a stored blob", blob.digest, found))
            }
        }
    }

    /// Sends a manifest or an index, to be found by its digest and, where there is one, by a tag.
    pub(crate) fn send_document(&self, document: &Document, tag: Option<&str>) -> Result<(), OriginError> {
        let action = format!("taking the {} sha256:{}", document.media_type, document.digest);
        let kind = document
            .media_type
            .parse()
            .map_err(|_| OriginError::RegistryFailed {
                repository: self.repository.to_string(),
                action: action.clone(),
                reason: format!(
                    "expected a media type, got `{}`",
                    document.media_type.escape_debug()
                ),
            })?;
        let reference = tag.map_or_else(|| self.by_digest(document.digest), |tag| self.by_tag(tag));
        let answer = self
            .client
            .push_manifest_raw(&reference, document.content.clone(), kind);
        self.wait(&action, None, answer)?
            .map_err(|error| self.explain(&action, error))?;
        Ok(())
    }

    /// A manifest or index by its digest; `None` when the registry does not have it.
    pub(crate) fn document(&self, digest: Sha256Digest) -> Result<Option<Bytes>, OriginError> {
        let action = format!("giving back the document sha256:{digest}");
        let content = self.pull(self.by_digest(digest), &action, Some(digest))?;
        if let Some(content) = &content {
            let found = Sha256Digest::new(Sha256::digest(content).into());
            if found != digest {
                return Err(self.differs("a stored document", digest, found.to_string()));
            }
        }
        Ok(content)
    }

    /// What a tag names; `None` when there is no such tag.
    pub(crate) fn tagged(&self, tag: &str) -> Result<Option<Sha256Digest>, OriginError> {
        let content = self.pull(self.by_tag(tag), &format!("reading the tag {tag}"), None)?;
        Ok(content.map(|content| Sha256Digest::new(Sha256::digest(content).into())))
    }

    fn pull(
        &self,
        reference: Reference,
        action: &str,
        expected: Option<Sha256Digest>,
    ) -> Result<Option<Bytes>, OriginError> {
        let answer = self.client.pull_manifest_raw(&reference, &self.auth, &ACCEPTED);
        match self.wait(action, None, answer)? {
            Ok((content, _)) => Ok(Some(content)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(Failure::DigestError(DigestError::VerificationError { actual, .. }))
                if expected.is_some() =>
            {
                let found = actual.strip_prefix("sha256:").unwrap_or(&actual).to_owned();
                let expected = expected.unwrap_or(Sha256Digest::new([0; 32]));
                Err(self.differs("a stored document", expected, found))
            }
            Err(error) => Err(self.explain(action, error)),
        }
    }

    fn by_digest(&self, digest: Sha256Digest) -> Reference {
        Reference::with_digest(
            self.repository.registry().to_owned(),
            self.repository.name().to_owned(),
            format!("sha256:{digest}"),
        )
    }

    fn by_tag(&self, tag: &str) -> Reference {
        let (registry, name) = (self.repository.registry(), self.repository.name());
        Reference::with_tag(registry.to_owned(), name.to_owned(), tag.to_owned())
    }

    /// Waits for an answer, but not when the program was asked to stop, and not for one that does not come on.
    fn wait<T>(
        &self,
        action: &str,
        progress: Option<&AtomicU64>,
        answer: impl Future<Output = T>,
    ) -> Result<T, OriginError> {
        let mut answer = pin!(answer);
        let done = || progress.map_or(0, |progress| progress.load(Ordering::Relaxed));
        let (mut span, mut before) = (Instant::now(), done());
        loop {
            self.world.check_interrupt()?;
            let tick = async { timeout(TICK, answer.as_mut()).await };
            if let Ok(answer) = self.network.handle.block_on(tick) {
                return Ok(answer);
            }
            if span.elapsed() < self.limits.span {
                continue;
            }
            let bytes = done() - before;
            if bytes < self.limits.least {
                return Err(OriginError::Stalled {
                    url: format!("{} ({action})", self.repository),
                    bytes,
                    seconds: self.limits.span.as_secs_f64(),
                    expected: self.limits.least,
                });
            }
            (span, before) = (Instant::now(), done());
        }
    }

    /// The registry has something else.
    pub(crate) fn differs(&self, object: &str, expected: Sha256Digest, found: String) -> OriginError {
        OriginError::RegistryDigest {
            object: format!("{}: {object}", self.repository),
            expected,
            found,
        }
    }

    /// What a failure means to a person.
    fn explain(&self, action: &str, error: Failure) -> OriginError {
        let words = causes(&error);
        let words: String = self
            .credentials
            .redact(words.trim())
            .chars()
            .take(MAX_WORDS)
            .collect();
        let (repository, action, reason) = (self.repository.to_string(), action.to_owned(), words);
        if is_denial(&error) {
            OriginError::RegistryDenied {
                repository,
                action,
                reason,
            }
        } else if matches!(&error, Failure::RequestError(error) if error.is_connect() || error.is_timeout()) {
            OriginError::RegistryUnreachable {
                repository,
                action,
                reason,
            }
        } else {
            OriginError::RegistryFailed {
                repository,
                action,
                reason,
            }
        }
    }
}

/// A blob's content in pieces, up to its end or the first failure.
fn pieces(mut content: Box<dyn Read + Send>) -> impl Iterator<Item = io::Result<Bytes>> + Send {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let mut piece = vec![0; PIECE];
        match content.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(piece.into()))
            }
            Err(error) => {
                ended = true;
                Some(Err(error))
            }
        }
    })
}

fn is_digest_error(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| matches!(inner.downcast_ref(), Some(DigestError::VerificationError { .. })))
}

/// Whether a registry says that it does not have what was asked for.
fn is_missing(error: &Failure) -> bool {
    match error {
        Failure::RegistryError { envelope, .. } => envelope.errors.iter().any(|error| {
            matches!(
                error.code,
                OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound
            )
        }),
        Failure::ServerError { code: 404, .. } | Failure::ImageManifestNotFoundError(_) => true,
        _ => false,
    }
}

/// Whether a registry does not let one in.
fn is_denial(error: &Failure) -> bool {
    match error {
        Failure::AuthenticationFailure(_) | Failure::UnauthorizedError { .. } => true,
        Failure::ServerError { code, .. } => matches!(code, 401 | 403),
        Failure::RequestError(error) => error
            .status()
            .is_some_and(|status| matches!(status.as_u16(), 401 | 403)),
        Failure::RegistryError { envelope, .. } => envelope
            .errors
            .iter()
            .any(|error| matches!(error.code, OciErrorCode::Unauthorized | OciErrorCode::Denied)),
        _ => false,
    }
}

//! The published tree.
//!
//! ```text
//! pointer.json                      the one file that changes: the head of every channel, signed
//! releases/VERSION/manifest.json    what belongs to the release, with .minisig
//! releases/VERSION/SHA256SUMS       the same for `sha256sum -c`, with .minisig
//! releases/VERSION/release-notes.md
//! releases/VERSION/manifest-2.json  …, SHA256SUMS-2: where architectures were added, a second edition of these
//! releases/VERSION/ARTIFACT         each with ARTIFACT.minisig
//! ```
//!
//! Everything but the pointer is immutable: a name has one content for ever, so that caches and mirrors need no rules.
//! A release becomes public when the pointer is replaced. Whoever reads believes nothing but signatures: a mirror, a
//! cache or the machine that serves the tree can withhold a release, but not change one.
//!
//! The container image is published a second time, in a registry ([`Registry`]), where runtimes look for it.

mod download;
mod error;
mod http;
mod local;
mod path;
mod reader;
mod registry;
mod server;
mod verify;

pub use download::{
    DownloadRequest, PublishedManifest, download, fetch_edition, fetch_manifest, fetch_newest_manifest,
};
pub use error::OriginError;
pub use http::{HttpLimits, HttpOrigin};
pub use local::{LocalOrigin, Put};
pub use path::{ObjectPath, ObjectPathError};
pub use reader::{MAX_DOCUMENT, OriginReader, Stream, origin_error};
pub use registry::{Credentials, Pushed, Registry, RepositoryName, Tagged};
pub use server::{DEFAULT_ADDRESS, Server, serve};
pub use verify::{
    Finding, GoodFile, PointerCheck, Problem, TrustRoot, VerifyProgress, VerifyReport, VerifyRequest,
    verify_release,
};

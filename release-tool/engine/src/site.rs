//! Where things are in a repository.

use std::path::{Path, PathBuf};
use vrel_model::{Config, Version};

/// The paths of one repository's releases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    root: PathBuf,
    origin: PathBuf,
}

impl Site {
    /// The site of the repository at `root`.
    #[must_use]
    pub fn new(root: &Path, config: &Config) -> Self {
        Self {
            root: root.to_owned(),
            origin: root.join(&config.publish.origin),
        }
    }

    /// The repository's top directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The origin's directory.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// What the tool keeps here; ignored by git.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join(".vrel")
    }

    /// The journals.
    #[must_use]
    pub fn journals(&self) -> PathBuf {
        self.state().join("journal")
    }

    /// The lock that every changing command takes.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }

    /// Everything made for one release.
    #[must_use]
    pub fn work(&self, version: &Version) -> PathBuf {
        self.state().join("work").join(version.to_string())
    }

    /// The exported sources of one release.
    #[must_use]
    pub fn sources(&self, version: &Version) -> PathBuf {
        self.work(version).join("src")
    }

    /// One release's files exactly as they will be published.
    #[must_use]
    pub fn stage(&self, version: &Version) -> PathBuf {
        self.work(version).join("stage")
    }

    /// Messages that wait for a person to send them.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.state().join("outbox")
    }

    /// Compiled code and other things that can be made again.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.state().join("cache")
    }

    /// The public keys.
    #[must_use]
    pub fn public_keys(&self) -> PathBuf {
        self.root.join("signing/keys")
    }
}

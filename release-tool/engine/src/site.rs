//! Where things are in a repository.

use std::path::{Path, PathBuf};
use vrel_model::{Config, Edition, Plan, Version};

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

    /// The directory of a plan's staging origin; `None` where the release is not staged.
    #[must_use]
    pub fn staging(&self, plan: &Plan) -> Option<PathBuf> {
        plan.staging.as_ref().map(|dir| self.root.join(dir))
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

    /// Everything made for one edition of a release.
    #[must_use]
    pub fn work(&self, plan: &Plan) -> PathBuf {
        self.state()
            .join("work")
            .join(run_name(&plan.version, plan.edition()))
    }

    /// The exported sources of one release.
    #[must_use]
    pub fn sources(&self, plan: &Plan) -> PathBuf {
        self.work(plan).join("src")
    }

    /// What an edition of a release adds, exactly as it will be published.
    #[must_use]
    pub fn stage(&self, plan: &Plan) -> PathBuf {
        self.work(plan).join("stage")
    }

    /// The journal of one edition of a release.
    #[must_use]
    pub fn journal(&self, version: &Version, edition: Edition) -> PathBuf {
        self.journals()
            .join(format!("{}.jsonl", run_name(version, edition)))
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

/// What stands between version and edition in the name of a back-fill's journal and work directory.
const BACKFILL: &str = ".backfill-";

/// The name under which the tool keeps what it knows of one edition of a release.
fn run_name(version: &Version, edition: Edition) -> String {
    if edition.is_first() {
        version.to_string()
    } else {
        format!("{version}{BACKFILL}{edition}")
    }
}

/// Whether this is a name that the tool gives.
pub(crate) fn is_run_name(name: &str) -> bool {
    let (version, edition) = match name.split_once(BACKFILL) {
        None => (name, Some(Edition::FIRST)),
        Some((version, edition)) => (version, edition.parse().ok()),
    };
    let version = version.parse::<Version>();
    matches!((version, edition), (Ok(version), Some(edition)) if run_name(&version, edition) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_are_told_from_others() {
        let second = Edition::FIRST.next().unwrap_or_else(|| unreachable!());
        let version: Version = "0.6.0-rc1".parse().unwrap_or_else(|_| unreachable!());
        assert_eq!(run_name(&version, second), "0.6.0-rc1.backfill-2");
        for good in ["0.6.0-rc1", "0.6.0-rc1.backfill-2"] {
            assert!(is_run_name(good), "{good}");
        }
        for bad in [
            "",
            "0.6.0-rc1.undone-1",
            "0.6.0-rc1.backfill-1",
            "0.6.0-rc1.backfill-02",
            "0.6.0-rc1.backfill-2.undone-1",
        ] {
            assert!(!is_run_name(bad), "{bad}");
        }
    }
}

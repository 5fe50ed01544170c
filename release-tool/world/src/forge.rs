//! The service that hosts a repository.

use crate::Result;
use vrel_model::{CommitCheck, PullRequest, Review};

/// What a forge is asked. Every call goes over the network.
pub trait Forge: Send + Sync {
    /// A pull request by its number.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when there is none, or when the forge does not show it; [`crate::ErrorKind::Denied`]
    /// when it wants another token. So for all that follow.
    fn pull_request(&self, number: u64) -> Result<PullRequest>;

    /// The numbers of the open pull requests from a branch of the same repository into another, in ascending order.
    ///
    /// # Errors
    /// See [`Forge::pull_request`].
    fn open_pull_requests(&self, head: &str, base: &str) -> Result<Vec<u64>>;

    /// All reviews of a pull request that were given, oldest first.
    ///
    /// # Errors
    /// See [`Forge::pull_request`].
    fn reviews(&self, number: u64) -> Result<Vec<Review>>;

    /// All checks of a commit, each as it stands after its last run.
    ///
    /// # Errors
    /// See [`Forge::pull_request`].
    fn checks(&self, commit: &str) -> Result<Vec<CommitCheck>>;
}

//! Faults of carrying commits over.

use crate::faulty::State;
use std::path::Path;
use std::sync::Arc;
use vrel_model::{TrialMerge, UtcTime};
use vrel_world::{ConflictState, ConflictTree, PickList, Picked, PickedList, Picking, Result};

pub(crate) struct FaultyPicking<'w> {
    inner: &'w dyn Picking,
    state: Arc<State>,
}

impl<'w> FaultyPicking<'w> {
    pub(crate) fn new(inner: &'w dyn Picking, state: Arc<State>) -> Self {
        Self { inner, state }
    }
}

impl Picking for FaultyPicking<'_> {
    fn pick(&self, repo: &Path, list: &PickList<'_>) -> Result<PickedList> {
        self.state.effect("pick", || self.inner.pick(repo, list), || {})
    }

    fn try_merge(&self, repo: &Path, ours: &str, theirs: &str) -> Result<TrialMerge> {
        self.state.alive("merging")?;
        self.inner.try_merge(repo, ours, theirs)
    }

    fn touching(&self, repo: &Path, hidden: &[&str], to: &str, paths: &[String]) -> Result<Vec<String>> {
        self.state.alive("reading")?;
        self.inner.touching(repo, hidden, to, paths)
    }

    fn prepare_conflict(&self, repo: &Path, conflict: &ConflictTree<'_>) -> Result<()> {
        let act = || self.inner.prepare_conflict(repo, conflict);
        self.state.effect("prepare conflict", act, || {})
    }

    fn look_at_conflict(&self, conflict: &ConflictTree<'_>) -> Result<Option<ConflictState>> {
        self.state.alive("looking")?;
        self.inner.look_at_conflict(conflict)
    }

    fn finish_conflict(&self, repo: &Path, conflict: &ConflictTree<'_>, time: UtcTime) -> Result<Picked> {
        let act = || self.inner.finish_conflict(repo, conflict, time);
        self.state.effect("finish conflict", act, || {})
    }

    fn remove_conflict(&self, repo: &Path, dir: &Path) -> Result<()> {
        let act = || self.inner.remove_conflict(repo, dir);
        self.state.effect("remove conflict", act, || {})
    }

    fn fast_forward(&self, repo: &Path, to: &str) -> Result<()> {
        let act = || self.inner.fast_forward(repo, to);
        self.state.effect("fast-forward", act, || {})
    }

    fn committer(&self, repo: &Path) -> Result<String> {
        self.state.alive("reading")?;
        self.inner.committer(repo)
    }
}

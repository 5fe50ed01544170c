//! A whole history in memory, for the notes of many releases from one walk.

use crate::graph::Graph;
use vrel_model::HistoryCommit;

/// A history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Children before parents.
    commits: Vec<HistoryCommit>,
    graph: Graph,
}

impl History {
    /// The history of commits that come children before parents. Parents that are not among them are left out.
    #[must_use]
    pub fn new(commits: Vec<HistoryCommit>) -> Self {
        let graph = Graph::new(commits.iter());
        Self { commits, graph }
    }

    /// What can be reached from `ours` but not from `theirs`, and the other way round, both newest first.
    #[must_use]
    pub fn difference(&self, ours: &str, theirs: Option<&str>) -> (Vec<&HistoryCommit>, Vec<&HistoryCommit>) {
        let place = |id: &str| self.graph.place(id);
        let (ours, theirs) = self.graph.difference(place(ours), theirs.and_then(place));
        let commits = |places: Vec<usize>| places.into_iter().map(|place| &self.commits[place]).collect();
        (commits(ours), commits(theirs))
    }
}

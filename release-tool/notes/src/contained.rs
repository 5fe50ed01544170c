//! Which changes of a release the release before it has already, as other commits.
//!
//! A change that was picked from one line to another is two commits, and neither can be reached from the other. It is no
//! news in a release when the release before it has it, and has not taken it back again.

use crate::reverts::Reverts;
use std::collections::HashSet;
use vrel_model::HistoryCommit;

/// What `git cherry-pick -x` writes before the id of the commit that it picks.
pub(crate) const PICKED: &str = "(cherry picked from commit ";

/// Compares the commits that only a release leads to with those that only the release before it leads to.
///
/// `git cherry-pick -x` says what it picked, and that decides. The other commits are for the caller to compare by their
/// patches, see [`Comparison::undecided`].
#[derive(Clone, Debug)]
pub struct Comparison<'c> {
    contained: HashSet<&'c str>,
    ours: Vec<&'c str>,
    theirs: Vec<&'c str>,
}

impl<'c> Comparison<'c> {
    /// Compares by what the messages say. Both lists are newest first, children before parents.
    #[must_use]
    pub fn new(
        ours: impl IntoIterator<Item = &'c HistoryCommit>,
        theirs: impl IntoIterator<Item = &'c HistoryCommit>,
    ) -> Self {
        let theirs = in_effect(theirs);
        if theirs.is_empty() {
            return Self {
                contained: HashSet::new(),
                ours: Vec::new(),
                theirs: Vec::new(),
            };
        }
        let known: HashSet<String> = theirs.iter().flat_map(|commit| origins(commit)).collect();
        let plain = ours.into_iter().filter(|commit| !commit.is_merge());
        let (contained, undecided): (Vec<_>, Vec<_>) =
            plain.partition(|commit| origins(commit).any(|id| known.contains(&id)));
        let id = |commit: &&'c HistoryCommit| commit.id.as_str();
        Self {
            contained: contained.iter().map(id).collect(),
            ours: undecided.iter().map(id).collect(),
            theirs: theirs.iter().map(id).collect(),
        }
    }

    /// The commits whose patches have to be compared: those of the release, and those of the release before it.
    #[must_use]
    pub fn undecided(&self) -> (&[&'c str], &[&'c str]) {
        (&self.ours, &self.theirs)
    }

    /// Takes the result: for each undecided commit of the release, whether the other one has an equal patch.
    #[must_use]
    pub fn decide(mut self, equal: impl IntoIterator<Item = bool>) -> HashSet<&'c str> {
        let equal = self.ours.iter().zip(equal).filter(|(_, equal)| *equal);
        self.contained.extend(equal.map(|(id, _)| *id));
        self.contained
    }
}

/// The commits that were not taken back by a later one of these, without the merges, and without what took them back.
fn in_effect<'c>(commits: impl IntoIterator<Item = &'c HistoryCommit>) -> Vec<&'c HistoryCommit> {
    let mut reverts = Reverts::default();
    // Each with the number of its revert, if it is one.
    let mut kept: Vec<(&'c HistoryCommit, Option<usize>)> = Vec::new();
    for commit in commits.into_iter().filter(|commit| !commit.is_merge()) {
        let message = commit.message.trim_start();
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let subject = subject.trim_end();
        if reverts.cancel(&commit.id, subject).is_none() {
            let number = reverts.len();
            let is_revert = reverts.keep(subject, body);
            kept.push((commit, is_revert.then_some(number)));
        }
    }
    let met: HashSet<usize> = reverts.met().collect();
    let stays = |(_, number): &(_, Option<usize>)| number.is_none_or(|number| !met.contains(&number));
    kept.into_iter().filter(stays).map(|(commit, _)| commit).collect()
}

/// The commits that this one is the same change as, by its own word: itself, and all that it was picked from.
fn origins(commit: &HistoryCommit) -> impl Iterator<Item = String> {
    std::iter::once(commit.id.clone()).chain(picked_from(&commit.message).map(str::to_ascii_lowercase))
}

/// The ids in the lines that `git cherry-pick -x` writes, oldest first.
pub(crate) fn picked_from(message: &str) -> impl Iterator<Item = &str> {
    let ids = message.lines().filter_map(|line| {
        let id = line.trim().strip_prefix(PICKED)?.strip_suffix(')')?;
        (id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    });
    ids.into_iter()
}

//! How much commits change, for choosing the next version.

use crate::footers::Footers;
use crate::header::{self, Kind, is_fixup};
use crate::reverts::{Effect, Reverts};
use vrel_model::HistoryCommit;

/// What a commit's message says that it means for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// They notice nothing.
    Internal,
    /// Something works better; also what says no kind.
    Fix,
    /// Something is new, or will go away.
    Feature,
    /// Something that worked does no longer.
    Breaking,
}

/// A commit with its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// Its weight.
    pub weight: Weight,
}

/// Takes commits one by one, newest first, children before parents. Merges weigh nothing, because their changes come
/// with the commits that they merge, and neither do commits that a newer one takes back.
#[derive(Debug, Default)]
pub struct Scale {
    reverts: Reverts,
    /// Reverts, as far as they are not known to have met their target, hold their place by it in `reverts`.
    commits: Vec<(Weighed, Option<usize>)>,
    kept: usize,
}

impl Scale {
    /// Takes the next older commit.
    pub fn add(&mut self, commit: &HistoryCommit) {
        if commit.is_merge() {
            return;
        }
        let message = commit.message.trim_start();
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let subject = subject.trim_end();
        if self.reverts.cancel(&commit.id, subject).is_some() {
            return;
        }
        let revert = self.reverts.keep(subject, body).then_some(self.kept);
        self.kept += usize::from(revert.is_some());
        let weighed = Weighed {
            id: commit.id.clone(),
            subject: subject.to_owned(),
            weight: weight(subject, body),
        };
        self.commits.push((weighed, revert));
    }

    /// The commits that count, newest first.
    #[must_use]
    pub fn finish(self) -> Vec<Weighed> {
        let Self { reverts, commits, .. } = self;
        let counts = |(mut weighed, revert): (Weighed, Option<usize>)| {
            if let Some(at) = revert {
                // It takes back what was released before, or brings it again.
                let pending = reverts.unmet_at(at)?;
                weighed.weight = match pending.effect {
                    Effect::Apply => weight(&pending.change, &pending.body),
                    Effect::Revert => Weight::Fix.max(weight_of_footers(&pending.body)),
                };
            }
            Some(weighed)
        };
        commits.into_iter().filter_map(counts).collect()
    }
}

fn weight_of_footers(body: &str) -> Weight {
    let footers = Footers::parse(body);
    if !footers.breaking.is_empty() {
        Weight::Breaking
    } else if !footers.deprecated.is_empty() {
        Weight::Feature
    } else {
        Weight::Internal
    }
}

fn weight(subject: &str, body: &str) -> Weight {
    if is_fixup(subject) {
        return Weight::Internal;
    }
    let of_subject = match header::parse(subject) {
        None => Weight::Fix,
        Some(header) if header.breaking => Weight::Breaking,
        Some(header) => match header.kind {
            // SemVer asks for MINOR where something is marked as deprecated, too.
            Kind::Feature | Kind::Deprecation => Weight::Feature,
            Kind::Fix | Kind::Improvement(_) => Weight::Fix,
            Kind::Internal => Weight::Internal,
        },
    };
    of_subject.max(weight_of_footers(body))
}

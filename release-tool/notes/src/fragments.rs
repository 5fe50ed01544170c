//! Fragments, and the commits that they tell of.

use crate::changes::Changes;
use crate::contained::picked_from;
use crate::fragment::Fragment;
use crate::header::split_pulls;
use vrel_model::HistoryCommit;

/// The fragments of a release.
#[derive(Debug, Default)]
pub(crate) struct Fragments(Vec<Told>);

#[derive(Debug)]
struct Told {
    fragment: Fragment,
    /// Whether a commit of the release is one that it tells of.
    is_news: bool,
    /// Whether one is that is no news: the release before has it, or it was taken back again.
    is_old: bool,
}

impl Fragments {
    pub(crate) fn add(&mut self, fragment: Fragment) {
        self.0.push(Told {
            fragment,
            is_news: false,
            is_old: false,
        });
    }

    /// Notes that the release has a commit, and says whether a fragment tells of it.
    pub(crate) fn meet(&mut self, commit: &HistoryCommit, is_news: bool) -> bool {
        if self.0.iter().all(|told| told.fragment.replaces.is_empty()) {
            return false;
        }
        let mut ids = vec![commit.id.as_str()];
        ids.extend(picked_from(&commit.message));
        let subject = commit.message.trim_start().lines().next().unwrap_or_default();
        let (_, pulls) = split_pulls(subject);
        let mut found = false;
        for told in self
            .0
            .iter_mut()
            .filter(|told| told.fragment.replaces(&ids, &pulls))
        {
            told.is_news |= is_news;
            told.is_old |= !is_news;
            found = true;
        }
        found
    }

    /// Lists them, without those that tell only of what is no news.
    pub(crate) fn list(self, changes: &mut Changes) {
        for told in self.0.iter().filter(|told| told.is_news || !told.is_old) {
            changes.list_fragment(&told.fragment);
        }
    }
}

//! Changes that the previous release has as other commits.

use crate::commit;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use vrel_model::HistoryCommit;
use vrel_notes::{Comparison, History};

/// What a commit does.
#[derive(Clone, Debug)]
enum Action {
    /// A change of its own.
    Change,
    /// The change of a commit that exists elsewhere, with `-x`.
    Pick(usize),
    /// Takes back the commit of its own side with this number, modulo their count.
    Revert(usize),
    Merge,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        3 => Just(Action::Change),
        3 => (0usize..12).prop_map(Action::Pick),
        3 => (0usize..30).prop_map(Action::Revert),
        1 => Just(Action::Merge),
    ];
    proptest::collection::vec(action, 0..12)
}

/// The commits of one side, oldest first, with the places of what they take back. Numbers of commits begin at `first`.
fn side(first: usize, actions: &[Action]) -> Vec<(HistoryCommit, Option<usize>)> {
    let mut side: Vec<(HistoryCommit, Option<usize>)> = Vec::new();
    for (at, action) in actions.iter().enumerate() {
        let number = first + at;
        let subject = format!("fix: change {number}");
        let free: Vec<usize> = (0..side.len())
            .filter(|target| !side[*target].0.is_merge())
            .filter(|target| !side.iter().any(|(_, reverted)| *reverted == Some(*target)))
            .collect();
        let (message, target) = match action {
            Action::Pick(of) => {
                let text = format!("{subject}\n\n(cherry picked from commit {of:040})\n");
                (text, None)
            }
            Action::Revert(which) if !free.is_empty() => {
                let target = free[which % free.len()];
                let id = &side[target].0.id;
                (format!("{subject}\n\nThis reverts commit {id}.\n"), Some(target))
            }
            Action::Change | Action::Revert(_) | Action::Merge => (subject, None),
        };
        let mut made = commit(number, &message);
        if matches!(action, Action::Merge) {
            made.parents.push(format!("{:040}", 777));
        }
        side.push((made, target));
    }
    side
}

/// Whether a commit's change is there in the end: no commit that takes it back is itself there in the end.
fn stands(side: &[(HistoryCommit, Option<usize>)], at: usize) -> bool {
    (0..side.len()).all(|later| side[later].1 != Some(at) || !stands(side, later))
}

fn origins(commit: &HistoryCommit) -> HashSet<&str> {
    let mut ids = HashSet::from([commit.id.as_str()]);
    let mark = "(cherry picked from commit ";
    if let Some(at) = commit.message.find(mark) {
        ids.insert(&commit.message[at + mark.len()..][..40]);
    }
    ids
}

proptest! {
    #[test]
    fn what_the_other_side_still_has_is_contained(ours in actions(), theirs in actions()) {
        // Picks name numbers below 12: commits of the other side, of both sides' common past, or of the same side.
        let (ours, theirs) = (side(0, &ours), side(6, &theirs));
        let newest_first = |side: &[(HistoryCommit, Option<usize>)]| -> Vec<HistoryCommit> {
            side.iter().rev().map(|(commit, _)| commit.clone()).collect()
        };
        let (our_list, their_list) = (newest_first(&ours), newest_first(&theirs));
        let comparison = Comparison::new(&our_list, &their_list);

        let counts = |at: &usize| !theirs[*at].0.is_merge() && theirs[*at].1.is_none() && stands(&theirs, *at);
        let there: Vec<&HistoryCommit> = (0..theirs.len()).filter(counts).map(|at| &theirs[at].0).collect();
        let plain = ours.iter().map(|(commit, _)| commit).filter(|commit| !commit.is_merge());
        let (same, rest): (Vec<_>, Vec<_>) = plain
            .partition(|commit| there.iter().any(|other| !origins(commit).is_disjoint(&origins(other))));

        let ids = |commits: &[&HistoryCommit]| -> HashSet<String> {
            commits.iter().map(|commit| commit.id.clone()).collect()
        };
        if !there.is_empty() {
            let (our_open, their_open) = comparison.undecided();
            prop_assert_eq!(our_open.iter().map(ToString::to_string).collect::<HashSet<_>>(), ids(&rest));
            prop_assert_eq!(their_open.iter().map(ToString::to_string).collect::<HashSet<_>>(), ids(&there));
        }
        let open = comparison.undecided().0.len();
        let contained = comparison.clone().decide(std::iter::repeat_n(false, open));
        prop_assert_eq!(contained.iter().map(ToString::to_string).collect::<HashSet<_>>(), ids(&same));
        let all = comparison.decide(std::iter::repeat_n(true, open));
        prop_assert_eq!(all.len(), same.len() + open);
    }
}

/// Everything that a commit leads to, itself too.
fn reachable(history: &[HistoryCommit], from: usize) -> BTreeSet<usize> {
    let mut all = BTreeSet::from([from]);
    for parent in &history[from].parents {
        all.extend(reachable(history, parent.parse().unwrap()));
    }
    all
}

proptest! {
    #[test]
    fn a_history_in_memory_is_cut_where_two_commits_meet(
        parents in proptest::collection::vec((1usize..6, 0usize..6), 1..24),
        ours in any::<usize>(),
        theirs in any::<Option<usize>>(),
    ) {
        // Commits are newest first, parents stand behind them.
        let count = parents.len();
        let history: Vec<HistoryCommit> = parents.iter().enumerate().map(|(at, (first, second))| {
            let mut made = commit(at, "feat: x");
            let ids = [at + first, at + first + second];
            let ids: BTreeSet<usize> = ids.into_iter().filter(|parent| *parent < count).collect();
            made.parents = ids.into_iter().map(|parent| format!("{parent:040}")).collect();
            made
        }).collect();
        let (ours, theirs) = (ours % count, theirs.map(|theirs| theirs % count));
        let mine = reachable(&history, ours);
        let other = theirs.map(|theirs| reachable(&history, theirs)).unwrap_or_default();
        let id = |place: usize| format!("{place:040}");
        let memory = History::new(history.clone());
        let before = theirs.map(id);
        let (our_list, their_list) = memory.difference(&id(ours), before.as_deref());
        let ids = |list: Vec<&HistoryCommit>| list.into_iter().map(|commit| commit.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(our_list), mine.difference(&other).map(|at| id(*at)).collect::<Vec<_>>());
        prop_assert_eq!(ids(their_list), other.difference(&mine).map(|at| id(*at)).collect::<Vec<_>>());
    }
}

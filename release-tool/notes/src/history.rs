//! A whole history in memory, for the notes of many releases from one walk.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use vrel_model::HistoryCommit;

/// A history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Children before parents.
    commits: Vec<HistoryCommit>,
    /// The places of each commit's parents.
    parents: Vec<Vec<usize>>,
    places: HashMap<String, usize>,
}

/// Bits of what can be reached from where.
const OURS: u8 = 1;
const THEIRS: u8 = 2;
const COMMON: u8 = OURS | THEIRS;

impl History {
    /// The history of commits that come children before parents. Parents that are not among them are left out.
    #[must_use]
    pub fn new(commits: Vec<HistoryCommit>) -> Self {
        let places: HashMap<String, usize> = commits
            .iter()
            .enumerate()
            .map(|(place, commit)| (commit.id.clone(), place))
            .collect();
        let parents = commits
            .iter()
            .map(|commit| {
                commit
                    .parents
                    .iter()
                    .filter_map(|id| places.get(id).copied())
                    .collect()
            })
            .collect();
        Self {
            commits,
            parents,
            places,
        }
    }

    /// What can be reached from `ours` but not from `theirs`, and the other way round, both newest first.
    #[must_use]
    pub fn difference(&self, ours: &str, theirs: Option<&str>) -> (Vec<&HistoryCommit>, Vec<&HistoryCommit>) {
        let mut sides: HashMap<usize, u8> = HashMap::new();
        // By place: when a commit is taken out, all of its children were, so where it can be reached from is known.
        let mut queue = BinaryHeap::new();
        let mut one_sided = 0_usize;
        let mut reach =
            |queue: &mut BinaryHeap<Reverse<usize>>, one_sided: &mut usize, place: usize, side: u8| {
                let known = sides.entry(place).or_default();
                let before = *known;
                *known |= side;
                if before == 0 {
                    queue.push(Reverse(place));
                } else if before != COMMON {
                    *one_sided -= 1;
                }
                *one_sided += usize::from(*known != COMMON);
                *known
            };
        for (id, side) in [(Some(ours), OURS), (theirs, THEIRS)] {
            if let Some(place) = id.and_then(|id| self.places.get(id)) {
                reach(&mut queue, &mut one_sided, *place, side);
            }
        }
        let (mut our_list, mut their_list) = (Vec::new(), Vec::new());
        while one_sided > 0 {
            let Some(Reverse(place)) = queue.pop() else { break };
            let side = reach(&mut queue, &mut one_sided, place, 0);
            match side {
                OURS => our_list.push(&self.commits[place]),
                THEIRS => their_list.push(&self.commits[place]),
                _ => {}
            }
            one_sided -= usize::from(side != COMMON);
            for parent in &self.parents[place] {
                reach(&mut queue, &mut one_sided, *parent, side);
            }
        }
        (our_list, their_list)
    }
}

//! Which commit comes from which, without what they say.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use vrel_model::HistoryCommit;

/// Commits by their places in a list that has children before parents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    /// The places of each commit's parents, in their order.
    parents: Vec<Vec<usize>>,
    places: HashMap<String, usize>,
}

/// Bits of what can be reached from where.
const OURS: u8 = 1;
const THEIRS: u8 = 2;
const COMMON: u8 = OURS | THEIRS;

impl Graph {
    /// The graph of commits that come children before parents. Parents that are not among them are left out.
    pub(crate) fn new<'c>(commits: impl Iterator<Item = &'c HistoryCommit> + Clone) -> Self {
        let places: HashMap<String, usize> = commits
            .clone()
            .enumerate()
            .map(|(place, commit)| (commit.id.clone(), place))
            .collect();
        let known = |commit: &HistoryCommit| {
            let parents = commit.parents.iter();
            parents.filter_map(|id| places.get(id).copied()).collect()
        };
        let parents = commits.map(known).collect();
        Self { parents, places }
    }

    /// Where a commit is.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// What can be reached from `ours` but not from `theirs`, and the other way round, both in the list's order.
    pub(crate) fn difference(
        &self,
        ours: impl IntoIterator<Item = usize>,
        theirs: impl IntoIterator<Item = usize>,
    ) -> (Vec<usize>, Vec<usize>) {
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
        for place in ours {
            reach(&mut queue, &mut one_sided, place, OURS);
        }
        for place in theirs {
            reach(&mut queue, &mut one_sided, place, THEIRS);
        }
        let (mut our_list, mut their_list) = (Vec::new(), Vec::new());
        while one_sided > 0 {
            let Some(Reverse(place)) = queue.pop() else { break };
            let side = reach(&mut queue, &mut one_sided, place, 0);
            match side {
                OURS => our_list.push(place),
                THEIRS => their_list.push(place),
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

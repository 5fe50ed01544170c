//! What runs next.

use crate::{Cost, Graph};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

/// What all nodes that run at the same time may use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many processor cores.
    pub cores: NonZeroU32,
    /// How much memory, in bytes.
    pub memory: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// For these nodes; then it has to be looked at, or to be run.
    Waits(BTreeSet<usize>, Next),
    /// All that it is made from is done, but nobody has looked yet whether it has to run.
    Open,
    /// To be run.
    Ready,
    Runs(Cost),
    Done,
}

/// What follows when there is nothing more to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Open,
    Ready,
}

/// The nodes of a run and how far each is. It knows nothing of files and threads.
#[derive(Debug)]
pub(crate) struct Schedule<'g> {
    graph: &'g Graph,
    phases: BTreeMap<usize, Phase>,
    budget: Budget,
    free: Cost,
    running: usize,
}

impl<'g> Schedule<'g> {
    /// All nodes are still to be looked at. `needed` has with each node those that it is made from.
    pub(crate) fn new(graph: &'g Graph, needed: &[usize], budget: Budget) -> Self {
        let phase = |&index: &usize| (index, wait(graph.dependencies(index).clone(), Next::Open));
        Self {
            graph,
            phases: needed.iter().map(phase).collect(),
            budget,
            free: Cost {
                cores: budget.cores.get(),
                memory: budget.memory,
            },
            running: 0,
        }
    }

    /// A node of which it has to be found out whether it must run.
    pub(crate) fn next_open(&self) -> Option<usize> {
        let open = |(&index, phase): (&usize, &Phase)| (*phase == Phase::Open).then_some(index);
        self.phases.iter().find_map(open)
    }

    /// The node must run.
    pub(crate) fn set_ready(&mut self, index: usize) {
        self.phases.insert(index, Phase::Ready);
    }

    /// The node is up to date.
    pub(crate) fn set_done(&mut self, index: usize) {
        self.stop(index);
        self.phases.insert(index, Phase::Done);
        for dependent in self.graph.dependents(index) {
            if let Some(phase) = self.phases.get_mut(dependent)
                && let Phase::Waits(others, next) = phase
            {
                others.remove(&index);
                *phase = wait(std::mem::take(others), *next);
            }
        }
    }

    /// The node could not run because what these nodes made is damaged. Those of them that are done, and of which `stale`
    /// says so, run again, and then the node does: they must give what they gave before, so that its key is the same.
    pub(crate) fn again(&mut self, index: usize, makers: &BTreeSet<usize>, stale: &dyn Fn(usize) -> bool) {
        self.stop(index);
        let mut waits_for = BTreeSet::new();
        for &maker in makers {
            if self.phases.get(&maker) != Some(&Phase::Done) {
                waits_for.insert(maker);
            } else if stale(maker) {
                self.phases.insert(maker, Phase::Ready);
                waits_for.insert(maker);
            }
        }
        self.phases.insert(index, wait(waits_for, Next::Ready));
    }

    /// The node has failed: what it used is free again.
    pub(crate) fn set_failed(&mut self, index: usize) {
        self.stop(index);
    }

    fn stop(&mut self, index: usize) {
        if let Some(Phase::Runs(granted)) = self.phases.get(&index) {
            self.free.cores += granted.cores;
            self.free.memory += granted.memory;
            self.running -= 1;
        }
    }

    /// Starts the node that most others wait for among those that fit beside what runs, and says what it may use. A node
    /// that needs more than the whole budget gets the whole budget.
    pub(crate) fn start(&mut self) -> Option<(usize, Cost)> {
        let ready = self.phases.iter().filter(|(_, phase)| **phase == Phase::Ready);
        let fits = |index: usize| {
            let claim = self.claim(index);
            (claim.cores <= self.free.cores && claim.memory <= self.free.memory).then_some((index, claim))
        };
        let (index, claim) = ready
            .filter_map(|(&index, _)| fits(index))
            .min_by_key(|&(index, _)| (Reverse(self.graph.height(index)), index))?;
        self.free.cores -= claim.cores;
        self.free.memory -= claim.memory;
        self.running += 1;
        self.phases.insert(index, Phase::Runs(claim));
        Some((index, claim))
    }

    fn claim(&self, index: usize) -> Cost {
        let Cost { cores, memory } = self.graph.at(index).cost;
        let all = Cost {
            cores: self.budget.cores.get(),
            memory: self.budget.memory,
        };
        if cores > all.cores || memory > all.memory {
            return all;
        }
        Cost {
            cores: cores.max(1),
            memory,
        }
    }

    /// Whether all nodes are done.
    pub(crate) fn is_done(&self) -> bool {
        self.phases.values().all(|phase| *phase == Phase::Done)
    }

    /// Whether nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.running == 0
    }

    /// The largest number of nodes that can run at the same time.
    pub(crate) fn width(&self) -> usize {
        let cores = usize::try_from(self.budget.cores.get()).unwrap_or(usize::MAX);
        cores.min(self.phases.len()).max(1)
    }
}

fn wait(others: BTreeSet<usize>, next: Next) -> Phase {
    match next {
        _ if !others.is_empty() => Phase::Waits(others, next),
        Next::Open => Phase::Open,
        Next::Ready => Phase::Ready,
    }
}

#[cfg(test)]
mod tests;

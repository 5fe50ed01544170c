//! Lists of waiting threads: one for each real-time level, and one for the fair class.

use super::{LEVELS, Threads};

/// No thread.
pub(super) const NONE: u32 = u32::MAX;
/// The list of the fair class. Its order means nothing.
pub(super) const FAIR: usize = LEVELS as usize;

#[derive(Debug)]
pub(super) struct Lists {
    /// Which levels have threads.
    levels: u32,
    heads: [u32; FAIR + 1],
    tails: [u32; FAIR + 1],
}

impl Lists {
    pub(super) const fn new() -> Self {
        Self {
            levels: 0,
            heads: [NONE; FAIR + 1],
            tails: [NONE; FAIR + 1],
        }
    }

    /// The highest level that has threads.
    pub(super) const fn highest(&self) -> Option<usize> {
        match self.levels.checked_ilog2() {
            Some(level) => Some(level as usize),
            None => None,
        }
    }

    pub(super) const fn head(&self, list: usize) -> Option<u32> {
        let head = self.heads[list];
        if head == NONE { None } else { Some(head) }
    }

    pub(super) fn push(&mut self, threads: &mut impl Threads, list: usize, id: u32, front: bool) {
        let (next, previous) = if front {
            (self.heads[list], NONE)
        } else {
            (NONE, self.tails[list])
        };
        self.link(threads, list, previous, id);
        self.link_back(threads, list, next, id);
        let thread = threads.scheduling_mut(id);
        (thread.next, thread.previous) = (next, previous);
        self.note(list);
    }

    pub(super) fn remove(&mut self, threads: &mut impl Threads, list: usize, id: u32) {
        let thread = threads.scheduling_mut(id);
        let next = core::mem::replace(&mut thread.next, NONE);
        let previous = core::mem::replace(&mut thread.previous, NONE);
        self.link(threads, list, previous, next);
        self.link_back(threads, list, next, previous);
        self.note(list);
    }

    /// After `previous` comes `id`.
    fn link(&mut self, threads: &mut impl Threads, list: usize, previous: u32, id: u32) {
        if previous == NONE {
            self.heads[list] = id;
        } else {
            threads.scheduling_mut(previous).next = id;
        }
    }

    /// Before `next` comes `id`.
    fn link_back(&mut self, threads: &mut impl Threads, list: usize, next: u32, id: u32) {
        if next == NONE {
            self.tails[list] = id;
        } else {
            threads.scheduling_mut(next).previous = id;
        }
    }

    fn note(&mut self, list: usize) {
        if list < FAIR {
            let bit = 1 << list;
            if self.heads[list] == NONE {
                self.levels &= !bit;
            } else {
                self.levels |= bit;
            }
        }
    }
}

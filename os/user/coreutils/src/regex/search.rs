//! Finding matches.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::Assertion;
use super::class::is_word;
use super::program::{Program, State};

/// The states that are active, each with where its match began: in the order of that, and each state once.
struct Active {
    threads: Vec<(u32, usize)>,
    /// For each state the round in which it was last added.
    added: Vec<u64>,
}

/// A compiled expression with room to run it.
pub(crate) struct Searcher {
    program: Program,
    now: Active,
    next: Active,
    round: u64,
    stack: Vec<u32>,
}

impl Searcher {
    pub(crate) fn new(program: Program) -> Self {
        let active = || Active {
            threads: Vec::new(),
            added: vec![0; program.states.len()],
        };
        let (now, next) = (active(), active());
        Self {
            program,
            now,
            next,
            round: 0,
            stack: Vec::new(),
        }
    }

    /// Whether a line has a match.
    pub(crate) fn is_match(&mut self, line: &[u8]) -> bool {
        self.run(line, 0, true).is_some()
    }

    /// The match that begins first at or behind `from`; of those that begin there the longest.
    pub(crate) fn find(&mut self, line: &[u8], from: usize) -> Option<Range<usize>> {
        self.run(line, from, false)
    }

    fn run(&mut self, line: &[u8], from: usize, any: bool) -> Option<Range<usize>> {
        let mut found: Option<Range<usize>> = None;
        self.now.threads.clear();
        self.round += 1;
        let mut at = from;
        loop {
            if found.is_none() {
                if let (Some(first), true) = (&self.program.first, self.now.threads.is_empty()) {
                    at += line[at..].iter().position(|&byte| first.contains(byte))?;
                }
                add(
                    &self.program,
                    &mut self.now,
                    &mut self.stack,
                    self.round,
                    (0, at),
                    line,
                    at,
                );
            }
            self.round += 1;
            self.next.threads.clear();
            let byte = line.get(at);
            for &(state, start) in &self.now.threads {
                // Those that began later cannot win any more.
                if found.as_ref().is_some_and(|found| found.start < start) {
                    break;
                }
                match self.program.states[state as usize] {
                    State::Match => {
                        if any {
                            return Some(start..at);
                        }
                        found = Some(start..at);
                    }
                    State::Set(set) if byte.is_some_and(|&b| self.program.sets[set as usize].contains(b)) => {
                        let thread = (state + 1, start);
                        add(
                            &self.program,
                            &mut self.next,
                            &mut self.stack,
                            self.round,
                            thread,
                            line,
                            at + 1,
                        );
                    }
                    _ => {}
                }
            }
            core::mem::swap(&mut self.now, &mut self.next);
            at += 1;
            if at > line.len() || (found.is_some() && self.now.threads.is_empty()) {
                return found;
            }
        }
    }
}

/// Adds a state and all that can be reached from it without taking a byte.
fn add(
    program: &Program,
    active: &mut Active,
    stack: &mut Vec<u32>,
    round: u64,
    (state, start): (u32, usize),
    line: &[u8],
    at: usize,
) {
    stack.push(state);
    while let Some(state) = stack.pop() {
        if core::mem::replace(&mut active.added[state as usize], round) == round {
            continue;
        }
        match program.states[state as usize] {
            State::Set(_) | State::Match => active.threads.push((state, start)),
            State::Split(a, b) => stack.extend([b, a]),
            State::Jump(to) => stack.push(to),
            State::Assertion(assertion) => {
                if holds(assertion, line, at) {
                    stack.push(state + 1);
                }
            }
        }
    }
}

fn holds(assertion: Assertion, line: &[u8], at: usize) -> bool {
    let before = at > 0 && is_word(line[at - 1]);
    let behind = line.get(at).is_some_and(|&byte| is_word(byte));
    match assertion {
        Assertion::Start => at == 0,
        Assertion::End => at == line.len(),
        Assertion::WordStart => !before && behind,
        Assertion::WordEnd => before && !behind,
        Assertion::WordBoundary => before != behind,
        Assertion::NoWordBoundary => before == behind,
        Assertion::NoWordBefore => !before,
        Assertion::NoWordBehind => !behind,
    }
}

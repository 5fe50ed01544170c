//! From tree to states.

use alloc::vec::Vec;

use super::Assertion;
use super::class::ByteSet;
use super::parse::Node;

/// A state of the automaton.
pub(super) enum State {
    /// Takes a byte of the set with this number and goes on with the next state.
    Set(u32),
    /// Goes on with both.
    Split(u32, u32),
    Jump(u32),
    Assertion(Assertion),
    Match,
}

/// States that one expression may have: intervals multiply.
const MAX_STATES: usize = 100_000;

/// A compiled expression.
pub(crate) struct Program {
    pub(super) states: Vec<State>,
    pub(super) sets: Vec<ByteSet>,
    /// The bytes a match can begin with, unless it can be empty.
    pub(super) first: Option<ByteSet>,
}

impl Program {
    pub(super) fn new(node: &Node) -> Result<Self, &'static str> {
        let mut program = Self {
            states: Vec::new(),
            sets: Vec::new(),
            first: None,
        };
        program.add(node)?;
        program.push(State::Match)?;
        program.first = program.first_bytes();
        Ok(program)
    }

    fn push(&mut self, state: State) -> Result<u32, &'static str> {
        if self.states.len() >= MAX_STATES {
            return Err("the expression is too large");
        }
        self.states.push(state);
        Ok(self.states.len() as u32 - 1)
    }

    fn next(&self) -> u32 {
        self.states.len() as u32
    }

    fn add(&mut self, node: &Node) -> Result<(), &'static str> {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                let known = self.sets.iter().position(|other| other == set);
                let number = known.unwrap_or_else(|| {
                    self.sets.push(*set);
                    self.sets.len() - 1
                });
                self.push(State::Set(number as u32))?;
            }
            Node::Assertion(assertion) => {
                self.push(State::Assertion(*assertion))?;
            }
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.add(node)?;
                }
            }
            Node::Alternatives(nodes) => {
                let mut jumps = Vec::new();
                for (i, node) in nodes.iter().enumerate() {
                    if i + 1 == nodes.len() {
                        self.add(node)?;
                        break;
                    }
                    let split = self.push(State::Split(0, 0))?;
                    self.add(node)?;
                    jumps.push(self.push(State::Jump(0))?);
                    self.states[split as usize] = State::Split(split + 1, self.next());
                }
                for jump in jumps {
                    self.states[jump as usize] = State::Jump(self.next());
                }
            }
            Node::Repeat(node, least, most) => self.repeat(node, *least, *most)?,
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, least: u32, most: Option<u32>) -> Result<(), &'static str> {
        let empty = self.states.len();
        for i in 0..least {
            self.add(node)?;
            // What has no states has none however often it is repeated.
            if i == 0 && self.states.len() == empty {
                return Ok(());
            }
        }
        let Some(most) = most else {
            let split = self.push(State::Split(0, 0))?;
            self.add(node)?;
            self.push(State::Jump(split))?;
            self.states[split as usize] = State::Split(split + 1, self.next());
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in least..most {
            splits.push(self.push(State::Split(0, 0))?);
            self.add(node)?;
        }
        for split in splits {
            self.states[split as usize] = State::Split(split + 1, self.next());
        }
        Ok(())
    }

    fn first_bytes(&self) -> Option<ByteSet> {
        let mut seen = alloc::vec![false; self.states.len()];
        let mut rest = Vec::from([0u32]);
        let mut first = ByteSet::EMPTY;
        while let Some(state) = rest.pop() {
            if core::mem::replace(&mut seen[state as usize], true) {
                continue;
            }
            match self.states[state as usize] {
                State::Set(set) => first.add(&self.sets[set as usize]),
                State::Split(a, b) => rest.extend([a, b]),
                State::Jump(to) => rest.push(to),
                State::Assertion(_) => rest.push(state + 1),
                State::Match => return None,
            }
        }
        Some(first)
    }
}

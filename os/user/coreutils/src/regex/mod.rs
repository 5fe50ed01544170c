//! Regular expressions over bytes: POSIX basic and extended ones with GNU's additions, without back-references.
//!
//! A match takes time proportional to the product of line and expression, whatever they are: all ways through the
//! expression are followed at the same time, each state at most once.

pub(crate) mod class;
mod parse;
mod program;
mod search;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use parse::Node;
pub(crate) use parse::Syntax;
use program::Program;
pub(crate) use search::Searcher;

/// What must be true of a place in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assertion {
    Start,
    End,
    WordStart,
    WordEnd,
    WordBoundary,
    NoWordBoundary,
    /// No word byte stands before it.
    NoWordBefore,
    /// No word byte stands behind it.
    NoWordBehind,
}

/// How patterns are meant.
#[derive(Clone, Copy)]
pub(crate) struct Meaning {
    pub(crate) syntax: Syntax,
    pub(crate) ignore_case: bool,
    /// A match is a whole line.
    pub(crate) line: bool,
    /// A match has no word bytes beside it.
    pub(crate) word: bool,
}

/// Makes a program that matches what any of the patterns matches, or says what is wrong with one.
pub(crate) fn compile(patterns: &[&[u8]], meaning: Meaning) -> Result<Program, String> {
    let mut nodes = Vec::new();
    for pattern in patterns {
        nodes.push(parse::parse(pattern, meaning.syntax, meaning.ignore_case).map_err(ToString::to_string)?);
    }
    let mut node = Node::Alternatives(nodes);
    let mut enclose = |before, behind| {
        let inner = core::mem::replace(&mut node, Node::Empty);
        node = Node::Sequence(Vec::from([
            Node::Assertion(before),
            inner,
            Node::Assertion(behind),
        ]));
    };
    if meaning.line {
        enclose(Assertion::Start, Assertion::End);
    } else if meaning.word {
        enclose(Assertion::NoWordBefore, Assertion::NoWordBehind);
    }
    Program::new(&node).map_err(ToString::to_string)
}

#[cfg(test)]
mod tests;

//! What a program was called with.

use alloc::string::String;
use alloc::vec::{self, Vec};

/// The arguments, the program's name first.
#[derive(Clone, Debug)]
pub struct Args(vec::IntoIter<String>);

impl Args {
    /// The arguments that have not been taken yet.
    pub fn as_slice(&self) -> &[String] {
        self.0.as_slice()
    }
}

impl From<Vec<String>> for Args {
    fn from(arguments: Vec<String>) -> Self {
        Self(arguments.into_iter())
    }
}

impl Iterator for Args {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Args {}

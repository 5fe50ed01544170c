//! Naming a line of a plan: by number, or by words that it has.

use crate::{EditError, Match};
use std::convert::Infallible;
use std::str::FromStr;

/// What somebody named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A line, from 1.
    Line(usize),
    /// Its text, the start of it, or a part of it; case and white space do not matter.
    Text(String),
}

impl FromStr for Wanted {
    type Err = Infallible;

    /// Reads `line 12`, or a text.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = text.trim();
        let number = text
            .split_once(' ')
            .filter(|(word, _)| word.eq_ignore_ascii_case("line"))
            .and_then(|(_, number)| number.trim().parse().ok());
        Ok(number.map_or_else(|| Self::Text(text.to_owned()), Self::Line))
    }
}

impl Wanted {
    /// The one of these lines that is meant: by its whole text before its start, by that before a part of it.
    ///
    /// # Errors
    /// When none is, or more than one.
    pub(crate) fn choose<T>(
        &self,
        what: &'static str,
        there: Vec<T>,
        describe: impl Fn(&T) -> Match,
    ) -> Result<T, EditError> {
        let texts: Vec<(Match, String)> = there
            .iter()
            .map(|one| {
                let found = describe(one);
                let plain = plain(&found.text);
                (found, plain)
            })
            .collect();
        let places = |fits: &dyn Fn(&(Match, String)) -> bool| -> Vec<usize> {
            (0..texts.len()).filter(|&at| fits(&texts[at])).collect()
        };
        let fitting = match self {
            Self::Line(line) => places(&|(found, _)| found.line == *line),
            Self::Text(text) => {
                let wanted = plain(text);
                let ways: [&dyn Fn(&str) -> bool; 3] = [
                    &|text: &str| text == wanted,
                    &|text: &str| !wanted.is_empty() && text.starts_with(&wanted),
                    &|text: &str| !wanted.is_empty() && text.contains(&wanted),
                ];
                let fitting = ways.map(|fits| places(&|(_, text)| fits(text)));
                fitting
                    .into_iter()
                    .find(|fitting| !fitting.is_empty())
                    .unwrap_or_default()
            }
        };
        let matches = |places: &[usize]| places.iter().map(|&at| texts[at].0.clone()).collect();
        match fitting[..] {
            [at] => there
                .into_iter()
                .nth(at)
                .ok_or_else(|| self.none(what, Vec::new())),
            [] => Err(self.none(what, texts.into_iter().map(|(found, _)| found).collect())),
            _ => Err(EditError::Ambiguous {
                what,
                wanted: self.words(),
                matches: matches(&fitting),
            }),
        }
    }

    fn none(&self, what: &'static str, there: Vec<Match>) -> EditError {
        EditError::NoMatch {
            what,
            wanted: self.words(),
            there,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Line(line) => format!("line {line}"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A text as it is compared.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(wanted: &str, there: &[&str]) -> Result<usize, Vec<usize>> {
        let there: Vec<_> = (1..).zip(there.iter().copied()).collect();
        let describe = |(line, text): &(usize, &str)| Match {
            line: *line,
            text: (*text).to_owned(),
        };
        let wanted: Wanted = wanted.parse().unwrap();
        match wanted.choose("goal", there, describe) {
            Ok((line, _)) => Ok(line),
            Err(EditError::NoMatch { .. }) => Err(Vec::new()),
            Err(error) => Err(error.choices().iter().map(|found| found.line).collect()),
        }
    }

    #[test]
    fn the_whole_text_counts_before_its_start_and_that_before_a_part() {
        let there = ["vpkg in user space", "vpkg", "a vpkg port", "desktop"];
        assert_eq!(choose("VPKG", &there), Ok(2));
        assert_eq!(choose("vpkg  in", &there), Ok(1));
        assert_eq!(choose("port", &there), Ok(3));
        assert_eq!(choose("vp", &there), Err(vec![1, 2]));
        assert_eq!(choose("line 4", &there), Ok(4));
        assert_eq!(choose("line 5", &there), Err(vec![]));
        assert_eq!(choose("line dancing", &there), Err(vec![]));
        assert_eq!(choose("", &there), Err(vec![]));
    }
}

//! What two interfaces have different, and what that means for programs.

mod calls;
mod items;
mod rule;
mod types;

use crate::{Interface, Place};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use vrel_model::Arch;

pub use rule::{Impact, Rule};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it means for programs.
    pub impact: Impact,
    /// The rule that says so.
    pub rule: Rule,
    /// What changed, for example `rt::spawn` or `system call spawn`.
    pub symbol: String,
    /// Where it is declared: in the newer sources, or in the older ones when it is gone.
    pub place: Place,
    /// What it was; `None` for something new.
    pub before: Option<String>,
    /// What it is; `None` for something gone.
    pub after: Option<String>,
    /// The architectures on which it changed; empty when on all.
    pub arches: Vec<Arch>,
}

impl Change {
    /// What changed, before and after, in words.
    #[must_use]
    pub fn message(&self) -> String {
        let what = match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("was `{before}`, is `{after}`"),
            (Some(before), None) => format!("was `{before}`"),
            (None, after) => format!("is `{}`", after.as_deref().unwrap_or_default()),
        };
        let arches: Vec<&str> = self.arches.iter().map(|arch| arch.as_str()).collect();
        let on = if arches.is_empty() {
            String::new()
        } else {
            format!(" on {}", arches.join(" and "))
        };
        format!("`{}`{on}: {}: {what}", self.symbol, self.rule.statement())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gone = if self.after.is_none() { " (before)" } else { "" };
        write!(f, "{}{gone}: {} [{}]", self.place, self.message(), self.rule)
    }
}

/// The differences from `old` to `new`: those that break programs first, then by symbol.
#[must_use]
pub fn compare(old: &Interface, new: &Interface) -> Vec<Change> {
    let mut changes = calls::compare(&old.calls, &new.calls);
    let table = calls::Table::new(&old.calls, &new.calls);
    let none = BTreeMap::new();
    let mut found: Vec<Change> = Vec::new();
    for arch in Arch::ALL {
        let before = old.items.get(&arch).unwrap_or(&none);
        let after = new.items.get(&arch).unwrap_or(&none);
        for change in items::compare(before, after, &table) {
            let same = found.iter_mut().find(|known| {
                (known.rule, &known.symbol, &known.before, &known.after)
                    == (change.rule, &change.symbol, &change.before, &change.after)
            });
            match same {
                Some(known) => known.arches.push(arch),
                None => found.push(Change {
                    arches: vec![arch],
                    ..change
                }),
            }
        }
    }
    for change in &mut found {
        if change.arches.len() == Arch::ALL.len() {
            change.arches.clear();
        }
    }
    changes.extend(found);
    changes.sort_by(|a, b| (a.impact, &a.symbol, a.rule).cmp(&(b.impact, &b.symbol, b.rule)));
    changes
}

/// Collects differences of one symbol.
pub(crate) struct Differences<'c> {
    changes: &'c mut Vec<Change>,
    symbol: String,
    place: Place,
}

impl<'c> Differences<'c> {
    pub(crate) fn new(changes: &'c mut Vec<Change>, symbol: impl Into<String>, place: &Place) -> Self {
        Self {
            changes,
            symbol: symbol.into(),
            place: place.clone(),
        }
    }

    /// Something that is different.
    pub(crate) fn changed(&mut self, rule: Rule, before: impl fmt::Display, after: impl fmt::Display) {
        let change = Change {
            after: Some(after.to_string()),
            ..gone(rule, &self.symbol, &self.place, before)
        };
        self.changes.push(change);
    }
}

/// Something that is gone.
pub(crate) fn gone(rule: Rule, symbol: impl Into<String>, place: &Place, was: impl fmt::Display) -> Change {
    Change {
        impact: rule.impact(),
        rule,
        symbol: symbol.into(),
        place: place.clone(),
        before: Some(was.to_string()),
        after: None,
        arches: Vec::new(),
    }
}

/// Something that is new.
pub(crate) fn new(rule: Rule, symbol: impl Into<String>, place: &Place, is: impl fmt::Display) -> Change {
    Change {
        before: None,
        after: Some(is.to_string()),
        ..gone(rule, symbol, place, "")
    }
}

//! Which part of the version has to go up, and whether it does.

use crate::{Finding, Snapshot};
use serde::Serialize;
use std::fmt;
use vrel_interface::{Change, Impact, InterfaceError};
use vrel_model::Version;

/// What programs rely on, in the commit to be released, compared with the newest final release below the version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceFacts {
    /// The release that was compared with; `None` when there is none.
    pub previous: Option<Version>,
    /// What is different.
    pub changes: Vec<Change>,
    /// Why that release could not be compared with.
    pub not_compared: Option<String>,
    /// What is wrong with the sources of the commit to be released.
    pub problem: Option<InterfaceError>,
}

/// How far a version goes beyond another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Bump {
    /// Compatible fixes.
    Patch,
    /// Compatible functionality; before 1.0 incompatible changes as well.
    Minor,
    /// Incompatible changes.
    Major,
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patch => "PATCH",
            Self::Minor => "MINOR",
            Self::Major => "MAJOR",
        })
    }
}

impl Bump {
    /// How far `version` goes beyond `previous`, which is lower.
    #[must_use]
    pub fn between(previous: &Version, version: &Version) -> Self {
        if version.major() != previous.major() {
            Self::Major
        } else if version.minor() != previous.minor() {
            Self::Minor
        } else {
            Self::Patch
        }
    }

    /// What an incompatible change needs after a release.
    #[must_use]
    pub fn for_break(previous: &Version) -> Self {
        if previous.major() == 0 {
            Self::Minor
        } else {
            Self::Major
        }
    }

    /// What a change of the interface needs after a release.
    #[must_use]
    pub fn for_impact(impact: Impact, previous: &Version) -> Self {
        match impact {
            Impact::Incompatible => Self::for_break(previous),
            Impact::Addition => Self::Minor,
            Impact::Neutral => Self::Patch,
        }
    }

    /// The final version that goes so far beyond `previous` and no farther.
    #[must_use]
    pub fn apply(self, previous: &Version) -> Version {
        match self {
            Self::Major => Version::new(previous.major() + 1, 0, 0),
            Self::Minor => Version::new(previous.major(), previous.minor() + 1, 0),
            Self::Patch => Version::new(previous.major(), previous.minor(), previous.patch() + 1),
        }
    }
}

/// Check `interface`: what programs rely on can be read, and compared with.
pub(crate) fn readable(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    const CHECK: &str = "interface";
    let facts = &snapshot.interface;
    let problem = facts.problem.iter().map(|problem| {
        Finding::policy(CHECK, problem.to_string()).hint(
            "write it as `vrel` understands it, see “What programs rely on” in docs/VERSIONING.md, and commit that",
        )
    });
    let not_compared = facts
        .not_compared
        .iter()
        .map(|reason| Finding::warning(CHECK, format!("the interface is not compared: {reason}")));
    problem.chain(not_compared).collect()
}

/// Check `version-bump`: the version goes as far beyond the previous final release as what changed for programs asks.
pub(crate) fn far_enough(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    let facts = &snapshot.interface;
    let Some(previous) = &facts.previous else {
        return Vec::new();
    };
    let bump = Bump::between(previous, version);
    let short = |change: &&Change| Bump::for_impact(change.impact, previous) > bump;
    facts
        .changes
        .iter()
        .filter(short)
        .map(|change| {
            let needed = Bump::for_impact(change.impact, previous);
            let gone = if change.after.is_none() {
                format!(" in {previous}")
            } else {
                String::new()
            };
            let message = format!(
                "{}{gone}: {}; after {previous} that needs {needed}, and {version} is {bump}",
                change.place,
                change.message()
            );
            Finding::policy("version-bump", message).hint(format!(
                "`vrel next` proposes a version; `vrel interface diff {}` shows every difference",
                previous.tag()
            ))
        })
        .collect()
}

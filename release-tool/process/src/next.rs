//! Which version comes next, and why.

#[cfg(test)]
mod tests;

use crate::lineage::releases;
use crate::{Bump, Finding, InterfaceFacts, TagFact, previous_release};
use serde::Serialize;
use vrel_interface::Impact;
use vrel_model::{Line, Stage, UtcTime, Version};

/// A commit since the previous final release, as far as it is news to users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFact {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// What its message says that it means for users.
    pub impact: Impact,
}

/// A version that the living plan names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedVersion {
    /// The final version.
    pub version: Version,
    /// Where the plan names it: file and line.
    pub place: String,
}

/// Where the next release comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The branch, without `refs/heads/`.
    pub branch: String,
    /// Its tip.
    pub commit: String,
    /// The newest final release that the next one follows; `None` before the first.
    pub previous: Option<Version>,
}

/// What the next version is found from.
#[derive(Clone, Debug)]
pub struct NextFacts {
    /// All tags.
    pub tags: Vec<TagFact>,
    /// Those of releases that the next one can follow: without duds.
    pub usable_tags: Vec<TagFact>,
    /// The line that is looked at: the one that was asked for, else that of open candidates; `None` for whatever the
    /// development branch becomes.
    pub line: Option<Line>,
    /// Whether the line was asked for: then nothing else is proposed.
    pub line_asked: bool,
    /// Where the release comes from.
    pub origin: Origin,
    /// Whether that is the development branch.
    pub is_main: bool,
    /// The commits since the previous final release that are news to users, newest first.
    pub commits: Vec<CommitFact>,
    /// How many there are besides, which users do not notice.
    pub internal: usize,
    /// What changed for programs.
    pub interface: InterfaceFacts,
    /// What the living plan says.
    pub planned: Option<PlannedVersion>,
    /// What the living plan says that the development branch becomes: the first release without a branch of its own.
    pub main_leads_to: Option<Version>,
    /// Now.
    pub now: UtcTime,
}

impl NextFacts {
    /// Whether the branch is still at the release that the next one would follow.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        let commit = |(version, commit): (Version, &str)| (version, commit.to_owned());
        base_release(&self.usable_tags, self.line).map(commit)
            == self
                .origin
                .previous
                .clone()
                .map(|version| (version, self.origin.commit.clone()))
    }
}

/// Why a version has to go so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How far.
    pub needs: Bump,
    /// The commit, or the symbol with its place.
    pub object: String,
    /// What it says or what changed.
    pub text: String,
}

/// A version to release next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// `candidate`, `final` or `nightly`.
    pub kind: &'static str,
    /// The version.
    pub version: Version,
    /// Why this one.
    pub why: String,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The final version that comes next.
    pub version: Version,
    /// How far what changed asks it to go.
    pub needs: Bump,
    /// Where it comes from.
    pub origin: Origin,
    /// Why this version, in a sentence.
    pub because: String,
    /// That the living plan or open candidates say otherwise, with both reasons.
    pub disagreement: Option<String>,
    /// What asks for how much, the most first.
    pub reasons: Vec<Reason>,
    /// How many commits users do not notice.
    pub internal: usize,
    /// A version for each kind of release.
    pub proposals: Vec<Proposal>,
}

/// The open series of candidates that comes next: their final version is not out, and neither is a later one of its line.
#[must_use]
pub fn open_series(tags: &[TagFact], line: Option<Line>) -> Option<Version> {
    let all: Vec<Version> = releases(tags).map(|(version, _)| version).collect();
    let finals = || all.iter().filter(|version| version.stage() == Stage::Final);
    all.iter()
        .filter(|version| version.is_candidate() && line.is_none_or(|line| version.line() == line))
        .map(Version::final_version)
        .filter(|version| finals().all(|out| out.line() != version.line() || out < version))
        .max()
        // Of a line that was left behind, candidates stay open for ever.
        .filter(|version| line.is_some() || finals().all(|out| out < version))
}

/// The final release that the next one on a line, or at all, follows.
#[must_use]
pub fn base_release(tags: &[TagFact], line: Option<Line>) -> Option<(Version, &str)> {
    let end = line.map(|line| Version::new(line.major, line.minor, u64::MAX));
    let beyond = Version::new(u64::MAX, 0, 0);
    previous_release(tags, &end.unwrap_or(beyond))
}

/// Finds the next version.
///
/// # Errors
/// With the findings when the line that was asked for cannot take what changed.
pub fn next_version(facts: &NextFacts) -> Result<Next, Vec<Finding>> {
    let reasons = reasons(facts);
    let needs = reasons
        .iter()
        .map(|reason| reason.needs)
        .max()
        .unwrap_or(Bump::Patch);
    let choice = choose(facts, needs);
    let enough = |previous: &Version| Bump::between(previous, &choice.version) >= needs;
    if let Some(line) = facts.line.filter(|_| facts.line_asked)
        && (choice.version.line() != line || !facts.origin.previous.as_ref().is_none_or(enough))
    {
        return Err(does_not_fit(facts, line, &reasons));
    }
    let proposals = proposals(facts, &choice.version);
    Ok(Next {
        version: choice.version,
        needs,
        origin: facts.origin.clone(),
        because: choice.because,
        disagreement: choice.disagreement,
        reasons,
        internal: facts.internal,
        proposals,
    })
}

fn reasons(facts: &NextFacts) -> Vec<Reason> {
    // Before the first release there is nothing to be compatible with.
    let Some(previous) = &facts.origin.previous else {
        return Vec::new();
    };
    let of_commits = facts.commits.iter().map(|commit| Reason {
        needs: Bump::for_impact(commit.impact, previous),
        object: commit.id.clone(),
        text: commit.subject.clone(),
    });
    let changes = facts.interface.changes.iter();
    let of_interface = changes
        .filter(|change| change.impact != Impact::Neutral)
        .map(|change| Reason {
            needs: Bump::for_impact(change.impact, previous),
            object: change.place.to_string(),
            text: change.message(),
        });
    let mut all: Vec<_> = of_interface.chain(of_commits).collect();
    all.sort_by_key(|reason| std::cmp::Reverse(reason.needs));
    all
}

struct Choice {
    version: Version,
    because: String,
    disagreement: Option<String>,
}

fn choose(facts: &NextFacts, needs: Bump) -> Choice {
    let asked_line = facts.line.filter(|_| facts.line_asked);
    // Candidates are out on a line, or on none.
    let series = facts.line.and_then(|line| open_series(&facts.tags, Some(line)));
    let planned = facts.planned.as_ref().filter(|planned| {
        let fits = asked_line.is_none_or(|line| planned.version.line() == line);
        fits && releases(&facts.tags).all(|(version, _)| version != planned.version)
    });
    let Some(previous) = &facts.origin.previous else {
        return first(series, planned, asked_line);
    };
    let least = asked_line.filter(|line| *line > previous.line()).map_or_else(
        || needs.apply(previous),
        |line| Version::new(line.major, line.minor, 0),
    );
    let least = unused(facts, least);
    let enough = |version: &Version| version > previous && Bump::between(previous, version) >= needs;
    let asked = format!("what changed since {previous} asks for {needs}, which is {least}");
    if let Some(series) = series {
        if enough(&series) {
            return Choice {
                because: format!("candidates of {series} are out and {series} is not"),
                disagreement: disagree(planned, &series, "candidates of it are out"),
                version: series,
            };
        }
        return Choice {
            because: asked.clone(),
            disagreement: Some(format!(
                "candidates of {series} are out, and {asked}: {series} cannot become a release of this commit"
            )),
            version: least,
        };
    }
    match planned {
        Some(planned) if enough(&planned.version) => {
            let same = planned.version == least;
            Choice {
                because: if same {
                    format!("{asked}, and {} plans it", planned.place)
                } else {
                    format!("{} plans it", planned.place)
                },
                disagreement: (!same)
                    .then(|| format!("{} plans {}; {asked}", planned.place, planned.version)),
                version: planned.version.clone(),
            }
        }
        Some(planned) => Choice {
            because: asked.clone(),
            disagreement: Some(format!(
                "{} plans {}, which is not enough: {asked}",
                planned.place, planned.version
            )),
            version: least,
        },
        None => Choice {
            because: asked,
            disagreement: None,
            version: least,
        },
    }
}

/// The version, or the first one after it that no tag has: the number of a dud is never used again.
fn unused(facts: &NextFacts, mut version: Version) -> Version {
    while releases(&facts.tags).any(|(tagged, _)| tagged == version) {
        version = Version::new(version.major(), version.minor(), version.patch() + 1);
    }
    version
}

fn disagree(planned: Option<&PlannedVersion>, version: &Version, reason: &str) -> Option<String> {
    planned
        .filter(|planned| planned.version != *version)
        .map(|planned| {
            format!(
                "{} plans {}; {version} comes first: {reason}",
                planned.place, planned.version
            )
        })
}

fn first(series: Option<Version>, planned: Option<&PlannedVersion>, line: Option<Line>) -> Choice {
    if let Some(version) = series {
        return Choice {
            because: format!("candidates of {version} are out and {version} is not"),
            disagreement: disagree(planned, &version, "candidates of it are out"),
            version,
        };
    }
    match (planned, line) {
        (Some(planned), _) => Choice {
            version: planned.version.clone(),
            because: format!("there is no final release yet, and {} plans it", planned.place),
            disagreement: None,
        },
        (None, line) => Choice {
            version: line.map_or_else(
                || Version::new(0, 1, 0),
                |line| Version::new(line.major, line.minor, 0),
            ),
            because: "there is no final release yet, and nothing is planned".to_owned(),
            disagreement: None,
        },
    }
}

fn does_not_fit(facts: &NextFacts, line: Line, reasons: &[Reason]) -> Vec<Finding> {
    let most = facts.origin.previous.as_ref().map_or(Bump::Major, |previous| {
        if previous.line() == line {
            Bump::Patch
        } else {
            Bump::between(previous, &Version::new(line.major, line.minor, 0))
        }
    });
    let after = facts
        .origin
        .previous
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    reasons
        .iter()
        .filter(|reason| reason.needs > most)
        .map(|reason| {
            let message = format!(
                "{}: {}; after {after} that needs {}, and the line {line} takes {most} at most",
                reason.object, reason.text, reason.needs
            );
            Finding::policy("version-bump", message).hint(format!(
                "take it back on `{}`, or release it on a new line: `vrel next` without --line",
                facts.origin.branch
            ))
        })
        .collect()
}

fn proposals(facts: &NextFacts, version: &Version) -> Vec<Proposal> {
    let propose =
        |kind, version: Option<Version>, why: String| version.map(|version| Proposal { kind, version, why });
    let candidates = releases(&facts.tags)
        .filter(|(tagged, _)| tagged.is_candidate() && tagged.final_version() == *version);
    let newest = candidates.max_by(|a, b| a.0.cmp(&b.0));
    let branch = &facts.origin.branch;
    let (candidate, last) = match &newest {
        None => (
            propose(
                "candidate",
                version.candidate(1),
                format!("the first candidate, from `{branch}`"),
            ),
            format!("once a candidate of `{branch}` is accepted"),
        ),
        Some((tagged, commit)) => {
            let number = match tagged.stage() {
                Stage::Candidate { number } => number,
                _ => 0,
            };
            let next = version.candidate(number + 1);
            let moved = *commit != facts.origin.commit;
            (
                moved
                    .then(|| {
                        propose(
                            "candidate",
                            next,
                            format!("`{branch}` has changed since {tagged}"),
                        )
                    })
                    .flatten(),
                format!("once {tagged} is accepted, at its commit"),
            )
        }
    };
    let night = night_version(facts, version);
    let nightly = nightly(&night, facts.now);
    let done = |version: &Version| releases(&facts.tags).any(|(tagged, _)| tagged == *version);
    let nightly = nightly.filter(|version| !done(version));
    [
        candidate,
        propose("final", Some(version.clone()), last),
        propose(
            "nightly",
            nightly,
            format!("what the development branch becomes is {night}"),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The nightly of today on the way to a release.
fn nightly(version: &Version, now: UtcTime) -> Option<Version> {
    let day = now.date().replace('-', "");
    format!("{version}-nightly.{day}").parse().ok()
}

/// What the development branch becomes: what the plan says, else what comes next, else what follows a release that is
/// prepared on a branch of its own.
fn night_version(facts: &NextFacts, version: &Version) -> Version {
    let out = |planned: &Version| {
        facts
            .origin
            .previous
            .as_ref()
            .is_some_and(|previous| previous >= planned)
    };
    if let Some(planned) = facts.main_leads_to.as_ref().filter(|planned| !out(planned)) {
        return planned.clone();
    }
    if facts.is_main {
        return version.clone();
    }
    let newest = releases(&facts.tags)
        .map(|(tagged, _)| tagged.final_version())
        .max();
    Bump::Minor.apply(
        &newest
            .filter(|newest| newest > version)
            .unwrap_or_else(|| version.clone()),
    )
}

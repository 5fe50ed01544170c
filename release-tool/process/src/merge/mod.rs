//! Whether a branch may be merged: no conflicts, enough approvals, every check green, and a last look at all of it.

#[cfg(test)]
mod tests;

use crate::Approvals;
use serde::Serialize;
use std::collections::BTreeMap;
use vrel_model::{
    CheckState, CommitCheck, ForgeConfig, PersonId, PullRequest, Review, ReviewState, TrialMerge, UtcTime,
};

/// What is known of a merge that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeFacts {
    /// The branch that is to be merged.
    pub branch: String,
    /// Its tip.
    pub commit: String,
    /// The branch that it is to be merged into.
    pub into: String,
    /// That branch's tip.
    pub onto: String,
    /// What would come of it.
    pub trial: TrialMerge,
    /// What the forge knows of it; `None` where no forge is configured.
    pub proposal: Option<MergeProposal>,
    /// Who approved a release of the branch's tip, as the records have it; read where no forge is configured.
    pub recorded: Approvals,
}

/// What a forge knows of a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeProposal {
    /// The pull request.
    pub request: PullRequest,
    /// Its reviews, oldest first.
    pub reviews: Vec<Review>,
    /// The checks of its last commit.
    pub checks: Vec<CommitCheck>,
}

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MergeVerdict {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// Nobody who was asked knows.
    Unknown,
}

/// A condition of a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeCondition {
    /// Its name.
    pub check: &'static str,
    /// How it stands.
    pub verdict: MergeVerdict,
    /// Why: one line each.
    pub because: Vec<String>,
    /// The remedy, where it does not hold.
    pub hint: Option<String>,
}

impl MergeCondition {
    fn holds(check: &'static str, because: impl Into<String>) -> Self {
        Self {
            check,
            verdict: MergeVerdict::Holds,
            because: vec![because.into()],
            hint: None,
        }
    }

    fn fails(check: &'static str, because: Vec<String>, hint: impl Into<String>) -> Self {
        Self {
            check,
            verdict: MergeVerdict::Fails,
            because,
            hint: Some(hint.into()),
        }
    }

    /// Nothing was asked that could know.
    fn unknown(check: &'static str) -> Self {
        Self {
            check,
            verdict: MergeVerdict::Unknown,
            because: vec!["no forge is configured, so nobody was asked".to_owned()],
            hint: Some("add `[forge]` to vrel.toml, or look at it by hand".to_owned()),
        }
    }
}

/// All conditions of a merge, in the order in which a person works on them.
#[must_use]
pub fn check_merge(facts: &MergeFacts, forge: Option<&ForgeConfig>) -> Vec<MergeCondition> {
    let mut conditions = Vec::new();
    let known = facts.proposal.as_ref().zip(forge);
    conditions.extend(known.map(|(proposal, _)| same_merge(facts, &proposal.request)));
    conditions.push(conflicts(facts));
    match known {
        Some((proposal, forge)) => {
            conditions.push(approvals(proposal, forge.approvals));
            conditions.push(checks(proposal, &forge.checks));
            conditions.push(final_review(proposal));
        }
        None => {
            conditions.push(recorded_approvals(facts));
            conditions.extend(["checks", "final-review"].map(MergeCondition::unknown));
        }
    }
    conditions
}

/// What was tried here must be what the forge would merge.
fn same_merge(facts: &MergeFacts, request: &PullRequest) -> MergeCondition {
    const CHECK: &str = "pull-request";
    let mut because = Vec::new();
    if !request.is_open {
        because.push(format!("#{} is closed or merged", request.number));
    }
    if request.head != facts.branch {
        because.push(format!(
            "#{} is of {}, not of {}",
            request.number, request.head, facts.branch
        ));
    }
    if request.base != facts.into {
        because.push(format!(
            "#{} is for {}, not for {}",
            request.number, request.base, facts.into
        ));
    }
    if request.commit != facts.commit {
        because.push(format!(
            "#{} is at {}, but {} is at {} here",
            request.number,
            short(&request.commit),
            facts.branch,
            short(&facts.commit)
        ));
    }
    if because.is_empty() {
        return MergeCondition::holds(
            CHECK,
            format!("#{} “{}” by {}", request.number, request.title, request.author),
        );
    }
    MergeCondition::fails(
        CHECK,
        because,
        "fetch or push the branch, or name another pull request with `--pull`",
    )
}

fn conflicts(facts: &MergeFacts) -> MergeCondition {
    const CHECK: &str = "conflicts";
    let refused = facts
        .proposal
        .as_ref()
        .is_some_and(|proposal| proposal.request.mergeable == Some(false));
    match &facts.trial {
        TrialMerge::Clean if refused => {
            let because = format!(
                "none with {} at {}, but the forge finds some",
                facts.into,
                short(&facts.onto)
            );
            MergeCondition::fails(
                CHECK,
                vec![because],
                format!("{} is older here: `git fetch`", facts.into),
            )
        }
        TrialMerge::Clean => MergeCondition::holds(
            CHECK,
            format!("none with {} at {}", facts.into, short(&facts.onto)),
        ),
        TrialMerge::Conflicts { paths } => MergeCondition::fails(
            CHECK,
            paths.clone(),
            format!(
                "merge {} into {}, resolve them there, and push",
                facts.into, facts.branch
            ),
        ),
        TrialMerge::Unrelated => MergeCondition::fails(
            CHECK,
            vec![format!(
                "{} and {} have no commit in common",
                facts.branch, facts.into
            )],
            "is it the right branch? A shallow clone lacks commits: `git fetch --unshallow`",
        ),
    }
}

/// The last word of each person who may decide. A comment takes nothing back.
fn last_words(proposal: &MergeProposal) -> BTreeMap<&str, &Review> {
    let mut words = BTreeMap::new();
    let deciding = |review: &&Review| {
        review.may_decide
            && review.person != proposal.request.author
            && review.state != ReviewState::Commented
    };
    for review in proposal.reviews.iter().filter(deciding) {
        words.insert(review.person.as_str(), review);
    }
    words
}

/// The approvals of the last commit. One of an earlier commit was given to something else.
fn approving(proposal: &MergeProposal) -> Vec<&Review> {
    let mut words: Vec<&Review> = last_words(proposal).into_values().collect();
    words.retain(|review| {
        review.state == ReviewState::Approved && review.commit.as_ref() == Some(&proposal.request.commit)
    });
    words
}

fn approvals(proposal: &MergeProposal, needed: u32) -> MergeCondition {
    const CHECK: &str = "approvals";
    let approving = approving(proposal);
    let mut because = Vec::new();
    for (person, review) in last_words(proposal) {
        match review.state {
            ReviewState::ChangesRequested => {
                because.push(format!("{person} asks for changes, since {}", review.at))
            }
            ReviewState::Approved if !approving.contains(&review) => because.push(format!(
                "{person} approved {} and not the last commit",
                review.commit.as_deref().map_or("another commit", short)
            )),
            _ => {}
        }
    }
    let refused = last_words(proposal)
        .values()
        .any(|review| review.state == ReviewState::ChangesRequested);
    let names: Vec<&str> = approving.iter().map(|review| review.person.as_str()).collect();
    let count = if names.is_empty() {
        format!("0 of {needed}")
    } else {
        format!("{} of {needed}: {}", names.len(), names.join(", "))
    };
    because.insert(0, count);
    let enough = u32::try_from(names.len()).unwrap_or(u32::MAX) >= needed;
    if enough && !refused {
        return MergeCondition {
            because,
            ..MergeCondition::holds(CHECK, "")
        };
    }
    let hint = if refused {
        "settle what was asked for, and let the same person review again"
    } else {
        "people of the project other than the author approve the last commit"
    };
    MergeCondition::fails(CHECK, because, hint)
}

/// The approvals that people signed for a release of the commit. They bind a person to the commit as a review does.
fn recorded_approvals(facts: &MergeFacts) -> MergeCondition {
    const CHECK: &str = "approvals";
    let recorded = &facts.recorded;
    let names: Vec<&str> = recorded.given.iter().map(PersonId::as_str).collect();
    let by = if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    };
    let mut because = vec![format!(
        "{} of {}{by}, signed in the records",
        names.len(),
        recorded.needed
    )];
    because.extend(recorded.refused.iter().cloned());
    if recorded.are_met() {
        return MergeCondition {
            because,
            ..MergeCondition::holds(CHECK, "")
        };
    }
    let hint = format!(
        "`vrel approve VERSION` for the release of {}, or add `[forge]` to vrel.toml, whose reviews count",
        short(&facts.commit)
    );
    MergeCondition::fails(CHECK, because, hint)
}

fn checks(proposal: &MergeProposal, required: &[String]) -> MergeCondition {
    const CHECK: &str = "checks";
    let checks = &proposal.checks;
    let mut because: Vec<String> = checks
        .iter()
        .filter(|check| check.state != CheckState::Passed)
        .map(|check| {
            let url = check
                .url
                .as_deref()
                .map_or(String::new(), |url| format!(", see {url}"));
            let what = match check.state {
                CheckState::Pending => "has not ended",
                _ => "failed",
            };
            format!("{} {what} ({}){url}", check.name, check.said)
        })
        .collect();
    let missing = required
        .iter()
        .filter(|name| !checks.iter().any(|check| check.name == **name));
    because.extend(missing.map(|name| format!("{name} has not begun")));
    if checks.is_empty() && because.is_empty() {
        because.push(format!(
            "no check has looked at {}",
            short(&proposal.request.commit)
        ));
    }
    if because.is_empty() {
        return MergeCondition::holds(CHECK, format!("{} passed", checks.len()));
    }
    let hint = if checks.iter().any(|check| check.state == CheckState::Failed) {
        "mend what fails, or run it again where the machine failed"
    } else {
        "wait for them"
    };
    MergeCondition::fails(CHECK, because, hint)
}

/// Somebody looked at the finished thing: nobody is still asked, and one approval is younger than the last check.
fn final_review(proposal: &MergeProposal) -> MergeCondition {
    const CHECK: &str = "final-review";
    let request = &proposal.request;
    let mut because = Vec::new();
    if request.is_draft {
        because.push(format!("{} says that it is a draft", request.author));
    }
    if !request.asked.is_empty() {
        because.push(format!("still asked for a review: {}", request.asked.join(", ")));
    }
    let ended: Option<UtcTime> = proposal.checks.iter().filter_map(|check| check.ended).max();
    let last = approving(proposal).into_iter().max_by_key(|review| review.at);
    match (last, ended) {
        (None, _) => because.push("nobody has approved the last commit".to_owned()),
        (Some(review), Some(ended)) if review.at < ended => because.push(format!(
            "the last approval, by {} at {}, is older than the end of the last check at {ended}",
            review.person, review.at
        )),
        _ => {}
    }
    match last {
        Some(review) if because.is_empty() => {
            MergeCondition::holds(CHECK, format!("by {} at {}", review.person, review.at))
        }
        _ => MergeCondition::fails(
            CHECK,
            because,
            "when everything is green, one of those who approved looks once more and approves again",
        ),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

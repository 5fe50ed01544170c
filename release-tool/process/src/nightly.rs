//! Nightlies: when one is due, what it is, what older ones are kept, and which commit broke one.

use crate::cut_rc::checks;
use crate::draft::Draft;
use crate::{Outcome, Snapshot, StepRow, gates, previous_release, tiers};
use vrel_model::{Arch, ChannelPolicy, Stage, UtcTime, Version};

/// The steps of a nightly, in order: a candidate's, without those that change the repository or speak to people. Its
/// commit is named by its signed manifest; a tag for every day would bury the releases' tags.
pub const NIGHTLY_STEPS: [StepRow; 12] = [
    StepRow::new("source", "export the commit's sources", true),
    StepRow::new(
        "build",
        "compile and pack what the cache has not got, and hold it to its size",
        true,
    ),
    StepRow::new("digest", "hash every artifact and write SHA256SUMS", true),
    StepRow::new(
        "boot",
        "boot every image in QEMU and compare what it says of itself",
        true,
    ),
    StepRow::new(
        "reproduce",
        "build everything again in other surroundings, where the channel asks for it, and compare every byte",
        true,
    ),
    StepRow::new(
        "documents",
        "write notes, guides, bills of materials and provenance",
        true,
    ),
    StepRow::new("manifest", "write the manifest", true),
    StepRow::new(
        "sign",
        "sign artifacts, checksums and manifest, and verify the signatures",
        true,
    ),
    StepRow::new("publish", "copy artifacts, then documents, into the origin", true),
    StepRow::new("read-back", "verify what was published as a reader would", true),
    StepRow::new(
        "pointer",
        "move the channel's pointer: the nightly is public",
        false,
    ),
    StepRow::new(
        "retire",
        "remove the nightlies that the channel no longer keeps",
        false,
    ),
];

/// A nightly in the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedNightly {
    /// Its version.
    pub version: Version,
    /// Its commit.
    pub commit: String,
    /// When it was made.
    pub created: UtcTime,
}

/// Whether a nightly is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NightlyDue {
    /// Nothing changed since the last one.
    Unchanged,
    /// There is one of this day, or of a later one, already.
    MadeToday,
    /// This one.
    Now(Version),
}

/// Whether a nightly of `tip` is to be made now, on the way to the release `base`.
#[must_use]
pub fn nightly_due(head: Option<&PublishedNightly>, tip: &str, base: &Version, now: UtcTime) -> NightlyDue {
    let Some(version) = base.nightly(now) else {
        return NightlyDue::MadeToday;
    };
    match head {
        Some(head) if head.commit == tip => NightlyDue::Unchanged,
        // The day counts, not the version: two nightlies of a day would have one date whatever release they lead to.
        Some(head) if day(&head.version) >= day(&version) => NightlyDue::MadeToday,
        _ => NightlyDue::Now(version),
    }
}

fn day(version: &Version) -> Option<u32> {
    match version.stage() {
        Stage::Nightly { date } => Some(date),
        _ => None,
    }
}

/// The checks of a nightly that it shares with a candidate. It is built from a commit, whatever is checked out, and
/// pushes nothing.
const CHECKS: [checks::Check; 7] = [
    checks::complete_history,
    checks::nothing_unfinished,
    checks::new_version,
    checks::tools,
    checks::disk,
    checks::keys,
    checks::writable,
];

/// Plans the nightly `version` of `commit`, whose time the snapshot knows; `without` are the architectures that it lacks at
/// first. `previous` is the nightly before it; where there is none, the release before it is.
#[must_use]
pub fn plan_nightly(
    snapshot: &Snapshot,
    version: &Version,
    commit: &str,
    previous: Option<&Version>,
    without: &[Arch],
    now: UtcTime,
) -> Outcome {
    let channel = &snapshot.policies.config.publish.nightly_channel;
    let mut findings = snapshot.policies.check();
    findings.extend(checks::known_channel(
        snapshot,
        channel,
        "publish.nightly-channel",
    ));
    findings.extend(checks::admitted(snapshot, channel, version));
    let hint = "the next release in the living plan decides which release a nightly leads to";
    findings.extend(checks::forward(snapshot, channel, version, hint));
    for check in CHECKS {
        findings.extend(check(snapshot, version));
    }
    findings.extend(tiers::check_without(&snapshot.policies, channel, without));
    let draft = Draft {
        command: "nightly",
        channel,
        commit,
        previous: previous
            .cloned()
            .or_else(|| previous_release(&snapshot.usable_tags(), version).map(|(previous, _)| previous)),
        candidate: None,
        exceptions: Vec::new(),
        refs: Vec::new(),
        messages: Vec::new(),
        steps: &NIGHTLY_STEPS,
    };
    let plan = match draft.draw_up(snapshot, version, without, now) {
        Ok(plan) => {
            findings.extend(gates::gates(snapshot, &plan, now));
            findings.extend(gates::approvals(snapshot, &plan, now));
            Some(plan)
        }
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Outcome {
        plan,
        findings,
        already_done: None,
    }
}

/// The nightlies that may be removed: neither needed by any channel, now or to go back to, nor among the newest that the
/// policy keeps, nor young enough to be kept, nor waiting for an architecture. `waiting` says that of a version.
#[must_use]
pub fn expendable(
    policy: &ChannelPolicy,
    nightlies: &[PublishedNightly],
    needed: &[Version],
    waiting: &dyn Fn(&Version) -> bool,
    now: UtcTime,
) -> Vec<Version> {
    let Some(keep) = policy.keep_last else {
        return Vec::new();
    };
    let mut newest_first: Vec<_> = nightlies.iter().collect();
    newest_first.sort_by(|a, b| b.version.cmp(&a.version));
    let old = newest_first
        .into_iter()
        .skip(usize::try_from(keep).unwrap_or(usize::MAX))
        .filter(|nightly| nightly.created.plus_days(policy.keep_days) <= now)
        .map(|nightly| &nightly.version)
        .filter(|version| !needed.contains(version) && !waiting(version));
    let mut old: Vec<_> = old.cloned().collect();
    old.sort();
    old
}

/// By how many hours a channel's newest release is older than its policy allows; `None` while it is not.
#[must_use]
pub fn overdue(policy: &ChannelPolicy, newest: UtcTime, now: UtcTime) -> Option<u32> {
    let allowed = i64::from(policy.stale_after_hours?) * 3600;
    let late = now.unix().saturating_sub(newest.unix()) - allowed;
    (late > 0).then(|| u32::try_from(late / 3600).unwrap_or(u32::MAX))
}

/// The search for the first bad commit among commits in a row, the last of which is bad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bisection {
    commits: Vec<String>,
    /// All before this one are good.
    low: usize,
    /// This one is bad.
    high: usize,
}

impl Bisection {
    /// A search among `commits`, oldest first; what comes before the first is good, the last is bad. `None` when there is
    /// no commit.
    #[must_use]
    pub fn new(commits: Vec<String>) -> Option<Self> {
        let high = commits.len().checked_sub(1)?;
        Some(Self {
            commits,
            low: 0,
            high,
        })
    }

    /// The commit to try next; `None` when the first bad one is known.
    #[must_use]
    pub fn next_commit(&self) -> Option<&str> {
        (self.low < self.high).then(|| self.commits[usize::midpoint(self.low, self.high)].as_str())
    }

    /// Takes what became of the commit that [`Self::next_commit`] named.
    pub fn record(&mut self, good: bool) {
        let middle = usize::midpoint(self.low, self.high);
        if good {
            self.low = middle + 1;
        } else {
            self.high = middle;
        }
    }

    /// How many more tries it takes at most.
    #[must_use]
    pub fn tries_left(&self) -> u32 {
        usize::BITS - (self.high - self.low).leading_zeros()
    }

    /// The first bad commit, as far as is known.
    #[must_use]
    pub fn first_bad(&self) -> &str {
        &self.commits[self.high]
    }

    /// The commit right before the first bad one, which is good; `None` when that is the one before the row.
    #[must_use]
    pub fn last_good(&self) -> Option<&str> {
        self.high
            .checked_sub(1)
            .map(|before| self.commits[before].as_str())
    }
}

#[cfg(test)]
mod tests;

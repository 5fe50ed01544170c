//! What the checks look at: facts, gathered beforehand.

use crate::{GateFacts, InterfaceFacts, Policies, usable_tags};
use std::collections::BTreeMap;
use vrel_model::freeze::FreezeException;
use vrel_model::{ByteSize, ChannelName, Day, Dud, Edition, KeyRole, PlannedNews, Support, UtcTime, Version};

/// The facts for one request.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The policy files.
    pub policies: Policies,
    /// The branch that is checked out; `None` when HEAD is detached.
    pub head_branch: Option<String>,
    /// The tip of the development branch; `None` when there is no such local branch.
    pub main_tip: Option<String>,
    /// The tip of the line's release branch; `None` when there is none yet.
    pub release_branch_tip: Option<String>,
    /// Paths that differ from what is committed.
    pub dirty_paths: Vec<String>,
    /// Whether the clone's history is cut off.
    pub shallow: bool,
    /// All tags.
    pub tags: Vec<TagFact>,
    /// The address of the remote; `None` when it is not configured.
    pub remote_url: Option<String>,
    /// The committer's times of the tips above, by commit.
    pub commit_times: BTreeMap<String, UtcTime>,
    /// The origin.
    pub origin: OriginFacts,
    /// What is wrong with the living plan, if anything is: the release could not be recorded in it.
    pub plan_problem: Option<String>,
    /// The issues that the living plan says block this release.
    pub blockers: Vec<String>,
    /// The exceptions to the line's newest freeze.
    pub exceptions: Vec<FreezeException>,
    /// A release whose journal has no end.
    pub unfinished: Option<Version>,
    /// Releases that this repository's journals say are finished, with their commit.
    pub finished: BTreeMap<Version, String>,
    /// The long-term support of the line; `None` where nobody recorded any.
    pub support: Option<LineSupport>,
    /// What is new since the candidate before, oldest first; `None` for anything but a later candidate of a series.
    pub news: Option<Vec<PlannedNews>>,
    /// What changed for programs.
    pub interface: InterfaceFacts,
    /// What is recorded about gates and approvals.
    pub gates: GateFacts,
    /// The remote's refs; `None` when nobody asked it, as in planning.
    pub remote: Option<RemoteFacts>,
    /// The machine; `None` when nobody looked, as in planning.
    pub environment: Option<EnvironmentFacts>,
}

impl Snapshot {
    /// The channel that final releases of the line go to.
    #[must_use]
    pub fn final_channel(&self) -> &ChannelName {
        let publish = &self.policies.config.publish;
        if self.is_long_term() {
            &publish.lts_channel
        } else {
            &publish.final_channel
        }
    }

    /// Whether the line is one of long-term support by now, or was.
    #[must_use]
    pub fn is_long_term(&self) -> bool {
        self.support
            .is_some_and(|support| support.today != Support::Planned)
    }

    /// The tags without those of duds: what a release can follow.
    #[must_use]
    pub fn usable_tags(&self) -> Vec<TagFact> {
        usable_tags(&self.tags, &self.origin.duds)
    }
}

/// The long-term support of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineSupport {
    /// How it stands on the day of the snapshot.
    pub today: Support,
    /// Its last day.
    pub end_of_life: Day,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFact {
    /// Its name.
    pub name: String,
    /// The commit that it leads to.
    pub commit: String,
}

/// The published tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OriginFacts {
    /// Whether there is an origin at all.
    pub exists: bool,
    /// Version of its pointer; `None` when it has none.
    pub pointer_version: Option<u64>,
    /// The head of each channel.
    pub heads: BTreeMap<ChannelName, Version>,
    /// The newest release that each channel has had: its head, unless it was rolled back.
    pub newest: BTreeMap<ChannelName, Version>,
    /// The newest release of every line that is older than the newest of its channel.
    pub older_lines: BTreeMap<ChannelName, Vec<Version>>,
    /// The releases that nobody may use.
    pub duds: BTreeMap<Version, Dud>,
    /// The newest public edition of each release that has more than one.
    pub editions: BTreeMap<Version, Edition>,
}

impl OriginFacts {
    /// Whether a release would become the newest of an older line of the channel, whose head stays what it is.
    #[must_use]
    pub fn is_of_older_line(&self, channel: &ChannelName, version: &Version) -> bool {
        let newest = self.newest.get(channel).or_else(|| self.heads.get(channel));
        newest.is_some_and(|newest| version.line() < newest.line())
    }

    /// The release whose place one would take in a channel.
    #[must_use]
    pub fn takes_the_place_of(&self, channel: &ChannelName, version: &Version) -> Option<&Version> {
        if !self.is_of_older_line(channel, version) {
            return self.heads.get(channel);
        }
        let lines = self.older_lines.get(channel)?;
        lines.iter().find(|there| there.line() == version.line())
    }
}

/// The remote's refs: full name to object, annotated tags' commits under the name with `^{}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteFacts {
    /// The refs.
    pub refs: BTreeMap<String, String>,
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentFacts {
    /// Tools that the command needs and that are not there.
    pub missing_tools: Vec<MissingTool>,
    /// Places that are written to: what they are, bytes needed, bytes free.
    pub disks: Vec<(String, ByteSize, ByteSize)>,
    /// The keys that the command needs.
    pub keys: Vec<KeyFact>,
    /// What is wrong with git's configuration of the committer, if anything is.
    pub identity_problem: Option<String>,
    /// Whether the origin can be written; the reason when it cannot.
    pub origin_problem: Option<String>,
    /// Whether the staging origin can be used; the reason when it cannot.
    pub staging_problem: Option<String>,
}

/// A tool that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTool {
    /// The tool.
    pub name: String,
    /// What it is needed for.
    pub purpose: String,
}

/// A secret key, as far as it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFact {
    /// Its role.
    pub role: KeyRole,
    /// Why it cannot be used; `None` when it can.
    pub problem: Option<String>,
    /// The remedy.
    pub hint: Option<String>,
}

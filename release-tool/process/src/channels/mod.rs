//! Moving the pointer without building anything: a release enters another channel, a channel goes back to an older
//! release, a release becomes a dud. Bytes stay where they are; what changes is which of them a channel leads to.

mod checks;
mod plans;
#[cfg(test)]
mod tests;

pub use plans::{DudRequest, plan_dud, plan_promotion, plan_rollback};

use crate::{Finding, Policies, Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use vrel_model::{
    ArtifactName, ChannelHead, ChannelName, Dud, KeyRole, LaggingArch, Line, PlannedPromotion, Pointer,
    Promotion, Sha256Digest, UtcTime, Version,
};

/// What has to be known to move the pointer.
#[derive(Clone, Debug)]
pub struct ChannelFacts {
    /// The policy files.
    pub policies: Policies,
    /// The pointer, verified; `None` when the origin has none.
    pub pointer: Option<Pointer>,
    /// The releases whose files are in the origin, as their manifests say.
    pub releases: BTreeMap<Version, ReleaseFact>,
    /// The promotions that the records know.
    pub promotions: BTreeMap<Version, Vec<Promotion>>,
    /// What a reader finds who looks at every byte of a release; of those that the request is about.
    pub verified: BTreeMap<Version, Verified>,
    /// What gates and approvals of a promotion are judged by; `None` where the target asks for neither, or nobody could look.
    pub judged_by: Option<Snapshot>,
}

/// A release in the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseFact {
    /// The channel that it was made for.
    pub channel: ChannelName,
    /// The commit that it was built from.
    pub commit: String,
    /// When it was made.
    pub created: UtcTime,
    /// Length of its first manifest.
    pub manifest_length: u64,
    /// SHA-256 of its first manifest.
    pub manifest_sha256: Sha256Digest,
}

/// What a reader found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Everything that is wrong.
    pub problems: Vec<String>,
    /// The names of its artifacts.
    pub artifacts: BTreeSet<ArtifactName>,
    /// The architectures that it does not have yet.
    pub lagging: Vec<LaggingArch>,
    /// The roles that have the key which signed its manifest.
    pub roles: BTreeSet<KeyRole>,
    /// The artifacts that a release of its commit has in each channel, or why nobody can say.
    pub required: BTreeMap<ChannelName, Result<BTreeSet<ArtifactName>, String>>,
}

/// What is done to the pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointerMove {
    /// The new heads that channels go back to.
    pub heads: BTreeMap<ChannelName, ChannelHead>,
    /// What becomes public in a channel: as its head, or as the newest release of an older line.
    pub published: Option<(ChannelName, ChannelHead)>,
    /// What takes the place of the dud where it is the newest release of an older line; `None` where nothing does.
    pub older: BTreeMap<ChannelName, Option<ChannelHead>>,
    /// The release that becomes a dud.
    pub dud: Option<(Version, Dud)>,
}

/// What planning a move came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovePlan {
    /// The move; `None` when the findings leave nothing to do, or it is done.
    pub change: Option<PointerMove>,
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// What users see afterwards, a sentence each.
    pub effects: Vec<String>,
    /// What people approve, where it is a promotion of a release that is there.
    pub promotion: Option<PlannedPromotion>,
    /// Whether the pointer says so already.
    pub is_done: bool,
}

impl PointerMove {
    /// Makes a pointer say it.
    pub fn apply(&self, pointer: &mut Pointer) {
        pointer.channels.extend(self.heads.clone());
        if let Some((channel, head)) = &self.published {
            pointer.publish(channel, head.clone());
        }
        if let Some((dud, why)) = &self.dud {
            for (channel, instead) in &self.older {
                pointer.replace_older(channel, dud, instead.clone());
            }
            pointer.duds.insert(dud.clone(), why.clone());
        }
    }
}

impl ChannelFacts {
    /// The head of a channel.
    #[must_use]
    pub fn head(&self, channel: &ChannelName) -> Option<&ChannelHead> {
        self.pointer.as_ref()?.channels.get(channel)
    }

    /// The newest release of a line that a channel has had.
    #[must_use]
    pub fn newest_on(&self, channel: &ChannelName, line: Line) -> Option<&Version> {
        self.pointer.as_ref()?.newest_on(channel, line)
    }

    /// Whether a release would leave the channel's head alone, because it is of an older line.
    #[must_use]
    pub fn is_of_older_line(&self, channel: &ChannelName, version: &Version) -> bool {
        let pointer = self.pointer.as_ref();
        pointer.is_some_and(|pointer| pointer.is_of_older_line(channel, version))
    }

    /// The channels in which a release is the newest of an older line.
    #[must_use]
    pub fn newest_of_older_line(&self, version: &Version) -> Vec<ChannelName> {
        let lines = self.pointer.iter().flat_map(|pointer| &pointer.older_lines);
        lines
            .filter(|(_, heads)| heads.iter().any(|head| head.release == *version))
            .map(|(channel, _)| channel.clone())
            .collect()
    }

    /// A promotion, as people approve it; `None` where there is no such release.
    #[must_use]
    pub fn promotion(&self, version: &Version, to: &ChannelName) -> Option<PlannedPromotion> {
        let release = self.releases.get(version)?;
        Some(PlannedPromotion {
            product: self.policies.config.product.id.to_string(),
            version: version.clone(),
            commit: release.commit.clone(),
            manifest_sha256: release.manifest_sha256,
            to: to.clone(),
        })
    }

    /// Why a release is a dud; `None` when it is not one.
    #[must_use]
    pub fn dud(&self, version: &Version) -> Option<&Dud> {
        self.pointer.as_ref()?.duds.get(version)
    }

    /// Since when a release is, or was, public in a channel; `None` when it never was.
    #[must_use]
    pub fn entered(&self, version: &Version, channel: &ChannelName) -> Option<UtcTime> {
        let release = self.releases.get(version)?;
        let head = self.head(channel)?;
        if release.channel == *channel && version <= head.newest() {
            return Some(release.created);
        }
        let promotions = self.promotions.get(version).into_iter().flatten();
        let promoted = promotions
            .filter(|promotion| promotion.to == *channel)
            .map(|promotion| promotion.at)
            .min();
        // The record of a promotion may still have to be written.
        let is_head = head.release == *version;
        promoted.or_else(|| is_head.then(|| self.pointer.as_ref().map(|pointer| pointer.issued))?)
    }

    /// The releases that are or were public in a channel and are no duds, oldest first.
    pub fn good_in<'a>(&'a self, channel: &'a ChannelName) -> impl DoubleEndedIterator<Item = &'a Version> {
        self.releases
            .keys()
            .filter(move |version| self.dud(version).is_none() && self.entered(version, channel).is_some())
    }

    /// The release that a channel goes back to when a person names none: the newest good one before its head.
    #[must_use]
    pub fn previous_good(&self, channel: &ChannelName) -> Option<&Version> {
        let head = &self.head(channel)?.release;
        let is_good =
            |version: &&Version| self.dud(version).is_none() && self.entered(version, channel).is_some();
        self.releases
            .keys()
            .rfind(|version| *version < head && is_good(version))
    }

    /// The channels whose head a release is.
    #[must_use]
    pub fn head_of(&self, version: &Version) -> Vec<ChannelName> {
        let heads = self.pointer.iter().flat_map(|pointer| &pointer.channels);
        heads
            .filter(|(_, head)| head.release == *version)
            .map(|(channel, _)| channel.clone())
            .collect()
    }
}

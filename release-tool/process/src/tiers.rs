//! Tiers of architectures: which a release must have from its first moment, and which may follow.

use crate::{Finding, PlannedFiles, Policies};
use vrel_model::{Arch, ArtifactPolicy, ChannelName, LaggingArch, PackerScope, Tier, UtcTime};

const CHECK: &str = "tiers";

/// For how many days a channel's releases may lack an architecture of tier 2.
fn lag_days(policies: &Policies, channel: &ChannelName) -> u32 {
    policies
        .channels
        .get(channel)
        .map_or(0, |channel| channel.tier_2_lag_days)
}

/// Whether a policy makes an artifact that is started: what an architecture is promised by.
fn boots(policy: &ArtifactPolicy) -> bool {
    policy.packer.scope() == PackerScope::Arch && !policy.boot.is_empty()
}

/// Every artifact that boots is made for every architecture that its channels promise.
pub(crate) fn check(policies: &Policies) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, policy) in policies.artifacts.iter().filter(|(_, policy)| boots(policy)) {
        for arch in Arch::ALL.into_iter().filter(|arch| !policy.arches.contains(arch)) {
            let tier = policies.config.tier(arch);
            let promises = |channel: &&ChannelName| tier == Tier::One || lag_days(policies, channel) == 0;
            let channels: Vec<_> = policy
                .channels
                .iter()
                .filter(promises)
                .map(ToString::to_string)
                .collect();
            if channels.is_empty() {
                continue;
            }
            let message = format!(
                "artifacts/{kind}.toml: `arches` lacks {arch}, an architecture of tier {tier}, which releases in {} must have",
                channels.join(", ")
            );
            findings.push(Finding::policy(CHECK, message).hint(format!(
                "list {arch}, or take the artifact out of these channels; `[tiers]` in vrel.toml ranks architectures"
            )));
        }
    }
    findings
}

/// Whether a release in the channel may be published without these architectures.
pub(crate) fn check_without(policies: &Policies, channel: &ChannelName, without: &[Arch]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &arch in without {
        let made = policies
            .artifacts
            .values()
            .any(|policy| policy.channels.contains(channel) && policy.arches.contains(&arch));
        if !made {
            let message =
                format!("nothing is made for {arch} in the channel {channel}, so that it cannot lag");
            findings.push(Finding::policy(CHECK, message).hint(format!("leave `--without {arch}` out")));
        } else if policies.config.tier(arch) == Tier::One {
            let message =
                format!("{arch} is an architecture of tier 1, without which no release is published");
            findings.push(Finding::policy(CHECK, message).hint(format!(
                "leave `--without {arch}` out; `[tiers]` in vrel.toml ranks architectures"
            )));
        } else if lag_days(policies, channel) == 0 {
            let message = format!("{arch} cannot be left out: nothing may lag in the channel {channel}");
            findings.push(Finding::policy(CHECK, message).hint(format!(
                "leave `--without {arch}` out; `tier-2-lag-days` in channels/{channel}.toml allows it where it is not 0"
            )));
        }
    }
    if Arch::ALL.iter().all(|arch| without.contains(arch)) {
        let message = "every architecture is left out, so that nothing could be started";
        findings.push(Finding::policy(CHECK, message).hint("leave out those alone that are not ready"));
    }
    findings
}

/// The architectures that are left out, each once and in the usual order, with the time until which they may follow.
pub(crate) fn lagging(
    policies: &Policies,
    channel: &ChannelName,
    without: &[Arch],
    created: UtcTime,
) -> Vec<LaggingArch> {
    let until = created.plus_days(lag_days(policies, channel));
    let left_out = Arch::ALL.into_iter().filter(|arch| without.contains(arch));
    left_out.map(|arch| LaggingArch { arch, until }).collect()
}

/// What is published at first: all but what is of a lagging architecture or has to hold all of them. A published file
/// never changes, so that one for all architectures cannot come now and grow later.
pub(crate) fn leave_out(mut files: PlannedFiles, lagging: &[LaggingArch]) -> PlannedFiles {
    files.artifacts.retain(|artifact| match artifact.arch {
        Some(arch) => lagging.iter().all(|late| late.arch != arch),
        None => lagging.is_empty() || !artifact.packer.needs_every_arch(),
    });
    files
}

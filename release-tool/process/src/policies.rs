//! The policy files together, and the rules that bind them to each other.

use crate::Finding;
use std::collections::BTreeMap;
use vrel_model::{
    ArtifactKind, ArtifactPolicy, ChannelName, ChannelPolicy, Config, GateId, GatePolicy, PersonId,
    Signatory, SigningPolicy,
};

/// All policy files of a repository, each valid by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    /// `vrel.toml`.
    pub config: Config,
    /// `channels/*.toml`, by name.
    pub channels: BTreeMap<ChannelName, ChannelPolicy>,
    /// `artifacts/*.toml`, by file name without `.toml`.
    pub artifacts: BTreeMap<ArtifactKind, ArtifactPolicy>,
    /// `signing/policy.toml`.
    pub signing: SigningPolicy,
    /// `gates/*.toml`, by name; none where there is no such directory.
    pub gates: BTreeMap<GateId, GatePolicy>,
    /// `signing/people/*.toml`, by name; none where there is no such directory.
    pub people: BTreeMap<PersonId, Signatory>,
}

impl Policies {
    /// Finds what one file says of another that is not so.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        const CHECK: &str = "policy-files";
        let mut findings = Vec::new();
        let candidate = &self.config.publish.candidate_channel;
        if !self.channels.contains_key(candidate) {
            let message = format!(
                "vrel.toml: `publish.candidate-channel` is `{candidate}`, but there is no such channel"
            );
            findings.push(Finding::policy(CHECK, message).hint(format!("write channels/{candidate}.toml")));
        }
        if !self.config.git.release_branch.uses("line") {
            let message = format!(
                "vrel.toml: `git.release-branch` is `{}`",
                self.config.git.release_branch
            );
            findings.push(Finding::policy(CHECK, message).hint("it must contain `{line}`"));
        }
        if !(1..=19).contains(&self.config.toolchain.zstd_level) {
            let message = format!(
                "vrel.toml: `toolchain.zstd-level` is {}",
                self.config.toolchain.zstd_level
            );
            findings.push(Finding::policy(CHECK, message).hint("a level from 1 to 19"));
        }
        for (name, channel) in &self.channels {
            if !self.signing.roles.contains_key(&channel.key_role) {
                let message = format!(
                    "channels/{name}.toml: `key-role` is `{}`, which no one has defined",
                    channel.key_role
                );
                findings.push(Finding::policy(CHECK, message).hint("add the role to signing/policy.toml"));
            }
        }
        for (name, channel) in &self.channels {
            for from in channel
                .from
                .iter()
                .filter(|from| !self.channels.contains_key(from) || *from == name)
            {
                let message = format!("channels/{name}.toml: `from` names `{from}`");
                findings.push(Finding::policy(CHECK, message).hint("name other channels that there are"));
            }
        }
        if !self.signing.roles.contains_key(&self.signing.pointer_role) {
            let message = format!(
                "signing/policy.toml: `pointer-role` is `{}`",
                self.signing.pointer_role
            );
            findings.push(Finding::policy(CHECK, message).hint("add the role to the same file"));
        }
        findings.extend(crate::artifacts::check(self));
        findings.extend(crate::tiers::check(self));
        findings.extend(crate::gates::check(self));
        findings.extend(crate::staging::check(self));
        findings
    }
}

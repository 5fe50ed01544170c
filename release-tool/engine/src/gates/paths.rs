//! Where the records of a release lie.

use vrel_model::{ChannelName, GateId, PersonId, Version};

/// The directory of a release's records.
pub(crate) fn release_dir(version: &Version) -> String {
    format!("releases/{version}")
}

/// What a machine found out about a gate.
pub(crate) fn evidence(version: &Version, gate: &GateId) -> String {
    format!("{}/evidence/{gate}.json", release_dir(version))
}

/// What came of the smoke tests in staging.
pub(crate) fn smoke(version: &Version) -> String {
    format!("{}/smoke.json", release_dir(version))
}

/// What people decided about gates.
pub(crate) fn decisions(version: &Version) -> String {
    format!("{}/gates.toml", release_dir(version))
}

/// The directory of the approvals of a release's plan; with a channel, of its promotion to it. Neither takes the place of
/// the other.
pub(crate) fn approvals(version: &Version, promoted_to: Option<&ChannelName>) -> String {
    let dir = release_dir(version);
    match promoted_to {
        None => format!("{dir}/approvals"),
        Some(channel) => format!("{dir}/promotion-approvals/{channel}"),
    }
}

/// A person's approval in such a directory.
pub(crate) fn approval(dir: &str, person: &PersonId) -> String {
    format!("{dir}/{person}.toml")
}

//! Where the records of a release lie.

use vrel_model::{GateId, PersonId, Version};

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

/// A person's approval.
pub(crate) fn approval(version: &Version, person: &PersonId) -> String {
    format!("{}/approvals/{person}.toml", release_dir(version))
}

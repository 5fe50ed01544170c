//! Planning `cut-rc`.

pub(crate) mod checks;
#[cfg(test)]
pub(crate) mod tests;

use crate::draft::Draft;
use crate::{Finding, Outcome, Snapshot, StepRow, gates, previous_release, staging, tiers};
use vrel_model::{Arch, Plan, PlannedMessage, PlannedRef, RefChange, UtcTime, Version};

/// The steps of `cut-rc`, in order. The irreversible ones come last: pushing, moving the pointer, telling people. Where no
/// staging is configured a plan has none of [`crate::STAGING_STEPS`].
pub const STEPS: [StepRow; 20] = [
    StepRow::new("branch", "make the release branch if it is not there", true),
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
    staging::STAGE,
    staging::SMOKE,
    staging::REHEARSE,
    StepRow::new("publish", "copy artifacts, then documents, into the origin", true),
    StepRow::new("read-back", "verify what was published as a reader would", true),
    StepRow::new("tag", "make the annotated tag", true),
    StepRow::new("push", "push the release branch and the tag", false),
    StepRow::new(
        "pointer",
        "move the channel's pointer: the release is public",
        false,
    ),
    StepRow::new("plan", "record the release in the living plan", false),
    StepRow::new(
        "record",
        "write the release's record: plan, evidence, approvals, digests",
        false,
    ),
    StepRow::new("announce", "write the announcement's draft", false),
];

/// Plans a release candidate, which is at first published without some architectures if the channel allows that.
#[must_use]
pub fn plan_cut_rc(snapshot: &Snapshot, version: &Version, without: &[Arch], now: UtcTime) -> Outcome {
    let already_done = snapshot.finished.get(version).cloned();
    if already_done.is_some() {
        return Outcome {
            plan: None,
            findings: Vec::new(),
            already_done,
        };
    }
    let mut findings = snapshot.policies.check();
    for check in checks::ALL {
        findings.extend(check(snapshot, version));
    }
    let channel = &snapshot.policies.config.publish.candidate_channel;
    findings.extend(tiers::check_without(&snapshot.policies, channel, without));
    let mut plan = None;
    if let Some(commit) = source_commit(snapshot) {
        match make_plan(snapshot, version, without, now, commit) {
            Ok(made) => {
                findings.extend(gates::gates(snapshot, &made, now));
                findings.extend(gates::approvals(snapshot, &made, now));
                plan = Some(made);
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Outcome {
        plan,
        findings,
        already_done: None,
    }
}

/// The commit that a candidate is built from: the tip of its line's release branch, or of the development branch when
/// the line has none yet.
pub(crate) fn source_commit(snapshot: &Snapshot) -> Option<&str> {
    snapshot
        .release_branch_tip
        .as_deref()
        .or(snapshot.main_tip.as_deref())
}

/// The name of the release branch of a version's line, without `refs/heads/`.
pub(crate) fn release_branch(snapshot: &Snapshot, version: &Version) -> Result<String, Finding> {
    let pattern = &snapshot.policies.config.git.release_branch;
    pattern
        .expand(&[("line", &version.line().to_string())])
        .map_err(|error| {
            Finding::policy(
                "policy-files",
                format!("vrel.toml: `git.release-branch`: {error}"),
            )
        })
}

fn make_plan(
    snapshot: &Snapshot,
    version: &Version,
    without: &[Arch],
    now: UtcTime,
    commit: &str,
) -> Result<Plan, Finding> {
    let draft = Draft {
        command: "cut-rc",
        channel: &snapshot.policies.config.publish.candidate_channel,
        commit,
        previous: previous_release(&snapshot.usable_tags(), version).map(|(previous, _)| previous),
        candidate: None,
        refs: planned_refs(snapshot, version, commit)?,
        exceptions: snapshot.exceptions.clone(),
        messages: vec![PlannedMessage {
            path: format!(".vrel/outbox/{version}-announcement.md"),
            what: "draft of the announcement".into(),
        }],
        steps: &STEPS,
    };
    draft.draw_up(snapshot, version, without, now)
}

pub(crate) fn planned_refs(
    snapshot: &Snapshot,
    version: &Version,
    commit: &str,
) -> Result<Vec<PlannedRef>, Finding> {
    let config = &snapshot.policies.config;
    let change = match &snapshot.release_branch_tip {
        Some(tip) => RefChange::Keep(tip.clone()),
        None => RefChange::CreateBranch(commit.to_owned()),
    };
    let branch = format!("refs/heads/{}", release_branch(snapshot, version)?);
    let tag = format!("refs/tags/{}", version.tag());
    let main = format!("refs/heads/{}", config.git.main);
    Ok(vec![
        PlannedRef {
            name: branch,
            change,
            push: true,
        },
        PlannedRef {
            name: tag,
            change: RefChange::CreateTag(commit.to_owned()),
            push: true,
        },
        PlannedRef {
            name: main,
            change: RefChange::Commit(format!("docs(plan): record {version}")),
            push: config.plan.push,
        },
    ])
}

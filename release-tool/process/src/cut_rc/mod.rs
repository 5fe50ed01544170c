//! Planning `cut-rc`.

pub(crate) mod checks;
#[cfg(test)]
pub(crate) mod tests;

use crate::{Finding, Snapshot, plan_files, previous_release, tiers};
use vrel_model::{
    Arch, Plan, PlannedMessage, PlannedObject, PlannedPointer, PlannedRef, PlannedStep, RefChange, UtcTime,
    Version,
};

/// One row of the step table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Its name.
    pub name: &'static str,
    /// What it does, for people.
    pub summary: &'static str,
    /// Whether `vrel undo` can take it back.
    pub reversible: bool,
}

/// The steps of `cut-rc`, in order. The irreversible ones come last: pushing, moving the pointer, telling people.
pub const STEPS: [StepRow; 16] = [
    row("branch", "make the release branch if it is not there", true),
    row("source", "export the commit's sources", true),
    row(
        "build",
        "compile and pack what the cache has not got, and hold it to its size",
        true,
    ),
    row("digest", "hash every artifact and write SHA256SUMS", true),
    row(
        "boot",
        "boot every image in QEMU and compare what it says of itself",
        true,
    ),
    row(
        "reproduce",
        "build everything again in other surroundings, where the channel asks for it, and compare every byte",
        true,
    ),
    row(
        "documents",
        "write notes, guides, bills of materials and provenance",
        true,
    ),
    row("manifest", "write the manifest", true),
    row(
        "sign",
        "sign artifacts, checksums and manifest, and verify the signatures",
        true,
    ),
    row("publish", "copy artifacts, then documents, into the origin", true),
    row("read-back", "verify what was published as a reader would", true),
    row("tag", "make the annotated tag", true),
    row("push", "push the release branch and the tag", false),
    row(
        "pointer",
        "move the channel's pointer: the release is public",
        false,
    ),
    row("plan", "record the release in the living plan", false),
    row("announce", "write the announcement's draft", false),
];

pub(crate) const fn row(name: &'static str, summary: &'static str, reversible: bool) -> StepRow {
    StepRow {
        name,
        summary,
        reversible,
    }
}

/// What planning came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The plan; `None` when the findings leave nothing to plan.
    pub plan: Option<Plan>,
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// The commit of this very release when it is finished already and there is nothing to do.
    pub already_done: Option<String>,
}

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
            Ok(made) => plan = Some(made),
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
fn source_commit(snapshot: &Snapshot) -> Option<&str> {
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
    let config = &snapshot.policies.config;
    let channel = &config.publish.candidate_channel;
    let missing = |what: String| Finding::policy("policy-files", what);
    let key_role = snapshot
        .policies
        .channels
        .get(channel)
        .map(|policy| policy.key_role.clone());
    let time = snapshot
        .commit_times
        .get(commit)
        .ok_or_else(|| missing(format!("commit {commit} has no time")))?;
    let lagging = tiers::lagging(&snapshot.policies, channel, without, now);
    let files = plan_files(&snapshot.policies, Some(channel), &version.to_string())?;
    let files = tiers::leave_out(files, &lagging);
    let mut plan = Plan {
        schema: 1,
        command: "cut-rc".into(),
        product_name: config.product.name.clone(),
        product: config.product.id.to_string(),
        version: version.clone(),
        channel: channel.clone(),
        commit: commit.to_owned(),
        source_date_epoch: time.unix(),
        created: now,
        previous: previous_release(&snapshot.tags, version).map(|(previous, _)| previous),
        remote: config.git.remote.clone(),
        origin: config.publish.origin.display().to_string(),
        key_role: key_role.ok_or_else(|| missing(format!("channels/{channel}.toml is missing")))?,
        pointer_role: snapshot.policies.signing.pointer_role.clone(),
        refs: planned_refs(snapshot, version, commit)?,
        artifacts: files.artifacts,
        documents: files.documents,
        lagging,
        backfill: None,
        exceptions: snapshot.exceptions.clone(),
        objects: Vec::new(),
        pointer: PlannedPointer {
            from: snapshot.origin.pointer_version,
            to: snapshot.origin.pointer_version.unwrap_or(0) + 1,
            head_before: snapshot.origin.heads.get(channel).cloned(),
            expires: now.plus_days(config.publish.pointer_lifetime_days),
        },
        messages: vec![PlannedMessage {
            path: format!(".vrel/outbox/{version}-announcement.md"),
            what: "draft of the announcement".into(),
        }],
        steps: planned_steps(&STEPS),
    };
    plan.objects = planned_objects(&plan);
    Ok(plan)
}

fn planned_refs(snapshot: &Snapshot, version: &Version, commit: &str) -> Result<Vec<PlannedRef>, Finding> {
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

/// A step table as plans have it.
pub(crate) fn planned_steps(rows: &[StepRow]) -> Vec<PlannedStep> {
    let step = |row: &StepRow| PlannedStep {
        name: row.name.into(),
        summary: row.summary.into(),
        reversible: row.reversible,
    };
    rows.iter().map(step).collect()
}

/// Objects in publishing order: artifacts, signatures, documents, and the edition's checksums and manifest.
pub(crate) fn planned_objects(plan: &Plan) -> Vec<PlannedObject> {
    let dir = plan.release_dir();
    let object = |name: &str, what: &str| PlannedObject {
        path: format!("{dir}/{name}"),
        what: what.to_owned(),
    };
    let mut objects: Vec<_> = plan
        .artifacts
        .iter()
        .map(|artifact| object(artifact.name.as_str(), &artifact.description))
        .collect();
    objects.extend(
        plan.artifacts
            .iter()
            .map(|artifact| object(&format!("{}.minisig", artifact.name), "signature")),
    );
    objects.extend(
        plan.documents
            .iter()
            .map(|document| object(document.name.as_str(), &document.description)),
    );
    let (sums, manifest) = (plan.edition().sums(), plan.edition().manifest());
    objects.extend([
        object(&sums, "checksums"),
        object(&format!("{sums}.minisig"), "signature"),
        object(&manifest, "manifest"),
        object(&format!("{manifest}.minisig"), "signature"),
    ]);
    objects
}

//! Planning `backfill`: architectures that lagged are added to a published release, at the same commit.

mod checks;
#[cfg(test)]
mod tests;

use crate::draft::{planned_objects, planned_steps};
use crate::{Finding, Outcome, PlannedFiles, Policies, Snapshot, StepRow, plan_files, tiers};
use vrel_model::{
    Arch, ArtifactName, Edition, LaggingArch, Manifest, Plan, PlannedBackfill, PlannedMessage,
    PlannedPointer, Sha256Digest, UtcTime, Version,
};

/// The steps of `backfill`, in order: those of `cut-rc` that make files, without branch, tag, push and living plan, which
/// the release has already. The pointer is the point of no return.
pub const BACKFILL_STEPS: [StepRow; 12] = [
    StepRow::new("source", "export the sources of the release's commit", true),
    StepRow::new(
        "build",
        "compile and pack what is added, with the release's compiler, and hold it to its size",
        true,
    ),
    StepRow::new(
        "digest",
        "hash what is added and write the edition's checksums of all files",
        true,
    ),
    StepRow::new(
        "boot",
        "boot every added image in QEMU and compare what it says of itself",
        true,
    ),
    StepRow::new(
        "reproduce",
        "build what is added again in other surroundings, where the channel asks for it, and compare every byte",
        true,
    ),
    StepRow::new(
        "documents",
        "write notes, bills of materials and provenance of what is added",
        true,
    ),
    StepRow::new(
        "manifest",
        "write the edition's manifest: everything that is published, and what is added",
        true,
    ),
    StepRow::new(
        "sign",
        "sign what is added, checksums and manifest, and verify the signatures",
        true,
    ),
    StepRow::new(
        "publish",
        "copy artifacts, then documents, beside the published ones",
        true,
    ),
    StepRow::new(
        "read-back",
        "verify the whole release as a reader would, and that nothing published has changed",
        true,
    ),
    StepRow::new(
        "pointer",
        "name the edition in the pointer: what is added is public",
        false,
    ),
    StepRow::new("announce", "write the announcement's draft", false),
];

/// What has to be known of a release that architectures are added to, besides the [`Snapshot`].
#[derive(Clone, Debug, Default)]
pub struct BackfillFacts {
    /// The release as it is public; `None` when the origin has none that is genuine.
    pub published: Option<PublishedRelease>,
    /// Why the origin's manifest of the release cannot be used.
    pub problem: Option<String>,
    /// When the release's commit was made; `None` when the repository does not have it.
    pub commit_time: Option<UtcTime>,
    /// The policy files of the release's commit, or why they cannot be read; `None` without the commit.
    pub policies: Option<Result<Policies, String>>,
    /// SHA-256 of what this machine's compiler says of itself; `None` when it has none that fits.
    pub compiler: Option<Sha256Digest>,
}

/// The newest public edition of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRelease {
    /// Which it is.
    pub edition: Edition,
    /// Its manifest, whose signature was verified.
    pub manifest: Manifest,
    /// SHA-256 of its manifest.
    pub sha256: Sha256Digest,
}

/// One request.
struct Request<'a> {
    snapshot: &'a Snapshot,
    facts: &'a BackfillFacts,
    version: &'a Version,
    /// The architectures that are to be added.
    arches: Vec<Arch>,
    now: UtcTime,
}

impl Request<'_> {
    fn manifest(&self) -> Option<&Manifest> {
        self.facts.published.as_ref().map(|published| &published.manifest)
    }

    /// Those that lag after the back-fill.
    fn still_lagging(&self, manifest: &Manifest) -> Vec<LaggingArch> {
        let stays = |late: &&LaggingArch| !self.arches.contains(&late.arch);
        manifest.lagging.iter().filter(stays).copied().collect()
    }

    /// What the policies of the release's commit describe without these architectures.
    fn described(
        &self,
        manifest: &Manifest,
        without: &[LaggingArch],
    ) -> Option<Result<PlannedFiles, Finding>> {
        let policies = self.facts.policies.as_ref()?.as_ref().ok()?;
        let files = plan_files(policies, Some(&manifest.channel), &self.version.to_string());
        Some(files.map(|files| tiers::leave_out(files, without)))
    }
}

/// Plans to add architectures to a published release: `arches`, or all that lag when it is empty. There is nothing to do
/// when the release has them all.
#[must_use]
pub fn plan_backfill(
    snapshot: &Snapshot,
    facts: &BackfillFacts,
    version: &Version,
    arches: &[Arch],
    now: UtcTime,
) -> Outcome {
    let manifest = facts.published.as_ref().map(|published| &published.manifest);
    let lags = |arch: &Arch| {
        manifest
            .iter()
            .any(|manifest| manifest.lagging.iter().any(|late| late.arch == *arch))
    };
    let done = |manifest: &&Manifest| {
        let has = |arch: &Arch| manifest.artifacts.iter().any(|file| file.arch == Some(*arch));
        if arches.is_empty() {
            manifest.lagging.is_empty()
        } else {
            arches.iter().all(has)
        }
    };
    if let Some(manifest) = manifest.filter(done) {
        return Outcome {
            plan: None,
            findings: Vec::new(),
            already_done: Some(manifest.commit.clone()),
        };
    }
    let wanted = |arch: &Arch| {
        if arches.is_empty() {
            lags(arch)
        } else {
            arches.contains(arch)
        }
    };
    let request = Request {
        snapshot,
        facts,
        version,
        arches: Arch::ALL.into_iter().filter(wanted).collect(),
        now,
    };
    let mut findings = snapshot.policies.check();
    for check in checks::ALL {
        findings.extend(check(&request));
    }
    let plan = match make_plan(&request) {
        Some(Ok(plan)) => Some(plan),
        Some(Err(finding)) => {
            findings.push(finding);
            None
        }
        None => None,
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings.dedup();
    Outcome {
        plan,
        findings,
        already_done: None,
    }
}

/// The plan; `None` when a check has said already why there can be none.
fn make_plan(request: &Request<'_>) -> Option<Result<Plan, Finding>> {
    let published = request.facts.published.as_ref()?;
    let manifest = &published.manifest;
    let edition = published.edition.next()?;
    let time = request.facts.commit_time?;
    let snapshot = request.snapshot;
    let key_role = &snapshot.policies.channels.get(&manifest.channel)?.key_role;
    let lagging = request.still_lagging(manifest);
    let mut files = match request.described(manifest, &lagging)? {
        Ok(files) => files,
        Err(finding) => return Some(Err(finding)),
    };
    files
        .artifacts
        .retain(|planned| !manifest.artifacts.iter().any(|there| there.name == planned.name));
    files
        .documents
        .retain(|document| document.packer.tells_of_additions());
    for document in &mut files.documents {
        match numbered(edition, &document.name) {
            Ok(name) => document.name = name,
            Err(finding) => return Some(Err(finding)),
        }
    }
    let config = &snapshot.policies.config;
    let version = request.version;
    let mut plan = Plan {
        schema: 1,
        command: "backfill".into(),
        product_name: manifest.product_name.clone(),
        product: manifest.product.clone(),
        version: version.clone(),
        channel: manifest.channel.clone(),
        commit: manifest.commit.clone(),
        source_date_epoch: time.unix(),
        created: request.now,
        previous: manifest.previous.clone(),
        remote: config.git.remote.clone(),
        origin: config.publish.origin.display().to_string(),
        // What is added is not staged: its files lie beside published ones, which staging need not have.
        staging: None,
        key_role: key_role.clone(),
        pointer_role: snapshot.policies.signing.pointer_role.clone(),
        refs: Vec::new(),
        artifacts: files.artifacts,
        documents: files.documents,
        lagging,
        candidate: None,
        news: Vec::new(),
        // What may land since does not concern a release that is out.
        exceptions: Vec::new(),
        backfill: Some(PlannedBackfill {
            edition,
            arches: request.arches.clone(),
            manifest_sha256: published.sha256,
            toolchain: manifest.toolchain,
        }),
        objects: Vec::new(),
        pointer: PlannedPointer {
            from: snapshot.origin.pointer_version,
            to: snapshot.origin.pointer_version.unwrap_or(0) + 1,
            head_before: snapshot.origin.heads.get(&manifest.channel).cloned(),
            older_line: false,
            expires: request.now.plus_days(config.publish.pointer_lifetime_days),
        },
        messages: vec![PlannedMessage {
            path: format!(
                ".vrel/outbox/{}.md",
                edition.name(&format!("{version}-announcement"))
            ),
            what: "draft of the announcement".into(),
        }],
        steps: planned_steps(&BACKFILL_STEPS),
    };
    plan.objects = planned_objects(&plan);
    Some(Ok(plan))
}

/// The name that a document has in an edition.
fn numbered(edition: Edition, name: &ArtifactName) -> Result<ArtifactName, Finding> {
    edition.name(name.as_str()).parse().map_err(|_| {
        let message = format!("`{name}` is too long a name to be numbered for an addition");
        Finding::policy("policy-files", message).hint("shorten `name` in artifacts/")
    })
}

//! Planning `release`: the final release, made of an accepted candidate at that candidate's commit.

mod checks;
#[cfg(test)]
mod tests;

use crate::backfill::PublishedRelease;
use crate::cut_rc::{planned_refs, release_branch};
use crate::draft::Draft;
use crate::lineage::releases;
use crate::{Finding, Outcome, Snapshot, StepRow, gates, previous_release, staging};
use vrel_model::{
    ChannelName, Manifest, Plan, PlannedCandidate, PlannedMessage, PlannedNews, Sha256Digest, UtcTime,
    Version,
};

/// The steps of `release`, in order: those of `cut-rc`, and the proof that the final release is its candidate.
pub const RELEASE_STEPS: [StepRow; 21] = [
    StepRow::new(
        "branch",
        "see that the release branch still has the candidate",
        true,
    ),
    StepRow::new("source", "export the sources of the candidate's commit", true),
    StepRow::new(
        "build",
        "compile and pack what the cache has not got, and hold it to its size",
        true,
    ),
    StepRow::new("digest", "hash every artifact and write SHA256SUMS", true),
    StepRow::new(
        "compare",
        "prove that the release and its published candidate differ only where the version stands",
        true,
    ),
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
    StepRow::new("tag", "make the annotated tag on the candidate's commit", true),
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

/// What has to be known for a final release, besides the [`Snapshot`].
#[derive(Clone, Debug, Default)]
pub struct ReleaseFacts {
    /// The candidate that becomes final; `None` when there is none.
    pub candidate: Option<CandidateFacts>,
    /// SHA-256 of what this machine's compiler says of itself; `None` when it has none that fits.
    pub compiler: Option<Sha256Digest>,
}

/// The candidate that becomes final.
#[derive(Clone, Debug)]
pub struct CandidateFacts {
    /// Its version.
    pub version: Version,
    /// The commit that its tag is on.
    pub commit: String,
    /// The release as it is public; `None` when the origin has none that is genuine.
    pub published: Option<PublishedRelease>,
    /// Why the origin's manifest of it cannot be used.
    pub problem: Option<String>,
    /// Whether the release branch still has its commit; `true` where there is no such branch.
    pub on_branch: bool,
    /// The commits of the release branch that it does not have, oldest first.
    pub after: Vec<PlannedNews>,
}

/// The candidate that a final release is made of: the one that a person named, else the newest that is tagged and no dud.
#[must_use]
pub fn candidate_of<'t>(
    snapshot: &'t Snapshot,
    version: &Version,
    named: Option<&Version>,
) -> Option<(Version, &'t str)> {
    releases(&snapshot.tags)
        .filter(|(tagged, _)| tagged.is_candidate() && tagged.final_version() == *version)
        .filter(|(tagged, _)| match named {
            Some(named) => named == tagged,
            None => !snapshot.origin.duds.contains_key(tagged),
        })
        .max_by(|a, b| a.0.cmp(&b.0))
}

/// One request.
struct Request<'a> {
    snapshot: &'a Snapshot,
    facts: &'a ReleaseFacts,
    version: &'a Version,
    /// The candidate that a person named.
    named: Option<&'a Version>,
    channel: &'a ChannelName,
    now: UtcTime,
}

impl<'a> Request<'a> {
    fn candidate(&self) -> Option<&'a CandidateFacts> {
        self.facts.candidate.as_ref()
    }

    /// The candidate's manifest, whose signature was verified.
    fn manifest(&self) -> Option<&'a Manifest> {
        let published = self.candidate()?.published.as_ref()?;
        Some(&published.manifest)
    }
}

/// Plans a final release of the candidate that the facts are of; `named` is the candidate that a person chose.
#[must_use]
pub fn plan_release(
    snapshot: &Snapshot,
    facts: &ReleaseFacts,
    version: &Version,
    named: Option<&Version>,
    now: UtcTime,
) -> Outcome {
    let already_done = snapshot.finished.get(version).cloned();
    if already_done.is_some() {
        return Outcome {
            plan: None,
            findings: Vec::new(),
            already_done,
        };
    }
    let request = Request {
        snapshot,
        facts,
        version,
        named,
        channel: snapshot.final_channel(),
        now,
    };
    let mut findings = snapshot.policies.check();
    for check in checks::ALL {
        findings.extend(check(&request));
    }
    let mut plan = None;
    match make_plan(&request) {
        Some(Ok(made)) => {
            findings.extend(gates::gates(snapshot, &made, now));
            findings.extend(gates::approvals(snapshot, &made, now));
            plan = Some(made);
        }
        Some(Err(finding)) => findings.push(finding),
        None => {}
    }
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
    let candidate = request.candidate()?;
    let published = candidate.published.as_ref()?;
    // Without its channel a release has no key, and a check has said so.
    request.snapshot.policies.channels.get(request.channel)?;
    Some(draw_up(request, candidate, published))
}

fn draw_up(
    request: &Request<'_>,
    candidate: &CandidateFacts,
    published: &PublishedRelease,
) -> Result<Plan, Finding> {
    let (snapshot, version) = (request.snapshot, request.version);
    let draft = Draft {
        command: "release",
        channel: request.channel,
        commit: &candidate.commit,
        previous: previous_release(&snapshot.usable_tags(), version).map(|(previous, _)| previous),
        candidate: Some(PlannedCandidate {
            version: candidate.version.clone(),
            manifest_sha256: published.sha256,
        }),
        refs: planned_refs(snapshot, version, &candidate.commit)?,
        exceptions: snapshot.exceptions.clone(),
        messages: vec![PlannedMessage {
            path: format!(".vrel/outbox/{version}-announcement.md"),
            what: "draft of the announcement".into(),
        }],
        steps: &RELEASE_STEPS,
    };
    draft.draw_up(snapshot, version, &[], request.now)
}

/// The name of the release branch, where `vrel.toml` says it rightly.
fn branch_of(request: &Request<'_>) -> Option<String> {
    release_branch(request.snapshot, request.version).ok()
}

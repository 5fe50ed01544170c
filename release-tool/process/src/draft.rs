//! Drawing up a plan: what all kinds of releases have in common.

use crate::{Finding, Snapshot, plan_files, staging, tiers};
use vrel_model::freeze::FreezeException;
use vrel_model::{
    Arch, ChannelName, Plan, PlannedCandidate, PlannedMessage, PlannedObject, PlannedPointer, PlannedRef,
    PlannedStep, UtcTime, Version,
};

/// One row of a step table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Its name.
    pub name: &'static str,
    /// What it does, for people.
    pub summary: &'static str,
    /// Whether `vrel undo` can take it back.
    pub reversible: bool,
}

impl StepRow {
    pub(crate) const fn new(name: &'static str, summary: &'static str, reversible: bool) -> Self {
        Self {
            name,
            summary,
            reversible,
        }
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

/// What distinguishes one kind of release from another.
pub(crate) struct Draft<'a> {
    /// The command that makes it.
    pub(crate) command: &'static str,
    /// The channel that it is published to.
    pub(crate) channel: &'a ChannelName,
    /// The commit that it is built from.
    pub(crate) commit: &'a str,
    /// The release before it.
    pub(crate) previous: Option<Version>,
    /// The candidate that a final release is made of.
    pub(crate) candidate: Option<PlannedCandidate>,
    /// What may land on its line in spite of a freeze.
    pub(crate) exceptions: Vec<FreezeException>,
    /// What changes in the repository.
    pub(crate) refs: Vec<PlannedRef>,
    /// What is written for people to send.
    pub(crate) messages: Vec<PlannedMessage>,
    /// The steps, in order.
    pub(crate) steps: &'a [StepRow],
}

impl Draft<'_> {
    /// The whole plan of a release, which is at first published without some architectures.
    ///
    /// # Errors
    /// When the policy files do not say all that it needs.
    pub(crate) fn draw_up(
        self,
        snapshot: &Snapshot,
        version: &Version,
        without: &[Arch],
        now: UtcTime,
    ) -> Result<Plan, Finding> {
        let (policies, channel) = (&snapshot.policies, self.channel);
        let config = &policies.config;
        let missing = |what: String| Finding::policy("policy-files", what);
        let key_role = policies
            .channels
            .get(channel)
            .map(|policy| policy.key_role.clone());
        let time = snapshot.commit_times.get(self.commit);
        let time = time.ok_or_else(|| missing(format!("commit {} has no time", self.commit)))?;
        let lagging = tiers::lagging(policies, channel, without, now);
        let files = plan_files(policies, Some(channel), &version.to_string())?;
        let files = tiers::leave_out(files, &lagging);
        let mut plan = Plan {
            schema: 1,
            command: self.command.into(),
            product_name: config.product.name.clone(),
            product: config.product.id.to_string(),
            version: version.clone(),
            channel: channel.clone(),
            commit: self.commit.to_owned(),
            source_date_epoch: time.unix(),
            created: now,
            previous: self.previous,
            remote: config.git.remote.clone(),
            origin: config.publish.origin.display().to_string(),
            staging: config
                .publish
                .staging
                .as_ref()
                .map(|dir| dir.display().to_string()),
            key_role: key_role.ok_or_else(|| missing(format!("channels/{channel}.toml is missing")))?,
            pointer_role: policies.signing.pointer_role.clone(),
            refs: self.refs,
            artifacts: files.artifacts,
            documents: files.documents,
            lagging,
            backfill: None,
            candidate: self.candidate,
            news: snapshot.news.clone().unwrap_or_default(),
            exceptions: self.exceptions,
            objects: Vec::new(),
            pointer: PlannedPointer {
                from: snapshot.origin.pointer_version,
                to: snapshot.origin.pointer_version.unwrap_or(0) + 1,
                head_before: snapshot.origin.takes_the_place_of(channel, version).cloned(),
                older_line: snapshot.origin.is_of_older_line(channel, version),
                expires: now.plus_days(config.publish.pointer_lifetime_days),
            },
            messages: self.messages,
            steps: planned_steps(&staging::rows(self.steps, config)),
        };
        plan.objects = planned_objects(&plan);
        Ok(plan)
    }
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

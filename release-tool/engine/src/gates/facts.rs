//! Gathering what gates are judged by. What cannot be used is said, and never counts.

use super::paths;
use super::smoke::read_smoke;
use crate::interface::interface_facts;
use crate::records::{Records, RecordsView};
use crate::{EngineError, NotesRange, Site, collect_snapshot, notes_context, origin_manifest};
use std::path::Path;
use vrel_model::{
    ChannelName, Decider, Evidence, Manifest, SignedStatement, SignedStatements, UtcTime, Version, toml_file,
};
use vrel_process::{
    BreakingFact, GateFacts, GateSubject, Policies, Snapshot, SoakFact, StatementFact, gate_subject,
};
use vrel_world::World;

/// What is recorded about a release's gates, and what is published of its commit.
///
/// # Errors
/// When the repository or the origin cannot be read. A record that makes no sense is a fact.
pub fn collect_gates(
    world: &dyn World,
    site: &Site,
    snapshot: &Snapshot,
    version: &Version,
    now: UtcTime,
) -> Result<GateFacts, EngineError> {
    let mut facts = recorded(world, site, &snapshot.policies, version, None)?;
    if let Some(subject) = gate_subject(snapshot, version) {
        look_closer(world, site, snapshot, &subject, now, &mut facts)?;
    }
    Ok(facts)
}

/// What a promotion is judged by: the snapshot of the release that is promoted, with the gates of the channel that it enters and
/// the approvals of the promotion in the place of the release's. `None` when its commit is not in the repository.
///
/// # Errors
/// As [`collect_gates`].
pub(crate) fn promotion_snapshot(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    subject: &GateSubject,
    now: UtcTime,
) -> Result<Option<Snapshot>, EngineError> {
    let (version, commit) = (&subject.version, &subject.commit);
    if world.git().revision(site.root(), commit)?.is_none() {
        return Ok(None);
    }
    let mut snapshot = collect_snapshot(world, site, policies.clone(), version)?;
    // What breaks programs is asked of the release, and its branch has gone on.
    let usable = snapshot.usable_tags();
    snapshot.interface = interface_facts(world, site, &policies.config, &usable, version, commit)?;
    snapshot.gates = recorded(world, site, policies, version, Some(&subject.channel))?;
    let mut facts = std::mem::take(&mut snapshot.gates);
    look_closer(world, site, &snapshot, subject, now, &mut facts)?;
    snapshot.gates = facts;
    Ok(Some(snapshot))
}

fn recorded(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    version: &Version,
    promoted_to: Option<&ChannelName>,
) -> Result<GateFacts, EngineError> {
    let view = Records::new(world, site, &policies.config).view()?;
    let mut facts = GateFacts::default();
    read_evidence(&view, version, &mut facts)?;
    read_decisions(&view, policies, version, &mut facts)?;
    read_approvals(
        &view,
        policies,
        &paths::approvals(version, promoted_to),
        &mut facts,
    )?;
    read_smoke(&view, version, &mut facts)?;
    Ok(facts)
}

/// Adds what the gates of the subject's channel need besides.
fn look_closer(
    world: &dyn World,
    site: &Site,
    snapshot: &Snapshot,
    subject: &GateSubject,
    now: UtcTime,
    facts: &mut GateFacts,
) -> Result<(), EngineError> {
    let policies = &snapshot.policies;
    let asks = |wanted: fn(&Decider) -> bool| {
        let channel = policies.channels.get(&subject.channel);
        let mut gates = channel.into_iter().flat_map(|channel| &channel.gates);
        gates.any(|id| policies.gates.get(id).is_some_and(|gate| wanted(&gate.decider)))
    };
    if asks(|decider| matches!(decider, Decider::Documents { .. } | Decider::Platforms {})) {
        facts.manifest = published(world, site, snapshot, subject)?;
    }
    if asks(|decider| matches!(decider, Decider::SoakTime { .. })) {
        facts.soaking = soaking(world, site, snapshot, subject)?;
    }
    if asks(|decider| matches!(decider, Decider::MigrationGuide {})) {
        facts.breaking = breaking(world, site, snapshot, subject, now)?;
    }
    Ok(())
}

/// The evidence of all releases of the series: a candidate's counts for the final release of its commit.
fn read_evidence(
    view: &RecordsView<'_>,
    version: &Version,
    facts: &mut GateFacts,
) -> Result<(), EngineError> {
    let series = version.final_version();
    for path in view.list("releases")? {
        let parts: Vec<&str> = path.split('/').collect();
        let ["releases", of, "evidence", name] = parts[..] else {
            continue;
        };
        let Some(of) = of
            .parse::<Version>()
            .ok()
            .filter(|of| of.final_version() == series)
        else {
            continue;
        };
        let bytes = view.read(&path)?.unwrap_or_default();
        match Evidence::parse(&bytes) {
            Err(error) => facts.problems.push(format!("{path}: {error}")),
            Ok(evidence) if evidence.version != of || name != format!("{}.json", evidence.gate) => {
                let problem = format!(
                    "{path}: it is evidence of the gate {} for {}",
                    evidence.gate, evidence.version
                );
                facts.problems.push(problem);
            }
            Ok(evidence) => facts.evidence.push(evidence),
        }
    }
    Ok(())
}

fn read_decisions(
    view: &RecordsView<'_>,
    policies: &Policies,
    version: &Version,
    facts: &mut GateFacts,
) -> Result<(), EngineError> {
    let path = paths::decisions(version);
    let Some(text) = view.read_text(&path)? else {
        return Ok(());
    };
    match toml_file::parse::<SignedStatements>(Path::new(&path), &text) {
        Err(error) => facts.problems.push(error.to_string()),
        Ok(file) if file.schema != 1 => {
            facts
                .problems
                .push(format!("{path}: schema {}, expected 1", file.schema));
        }
        Ok(file) => {
            let checked = file.decisions.into_iter().map(|signed| checked(policies, signed));
            facts.statements.extend(checked);
        }
    }
    Ok(())
}

fn read_approvals(
    view: &RecordsView<'_>,
    policies: &Policies,
    dir: &str,
    facts: &mut GateFacts,
) -> Result<(), EngineError> {
    for path in view.list(dir)? {
        let text = view.read_text(&path)?.unwrap_or_default();
        match toml_file::parse::<SignedStatement>(Path::new(&path), &text) {
            Err(error) => facts.problems.push(error.to_string()),
            Ok(signed) if path != paths::approval(dir, &signed.statement.person) => {
                let problem = format!("{path}: it is the approval of {}", signed.statement.person);
                facts.problems.push(problem);
            }
            Ok(signed) => facts.approvals.push(checked(policies, signed)),
        }
    }
    Ok(())
}

/// The approvals of a promotion. A file that cannot be used is nobody's.
pub(crate) fn recorded_promotion_approvals(
    view: &RecordsView<'_>,
    policies: &Policies,
    version: &Version,
    to: &ChannelName,
) -> Result<Vec<StatementFact>, EngineError> {
    let mut facts = GateFacts::default();
    read_approvals(view, policies, &paths::approvals(version, Some(to)), &mut facts)?;
    Ok(facts.approvals)
}

/// Every release's approvals, and the files that cannot be used.
///
/// # Errors
/// When the records cannot be read.
pub(crate) fn recorded_approvals(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
) -> Result<(Vec<StatementFact>, Vec<String>), EngineError> {
    let view = Records::new(world, site, &policies.config).view()?;
    let mut versions = Vec::new();
    for path in view.list("releases")? {
        let parts: Vec<&str> = path.split('/').collect();
        if let ["releases", version, "approvals", _] = parts[..] {
            versions.extend(version.parse::<Version>().ok());
        }
    }
    versions.sort();
    versions.dedup();
    let mut facts = GateFacts::default();
    for version in &versions {
        read_approvals(&view, policies, &paths::approvals(version, None), &mut facts)?;
    }
    Ok((facts.approvals, facts.problems))
}

/// A statement, with what is wrong with its signature.
pub(super) fn checked(policies: &Policies, signed: SignedStatement) -> StatementFact {
    let person = &signed.statement.person;
    let problem = match policies.people.get(person) {
        None => Some(format!("there is no signing/people/{person}.toml")),
        Some(signatory) => vrel_trust::verify_personal(&signed, signatory)
            .err()
            .map(|error| error.to_string()),
    };
    StatementFact {
        statement: signed.statement,
        problem,
    }
}

/// The manifest of the release itself or of the newest candidate of its commit, unverified: that the origin's bytes are
/// genuine is a gate of its own.
pub(crate) fn published(
    world: &dyn World,
    site: &Site,
    snapshot: &Snapshot,
    subject: &GateSubject,
) -> Result<Option<Manifest>, EngineError> {
    newest(world, site, snapshot, subject, |_| true)
}

/// The newest manifest of the commit that is wanted.
fn newest(
    world: &dyn World,
    site: &Site,
    snapshot: &Snapshot,
    subject: &GateSubject,
    is_wanted: impl Fn(&Manifest) -> bool,
) -> Result<Option<Manifest>, EngineError> {
    let series = subject.version.final_version();
    let tags = snapshot.tags.iter();
    let mut versions: Vec<Version> = tags
        .filter(|tag| tag.commit == subject.commit)
        .filter_map(|tag| Version::from_tag(&tag.name))
        .filter(|version| version.final_version() == series)
        .collect();
    versions.sort();
    versions.reverse();
    for version in versions {
        if let Some(manifest) = origin_manifest(world, site, &version)?
            && manifest.commit == subject.commit
            && is_wanted(&manifest)
        {
            return Ok(Some(manifest));
        }
    }
    Ok(None)
}

/// What is tested before the subject enters its channel: its newest candidate or, where it is made for another channel and
/// shall be promoted, itself.
fn soaking(
    world: &dyn World,
    site: &Site,
    snapshot: &Snapshot,
    subject: &GateSubject,
) -> Result<Option<SoakFact>, EngineError> {
    let goes_on = |manifest: &Manifest| {
        manifest.version.is_candidate()
            || (manifest.version == subject.version && manifest.channel != subject.channel)
    };
    let found = newest(world, site, snapshot, subject, goes_on)?;
    Ok(found.map(|manifest| SoakFact {
        version: manifest.version,
        commit: manifest.commit,
        channel: manifest.channel,
        since: manifest.created,
    }))
}

/// What the notes say breaks programs since the last final release; nothing breaks for anybody where there is none.
fn breaking(
    world: &dyn World,
    site: &Site,
    snapshot: &Snapshot,
    subject: &GateSubject,
    now: UtcTime,
) -> Result<Option<Vec<BreakingFact>>, EngineError> {
    if snapshot.shallow {
        return Ok(None);
    }
    let Some(previous) = &snapshot.interface.previous else {
        return Ok(Some(Vec::new()));
    };
    let range = NotesRange {
        version: &subject.version,
        previous: Some(previous),
        commit: &subject.commit,
        date: now,
        channel: &subject.channel,
    };
    let notes = notes_context(world, site, &snapshot.policies.config, &range, Vec::new())?;
    let facts = notes.breaking.into_iter().map(|change| BreakingFact {
        has_migration: change.migration.is_some(),
        text: change.text,
    });
    Ok(Some(facts.collect()))
}

//! Gates that are decided from facts at hand.

use super::judge::{GateState, GateSubject, Said};
use super::soak;
use crate::{Snapshot, plan_files};
use std::collections::BTreeSet;
use vrel_interface::Impact;
use vrel_model::{ArtifactKind, Decider, Manifest, SmokePart, UtcTime};

/// Decides a gate at once.
pub(super) fn decide(snapshot: &Snapshot, subject: &GateSubject, decider: &Decider, now: UtcTime) -> Said {
    match decider {
        Decider::BlockingIssues {} => blocking_issues(snapshot),
        Decider::Configuration {} => configuration(snapshot),
        Decider::MigrationGuide {} => migration_guide(snapshot),
        Decider::Documents { kinds } => documents(snapshot, subject, kinds),
        Decider::Platforms {} => platforms(snapshot, subject),
        Decider::SoakTime { .. } => soak::decide(snapshot, subject, now),
        Decider::Smoke { part } => smoke(snapshot, subject, *part),
        other => Said::new(
            GateState::NotRun,
            format!("`{}` is not decided from facts at hand", other.kind()),
        ),
    }
}

/// What brings about the facts that a gate lacks.
pub(super) fn remedy(decider: &Decider) -> String {
    match decider {
        Decider::Smoke { .. } => "release it through staging (`publish.staging` in vrel.toml)".to_owned(),
        Decider::MigrationGuide {} => "mend what is said above, so that the notes can be read".to_owned(),
        _ => "publish a candidate of this commit with `vrel cut-rc`".to_owned(),
    }
}

fn blocking_issues(snapshot: &Snapshot) -> Said {
    let file = snapshot.policies.config.plan.file.display();
    match (&snapshot.plan_problem, snapshot.blockers.as_slice()) {
        (Some(problem), _) => Said::new(GateState::Fail, format!("{file} cannot be read: {problem}")),
        (None, []) => Said::new(GateState::Pass, format!("{file} names none")),
        (None, blockers) => Said::new(GateState::Fail, blockers.join("; ")),
    }
}

fn configuration(snapshot: &Snapshot) -> Said {
    let wrong: Vec<_> = snapshot
        .policies
        .check()
        .into_iter()
        .filter(crate::Finding::is_fatal)
        .map(|finding| finding.message)
        .collect();
    if wrong.is_empty() {
        Said::new(GateState::Pass, "all policy files agree")
    } else {
        Said::new(GateState::Fail, wrong.join("; "))
    }
}

fn migration_guide(snapshot: &Snapshot) -> Said {
    let Some(breaking) = &snapshot.gates.breaking else {
        return Said::new(GateState::NotRun, "the notes were not looked at");
    };
    if let Some(problem) = &snapshot.interface.problem {
        return Said::new(
            GateState::NotRun,
            format!("the interface cannot be read: {problem}"),
        );
    }
    let without: Vec<_> = breaking
        .iter()
        .filter(|change| !change.has_migration)
        .map(|change| change.text.as_str())
        .collect();
    let incompatible: Vec<_> = snapshot
        .interface
        .changes
        .iter()
        .filter(|change| change.impact == Impact::Incompatible)
        .map(|change| change.symbol.as_str())
        .collect();
    if !without.is_empty() {
        let text = format!("no migration is told for: {}", without.join("; "));
        return Said::new(GateState::Fail, text);
    }
    if breaking.is_empty() && !incompatible.is_empty() {
        let text = format!(
            "the notes do not tell of what breaks: {}",
            incompatible.join(", ")
        );
        return Said::new(GateState::Fail, text);
    }
    let text = if breaking.is_empty() {
        "nothing breaks programs".to_owned()
    } else {
        format!("{} breaking changes, each with its migration", breaking.len())
    };
    Said::new(GateState::Pass, text)
}

/// The manifest, when it is of the subject's commit.
fn manifest<'a>(snapshot: &'a Snapshot, subject: &GateSubject) -> Result<&'a Manifest, Said> {
    let none = || Said::new(GateState::NotRun, "no candidate of this commit is published");
    let found = snapshot.gates.manifest.as_ref().ok_or_else(none)?;
    if found.commit == subject.commit {
        Ok(found)
    } else {
        Err(none())
    }
}

fn documents(snapshot: &Snapshot, subject: &GateSubject, kinds: &[ArtifactKind]) -> Said {
    let manifest = match manifest(snapshot, subject) {
        Ok(manifest) => manifest,
        Err(said) => return said,
    };
    let planned = match plan_files(
        &snapshot.policies,
        Some(&manifest.channel),
        &manifest.version.to_string(),
    ) {
        Ok(planned) => planned,
        Err(finding) => return Said::new(GateState::Fail, finding.message),
    };
    let is_there = |kind: &&ArtifactKind| {
        let named = |name: &vrel_model::ArtifactName| {
            manifest.documents.iter().any(|document| document.name == *name)
        };
        let documents: Vec<_> = planned
            .documents
            .iter()
            .filter(|one| one.kind == **kind)
            .collect();
        let has_documents = !documents.is_empty() && documents.iter().all(|one| named(&one.name));
        has_documents || manifest.artifacts.iter().any(|artifact| artifact.kind == **kind)
    };
    let missing: Vec<_> = kinds.iter().filter(|kind| !is_there(kind)).collect();
    let of = |kinds: &[&ArtifactKind]| {
        kinds
            .iter()
            .map(|kind| kind.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if missing.is_empty() {
        let all: Vec<_> = kinds.iter().collect();
        Said::new(GateState::Pass, format!("{} has {}", manifest.version, of(&all)))
    } else {
        Said::new(
            GateState::Fail,
            format!("{} lacks {}", manifest.version, of(&missing)),
        )
    }
}

fn platforms(snapshot: &Snapshot, subject: &GateSubject) -> Said {
    let manifest = match manifest(snapshot, subject) {
        Ok(manifest) => manifest,
        Err(said) => return said,
    };
    let mut missing: Vec<String> = manifest
        .lagging
        .iter()
        .map(|late| format!("{} is missing", late.arch))
        .collect();
    let booted = |name: &str, medium: &str| {
        let records = manifest.boots.iter();
        records
            .filter(|boot| boot.artifact.as_str() == name)
            .any(|boot| boot.medium == medium)
    };
    for artifact in &manifest.artifacts {
        let Some(policy) = snapshot.policies.artifacts.get(&artifact.kind) else {
            continue;
        };
        for medium in &policy.boot {
            let applies = medium.arch.is_none() || medium.arch == artifact.arch;
            if applies && !booted(artifact.name.as_str(), &medium.medium) {
                missing.push(format!("{} was not booted from {}", artifact.name, medium.medium));
            }
        }
    }
    let arches: BTreeSet<_> = manifest
        .artifacts
        .iter()
        .filter_map(|artifact| artifact.arch)
        .collect();
    for arch in &arches {
        let of_arch = manifest
            .artifacts
            .iter()
            .filter(|artifact| artifact.arch == Some(*arch));
        let any = of_arch
            .map(|artifact| &artifact.name)
            .any(|name| manifest.boots.iter().any(|boot| boot.artifact == *name));
        if !any {
            missing.push(format!("nothing of {arch} was booted"));
        }
    }
    if arches.is_empty() {
        missing.push(format!("{} has no architecture", manifest.version));
    }
    if missing.is_empty() {
        let names: Vec<_> = arches.iter().map(ToString::to_string).collect();
        let text = format!("{} boots on {}", manifest.boots.len(), names.join(", "));
        Said::new(GateState::Pass, text)
    } else {
        Said::new(GateState::Fail, missing.join("; "))
    }
}

fn smoke(snapshot: &Snapshot, subject: &GateSubject, part: SmokePart) -> Said {
    let found = snapshot
        .gates
        .smoke
        .iter()
        .find(|fact| fact.part == part && fact.commit == subject.commit);
    match found {
        None => Said::new(GateState::NotRun, "staging has not tried this commit"),
        Some(fact) if fact.passed => Said::new(GateState::Pass, fact.summary.clone()),
        Some(fact) => Said::new(GateState::Fail, fact.summary.clone()),
    }
}

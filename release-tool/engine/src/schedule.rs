//! Gathering what has a date.

use crate::freeze::all_freezes;
use crate::lts::LtsLines;
use crate::records::Records;
use crate::{EngineError, JournalState, Site, load_all};
use jiff::civil::Date;
use std::collections::BTreeMap;
use vrel_model::{Edition, Manifest, Pointer, SignedPointer, UtcTime, Version};
use vrel_process::freeze::LineFreezes;
use vrel_process::{
    FreezeFact, HeadFact, PointerFact, Policies, PublishedFact, RoadmapFact, Schedule, SupportFact, day_of,
};
use vrel_todo::{Todo, When};
use vrel_world::World;

/// Everything that has a date: from a living plan, the origin, the records and the journals. The origin is not verified:
/// nothing is trusted to it here.
///
/// # Errors
/// When one of them cannot be read.
pub fn collect_schedule(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    todo: &Todo,
) -> Result<Schedule, EngineError> {
    let pointer = pointer(world, site)?;
    let heads = match &pointer {
        Some(pointer) => heads(world, site, pointer)?,
        None => Vec::new(),
    };
    let next = todo.next_release().cloned();
    let blocking = next
        .as_ref()
        .map(|next| todo.blockers_of(next))
        .unwrap_or_default();
    let (published, unfinished) = published(world, site, todo)?;
    let records = Records::new(world, site, &policies.config);
    let written = [
        committed(world, site)?,
        records.state()?.time,
        pointer.as_ref().map(|pointer| pointer.issued),
    ];
    Ok(Schedule {
        product: policies.config.product.id.to_string(),
        channels: policies.channels.clone(),
        candidate_channel: policies.config.publish.candidate_channel.clone(),
        roadmap: todo.roadmap().map(roadmap_fact).collect(),
        blocking: blocking
            .into_iter()
            .map(|issue| (issue.line, issue.text.clone()))
            .collect(),
        next,
        published,
        heads,
        pointer: pointer.map(|pointer| PointerFact {
            version: pointer.version,
            issued: pointer.issued,
            expires: pointer.expires,
        }),
        freezes: freezes(&records)?,
        supported: supported(world, site, policies)?,
        unfinished,
        // A repository without a commit has nothing that could have changed.
        as_of: written.into_iter().flatten().max().unwrap_or_else(|| world.now()),
    })
}

/// The freezes of all lines, from the records.
fn freezes(records: &Records<'_>) -> Result<Vec<FreezeFact>, EngineError> {
    let mut facts = Vec::new();
    for LineFreezes { line, file } in all_freezes(&records.view()?)? {
        let windows = (1..).zip(file.windows).map(|(number, window)| FreezeFact {
            line,
            number,
            starts: window.starts,
            ends: window.ends,
            begun: window.commit.is_some(),
            ended: window.end.map(|end| end.at),
        });
        facts.extend(windows);
    }
    Ok(facts)
}

/// The long-term support lines, from the records.
fn supported(world: &dyn World, site: &Site, policies: &Policies) -> Result<Vec<SupportFact>, EngineError> {
    let lines = LtsLines::new(world, site, policies).all()?;
    let facts = lines.into_iter().map(|(line, record)| SupportFact {
        line,
        end_of_life: record.end_of_life.into(),
    });
    Ok(facts.collect())
}

fn roadmap_fact(entry: &vrel_todo::RoadmapRelease) -> RoadmapFact {
    let days = match entry.when.as_deref().and_then(When::parse) {
        Some(When::Within(first, last)) => Some((first, last)),
        _ => None,
    };
    RoadmapFact {
        version: entry.version.clone(),
        last: entry.last.clone(),
        title: entry.title.clone(),
        when: entry.when.clone(),
        days,
        released: entry.released,
    }
}

/// When the checked-out commit was made.
fn committed(world: &dyn World, site: &Site) -> Result<Option<UtcTime>, EngineError> {
    let head = world.git().head(site.root())?.commit;
    let time = head.map(|commit| world.git().commit_time(site.root(), &commit));
    Ok(time.transpose()?)
}

/// A release whose journal has no end, and when it was begun.
type Unfinished = (Version, UtcTime);

/// What was published, from the plan's records and the journals that are at their end; and the release that is at none.
fn published(
    world: &dyn World,
    site: &Site,
    todo: &Todo,
) -> Result<(Vec<PublishedFact>, Option<Unfinished>), EngineError> {
    let mut days: BTreeMap<(Version, String), Date> = BTreeMap::new();
    for publication in todo.publications() {
        // A day that is none is for `vrel todo check` to find.
        if let Ok(day) = publication.date.parse() {
            days.insert((publication.version, publication.channel), day);
        }
    }
    let mut unfinished = None;
    for journal in load_all(world, site)? {
        let plan = journal.plan();
        match journal.state() {
            JournalState::Finished => {
                let key = (plan.version.clone(), plan.channel.to_string());
                days.entry(key).or_insert_with(|| day_of(plan.created));
            }
            JournalState::Undone => {}
            JournalState::Unfinished { .. } | JournalState::Undoing => {
                unfinished = Some((plan.version.clone(), plan.created));
            }
        }
    }
    let published = days.into_iter().filter_map(|((version, channel), day)| {
        Some(PublishedFact {
            version,
            channel: channel.parse().ok()?,
            day,
        })
    });
    Ok((published.collect(), unfinished))
}

fn pointer(world: &dyn World, site: &Site) -> Result<Option<Pointer>, EngineError> {
    let path = site.origin().join("pointer.json");
    if world.fs().metadata(&path)?.is_none() {
        return Ok(None);
    }
    let read = SignedPointer::parse(&world.fs().read(&path)?).and_then(|signed| signed.pointer());
    read.map(Some).map_err(|error| EngineError::Policy {
        path,
        reason: error.to_string(),
    })
}

fn heads(world: &dyn World, site: &Site, pointer: &Pointer) -> Result<Vec<HeadFact>, EngineError> {
    let mut heads = Vec::new();
    for (channel, head) in &pointer.channels {
        let edition = pointer.edition(&head.release);
        let manifest = manifest(world, site, &head.release, edition)?;
        heads.push(HeadFact {
            channel: channel.clone(),
            version: head.release.clone(),
            created: manifest.as_ref().map(|manifest| manifest.created),
            lagging: manifest
                .map(|manifest| {
                    manifest
                        .lagging
                        .iter()
                        .map(|late| (late.arch, late.until))
                        .collect()
                })
                .unwrap_or_default(),
        });
    }
    Ok(heads)
}

/// The manifest of one edition of a release; `None` when the origin has none.
fn manifest(
    world: &dyn World,
    site: &Site,
    version: &Version,
    edition: Edition,
) -> Result<Option<Manifest>, EngineError> {
    let dir = site.origin().join("releases").join(version.to_string());
    let path = dir.join(edition.manifest());
    if world.fs().metadata(&path)?.is_none() {
        return Ok(None);
    }
    Manifest::parse(&world.fs().read(&path)?)
        .map(Some)
        .map_err(|error| EngineError::Policy {
            path,
            reason: error.to_string(),
        })
}

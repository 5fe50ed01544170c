//! What the records say of moves of the pointer, and what they lack.

use crate::EngineError;
use crate::gates::recorded_promotion_approvals;
use crate::records::RecordsView;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;
use vrel_model::{
    ChannelName, Dud, DudRecord, PersonId, Pointer, Promotion, Promotions, RecordedRollback, Rollbacks,
    UtcTime, Version, toml_file,
};
use vrel_process::channels::ChannelFacts;
use vrel_process::promotion_approvals;
use vrel_world::FileEdit;

fn path(version: &Version, file: &str) -> String {
    format!("releases/{version}/{file}")
}

fn read<T: DeserializeOwned>(view: &RecordsView<'_>, path: &str) -> Result<Option<T>, EngineError> {
    let text = view.read_text(path)?;
    let parsed = text.map(|text| toml_file::parse(Path::new(path), &text));
    Ok(parsed.transpose()?)
}

/// The files of this name of all releases.
fn all<T: DeserializeOwned>(view: &RecordsView<'_>, name: &str) -> Result<BTreeMap<Version, T>, EngineError> {
    let mut found = BTreeMap::new();
    for file in view.list("releases")? {
        let parts: Vec<&str> = file.split('/').collect();
        if let ["releases", version, last] = parts.as_slice()
            && *last == name
            && let Ok(version) = version.parse::<Version>()
            && let Some(record) = read(view, &file)?
        {
            found.insert(version, record);
        }
    }
    Ok(found)
}

/// The releases that the records call duds.
pub(crate) fn recorded_duds(view: &RecordsView<'_>) -> Result<BTreeMap<Version, Dud>, EngineError> {
    let records = all::<DudRecord>(view, "dud.toml")?;
    Ok(records
        .into_iter()
        .map(|(version, record)| (version, record.dud))
        .collect())
}

/// The promotions of one release, oldest first.
///
/// # Errors
/// When the records cannot be read, or the file is none of promotions.
pub fn promotions_of(view: &RecordsView<'_>, version: &Version) -> Result<Vec<Promotion>, EngineError> {
    let record = read::<Promotions>(view, &path(version, "promotions.toml"))?;
    Ok(record.unwrap_or_default().promotions)
}

/// All promotions, by release.
pub(crate) fn promotions(view: &RecordsView<'_>) -> Result<BTreeMap<Version, Vec<Promotion>>, EngineError> {
    let records = all::<Promotions>(view, "promotions.toml")?;
    Ok(records
        .into_iter()
        .map(|(version, record)| (version, record.promotions))
        .collect())
}

/// What has to be written so that the records say what the pointer says.
pub(super) fn missing(
    view: &RecordsView<'_>,
    facts: &ChannelFacts,
    pointer: &Pointer,
    by: &str,
) -> Result<Vec<FileEdit>, EngineError> {
    let mut promoted: BTreeMap<Version, Promotions> = BTreeMap::new();
    let mut gone_back: BTreeMap<Version, Rollbacks> = BTreeMap::new();
    let older = pointer
        .older_lines
        .iter()
        .flat_map(|(channel, heads)| heads.iter().map(move |head| (channel, head)));
    for (channel, head) in pointer.channels.iter().chain(older) {
        if let Some(rollback) = &head.rollback {
            let file = path(&rollback.from, "rollbacks.toml");
            let mut record = match gone_back.remove(&rollback.from) {
                Some(record) => record,
                None => read::<Rollbacks>(view, &file)?.unwrap_or_default(),
            };
            let is_known = record.rollbacks.iter().any(|known| {
                known.channel == *channel && known.to == head.release && known.at == rollback.at
            });
            if !is_known {
                record.rollbacks.push(RecordedRollback {
                    channel: channel.clone(),
                    to: head.release.clone(),
                    reason: rollback.reason.clone(),
                    by: by.to_owned(),
                    at: rollback.at,
                    pointer: pointer.version,
                });
            }
            gone_back.insert(rollback.from.clone(), record);
        }
        let release = facts.releases.get(&head.release);
        if let Some(release) = release.filter(|release| release.channel != *channel) {
            let file = path(&head.release, "promotions.toml");
            let mut record = match promoted.remove(&head.release) {
                Some(record) => record,
                None => read::<Promotions>(view, &file)?.unwrap_or_default(),
            };
            if !record.promotions.iter().any(|known| known.to == *channel) {
                record.promotions.push(Promotion {
                    from: source(facts, &head.release, channel)
                        .unwrap_or(&release.channel)
                        .clone(),
                    to: channel.clone(),
                    by: by.to_owned(),
                    approved_by: promotion_approvers(view, facts, &head.release, channel, pointer.issued)?,
                    at: pointer.issued,
                    pointer: pointer.version,
                });
            }
            promoted.insert(head.release.clone(), record);
        }
    }
    let mut edits = Vec::new();
    for (version, record) in &gone_back {
        edits.push(write(&path(version, "rollbacks.toml"), record)?);
    }
    for (version, record) in &promoted {
        edits.push(write(&path(version, "promotions.toml"), record)?);
    }
    for (version, dud) in &pointer.duds {
        let file = path(version, "dud.toml");
        if view.read(&file)?.is_none() {
            let record = DudRecord {
                by: by.to_owned(),
                pointer: pointer.version,
                dud: dud.clone(),
            };
            edits.push(write(&file, &record)?);
        }
    }
    Ok(edits)
}

/// Whose approvals of a promotion counted when it was made.
fn promotion_approvers(
    view: &RecordsView<'_>,
    facts: &ChannelFacts,
    version: &Version,
    to: &ChannelName,
    at: UtcTime,
) -> Result<Vec<PersonId>, EngineError> {
    let Some(promotion) = facts.promotion(version, to) else {
        return Ok(Vec::new());
    };
    let recorded = recorded_promotion_approvals(view, &facts.policies, version, to)?;
    Ok(promotion_approvals(&facts.policies, &recorded, &promotion, at).given)
}

/// The channel that a promoted release came from: the first that the target names.
fn source<'f>(facts: &'f ChannelFacts, version: &Version, to: &ChannelName) -> Option<&'f ChannelName> {
    let policy = facts.policies.channels.get(to)?;
    policy
        .from
        .iter()
        .find(|from| facts.entered(version, from).is_some())
}

fn write(path: &str, record: &impl Serialize) -> Result<FileEdit, EngineError> {
    let text = toml_edit::ser::to_string_pretty(record).map_err(|error| EngineError::Policy {
        path: path.into(),
        reason: error.to_string(),
    })?;
    Ok(FileEdit::Write {
        path: path.to_owned(),
        content: text.into_bytes(),
    })
}

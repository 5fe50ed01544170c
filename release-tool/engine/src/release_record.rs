//! The record of a release: one directory of plain files on the branch of records.

use crate::gates::{collect_gates, paths};
use crate::records::{Changed, Records, RecordsView};
use crate::{EngineError, Site};
use std::path::Path;
use vrel_model::{
    Config, Evidence, Plan, RecordedEvidence, RecordedGate, RecordedJournal, ReleaseRecord, Sha256Digest,
    Version, toml_file,
};
use vrel_process::{GateSubject, Snapshot, judge_approvals, judge_gates};
use vrel_trust::digest_bytes;
use vrel_world::{FileEdit, World};

/// Where the record of a release lies.
fn record_path(version: &Version) -> String {
    format!("{}/record.toml", paths::release_dir(version))
}

fn plan_path(version: &Version) -> String {
    format!("{}/plan.json", paths::release_dir(version))
}

fn lessons_path(version: &Version) -> String {
    format!("{}/lessons.md", paths::release_dir(version))
}

fn refused(message: impl std::fmt::Display) -> EngineError {
    EngineError::Refused {
        message: message.to_string(),
        hint: None,
    }
}

/// The record of a release; `None` when there is none.
///
/// # Errors
/// When the repository cannot be read, or the file is not a record.
pub fn read_record(view: &RecordsView<'_>, version: &Version) -> Result<Option<ReleaseRecord>, EngineError> {
    let path = record_path(version);
    let Some(text) = view.read_text(&path)? else {
        return Ok(None);
    };
    Ok(Some(toml_file::parse(Path::new(&path), &text)?))
}

/// What was learned from a release; `None` when nobody wrote it down.
///
/// # Errors
/// When the repository cannot be read, or the file is not UTF-8.
pub fn read_lessons(view: &RecordsView<'_>, version: &Version) -> Result<Option<String>, EngineError> {
    view.read_text(&lessons_path(version))
}

/// Writes down what was learned from a release, in the place of what was written before.
///
/// # Errors
/// When the release has no record, or the records cannot be changed.
pub fn record_lessons(
    world: &dyn World,
    site: &Site,
    config: &Config,
    version: &Version,
    text: &str,
) -> Result<Changed, EngineError> {
    let message = format!("docs(record): lessons learned from {version}\n");
    Records::new(world, site, config).change(&message, &mut |view| {
        if read_record(view, version)?.is_none() {
            return Err(EngineError::Refused {
                message: format!("{version} has no record: it is not released, or by an older tool"),
                hint: Some("`vrel records show` lists what is recorded".to_owned()),
            });
        }
        Ok(vec![FileEdit::Write {
            path: lessons_path(version),
            content: text.as_bytes().to_vec(),
        }])
    })
}

/// What a record is made from.
pub(crate) struct Recording<'a> {
    pub(crate) world: &'a dyn World,
    pub(crate) site: &'a Site,
    pub(crate) plan: &'a Plan,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) manifest_sha256: Sha256Digest,
    /// The smoke tests' report, where the release went through staging.
    pub(crate) smoke: Option<Vec<u8>>,
}

impl Recording<'_> {
    fn records(&self) -> Records<'_> {
        Records::new(self.world, self.site, &self.snapshot.policies.config)
    }

    /// Whether the release is recorded: also on the remote, where there is one.
    pub(crate) fn is_done(&self) -> Result<bool, EngineError> {
        let records = self.records();
        let record = read_record(&records.view()?, &self.plan.version)?;
        let same = record.is_some_and(|record| record.manifest_sha256 == self.manifest_sha256);
        Ok(same && (self.snapshot.remote_url.is_none() || records.state()?.pushed))
    }

    /// Writes the record, unless it is there.
    pub(crate) fn write(&self) -> Result<Changed, EngineError> {
        let version = &self.plan.version;
        let plan = serde_json::to_vec_pretty(self.plan).map_err(refused)?;
        let by = self.world.git().committer(self.site.root())?;
        let journal = self.journal()?;
        let message = format!(
            "record {version} in {}\n\nCommit: {}\nManifest-SHA256: {}\n",
            self.plan.channel, self.plan.commit, self.manifest_sha256
        );
        self.records().change(&message, &mut |view| {
            if let Some(there) = read_record(view, version)? {
                if there.manifest_sha256 == self.manifest_sha256 {
                    return Ok(Vec::new());
                }
                return Err(EngineError::Refused {
                    message: format!(
                        "{version} is recorded already, with the manifest {}; this one is {}",
                        there.manifest_sha256, self.manifest_sha256
                    ),
                    hint: Some("one version is one release: look who released the other".to_owned()),
                });
            }
            let record = self.record(view, &by, &journal)?;
            let text = toml_edit::ser::to_string_pretty(&record).map_err(refused)?;
            let file = |path: String, content: Vec<u8>| FileEdit::Write { path, content };
            let mut edits = vec![
                file(plan_path(version), [plan.as_slice(), b"\n"].concat()),
                file(record_path(version), text.into_bytes()),
            ];
            if let Some(smoke) = &self.smoke {
                edits.push(file(paths::smoke(version), smoke.clone()));
            }
            Ok(edits)
        })
    }

    fn record(
        &self,
        view: &RecordsView<'_>,
        by: &str,
        journal: &RecordedJournal,
    ) -> Result<ReleaseRecord, EngineError> {
        let plan = self.plan;
        let now = self.world.now();
        let mut snapshot = self.snapshot.clone();
        snapshot.gates = collect_gates(self.world, self.site, &snapshot, &plan.version, now)?;
        let subject = GateSubject {
            version: plan.version.clone(),
            channel: plan.channel.clone(),
            commit: plan.commit.clone(),
        };
        let gates = judge_gates(&snapshot, &subject, now).into_iter();
        let gates = gates.map(|judged| RecordedGate {
            gate: judged.gate,
            title: judged.title,
            state: match serde_json::to_value(judged.state) {
                Ok(serde_json::Value::String(state)) => state,
                _ => judged.state.to_string(),
            },
            detail: judged.detail,
        });
        let of_commit = |found: &&Evidence| found.commit == plan.commit;
        let mut evidence = Vec::new();
        for found in snapshot.gates.evidence.iter().filter(of_commit) {
            let bytes = view.read(&paths::evidence(&found.version, &found.gate))?;
            evidence.push(RecordedEvidence {
                gate: found.gate.clone(),
                version: found.version.clone(),
                at: found.at,
                sha256: digest_bytes(&bytes.unwrap_or_default()).sha256,
            });
        }
        let approvals = judge_approvals(&snapshot, plan, now);
        Ok(ReleaseRecord {
            schema: 1,
            product: plan.product.clone(),
            version: plan.version.clone(),
            channel: plan.channel.clone(),
            command: plan.command.clone(),
            commit: plan.commit.clone(),
            planned: plan.created,
            recorded: now,
            by: by.to_owned(),
            manifest_sha256: self.manifest_sha256,
            plan_sha256: plan.approval_digest().map_err(refused)?,
            journal: journal.clone(),
            approved_by: approvals.given,
            approvals_needed: approvals.needed,
            gates: gates.collect(),
            evidence,
            exceptions: plan.exceptions.clone(),
        })
    }

    /// The journal's whole lines, as they are now.
    fn journal(&self) -> Result<RecordedJournal, EngineError> {
        let path = self.site.journal(&self.plan.version, self.plan.edition());
        let bytes = self.world.fs().read(&path)?;
        let end = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        Ok(RecordedJournal {
            lines: bytes[..end].iter().filter(|byte| **byte == b'\n').count(),
            sha256: digest_bytes(&bytes[..end]).sha256,
        })
    }
}

/// Whether this machine's journal of a release begins as the record says; `None` when it has none.
///
/// # Errors
/// When it cannot be read.
pub fn journal_agrees(
    world: &dyn World,
    site: &Site,
    record: &ReleaseRecord,
) -> Result<Option<bool>, EngineError> {
    let path = site.journal(&record.version, vrel_model::Edition::FIRST);
    if world.fs().metadata(&path)?.is_none() {
        return Ok(None);
    }
    let bytes = world.fs().read(&path)?;
    let lines: Vec<&[u8]> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(record.journal.lines)
        .collect();
    Ok(Some(
        lines.len() == record.journal.lines && digest_bytes(&lines.concat()).sha256 == record.journal.sha256,
    ))
}

//! The journal of a release: hash-chained JSON lines, each durable before the next thing happens.

use crate::site::is_run_name;
use crate::{EngineError, Site};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use vrel_model::{Edition, Plan, Sha256Digest, UtcTime, Version};
use vrel_world::{FileKind, World};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A person agreed to this plan.
    Started {
        /// The plan.
        plan: Box<Plan>,
    },
    /// A step is about to act.
    Begun {
        /// The step.
        step: String,
    },
    /// A step's end state holds.
    Done {
        /// The step.
        step: String,
        /// What is there now.
        note: String,
    },
    /// A step failed, or was interrupted.
    Failed {
        /// The step.
        step: String,
        /// Why.
        message: String,
    },
    /// Everything is done.
    Finished,
    /// A person asked to take it back.
    UndoStarted,
    /// A step was taken back.
    StepUndone {
        /// The step.
        step: String,
    },
    /// Everything was taken back.
    Undone,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts from 0.
    pub seq: u64,
    /// SHA-256 of the line before, without its line end; zeros in the first.
    pub prev: Sha256Digest,
    /// When it was written.
    pub time: UtcTime,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// How a release stands, as its journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum JournalState {
    /// Not at its end; `failure` is why it stopped, if it said so.
    Unfinished {
        /// The step that comes next.
        step: String,
        /// Why it stopped.
        failure: Option<String>,
    },
    /// At its end.
    Finished,
    /// Being taken back.
    Undoing,
    /// Taken back.
    Undone,
}

/// A release's journal.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
    records: Vec<Record>,
    plan: Plan,
    /// The valid lines' bytes.
    text: String,
    /// Whether the file has bytes after the valid lines: a process died while it wrote.
    torn: bool,
}

const FIRST: Sha256Digest = Sha256Digest::new([0; 32]);

fn digest(line: &str) -> Sha256Digest {
    Sha256Digest::new(Sha256::digest(line.as_bytes()).into())
}

impl Journal {
    /// Starts the journal of a release. What has been there under the version's name must have been undone before.
    ///
    /// # Errors
    /// As any write.
    pub fn start(world: &dyn World, site: &Site, plan: Plan) -> Result<Self, EngineError> {
        let path = site.journal(&plan.version, plan.edition());
        world.fs().create_dir_all(&site.journals())?;
        let mut journal = Self {
            path,
            records: Vec::new(),
            plan: plan.clone(),
            text: String::new(),
            torn: false,
        };
        let line = journal.next_line(world.now(), Event::Started { plan: Box::new(plan) })?;
        world.fs().write(&journal.path, line.as_bytes(), 0o644)?;
        journal.text = line;
        Ok(journal)
    }

    /// Reads the journal by which a release was made; `None` when there is none.
    ///
    /// # Errors
    /// When it is damaged. A last line that was cut off by a crash is no damage.
    pub fn load(world: &dyn World, site: &Site, version: &Version) -> Result<Option<Self>, EngineError> {
        Self::load_edition(world, site, version, Edition::FIRST)
    }

    /// Reads the journal by which an edition of a release was made; `None` when there is none.
    ///
    /// # Errors
    /// As [`Journal::load`].
    pub fn load_edition(
        world: &dyn World,
        site: &Site,
        version: &Version,
        edition: Edition,
    ) -> Result<Option<Self>, EngineError> {
        let path = site.journal(version, edition);
        if world.fs().metadata(&path)?.is_none() {
            return Ok(None);
        }
        Self::read(world, &path).map(Some)
    }

    fn read(world: &dyn World, path: &Path) -> Result<Self, EngineError> {
        let bytes = world.fs().read(path)?;
        let damaged = |line: usize, reason: String| EngineError::Journal {
            path: path.to_owned(),
            line,
            reason,
        };
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| damaged(1, error.to_string()))?;
        let mut records: Vec<Record> = Vec::new();
        let mut prev = FIRST;
        for (index, line) in text.lines().enumerate() {
            let record: Record =
                serde_json::from_str(line).map_err(|error| damaged(index + 1, error.to_string()))?;
            if record.prev != prev || record.seq != index as u64 {
                return Err(damaged(
                    index + 1,
                    "it does not follow from the line before".into(),
                ));
            }
            prev = digest(line);
            records.push(record);
        }
        let Some(Event::Started { plan }) = records.first().map(|record| &record.event) else {
            return Err(damaged(1, "it does not start with a plan".into()));
        };
        let plan = (**plan).clone();
        Ok(Self {
            path: path.to_owned(),
            plan,
            text: text.to_owned(),
            torn: whole < bytes.len(),
            records,
        })
    }

    fn next_line(&mut self, time: UtcTime, event: Event) -> Result<String, EngineError> {
        let prev = self.text.lines().last().map_or(FIRST, digest);
        let record = Record {
            seq: self.records.len() as u64,
            prev,
            time,
            event,
        };
        let line = serde_json::to_string(&record).map_err(|error| EngineError::Journal {
            path: self.path.clone(),
            line: self.records.len() + 1,
            reason: error.to_string(),
        })?;
        self.records.push(record);
        Ok(line + "\n")
    }

    /// Adds an event, durably.
    ///
    /// # Errors
    /// As any write.
    pub fn append(&mut self, world: &dyn World, event: Event) -> Result<(), EngineError> {
        if self.torn {
            world.fs().write(&self.path, self.text.as_bytes(), 0o644)?;
            self.torn = false;
        }
        let line = self.next_line(world.now(), event)?;
        if let Err(error) = world.fs().append(&self.path, line.as_bytes()) {
            self.records.pop();
            self.torn = true;
            return Err(error.into());
        }
        self.text.push_str(&line);
        Ok(())
    }

    /// Puts an undone journal away, so that the version can be cut again.
    ///
    /// # Errors
    /// As any write.
    pub fn archive(self, world: &dyn World) -> Result<(), EngineError> {
        let name = |number: u32| self.path.with_extension(format!("undone-{number}.jsonl"));
        let mut number = 1;
        while world.fs().metadata(&name(number))?.is_some() {
            number += 1;
        }
        Ok(world.fs().rename(&self.path, &name(number))?)
    }

    /// The plan that is followed.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All lines.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether the step's end state was recorded, and not taken back since.
    #[must_use]
    pub fn is_done(&self, step: &str) -> bool {
        self.records.iter().rev().find_map(|record| match &record.event {
            Event::Done { step: done, .. } if done == step => Some(true),
            Event::StepUndone { step: undone } if undone == step => Some(false),
            _ => None,
        }) == Some(true)
    }

    /// Whether the step has ever acted.
    #[must_use]
    pub fn was_begun(&self, step: &str) -> bool {
        self.records
            .iter()
            .any(|record| matches!(&record.event, Event::Begun { step: begun } if begun == step))
    }

    /// How the release stands.
    #[must_use]
    pub fn state(&self) -> JournalState {
        for record in self.records.iter().rev() {
            match &record.event {
                Event::Finished => return JournalState::Finished,
                Event::Undone => return JournalState::Undone,
                Event::UndoStarted | Event::StepUndone { .. } => return JournalState::Undoing,
                _ => {}
            }
        }
        let failure = match self.records.last().map(|record| &record.event) {
            Some(Event::Failed { message, .. }) => Some(message.clone()),
            _ => None,
        };
        let next = self.plan.steps.iter().find(|step| !self.is_done(&step.name));
        JournalState::Unfinished {
            step: next.map_or_else(String::new, |step| step.name.clone()),
            failure,
        }
    }

    /// Whether `undo` and `resume` have something to do with it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(
            self.state(),
            JournalState::Unfinished { .. } | JournalState::Undoing
        )
    }
}

/// All journals of releases that were not undone, in the order of their versions and editions.
///
/// # Errors
/// When one of them is damaged.
pub fn load_all(world: &dyn World, site: &Site) -> Result<Vec<Journal>, EngineError> {
    if world.fs().metadata(&site.journals())?.is_none() {
        return Ok(Vec::new());
    }
    let mut journals = Vec::new();
    for entry in world.fs().list(&site.journals())? {
        let name = entry.name.strip_suffix(".jsonl");
        if entry.kind == FileKind::File && name.is_some_and(is_run_name) {
            journals.push(Journal::read(world, &site.journals().join(&entry.name))?);
        }
    }
    journals.sort_by(|a, b| {
        let key = |journal: &Journal| (journal.plan.version.clone(), journal.plan.edition());
        key(a).cmp(&key(b))
    });
    Ok(journals)
}

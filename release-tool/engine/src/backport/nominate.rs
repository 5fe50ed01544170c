//! Putting commits into the queue, and deciding about them.

use super::{BackportQueue, LineBranches, from_finding, refused, subject};
use crate::EngineError;
use std::path::Path;
use vrel_model::{Backport, BackportEvent, BackportState, Backports, HistoryCommit};
use vrel_process::{Decision, Nominee, Present, check_nominee, decide, short};
use vrel_world::FileEdit;

/// What happened to candidates of the queue.
type News = Vec<(Candidate, BackportEvent)>;

/// A commit that somebody named.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Candidate {
    /// The commit.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// For a merge: the parent that its change is taken against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mainline: Option<u32>,
}

impl From<&HistoryCommit> for Candidate {
    fn from(commit: &HistoryCommit) -> Self {
        Self {
            commit: commit.id.clone(),
            subject: subject(&commit.message),
            mainline: commit.is_merge().then_some(1),
        }
    }
}

/// What became of the commits that somebody nominated or decided about.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Nominated {
    /// What was recorded.
    pub recorded: Vec<Candidate>,
    /// What stood in the queue like that already.
    pub already: Vec<Candidate>,
    /// What is on the line already.
    pub present: Vec<(Candidate, Present)>,
}

impl BackportQueue<'_> {
    /// The commits that a person means: a commit in the words of gitrevisions, a range `A..B` without its merges, or `#123`
    /// for the pull request that a subject names. In the order of the texts, those of a range oldest first.
    ///
    /// # Errors
    /// When a text names nothing.
    pub fn candidates(
        &self,
        branches: &LineBranches,
        texts: &[String],
    ) -> Result<Vec<Candidate>, EngineError> {
        let mut found: Vec<Candidate> = Vec::new();
        for text in texts {
            let named = if let Some(number) = text.strip_prefix('#') {
                vec![self.of_pull_request(branches, number)?]
            } else if let Some((from, to)) = text.split_once("..") {
                self.of_range(text, from, to)?
            } else {
                vec![self.candidate(&self.commit_of(text)?)?]
            };
            for candidate in named {
                if !found.contains(&candidate) {
                    found.push(candidate);
                }
            }
        }
        Ok(found)
    }

    fn commit_of(&self, text: &str) -> Result<String, EngineError> {
        let found = self.git().revision(self.root(), text)?;
        found.ok_or_else(|| {
            refused(
                format!("`{text}` names no commit here"),
                "a commit, a range A..B, or #123 for a pull request; `git fetch` may be needed first",
            )
        })
    }

    fn candidate(&self, commit: &str) -> Result<Candidate, EngineError> {
        let parent = self.git().first_parent(self.root(), commit)?;
        let hidden: Vec<&str> = parent.iter().map(String::as_str).collect();
        let history = self.git().difference(self.root(), &[commit], &hidden)?.ours;
        let found = history.iter().find(|one| one.id == commit).map(Candidate::from);
        found.ok_or_else(|| refused(format!("`{commit}` cannot be read"), "run `git fsck`"))
    }

    fn of_range(&self, text: &str, from: &str, to: &str) -> Result<Vec<Candidate>, EngineError> {
        let (from, to) = (self.commit_of(from)?, self.commit_of(to)?);
        let mut commits = self.git().difference(self.root(), &[&to], &[&from])?.ours;
        commits.retain(|commit| !commit.is_merge());
        commits.reverse();
        if commits.is_empty() {
            return Err(refused(
                format!("the range `{text}` has no commits"),
                "name the older end first",
            ));
        }
        Ok(commits.iter().map(Candidate::from).collect())
    }

    /// The merge of a pull request, or the commit that it was squashed into.
    fn of_pull_request(&self, branches: &LineBranches, number: &str) -> Result<Candidate, EngineError> {
        let merged = format!("Merge pull request #{number} ");
        let squashed = format!("(#{number})");
        let is_it = |commit: &&HistoryCommit| {
            let subject = subject(&commit.message);
            format!("{subject} ").starts_with(&merged) || subject.ends_with(&squashed)
        };
        // The merge comes after the commits that it merges, whose subjects may name the request too.
        let found = branches.ahead.iter().rev().find(is_it).map(Candidate::from);
        found.ok_or_else(|| {
            let main = &self.config.git.main;
            refused(
                format!(
                    "no commit of `{main}` that {} lacks names #{number} in its subject",
                    self.line
                ),
                "name the commit instead",
            )
        })
    }

    /// Nominates commits.
    ///
    /// # Errors
    /// When one is not on the development branch; nothing is recorded then.
    pub fn nominate(
        &self,
        branches: &LineBranches,
        candidates: Vec<Candidate>,
        reason: Option<&str>,
    ) -> Result<Nominated, EngineError> {
        let ids: Vec<&str> = candidates.iter().map(|one| one.commit.as_str()).collect();
        let present = self.present(branches, &ids)?;
        let mut findings = Vec::new();
        for (candidate, present) in candidates.iter().zip(&present) {
            let nominee = Nominee {
                commit: candidate.commit.clone(),
                on_main: self
                    .git()
                    .is_ancestor(self.root(), &candidate.commit, &branches.main)?,
                present: present.clone(),
            };
            findings.extend(check_nominee(&nominee, self.line, &self.config.git.main));
        }
        if !findings.is_empty() {
            let hint = findings[0].hint.clone();
            let messages: Vec<String> = findings.iter().map(ToString::to_string).collect();
            return Err(EngineError::Refused {
                message: messages.join("\n"),
                hint,
            });
        }
        let mut missing = Vec::new();
        let mut there = Vec::new();
        for (candidate, present) in candidates.into_iter().zip(present) {
            match present {
                Some(present) => there.push((candidate, present)),
                None => missing.push(candidate),
            }
        }
        let mut outcome = self.record(&missing, Decision::Nominate, reason)?;
        outcome.present = there;
        Ok(outcome)
    }

    /// Accepts or rejects commits of the queue.
    ///
    /// # Errors
    /// When one is not in the queue, or somebody decided otherwise; nothing is recorded then.
    pub fn decide(
        &self,
        candidates: &[Candidate],
        decision: Decision,
        reason: Option<&str>,
    ) -> Result<Nominated, EngineError> {
        self.record(candidates, decision, reason)
    }

    fn record(
        &self,
        candidates: &[Candidate],
        decision: Decision,
        reason: Option<&str>,
    ) -> Result<Nominated, EngineError> {
        let mut outcome = Nominated::default();
        if candidates.is_empty() {
            return Ok(outcome);
        }
        let (verb, state) = match decision {
            Decision::Nominate => ("nominate", BackportState::Nominated),
            Decision::Accept => ("accept", BackportState::Accepted),
            Decision::Reject => ("reject", BackportState::Rejected),
        };
        let mut event = self.event(state)?;
        event.reason = reason.map(str::to_owned);
        let named: Vec<&str> = candidates.iter().map(|one| short(&one.commit)).collect();
        let message = format!("chore(backport): {verb} {} for {}\n", named.join(", "), self.line);
        self.change(&message, &mut |queue| {
            outcome = Nominated::default();
            let mut events = Vec::new();
            for candidate in candidates {
                if decide(queue, &candidate.commit, decision).map_err(from_finding)? {
                    outcome.recorded.push(candidate.clone());
                    events.push((candidate.clone(), event.clone()));
                } else {
                    outcome.already.push(candidate.clone());
                }
            }
            Ok(events)
        })?;
        Ok(outcome)
    }

    /// An event of now, in the name of who commits here.
    pub(super) fn event(&self, state: BackportState) -> Result<BackportEvent, EngineError> {
        let by = self.picking().committer(self.root())?;
        Ok(BackportEvent::new(state, &by, self.world.now()))
    }

    /// Adds events to the queue in the records. `events` is asked again when somebody else was faster.
    pub(super) fn change(
        &self,
        message: &str,
        events: &mut dyn FnMut(&Backports) -> Result<News, EngineError>,
    ) -> Result<(), EngineError> {
        let file = self.file();
        let path = Path::new(&file);
        self.records().change(message, &mut |view| {
            let mut text = view.read_text(&file)?.unwrap_or_default();
            let queue = Backports::parse(path, &text)?;
            let events = events(&queue)?;
            if events.is_empty() {
                return Ok(Vec::new());
            }
            for (candidate, event) in events {
                let backport = Backport::new(
                    &candidate.commit,
                    &candidate.subject,
                    candidate.mainline,
                    event.clone(),
                );
                text = Backports::record(path, &text, &backport, &event)?;
            }
            Ok(vec![FileEdit::Write {
                path: file.clone(),
                content: text.into_bytes(),
            }])
        })?;
        Ok(())
    }
}

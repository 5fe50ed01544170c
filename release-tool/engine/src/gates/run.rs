//! Evidence: running what a machine can decide, and taking what is handed in.

use super::{advisories, coverage, facts, paths};
use crate::records::{Changed, Records};
use crate::{EngineError, Progress, ProgressEvent, Site};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vrel_model::{Decider, Evidence, EvidenceOutcome, GateId, GatePolicy, KeptLog, Sha256Digest, Stage};
use vrel_origin::{LocalOrigin, PointerCheck, TrustRoot, VerifyRequest, verify_release};
use vrel_process::{GateSubject, Policies, Snapshot};
use vrel_trust::{KeyRing, digest_bytes};
use vrel_world::{Command, Exit, FileEdit, Stream, World};

/// The step that events of progress name.
const STEP: &str = "gates";

/// How many of the last lines of a failed program are shown.
const SHOWN: usize = 5;

/// Longer logs are cut: what a program says after this is not kept, and the log says so.
const MAX_LOG: usize = 64 << 20;

/// With what gates are run.
pub struct GateRun<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// Where things are.
    pub site: &'a Site,
    /// The facts, of which the policies and tags are looked at.
    pub snapshot: &'a Snapshot,
    /// The trusted public keys.
    pub ring: &'a KeyRing,
    /// What is judged.
    pub subject: &'a GateSubject,
    /// Where compiled code is kept.
    pub cache: PathBuf,
    /// How many threads hash at the same time.
    pub threads: usize,
    /// Who hears of the progress.
    pub progress: &'a dyn Progress,
}

/// What was found, before it is evidence.
struct Found {
    outcome: EvidenceOutcome,
    summary: String,
    tools: Vec<String>,
    source: Option<Sha256Digest>,
    log: Vec<u8>,
}

impl Found {
    fn new(outcome: EvidenceOutcome, summary: impl Into<String>) -> Self {
        Self {
            outcome,
            summary: summary.into(),
            tools: Vec::new(),
            source: None,
            log: Vec::new(),
        }
    }

    fn not_available(summary: impl Into<String>) -> Self {
        Self::new(EvidenceOutcome::NotAvailable, summary)
    }

    fn decided(holds: bool, summary: impl Into<String>) -> Self {
        let outcome = if holds {
            EvidenceOutcome::Pass
        } else {
            EvidenceOutcome::Fail
        };
        Self::new(outcome, summary)
    }
}

/// How a program ended.
struct Ran {
    exit: Exit,
    stdout: Vec<u8>,
    last: Vec<String>,
}

impl GateRun<'_> {
    fn policies(&self) -> &Policies {
        &self.snapshot.policies
    }

    /// Decides a gate by running it, and records the evidence.
    ///
    /// # Errors
    /// When the machine fails, or the evidence cannot be recorded. That the gate does not hold is evidence.
    pub fn run(&self, id: &GateId, gate: &GatePolicy) -> Result<Evidence, EngineError> {
        let found = match &gate.decider {
            Decider::Command {
                run,
                timeout_minutes,
                tools,
            } => self.commands(id, run, *timeout_minutes, tools)?,
            Decider::Coverage {
                run,
                timeout_minutes,
                at_least,
            } => self.coverage(id, run, *timeout_minutes, *at_least)?,
            Decider::Advisories { database, lock_files } => self.advisories(database, lock_files)?,
            Decider::Artifacts {} => self.artifacts()?,
            Decider::Repository {} => self.repository()?,
            other => {
                return Err(EngineError::Refused {
                    message: format!(
                        "the gate {id} is of the kind `{}`, which is not run",
                        other.kind()
                    ),
                    hint: Some("`vrel gates list` shows how each gate is decided".to_owned()),
                });
            }
        };
        self.record(id, found)
    }

    fn record(&self, id: &GateId, found: Found) -> Result<Evidence, EngineError> {
        let log = if found.log.is_empty() {
            None
        } else {
            Some(self.keep(&found.log)?)
        };
        let evidence = Evidence {
            schema: 1,
            gate: id.clone(),
            version: self.subject.version.clone(),
            commit: self.subject.commit.clone(),
            outcome: found.outcome,
            summary: found.summary,
            at: self.world.now(),
            by: self.world.git().committer(self.site.root())?,
            tools: found.tools,
            source: found.source,
            log,
        };
        record_evidence(self.world, self.site, self.policies(), &evidence)?;
        Ok(evidence)
    }

    /// Keeps a log, compressed, under its digest.
    fn keep(&self, log: &[u8]) -> Result<KeptLog, EngineError> {
        let sha256 = digest_bytes(log).sha256;
        let dir = self.site.state().join("gates/logs");
        let path = dir.join(format!("{sha256}.zst"));
        if self.world.fs().metadata(&path)?.is_none() {
            let packed = zstd::encode_all(log, 3)
                .map_err(|error| refused(format!("the log cannot be compressed: {error}")))?;
            self.world.fs().create_dir_all(&dir)?;
            self.world.fs().write(&path, &packed, 0o644)?;
        }
        Ok(KeptLog {
            sha256,
            length: log.len() as u64,
        })
    }

    /// The commit's files, in a directory of their own.
    fn export(&self) -> Result<PathBuf, EngineError> {
        let dir = self.site.state().join("gates/src");
        self.world
            .git()
            .export(self.site.root(), &self.subject.commit, &dir)?;
        Ok(dir)
    }

    fn command(&self, dir: &Path, words: &[String], minutes: u32) -> Option<Command> {
        let (program, args) = words.split_first()?;
        let target = self.cache.join("gates");
        let command = Command::new(self.program(dir, program)?)
            .args(args.iter().map(String::as_str))
            .dir(dir)
            .env("CARGO_TARGET_DIR", target.display().to_string())
            .timeout(Duration::from_secs(u64::from(minutes) * 60));
        Some(command)
    }

    /// Where a program is: a file of the commit, or one of the search path.
    fn program(&self, dir: &Path, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            let path = dir.join(name);
            let there = self.world.fs().metadata(&path).ok().flatten();
            return there.map(|_| path);
        }
        self.world.processes().find(name)
    }

    fn execute(&self, id: &GateId, command: &Command, log: &mut Vec<u8>) -> Result<Ran, EngineError> {
        let mut stdout = Vec::new();
        let mut last: Vec<String> = Vec::new();
        let heading = format!("$ {} {}\n", command.program.display(), command.args.join(" "));
        append(log, heading.as_bytes());
        let exit = self.world.processes().run(command, &mut |stream, line| {
            let text = String::from_utf8_lossy(line);
            self.progress.event(&ProgressEvent::Output {
                step: STEP,
                source: id.as_str(),
                line: &text,
            });
            append(log, line);
            append(log, b"\n");
            if stream == Stream::Stdout && stdout.len() < MAX_LOG {
                stdout.extend_from_slice(line);
                stdout.push(b'\n');
            }
            if last.len() == SHOWN {
                last.remove(0);
            }
            last.push(text.into_owned());
        })?;
        Ok(Ran { exit, stdout, last })
    }

    fn versions(&self, dir: &Path, tools: &[Vec<String>]) -> Vec<String> {
        let mut versions = Vec::new();
        for words in tools {
            let said = self
                .command(dir, words, 1)
                .and_then(|command| self.world.processes().output(&command).ok());
            let said = said.unwrap_or_default();
            let first = String::from_utf8_lossy(&said).lines().next().map(str::to_owned);
            versions.push(first.unwrap_or_else(|| format!("{}: says nothing", words.join(" "))));
        }
        versions
    }

    fn commands(
        &self,
        id: &GateId,
        run: &[Vec<String>],
        minutes: u32,
        tools: &[Vec<String>],
    ) -> Result<Found, EngineError> {
        let dir = self.export()?;
        let mut log = Vec::new();
        let mut found = None;
        for words in run {
            let Some(command) = self.command(&dir, words, minutes) else {
                let program = words.first().map_or("", String::as_str);
                found = Some(Found::not_available(format!("`{program}` is not there")));
                break;
            };
            let ran = self.execute(id, &command, &mut log)?;
            if !ran.exit.success() {
                let summary = format!("`{}` {}", words.join(" "), ended(&ran));
                found = Some(Found::decided(false, summary));
                break;
            }
        }
        let mut found = found.unwrap_or_else(|| {
            let all: Vec<_> = run.iter().map(|words| format!("`{}`", words.join(" "))).collect();
            Found::decided(true, format!("{} passed", all.join(", ")))
        });
        found.tools = self.versions(&dir, tools);
        found.log = log;
        Ok(found)
    }

    fn coverage(
        &self,
        id: &GateId,
        words: &[String],
        minutes: u32,
        at_least: u32,
    ) -> Result<Found, EngineError> {
        let dir = self.export()?;
        let Some(command) = self.command(&dir, words, minutes) else {
            let program = words.first().map_or("", String::as_str);
            return Ok(Found::not_available(format!("`{program}` is not there")));
        };
        let mut log = Vec::new();
        let ran = self.execute(id, &command, &mut log)?;
        let mut found = if ran.exit.success() {
            judge_coverage(&ran.stdout, at_least).unwrap_or_else(|reason| Found::decided(false, reason))
        } else {
            Found::decided(false, format!("`{}` {}", words.join(" "), ended(&ran)))
        };
        found.log = log;
        Ok(found)
    }

    fn advisories(&self, database: &Path, lock_files: &[PathBuf]) -> Result<Found, EngineError> {
        let mut crates = BTreeSet::new();
        for path in lock_files {
            let name = path.to_string_lossy();
            let text = self
                .world
                .git()
                .file_at(self.site.root(), &self.subject.commit, &name)?;
            let Some(text) = text else {
                return Ok(Found::decided(false, format!("the commit has no {name}")));
            };
            match advisories::locked(path, &String::from_utf8_lossy(&text)) {
                Ok(found) => crates.extend(found),
                Err(reason) => return Ok(Found::decided(false, reason)),
            }
        }
        let database = self.site.root().join(database);
        let scan = match advisories::scan(self.world.fs(), &database, &crates) {
            Ok(scan) => scan,
            Err(advisories::Unusable::World(error)) => return Err(error.into()),
            Err(advisories::Unusable::NotAvailable(reason)) => return Ok(Found::not_available(reason)),
        };
        let mut summary = if scan.vulnerable.is_empty() {
            format!(
                "none of {} crates is in {} advisories",
                scan.crates, scan.advisories
            )
        } else {
            scan.vulnerable.join(", ")
        };
        if !scan.warned.is_empty() {
            summary.push_str(&format!("; warned of: {}", scan.warned.join(", ")));
        }
        Ok(Found::decided(scan.vulnerable.is_empty(), summary))
    }

    /// Verifies the published candidate of the commit from end to end.
    fn artifacts(&self) -> Result<Found, EngineError> {
        let published = facts::published(self.world, self.site, self.snapshot, self.subject)?;
        let Some(manifest) = published else {
            return Ok(Found::decided(false, "no candidate of this commit is published"));
        };
        let failed = |error: vrel_origin::OriginError| refused(error.to_string());
        let origin = LocalOrigin::open(self.world, self.site.origin()).map_err(failed)?;
        let policies = self.policies();
        let request = VerifyRequest {
            trust: TrustRoot {
                ring: self.ring,
                signing: &policies.signing,
                channels: &policies.channels,
            },
            product: policies.config.product.id.as_str(),
            version: &manifest.version,
            pointer: PointerCheck::Public { last_seen: None },
            now: self.world.now(),
            threads: NonZeroUsize::new(self.threads).unwrap_or(NonZeroUsize::MIN),
        };
        let report = verify_release(&origin, &request, &|_| {}).map_err(failed)?;
        let problems: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let of_commit = report
            .manifest
            .as_ref()
            .is_some_and(|found| found.commit == self.subject.commit);
        let mut found = if !problems.is_empty() {
            Found::decided(false, problems.join("; "))
        } else if of_commit {
            let text = format!("{}: {} files verified", manifest.version, report.good.len());
            Found::decided(true, text)
        } else {
            Found::decided(false, "the verified manifest is of another commit")
        };
        let named = |file: &&vrel_origin::GoodFile| file.name.as_str().starts_with("manifest");
        found.source = report
            .good
            .iter()
            .filter(named)
            .map(|file| file.sha256)
            .next_back();
        Ok(found)
    }

    /// Whether the remote has the commit where its release is made from.
    fn repository(&self) -> Result<Found, EngineError> {
        let git = &self.policies().config.git;
        let (world, root) = (self.world.git(), self.site.root());
        if world.remote_url(root, &git.remote)?.is_none() {
            let text = format!("the remote `{}` is not configured", git.remote);
            return Ok(Found::not_available(text));
        }
        let refs = world.ls_remote(root, &git.remote)?;
        let line = self.subject.version.line();
        let mut names = vec![format!("refs/heads/{}", git.main)];
        if !matches!(self.subject.version.stage(), Stage::Nightly { .. }) {
            let branch = crate::freeze::release_branch(&self.policies().config, line)?;
            names.insert(0, format!("refs/heads/{branch}"));
        }
        for name in &names {
            // A tip that was never fetched cannot be compared; the next one may be known.
            if let Some(tip) = refs.get(name)
                && world
                    .is_ancestor(root, &self.subject.commit, tip)
                    .unwrap_or(false)
            {
                return Ok(Found::decided(
                    true,
                    format!("{name} of {} has the commit", git.remote),
                ));
            }
        }
        let text = format!(
            "neither {} of {} has the commit, as far as was fetched",
            names.join(" nor "),
            git.remote
        );
        Ok(Found::decided(false, text))
    }
}

/// Takes a report that somebody hands in for a gate, and records the evidence.
///
/// # Errors
/// When the gate takes none, or the report is not of its form or about another commit.
pub fn hand_in(
    run: &GateRun<'_>,
    id: &GateId,
    gate: &GatePolicy,
    name: &str,
    report: &[u8],
) -> Result<Evidence, EngineError> {
    let wrong = |reason: String| EngineError::Policy {
        path: name.into(),
        reason,
    };
    let mut found = match &gate.decider {
        Decider::Coverage { at_least, .. } => judge_coverage(report, *at_least).map_err(wrong)?,
        Decider::Report {} => judge_report(report, &run.subject.commit).map_err(wrong)?,
        other => {
            return Err(EngineError::Refused {
                message: format!(
                    "the gate {id} is of the kind `{}`, which takes no report",
                    other.kind()
                ),
                hint: Some("`vrel gates list` shows how each gate is decided".to_owned()),
            });
        }
    };
    found.source = Some(digest_bytes(report).sha256);
    found.log = report.to_vec();
    run.record(id, found)
}

/// What a report of a gate of the kind `report` says.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    passed: bool,
    commit: String,
    summary: String,
}

fn judge_report(report: &[u8], commit: &str) -> Result<Found, String> {
    let report: Report = serde_json::from_slice(report)
        .map_err(|error| format!("{error}; expected an object with `passed`, `commit` and `summary`"))?;
    if report.commit != commit {
        return Err(format!("it is about commit {}, not {commit}", report.commit));
    }
    let summary = report.summary.trim();
    if summary.is_empty() || summary.contains(char::is_control) {
        return Err("`summary` is not one line of text".to_owned());
    }
    Ok(Found::decided(report.passed, summary))
}

fn judge_coverage(report: &[u8], at_least: u32) -> Result<Found, String> {
    let (covered, count) = coverage::coverage_of(report)?;
    let mut found = Found::decided(
        coverage::is_enough(covered, count, at_least),
        format!(
            "{} of {count} lines are covered, {at_least} % are asked for",
            coverage::percent(covered, count)
        ),
    );
    found.source = Some(digest_bytes(report).sha256);
    Ok(found)
}

fn append(log: &mut Vec<u8>, bytes: &[u8]) {
    const CUT: &[u8] = b"\n(the rest was not kept)\n";
    if log.len() + bytes.len() <= MAX_LOG {
        log.extend_from_slice(bytes);
    } else if !log.ends_with(CUT) {
        log.extend_from_slice(CUT);
    }
}

fn ended(ran: &Ran) -> String {
    let how = match ran.exit {
        Exit::Status(status) => format!("ended with status {status}"),
        Exit::Signal(signal) => format!("was killed by signal {signal}"),
        Exit::TimedOut => "took too long".to_owned(),
    };
    let last: Vec<&str> = ran
        .last
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .collect();
    match last.last() {
        Some(line) => format!("{how}: {line}"),
        None => how,
    }
}

fn refused(message: String) -> EngineError {
    EngineError::Refused { message, hint: None }
}

fn record_evidence(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    evidence: &Evidence,
) -> Result<Changed, EngineError> {
    let bytes = evidence
        .to_bytes()
        .map_err(|error| refused(format!("the evidence cannot be written: {error}")))?;
    let outcome = match evidence.outcome {
        EvidenceOutcome::Pass => "passes",
        EvidenceOutcome::Fail => "fails",
        EvidenceOutcome::NotAvailable => "is not available",
    };
    let message = format!(
        "evidence: {} of {} {outcome}\n\n{}\n\nCommit: {}\n",
        evidence.gate, evidence.version, evidence.summary, evidence.commit
    );
    Records::new(world, site, &policies.config).change(&message, &mut |_| {
        Ok(vec![FileEdit::Write {
            path: paths::evidence(&evidence.version, &evidence.gate),
            content: bytes.clone(),
        }])
    })
}

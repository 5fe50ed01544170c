//! Nightlies: the newest commit of the development branch that passes, published every day by a timer.
//!
//! What fails is told apart: a fault of the sources is searched back to the commit that brought it, and the newest commit
//! before it is published; a fault of the machine is reported as one, which is what it is when the commit of the last good
//! nightly fails too.

use crate::cut_rc::{Release, Signers, steps_of};
use crate::next::leads_to;
use crate::run::{Observation, apply, undo};
use crate::{
    EngineError, Journal, JournalState, Progress, ProgressEvent, Site, collect_snapshot, load_all,
    load_at_commit, origin_facts, origin_manifest,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_model::{
    Arch, ArtifactName, ChannelName, LaggingArch, Plan, PlannedArtifact, Stage, Tier, UtcTime, Version,
};
use vrel_process::{
    Bisection, EnvironmentFacts, Finding, NightlyDue, Policies, PublishedNightly, nightly_due, overdue,
    plan_nightly,
};
use vrel_trust::KeyRing;
use vrel_world::{FileKind, World};

/// How many commits are searched for the bad one at most. A channel that lags further behind needs a person.
const SEARCHED: usize = 20_000;

/// The command, as plans name it.
const COMMAND: &str = "nightly";

/// The steps that say whether a commit is good.
const PROBED: [&str; 4] = ["source", "build", "digest", "boot"];

/// What making a nightly works with.
pub struct Nightly<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// Where things are.
    pub site: &'a Site,
    /// The policy files of the work tree.
    pub policies: &'a Policies,
    /// The trusted public keys.
    pub ring: &'a KeyRing,
    /// The secret keys; `None` when one of them cannot be used, which the facts about the machine then say.
    pub signers: Option<&'a Signers>,
    /// What is known of the machine; `None` when nobody looked.
    pub environment: Option<EnvironmentFacts>,
    /// Who is told how it goes.
    pub progress: &'a dyn Progress,
    /// How many programs run at the same time.
    pub jobs: usize,
    /// The manual pages of this tool, by file name.
    pub tool_pages: &'a BTreeMap<String, Vec<u8>>,
    /// Where compiled code is kept between releases.
    pub cache: PathBuf,
    /// Where cargo keeps the sources of crates.
    pub cargo_home: PathBuf,
}

/// A commit that broke something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadCommit {
    /// Its id.
    pub commit: String,
    /// Whose change it is: name and mail address.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
}

/// What is broken on the development branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The check that fails, a step of the nightly.
    pub check: String,
    /// The architecture, where it is one's own fault.
    pub arch: Option<Arch>,
    /// What happened at the newest commit.
    pub message: String,
    /// The newest commit, at which it was seen.
    pub tip: String,
    /// The commit of the last nightly before, which was good.
    pub last_good: Option<String>,
    /// The commit that broke it; `None` when there is no good one to search from.
    pub first_bad: Option<BadCommit>,
}

/// A failure that goes on, kept from one run to the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// When a run saw it first.
    pub since: UtcTime,
    /// When a run saw it last.
    pub last_seen: UtcTime,
    /// What is broken.
    pub broken: Broken,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub enum NightlyOutcome {
    /// The last nightly is of the newest commit already.
    Unchanged(PublishedNightly),
    /// There is a nightly of this day already.
    MadeToday(PublishedNightly),
    /// The rules or the machine forbid it; nothing was changed.
    Forbidden(Vec<Finding>),
    /// A nightly was published: of the newest commit and whole, unless there is a failure beside it.
    Published(Box<Plan>, Option<Failing>),
    /// Nothing could be published.
    Broken(Failing),
}

/// A nightly in the origin with what it still waits for.
pub(crate) struct Kept {
    pub(crate) facts: PublishedNightly,
    pub(crate) lagging: Vec<LaggingArch>,
}

/// How the channel of nightlies stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The newest nightly.
    pub newest: Option<Version>,
    /// Its commit.
    pub commit: Option<String>,
    /// When it was made.
    pub created: Option<UtcTime>,
    /// By how many hours it is older than the channel's policy allows.
    pub overdue_hours: Option<u32>,
    /// What fails, as the last run saw it.
    pub failing: Option<Failing>,
}

/// The newest nightly that is public.
///
/// # Errors
/// When the pointer or its manifest cannot be read.
fn published_nightly(
    world: &dyn World,
    site: &Site,
    channel: &ChannelName,
) -> Result<Option<PublishedNightly>, EngineError> {
    of_manifest(world, site, origin_facts(world, site)?.heads.remove(channel))
}

/// The newest nightly that there ever was, which is another one than the head of a channel that was rolled back: its commit
/// is not tried again, and its day is used up.
fn newest_nightly(
    world: &dyn World,
    site: &Site,
    channel: &ChannelName,
) -> Result<Option<PublishedNightly>, EngineError> {
    of_manifest(world, site, origin_facts(world, site)?.newest.remove(channel))
}

fn of_manifest(
    world: &dyn World,
    site: &Site,
    version: Option<Version>,
) -> Result<Option<PublishedNightly>, EngineError> {
    let Some(version) = version else {
        return Ok(None);
    };
    let manifest = origin_manifest(world, site, &version)?;
    Ok(manifest.map(|manifest| PublishedNightly {
        version,
        commit: manifest.commit,
        created: manifest.created,
    }))
}

/// The nightlies whose files are in the origin. One whose removal was interrupted has no manifest; its day is its version's.
pub(crate) fn nightlies(
    world: &dyn World,
    site: &Site,
    channel: &ChannelName,
) -> Result<Vec<Kept>, EngineError> {
    let dir = site.origin().join("releases");
    let mut found = Vec::new();
    for entry in world.fs().list(&dir)? {
        let Ok(version) = entry.name.parse::<Version>() else {
            continue;
        };
        let Stage::Nightly { date } = version.stage() else {
            continue;
        };
        if entry.kind != FileKind::Directory {
            continue;
        }
        match origin_manifest(world, site, &version)? {
            Some(manifest) if manifest.channel == *channel => found.push(Kept {
                facts: PublishedNightly {
                    version,
                    commit: manifest.commit,
                    created: manifest.created,
                },
                lagging: manifest.lagging,
            }),
            Some(_) => {}
            None => {
                let day = format!(
                    "{}-{:02}-{:02}T00:00:00Z",
                    date / 10_000,
                    date / 100 % 100,
                    date % 100
                );
                let created = day
                    .parse()
                    .map_err(|error: vrel_model::TimeError| EngineError::Policy {
                        path: dir.join(&entry.name),
                        reason: error.to_string(),
                    })?;
                found.push(Kept {
                    facts: PublishedNightly {
                        version,
                        commit: String::new(),
                        created,
                    },
                    lagging: Vec::new(),
                });
            }
        }
    }
    Ok(found)
}

fn state_file(site: &Site) -> PathBuf {
    site.state().join("nightly.json")
}

fn failing(world: &dyn World, site: &Site) -> Result<Option<Failing>, EngineError> {
    let path = state_file(site);
    if world.fs().metadata(&path)?.is_none() {
        return Ok(None);
    }
    let bytes = world.fs().read(&path)?;
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| EngineError::Policy {
            path,
            reason: format!("{error}; remove the file, the next run writes it anew"),
        })
}

/// How the channel of nightlies stands: what is public, whether it is too old, and what fails.
///
/// # Errors
/// When the origin or the record of the last failure cannot be read.
pub fn health(world: &dyn World, site: &Site, policies: &Policies) -> Result<Health, EngineError> {
    let channel = &policies.config.publish.nightly_channel;
    let newest = published_nightly(world, site, channel)?;
    let policy = policies.channels.get(channel);
    let late = |newest: &PublishedNightly| overdue(policy?, newest.created, world.now());
    Ok(Health {
        overdue_hours: newest.as_ref().and_then(late),
        created: newest.as_ref().map(|newest| newest.created),
        commit: newest.as_ref().map(|newest| newest.commit.clone()),
        newest: newest.map(|newest| newest.version),
        failing: failing(world, site)?,
    })
}

/// Says whether there is something to do, without a key and without looking at the machine: what a timer asks most often is
/// answered at once. `None` when there is.
///
/// # Errors
/// When the repository, a journal or the origin cannot be read.
pub fn nothing_due(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
) -> Result<Option<NightlyOutcome>, EngineError> {
    if interrupted(world, site)?.is_some() {
        return Ok(None);
    }
    let head = newest_nightly(world, site, &policies.config.publish.nightly_channel)?;
    let tip = tip(world, site, policies)?;
    let base = base(world, site, policies, &tip)?;
    Ok(
        match (nightly_due(head.as_ref(), &tip, &base, world.now()), head) {
            (NightlyDue::Unchanged, Some(head)) => Some(NightlyOutcome::Unchanged(head)),
            (NightlyDue::MadeToday, Some(head)) => Some(NightlyOutcome::MadeToday(head)),
            _ => None,
        },
    )
}

/// The nightly that an earlier run left unfinished.
fn interrupted(world: &dyn World, site: &Site) -> Result<Option<Journal>, EngineError> {
    let open = load_all(world, site)?.into_iter().find(Journal::is_open);
    Ok(open.filter(|journal| journal.plan().command == COMMAND))
}

fn failed(message: impl std::fmt::Display) -> EngineError {
    crate::cut_rc::failed(COMMAND, message)
}

fn tip(world: &dyn World, site: &Site, policies: &Policies) -> Result<String, EngineError> {
    let main = &policies.config.git.main;
    let tip = world.git().resolve(site.root(), &format!("refs/heads/{main}"))?;
    tip.ok_or_else(|| failed(format!("there is no local branch `{main}` with a commit on it")))
}

/// The release that the development branch leads to.
fn base(world: &dyn World, site: &Site, policies: &Policies, tip: &str) -> Result<Version, EngineError> {
    let config = &policies.config;
    let next = leads_to(world, site, config, tip)?.map(|version| version.final_version());
    next.ok_or_else(|| EngineError::Refused {
        message: format!(
            "{} on {} names no release without a release branch, to which a nightly could lead",
            config.plan.file.display(),
            config.git.main
        ),
        hint: Some("see `vrel todo check`, and plan the next release with `vrel todo plan`".to_owned()),
    })
}

/// How an attempt ended.
enum Attempt {
    Published(Box<Plan>),
    Forbidden(Vec<Finding>),
    Broken(EngineError),
}

impl Nightly<'_> {
    fn channel(&self) -> &ChannelName {
        &self.policies.config.publish.nightly_channel
    }

    /// Makes the nightly of this day, if one is due.
    ///
    /// # Errors
    /// When the machine fails. What is begun then is finished or taken back by the next run.
    pub fn run(&self) -> Result<NightlyOutcome, EngineError> {
        let head = published_nightly(self.world, self.site, self.channel())?;
        let newest = newest_nightly(self.world, self.site, self.channel())?;
        if let Some(plan) = self.finish_interrupted(newest.as_ref())? {
            // Of the newest commit and whole: nothing fails any more. Else it was published beside a failure.
            let mended = plan.lagging.is_empty() && plan.commit == tip(self.world, self.site, self.policies)?;
            if mended {
                self.forget_failure()?;
                return Ok(NightlyOutcome::Published(Box::new(plan), None));
            }
            return Ok(NightlyOutcome::Published(
                Box::new(plan),
                failing(self.world, self.site)?,
            ));
        }
        if let Some(nothing) = nothing_due(self.world, self.site, self.policies)? {
            return Ok(nothing);
        }
        let tip = tip(self.world, self.site, self.policies)?;
        let base = base(self.world, self.site, self.policies, &tip)?;
        let now = self.world.now();
        let version = base.nightly(now);
        let version = version.ok_or_else(|| failed(format!("{now} is no day that a version can have")))?;
        let error = match self.attempt(&version, &tip, head.as_ref(), &[])? {
            Attempt::Published(plan) => {
                self.forget_failure()?;
                return Ok(NightlyOutcome::Published(plan, None));
            }
            Attempt::Forbidden(findings) => return Ok(NightlyOutcome::Forbidden(findings)),
            Attempt::Broken(error) => error,
        };
        self.after_failure(&version, &tip, head.as_ref(), &error)
    }

    /// Finishes or takes back the nightly that an earlier run left. A person's release is left alone.
    fn finish_interrupted(&self, newest: Option<&PublishedNightly>) -> Result<Option<Plan>, EngineError> {
        let Some(mut journal) = interrupted(self.world, self.site)? else {
            return Ok(None);
        };
        let plan = journal.plan().clone();
        let public = newest.is_some_and(|newest| newest.version == plan.version);
        let failed = matches!(journal.state(), JournalState::Unfinished { failure: Some(_), .. });
        let same_day = plan.version.nightly(self.world.now()).as_ref() == Some(&plan.version);
        let finish = public || (same_day && !failed && journal.state() != JournalState::Undoing);
        if finish {
            match self.with_release(&plan, |release| {
                apply(self.world, release, &steps_of(&plan), &mut journal, self.progress)
            }) {
                Ok(()) => return Ok(Some(plan)),
                Err(error) if !public && fault(&error).is_some() => {}
                Err(error) => return Err(error),
            }
        }
        self.take_back(&plan, journal)?;
        Ok(None)
    }

    fn take_back(&self, plan: &Plan, journal: Journal) -> Result<(), EngineError> {
        self.with_release(plan, |release| {
            undo(self.world, release, &steps_of(plan), journal, self.progress)
        })
    }

    fn with_release<T>(
        &self,
        plan: &Plan,
        run: impl FnOnce(&Release<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        self.with_cache(plan, &self.cache, run)
    }

    fn with_cache<T>(
        &self,
        plan: &Plan,
        cache: &Path,
        run: impl FnOnce(&Release<'_>) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let config = load_at_commit(self.world, self.site.root(), &plan.commit)?;
        run(&Release {
            world: self.world,
            site: self.site,
            plan,
            policies: self.policies,
            config: &config,
            ring: self.ring,
            signers: self.signers,
            progress: self.progress,
            jobs: self.jobs,
            tool_pages: self.tool_pages,
            cache: cache.to_owned(),
            cargo_home: self.cargo_home.clone(),
        })
    }

    fn plan(
        &self,
        version: &Version,
        commit: &str,
        head: Option<&PublishedNightly>,
        without: &[Arch],
    ) -> Result<vrel_process::Outcome, EngineError> {
        let mut snapshot = collect_snapshot(self.world, self.site, self.policies.clone(), version)?;
        snapshot.environment.clone_from(&self.environment);
        let time = self.world.git().commit_time(self.site.root(), commit)?;
        snapshot.commit_times.insert(commit.to_owned(), time);
        let previous = head.map(|head| &head.version);
        Ok(plan_nightly(
            &snapshot,
            version,
            commit,
            previous,
            without,
            self.world.now(),
        ))
    }

    /// Tries to publish a commit. A failure of the sources leaves nothing behind.
    fn attempt(
        &self,
        version: &Version,
        commit: &str,
        head: Option<&PublishedNightly>,
        without: &[Arch],
    ) -> Result<Attempt, EngineError> {
        let outcome = self.plan(version, commit, head, without)?;
        let plan = match outcome.plan {
            Some(plan) if !outcome.findings.iter().any(Finding::is_fatal) => plan,
            _ => return Ok(Attempt::Forbidden(outcome.findings)),
        };
        let mut journal = Journal::start(self.world, self.site, plan.clone())?;
        let applied = self.with_release(&plan, |release| {
            apply(self.world, release, &steps_of(&plan), &mut journal, self.progress)
        });
        match applied {
            Ok(()) => Ok(Attempt::Published(Box::new(plan))),
            Err(error) if fault(&error).is_some() => {
                self.take_back(&plan, journal)?;
                Ok(Attempt::Broken(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Finds out what broke, remembers it, and publishes what can be published all the same.
    fn after_failure(
        &self,
        version: &Version,
        tip: &str,
        head: Option<&PublishedNightly>,
        error: &EngineError,
    ) -> Result<NightlyOutcome, EngineError> {
        let (check, arch) = fault(error).unwrap_or((COMMAND.to_owned(), None));
        let mut broken = Broken {
            check,
            arch,
            message: error.to_string(),
            tip: tip.to_owned(),
            last_good: head.map(|head| head.commit.clone()),
            first_bad: None,
        };
        let mut newest_good = None;
        if let Some(head) = head {
            // Before anybody is blamed: what was good must still be good here, without what the cache remembers of it.
            let scratch = self.site.state().join("nightly-cache");
            let again = self.probe(version, &head.commit, arch, &scratch);
            self.world.fs().remove_dir_all(&scratch)?;
            if let Err(again) = again {
                if fault(&again).is_none() {
                    return Err(again);
                }
                return Err(failed(format!(
                    "{error}; but {}, the commit of the good nightly {}, fails now too ({again}): this machine or its \
                     tools changed, not the sources",
                    short(&head.commit),
                    head.version
                )));
            }
            if let Some(mut search) = self.commits_since(tip, &head.commit)?.and_then(Bisection::new) {
                self.search(version, arch, &mut search)?;
                broken.first_bad = Some(self.describe(search.first_bad())?);
                newest_good = search.last_good().map(str::to_owned);
            }
        }
        let failing = self.remember(broken)?;
        // The newest commit without the architecture that may lag is better than an older one.
        if let Some(arch) = arch.filter(|arch| self.may_lag(*arch))
            && let Attempt::Published(plan) = self.attempt(version, tip, head, &[arch])?
        {
            return Ok(NightlyOutcome::Published(plan, Some(failing)));
        }
        if let Some(commit) = newest_good
            && let Attempt::Published(plan) = self.attempt(version, &commit, head, &[])?
        {
            return Ok(NightlyOutcome::Published(plan, Some(failing)));
        }
        Ok(NightlyOutcome::Broken(failing))
    }

    fn may_lag(&self, arch: Arch) -> bool {
        let policy = self.policies.channels.get(self.channel());
        self.policies.config.tier(arch) == Tier::Two
            && policy.is_some_and(|policy| policy.tier_2_lag_days > 0)
    }

    /// The commits after `good` up to `tip`, oldest first, along first parents: what landed, one by one. `None` when `tip`
    /// does not come from `good` that way.
    fn commits_since(&self, tip: &str, good: &str) -> Result<Option<Vec<String>>, EngineError> {
        let mut commits = Vec::new();
        let mut at = tip.to_owned();
        while at != good {
            commits.push(at.clone());
            match self.world.git().first_parent(self.site.root(), &at)? {
                Some(parent) if commits.len() < SEARCHED => at = parent,
                _ => return Ok(None),
            }
        }
        commits.reverse();
        Ok(Some(commits))
    }

    fn search(
        &self,
        version: &Version,
        arch: Option<Arch>,
        search: &mut Bisection,
    ) -> Result<(), EngineError> {
        let total = u64::from(search.tries_left());
        let mut tried = 0;
        while let Some(commit) = search.next_commit().map(str::to_owned) {
            let good = match self.probe(version, &commit, arch, &self.cache) {
                Ok(()) => true,
                Err(error) if fault(&error).is_some() => false,
                Err(error) => return Err(error),
            };
            search.record(good);
            tried += 1;
            let what = format!("{} is {}", short(&commit), if good { "good" } else { "bad" });
            self.progress.event(&ProgressEvent::Advanced {
                step: "bisect",
                done: tried,
                total: total.max(tried),
                what: &what,
            });
        }
        Ok(())
    }

    /// Builds and boots a commit without publishing anything: what is of `arch`, or everything.
    fn probe(
        &self,
        version: &Version,
        commit: &str,
        arch: Option<Arch>,
        cache: &Path,
    ) -> Result<(), EngineError> {
        self.world.check_interrupt()?;
        let outcome = self.plan(version, commit, None, &[])?;
        let mut plan = outcome
            .plan
            .ok_or_else(|| failed("the policy files changed meanwhile"))?;
        if let Some(arch) = arch {
            plan.artifacts = of_arch(&plan.artifacts, arch);
        }
        let work = self.site.work(&plan);
        self.world.fs().remove_dir_all(&work)?;
        let probed = self.with_cache(&plan, cache, |release| {
            let steps = steps_of(&plan);
            for step in steps.iter().filter(|step| PROBED.contains(&step.name)) {
                if let Observation::Missing(_) = (step.observe)(release)? {
                    (step.act)(release)?;
                }
            }
            Ok(())
        });
        self.world.fs().remove_dir_all(&work)?;
        probed
    }

    fn describe(&self, commit: &str) -> Result<BadCommit, EngineError> {
        let mut found = None;
        let parent = self.world.git().first_parent(self.site.root(), commit)?;
        let hidden: Vec<&str> = parent.as_deref().into_iter().collect();
        self.world
            .git()
            .history(self.site.root(), &hidden, commit, &mut |each| {
                if each.id == commit {
                    found = Some(BadCommit {
                        commit: each.id,
                        author: format!("{} <{}>", each.author_name, each.author_email),
                        subject: each.message.lines().next().unwrap_or_default().to_owned(),
                    });
                }
            })?;
        found.ok_or_else(|| failed(format!("commit {commit} is gone")))
    }

    fn remember(&self, broken: Broken) -> Result<Failing, EngineError> {
        let now = self.world.now();
        // The same failure as before is one that goes on, even at a newer commit.
        let before = failing(self.world, self.site).ok().flatten();
        let goes_on = |before: &Failing| {
            before.broken.check == broken.check
                && before.broken.arch == broken.arch
                && before.broken.first_bad == broken.first_bad
        };
        let since = before.filter(goes_on).map_or(now, |before| before.since);
        let failing = Failing {
            since,
            last_seen: now,
            broken,
        };
        let json = serde_json::to_vec_pretty(&failing).map_err(failed)?;
        self.world.fs().write(&state_file(self.site), &json, 0o644)?;
        Ok(failing)
    }

    fn forget_failure(&self) -> Result<(), EngineError> {
        let path: &Path = &state_file(self.site);
        if self.world.fs().metadata(path)?.is_some() {
            self.world.fs().remove_file(path)?;
        }
        Ok(())
    }
}

/// The artifacts of an architecture, with what they are made from.
fn of_arch(artifacts: &[PlannedArtifact], arch: Arch) -> Vec<PlannedArtifact> {
    let of = |artifact: &&PlannedArtifact| artifact.arch == Some(arch);
    let mut wanted: Vec<&ArtifactName> = artifacts
        .iter()
        .filter(of)
        .map(|artifact| &artifact.name)
        .collect();
    let mut at = 0;
    while let Some(name) = wanted.get(at).copied() {
        let from = artifacts.iter().find(|artifact| artifact.name == *name);
        if let Some(from) = from.and_then(|artifact| artifact.from.as_ref())
            && !wanted.contains(&from)
        {
            wanted.push(from);
        }
        at += 1;
    }
    let chosen = artifacts
        .iter()
        .filter(|artifact| wanted.contains(&&artifact.name));
    chosen.cloned().collect()
}

/// The check that failed and the architecture, where the sources are at fault.
fn fault(error: &EngineError) -> Option<(String, Option<Arch>)> {
    match error {
        EngineError::Broken { step, arch, .. } => Some((step.clone(), *arch)),
        // What contradicts a policy: too large, grown too much, not reproducible.
        EngineError::Step {
            step, conflict: true, ..
        } if ["build", "boot", "reproduce", "documents"].contains(&step.as_str()) => {
            Some((step.clone(), None))
        }
        // vrel.toml of that commit, or a description file of the system.
        EngineError::Toml(_) => Some(("policy-files".to_owned(), None)),
        _ => None,
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

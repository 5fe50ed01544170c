//! What the verbs that change a release share: the lock, the facts, the keys, and following the journal.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::progress::{Reporter, StepTime, seconds};
use crate::secrets::{KeyOptions, key_ring};
use crate::verbs::doctor;
use crate::verbs::man::pages;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vrel_engine::channels::Channels;
use vrel_engine::records::Records;
use vrel_engine::{
    EngineError, Journal, Locked, Nightly, NightlyOutcome, Release, Signers, Site, apply,
    collect_backfill_facts, collect_release_facts, collect_snapshot, load_all, load_at_commit,
    look_at_remote, steps_of, take_lock, undo,
};
use vrel_model::{ByteSize, ChannelName, KeyRole, Manifest, Plan, Version};
use vrel_origin::LocalOrigin;
use vrel_process::{BackfillFacts, EnvironmentFacts, Policies, ReleaseFacts, Snapshot};
use vrel_trust::{KeyRing, SecretKey};
use vrel_world::{FileKind, World};

/// What a release takes of the file system besides its artifacts: compiled crates and core libraries.
const BUILD_SPACE: u64 = 1 << 30;

/// Options of verbs that work on a release.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReleaseOptions {
    /// How many programs run at the same time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Where compiled code is kept between releases [default: .vrel/cache]
    #[arg(long, env = "VREL_CACHE_DIR", value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// When another release command is at work here, wait for it.
    #[arg(long)]
    wait: bool,
}

impl ReleaseOptions {
    /// How many programs run at the same time.
    #[must_use]
    pub(crate) fn jobs(&self) -> usize {
        jobs(self.jobs)
    }

    /// Where compiled code is kept.
    #[must_use]
    pub(crate) fn cache(&self, site: &Site) -> PathBuf {
        self.cache_dir.clone().unwrap_or_else(|| site.cache())
    }
}

/// How many programs run at the same time.
#[must_use]
pub(crate) fn jobs(given: Option<usize>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    given.unwrap_or_else(processors).max(1)
}

/// Where cargo keeps crates.
///
/// # Errors
/// When the environment does not say.
pub(crate) fn cargo_home() -> Result<PathBuf, Failure> {
    let from_home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let given = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    given.or_else(from_home).ok_or_else(|| {
        Failure::new(FailureKind::Environment, "neither CARGO_HOME nor HOME is set").hint("set CARGO_HOME")
    })
}

/// Where a path leads when the links on its way are followed, as far as it is there.
fn without_links(path: &Path) -> PathBuf {
    let mut there = path;
    let mut rest = Vec::new();
    loop {
        if let Ok(real) = there.canonicalize() {
            return rest.iter().rev().fold(real, |path, name| path.join(name));
        }
        match (there.parent(), there.file_name()) {
            (Some(parent), Some(name)) => {
                rest.push(name.to_owned());
                there = parent;
            }
            _ => return path.to_owned(),
        }
    }
}

/// The repository while this process alone changes its releases.
pub(crate) struct Session<'a> {
    app: &'a App,
    site: Site,
    policies: Policies,
    ring: KeyRing,
    options: ReleaseOptions,
    keys: KeyOptions,
    /// Whether a person allowed that a missing origin is made.
    init_origin: bool,
    /// The channel that is published to, where it is not that of candidates.
    channel: Option<ChannelName>,
    _lock: Locked,
}

impl<'a> Session<'a> {
    /// Reads the policy files and takes the lock.
    ///
    /// # Errors
    /// When a policy file or key file is wrong, or somebody else has the lock and `--wait` was not given.
    pub(crate) fn open(
        app: &'a App,
        options: ReleaseOptions,
        keys: KeyOptions,
        command: &str,
    ) -> Result<Self, Failure> {
        let (site, policies) = app.site()?;
        let lock = lock(app, &site, &options, command)?;
        let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
        Ok(Self {
            app,
            site,
            policies,
            ring,
            options,
            keys,
            init_origin: false,
            channel: None,
            _lock: lock,
        })
    }

    /// The same session, allowed to make the origin where there is none.
    pub(crate) fn init_origin(mut self, allowed: bool) -> Self {
        self.init_origin = allowed;
        self
    }

    /// The same session, for publishing to a channel; `None` is that of candidates.
    pub(crate) fn for_channel(mut self, channel: Option<ChannelName>) -> Self {
        self.channel = channel;
        self
    }

    /// What there is to know of a release that architectures are to be added to.
    ///
    /// # Errors
    /// When the origin or the repository cannot be read.
    pub(crate) fn backfill_facts(&self, version: &Version) -> Result<BackfillFacts, Failure> {
        let (world, policies) = (&self.app.world, &self.policies);
        Ok(collect_backfill_facts(
            world, &self.site, policies, &self.ring, version,
        )?)
    }

    /// Makes the origin where there is none, if a person allowed that. An empty origin is nothing that anybody sees, so
    /// this comes before the journal: whoever resumes need not allow it again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn prepare_origin(&self) -> Outcome {
        if self.init_origin {
            LocalOrigin::init(&self.app.world, self.site.origin())?;
        }
        Ok(())
    }

    /// The repository's paths.
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// The journal of the release that is not at its end.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn open_journal(&self) -> Result<Journal, Failure> {
        let open = load_all(&self.app.world, &self.site)?
            .into_iter()
            .find(Journal::is_open);
        open.ok_or_else(|| {
            Failure::new(
                FailureKind::NothingToDo,
                "no release is unfinished; see `vrel status`",
            )
        })
    }

    /// The policy files.
    pub(crate) fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The channels, for moving the pointer.
    pub(crate) fn channels(&self) -> Channels<'_> {
        Channels {
            world: &self.app.world,
            site: &self.site,
            policies: &self.policies,
            ring: &self.ring,
            threads: NonZeroUsize::new(self.options.jobs()).unwrap_or(NonZeroUsize::MIN),
        }
    }

    /// The secret key that signs the pointer.
    ///
    /// # Errors
    /// When it is missing, wrong, not trusted, or cannot be opened.
    pub(crate) fn pointer_key(&self) -> Result<SecretKey, Failure> {
        self.keys
            .load(self.app, &self.policies.signing.pointer_role, &self.ring)
    }

    /// Makes a nightly, with the keys of its channel.
    ///
    /// # Errors
    /// When a key cannot be used, or the machine fails.
    pub(crate) fn nightly(&self, reporter: &Reporter) -> Result<NightlyOutcome, Failure> {
        let channel = &self.policies.config.publish.nightly_channel;
        let environment = self.environment(channel)?;
        // A key that cannot be used is one finding among others.
        let usable = environment.keys.iter().all(|key| key.problem.is_none());
        let signers = match self.policies.channels.get(channel) {
            Some(policy) if usable => {
                let signers = self.load(&policy.key_role, &self.policies.signing.pointer_role)?;
                self.prepare_origin()?;
                Some(signers)
            }
            _ => None,
        };
        let tool_pages = pages()?;
        let nightly = Nightly {
            world: &self.app.world,
            site: &self.site,
            policies: &self.policies,
            ring: &self.ring,
            signers: signers.as_ref(),
            environment: Some(environment),
            progress: reporter,
            jobs: jobs(self.options.jobs),
            tool_pages: &tool_pages,
            cache: self.options.cache(&self.site),
            cargo_home: cargo_home()?,
        };
        Ok(nightly.run()?)
    }

    /// All facts of a final release: the repository's, the candidate's, the remote's, the machine's.
    ///
    /// # Errors
    /// As [`Session::complete_snapshot`].
    pub(crate) fn release_facts(
        &self,
        version: &Version,
        candidate: Option<&Version>,
    ) -> Result<(Snapshot, ReleaseFacts), Failure> {
        self.refresh_records()?;
        let (world, policies) = (&self.app.world, self.policies.clone());
        let (snapshot, facts) =
            collect_release_facts(world, &self.site, policies, &self.ring, version, candidate)?;
        let channel = snapshot.final_channel().clone();
        Ok((self.complete(snapshot, &channel)?, facts))
    }

    /// Asks the remote for what people decided meanwhile, where a channel asks for their decisions.
    fn refresh_records(&self) -> Result<(), Failure> {
        if self
            .policies
            .channels
            .values()
            .any(vrel_model::ChannelPolicy::asks)
        {
            Records::new(&self.app.world, &self.site, &self.policies.config).refresh()?;
        }
        Ok(())
    }

    /// All facts: the repository's, the remote's, the machine's.
    ///
    /// # Errors
    /// When the repository cannot be read. What the remote or the machine lack is a fact, not an error.
    pub(crate) fn complete_snapshot(&self, version: &Version) -> Result<Snapshot, Failure> {
        self.refresh_records()?;
        let snapshot = collect_snapshot(&self.app.world, &self.site, self.policies.clone(), version)?;
        let candidates = &self.policies.config.publish.candidate_channel;
        self.complete(snapshot, self.channel.as_ref().unwrap_or(candidates))
    }

    /// Asks the remote, and looks at what publishing to a channel needs of the machine.
    fn complete(&self, mut snapshot: Snapshot, channel: &ChannelName) -> Result<Snapshot, Failure> {
        if snapshot.remote_url.is_some() {
            let remote = &self.policies.config.git.remote;
            snapshot.remote = Some(look_at_remote(&self.app.world, &self.site, remote)?);
        }
        let mut environment = self.environment(channel)?;
        self.look_at_staging(&mut environment)?;
        snapshot.environment = Some(environment);
        Ok(snapshot)
    }

    /// Adds whether the staging origin can be used, where there is one.
    fn look_at_staging(&self, facts: &mut EnvironmentFacts) -> Outcome {
        let Some(dir) = &self.policies.config.publish.staging else {
            return Ok(());
        };
        let (dir, origin) = (self.site.root().join(dir), self.site.origin());
        let fs = self.app.world.fs();
        let needed = self.largest_artifacts();
        facts.disks.push((
            format!("the staging origin ({})", dir.display()),
            ByteSize(needed),
            ByteSize(fs.free_space(&dir)?),
        ));
        let (real, real_origin) = (without_links(&dir), without_links(origin));
        let problem = if real == real_origin {
            Some(format!(
                "{} and {} are the same directory",
                dir.display(),
                origin.display()
            ))
        } else if real.starts_with(&real_origin) {
            Some(format!("{} lies in {}", dir.display(), origin.display()))
        } else if real_origin.starts_with(&real) {
            Some(format!("{} has {} in it", dir.display(), origin.display()))
        } else {
            match LocalOrigin::open(&self.app.world, &dir).and_then(|origin| origin.check_writable()) {
                Ok(()) => None,
                // It is this machine's own, and made when it is needed.
                Err(vrel_origin::OriginError::NoOrigin { .. }) => self.no_staging_yet(&dir),
                Err(error) => Some(error.to_string()),
            }
        };
        facts.staging_problem = problem;
        Ok(())
    }

    /// Why an origin cannot be made there, as far as names tell: something else has them.
    fn no_staging_yet(&self, dir: &Path) -> Option<String> {
        let fs = self.app.world.fs();
        match fs.metadata(dir) {
            Ok(None) => None,
            Ok(Some(found)) if found.kind != FileKind::Directory => Some(format!(
                "{}: expected a directory for staging, got something else",
                dir.display()
            )),
            Ok(Some(_)) => match fs.list(dir) {
                Ok(entries) => entries.first().map(|entry| {
                    format!(
                        "{} has `{}` in it and is no origin; expected an empty directory, or none",
                        dir.display(),
                        entry.name
                    )
                }),
                Err(error) => Some(error.to_string()),
            },
            Err(error) => Some(error.to_string()),
        }
    }

    /// How large a release may be at most, and its copies while it is made.
    fn largest_artifacts(&self) -> u64 {
        let sizes = self.policies.artifacts.values();
        sizes.map(|artifact| artifact.max_size.0 * 3).sum()
    }

    fn environment(&self, channel: &ChannelName) -> Result<EnvironmentFacts, Failure> {
        let fs = self.app.world.fs();
        let mut facts = EnvironmentFacts {
            missing_tools: doctor::missing_tools(self.app)?,
            ..Default::default()
        };
        let artifacts = self.largest_artifacts();
        let places = [
            ("the work directory", self.site.state(), BUILD_SPACE + artifacts),
            ("the origin", self.site.origin().to_owned(), artifacts),
        ];
        for (what, path, needed) in places {
            facts.disks.push((
                format!("{what} ({})", path.display()),
                ByteSize(needed),
                ByteSize(fs.free_space(&path)?),
            ));
        }
        for role in self.roles(channel) {
            let mut fact = self.keys.look(self.app, role)?;
            if fact.problem.is_none() && self.ring.keys(role).is_empty() {
                fact.problem = Some(format!(
                    "there is no public key in {}",
                    self.site.public_keys().display()
                ));
                fact.hint = Some(format!(
                    "make a key with `vrel keys generate {role}` and commit its public file"
                ));
            }
            facts.keys.push(fact);
        }
        facts.identity_problem = self.app.world.git().identity_problem(self.site.root())?;
        facts.origin_problem = self.origin_problem();
        Ok(facts)
    }

    fn roles(&self, channel: &ChannelName) -> Vec<&KeyRole> {
        let channel = self.policies.channels.get(channel);
        channel
            .map(|channel| &channel.key_role)
            .into_iter()
            .chain([&self.policies.signing.pointer_role])
            .collect()
    }

    fn origin_problem(&self) -> Option<String> {
        let place = self.site.origin();
        if let Ok(Some(found)) = self.app.world.fs().metadata(place)
            && found.kind != FileKind::Directory
        {
            return Some(format!(
                "{}: expected a directory for the origin, got something else",
                place.display()
            ));
        }
        let writable = LocalOrigin::open(&self.app.world, place).and_then(|origin| origin.check_writable());
        match writable {
            Ok(()) => None,
            Err(vrel_origin::OriginError::NoOrigin { .. }) if self.init_origin => None,
            Err(error @ vrel_origin::OriginError::NoOrigin { .. }) => {
                Some(format!("{error}; pass --init-origin to start a new one"))
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// The secret keys that a plan needs.
    ///
    /// # Errors
    /// When one is missing, wrong, not trusted, or cannot be opened.
    pub(crate) fn signers(&self, plan: &Plan) -> Result<Signers, Failure> {
        self.load(&plan.key_role, &plan.pointer_role)
    }

    fn load(&self, release: &KeyRole, pointer: &KeyRole) -> Result<Signers, Failure> {
        Ok(Signers {
            release: self.keys.load(self.app, release, &self.ring)?,
            pointer: self.keys.load(self.app, pointer, &self.ring)?,
        })
    }

    fn with_release<T>(
        &self,
        plan: &Plan,
        signers: Option<&Signers>,
        reporter: &Reporter,
        run: impl FnOnce(&Release<'_>) -> Result<T, EngineError>,
    ) -> Result<T, Failure> {
        let tool_pages = pages()?;
        let config = load_at_commit(&self.app.world, self.site.root(), &plan.commit)?;
        let release = Release {
            world: &self.app.world,
            site: &self.site,
            plan,
            policies: &self.policies,
            config: &config,
            ring: &self.ring,
            signers,
            progress: reporter,
            jobs: self.options.jobs(),
            tool_pages: &tool_pages,
            cache: self.options.cache(&self.site),
            cargo_home: cargo_home()?,
        };
        Ok(run(&release)?)
    }

    /// Follows the journal's plan to its end and says what was published.
    ///
    /// # Errors
    /// When a step fails; the hint then says how to go on.
    pub(crate) fn follow(&self, journal: &mut Journal, signers: &Signers) -> Outcome {
        let plan = journal.plan().clone();
        let reporter = Reporter::new(self.app.global.json, self.app.global.verbose);
        let followed = self.with_release(&plan, Some(signers), &reporter, |release| {
            apply(&self.app.world, release, &steps_of(&plan), journal, &reporter)
        });
        reporter.clear();
        if let Err(failure) = followed {
            let reached = plan
                .steps
                .iter()
                .any(|step| !step.reversible && journal.was_begun(&step.name));
            let undo = match (reached, plan.edition().is_first()) {
                (true, _) => "",
                (false, true) => ", or `vrel undo` to drop the release",
                (false, false) => ", or `vrel undo` to drop what is added",
            };
            return Err(failure.hint(format!("then run `vrel resume` to go on{undo}")));
        }
        self.summary(&plan, &reporter.times())
    }

    /// Takes the journal's release back.
    ///
    /// # Errors
    /// When it is public, or a step cannot be taken back.
    pub(crate) fn take_back(&self, journal: Journal) -> Outcome {
        let plan = journal.plan().clone();
        let reporter = Reporter::new(false, self.app.global.verbose);
        let undone = self.with_release(&plan, None, &reporter, |release| {
            undo(&self.app.world, release, &steps_of(&plan), journal, &reporter)
        });
        reporter.clear();
        undone
    }

    fn summary(&self, plan: &Plan, times: &[StepTime]) -> Outcome {
        let dir = self.site.origin().join(plan.release_dir());
        let bytes = self.app.world.fs().read(&dir.join(plan.edition().manifest()))?;
        let manifest = Manifest::parse(&bytes)
            .map_err(|error| Failure::new(FailureKind::Bug, format!("the published manifest: {error}")))?;
        if self.app.global.json {
            let steps: Vec<_> = times
                .iter()
                .map(|time| serde_json::json!({"step": time.step, "seconds": time.took.map(|took| took.as_secs_f64())}))
                .collect();
            let line = serde_json::json!({
                "event": "released", "version": plan.version, "channel": plan.channel, "commit": plan.commit,
                "directory": dir, "edition": plan.edition(), "artifacts": manifest.artifacts, "steps": steps,
            });
            return output::print(&format!("{line}\n"));
        }
        output::print(&describe(plan, &manifest, times, &dir, self.site.origin()))
    }
}

fn describe(plan: &Plan, manifest: &Manifest, times: &[StepTime], dir: &Path, origin: &Path) -> String {
    let head = vec!["artifact".to_owned(), "size".to_owned(), "sha256".to_owned()];
    let rows = manifest.artifacts.iter().map(|artifact| {
        vec![
            artifact.name.to_string(),
            ByteSize(artifact.length).to_string(),
            artifact.sha256.to_string(),
        ]
    });
    let mut text = output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), &[1]);
    text.push('\n');
    let head = vec!["step".to_owned(), "time".to_owned()];
    let time = |took: Option<Duration>| took.map_or_else(|| "done before".to_owned(), seconds);
    let rows = times.iter().map(|step| vec![step.step.clone(), time(step.took)]);
    text += &output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>(), &[1]);
    let what = plan.backfill.as_ref().map_or(String::new(), |backfill| {
        let arches: Vec<_> = backfill.arches.iter().map(ToString::to_string).collect();
        format!(" with {} added", arches.join(", "))
    });
    text += &format!(
        "\n{} {}{what} is published in the channel {}.\n  directory     {}\n  announcement  {}\n  verify        vrel verify {} {}\n",
        plan.product_name,
        plan.version,
        plan.channel,
        dir.display(),
        plan.messages
            .first()
            .map_or("none", |message| message.path.as_str()),
        origin.display(),
        plan.version
    );
    text
}

/// Takes the lock, waiting for it where a person asked for that.
/// Takes the repository's lock for a command.
///
/// # Errors
/// When somebody else has it and `--wait` was not given.
pub(crate) fn lock(
    app: &App,
    site: &Site,
    options: &ReleaseOptions,
    command: &str,
) -> Result<Locked, Failure> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let holder = format!(
        "`{command}`, process {} on {host}, since {}",
        std::process::id(),
        app.world.now()
    );
    let mut told = false;
    // A program that was killed without warning may live on for a moment in a child that has not become another program
    // yet, and holds the lock as long.
    let mut grace = 10;
    loop {
        match take_lock(&app.world, site, &holder) {
            Err(EngineError::Locked { .. }) if grace > 0 => {
                grace -= 1;
                std::thread::park_timeout(Duration::from_millis(50));
            }
            Err(EngineError::Locked { holder }) if options.wait => {
                app.world.check_interrupt()?;
                if !told {
                    output::say(&format!("waiting for {holder}"));
                    told = true;
                }
                std::thread::park_timeout(Duration::from_millis(200));
            }
            taken => return Ok(taken?),
        }
    }
}

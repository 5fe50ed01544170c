//! The fake release world itself.

use crate::fake_programs::{ANOTHER, BROKEN_EMULATOR, FakePrograms, Leak, SLOW};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use vrel_engine::channels::Channels;
use vrel_engine::{
    EngineError, Journal, Nightly, NightlyOutcome, Release, Signers, Silent, Site, apply,
    collect_backfill_facts, collect_release_facts, collect_snapshot, load_all, load_at_commit,
    load_from_work_tree, look_at_remote, steps_of, undo,
};
use vrel_model::{Arch, Plan, UtcTime, Version};
use vrel_origin::LocalOrigin;
use vrel_process::{Outcome, plan_backfill, plan_cut_rc, plan_release};
use vrel_trust::{KeyRing, NewKey, Protection, Scrypt, SecretKey, generate};
use vrel_world::{Fs, Git, Processes, RealWorld, Result, World};

/// When everything in a scene happens.
const NOW: i64 = 1_795_230_000;

/// The files of the scene's repository, by path.
const FILES: [(&str, &str); 22] = [
    (".gitignore", "/.vrel/\n/origin/\n/staging/\n"),
    ("vrel.toml", include_str!("../scene/vrel.toml")),
    ("requirements.toml", include_str!("../scene/requirements.toml")),
    ("channels/beta.toml", include_str!("../../../channels/beta.toml")),
    ("channels/lts.toml", include_str!("../../../channels/lts.toml")),
    (
        "channels/nightly.toml",
        include_str!("../../../channels/nightly.toml"),
    ),
    (
        "channels/stable.toml",
        include_str!("../../../channels/stable.toml"),
    ),
    ("signing/policy.toml", include_str!("../scene/signing.toml")),
    (
        "artifacts/kernel.toml",
        include_str!("../../../artifacts/kernel.toml"),
    ),
    (
        "artifacts/initrd.toml",
        include_str!("../../../artifacts/initrd.toml"),
    ),
    ("artifacts/iso.toml", include_str!("../scene/iso.toml")),
    ("artifacts/oci.toml", include_str!("../../../artifacts/oci.toml")),
    (
        "artifacts/release-notes.toml",
        include_str!("../../../artifacts/release-notes.toml"),
    ),
    (
        "artifacts/manifest-schema.toml",
        include_str!("../../../artifacts/manifest-schema.toml"),
    ),
    (
        "artifacts/disk.toml",
        include_str!("../../../artifacts/disk.toml"),
    ),
    (
        "artifacts/source.toml",
        include_str!("../../../artifacts/source.toml"),
    ),
    ("RELEASE_TODO.md", include_str!("../../../RELEASE_TODO.md")),
    ("os/targets.toml", include_str!("../scene/targets.toml")),
    ("os/images/minimal.toml", include_str!("../scene/image.toml")),
    (
        "os/machines/acted-x86_64.toml",
        include_str!("../scene/machine-x86_64.toml"),
    ),
    (
        "os/machines/acted-aarch64.toml",
        include_str!("../scene/machine-aarch64.toml"),
    ),
    (
        "os/machines/acted-riscv64.toml",
        include_str!("../scene/machine-riscv64.toml"),
    ),
];

/// A channel's policy without its gates and approvals: a scene has neither unless a test sets some.
fn ungated(policy: &str) -> String {
    let mut text = String::new();
    let mut in_gates = false;
    for line in policy.lines() {
        in_gates |= line.starts_with("gates = [");
        if !in_gates && !line.starts_with("approv") {
            text.push_str(line);
            text.push('\n');
        }
        in_gates &= !line.ends_with(']');
    }
    text
}

/// The history of the scene's repository, after the first commit.
const HISTORY: [&str; 4] = [
    "feat(kernel): boot on riscv64",
    "fix(loader): find the initrd on every volume\n\nFixes #7",
    "perf(kernel): map large pages",
    "chore: tidy up",
];

/// A temporary directory with a repository, its bare remote, throwaway keys and an acted toolchain.
pub struct Scene {
    _dir: TempDir,
    base: PathBuf,
}

/// The world of a scene: real files and git, a clock that stands still, acted compiler and emulator.
pub struct SceneWorld {
    real: RealWorld,
    programs: FakePrograms,
    random: Mutex<u64>,
    now: AtomicU64,
}

impl World for SceneWorld {
    /// Nobody cuts the power of a scene, so nothing waits for the disk.
    fn fs(&self) -> &dyn Fs {
        self.real.scratch()
    }

    fn git(&self) -> &dyn Git {
        self.real.git()
    }

    fn processes(&self) -> &dyn Processes {
        &self.programs
    }

    fn now(&self) -> UtcTime {
        let seconds = i64::try_from(self.now.load(Ordering::SeqCst)).unwrap_or(NOW);
        UtcTime::from_unix(seconds).unwrap_or_else(|error| panic!("{error}"))
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        // SplitMix64: the same keys in every run.
        let mut state = self
            .random
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for byte in buffer {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (mixed ^ (mixed >> 31)).to_le_bytes()[0];
        }
        Ok(())
    }

    fn check_interrupt(&self) -> Result<()> {
        self.real.check_interrupt()
    }
}

impl SceneWorld {
    fn new(sysroot: &Path, leak: Option<Leak>) -> Self {
        Self {
            real: RealWorld::default(),
            programs: FakePrograms::new(sysroot, leak),
            random: Mutex::new(1),
            now: AtomicU64::new(NOW.unsigned_abs()),
        }
    }

    /// Moves the clock.
    pub fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// The plan that a person would agree to.
fn agreed(outcome: Outcome) -> Plan {
    let plan = outcome
        .plan
        .filter(|_| !outcome.findings.iter().any(vrel_process::Finding::is_fatal));
    plan.unwrap_or_else(|| panic!("{:#?}", outcome.findings))
}

fn git(dir: &Path, args: &[&str]) {
    git_at(dir, NOW - 3600, args);
}

/// Runs git, for which it is then.
fn git_at(dir: &Path, time: i64, args: &[&str]) {
    let date = format!("@{time} +0000");
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args([
            "-c",
            "commit.gpgSign=false",
            "-c",
            "tag.gpgSign=false",
            "-c",
            "init.templateDir=",
        ])
        .args(args)
        .envs([("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .output()
        .unwrap_or_else(|error| panic!("git {args:?}: {error}"));
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn write(path: &Path, content: &[u8]) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    }
    std::fs::write(path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// A new directory, in memory where the machine has a file system for that.
fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    made.unwrap_or_else(|error| panic!("no temporary directory: {error}"))
}

fn copy_tree(from: &Path, to: &Path) {
    let copy = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(
        copy.is_ok_and(|status| status.success()),
        "cp {} {}",
        from.display(),
        to.display()
    );
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

impl Scene {
    /// Sets the scene: commits on `main`, pushed to the remote; keys for both roles, the public ones committed.
    #[must_use]
    pub fn new() -> Self {
        let dir = temporary();
        let base = dir.path().join("scene");
        let scene = Self { _dir: dir, base };
        let repo = scene.repo();
        for (path, content) in FILES {
            let content = if path.starts_with("channels/") {
                ungated(content)
            } else {
                content.to_owned()
            };
            write(&repo.join(path), content.as_bytes());
        }
        FakePrograms::lay_out(&scene.sysroot()).unwrap_or_else(|error| panic!("{error}"));
        scene.make_keys();
        git(&scene.base, &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        git(&repo, &["init", "-q", "-b", "main"]);
        for (key, value) in [
            ("user.name", "Releaser"),
            ("user.email", "r@example.org"),
            ("gc.auto", "0"),
        ] {
            git(&repo, &["config", key, value]);
        }
        git(&repo, &["remote", "add", "origin", "../remote.git"]);
        git(&repo, &["add", "."]);
        git(&repo, &["commit", "-q", "-m", "feat: start"]);
        for message in HISTORY {
            git(&repo, &["commit", "-q", "--allow-empty", "-m", message]);
        }
        git(&repo, &["push", "-q", "origin", "main"]);
        scene
    }

    /// Commits and pushes that the candidates' channel lets tier 2 lag for so many days.
    pub fn let_lag(&self, days: u32) {
        self.add_policy(&format!("tier-2-lag-days = {days}"), "chore: let tier 2 lag");
    }

    /// Commits and pushes that the candidates' channel asks for a second build.
    pub fn build_twice(&self) {
        self.add_policy("double-build = true", "chore: build candidates twice");
    }

    /// Commits and pushes that releases go to a staging origin first.
    pub fn use_staging(&self) {
        self.replace(
            "vrel.toml",
            "origin = \"origin\"\n",
            "origin = \"origin\"\nstaging = \"staging\"\n",
        );
        self.git(&["commit", "-q", "-a", "-m", "chore: stage releases"]);
        self.git(&["push", "-q", "origin", "main"]);
    }

    /// Commits and pushes that the ISO is an installer.
    pub fn use_installer(&self) {
        self.replace(
            "artifacts/iso.toml",
            "boot = [\"iso\"]",
            "boot = [\"iso\", \"install\"]",
        );
        self.git(&["commit", "-q", "-a", "-m", "feat: install from the ISO"]);
        self.git(&["push", "-q", "origin", "main"]);
    }

    fn replace(&self, file: &str, old: &str, new: &str) {
        let path = self.repo().join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(old), "{file} has no {old:?}");
        write(&path, text.replacen(old, new, 1).as_bytes());
    }

    /// Adds a line to the policy of the candidates' channel.
    fn add_policy(&self, line: &str, message: &str) {
        let path = self.repo().join("channels/beta.toml");
        let policy = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
        write(&path, format!("{policy}{line}\n").as_bytes());
        self.git(&["commit", "-q", "-a", "-m", message]);
        self.git(&["push", "-q", "origin", "main"]);
    }

    /// Replaces the acted compiler by one that says this of itself.
    pub fn change_compiler(&self, says: &str) {
        write(&self.sysroot().join(ANOTHER), says.as_bytes());
    }

    fn make_keys(&self) {
        let world = self.world();
        for role in ["release", "pointer"] {
            let role = role.parse().unwrap_or_else(|error| panic!("{error}"));
            let (secret_file, public_file) = self.key_files(&role);
            write(&public_file, b"");
            std::fs::remove_file(&public_file).unwrap_or_else(|error| panic!("{error}"));
            write(&self.base.join("keys/.keep"), b"");
            let new = NewKey {
                role: &role,
                secret_file: &secret_file,
                public_file: &public_file,
                protection: Protection::FileModeOnly,
            };
            generate(&world, &new).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// Gives a person a key and a file in `signing/people`, not committed yet. The secret key is `person-NAME.key` among the
    /// others.
    ///
    /// # Panics
    /// When the files cannot be written.
    pub fn add_person(&self, name: &str, roles: &[&str]) {
        let role: vrel_model::KeyRole = format!("person-{name}")
            .parse()
            .unwrap_or_else(|error| panic!("{error}"));
        let world = self.world();
        // Everybody's key is another one, although the world's randomness is the same in every run.
        let mut skipped = vec![0; name.bytes().map(usize::from).sum::<usize>()];
        world
            .random(&mut skipped)
            .unwrap_or_else(|error| panic!("{error}"));
        let secret_file = self.keys().join(format!("{role}.key"));
        let new = NewKey {
            role: &role,
            secret_file: &secret_file,
            public_file: &secret_file.with_extension("pub"),
            protection: Protection::FileModeOnly,
        };
        let made = generate(&world, &new).unwrap_or_else(|error| panic!("{error}"));
        let roles: Vec<_> = roles.iter().map(|role| format!("\"{role}\"")).collect();
        let text = format!(
            "name = \"{name}\"\nemail = \"{name}@example.org\"\nkey = \"{}\"\nroles = [{}]\n",
            made.public.to_base64(),
            roles.join(", ")
        );
        write(
            &self.repo().join(format!("signing/people/{name}.toml")),
            text.as_bytes(),
        );
    }

    /// A person's secret key.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn person_key(&self, name: &str) -> SecretKey {
        let path = self.keys().join(format!("person-{name}.key"));
        SecretKey::load(&self.world(), &path, None, Scrypt::THROWAWAY)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn key_files(&self, role: &vrel_model::KeyRole) -> (PathBuf, PathBuf) {
        let public = self.repo().join("signing/keys").join(format!("{role}.pub"));
        (self.base.join("keys").join(format!("{role}.key")), public)
    }

    /// Another scene in the same state, in another directory.
    #[must_use]
    pub fn copy(&self) -> Self {
        let dir = temporary();
        let base = dir.path().join("scene");
        copy_tree(&self.base, &base);
        Self { _dir: dir, base }
    }

    /// The repository.
    #[must_use]
    pub fn repo(&self) -> PathBuf {
        self.base.join("repo")
    }

    /// The bare remote.
    #[must_use]
    pub fn remote(&self) -> PathBuf {
        self.base.join("remote.git")
    }

    /// The origin.
    #[must_use]
    pub fn origin(&self) -> PathBuf {
        self.repo().join("origin")
    }

    /// The staging origin, where [`Scene::use_staging`] was called.
    #[must_use]
    pub fn staging(&self) -> PathBuf {
        self.repo().join("staging")
    }

    /// The directory of secret keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.base.join("keys")
    }

    /// The directory that holds everything of the scene.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.base
    }

    pub(crate) fn sysroot(&self) -> PathBuf {
        self.base.join("sysroot")
    }

    /// A world to release in.
    #[must_use]
    pub fn world(&self) -> SceneWorld {
        SceneWorld::new(&self.sysroot(), None)
    }

    /// As [`Scene::world`], with a compiler that writes into kernels what it should not.
    #[must_use]
    pub fn world_with(&self, leak: Leak) -> SceneWorld {
        SceneWorld::new(&self.sysroot(), Some(leak))
    }

    /// Runs git in the repository.
    pub fn git(&self, args: &[&str]) {
        git(&self.repo(), args);
    }

    /// The trusted public keys.
    ///
    /// # Panics
    /// When the scene's files are not in order.
    #[must_use]
    pub fn ring(&self) -> KeyRing {
        let world = self.world();
        let policies = load_from_work_tree(&world, &self.repo()).unwrap_or_else(|error| panic!("{error}"));
        KeyRing::load(&world, &self.repo().join("signing/keys"), &policies.signing)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn signers(&self) -> Signers {
        let load = |role: &str| {
            let role = role.parse().unwrap_or_else(|error| panic!("{error}"));
            SecretKey::load(&self.world(), &self.key_files(&role).0, None, Scrypt::THROWAWAY)
                .unwrap_or_else(|error| panic!("{error}"))
        };
        Signers {
            release: load("release"),
            pointer: load("pointer"),
        }
    }

    /// Plans a candidate from the facts of a world.
    ///
    /// # Errors
    /// When a fact cannot be gathered.
    pub fn plan(&self, world: &dyn World, version: &Version) -> std::result::Result<Outcome, EngineError> {
        self.plan_without(world, version, &[])
    }

    /// Plans a candidate that lacks some architectures at first.
    ///
    /// # Errors
    /// When a fact cannot be gathered.
    pub fn plan_without(
        &self,
        world: &dyn World,
        version: &Version,
        without: &[Arch],
    ) -> std::result::Result<Outcome, EngineError> {
        let policies = load_from_work_tree(world, &self.repo())?;
        let site = Site::new(&self.repo(), &policies.config);
        let snapshot = collect_snapshot(world, &site, policies, version)?;
        Ok(plan_cut_rc(&snapshot, version, without, world.now()))
    }

    fn with_release<T>(
        &self,
        world: &dyn World,
        journal: &Journal,
        run: impl FnOnce(&Release<'_>) -> std::result::Result<T, EngineError>,
    ) -> std::result::Result<T, EngineError> {
        let policies = load_from_work_tree(world, &self.repo())?;
        let site = Site::new(&self.repo(), &policies.config);
        let plan = journal.plan().clone();
        let config = load_at_commit(world, &self.repo(), &plan.commit)?;
        let (ring, signers) = (self.ring(), self.signers());
        run(&Release {
            world,
            site: &site,
            plan: &plan,
            policies: &policies,
            config: &config,
            ring: &ring,
            signers: Some(&signers),
            progress: &Silent,
            // One after the other: the number of an effect must mean the same effect in every run.
            jobs: 1,
            tool_pages: &BTreeMap::new(),
            cache: site.cache(),
            cargo_home: self.base.join("cargo"),
        })
    }

    fn site(&self, world: &dyn World) -> std::result::Result<Site, EngineError> {
        let policies = load_from_work_tree(world, &self.repo())?;
        Ok(Site::new(&self.repo(), &policies.config))
    }

    /// Cuts a candidate, as the command does after its checks.
    ///
    /// # Errors
    /// The first effect or step that fails.
    ///
    /// # Panics
    /// When the plan has a finding that forbids it.
    pub fn cut_rc(&self, world: &dyn World, version: &Version) -> std::result::Result<(), EngineError> {
        self.cut_rc_without(world, version, &[])
    }

    /// Cuts a candidate that lacks some architectures at first.
    ///
    /// # Errors
    /// The first effect or step that fails.
    ///
    /// # Panics
    /// When the plan has a finding that forbids it.
    pub fn cut_rc_without(
        &self,
        world: &dyn World,
        version: &Version,
        without: &[Arch],
    ) -> std::result::Result<(), EngineError> {
        let plan = agreed(self.plan_without(world, version, without)?);
        let site = self.site(world)?;
        LocalOrigin::init(world, site.origin()).map_err(|error| EngineError::Step {
            step: "origin".to_owned(),
            message: error.to_string(),
            hint: None,
            conflict: false,
        })?;
        let mut journal = Journal::start(world, &site, plan)?;
        self.follow(world, &mut journal)
    }

    /// Plans the final release of a version; `named` is the candidate that a person chose.
    ///
    /// # Errors
    /// When a fact cannot be gathered.
    pub fn plan_release(
        &self,
        world: &dyn World,
        version: &Version,
        named: Option<&Version>,
    ) -> std::result::Result<Outcome, EngineError> {
        let policies = load_from_work_tree(world, &self.repo())?;
        let site = Site::new(&self.repo(), &policies.config);
        let remote = policies.config.git.remote.clone();
        let ring = self.ring();
        let (mut snapshot, facts) = collect_release_facts(world, &site, policies, &ring, version, named)?;
        snapshot.remote = Some(look_at_remote(world, &site, &remote)?);
        Ok(plan_release(&snapshot, &facts, version, named, world.now()))
    }

    /// Makes a candidate final, as the command does after its checks.
    ///
    /// # Errors
    /// The first effect or step that fails.
    ///
    /// # Panics
    /// When the plan has a finding that forbids it.
    pub fn release(
        &self,
        world: &dyn World,
        version: &Version,
        named: Option<&Version>,
    ) -> std::result::Result<(), EngineError> {
        let plan = agreed(self.plan_release(world, version, named)?);
        self.start(world, plan)
    }

    /// Follows a plan that was agreed to from its beginning.
    ///
    /// # Errors
    /// The first effect or step that fails.
    pub fn start(&self, world: &dyn World, plan: Plan) -> std::result::Result<(), EngineError> {
        let mut journal = Journal::start(world, &self.site(world)?, plan)?;
        self.follow(world, &mut journal)
    }

    /// Plans to add what lags to a published release.
    ///
    /// # Errors
    /// When a fact cannot be gathered.
    pub fn plan_backfill(
        &self,
        world: &dyn World,
        version: &Version,
    ) -> std::result::Result<Outcome, EngineError> {
        let policies = load_from_work_tree(world, &self.repo())?;
        let site = Site::new(&self.repo(), &policies.config);
        let facts = collect_backfill_facts(world, &site, &policies, &self.ring(), version)?;
        let snapshot = collect_snapshot(world, &site, policies, version)?;
        Ok(plan_backfill(&snapshot, &facts, version, &[], world.now()))
    }

    /// Adds what lags to a published release, as the command does after its checks.
    ///
    /// # Errors
    /// The first effect or step that fails.
    ///
    /// # Panics
    /// When the plan has a finding that forbids it.
    pub fn backfill(&self, world: &dyn World, version: &Version) -> std::result::Result<(), EngineError> {
        let plan = agreed(self.plan_backfill(world, version)?);
        let mut journal = Journal::start(world, &self.site(world)?, plan)?;
        self.follow(world, &mut journal)
    }

    /// Makes a nightly, as the command does.
    ///
    /// # Errors
    /// The first effect that fails.
    pub fn nightly(&self, world: &dyn World) -> std::result::Result<NightlyOutcome, EngineError> {
        let policies = load_from_work_tree(world, &self.repo())?;
        let site = Site::new(&self.repo(), &policies.config);
        LocalOrigin::init(world, site.origin()).map_err(|error| EngineError::Step {
            step: "origin".to_owned(),
            message: error.to_string(),
            hint: None,
            conflict: false,
        })?;
        let (ring, signers) = (self.ring(), self.signers());
        let nightly = Nightly {
            world,
            site: &site,
            policies: &policies,
            ring: &ring,
            signers: Some(&signers),
            environment: None,
            progress: &Silent,
            jobs: 1,
            tool_pages: &BTreeMap::new(),
            cache: site.cache(),
            cargo_home: self.base.join("cargo"),
        };
        nightly.run()
    }

    /// Works with the channels from a clone of the scene's remote, which publishes to the scene's origin; with the key that
    /// signs the pointer.
    ///
    /// # Errors
    /// When a policy file is wrong, and those of `run`.
    pub fn channels<T>(
        &self,
        world: &dyn World,
        clone: &Path,
        run: impl FnOnce(&Channels<'_>, &SecretKey) -> std::result::Result<T, EngineError>,
    ) -> std::result::Result<T, EngineError> {
        let mut policies = load_from_work_tree(world, clone)?;
        policies.config.publish.origin = self.origin();
        let site = Site::new(clone, &policies.config);
        let ring = self.ring();
        let channels = Channels {
            world,
            site: &site,
            policies: &policies,
            ring: &ring,
            threads: std::num::NonZeroUsize::MIN,
        };
        run(&channels, &self.signers().pointer)
    }

    /// Makes another clone of the remote, with a person of its own.
    ///
    /// # Panics
    /// When git fails.
    #[must_use]
    pub fn another_clone(&self, name: &str) -> PathBuf {
        let clone = self.base.join(name);
        git(&self.base, &["clone", "-q", "remote.git", name]);
        git(&clone, &["config", "user.name", name]);
        git(&clone, &["config", "user.email", &format!("{name}@example.org")]);
        clone
    }

    /// Commits a change to files on the development branch and returns the commit; empty content removes a file.
    ///
    /// # Panics
    /// When git fails.
    pub fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        self.commit_as_of(NOW - 3600, message, files)
    }

    /// As [`Scene::commit`], at the time that it is in a world.
    ///
    /// # Panics
    /// When git fails.
    pub fn commit_at(&self, world: &SceneWorld, message: &str, files: &[(&str, &str)]) -> String {
        self.commit_as_of(world.now().unix(), message, files)
    }

    fn commit_as_of(&self, time: i64, message: &str, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let path = self.repo().join(path);
            if content.is_empty() {
                std::fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            } else {
                write(&path, content.as_bytes());
            }
        }
        self.git(&["add", "-A"]);
        git_at(
            &self.repo(),
            time,
            &["commit", "-q", "--allow-empty", "-m", message],
        );
        let world = self.world();
        let tip = world.git().resolve(&self.repo(), "refs/heads/main");
        tip.unwrap_or_else(|error| panic!("{error}"))
            .unwrap_or_else(|| panic!("there is no main"))
    }

    /// Breaks the compiler of this machine for the targets with this in their name; `None` mends it.
    pub fn break_compiler(&self, target: Option<&str>) {
        let path = self.sysroot().join("broken");
        match target {
            Some(target) => write(&path, target.as_bytes()),
            None => std::fs::remove_file(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }

    /// Breaks the emulator of this machine for command lines that have this text in an argument.
    pub fn break_emulator(&self, part: &str) {
        write(&self.sysroot().join(BROKEN_EMULATOR), part.as_bytes());
    }

    /// Lets a system call of a version take so many instructions.
    pub fn slow_down(&self, version: &Version, instructions: u64) {
        let text = format!("{version} {instructions}");
        write(&self.sysroot().join(SLOW), text.as_bytes());
    }

    fn follow(&self, world: &dyn World, journal: &mut Journal) -> std::result::Result<(), EngineError> {
        let copy = journal.clone();
        self.with_release(world, &copy, |release| {
            apply(world, release, &steps_of(release.plan), journal, &Silent)
        })
    }

    fn open_journal(&self, world: &dyn World) -> std::result::Result<Option<Journal>, EngineError> {
        Ok(load_all(world, &self.site(world)?)?
            .into_iter()
            .find(Journal::is_open))
    }

    /// Goes on with an unfinished release; `false` when there is none.
    ///
    /// # Errors
    /// The first effect or step that fails.
    pub fn resume(&self, world: &dyn World) -> std::result::Result<bool, EngineError> {
        let Some(mut journal) = self.open_journal(world)? else {
            return Ok(false);
        };
        self.follow(world, &mut journal)?;
        Ok(true)
    }

    /// Takes an unfinished release back; `false` when there is none.
    ///
    /// # Errors
    /// When it is public, or an effect fails.
    pub fn undo(&self, world: &dyn World) -> std::result::Result<bool, EngineError> {
        let Some(journal) = self.open_journal(world)? else {
            return Ok(false);
        };
        let copy = journal.clone();
        self.with_release(world, &copy, |release| {
            undo(world, release, &steps_of(release.plan), journal, &Silent)
        })?;
        Ok(true)
    }

    /// Everything that others can see of the scene: the origin's files, the remote's refs, the plan and the drafts.
    #[must_use]
    pub fn visible(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = published(&self.origin());
        let refs = Command::new("git")
            .arg("-C")
            .arg(self.remote())
            .args(["for-each-ref"])
            .output();
        all.insert(
            "refs".into(),
            refs.map(|output| output.stdout).unwrap_or_default(),
        );
        all.insert(
            "plan".into(),
            std::fs::read(self.repo().join("RELEASE_TODO.md")).unwrap_or_default(),
        );
        for (path, content) in published(&self.repo().join(".vrel/outbox")) {
            all.insert(format!("outbox/{path}"), content);
        }
        all
    }

    /// As [`Scene::visible`], after a release. The commit of its record has its own time and tells of the journal, so it is
    /// another one after a fault; that it is there, and no other beside it, is what matters.
    ///
    /// # Panics
    /// When there are records, and none of the release among them.
    #[must_use]
    pub fn visible_after(&self, released: &Version) -> BTreeMap<String, Vec<u8>> {
        const RECORDS: &str = "refs/heads/records";
        let mut visible = self.visible();
        let refs = String::from_utf8_lossy(&visible["refs"]).into_owned();
        let (records, others): (Vec<_>, Vec<_>) = refs.lines().partition(|line| line.ends_with(RECORDS));
        visible.insert("refs".to_owned(), others.join("\n").into_bytes());
        if records.is_empty() {
            return visible;
        }
        let git = |args: &[&str]| {
            let output = Command::new("git")
                .arg("-C")
                .arg(self.remote())
                .args(args)
                .output();
            output.map(|output| output.stdout).unwrap_or_default()
        };
        let record = git(&["show", &format!("{RECORDS}:releases/{released}/record.toml")]);
        assert!(!record.is_empty(), "there is no record of {released}");
        visible.insert(
            "records".to_owned(),
            git(&["ls-tree", "-r", "--name-only", RECORDS]),
        );
        visible.insert(
            "commits of records".to_owned(),
            git(&["rev-list", "--count", RECORDS]),
        );
        visible
    }
}

/// The files of a directory by relative path, without hidden ones.
#[must_use]
pub fn published(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(current) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&current) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if let (Ok(relative), Ok(content)) = (path.strip_prefix(dir), std::fs::read(&path)) {
                files.insert(relative.display().to_string(), content);
            }
        }
    }
    files
}

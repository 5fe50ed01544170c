//! Smoke tests: what lies in staging is fetched as a stranger fetches it, booted, and installed over the release that users
//! have.

use super::build::built;
use super::publish::{manifest_digest, origin_error};
use super::stage::staging_dir;
use super::{Release, conflict, done, failed, missing};
use crate::run::Observation;
use crate::{BootTest, EngineError, Lab, ProgressEvent};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vrel_build::Machine;
use vrel_build::qemu::Booted;
use vrel_model::{
    Arch, ArtifactName, Benchmark, ManifestArtifact, Packer, PlannedArtifact, Sha256Digest, SmokeReport,
    StagedBoot, UpgradeOutcome, UpgradeTest, Verdict, Version,
};
use vrel_origin::{
    DownloadRequest, Finding, LocalOrigin, Problem, PublishedManifest, download, fetch_edition,
    fetch_newest_manifest,
};
use vrel_process::{SmokeTest, benchmarks, smoke_tests};

pub(super) const STEP: &str = "smoke";

/// What is kept of the tests.
const RECORD: &str = "smoke.json";

/// What is kept of one architecture, until all are through.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    manifest_sha256: Sha256Digest,
    boot: StagedBoot,
    upgrade: UpgradeTest,
    speed: Vec<Benchmark>,
}

/// What all tests work with.
pub(super) struct Smoke<'a, 'r> {
    pub(super) release: &'a Release<'r>,
    staging: LocalOrigin<'a>,
    pub(super) production: LocalOrigin<'a>,
    pub(super) lab: Lab,
    manifest_sha256: Sha256Digest,
    /// The release that users have, where there is one.
    pub(super) before: Option<PublishedManifest>,
}

fn report(release: &Release<'_>) -> Result<Option<SmokeReport>, EngineError> {
    let bytes = release.read(&release.work_file(RECORD))?;
    let report = bytes.and_then(|bytes| SmokeReport::parse(&bytes).ok());
    let (_, manifest) = manifest_digest(release, STEP)?;
    Ok(report.filter(|report| report.manifest_sha256 == manifest))
}

/// All tests passed with these very files.
pub(super) fn is_smoked(release: &Release<'_>) -> Result<Observation, EngineError> {
    let Some(report) = report(release)? else {
        return missing("smoke tests of what lies in staging");
    };
    let upgraded = |test: &&UpgradeTest| matches!(test.outcome, UpgradeOutcome::Ok { .. });
    let from = report.upgrades.iter().find(upgraded);
    let upgrades = match from.and_then(|test| test.from.as_ref()) {
        Some(from) => {
            let count = report.upgrades.iter().filter(upgraded).count();
            format!("{count} upgrades from {from}")
        }
        None => "no upgrade: ".to_owned() + &why_skipped(&report.upgrades),
    };
    done(format!(
        "{} boots, {upgrades}, {} figures",
        report.boots.len(),
        report.benchmarks.len()
    ))
}

fn why_skipped(upgrades: &[UpgradeTest]) -> String {
    let why = upgrades.iter().find_map(|test| match &test.outcome {
        UpgradeOutcome::Skipped { why } => Some(why.clone()),
        UpgradeOutcome::Ok { .. } => None,
    });
    why.unwrap_or_else(|| "nothing boots".to_owned())
}

/// Makes the tests that were not made yet, several at a time, and compares the figures.
pub(super) fn smoke(release: &Release<'_>) -> Result<(), EngineError> {
    let dir = staging_dir(release, STEP)?;
    let error = |error| origin_error(STEP, error);
    let os = release.site.sources(release.plan).join(&release.config.os.source);
    let lab = Lab::read(release.world, &os, &release.config.os.image);
    let (_, manifest_sha256) = manifest_digest(release, STEP)?;
    let production = LocalOrigin::open(release.world, release.site.origin()).map_err(error)?;
    let smoke = Smoke {
        before: before(release, &production)?,
        release,
        staging: LocalOrigin::open(release.world, &dir).map_err(error)?,
        production,
        lab: lab.map_err(|error| super::build_error(STEP, error))?,
        manifest_sha256,
    };
    release.world.fs().create_dir_all(&release.work_file(STEP))?;
    let mut benchmarks = smoke.sizes()?;
    let (mut boots, mut upgrades) = (Vec::new(), Vec::new());
    for seen in smoke.run_all()? {
        boots.push(seen.boot);
        upgrades.push(seen.upgrade);
        benchmarks.extend(seen.speed);
    }
    check(&benchmarks)?;
    let report = SmokeReport {
        schema: 1,
        release: release.plan.version.clone(),
        manifest_sha256,
        boots,
        upgrades,
        benchmarks,
    };
    let json = serde_json::to_vec_pretty(&report).map_err(|error| failed(STEP, error))?;
    release.write(&release.work_file(RECORD), &json)
}

/// The newest release before this one that production has, verified.
fn before(
    release: &Release<'_>,
    production: &LocalOrigin<'_>,
) -> Result<Option<PublishedManifest>, EngineError> {
    let plan = release.plan;
    let candidate = plan.candidate.as_ref().map(|candidate| &candidate.version);
    let head = plan.pointer.head_before.as_ref();
    for version in [plan.previous.as_ref(), head, candidate].into_iter().flatten() {
        let dir = production.dir().join("releases").join(version.to_string());
        if release.world.fs().metadata(&dir.join("manifest.json"))?.is_some() {
            let fetched = fetch_newest_manifest(production, &release.trust(), &plan.product, version);
            let fetched = fetched.map_err(|finding| refused(&format!("{version} in production"), finding))?;
            return Ok(Some(fetched));
        }
    }
    Ok(None)
}

/// Something that was fetched is not what was signed.
fn refused(what: &str, finding: Finding) -> EngineError {
    match *finding.problem {
        Problem::Origin(error) => origin_error(STEP, error),
        problem => conflict(
            STEP,
            format!("{what}: {}: {problem}", finding.object),
            "`vrel undo` drops this release; look who changed a published file",
        ),
    }
}

/// No figure may go beyond what its policy allows.
fn check(figures: &[Benchmark]) -> Result<(), EngineError> {
    let beyond = figures.iter().find(|figure| figure.verdict == Verdict::Exceeded);
    let Some(figure) = beyond else {
        return Ok(());
    };
    let arch = figure.arch.map(|arch| format!(" for {arch}")).unwrap_or_default();
    let baseline = figure.baseline.map(|value| format!("; it was {value} before"));
    let message = format!(
        "{}{arch} is {} {}{}",
        figure.name,
        figure.value,
        figure.unit,
        baseline.unwrap_or_default()
    );
    let hint = "`vrel undo` drops this release; what is allowed is in artifacts/ for sizes, and `max-slowdown` of [os] in \
                vrel.toml and the system's own limits for speed";
    Err(conflict(STEP, message, hint))
}

impl Smoke<'_, '_> {
    /// How large what lies in staging is, which may not go beyond what its policy allows.
    fn sizes(&self) -> Result<Vec<Benchmark>, EngineError> {
        let (release, plan) = (self.release, self.release.plan);
        let staged = fetch_edition(
            &self.staging,
            &release.trust(),
            &plan.product,
            &plan.version,
            plan.edition(),
        );
        let staged = staged.map_err(|finding| refused("staging", finding))?;
        let before = self.before.as_ref();
        let before = before.map(|before| before.manifest.artifacts.as_slice());
        let figures = benchmarks(plan, &staged.manifest.artifacts, before);
        check(&figures)?;
        Ok(figures)
    }

    fn run_all(&self) -> Result<Vec<Seen>, EngineError> {
        let tests = smoke_tests(self.release.plan);
        let mut pending = Vec::new();
        for test in &tests {
            if self.seen(test)?.is_none() {
                pending.push(test);
            }
        }
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(tests.len() - pending.len());
        let failure: Mutex<Option<EngineError>> = Mutex::new(None);
        let first_failure = || failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let work = || {
            while let Some(test) = pending.get(next.fetch_add(1, Ordering::SeqCst)) {
                if first_failure().is_some() {
                    return;
                }
                if let Err(error) = self.run(test) {
                    first_failure().get_or_insert(error.of_step(STEP).of_arch(test.arch));
                    return;
                }
                let done = done.fetch_add(1, Ordering::SeqCst) as u64 + 1;
                self.release.progress.event(&ProgressEvent::Advanced {
                    step: STEP,
                    done,
                    total: tests.len() as u64,
                    what: test.arch.as_str(),
                });
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.release.jobs.min(pending.len()) {
                scope.spawn(work);
            }
            work();
        });
        if let Some(error) = first_failure().take() {
            return Err(error);
        }
        let mut seen = Vec::new();
        for test in &tests {
            let found = self.seen(test)?;
            seen.push(found.ok_or_else(|| failed(STEP, format!("the record of {} is gone", test.arch)))?);
        }
        Ok(seen)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.release.work_file(STEP).join(name)
    }

    fn seen(&self, test: &SmokeTest<'_>) -> Result<Option<Seen>, EngineError> {
        let bytes = self.release.read(&self.file(&format!("{}.json", test.arch)))?;
        let seen = bytes.and_then(|bytes| serde_json::from_slice::<Seen>(&bytes).ok());
        Ok(seen.filter(|seen| seen.manifest_sha256 == self.manifest_sha256))
    }

    fn run(&self, test: &SmokeTest<'_>) -> Result<(), EngineError> {
        let fs = self.release.world.fs();
        let dir = self.file(test.arch.as_str());
        fs.remove_dir_all(&dir)?;
        fs.create_dir_all(&dir)?;
        let seen = Seen {
            manifest_sha256: self.manifest_sha256,
            boot: self.boot(test, &dir)?,
            upgrade: self.upgrade(test, &dir)?,
            speed: self.speed(test, &dir)?,
        };
        fs.remove_dir_all(&dir)?;
        let json = serde_json::to_vec_pretty(&seen).map_err(|error| failed(STEP, error))?;
        self.release
            .write(&self.file(&format!("{}.json", test.arch)), &json)
    }

    /// Fetches a file of the release from staging, as whoever downloads it does; it must be what was built.
    pub(super) fn fetch(
        &self,
        artifact: &PlannedArtifact,
        dir: &Path,
    ) -> Result<(PathBuf, Sha256Digest), EngineError> {
        let to = dir.join(artifact.name.as_str());
        let fetched = self.download(&self.staging, &self.release.plan.version, &artifact.name, &to)?;
        let record = built(self.release, STEP)?;
        let made = record.manifest_artifacts();
        if !made
            .iter()
            .any(|made| made.name == fetched.name && made.sha256 == fetched.sha256)
        {
            let message = format!("{} in staging is not what was built", artifact.name);
            return Err(conflict(STEP, message, "`vrel undo` drops this release"));
        }
        Ok((to, fetched.sha256))
    }

    pub(super) fn download(
        &self,
        origin: &LocalOrigin<'_>,
        version: &Version,
        artifact: &ArtifactName,
        to: &Path,
    ) -> Result<ManifestArtifact, EngineError> {
        let request = DownloadRequest {
            trust: self.release.trust(),
            product: &self.release.plan.product,
            version,
            artifact,
        };
        download(self.release.world, origin, &request, to, &|_| {})
            .map_err(|finding| refused(&format!("{version} in {}", origin.dir().display()), finding))
    }

    pub(super) fn machine(&self, arch: Arch) -> Result<&Machine, EngineError> {
        self.lab.machine(arch).ok_or_else(|| {
            let message = format!("os/machines has no machine for {arch}");
            conflict(STEP, message, "describe one there")
        })
    }

    fn boot(&self, test: &SmokeTest<'_>, dir: &Path) -> Result<StagedBoot, EngineError> {
        let machine = self.machine(test.arch)?;
        let (file, sha256) = self.fetch(test.artifact, dir)?;
        let initrd = test.initrd.map(|initrd| self.fetch(initrd, dir)).transpose()?;
        let identity = self.start(&BootTest {
            world: self.release.world,
            machine,
            medium: test.medium,
            packer: test.artifact.packer,
            file: &file,
            initrd: initrd.as_ref().map(|(file, _)| file.as_path()),
            over: None,
            scratch: &dir.join("boot"),
            expected: &self.release.identity(test.arch),
            session: &self.lab.session,
        })?;
        Ok(StagedBoot {
            arch: test.arch,
            artifact: test.artifact.name.clone(),
            medium: test.medium.to_owned(),
            machine: machine.name.clone(),
            sha256,
            identity,
        })
    }

    fn start(&self, boot: &BootTest<'_>) -> Result<String, EngineError> {
        Ok(self.boot_of(boot)?.identity.to_string())
    }

    pub(super) fn boot_of(&self, boot: &BootTest<'_>) -> Result<Booted, EngineError> {
        boot.run(&mut |line| self.note(line.source, line.text))
    }

    /// Shows a line of what goes on.
    pub(super) fn note(&self, source: &str, line: &str) {
        self.release.progress.event(&ProgressEvent::Output {
            step: STEP,
            source,
            line,
        });
    }

    /// Installs the release over the one before it, on a disk that the published image of that one was written to.
    fn upgrade(&self, test: &SmokeTest<'_>, dir: &Path) -> Result<UpgradeTest, EngineError> {
        let skipped = |from: Option<&Version>, why: String| UpgradeTest {
            arch: test.arch,
            from: from.cloned(),
            outcome: UpgradeOutcome::Skipped { why },
        };
        let Some(before) = &self.before else {
            return Ok(skipped(None, "there is no published release before".to_owned()));
        };
        let from = &before.manifest.version;
        let Some((installer, medium)) = test.installer else {
            return Ok(skipped(Some(from), "the release has no installer".to_owned()));
        };
        let mut artifacts = before.manifest.artifacts.iter();
        let old = artifacts
            .find(|old| old.arch == Some(test.arch) && test.disk.is_some_and(|kind| *kind == old.kind));
        let Some(old) = old else {
            let why = format!("{from} has no disk image for {}", test.arch);
            return Ok(skipped(Some(from), why));
        };
        let old_disk = dir.join("before.img");
        let old = self.download(&self.production, from, &old.name, &old_disk)?;
        let (iso, _) = self.fetch(installer, dir)?;
        let identity = self.start(&BootTest {
            world: self.release.world,
            machine: self.machine(test.arch)?,
            medium,
            packer: Packer::Iso,
            file: &iso,
            initrd: None,
            over: Some(&old_disk),
            scratch: &dir.join("upgrade"),
            expected: &self.release.identity(test.arch),
            session: &self.lab.session,
        })?;
        Ok(UpgradeTest {
            arch: test.arch,
            from: Some(from.clone()),
            outcome: UpgradeOutcome::Ok {
                installer: installer.name.clone(),
                from_sha256: old.sha256,
                identity,
            },
        })
    }
}

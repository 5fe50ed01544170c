//! Boot tests: every image boots before anything is published, and says that it is what it should be.

use super::build::{build_error, built};
use super::{Release, conflict, done, failed, missing};
use crate::run::Observation;
use crate::{BootTest, EngineError, Lab, ProgressEvent};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vrel_model::{Arch, BootRecord, Packer, PlannedArtifact, Sha256Digest};

/// What is kept of one boot: the record that the manifest gets, and of which bytes it is.
#[derive(Debug, Serialize, Deserialize)]
struct Evidence {
    sha256: Sha256Digest,
    record: BootRecord,
}

/// One boot to make.
struct Test<'a> {
    artifact: &'a PlannedArtifact,
    arch: Arch,
    medium: &'a str,
    sha256: Sha256Digest,
}

impl Test<'_> {
    fn evidence_file(&self, release: &Release<'_>) -> PathBuf {
        release
            .work_file("boots")
            .join(format!("{}.{}.json", self.artifact.name, self.medium))
    }

    fn evidence(&self, release: &Release<'_>) -> Result<Option<Evidence>, EngineError> {
        let bytes = release.read(&self.evidence_file(release))?;
        let evidence = bytes.and_then(|bytes| serde_json::from_slice::<Evidence>(&bytes).ok());
        let expected = release.plan.identity(self.arch);
        Ok(
            evidence
                .filter(|evidence| evidence.sha256 == self.sha256 && evidence.record.identity == expected),
        )
    }
}

fn tests<'a>(release: &Release<'a>) -> Result<Vec<Test<'a>>, EngineError> {
    let digests = built(release, "boot")?.digests();
    let mut tests = Vec::new();
    for (artifact, digests) in release.plan.artifacts.iter().zip(digests) {
        for medium in &artifact.boot {
            let hint = "take `boot` out of its file in artifacts/, or list `arches`";
            let arch = artifact.arch.ok_or_else(|| {
                conflict(
                    "boot",
                    format!("{} has no architecture to boot on", artifact.name),
                    hint,
                )
            })?;
            tests.push(Test {
                artifact,
                arch,
                medium,
                sha256: digests.sha256,
            });
        }
    }
    Ok(tests)
}

/// Every image that must boot has booted with the bytes that it has now.
pub(super) fn all_booted(release: &Release<'_>) -> Result<Observation, EngineError> {
    let tests = tests(release)?;
    for test in &tests {
        if test.evidence(release)?.is_none() {
            return missing(format!("a boot of {} from {}", test.artifact.name, test.medium));
        }
    }
    done(format!("{} boots", tests.len()))
}

/// The records of all boots, in the plan's order.
pub(super) fn records(release: &Release<'_>) -> Result<Vec<BootRecord>, EngineError> {
    let mut records = Vec::new();
    for test in tests(release)? {
        let evidence = test.evidence(release)?;
        let gone = || {
            failed(
                "boot",
                format!("the record of booting {} is gone", test.artifact.name),
            )
        };
        records.push(evidence.ok_or_else(gone)?.record);
    }
    Ok(records)
}

/// Makes the boots that were not made yet, several at a time.
pub(super) fn boot_all(release: &Release<'_>) -> Result<(), EngineError> {
    let os = release.site.sources(release.plan).join(&release.config.os.source);
    let lab = Lab::read(release.world, &os, &release.config.os.image);
    let lab = lab.map_err(|error| build_error("boot", error))?;
    release.world.fs().create_dir_all(&release.work_file("boots"))?;
    let tests = tests(release)?;
    let mut pending = Vec::new();
    for test in &tests {
        if test.evidence(release)?.is_none() {
            pending.push(test);
        }
    }
    let done = AtomicUsize::new(tests.len() - pending.len());
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<EngineError>> = Mutex::new(None);
    let first_failure = || failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let work = || {
        while let Some(test) = pending.get(next.fetch_add(1, Ordering::SeqCst)) {
            // The others are ended, but none is begun after a failure.
            if first_failure().is_some() {
                return;
            }
            if let Err(error) = boot_one(release, &lab, test) {
                first_failure().get_or_insert(error);
                return;
            }
            let done = done.fetch_add(1, Ordering::SeqCst) as u64 + 1;
            let what = format!("{} from {}", test.artifact.name, test.medium);
            let total = tests.len() as u64;
            release.progress.event(&ProgressEvent::Advanced {
                step: "boot",
                done,
                total,
                what: &what,
            });
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..release.jobs.min(pending.len()) {
            scope.spawn(work);
        }
        work();
    });
    let failed = first_failure().take();
    failed.map_or(Ok(()), Err)
}

fn boot_one(release: &Release<'_>, lab: &Lab, test: &Test<'_>) -> Result<(), EngineError> {
    let machine = lab.machine(test.arch).ok_or_else(|| {
        let message = format!("os/machines has no machine for {}", test.arch);
        conflict(
            "boot",
            message,
            "describe one there, or take `boot` out of the files in artifacts/",
        )
    })?;
    let initrd = release.plan.artifacts.iter().find(|other| {
        test.artifact.packer == Packer::Kernel
            && other.packer == Packer::Initrd
            && other.arch == Some(test.arch)
    });
    let initrd = initrd.map(|initrd| release.staged(initrd.name.as_str()));
    let scratch = format!("{}.{}", test.artifact.name, test.medium);
    let boot = BootTest {
        world: release.world,
        machine,
        medium: test.medium,
        packer: test.artifact.packer,
        file: &release.staged(test.artifact.name.as_str()),
        initrd: initrd.as_deref(),
        over: None,
        scratch: &release.work_file("boots").join(scratch),
        expected: &release.identity(test.arch),
        session: &lab.session,
    };
    let booted = boot.run(&mut |line| {
        release.progress.event(&ProgressEvent::Output {
            step: "boot",
            source: line.source,
            line: line.text,
        });
    });
    let booted = booted.map_err(|error| error.of_arch(test.arch))?;
    let evidence = Evidence {
        sha256: test.sha256,
        record: BootRecord {
            artifact: test.artifact.name.clone(),
            medium: test.medium.to_owned(),
            machine: machine.name.clone(),
            identity: booted.identity.to_string(),
        },
    };
    let json = serde_json::to_vec_pretty(&evidence).map_err(|error| failed("boot", error))?;
    release.write(&test.evidence_file(release), &json)
}

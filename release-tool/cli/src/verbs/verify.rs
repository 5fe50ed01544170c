//! `vrel verify`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::origins::{self, TrustOptions};
use crate::output;
use crate::session::jobs;
use clap::Args;
use std::num::NonZeroUsize;
use vrel_model::{ByteSize, Version};
use vrel_origin::{PointerCheck, VerifyReport, VerifyRequest, verify_release};
use vrel_world::World;

/// Verify a published release with public keys only.
///
/// Checks every signature and what it states, every digest, length and name, the manifest, the checksums, the notes'
/// links and the pointer that leads to the release. Every problem is reported, not only the first; the exit code is 5
/// when there is one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel verify origin 0.6.0-rc1\n  \
                        vrel verify https://releases.veridianos.org 0.6.0-rc1 --keys ./keys\n  \
                        vrel verify http://127.0.0.1:8000 0.6.0-rc1 --json")]
pub(crate) struct Verify {
    /// The origin: a directory or an address.
    origin: String,
    /// The release.
    version: Version,
    #[command(flatten)]
    trust: TrustOptions,
    /// The version of the newest pointer that was seen before: an older one is refused as a replay.
    #[arg(long, value_name = "N")]
    last_seen: Option<u64>,
    /// How many threads hash at the same time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
}

impl Verify {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let trust = self.trust.trust(app)?;
        let reader = origins::open(app, &self.origin)?;
        let request = VerifyRequest {
            trust: trust.root(),
            product: &trust.product,
            version: &self.version,
            pointer: PointerCheck::Public {
                last_seen: self.last_seen,
            },
            now: app.world.now(),
            threads: NonZeroUsize::new(jobs(self.jobs)).unwrap_or(NonZeroUsize::MIN),
        };
        let report = verify_release(reader.as_ref(), &request, &|_| {})?;
        if app.global.json {
            output::print_json(&as_json(&self.version, &report))?;
        } else {
            output::print(&describe(&report))?;
        }
        if report.is_good() {
            if !app.global.json {
                output::print(&format!("{} is genuine.\n", self.version))?;
            }
            return Ok(());
        }
        let mut failure = Failure::new(
            FailureKind::NotGenuine,
            format!("{} is not as it should be", self.version),
        );
        failure
            .messages
            .extend(report.findings.iter().map(ToString::to_string));
        Err(failure.hint("do not use these files; fetch them again from another place, and tell the project"))
    }
}

fn describe(report: &VerifyReport) -> String {
    let rows: Vec<_> = report
        .good
        .iter()
        .map(|file| {
            let vouched = file.key.map_or_else(
                || "listed in the manifest".to_owned(),
                |key| format!("signed by {key}"),
            );
            vec![
                "good".to_owned(),
                file.name.to_string(),
                ByteSize(file.length).to_string(),
                vouched,
            ]
        })
        .collect();
    let mut text = output::table(&rows, &[2]);
    if let Some(edition) = report.edition.filter(|edition| !edition.is_first()) {
        text += &format!("edition {edition}: architectures were added after the release was published\n");
    }
    if let (Some(manifest), true) = (&report.manifest, report.is_good()) {
        for late in &manifest.lagging {
            text += &format!("without {}, which may be added until {}\n", late.arch, late.until);
        }
    }
    if let Some(pointer) = &report.pointer {
        let channels = report
            .head_of
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let head = if channels.is_empty() {
            "no channel's head".to_owned()
        } else {
            format!("head of {channels}")
        };
        text += &format!(
            "pointer {}, valid until {}: {head}\n",
            pointer.version, pointer.expires
        );
        for (channel, head) in &pointer.channels {
            if let Some(rollback) = &head.rollback {
                text += &format!(
                    "{channel} was rolled back from {} to {} at {}: {}\n",
                    rollback.from, head.release, rollback.at, rollback.reason
                );
            }
        }
    }
    text
}

fn as_json(version: &Version, report: &VerifyReport) -> serde_json::Value {
    let good: Vec<_> = report
        .good
        .iter()
        .map(|file| {
            serde_json::json!({"name": file.name, "length": file.length, "sha256": file.sha256, "key": file.key})
        })
        .collect();
    serde_json::json!({
        "version": version, "genuine": report.is_good(), "files": good, "head_of": report.head_of,
        "edition": report.edition, "pointer": report.pointer, "findings": report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

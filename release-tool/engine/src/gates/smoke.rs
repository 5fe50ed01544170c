//! What staging found out about a release, as the release's record has it.

use super::paths;
use crate::records::RecordsView;
use crate::{EngineError, read_record};
use serde::Deserialize;
use vrel_model::{Sha256Digest, SmokePart, Version};
use vrel_process::{GateFacts, SmokeFact};

/// `smoke.json`, as far as gates read it.
#[derive(Deserialize)]
struct Report {
    manifest_sha256: Sha256Digest,
    boots: Vec<serde_json::Value>,
    upgrades: Vec<Upgrade>,
    benchmarks: Vec<Benchmark>,
}

#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
enum Upgrade {
    Ok { arch: String, from: Option<Version> },
    Skipped { arch: String, why: String },
}

#[derive(Deserialize)]
struct Benchmark {
    name: String,
    verdict: String,
}

/// The smoke tests of all recorded releases of the version's series.
pub(super) fn read_smoke(
    view: &RecordsView<'_>,
    version: &Version,
    facts: &mut GateFacts,
) -> Result<(), EngineError> {
    let series = version.final_version();
    for path in view.list("releases")? {
        let of = path
            .strip_prefix("releases/")
            .and_then(|rest| rest.strip_suffix("/smoke.json"))
            .and_then(|of| of.parse::<Version>().ok());
        let Some(of) = of.filter(|of| of.final_version() == series) else {
            continue;
        };
        let bytes = view.read(&paths::smoke(&of))?.unwrap_or_default();
        let record = read_record(view, &of)?;
        match (serde_json::from_slice::<Report>(&bytes), record) {
            (Err(error), _) => facts.problems.push(format!("{path}: {error}")),
            (Ok(report), Some(record)) if record.manifest_sha256 == report.manifest_sha256 => {
                facts.smoke.extend(parts(&of, &record.commit, &report));
            }
            (Ok(_), _) => facts
                .problems
                .push(format!("{path}: it is not about the recorded manifest of {of}")),
        }
    }
    Ok(())
}

fn parts(version: &Version, commit: &str, report: &Report) -> Vec<SmokeFact> {
    let fact = |part, passed, summary: String| SmokeFact {
        part,
        commit: commit.to_owned(),
        passed,
        summary: format!("{version}: {summary}"),
    };
    let (mut done, mut skipped) = (Vec::new(), Vec::new());
    for upgrade in &report.upgrades {
        match upgrade {
            Upgrade::Ok { arch, from } => {
                let from = from
                    .as_ref()
                    .map_or_else(String::new, |from| format!(" from {from}"));
                done.push(format!("{arch}{from}"));
            }
            Upgrade::Skipped { arch, why } => skipped.push(format!("{arch} not tried: {why}")),
        }
    }
    // What was tried nowhere proves nothing; that one architecture has no way to be tried is said.
    let upgraded = !done.is_empty();
    let upgrades = [done, skipped].concat().join("; ");
    let exceeded: Vec<_> = report
        .benchmarks
        .iter()
        .filter(|benchmark| benchmark.verdict != "within" && benchmark.verdict != "no-baseline")
        .map(|benchmark| benchmark.name.as_str())
        .collect();
    let figures = if exceeded.is_empty() {
        format!("{} figures as allowed", report.benchmarks.len())
    } else {
        format!("beyond what is allowed: {}", exceeded.join(", "))
    };
    vec![
        fact(
            SmokePart::Boots,
            !report.boots.is_empty(),
            format!("{} boots in staging", report.boots.len()),
        ),
        fact(
            SmokePart::Upgrade,
            upgraded,
            if upgrades.is_empty() {
                "no upgrade was tried".to_owned()
            } else {
                upgrades
            },
        ),
        fact(
            SmokePart::Benchmarks,
            exceeded.is_empty() && !report.benchmarks.is_empty(),
            figures,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_tried_does_not_pass() {
        let digest = "0".repeat(64);
        let read = |upgrades: &str, benchmarks: &str| {
            let text = format!(
                r#"{{"schema":1,"release":"0.6.0-rc1","manifest_sha256":"{digest}","boots":[{{"arch":"x86_64"}}],
                "upgrades":[{upgrades}],"benchmarks":[{benchmarks}]}}"#
            );
            let report: Report = serde_json::from_str(&text).unwrap();
            let parts = parts(&"0.6.0-rc1".parse().unwrap(), "c", &report);
            parts
                .into_iter()
                .map(|fact| (fact.passed, fact.summary))
                .collect::<Vec<_>>()
        };
        let ok = r#"{"arch":"x86_64","from":"0.5.0","outcome":"ok","installer":"i","from_sha256":"x","identity":"y"}"#;
        let skipped = r#"{"arch":"riscv64","from":null,"outcome":"skipped","why":"no release before"}"#;
        let within =
            r#"{"name":"size of disk","arch":null,"value":1,"unit":"bytes","baseline":1,"verdict":"within"}"#;
        let exceeded = r#"{"name":"size of iso","arch":null,"value":9,"unit":"bytes","baseline":1,"verdict":"exceeded"}"#;
        let good = read(&format!("{ok},{skipped}"), within);
        assert!(good.iter().all(|(passed, _)| *passed), "{good:?}");
        assert!(
            good[1]
                .1
                .contains("x86_64 from 0.5.0; riscv64 not tried: no release before"),
            "{good:?}"
        );
        let bad = read(skipped, exceeded);
        assert_eq!((bad[1].0, bad[2].0), (false, false), "{bad:?}");
        assert!(bad[2].1.contains("size of iso"), "{bad:?}");
        let none = read("", "");
        assert_eq!((none[1].0, none[2].0), (false, false), "{none:?}");
    }
}

use super::*;
use crate::cut_rc::tests::tiers::tiered;
use crate::cut_rc::tests::{MAIN, now, parse, tag, v};
use crate::{RemoteFacts, plan_cut_rc};
use vrel_model::{Blake2bDigest, ManifestArtifact};

/// When the architecture may come at the latest.
const UNTIL: &str = "2026-11-24T03:00:00Z";

/// A candidate that was published without riscv64, and what there is to know of it.
fn scene() -> (Snapshot, BackfillFacts) {
    let mut snapshot = tiered(3);
    for (kind, name) in [
        ("oci", "{product}-{version}-oci.tar"),
        ("spdx", "sbom.spdx.json"),
        ("provenance", "provenance.intoto.json"),
        ("manifest-schema", "manifest.schema.json"),
    ] {
        let policy = format!(
            "packer = '{kind}'\nname = '{name}'\ndescription = 'x'\nchannels = ['beta']\nmax-size = '1 MiB'"
        );
        let kind = kind.parse().unwrap();
        snapshot.policies.artifacts.insert(kind, parse(&policy));
    }
    let version = v("0.6.0-rc1");
    let first = plan_cut_rc(&snapshot, &version, &[Arch::Riscv64], now());
    assert_eq!(first.findings, []);
    let first = first.plan.unwrap();
    let artifact = |planned: &vrel_model::PlannedArtifact| ManifestArtifact {
        name: planned.name.clone(),
        kind: planned.kind.clone(),
        arch: planned.arch,
        length: 1,
        sha256: Sha256Digest::new([1; 32]),
        blake2b: Blake2bDigest::new([1; 64]),
    };
    let manifest = Manifest {
        schema: 1,
        product_name: first.product_name.clone(),
        product: first.product.clone(),
        version: version.clone(),
        channel: first.channel.clone(),
        commit: first.commit.clone(),
        tag: version.published_tag(),
        created: first.created,
        source_date_epoch: first.source_date_epoch,
        toolchain: Sha256Digest::new([2; 32]),
        previous: None,
        artifacts: first.artifacts.iter().map(artifact).collect(),
        documents: Vec::new(),
        boots: Vec::new(),
        lagging: first.lagging,
    };
    snapshot.tags = vec![tag("v0.6.0-rc1")];
    snapshot.origin.heads = [(first.channel, version)].into();
    snapshot.origin.pointer_version = Some(1);
    let facts = BackfillFacts {
        problem: None,
        commit_time: Some(now()),
        policies: Some(Ok(snapshot.policies.clone())),
        compiler: Some(manifest.toolchain),
        published: Some(PublishedRelease {
            edition: Edition::FIRST,
            manifest,
            sha256: Sha256Digest::new([3; 32]),
        }),
    };
    (snapshot, facts)
}

fn manifest(facts: &mut BackfillFacts) -> &mut Manifest {
    &mut facts.published.as_mut().unwrap().manifest
}

fn outcome(arches: &[Arch], at: UtcTime, change: impl FnOnce(&mut Snapshot, &mut BackfillFacts)) -> Outcome {
    let (mut snapshot, mut facts) = scene();
    change(&mut snapshot, &mut facts);
    plan_backfill(&snapshot, &facts, &v("0.6.0-rc1"), arches, at)
}

/// The findings after a change to the good facts.
fn findings(change: impl FnOnce(&mut Snapshot, &mut BackfillFacts)) -> Vec<(&'static str, String)> {
    let outcome = outcome(&[], now(), change);
    let found = outcome.findings.into_iter();
    found.map(|finding| (finding.check, finding.message)).collect()
}

#[track_caller]
fn only(check: &str, text: &str, change: impl FnOnce(&mut Snapshot, &mut BackfillFacts)) {
    let found = findings(change);
    assert!(
        found.len() == 1 && found[0].0 == check && found[0].1.contains(text),
        "{check}: {text}: {found:#?}"
    );
}

#[test]
fn what_is_missing_is_planned_and_nothing_else() {
    let outcome = outcome(&[], UNTIL.parse().unwrap(), |_, _| {});
    assert_eq!(outcome.findings, []);
    let plan = outcome.plan.unwrap();
    let names: Vec<_> = plan
        .artifacts
        .iter()
        .map(|artifact| artifact.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["veridianos-0.6.0-rc1-oci.tar", "veridianos-0.6.0-rc1-riscv64.iso"]
    );
    let documents: Vec<_> = plan
        .documents
        .iter()
        .map(|document| document.name.as_str())
        .collect();
    assert_eq!(
        documents,
        [
            "provenance-2.intoto.json",
            "release-notes-2.html",
            "release-notes-2.md",
            "release-notes-2.txt",
            "sbom-2.spdx.json"
        ]
    );
    assert_eq!(
        (plan.commit.as_str(), plan.edition().number(), plan.lagging.len()),
        (MAIN, 2, 0)
    );
    assert!(plan.refs.is_empty());
    assert_eq!(plan.objects.len(), 2 * 2 + 5 + 4);
    assert_eq!(
        plan.objects.last().unwrap().path,
        "releases/0.6.0-rc1/manifest-2.json.minisig"
    );
    // The pointer is the point of no return.
    let reversible: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.name.as_str(), step.reversible))
        .collect();
    assert_eq!(
        &reversible[9..],
        [("read-back", true), ("pointer", false), ("announce", false)]
    );
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn of_several_that_lag_one_may_come_first() {
    let two = |snapshot: &mut Snapshot, facts: &mut BackfillFacts| {
        snapshot
            .policies
            .config
            .tiers
            .insert(Arch::Aarch64, vrel_model::Tier::Two);
        let manifest = manifest(facts);
        manifest
            .artifacts
            .retain(|artifact| artifact.arch != Some(Arch::Aarch64));
        let until = manifest.lagging[0].until;
        manifest.lagging.insert(
            0,
            LaggingArch {
                arch: Arch::Aarch64,
                until,
            },
        );
    };
    let names = |arches: &[Arch]| {
        let outcome = outcome(arches, now(), two);
        assert_eq!(outcome.findings, []);
        let plan = outcome.plan.unwrap();
        let names: Vec<_> = plan
            .artifacts
            .iter()
            .map(|artifact| artifact.name.to_string())
            .collect();
        (names, plan.lagging)
    };
    // What holds every architecture waits for the last of them.
    let (one, lagging) = names(&[Arch::Riscv64]);
    assert_eq!(one, ["veridianos-0.6.0-rc1-riscv64.iso"]);
    assert_eq!((lagging.len(), lagging[0].arch), (1, Arch::Aarch64));
    assert_eq!(names(&[]).0.len(), 3);
}

#[test]
fn where_nothing_is_missing_there_is_nothing_to_do() {
    let whole = |_: &mut Snapshot, facts: &mut BackfillFacts| manifest(facts).lagging.clear();
    assert_eq!(outcome(&[], now(), whole).already_done.as_deref(), Some(MAIN));
    assert_eq!(
        outcome(&[Arch::X86_64], now(), |_, _| {}).already_done.as_deref(),
        Some(MAIN)
    );
    assert_eq!(outcome(&[], now(), |_, _| {}).already_done, None);
}

#[test]
fn each_rule_that_is_broken_is_named() {
    only("published", "is not published", |_, facts| facts.published = None);
    only("published", "its signature is wrong", |_, facts| {
        facts.published = None;
        facts.problem = Some("its signature is wrong".into());
    });
    only(
        "public",
        "0.6.0-rc1 is not public: the newest release of beta is none",
        |s, _| {
            s.origin.heads.clear();
        },
    );
    only("commit", "this clone does not have", |_, facts| {
        facts.commit_time = None;
        facts.policies = None;
    });
    only("policy-files", "vrel.toml: no such key", |_, facts| {
        facts.policies = Some(Err("vrel.toml: no such key".into()));
    });
    let found = findings(|_, facts| manifest(facts).channel = "gone".parse().unwrap());
    let gone = (
        "policy-files",
        "there is no channels/gone.toml any more".to_owned(),
    );
    assert!(found.contains(&gone), "{found:#?}");
    only("tag", "there is no tag v0.6.0-rc1", |s, _| s.tags.clear());
    only("tag", "the tag v0.6.0-rc1 is on 2222", |s, _| {
        s.tags[0].commit = "2".repeat(40)
    });
    only("tag", "and the manifest says 7", |_, facts| {
        manifest(facts).source_date_epoch = 7
    });
    only(
        "remote-tag",
        "the remote has the tag v0.6.0-rc1 on no commit",
        |s, _| {
            s.remote = Some(RemoteFacts::default());
        },
    );
    only(
        "same-files",
        "old.img is published, and the policy files of commit",
        |_, facts| {
            let manifest = manifest(facts);
            let mut old = manifest.artifacts[0].clone();
            old.name = "old.img".parse().unwrap();
            manifest.artifacts.push(old);
        },
    );
    only(
        "same-files",
        "describe veridianos-0.6.0-rc1-x86_64.iso, which was not published",
        |_, facts| {
            manifest(facts)
                .artifacts
                .retain(|artifact| artifact.arch != Some(Arch::X86_64));
        },
    );
    only("same-toolchain", "this machine's has 0909", |_, facts| {
        facts.compiler = Some(Sha256Digest::new([9; 32]));
    });
    only("nothing-unfinished", "0.7.0-rc1 was started", |s, _| {
        s.unfinished = Some(v("0.7.0-rc1"))
    });
    only("editions", "has 9 editions", |_, facts| {
        facts.published.as_mut().unwrap().edition = Edition::all().last().unwrap();
    });
}

#[test]
fn a_release_that_is_the_head_no_more_may_still_be_added_to() {
    let followed = |s: &mut Snapshot, _: &mut BackfillFacts| {
        s.origin.heads = [("beta".parse().unwrap(), v("0.6.0-rc2"))].into();
    };
    assert_eq!(findings(followed), []);
}

#[test]
fn an_architecture_whose_time_is_over_comes_with_the_next_release() {
    let late: UtcTime = "2026-11-24T03:00:01Z".parse().unwrap();
    let outcome = outcome(&[], late, |_, facts| {
        facts.compiler = Some(Sha256Digest::new([9; 32]))
    });
    let found: Vec<_> = outcome.findings.iter().map(|finding| finding.check).collect();
    // All that is wrong is said at once.
    assert_eq!(found, ["in-time", "same-toolchain"]);
    assert_eq!(
        outcome.findings[0].message,
        "riscv64 could be added to 0.6.0-rc1 until 2026-11-24T03:00:00Z; it is 2026-11-24T03:00:01Z now"
    );
}

#[test]
fn what_never_lagged_is_not_added() {
    let outcome = outcome(&[Arch::Riscv64, Arch::X86_64], now(), |_, _| {});
    let found: Vec<_> = outcome
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(found, ["x86_64 was not left out of 0.6.0-rc1"]);
}

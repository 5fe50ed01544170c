mod interface;
pub(crate) mod tiers;

use super::*;
use crate::{EnvironmentFacts, KeyFact, MissingTool, OriginFacts, Policies, RemoteFacts, TagFact};
use std::path::Path;
use vrel_model::{ByteSize, toml_file};

pub(crate) const MAIN: &str = "1111111111111111111111111111111111111111";
const BRANCH: &str = "2222222222222222222222222222222222222222";

pub(crate) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> T {
    toml_file::parse(Path::new("test.toml"), text).unwrap()
}

fn policies() -> Policies {
    let artifact = |kind: &str, name: &str, arches: &str| {
        parse(&format!(
            "packer = '{kind}'\nname = '{name}'\ndescription = 'x'\narches = {arches}\nchannels = ['beta']\nmax-size = '1 MiB'"
        ))
    };
    Policies {
        config: parse(
            "[product]\nname = 'VeridianOS'\nid = 'veridianos'\n\
             [git]\nremote = 'upstream'\nmain = 'main'\nrelease-branch = 'release/{line}'\n\
             [publish]\norigin = 'origin'\ncandidate-channel = 'beta'\npointer-lifetime-days = 30\npublic-url = 'https://example.org'\n\
             [os]\nsource = 'os'\nimage = 'minimal'\nesp-size = '4 MiB'\n\
             [toolchain]\nrust = '1.95'\nzstd-level = 12\nzstd-workers = 2\n\
             [plan]\nfile = 'RELEASE_TODO.md'\npush = true\n",
        ),
        channels: [(
            "beta".parse().unwrap(),
            parse("description = 'x'\nstages = ['candidate']\nkey-role = 'release'"),
        )]
        .into(),
        artifacts: [
            (
                "iso".parse().unwrap(),
                artifact("iso", "{product}-{version}-{arch}.iso", "['x86_64', 'riscv64']"),
            ),
            (
                "source".parse().unwrap(),
                artifact("source", "{product}-{version}-source.tar.zst", "[]"),
            ),
            (
                "release-notes".parse().unwrap(),
                artifact("release-notes", "release-notes.{format}", "[]"),
            ),
        ]
        .into(),
        signing: parse(
            "pointer-role = 'pointer'\n[roles.release]\npurpose = 'x'\n[roles.pointer]\npurpose = 'y'",
        ),
        gates: Default::default(),
        people: Default::default(),
    }
}

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        policies: policies(),
        head_branch: Some("main".into()),
        main_tip: Some(MAIN.into()),
        release_branch_tip: None,
        dirty_paths: Vec::new(),
        shallow: false,
        tags: Vec::new(),
        remote_url: Some("x".into()),
        commit_times: [MAIN, BRANCH].map(|commit| (commit.to_owned(), now())).into(),
        origin: OriginFacts::default(),
        plan_problem: None,
        blockers: Vec::new(),
        exceptions: Vec::new(),
        unfinished: None,
        finished: Default::default(),
        news: None,
        support: None,
        interface: Default::default(),
        gates: Default::default(),
        remote: None,
        environment: None,
    }
}

pub(crate) fn now() -> UtcTime {
    "2026-11-21T03:00:00Z".parse().unwrap()
}

pub(crate) fn v(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn tag(name: &str) -> TagFact {
    TagFact {
        name: name.into(),
        commit: MAIN.into(),
    }
}

/// The findings for a version after a change to the good snapshot.
fn findings(version: &str, change: impl FnOnce(&mut Snapshot)) -> Vec<(&'static str, String)> {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    let outcome = plan_cut_rc(&snapshot, &v(version), &[], now());
    outcome
        .findings
        .into_iter()
        .map(|finding| (finding.check, finding.message))
        .collect()
}

#[track_caller]
fn expect(version: &str, change: impl FnOnce(&mut Snapshot), check: &str, text: &str) {
    let found = findings(version, change);
    assert!(
        found
            .iter()
            .any(|(name, message)| *name == check && message.contains(text)),
        "{check}: {text}: {found:#?}"
    );
}

#[test]
fn a_good_snapshot_plans_everything_without_a_finding() {
    let outcome = plan_cut_rc(&snapshot(), &v("0.6.0-rc1"), &[], now());
    assert_eq!(outcome.findings, []);
    let plan = outcome.plan.unwrap();
    assert_eq!(plan.commit, MAIN);
    assert_eq!(
        plan.refs
            .iter()
            .map(|r| (r.name.as_str(), r.push))
            .collect::<Vec<_>>(),
        [
            ("refs/heads/release/0.6", true),
            ("refs/tags/v0.6.0-rc1", true),
            ("refs/heads/main", true)
        ]
    );
    assert_eq!(plan.refs[0].change, RefChange::CreateBranch(MAIN.into()));
    let names: Vec<_> = plan
        .artifacts
        .iter()
        .map(|artifact| artifact.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "veridianos-0.6.0-rc1-riscv64.iso",
            "veridianos-0.6.0-rc1-source.tar.zst",
            "veridianos-0.6.0-rc1-x86_64.iso"
        ]
    );
    assert_eq!(plan.objects.len(), 3 * 2 + 3 + 4);
    assert_eq!(
        plan.objects.last().unwrap().path,
        "releases/0.6.0-rc1/manifest.json.minisig"
    );
    assert_eq!((plan.pointer.from, plan.pointer.to), (None, 1));
    assert_eq!(plan.pointer.expires.to_string(), "2026-12-21T03:00:00Z");
    let irreversible: Vec<_> = plan
        .steps
        .iter()
        .filter(|s| !s.reversible)
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(irreversible, ["push", "pointer", "plan", "record", "announce"]);
}

#[test]
fn an_existing_release_branch_is_the_source() {
    let mut snapshot = snapshot();
    snapshot.release_branch_tip = Some(BRANCH.into());
    snapshot.tags = vec![tag("v0.6.0-rc1")];
    snapshot.origin.pointer_version = Some(7);
    let plan = plan_cut_rc(&snapshot, &v("0.6.0-rc2"), &[], now()).plan.unwrap();
    assert_eq!(plan.commit, BRANCH);
    assert_eq!(plan.refs[0].change, RefChange::Keep(BRANCH.into()));
    assert_eq!(plan.previous, Some(v("0.6.0-rc1")));
    assert_eq!(plan.pointer.to, 8);
}

#[test]
fn a_finished_release_is_nothing_to_do() {
    let mut snapshot = snapshot();
    snapshot.finished = [(v("0.6.0-rc1"), MAIN.to_owned())].into();
    let outcome = plan_cut_rc(&snapshot, &v("0.6.0-rc1"), &[], now());
    assert_eq!((outcome.plan, outcome.findings), (None, vec![]));
    assert_eq!(outcome.already_done.as_deref(), Some(MAIN));
}

#[test]
fn versions_are_held_to_their_line() {
    expect("0.6.0", |_| {}, "candidate", "`0.6.0` is not a release candidate");
    expect(
        "0.6.0-rc1",
        |s| s.tags = vec![tag("v0.6.0-rc1")],
        "new-version",
        "released already",
    );
    expect(
        "0.6.0-rc2",
        |s| s.tags = vec![tag("v0.6.0-rc10")],
        "newer-than-line",
        "lower than 0.6.0-rc10",
    );
    expect(
        "0.6.0-rc2",
        |s| s.tags = vec![tag("v0.6.0")],
        "newer-than-line",
        "lower than 0.6.0",
    );
    expect(
        "0.5.0-rc1",
        |s| s.tags = vec![tag("v0.6.0")],
        "no-line-backwards",
        "behind 0.6",
    );
    expect(
        "0.6.0-rc3",
        |s| s.tags = vec![tag("v0.6.0-rc1")],
        "no-gap-in-candidates",
        "skips 0.6.0-rc2",
    );
    expect(
        "0.6.0-rc1",
        |s| s.unfinished = Some(v("0.6.0-rc1")),
        "nothing-unfinished",
        "0.6.0-rc1",
    );
    let ordered = findings("0.6.0-rc10", |s| {
        s.tags = (1..10).map(|n| tag(&format!("v0.6.0-rc{n}"))).collect()
    });
    assert_eq!(ordered, []);
}

#[test]
fn the_repository_must_be_in_order() {
    expect("0.6.0-rc1", |s| s.shallow = true, "complete-history", "shallow");
    expect(
        "0.6.0-rc1",
        |s| s.head_branch = None,
        "right-branch",
        "HEAD is detached",
    );
    expect(
        "0.6.0-rc1",
        |s| s.head_branch = Some("topic".into()),
        "right-branch",
        "`topic` is checked out",
    );
    expect(
        "0.6.0-rc1",
        |s| s.main_tip = None,
        "right-branch",
        "no local branch `main`",
    );
    expect(
        "0.6.0-rc1",
        |s| s.dirty_paths = vec!["a".into(), "b".into()],
        "clean-tree",
        "committed: a, b",
    );
    expect(
        "0.6.0-rc1",
        |s| s.remote_url = None,
        "remote-configured",
        "`upstream`",
    );
}

#[test]
fn the_remote_must_agree() {
    let with = |refs: &[(&str, &str)]| {
        let refs = refs
            .iter()
            .map(|(name, id)| ((*name).to_owned(), (*id).to_owned()))
            .collect();
        move |s: &mut Snapshot| s.remote = Some(RemoteFacts { refs })
    };
    let tag = "refs/tags/v0.6.0-rc1";
    let peeled = "refs/tags/v0.6.0-rc1^{}";
    expect(
        "0.6.0-rc1",
        with(&[(tag, "abc"), (peeled, BRANCH)]),
        "remote-tag",
        "on 222222222222; this release is of 1111",
    );
    expect(
        "0.6.0-rc1",
        with(&[(tag, "abc"), (peeled, MAIN)]),
        "remote-tag",
        "on the same commit",
    );
    expect(
        "0.6.0-rc1",
        with(&[("refs/heads/release/0.6", BRANCH)]),
        "remote-branch",
        "this repository does not",
    );
}

#[test]
fn the_machine_must_be_ready() {
    let environment = EnvironmentFacts {
        missing_tools: vec![MissingTool {
            name: "qemu-system-x86_64".into(),
            purpose: "boot images".into(),
        }],
        disks: vec![("the origin".into(), ByteSize(2 << 30), ByteSize(1 << 20))],
        keys: vec![KeyFact {
            role: "release".parse().unwrap(),
            problem: Some("no such file".into()),
            hint: None,
        }],
        identity_problem: Some("no name".into()),
        origin_problem: Some("the origin is read-only".into()),
        staging_problem: Some("it is the origin".into()),
    };
    let with = |s: &mut Snapshot| s.environment = Some(environment.clone());
    for (check, text) in [
        ("tools", "`qemu-system-x86_64` is missing"),
        ("disk", "1 MiB of space left; the release needs 2 GiB"),
        ("keys", "role `release`: no such file"),
        ("git-identity", "no name"),
        ("origin", "read-only"),
        ("staging", "it is the origin"),
    ] {
        expect("0.6.0-rc1", with, check, text);
    }
    assert_eq!(findings("0.6.0-rc1", with).len(), 6, "all findings at once");
}

#[test]
fn policy_files_are_held_to_each_other() {
    let artifact = |s: &mut Snapshot, name: &str| {
        s.policies
            .artifacts
            .get_mut(&"source".parse::<vrel_model::ArtifactKind>().unwrap())
            .unwrap()
            .name = name.parse().unwrap();
    };
    expect(
        "0.6.0-rc1",
        |s| s.policies.channels.clear(),
        "policy-files",
        "`beta`, but there is no such channel",
    );
    expect(
        "0.6.0-rc1",
        |s| s.policies.signing.roles.clear(),
        "policy-files",
        "channels/beta.toml: `key-role`",
    );
    expect(
        "0.6.0-rc1",
        |s| artifact(s, "{product}-{arch}.tar.zst"),
        "policy-files",
        "artifacts/source.toml",
    );
    expect(
        "0.6.0-rc1",
        |s| artifact(s, "{version}/x"),
        "policy-files",
        "not a publishable file name",
    );
    expect(
        "0.6.0-rc1",
        |s| artifact(s, "{product}-{version}-x86_64.iso"),
        "policy-files",
        "two files of artifacts/",
    );
}

#[test]
fn an_artifact_s_file_must_fit_its_packer_and_the_other_files() {
    let policy = |kind: &str, text: &str| {
        let text = format!("description = 'x'\nchannels = ['beta']\nmax-size = '1 MiB'\n{text}");
        let policy: vrel_model::ArtifactPolicy = parse(&text);
        let kind = kind.to_owned();
        move |s: &mut Snapshot| {
            s.policies.artifacts.insert(kind.parse().unwrap(), policy.clone());
        }
    };
    let expect = |kind: &str, text: &str, message: &str| {
        let text = text.to_owned();
        expect("0.6.0-rc1", policy(kind, &text), "policy-files", message);
    };
    let arches = "arches = ['x86_64', 'riscv64']\n";
    let disk = format!("packer = 'disk'\nname = '{{arch}}.img'\n{arches}");
    expect(
        "disk",
        "packer = 'disk'\nname = 'disk.img'",
        "artifacts/disk.toml: the packer is `disk`, and `arches` lists none",
    );
    expect(
        "oci",
        &format!("packer = 'oci'\nname = '{{arch}}.tar'\n{arches}"),
        "the packer is `oci`, and `arches` lists some",
    );
    expect(
        "notes",
        "packer = 'release-notes'\nname = 'notes.md'",
        "artifacts/notes.toml: `name` is `notes.md`",
    );
    expect(
        "qcow2",
        &format!("packer = 'qcow2'\nname = '{{arch}}.qcow2'\n{arches}"),
        "`from` names none",
    );
    expect(
        "qcow2",
        &format!("packer = 'qcow2'\nname = '{{arch}}.qcow2'\nfrom = 'disk'\n{arches}"),
        "`from` is `disk`, but there is no such file",
    );
    expect(
        "qcow2",
        &format!("packer = 'qcow2'\nname = '{{arch}}.qcow2'\nfrom = 'iso'\n{arches}"),
        "`from` is `iso`, which `iso` makes",
    );
    expect(
        "disk",
        &format!("{disk}from = 'iso'"),
        "the packer `disk` converts nothing",
    );
    expect(
        "disk",
        &format!("{disk}boot = ['aarch64:disk']"),
        "`arches` does not list that architecture",
    );
    expect(
        "tar",
        "packer = 'source'\nname = 'x.tar'\nboot = ['disk']",
        "no architecture to boot on",
    );
}

#[test]
fn an_artifact_is_converted_from_one_that_the_same_release_carries() {
    let mut s = snapshot();
    fn insert(s: &mut Snapshot, kind: &str, text: &str) {
        let text = format!("description = 'x'\nmax-size = '1 MiB'\n{text}");
        s.policies.artifacts.insert(kind.parse().unwrap(), parse(&text));
    }
    insert(
        &mut s,
        "disk",
        "packer = 'disk'\nname = '{version}-{arch}.img'\nchannels = ['beta']\narches = ['x86_64']",
    );
    let qcow2 = "packer = 'qcow2'\nname = '{version}-{arch}.qcow2'\nfrom = 'disk'\nchannels = ['beta']\n";
    insert(
        &mut s,
        "qcow2",
        &format!(
            "{qcow2}arches = ['x86_64']\nboot = ['qcow2', 'x86_64:bios', 'riscv64:x']\n[options]\ncompress = true"
        ),
    );
    let planned = crate::plan_files(&s.policies, None, "1.0.0").unwrap();
    let qcow = planned
        .artifacts
        .iter()
        .find(|artifact| artifact.kind.as_str() == "qcow2")
        .unwrap();
    assert_eq!(qcow.from.as_ref().unwrap().as_str(), "1.0.0-x86_64.img");
    assert_eq!(qcow.boot, ["qcow2", "bios"]);
    assert_eq!(qcow.options, serde_json::json!({"compress": true}));
    insert(&mut s, "qcow2", &format!("{qcow2}arches = ['x86_64', 'riscv64']"));
    let finding = crate::plan_files(&s.policies, None, "1.0.0").unwrap_err();
    assert!(
        finding.message.contains("does not carry for riscv64"),
        "{finding:?}"
    );
}

//! What a published release must be.

use crate::fixture::{Draft, NOW, PRODUCT, PUBLIC, Project, only, texts, time, version};
use std::process::Command;
use std::sync::Mutex;
use vrel_origin::{LocalOrigin, PointerCheck, VerifyProgress, VerifyRequest, verify_release};
use vrel_world::{Interrupt, RealWorld};

#[test]
fn a_good_release_has_no_findings_and_lists_its_files() {
    let project = Project::with_release();
    let report = project.verify_at(&project.origin(), "0.6.0-rc1", PUBLIC, NOW);
    assert!(report.is_good(), "{:#?}", texts(&report));
    let names: Vec<&str> = report.good.iter().map(|file| file.name.as_str()).collect();
    let expected = [
        "SHA256SUMS",
        "manifest.json",
        "os-aarch64.iso",
        "os-src.tar.zst",
        "os-x86_64.iso",
        "release-notes.md",
    ];
    assert_eq!(names, expected);
    assert_eq!(report.head_of, ["beta".parse().unwrap()]);
    assert_eq!(report.pointer.unwrap().version, 1);
    let key = Some(project.secret("release").id());
    assert!(
        report
            .good
            .iter()
            .all(|file| file.key == key || file.name.as_str() == "release-notes.md")
    );
}

#[test]
fn strangers_tools_agree() {
    let project = Project::with_release();
    let dir = project.file("0.6.0-rc1", "");
    let sums = Command::new("sha256sum")
        .args(["-c", "--strict", "SHA256SUMS"])
        .current_dir(&dir)
        .output()
        .unwrap();
    assert!(sums.status.success(), "{sums:?}");
    let key = project.public_line("release");
    for file in [
        "os-x86_64.iso",
        "os-aarch64.iso",
        "os-src.tar.zst",
        "SHA256SUMS",
        "manifest.json",
    ] {
        let output = Command::new("minisign")
            .args(["-V", "-Q", "-P", &key, "-m", file])
            .current_dir(&dir)
            .output();
        let output = output.expect("`minisign` must be installed: apt-get install minisign");
        assert!(output.status.success(), "{file}: {output:?}");
        let comment = String::from_utf8(output.stdout).unwrap();
        assert!(
            comment.contains(&format!(" file:{file} product:{PRODUCT} version:0.6.0-rc1 ")),
            "{comment}"
        );
    }
}

#[test]
fn progress_tells_every_byte_once() {
    let project = Project::with_release();
    let told = Mutex::new((0, 0, Vec::new()));
    let request = VerifyRequest {
        trust: project.trust(),
        product: PRODUCT,
        version: &version("0.6.0-rc1"),
        pointer: PUBLIC,
        now: time(NOW),
        threads: 3.try_into().unwrap(),
    };
    let progress = |event: VerifyProgress<'_>| {
        let mut told = told.lock().unwrap();
        match event {
            VerifyProgress::Begin { bytes } => told.0 = bytes,
            VerifyProgress::Read { bytes, .. } => told.1 += bytes,
            VerifyProgress::End { artifact, good } => told.2.push((artifact.to_string(), good)),
        }
    };
    verify_release(&project.origin(), &request, &progress).unwrap();
    let (begin, read, ends) = told.into_inner().unwrap();
    assert_eq!((begin, read), (1_800_010, 1_800_010));
    assert!(ends.len() == 3 && ends.iter().all(|(_, good)| *good), "{ends:?}");
}

#[test]
fn a_release_is_read_back_before_it_is_public() {
    let project = Project::new();
    let manifest = project.put(&Draft::new("0.6.0-rc1"));
    let skip = project.verify_at(
        &project.origin(),
        "0.6.0-rc1",
        PointerCheck::Skip {
            edition: vrel_model::Edition::FIRST,
        },
        NOW,
    );
    assert!(skip.is_good(), "{:#?}", texts(&skip));
    only(&project.findings(), "has no pointer.json");

    // Another release is public, this one is not yet.
    project.point(1, &manifest);
    project.put(&Draft::new("0.6.0-rc2"));
    let report = project.verify_at(&project.origin(), "0.6.0-rc2", PUBLIC, NOW);
    only(
        &texts(&report),
        "0.6.0-rc2 is not public: the newest release of beta is 0.6.0-rc1",
    );
    let mut stable = Draft::new("0.6.0");
    (stable.channel, stable.key) = ("stable".parse().unwrap(), "stable");
    project.put(&stable);
    let report = project.verify_at(&project.origin(), "0.6.0", PUBLIC, NOW);
    only(&texts(&report), "the pointer names no release of stable");
}

#[test]
fn an_older_release_stays_valid_when_a_newer_one_is_the_head() {
    let project = Project::with_release();
    project.point(2, &project.put(&Draft::new("0.6.0-rc2")));
    let report = project.verify_at(&project.origin(), "0.6.0-rc1", PUBLIC, NOW);
    assert!(
        report.is_good() && report.head_of.is_empty(),
        "{:#?}",
        texts(&report)
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let project = Project::with_release();
    std::fs::write(project.file("0.6.0-rc1", "os-x86_64.iso"), "short").unwrap();
    std::fs::remove_file(project.file("0.6.0-rc1", "os-aarch64.iso.minisig")).unwrap();
    std::fs::write(project.file("0.6.0-rc1", "SHA256SUMS"), "other").unwrap();
    std::fs::write(project.file("0.6.0-rc1", "release-notes.md"), "other").unwrap();
    std::fs::write(project.file("0.6.0-rc1", "extra"), "x").unwrap();
    std::fs::remove_file(project.origin_dir().join("pointer.json")).unwrap();
    let findings = project.findings();
    let expected = [
        "pointer.json: ",
        "os-x86_64.iso: releases/0.6.0-rc1/os-x86_64.iso ends after 5 bytes, expected 1500000",
        "os-aarch64.iso: ",
        "SHA256SUMS: SHA256SUMS: the signature of key",
        "release-notes.md: length is 5",
        "extra: is not part of the release",
    ];
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    for (finding, start) in findings.iter().zip(expected) {
        assert!(finding.starts_with(start), "{finding}");
    }
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused_although_it_is_signed() {
    type Change = fn(&mut vrel_model::Manifest);
    let cases: [(&str, Change); 9] = [
        ("tag is `v0.6.0`", |m| m.tag = Some("v0.6.0".into())),
        ("tag is none", |m| m.tag = None),
        ("commit is `main`", |m| m.commit = "main".into()),
        ("names no artifacts", |m| m.artifacts.clear()),
        ("cannot be the name of an artifact, or not of two", |m| {
            m.artifacts.push(m.artifacts[0].clone())
        }),
        ("`manifest.json` cannot be", |m| {
            m.artifacts[0].name = "manifest.json".parse().unwrap()
        }),
        ("`os-src.tar.zst` cannot be", |m| {
            m.documents[0].name = "os-src.tar.zst".parse().unwrap()
        }),
        ("it is the manifest of other 0.6.0-rc1", |m| {
            m.product = "other".into()
        }),
        ("manifest schema 2", |m| m.schema = 2),
    ];
    for (expected, change) in cases {
        let project = Project::new();
        let mut draft = Draft::new("0.6.0-rc1");
        draft.change_manifest = change;
        project.point(1, &project.put(&draft));
        only(&project.findings(), expected);
    }
}

#[test]
fn checksums_must_say_what_the_manifest_says() {
    let project = Project::new();
    let mut draft = Draft::new("0.6.0-rc1");
    draft.change_manifest = |manifest| drop(manifest.artifacts.pop());
    project.point(1, &project.put(&draft));
    let findings = project.findings();
    assert!(
        findings
            .iter()
            .any(|one| one == "SHA256SUMS: its lines are not what the manifest says"),
        "{findings:#?}"
    );
    assert!(
        findings
            .iter()
            .any(|one| one == "os-src.tar.zst: is not part of the release"),
        "{findings:#?}"
    );
}

#[test]
fn notes_must_give_true_checksums_and_links() {
    type Change = fn(&str) -> String;
    let zeros = "0".repeat(64);
    let cases: [(String, Change); 7] = [
        (
            "no section whose heading begins with `Download`".into(),
            |notes| notes.replace("## Downloads", "## Files"),
        ),
        (
            format!("gives {zeros} as the checksum of os-src.tar.zst, expected "),
            |notes| {
                let (before, after) = notes.split_once("(os-src.tar.zst) | `").unwrap();
                format!("{before}(os-src.tar.zst) | `{}{}", "0".repeat(64), &after[64..])
            },
        ),
        (format!("gives the checksum {zeros} of no artifact"), |notes| {
            format!("{notes}\n{}\n", "0".repeat(64))
        }),
        ("links to `os-arm.iso`, which is not part".into(), |notes| {
            notes.replace("](os-aarch64.iso)", "](os-arm.iso)")
        }),
        ("links to `https://x/releases/0.6.0-rc1/a`".into(), |notes| {
            format!("{notes}\n[a](https://x/releases/0.6.0-rc1/a)\n")
        }),
        ("links to `../0.5.0/os-x86_64.iso`".into(), |notes| {
            format!("{notes}\n[a](../0.5.0/os-x86_64.iso)\n")
        }),
        ("does not give the checksum of os-aarch64.iso".into(), |notes| {
            notes
                .lines()
                .filter(|line| !line.contains("aarch64"))
                .map(|line| format!("{line}\n"))
                .collect()
        }),
    ];
    for (expected, change) in cases {
        let project = Project::new();
        let mut draft = Draft::new("0.6.0-rc1");
        draft.change_notes = change;
        project.point(1, &project.put(&draft));
        let findings = project.findings();
        assert!(
            findings.iter().any(|one| one.contains(&expected)),
            "{expected}: {findings:#?}"
        );
    }
}

#[test]
fn notes_may_speak_of_other_things_elsewhere() {
    let project = Project::new();
    let mut draft = Draft::new("0.6.0-rc1");
    draft.change_notes = |notes| {
        let zeros = "0".repeat(64);
        let more =
            format!("## Known Issues\n\n{zeros} and [x](y)\n\n## Download links\n\n### Signed files\n");
        notes.replace("## Downloads\n", &more)
            + "\n[site](https://example.org/x) [up](#top)\n\n# End\n\n[x](y)\n"
    };
    project.point(1, &project.put(&draft));
    assert_eq!(project.findings(), [""; 0]);
}

#[test]
fn a_wish_to_stop_is_no_finding() {
    let project = Project::with_release();
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let origin = LocalOrigin::open(&world, &project.origin_dir()).unwrap();
    let request = VerifyRequest {
        trust: project.trust(),
        product: PRODUCT,
        version: &version("0.6.0-rc1"),
        pointer: PUBLIC,
        now: time(NOW),
        threads: 2.try_into().unwrap(),
    };
    // Asked at the beginning, and in the middle of an artifact.
    let stop = |event: VerifyProgress<'_>| {
        if matches!(event, VerifyProgress::Read { .. }) {
            interrupt.set();
        }
    };
    assert!(
        verify_release(&origin, &request, &stop)
            .unwrap_err()
            .is_interruption()
    );
    assert!(
        verify_release(&origin, &request, &|_| {})
            .unwrap_err()
            .is_interruption()
    );
}

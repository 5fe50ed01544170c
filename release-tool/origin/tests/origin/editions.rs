//! A release that an architecture was added to, and what can be done to it.

use crate::fixture::{Draft, NOW, PRODUCT, PUBLIC, Project, name, notes, only, texts, time, version};
use std::fs;
use vrel_model::{
    Arch, BackfilledManifest, Edition, LaggingArch, Manifest, ManifestArtifact, ManifestDocument,
};
use vrel_origin::{DownloadRequest, PointerCheck, download, fetch_newest_manifest};
use vrel_trust::digest_bytes;

const RELEASE: &str = "0.6.0-rc1";
const ADDED: &str = "os-riscv64.iso";

fn second() -> Edition {
    Edition::FIRST.next().unwrap()
}

/// A public release that lacks riscv64.
fn first() -> (Project, Draft, Manifest) {
    let project = Project::new();
    let mut draft = Draft::new(RELEASE);
    draft.change_manifest = |manifest| {
        manifest.lagging = vec![LaggingArch {
            arch: Arch::Riscv64,
            until: time("2026-11-24T03:00:00Z"),
        }];
    };
    let manifest = project.put(&draft);
    project.point(1, &manifest);
    (project, draft, manifest)
}

/// Puts the second edition beside the first: riscv64, and notes of it.
fn put_second(project: &Project, draft: &Draft, first: &Manifest, change: fn(&mut Manifest)) -> Manifest {
    let added = Draft {
        artifacts: vec![(ADDED, "iso".parse().unwrap(), Some(Arch::Riscv64), vec![9; 5000])],
        ..Draft::new(RELEASE)
    };
    let notes = notes(&added).replace("SHA256SUMS", "SHA256SUMS-2");
    let (file, kind, arch, content) = &added.artifacts[0];
    let digests = digest_bytes(content);
    let mut manifest = first.clone();
    manifest.artifacts.push(ManifestArtifact {
        name: name(file),
        kind: kind.clone(),
        arch: *arch,
        length: digests.length,
        sha256: digests.sha256,
        blake2b: digests.blake2b,
    });
    manifest.documents.push(ManifestDocument {
        name: name("release-notes-2.md"),
        length: notes.len() as u64,
        sha256: digest_bytes(notes.as_bytes()).sha256,
    });
    manifest.lagging.clear();
    change(&mut manifest);
    project.put_raw(&draft.version, "release-notes-2.md", notes.as_bytes());
    project.put_signed(draft, file, *arch, content);
    project.put_signed(draft, "SHA256SUMS-2", None, manifest.sha256sums().as_bytes());
    project.put_signed(draft, "manifest-2.json", None, &manifest.to_bytes().unwrap());
    manifest
}

fn point_to_second(project: &Project, first: &Manifest, second: &Manifest) {
    let bytes = second.to_bytes().unwrap();
    let newest = BackfilledManifest {
        edition: self::second(),
        manifest_length: bytes.len() as u64,
        manifest_sha256: digest_bytes(&bytes).sha256,
    };
    let pointer = project.pointer_with(2, first, Some(newest));
    fs::write(project.origin_dir().join("pointer.json"), pointer.to_bytes()).unwrap();
}

#[test]
fn the_pointer_decides_which_edition_is_read() {
    let (project, draft, first) = first();
    assert_eq!(project.findings(), [""; 0]);
    let manifest = put_second(&project, &draft, &first, |_| {});
    // Published and not public: readers see what they saw before.
    let before = project.verify_at(&project.origin(), RELEASE, PUBLIC, NOW);
    assert!(before.is_good(), "{:#?}", texts(&before));
    assert_eq!(
        (before.edition, before.manifest.as_ref()),
        (Some(Edition::FIRST), Some(&first))
    );
    let newest =
        || fetch_newest_manifest(&project.origin(), &project.trust(), PRODUCT, &version(RELEASE)).unwrap();
    assert_eq!(newest().manifest, first);
    let skip = PointerCheck::Skip { edition: second() };
    let read_back = project.verify_at(&project.origin(), RELEASE, skip, NOW);
    assert!(read_back.is_good(), "{:#?}", texts(&read_back));

    point_to_second(&project, &first, &manifest);
    let after = project.verify_at(&project.origin(), RELEASE, PUBLIC, NOW);
    assert!(after.is_good(), "{:#?}", texts(&after));
    assert_eq!(
        (after.edition, after.manifest.as_ref()),
        (Some(second()), Some(&manifest))
    );
    assert_eq!((newest().edition, newest().manifest), (second(), manifest));
    for expected in [
        "manifest.json",
        "manifest-2.json",
        "SHA256SUMS",
        "SHA256SUMS-2",
        "release-notes-2.md",
        ADDED,
    ] {
        assert!(
            after.good.iter().any(|file| file.name.as_str() == expected),
            "{expected}"
        );
    }
    // Whoever kept the earlier pointer still verifies what it leads to.
    project.point(1, &first);
    assert_eq!(project.findings(), [""; 0]);
}

#[test]
fn an_added_file_is_downloaded_once_it_is_public() {
    let (project, draft, first) = first();
    let manifest = put_second(&project, &draft, &first, |_| {});
    let to = project.dir.path().join("got.iso");
    let get = || {
        let request = DownloadRequest {
            trust: project.trust(),
            product: PRODUCT,
            version: &version(RELEASE),
            artifact: &name(ADDED),
        };
        download(&project.world, &project.origin(), &request, &to, &|_| {})
    };
    let refused = get().unwrap_err().to_string();
    assert!(refused.contains("it names no `os-riscv64.iso`"), "{refused}");
    point_to_second(&project, &first, &manifest);
    get().unwrap();
    assert_eq!(fs::read(&to).unwrap(), [9; 5000]);
}

#[test]
fn an_edition_that_changes_or_drops_what_was_published_is_refused_by_name() {
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str); 4] = [
        (
            |m| drop(m.artifacts.remove(1)),
            "manifest-2.json: os-aarch64.iso: it was published before, and is dropped",
        ),
        (
            |m| m.artifacts[2].kind = "iso".parse().unwrap(),
            "manifest-2.json: os-src.tar.zst: it was published before with other content",
        ),
        (|m| m.commit = "f".repeat(40), "manifest-2.json: commit: it was "),
        (
            |m| {
                m.lagging.push(LaggingArch {
                    arch: Arch::Riscv64,
                    until: time("2026-11-24T03:00:00Z"),
                })
            },
            "manifest-2.json: os-riscv64.iso: it is for riscv64, which the release was not waiting for",
        ),
    ];
    for (change, expected) in cases {
        let (project, draft, first) = first();
        let manifest = put_second(&project, &draft, &first, change);
        point_to_second(&project, &first, &manifest);
        let findings = project.findings();
        assert!(
            findings.iter().any(|finding| finding.starts_with(expected)),
            "{expected}: {findings:#?}"
        );
    }
}

#[test]
fn what_a_mirror_can_do_to_a_second_edition_is_seen() {
    let (project, draft, first) = first();
    let manifest = put_second(&project, &draft, &first, |_| {});
    point_to_second(&project, &first, &manifest);
    // Hidden.
    let (path, kept) = (
        project.file(RELEASE, "manifest-2.json"),
        project.dir.path().join("kept"),
    );
    fs::rename(&path, &kept).unwrap();
    only(&project.findings(), "manifest-2.json: ");
    // The first in its place, under its name.
    fs::copy(project.file(RELEASE, "manifest.json"), &path).unwrap();
    only(&project.findings(), "manifest-2.json: ");
    fs::rename(&kept, &path).unwrap();
    // The first hidden: what the second must hold cannot be told.
    let first_path = project.file(RELEASE, "manifest.json");
    fs::rename(&first_path, &kept).unwrap();
    only(&project.findings(), "manifest.json: ");
    fs::rename(&kept, &first_path).unwrap();
    // Its checksums are those of the first.
    fs::copy(
        project.file(RELEASE, "SHA256SUMS"),
        project.file(RELEASE, "SHA256SUMS-2"),
    )
    .unwrap();
    only(&project.findings(), "SHA256SUMS-2: ");
}

#[test]
fn another_second_edition_than_the_pointers_is_refused() {
    let (project, draft, first) = first();
    let mut other = first.clone();
    put_second(&project, &draft, &first, |_| {});
    other.source_date_epoch += 1;
    point_to_second(&project, &first, &other);
    let findings = project.findings();
    assert!(
        findings
            .iter()
            .any(|finding| finding.starts_with("manifest-2.json: sha256 is ")),
        "{findings:#?}"
    );
}

/// A bill of materials of nothing.
const OF_NOTHING: &str =
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"components\":[]}\n";

#[test]
fn documents_of_an_addition_are_held_to_what_was_added() {
    let (project, draft, first) = first();
    let manifest = put_second(&project, &draft, &first, |manifest| {
        manifest.documents.push(ManifestDocument {
            name: name("sbom-2.cdx.json"),
            length: OF_NOTHING.len() as u64,
            sha256: digest_bytes(OF_NOTHING.as_bytes()).sha256,
        });
    });
    project.put_raw(&draft.version, "sbom-2.cdx.json", OF_NOTHING.as_bytes());
    point_to_second(&project, &first, &manifest);
    // It lacks the one artifact that came with it; those of the first edition are none of its business.
    let findings = project.findings();
    only(&findings, "sbom-2.cdx.json: ");
    only(&findings, ADDED);
}

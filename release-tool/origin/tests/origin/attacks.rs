//! What a mirror, a cache or a thief can do to a published tree: one test for each attack.

use crate::fixture::{Draft, NOW, PUBLIC, Project, name, only, texts};
use std::fs;
use std::io::{self, Read};
use vrel_model::{Arch, Version};
use vrel_origin::{DownloadRequest, ObjectPath, OriginError, OriginReader, PointerCheck, download};

const ISO: &str = "os-x86_64.iso";

#[test]
fn mirror_swaps_bytes() {
    let project = Project::with_release();
    let path = project.file("0.6.0-rc1", ISO);
    let mut content = fs::read(&path).unwrap();
    content.swap(1, 2);
    fs::write(&path, content).unwrap();
    let findings = project.findings();
    let expected = ["sha256 is ", "blake2b is ", "does not fit the content"];
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    for (finding, text) in findings.iter().zip(expected) {
        assert!(
            finding.starts_with(&format!("{ISO}: ")) && finding.contains(text),
            "{finding}"
        );
    }
}

#[test]
fn older_signed_file_under_a_new_name() {
    let project = Project::with_release();
    let mut draft = Draft::new("0.6.0-rc2");
    draft.artifacts[0].3[0] ^= 1;
    project.point(2, &project.put(&draft));
    for file in [ISO.to_owned(), format!("{ISO}.minisig")] {
        fs::copy(project.file("0.6.0-rc1", &file), project.file("0.6.0-rc2", &file)).unwrap();
    }
    let findings = texts(&project.verify_at(&project.origin(), "0.6.0-rc2", PUBLIC, NOW));
    assert_eq!(findings.len(), 3, "{findings:#?}");
    assert!(
        findings[0].contains("sha256 is ") && findings[1].contains("blake2b is "),
        "{findings:#?}"
    );
    assert!(
        findings[2].contains("version is `0.6.0-rc1`, expected `0.6.0-rc2`"),
        "{findings:#?}"
    );
}

#[test]
fn whole_older_release_under_a_new_version() {
    let project = Project::with_release();
    fs::rename(project.file("0.6.0-rc1", ""), project.file("0.6.0-rc2", "")).unwrap();
    let findings = texts(&project.verify_at(
        &project.origin(),
        "0.6.0-rc2",
        PointerCheck::Skip {
            edition: vrel_model::Edition::FIRST,
        },
        NOW,
    ));
    only(
        &findings,
        "manifest.json: signature of manifest.json states something else",
    );
    assert!(
        findings[0].contains("version is `0.6.0-rc1`, expected `0.6.0-rc2`"),
        "{findings:#?}"
    );
}

#[test]
fn signature_of_b_under_the_name_of_a() {
    // Two artifacts with the same bytes: only the statement tells their signatures apart.
    let project = Project::new();
    let mut draft = Draft::new("0.6.0-rc1");
    draft.artifacts[1].3 = draft.artifacts[0].3.clone();
    project.point(1, &project.put(&draft));
    let (a, b) = (
        project.file("0.6.0-rc1", "os-x86_64.iso.minisig"),
        "os-aarch64.iso.minisig",
    );
    fs::copy(project.file("0.6.0-rc1", b), a).unwrap();
    let findings = project.findings();
    only(
        &findings,
        "file is `os-aarch64.iso`, expected `os-x86_64.iso`, arch is `aarch64`, expected `x86_64`",
    );
}

#[test]
fn document_for_another_product_arch_or_channel() {
    type Change = fn(&mut vrel_model::Statement);
    let cases: [(&str, Change); 2] = [
        ("product is `other`, expected `veridianos`", |statement| {
            statement.product = "other".into()
        }),
        ("arch is `riscv64`, expected `any`", |statement| {
            statement.arch = Some(Arch::Riscv64)
        }),
    ];
    for (expected, change) in cases {
        let project = Project::new();
        let mut draft = Draft::new("0.6.0-rc1");
        draft.change_statement = change;
        project.point(1, &project.put(&draft));
        only(&project.findings(), expected);
    }
    // Signed by the beta key, for a channel that another key signs.
    for (channel, expected) in [
        ("stable", "is not trusted for the role `stable`"),
        ("lts", "does not have; channels are"),
    ] {
        let project = Project::new();
        let mut draft = Draft::new("0.6.0-rc1");
        draft.channel = channel.parse().unwrap();
        project.point(1, &project.put(&draft));
        only(&project.findings(), expected);
    }
}

#[test]
fn pointer_replayed() {
    let project = Project::with_release();
    let old = fs::read(project.origin_dir().join("pointer.json")).unwrap();
    project.point(2, &project.put(&Draft::new("0.6.0-rc2")));
    fs::write(project.origin_dir().join("pointer.json"), old).unwrap();
    let check = |last_seen| {
        let pointer = PointerCheck::Public {
            last_seen: Some(last_seen),
        };
        texts(&project.verify_at(&project.origin(), "0.6.0-rc1", pointer, NOW))
    };
    assert_eq!(check(1), [""; 0]);
    only(
        &check(2),
        "pointer.json: version 1 is older than version 2, which was seen before",
    );
}

#[test]
fn frozen_pointer_past_its_expiry() {
    let project = Project::with_release();
    let at = |now| texts(&project.verify_at(&project.origin(), "0.6.0-rc1", PUBLIC, now));
    assert_eq!(at("2026-12-21T02:59:59Z"), [""; 0]);
    only(&at("2026-12-21T03:00:00Z"), "expired at 2026-12-21T03:00:00Z");
    only(&at("2036-11-21T00:00:00Z"), "expired at");
    only(&at("2016-11-21T00:00:00Z"), "says that it was issued at");
}

#[test]
fn pointer_signed_by_the_wrong_key_or_changed() {
    let project = Project::with_release();
    let path = project.origin_dir().join("pointer.json");
    let good = fs::read_to_string(&path).unwrap();
    for (bad, expected) in [
        (
            good.replace("2026-12-21T03", "2027-12-21T03"),
            "does not fit the content",
        ),
        (
            good.replace("\"spec\":1", "\"spec\":2"),
            "does not fit the content",
        ),
        (good[..good.len() / 2].to_owned(), "the pointer is malformed"),
        (String::new(), "the pointer is malformed"),
        (
            good.replace("\"signatures\":[", "\"signatures\":[],\"x\":["),
            "the pointer carries no signature",
        ),
    ] {
        assert_ne!(bad, good);
        fs::write(&path, bad).unwrap();
        only(&project.findings(), expected);
    }
}

#[test]
fn pointer_to_another_manifest_of_the_same_version() {
    let project = Project::with_release();
    // A second, equally signed manifest: a release that was cut twice, or equivocation.
    let origin = project.file("0.6.0-rc1", "");
    fs::remove_dir_all(&origin).unwrap();
    let mut draft = Draft::new("0.6.0-rc1");
    draft.change_manifest = |manifest| manifest.source_date_epoch += 1;
    project.put(&draft);
    only(&project.findings(), "manifest.json: sha256 is ");
}

#[test]
fn origin_half_published() {
    let project = Project::with_release();
    for file in ["os-aarch64.iso", "os-aarch64.iso.minisig", "release-notes.md"] {
        fs::remove_file(project.file("0.6.0-rc1", file)).unwrap();
    }
    let findings = project.findings();
    assert_eq!(findings.len(), 3, "{findings:#?}");
    assert!(
        findings
            .iter()
            .all(|finding| finding.contains(" has no releases/0.6.0-rc1/")),
        "{findings:#?}"
    );
    fs::remove_dir_all(project.file("0.6.0-rc1", "")).unwrap();
    only(&project.findings(), "manifest.json: ");
}

#[test]
fn wrong_key() {
    let project = Project::new();
    let mut draft = Draft::new("0.6.0-rc1");
    draft.key = "stable";
    project.point(1, &project.put(&draft));
    let findings = project.findings();
    only(&findings, "which is not trusted for the role `release`");
    for key in ["stable", "release"] {
        assert!(
            findings[0].contains(&project.secret(key).id().to_string()),
            "{findings:#?}"
        );
    }
}

#[test]
fn truncated_and_extended() {
    for (length, expected) in [
        (1_499_999, "ends after 1499999 bytes, expected 1500000"),
        (1_500_001, "is longer than 1500000"),
    ] {
        let project = Project::with_release();
        let path = project.file("0.6.0-rc1", ISO);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_len(length)
            .unwrap();
        only(&project.findings(), expected);
    }
}

/// Serves another origin, but something else for one name.
struct Evil<'a> {
    inner: &'a dyn OriginReader,
    name: &'static str,
    content: fn() -> Box<dyn Read + Send>,
}

impl OriginReader for Evil<'_> {
    fn location(&self) -> String {
        "an evil mirror".into()
    }
    fn read(&self, object: &ObjectPath, limit: u64) -> Result<Vec<u8>, OriginError> {
        if !object.as_str().ends_with(self.name) {
            return self.inner.read(object, limit);
        }
        let mut content = Vec::new();
        (self.content)()
            .take(limit + 1)
            .read_to_end(&mut content)
            .unwrap();
        if content.len() as u64 > limit {
            return Err(OriginError::TooLong {
                object: object.to_string(),
                expected: limit,
            });
        }
        Ok(content)
    }
    fn open(&self, object: &ObjectPath, length: u64) -> Result<Box<dyn Read + Send + '_>, OriginError> {
        if object.as_str().ends_with(self.name) {
            Ok(Box::new(vrel_origin::Stream::new(
                (self.content)(),
                object.as_str(),
                length,
            )))
        } else {
            self.inner.open(object, length)
        }
    }
    fn list(&self, _: &Version) -> Result<Option<Vec<String>>, OriginError> {
        Ok(None)
    }
}

#[test]
fn endless_body_under_every_name() {
    let project = Project::with_release();
    let origin = project.origin();
    let endless = || -> Box<dyn Read + Send> { Box::new(io::repeat(b'x')) };
    let names = [
        ISO,
        "os-x86_64.iso.minisig",
        "manifest.json",
        "manifest.json.minisig",
        "SHA256SUMS",
        "release-notes.md",
        "pointer.json",
    ];
    for name in names {
        let evil = Evil {
            inner: &origin,
            name,
            content: endless,
        };
        let findings = texts(&project.verify_at(&evil, "0.6.0-rc1", PUBLIC, NOW));
        only(&findings, "is longer than ");
    }
}

#[test]
fn names_that_leave_the_directory_are_not_even_parsed() {
    let project = Project::new();
    let bad = ["../os-x86_64.iso", "/etc/passwd", "a\u{0}b", "a/b", ".lock"];
    for name in bad {
        let mut draft = Draft::new("0.6.0-rc1");
        draft.version = format!("0.6.{}", bad.iter().position(|one| *one == name).unwrap())
            .parse()
            .unwrap();
        let manifest = project.put(&draft);
        // The publisher's own type refuses such a name, so the document is made by hand; it is signed all the same.
        let text = String::from_utf8(manifest.to_bytes().unwrap()).unwrap();
        let text = text.replacen("\"os-x86_64.iso\"", &serde_json::Value::from(name).to_string(), 1);
        let path = |file: &str| project.file(&draft.version.to_string(), file);
        fs::write(path("manifest.json"), &text).unwrap();
        let signature = project.sign(&draft, "manifest.json", None, text.as_bytes());
        fs::write(path("manifest.json.minisig"), signature).unwrap();
        let release = draft.version.to_string();
        let findings = texts(&project.verify_at(
            &project.origin(),
            &release,
            PointerCheck::Skip {
                edition: vrel_model::Edition::FIRST,
            },
            NOW,
        ));
        only(&findings, "not a publishable file name");
    }
}

#[test]
fn download_gives_a_name_only_to_what_is_verified() {
    let project = Project::with_release();
    let to = project.dir.path().join("got.iso");
    let get = |artifact: &str, reader: &dyn OriginReader| {
        let request = DownloadRequest {
            trust: project.trust(),
            product: crate::fixture::PRODUCT,
            version: &crate::fixture::version("0.6.0-rc1"),
            artifact: &name(artifact),
        };
        download(&project.world, reader, &request, &to, &|_| {})
    };
    let origin = project.origin();
    let contents: [fn() -> Box<dyn Read + Send>; 4] = [
        || Box::new(io::repeat(b'x')),
        || Box::new(io::repeat(b'x').take(1_500_000)),
        || Box::new(&b"short"[..]),
        || Box::new(io::empty()),
    ];
    for content in contents {
        assert!(
            get(
                ISO,
                &Evil {
                    inner: &origin,
                    name: ISO,
                    content
                }
            )
            .is_err()
        );
        assert_eq!(
            fs::read_dir(project.dir.path())
                .unwrap()
                .filter(|entry| {
                    let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
                    name.contains("got") || name.contains("tmp")
                })
                .count(),
            0
        );
    }
    let other = Evil {
        inner: &origin,
        name: "os-x86_64.iso.minisig",
        content: || Box::new(&b"x"[..]),
    };
    assert!(
        get(ISO, &other)
            .unwrap_err()
            .to_string()
            .contains("not a strict minisign signature")
    );
    let error = get("os-mips.iso", &origin).unwrap_err().to_string();
    assert!(
        error.contains("it names no `os-mips.iso`; artifacts are os-x86_64.iso, os-aarch64.iso"),
        "{error}"
    );
    let artifact = get(ISO, &origin).unwrap();
    assert_eq!(artifact.length, 1_500_000);
    assert_eq!(
        fs::read(&to).unwrap(),
        fs::read(project.file("0.6.0-rc1", ISO)).unwrap()
    );
}

/// A provenance that nobody signed, and a bill of materials of nothing: what a release would carry that was made by
/// hand. Their digests are in the signed manifest.
const UNSIGNED: &str =
    "{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[]}\n";
const OF_NOTHING: &str =
    "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,\"components\":[]}\n";

#[test]
fn documents_of_the_supply_chain_that_speak_of_something_else() {
    let project = Project::new();
    let mut draft = Draft::new("0.6.0-rc1");
    draft.change_manifest = |manifest| {
        for (file, text) in [
            ("provenance.intoto.json", UNSIGNED),
            ("sbom.cdx.json", OF_NOTHING),
        ] {
            manifest.documents.push(vrel_model::ManifestDocument {
                name: name(file),
                length: text.len() as u64,
                sha256: vrel_trust::digest_bytes(text.as_bytes()).sha256,
            });
        }
    };
    let manifest = project.put(&draft);
    project.put_raw(&draft.version, "provenance.intoto.json", UNSIGNED.as_bytes());
    project.put_raw(&draft.version, "sbom.cdx.json", OF_NOTHING.as_bytes());
    project.point(1, &manifest);
    let findings = project.findings();
    let of = |file: &str| {
        findings
            .iter()
            .filter(|finding| finding.starts_with(file))
            .count()
    };
    assert_eq!(of("provenance.intoto.json: "), 1, "{findings:#?}");
    assert!(of("sbom.cdx.json: ") >= 1, "{findings:#?}");
    assert_eq!(
        of("provenance.intoto.json: ") + of("sbom.cdx.json: "),
        findings.len(),
        "{findings:#?}"
    );
}

//! Bills of materials: a small workspace in every detail, this repository's own by strangers' validators.

mod fixture;
mod real;

use crate::provenance::{release, subject};
use crate::strangers::run_python;
use fixture::{Cargo, Package, artifact};
use serde_json::Value;
use vrel_trust::{
    Contents, ForeignComponent, Role, Sbom, SbomFacts, SubjectMismatch, TrustError, Workspace,
    cyclonedx_subjects, spdx_subjects, subject_mismatches,
};

/// A system of a kernel and a loader, with libraries, a macro, and tests.
fn system() -> Cargo {
    Cargo::new(
        "os",
        &[
            Package::own("kernel", "bin")
                .needs(&["core_lib@1.0.0"])
                .builds_with(&["helper@2.0.0+x"]),
            Package::own("loader", "bin").needs(&["derive@1.0.0", "hal@0.6.0"]),
            Package::own("hal", "lib")
                .needs(&["core_lib@1.0.0"])
                .tests_with(&["checker@0.1.0"]),
            Package::own("unused", "bin"),
            Package::registry("core_lib", "1.0.0").licence("MIT/Apache-2.0"),
            Package::registry("derive", "1.0.0")
                .kind("proc-macro")
                .needs(&["syntax@1.0.0"]),
            Package::registry("syntax", "1.0.0"),
            Package::registry("helper", "2.0.0+x").licence("Zlib"),
            Package::registry("checker", "0.1.0")
                .no_licence()
                .needs(&["core_lib@1.0.0"]),
        ],
    )
}

fn tool() -> Cargo {
    Cargo::new(
        "",
        &[
            Package::own("vrel-cli", "bin").needs(&["core_lib@1.0.0", "core_lib@0.9.0", "hash@1.0.0"]),
            Package::registry("core_lib", "0.9.0"),
            Package::registry("core_lib", "1.0.0")
                .licence("MIT/Apache-2.0")
                .needs(&["hash@1.0.0"]),
            Package::registry("hash", "1.0.0"),
        ],
    )
}

fn facts() -> SbomFacts {
    let compiled = |names: &[&str]| Contents::Compiled(names.iter().map(|&name| name.to_owned()).collect());
    SbomFacts {
        release: release(),
        licence: "MIT OR Apache-2.0".to_owned(),
        workspaces: vec![system().parse().unwrap(), tool().parse().unwrap()],
        tool: "vrel-cli".to_owned(),
        foreign: vec![
            ForeignComponent {
                name: "grub".to_owned(),
                version: "2.12-9".to_owned(),
                description: "boot loader for machines with a BIOS".to_owned(),
                licence: Some("GPL-3.0-or-later".to_owned()),
                sha256: Some(subject("grub").sha256),
            },
            ForeignComponent {
                name: "qemu-img".to_owned(),
                version: "10.0".to_owned(),
                description: "writes images".to_owned(),
                licence: None,
                sha256: None,
            },
        ],
        artifacts: vec![
            artifact("os.iso", compiled(&["kernel", "loader", "grub"])),
            artifact("os-source.tar.zst", Contents::Sources),
            artifact("os-vendor.tar.zst", Contents::Crates),
            artifact("notes.md", Contents::Documents),
        ],
    }
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn roles_follow_from_what_artifacts_contain() {
    let sbom = Sbom::new(facts()).unwrap();
    let expected = [
        (("kernel", "0.6.0"), Role::Shipped),
        (("loader", "0.6.0"), Role::Shipped),
        (("hal", "0.6.0"), Role::Shipped),
        (("core_lib", "1.0.0"), Role::Shipped),
        (("grub", "2.12-9"), Role::Shipped),
        // The tool's use of a library that is shipped needs this one, the system's does not.
        (("hash", "1.0.0"), Role::Build),
        (("derive", "1.0.0"), Role::Build),
        (("syntax", "1.0.0"), Role::Build),
        (("helper", "2.0.0+x"), Role::Build),
        (("unused", "0.6.0"), Role::Build),
        (("vrel-cli", "0.6.0"), Role::Build),
        (("core_lib", "0.9.0"), Role::Build),
        (("qemu-img", "10.0"), Role::Build),
        (("checker", "0.1.0"), Role::Test),
    ];
    for ((name, version), role) in expected {
        assert_eq!(sbom.role(name, version), Some(role), "{name} {version}");
    }
    assert_eq!(sbom.role("core_lib", "3.0.0"), None);
}

#[test]
fn cyclonedx_names_digests_licences_and_what_contains_what() {
    let bom = parsed(&Sbom::new(facts()).unwrap().to_cyclonedx().unwrap());
    let component = |name: &str, version: &str| {
        let mut all = bom["components"].as_array().unwrap().iter();
        all.find(|c| c["name"] == name && c["version"] == version)
            .unwrap_or_else(|| panic!("no {name} {version}"))
    };
    let depends = |reference: &Value| -> Vec<String> {
        let mut all = bom["dependencies"].as_array().unwrap().iter();
        let found = all.find(|dependency| dependency["ref"] == *reference).unwrap();
        let on = found["dependsOn"].as_array().unwrap().iter();
        on.map(|reference| reference.as_str().unwrap().to_owned())
            .collect()
    };
    let library = component("core_lib", "1.0.0");
    assert_eq!(library["purl"], "pkg:cargo/core_lib@1.0.0");
    assert_eq!(library["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(
        library["hashes"][0]["content"],
        fixture::checksum("core_lib", "1.0.0")
    );
    assert_eq!(library["scope"], "required");
    assert_eq!(
        component("helper", "2.0.0+x")["purl"],
        "pkg:cargo/helper@2.0.0%2Bx"
    );
    assert_eq!(component("checker", "0.1.0")["scope"], "excluded");
    assert!(component("checker", "0.1.0").get("licenses").is_none());

    let kernel = component("kernel", "0.6.0");
    assert_eq!(kernel["type"], "application");
    let place =
        "git%2Bhttps://example.org/veridianos/os%400123456789abcdef0123456789abcdef01234567#os/kernel";
    assert_eq!(
        kernel["purl"],
        format!("pkg:generic/veridianos/kernel@0.6.0?vcs_url={place}")
    );
    assert_eq!(
        depends(&kernel["bom-ref"]),
        ["pkg:cargo/core_lib@1.0.0", "pkg:cargo/helper@2.0.0%2Bx"]
    );

    let iso = component("os.iso", "0.6.0-rc1");
    assert_eq!(iso["hashes"][0]["content"], subject("os.iso").sha256.to_string());
    assert_eq!(
        iso["externalReferences"][0]["url"],
        "https://releases.example.org/releases/0.6.0-rc1/os.iso"
    );
    let inside = depends(&iso["bom-ref"]);
    assert_eq!(inside.len(), 3);
    assert!(inside.contains(&kernel["bom-ref"].as_str().unwrap().to_owned()));
    assert!(inside.contains(&"pkg:generic/grub@2.12-9".to_owned()));
    assert_eq!(depends(&bom["metadata"]["component"]["bom-ref"]).len(), 4);
    assert_eq!(bom["metadata"]["timestamp"], "2026-11-21T03:00:00Z");
}

#[test]
fn spdx_tells_kinds_of_dependencies_apart() {
    let document = parsed(&Sbom::new(facts()).unwrap().to_spdx().unwrap());
    let packages = document["packages"].as_array().unwrap();
    let id = |name: &str, version: &str| {
        let found = packages
            .iter()
            .find(|p| p["name"] == name && p["versionInfo"] == version);
        found.unwrap_or_else(|| panic!("no {name} {version}"))["SPDXID"].clone()
    };
    let related = |from: (&str, &str), kind: &str, to: (&str, &str)| {
        let (from, to) = (id(from.0, from.1), id(to.0, to.1));
        let mut all = document["relationships"].as_array().unwrap().iter();
        all.any(|r| {
            r["spdxElementId"] == from && r["relationshipType"] == kind && r["relatedSpdxElement"] == to
        })
    };
    let product = ("VeridianOS", "0.6.0-rc1");
    let (kernel, library) = (("kernel", "0.6.0"), ("core_lib", "1.0.0"));
    assert!(related(product, "CONTAINS", ("os.iso", "0.6.0-rc1")));
    assert!(related(("os.iso", "0.6.0-rc1"), "CONTAINS", kernel));
    assert!(
        !related(("os.iso", "0.6.0-rc1"), "CONTAINS", ("hal", "0.6.0")),
        "through the loader only"
    );
    assert!(related(
        ("os-source.tar.zst", "0.6.0-rc1"),
        "CONTAINS",
        ("unused", "0.6.0")
    ));
    assert!(related(("os-vendor.tar.zst", "0.6.0-rc1"), "CONTAINS", library));
    assert!(related(kernel, "DEPENDS_ON", library));
    assert!(related(("helper", "2.0.0+x"), "BUILD_DEPENDENCY_OF", kernel));
    assert!(related(
        ("checker", "0.1.0"),
        "TEST_DEPENDENCY_OF",
        ("hal", "0.6.0")
    ));
    assert!(related(("vrel-cli", "0.6.0"), "BUILD_TOOL_OF", product));
    assert_eq!(document["creationInfo"]["creators"][1], "Tool: vrel-cli-0.6.0");
}

#[test]
fn equal_facts_give_equal_bytes_and_other_facts_another_identity() {
    let write = |facts: SbomFacts| {
        let sbom = Sbom::new(facts).unwrap();
        (sbom.to_cyclonedx().unwrap(), sbom.to_spdx().unwrap())
    };
    let first = write(facts());
    let mut shuffled = facts();
    shuffled.artifacts.reverse();
    shuffled.workspaces.reverse();
    shuffled.foreign.reverse();
    assert_eq!(write(shuffled), first);

    let ids = |(cyclonedx, spdx): &(Vec<u8>, Vec<u8>)| {
        let (cyclonedx, spdx) = (parsed(cyclonedx), parsed(spdx));
        (
            cyclonedx["serialNumber"].clone(),
            spdx["documentNamespace"].clone(),
        )
    };
    let mut other = facts();
    other.artifacts[0].file.sha256 = subject("else").sha256;
    let (first, other) = (ids(&first), ids(&write(other)));
    assert!(first.0 != other.0 && first.1 != other.1, "{first:?} {other:?}");
}

#[test]
fn both_forms_are_accepted_by_strangers() {
    let sbom = Sbom::new(facts()).unwrap();
    fixture::accepted_by_strangers(&sbom, 4 + 2 + 4 + 5 + 1 + 2);
}

#[test]
fn strangers_refuse_what_is_broken() {
    let sbom = Sbom::new(facts()).unwrap();
    let cyclonedx = String::from_utf8(sbom.to_cyclonedx().unwrap()).unwrap();
    let spdx = String::from_utf8(sbom.to_spdx().unwrap()).unwrap();
    let kernel = &fixture::spdx_id(&spdx, "kernel");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sbom.json");
    for (script, text, reason) in [
        (
            "cyclonedx.py",
            cyclonedx.replace("\"required\"", "\"needed\""),
            "scope",
        ),
        (
            "cyclonedx.py",
            cyclonedx.replace("MIT OR Apache-2.0", "MIT, Apache-2.0"),
            "",
        ),
        (
            "cyclonedx.py",
            cyclonedx.replacen("pkg:cargo/hash@1.0.0", "pkg:cargo/hush@1.0.0", 1),
            "",
        ),
        ("spdx.py", spdx.replacen(kernel, "SPDXRef-nobody", 1), "SPDXRef"),
        (
            "spdx.py",
            spdx.replace("MIT OR Apache-2.0", "MIT, Apache-2.0"),
            "MIT, Apache-2.0",
        ),
        (
            "spdx.py",
            spdx.replace("\"2026-11-21T03:00:00Z\"", "\"today\""),
            "today",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = run_python(script, &[&file]).unwrap_err();
        assert!(error.contains(reason), "{script} {reason}: {error}");
    }
}

#[test]
fn both_forms_are_held_to_the_artifacts() {
    let sbom = Sbom::new(facts()).unwrap();
    let expected: Vec<_> = facts()
        .artifacts
        .into_iter()
        .map(|artifact| artifact.file)
        .collect();
    let cyclonedx = cyclonedx_subjects(&sbom.to_cyclonedx().unwrap()).unwrap();
    let spdx = spdx_subjects(&sbom.to_spdx().unwrap()).unwrap();
    for found in [&cyclonedx, &spdx] {
        assert_eq!(subject_mismatches(&expected, found), []);
        let name = expected[0].name.clone();
        let less = subject_mismatches(&expected[1..], found);
        assert_eq!(less, [SubjectMismatch::Unexpected { name: name.clone() }]);
        let mut swapped = expected.clone();
        swapped[0].sha256 = expected[1].sha256;
        let swapped = subject_mismatches(&swapped, found);
        assert!(matches!(&swapped[..], [SubjectMismatch::Digest { name: n, .. }] if *n == name));
        let none = subject_mismatches(&expected, &[]);
        assert_eq!(none.len(), 4);
    }
}

#[test]
fn a_document_that_is_no_bill_of_materials_is_refused() {
    let sbom = Sbom::new(facts()).unwrap();
    let cyclonedx = String::from_utf8(sbom.to_cyclonedx().unwrap()).unwrap();
    let spdx = String::from_utf8(sbom.to_spdx().unwrap()).unwrap();
    let digest = subject("os.iso").sha256.to_string();
    let cases = [
        (
            cyclonedx.replace("\"1.6\"", "\"1.4\""),
            "expected `CycloneDX 1.6`",
        ),
        (
            cyclonedx.replace("\"os.iso\"", "\"notes.md\""),
            "`notes.md` stands there twice",
        ),
        (cyclonedx.replace(&digest, "ff"), "`os.iso`: `ff` is not a digest"),
        (cyclonedx.replace("\"SHA-256\"", "\"MD5\""), "has no SHA-256"),
        (
            cyclonedx.replacen('{', "{\"components\":[],", 1),
            "`components` stands twice",
        ),
        (spdx.clone(), "bomFormat"),
    ];
    for (text, reason) in cases {
        let error = cyclonedx_subjects(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let cases = [
        (spdx.replace("SPDX-2.3", "SPDX-2.2"), "expected `SPDX-2.3`"),
        (
            spdx.replace("\"packageFileName\": \"os.iso\"", "\"packageFileName\": \"../x\""),
            "`../x`",
        ),
        (spdx.replace("\"SHA256\"", "\"MD5\""), "has no SHA-256"),
        (cyclonedx, "spdxVersion"),
    ];
    for (text, reason) in cases {
        let error = spdx_subjects(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn facts_that_do_not_fit_together_are_refused() {
    type Change = fn(&mut SbomFacts);
    let cases: &[(Change, &str)] = &[
        (
            |facts| {
                facts
                    .artifacts
                    .push(artifact("x.bin", Contents::Compiled(vec!["kernle".to_owned()])))
            },
            "x.bin names `kernle`, which is 0 of the packages",
        ),
        (
            |facts| facts.foreign[0].name = "kernel".to_owned(),
            "`kernel`, which is 2 of",
        ),
        (
            |facts| facts.artifacts.push(artifact("os.iso", Contents::Documents)),
            "`artifact:os.iso` stands",
        ),
        (
            |facts| facts.foreign.push(facts.foreign[1].clone()),
            "`pkg:generic/qemu-img@10.0` stands",
        ),
        (
            |facts| {
                facts.foreign[1].name = "veridianos".to_owned();
                facts.foreign[1].version = "0.6.0-rc1".to_owned();
            },
            "`pkg:generic/veridianos@0.6.0-rc1` stands",
        ),
        (
            |facts| facts.tool = "vrel".to_owned(),
            "the release tool names `vrel`",
        ),
        (
            |facts| facts.licence = "free".to_owned(),
            "the licence of `veridianos` is `free`",
        ),
        (
            |facts| facts.foreign[0].licence = Some("GPL".to_owned()),
            "the licence of `grub` is `GPL`",
        ),
        (|facts| facts.release.commit.push('0'), "expected 40 lower-case"),
    ];
    for (change, reason) in cases {
        let mut facts = facts();
        change(&mut facts);
        let error = Sbom::new(facts).unwrap_err();
        assert!(matches!(error, TrustError::Sbom(_)), "{error}");
        assert!(error.to_string().contains(reason), "{reason}: {error}");
    }
}

#[test]
fn what_cargo_says_is_read_strictly() {
    let good = system();
    let parse = |metadata: &str, lock: &str| Workspace::parse("os", metadata.as_bytes(), lock.as_bytes());
    assert!(parse(&good.metadata, &good.lock).is_ok());
    let registry = fixture::registry();
    let (metadata, lock) = (&good.metadata, &good.lock);
    let sum = fixture::checksum("derive", "1.0.0");
    let cases = [
        (
            "cut metadata",
            metadata[..50].to_owned(),
            lock.clone(),
            "cargo metadata of the workspace `os`",
        ),
        (
            "cut lock",
            metadata.clone(),
            lock[..30].to_owned(),
            "lock file of the workspace `os`",
        ),
        (
            "no checksum",
            metadata.clone(),
            lock.replace(&sum, ""),
            "lock file of the workspace `os`",
        ),
        (
            "not in the lock",
            metadata.clone(),
            lock.replace("derive", "dervie"),
            "no SHA-256 for the package `derive 1.0.0`",
        ),
        (
            "other version",
            metadata.clone(),
            lock.replace("2.0.0+x", "2.0.1"),
            "`helper 2.0.0+x`",
        ),
        (
            "other registry",
            metadata.replace(&registry, "registry+https://example.org/index"),
            lock.clone(),
            "comes from `registry+https://example.org/index`",
        ),
        (
            "other directory",
            metadata.replace("/w/hal/Cargo.toml", "/else/hal/Cargo.toml"),
            lock.clone(),
            "`hal` comes from `/else/hal/Cargo.toml`",
        ),
        (
            "bad licence",
            metadata.replace("MIT/Apache-2.0", "ask me"),
            lock.clone(),
            "the licence of `core_lib` is `ask me`",
        ),
        (
            "no graph",
            metadata.replace("\"resolve\"", "\"nothing\""),
            lock.clone(),
            "without `--no-deps`",
        ),
    ];
    for (name, metadata, lock, reason) in cases {
        let error = parse(&metadata, &lock).unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

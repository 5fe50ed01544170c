//! Provenance statements: their form by in-toto's own types, and how they are held to a release.

use crate::strangers::run_python;
use serde_json::Value;
use vrel_trust::{
    AskedProvenance, BUILD_TYPE, BuildTool, Builder, Provenance, ProvenanceFacts, ReleaseFacts, Subject,
    TrustError, digest_bytes, provenance_statement,
};

pub(crate) fn release() -> ReleaseFacts {
    ReleaseFacts {
        product: "veridianos".to_owned(),
        product_name: "VeridianOS".to_owned(),
        version: "0.6.0-rc1".parse().unwrap(),
        channel: "beta".parse().unwrap(),
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        tag: Some("v0.6.0-rc1".to_owned()),
        repository: "https://example.org/veridianos/os".to_owned(),
        directory: Some("https://releases.example.org/releases/0.6.0-rc1".to_owned()),
        source_date_epoch: "2026-11-21T03:00:00Z".parse().unwrap(),
    }
}

pub(crate) fn subject(name: &str) -> Subject {
    Subject {
        name: name.parse().unwrap(),
        sha256: digest_bytes(name.as_bytes()).sha256,
    }
}

fn facts() -> ProvenanceFacts {
    let digest = |text: &str| (text.to_owned(), digest_bytes(text.as_bytes()).sha256);
    ProvenanceFacts {
        release: release(),
        subjects: ["b.iso", "a.img", "sbom.cdx.json"].map(subject).into(),
        policies: ["vrel.toml", "channels/beta.toml"].map(digest).into(),
        lock_files: ["Cargo.lock", "os/Cargo.lock"].map(digest).into(),
        toolchain: "rustc 1.95.0 (hash)\nhost: x86_64-unknown-linux-gnu\n".to_owned(),
        tools: vec![
            BuildTool {
                name: "grub".to_owned(),
                version: "2:2.12-9+b1".to_owned(),
                sha256: Some(digest("grub").1),
            },
            BuildTool {
                name: "qemu-img".to_owned(),
                version: "10.0".to_owned(),
                sha256: None,
            },
        ],
        builder: Builder {
            id: "https://example.org/builders/by-hand".to_owned(),
            version: [("vrel".to_owned(), "0.6.0".to_owned())].into(),
        },
    }
}

#[test]
fn in_totos_own_types_read_a_statement() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("statement.json");
    std::fs::write(&file, provenance_statement(&facts()).unwrap()).unwrap();
    let said = run_python("provenance.py", &[&file]).unwrap();
    let line = |name| format!("{name} {}\n", subject(name).sha256);
    assert_eq!(said, ["a.img", "b.iso", "sbom.cdx.json"].map(line).concat());
}

#[test]
fn the_statement_says_what_went_in() {
    let statement: Value = serde_json::from_slice(&provenance_statement(&facts()).unwrap()).unwrap();
    let definition = &statement["predicate"]["buildDefinition"];
    assert_eq!(definition["buildType"], BUILD_TYPE);
    let parameters = &definition["externalParameters"];
    assert_eq!(parameters["channel"], "beta");
    assert_eq!(
        parameters["source"]["uri"],
        "git+https://example.org/veridianos/os@refs/tags/v0.6.0-rc1"
    );
    assert_eq!(parameters["source"]["digest"]["gitCommit"], release().commit);
    assert_eq!(
        parameters["policies"]["vrel.toml"]["sha256"],
        digest_bytes(b"vrel.toml").sha256.to_string()
    );
    assert_eq!(
        definition["internalParameters"]["sourceDateEpoch"],
        release().source_date_epoch.unix()
    );
    let resolved = definition["resolvedDependencies"].as_array().unwrap();
    let names: Vec<_> = resolved
        .iter()
        .map(|resource| resource["name"].as_str())
        .collect();
    let expected = ["rustc", "Cargo.lock", "os/Cargo.lock", "grub", "qemu-img"];
    assert_eq!(names[0], None);
    assert_eq!(names[1..], expected.map(Some));
    assert_eq!(resolved[4]["uri"], "pkg:generic/grub@2%3A2.12-9%2Bb1");
    let run = &statement["predicate"]["runDetails"];
    assert_eq!(run["builder"]["id"], facts().builder.id);
    assert!(
        run["metadata"]["invocationId"]
            .as_str()
            .unwrap()
            .starts_with("urn:uuid:")
    );
    assert_eq!(
        run["metadata"].as_object().unwrap().len(),
        1,
        "no time of any clock"
    );
}

#[test]
fn equal_facts_give_equal_bytes_whatever_their_order() {
    let bytes = provenance_statement(&facts()).unwrap();
    let mut shuffled = facts();
    shuffled.subjects.reverse();
    shuffled.tools.reverse();
    assert_eq!(provenance_statement(&shuffled).unwrap(), bytes);
    let invocation = |bytes: &[u8]| {
        let statement: Value = serde_json::from_slice(bytes).unwrap();
        statement["predicate"]["runDetails"]["metadata"]["invocationId"].clone()
    };
    let mut other = facts();
    other.tools.pop();
    let other = provenance_statement(&other).unwrap();
    assert_ne!(invocation(&other), invocation(&bytes));
}

#[test]
fn facts_that_cannot_stand_in_a_statement_are_refused() {
    type Change = fn(&mut ProvenanceFacts);
    let cases: &[(Change, &str)] = &[
        (|facts| facts.subjects.clear(), "there is no subject"),
        (
            |facts| facts.subjects.push(subject("b.iso")),
            "`b.iso` stands there twice",
        ),
        (
            |facts| facts.release.commit.truncate(39),
            "expected 40 lower-case",
        ),
        (
            |facts| facts.release.repository = "git@example.org:os".to_owned(),
            "the repository is `git@",
        ),
        (
            |facts| facts.release.repository.push_str("#x"),
            "the repository is",
        ),
        (|facts| facts.release.product.push(' '), "the product's id"),
    ];
    for (change, reason) in cases {
        let mut facts = facts();
        change(&mut facts);
        let error = provenance_statement(&facts).unwrap_err();
        assert!(matches!(error, TrustError::Provenance(_)), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn a_statement_is_held_to_the_release() {
    let facts = facts();
    let read = Provenance::parse(&provenance_statement(&facts).unwrap()).unwrap();
    let release = release();
    let asked = AskedProvenance {
        product: &release.product,
        version: &release.version,
        channel: &release.channel,
        commit: &release.commit,
        subjects: &facts.subjects,
    };
    assert_eq!(read.mismatches(&asked), []);
    assert_eq!(read.builder, facts.builder.id);

    let other_version = "0.6.0-rc2".parse().unwrap();
    let other_channel = "nightly".parse().unwrap();
    let mut swapped = facts.subjects.clone();
    swapped[0].sha256 = swapped[1].sha256;
    let fewer = &facts.subjects[1..];
    let more = [facts.subjects.clone(), vec![subject("c.iso")]].concat();
    let cases = [
        (
            AskedProvenance {
                product: "other",
                ..asked.clone()
            },
            "product is `veridianos`, expected `other`",
        ),
        (
            AskedProvenance {
                version: &other_version,
                ..asked.clone()
            },
            "version is",
        ),
        (
            AskedProvenance {
                channel: &other_channel,
                ..asked.clone()
            },
            "channel is",
        ),
        (
            AskedProvenance {
                commit: "ff",
                ..asked.clone()
            },
            "gitCommit is",
        ),
        (
            AskedProvenance {
                subjects: &swapped,
                ..asked.clone()
            },
            "for b.iso, expected",
        ),
        (
            AskedProvenance {
                subjects: fewer,
                ..asked.clone()
            },
            "it names b.iso, which is not",
        ),
        (
            AskedProvenance {
                subjects: &more,
                ..asked.clone()
            },
            "it does not name c.iso",
        ),
    ];
    for (asked, reason) in cases {
        let found: Vec<String> = read.mismatches(&asked).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{reason}: {found:?}");
        assert!(found[0].contains(reason), "{found:?}");
    }
}

#[test]
fn a_document_that_is_no_such_statement_is_refused() {
    let good = String::from_utf8(provenance_statement(&facts()).unwrap()).unwrap();
    let digest = subject("b.iso").sha256.to_string();
    let cases = [
        (
            good.replace("in-toto.io/Statement/v1", "in-toto.io/Statement/v2"),
            "the statement's type is",
        ),
        (
            good.replace("slsa.dev/provenance/v1", "slsa.dev/provenance/v2"),
            "the predicate's type is",
        ),
        (
            good.replace("#build-type-1", "#build-type-9"),
            "the build type is",
        ),
        (
            good.replace("\"a.img\"", "\"b.iso\""),
            "`b.iso` stands there twice",
        ),
        (good.replace("\"a.img\"", "\"../a.img\""), "publishable file name"),
        (good.replace(&digest, &digest.to_uppercase()), "`b.iso`: "),
        (good.replacen("\"sha256\"", "\"sha512\"", 1), "has no sha256"),
        (good.replacen('{', "{\"_type\":\"x\",", 1), "`_type` stands twice"),
        (good.replace("\"gitCommit\"", "\"gitTree\""), "gitCommit"),
        (good[..good.len() - 2].to_owned(), "EOF"),
        (String::new(), "EOF"),
    ];
    for (text, reason) in cases {
        let error = Provenance::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
    let extended = good.replacen('{', "{\"later\":{\"x\":[]},", 1);
    assert!(
        Provenance::parse(extended.as_bytes()).is_ok(),
        "unknown members are ignored"
    );
}

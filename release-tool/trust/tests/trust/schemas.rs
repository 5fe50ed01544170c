//! The published JSON Schemas, by a stranger's validator: they accept what we write and what later versions may add, and
//! refuse what the readers refuse.

use crate::provenance::release;
use crate::stock::Keys;
use crate::strangers::run_python;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use vrel_model::{
    Arch, BackfilledManifest, BootRecord, ChannelHead, Dud, Edition, Manifest, ManifestArtifact,
    ManifestDocument, Pointer, Rollback, SignedPointer, manifest_schema, pointer_schema,
};
use vrel_trust::{digest_bytes, sign_pointer};

fn manifest() -> Manifest {
    let facts = release();
    let digests = digest_bytes(b"x");
    let artifact = |name: &str, arch| ManifestArtifact {
        name: name.parse().unwrap(),
        kind: "iso".parse().unwrap(),
        arch,
        length: u64::MAX,
        sha256: digests.sha256,
        blake2b: digests.blake2b,
    };
    Manifest {
        schema: 1,
        product_name: facts.product_name,
        product: facts.product,
        version: facts.version,
        channel: facts.channel,
        commit: facts.commit,
        tag: facts.tag,
        created: facts.source_date_epoch,
        source_date_epoch: -1,
        toolchain: digests.sha256,
        previous: Some("0.6.0-nightly.20261120".parse().unwrap()),
        artifacts: vec![artifact("a.iso", Some(Arch::Riscv64)), artifact("_b+c", None)],
        documents: vec![ManifestDocument {
            name: "release-notes.md".parse().unwrap(),
            length: 0,
            sha256: digests.sha256,
        }],
        boots: vec![BootRecord {
            artifact: "a.iso".parse().unwrap(),
            medium: "iso".to_owned(),
            machine: "qemu-virt".to_owned(),
            identity: "veridianos 0.6.0-rc1".to_owned(),
        }],
        lagging: vec![vrel_model::LaggingArch {
            arch: Arch::X86_64,
            until: facts.source_date_epoch,
        }],
    }
}

/// What the validator says of each document.
fn validated(schema: &str, documents: &[Value]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let schema_file = dir.path().join("schema");
    std::fs::write(&schema_file, schema).unwrap();
    let mut files: Vec<PathBuf> = vec![schema_file];
    for (index, document) in documents.iter().enumerate() {
        let file = dir.path().join(index.to_string());
        std::fs::write(&file, document.to_string()).unwrap();
        files.push(file);
    }
    let args: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let said = run_python("schema.py", &args).unwrap();
    said.lines().map(str::to_owned).collect()
}

fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap()[name] = value;
    changed
}

#[test]
fn the_manifests_schema_and_its_reader_agree() {
    let good: Value = serde_json::from_slice(&manifest().to_bytes().unwrap()).unwrap();
    let accepted = [
        good.clone(),
        with(&good, "/later", json!({"x": [1]})),
        with(&good, "/artifacts/0/delta", "a".into()),
        with(&good, "/previous", Value::Null),
        with(&good, "/version", "1.20.300".into()),
    ];
    let digest = "0".repeat(64);
    let refused = [
        ("/schema", json!(2)),
        ("/version", "v0.6.0".into()),
        ("/version", "0.6.0-rc0".into()),
        ("/version", "0.6.0-beta".into()),
        ("/version", "00.6.0".into()),
        ("/channel", "Beta".into()),
        ("/created", "2026-11-21T03:00:00+00:00".into()),
        ("/created", "2026-13-21T03:00:00Z".into()),
        ("/source_date_epoch", "0".into()),
        ("/toolchain", digest[1..].into()),
        ("/artifacts/0/name", "../a.iso".into()),
        ("/artifacts/0/name", ".a".into()),
        ("/artifacts/0/kind", "ISO".into()),
        ("/artifacts/0/arch", "x86".into()),
        ("/artifacts/0/length", json!(-1)),
        ("/artifacts/0/sha256", "AB".repeat(32).into()),
        ("/artifacts/0/blake2b", digest.into()),
        ("/documents", json!({})),
        ("/boots", Value::Null),
    ];
    let changed = refused
        .iter()
        .map(|(pointer, value)| with(&good, pointer, value.clone()));
    let documents: Vec<Value> = accepted.iter().cloned().chain(changed).collect();
    let said = validated(&manifest_schema(), &documents);
    assert_eq!(said.len(), documents.len());
    for (document, said) in documents.iter().zip(&said).take(accepted.len()) {
        assert_eq!(said, "valid");
        Manifest::parse(document.to_string().as_bytes()).unwrap();
    }
    let refused = refused
        .iter()
        .zip(documents.iter().zip(&said).skip(accepted.len()));
    for ((pointer, value), (document, said)) in refused {
        assert_ne!(said, "valid", "{pointer} {value}");
        assert!(
            Manifest::parse(document.to_string().as_bytes()).is_err(),
            "{pointer} {value}"
        );
    }
}

#[test]
fn the_schema_asks_for_every_member_that_is_written() {
    let good: Value = serde_json::from_slice(&manifest().to_bytes().unwrap()).unwrap();
    let names: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
    let without = names.iter().map(|name| {
        let mut less = good.clone();
        less.as_object_mut().unwrap().remove(name);
        less
    });
    let said = validated(&manifest_schema(), &without.collect::<Vec<_>>());
    // A release that lacks no architecture leaves out `lagging`, and a nightly has no tag.
    let expected = names.iter().map(|name| match name.as_str() {
        "lagging" | "tag" => "valid",
        _ => "$",
    });
    assert_eq!(said, expected.collect::<Vec<_>>());
}

#[test]
fn the_pointers_schema_accepts_a_signed_pointer() {
    let head = ChannelHead {
        release: release().version,
        manifest_length: 10,
        manifest_sha256: digest_bytes(b"x").sha256,
        rollback: Some(Rollback {
            from: "0.6.0-rc2".parse().unwrap(),
            reason: "slow".parse().unwrap(),
            at: "2026-11-21T02:00:00Z".parse().unwrap(),
        }),
    };
    let dud = Dud {
        reason: "loses data".parse().unwrap(),
        since: "2026-11-21T02:00:00Z".parse().unwrap(),
        advisory: Some("CVE-2026-12345".parse().unwrap()),
    };
    let backfilled = BackfilledManifest {
        edition: Edition::FIRST.next().unwrap(),
        manifest_length: 11,
        manifest_sha256: digest_bytes(b"y").sha256,
    };
    let pointer = Pointer {
        kind: "pointer".to_owned(),
        spec: 1,
        product: release().product,
        version: 4,
        issued: "2026-11-21T03:00:00Z".parse().unwrap(),
        expires: "2026-12-21T03:00:00Z".parse().unwrap(),
        channels: [(release().channel, head)].into(),
        older_lines: std::collections::BTreeMap::new(),
        backfilled: [(release().version, backfilled)].into(),
        duds: [("0.6.0-rc2".parse().unwrap(), dud)].into(),
    };
    let keys = Keys::new(&["pointer"]);
    let signed = sign_pointer(&pointer, &keys.secret("pointer")).unwrap();
    let good: Value = serde_json::from_slice(&signed.to_bytes()).unwrap();
    let documents = [
        good.clone(),
        with(&good, "/signed/later", json!(1)),
        with(&good, "/signed/_type", "root".into()),
        with(&good, "/signed/spec", json!(2)),
        with(&good, "/signatures/0/keyid", "abc".into()),
        with(&good, "/signed/channels/beta/release", "x".into()),
        with(
            &good,
            "/signed/backfilled/0.6.0-rc1/manifest",
            "../manifest-2.json".into(),
        ),
        with(&good, "/signed/duds/0.6.0-rc2/reason", "two\nlines".into()),
        with(&good, "/signed/duds/0.6.0-rc2/advisory", "".into()),
        with(&good, "/signed/channels/beta/rollback/from", "x".into()),
    ];
    let expected = [
        "valid",
        "valid",
        "$.signed['_type']",
        "$.signed.spec",
        "$.signatures[0].keyid",
        "$.signed.channels.beta.release",
        "$.signed.backfilled['0.6.0-rc1'].manifest",
        "$.signed.duds['0.6.0-rc2'].reason",
        "$.signed.duds['0.6.0-rc2'].advisory",
        "$.signed.channels.beta.rollback",
    ];
    assert_eq!(validated(&pointer_schema(), &documents), expected);
    SignedPointer::parse(documents[1].to_string().as_bytes())
        .unwrap()
        .pointer()
        .unwrap();
}

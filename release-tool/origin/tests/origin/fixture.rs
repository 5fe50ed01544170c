//! A whole small release in an origin, and what a client needs to verify it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vrel_model::{
    Arch, ArtifactKind, ArtifactName, BackfilledManifest, ChannelHead, ChannelName, ChannelPolicy, KeyRole,
    Manifest, ManifestArtifact, ManifestDocument, Pointer, SignedPointer, SigningPolicy, Statement, UtcTime,
    Version,
};
use vrel_origin::{
    LocalOrigin, ObjectPath, OriginReader, PointerCheck, TrustRoot, VerifyReport, VerifyRequest,
    verify_release,
};
use vrel_trust::{KeyRing, NewKey, Protection, Scrypt, SecretKey, digest_bytes, generate, sign_pointer};
use vrel_world::RealWorld;

pub(crate) const PRODUCT: &str = "veridianos";
pub(crate) const NOW: &str = "2026-11-22T00:00:00Z";

pub(crate) fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn name(text: &str) -> ArtifactName {
    text.parse().unwrap()
}

fn role(text: &str) -> KeyRole {
    text.parse().unwrap()
}

/// A publisher with its keys, its policies and its origin.
pub(crate) struct Project {
    pub(crate) world: RealWorld,
    pub(crate) dir: TempDir,
    pub(crate) ring: KeyRing,
    signing: SigningPolicy,
    channels: BTreeMap<ChannelName, ChannelPolicy>,
}

/// What may be changed of a release before it is signed.
pub(crate) struct Draft {
    pub(crate) version: Version,
    pub(crate) channel: ChannelName,
    pub(crate) artifacts: Vec<(&'static str, ArtifactKind, Option<Arch>, Vec<u8>)>,
    pub(crate) change_manifest: fn(&mut Manifest),
    pub(crate) change_notes: fn(&str) -> String,
    pub(crate) change_statement: fn(&mut Statement),
    /// Which key signs, by the name of its file.
    pub(crate) key: &'static str,
}

impl Draft {
    pub(crate) fn new(text: &str) -> Self {
        let content = |seed: u8, length: usize| (0..length).map(|at| (at as u8).wrapping_mul(seed)).collect();
        Self {
            version: version(text),
            channel: "beta".parse().unwrap(),
            artifacts: vec![
                (
                    "os-x86_64.iso",
                    "iso".parse().unwrap(),
                    Some(Arch::X86_64),
                    content(3, 1_500_000),
                ),
                (
                    "os-aarch64.iso",
                    "iso".parse().unwrap(),
                    Some(Arch::Aarch64),
                    content(5, 300_000),
                ),
                ("os-src.tar.zst", "source".parse().unwrap(), None, content(7, 10)),
            ],
            change_manifest: |_| {},
            change_notes: str::to_owned,
            change_statement: |_| {},
            key: "release",
        }
    }
}

impl Project {
    pub(crate) fn new() -> Self {
        let (world, dir) = (RealWorld::default(), tempfile::tempdir().unwrap());
        let policy = "pointer-role = 'pointer'\n[roles.release]\npurpose = 't'\n[roles.stable]\npurpose = 't'\n\
                      [roles.pointer]\npurpose = 't'\n";
        let signing: SigningPolicy = vrel_model::toml_file::parse(Path::new("policy.toml"), policy).unwrap();
        for key in ["release", "stable", "pointer"] {
            let new = NewKey {
                role: &role(key),
                secret_file: &dir.path().join(format!("{key}.key")),
                public_file: &dir.path().join("keys").join(format!("{key}.pub")),
                protection: Protection::FileModeOnly,
            };
            generate(&world, &new).unwrap();
        }
        let ring = KeyRing::load(&world, &dir.path().join("keys"), &signing).unwrap();
        let channel = |role: &str| {
            let text = format!("description = 't'\nstages = ['candidate', 'final']\nkey-role = '{role}'\n");
            vrel_model::toml_file::parse::<ChannelPolicy>(Path::new("c.toml"), &text).unwrap()
        };
        let channels = [("beta", "release"), ("stable", "stable")];
        let channels = channels
            .map(|(name, role)| (name.parse().unwrap(), channel(role)))
            .into();
        let project = Self {
            world,
            dir,
            ring,
            signing,
            channels,
        };
        LocalOrigin::init(&project.world, &project.origin_dir()).unwrap();
        project
    }

    pub(crate) fn origin_dir(&self) -> PathBuf {
        self.dir.path().join("origin")
    }

    pub(crate) fn origin(&self) -> LocalOrigin<'_> {
        LocalOrigin::open(&self.world, &self.origin_dir()).unwrap()
    }

    /// A published file's path.
    pub(crate) fn file(&self, release: &str, file: &str) -> PathBuf {
        self.origin_dir().join("releases").join(release).join(file)
    }

    pub(crate) fn secret(&self, key: &str) -> SecretKey {
        let path = self.dir.path().join(format!("{key}.key"));
        SecretKey::load(&self.world, &path, None, Scrypt::STRONG).unwrap()
    }

    pub(crate) fn public_line(&self, key: &str) -> String {
        self.secret(key).public_key().to_base64()
    }

    /// Puts every file of a release into the origin, without making it public.
    pub(crate) fn put(&self, draft: &Draft) -> Manifest {
        let notes = (draft.change_notes)(&notes(draft));
        let artifact = |(file, kind, arch, content): &(&str, ArtifactKind, Option<Arch>, Vec<u8>)| {
            let digests = digest_bytes(content);
            ManifestArtifact {
                name: name(file),
                kind: kind.clone(),
                arch: *arch,
                length: digests.length,
                sha256: digests.sha256,
                blake2b: digests.blake2b,
            }
        };
        let mut manifest = Manifest {
            schema: 1,
            product_name: "Veridian".into(),
            product: PRODUCT.into(),
            version: draft.version.clone(),
            channel: draft.channel.clone(),
            commit: "0123456789".repeat(4),
            tag: draft.version.published_tag(),
            created: time("2026-11-21T03:00:00Z"),
            source_date_epoch: 1_795_000_000,
            toolchain: digest_bytes(b"rustc").sha256,
            previous: None,
            artifacts: draft.artifacts.iter().map(artifact).collect(),
            documents: vec![ManifestDocument {
                name: name("release-notes.md"),
                length: notes.len() as u64,
                sha256: digest_bytes(notes.as_bytes()).sha256,
            }],
            boots: Vec::new(),
            lagging: Vec::new(),
        };
        let sums = manifest.sha256sums();
        (draft.change_manifest)(&mut manifest);
        self.put_raw(&draft.version, "release-notes.md", notes.as_bytes());
        for (file, _, arch, content) in &draft.artifacts {
            self.put_signed(draft, file, *arch, content);
        }
        self.put_signed(draft, "SHA256SUMS", None, sums.as_bytes());
        self.put_signed(draft, "manifest.json", None, &manifest.to_bytes().unwrap());
        manifest
    }

    pub(crate) fn put_raw(&self, version: &Version, file: &str, content: &[u8]) {
        self.origin()
            .put_new(&ObjectPath::release(version, &name(file)), content)
            .unwrap();
    }

    pub(crate) fn put_signed(&self, draft: &Draft, file: &str, arch: Option<Arch>, content: &[u8]) {
        self.put_raw(&draft.version, file, content);
        self.put_raw(
            &draft.version,
            &format!("{file}.minisig"),
            self.sign(draft, file, arch, content).as_bytes(),
        );
    }

    /// A signature as the publisher makes it, with the draft's changes.
    pub(crate) fn sign(&self, draft: &Draft, file: &str, arch: Option<Arch>, content: &[u8]) -> String {
        let digests = digest_bytes(content);
        let mut statement = Statement {
            timestamp: time("2026-11-21T03:00:00Z"),
            file: name(file),
            product: PRODUCT.into(),
            version: draft.version.clone(),
            channel: draft.channel.clone(),
            arch,
            size: digests.length,
            sha256: digests.sha256,
        };
        (draft.change_statement)(&mut statement);
        self.secret(draft.key).sign(&digests.blake2b, &statement).unwrap()
    }

    /// A signed pointer with one head.
    pub(crate) fn pointer(&self, number: u64, manifest: &Manifest) -> SignedPointer {
        self.pointer_with(number, manifest, None)
    }

    /// A signed pointer with one head, and what it says of a release that was added to.
    pub(crate) fn pointer_with(
        &self,
        number: u64,
        manifest: &Manifest,
        backfilled: Option<BackfilledManifest>,
    ) -> SignedPointer {
        let bytes = manifest.to_bytes().unwrap();
        let head = ChannelHead {
            release: manifest.version.clone(),
            manifest_length: bytes.len() as u64,
            manifest_sha256: digest_bytes(&bytes).sha256,
            rollback: None,
        };
        let pointer = Pointer {
            kind: "pointer".into(),
            spec: 1,
            product: PRODUCT.into(),
            version: number,
            issued: time("2026-11-21T03:00:00Z"),
            expires: time("2026-12-21T03:00:00Z"),
            channels: [(manifest.channel.clone(), head)].into(),
            older_lines: std::collections::BTreeMap::new(),
            backfilled: backfilled
                .map(|newest| (manifest.version.clone(), newest))
                .into_iter()
                .collect(),
            duds: std::collections::BTreeMap::new(),
        };
        sign_pointer(&pointer, &self.secret("pointer")).unwrap()
    }

    /// Makes a release public.
    pub(crate) fn point(&self, number: u64, manifest: &Manifest) {
        fs::write(
            self.origin_dir().join("pointer.json"),
            self.pointer(number, manifest).to_bytes(),
        )
        .unwrap();
    }

    /// A project with one public release, `0.6.0-rc1`.
    pub(crate) fn with_release() -> Self {
        let project = Self::new();
        project.point(1, &project.put(&Draft::new("0.6.0-rc1")));
        project
    }

    pub(crate) fn trust(&self) -> TrustRoot<'_> {
        TrustRoot {
            ring: &self.ring,
            signing: &self.signing,
            channels: &self.channels,
        }
    }

    pub(crate) fn verify_at(
        &self,
        reader: &dyn OriginReader,
        release: &str,
        pointer: PointerCheck,
        now: &str,
    ) -> VerifyReport {
        let request = VerifyRequest {
            trust: self.trust(),
            product: PRODUCT,
            version: &version(release),
            pointer,
            now: time(now),
            threads: 2.try_into().unwrap(),
        };
        verify_release(reader, &request, &|_| {}).unwrap()
    }

    /// Verifies `0.6.0-rc1` in the project's own origin; the findings as text.
    pub(crate) fn findings(&self) -> Vec<String> {
        texts(&self.verify_at(&self.origin(), "0.6.0-rc1", PUBLIC, NOW))
    }
}

pub(crate) const PUBLIC: PointerCheck = PointerCheck::Public { last_seen: None };

pub(crate) fn texts(report: &VerifyReport) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

/// Asserts that there is exactly one finding and that it says this.
#[track_caller]
pub(crate) fn only(findings: &[String], expected: &str) {
    assert!(
        findings.len() == 1 && findings[0].contains(expected),
        "expected only `{expected}`: {findings:#?}"
    );
}

pub(crate) fn notes(draft: &Draft) -> String {
    let mut text = format!(
        "# Veridian v{}\n\n## Highlights\n\n- It boots.\n\n## Downloads\n\n",
        draft.version
    );
    text.push_str("| File | SHA-256 |\n| --- | --- |\n");
    for (file, _, _, content) in &draft.artifacts {
        text.push_str(&format!(
            "| [{file}]({file}) | `{}` |\n",
            digest_bytes(content).sha256
        ));
    }
    text + "\nChecksums: [SHA256SUMS](SHA256SUMS), [signature](SHA256SUMS.minisig).\n"
}

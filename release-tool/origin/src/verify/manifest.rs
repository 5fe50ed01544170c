//! The manifest: the document that vouches for everything else of a release.

use super::problem::Problem;
use super::{GoodFile, NOTES, SIGNATURE, TrustRoot, fixed};
use crate::{MAX_DOCUMENT, ObjectPath, OriginError, OriginReader};
use std::collections::BTreeSet;
use vrel_model::{Edition, KeyRole, Manifest, Statement, Version};
use vrel_trust::{Asked, Signature, TrustError, digest_bytes};

/// A manifest whose signature was verified.
pub(crate) struct Trusted {
    pub(crate) edition: Edition,
    pub(crate) manifest: Manifest,
    pub(crate) file: GoodFile,
    /// The role that signs the release's files.
    pub(crate) role: KeyRole,
}

impl Trusted {
    /// Reads and verifies the manifest of an edition of a release. Its bytes are parsed only after their signature was verified.
    pub(crate) fn fetch(
        reader: &dyn OriginReader,
        trust: &TrustRoot<'_>,
        product: &str,
        version: &Version,
        edition: Edition,
    ) -> Result<Self, Problem> {
        let name = fixed(&edition.manifest())?;
        let file = || name.to_string();
        let signature = reader.read(
            &ObjectPath::signature(version, &name).map_err(OriginError::from)?,
            MAX_DOCUMENT,
        )?;
        let signature = Signature::parse(&signature).map_err(|problem| TrustError::Signature {
            file: file(),
            problem,
        })?;
        let bytes = reader.read(&ObjectPath::release(version, &name), MAX_DOCUMENT)?;
        let digests = digest_bytes(&bytes);

        // The channel decides who may sign. It is not trusted yet: when it is changed, the signature no longer fits.
        let statement: Statement =
            signature
                .trusted_comment()
                .parse()
                .map_err(|problem| TrustError::Statement {
                    file: file(),
                    problem,
                })?;
        let policy = trust
            .channels
            .get(&statement.channel)
            .ok_or_else(|| Problem::UnknownChannel {
                channel: statement.channel.clone(),
                known: trust
                    .channels
                    .keys()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
        let role = policy.key_role.clone();
        signature.verify(name.as_str(), trust.ring, &role, &digests.blake2b)?;

        let manifest = Manifest::parse(&bytes).map_err(|error| Problem::Document(error.to_string()))?;
        let asked = Asked {
            file: name.clone(),
            product: product.to_owned(),
            version: version.clone(),
            channel: manifest.channel.clone(),
            arch: None,
        };
        let mismatches = asked.mismatches(&statement, &digests);
        if !mismatches.is_empty() {
            return Err(TrustError::Mismatch {
                file: file(),
                mismatches,
            }
            .into());
        }
        consistent(&manifest, product, version).map_err(Problem::Document)?;
        let key = Some(signature.key_id());
        let file = GoodFile {
            name: name.clone(),
            length: digests.length,
            sha256: digests.sha256,
            key,
        };
        Ok(Self {
            edition,
            manifest,
            file,
            role,
        })
    }
}

/// What a manifest must be so that the later checks mean something, even where its signer made a mistake.
fn consistent(manifest: &Manifest, product: &str, version: &Version) -> Result<(), String> {
    if manifest.product != product || manifest.version != *version {
        return Err(format!(
            "it is the manifest of {} {}, expected {product} {version}",
            manifest.product, manifest.version
        ));
    }
    let tag = version.published_tag();
    if manifest.tag != tag {
        let quoted = |tag: &Option<String>| tag.as_ref().map_or("none".to_owned(), |tag| format!("`{tag}`"));
        return Err(format!(
            "its tag is {}, expected {}",
            quoted(&manifest.tag),
            quoted(&tag)
        ));
    }
    let is_commit =
        manifest.commit.len() == 40 && manifest.commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_commit {
        return Err(format!(
            "its commit is `{}`, expected 40 hexadecimal digits",
            manifest.commit
        ));
    }
    if manifest.artifacts.is_empty() {
        return Err("it names no artifacts".to_owned());
    }
    let is_own = |name: &str| {
        name.ends_with(SIGNATURE)
            || Edition::all().any(|edition| [edition.manifest(), edition.sums()].contains(&name.to_owned()))
    };
    let is_notes = |name: &str| Edition::all().any(|edition| edition.name(NOTES) == name);
    let mut names = BTreeSet::new();
    for artifact in &manifest.artifacts {
        let name = artifact.name.as_str();
        if is_own(name) || is_notes(name) || !names.insert(name) {
            return Err(format!(
                "`{name}` cannot be the name of an artifact, or not of two"
            ));
        }
    }
    for document in &manifest.documents {
        let name = document.name.as_str();
        if is_own(name) || !names.insert(name) {
            return Err(format!(
                "`{name}` cannot be the name of a document, or not of two files"
            ));
        }
    }
    Ok(())
}

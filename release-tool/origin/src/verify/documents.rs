//! What stands beside the artifacts: checksums, documents, and nothing else.

use super::problem::Problem;
use super::{
    GoodFile, MANIFEST, NOTES, SIGNATURE, SUMS, Trusted, VerifyReport, VerifyRequest, fixed, notes, supply,
};
use crate::{MAX_DOCUMENT, ObjectPath, OriginError, OriginReader};
use std::collections::BTreeSet;
use vrel_model::ManifestDocument;
use vrel_trust::{Asked, Signature, digest_bytes, verify_statement};

pub(super) fn check(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    trusted: &Trusted,
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    match sums(reader, request, trusted) {
        Ok(good) => report.good.push(good),
        Err(problem) => report.add(SUMS, problem)?,
    }
    let documents = &trusted.manifest.documents;
    for document in documents {
        let name = document.name.as_str();
        match fetch(reader, request, document) {
            Ok((good, content)) => {
                report.good.push(good);
                for problem in supply::check(request, trusted, name, &content) {
                    report.add(name, problem)?;
                }
                if name == NOTES {
                    for reason in notes::check(&content, &trusted.manifest) {
                        report.add(NOTES, Problem::Document(reason))?;
                    }
                }
            }
            Err(problem) => report.add(name, problem)?,
        }
    }
    if !documents.iter().any(|document| document.name.as_str() == NOTES) {
        report.add(
            NOTES,
            Problem::Document("the manifest names no release notes".to_owned()),
        )?;
    }
    unexpected(reader, request, trusted, report)
}

/// `SHA256SUMS` is for people who check by hand; it must say what the manifest says.
fn sums(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    trusted: &Trusted,
) -> Result<GoodFile, Problem> {
    let name = fixed(SUMS)?;
    let content = reader.read(&ObjectPath::release(request.version, &name), MAX_DOCUMENT)?;
    let path = ObjectPath::signature(request.version, &name).map_err(OriginError::from)?;
    let signature = reader.read(&path, MAX_DOCUMENT)?;
    let digests = digest_bytes(&content);
    let asked = Asked {
        file: name.clone(),
        product: request.product.to_owned(),
        version: request.version.clone(),
        channel: trusted.manifest.channel.clone(),
        arch: None,
    };
    verify_statement(&signature, request.trust.ring, &trusted.role, &digests, &asked)?;
    if content != trusted.manifest.sha256sums().as_bytes() {
        return Err(Problem::Document(
            "its lines are not what the manifest says".to_owned(),
        ));
    }
    let key = Signature::parse(&signature)
        .ok()
        .map(|signature| signature.key_id());
    Ok(GoodFile {
        name,
        length: digests.length,
        sha256: digests.sha256,
        key,
    })
}

fn fetch(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    document: &ManifestDocument,
) -> Result<(GoodFile, Vec<u8>), Problem> {
    let content = reader.read(
        &ObjectPath::release(request.version, &document.name),
        MAX_DOCUMENT,
    )?;
    let digests = digest_bytes(&content);
    if digests.length != document.length {
        let (expected, found) = (document.length.to_string(), digests.length.to_string());
        return Err(Problem::Differs {
            what: "length",
            expected,
            found,
        });
    }
    if digests.sha256 != document.sha256 {
        let (expected, found) = (document.sha256.to_string(), digests.sha256.to_string());
        return Err(Problem::Differs {
            what: "sha256",
            expected,
            found,
        });
    }
    let good = GoodFile {
        name: document.name.clone(),
        length: digests.length,
        sha256: digests.sha256,
        key: None,
    };
    Ok((good, content))
}

/// Files that nobody signed would be found under the project's name.
fn unexpected(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    trusted: &Trusted,
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let names = match reader.list(request.version) {
        Ok(Some(names)) => names,
        Ok(None) => return Ok(()),
        Err(error) => return report.add("releases", error),
    };
    let signed = trusted
        .manifest
        .artifacts
        .iter()
        .map(|artifact| artifact.name.as_str())
        .chain([MANIFEST, SUMS]);
    let mut known: BTreeSet<String> = signed
        .flat_map(|name| [name.to_owned(), format!("{name}{SIGNATURE}")])
        .collect();
    known.extend(
        trusted
            .manifest
            .documents
            .iter()
            .map(|document| document.name.to_string()),
    );
    for name in names {
        // A publisher that died leaves hidden unfinished files, which are never served.
        if !name.starts_with('.') && !known.contains(&name) {
            report.add(&name, Problem::Unexpected)?;
        }
    }
    Ok(())
}

//! What stands beside the artifacts: checksums, documents, and nothing else.

use super::editions::{Came, came_with};
use super::problem::Problem;
use super::{GoodFile, NOTES, SIGNATURE, Trusted, VerifyReport, VerifyRequest, fixed, notes, supply};
use crate::{MAX_DOCUMENT, ObjectPath, OriginError, OriginReader};
use std::collections::BTreeSet;
use vrel_model::{Edition, Manifest, ManifestDocument};
use vrel_trust::{Asked, Signature, digest_bytes, verify_statement};

pub(super) fn check(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    editions: &[Trusted],
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let Some(newest) = editions.last() else {
        return Ok(());
    };
    let came = came_with(editions);
    for trusted in editions {
        match sums(reader, request, trusted) {
            Ok(good) => report.good.push(good),
            Err(problem) => report.add(&trusted.edition.sums(), problem)?,
        }
    }
    // The newest edition has the documents of all; each speaks of what came with it.
    for document in &newest.manifest.documents {
        let name = document.name.as_str();
        match fetch(reader, request, document) {
            Ok((good, content)) => {
                report.good.push(good);
                if let Some(came) = came.iter().find(|came| came.has_document(name)) {
                    content_of(request, came, name, &content, report)?;
                }
            }
            Err(problem) => report.add(name, problem)?,
        }
    }
    for came in &came {
        let notes = came.with.edition.name(NOTES);
        if !came.has_document(&notes) {
            let problem = Problem::Document("the manifest names no release notes".to_owned());
            report.add(&notes, problem)?;
        }
    }
    unexpected(reader, request, newest, report)
}

/// Holds a document to the artifacts that came with it.
fn content_of(
    request: &VerifyRequest<'_>,
    came: &Came<'_>,
    name: &str,
    content: &[u8],
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    for problem in supply::check(request, came, name, content) {
        report.add(name, problem)?;
    }
    if name == came.with.edition.name(NOTES) {
        for reason in notes::check(content, came) {
            report.add(name, Problem::Document(reason))?;
        }
    }
    Ok(())
}

/// `SHA256SUMS` is for people who check by hand; it must say what the manifest says.
fn sums(
    reader: &dyn OriginReader,
    request: &VerifyRequest<'_>,
    trusted: &Trusted,
) -> Result<GoodFile, Problem> {
    let name = fixed(&trusted.edition.sums())?;
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
    newest: &Trusted,
    report: &mut VerifyReport,
) -> Result<(), OriginError> {
    let names = match reader.list(request.version) {
        Ok(Some(names)) => names,
        Ok(None) => return Ok(()),
        Err(error) => return report.add("releases", error),
    };
    let mut known = known_names(newest.edition, &newest.manifest);
    // An edition that is published and not public yet belongs to the release as well, once its manifest is there.
    let mut last = newest.manifest.clone();
    for edition in Edition::all().filter(|edition| *edition > newest.edition) {
        let fetched = Trusted::fetch(reader, &request.trust, request.product, request.version, edition);
        let Some(later) = fetched
            .ok()
            .filter(|later| later.manifest.trespasses_on(&last).is_empty())
        else {
            break;
        };
        known.extend(known_names(edition, &later.manifest));
        last = later.manifest;
    }
    for name in names {
        // A publisher that died leaves hidden unfinished files, which are never served.
        if !name.starts_with('.') && !known.contains(&name) {
            report.add(&name, Problem::Unexpected)?;
        }
    }
    Ok(())
}

/// The names that a release has in an edition.
fn known_names(edition: Edition, manifest: &Manifest) -> BTreeSet<String> {
    let lists = edition.earlier().chain([edition]);
    let lists = lists.flat_map(|edition| [edition.manifest(), edition.sums()]);
    let signed = manifest
        .artifacts
        .iter()
        .map(|artifact| artifact.name.to_string())
        .chain(lists);
    let mut known: BTreeSet<String> = signed
        .flat_map(|name| [format!("{name}{SIGNATURE}"), name])
        .collect();
    known.extend(
        manifest
            .documents
            .iter()
            .map(|document| document.name.to_string()),
    );
    known
}

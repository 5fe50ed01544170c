//! The editions of a release beside each other: each only adds to the one before it.

use super::problem::Problem;
use super::{Trusted, VerifyReport};
use crate::OriginError;
use vrel_model::{Manifest, ManifestArtifact};

/// Every pair of neighbours; `editions` begins with the first.
pub(super) fn check(editions: &[Trusted], report: &mut VerifyReport) -> Result<(), OriginError> {
    for (earlier, later) in editions.iter().zip(editions.iter().skip(1)) {
        for trespass in later.manifest.trespasses_on(&earlier.manifest) {
            report.add(later.file.name.as_str(), Problem::Trespass(trespass))?;
        }
    }
    Ok(())
}

/// An edition with what came with it.
pub(super) struct Came<'a> {
    /// The edition.
    pub(super) with: &'a Trusted,
    /// Its artifacts that no earlier edition has.
    pub(super) artifacts: Vec<ManifestArtifact>,
    earlier: Option<&'a Manifest>,
}

impl Came<'_> {
    /// Whether a document came with this edition.
    pub(super) fn has_document(&self, name: &str) -> bool {
        let names = |manifest: &Manifest| {
            manifest
                .documents
                .iter()
                .any(|document| document.name.as_str() == name)
        };
        names(&self.with.manifest) && !self.earlier.is_some_and(names)
    }
}

/// Every edition with what came with it; `editions` begins with the first.
pub(super) fn came_with(editions: &[Trusted]) -> Vec<Came<'_>> {
    let earlier = std::iter::once(None).chain(editions.iter().map(|trusted| Some(&trusted.manifest)));
    let both = editions.iter().zip(earlier);
    both.map(|(with, earlier)| Came {
        with,
        artifacts: match earlier {
            None => with.manifest.artifacts.clone(),
            Some(earlier) => with.manifest.added_to(earlier).cloned().collect(),
        },
        earlier,
    })
    .collect()
}

//! What readers of an origin rely on.

use crate::published;
use std::path::Path;
use vrel_model::{Edition, Manifest, SignedPointer};

/// Follows the pointer as a reader does, who must find everything: the manifest of each head and of each
/// release that was added to, and whatever those list, with its signature. An origin without a pointer promises nothing.
///
/// # Panics
/// When something is missing or is not what was promised; `when` says in which situation.
pub fn check_reader(origin: &Path, when: &str) {
    let files = published(origin);
    let Some(pointer) = files.get("pointer.json") else {
        return;
    };
    let pointer = SignedPointer::parse(pointer).and_then(|signed| signed.pointer());
    let pointer = pointer.unwrap_or_else(|error| panic!("{when}: {error}"));
    let heads = pointer.channels.values();
    let mut promised: Vec<_> = heads
        .map(|head| (&head.release, Edition::FIRST, head.manifest_sha256))
        .collect();
    let backfilled = pointer.backfilled.iter();
    promised.extend(backfilled.map(|(release, newest)| (release, newest.edition, newest.manifest_sha256)));
    for (release, edition, sha256) in promised {
        let dir = format!("releases/{release}");
        let find = |name: &str| {
            let path = format!("{dir}/{name}");
            let found = files.get(&path);
            found.unwrap_or_else(|| panic!("{when}: the pointer leads to {path}, which is not there"))
        };
        let manifest = find(&edition.manifest());
        assert_eq!(
            vrel_trust::digest_bytes(manifest).sha256,
            sha256,
            "{when}: the manifest of {dir}"
        );
        let manifest = Manifest::parse(manifest).unwrap_or_else(|error| panic!("{when}: {error}"));
        for artifact in &manifest.artifacts {
            let name = artifact.name.as_str();
            let found = vrel_trust::sha256_reader(find(name).as_slice());
            let (_, found) = found.unwrap_or_else(|error| panic!("{when}: {name}: {error}"));
            assert_eq!(found, artifact.sha256, "{when}: {name}");
            find(&format!("{}.minisig", artifact.name));
        }
        for document in &manifest.documents {
            let found = vrel_trust::digest_bytes(find(document.name.as_str())).sha256;
            assert_eq!(found, document.sha256, "{when}: {}", document.name);
        }
    }
}

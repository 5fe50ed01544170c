//! What the pointer says of releases that were taken back, and what can be done to that.

use crate::fixture::{Draft, NOW, PRODUCT, PUBLIC, Project, name, only, texts, time, version};
use std::fs;
use vrel_model::{ChannelHead, Dud, Manifest, Pointer, Rollback, SignedPointer};
use vrel_origin::{DownloadRequest, download};
use vrel_trust::{digest_bytes, sign_pointer};

/// Three releases; the pointer leads to the last, and is changed before it is signed.
fn project(change: impl FnOnce(&mut Pointer, &[Manifest])) -> Project {
    let project = Project::new();
    let releases = ["0.6.0-rc1", "0.6.0-rc2", "0.6.0-rc3"].map(|version| project.put(&Draft::new(version)));
    let mut pointer = project.pointer(3, &releases[2]).pointer().unwrap();
    change(&mut pointer, &releases);
    let signed = sign_pointer(&pointer, &project.secret("pointer")).unwrap();
    write(&project, &signed);
    project
}

fn write(project: &Project, signed: &SignedPointer) {
    fs::write(project.origin_dir().join("pointer.json"), signed.to_bytes()).unwrap();
}

fn findings(project: &Project, release: &str) -> Vec<String> {
    texts(&project.verify_at(&project.origin(), release, PUBLIC, NOW))
}

fn dud() -> Dud {
    Dud {
        reason: "loses data".parse().unwrap(),
        since: time("2026-11-21T03:00:00Z"),
        advisory: Some("CVE-2026-12345".parse().unwrap()),
    }
}

fn head(manifest: &Manifest, from: Option<&str>) -> ChannelHead {
    let digests = digest_bytes(&manifest.to_bytes().unwrap());
    ChannelHead {
        release: manifest.version.clone(),
        manifest_length: digests.length,
        manifest_sha256: digests.sha256,
        rollback: from.map(|from| Rollback {
            from: version(from),
            reason: "slow".parse().unwrap(),
            at: time("2026-11-21T03:00:00Z"),
        }),
    }
}

#[test]
fn a_dud_is_refused_with_its_reason_by_verification_and_download() {
    let project = project(|pointer, _| {
        pointer.duds.insert(version("0.6.0-rc2"), dud());
    });
    let reason = "pointer.json: 0.6.0-rc2 is a dud since 2026-11-21T03:00:00Z: loses data (CVE-2026-12345)";
    only(&findings(&project, "0.6.0-rc2"), reason);
    assert_eq!(findings(&project, "0.6.0-rc1"), [""; 0]);
    assert_eq!(findings(&project, "0.6.0-rc3"), [""; 0]);
    let get = |release: &str| {
        let to = project.dir.path().join(release);
        let request = DownloadRequest {
            trust: project.trust(),
            product: PRODUCT,
            version: &version(release),
            artifact: &name("os-x86_64.iso"),
        };
        download(&project.world, &project.origin(), &request, &to, &|_| {}).map(|_| to)
    };
    let refused = get("0.6.0-rc2").unwrap_err();
    assert!(
        refused.to_string().contains("loses data") && refused.hint().is_some(),
        "{refused}"
    );
    assert!(!project.dir.path().join("0.6.0-rc2").exists());
    assert!(get("0.6.0-rc3").unwrap().exists());
}

#[test]
fn nobody_can_sign_a_pointer_that_leads_to_a_dud() {
    let project = project(|_, _| {});
    let good = project.pointer(4, &project.put(&Draft::new("0.6.0-rc4")));
    let mut bad = good.pointer().unwrap();
    bad.duds.insert(version("0.6.0-rc4"), dud());
    let refused = sign_pointer(&bad, &project.secret("pointer"))
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("the head of beta and says that it is a dud"),
        "{refused}"
    );
    // Nor is one believed that somebody else put together.
    let mut forged = good;
    forged.signed["duds"] = serde_json::to_value(&bad.duds).unwrap();
    write(&project, &forged);
    only(&findings(&project, "0.6.0-rc4"), "does not fit the content");
    assert!(
        forged
            .pointer()
            .unwrap_err()
            .to_string()
            .contains("says that it is a dud")
    );
}

#[test]
fn a_release_that_a_channel_went_back_from_stays_public_and_a_newer_one_never_was() {
    let project = project(|pointer, releases| {
        pointer
            .channels
            .insert("beta".parse().unwrap(), head(&releases[0], Some("0.6.0-rc2")));
    });
    assert_eq!(findings(&project, "0.6.0-rc1"), [""; 0]);
    assert_eq!(findings(&project, "0.6.0-rc2"), [""; 0]);
    only(
        &findings(&project, "0.6.0-rc3"),
        "0.6.0-rc3 is not public: the newest release of beta is 0.6.0-rc2",
    );
}

#[test]
fn a_channel_does_not_lead_to_what_another_role_signed() {
    let project = project(|pointer, releases| {
        pointer
            .channels
            .insert("stable".parse().unwrap(), head(&releases[2], None));
    });
    only(
        &findings(&project, "0.6.0-rc3"),
        "0.6.0-rc3 is the head of stable, but no key of the role `stable` signed it",
    );
}

//! The directory of public keys.

use crate::stock::{Keys, role};
use std::fs;

#[test]
fn files_belong_to_the_longest_role_that_fits() {
    let keys = Keys::new(&["release", "release-lts", "pointer"]);
    keys.generate("release", "release-2027").unwrap();
    keys.generate("release-lts", "release-lts-2027").unwrap();
    fs::write(keys.path("keys/README.md"), "about").unwrap();
    let ring = keys.ring();
    assert_eq!(ring.keys(&role("release")).len(), 2);
    assert_eq!(ring.keys(&role("release-lts")).len(), 2);
    assert_eq!(ring.keys(&role("pointer")), [keys.secret("pointer").public_key()]);
    assert_eq!(ring.iter().count(), 5);
    assert!(ring.keys(&role("other")).is_empty());
}

#[test]
fn a_file_of_no_role_is_refused() {
    let keys = Keys::new(&["release"]);
    for name in ["relaese.pub", "releases.pub", "release-.pub"] {
        fs::copy(keys.path("keys/release.pub"), keys.path("keys").join(name)).unwrap();
        let error = keys.try_ring().unwrap_err();
        assert!(
            error
                .to_string()
                .contains("begins with no role of the signing policy; roles are release"),
            "{error}"
        );
        fs::remove_file(keys.path("keys").join(name)).unwrap();
    }
}

#[test]
fn one_key_has_one_file_and_one_role() {
    let keys = Keys::new(&["release", "pointer"]);
    fs::copy(keys.path("keys/release.pub"), keys.path("keys/pointer-2.pub")).unwrap();
    let error = keys.try_ring().unwrap_err().to_string();
    assert!(
        error.contains("pointer-2.pub") && error.contains("release.pub"),
        "{error}"
    );

    // The same key under another id would count twice where two signatures are needed.
    let text = fs::read_to_string(keys.path("keys/release.pub")).unwrap();
    let (comment, line) = text.trim_end().split_once('\n').unwrap();
    let renamed = format!("{comment}\n{}BBBBBBB{}\n", &line[..4], &line[11..]);
    fs::write(keys.path("keys/pointer-2.pub"), renamed).unwrap();
    assert!(
        keys.try_ring()
            .unwrap_err()
            .to_string()
            .contains("a key has one file and one role")
    );
}

#[test]
fn a_secret_key_among_public_keys_is_an_alarm() {
    let keys = Keys::new(&["release"]);
    for name in ["keys/release-2.pub", "keys/notes.txt"] {
        fs::copy(keys.path("release.key"), keys.path(name)).unwrap();
        let error = keys.try_ring().unwrap_err().to_string();
        assert!(error.contains("must never lie here"), "{error}");
        fs::remove_file(keys.path(name)).unwrap();
    }
}

#[test]
fn malformed_files_are_named() {
    let keys = Keys::new(&["release"]);
    fs::write(keys.path("keys/release-2.pub"), "untrusted comment: x\nAAAA\n").unwrap();
    let error = keys.try_ring().unwrap_err().to_string();
    assert!(
        error.contains("keys/release-2.pub: this is a damaged minisign file"),
        "{error}"
    );
    fs::remove_file(keys.path("keys/release-2.pub")).unwrap();
    fs::create_dir(keys.path("keys/release-3.pub")).unwrap();
    let error = keys.try_ring().unwrap_err().to_string();
    assert!(
        error.contains("keys/release-3.pub: this is no regular file"),
        "{error}"
    );
}

#[test]
fn wrong_or_old_key_must_not_sign() {
    let keys = Keys::new(&["release", "pointer"]);
    let stranger = Keys::new(&["release"]).secret("release");
    let ring = keys.ring();
    ring.require(&role("release"), &keys.secret("release")).unwrap();
    for key in [stranger, keys.secret("pointer")] {
        let error = ring.require(&role("release"), &key).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&key.id().to_string()), "{text}");
        assert!(text.contains(&keys.secret("release").id().to_string()), "{text}");
        assert!(error.hint().is_some());
    }
    let error = ring.require(&role("other"), &keys.secret("release")).unwrap_err();
    assert!(
        error.to_string().contains("no public key for the role `other`"),
        "{error}"
    );
}

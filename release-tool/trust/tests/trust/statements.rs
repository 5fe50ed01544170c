//! Signatures and what they state.

use crate::stock::{Keys, asked, role, statement};
use vrel_model::Statement;
use vrel_trust::{TrustError, digest_bytes, verify_statement};

fn sign(keys: &Keys, key: &str, content: &[u8], change: impl Fn(&mut Statement)) -> (String, Statement) {
    let digests = digest_bytes(content);
    let mut statement = statement("a.iso", &digests);
    change(&mut statement);
    (
        keys.secret(key).sign(&digests.blake2b, &statement).unwrap(),
        statement,
    )
}

fn verify(keys: &Keys, text: &str, content: &[u8], wanted: &Statement) -> Result<Statement, TrustError> {
    verify_statement(
        text.as_bytes(),
        &keys.ring(),
        &role("release"),
        &digest_bytes(content),
        &asked(wanted),
    )
}

#[test]
fn the_same_content_gives_the_same_signature_every_time() {
    let keys = Keys::new(&["release"]);
    let (first, wanted) = sign(&keys, "release", b"content", |_| {});
    assert_eq!(sign(&keys, "release", b"content", |_| {}).0, first);
    assert_eq!(verify(&keys, &first, b"content", &wanted).unwrap(), wanted);
}

#[test]
fn signature_of_a_under_the_name_of_b_is_refused_field_by_field() {
    let keys = Keys::new(&["release"]);
    let (text, signed) = sign(&keys, "release", b"content", |_| {});
    type Change = fn(&mut Statement);
    let changes: [(&str, &str, Change); 5] = [
        ("file is `a.iso`, expected `b.iso`", "file", |s| {
            s.file = "b.iso".parse().unwrap();
        }),
        ("product is `os`, expected `other`", "product", |s| {
            s.product = "other".into();
        }),
        ("version is `0.6.0-rc1`, expected `0.6.0`", "version", |s| {
            s.version = "0.6.0".parse().unwrap();
        }),
        ("channel is `beta`, expected `stable`", "channel", |s| {
            s.channel = "stable".parse().unwrap();
        }),
        ("arch is `x86_64`, expected `any`", "arch", |s| s.arch = None),
    ];
    for (message, field, change) in changes {
        let mut wanted = signed.clone();
        change(&mut wanted);
        let error = verify(&keys, &text, b"content", &wanted).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        let TrustError::Mismatch { mismatches, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(
            mismatches.iter().map(|one| one.field).collect::<Vec<_>>(),
            [field]
        );
    }
    let mut wanted = signed;
    changes.iter().for_each(|(_, _, change)| change(&mut wanted));
    let TrustError::Mismatch { mismatches, .. } = verify(&keys, &text, b"content", &wanted).unwrap_err()
    else {
        panic!("all fields differ")
    };
    assert_eq!(mismatches.len(), changes.len());
}

#[test]
fn a_statement_that_lies_about_its_content_is_refused() {
    let keys = Keys::new(&["release"]);
    let (text, wanted) = sign(&keys, "release", b"content", |statement| statement.size = 3);
    let error = verify(&keys, &text, b"content", &wanted).unwrap_err().to_string();
    assert!(error.contains("size is `3`, expected `7`"), "{error}");
    let other = digest_bytes(b"other").sha256;
    let (text, wanted) = sign(&keys, "release", b"content", |statement| statement.sha256 = other);
    let error = verify(&keys, &text, b"content", &wanted).unwrap_err().to_string();
    assert!(
        error.contains("sha256 is `") && !error.contains("size"),
        "{error}"
    );
}

#[test]
fn same_size_other_bytes_is_refused() {
    let keys = Keys::new(&["release"]);
    let (text, wanted) = sign(&keys, "release", b"content", |_| {});
    let error = verify(&keys, &text, b"cOntent", &wanted).unwrap_err();
    assert!(matches!(error, TrustError::BadSignature { .. }), "{error}");
}

#[test]
fn wrong_key_is_named_beside_the_trusted_ones() {
    let keys = Keys::new(&["release", "pointer"]);
    let stranger = Keys::new(&["release"]);
    for (from, key) in [(&stranger, "release"), (&keys, "pointer")] {
        let (text, wanted) = sign(from, key, b"content", |_| {});
        let error = verify(&keys, &text, b"content", &wanted).unwrap_err().to_string();
        assert!(
            error.contains(&format!("signed by key {}", from.secret(key).id())),
            "{error}"
        );
        assert!(
            error.contains(&keys.secret("release").id().to_string()),
            "{error}"
        );
    }
}

#[test]
fn a_changed_comment_is_refused() {
    let keys = Keys::new(&["release"]);
    let (text, mut wanted) = sign(&keys, "release", b"content", |_| {});
    wanted.file = "b.iso".parse().unwrap();
    let error = verify(
        &keys,
        &text.replace("file:a.iso", "file:b.iso"),
        b"content",
        &wanted,
    )
    .unwrap_err();
    assert!(matches!(error, TrustError::BadComment { .. }), "{error}");
}

#[test]
fn a_signature_without_a_statement_is_refused() {
    let keys = Keys::new(&["release"]);
    std::fs::write(keys.path("a.iso"), "content").unwrap();
    let args = ["-S", "-W", "-s", "release.key", "-m", "a.iso", "-t", "trust me"];
    assert!(crate::stock::minisign(keys.dir.path(), &args).status.success());
    let text = std::fs::read_to_string(keys.path("a.iso.minisig")).unwrap();
    let (_, wanted) = sign(&keys, "release", b"content", |_| {});
    let error = verify(&keys, &text, b"content", &wanted).unwrap_err().to_string();
    assert!(
        error.contains("trusted comment `trust me`: expected the field `timestamp`"),
        "{error}"
    );
}

#[test]
fn a_comment_that_could_break_its_line_is_not_signed() {
    let keys = Keys::new(&["release"]);
    let digests = digest_bytes(b"content");
    for product in ["os\nfile:b", "o s", "os\r", "ös", "os\0", "", "os\u{2028}"] {
        let mut bad = statement("a.iso", &digests);
        bad.product = product.to_owned();
        let result = keys.secret("release").sign(&digests.blake2b, &bad);
        // An empty product is ambiguous to nobody; every other one is refused.
        assert_eq!(result.is_ok(), product.is_empty(), "{product:?}");
        if let Err(error) = result {
            assert!(error.to_string().starts_with("cannot sign a.iso: "), "{error}");
        }
    }
}

//! The signed pointer.

use crate::stock::{Keys, role, stock_verify};
use vrel_model::{ChannelHead, Pointer, Sha256Digest, SignedPointer, UtcTime};
use vrel_trust::{TrustError, sign_pointer, verify_pointer};

fn at(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn pointer() -> Pointer {
    let head = ChannelHead {
        release: "0.6.0-rc1".parse().unwrap(),
        manifest_length: 10,
        manifest_sha256: Sha256Digest::new([7; 32]),
        rollback: None,
    };
    Pointer {
        kind: "pointer".into(),
        spec: 1,
        product: "os".into(),
        version: 4,
        issued: at("2026-11-21T03:00:00Z"),
        expires: at("2026-12-21T03:00:00Z"),
        channels: [("beta".parse().unwrap(), head)].into(),
        older_lines: std::collections::BTreeMap::new(),
        backfilled: std::collections::BTreeMap::new(),
        duds: std::collections::BTreeMap::new(),
    }
}

fn verify(keys: &Keys, file: &SignedPointer, now: &str) -> Result<Pointer, TrustError> {
    verify_pointer(file, &keys.ring(), &role("pointer"), "os", at(now))
}

const NOW: &str = "2026-11-22T00:00:00Z";

#[test]
fn a_signed_pointer_survives_its_file_and_the_stock_tool_agrees() {
    let keys = Keys::new(&["pointer"]);
    let signed = sign_pointer(&pointer(), &keys.secret("pointer")).unwrap();
    let read = SignedPointer::parse(&signed.to_bytes()).unwrap();
    assert_eq!(verify(&keys, &read, NOW).unwrap(), pointer());
    assert_eq!(
        sign_pointer(&pointer(), &keys.secret("pointer"))
            .unwrap()
            .to_bytes(),
        signed.to_bytes()
    );

    std::fs::write(keys.path("signed"), read.signed_bytes()).unwrap();
    std::fs::write(keys.path("signed.minisig"), &read.signatures[0].minisig).unwrap();
    let public = keys.secret("pointer").public_key().to_base64();
    assert_eq!(
        stock_verify(keys.dir.path(), &public, "signed"),
        Some(pointer().trusted_comment())
    );
}

#[test]
fn expired_and_future_pointers_are_errors_of_their_own() {
    let keys = Keys::new(&["pointer"]);
    let signed = sign_pointer(&pointer(), &keys.secret("pointer")).unwrap();
    assert!(verify(&keys, &signed, "2026-12-21T02:59:59Z").is_ok());
    let error = verify(&keys, &signed, "2026-12-21T03:00:00Z").unwrap_err();
    assert!(
        matches!(error, TrustError::PointerExpired { version: 4, .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("clock"));
    assert!(verify(&keys, &signed, "2026-11-21T02:00:00Z").is_ok());
    let error = verify(&keys, &signed, "2026-11-21T01:59:59Z").unwrap_err();
    assert!(
        matches!(error, TrustError::PointerFromTheFuture { .. }),
        "{error}"
    );
    let error = verify(&keys, &signed, "2016-11-21T00:00:00Z").unwrap_err();
    assert!(
        matches!(error, TrustError::PointerFromTheFuture { .. }),
        "{error}"
    );
}

#[test]
fn any_change_of_the_signed_part_is_noticed() {
    let keys = Keys::new(&["pointer"]);
    let mut signed = sign_pointer(&pointer(), &keys.secret("pointer")).unwrap();
    signed.signed["expires"] = "2036-12-21T03:00:00Z".into();
    assert!(matches!(
        verify(&keys, &signed, NOW),
        Err(TrustError::BadSignature { .. })
    ));
}

#[test]
fn a_pointer_of_another_product_role_or_key_is_refused() {
    let keys = Keys::new(&["pointer", "release"]);
    let other = Pointer {
        product: "other".into(),
        ..pointer()
    };
    let signed = sign_pointer(&other, &keys.secret("pointer")).unwrap();
    let error = verify(&keys, &signed, NOW).unwrap_err().to_string();
    assert!(error.contains("product `other`, expected `os`"), "{error}");
    let signed = sign_pointer(&pointer(), &keys.secret("release")).unwrap();
    assert!(matches!(
        verify(&keys, &signed, NOW),
        Err(TrustError::UnknownKey { .. })
    ));
    let unsigned = pointer().to_unsigned().unwrap();
    assert!(matches!(
        verify(&keys, &unsigned, NOW),
        Err(TrustError::PointerUnsigned)
    ));
}

#[test]
fn signature_of_one_pointer_does_not_serve_another() {
    let keys = Keys::new(&["pointer"]);
    let key = keys.secret("pointer");
    let newer = sign_pointer(
        &Pointer {
            version: 5,
            ..pointer()
        },
        &key,
    )
    .unwrap();
    let mut mixed = sign_pointer(&pointer(), &key).unwrap();
    mixed.signatures = newer.signatures;
    assert!(matches!(
        verify(&keys, &mixed, NOW),
        Err(TrustError::BadSignature { .. })
    ));

    // A good signature over these very bytes, but made with a comment that states something else.
    let mut odd = pointer().to_unsigned().unwrap();
    std::fs::write(keys.path("signed"), odd.signed_bytes()).unwrap();
    let args = [
        "-S",
        "-W",
        "-s",
        "pointer.key",
        "-m",
        "signed",
        "-t",
        "timestamp:0 product:os pointer:9",
    ];
    assert!(crate::stock::minisign(keys.dir.path(), &args).status.success());
    let minisig = std::fs::read_to_string(keys.path("signed.minisig")).unwrap();
    odd.signatures.push(vrel_model::KeySignature {
        keyid: key.id(),
        minisig,
    });
    let error = verify(&keys, &odd, NOW).unwrap_err();
    assert!(matches!(error, TrustError::PointerComment { .. }), "{error}");
}

#[test]
fn an_additional_signature_by_an_unknown_key_does_no_harm_but_a_false_id_does() {
    let keys = Keys::new(&["pointer"]);
    let stranger = Keys::new(&["pointer"]).secret("pointer");
    let mut signed = sign_pointer(&pointer(), &keys.secret("pointer")).unwrap();
    signed
        .signatures
        .extend(sign_pointer(&pointer(), &stranger).unwrap().signatures);
    assert_eq!(verify(&keys, &signed, NOW).unwrap(), pointer());
    signed.signatures[0].keyid = stranger.id();
    assert!(matches!(
        verify(&keys, &signed, NOW),
        Err(TrustError::BadSignature { .. })
    ));
}

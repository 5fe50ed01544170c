//! Envelopes: what is accepted, what strangers make of them, and attacks.

use crate::stock::{Keys, role};
use crate::strangers::{openssl_verifies, run_python};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use std::path::PathBuf;
use vrel_trust::{
    KeyRing, MAX_ENVELOPE, PAYLOAD_TYPE, PublicKey, Signature, TrustError, digest_bytes,
    pre_authentication_encoding, sign_envelope, verify_envelope,
};

const FILE: &str = "provenance.intoto.json";

/// Some statement: envelopes do not look into it.
fn payload() -> Vec<u8> {
    format!("{{\"_type\":\"test\",\"filler\":\"{}\"}}\n", "ä€ ".repeat(40)).into_bytes()
}

fn keys() -> Keys {
    Keys::new(&["release", "pointer"])
}

fn verify(ring: &KeyRing, bytes: &[u8]) -> Result<Vec<u8>, TrustError> {
    verify_envelope(FILE, bytes, ring, &role("release"))
}

fn public(keys: &Keys, name: &str) -> PublicKey {
    keys.secret(name).public_key()
}

fn signed(keys: &Keys, name: &str) -> Value {
    let bytes = sign_envelope(FILE, &payload(), &keys.secret(name)).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn write(keys: &Keys, name: &str, content: &[u8]) -> PathBuf {
    let path = keys.path(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn an_envelope_gives_its_payload_back_and_is_the_same_each_time() {
    let keys = keys();
    let secret = keys.secret("release");
    let bytes = sign_envelope(FILE, &payload(), &secret).unwrap();
    assert_eq!(bytes, sign_envelope(FILE, &payload(), &secret).unwrap());
    assert_eq!(verify(&keys.ring(), &bytes).unwrap(), payload());
    let envelope: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(envelope["payloadType"], PAYLOAD_TYPE);
    assert_eq!(envelope["signatures"][0]["keyid"], secret.id().to_string());
}

#[test]
fn openssl_verifies_the_encoding_with_the_exported_key() {
    let keys = keys();
    let envelope = signed(&keys, "release");
    let signature = Base64::decode_vec(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let signature = write(&keys, "signature", &signature);
    let message = pre_authentication_encoding(PAYLOAD_TYPE, &payload());
    let message = write(&keys, "message", &message);
    let bare = write(&keys, "bare", &payload());
    let key = write(&keys, "release.pem", public(&keys, "release").to_pem().as_bytes());
    let other = write(&keys, "pointer.pem", public(&keys, "pointer").to_pem().as_bytes());
    assert!(openssl_verifies(&key, &message, &signature));
    assert!(!openssl_verifies(&key, &bare, &signature));
    assert!(!openssl_verifies(&other, &message, &signature));
}

#[test]
fn libraries_of_tuf_and_in_toto_verify_it() {
    let keys = keys();
    let bytes = sign_envelope(FILE, &payload(), &keys.secret("release")).unwrap();
    let changed = {
        let mut envelope = signed(&keys, "release");
        envelope["payload"] = Base64::encode_string(b"{}").into();
        serde_json::to_vec(&envelope).unwrap()
    };
    let good = write(&keys, "good.json", &bytes);
    let bad = write(&keys, "bad.json", &changed);
    let pem = write(&keys, "release.pem", public(&keys, "release").to_pem().as_bytes());
    let id = write(&keys, "keyid", keys.secret("release").id().to_string().as_bytes());
    let said = run_python("envelope.py", &[&good, &pem, &id]).unwrap();
    assert_eq!(said.as_bytes(), payload());
    let error = run_python("envelope.py", &[&bad, &pem, &id]).unwrap_err();
    assert!(error.contains("VerificationError"), "{error}");
}

#[test]
fn attacks_on_an_envelope_are_refused_each_for_its_reason() {
    let keys = keys();
    let ring = keys.ring();
    let good = signed(&keys, "release");
    let by_pointer = signed(&keys, "pointer");
    let id = good["signatures"][0]["keyid"].as_str().unwrap();
    let sig = good["signatures"][0]["sig"].as_str().unwrap();
    let other_sig = by_pointer["signatures"][0]["sig"].as_str().unwrap();
    let payload64 = good["payload"].as_str().unwrap();
    let with = |pointer: &str, value: Value| {
        let mut envelope = good.clone();
        *envelope.pointer_mut(pointer).unwrap() = value;
        envelope.to_string()
    };
    let changed = payload64.replacen(
        &payload64[8..9],
        if &payload64[8..9] == "A" { "B" } else { "A" },
        1,
    );
    let unpadded = payload64.trim_end_matches('=');
    assert_ne!(unpadded, payload64, "the test needs a payload with padding");
    let two = json!([{"keyid": id, "sig": sig}, {"keyid": id, "sig": sig}]);
    let text = good.to_string();
    let cases = [
        (
            "payload changed",
            with("/payload", changed.into()),
            "does not fit the content",
        ),
        (
            "type changed",
            with("/payloadType", "text/plain".into()),
            "of the type `text/plain`",
        ),
        (
            "type in another case",
            with("/payloadType", PAYLOAD_TYPE.to_uppercase().into()),
            "of the type",
        ),
        (
            "key of another role",
            by_pointer.to_string(),
            "no signature by a key of the role `release`",
        ),
        (
            "signature of another key",
            with("/signatures/0/sig", other_sig.into()),
            "does not fit the content",
        ),
        (
            "unknown key",
            with("/signatures/0/keyid", "0000000000000001".into()),
            "`0000000000000001`",
        ),
        (
            "key id in another case",
            with("/signatures/0/keyid", id.to_lowercase().into()),
            "no signature by a key",
        ),
        (
            "no key id",
            with("/signatures/0", json!({"sig": sig})),
            "no signature by a key",
        ),
        ("no signature", with("/signatures", json!([])), "signed have none"),
        (
            "signed twice",
            with("/signatures", two),
            "2 signatures by keys of the role",
        ),
        (
            "payload cut",
            with("/payload", payload64[..payload64.len() - 5].into()),
            "the payload is not canonical",
        ),
        (
            "payload without padding",
            with("/payload", unpadded.into()),
            "the payload is not canonical",
        ),
        (
            "payload with a line feed",
            with("/payload", format!("{payload64}\n").into()),
            "the payload is not canonical",
        ),
        (
            "signature cut",
            with("/signatures/0/sig", sig[..sig.len() - 4].into()),
            "the signature is not canonical",
        ),
        (
            "no signature bytes",
            with("/signatures/0/sig", "".into()),
            "the signature is not canonical",
        ),
        (
            "payload empty",
            with("/payload", "".into()),
            "0 bytes is too short",
        ),
        ("trailing data", format!("{text}{text}"), "trailing characters"),
        ("cut", text[..text.len() - 1].to_owned(), "not an envelope"),
        (
            "payload twice",
            text.replacen('{', "{\"payload\":\"e30=\",", 1),
            "`payload` stands twice",
        ),
        (
            "member twice inside",
            text.replacen("\"sig\"", "\"sig\":\"\",\"sig\"", 1),
            "`sig` stands twice",
        ),
        ("no object", "[]".to_owned(), "not an envelope"),
        (
            "too long",
            format!("{text}{}", " ".repeat(MAX_ENVELOPE)),
            "expected at most",
        ),
    ];
    for (name, bytes, reason) in cases {
        let error = verify(&ring, bytes.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
        assert!(error.contains(FILE), "{name}: {error}");
    }
    assert_eq!(verify(&ring, text.as_bytes()).unwrap(), payload());
}

#[test]
fn what_others_may_add_to_an_envelope_is_ignored() {
    let keys = keys();
    let mut envelope = signed(&keys, "release");
    envelope["later"] = json!({"x": 1});
    let stranger = signed(&keys, "pointer")["signatures"][0].clone();
    let signatures = envelope["signatures"].as_array_mut().unwrap();
    signatures[0]["cert"] = "x".into();
    signatures.insert(0, stranger);
    signatures.push(json!({"keyid": "sigstore", "sig": "AAAA"}));
    let bytes = serde_json::to_vec_pretty(&envelope).unwrap();
    assert_eq!(verify(&keys.ring(), &bytes).unwrap(), payload());
}

#[test]
fn a_role_without_keys_is_named_as_such() {
    let keys = Keys::new(&["release"]);
    let bytes = sign_envelope(FILE, &payload(), &keys.secret("release")).unwrap();
    let ring = keys.ring();
    for bytes in [
        bytes,
        br#"{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}"#.to_vec(),
    ] {
        let error = verify_envelope(FILE, &bytes, &ring, &role("embargo")).unwrap_err();
        assert!(matches!(error, TrustError::NoKeys { .. }), "{error}");
    }
}

#[test]
fn minisign_signatures_and_envelopes_cannot_be_exchanged() {
    let keys = keys();
    let secret = keys.secret("release");
    let message = pre_authentication_encoding(PAYLOAD_TYPE, &payload());
    // The signatures that minisign makes of the payload and of the encoding, put into the envelope.
    for content in [payload(), message.clone()] {
        let digests = digest_bytes(&content);
        let statement = crate::stock::statement("x", &digests);
        let minisig = secret.sign(&digests.blake2b, &statement).unwrap();
        for line in [1, 3] {
            let bytes = Base64::decode_vec(minisig.lines().nth(line).unwrap()).unwrap();
            let mut envelope = signed(&keys, "release");
            envelope["signatures"][0]["sig"] = Base64::encode_string(&bytes[bytes.len() - 64..]).into();
            let error = verify(&keys.ring(), &serde_json::to_vec(&envelope).unwrap()).unwrap_err();
            assert!(matches!(error, TrustError::BadSignature { .. }), "{error}");
        }
    }
    // The envelope's signature in a minisign file over the encoding.
    let envelope = signed(&keys, "release");
    let ours = Base64::decode_vec(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let digests = digest_bytes(&message);
    let minisig = secret
        .sign(&digests.blake2b, &crate::stock::statement("x", &digests))
        .unwrap();
    let mut bytes = Base64::decode_vec(minisig.lines().nth(1).unwrap()).unwrap();
    bytes.truncate(10);
    bytes.extend_from_slice(&ours);
    let forged = minisig.replace(minisig.lines().nth(1).unwrap(), &Base64::encode_string(&bytes));
    let forged = Signature::parse(forged.as_bytes()).unwrap();
    let error = forged
        .verify("x", &keys.ring(), &role("release"), &digests.blake2b)
        .unwrap_err();
    assert!(matches!(error, TrustError::BadSignature { .. }), "{error}");
}

#[test]
fn what_could_be_taken_for_a_digest_or_could_not_be_read_back_is_not_signed() {
    let keys = keys();
    let secret = keys.secret("release");
    for (length, reason) in [
        (0, "too short"),
        (64, "too short"),
        (MAX_ENVELOPE, "expected at most"),
    ] {
        let error = sign_envelope(FILE, &vec![b' '; length], &secret)
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{length}: {error}");
    }
}

//! The identity stamp.

use abi::{IDENTITY_LEN, IDENTITY_MAGIC, Identity, IdentityError};
use proptest::prelude::*;

fn stamp(text: &str) -> [u8; IDENTITY_LEN] {
    let mut bytes = [0; IDENTITY_LEN];
    bytes[..16].copy_from_slice(IDENTITY_MAGIC);
    bytes[16..16 + text.len()].copy_from_slice(text.as_bytes());
    bytes
}

#[test]
fn a_stamp_reads_back() {
    let bytes = stamp("name=VeridianOS\nversion=0.6.0-rc1\ncommit=abc\narch=riscv64\nlater=thing\n");
    let identity = Identity::parse(Identity::text(&bytes).unwrap()).unwrap();
    assert_eq!(identity.to_string(), "VeridianOS 0.6.0-rc1 (abc) riscv64");
}

#[test]
fn a_stamp_may_fill_its_section() {
    let text = format!("name={}\n", "x".repeat(IDENTITY_LEN - 16 - 6));
    assert_eq!(Identity::text(&stamp(&text)), Ok(text.as_str()));
}

#[test]
fn what_is_no_stamp_is_refused() {
    assert_eq!(Identity::text(&[0; IDENTITY_LEN]), Err(IdentityError::Magic));
    let mut bytes = stamp("name=");
    bytes[21] = 0xff;
    assert_eq!(Identity::text(&bytes), Err(IdentityError::Text));
    assert_eq!(Identity::parse("name=x\nversion"), Err(IdentityError::Line));
    assert_eq!(
        Identity::parse("name=x\nversion=y\narch=z\n"),
        Err(IdentityError::Missing("commit"))
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: [u8; IDENTITY_LEN], magic: bool) {
        let mut bytes = bytes;
        if magic {
            bytes[..16].copy_from_slice(IDENTITY_MAGIC);
        }
        if let Ok(text) = Identity::text(&bytes) {
            let _parsed = Identity::parse(text);
        }
    }
}

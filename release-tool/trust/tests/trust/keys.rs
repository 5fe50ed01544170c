//! Making, writing and loading keys.

use crate::stock::{Keys, minisign, minisign_with_password, role, stock_verify};
use std::os::unix::fs::PermissionsExt;
use vrel_trust::{
    NewKey, Password, Protection, Scrypt, SecretKey, TrustError, digest_bytes, generate, inspect_secret_key,
};
use vrel_world::World;

/// Appears nowhere but where a secret was written on purpose.
const CANARY: &str = "canary-7d1f-correct-horse";

fn load(keys: &Keys, name: &str, password: Option<&str>) -> Result<SecretKey, TrustError> {
    let password = password.map(|text| Password::new(text.to_owned()));
    SecretKey::load(
        &keys.world,
        &keys.path(name),
        password.as_ref(),
        Scrypt::THROWAWAY,
    )
}

fn encrypted(keys: &Keys, name: &str, scrypt: Scrypt) -> Result<vrel_trust::GeneratedKey, TrustError> {
    let new = NewKey {
        role: &role("release"),
        secret_file: &keys.path(&format!("{name}.key")),
        public_file: &keys.path(&format!("keys/{name}.pub")),
        protection: Protection::Password {
            password: &Password::new(CANARY.to_owned()),
            scrypt,
        },
    };
    generate(&keys.world, &new)
}

/// The error's text, its debug form and its hint, none of which may hold a secret.
fn shown(error: &TrustError) -> String {
    format!("{error} {error:?} {:?}", error.hint())
}

#[test]
fn a_key_with_a_password_signs_for_the_stock_tool() {
    let keys = Keys::new(&[]);
    let made = encrypted(&keys, "release", Scrypt::THROWAWAY).unwrap();
    assert_eq!(made.scrypt, Some(Scrypt::THROWAWAY));
    let key = load(&keys, "release.key", Some(CANARY)).unwrap();
    assert_eq!(key.public_key(), made.public);

    std::fs::write(keys.path("data"), "content").unwrap();
    let digests = digest_bytes(b"content");
    let text = key
        .sign(&digests.blake2b, &crate::stock::statement("data", &digests))
        .unwrap();
    std::fs::write(keys.path("data.minisig"), text).unwrap();
    let comment =
        stock_verify(keys.dir.path(), &made.public.to_base64(), "data").expect("minisign accepts it");
    assert_eq!(comment, crate::stock::statement("data", &digests).to_string());
}

#[test]
fn files_have_their_modes_and_are_never_overwritten() {
    let keys = Keys::new(&["release"]);
    let mode = |name: &str| std::fs::metadata(keys.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("release.key"), 0o600);
    assert_eq!(mode("keys/release.pub"), 0o644);
    let before = std::fs::read(keys.path("release.key")).unwrap();
    let error = keys.generate("release", "release").unwrap_err();
    assert!(
        error.to_string().contains("there is a file of that name already"),
        "{error}"
    );
    std::fs::remove_file(keys.path("release.key")).unwrap();
    assert!(
        keys.generate("release", "release")
            .unwrap_err()
            .to_string()
            .contains("keys/release.pub")
    );
    // Neither a new secret key nor a changed public one is left behind.
    assert!(!keys.path("release.key").exists());
    assert!(!before.is_empty());
}

#[test]
fn a_public_key_file_is_named_after_its_role() {
    let keys = Keys::new(&[]);
    for name in ["pointer", "releases", "release-"] {
        let error = keys.generate("release", name).unwrap_err().to_string();
        assert!(
            error.contains("`release.pub` or `release-SOMETHING.pub`"),
            "{error}"
        );
    }
    keys.generate("release", "release-2027").unwrap();
}

#[test]
fn an_empty_password_is_refused() {
    let keys = Keys::new(&[]);
    let new = NewKey {
        role: &role("release"),
        secret_file: &keys.path("release.key"),
        public_file: &keys.path("keys/release.pub"),
        protection: Protection::Password {
            password: &Password::new(String::new()),
            scrypt: Scrypt::THROWAWAY,
        },
    };
    assert!(
        generate(&keys.world, &new)
            .unwrap_err()
            .to_string()
            .contains("empty password")
    );
    assert!(!keys.path("release.key").exists());
}

#[test]
fn bad_key_files_are_told_apart_and_show_no_secret() {
    let keys = Keys::new(&["pointer"]);
    encrypted(&keys, "release", Scrypt::THROWAWAY).unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(keys.path(name), text).unwrap();
        std::fs::set_permissions(keys.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    };
    let good = std::fs::read_to_string(keys.path("pointer.key")).unwrap();
    let payload = good.lines().nth(1).unwrap().to_owned();
    write("empty", "");
    write("pem", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    write("noise", CANARY);
    write("long", &"x".repeat(5000));
    write(
        "public",
        &std::fs::read_to_string(keys.path("keys/pointer.pub")).unwrap(),
    );
    write("crlf", &good.replace('\n', "\r\n"));
    write("damaged", &good.replace(&payload[100..108], "AAAAAAAA"));
    write("short", &good.replace(&payload, &payload[..200]));
    write("exposed", &good);
    std::fs::set_permissions(keys.path("exposed"), PermissionsExt::from_mode(0o640)).unwrap();
    let cases = [
        ("missing", None, "there is no such file"),
        ("keys", None, "this is a directory"),
        ("empty", None, "this is an empty file"),
        ("pem", None, "this is a PEM file"),
        ("noise", None, "this is no minisign file"),
        ("long", None, "more than 4 KiB"),
        (
            "public",
            None,
            "this is a minisign public key, expected a minisign secret key",
        ),
        ("crlf", None, "holds the byte 0x0d"),
        ("damaged", None, "the checksum does not fit"),
        ("short", None, "158 bytes in canonical base64"),
        ("exposed", None, "its mode is 0640"),
        ("release.key", None, "encrypted and no password was given"),
        ("release.key", Some("canary-7d1f-wrong"), "wrong password"),
    ];
    for (name, password, expected) in cases {
        let error = load(&keys, name, password).unwrap_err();
        let text = shown(&error);
        assert!(text.contains(expected), "{name}: {text}");
        assert!(text.contains(name), "{text}");
        assert!(
            !text.contains("canary-7d1f") && !text.contains(&payload[80..100]),
            "{text}"
        );
    }
    let exposed = load(&keys, "exposed", None).unwrap_err();
    assert!(exposed.hint().unwrap().starts_with("chmod 600"), "{exposed}");
}

#[test]
fn a_secret_never_shows_in_debug_or_panic_text() {
    let keys = Keys::new(&["release"]);
    let key = keys.secret("release");
    let file = std::fs::read_to_string(keys.path("release.key")).unwrap();
    // The Ed25519 seed, in the forms in which bytes get printed.
    let decoded = minisign::SecretKeyBox::from_string(&file)
        .unwrap()
        .into_unencrypted_secret_key()
        .unwrap();
    let seed = &decoded.to_bytes()[62..94];
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let password = Password::new(CANARY.to_owned());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| panic!("{:?}", (&key, &password))))
        .unwrap_err();
    let panic = panic.downcast_ref::<String>().unwrap();
    let new = NewKey {
        role: &role("release"),
        secret_file: &keys.path("a"),
        public_file: &keys.path("b"),
        protection: Protection::Password {
            password: &password,
            scrypt: Scrypt::STRONG,
        },
    };
    for text in [panic.clone(), format!("{key:?} {key:#?} {password:?} {new:?}")] {
        for secret in [
            CANARY,
            &hex[..16],
            &format!("{seed:?}")[1..20],
            &file.lines().nth(1).unwrap()[90..110],
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert_eq!(format!("{key:?}"), format!("SecretKey({})", key.id()));
}

#[test]
fn weak_protection_is_refused_before_a_password_is_tried() {
    let keys = Keys::new(&[]);
    encrypted(&keys, "release", Scrypt::THROWAWAY).unwrap();
    let path = keys.path("release.key");
    let password = Password::new(CANARY.to_owned());
    let error = SecretKey::load(&keys.world, &path, Some(&password), Scrypt::STRONG).unwrap_err();
    assert!(
        error.to_string().contains("expected at least scrypt N=2^20"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("minisign -C"));
    assert!(inspect_secret_key(&keys.world, &path, Scrypt::STRONG).is_err());
    let info = inspect_secret_key(&keys.world, &path, Scrypt::THROWAWAY).unwrap();
    assert_eq!(info.scrypt, Some(Scrypt::THROWAWAY));
}

/// The `minisign` crate protects its keys with a scrypt 32 times cheaper than the C tool's.
#[test]
fn a_key_of_the_rust_crate_counts_as_weak() {
    let keys = Keys::new(&[]);
    let pair = minisign::KeyPair::generate_encrypted_keypair(Some(CANARY.to_owned())).unwrap();
    let path = keys.path("rust.key");
    keys.fs()
        .write(&path, pair.sk.to_box(None).unwrap().to_string().as_bytes(), 0o600)
        .unwrap();
    let password = Password::new(CANARY.to_owned());
    let error = SecretKey::load(&keys.world, &path, Some(&password), Scrypt::STRONG)
        .unwrap_err()
        .to_string();
    assert!(error.contains("weakly protected: scrypt N=2^15"), "{error}");
    let key = SecretKey::load(&keys.world, &path, Some(&password), Scrypt::THROWAWAY).unwrap();
    assert_eq!(key.public_key().to_base64(), pair.pk.to_base64());
}

#[test]
fn the_rust_crate_reads_what_is_written_here() {
    let keys = Keys::new(&[]);
    let made = encrypted(&keys, "release", Scrypt::THROWAWAY).unwrap();
    let text = std::fs::read_to_string(keys.path("release.key")).unwrap();
    let theirs = minisign::SecretKeyBox::from_string(&text)
        .unwrap()
        .into_secret_key(Some(CANARY.to_owned()))
        .unwrap();
    let public = minisign::PublicKey::from_secret_key(&theirs).unwrap();
    assert_eq!(public.to_base64(), made.public.to_base64());
}

#[test]
fn a_key_of_the_stock_tool_without_a_password_loads() {
    let keys = Keys::new(&[]);
    let output = minisign(
        keys.dir.path(),
        &["-G", "-W", "-p", "stock.pub", "-s", "stock.key"],
    );
    assert!(output.status.success(), "{output:?}");
    let key = load(&keys, "stock.key", None).unwrap();
    let public = vrel_trust::PublicKey::parse(&std::fs::read(keys.path("stock.pub")).unwrap()).unwrap();
    assert_eq!(key.public_key(), public);
    assert_eq!(
        inspect_secret_key(&keys.world, &keys.path("stock.key"), Scrypt::STRONG)
            .unwrap()
            .scrypt,
        None
    );
}

#[test]
fn the_stock_tool_signs_with_a_key_made_here() {
    let keys = Keys::new(&["release"]);
    std::fs::write(keys.path("data"), "content").unwrap();
    let output = minisign(keys.dir.path(), &["-S", "-W", "-s", "release.key", "-m", "data"]);
    assert!(output.status.success(), "{output:?}");
    let public = keys.secret("release").public_key();
    assert!(stock_verify(keys.dir.path(), &public.to_base64(), "data").is_some());
}

#[test]
fn randomness_comes_from_the_world_alone() {
    struct Fixed(vrel_world::RealWorld);
    impl World for Fixed {
        fn fs(&self) -> &dyn vrel_world::Fs {
            self.0.fs()
        }
        fn git(&self) -> &dyn vrel_world::Git {
            self.0.git()
        }
        fn processes(&self) -> &dyn vrel_world::Processes {
            self.0.processes()
        }
        fn now(&self) -> vrel_model::UtcTime {
            self.0.now()
        }
        fn random(&self, buffer: &mut [u8]) -> vrel_world::Result<()> {
            buffer
                .iter_mut()
                .enumerate()
                .for_each(|(index, byte)| *byte = index as u8);
            Ok(())
        }
        fn check_interrupt(&self) -> vrel_world::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let world = Fixed(vrel_world::RealWorld::default());
    let make = |name: &str| {
        let new = NewKey {
            role: &role("release"),
            secret_file: &dir.path().join(name).join("secret"),
            public_file: &dir.path().join(name).join("release.pub"),
            protection: Protection::Password {
                password: &Password::new("x".to_owned()),
                scrypt: Scrypt::THROWAWAY,
            },
        };
        generate(&world, &new).unwrap();
        (
            std::fs::read(new.secret_file).unwrap(),
            std::fs::read(new.public_file).unwrap(),
        )
    };
    assert_eq!(make("one"), make("two"));
}

/// Takes 1 GiB of memory for some seconds, as every use of such a key does.
#[test]
fn the_strong_protection_is_the_stock_tools_own() {
    let keys = Keys::new(&[]);
    let output = minisign_with_password(
        keys.dir.path(),
        &["-G", "-p", "stock.pub", "-s", "stock.key"],
        CANARY,
    );
    assert!(output.status.success(), "{output:?}");
    let path = keys.path("stock.key");
    // On a machine with little memory the stock tool takes less than this, and says nothing.
    assert_eq!(
        inspect_secret_key(&keys.world, &path, Scrypt::STRONG)
            .unwrap()
            .scrypt,
        Some(Scrypt::STRONG)
    );
    let password = Password::new(CANARY.to_owned());
    let key = SecretKey::load(&keys.world, &path, Some(&password), Scrypt::STRONG).unwrap();
    let public = vrel_trust::PublicKey::parse(&std::fs::read(keys.path("stock.pub")).unwrap()).unwrap();
    assert_eq!(key.public_key(), public);
}

#[test]
fn the_stock_tool_opens_a_key_with_a_password_made_here() {
    let keys = Keys::new(&[]);
    let made = encrypted(&keys, "release", Scrypt::THROWAWAY).unwrap();
    std::fs::write(keys.path("data"), "content").unwrap();
    let sign = |password| {
        minisign_with_password(
            keys.dir.path(),
            &["-S", "-s", "release.key", "-m", "data"],
            password,
        )
    };
    assert!(!sign("wrong").status.success());
    let output = sign(CANARY);
    assert!(output.status.success(), "{output:?}");
    assert!(stock_verify(keys.dir.path(), &made.public.to_base64(), "data").is_some());
}

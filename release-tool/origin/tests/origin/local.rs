//! An origin in a directory.

use crate::worlds::NoWrites;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use vrel_model::{Pointer, Sha256Digest, SignedPointer};
use vrel_origin::{LocalOrigin, ObjectPath, OriginError, OriginReader, Put};
use vrel_trust::digest_bytes;
use vrel_world::{ErrorKind, Interrupt, Lock, RealWorld, World};

fn world() -> RealWorld {
    RealWorld::default()
}

fn object(text: &str) -> ObjectPath {
    text.parse().unwrap()
}

fn dir() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let origin = dir.path().join("origin");
    (dir, origin)
}

/// A pointer without a signature: the origin replaces it, clients look at signatures.
fn pointer(version: u64) -> SignedPointer {
    let pointer = Pointer {
        kind: "pointer".into(),
        spec: 1,
        product: "os".into(),
        version,
        issued: "2026-11-21T03:00:00Z".parse().unwrap(),
        expires: "2026-12-21T03:00:00Z".parse().unwrap(),
        channels: [].into(),
        older_lines: std::collections::BTreeMap::new(),
        backfilled: std::collections::BTreeMap::new(),
        duds: std::collections::BTreeMap::new(),
    };
    pointer.to_unsigned().unwrap()
}

fn digest(pointer: &SignedPointer) -> Option<Sha256Digest> {
    Some(digest_bytes(&pointer.to_bytes()).sha256)
}

#[test]
fn a_missing_origin_is_fatal_and_never_made_unasked() {
    let (holder, dir) = dir();
    let (world, file) = (world(), holder.path().join("file"));
    fs::write(&file, "").unwrap();
    for (path, reason) in [
        (&dir, "there is no such directory"),
        (&file, "it is not a directory"),
        (&holder.path().to_owned(), "has no `releases` in it"),
    ] {
        let Err(error) = LocalOrigin::open(&world, path) else {
            panic!("{reason}")
        };
        assert!(
            matches!(error, OriginError::NoOrigin { .. }) && error.to_string().contains(reason),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("--init"));
    }
    assert!(!dir.exists());
    LocalOrigin::init(&world, &dir).unwrap();
    LocalOrigin::init(&world, &dir).unwrap();
    assert!(
        LocalOrigin::open(&world, &dir)
            .unwrap()
            .pointer()
            .unwrap()
            .is_none()
    );
}

#[test]
fn what_is_published_never_changes() {
    let (holder, dir) = dir();
    let world = world();
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    let name = object("releases/0.6.0/a");
    assert_eq!(origin.put_new(&name, b"one").unwrap(), Put::Created);
    assert_eq!(origin.put_new(&name, b"one").unwrap(), Put::AlreadyThere);
    let error = origin.put_new(&name, b"two").unwrap_err();
    assert!(matches!(error, OriginError::Immutable { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains(&digest_bytes(b"one").sha256.to_string()),
        "{error}"
    );

    let file = holder.path().join("file");
    for (content, expected) in [("one", true), ("onE", false), ("one more", false)] {
        fs::write(&file, content).unwrap();
        assert_eq!(origin.put_file_new(&name, &file).is_ok(), expected, "{content}");
    }
    assert_eq!(
        origin.put_file_new(&object("releases/0.6.0/b"), &file).unwrap(),
        Put::Created
    );
    assert_eq!(origin.read(&name, 10).unwrap(), b"one");
    assert_eq!(
        origin.list(&"0.6.0".parse().unwrap()).unwrap().unwrap(),
        ["a", "b"]
    );
    assert_eq!(origin.list(&"0.7.0".parse().unwrap()).unwrap().unwrap(), [""; 0]);
}

#[test]
fn reading_is_limited_and_exact() {
    let (_holder, dir) = dir();
    let world = world();
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    let name = object("releases/0.6.0/a");
    origin.put_new(&name, b"0123456789").unwrap();
    assert!(matches!(
        origin.read(&name, 9),
        Err(OriginError::TooLong { expected: 9, .. })
    ));
    assert!(matches!(
        origin.read(&object("releases/0.6.0/b"), 9),
        Err(OriginError::NotFound { .. })
    ));
    assert!(matches!(
        origin.read(&object("releases/0.6.0"), 9),
        Err(OriginError::Read { .. })
    ));
    let length = |expected| {
        let mut reader = origin.open(&name, expected).unwrap();
        std::io::copy(&mut reader, &mut std::io::sink())
            .map_err(|error| vrel_origin::origin_error("a", error))
    };
    assert_eq!(length(10).unwrap(), 10);
    assert!(matches!(length(9), Err(OriginError::TooLong { .. })));
    assert!(matches!(length(11), Err(OriginError::TooShort { found: 10, .. })));
}

#[test]
fn the_pointer_is_replaced_by_compare_and_swap() {
    let (_holder, dir) = dir();
    let world = world();
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    let (one, two, other) = (pointer(1), pointer(2), {
        let mut other = pointer(2);
        other.signed["product"] = "other".into();
        other
    });
    assert_eq!(origin.swap_pointer(None, &one, "me").unwrap(), Put::Created);
    assert_eq!(origin.swap_pointer(None, &one, "me").unwrap(), Put::AlreadyThere);
    assert!(matches!(
        origin.swap_pointer(None, &two, "me"),
        Err(OriginError::PointerMoved { expected: None, .. })
    ));
    assert_eq!(
        origin.swap_pointer(digest(&one), &two, "me").unwrap(),
        Put::Created
    );
    assert_eq!(
        origin.swap_pointer(digest(&one), &two, "me").unwrap(),
        Put::AlreadyThere
    );
    let error = origin.swap_pointer(digest(&one), &other, "me").unwrap_err();
    assert!(matches!(error, OriginError::PointerMoved { .. }), "{error}");
    assert_eq!(origin.pointer().unwrap().unwrap(), two.to_bytes());
}

#[test]
fn versions_count_by_one() {
    let (_holder, dir) = dir();
    let world = world();
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    for bad in [0, 2, u64::MAX] {
        let error = origin.swap_pointer(None, &pointer(bad), "me").unwrap_err();
        assert!(
            matches!(error, OriginError::PointerVersion { previous: 0, .. }),
            "{error}"
        );
    }
    origin.swap_pointer(None, &pointer(1), "me").unwrap();
    for bad in [1_795_230_000, 3, 0] {
        let error = origin
            .swap_pointer(digest(&pointer(1)), &pointer(bad), "me")
            .unwrap_err();
        assert!(error.to_string().contains("expected 2"), "{error}");
    }
}

#[test]
fn a_torn_pointer_is_an_error_and_not_an_absent_one() {
    let (_holder, dir) = dir();
    let world = world();
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    fs::write(dir.join("pointer.json"), "{\"signed\":").unwrap();
    assert!(matches!(
        origin.swap_pointer(None, &pointer(1), "me"),
        Err(OriginError::PointerMoved { .. })
    ));
    let torn = Some(digest_bytes(b"{\"signed\":").sha256);
    let error = origin.swap_pointer(torn, &pointer(1), "me").unwrap_err();
    assert!(error.to_string().contains("the pointer is malformed"), "{error}");
    assert_eq!(fs::read(dir.join("pointer.json")).unwrap(), b"{\"signed\":");
}

#[test]
fn the_holder_of_the_lock_is_named() {
    let (_holder, dir) = dir();
    let world = world();
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    let Lock::Held(guard) = world
        .fs()
        .lock(&dir.join(".pointer.lock"), "vrel on host a")
        .unwrap()
    else {
        panic!("nobody holds it")
    };
    let error = origin.swap_pointer(None, &pointer(1), "me").unwrap_err();
    assert!(
        error.to_string().contains("is being replaced by vrel on host a"),
        "{error}"
    );
    assert!(origin.check_writable().is_err());
    drop(guard);
    origin.check_writable().unwrap();
    origin.swap_pointer(None, &pointer(1), "me").unwrap();
}

#[test]
fn of_many_writers_one_wins_each_turn() {
    let (_holder, dir) = dir();
    let world = world();
    LocalOrigin::init(&world, &dir).unwrap();
    for turn in 1..=20 {
        let won: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let (world, dir) = (&world, &dir);
                    scope.spawn(move || {
                        let origin = LocalOrigin::open(world, dir).unwrap();
                        let mut new = pointer(turn);
                        new.signed["writer"] = writer.into();
                        let current = origin.pointer().unwrap();
                        let expected = current.as_ref().map(|bytes| digest_bytes(bytes).sha256);
                        usize::from(matches!(
                            origin.swap_pointer(expected, &new, "me"),
                            Ok(Put::Created)
                        ))
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).sum()
        });
        assert_eq!(won, 1, "turn {turn}");
    }
}

#[test]
fn a_read_only_origin_says_so() {
    let (holder, dir) = dir();
    let real = world();
    LocalOrigin::init(&real, &dir).unwrap();
    let file = holder.path().join("file");
    fs::write(&file, "x").unwrap();
    for kind in [ErrorKind::ReadOnly, ErrorKind::Denied] {
        let world = NoWrites::new(kind);
        let origin = LocalOrigin::open(&world, &dir).unwrap();
        let name = object("releases/0.6.0/a");
        let errors = [
            origin.put_new(&name, b"x").unwrap_err(),
            origin.put_file_new(&name, &file).unwrap_err(),
            origin.put_new(&object("releases/a"), b"x").unwrap_err(),
            origin.swap_pointer(None, &pointer(1), "me").unwrap_err(),
            origin.check_writable().unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, OriginError::ReadOnly { .. }), "{error}");
            assert!(
                error.to_string().contains("cannot be written") && error.hint().is_some(),
                "{error}"
            );
        }
    }
    let full = NoWrites::new(ErrorKind::NoSpace);
    let error = LocalOrigin::open(&full, &dir)
        .unwrap()
        .put_new(&object("releases/a"), b"x")
        .unwrap_err();
    assert!(
        matches!(&error, OriginError::World(error) if error.kind == ErrorKind::NoSpace),
        "{error}"
    );
}

#[test]
fn a_wish_to_stop_ends_reading() {
    let (_holder, dir) = dir();
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let origin = LocalOrigin::init(&world, &dir).unwrap();
    origin.put_new(&object("releases/a"), b"x").unwrap();
    interrupt.set();
    assert!(
        origin
            .read(&object("releases/a"), 10)
            .unwrap_err()
            .is_interruption()
    );
}

//! Secret keys that cannot sign, and keys that must not be made.

use crate::{CUT, Ran, commit, finish, refused, refused_as, run, scene, vrel};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use vrel_testkit::Scene;

/// Makes a new key for a role in place of the scene's, and commits it.
fn renew(scene: &Scene, role: &str, args: &[&str], password: Option<&str>) -> Ran {
    fs::remove_file(scene.keys().join(format!("{role}.key"))).unwrap();
    fs::remove_file(scene.repo().join(format!("signing/keys/{role}.pub"))).unwrap();
    let mut command = vrel(scene, &["keys", "generate", role]);
    command.args(args);
    command.envs(password.map(|password| ("VREL_KEY_PASSWORD", password)));
    let made = finish(command);
    commit(scene, "chore: new key");
    made
}

#[test]
fn a_missing_key_is_named_with_the_command_that_makes_it() {
    let scene = scene();
    fs::remove_file(scene.keys().join("release.key")).unwrap();
    refused(
        &scene,
        &CUT,
        4,
        &[
            "key of the role `release`: key file ",
            "release.key: there is no such file",
            "hint: make one with `vrel keys generate release`, or name another directory with `--key-dir`",
        ],
    );
}

#[test]
fn a_key_that_nobody_trusts_does_not_sign() {
    let (scene, stranger) = (scene(), scene());
    renew(&stranger, "release", &["--no-password"], None).ends(0, &[]);
    fs::copy(
        stranger.keys().join("release.key"),
        scene.keys().join("release.key"),
    )
    .unwrap();
    refused(
        &scene,
        &CUT,
        4,
        &[
            "key of the role `release`: key ",
            "is not trusted for the role `release`; trusted are ",
            "hint: ",
        ],
    );
}

#[test]
fn one_roles_key_does_not_sign_for_another() {
    let scene = scene();
    fs::copy(scene.keys().join("pointer.key"), scene.keys().join("release.key")).unwrap();
    refused(&scene, &CUT, 4, &["is not trusted for the role `release`"]);
}

#[test]
fn a_key_without_its_public_file_is_not_trusted() {
    let scene = scene();
    fs::remove_file(scene.repo().join("signing/keys/release.pub")).unwrap();
    commit(&scene, "chore: drop a key");
    refused(
        &scene,
        &CUT,
        4,
        &["there is no public key in ", "vrel keys generate release"],
    );
}

#[test]
fn a_key_that_others_can_read_is_not_used() {
    let scene = scene();
    let file = scene.keys().join("pointer.key");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    refused(
        &scene,
        &CUT,
        4,
        &[
            "key of the role `pointer`: ",
            "its mode is 0644: others than its owner can read or change it; expected 0600",
            "hint: ",
            "chmod",
        ],
    );
}

#[test]
fn what_is_no_key_is_not_used_and_not_shown() {
    let scene = scene();
    let file = scene.keys().join("release.key");
    fs::write(&file, "untrusted comment: x\nc2VjcmV0\n").unwrap();
    refused(&scene, &CUT, 4, &["key of the role `release`: ", "release.key: "]);
    let said = run(&scene, &CUT).stderr;
    assert!(!said.contains("c2VjcmV0"), "{said}");
}

/// The only test here with keys as people have them: opening one takes a gigabyte and seconds by design.
#[test]
fn an_encrypted_key_needs_its_password() {
    let scene = scene();
    renew(&scene, "release", &[], Some("right")).ends(0, &[]);
    refused(
        &scene,
        &CUT,
        4,
        &[
            "release.key is encrypted and no password was given",
            "hint: pass `--password-file FILE` or set VREL_KEY_PASSWORD",
        ],
    );
    let empty = scene.base().join("empty.pass");
    fs::write(&empty, "\n").unwrap();
    let mut with_empty = vrel(&scene, &CUT);
    with_empty.arg("--password-file").arg(&empty);
    refused_as(
        &scene,
        with_empty,
        2,
        &["the password file ", "empty.pass is empty"],
    );
    let mut wrong = vrel(&scene, &CUT);
    wrong.env("VREL_KEY_PASSWORD", "wrong");
    refused_as(
        &scene,
        wrong,
        4,
        &["key of the role `release`: ", "release.key: wrong password"],
    );
}

#[test]
fn keys_are_never_overwritten() {
    let scene = scene();
    let before = fs::read(scene.keys().join("release.key")).unwrap();
    let parts = [
        "is there already; keys are never overwritten",
        "hint: move the old key away first",
    ];
    refused(
        &scene,
        &["keys", "generate", "release", "--no-password"],
        3,
        &parts,
    );
    assert_eq!(fs::read(scene.keys().join("release.key")).unwrap(), before);
    // The public file alone counts as well.
    fs::remove_file(scene.keys().join("release.key")).unwrap();
    refused(
        &scene,
        &["keys", "generate", "release", "--no-password"],
        3,
        &parts,
    );
    assert!(!scene.keys().join("release.key").exists());
}

#[test]
fn secret_keys_are_not_made_where_they_could_be_committed() {
    let scene = scene();
    fs::remove_file(scene.repo().join("signing/keys/release.pub")).unwrap();
    let absolute = scene.repo().join("signing");
    for dir in ["signing", "./signing/../os", absolute.to_str().unwrap()] {
        refused(
            &scene,
            &["keys", "generate", "release", "--no-password", "--key-dir", dir],
            2,
            &[
                "release.key is inside the repository",
                "hint: a secret key never lies where it could be committed",
            ],
        );
        assert!(!scene.repo().join("signing/release.key").exists());
        assert!(!scene.repo().join("os/release.key").exists());
    }
}

#[test]
fn keys_are_made_for_known_roles_only() {
    let scene = scene();
    refused(
        &scene,
        &["keys", "generate", "relaese", "--no-password"],
        3,
        &[
            "signing/policy.toml has no role `relaese`; it has pointer, release",
            "hint: did you mean `release`?",
        ],
    );
}

#[test]
fn a_new_key_without_a_password_must_be_asked_for() {
    let scene = scene();
    fs::remove_file(scene.keys().join("release.key")).unwrap();
    fs::remove_file(scene.repo().join("signing/keys/release.pub")).unwrap();
    refused(
        &scene,
        &["keys", "generate", "release"],
        2,
        &["a key needs a password", "--password-file", "`--no-password`"],
    );
    assert!(!scene.keys().join("release.key").exists());
}

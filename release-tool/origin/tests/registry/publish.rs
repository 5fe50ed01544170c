//! Pushing to the registry that people run, and reading back with skopeo what strangers get.

use crate::image::{init, version, write_image};
use crate::server::{PASSWORD, Server, USER};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};
use vrel_model::{Arch, Sha256Digest};
use vrel_origin::{Credentials, HttpLimits, OriginError, Registry, Tagged};
use vrel_world::{Interrupt, RealWorld};

const NAME: &str = "veridianos/veridianos";

fn registry<'w>(world: &'w RealWorld, address: &str, credentials: Credentials) -> Registry<'w> {
    let repository = format!("http://{address}/{NAME}").parse().unwrap();
    Registry::new(world, repository, credentials, HttpLimits::default()).unwrap()
}

fn user(password: &str) -> Credentials {
    Credentials::Password {
        user: USER.to_owned(),
        password: password.to_owned(),
    }
}

fn try_skopeo(args: &[&str]) -> Output {
    let output = Command::new("skopeo")
        .arg("--insecure-policy")
        .args(args)
        .output();
    output.unwrap_or_else(|error| panic!("skopeo: {error}"))
}

fn skopeo(args: &[&str]) -> Vec<u8> {
    let output = try_skopeo(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output.stdout
}

fn hex(bytes: &[u8]) -> String {
    Sha256Digest::new(Sha256::digest(bytes).into()).to_string()
}

fn blob(layout: &Path, digest: &Value) -> Vec<u8> {
    let digest = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    let bytes = fs::read(layout.join("blobs/sha256").join(digest)).unwrap();
    assert_eq!(hex(&bytes), digest);
    bytes
}

fn document(layout: &Path, digest: &Value) -> Value {
    serde_json::from_slice(&blob(layout, digest)).unwrap()
}

/// Copies a tag with skopeo, and checks that every architecture's `init` is the one of `seed`.
fn check_copy(address: &str, dir: &Path, seed: u32) {
    let (source, layout) = (format!("docker://{address}/{NAME}:0.6.0-rc1"), dir.join("copied"));
    let target = format!("oci:{}:copied", layout.display());
    skopeo(&[
        "copy",
        "--all",
        "--preserve-digests",
        "--src-tls-verify=false",
        &source,
        &target,
    ]);
    let outer: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let index = document(&layout, &outer["manifests"][0]["digest"]);
    for (entry, arch) in Arch::ALL.into_iter().enumerate() {
        let manifest = document(&layout, &index["manifests"][entry]["digest"]);
        let config = document(&layout, &manifest["config"]["digest"]);
        let packed = blob(&layout, &manifest["layers"][0]["digest"]);
        let mut layer = Vec::new();
        let mut unpacked = flate2::read::GzDecoder::new(&packed[..]);
        unpacked.read_to_end(&mut layer).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", hex(&layer)));
        let mut archive = tar::Archive::new(&layer[..]);
        let found = archive
            .entries()
            .unwrap()
            .map(Result::unwrap)
            .find_map(|mut entry| {
                let mut content = Vec::new();
                let is_init = entry.path().unwrap().as_os_str() == "root";
                is_init.then(|| entry.read_to_end(&mut content).map(|_| content).unwrap())
            });
        assert!(found.unwrap() == init(arch, seed), "init for {arch} differs");
    }
}

#[test]
fn a_push_has_no_name_until_it_is_tagged_and_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), false);
    let archive = dir.path().join("image.tar");
    let written = write_image(&archive, 1);
    let world = RealWorld::default();
    let registry = registry(&world, &server.address, Credentials::Anonymous);
    assert!(!registry.has(written.index).unwrap());

    let pushed = registry.push(&archive).unwrap();
    // Three configurations, layers and manifests, and the index.
    assert_eq!((pushed.index, pushed.sent, pushed.known), (written.index, 10, 0));
    assert!(registry.has(written.index).unwrap());
    assert_eq!(registry.tagged(&version()).unwrap(), None);
    let tag = format!("docker://{}/{NAME}:0.6.0-rc1", server.address);
    let inspect = ["inspect", "--raw", "--tls-verify=false", &tag];
    assert!(!try_skopeo(&inspect).status.success());

    let again = registry.push(&archive).unwrap();
    assert_eq!((again.sent, again.known), (0, 10));
    assert_eq!(registry.tag(&version(), pushed.index).unwrap(), Tagged::Now);
    assert_eq!(registry.tag(&version(), pushed.index).unwrap(), Tagged::Before);
    assert_eq!(registry.tagged(&version()).unwrap(), Some(written.index));
    assert_eq!(hex(&skopeo(&inspect)), written.index.to_string());
    check_copy(&server.address, dir.path(), 1);
}

#[test]
fn a_version_s_tag_never_moves() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), false);
    let (one, two) = (dir.path().join("one.tar"), dir.path().join("two.tar"));
    let (first, second) = (write_image(&one, 1), write_image(&two, 2));
    let world = RealWorld::default();
    let registry = registry(&world, &server.address, Credentials::Anonymous);
    let missing = registry.tag(&version(), first.index).unwrap_err();
    assert!(matches!(missing, OriginError::NotFound { .. }), "{missing}");
    registry.push(&one).unwrap();
    registry.tag(&version(), first.index).unwrap();
    registry.push(&two).unwrap();
    let error = registry.tag(&version(), second.index).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}/{NAME}:0.6.0-rc1 is published already with other content: sha256 {}, and now {}; published files never change",
            server.address, first.index, second.index
        )
    );
    assert!(error.hint().unwrap().contains("cut a new version"));
    assert_eq!(registry.tagged(&version()).unwrap(), Some(first.index));
    check_copy(&server.address, dir.path(), 1);
}

#[test]
fn a_push_that_was_broken_off_is_continued() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), false);
    let archive = dir.path().join("image.tar");
    let written = write_image(&archive, 1);
    // What a push that died leaves: the image of one architecture, and no index.
    let layout = dir.path().join("layout");
    let source = format!("oci-archive:{}", archive.display());
    let target = format!("oci:{}:all", layout.display());
    skopeo(&["copy", "--all", "--preserve-digests", &source, &target]);
    let index = document(&layout, &Value::String(format!("sha256:{}", written.index)));
    let outer = serde_json::json!({ "schemaVersion": 2, "manifests": [index["manifests"][2]] });
    fs::write(layout.join("index.json"), outer.to_string()).unwrap();
    let source = format!("oci:{}", layout.display());
    let target = format!("docker://{}/{NAME}:part", server.address);
    skopeo(&[
        "copy",
        "--preserve-digests",
        "--dest-tls-verify=false",
        &source,
        &target,
    ]);

    let world = RealWorld::default();
    let registry = registry(&world, &server.address, Credentials::Anonymous);
    let pushed = registry.push(&archive).unwrap();
    assert_eq!((pushed.sent, pushed.known), (7, 3));
}

#[test]
fn only_those_with_the_password_get_in() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), true);
    let archive = dir.path().join("image.tar");
    let written = write_image(&archive, 1);
    let world = RealWorld::default();
    for credentials in [
        Credentials::Anonymous,
        user("wrong horse"),
        Credentials::Token("x".to_owned()),
    ] {
        let registry = registry(&world, &server.address, credentials);
        for error in [
            registry.push(&archive).unwrap_err(),
            registry.tag(&version(), written.index).unwrap_err(),
        ] {
            assert!(matches!(error, OriginError::RegistryDenied { .. }), "{error}");
            let text = format!("{error} {error:?} {:?}", error.hint());
            assert!(text.contains("check user and password"), "{text}");
            assert!(!text.contains("horse"), "{text}");
        }
    }
    let registry = registry(&world, &server.address, user(PASSWORD));
    let pushed = registry.push(&archive).unwrap();
    assert_eq!(registry.tag(&version(), pushed.index).unwrap(), Tagged::Now);
}

#[test]
fn a_blob_that_was_damaged_in_the_registry_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), false);
    let archive = dir.path().join("image.tar");
    let written = write_image(&archive, 1);
    let world = RealWorld::default();
    let registry = registry(&world, &server.address, Credentials::Anonymous);
    registry.push(&archive).unwrap();
    let index: Value =
        serde_json::from_slice(&fs::read(server.blob(&written.index.to_string())).unwrap()).unwrap();
    let digest = |value: &Value| {
        value
            .as_str()
            .unwrap()
            .strip_prefix("sha256:")
            .unwrap()
            .to_owned()
    };
    let manifest = server.blob(&digest(&index["manifests"][0]["digest"]));
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let layer = digest(&manifest["layers"][0]["digest"]);
    let mut content = fs::read(server.blob(&layer)).unwrap();
    content[100] ^= 1;
    fs::write(server.blob(&layer), content).unwrap();
    let error = registry.push(&archive).unwrap_err();
    assert!(matches!(error, OriginError::RegistryDigest { .. }), "{error}");
    assert!(error.to_string().contains(&layer), "{error}");
}

#[test]
fn archives_that_are_not_sound_are_refused_before_anything_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let world = RealWorld::default();
    // Nobody listens: an attempt to send would be another error.
    let registry = registry(&world, "127.0.0.1:1", Credentials::Anonymous);
    let archive = dir.path().join("image.tar");
    write_image(&archive, 1);
    let sound = fs::read(&archive).unwrap();
    let mut flipped = sound.clone();
    flipped[100_000] ^= 1;
    let mut other = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(0);
    other.append_data(&mut header, "x", &b""[..]).unwrap();
    for (content, expected) in [
        (flipped, "expected a blob of sha256 "),
        (sound[..200_000].to_vec(), ""),
        (
            other.into_inner().unwrap(),
            "expected a file oci-layout in it, got none",
        ),
        (b"text".to_vec(), ""),
    ] {
        fs::write(&archive, content).unwrap();
        let error = registry.push(&archive).unwrap_err();
        assert!(matches!(error, OriginError::ImageArchive { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    fs::remove_file(&archive).unwrap();
    let error = registry.push(&archive).unwrap_err();
    assert!(error.to_string().contains("image.tar"), "{error}");
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("image.tar");
    write_image(&archive, 1);
    // A port that nobody has: it was given out, and the socket is closed again.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let world = RealWorld::default();
    let registry = registry(&world, &address.to_string(), Credentials::Anonymous);
    let error = registry.push(&archive).unwrap_err();
    assert!(
        matches!(error, OriginError::RegistryUnreachable { .. }),
        "{error}"
    );
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_stop_is_heeded() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), false);
    let archive = dir.path().join("image.tar");
    write_image(&archive, 1);
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let registry = registry(&world, &server.address, Credentials::Anonymous);
    interrupt.set();
    assert!(registry.push(&archive).unwrap_err().is_interruption());
}

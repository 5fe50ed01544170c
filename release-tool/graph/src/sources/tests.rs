use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use vrel_world::RealWorld;

fn read(input: &Input) -> Result<Source, GraphError> {
    let inputs = [("node", "slot", input)];
    let sources = Sources::read(&RealWorld::default(), inputs.into_iter(), NonZeroUsize::MIN)?;
    Ok(sources.get(input).unwrap().clone())
}

fn digest(input: &Input) -> Sha256Digest {
    read(input).unwrap().sha256
}

fn only(path: &Path, parts: &[&str]) -> Input {
    Input::parts(path, parts.iter().copied())
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("src/deep")).unwrap();
    fs::write(dir.path().join("Cargo.toml"), "one").unwrap();
    fs::write(dir.path().join("src/main.rs"), "two").unwrap();
    fs::write(dir.path().join("src/deep/x"), "three").unwrap();
    dir
}

#[test]
fn a_file_counts_by_its_content_alone() {
    let dir = tree();
    let file = dir.path().join("Cargo.toml");
    let first = digest(&Input::file(&file));
    assert_eq!(first, vrel_trust::digest_bytes(b"one").sha256);
    fs::write(&file, "other").unwrap();
    assert_ne!(digest(&Input::file(&file)), first);
}

#[test]
fn a_tree_counts_by_names_kinds_executability_and_content() {
    let dir = tree();
    let path = |name: &str| dir.path().join(name);
    let whole = || digest(&Input::tree(dir.path()));
    let mut seen = vec![whole()];
    assert_eq!(whole(), seen[0]);
    assert_eq!(
        digest(&Input::tree(tree().path())),
        seen[0],
        "where it lies does not matter"
    );
    let mut differs = |what: &str| {
        let now = whole();
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    };
    fs::write(path("src/main.rs"), "TWO").unwrap();
    differs("content");
    fs::set_permissions(path("src/main.rs"), fs::Permissions::from_mode(0o755)).unwrap();
    differs("executable");
    fs::rename(path("src/deep/x"), path("src/deep/y")).unwrap();
    differs("name");
    fs::create_dir(path("empty")).unwrap();
    differs("an empty directory");
    fs::remove_dir(path("empty")).unwrap();
    fs::write(path("empty"), "").unwrap();
    differs("a file in place of a directory");
    let last = whole();
    fs::set_permissions(path("Cargo.toml"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(whole(), last, "who may read it does not matter");
}

#[test]
fn only_the_parts_that_are_asked_for_count() {
    let dir = tree();
    let parts = only(dir.path(), &["src/deep", "Cargo.toml"]);
    let before = digest(&parts);
    fs::write(dir.path().join("src/main.rs"), "changed").unwrap();
    assert_eq!(digest(&parts), before);
    assert_eq!(
        digest(&only(dir.path(), &["Cargo.toml", "src/deep", "src/deep/x"])),
        before,
        "parts may overlap"
    );
    fs::write(dir.path().join("src/deep/x"), "changed").unwrap();
    assert_ne!(digest(&parts), before);
}

#[test]
fn what_is_missing_or_something_else_is_named() {
    let dir = tree();
    let text = |input: &Input| read(input).unwrap_err().to_string();
    let error = text(&Input::file(dir.path().join("no")));
    assert!(
        error.starts_with("node: input `slot`: ") && error.ends_with("/no: expected a file, got nothing"),
        "{error}"
    );
    assert!(text(&Input::file(dir.path())).ends_with("expected a file, got a directory"));
    assert!(text(&Input::tree(dir.path().join("Cargo.toml"))).ends_with("expected a directory, got a file"));
    assert!(
        text(&only(dir.path(), &["src/no"])).ends_with("src/no: expected a file or directory, got nothing")
    );
    assert!(text(&only(dir.path(), &["no/x"])).ends_with("no/x: expected a file or directory, got nothing"));
    symlink("main.rs", dir.path().join("src/link")).unwrap();
    for tree in [Input::tree(dir.path()), only(dir.path(), &["src/link"])] {
        assert!(
            text(&tree)
                .ends_with("src/link: expected a file or directory, got a symbolic link or a special file")
        );
    }
}

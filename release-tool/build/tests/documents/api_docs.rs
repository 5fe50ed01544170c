//! The reference: complete, reproducible, and strict about links.

use crate::{assert_links_lead_somewhere, assert_same, assert_valid_html, os, tree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_build::api_docs::{Reference, write};
use vrel_build::compile::{Compiler, Request};
use vrel_build::{BuildError, Targets, Toolchain};
use vrel_world::RealWorld;

/// Where core libraries are kept that were built before.
fn cache() -> PathBuf {
    os().parent().unwrap().join(".vrel/cache")
}

fn cargo_home() -> PathBuf {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => home.into(),
        None => Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"),
    }
}

fn document(os: &Path, cache: &Path, out: &Path) -> Result<Vec<String>, BuildError> {
    let world = RealWorld::default();
    let targets = Targets::read(&world, os)?;
    let request = Request {
        toolchain: &Toolchain::find(&world, &targets.triples(), "1.95")?,
        targets: &targets,
        os,
        cache,
        cargo_home: &cargo_home(),
        arches: &[],
        programs: &[],
        jobs: 2,
    };
    let reference = Reference {
        product: "VeridianOS",
        version: &"0.6.0-rc1".parse().unwrap(),
        libraries: &Reference::libraries(),
        system_calls: Path::new(Reference::SYSTEM_CALLS),
    };
    write(
        &world,
        &request,
        &Compiler::default(),
        &reference,
        out,
        &mut |_| {},
    )
}

fn copy_tree(from: &Path, to: &Path) {
    for (path, content) in tree(from)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("target/"))
    {
        let target = to.join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, content).unwrap();
    }
}

/// Another directory with the sources and a cache that has the core libraries, which take long to build.
fn elsewhere(dir: &Path) -> (PathBuf, PathBuf) {
    let (source, own) = (dir.join("somewhere else/os"), dir.join("cache"));
    copy_tree(&os(), &source);
    let sysroots = cache().join("sysroots");
    if sysroots.exists() {
        copy_tree(&sysroots, &own.join("sysroots"));
    }
    (source, own)
}

#[test]
fn the_reference_is_complete_and_the_same_in_another_directory() {
    let dir = tempfile::tempdir().unwrap();
    let one = dir.path().join("one");
    let files = document(&os(), &cache(), &one).unwrap_or_else(|error| panic!("{error}"));
    let found = tree(&one);
    assert!(found.keys().eq(files.iter()), "{files:?}");
    check(&one, &found);

    let (source, cache) = elsewhere(dir.path());
    let other = dir.path().join("another directory/of files");
    document(&source, &cache, &other).unwrap_or_else(|error| panic!("{error}"));
    assert_same(&found, &tree(&other));
}

fn check(out: &Path, found: &BTreeMap<String, Vec<u8>>) {
    for page in ["index.html", "system-calls.html"] {
        assert_valid_html(&out.join(page));
        assert_links_lead_somewhere(found, page);
    }
    for page in [
        "rt/index.html",
        "rt/fs/fn.read.html",
        "protocol/index.html",
        "syscall/fn.debug_write.html",
        "abi/index.html",
        "abi/enum.Error.html",
    ] {
        assert!(found.contains_key(page), "{page}");
        assert_links_lead_somewhere(found, page);
    }
    // A type of another library is linked to within the tree.
    let call = String::from_utf8_lossy(&found["syscall/fn.debug_write.html"]).into_owned();
    assert!(call.contains("href=\"../abi/error/enum.Error.html\""), "{call}");
    let front = String::from_utf8_lossy(&found["index.html"]).into_owned();
    assert!(front.contains("VeridianOS 0.6.0-rc1 Reference"), "{front}");
    let calls = String::from_utf8_lossy(&found["system-calls.html"]).into_owned();
    assert!(calls.contains("<code>debug_write</code>"), "{calls}");
    let places = [os(), cache(), cargo_home(), out.to_owned()];
    for (path, content) in found {
        let text = String::from_utf8_lossy(content);
        for place in &places {
            assert!(
                !text.contains(place.to_str().unwrap()),
                "{path} names {}",
                place.display()
            );
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (source, cache) = elsewhere(dir.path());
    let library = source.join("user/rt/src/lib.rs");
    let text = std::fs::read_to_string(&library).unwrap();
    std::fs::write(
        &library,
        text.replacen("//! The runtime", "//! See [`nowhere::at_all`]. The runtime", 1),
    )
    .unwrap();
    match document(&source, &cache, &dir.path().join("out")) {
        Err(BuildError::Compile { what, output }) => {
            assert_eq!(what, "the reference of rt");
            assert!(
                output.contains("unresolved link to `nowhere::at_all`"),
                "{output}"
            );
        }
        other => panic!("{other:?}"),
    }
}

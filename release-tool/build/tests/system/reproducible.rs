//! The same source gives the same bytes, wherever it is compiled.

use crate::fixture::{cache, compile_all, os, systems};
use std::fs;
use std::path::Path;
use vrel_build::stamp::read_identity;
use vrel_build::strip::{Names, strip};
use vrel_model::Arch;

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            if entry.file_name() != "target" {
                copy_tree(&source, &target);
            }
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

#[test]
fn another_directory_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (source, other_cache) = (dir.path().join("somewhere else/os"), dir.path().join("cache"));
    copy_tree(&os(), &source);
    systems();
    // The core libraries are compiled by the compiler's own recipe; here they only have another path.
    fs::create_dir(&other_cache).unwrap();
    let sysroots = cache().join("sysroots");
    if sysroots.exists() {
        copy_tree(&sysroots, &other_cache.join("sysroots"));
    }
    for (arch, compiled) in compile_all(&source, &other_cache, &Arch::ALL) {
        let system = &systems()[&arch];
        assert!(
            compiled.loader == fs::read(&system.loader).unwrap(),
            "the loader for {arch} differs"
        );
        let mut kernel = compiled.kernel;
        let stamped = fs::read(&system.kernel).unwrap();
        vrel_build::stamp::write_identity(&mut kernel, &read_identity(&stamped).unwrap()).unwrap();
        assert!(kernel == stamped, "the kernel for {arch} differs");
        let minimal = fs::read(&system.initrd["minimal"]).unwrap();
        let init = strip(&compiled.programs["init"], "init", Names::Removed).unwrap();
        assert!(minimal[512..].starts_with(&init), "init for {arch} differs");
        // All programs, with what a debugger is told of them.
        for (name, linked) in &compiled.programs {
            assert!(*linked == system.linked[name], "{name} for {arch} differs");
        }
    }
}

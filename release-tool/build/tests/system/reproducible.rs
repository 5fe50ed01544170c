//! The same source gives the same bytes, wherever it is compiled.

use crate::fixture::{IMAGES, cache, compile_all, os, systems};
use std::fs;
use std::io::Read;
use std::path::Path;
use vrel_build::stamp::read_identity;
use vrel_build::strip::{Names, strip};

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
    for (arch, compiled) in compile_all(&source, &other_cache, &IMAGES[..1]) {
        let system = &systems()[&arch];
        assert!(
            compiled.loader == fs::read(&system.loader).unwrap(),
            "the loader for {arch} differs"
        );
        let mut kernel = compiled.kernel;
        let stamped = fs::read(&system.kernel).unwrap();
        vrel_build::function_names::write_names(&mut kernel).unwrap();
        vrel_build::stamp::write_identity(&mut kernel, &read_identity(&stamped).unwrap()).unwrap();
        assert!(kernel == stamped, "the kernel for {arch} differs");
        let initrd = fs::read(&system.initrd["system"]).unwrap();
        let mut archive = tar::Archive::new(&initrd[..]);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let package = if name == "root" { "process" } else { name.as_str() };
            if let Some(program) = compiled.programs.get(package)
                && entry.link_name().unwrap().is_none()
            {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                let stripped = strip(program, package, Names::Removed).unwrap();
                assert!(content == stripped, "{package} for {arch} differs");
            }
        }
        // All released programs, with what a debugger is told of them.
        for (name, linked) in &compiled.programs {
            assert!(*linked == system.linked[name], "{name} for {arch} differs");
        }
    }
}

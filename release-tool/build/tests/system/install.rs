//! The ISO installs the system.

use crate::fixture::{identity, machine, systems};
use std::path::Path;
use vrel_build::installer::{Installation, install};
use vrel_model::Arch;
use vrel_world::RealWorld;

fn installs(arch: Arch, medium: &str) {
    let dir = tempfile::tempdir().unwrap();
    let iso = &systems()[&arch].iso;
    let before = std::fs::read(iso).unwrap();
    let installation = Installation {
        machine: &machine(arch),
        medium,
        iso,
        scratch: dir.path(),
        expected: &identity(arch),
    };
    let installed = install(&RealWorld::default(), &installation, &mut |line| {
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{}", line.text)
        }
    });
    let installed = installed.unwrap_or_else(|error| panic!("{error}"));
    assert!(before == std::fs::read(iso).unwrap(), "the ISO was changed");
    let _: &Path = &installed.target;
}

#[test]
fn installs_on_x86_64() {
    installs(Arch::X86_64, "install");
}

#[test]
fn installs_on_aarch64() {
    installs(Arch::Aarch64, "install");
}

#[test]
fn installs_on_riscv64() {
    installs(Arch::Riscv64, "install");
}

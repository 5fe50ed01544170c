//! The x86_64 ISO comes up on a machine without UEFI, and other people's tools agree on how.

use crate::fixture::{identity, machine, session, systems};
use std::process::Command;
use vrel_build::qemu::{Boot, Files, boot};
use vrel_model::Arch;
use vrel_pack::grub::Installed;
use vrel_world::RealWorld;

fn comes_up(medium: &str) {
    let iso = &systems()[&Arch::X86_64].iso;
    let request = Boot {
        machine: &machine(Arch::X86_64),
        medium,
        files: Files {
            image: Some(iso),
            ..Files::default()
        },
        expected: &identity(Arch::X86_64),
        session: &session(),
    };
    let booted = boot(&RealWorld::default(), &request, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(booted.identity, identity(Arch::X86_64));
    // The loader for UEFI had no part in it.
    assert!(
        !booted.serial.iter().any(|line| line.contains("loader")),
        "{:?}",
        booted.serial
    );
}

#[test]
fn comes_up_from_a_cd_without_uefi() {
    comes_up("bios");
}

#[test]
fn comes_up_from_a_usb_stick_without_uefi() {
    comes_up("bios-usb");
}

#[test]
fn grub_sees_a_multiboot2_kernel() {
    let kernel = &systems()[&Arch::X86_64].kernel;
    let check = |program: &str| {
        Command::new(program)
            .arg("--is-x86-multiboot2")
            .arg(kernel)
            .status()
    };
    // Some distributions put the version into the name.
    let status = check("grub-file").or_else(|_| check("grub2-file"));
    assert!(status.unwrap().success());
}

/// Block of the first El Torito image, and the ISO's first sector.
fn boot_image_and_sector(iso: &std::path::Path) -> (u64, Vec<u8>) {
    let report = Command::new("xorriso")
        .args(["-indev", iso.to_str().unwrap(), "-report_el_torito", "plain"])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let report = String::from_utf8(report.stdout).unwrap();
    let line = report
        .lines()
        .find(|line| line.starts_with("El Torito boot img :   1  BIOS"));
    let block = line
        .unwrap_or_else(|| panic!("{report}"))
        .split_whitespace()
        .last();
    let sector = std::fs::read(iso).unwrap()[..512].to_vec();
    (block.unwrap().parse().unwrap(), sector)
}

#[test]
fn xorriso_writes_the_same_boot_code() {
    let dir = tempfile::tempdir().unwrap();
    let world = RealWorld::default();
    let installed = Installed::find(&world).unwrap();
    let (ours, our_sector) = boot_image_and_sector(&systems()[&Arch::X86_64].iso);
    // A file in front moves the image to where ours is not.
    let tree = dir.path().join("tree");
    std::fs::create_dir_all(tree.join("boot")).unwrap();
    std::fs::write(tree.join("a"), vec![1; 100_000]).unwrap();
    std::fs::write(tree.join("boot/bios.img"), vec![7; 100_000]).unwrap();
    let theirs = dir.path().join("theirs.iso");
    let output = Command::new("xorriso")
        .args(["-as", "mkisofs", "-R", "-b", "boot/bios.img", "-no-emul-boot"])
        .args(["-boot-load-size", "4", "-boot-info-table", "--grub2-boot-info"])
        .arg("--grub2-mbr")
        .arg(installed.directory().join("boot_hybrid.img"))
        .arg("-o")
        .args([&theirs, &tree])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (block, mut sector) = boot_image_and_sector(&theirs);
    assert_ne!(block, ours);
    let address = |sector: &[u8]| u64::from_le_bytes(sector[0x1b0..0x1b8].try_into().unwrap());
    assert_eq!(
        (address(&sector), address(&our_sector)),
        (block * 4 + 4, ours * 4 + 4)
    );
    // But for the address, their boot code is ours.
    sector[0x1b0..0x1b8].copy_from_slice(&our_sector[0x1b0..0x1b8]);
    assert!(sector[..440] == our_sector[..440]);
}

#[test]
fn sgdisk_finds_the_partition_table_behind_the_boot_code_sound() {
    let iso = &systems()[&Arch::X86_64].iso;
    let output = Command::new("sgdisk").arg("--verify").arg(iso).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("No problems found"),
        "{text}"
    );
}

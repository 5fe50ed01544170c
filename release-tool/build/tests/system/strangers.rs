//! Other people's tools find nothing wrong with what was packed.

use crate::fixture::{System, systems};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Runs a tool, which must be satisfied, and returns what it printed.
fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> String {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program}: {}: {text}", output.status);
    text
}

fn for_each(check: impl Fn(&System, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    for system in systems().values() {
        check(system, dir.path());
    }
}

#[test]
fn fsck_finds_the_esp_clean() {
    for_each(|system, _| {
        let text = run(
            "fsck.vfat",
            [OsStr::new("-n"), OsStr::new("-v"), system.esp.as_os_str()],
        );
        // Loader, kernel, initrd, their three directories and the volume's label; the last line but for
        // complaints.
        assert!(text.lines().last().unwrap().contains(": 7 files, "), "{text}");
        assert!(
            text.lines()
                .rev()
                .nth(1)
                .unwrap()
                .contains("Checking for unused clusters"),
            "{text}"
        );
    });
}

#[test]
fn sgdisk_finds_the_partition_table_sound() {
    for_each(|system, _| {
        let text = run("sgdisk", [OsStr::new("--verify"), system.disk.as_os_str()]);
        assert!(text.contains("No problems found"), "{text}");
        let text = run("sgdisk", [OsStr::new("--info=1"), system.disk.as_os_str()]);
        assert!(text.contains("C12A7328-F81F-11D2-BA4B-00A0C93EC93B"), "{text}");
    });
}

#[test]
fn xorriso_reads_the_iso_and_its_boot_records() {
    for_each(|system, dir| {
        let iso = system.iso.to_str().unwrap();
        let text = run(
            "xorriso",
            [
                "-indev",
                iso,
                "-report_el_torito",
                "plain",
                "-report_system_area",
                "plain",
            ],
        );
        assert!(text.contains("Volume id    : 'VERIDIANOS_0_6_0_RC1'"), "{text}");
        // Only a PC can be without UEFI.
        let platforms: &[&str] = if system.loader_file == "BOOTX64.EFI" {
            &["BIOS", "UEFI"]
        } else {
            &["UEFI"]
        };
        for (number, platform) in (1..).zip(platforms) {
            let entry = format!("El Torito boot img :   {number}  {platform}  y   none");
            assert!(text.lines().any(|line| line.starts_with(&entry)), "{text}");
        }
        assert_eq!(
            text.matches("El Torito boot img :").count(),
            platforms.len(),
            "{text}"
        );
        assert!(text.contains("GPT partition name"), "{text}");
        assert!(!text.contains("FAILURE") && !text.contains("SORRY"), "{text}");
        let out = dir.join("kernel.elf");
        let out = out.to_str().unwrap();
        run(
            "xorriso",
            [
                "-osirrox",
                "on",
                "-indev",
                iso,
                "-extract",
                "/veridian/kernel.elf",
                out,
            ],
        );
        assert!(std::fs::read(out).unwrap() == std::fs::read(&system.kernel).unwrap());
        std::fs::set_permissions(out, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        std::fs::remove_file(out).unwrap();
    });
}

#[test]
fn mtools_reads_the_loader_from_the_esp() {
    for_each(|system, dir| {
        let esp = system.esp.to_str().unwrap();
        let listing = run("mdir", ["-i", esp, "-b", "::/EFI/BOOT"]);
        let name = listing.trim().strip_prefix("::").unwrap();
        let out = dir.join("loader");
        run(
            "mcopy",
            ["-n", "-i", esp, &format!("::{name}"), out.to_str().unwrap()],
        );
        assert!(std::fs::read(&out).unwrap() == std::fs::read(&system.loader).unwrap());
    });
}

#[test]
fn objcopy_makes_the_same_flat_image() {
    for_each(|system, dir| {
        let out = dir.join("flat");
        let args = [
            "-I",
            "elf64-little",
            "-O",
            "binary",
            system.kernel.to_str().unwrap(),
            out.to_str().unwrap(),
        ];
        run("objcopy", args);
        assert!(std::fs::read(&out).unwrap() == std::fs::read(&system.kernel_flat).unwrap());
    });
}

#[test]
fn tar_lists_the_initrd() {
    for_each(|system, _| {
        let list = |name: &str| run("tar", ["-tf", system.initrd[name].to_str().unwrap()]);
        assert_eq!(list("faults"), "fault\nfpu\nroot\nwx-segment\n");
        let released = run(
            "tar",
            [
                "-xOf",
                system.initrd["system"].to_str().unwrap(),
                "etc/os-release",
            ],
        );
        assert!(released.contains("VERSION_ID=0.6.0-rc1\n"), "{released}");
        let long = run("tar", ["-tvf", system.initrd["system-suite"].to_str().unwrap()]);
        assert!(long.contains(" ls link to coreutils\n"), "{long}");
    });
}

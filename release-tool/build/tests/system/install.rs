//! The ISO installs the system: unattended on every architecture, and on x86_64 as a person at the serial line says.

use crate::fixture::{identity, machine, session, systems};
use crate::typist::Typist;
use std::path::{Path, PathBuf};
use std::process::Command;
use vrel_build::installer::{Installation, Media, TARGET_SIZE, blank_disk, install, run};
use vrel_build::qemu::{Boot, Files, boot};
use vrel_build::{BootFailure, BuildError, Machine};
use vrel_model::Arch;
use vrel_world::RealWorld;

const DONE: &str = "installer: VeridianOS is installed on disk 1";

/// Runs somebody else's tool, which must be satisfied, and returns what it printed.
fn tool(program: &str, option: &str, file: &Path) -> String {
    let output = Command::new(program)
        .arg(option)
        .arg(file)
        .env("LC_ALL", "C")
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {text}");
    text
}

fn check_file_system(partition: &[u8], dir: &Path) {
    let copy = dir.join("partition");
    std::fs::write(&copy, partition).unwrap();
    tool("fsck.vfat", "-n", &copy);
}

/// Other people's tools find nothing wrong with an installed disk, and its partition is what was packed.
fn examine(arch: Arch, disk: &Path, dir: &Path) {
    let text = tool("sgdisk", "--verify", disk);
    assert!(text.contains("No problems found"), "{text}");
    let bytes = std::fs::read(disk).unwrap();
    let esp = std::fs::read(&systems()[&arch].esp).unwrap();
    let partition = &bytes[1 << 20..][..esp.len()];
    assert!(partition == esp, "the partition is not what was packed");
    check_file_system(partition, dir);
}

/// Boots an installed disk alone.
fn comes_up(machine: &Machine, disk: &Path) {
    let request = Boot {
        machine,
        medium: "disk",
        files: Files {
            image: Some(disk),
            ..Files::default()
        },
        expected: &identity(machine.arch),
        session: &session(),
    };
    let booted = boot(&RealWorld::default(), &request, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        !booted.serial.iter().any(|line| line.contains("install")),
        "the installed system is no installer: {:?}",
        booted.serial
    );
}

/// The raw disk of another system: the same one with another commit in its identity.
fn older(arch: Arch, dir: &Path) -> PathBuf {
    let mut bytes = std::fs::read(&systems()[&arch].disk).unwrap();
    let commit = identity(arch).commit;
    let other = commit.replacen("0123", "3210", 1);
    let places: Vec<_> = (0..=bytes.len() - commit.len())
        .filter(|at| bytes[*at..].starts_with(commit.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "the disk does not say what is on it");
    for at in places {
        bytes[at..at + other.len()].copy_from_slice(other.as_bytes());
    }
    let path = dir.join("older.img");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn installs_over_another(arch: Arch) {
    let dir = tempfile::tempdir().unwrap();
    let older = older(arch, dir.path());
    let installation = Installation {
        machine: &machine(arch),
        medium: "install",
        iso: &systems()[&arch].iso,
        over: Some(&older),
        scratch: dir.path(),
        expected: &identity(arch),
        session: &session(),
    };
    let installed = install(&RealWorld::default(), &installation, &mut |_| {});
    let installed = installed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(installed.booted.identity, identity(arch));
    examine(arch, &installed.target, dir.path());
}

#[test]
fn installs_over_another_system_on_x86_64() {
    installs_over_another(Arch::X86_64);
}

#[test]
fn installs_over_another_system_on_aarch64() {
    installs_over_another(Arch::Aarch64);
}

#[test]
fn installs_over_another_system_on_riscv64() {
    installs_over_another(Arch::Riscv64);
}

fn installs(arch: Arch, medium: &str) {
    let dir = tempfile::tempdir().unwrap();
    let iso = &systems()[&arch].iso;
    let before = std::fs::read(iso).unwrap();
    let installation = Installation {
        machine: &machine(arch),
        medium,
        iso,
        over: None,
        scratch: dir.path(),
        expected: &identity(arch),
        session: &session(),
    };
    let installed = install(&RealWorld::default(), &installation, &mut |_| {});
    let installed = installed.unwrap_or_else(|error| panic!("{error}"));
    assert!(before == std::fs::read(iso).unwrap(), "the ISO was changed");
    assert!(installed.installer.iter().any(|line| line == DONE));
    assert_eq!(installed.booted.identity, identity(arch));
    examine(arch, &installed.target, dir.path());
}

#[test]
fn installs_on_x86_64() {
    installs(Arch::X86_64, "install");
}

#[test]
fn installs_from_a_usb_stick_on_x86_64() {
    installs(Arch::X86_64, "install-usb");
}

#[test]
fn installs_on_aarch64() {
    installs(Arch::Aarch64, "install");
}

#[test]
fn installs_on_riscv64() {
    installs(Arch::Riscv64, "install-usb");
}

/// An x86_64 machine with a disk to install to.
struct Scene {
    dir: tempfile::TempDir,
    machine: Machine,
    target: PathBuf,
}

impl Scene {
    /// With a disk of this size and, if any, this answer file.
    fn new(size: u64, answers: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target.img");
        blank_disk(&RealWorld::default(), &target, size).unwrap();
        let volume = dir.path().join("answers/veridian");
        std::fs::create_dir_all(&volume).unwrap();
        if let Some(answers) = answers {
            std::fs::write(volume.join("answers.txt"), answers).unwrap();
        }
        Self {
            dir,
            machine: machine(Arch::X86_64),
            target,
        }
    }

    /// Puts something onto the disk that nobody wants to lose.
    fn fill(self) -> Self {
        let mut bytes = std::fs::read(&self.target).unwrap();
        for (index, byte) in (0_u32..).zip(&mut bytes) {
            *byte = (index.wrapping_mul(2_654_435_761) >> 24) as u8;
        }
        std::fs::write(&self.target, bytes).unwrap();
        self
    }

    fn media<'a>(&'a self, answers: &'a Path) -> Media<'a> {
        Media {
            iso: &systems()[&Arch::X86_64].iso,
            target: &self.target,
            answers,
        }
    }

    fn run(&self) -> Result<Vec<String>, BuildError> {
        let answers = self.dir.path().join("answers");
        run(
            &RealWorld::default(),
            &self.machine,
            "install",
            &self.media(&answers),
            &mut |_| {},
        )
    }

    /// Runs what ends in a live system, switches that off, and returns all that was said.
    fn run_live(&self) -> String {
        let answers = self.dir.path().join("answers");
        let mut typist = Typist::start(&self.machine, "install", &self.media(&answers));
        typist.wait_for(&identity(Arch::X86_64).to_string());
        typist.wait_for("$ ");
        let (status, said) = typist.last_words_after("poweroff\r");
        assert_eq!(status, Some(self.machine.success), "{said}");
        said
    }

    /// The installer must say each of these, and change nothing.
    fn is_refused(&self, reasons: &[&str]) {
        let before = std::fs::read(&self.target).unwrap();
        let serial = self.run().unwrap_or_else(|error| panic!("{error}"));
        for reason in reasons {
            assert!(serial.iter().any(|line| line.contains(reason)), "{serial:#?}");
        }
        assert!(
            serial
                .iter()
                .any(|line| line.starts_with("installer: refused: ")
                    && line.ends_with("; nothing was changed")),
            "{serial:#?}"
        );
        assert!(
            before == std::fs::read(&self.target).unwrap(),
            "the disk was changed"
        );
    }
}

#[test]
fn a_disk_that_is_not_empty_is_kept_unless_the_answers_say_otherwise() {
    let scene = Scene::new(TARGET_SIZE, Some("install-to = disk 1\n")).fill();
    scene.is_refused(&["refused: disk 1 is not empty, and the answer file does not say `erase = yes`"]);
}

#[test]
fn a_disk_that_is_too_small_is_refused_with_both_sizes() {
    let scene = Scene::new(10 << 20, Some("install-to = empty\n"));
    scene.is_refused(&[
        "left out a disk: expected a disk of at least 18 MiB, got one of 10 MiB",
        "refused: expected exactly one empty disk, got 0",
    ]);
}

#[test]
fn an_answer_that_is_not_understood_is_refused() {
    let scene = Scene::new(TARGET_SIZE, Some("instal-to = empty\n"));
    scene.is_refused(&["line 1: expected `install-to`, `erase` or `then`, got `instal-to`"]);
}

#[test]
fn an_installer_that_refuses_fails_the_test_of_installing() {
    let scene = Scene::new(TARGET_SIZE, None);
    let mut broken = scene.machine.clone();
    let medium = broken.boot.get_mut("install").unwrap();
    // The disk cannot be written to: there is none to install to.
    for arg in &mut medium.args {
        *arg = arg.replace("snapshot=off,file={target}", "readonly=on,file={target}");
    }
    let installation = Installation {
        machine: &broken,
        medium: "install",
        iso: &systems()[&Arch::X86_64].iso,
        over: None,
        scratch: scene.dir.path(),
        expected: &identity(Arch::X86_64),
        session: &session(),
    };
    let error = install(&RealWorld::default(), &installation, &mut |_| {}).unwrap_err();
    let BuildError::Boot { failure, .. } = error else {
        panic!("{error}")
    };
    assert!(
        matches!(&failure, BootFailure::NotInstalled { said: Some(said) } if said.contains("one empty disk, got 0")),
        "{failure}"
    );
}

#[test]
fn a_full_disk_with_large_blocks_is_overwritten_when_the_answers_say_so() {
    let answers = "# Large blocks\ninstall-to = size 64 MiB\nerase = yes\nthen = start\n";
    let mut scene = Scene::new(TARGET_SIZE, Some(answers)).fill();
    let blocks = "logical_block_size=4096,physical_block_size=4096";
    let install = scene.machine.boot.get_mut("install").unwrap();
    for arg in &mut install.args {
        *arg = arg.replace("drive=t", &format!("drive=t,{blocks}"));
    }
    let disk = scene.machine.boot.get_mut("disk").unwrap();
    disk.args = vec![
        "-bios".into(),
        "{firmware}".into(),
        "-drive".into(),
        "if=none,id=t,format=raw,file={image}".into(),
        "-device".into(),
        format!("virtio-blk-pci,drive=t,{blocks}"),
    ];
    let said = scene.run_live();
    assert!(
        said.contains("64 MiB, blocks of 4096 bytes, is not empty") && said.contains(DONE),
        "{said}"
    );
    comes_up(&scene.machine, &scene.target);
    // Sectors as large as blocks: systems that mount the partition insist on it.
    let partition = std::fs::read(&scene.target).unwrap()[1 << 20..17 << 20].to_vec();
    assert_eq!(partition[11..13], 4096_u16.to_le_bytes());
    check_file_system(&partition, scene.dir.path());
}

#[test]
fn without_a_key_the_live_system_starts() {
    let scene = Scene::new(TARGET_SIZE, None);
    let said = scene.run_live();
    assert!(said.contains("nothing was chosen: starting"), "{said}");
    assert!(
        std::fs::read(&scene.target)
            .unwrap()
            .iter()
            .all(|&byte| byte == 0)
    );
}

#[test]
fn a_person_is_asked_and_mistakes_change_nothing() {
    let scene = Scene::new(TARGET_SIZE, None).fill();
    let before = std::fs::read(&scene.target).unwrap();
    let answers = scene.dir.path().join("answers");
    let mut typist = Typist::start(&scene.machine, "install", &scene.media(&answers));
    typist.wait_for("2  install on a disk");
    typist.answer("x\u{7f}3\r", "expected 1 or 2, got `3`");
    typist.answer("2\r", "1  64 MiB, blocks of 512 bytes, is not empty");
    typist.answer("7\r", "expected the number of a listed disk, 1 to 1, got 7");
    typist.answer("2\r", "Number of the disk");
    typist.answer("1\r", "Everything on disk 1 (64 MiB) will be lost.");
    typist.answer("Yes\r", "that was not `yes`; nothing was changed");
    assert!(
        before == std::fs::read(&scene.target).unwrap(),
        "a refusal changed the disk"
    );
    typist.answer("2\r", "Number of the disk");
    typist.answer("1\r", "Type yes to go on:");
    typist.answer("yes\r", DONE);
    typist.answer("x\r", "expected p, r or s, got `x`");
    assert_eq!(typist.end_after("p\r"), Some(0));
    comes_up(&scene.machine, &scene.target);
    examine(Arch::X86_64, &scene.target, scene.dir.path());
}

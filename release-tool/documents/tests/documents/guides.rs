//! What the guides say about which release.

use crate::{PACKERS, check, full, full_upgrade, headings, release};
use vrel_documents::DocumentError;
use vrel_documents::guides::{Upgrade, installation, upgrade};
use vrel_model::{Arch, Packer};

/// The headings of a release without any files.
const ALWAYS: [&str; 3] = ["What you need", "Verify", "First boot"];

#[test]
fn full_guides_are_as_expected() {
    check("installation-full.md", &installation(&full()).unwrap());
    check("upgrade-full.md", &upgrade(&full(), &full_upgrade()).unwrap());
}

#[test]
fn guides_of_a_final_release_without_history_are_as_expected() {
    let mut release = release(&[Packer::Disk, Packer::Source], &[Arch::Riscv64]);
    release.version = "0.6.0".parse().unwrap();
    release.channel = "stable".parse().unwrap();
    (release.repository, release.issue_url) = (None, None);
    release.key_ids.clear();
    check("installation-small.md", &installation(&release).unwrap());
    check(
        "upgrade-first.md",
        &upgrade(&release, &Upgrade::default()).unwrap(),
    );
}

#[test]
fn a_section_appears_when_the_release_has_what_it_is_about() {
    let sections: [(&[Packer], &[&str]); 12] = [
        (
            &[Packer::Iso],
            &["Start from a USB stick or CD", "Install", "Licences"],
        ),
        (&[Packer::Disk], &["Start a disk image in QEMU"]),
        (&[Packer::Qcow2], &["Start a disk image in QEMU"]),
        (&[Packer::Kernel], &[]),
        (
            &[Packer::Kernel, Packer::KernelFlat, Packer::Initrd],
            &["Start the kernel without firmware"],
        ),
        (&[Packer::Vdi], &["VirtualBox"]),
        (&[Packer::Ova], &["VirtualBox"]),
        (&[Packer::Vmdk], &["VMware"]),
        (&[Packer::Vhd], &["Clouds"]),
        (&[Packer::Oci], &["Container image"]),
        (&[Packer::ManPages], &[]),
        (&[], &[]),
    ];
    for (packers, own) in sections {
        let guide = installation(&release(packers, &Arch::ALL)).unwrap();
        let found = headings(&guide, "##");
        let others = ["Download", "Other files of the release"];
        let found: Vec<_> = found
            .into_iter()
            .filter(|name| !ALWAYS.contains(name) && !others.contains(name))
            .collect();
        assert_eq!(found, own, "{packers:?}");
    }
}

#[test]
fn every_file_of_a_release_is_in_its_guide_and_no_other() {
    for (packer, ..) in PACKERS {
        let release = release(&[packer], &Arch::ALL);
        let guide = installation(&release).unwrap();
        for file in &release.files {
            assert!(
                guide.matches(file.name.as_str()).count() >= 2,
                "{} should be in the table and in a section of\n{guide}",
                file.name
            );
        }
        for other in full().files.iter().filter(|file| file.packer != packer) {
            assert!(
                !guide.contains(other.name.as_str()),
                "{} in the guide for {packer}",
                other.name
            );
        }
    }
}

#[test]
fn a_kernel_is_started_in_the_form_that_its_architecture_takes() {
    let guide = installation(&full()).unwrap();
    for line in [
        "-kernel veridianos-0.6.0-rc1-x86_64-kernel.elf -initrd veridianos-0.6.0-rc1-x86_64-initrd.tar",
        "-kernel veridianos-0.6.0-rc1-aarch64-kernel.bin -initrd veridianos-0.6.0-rc1-aarch64-initrd.tar",
        "-kernel veridianos-0.6.0-rc1-riscv64-kernel.elf -initrd veridianos-0.6.0-rc1-riscv64-initrd.tar",
    ] {
        assert!(guide.contains(line), "{line}");
    }
}

#[test]
fn guides_are_tidy_markdown() {
    for guide in [
        installation(&full()).unwrap(),
        installation(&release(&[], &[])).unwrap(),
        upgrade(&full(), &full_upgrade()).unwrap(),
    ] {
        assert!(!guide.contains("\n\n\n"), "{guide}");
        for line in guide.lines() {
            assert_eq!(line.trim_end(), line, "a trailing blank");
        }
        let fences: Vec<_> = guide
            .lines()
            .filter(|line| line.trim_start().starts_with("```"))
            .collect();
        assert!(
            fences
                .chunks(2)
                .all(|pair| pair.len() == 2 && pair[1].trim_start() == "```"),
            "{fences:?}"
        );
        // A table needs its line of dashes below the head, or it is a paragraph.
        for (head, dashes) in guide.lines().zip(guide.lines().skip(1)) {
            if head.starts_with("| File") || head.starts_with("| Tool") || head.starts_with("| Key") {
                assert!(dashes.starts_with("| ---"), "{head}\n{dashes}");
            }
        }
    }
}

#[test]
fn values_that_would_break_a_guide_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut vrel_documents::guides::Release)| {
        let mut release = full();
        change(&mut release);
        match installation(&release) {
            Err(DocumentError::Field { field, problem }) => {
                assert!(upgrade(&release, &full_upgrade()).is_err());
                format!("{field} {problem}")
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refused(&|release| release.product = " ".into()),
        "product is blank: expected a text"
    );
    assert!(refused(&|release| release.product = "a\nb".into()).starts_with("product is `a\\nb`"));
    for url in [
        "ftp://x",
        "https://",
        "https://x/",
        "https://x y",
        "https://x/$(id)",
        "https://x/`id`",
        "https://x'",
    ] {
        let problem = refused(&|release| release.public_url = url.into());
        assert!(
            problem.starts_with("public-url is `") && problem.contains("expected an address"),
            "{problem}"
        );
    }
    assert!(refused(&|release| release.repository = Some("x".into())).starts_with("repository is `x`"));
    assert!(refused(&|release| release.issue_url = Some(String::new())).starts_with("issue-url is ``"));
    assert_eq!(
        refused(&|release| release.files[1].description = String::new()),
        "files[1].description is blank: expected a text"
    );
    assert_eq!(
        refused(&|release| release.tools[0].purpose = "\u{200b}".into()),
        "tools[0].purpose is blank: expected a text"
    );
}

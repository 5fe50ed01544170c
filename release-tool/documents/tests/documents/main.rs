//! Guides and pages, through the public interface.

mod attacks;
mod guides;
mod pages;
mod text;

use std::path::Path;
use vrel_documents::guides::{GuideFile, Release, Tool, Upgrade};
use vrel_model::{Arch, Packer, Sha256Digest, UtcTime};

/// Every packer of something that can be downloaded, with the end of its file's name and whether it is made for each
/// architecture.
const PACKERS: [(Packer, &str, bool); 18] = [
    (Packer::Iso, ".iso", true),
    (Packer::Disk, ".img", true),
    (Packer::Qcow2, ".qcow2", true),
    (Packer::Vdi, ".vdi", true),
    (Packer::Ova, ".ova", true),
    (Packer::Vmdk, ".vmdk", true),
    (Packer::Vhd, ".vhd", true),
    (Packer::Gcp, "-gcp.tar.gz", true),
    (Packer::AwsImport, "-aws-import.json", true),
    (Packer::Kernel, "-kernel.elf", true),
    (Packer::KernelFlat, "-kernel.bin", true),
    (Packer::Initrd, "-initrd.tar", true),
    (Packer::Symbols, "-symbols.tar.zst", true),
    (Packer::Oci, "-oci.tar", false),
    (Packer::Source, "-source.tar.zst", false),
    (Packer::Vendor, "-vendor.tar.zst", false),
    (Packer::ManPages, "-man-pages.tar.zst", false),
    (Packer::ApiDocs, "-api-docs.tar.zst", false),
];

/// A release with the files of these packers, for these architectures.
fn release(packers: &[Packer], arches: &[Arch]) -> Release {
    let mut files = Vec::new();
    for (packer, end, per_arch) in PACKERS
        .into_iter()
        .filter(|(packer, ..)| packers.contains(packer))
    {
        let arches: Vec<_> = if per_arch {
            arches.iter().copied().map(Some).collect()
        } else {
            vec![None]
        };
        for arch in arches {
            let middle = arch.map(|arch| format!("-{arch}")).unwrap_or_default();
            files.push(GuideFile {
                name: format!("veridianos-0.6.0-rc1{middle}{end}").parse().unwrap(),
                packer,
                arch,
                description: format!("what `{packer}` makes | or so"),
                size: 5_347_328,
                sha256: Sha256Digest::new([0x5a; 32]),
            });
        }
    }
    Release {
        product: "VeridianOS".to_owned(),
        version: "0.6.0-rc1".parse().unwrap(),
        date: UtcTime::from_unix(1_795_230_000).unwrap(),
        channel: "beta".parse().unwrap(),
        public_url: "https://releases.example.org".to_owned(),
        repository: Some("https://example.org/veridianos".to_owned()),
        issue_url: Some("https://example.org/issues/".to_owned()),
        key_role: "release".parse().unwrap(),
        key_ids: vec!["0123456789ABCDEF".parse().unwrap()],
        tools: Tool::tried(),
        files,
    }
}

fn full() -> Release {
    let packers = PACKERS.map(|(packer, ..)| packer);
    release(&packers, &Arch::ALL)
}

fn full_upgrade() -> Upgrade {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Upgrade {
        previous: Some("0.5.7".parse().unwrap()),
        breaking: texts(&[
            "**Kernel:** Programs do not start.\n\n  **Migration:** Build again:\n\n  ```sh\n  make\n  ```",
        ]),
        deprecations: texts(&["The verb `make`"]),
        known_issues: texts(&["The clock drifts."]),
        limitations: texts(&["One core."]),
        notes: texts(&["Write the whole disk."]),
    }
}

/// Compares with a file of `expected/`; `UPDATE_EXPECTED=1` writes it anew.
fn check(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents/expected")
        .join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        expected == found,
        "{name} differs; expected:\n{expected}\nfound:\n{found}"
    );
}

/// The texts of the headings of a level, without those that are in code.
fn headings<'a>(document: &'a str, level: &str) -> Vec<&'a str> {
    let mut code = false;
    let mut found = Vec::new();
    for line in document.lines() {
        code ^= line.trim_start().starts_with("```");
        let text = line.strip_prefix(level).and_then(|rest| rest.strip_prefix(' '));
        found.extend(text.filter(|_| !code));
    }
    found
}

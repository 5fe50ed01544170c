//! The package with a virtual machine.

use crate::fixture::{check, ids, raw, run, same_bytes, time, world};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vrel_model::{Arch, ByteSize};
use vrel_pack::PackError;
use vrel_pack::ova::{Options, Package, Unpacked, unpack, write};

const SIZE: u64 = 10 << 20;

fn package(arch: Arch) -> Package<'static> {
    Package {
        name: "veridianos-0.6.0-rc1",
        product: "Veridian<OS> & \"co\"",
        version: "0.6.0-rc1",
        arch,
    }
}

fn packed(dir: &Path, arch: Arch) -> PathBuf {
    let source = dir.join("disk.raw");
    raw(&source, SIZE, &[(0, 100_000, 1), (SIZE - 512, 512, 2)]);
    let [one, two] = ["one.ova", "two.ova"].map(|name| dir.join(name));
    for out in [&one, &two] {
        write(
            &world(),
            &source,
            out,
            &Options::default(),
            &package(arch),
            &ids(),
            time(),
        )
        .unwrap();
    }
    assert!(same_bytes(&one, &two));
    one
}

/// What an XPath expression comes to in a description; its names have no prefixes.
fn value(description: &Path, path: &str) -> String {
    // Steps and attributes by their local names, whatever the name spaces.
    let mut expression = String::new();
    for step in path.split('/') {
        let (name, rest) = step
            .split_once('[')
            .map_or((step, String::new()), |(name, rest)| (name, format!("[{rest}")));
        let rest = rest.replace("rasd:", "*[local-name()='").replace("==", "']=");
        match name.strip_prefix('@') {
            Some(attribute) => expression += &format!("/@*[local-name()='{attribute}']"),
            None => expression += &format!("/*[local-name()='{name}']{rest}"),
        }
    }
    let text = run(
        "xmllint",
        [
            "--xpath",
            &format!("string({expression})"),
            description.to_str().unwrap(),
        ],
    );
    text.trim_end_matches('\n').to_owned()
}

fn unpacked(dir: &Path, arch: Arch) -> Unpacked {
    unpack(&world(), &packed(dir, arch), &dir.join("unpacked")).unwrap()
}

#[test]
fn tar_and_sha256sum_find_everything_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let archive = packed(dir.path(), Arch::X86_64);
    let names = run("tar", ["-tf", archive.to_str().unwrap()]);
    let name = "veridianos-0.6.0-rc1";
    assert_eq!(names, format!("{name}.ovf\n{name}.mf\n{name}-disk1.vmdk\n"));
    let magic = &std::fs::read(&archive).unwrap()[257..265];
    assert_eq!(magic, b"ustar\x0000");
    run(
        "tar",
        [
            "-C",
            dir.path().to_str().unwrap(),
            "-xf",
            archive.to_str().unwrap(),
        ],
    );
    let digests = std::fs::read_to_string(dir.path().join(format!("{name}.mf"))).unwrap();
    for line in digests.lines() {
        let (file, digest) = line.strip_prefix("SHA256(").unwrap().split_once(")= ").unwrap();
        let found = run("sha256sum", [dir.path().join(file)]);
        assert!(found.starts_with(digest), "{line}: {found}");
    }
    assert_eq!(digests.lines().count(), 2);
}

#[test]
fn we_unpack_the_disk_that_was_packed() {
    let dir = tempfile::tempdir().unwrap();
    let unpacked = unpacked(dir.path(), Arch::Riscv64);
    assert_eq!(unpacked.disks.len(), 1);
    check(&unpacked.disks[0], "vmdk", SIZE, &dir.path().join("disk.raw"));
}

#[test]
fn the_description_is_complete_and_its_references_lead_somewhere() {
    for arch in Arch::ALL {
        let dir = tempfile::tempdir().unwrap();
        let unpacked = unpacked(dir.path(), arch);
        let description = unpacked.description.as_path();
        run("xmllint", ["--noout", description.to_str().unwrap()]);
        let get = |path: &str| value(description, path);
        let disk = unpacked.disks[0].file_name().unwrap().to_str().unwrap();
        assert_eq!(get("Envelope/References/File/@href"), disk);
        assert_eq!(
            get("Envelope/DiskSection/Disk/@fileRef"),
            get("Envelope/References/File/@id")
        );
        assert_eq!(get("Envelope/DiskSection/Disk/@capacity"), SIZE.to_string());
        assert!(get("Envelope/DiskSection/Disk/@format").ends_with("#streamOptimized"));
        assert_eq!(get("Envelope/VirtualSystem/@id"), "veridianos-0.6.0-rc1");
        assert_eq!(
            get("Envelope/VirtualSystem/ProductSection/Product"),
            "Veridian<OS> & \"co\""
        );
        assert_eq!(get("Envelope/VirtualSystem/OperatingSystemSection/@id"), "102");
        let item = |kind: u32, field: &str| {
            get(&format!(
                "Envelope/VirtualSystem/VirtualHardwareSection/Item[rasd:ResourceType=={kind}]/{field}"
            ))
        };
        assert_eq!(item(3, "VirtualQuantity"), "1");
        assert_eq!(
            (item(4, "VirtualQuantity"), item(4, "AllocationUnits")),
            ("512".into(), "byte * 2^20".into())
        );
        assert_eq!(item(17, "Parent"), item(20, "InstanceID"));
        let reference = format!("ovf:/disk/{}", get("Envelope/DiskSection/Disk/@diskId"));
        assert_eq!(item(17, "HostResource"), reference);
        assert_eq!(
            get("Envelope/VirtualSystem/VirtualHardwareSection/Config/@key"),
            "firmware"
        );
        assert_eq!(
            get("Envelope/VirtualSystem/VirtualHardwareSection/Config/@value"),
            "efi"
        );
        let machine = |path: &str| get(&format!("Envelope/VirtualSystem/Machine/{path}"));
        let (kind, storage) = match arch {
            Arch::X86_64 => ("Other_64", "StorageControllers"),
            Arch::Aarch64 => ("Other_arm64", "Hardware/StorageControllers"),
            Arch::Riscv64 => {
                assert_eq!(machine("@uuid"), "");
                continue;
            }
        };
        assert_eq!(machine("@OSType"), kind);
        assert_eq!(machine("Hardware/Firmware/@type"), "EFI");
        assert_eq!(machine("Hardware/Memory/@RAMSize"), "512");
        let attached = machine(&format!("{storage}/StorageController/AttachedDevice/Image/@uuid"));
        assert_eq!(
            attached,
            format!("{{{}}}", get("Envelope/DiskSection/Disk/@uuid"))
        );
    }
}

/// The schema has the elements of an item in alphabetical order, and no identifier twice.
#[test]
fn items_are_in_the_order_of_the_schema() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(unpacked(dir.path(), Arch::X86_64).description).unwrap();
    let mut ids = BTreeSet::new();
    for item in text.split("<Item>").skip(1) {
        let item = item.split("</Item>").next().unwrap();
        let element = |line: &str| {
            line.trim()
                .strip_prefix("<rasd:")?
                .split('>')
                .next()
                .map(str::to_owned)
        };
        let names: Vec<String> = item.lines().filter_map(element).collect();
        assert!(names.is_sorted(), "{names:?}");
        for required in ["ElementName", "InstanceID", "ResourceType"] {
            assert!(names.iter().any(|name| name == required), "{item}");
        }
        let id = item
            .split("<rasd:InstanceID>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap();
        assert!(ids.insert(id.to_owned()), "{id} twice");
    }
    assert_eq!(ids.len(), 4);
}

#[test]
fn options_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (source, out) = (dir.path().join("raw"), dir.path().join("out"));
    raw(&source, SIZE, &[]);
    let options = |memory, cpus| Options {
        memory: ByteSize(memory),
        cpus,
    };
    let good = package(Arch::X86_64);
    for (options, package, why) in [
        (
            options(1 << 20, 1),
            good,
            "memory: expected whole MiB from 64 MiB",
        ),
        (options((64 << 20) + 1, 1), good, "memory: expected"),
        (options(64 << 20, 0), good, "cpus: expected 1 to 64, got `0`"),
        (options(64 << 20, 65), good, "cpus: expected"),
        (
            options(64 << 20, 1),
            Package { name: "../x", ..good },
            "virtual machine's name",
        ),
        (
            options(64 << 20, 1),
            Package {
                name: &"n".repeat(90),
                ..good
            },
            "virtual machine's name",
        ),
    ] {
        let error = write(&world(), &source, &out, &options, &package, &ids(), time()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    let read: Options = serde_json::from_str(r#"{ "memory": "1 GiB", "cpus": 2 }"#).unwrap();
    assert_eq!(read, options(1 << 30, 2));
    assert!(serde_json::from_str::<Options>(r#"{ "ram": "1 GiB" }"#).is_err());
}

/// Name and content.
type PackedFile<'a> = (&'a str, &'a [u8]);

/// A package of these files, put together by hand.
fn put_together(dir: &Path, files: &[PackedFile<'_>]) -> PathBuf {
    let path = dir.join("other.ova");
    let mut builder = tar::Builder::new(std::fs::File::create(&path).unwrap());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        // Not through `set_path`, which refuses what is tried here.
        let bytes = name.as_bytes();
        header.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_entry_type(if name.ends_with("link") {
            tar::EntryType::Symlink
        } else {
            tar::EntryType::Regular
        });
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.finish().unwrap();
    path
}

#[test]
fn packages_that_are_damaged_or_reach_out_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = packed(dir.path(), Arch::X86_64);
    let bytes = std::fs::read(&archive).unwrap();
    let (description, digests, disk) = ("v.ovf", "v.mf", "v.vmdk");
    let content = [b"text".as_slice(), b"disk".as_slice()];
    let sums = [
        "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1",
        "1", /* of no content */
    ];
    let sums_text = |disk: &str| {
        format!(
            "SHA256(v.ovf)= {}\nSHA256({disk})= {}\n",
            sums[0],
            sums[1].repeat(64)
        )
    };
    let good = sums_text(disk);
    let only = format!("SHA256(v.ovf)= {}\n", sums[0]);
    let outside = sums_text("../v.vmdk");
    let cases: [(&[PackedFile<'_>], &str); 10] = [
        (&[], "expected a description, NAME.ovf, found the end"),
        (&[(digests, good.as_bytes())], "in the first place"),
        (
            &[(description, content[0])],
            "expected digests, NAME.mf, found the end",
        ),
        (
            &[(description, content[0]), (disk, content[1])],
            "in the second place",
        ),
        (
            &[(description, b"other"), (digests, good.as_bytes())],
            "v.ovf with the SHA-256",
        ),
        (
            &[(description, content[0]), (digests, b"MD5(v.ovf)= 00")],
            "digests as",
        ),
        (
            &[
                (description, content[0]),
                (digests, good.as_bytes()),
                (disk, content[1]),
            ],
            "v.vmdk with the SHA-256",
        ),
        (
            &[
                (description, content[0]),
                (digests, outside.as_bytes()),
                ("../v.vmdk", content[1]),
            ],
            "plain file names",
        ),
        (
            &[
                (description, content[0]),
                (digests, only.as_bytes()),
                (disk, content[1]),
            ],
            "nothing more",
        ),
        (
            &[
                (description, content[0]),
                (digests, good.as_bytes()),
                ("link", b""),
            ],
            "regular files only",
        ),
    ];
    let out = dir.path().join("out");
    for (files, why) in cases {
        let package = put_together(dir.path(), files);
        let error = unpack(&world(), &package, &out).unwrap_err();
        assert!(matches!(error, PackError::Package { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        let left = std::fs::read_dir(&out).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{why}");
    }
    assert!(!dir.path().join("v.vmdk").exists());
    // A disk cut short, and one with a bit that is not as it was.
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
    ] {
        let mut bytes = bytes.clone();
        damage(&mut bytes);
        std::fs::write(&archive, bytes).unwrap();
        let error = unpack(&world(), &archive, &out).unwrap_err();
        assert!(matches!(error, PackError::Package { .. }), "{error}");
    }
}

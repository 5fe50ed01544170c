//! The system comes up from every disk format on every architecture.

use crate::fixture::{identity, ids, machine, session, systems, time};
use std::path::{Path, PathBuf};
use vrel_build::qemu::{Boot, Files, boot};
use vrel_model::{Arch, ByteSize};
use vrel_pack::{PackError, disk, gcp, ova, qcow2, vdi, vhd, vmdk};
use vrel_world::RealWorld;

/// Makes the disk of some architecture in a directory from the raw one, as somebody gets it who downloads it.
type Make = fn(Arch, &Path, &Path) -> Result<PathBuf, PackError>;

fn comes_up(arch: Arch, medium: &str, make: Make) {
    let world = RealWorld::default();
    let dir = tempfile::tempdir().unwrap();
    let raw = dir.path().join("disk.raw");
    // Google's disks are of whole GiB; the others take what there is.
    let size = if medium == "disk" {
        disk::Size::Exact(ByteSize(1 << 30))
    } else {
        disk::Size::Fit
    };
    disk::write_file(
        &world,
        &raw,
        &systems()[&arch].esp,
        &disk::Options { size },
        &ids(arch),
    )
    .unwrap();
    let image = make(arch, &raw, dir.path()).unwrap_or_else(|error| panic!("{error}"));
    std::fs::remove_file(raw).unwrap();
    let before = (medium != "disk").then(|| std::fs::read(&image).unwrap());
    let request = Boot {
        machine: &machine(arch),
        medium,
        files: Files {
            image: Some(&image),
            ..Files::default()
        },
        expected: &identity(arch),
        session: &session(),
    };
    let booted = boot(&world, &request, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(booted.identity, identity(arch));
    assert!(before.is_none_or(|before| before == std::fs::read(&image).unwrap()));
}

fn from_qcow2(arch: Arch) {
    comes_up(arch, "qcow2", |_, raw, dir| {
        let out = dir.join("disk.qcow2");
        let options = qcow2::Options { compress: true };
        qcow2::write(&RealWorld::default(), raw, &out, &options).map(|()| out)
    });
}

fn from_vdi(arch: Arch) {
    comes_up(arch, "vdi", |arch, raw, dir| {
        let out = dir.join("disk.vdi");
        vdi::write(&RealWorld::default(), raw, &out, &vdi::Options {}, &ids(arch)).map(|()| out)
    });
}

fn from_vhd(arch: Arch) {
    comes_up(arch, "vhd", |arch, raw, dir| {
        let out = dir.join("disk.vhd");
        let options = vhd::Options {};
        vhd::write(&RealWorld::default(), raw, &out, &options, &ids(arch), time()).map(|()| out)
    });
}

fn from_vmdk(arch: Arch) {
    comes_up(arch, "vmdk", |arch, raw, dir| {
        let out = dir.join("disk.vmdk");
        let options = vmdk::Options {};
        vmdk::write(
            &RealWorld::default(),
            raw,
            &out,
            &options,
            "disk.vmdk",
            &ids(arch),
        )
        .map(|()| out)
    });
}

fn from_an_ova(arch: Arch) {
    comes_up(arch, "vmdk", |arch, raw, dir| {
        let world = RealWorld::default();
        let out = dir.join("machine.ova");
        let package = ova::Package {
            name: "veridianos-0.6.0-rc1",
            product: "VeridianOS",
            version: "0.6.0-rc1",
            arch,
        };
        ova::write(
            &world,
            raw,
            &out,
            &ova::Options::default(),
            &package,
            &ids(arch),
            time(),
        )?;
        let unpacked = ova::unpack(&world, &out, &dir.join("machine"))?;
        Ok(unpacked.disks[0].clone())
    });
}

fn from_a_google_archive(arch: Arch) {
    comes_up(arch, "disk", |_, raw, dir| {
        let world = RealWorld::default();
        let (archive, disk) = (dir.join("disk.tar.gz"), dir.join("unpacked.raw"));
        gcp::write(&world, raw, &archive, time())?;
        gcp::unpack(&world, &archive, &disk).map(|()| disk)
    });
}

macro_rules! every_format {
    ($($arch:ident: $variant:ident),*) => {$(
        mod $arch {
            use vrel_model::Arch;

            #[test]
            fn comes_up_from_a_compressed_qcow2() {
                super::from_qcow2(Arch::$variant);
            }

            #[test]
            fn comes_up_from_a_vdi() {
                super::from_vdi(Arch::$variant);
            }

            #[test]
            fn comes_up_from_a_vhd() {
                super::from_vhd(Arch::$variant);
            }

            #[test]
            fn comes_up_from_a_vmdk() {
                super::from_vmdk(Arch::$variant);
            }

            #[test]
            fn comes_up_from_the_disk_in_an_ova() {
                super::from_an_ova(Arch::$variant);
            }

            #[test]
            fn comes_up_from_the_disk_in_a_google_archive() {
                super::from_a_google_archive(Arch::$variant);
            }
        }
    )*};
}

every_format!(x86_64: X86_64, aarch64: Aarch64, riscv64: Riscv64);

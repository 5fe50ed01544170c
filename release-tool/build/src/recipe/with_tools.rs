//! Packers that need something of the machine: GRUB, the repository.

use super::images::param;
use super::packers::{ImageParams, Row, Tools, only_output};
use crate::api_docs::{self, Reference};
use crate::man_pages;
use serde::Deserialize;
use std::path::Path;
use vrel_documents::manual::{Page, Stamp};
use vrel_graph::{Job, PackerError};
use vrel_model::{Arch, UtcTime, Version};
use vrel_pack::Zstd;
use vrel_pack::iso::Iso;
use vrel_pack::tree::{self, Tree};
use vrel_pack::{esp, install, source as source_tarball, vendor};

type Result<T> = std::result::Result<T, PackerError>;

/// What such a packer does.
type Pack = fn(&Job<'_>, &Tools) -> Result<()>;

/// Name, version and function of each.
pub(super) const ALL: &[Row<Pack>] = &[
    ("iso", 1, iso),
    ("source", 2, source),
    ("vendor", 2, vendored),
    ("man-pages", 2, manual),
    ("api-docs", 2, reference),
];

/// The compression that the recipe chose.
pub(super) fn zstd(job: &Job<'_>) -> Result<Zstd> {
    #[derive(Deserialize)]
    struct Params {
        level: i32,
        window_log: Option<u32>,
        workers: u32,
    }
    let Params {
        level,
        window_log,
        workers,
    } = param(job, "zstd")?;
    Ok(Zstd {
        level,
        window_log,
        workers,
    })
}

/// The installer ISO. Its own EFI system partition also carries the partition that the installer writes.
fn iso(job: &Job<'_>, tools: &Tools) -> Result<()> {
    let (ids, time, params) = ImageParams::of(job)?;
    let read = |slot: &str| Ok::<_, PackerError>(job.world.fs().read(job.input(slot)?)?);
    let (loader, kernel, initrd) = (read("loader")?, read("kernel")?, read("initrd")?);
    let loader_file: String = param(job, "loader_file")?;
    let size: u64 = param(job, "esp_size")?;
    let installed = esp::Content {
        loader: &loader,
        loader_file: &loader_file,
        kernel: &kernel,
        initrd: &initrd,
        extra: &[],
    };
    let payload = install::Payload::build(&installed, size, &ids, time)?;
    let extra = payload.files();
    let content = esp::Content {
        extra: &extra,
        ..installed
    };
    // Room for the payload on top of what an installed system has.
    let room: u64 = extra.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let size = size + room.next_multiple_of(1 << 20);
    let partition = job.scratch.join("esp.img");
    esp::write_file(job.world, &partition, &content, size, &ids, time)?;
    let grub = match (&tools.grub, param::<bool>(job, "bios")?) {
        (_, false) => None,
        (Some(installed), true) => Some(installed.build(job.world, job.scratch)?),
        (None, true) => {
            return Err(PackerError::new(
                "expected GRUB for an ISO that boots by BIOS, got none",
            ));
        }
    };
    let name: String = param(job, "product_name")?;
    let volume = format!("{name} {} {}", params.version, params.arch);
    let iso = Iso {
        volume: &volume,
        content,
        esp: &partition,
        bios: grub.as_ref(),
    };
    Ok(iso.write(job.world, only_output(job)?, &ids, time)?)
}

/// What the packers for all architectures are told.
#[derive(Deserialize)]
pub(super) struct PortableParams {
    pub(super) product: String,
    pub(super) product_name: String,
    pub(super) version: String,
    pub(super) commit: String,
    pub(super) time: i64,
}

impl PortableParams {
    pub(super) fn of(job: &Job<'_>) -> Result<(Self, UtcTime)> {
        let params: Self = job.params()?;
        let time = UtcTime::from_unix(params.time)?;
        Ok((params, time))
    }

    /// The version as documents tell it; that of a work tree is none, and counts as the lowest.
    fn documented(&self) -> Version {
        self.version.parse().unwrap_or(Version::new(0, 0, 0))
    }

    /// The directory that everything in an archive is in.
    fn prefix(&self, what: &str) -> String {
        format!("{}-{}-{what}", self.product, self.version)
    }
}

fn source(job: &Job<'_>, tools: &Tools) -> Result<()> {
    let (params, time) = PortableParams::of(job)?;
    let zstd = zstd(job)?;
    let tarball = source_tarball::Source {
        repo: &tools.repository,
        commit: &params.commit,
        prefix: &format!("{}-{}", params.product, params.version),
        time,
        level: zstd.level,
        workers: zstd.workers,
    };
    Ok(source_tarball::write(job.world, only_output(job)?, &tarball)?)
}

fn vendored(job: &Job<'_>, tools: &Tools) -> Result<()> {
    let (params, time) = PortableParams::of(job)?;
    let manifests = [tools.root.join("Cargo.toml"), tools.os.join("Cargo.toml")];
    let manifests = manifests.each_ref().map(std::path::PathBuf::as_path);
    vendor::fetch(job.world, &tools.toolchain.cargo, &tools.cargo_home, &manifests)?;
    let lock = |slot: &str| Ok::<_, PackerError>(String::from_utf8(job.world.fs().read(job.input(slot)?)?)?);
    let (tool, os) = (lock("tool")?, lock("os")?);
    let vendor = vendor::Vendor {
        prefix: &params.prefix("vendor"),
        time,
        zstd: zstd(job)?,
        cargo_home: &tools.cargo_home,
        locks: &[("Cargo.lock", &tool), ("os/Cargo.lock", &os)],
    };
    vendor::write(job.world, only_output(job)?, &vendor)?;
    Ok(())
}

/// The manual pages of the tool and of the programs.
fn manual(job: &Job<'_>, tools: &Tools) -> Result<()> {
    let (params, time) = PortableParams::of(job)?;
    let programs: Vec<String> = param(job, "programs")?;
    let mut others = Vec::new();
    for (name, source) in &tools.tool_pages {
        others.push(Page {
            name: name.parse()?,
            source: String::from_utf8(source.clone())?,
        });
    }
    let mandoc = tools.mandoc.as_ref();
    let request = man_pages::Request {
        os: job.input("pages")?,
        programs: &programs,
        others: &others,
        stamp: &Stamp {
            product: params.product_name.clone(),
            version: params.documented(),
            date: time,
        },
        mandoc: mandoc.ok_or_else(|| PackerError::new("expected mandoc for manual pages, got none"))?,
    };
    let directory = job.scratch.join("pages");
    let files = man_pages::write(job.world, &request, &directory)?;
    archive(job, &params.prefix("man-pages"), time, &directory, &files)
}

/// The reference of libraries and system calls.
fn reference(job: &Job<'_>, tools: &Tools) -> Result<()> {
    let (params, time) = PortableParams::of(job)?;
    let reference = Reference {
        product: &params.product_name,
        version: &params.documented(),
        libraries: &Reference::libraries(),
        system_calls: Path::new(Reference::SYSTEM_CALLS),
    };
    let request = tools.request(&Arch::ALL, &[]);
    let directory = job.scratch.join("reference");
    let say = &mut |line: crate::Line<'_>| job.say(line.text);
    let files = api_docs::write(job.world, &request, &tools.compiler, &reference, &directory, say)?;
    archive(job, &params.prefix("api-docs"), time, &directory, &files)
}

fn archive(job: &Job<'_>, prefix: &str, time: UtcTime, directory: &Path, files: &[String]) -> Result<()> {
    let tree = Tree {
        prefix,
        time,
        zstd: zstd(job)?,
        directory,
        files,
    };
    Ok(tree::write(job.world, only_output(job)?, &tree)?)
}

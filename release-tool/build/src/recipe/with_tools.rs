//! Packers that need something of the machine: GRUB, the repository.

use super::images::param;
use super::packers::{ImageParams, Tools, only_output};
use serde::Deserialize;
use vrel_graph::{Job, PackerError};
use vrel_model::UtcTime;
use vrel_pack::iso::{Iso, Partition};
use vrel_pack::tarball::Zstd;
use vrel_pack::{esp, install, source as source_tarball};

type Result<T> = std::result::Result<T, PackerError>;

/// Name, version and function of each.
pub(super) const ALL: &[(&str, u32, fn(&Job<'_>, &Tools) -> Result<()>)] =
    &[("iso", 1, iso), ("source", 1, source)];

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
        esp: Partition::File(&partition),
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

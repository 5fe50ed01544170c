//! Disk and CD images.

use super::packers::{ImageParams, only_output};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use vrel_graph::{Job, PackerError};
use vrel_model::Sha256Digest;
use vrel_pack::{aws, disk as raw_disk, esp as partition, gcp as gcp_archive, ova as ova_archive};
use vrel_pack::{qcow2 as qcow2_image, vdi as vdi_image, vhd as vhd_image, vmdk as vmdk_image};

type Result = std::result::Result<(), PackerError>;

/// One parameter of a node, of its packer's own type.
pub(super) fn param<T: serde::de::DeserializeOwned>(
    job: &Job<'_>,
    key: &str,
) -> std::result::Result<T, PackerError> {
    T::deserialize(&job.params[key]).map_err(|error| PackerError::new(format!("parameter `{key}`: {error}")))
}

pub(super) fn disk(job: &Job<'_>) -> Result {
    let (ids, _, _) = ImageParams::of(job)?;
    let options = param(job, "options")?;
    Ok(raw_disk::write_file(
        job.world,
        only_output(job)?,
        job.input("esp")?,
        &options,
        &ids,
    )?)
}

pub(super) fn gcp(job: &Job<'_>) -> Result {
    let (ids, time, _) = ImageParams::of(job)?;
    let raw = job.scratch.join("disk.raw");
    let options: gcp_archive::Options = param(job, "options")?;
    let options = raw_disk::Options {
        size: raw_disk::Size::Exact(options.size),
    };
    raw_disk::write_file(job.world, &raw, job.input("esp")?, &options, &ids)?;
    Ok(gcp_archive::write(job.world, &raw, only_output(job)?, time)?)
}

pub(super) fn qcow2(job: &Job<'_>) -> Result {
    let options = param(job, "options")?;
    Ok(qcow2_image::write(
        job.world,
        job.input("disk")?,
        only_output(job)?,
        &options,
    )?)
}

pub(super) fn vdi(job: &Job<'_>) -> Result {
    let (ids, _, _) = ImageParams::of(job)?;
    let options = vdi_image::Options::default();
    Ok(vdi_image::write(
        job.world,
        job.input("disk")?,
        only_output(job)?,
        &options,
        &ids,
    )?)
}

pub(super) fn vhd(job: &Job<'_>) -> Result {
    let (ids, time, _) = ImageParams::of(job)?;
    let options = vhd_image::Options::default();
    Ok(vhd_image::write(
        job.world,
        job.input("disk")?,
        only_output(job)?,
        &options,
        &ids,
        time,
    )?)
}

pub(super) fn vmdk(job: &Job<'_>) -> Result {
    let (ids, _, _) = ImageParams::of(job)?;
    let name: String = param(job, "file_name")?;
    let options = vmdk_image::Options::default();
    Ok(vmdk_image::write(
        job.world,
        job.input("disk")?,
        only_output(job)?,
        &options,
        &name,
        &ids,
    )?)
}

pub(super) fn ova(job: &Job<'_>) -> Result {
    let (ids, time, params) = ImageParams::of(job)?;
    let product: String = param(job, "product_name")?;
    let package = ova_archive::Package {
        name: &format!("{}-{}-{}", params.product, params.version, params.arch),
        product: &product,
        version: &params.version,
        arch: params.arch,
    };
    let options = param(job, "options")?;
    Ok(ova_archive::write(
        job.world,
        job.input("disk")?,
        only_output(job)?,
        &options,
        &package,
        &ids,
        time,
    )?)
}

pub(super) fn esp(job: &Job<'_>) -> Result {
    let (ids, time, _) = ImageParams::of(job)?;
    let read = |slot: &str| Ok::<_, PackerError>(job.world.fs().read(job.input(slot)?)?);
    let (loader, kernel, initrd) = (read("loader")?, read("kernel")?, read("initrd")?);
    let loader_file: String = param(job, "loader_file")?;
    let content = partition::Content {
        loader: &loader,
        loader_file: &loader_file,
        kernel: &kernel,
        initrd: &initrd,
        extra: &[],
    };
    let size = param(job, "size")?;
    Ok(partition::write_file(
        job.world,
        only_output(job)?,
        &content,
        size,
        &ids,
        time,
    )?)
}

/// A published disk.
#[derive(Deserialize)]
struct Published {
    slot: String,
    name: String,
    format: String,
}

pub(super) fn aws_import(job: &Job<'_>) -> Result {
    let (_, _, params) = ImageParams::of(job)?;
    let product: String = param(job, "product_name")?;
    let published: Vec<Published> = param(job, "disks")?;
    let mut digests = Vec::new();
    for disk in &published {
        digests.push(sha256(job, job.input(&disk.slot)?)?);
    }
    let mut files = Vec::new();
    for (disk, (size, sha256)) in published.iter().zip(&digests) {
        let format = match disk.format.as_str() {
            "disk" => aws::Format::Raw,
            "vmdk" => aws::Format::Vmdk,
            "vhd" => aws::Format::Vhd,
            other => return Err(PackerError::new(format!("AWS imports no `{other}`"))),
        };
        files.push(aws::File {
            name: &disk.name,
            format,
            size: *size,
            sha256,
        });
    }
    let import = aws::Import {
        name: &format!("{}-{}-{}", params.product, params.version, params.arch),
        description: &format!("{product} {} for {}", params.version, params.arch),
        arch: params.arch,
        files: &files,
    };
    Ok(aws::write(
        job.world,
        only_output(job)?,
        &param(job, "options")?,
        &import,
    )?)
}

/// Length and SHA-256 of a file.
fn sha256(job: &Job<'_>, path: &Path) -> std::result::Result<(u64, String), PackerError> {
    let mut file = job.world.fs().open(path)?;
    let (mut hash, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 256 << 10]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((length, Sha256Digest::new(hash.finalize().into()).to_string()));
        }
        hash.update(&buffer[..count]);
        length += count as u64;
    }
}

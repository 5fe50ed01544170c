//! The container image and archives.

use super::images::param;
use super::packers::{ImageParams, only_output};
use super::with_tools::{PortableParams, zstd};
use crate::symbols::{self as debugging, Unstripped};
use std::collections::BTreeMap;
use vrel_graph::{Job, PackerError};
use vrel_model::Arch;
use vrel_pack::oci::{self, Image, RootContent, RootFile};
use vrel_pack::symbols::Symbols;

type Result<T> = std::result::Result<T, PackerError>;

/// The container image: every architecture's userland as its root file system.
pub(super) fn oci(job: &Job<'_>) -> Result<()> {
    let (params, time) = PortableParams::of(job)?;
    let source: String = param(job, "source")?;
    let image = Image {
        name: &params.product_name,
        id: &params.product,
        version: &params.version,
        commit: &params.commit,
        source: &source,
        licenses: "MIT OR Apache-2.0",
        vendor: &params.product_name,
        time,
    };
    // Program and its name in the root file system; the same programs for all architectures.
    let entries: Vec<(String, String)> = param(job, "entries")?;
    let mut roots = BTreeMap::new();
    for arch in Arch::ALL {
        let mut files = Vec::new();
        for (program, entry) in &entries {
            let path = job.input(&format!("{arch}/{program}"))?;
            files.push(RootFile {
                path: entry,
                mode: 0o755,
                content: RootContent::File(path),
            });
        }
        roots.insert(arch, files);
    }
    oci::write(job.world, only_output(job)?, &image, &roots)?;
    Ok(())
}

/// The debugging information of an architecture.
pub(super) fn symbols(job: &Job<'_>) -> Result<()> {
    let (_, time, params) = ImageParams::of(job)?;
    let unstripped = |(name, path)| Unstripped { name, path };
    let files: Vec<_> = job
        .inputs_of("kernel")
        .chain(job.inputs_of("programs"))
        .map(unstripped)
        .collect();
    let symbols = Symbols {
        prefix: &format!("{}-{}-{}-symbols", params.product, params.version, params.arch),
        time,
        zstd: zstd(job)?,
    };
    Ok(debugging::write(job.world, only_output(job)?, &symbols, &files)?)
}

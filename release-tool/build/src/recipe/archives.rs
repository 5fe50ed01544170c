//! The container image and archives.

use super::images::param;
use super::packers::only_output;
use super::with_tools::PortableParams;
use std::collections::BTreeMap;
use vrel_graph::{Job, PackerError};
use vrel_model::Arch;
use vrel_pack::oci::{self, Image, RootContent, RootFile};

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

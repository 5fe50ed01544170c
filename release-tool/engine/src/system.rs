//! The system of one architecture, between compiling and packing.

use std::collections::BTreeMap;
use std::path::Path;
use vrel_build::compile::Compiled;
use vrel_build::stamp::{Identity, write_identity};
use vrel_build::{BuildError, Image};
use vrel_model::UtcTime;
use vrel_pack::{Ids, esp, initrd};
use vrel_world::World;

/// The files that every image is made of.
pub(crate) struct System {
    /// The kernel, stamped with its identity.
    pub(crate) kernel: Vec<u8>,
    /// The initrd.
    pub(crate) initrd: Vec<u8>,
    loader: Vec<u8>,
    loader_file: String,
}

impl System {
    /// Stamps the kernel and packs the initrd of an image description.
    pub(crate) fn assemble(
        image: &Image,
        compiled: Compiled,
        identity: &Identity,
        time: UtcTime,
    ) -> Result<Self, BuildError> {
        let Compiled {
            mut kernel,
            loader,
            loader_file,
            programs,
        } = compiled;
        let initrd = initrd::build(&image.entries(&programs)?, time)?;
        write_identity(&mut kernel, identity)?;
        Ok(Self {
            kernel,
            initrd,
            loader,
            loader_file,
        })
    }

    /// What goes onto the EFI system partition.
    pub(crate) fn content(&self) -> esp::Content<'_> {
        esp::Content {
            loader: &self.loader,
            loader_file: &self.loader_file,
            kernel: &self.kernel,
            initrd: &self.initrd,
            extra: &[],
        }
    }

    /// The EFI system partition.
    pub(crate) fn esp(&self, size: u64, ids: &Ids, time: UtcTime) -> Result<Vec<u8>, BuildError> {
        Ok(esp::build(&self.content(), size, ids, time)?)
    }
}

/// The programs of an image from a directory.
pub(crate) fn read_programs(
    world: &dyn World,
    dir: &Path,
    names: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, vrel_world::WorldError> {
    names
        .iter()
        .map(|name| Ok((name.clone(), world.fs().read(&dir.join(name))?)))
        .collect()
}

//! Building the work tree as it is, for those who work on the system.

use crate::building::{Building, Built};
use crate::cut_rc::{build_error, failed};
use crate::{EngineError, Progress, Site};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_build::stamp::Identity;
use vrel_graph::Explanation;
use vrel_model::{Arch, Config, PlannedArtifact, UtcTime};
use vrel_world::{Scratch, World};

/// The version that a development build calls itself; the commit beside it says more.
pub const DEVELOPMENT: &str = "0.0.0-dev";

/// What to build of the work tree, and with what.
#[derive(Clone, Copy)]
pub struct DevelopmentBuild<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// The repository.
    pub site: &'a Site,
    /// Its `vrel.toml`.
    pub config: &'a Config,
    /// What is made, of the version [`DEVELOPMENT`].
    pub artifacts: &'a [PlannedArtifact],
    /// The image description, a file of `os/images` without `.toml`.
    pub image: &'a str,
    /// How many compilers and packers work at the same time.
    pub jobs: usize,
    /// The manual pages of this tool, by file name.
    pub tool_pages: &'a BTreeMap<String, Vec<u8>>,
    /// Where compiled code and artifacts are kept between builds.
    pub cache: &'a Path,
    /// Where cargo keeps the sources of crates.
    pub cargo_home: &'a Path,
}

impl DevelopmentBuild<'_> {
    /// Where the artifacts of an image are put.
    #[must_use]
    pub fn directory(site: &Site, image: &str) -> PathBuf {
        site.state().join("build").join(image)
    }

    /// Builds what the cache has not got.
    ///
    /// # Errors
    /// When something does not compile, does not fit, or cannot be written.
    pub fn run(&self, progress: &dyn Progress) -> Result<Built, EngineError> {
        let out = Self::directory(self.site, self.image);
        self.with(|building| building.run(&out, "build", progress))
    }

    /// What a node of the build is made of, and whether it is up to date.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn explain(&self, node: &str) -> Result<Explanation, EngineError> {
        self.with(|building| building.explain(node))
    }

    /// The commit that the work tree is on; zeros where there is none.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn commit(world: &dyn World, site: &Site) -> Result<String, EngineError> {
        let head = world.git().head(site.root())?.commit;
        Ok(head.unwrap_or_else(|| "0".repeat(40)))
    }

    /// What the built system of an architecture says of itself when it boots.
    #[must_use]
    pub fn identity(config: &Config, commit: &str, arch: Arch) -> Identity {
        Identity {
            name: config.product.name.clone(),
            version: DEVELOPMENT.to_owned(),
            commit: commit.to_owned(),
            arch,
        }
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Building<'_>) -> Result<T, vrel_build::BuildError>,
    ) -> Result<T, EngineError> {
        let commit = Self::commit(self.world, self.site)?;
        let time = match self.world.git().commit_time(self.site.root(), &commit) {
            Ok(time) => time,
            Err(_) => UtcTime::from_unix(0).map_err(|error| failed("build", error))?,
        };
        let building = Building {
            // What comes out is compared by content with what is there, the next time.
            world: &Scratch(self.world),
            name: &format!("work-tree-{}", self.image),
            config: self.config,
            repository: self.site.root(),
            root: self.site.root(),
            image: self.image,
            version: DEVELOPMENT,
            commit: &commit,
            time,
            artifacts: self.artifacts,
            tool_pages: self.tool_pages,
            cache: self.cache,
            cargo_home: self.cargo_home,
            jobs: self.jobs,
        };
        work(&building).map_err(|error| build_error("build", error))
    }
}

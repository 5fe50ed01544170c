//! How fast the release in staging is, beside the release that users have: both are measured, one after the other.

use super::build::build_error;
use super::smoke::Smoke;
use crate::{BootTest, EngineError};
use std::path::Path;
use vrel_build::measure::{self, Figure};
use vrel_build::stamp::Identity;
use vrel_model::{Arch, Benchmark, Packer, PlannedArtifact};
use vrel_process::{SmokeTest, SpeedFigure, speed_benchmarks};

impl Smoke<'_, '_> {
    /// The figures of an architecture, beside those of the release before if that one can be measured. None where the
    /// system cannot be measured, or no machine counts instructions.
    pub(super) fn speed(&self, test: &SmokeTest<'_>, dir: &Path) -> Result<Vec<Benchmark>, EngineError> {
        let measurable = self
            .lab
            .machine(test.arch)
            .is_some_and(|machine| machine.boot.contains_key(measure::MEDIUM));
        let planned = |packer: Packer| {
            let mut artifacts = self.release.plan.artifacts.iter();
            artifacts.find(|artifact| artifact.packer == packer && artifact.arch == Some(test.arch))
        };
        let (Some(kernel), Some(initrd)) = (planned(Packer::Kernel), planned(Packer::Initrd)) else {
            return Ok(Vec::new());
        };
        if !measurable || self.lab.measure.is_empty() {
            return Ok(Vec::new());
        }
        let (kernel_file, _) = self.fetch(kernel, dir)?;
        let (initrd_file, _) = self.fetch(initrd, dir)?;
        let identity = self.release.identity(test.arch);
        let now = self.figures_of(&kernel_file, &initrd_file, &identity, dir)?;
        let before = self.figures_before(test.arch, kernel, initrd, dir)?;
        Ok(speed_benchmarks(
            test.arch,
            &speed_figures(&now),
            before.as_deref().map(speed_figures).as_deref(),
            self.release.config.os.max_slowdown,
        ))
    }

    /// The figures of the release that users have; `None` where there is none, or it knows nothing of measuring.
    fn figures_before(
        &self,
        arch: Arch,
        kernel: &PlannedArtifact,
        initrd: &PlannedArtifact,
        dir: &Path,
    ) -> Result<Option<Vec<Figure>>, EngineError> {
        let Some(before) = &self.before else {
            return Ok(None);
        };
        let manifest = &before.manifest;
        let old = |of: &PlannedArtifact| {
            let mut artifacts = manifest.artifacts.iter();
            artifacts.find(|old| old.arch == Some(arch) && old.kind == of.kind)
        };
        let (Some(kernel), Some(initrd)) = (old(kernel), old(initrd)) else {
            return Ok(None);
        };
        let dir = dir.join("before");
        self.release.world.fs().create_dir_all(&dir)?;
        let fetch = |name: &vrel_model::ArtifactName| {
            let to = dir.join(name.as_str());
            self.download(&self.production, &manifest.version, name, &to)
                .map(|_| to)
        };
        let (kernel, initrd) = (fetch(&kernel.name)?, fetch(&initrd.name)?);
        let identity = Identity {
            version: manifest.version.to_string(),
            commit: manifest.commit.clone(),
            ..self.release.identity(arch)
        };
        match self.figures_of(&kernel, &initrd, &identity, &dir) {
            Ok(figures) => Ok(Some(figures)),
            Err(error) => {
                // A person who asks the tool to stop is no reason to go on without a baseline.
                self.release.world.check_interrupt()?;
                self.note(
                    arch.as_str(),
                    &format!("{} was not measured: {error}", manifest.version),
                );
                Ok(None)
            }
        }
    }

    fn figures_of(
        &self,
        kernel: &Path,
        initrd: &Path,
        expected: &Identity,
        dir: &Path,
    ) -> Result<Vec<Figure>, EngineError> {
        let machine = self.machine(expected.arch)?;
        let booted = self.boot_of(&BootTest {
            world: self.release.world,
            machine,
            medium: measure::MEDIUM,
            packer: Packer::Kernel,
            file: kernel,
            initrd: Some(initrd),
            over: None,
            scratch: &dir.join("measure"),
            expected,
            session: &self.lab.measure,
        })?;
        measure::figures(machine, &booted.serial).map_err(|error| build_error(super::smoke::STEP, error))
    }
}

fn speed_figures(figures: &[Figure]) -> Vec<SpeedFigure<'_>> {
    let figures = figures.iter();
    figures
        .map(|figure| SpeedFigure {
            name: &figure.name,
            value: figure.value,
            limit: figure.limit,
        })
        .collect()
}

//! What a pick has to pass before it lands: the line's own policy (`[backport]` in its `vrel.toml`), on the exact files of
//! the new commit.

use super::{BackportQueue, CheckResult, PlannedPick};
use crate::building::Building;
use crate::cut_rc::build_error;
use crate::{DEVELOPMENT, EngineError, Progress, load_from_work_tree};
use std::collections::BTreeMap;
use std::path::Path;
use vrel_model::PackerScope;
use vrel_process::{Policies, plan_files};
use vrel_world::{Command, World};

/// How many of the last lines of a failed program are shown.
const SHOWN: usize = 20;

/// With what picks are built and tested.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// How many compilers and packers work at the same time.
    pub jobs: usize,
    /// The manual pages of this tool, by file name.
    pub tool_pages: &'a BTreeMap<String, Vec<u8>>,
    /// Where compiled code is kept between builds.
    pub cache: &'a Path,
    /// Where cargo keeps the sources of crates.
    pub cargo_home: &'a Path,
    /// Who hears of the progress.
    pub progress: &'a dyn Progress,
}

impl Checks<'_> {
    /// Builds the system of a new commit for all architectures and runs its tests.
    ///
    /// # Errors
    /// When this machine cannot: not when the commit does not pass.
    pub fn run(&self, queue: &BackportQueue<'_>, pick: &PlannedPick) -> Result<CheckResult, EngineError> {
        let (world, dir) = (queue.world, queue.check_dir());
        world.git().export(queue.root(), &pick.made, &dir)?;
        let policies = load_from_work_tree(world, &dir)?;
        let result = self.build(queue, pick, &policies)?;
        if result != CheckResult::Passed {
            return Ok(result);
        }
        for words in &policies.config.backport.check {
            let result = self.test(world, &dir, words)?;
            if result != CheckResult::Passed {
                return Ok(result);
            }
        }
        Ok(CheckResult::Passed)
    }

    fn build(
        &self,
        queue: &BackportQueue<'_>,
        pick: &PlannedPick,
        policies: &Policies,
    ) -> Result<CheckResult, EngineError> {
        let (world, config) = (queue.world, &policies.config);
        let planned = plan_files(policies, None, DEVELOPMENT).map_err(super::from_finding)?;
        let mut artifacts = planned.artifacts;
        artifacts.retain(|artifact| {
            artifact.packer.scope() == PackerScope::Arch && config.backport.build.contains(&artifact.kind)
        });
        if artifacts.is_empty() {
            return Ok(CheckResult::Passed);
        }
        let dir = queue.check_dir();
        let building = Building {
            world,
            name: &format!("backport-{}", queue.line()),
            config,
            repository: queue.root(),
            root: &dir,
            image: &config.os.image,
            version: DEVELOPMENT,
            commit: &pick.made,
            time: world.git().commit_time(queue.root(), &pick.made)?,
            artifacts: &artifacts,
            tool_pages: self.tool_pages,
            cache: self.cache,
            cargo_home: self.cargo_home,
            jobs: self.jobs,
        };
        let out = queue.dir().join("built");
        match building
            .run(&out, "build", self.progress)
            .map_err(|error| build_error("build", error))
        {
            Ok(_) => Ok(CheckResult::Passed),
            Err(EngineError::Step { message, .. }) => Ok(CheckResult::Failed {
                check: "build".to_owned(),
                said: message,
            }),
            Err(error) => Err(error),
        }
    }

    fn test(&self, world: &dyn World, dir: &Path, words: &[String]) -> Result<CheckResult, EngineError> {
        let Some((program, args)) = words.split_first() else {
            return Ok(CheckResult::Passed);
        };
        // The exported files are made new for each pick; what was compiled of them stays.
        let target = self.cache.join("backport-tests");
        let command = Command::new(program)
            .args(args.iter().map(String::as_str))
            .dir(dir)
            .env("CARGO_TARGET_DIR", target.display().to_string());
        let mut said: Vec<String> = Vec::new();
        let exit = world.processes().run(&command, &mut |_, line| {
            said.push(String::from_utf8_lossy(line).into_owned());
        })?;
        if exit.success() {
            return Ok(CheckResult::Passed);
        }
        let last = &said[said.len().saturating_sub(SHOWN)..];
        Ok(CheckResult::Failed {
            check: words.join(" "),
            said: last.join("\n"),
        })
    }
}

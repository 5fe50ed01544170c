//! `vrel build`.

use crate::app::App;
use crate::exit::Outcome;
use crate::output;
use crate::progress::Reporter;
use crate::session::{cargo_home, jobs};
use clap::Args;
use std::path::PathBuf;
use vrel_engine::{BuiltSystem, DevelopmentBuild, Progress, ProgressEvent, build_work_tree};
use vrel_model::Arch;

/// Build the system for one or all architectures.
///
/// Builds the work tree as it is, with changes that are not committed; a release is always built from a commit. The
/// results lie in .vrel/build, stamped as version 0.0.0-dev of the checked-out commit.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel build\n  vrel build --arch riscv64 --image faults")]
pub(crate) struct Build {
    /// Only this architecture; may be given several times.
    #[arg(long = "arch", value_name = "ARCH")]
    pub(crate) arches: Vec<Arch>,
    /// The image description, a file of os/images without `.toml` [default: the released one].
    #[arg(long)]
    pub(crate) image: Option<String>,
    /// How many compilers run at the same time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Where compiled code is kept between builds [default: .vrel/cache]
    #[arg(long, env = "VREL_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

impl Build {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let systems = self.build(app)?;
        if app.global.json {
            let rows: Vec<_> = systems
                .iter()
                .map(|system| {
                    serde_json::json!({
                        "arch": system.arch, "identity": system.identity.to_string(), "kernel": system.kernel,
                        "kernel_flat": system.kernel_flat, "initrd": system.initrd, "disk": system.disk,
                        "iso": system.iso,
                    })
                })
                .collect();
            return output::print_json(&rows);
        }
        for system in systems {
            let dir = system.kernel.parent().unwrap_or(&system.kernel);
            output::print(&format!("{}\n  {}\n", system.identity, dir.display()))?;
        }
        Ok(())
    }

    /// Builds, with progress, and returns what was built.
    ///
    /// # Errors
    /// When something does not compile or cannot be written.
    pub(crate) fn build(&self, app: &App) -> Result<Vec<BuiltSystem>, crate::exit::Failure> {
        let (site, policies) = app.site()?;
        let build = DevelopmentBuild {
            arches: if self.arches.is_empty() {
                Arch::ALL.to_vec()
            } else {
                self.arches.clone()
            },
            image: self
                .image
                .clone()
                .unwrap_or_else(|| policies.config.os.image.clone()),
            jobs: jobs(self.jobs),
            cache: self.cache_dir.clone().unwrap_or_else(|| site.cache()),
            cargo_home: cargo_home()?,
        };
        let reporter = Reporter::new(false, app.global.verbose);
        let arches = build
            .arches
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        let summary = format!("image `{}` for {arches}", build.image);
        reporter.event(&ProgressEvent::StepStarted {
            step: "build",
            summary: &summary,
            index: 1,
            total: 1,
        });
        let systems = build_work_tree(&app.world, &site, &policies.config, &build, &reporter);
        if systems.is_ok() {
            reporter.event(&ProgressEvent::StepFinished {
                step: "build",
                skipped: false,
                note: &summary,
            });
        }
        reporter.clear();
        Ok(systems?)
    }
}

//! `vrel build`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::progress::Reporter;
use crate::session::{cargo_home, jobs};
use crate::verbs::artifacts::no_such_kind;
use crate::verbs::man::pages;
use clap::Args;
use std::path::PathBuf;
use vrel_engine::{Built, DEVELOPMENT, DevelopmentBuild, Progress, ProgressEvent, Site};
use vrel_model::{Arch, ArtifactKind, ByteSize, PackerScope, PlannedArtifact};
use vrel_process::{Policies, plan_files};

/// Build the artifacts of the work tree.
///
/// Builds the work tree as it is, with changes that are not committed; a release is always built from a commit. What was
/// built before from the same sources, with the same compiler and policies, comes from the cache; what is built, and why,
/// is said. The results lie in .vrel/build, stamped as version 0.0.0-dev of the checked-out commit. Without `--only`
/// everything is built that an architecture has; what is made once for all (source archives, documents) is built when it
/// is named.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel build\n  vrel build --arch riscv64 --image faults\n  \
                        vrel build --only qcow2 --arch x86_64\n  vrel build --explain x86_64/iso"
)]
pub(crate) struct Build {
    /// Only this kind, a file of artifacts/ without `.toml`, and what it is made from; may be given several times.
    #[arg(long, value_name = "KIND")]
    pub(crate) only: Vec<ArtifactKind>,
    /// Only this architecture; may be given several times.
    #[arg(long = "arch", value_name = "ARCH")]
    pub(crate) arches: Vec<Arch>,
    /// Build nothing; say what a node is made of, down to the sources, and whether and why it would be built. A node is
    /// named as progress names it, or by its artifact's file name.
    #[arg(long, value_name = "NODE")]
    pub(crate) explain: Option<String>,
    /// The image description, a file of os/images without `.toml` [default: the released one].
    #[arg(long)]
    pub(crate) image: Option<String>,
    /// How many compilers and packers work at the same time [default: the number of processors]
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Where compiled code and artifacts are kept between builds [default: .vrel/cache]
    #[arg(long, env = "VREL_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
}

/// An artifact of the work tree.
pub(crate) struct Made {
    /// What it is.
    pub(crate) artifact: PlannedArtifact,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl Build {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let artifacts = self.select(&policies)?;
        if let Some(node) = &self.explain {
            let explanation = self.with(&site, &policies, &artifacts, app, |build| build.explain(node))?;
            return if app.global.json {
                output::print_json(&explanation)
            } else {
                output::print(&format!("{explanation}\n"))
            };
        }
        let (made, built) = self.build(app, &site, &policies, artifacts)?;
        if app.global.json {
            return output::print_json(&as_json(&made, &built));
        }
        let rows = made.iter().zip(&built.artifacts).map(|(made, built)| {
            vec![
                made.artifact.name.to_string(),
                ByteSize(built.digests.length).to_string(),
                made.path.display().to_string(),
            ]
        });
        output::print(&output::table(&rows.collect::<Vec<_>>(), &[1]))?;
        output::say(&describe(&built));
        Ok(())
    }

    /// The artifacts to build: those that were asked for, with what they are converted from.
    fn select(&self, policies: &Policies) -> Result<Vec<PlannedArtifact>, Failure> {
        if let Some(unknown) = self
            .only
            .iter()
            .find(|kind| !policies.artifacts.contains_key(kind))
        {
            return Err(no_such_kind(policies, unknown));
        }
        let is_document = |kind: &&ArtifactKind| {
            let policy = policies.artifacts.get(*kind);
            policy.is_some_and(|policy| policy.packer.scope() == PackerScope::Document)
        };
        if let Some(document) = self.only.iter().find(is_document) {
            let message = format!("`{document}` is a document, which only a release writes");
            return Err(Failure::new(FailureKind::Usage, message)
                .hint("`vrel notes` shows the notes of the next release"));
        }
        let all = plan_files(policies, None, DEVELOPMENT)?.artifacts;
        let asked = |artifact: &PlannedArtifact| {
            let arch = self.arches.is_empty() || artifact.arch.is_none_or(|arch| self.arches.contains(&arch));
            let kind = match self.only.as_slice() {
                [] if self.explain.is_some() => true,
                [] => artifact.packer.scope() == PackerScope::Arch,
                only => only.contains(&artifact.kind),
            };
            arch && kind
        };
        Ok(with_origins(&all, asked))
    }

    fn with<T>(
        &self,
        site: &Site,
        policies: &Policies,
        artifacts: &[PlannedArtifact],
        app: &App,
        work: impl FnOnce(&DevelopmentBuild<'_>) -> Result<T, vrel_engine::EngineError>,
    ) -> Result<T, Failure> {
        let build = DevelopmentBuild {
            world: &app.world,
            site,
            config: &policies.config,
            artifacts,
            image: self.image.as_deref().unwrap_or(&policies.config.os.image),
            jobs: jobs(self.jobs),
            tool_pages: &pages()?,
            cache: &self.cache_dir.clone().unwrap_or_else(|| site.cache()),
            cargo_home: &cargo_home()?,
        };
        Ok(work(&build)?)
    }

    /// Builds artifacts of the work tree, with progress.
    ///
    /// # Errors
    /// When something does not compile or cannot be written.
    pub(crate) fn build(
        &self,
        app: &App,
        site: &Site,
        policies: &Policies,
        artifacts: Vec<PlannedArtifact>,
    ) -> Result<(Vec<Made>, Built), Failure> {
        let reporter = Reporter::new(false, app.global.verbose);
        let image = self.image.as_deref().unwrap_or(&policies.config.os.image);
        let summary = format!("{} artifacts of the image `{image}`", artifacts.len());
        reporter.event(&ProgressEvent::StepStarted {
            step: "build",
            summary: &summary,
            index: 1,
            total: 1,
        });
        let built = self.with(site, policies, &artifacts, app, |build| build.run(&reporter));
        if let Ok(built) = &built {
            reporter.event(&ProgressEvent::StepFinished {
                step: "build",
                skipped: built.rebuilt.is_empty(),
                note: &summary,
            });
        }
        reporter.clear();
        let built = built?;
        let dir = DevelopmentBuild::directory(site, image);
        let made = artifacts.into_iter().map(|artifact| Made {
            path: dir.join(artifact.name.as_str()),
            artifact,
        });
        Ok((made.collect(), built))
    }
}

/// The artifacts that are asked for, and those that they are converted from, sorted by name.
pub(crate) fn with_origins(
    all: &[PlannedArtifact],
    asked: impl Fn(&PlannedArtifact) -> bool,
) -> Vec<PlannedArtifact> {
    let mut chosen: Vec<&PlannedArtifact> = all.iter().filter(|artifact| asked(artifact)).collect();
    let mut next = 0;
    while let Some(artifact) = chosen.get(next) {
        let from = artifact.from.as_ref();
        let source = all.iter().find(|other| Some(&other.name) == from);
        if let Some(source) = source.filter(|source| !chosen.iter().any(|other| other.name == source.name)) {
            chosen.push(source);
        }
        next += 1;
    }
    chosen.sort_by(|a, b| a.name.cmp(&b.name));
    chosen.into_iter().cloned().collect()
}

fn as_json(made: &[Made], built: &Built) -> serde_json::Value {
    let artifacts: Vec<_> = made
        .iter()
        .zip(&built.artifacts)
        .map(|(made, built)| {
            serde_json::json!({
                "name": made.artifact.name, "kind": made.artifact.kind, "arch": made.artifact.arch, "path": made.path,
                "length": built.digests.length, "sha256": built.digests.sha256, "blake2b": built.digests.blake2b,
            })
        })
        .collect();
    let rebuilt: Vec<_> = built
        .rebuilt
        .iter()
        .map(|(node, why)| serde_json::json!({"node": node, "why": why}))
        .collect();
    serde_json::json!({"artifacts": artifacts, "built": rebuilt, "nodes": built.nodes})
}

/// Which nodes were built and why.
fn describe(built: &Built) -> String {
    if built.rebuilt.is_empty() {
        return format!("nothing to build: all {} parts are up to date", built.nodes);
    }
    let mut text = format!("built {} of {} parts:", built.rebuilt.len(), built.nodes);
    for (node, why) in &built.rebuilt {
        text += &format!("\n  {node}: {why}");
    }
    text
}

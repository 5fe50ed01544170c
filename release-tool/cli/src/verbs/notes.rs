//! `vrel notes`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use std::path::{Path, PathBuf};
use vrel_engine::{NotesRange, Site, notes_context, origin_manifest};
use vrel_model::{Manifest, Stage, Version};
use vrel_notes::{NotesArtifact, NotesContext, render};
use vrel_process::{Policies, TaggedRelease, previous_release_at};
use vrel_world::World;

/// Write release notes from the history.
///
/// The notes of a release that is tagged are of its tag; before that, of the release branch's tip, or of the checked-out
/// commit while there is no release branch. They go to standard output. To change what the history says, dump the
/// collected data, edit them, and render the edited ones.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel notes 0.6.0-rc1\n  vrel notes 0.6.0-rc1 --context > notes.json\n  \
                        vrel notes 0.6.0-rc1 --from-context notes.json > release-notes.md"
)]
pub(crate) struct Notes {
    /// The release.
    version: Version,
    /// Print the collected data as JSON instead of notes.
    #[arg(long, conflicts_with = "from_context")]
    context: bool,
    /// Render this file, as `--context` writes it, instead of the history.
    #[arg(long, value_name = "FILE")]
    from_context: Option<PathBuf>,
}

impl Notes {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let context = match &self.from_context {
            Some(path) => read_context(app, path, &self.version)?,
            None => collect(app, &self.version)?,
        };
        for gap in context.gaps() {
            output::say(&format!("warning: {gap}"));
        }
        let text = if self.context || app.global.json {
            context.to_json()
        } else {
            render(&context)
        };
        // What a person edited may be impossible to render; what was collected never is.
        let kind = if self.from_context.is_some() {
            FailureKind::Policy
        } else {
            FailureKind::Bug
        };
        output::print(&text.map_err(|error| Failure::new(kind, error.to_string()))?)
    }
}

fn read_context(app: &App, path: &Path, version: &Version) -> Result<NotesContext, Failure> {
    let wrong = |reason: String| {
        Failure::new(FailureKind::Policy, format!("{}: {reason}", path.display()))
            .hint("it must be what `vrel notes VERSION --context` prints, edited")
    };
    let bytes = app.world.fs().read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("this file is not UTF-8 text".into()))?;
    let context = NotesContext::from_json(&text).map_err(|error| {
        let failure = wrong(error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    if &context.version == version {
        Ok(context)
    } else {
        Err(wrong(format!(
            "these are the data of {}, not of {version}",
            context.version
        )))
    }
}

fn collect(app: &App, version: &Version) -> Result<NotesContext, Failure> {
    let (site, policies) = app.site()?;
    let git = app.world.git();
    let tags = git.tags(site.root())?;
    let tagged = tags
        .iter()
        .find(|tag| Version::from_tag(&tag.name).as_ref() == Some(version));
    let commit = match tagged {
        Some(tag) => tag.commit.clone(),
        None => untagged_commit(app, &site, &policies, version)?,
    };
    let releases: Vec<_> = tags
        .iter()
        .filter_map(|tag| {
            Some(TaggedRelease {
                version: Version::from_tag(&tag.name)?,
                commit: tag.commit.clone(),
                made: tag.time,
            })
        })
        .collect();
    let made = tagged.map_or_else(|| app.world.now(), |tag| tag.time);
    let previous = previous_release_at(&releases, version, made).map(|previous| previous.version.clone());
    let manifest = origin_manifest(&app.world, &site, version)?;
    let stage = match version.stage() {
        Stage::Candidate { .. } => policies.config.publish.candidate_channel.clone(),
        Stage::Nightly { .. } => channel("nightly")?,
        Stage::Final => channel("stable")?,
    };
    let range = NotesRange {
        version,
        previous: previous.as_ref(),
        commit: &commit,
        date: manifest
            .as_ref()
            .map_or_else(|| app.world.now(), |manifest| manifest.created),
        channel: manifest.as_ref().map_or(&stage, |manifest| &manifest.channel),
    };
    let artifacts = manifest
        .as_ref()
        .map(|manifest| artifacts(manifest, &policies))
        .unwrap_or_default();
    Ok(notes_context(
        &app.world,
        &site,
        &policies.config,
        &range,
        artifacts,
    )?)
}

fn channel(name: &str) -> Result<vrel_model::ChannelName, Failure> {
    name.parse()
        .map_err(|error: vrel_model::ChannelNameError| Failure::new(FailureKind::Bug, error.to_string()))
}

fn untagged_commit(
    app: &App,
    site: &Site,
    policies: &Policies,
    version: &Version,
) -> Result<String, Failure> {
    let git = app.world.git();
    let line = version.line().to_string();
    if let Ok(branch) = policies.config.git.release_branch.expand(&[("line", &line)])
        && let Some(tip) = git.resolve(site.root(), &format!("refs/heads/{branch}"))?
    {
        return Ok(tip);
    }
    let head = git.head(site.root())?.commit;
    head.ok_or_else(|| Failure::new(FailureKind::Policy, "there is no commit to write notes of"))
}

fn artifacts(manifest: &Manifest, policies: &Policies) -> Vec<NotesArtifact> {
    let description = |kind| {
        let policy = policies.artifacts.get(kind);
        policy.map_or_else(String::new, |policy| policy.description.clone())
    };
    let artifacts = manifest.artifacts.iter().map(|artifact| NotesArtifact {
        name: artifact.name.clone(),
        arch: artifact.arch,
        kind: artifact.kind.clone(),
        description: description(&artifact.kind),
        size: artifact.length,
        sha256: artifact.sha256,
    });
    artifacts.collect()
}

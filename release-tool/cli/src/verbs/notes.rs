//! `vrel notes`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, ValueEnum, ValueHint};
use std::path::{Path, PathBuf};
use vrel_engine::{NotesRange, Site, notes_context, origin_manifest};
use vrel_model::{Manifest, Stage, Version};
use vrel_notes::{Format, NotesArtifact, NotesContext, render_as};
use vrel_process::{Policies, TaggedRelease, previous_release_at};
use vrel_world::World;

/// Write release notes from the history.
///
/// The notes of a release that is tagged are of its tag; before that, of the release branch's tip, or of the checked-out
/// commit while there is no release branch. They tell what the release has that the one before it has not, also as another
/// commit. They go to standard output. To change what the history says, add a fragment to `notes/`, or dump the collected
/// data, edit them, and render the edited ones.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel notes 0.6.0-rc1\n  vrel notes 0.6.0-rc2 --since 0.5.7\n  \
                        vrel notes 0.6.0-rc1 --format html --output notes.html\n  \
                        vrel notes 0.6.0-rc1 --context > notes.json\n  \
                        vrel notes 0.6.0-rc1 --from-context notes.json > release-notes.md"
)]
pub(crate) struct Notes {
    /// The release.
    version: Version,
    /// Print the collected data as JSON instead of notes.
    #[arg(long, conflicts_with_all = ["from_context", "format"])]
    context: bool,
    /// What the notes are written as.
    #[arg(long, value_enum, default_value_t = NotesFormat::Md)]
    format: NotesFormat,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Tell what changed since this release instead of the one before: for a candidate, since the last final.
    #[arg(long, value_name = "VERSION", conflicts_with = "from_context")]
    since: Option<Version>,
    /// Render this file, as `--context` writes it, instead of the history.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    from_context: Option<PathBuf>,
}

/// What notes are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NotesFormat {
    /// Markdown.
    Md,
    /// A web page that needs no other file.
    Html,
    /// Plain text.
    Text,
    /// The collected data.
    Json,
}

impl Notes {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let context = match &self.from_context {
            Some(path) => read_context(app, path, &self.version)?,
            None => collect(app, &self.version, self.since.as_ref())?,
        };
        for gap in context.gaps() {
            output::say(&format!("warning: {gap}"));
        }
        let text = match self.format {
            _ if self.context || app.global.json => context.to_json(),
            NotesFormat::Json => context.to_json(),
            NotesFormat::Md => render_as(&context, Format::Markdown),
            NotesFormat::Html => render_as(&context, Format::Html),
            NotesFormat::Text => render_as(&context, Format::Text),
        };
        // What a person edited may be impossible to render; what was collected never is.
        let kind = if self.from_context.is_some() {
            FailureKind::Policy
        } else {
            FailureKind::Bug
        };
        let text = text.map_err(|error| Failure::new(kind, error.to_string()))?;
        match &self.output {
            Some(path) => Ok(app.world.fs().write(path, text.as_bytes(), 0o644)?),
            None => output::print(&text),
        }
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

fn collect(app: &App, version: &Version, since: Option<&Version>) -> Result<NotesContext, Failure> {
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
    let previous = match since {
        Some(since) => Some(known(&releases, since, version)?),
        None => previous_release_at(&releases, version, made).map(|previous| previous.version.clone()),
    };
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

/// The release that a person named to compare with.
fn known(releases: &[TaggedRelease], since: &Version, version: &Version) -> Result<Version, Failure> {
    if since >= version {
        let message = format!("{since} is not below {version}");
        return Err(Failure::new(FailureKind::Usage, message).hint("`--since` names an earlier release"));
    }
    if releases.iter().any(|release| release.version == *since) {
        return Ok(since.clone());
    }
    let message = format!("there is no release {since}: it has no tag {}", since.tag());
    Err(Failure::new(FailureKind::Policy, message).hint("run `git fetch --tags`, or see `git tag`"))
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

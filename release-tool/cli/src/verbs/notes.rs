//! `vrel notes`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::{Args, ValueEnum, ValueHint};
use std::path::{Path, PathBuf};
use vrel_engine::{
    Edit, NotesRange, Site, changelog, duds, edit_notes, notes_context, origin_manifest, published_notes,
};
use vrel_model::{Manifest, Version};
use vrel_notes::{Format, NotesArtifact, NotesContext, NotesError, render_as, render_changelog};
use vrel_process::{Policies, previous_release_where};
use vrel_world::{TagInfo, World};

/// Write release notes from the history.
///
/// The notes of a release that is tagged are of its tag; before that, of the release branch's tip, or of the checked-out
/// commit while there is no release branch. They tell what the release has that the one before it has not, also as another
/// commit. They go to standard output. To change what the history says, add a fragment to `notes/`, or dump the collected
/// data, edit them, and render the edited ones.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel notes 0.6.0-rc1\n  vrel notes 0.6.0-rc2 --since 0.5.7\n  \
                        vrel notes 0.6.0-rc1 --format html --output notes.html\n  vrel notes --all --output CHANGES.md\n  vrel notes 0.6.0 --edit\n  \
                        vrel notes 0.6.0-rc1 --context > notes.json\n  \
                        vrel notes 0.6.0-rc1 --from-context notes.json > release-notes.md"
)]
pub(crate) struct Notes {
    /// The release.
    #[arg(required_unless_present = "all")]
    version: Option<Version>,
    /// Write the changelog: the notes of all releases that have a tag, the newest version first, without downloads.
    #[arg(long, conflicts_with_all = ["version", "context", "from_context", "since"])]
    all: bool,
    /// Print the collected data as JSON instead of notes.
    #[arg(long, conflicts_with_all = ["from_context", "format"])]
    context: bool,
    /// What the notes are written as.
    #[arg(long, value_enum, default_value_t = NotesFormat::Md)]
    format: NotesFormat,
    /// Write to this file instead of standard output.
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Write the notes to `notes/VERSION.md` for a person to edit. When that file is there, merge into it what is
    /// generated now; edits are kept. The notes of the release have what its commit has there.
    #[arg(long, conflicts_with_all = ["all", "context", "from_context", "format", "output", "since"])]
    edit: bool,
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
        if let (true, Some(version)) = (self.edit, &self.version) {
            return edit(app, version);
        }
        let text = match &self.version {
            Some(version) => self.of_release(app, version)?,
            None => self.of_all(app)?,
        };
        match &self.output {
            Some(path) => Ok(app.world.fs().write(path, text.as_bytes(), 0o644)?),
            None => output::print(&text),
        }
    }

    /// The notes of one release.
    fn of_release(&self, app: &App, version: &Version) -> Result<String, Failure> {
        let (context, edited) = match &self.from_context {
            Some(path) => (read_context(app, path, version)?, None),
            None => {
                let (site, policies) = app.site()?;
                let (context, commit) = collect(app, &site, &policies, version, self.since.as_ref())?;
                // What a person edited tells of the changes since the release before, and of no others.
                (context, Some((site, commit)).filter(|_| self.since.is_none()))
            }
        };
        for gap in context.gaps() {
            output::say(&format!("warning: {gap}"));
        }
        let as_data = self.context || app.global.json;
        let text = match (self.format.document().filter(|_| !as_data), edited) {
            (Some(format), Some((site, commit))) => {
                let markdown = published_notes(&app.world, &site, &commit, &context)?;
                return Ok(format.write(&markdown, "Release Notes"));
            }
            (Some(format), None) => render_as(&context, format),
            (None, _) => context.to_json(),
        };
        // What a person edited may be impossible to render; what was collected never is.
        let kind = if self.from_context.is_some() {
            FailureKind::Policy
        } else {
            FailureKind::Bug
        };
        text.map_err(|error| Failure::new(kind, error.to_string()))
    }

    /// The changelog.
    fn of_all(&self, app: &App) -> Result<String, Failure> {
        let (site, policies) = app.site()?;
        let of = |version: &Version| policies.config.publish.channel_of(version).clone();
        let changelog = changelog(&app.world, &site, &policies.config, &of)?;
        for (version, error) in &changelog.left_out {
            output::say(&format!("warning: {version} is left out: {error}"));
        }
        if changelog.releases.is_empty() {
            let message = "no release has a tag yet";
            return Err(Failure::new(FailureKind::Policy, message).hint("run `git fetch --tags`"));
        }
        let bug = |error: NotesError| Failure::new(FailureKind::Bug, error.to_string());
        let format = match self.format {
            _ if app.global.json => None,
            format => format.document(),
        };
        match format {
            None => {
                let json = serde_json::to_string_pretty(&changelog.releases);
                let json = json.map_err(|error| Failure::new(FailureKind::Bug, error.to_string()))?;
                Ok(json + "\n")
            }
            Some(format) => {
                let markdown = render_changelog(&changelog.releases).map_err(bug)?;
                Ok(format.write(&markdown, "Changelog"))
            }
        }
    }
}

/// Writes the notes for a person to edit.
fn edit(app: &App, version: &Version) -> Outcome {
    let (site, policies) = app.site()?;
    let (context, _) = collect(app, &site, &policies, version, None)?;
    for gap in context.gaps() {
        output::say(&format!("warning: {gap}"));
    }
    let (path, said) = match edit_notes(&app.world, &site, &context)? {
        Edit::Written(path) => (path, "written: edit it, and commit it with `notes/generated`"),
        Edit::Merged(path) => (path, "what is generated now was merged in; edits are kept"),
        Edit::Unchanged(path) => {
            let message = format!("{}: nothing new is generated for it", path.display());
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        Edit::Conflicts(path) => {
            let message = format!("{}: edited lines are generated otherwise now", path.display());
            return Err(Failure::new(FailureKind::Policy, message)
                .hint("both are in the file: decide between the marks `<<<<<<<` and `>>>>>>>`, and remove the marks"));
        }
    };
    output::say(&format!("{}: {said}", path.display()));
    Ok(())
}

impl NotesFormat {
    /// The document's format; `None` for data.
    fn document(self) -> Option<Format> {
        match self {
            Self::Md => Some(Format::Markdown),
            Self::Html => Some(Format::Html),
            Self::Text => Some(Format::Text),
            Self::Json => None,
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

fn collect(
    app: &App,
    site: &Site,
    policies: &Policies,
    version: &Version,
    since: Option<&Version>,
) -> Result<(NotesContext, String), Failure> {
    let git = app.world.git();
    let names = git.tag_names(site.root())?;
    let releases: Vec<(Version, &String)> = names
        .iter()
        .filter_map(|name| Some((Version::from_tag(name)?, name)))
        .collect();
    let tag = |version: &Version| -> Result<Option<TagInfo>, Failure> {
        match releases.iter().find(|(release, _)| release == version) {
            Some((_, name)) => Ok(git.tag(site.root(), name)?),
            None => Ok(None),
        }
    };
    let (commit, made) = match tag(version)? {
        Some(tag) => (tag.commit, tag.time),
        None => (untagged_commit(app, site, policies, version)?, app.world.now()),
    };
    let versions = || releases.iter().map(|(release, _)| release);
    let duds = duds(&app.world, site, &policies.config)?;
    let usable = || versions().filter(|release| !duds.contains_key(release));
    let previous = match since {
        Some(since) => Some(known(versions(), since, version)?),
        None => {
            let was_there =
                |release: &Version| Ok::<_, Failure>(tag(release)?.is_some_and(|tag| tag.time <= made));
            previous_release_where(usable(), version, was_there)?.cloned()
        }
    };
    let manifest = origin_manifest(&app.world, site, version)?;
    let usual = policies.config.publish.channel_of(version);
    let range = NotesRange {
        version,
        previous: previous.as_ref(),
        commit: &commit,
        date: manifest
            .as_ref()
            .map_or_else(|| app.world.now(), |manifest| manifest.created),
        channel: manifest.as_ref().map_or(usual, |manifest| &manifest.channel),
    };
    let artifacts = manifest
        .as_ref()
        .map(|manifest| artifacts(manifest, policies))
        .unwrap_or_default();
    let context = notes_context(&app.world, site, &policies.config, &range, artifacts)?;
    Ok((context, commit))
}

/// The release that a person named to compare with.
fn known<'v>(
    mut releases: impl Iterator<Item = &'v Version>,
    since: &Version,
    version: &Version,
) -> Result<Version, Failure> {
    if since >= version {
        let message = format!("{since} is not below {version}");
        return Err(Failure::new(FailureKind::Usage, message).hint("`--since` names an earlier release"));
    }
    if releases.any(|release| release == since) {
        return Ok(since.clone());
    }
    let message = format!("there is no release {since}: it has no tag {}", since.tag());
    Err(Failure::new(FailureKind::Policy, message).hint("run `git fetch --tags`, or see `git tag`"))
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

//! Collecting what release notes are made from.

use crate::{EngineError, Site};
use vrel_model::{ChannelName, Config, UtcTime, Version};
use vrel_notes::{Collector, Facts, NotesArtifact, NotesContext};
use vrel_world::World;

/// Which part of the history the notes are about.
#[derive(Clone, Copy, Debug)]
pub struct NotesRange<'a> {
    /// The release.
    pub version: &'a Version,
    /// The release before it: what it contains is not told again.
    pub previous: Option<&'a Version>,
    /// The commit of the release.
    pub commit: &'a str,
    /// The day of the release.
    pub date: UtcTime,
    /// Its channel.
    pub channel: &'a ChannelName,
}

/// Walks the history and collects what notes are made from.
///
/// # Errors
/// When the history cannot be read, or the previous release's tag is gone.
pub fn notes_context(
    world: &dyn World,
    site: &Site,
    config: &Config,
    range: &NotesRange<'_>,
    artifacts: Vec<NotesArtifact>,
) -> Result<NotesContext, EngineError> {
    let git = world.git();
    let mut hidden = Vec::new();
    if let Some(previous) = range.previous {
        let tags = git.tags(site.root())?;
        let tag = tags
            .iter()
            .find(|tag| Version::from_tag(&tag.name).as_ref() == Some(previous));
        let tag = tag.ok_or_else(|| EngineError::Step {
            step: "notes".to_owned(),
            message: format!("the tag of the previous release {previous} is gone"),
            hint: Some("run `git fetch --tags`".to_owned()),
            conflict: true,
        })?;
        hidden.push(tag.commit.clone());
    }
    let mut collector = Collector::new(Facts {
        product_name: config.product.name.clone(),
        version: range.version.clone(),
        previous: range.previous.cloned(),
        date: range.date,
        channel: range.channel.clone(),
        artifacts,
        public_url: config.publish.public_url.clone(),
        issue_url: config.git.issue_url.clone(),
    });
    let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
    git.history(site.root(), &hidden, range.commit, &mut |commit| {
        collector.add(&commit)
    })?;
    let mut context = collector.finish();
    context
        .known_issues
        .extend(known_issues(world, site, config, range)?);
    Ok(context)
}

/// The issues that the living plan of the release's commit says are known in it. A plan that cannot be read has none: the
/// notes of an old release must not depend on what plans look like today.
fn known_issues(
    world: &dyn World,
    site: &Site,
    config: &Config,
    range: &NotesRange<'_>,
) -> Result<Vec<vrel_notes::KnownIssue>, EngineError> {
    let path = config.plan.file.to_string_lossy();
    let bytes = world
        .git()
        .file_at(site.root(), range.commit, &path)?
        .unwrap_or_default();
    let Some(todo) = String::from_utf8(bytes)
        .ok()
        .and_then(|text| vrel_todo::Todo::parse(&text).ok())
    else {
        return Ok(Vec::new());
    };
    let issues = todo
        .known_issues_of(range.version)
        .into_iter()
        .map(|issue| vrel_notes::KnownIssue {
            area: None,
            text: issue.text.clone(),
            workaround: issue.workaround.clone(),
        });
    Ok(issues.collect())
}

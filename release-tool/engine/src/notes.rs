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
    Ok(collector.finish())
}

//! Collecting what release notes are made from.

mod changelog;
mod edited;
mod written;

pub use changelog::{Changelog, changelog};
pub use edited::{Edit, edit_notes, published_notes};

use crate::interface::interface_news;
use crate::{EngineError, Site, origin_manifest};
use std::collections::HashSet;
use std::path::Path;
use vrel_model::{ChannelName, Config, HistoryCommit, UtcTime, Version};
use vrel_notes::{Collector, Comparison, Facts, NotesArtifact, NotesContext, brought};
use vrel_world::{Git, World};
use written::Written;

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
/// When the history cannot be read or is cut off, the previous release's tag is gone, or a fragment is wrong.
pub fn notes_context(
    world: &dyn World,
    site: &Site,
    config: &Config,
    range: &NotesRange<'_>,
    artifacts: Vec<NotesArtifact>,
) -> Result<NotesContext, EngineError> {
    let (git, root) = (world.git(), site.root());
    refuse_shallow(git, root)?;
    let before = match range.previous {
        Some(previous) => Some(commit_of(world, site, previous)?),
        None => None,
    };
    let before: Vec<&str> = before.as_deref().into_iter().collect();
    let difference = git.difference(root, &[range.commit], &before)?;
    let sides = Sides {
        before: before.first().copied(),
        ours: difference.ours.iter().collect(),
        theirs: difference.theirs.iter().collect(),
    };
    let commits: Vec<&str> = before.iter().copied().chain([range.commit]).collect();
    let mut written = Written::new(git, root, config, &commits)?;
    let mut context = collect(git, root, config, range, artifacts, &sides, &mut written)?;
    if let Some(before) = before.first() {
        context.interface_changes = interface_news(world, site, config, before, range.commit)?;
    }
    Ok(context)
}

/// What a release is compared with, and how the histories differ.
struct Sides<'h> {
    /// The commit of the release before.
    before: Option<&'h str>,
    ours: Vec<&'h HistoryCommit>,
    theirs: Vec<&'h HistoryCommit>,
}

/// Makes the content of notes from the commits and from what people wrote down.
fn collect(
    git: &dyn Git,
    root: &Path,
    config: &Config,
    range: &NotesRange<'_>,
    artifacts: Vec<NotesArtifact>,
    sides: &Sides<'_>,
    written: &mut Written<'_>,
) -> Result<NotesContext, EngineError> {
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
    for fragment in written.fragments(range.version, range.commit, sides.before)? {
        collector.add_fragment(fragment);
    }
    let contained = contained(git, root, sides)?;
    collector.set_pulls(brought(&sides.ours));
    for commit in &sides.ours {
        if contained.contains(commit.id.as_str()) {
            collector.add_contained(commit);
        } else {
            collector.add(commit);
        }
    }
    let mut context = collector.finish();
    let known = written.known_issues(range.version, range.commit)?;
    context.known_issues.extend(known);
    Ok(context)
}

fn refuse_shallow(git: &dyn Git, root: &Path) -> Result<(), EngineError> {
    if git.is_shallow(root)? {
        return Err(conflict(
            "this clone is shallow: release notes need the whole history".to_owned(),
            "run `git fetch --unshallow --tags`",
        ));
    }
    Ok(())
}

/// The commit of a release. A nightly has no tag; its manifest names its commit.
fn commit_of(world: &dyn World, site: &Site, version: &Version) -> Result<String, EngineError> {
    let (git, root) = (world.git(), site.root());
    let tag = match git.tag(root, &version.tag())? {
        Some(tag) => Some(tag),
        // Somebody may have written the version otherwise.
        None => {
            let names = git.tag_names(root)?;
            let is_it = |name: &&String| Version::from_tag(name).as_ref() == Some(version);
            match names.iter().find(is_it) {
                Some(name) => git.tag(root, name)?,
                None => None,
            }
        }
    };
    let commit = match tag {
        Some(tag) => Some(tag.commit),
        None => origin_manifest(world, site, version)?.map(|manifest| manifest.commit),
    };
    let gone = || format!("the tag of the previous release {version} is gone");
    commit.ok_or_else(|| conflict(gone(), "run `git fetch --tags`"))
}

fn conflict(message: String, hint: &str) -> EngineError {
    EngineError::Step {
        step: "notes".to_owned(),
        message,
        hint: Some(hint.to_owned()),
        conflict: true,
    }
}

/// The commits on our side whose change their side has as other commits, by the messages and by the patches.
fn contained<'h>(git: &dyn Git, root: &Path, sides: &Sides<'h>) -> Result<HashSet<&'h str>, EngineError> {
    let comparison = Comparison::new(sides.ours.iter().copied(), sides.theirs.iter().copied());
    let (ours, theirs) = comparison.undecided();
    let equal = git.equal_patches(root, ours, theirs)?;
    Ok(comparison.decide(equal.into_iter().map(|equal| equal.is_some())))
}

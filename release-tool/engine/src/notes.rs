//! Collecting what release notes are made from.

use crate::{EngineError, Site};
use std::collections::HashSet;
use std::path::Path;
use vrel_model::{ChannelName, Config, UtcTime, Version};
use vrel_notes::{Collector, Comparison, Facts, Fragment, FragmentKind, NotesArtifact, NotesContext};
use vrel_world::{Difference, Git, World};

/// Where fragments lie.
const DIRECTORY: &str = "notes";

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
    let git = world.git();
    if git.is_shallow(site.root())? {
        return Err(conflict(
            "this clone is shallow: release notes need the whole history".to_owned(),
            "run `git fetch --unshallow --tags`",
        ));
    }
    let mut before: Vec<String> = Vec::new();
    if let Some(previous) = range.previous {
        let tags = git.tags(site.root())?;
        let tag = tags
            .iter()
            .find(|tag| Version::from_tag(&tag.name).as_ref() == Some(previous));
        let gone = || format!("the tag of the previous release {previous} is gone");
        let tag = tag.ok_or_else(|| conflict(gone(), "run `git fetch --tags`"))?;
        before.push(tag.commit.clone());
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
    for fragment in fragments(git, site.root(), range, before.first().map(String::as_str))? {
        collector.add_fragment(fragment);
    }
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let difference = git.difference(site.root(), &[range.commit], &before)?;
    let contained = contained(git, site.root(), &difference)?;
    for commit in &difference.ours {
        if contained.contains(commit.id.as_str()) {
            collector.add_contained(commit);
        } else {
            collector.add(commit);
        }
    }
    let mut context = collector.finish();
    context
        .known_issues
        .extend(known_issues(world, site, config, range)?);
    Ok(context)
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
fn contained<'d>(
    git: &dyn Git,
    root: &Path,
    difference: &'d Difference,
) -> Result<HashSet<&'d str>, EngineError> {
    let comparison = Comparison::new(&difference.ours, &difference.theirs);
    let (ours, theirs) = comparison.undecided();
    let equal = git.equal_patches(root, ours, theirs)?;
    Ok(comparison.decide(equal.into_iter().map(|equal| equal.is_some())))
}

/// The fragments of the release's commit that it is the first to have, and the known issues among them that it still has.
/// A fragment is known by its path: wherever it was picked or merged to, it is told of once.
fn fragments(
    git: &dyn Git,
    root: &Path,
    range: &NotesRange<'_>,
    before: Option<&str>,
) -> Result<Vec<Fragment>, EngineError> {
    let is_fragment = |path: &String| path.ends_with(".toml");
    let paths = |commit: &str| git.paths_at(root, commit, DIRECTORY);
    let there: Vec<String> = paths(range.commit)?.into_iter().filter(is_fragment).collect();
    if there.is_empty() {
        return Ok(Vec::new());
    }
    let told: HashSet<String> = before
        .map(paths)
        .transpose()?
        .unwrap_or_default()
        .into_iter()
        .collect();
    let mut fragments = Vec::new();
    for path in there {
        let bytes = git.file_at(root, range.commit, &path)?.unwrap_or_default();
        let text = String::from_utf8(bytes).map_err(|_| EngineError::Policy {
            path: path.clone().into(),
            reason: "this file is not UTF-8 text".to_owned(),
        })?;
        let fragment = Fragment::parse(Path::new(&path), &text)?;
        let is_ours = match fragment.kind {
            FragmentKind::KnownIssue => fragment.is_known_in(range.version),
            _ => !told.contains(&path),
        };
        if is_ours {
            fragments.push(fragment);
        }
    }
    Ok(fragments)
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

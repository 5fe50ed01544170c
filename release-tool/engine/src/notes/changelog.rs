//! The notes of all releases from one walk over the history.

use super::{NotesRange, Sides, collect, refuse_shallow};
use crate::notes::written::Written;
use crate::{EngineError, Site, duds};
use vrel_model::{ChannelName, Config, Version};
use vrel_notes::{History, NotesContext};
use vrel_process::{TaggedRelease, previous_release_at};
use vrel_world::World;

/// The notes of several releases.
#[derive(Debug, Default)]
pub struct Changelog {
    /// What is told of each release, the newest first.
    pub releases: Vec<NotesContext>,
    /// Releases whose fragments cannot be read, and why: what was released with a mistake cannot be mended any more.
    pub left_out: Vec<(Version, EngineError)>,
}

/// Collects the notes of all releases among the tags, the newest version first. `channel` says where a version was
/// published. What can be downloaded is not told.
///
/// # Errors
/// When the history cannot be read or is cut off.
pub fn changelog(
    world: &dyn World,
    site: &Site,
    config: &Config,
    channel: &dyn Fn(&Version) -> ChannelName,
) -> Result<Changelog, EngineError> {
    let (git, root) = (world.git(), site.root());
    refuse_shallow(git, root)?;
    let duds = duds(world, site, config)?;
    let mut releases: Vec<TaggedRelease> = git
        .tags(root)?
        .into_iter()
        .filter_map(|tag| {
            Some(TaggedRelease {
                version: Version::from_tag(&tag.name)?,
                commit: tag.commit,
                made: tag.time,
            })
        })
        .filter(|release| !duds.contains_key(&release.version))
        .collect();
    releases.sort_by(|a, b| b.version.cmp(&a.version));
    let commits: Vec<&str> = releases.iter().map(|release| release.commit.as_str()).collect();
    let history = History::new(git.difference(root, &commits, &[])?.ours);
    let mut written = Written::new(git, root, config, &commits)?;
    let mut changelog = Changelog::default();
    for release in &releases {
        world.check_interrupt()?;
        let previous = previous_release_at(&releases, &release.version, release.made);
        let before = previous.map(|previous| previous.commit.as_str());
        let (ours, theirs) = history.difference(&release.commit, before);
        let sides = Sides { before, ours, theirs };
        let range = NotesRange {
            version: &release.version,
            previous: previous.map(|previous| &previous.version),
            commit: &release.commit,
            date: release.made,
            channel: &channel(&release.version),
        };
        match collect(git, root, config, &range, Vec::new(), &sides, &mut written) {
            Ok(context) => changelog.releases.push(context),
            Err(error @ (EngineError::Toml(_) | EngineError::Policy { .. })) => {
                changelog.left_out.push((release.version.clone(), error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(changelog)
}

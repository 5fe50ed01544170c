//! What programs rely on, at a commit and between two.

use crate::{EngineError, Site};
use std::collections::BTreeMap;
use vrel_interface::{CRATES, Change, Impact, Interface, InterfaceError, Place, compare};
use vrel_model::{Config, Version};
use vrel_notes::InterfaceChange;
use vrel_process::{InterfaceFacts, TagFact, previous_release};
use vrel_world::World;

/// The interface of one commit, with the files that it was read from: `None` for one that was looked for and is not there.
struct Read {
    interface: Result<Option<Interface>, InterfaceError>,
    files: BTreeMap<String, Option<Vec<u8>>>,
}

fn read(world: &dyn World, site: &Site, config: &Config, commit: &str) -> Result<Read, EngineError> {
    let mut files = BTreeMap::new();
    let mut failed = None;
    let os = config.os.source.to_string_lossy().into_owned();
    let interface = Interface::read(&os, &mut |path| {
        let bytes = match world.git().file_at(site.root(), commit, path) {
            Ok(bytes) => bytes,
            Err(error) => {
                failed.get_or_insert(error);
                None
            }
        };
        files.insert(path.to_owned(), bytes.clone());
        bytes
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Read { interface, files }),
    }
}

/// What programs rely on in a commit; `None` when it is older than the sources that say so.
///
/// # Errors
/// When the repository cannot be read, or the sources cannot be understood.
pub fn interface_at(
    world: &dyn World,
    site: &Site,
    config: &Config,
    commit: &str,
) -> Result<Option<Interface>, EngineError> {
    Ok(read(world, site, config, commit)?.interface?)
}

/// What changed for programs between two commits. Nothing where one of them is older than the sources that say so.
///
/// # Errors
/// When the repository cannot be read, or the sources of a commit cannot be understood.
pub fn interface_changes(
    world: &dyn World,
    site: &Site,
    config: &Config,
    previous: &str,
    commit: &str,
) -> Result<Vec<Change>, EngineError> {
    let os = config.os.source.to_string_lossy();
    // The same directory needs no reading.
    if let [Some(old), Some(new)] = &world.git().objects_at(site.root(), &[previous, commit], &os)?[..]
        && old == new
    {
        return Ok(Vec::new());
    }
    let new = read(world, site, config, commit)?;
    if is_same(world, site, previous, &new)? {
        return Ok(Vec::new());
    }
    let old = interface_at(world, site, config, previous)?;
    match (old, new.interface?) {
        (Some(old), Some(new)) => Ok(compare(&old, &new)),
        _ => Ok(Vec::new()),
    }
}

/// What release notes say of the interface: what breaks and what is new. Nothing where sources cannot be understood, because
/// notes of an old release must not depend on what is understood today.
///
/// # Errors
/// When the repository cannot be read.
pub(crate) fn interface_news(
    world: &dyn World,
    site: &Site,
    config: &Config,
    previous: &str,
    commit: &str,
) -> Result<Vec<InterfaceChange>, EngineError> {
    let changes = match interface_changes(world, site, config, previous, commit) {
        Err(EngineError::Interface(_)) => Vec::new(),
        changes => changes?,
    };
    let news = changes
        .into_iter()
        .filter(|change| change.impact != Impact::Neutral);
    Ok(news
        .map(|change| InterfaceChange {
            breaking: change.impact == Impact::Incompatible,
            what: change.symbol,
            before: change.before,
            after: change.after,
        })
        .collect())
}

/// Whether another commit has the same sources of the interface: then it has the same interface.
fn is_same(world: &dyn World, site: &Site, other: &str, read: &Read) -> Result<bool, EngineError> {
    for (path, bytes) in &read.files {
        if world.git().file_at(site.root(), other, path)? != *bytes {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is known of the interface of a commit that becomes a version.
///
/// # Errors
/// When the repository cannot be read. Sources that cannot be understood are a fact, not an error.
pub(crate) fn interface_facts(
    world: &dyn World,
    site: &Site,
    config: &Config,
    tags: &[TagFact],
    version: &Version,
    commit: &str,
) -> Result<InterfaceFacts, EngineError> {
    // Until the final release is out, its candidates do not bind the interface.
    let previous = previous_release(tags, &version.final_version());
    let previous = previous.as_ref().map(|(version, commit)| (version, *commit));
    facts_between(world, site, config, previous, commit)
}

/// What is known of the interface of a commit, and what changed in it since a release.
///
/// # Errors
/// See [`interface_facts`].
pub(crate) fn facts_between(
    world: &dyn World,
    site: &Site,
    config: &Config,
    previous: Option<(&Version, &str)>,
    commit: &str,
) -> Result<InterfaceFacts, EngineError> {
    let mut facts = InterfaceFacts::default();
    let new = read(world, site, config, commit)?;
    let os = config.os.source.display();
    if let Some((previous, tagged)) = previous {
        if !is_same(world, site, tagged, &new)? {
            match (interface_at(world, site, config, tagged), &new.interface) {
                (Err(EngineError::Interface(error)), _) => {
                    facts.not_compared = Some(format!("{previous}: {error}"));
                }
                (Err(error), _) => return Err(error),
                (Ok(None), _) => {
                    facts.not_compared = Some(format!(
                        "{previous} is older than the system-call table and the user library in `{os}`"
                    ));
                }
                (Ok(Some(old)), Ok(Some(new))) => facts.changes = compare(&old, new),
                (Ok(Some(_)), Ok(None)) => {
                    facts.problem = Some(InterfaceError {
                        place: Place {
                            file: format!("{os}/{}", CRATES[0].1),
                            line: 1,
                        },
                        reason: format!("this file is missing, and {previous} has it"),
                    });
                }
                (Ok(Some(_)), Err(_)) => {}
            }
        }
        facts.previous = Some(previous.clone());
    }
    if let Err(error) = new.interface {
        facts.problem = Some(error);
    }
    Ok(facts)
}

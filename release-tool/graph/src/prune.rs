//! Keeping a cache from growing for ever.

use crate::cache::fan_out;
use crate::record::ActionRecord;
use crate::{GraphError, InputKind, Recipe};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use vrel_model::{Sha256Digest, UtcTime};
use vrel_world::{FileKind, Fs, Lock, World};

/// What stays in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// What was used at this time or later. Uses are noted to the day: leave a day more.
    pub used_since: UtcTime,
    /// At most so many bytes of objects: what was used longest ago goes first.
    pub at_most: Option<u64>,
}

/// How much is in a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Records of what came out of a recipe.
    pub actions: usize,
    /// Files.
    pub objects: usize,
    /// Their length together, in bytes; holes count.
    pub bytes: u64,
}

/// What a prune did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// What there was.
    pub before: Usage,
    /// What stays.
    pub after: Usage,
}

/// How much is in a cache. Others may be using it meanwhile.
///
/// # Errors
/// When it cannot be read.
pub fn usage(world: &dyn World, dir: &Path) -> Result<Usage, GraphError> {
    let objects = files(world, &dir.join("objects"))?;
    Ok(Usage {
        actions: files(world, &dir.join("actions"))?.len(),
        objects: objects.len(),
        bytes: objects.iter().map(|(_, length)| length).sum(),
    })
}

/// Removes from a cache what was not used lately: records first, then everything that no record names any more, with what
/// killed runs left behind. A damaged record is removed too.
///
/// # Errors
/// [`GraphError::InUse`] when somebody uses the cache: nothing is then removed.
pub fn prune(world: &dyn World, dir: &Path, keep: Keep) -> Result<Pruned, GraphError> {
    let fs = world.fs();
    if fs.metadata(dir)?.is_none() {
        let (before, after) = (Usage::default(), Usage::default());
        return Ok(Pruned { before, after });
    }
    let _lock = match fs.lock(&dir.join("lock"), "somebody who prunes it")? {
        Lock::Held(lock) => lock,
        Lock::Busy(_) => return Err(GraphError::InUse { dir: dir.to_owned() }),
    };
    let before = usage(world, dir)?;
    let kept = kept(world, dir, keep)?;

    // Nothing that is named may be missing when this is killed: names go first.
    let actions = dir.join("actions");
    let keys: BTreeSet<Sha256Digest> = kept.iter().map(|record| record.recipe.key()).collect();
    let paths = keys
        .iter()
        .map(|&key| fan_out(&actions, key).with_extension("json"));
    remove_others(world, &actions, &paths.collect())?;

    let objects = dir.join("objects");
    let digests = kept.iter().flat_map(|record| record.outputs.values());
    let paths = digests.map(|file| fan_out(&objects, file.sha256));
    remove_others(world, &objects, &paths.collect())?;

    let trees = dir.join("trees");
    let inputs = kept.iter().flat_map(|record| record.recipe.inputs.values());
    let digests = inputs.filter(|input| input.kind == InputKind::Tree);
    let paths = digests.map(|input| fan_out(&trees, input.sha256).with_extension("json"));
    remove_others(world, &trees, &paths.collect())?;

    let last = dir.join("last");
    let mut paths = BTreeSet::new();
    for (path, _) in files(world, &last)? {
        let recipe: Option<Recipe> = serde_json::from_slice(&fs.read(&path)?).ok();
        if recipe.is_some_and(|recipe| keys.contains(&recipe.key())) {
            paths.insert(path);
        }
    }
    remove_others(world, &last, &paths)?;
    fs.remove_dir_all(&dir.join("work"))?;
    let after = usage(world, dir)?;
    Ok(Pruned { before, after })
}

/// The records that stay, latest use first.
fn kept(world: &dyn World, dir: &Path, keep: Keep) -> Result<Vec<ActionRecord>, GraphError> {
    let mut records = Vec::new();
    for (path, _) in files(world, &dir.join("actions"))? {
        let key = path
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse::<Sha256Digest>().ok());
        let Some(key) = key else { continue };
        let record = ActionRecord::parse(&world.fs().read(&path)?, key);
        records.extend(record.ok().filter(|record| record.last_used >= keep.used_since));
    }
    records.sort_by_key(|record| (Reverse(record.last_used), record.recipe.key()));
    let mut counted: BTreeMap<Sha256Digest, u64> = BTreeMap::new();
    let mut bytes = 0;
    let mut fits = |record: &ActionRecord| {
        for file in record.outputs.values() {
            if counted.insert(file.sha256, file.length).is_none() {
                bytes += file.length;
            }
        }
        keep.at_most.is_none_or(|most| bytes <= most)
    };
    let count = records
        .iter()
        .position(|record| !fits(record))
        .unwrap_or(records.len());
    records.truncate(count);
    Ok(records)
}

/// All files in a directory and its directories, with their lengths; none when there is no such directory.
fn files(world: &dyn World, dir: &Path) -> Result<Vec<(PathBuf, u64)>, GraphError> {
    let fs = world.fs();
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        world.check_interrupt()?;
        if fs.metadata(&dir)?.is_none() {
            continue;
        }
        for entry in fs.list(&dir)? {
            let path = dir.join(&entry.name);
            if entry.kind == FileKind::Directory {
                open.push(path);
            } else if let Some(metadata) = fs.metadata(&path)? {
                found.push((path, metadata.len));
            }
        }
    }
    Ok(found)
}

fn remove_others(world: &dyn World, dir: &Path, keep: &BTreeSet<PathBuf>) -> Result<(), GraphError> {
    let fs: &dyn Fs = world.fs();
    for (path, _) in files(world, dir)? {
        if !keep.contains(&path) {
            fs.remove_file(&path)?;
        }
    }
    Ok(())
}

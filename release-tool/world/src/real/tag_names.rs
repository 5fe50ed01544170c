//! The names of tags, from the names of files. libgit2 reads every tag that it lists, and with hundreds of tags that takes
//! longer than all else that a short command does.

use crate::{ErrorKind, Result, WorldError};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

const TAGS: &str = "refs/tags/";

/// The names of all tags of a repository, sorted. `dir` is what its work trees share.
pub(super) fn read(dir: &Path) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    let list_error = |path: &Path, error: &io::Error| WorldError::io("list the tags in", path, error);
    let packed = dir.join("packed-refs");
    match fs::read(&packed) {
        Ok(bytes) => names.extend(bytes.split(|byte| *byte == b'\n').filter_map(packed_tag)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(list_error(&packed, &error)),
    }
    let loose = dir.join("refs/tags");
    match loose_tags(&loose, "", &mut names) {
        Err(error) if error.kind == ErrorKind::NotFound => {}
        listed => listed?,
    }
    Ok(names.into_iter().collect())
}

/// The tag in a line of `packed-refs`: an id, a blank and a name. Names that are not UTF-8 are nobody's version.
fn packed_tag(line: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(line.get(41..)?).ok()?;
    let is_ref = line[..40].iter().all(u8::is_ascii_hexdigit) && line[40] == b' ';
    name.strip_prefix(TAGS).filter(|_| is_ref).map(str::to_owned)
}

fn loose_tags(dir: &Path, prefix: &str, names: &mut BTreeSet<String>) -> Result<()> {
    let list_error = |error: io::Error| WorldError::io("list the tags in", dir, &error);
    for entry in fs::read_dir(dir).map_err(list_error)? {
        let entry = entry.map_err(list_error)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        // What git is writing at this moment; no ref may be called so.
        if name.ends_with(".lock") {
            continue;
        }
        let name = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(list_error)?;
        if kind.is_dir() {
            match loose_tags(&entry.path(), &format!("{name}/"), names) {
                // Git removes directories that became empty.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                listed => listed?,
            }
        } else {
            names.insert(name);
        }
    }
    Ok(())
}

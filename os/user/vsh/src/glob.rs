//! Patterns to the paths that match them.

use rt::fs::FileKind;

use crate::pattern::{Character, Pattern, is_pattern};
use crate::prelude::*;

/// The existing paths that match, in order. Directories that cannot be read have no entries.
pub(crate) fn paths(characters: &[Character]) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut rest = characters;
    while !rest.is_empty() {
        let slashes = rest.iter().take_while(|(character, _)| *character == '/').count();
        let len = rest[slashes..]
            .iter()
            .take_while(|(character, _)| *character != '/')
            .count();
        let (component, later) = rest[slashes..].split_at(len);
        let prefix = "/".repeat(slashes);
        found = found
            .into_iter()
            .flat_map(|base| step(base + &prefix, component, !later.is_empty()))
            .collect();
        rest = later;
    }
    found.sort_unstable();
    found
}

/// The paths that begin with `base`, which is empty or ends with a slash, and end with what matches one component.
fn step(base: String, component: &[Character], is_directory: bool) -> Vec<String> {
    if component.is_empty() {
        return match rt::fs::metadata(&base) {
            Ok(_) => vec![base],
            Err(_) => Vec::new(),
        };
    }
    if !is_pattern(component) {
        let name: String = component.iter().map(|(character, _)| character).collect();
        let path = base + &name;
        return if rt::fs::metadata(&path).is_ok() {
            vec![path]
        } else {
            Vec::new()
        };
    }
    let pattern = Pattern::new(component);
    let directory = if base.is_empty() { "." } else { &base };
    let entries = rt::fs::read_dir(directory).unwrap_or_default();
    let matching = entries.into_iter().filter(|entry| {
        (!entry.name.starts_with('.') || pattern.begins_with_dot())
            // A link may lead to a directory.
            && (!is_directory || entry.kind != FileKind::Device)
            && pattern.matches(&entry.name.chars().collect::<Vec<_>>())
    });
    let paths = matching.map(|entry| format!("{base}{}", entry.name));
    paths
        .filter(|path| !is_directory || rt::fs::metadata(path).is_ok_and(|metadata| metadata.is_dir()))
        .collect()
}

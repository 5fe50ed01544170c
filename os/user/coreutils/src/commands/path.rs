//! Names of files.

use alloc::format;
use alloc::string::{String, ToString};

use rt::fs::FileKind;

/// The last component without slashes behind it; `/` if there is nothing else.
pub(crate) fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") if !path.is_empty() => "/",
        name => name.unwrap_or(""),
    }
}

/// All but the last component; `.` if there is nothing else.
pub(crate) fn dir_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rfind('/') {
        Some(at) => match trimmed[..at].trim_end_matches('/') {
            "" => "/",
            parent => parent,
        },
        None if trimmed.is_empty() && !path.is_empty() => "/",
        None => ".",
    }
}

/// The name of an entry of a directory.
pub(crate) fn join(directory: &str, name: &str) -> String {
    match directory {
        "" => name.to_string(),
        directory if directory.ends_with('/') => format!("{directory}{name}"),
        directory => format!("{directory}/{name}"),
    }
}

pub(crate) fn is_dir(path: &str) -> bool {
    rt::fs::metadata(path).is_ok_and(|metadata| metadata.kind == FileKind::Directory)
}

pub(crate) fn exists(path: &str) -> bool {
    rt::fs::metadata(path).is_ok()
}

/// The path that two names of one file share. A file that does not exist has one if its directory does.
pub(crate) fn absolute(path: &str) -> Option<String> {
    if let Ok(path) = rt::fs::canonicalize(path) {
        return Some(path);
    }
    Some(join(&rt::fs::canonicalize(dir_name(path)).ok()?, base_name(path)))
}

//! The files for cron, systemd and hosted CI in the work tree: written, and compared with what they should be.

use crate::EngineError;
use serde::Serialize;
use std::path::Path;
use vrel_documents::ci::{CiFile, CiKind, MARK};
use vrel_model::CiPlan;
use vrel_world::{ErrorKind, FileKind, World};

/// How a file is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "drift", rename_all = "kebab-case")]
pub enum CiDrift {
    /// It is not there.
    Missing {
        /// The file, in the directory of all of them.
        path: String,
    },
    /// It was written by the tool and is not needed any more.
    LeftOver {
        /// The file.
        path: String,
    },
    /// It says something else.
    Differs {
        /// The file.
        path: String,
        /// The first line that differs, from 1.
        line: usize,
        /// What should stand there; `None` when the file should have ended.
        expected: Option<String>,
        /// What stands there; `None` when the file has ended.
        found: Option<String>,
    },
}

/// The files of a plan, of some programs or all.
///
/// # Errors
/// When a template fails.
pub fn ci_files(plan: &CiPlan, only: &[CiKind]) -> Result<Vec<CiFile>, EngineError> {
    let mut files = vrel_documents::ci::ci_files(plan).map_err(|error| EngineError::Refused {
        message: error.to_string(),
        hint: Some("mend the file in templates/ci/ and compile the tool again".to_owned()),
    })?;
    files.retain(|file| only.is_empty() || only.contains(&file.kind));
    Ok(files)
}

/// How the files in a directory differ from these. Files that the tool never wrote are none of its business.
///
/// # Errors
/// When a file cannot be read.
pub fn ci_drift(world: &dyn World, dir: &Path, files: &[CiFile]) -> Result<Vec<CiDrift>, EngineError> {
    let mut drift = Vec::new();
    for file in files {
        match read(world, &dir.join(file.path))? {
            None => drift.push(CiDrift::Missing {
                path: file.path.to_owned(),
            }),
            Some(found) => drift.extend(first_difference(file, &found)),
        }
    }
    let mut folders: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.rsplit_once('/').map(|(folder, _)| folder))
        .collect();
    folders.dedup();
    for folder in folders {
        for path in written_by_the_tool(world, dir, folder)? {
            if !files.iter().any(|file| file.path == path) {
                drift.push(CiDrift::LeftOver { path });
            }
        }
    }
    Ok(drift)
}

/// Brings the files in a directory in line; what is as it should be is not touched.
///
/// # Errors
/// When a file cannot be written.
pub fn write_ci_files(
    world: &dyn World,
    dir: &Path,
    files: &[CiFile],
    drift: &[CiDrift],
) -> Result<(), EngineError> {
    for drift in drift {
        match drift {
            CiDrift::LeftOver { path } => world.fs().remove_file(&dir.join(path))?,
            CiDrift::Missing { path } | CiDrift::Differs { path, .. } => {
                let Some(file) = files.iter().find(|file| file.path == path) else {
                    continue;
                };
                let target = dir.join(file.path);
                if let Some(parent) = target.parent() {
                    world.fs().create_dir_all(parent)?;
                }
                world.fs().write(&target, file.text.as_bytes(), 0o644)?;
            }
        }
    }
    Ok(())
}

fn read(world: &dyn World, path: &Path) -> Result<Option<String>, EngineError> {
    match world.fs().read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn first_difference(file: &CiFile, found: &str) -> Option<CiDrift> {
    if file.text == found {
        return None;
    }
    // With their ends, so that a missing last newline and a carriage return count.
    let (mut expected, mut found) = (file.text.split_inclusive('\n'), found.split_inclusive('\n'));
    let mut line = 1;
    let (expected, found) = loop {
        match (expected.next(), found.next()) {
            (None, None) => return None,
            (expected, found) if expected == found => line += 1,
            differing => break differing,
        }
    };
    let without_end = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
    // Where only the line's end differs, it has to be seen.
    let only_end = expected.map(without_end) == found.map(without_end);
    let shown = |text: &str| {
        if only_end {
            text.to_owned()
        } else {
            without_end(text)
        }
    };
    Some(CiDrift::Differs {
        path: file.path.to_owned(),
        line,
        expected: expected.map(shown),
        found: found.map(shown),
    })
}

/// The files of a folder whose first line says that the tool wrote them.
fn written_by_the_tool(world: &dyn World, dir: &Path, folder: &str) -> Result<Vec<String>, EngineError> {
    let entries = match world.fs().list(&dir.join(folder)) {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.kind == FileKind::File) {
        let path = format!("{folder}/{}", entry.name);
        let text = read(world, &dir.join(&path))?.unwrap_or_default();
        if text.lines().next().is_some_and(|first| first.contains(MARK)) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

//! Freezing a line: the decisions in the records, the release branch, the announcement; and holding pushes to them.

mod decide;
mod landing;
mod push;
mod start;
mod status;

pub use decide::{ExceptRequest, end, except};
pub use landing::landing_commits;
pub use push::{PushReport, PushedRef, check_push};
pub use start::{FreezePlan, FreezeStep, StartRequest, apply_start, plan_start};
pub use status::{ExceptionReport, FreezeReport, LandedReport, fetch_branch, report};

use crate::EngineError;
use crate::records::RecordsView;
use vrel_model::freeze::FreezeFile;
use vrel_model::{Config, Line, Person};
use vrel_process::freeze::LineFreezes;
use vrel_world::World;

/// The freezes of a line, with the file's text; `None` when it was never frozen.
///
/// # Errors
/// When the file is not one of freezes; with its place.
pub fn read_freezes(view: &RecordsView<'_>, line: Line) -> Result<Option<(String, FreezeFile)>, EngineError> {
    let path = FreezeFile::path(line);
    let Some(text) = view.read_text(&path)? else {
        return Ok(None);
    };
    let file = FreezeFile::parse(&path, &text)?;
    Ok(Some((text, file)))
}

/// The freezes of all lines, in the order of the lines.
///
/// # Errors
/// As [`read_freezes`].
pub fn all_freezes(view: &RecordsView<'_>) -> Result<Vec<LineFreezes>, EngineError> {
    let mut all = Vec::new();
    for path in view.list("lines")? {
        let line = path
            .strip_prefix("lines/")
            .and_then(|rest| rest.strip_suffix("/freeze.toml"));
        let Some(line) = line.and_then(|line| line.parse().ok()) else {
            continue;
        };
        if let Some((_, file)) = read_freezes(view, line)? {
            all.push(LineFreezes { line, file });
        }
    }
    all.sort_by_key(|freezes| freezes.line);
    Ok(all)
}

/// The name of a line's release branch, without `refs/heads/`.
///
/// # Errors
/// When `git.release-branch` cannot be filled in.
pub fn release_branch(config: &Config, line: Line) -> Result<String, EngineError> {
    let expanded = config.git.release_branch.expand(&[("line", &line.to_string())]);
    expanded.map_err(|error| EngineError::Policy {
        path: "vrel.toml".into(),
        reason: format!("`git.release-branch`: {error}"),
    })
}

/// The person in whose name git commits here.
///
/// # Errors
/// When none is configured, or not one with a name and an address.
pub fn committer(world: &dyn World, repo: &std::path::Path) -> Result<Person, EngineError> {
    let text = world.git().committer(repo)?;
    text.parse()
        .map_err(|error: vrel_model::PersonError| EngineError::Refused {
            message: error.to_string(),
            hint: Some("set them with `git config user.name` and `user.email`".to_owned()),
        })
}

fn refused(message: impl Into<String>, hint: impl Into<String>) -> EngineError {
    EngineError::Refused {
        message: message.into(),
        hint: Some(hint.into()),
    }
}

/// An edit of a file that cannot be made in place.
fn cannot_edit(line: Line, reason: String) -> EngineError {
    EngineError::Policy {
        path: FreezeFile::path(line).into(),
        reason,
    }
}

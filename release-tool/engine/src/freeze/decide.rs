//! Exceptions, and the end.

use super::{cannot_edit, committer, read_freezes, refused};
use crate::records::{Changed, Records};
use crate::{EngineError, Site};
use vrel_model::freeze::{Excepted, FreezeEnd, FreezeException, FreezeFile, Risk, add_exception, end_window};
use vrel_model::{Config, Day, Line, Person};
use vrel_world::{FileEdit, World};

/// An exception that a person asks for.
#[derive(Clone, Debug)]
pub struct ExceptRequest {
    /// The line.
    pub line: Line,
    /// Which commits.
    pub what: Excepted,
    /// Why.
    pub reason: String,
    /// What could go wrong.
    pub risk: Risk,
    /// Who agreed.
    pub approver: Person,
    /// The last day on which it holds.
    pub until: Day,
}

/// Records an exception to the line's freeze. One that is there already is not recorded again.
///
/// # Errors
/// When the line is not frozen, the last day is over, or the records cannot be changed.
pub fn except(
    world: &dyn World,
    site: &Site,
    config: &Config,
    request: &ExceptRequest,
) -> Result<Changed, EngineError> {
    let (line, now) = (request.line, world.now());
    if request.until.end() <= now {
        return Err(refused(
            format!("the exception would hold until {}, which is over", request.until),
            "`--until` names its last day",
        ));
    }
    let exception = FreezeException {
        what: request.what.clone(),
        reason: request.reason.clone(),
        risk: request.risk,
        approver: request.approver.clone(),
        until: request.until,
        by: committer(world, site.root())?,
        recorded: now,
    };
    let message = format!(
        "except {} from the freeze of {line}\n\n{}\n\nRisk: {}\nApproved-by: {}\n",
        request.what, request.reason, request.risk, request.approver
    );
    Records::new(world, site, config).change(&message, &mut |view| {
        let file = read_freezes(view, line)?;
        let current = file.as_ref().and_then(|(text, file)| {
            let (at, window) = file.current(now)?;
            Some((text, at, window))
        });
        let Some((text, at, window)) = current else {
            let hint = format!("see `vrel freeze status {line}`");
            return Err(refused(
                format!("{line} is not frozen; everything may land"),
                hint,
            ));
        };
        let same = |there: &FreezeException| {
            (
                &there.what,
                &there.reason,
                there.risk,
                &there.approver,
                there.until,
            ) == (
                &exception.what,
                &exception.reason,
                exception.risk,
                &exception.approver,
                exception.until,
            )
        };
        if window.exceptions.iter().any(same) {
            return Ok(Vec::new());
        }
        let text = add_exception(text, at, &exception).map_err(|reason| cannot_edit(line, reason))?;
        Ok(vec![write(line, text)])
    })
}

/// Records that the line's freeze ends now. One that is over already stays as it is.
///
/// # Errors
/// When the line was never frozen, or the records cannot be changed.
pub fn end(
    world: &dyn World,
    site: &Site,
    config: &Config,
    line: Line,
    reason: &str,
) -> Result<Changed, EngineError> {
    let now = world.now();
    let end = FreezeEnd {
        at: now,
        by: committer(world, site.root())?,
        reason: reason.to_owned(),
    };
    let message = format!("end the freeze of {line}\n\n{reason}\n");
    Records::new(world, site, config).change(&message, &mut |view| {
        let Some((text, file)) = read_freezes(view, line)? else {
            let hint = "see `vrel freeze status`";
            return Err(refused(format!("{line} was never frozen"), hint));
        };
        let Some((at, _)) = file.current(now) else {
            return Ok(Vec::new());
        };
        let text = end_window(&text, at, &end).map_err(|reason| cannot_edit(line, reason))?;
        Ok(vec![write(line, text)])
    })
}

fn write(line: Line, text: String) -> FileEdit {
    FileEdit::Write {
        path: FreezeFile::path(line),
        content: text.into_bytes(),
    }
}

//! One commit and one freeze.

use super::{CommitForm, LandingCommit, Refusal};
use vrel_model::freeze::{Excepted, FreezeConfig, FreezeException, FreezeWindow};
use vrel_model::{Line, UtcTime};

/// Why a commit may land, or that it may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// It only merges what is judged by itself.
    Merge,
    /// Its type is among those that mend.
    Fix,
    /// It changes nothing but paths that are always open.
    Path,
    /// The exception with this number, from 1, is for it.
    Exception(usize),
    /// It may not.
    Refused(Refusal),
}

/// What must be looked up of a commit before it can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The paths that it changes.
    pub paths: bool,
}

/// What judging by these freezes needs to know of commits, beyond their messages.
#[must_use]
pub fn wanted<'w>(windows: impl IntoIterator<Item = &'w FreezeWindow>, policy: &FreezeConfig) -> Wanted {
    let by_path = |exception: &FreezeException| matches!(exception.what, Excepted::Path(_));
    let mut windows = windows.into_iter();
    Wanted {
        paths: !policy.allow_paths.is_empty() || windows.any(|window| window.exceptions.iter().any(by_path)),
    }
}

/// Judges a commit by a freeze. `at` is the moment of landing; without one exceptions count although they have expired, for
/// looking back.
#[must_use]
pub fn judge(
    line: Line,
    window: &FreezeWindow,
    policy: &FreezeConfig,
    commit: &LandingCommit,
    at: Option<UtcTime>,
) -> Landing {
    if commit.plain_merge == Some(true) {
        return Landing::Merge;
    }
    let breaking = commit.form.as_ref().is_some_and(|form| form.breaking);
    if !breaking {
        if is_allowed_type(policy, commit) {
            return Landing::Fix;
        }
        if all_paths(commit, |path| {
            policy.allow_paths.iter().any(|glob| glob.matches(path))
        }) {
            return Landing::Path;
        }
    }
    let holds = |exception: &FreezeException| at.is_none_or(|at| at < exception.until.end());
    if let Some(number) = exception_for(window, policy, commit, holds) {
        return Landing::Exception(number);
    }
    let expired = exception_for(window, policy, commit, |_| true);
    Landing::Refused(refusal(line, window, policy, commit, expired))
}

fn is_allowed_type(policy: &FreezeConfig, commit: &LandingCommit) -> bool {
    commit.form.as_ref().is_some_and(|form| {
        let mut allowed = policy.allow.iter();
        allowed.any(|allowed| allowed.includes(&form.name, form.scope.as_deref()))
    })
}

fn all_paths(commit: &LandingCommit, is_open: impl Fn(&str) -> bool) -> bool {
    let paths = commit.paths.as_deref().unwrap_or_default();
    !paths.is_empty() && paths.iter().all(|path| is_open(path))
}

/// The number of the first exception that is for a commit, from 1.
fn exception_for(
    window: &FreezeWindow,
    policy: &FreezeConfig,
    commit: &LandingCommit,
    holds: impl Fn(&FreezeException) -> bool,
) -> Option<usize> {
    let direct = window.exceptions.iter().position(|exception| {
        holds(exception)
            && match &exception.what {
                Excepted::Commit(id) => *id == commit.id || commit.picked_from.contains(id),
                Excepted::Subject(subject) => *subject == commit.subject,
                Excepted::Path(_) => false,
            }
    });
    if let Some(at) = direct {
        return Some(at + 1);
    }
    // One commit may need several: each path is open by one of them, or always.
    let opened_by = |path: &str| {
        window.exceptions.iter().position(|exception| {
            holds(exception) && matches!(&exception.what, Excepted::Path(glob) if glob.matches(path))
        })
    };
    let is_open =
        |path: &str| opened_by(path).is_some() || policy.allow_paths.iter().any(|glob| glob.matches(path));
    if !all_paths(commit, is_open) {
        return None;
    }
    let paths = commit.paths.iter().flatten();
    paths.filter_map(|path| opened_by(path)).min().map(|at| at + 1)
}

fn refusal(
    line: Line,
    window: &FreezeWindow,
    policy: &FreezeConfig,
    commit: &LandingCommit,
    expired: Option<usize>,
) -> Refusal {
    let allowed: Vec<_> = policy.allow.iter().map(ToString::to_string).collect();
    let allowed = allowed.join(", ");
    let (rule, mut why) = match &commit.form {
        Some(CommitForm { breaking: true, .. }) => (
            "freeze-no-breaking",
            "it breaks what worked, which no type of commit may while the line is frozen".to_owned(),
        ),
        Some(form) => {
            let scope = form.scope.as_deref().map(|scope| format!("({scope})"));
            let name = format!("{}{}", form.name, scope.unwrap_or_default());
            ("freeze-fixes-only", format!("`{name}` is none of: {allowed}"))
        }
        None if commit.plain_merge == Some(false) => (
            "freeze-fixes-only",
            format!(
                "it is a merge with changes of its own, and its first line has no type; may land: {allowed}"
            ),
        ),
        None => (
            "freeze-fixes-only",
            format!("its first line has no known type; may land: {allowed}"),
        ),
    };
    if let Some((number, exception)) =
        expired.and_then(|number| Some((number, window.exceptions.get(number - 1)?)))
    {
        why += &format!("; exception {number} for it held until {}", exception.until);
    }
    let hint = format!(
        "wait for the next line, or get an exception: vrel freeze except {line} {} --reason … --risk … --approver … \
         --until …",
        commit.short()
    );
    commit.refused(rule, why, hint)
}

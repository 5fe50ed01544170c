//! Whether a plan agrees with itself and with the repository's tags.

use crate::{CalendarDrift, DriftKind, Todo, When};
use jiff::civil::Date;
use vrel_model::Version;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth a look.
    Warning,
    /// The plan contradicts itself or the repository.
    Error,
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line, from 1; `None` when something is missing from the whole.
    pub line: Option<usize>,
    /// The check's name, for example `tags`.
    pub check: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What was expected and what was found.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

/// A tag of a release, and the commit that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The release.
    pub version: Version,
    /// The commit.
    pub commit: String,
}

/// The checks, by name.
type Check = (&'static str, fn(&Todo, &[Tagged]) -> Vec<Found>);

const CHECKS: [Check; 8] = [
    ("order", order),
    ("times", times),
    ("time-order", time_order),
    ("next-release", next_release),
    ("goals", goals),
    ("issues", issues),
    ("tags", tags),
    ("calendar", calendar),
];

/// What a check found, without the check's name.
type Found = (Option<usize>, Weight, String, String);

/// Everything that is wrong with a plan, by line. A plan that cannot be read has this one finding.
#[must_use]
pub fn check(text: &str, tags: &[Tagged]) -> Vec<Finding> {
    let todo = match Todo::parse(text) {
        Ok(todo) => todo,
        Err(error) => {
            let message = error.to_string();
            let prefix = error
                .line()
                .map_or_else(String::new, |line| format!("line {line}: "));
            return vec![Finding {
                line: error.line(),
                check: "structure",
                weight: Weight::Error,
                message: message.strip_prefix(&prefix).unwrap_or(&message).to_owned(),
                hint: error.hint().to_owned(),
            }];
        }
    };
    let mut findings = Vec::new();
    for (name, run) in CHECKS {
        let finding = |(line, weight, message, hint)| Finding {
            line,
            check: name,
            weight,
            message,
            hint,
        };
        findings.extend(run(&todo, tags).into_iter().map(finding));
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

/// The roadmap is in the order of versions.
fn order(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let entries: Vec<_> = todo.roadmap().collect();
    let falls = entries
        .windows(2)
        .filter(|pair| pair[1].version < pair[0].version);
    let found = falls.map(|pair| {
        let message = format!(
            "expected {} before {}, found it behind",
            pair[1].version, pair[0].version
        );
        (
            Some(pair[1].line),
            Weight::Warning,
            message,
            "put the entries in the order of versions".to_owned(),
        )
    });
    found.collect()
}

/// Times are such as the calendar understands; of a release that is out, its days.
fn times(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let mut found = Vec::new();
    for entry in todo.roadmap() {
        let read = entry.when.as_deref().and_then(When::parse);
        let found_text = entry.when.as_deref().unwrap_or("none");
        let expected = match (entry.released, read) {
            (true, Some(When::Within(..))) | (false, Some(_)) => continue,
            (true, _) => "the day of the release",
            (false, None) if entry.when.is_none() => continue,
            (false, None) => "a time such as `2027 Q1`, `2027-03`, `2027-03-31`, `after 2028` or `later`",
        };
        let message = format!("{}: expected {expected}, found `{found_text}`", entry.version);
        let hint = "write it in parentheses behind the version".to_owned();
        found.push((Some(entry.line), Weight::Warning, message, hint));
    }
    found
}

/// A release does not come before the one that it follows: the one before it on its line, else the first of the line
/// before.
fn time_order(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let mut timed: Vec<(&Version, Date, usize)> = todo
        .roadmap()
        .filter_map(|entry| {
            let first = When::parse(entry.when.as_deref()?)?.first()?;
            Some((&entry.version, first, entry.line))
        })
        .collect();
    timed.sort();
    let mut found = Vec::new();
    for (at, (version, first, line)) in timed.iter().enumerate() {
        let follows = |(before, ..): &&(&Version, Date, usize)| {
            if version.patch() == 0 {
                before.patch() == 0
            } else {
                before.line() == version.line()
            }
        };
        if let Some((before, earlier, _)) = timed[..at].iter().rev().find(follows)
            && first < earlier
        {
            let message = format!("expected {version} after {before} ({earlier}), found {first}");
            let hint =
                format!("correct one of the two, for example with `vrel todo plan {version} --when …`");
            found.push((Some(*line), Weight::Error, message, hint));
        }
    }
    found
}

/// The next release is the first open one of the roadmap.
fn next_release(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let line = Some(todo.next.version.line);
    let first = todo
        .roadmap()
        .filter(|entry| !entry.released)
        .min_by_key(|entry| &entry.version);
    let Some(next) = todo.next_release() else {
        let open = first.map(|entry| {
            let message = format!("expected the next release, found none; {} is open", entry.version);
            (
                line,
                Weight::Warning,
                message,
                format!("write `- **Version**: {}`", entry.version.tag()),
            )
        });
        return open.into_iter().collect();
    };
    let Some(entry) = todo.entry(next).map(|entry| &entry.release) else {
        let hint = format!("add it with `vrel todo plan {next} --when …`, or name another one");
        let message = format!("expected the next release {next} on the roadmap, found no entry");
        return vec![(line, Weight::Error, message, hint)];
    };
    if entry.released {
        let message = format!(
            "expected a release that is still open, found {next}, ticked on line {}",
            entry.line
        );
        return vec![(
            line,
            Weight::Error,
            message,
            "name the release that comes next".to_owned(),
        )];
    }
    let mut found = Vec::new();
    if let Some(first) = first.filter(|first| first.version < *next) {
        let message = format!("expected {} first, found {next}", first.version);
        let hint = format!(
            "line {} is open: tick it if it is out, or make it the next",
            first.line
        );
        found.push((line, Weight::Warning, message, hint));
    }
    let when = entry.when.as_deref().unwrap_or("to be decided");
    if let Some((planned_line, planned)) = todo.planned_for().filter(|(_, planned)| *planned != when) {
        let message = format!("expected `{when}` as on line {}, found `{planned}`", entry.line);
        let hint = format!("run `vrel todo plan {next} --when \"{when}\"`");
        found.push((Some(planned_line), Weight::Warning, message, hint));
    }
    found
}

/// A release that is out has reached its goals.
fn goals(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let mut found = Vec::new();
    for entry in todo.roadmap().filter(|entry| entry.released) {
        for goal in entry.goals.iter().filter(|goal| !goal.done) {
            let message = format!(
                "expected every goal of {} reached, found `{}` open",
                entry.version, goal.text
            );
            let hint = "tick it, or move it to the release that will have it".to_owned();
            found.push((Some(goal.line), Weight::Warning, message, hint));
        }
    }
    found
}

/// Issues name releases of the roadmap, and what blocks is not out.
fn issues(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let blocking = todo
        .blocking_issues()
        .iter()
        .map(|issue| (issue.line, issue.version.as_ref(), true));
    let known = todo
        .known()
        .iter()
        .map(|issue| (issue.line, issue.version.as_ref(), false));
    let mut found = Vec::new();
    for (line, version, blocks) in blocking.chain(known) {
        let Some(version) = version else {
            continue;
        };
        match todo.entry(version) {
            None => {
                let message = format!("expected a release of the roadmap, found {version}");
                let hint = "name another release, or none for all".to_owned();
                found.push((Some(line), Weight::Error, message, hint));
            }
            Some(entry) if blocks && entry.release.released => {
                let message = format!("expected a release that is still open, found {version}, which is out");
                let hint = "tick the issue, or name the release that it blocks now".to_owned();
                found.push((Some(line), Weight::Warning, message, hint));
            }
            Some(_) => {}
        }
    }
    found
}

/// What the plan says is out has its tag, and the other way round.
fn tags(todo: &Todo, tags: &[Tagged]) -> Vec<Found> {
    let tag = |version: &Version| tags.iter().find(|tagged| tagged.version == *version);
    let mut found = Vec::new();
    for entry in &todo.entries {
        for record in &entry.records {
            let line = Some(record.at + 1);
            match (tag(&record.version), &record.commit) {
                (None, _) => {
                    let message = format!("expected the tag {}, found none", record.version.tag());
                    let hint = "run `git fetch --tags`; if it was never released, remove the line".to_owned();
                    found.push((line, Weight::Error, message, hint));
                }
                (Some(tagged), Some(commit)) if !tagged.commit.starts_with(commit.as_str()) => {
                    let short = tagged.commit.get(..12).unwrap_or(&tagged.commit);
                    let message = format!(
                        "expected the commit {short} of {}, found {commit}",
                        record.version.tag()
                    );
                    let hint = "the tag tells which is right: correct the line".to_owned();
                    found.push((line, Weight::Error, message, hint));
                }
                _ => {}
            }
        }
        let release = &entry.release;
        if release.version != release.last {
            continue;
        }
        let tagged = tag(&release.version).is_some();
        let recorded = entry
            .records
            .iter()
            .any(|record| record.version == release.version);
        // What was released before this repository's first tag has none.
        let since = tags
            .iter()
            .any(|tagged| tagged.version.final_version() < release.version);
        if release.released && !tagged && !recorded && since {
            let message = format!(
                "expected the tag {} of a release that is ticked, found none",
                release.version.tag()
            );
            let hint = "run `git fetch --tags`, or clear its box if it is not out".to_owned();
            found.push((Some(release.line), Weight::Error, message, hint));
        }
        if !release.released && tagged {
            let message = format!(
                "expected {} ticked, because its tag is there; found it open",
                release.version
            );
            let hint = "tick it, and put the day of the release behind it".to_owned();
            found.push((Some(release.line), Weight::Error, message, hint));
        }
    }
    found
}

/// The calendar says what the roadmap says.
fn calendar(todo: &Todo, _: &[Tagged]) -> Vec<Found> {
    let describe = |drift: CalendarDrift| {
        let version = &drift.version;
        let message = match &drift.problem {
            DriftKind::Missing => format!("expected a row for {version} in the calendar, found none"),
            DriftKind::Unknown => format!("expected a release of the roadmap, found {version}"),
            DriftKind::When(expected, found) | DriftKind::Theme(expected, found) => {
                format!("{version}: expected `{expected}` as on the roadmap, found `{found}`")
            }
        };
        let hint = "run `vrel calendar --update-plan`".to_owned();
        (Some(drift.line), Weight::Warning, message, hint)
    };
    todo.calendar_drift().into_iter().map(describe).collect()
}

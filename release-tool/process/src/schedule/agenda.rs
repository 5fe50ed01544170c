//! The agenda: what is due, what is late, and what settles it.

use super::{Schedule, day_of, start_of};
use jiff::civil::Date;
use serde::{Serialize, Serializer};
use vrel_model::{Stage, StageName, UtcTime, Version};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueKind {
    /// A release is planned for then.
    Release,
    /// A freeze is to begin.
    FreezeStart,
    /// A freeze ends.
    FreezeEnd,
    /// The next candidate.
    Candidate,
    /// A candidate was tested for long enough: the final release can come.
    SoakEnd,
    /// A line's support ends.
    EndOfLife,
    /// An architecture that a release lacks must follow.
    Architecture,
    /// The pointer expires.
    Pointer,
    /// A channel of automated builds has nothing newer.
    Nightly,
    /// A release was begun and is at no end.
    Unfinished,
    /// An issue stops the next release.
    Blocking,
}

impl DueKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Release,
        Self::FreezeStart,
        Self::FreezeEnd,
        Self::Candidate,
        Self::SoakEnd,
        Self::EndOfLife,
        Self::Architecture,
        Self::Pointer,
        Self::Nightly,
        Self::Unfinished,
        Self::Blocking,
    ];

    /// The words of the command that settles it, without the program's name and its arguments.
    #[must_use]
    pub fn command(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["todo", "plan"],
            Self::FreezeStart => &["freeze", "start"],
            Self::FreezeEnd => &["freeze", "end"],
            Self::Candidate | Self::Pointer => &["cut-rc"],
            Self::SoakEnd => &["release"],
            Self::EndOfLife => &["lts", "eol"],
            Self::Architecture => &["backfill"],
            Self::Nightly => &["nightly"],
            Self::Unfinished => &["resume"],
            Self::Blocking => &["todo", "tick"],
        }
    }
}

/// When something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueAt {
    /// By the end of a day.
    Day(Date),
    /// At a moment.
    Time(UtcTime),
    /// It has no date: as soon as possible.
    Open,
}

impl DueAt {
    /// When it is late: `None` for what has no date.
    fn limit(self) -> Option<UtcTime> {
        match self {
            Self::Day(day) => Some(start_of(day).plus_days(1)),
            Self::Time(time) => Some(time),
            Self::Open => None,
        }
    }
}

impl std::fmt::Display for DueAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::Open => f.write_str("open"),
        }
    }
}

impl Serialize for DueAt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open => serializer.serialize_none(),
            dated => serializer.collect_str(dated),
        }
    }
}

/// One item of the agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    /// What it is.
    pub kind: DueKind,
    /// The version, line or other thing that it is about.
    pub subject: String,
    /// When.
    pub due: DueAt,
    /// For how many whole days it is late; `None` when it is not.
    pub late_days: Option<u32>,
    /// What is due, in one line.
    pub message: String,
    /// What settles it.
    pub command: String,
}

/// What is late at `now` or due within so many days, late things first and the latest of them before the others, then
/// by date, then what has none.
#[must_use]
pub fn agenda(schedule: &Schedule, now: UtcTime, days: u32) -> Vec<Due> {
    let mut items = Vec::new();
    for source in [
        releases,
        freezes,
        candidates,
        support,
        architectures,
        pointer,
        nightly,
        unfinished,
        blocking,
    ] {
        items.extend(source(schedule, now));
    }
    let until = start_of(day_of(now)).plus_days(days.saturating_add(1));
    items.retain(|item| item.due.limit().is_none_or(|limit| limit <= until));
    for item in &mut items {
        let late = item.due.limit().filter(|limit| *limit <= now);
        item.late_days = late.and_then(|limit| u32::try_from((now.unix() - limit.unix()) / 86_400).ok());
    }
    items.sort_by_key(|item| {
        let rank = match (item.late_days, item.due.limit()) {
            (Some(_), _) => 0,
            (None, Some(_)) => 1,
            (None, None) => 2,
        };
        (rank, item.due.limit(), item.kind, item.subject.clone())
    });
    items
}

fn due(kind: DueKind, subject: impl ToString, due: DueAt, message: String, arguments: String) -> Due {
    let words = ["vrel"].iter().chain(kind.command()).copied();
    let words: Vec<&str> = words
        .chain((!arguments.is_empty()).then_some(arguments.as_str()))
        .collect();
    Due {
        kind,
        subject: subject.to_string(),
        due,
        late_days: None,
        message,
        command: words.join(" "),
    }
}

/// Releases that are planned for some days and not out.
fn releases(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let open = schedule
        .roadmap
        .iter()
        .filter(|entry| !entry.released && !schedule.is_out(&entry.version));
    let planned = open.filter_map(|entry| {
        let (_, last) = entry.days?;
        let version = &entry.version;
        let when = entry.when.as_deref().unwrap_or_default();
        let message = format!("{} is planned for {when}", version.tag());
        let arguments = format!("{version} --when TIME");
        Some(due(
            DueKind::Release,
            version,
            DueAt::Day(last),
            message,
            arguments,
        ))
    });
    planned.collect()
}

/// Freezes that are to begin, and those that end. One that a person ended is settled.
fn freezes(schedule: &Schedule, now: UtcTime) -> Vec<Due> {
    let mut items = Vec::new();
    for freeze in schedule.freezes.iter().filter(|freeze| freeze.ended.is_none()) {
        let line = freeze.line;
        // What was to begin and to end before now never began.
        if !freeze.begun && freeze.ends.is_none_or(|ends| ends > now) {
            let message = format!("the freeze of {line} begins");
            let arguments = line.to_string();
            items.push(due(
                DueKind::FreezeStart,
                line,
                DueAt::Time(freeze.starts),
                message,
                arguments,
            ));
        }
        // One whose end is past is over by itself.
        if let Some(ends) = freeze.ends.filter(|ends| *ends > now) {
            let message = format!("the freeze of {line} ends");
            let arguments = format!("{line} --reason TEXT");
            items.push(due(
                DueKind::FreezeEnd,
                line,
                DueAt::Time(ends),
                message,
                arguments,
            ));
        }
    }
    items
}

/// The next candidate, and the end of testing, by the times of the candidates' channel.
fn candidates(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let mut items = Vec::new();
    for candidate in schedule.candidates() {
        let (version, last) = (candidate.version, candidate.version.final_version());
        let Stage::Candidate { number } = version.stage() else {
            continue;
        };
        if let Some(day) = candidate.next {
            let next = last.candidate(number + 1).unwrap_or_else(|| version.clone());
            let message = format!(
                "the next candidate of {}: {} is of {}",
                last.tag(),
                version.tag(),
                candidate.day
            );
            let arguments = next.to_string();
            items.push(due(
                DueKind::Candidate,
                &last,
                DueAt::Day(day),
                message,
                arguments,
            ));
        }
        if let Some(day) = candidate.soaked {
            let message = format!(
                "{} was tested for long enough: the final release can come when nothing is open",
                version.tag()
            );
            let arguments = last.to_string();
            items.push(due(DueKind::SoakEnd, &last, DueAt::Day(day), message, arguments));
        }
    }
    items
}

/// Lines whose last day is to come. What is past has ended by itself.
fn support(schedule: &Schedule, now: UtcTime) -> Vec<Due> {
    let lasts = |support: &&super::SupportFact| day_of(now) <= support.end_of_life;
    let supported = schedule.supported.iter().filter(lasts);
    let item = |support: &super::SupportFact| {
        let line = support.line;
        let message = format!("support of {line} ends");
        let arguments = format!("{line} --date DAY");
        due(
            DueKind::EndOfLife,
            line,
            DueAt::Day(support.end_of_life),
            message,
            arguments,
        )
    };
    supported.map(item).collect()
}

/// Architectures that the newest release of a channel lacks.
fn architectures(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let mut items: Vec<Due> = Vec::new();
    for head in &schedule.heads {
        for (arch, until) in &head.lagging {
            let subject = format!("{} {arch}", head.version);
            let message = format!("{} lacks {arch}", head.version.tag());
            let arguments = format!("{} --arch {arch}", head.version);
            if !items.iter().any(|there| there.subject == subject) {
                items.push(due(
                    DueKind::Architecture,
                    subject,
                    DueAt::Time(*until),
                    message,
                    arguments,
                ));
            }
        }
    }
    items
}

fn pointer(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let item = |pointer: &super::PointerFact| {
        let message = format!(
            "pointer {} expires: readers refuse the origin from then on",
            pointer.version
        );
        let newest = schedule
            .candidates()
            .into_iter()
            .map(|candidate| candidate.version.clone())
            .max();
        let arguments = next_candidate(schedule, newest);
        due(
            DueKind::Pointer,
            pointer.version,
            DueAt::Time(pointer.expires),
            message,
            arguments,
        )
    };
    schedule.pointer.iter().map(item).collect()
}

/// The candidate that can be cut next, as far as the facts tell.
fn next_candidate(schedule: &Schedule, newest: Option<Version>) -> String {
    let next = match newest {
        Some(version) => match version.stage() {
            Stage::Candidate { number } => version.candidate(number + 1),
            _ => None,
        },
        None => schedule.next.as_ref().and_then(|next| next.candidate(1)),
    };
    next.map_or_else(|| "VERSION".to_owned(), |version| version.to_string())
}

/// Channels of automated builds whose newest one is older than their cadence.
fn nightly(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let mut items = Vec::new();
    for head in &schedule.heads {
        let Some(policy) = schedule.channels.get(&head.channel) else {
            continue;
        };
        if let (true, Some(days), Some(created)) = (
            policy.stages.contains(&StageName::Nightly),
            policy.cadence_days,
            head.created,
        ) {
            let channel = &head.channel;
            let message = format!(
                "a new build for {channel}: {} is of {created}",
                head.version.tag()
            );
            let at = DueAt::Time(created.plus_days(days));
            items.push(due(DueKind::Nightly, channel, at, message, String::new()));
        }
    }
    items
}

fn unfinished(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let item = |(version, since): &(Version, UtcTime)| {
        let message = format!("{} was begun and is at no end", version.tag());
        due(
            DueKind::Unfinished,
            version,
            DueAt::Time(*since),
            message,
            String::new(),
        )
    };
    schedule.unfinished.iter().map(item).collect()
}

fn blocking(schedule: &Schedule, _: UtcTime) -> Vec<Due> {
    let next = schedule.next.as_ref().map(Version::tag).unwrap_or_default();
    let item = |(line, issue): &(usize, String)| {
        let message = format!("{next} is blocked: {issue}");
        let arguments = format!("line {line}");
        due(
            DueKind::Blocking,
            format!("line {line}"),
            DueAt::Open,
            message,
            arguments,
        )
    };
    schedule.blocking.iter().map(item).collect()
}

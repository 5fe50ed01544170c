//! The calendar: every dated fact as an event.

use super::Schedule;
use jiff::civil::Date;
use serde::Serialize;
use vrel_model::{Line, UtcTime, Version};

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A release, planned or out.
    Release,
    /// A candidate that was published.
    Candidate,
    /// The next candidate is due.
    CandidateDue,
    /// A candidate was tested for long enough.
    SoakEnd,
    /// Only fixes land.
    Freeze,
    /// A line's support ends.
    EndOfLife,
    /// An architecture must have followed.
    Architecture,
    /// The origin's pointer must be renewed.
    Pointer,
}

impl EventKind {
    /// The kind's name, as JSON has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Candidate => "candidate",
            Self::CandidateDue => "candidate-due",
            Self::SoakEnd => "soak-end",
            Self::Freeze => "freeze",
            Self::EndOfLife => "end-of-life",
            Self::Architecture => "architecture",
            Self::Pointer => "pointer",
        }
    }
}

/// When an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Whole days, both included.
    Days(Date, Date),
    /// A moment, or from one to before another.
    Time(UtcTime, Option<UtcTime>),
}

impl Span {
    /// The first and the last day that it touches.
    #[must_use]
    pub fn days(self) -> (Date, Date) {
        match self {
            Self::Days(first, last) => (first, last),
            Self::Time(start, end) => {
                let last = end.and_then(|end| UtcTime::from_unix(end.unix() - 1).ok());
                (
                    super::day_of(start),
                    super::day_of(last.unwrap_or(start).max(start)),
                )
            }
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEvent {
    /// What it is.
    pub kind: EventKind,
    /// Names it among all events of all products, for ever: the same event has it in every calendar.
    pub uid: String,
    /// The line that it concerns; `None` for what concerns all.
    pub line: Option<Line>,
    /// When it is.
    pub span: Span,
    /// What it is, in one line.
    pub title: String,
    /// Whether it may still move.
    pub tentative: bool,
}

/// All events, by time.
#[must_use]
pub fn calendar(schedule: &Schedule) -> Vec<CalendarEvent> {
    let mut events = Vec::new();
    for source in [releases, candidates, freezes, support, architectures, pointer] {
        events.extend(source(schedule));
    }
    events.sort_by(|a, b| (a.span.days(), a.kind, &a.uid).cmp(&(b.span.days(), b.kind, &b.uid)));
    events
}

impl Schedule {
    fn event(
        &self,
        kind: EventKind,
        name: &str,
        line: Option<Line>,
        span: Span,
        title: String,
    ) -> CalendarEvent {
        CalendarEvent {
            kind,
            uid: format!("{}-{name}@{}", kind.as_str(), self.product),
            line,
            span,
            title,
            tentative: false,
        }
    }

    /// An event that is about a version.
    fn of(&self, kind: EventKind, version: &Version, span: Span, title: String) -> CalendarEvent {
        self.event(kind, &version.to_string(), Some(version.line()), span, title)
    }
}

/// Releases of the roadmap that have a time. What is out has its day; the one planned has all days that it can be.
fn releases(schedule: &Schedule) -> Vec<CalendarEvent> {
    let timed = schedule
        .roadmap
        .iter()
        .filter_map(|entry| Some((entry, entry.days?)));
    timed
        .map(|(entry, (first, last))| {
            let range = if entry.version == entry.last {
                entry.version.tag()
            } else {
                format!("{} to {}", entry.version.tag(), entry.last.tag())
            };
            let title = if entry.title.is_empty() {
                range
            } else {
                format!("{range}: {}", entry.title)
            };
            let event = schedule.of(EventKind::Release, &entry.version, Span::Days(first, last), title);
            CalendarEvent {
                tentative: !entry.released,
                ..event
            }
        })
        .collect()
}

/// Candidates that were published; of the newest one of a release that is not out, what comes next.
fn candidates(schedule: &Schedule) -> Vec<CalendarEvent> {
    let mut events: Vec<CalendarEvent> = Vec::new();
    for published in schedule
        .published
        .iter()
        .filter(|published| published.version.is_candidate())
    {
        let title = format!("{} published", published.version.tag());
        let span = Span::Days(published.day, published.day);
        let event = schedule.of(EventKind::Candidate, &published.version, span, title);
        match events.iter_mut().find(|there| there.uid == event.uid) {
            // It is in several channels.
            Some(there) if event.span.days() < there.span.days() => *there = event,
            Some(_) => {}
            None => events.push(event),
        }
    }
    for candidate in schedule.candidates() {
        let last = candidate.version.final_version();
        let tentative = |kind, day, title| CalendarEvent {
            tentative: true,
            ..schedule.of(kind, &last, Span::Days(day, day), title)
        };
        events.extend(candidate.soaked.map(|day| {
            let title = format!("{} tested for long enough", candidate.version.tag());
            tentative(EventKind::SoakEnd, day, title)
        }));
        events.extend(candidate.next.map(|day| {
            let title = format!("{}: next candidate due", last.tag());
            tentative(EventKind::CandidateDue, day, title)
        }));
    }
    events
}

fn freezes(schedule: &Schedule) -> Vec<CalendarEvent> {
    let event = |freeze: &super::FreezeFact| {
        let end = match (freeze.ended, freeze.ends) {
            (Some(ended), _) => Some(ended),
            (None, ends) => ends,
        };
        let title = if end.is_some() {
            format!("{} frozen: only fixes land", freeze.line)
        } else {
            format!("{} frozen from here on: only fixes land", freeze.line)
        };
        let name = format!("{}-{}", freeze.line, freeze.number);
        let span = Span::Time(freeze.starts, end.filter(|end| *end > freeze.starts));
        CalendarEvent {
            tentative: !freeze.begun,
            ..schedule.event(EventKind::Freeze, &name, Some(freeze.line), span, title)
        }
    };
    schedule.freezes.iter().map(event).collect()
}

fn support(schedule: &Schedule) -> Vec<CalendarEvent> {
    let event = |support: &super::SupportFact| {
        let (line, day) = (support.line, support.end_of_life);
        let title = format!("{line}: end of life");
        schedule.event(
            EventKind::EndOfLife,
            &line.to_string(),
            Some(line),
            Span::Days(day, day),
            title,
        )
    };
    schedule.supported.iter().map(event).collect()
}

fn architectures(schedule: &Schedule) -> Vec<CalendarEvent> {
    let mut events: Vec<CalendarEvent> = Vec::new();
    for head in &schedule.heads {
        for (arch, until) in &head.lagging {
            let name = format!("{}-{arch}", head.version);
            let title = format!("{arch} of {} must have followed", head.version.tag());
            let span = Span::Time(*until, None);
            let event = schedule.event(
                EventKind::Architecture,
                &name,
                Some(head.version.line()),
                span,
                title,
            );
            // A release can be the head of several channels.
            if !events.iter().any(|there| there.uid == event.uid) {
                events.push(event);
            }
        }
    }
    events
}

/// One event for all pointers: a new one moves it.
fn pointer(schedule: &Schedule) -> Vec<CalendarEvent> {
    let event = |pointer: &super::PointerFact| {
        let title = format!("pointer {} expires", pointer.version);
        schedule.event(
            EventKind::Pointer,
            "expiry",
            None,
            Span::Time(pointer.expires, None),
            title,
        )
    };
    schedule.pointer.iter().map(event).collect()
}

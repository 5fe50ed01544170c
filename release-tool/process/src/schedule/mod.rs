//! What has a date: the calendar of releases, and what is due.
//!
//! Both are made from the same facts, which whoever asks has gathered: the living plan, the origin, the records, the
//! journals, and the channels' policies.

mod agenda;
mod calendar;
#[cfg(test)]
mod tests;

pub use agenda::{Due, DueAt, DueKind, agenda};
pub use calendar::{CalendarEvent, EventKind, Span, calendar};

use jiff::civil::Date;
use std::collections::BTreeMap;
use vrel_model::{Arch, ChannelName, ChannelPolicy, Line, UtcTime, Version};

/// Dated facts.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The product's id, which names events apart from those of others.
    pub product: String,
    /// The channels' policies, by name.
    pub channels: BTreeMap<ChannelName, ChannelPolicy>,
    /// The channel that candidates go to.
    pub candidate_channel: ChannelName,
    /// The roadmap, in the plan's order.
    pub roadmap: Vec<RoadmapFact>,
    /// The release that is being worked towards.
    pub next: Option<Version>,
    /// What was published and is on record, candidates and finals.
    pub published: Vec<PublishedFact>,
    /// The heads of the origin's channels.
    pub heads: Vec<HeadFact>,
    /// The origin's pointer.
    pub pointer: Option<PointerFact>,
    /// Freezes of all lines.
    pub freezes: Vec<FreezeFact>,
    /// Until when lines are supported.
    pub supported: Vec<SupportFact>,
    /// A release whose journal has no end, and when it was begun.
    pub unfinished: Option<(Version, UtcTime)>,
    /// What stops the next release: the plan's line, from 1, and the issue.
    pub blocking: Vec<(usize, String)>,
    /// When the newest of all these facts was written.
    pub as_of: UtcTime,
}

/// A release of the roadmap, or a range of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoadmapFact {
    /// The release, or the first of the range.
    pub version: Version,
    /// The last of the range; the same as `version` for a single one.
    pub last: Version,
    /// Its theme; may be empty.
    pub title: String,
    /// When, in the plan's words.
    pub when: Option<String>,
    /// The first and the last day that `when` stands for; `None` where it stands for none.
    pub days: Option<(Date, Date)>,
    /// Whether it is out.
    pub released: bool,
}

/// A release that was published to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFact {
    /// The candidate or final release.
    pub version: Version,
    /// The channel.
    pub channel: ChannelName,
    /// The day.
    pub day: Date,
}

/// The head of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadFact {
    /// The channel.
    pub channel: ChannelName,
    /// The release.
    pub version: Version,
    /// When it was cut; `None` where the origin does not say.
    pub created: Option<UtcTime>,
    /// Architectures that it lacks, and until when they may follow.
    pub lagging: Vec<(Arch, UtcTime)>,
}

/// The origin's pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointerFact {
    /// Its number.
    pub version: u64,
    /// When it was made.
    pub issued: UtcTime,
    /// From when it must not be trusted.
    pub expires: UtcTime,
}

/// A freeze of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeFact {
    /// The line.
    pub line: Line,
    /// Which freeze of the line, from 1.
    pub number: usize,
    /// From when on.
    pub starts: UtcTime,
    /// Until when at most; `None` leaves it open.
    pub ends: Option<UtcTime>,
    /// Whether the release branch was made.
    pub begun: bool,
    /// When a person ended it.
    pub ended: Option<UtcTime>,
}

/// How long a line is supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupportFact {
    /// The line.
    pub line: Line,
    /// The last day.
    pub end_of_life: Date,
}

/// The newest candidate of a release that is not out, and what follows from its channel's times.
struct Candidate<'a> {
    version: &'a Version,
    day: Date,
    /// When the next candidate is due.
    next: Option<Date>,
    /// When it was tested for long enough.
    soaked: Option<Date>,
}

impl Schedule {
    /// Whether a final version is out.
    fn is_out(&self, version: &Version) -> bool {
        let covers = |entry: &&RoadmapFact| entry.version <= *version && *version <= entry.last;
        let ticked = self
            .roadmap
            .iter()
            .find(covers)
            .is_some_and(|entry| entry.released);
        ticked
            || self
                .published
                .iter()
                .any(|published| published.version == *version)
    }

    /// The newest candidates of all releases that are not out, by version.
    fn candidates(&self) -> Vec<Candidate<'_>> {
        let mut newest: BTreeMap<Version, &PublishedFact> = BTreeMap::new();
        for published in &self.published {
            let last = published.version.final_version();
            if !published.version.is_candidate() || self.is_out(&last) {
                continue;
            }
            let there = newest.entry(last).or_insert(published);
            // A candidate that was promoted has been in testing since its first day.
            if (&published.version, there.day) > (&there.version, published.day) {
                *there = published;
            }
        }
        let policy = self.channels.get(&self.candidate_channel);
        let after =
            |day: Date, days: Option<u32>| day.checked_add(jiff::Span::new().try_days(days?).ok()?).ok();
        newest
            .into_values()
            .map(|published| Candidate {
                version: &published.version,
                day: published.day,
                next: after(published.day, policy.and_then(|policy| policy.cadence_days)),
                soaked: after(published.day, policy.and_then(|policy| policy.soak_days)),
            })
            .collect()
    }
}

/// The day of a time, in UTC.
#[must_use]
pub fn day_of(time: UtcTime) -> Date {
    time.date().parse().unwrap_or(Date::MAX)
}

/// The first moment of a day, in UTC.
#[must_use]
pub fn start_of(day: Date) -> UtcTime {
    format!("{day}T00:00:00Z")
        .parse()
        .unwrap_or_else(|_| UtcTime::from_unix(0).unwrap_or_else(|_| unreachable!()))
}

//! Calendar and agenda of a project in the middle of its work.

use super::*;
use vrel_model::StageName;

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn policy(stage: StageName, cadence_days: Option<u32>, soak_days: Option<u32>) -> ChannelPolicy {
    ChannelPolicy {
        from: Vec::new(),
        keep_last: None,
        keep_days: 0,
        stale_after_hours: None,
        description: String::new(),
        stages: vec![stage],
        key_role: "release".parse().unwrap(),
        double_build: false,
        support: None,
        gates: Vec::new(),
        approvals: 0,
        approvers: Vec::new(),
        tier_2_lag_days: 0,
        cadence_days,
        soak_days,
    }
}

fn entry(version: &str, when: &str, days: Option<(&str, &str)>, released: bool) -> RoadmapFact {
    RoadmapFact {
        version: v(version),
        last: v(version),
        title: "Theme".to_owned(),
        when: Some(when.to_owned()),
        days: days.map(|(first, last)| (day(first), day(last))),
        released,
    }
}

fn published(version: &str, channel: &str, on: &str) -> PublishedFact {
    PublishedFact {
        version: v(version),
        channel: channel.parse().unwrap(),
        day: day(on),
    }
}

/// Nothing but a plan: 0.6.0 in the third quarter of 2026, 0.7.0 in the fourth.
fn plan() -> Schedule {
    let channels = [
        ("beta", policy(StageName::Candidate, Some(14), Some(7))),
        ("nightly", policy(StageName::Nightly, Some(1), None)),
        ("stable", policy(StageName::Final, None, None)),
    ];
    Schedule {
        product: "veridianos".to_owned(),
        channels: channels
            .into_iter()
            .map(|(name, policy)| (name.parse().unwrap(), policy))
            .collect(),
        candidate_channel: "beta".parse().unwrap(),
        roadmap: vec![
            entry("0.5.7", "2026-02-26", Some(("2026-02-26", "2026-02-26")), true),
            entry("0.6.0", "2026 Q3", Some(("2026-07-01", "2026-09-30")), false),
            entry("0.7.0", "2026 Q4", Some(("2026-10-01", "2026-12-31")), false),
            entry("2.0.0", "later", None, false),
        ],
        next: Some(v("0.6.0")),
        published: Vec::new(),
        heads: Vec::new(),
        pointer: None,
        freezes: Vec::new(),
        supported: Vec::new(),
        unfinished: None,
        blocking: Vec::new(),
        as_of: time("2026-09-01T00:00:00Z"),
    }
}

fn everything() -> Schedule {
    let head = |channel: &str, version: &str, created: &str, lagging: Vec<(Arch, UtcTime)>| HeadFact {
        channel: channel.parse().unwrap(),
        version: v(version),
        created: Some(time(created)),
        lagging,
    };
    Schedule {
        published: vec![
            published("0.6.0-rc1", "beta", "2026-09-01"),
            published("0.6.0-rc2", "stable", "2026-09-12"),
            published("0.6.0-rc2", "beta", "2026-09-10"),
        ],
        heads: vec![
            head(
                "beta",
                "0.6.0-rc2",
                "2026-09-10T08:00:00Z",
                vec![(Arch::Riscv64, time("2026-09-13T08:00:00Z"))],
            ),
            head(
                "lts",
                "0.6.0-rc2",
                "2026-09-10T08:00:00Z",
                vec![(Arch::Riscv64, time("2026-09-13T08:00:00Z"))],
            ),
            head(
                "nightly",
                "0.6.0-nightly.20260914",
                "2026-09-14T03:00:00Z",
                Vec::new(),
            ),
        ],
        pointer: Some(PointerFact {
            version: 9,
            issued: time("2026-08-20T00:00:00Z"),
            expires: time("2026-09-19T00:00:00Z"),
        }),
        freezes: vec![
            FreezeFact {
                line: v("0.6.0").line(),
                number: 1,
                starts: time("2026-08-30T00:00:00Z"),
                ends: Some(time("2026-09-18T00:00:00Z")),
                begun: true,
                ended: None,
            },
            FreezeFact {
                line: v("0.7.0").line(),
                number: 1,
                starts: time("2026-09-20T00:00:00Z"),
                ends: None,
                begun: false,
                ended: None,
            },
        ],
        supported: vec![SupportFact {
            line: v("0.4.0").line(),
            end_of_life: day("2026-09-16"),
        }],
        unfinished: Some((v("0.6.0-rc3"), time("2026-09-15T00:00:00Z"))),
        blocking: vec![(223, "it burns".to_owned())],
        ..plan()
    }
}

fn due_at(schedule: &Schedule, now: &str, days: u32) -> Vec<String> {
    agenda(schedule, time(now), days)
        .into_iter()
        .map(|item| {
            let late = item
                .late_days
                .map_or(String::new(), |days| format!(" {days} late"));
            format!(
                "{}{late} {:?} {}: {}",
                item.due, item.kind, item.subject, item.command
            )
        })
        .collect()
}

#[test]
fn late_things_come_first_then_by_date_then_what_has_none() {
    assert_eq!(
        due_at(&everything(), "2026-09-15T12:00:00Z", 7),
        [
            "2026-09-13T08:00:00Z 2 late Architecture 0.6.0-rc2 riscv64: vrel backfill 0.6.0-rc2 --arch riscv64",
            "2026-09-15T00:00:00Z 0 late Unfinished 0.6.0-rc3: vrel resume",
            "2026-09-15T03:00:00Z 0 late Nightly nightly: vrel nightly",
            "2026-09-16 EndOfLife 0.4: vrel lts eol 0.4 --date DAY",
            "2026-09-18T00:00:00Z FreezeEnd 0.6: vrel freeze end 0.6 --reason TEXT",
            "2026-09-17 SoakEnd 0.6.0: vrel release 0.6.0",
            "2026-09-19T00:00:00Z Pointer 9: vrel cut-rc 0.6.0-rc3",
            "2026-09-20T00:00:00Z FreezeStart 0.7: vrel freeze start 0.7",
            "open Blocking line 223: vrel todo tick line 223",
        ]
    );
}

#[test]
fn nothing_is_due_in_a_quiet_week() {
    assert_eq!(due_at(&plan(), "2026-09-22T23:59:59Z", 7), [""; 0]);
    // The last day of the quarter is the seventh from here.
    let release = "2026-09-30 Release 0.6.0: vrel todo plan 0.6.0 --when TIME";
    assert_eq!(due_at(&plan(), "2026-09-23T00:00:00Z", 7), [release]);
    assert_eq!(due_at(&plan(), "2026-09-30T23:59:59Z", 0), [release]);
    let late = due_at(&plan(), "2026-11-21T00:00:00Z", 7);
    assert_eq!(
        late,
        ["2026-09-30 51 late Release 0.6.0: vrel todo plan 0.6.0 --when TIME"]
    );
}

#[test]
fn a_release_that_is_out_is_due_no_more() {
    let mut schedule = everything();
    schedule
        .published
        .push(published("0.6.0", "stable", "2026-09-18"));
    let due = due_at(&schedule, "2026-10-30T00:00:00Z", 7);
    assert!(!due.iter().any(|item| item.contains(" 0.6.0: ")), "{due:?}");
    let events = calendar(&schedule);
    assert!(
        !events.iter().any(|event| event.kind == EventKind::SoakEnd),
        "{events:?}"
    );
}

#[test]
fn what_is_settled_is_not_due() {
    let mut schedule = everything();
    schedule.freezes[0].ended = Some(time("2026-09-14T00:00:00Z"));
    schedule.freezes[1].begun = true;
    let due = due_at(&schedule, "2026-09-25T00:00:00Z", 7);
    // The last day of 0.4 is past.
    for kind in ["Freeze", "EndOfLife"] {
        assert!(!due.iter().any(|item| item.contains(kind)), "{kind}: {due:?}");
    }
    // A freeze that was announced and is over without having begun is nobody's task.
    schedule.freezes[1].begun = false;
    schedule.freezes[1].ends = Some(time("2026-09-24T00:00:00Z"));
    assert!(
        !due_at(&schedule, "2026-09-25T00:00:00Z", 7)
            .iter()
            .any(|item| item.contains("Freeze"))
    );
}

#[test]
fn the_calendar_has_every_dated_fact_once() {
    let events: Vec<String> = calendar(&everything())
        .into_iter()
        .map(|event| {
            let (first, last) = event.span.days();
            let mark = if event.tentative { " ?" } else { "" };
            format!("{first} {last} {}{mark}", event.uid)
        })
        .collect();
    assert_eq!(
        events,
        [
            "2026-02-26 2026-02-26 release-0.5.7@veridianos",
            "2026-07-01 2026-09-30 release-0.6.0@veridianos ?",
            "2026-08-30 2026-09-17 freeze-0.6-1@veridianos",
            "2026-09-01 2026-09-01 candidate-0.6.0-rc1@veridianos",
            "2026-09-10 2026-09-10 candidate-0.6.0-rc2@veridianos",
            "2026-09-13 2026-09-13 architecture-0.6.0-rc2-riscv64@veridianos",
            "2026-09-16 2026-09-16 end-of-life-0.4@veridianos",
            "2026-09-17 2026-09-17 soak-end-0.6.0@veridianos ?",
            "2026-09-19 2026-09-19 pointer-expiry@veridianos",
            "2026-09-20 2026-09-20 freeze-0.7-1@veridianos ?",
            "2026-09-24 2026-09-24 candidate-due-0.6.0@veridianos ?",
            "2026-10-01 2026-12-31 release-0.7.0@veridianos ?",
        ]
    );
}

//! The gate `soak-time`: what a machine says of it, and which waivers of it count.

use super::*;
use crate::GateSubject;
use crate::gates::{SoakFact, soak_finding};

const SINCE: &str = "2026-11-10T03:00:00Z";

fn at(text: &str) -> UtcTime {
    text.parse().unwrap()
}

/// A candidate is public in `beta` since [`SINCE`], where it is to stay for ten days, two of them in any case.
fn soaking() -> Snapshot {
    let mut snapshot = gated(&[("soak", "kind = 'soak-time'\nkeep-days = 2")]);
    let beta = snapshot.policies.channels.values_mut().next().unwrap();
    beta.soak_days = Some(10);
    let mut stable = beta.clone();
    stable.soak_days = None;
    snapshot
        .policies
        .channels
        .insert("stable".parse().unwrap(), stable);
    snapshot.gates.soaking = Some(SoakFact {
        version: v("0.6.0-rc1"),
        commit: MAIN.to_owned(),
        channel: "beta".parse().unwrap(),
        since: at(SINCE),
    });
    snapshot
}

/// A release of the commit on its way to a channel.
fn to(version: &str, channel: &str) -> GateSubject {
    GateSubject {
        version: v(version),
        channel: channel.parse().unwrap(),
        commit: MAIN.to_owned(),
    }
}

fn waiver(person: &str, made: &str) -> StatementFact {
    let mut fact = said(StatementKind::Waiver, "soak", person);
    fact.statement.version = v("0.6.0");
    fact.statement.at = at(made);
    fact
}

#[track_caller]
fn judged_for(snapshot: &Snapshot, subject: &GateSubject, now: &str) -> GateJudgement {
    let mut all = judge_gates(snapshot, subject, at(now));
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// What the check says: whether each finding forbids, and its text with the hint.
fn findings(snapshot: Option<&Snapshot>, subject: &GateSubject, now: &str) -> Vec<(bool, String)> {
    let (message, wait) = ("not yet".to_owned(), "wait".to_owned());
    let found = soak_finding(snapshot, subject, at(now), message, wait);
    found
        .into_iter()
        .map(|finding| {
            assert_eq!(finding.check, "soak");
            let hint = finding.hint.as_deref().unwrap_or_default();
            (finding.is_fatal(), format!("{}; {hint}", finding.message))
        })
        .collect()
}

#[test]
fn the_time_is_over_at_its_last_second() {
    let snapshot = soaking();
    let release = to("0.6.0", "stable");
    let early = judged_for(&snapshot, &release, "2026-11-20T02:59:59Z");
    expect(
        &early,
        GateState::Fail,
        "to be tested for 10 days, until 2026-11-20T03:00:00Z",
    );
    let over = judged_for(&snapshot, &release, "2026-11-20T03:00:00Z");
    expect(
        &over,
        GateState::Pass,
        "0.6.0-rc1 is public in beta since 2026-11-10",
    );
}

#[test]
fn another_commit_or_nothing_published_is_no_test() {
    let mut snapshot = soaking();
    snapshot.gates.soaking.as_mut().unwrap().commit = OTHER.to_owned();
    let release = to("0.6.0", "stable");
    // Nobody can waive what has not begun.
    snapshot.gates.statements = vec![waiver("ada", "2026-11-15T00:00:00Z")];
    for soaking in [snapshot.gates.soaking.clone(), None] {
        snapshot.gates.soaking = soaking;
        let judged = judged_for(&snapshot, &release, "2027-01-01T00:00:00Z");
        expect(
            &judged,
            GateState::NotRun,
            "no candidate of this commit is published",
        );
        assert!(judged.refused[0].contains("nobody can test it"), "{judged:#?}");
    }
}

#[test]
fn a_candidate_is_what_is_tested_but_not_on_its_way_elsewhere() {
    let snapshot = soaking();
    let (candidate, now) = (to("0.6.0-rc2", "beta"), "2026-11-11T00:00:00Z");
    expect(
        &judged_for(&snapshot, &candidate, now),
        GateState::Pass,
        "a candidate is what is tested",
    );
    let promoted = to("0.6.0-rc1", "stable");
    expect(
        &judged_for(&snapshot, &promoted, now),
        GateState::Fail,
        "to be tested for 10 days",
    );
}

#[test]
fn a_channel_without_a_time_asks_for_none() {
    let mut snapshot = soaking();
    let beta = snapshot
        .policies
        .channels
        .get_mut(&"beta".parse().unwrap())
        .unwrap();
    beta.soak_days = None;
    let judged = judged_for(&snapshot, &to("0.6.0", "stable"), SINCE);
    expect(&judged, GateState::Pass, "beta asks for no time of testing");
}

#[test]
fn a_waiver_counts_after_the_days_that_are_kept() {
    let mut snapshot = soaking();
    let release = to("0.6.0", "stable");
    snapshot.gates.statements = vec![waiver("ada", "2026-11-11T00:00:00Z")];
    let kept = judged_for(&snapshot, &release, "2026-11-12T02:59:59Z");
    assert_eq!(kept.state, GateState::Fail, "{kept:#?}");
    assert!(
        kept.refused[0].contains("tested for 2 days in any case, until 2026-11-12T03:00:00Z"),
        "{kept:#?}"
    );
    let waived = judged_for(&snapshot, &release, "2026-11-12T03:00:00Z");
    expect(&waived, GateState::Waived, "waived by ada");
    assert!(waived.refused.is_empty(), "{waived:#?}");
}

#[test]
fn a_waiver_that_is_older_than_what_is_tested_was_of_something_else() {
    let mut snapshot = soaking();
    let release = to("0.6.0", "stable");
    for (made, state) in [
        ("2026-11-10T02:59:59Z", GateState::Fail),
        (SINCE, GateState::Waived),
    ] {
        snapshot.gates.statements = vec![waiver("ada", made)];
        let judged = judged_for(&snapshot, &release, "2026-11-13T00:00:00Z");
        assert_eq!(judged.state, state, "{made}: {judged:#?}");
        let told = judged
            .refused
            .iter()
            .any(|said| said.contains("0.6.0-rc1 is public in beta only since"));
        assert_eq!(told, state == GateState::Fail, "{made}: {judged:#?}");
    }
}

#[test]
fn the_check_says_what_a_person_can_do() {
    let mut snapshot = soaking();
    let (release, now) = (to("0.6.0", "stable"), "2026-11-13T00:00:00Z");
    // Where no channel has it as a gate, there is only waiting.
    let mut without = snapshot.clone();
    without
        .policies
        .channels
        .values_mut()
        .for_each(|channel| channel.gates.clear());
    for snapshot in [None, Some(&without)] {
        assert_eq!(
            findings(snapshot, &release, now),
            [(true, "not yet; wait".to_owned())]
        );
    }
    let refused = findings(Some(&snapshot), &release, now);
    assert!(
        matches!(&refused[..], [(true, said)] if said.starts_with("not yet; ") && said.contains("vrel waive 0.6.0 soak")),
        "{refused:#?}"
    );
    // One whose waiver does not count is told, and it stays forbidden.
    snapshot.gates.statements = vec![waiver("olga", "2026-11-11T00:00:00Z")];
    let by_another = findings(Some(&snapshot), &release, now);
    assert!(
        matches!(&by_another[..], [(false, said), (true, _)] if said.contains("olga is not `maintainer`")),
        "{by_another:#?}"
    );
    snapshot.gates.statements = vec![waiver("ada", "2026-11-11T00:00:00Z")];
    let waived = findings(Some(&snapshot), &release, now);
    assert!(
        matches!(&waived[..], [(false, said)] if said.contains("waived by ada")),
        "{waived:#?}"
    );
}

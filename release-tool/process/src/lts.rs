//! The rules of long-term support lines.

use crate::Finding;
use std::collections::BTreeMap;
use vrel_model::{Day, Line, LineRecord, SupportPolicy, Version};

/// What the rules look at.
#[derive(Clone, Debug)]
pub struct LtsFacts {
    /// The lines that have a record, without the one that is asked for.
    pub others: BTreeMap<Line, LineRecord>,
    /// The newest final release of the line.
    pub newest_final: Option<Version>,
    /// What `channels/lts.toml` promises.
    pub policy: Option<SupportPolicy>,
}

/// A line's support as somebody wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LtsRequest {
    /// The line.
    pub line: Line,
    /// Its first day.
    pub since: Day,
    /// Its last day.
    pub end_of_life: Day,
}

type Check = fn(&LtsFacts, SupportPolicy, LtsRequest) -> Vec<Finding>;

const CHECKS: [Check; 5] = [has_final, ends_after_start, long_enough, overlaps, not_too_many];

/// Whether a line may be supported like that: everything that speaks against it.
#[must_use]
pub fn check_lts(facts: &LtsFacts, request: LtsRequest) -> Vec<Finding> {
    let Some(policy) = facts.policy else {
        let message = "channels/lts.toml does not say what long-term support promises";
        let finding = Finding::policy("lts-policy", message);
        return vec![finding.hint("add [support] with `months`, `overlap-months` and `lines`")];
    };
    CHECKS
        .iter()
        .flat_map(|check| check(facts, policy, request))
        .collect()
}

fn has_final(facts: &LtsFacts, _: SupportPolicy, request: LtsRequest) -> Vec<Finding> {
    if facts.newest_final.is_some() {
        return Vec::new();
    }
    let message = format!("{} has no final release to support", request.line);
    vec![Finding::policy("lts-final", message).hint(format!("release {}.0 first", request.line))]
}

fn ends_after_start(_: &LtsFacts, _: SupportPolicy, request: LtsRequest) -> Vec<Finding> {
    if request.since <= request.end_of_life {
        return Vec::new();
    }
    let message = format!(
        "{} would end on {}, before it begins on {}",
        request.line, request.end_of_life, request.since
    );
    vec![Finding::policy("lts-dates", message).hint("give a later `--end-of-life`")]
}

fn long_enough(_: &LtsFacts, policy: SupportPolicy, request: LtsRequest) -> Vec<Finding> {
    let earliest = request.since.plus_months(policy.months);
    if earliest <= request.end_of_life {
        return Vec::new();
    }
    let message = format!(
        "{} would be supported from {} to {}; `support.months` in channels/lts.toml is {}: until {earliest} at least",
        request.line, request.since, request.end_of_life, policy.months
    );
    vec![Finding::policy("lts-support", message).hint(format!("`--end-of-life {earliest}` or later"))]
}

/// Each line with the one before it, both ways.
fn overlaps(facts: &LtsFacts, policy: SupportPolicy, request: LtsRequest) -> Vec<Finding> {
    let before = facts.others.range(..request.line).next_back();
    let after = facts.others.range(request.line..).next();
    let mut findings = Vec::new();
    let mut check = |older: Line, ends: Day, newer: Line, since: Day| {
        let needed = since.plus_months(policy.overlap_months);
        if ends < needed {
            let message = format!(
                "{older} ends on {ends}, and {newer} begins on {since}; `support.overlap-months` in channels/lts.toml is \
                 {}: {older} must last until {needed} at least",
                policy.overlap_months
            );
            let hint = format!("run `vrel lts eol {older} --date {needed}`, or begin {newer} earlier");
            findings.push(Finding::policy("lts-overlap", message).hint(hint));
        }
    };
    if let Some((line, record)) = before {
        check(*line, record.end_of_life, request.line, request.since);
    }
    if let Some((line, record)) = after {
        check(request.line, request.end_of_life, *line, record.since);
    }
    findings
}

/// On the day on which the most lines are supported, which is the first day of one of them.
fn not_too_many(facts: &LtsFacts, policy: SupportPolicy, request: LtsRequest) -> Vec<Finding> {
    let mut spans: Vec<(Line, Day, Day)> = facts
        .others
        .iter()
        .map(|(line, record)| (*line, record.since, record.end_of_life))
        .collect();
    spans.push((request.line, request.since, request.end_of_life));
    spans.sort_by_key(|(line, since, _)| (*since, *line));
    let on = |day: Day| -> Vec<String> {
        let there = spans
            .iter()
            .filter(|(_, since, end)| *since <= day && day <= *end);
        there.map(|(line, ..)| line.to_string()).collect()
    };
    let in_request = |day: &Day| request.since <= *day && *day <= request.end_of_life;
    let days = spans.iter().map(|(_, since, _)| *since).filter(in_request);
    let Some((day, lines)) = days
        .map(|day| (day, on(day)))
        .find(|(_, lines)| lines.len() > policy.lines)
    else {
        return Vec::new();
    };
    let message = format!(
        "on {day} the lines {} would be supported; `support.lines` in channels/lts.toml is {}",
        lines.join(", "),
        policy.lines
    );
    vec![Finding::policy("lts-lines", message).hint("end one of them earlier, or begin later")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn line(text: &str) -> Line {
        text.parse().unwrap()
    }

    fn facts(others: &[(&str, &str, &str)]) -> LtsFacts {
        let record = |since: &str, end: &str| LineRecord {
            since: day(since),
            end_of_life: day(end),
            events: Vec::new(),
        };
        LtsFacts {
            others: others
                .iter()
                .map(|(name, since, end)| (line(name), record(since, end)))
                .collect(),
            newest_final: Some("1.1.0".parse().unwrap()),
            policy: Some(SupportPolicy {
                months: 24,
                overlap_months: 6,
                lines: 2,
            }),
        }
    }

    fn found(facts: &LtsFacts, since: &str, end: &str) -> Vec<(&'static str, String)> {
        let request = LtsRequest {
            line: line("1.3"),
            since: day(since),
            end_of_life: day(end),
        };
        let findings = check_lts(facts, request);
        findings
            .into_iter()
            .map(|finding| (finding.check, finding.message))
            .collect()
    }

    fn checks(facts: &LtsFacts, since: &str, end: &str) -> Vec<&'static str> {
        found(facts, since, end)
            .into_iter()
            .map(|(check, _)| check)
            .collect()
    }

    #[test]
    fn each_rule_has_its_limit_to_the_day() {
        let none = facts(&[]);
        assert_eq!(checks(&none, "2028-01-01", "2030-01-01"), [""; 0]);
        assert_eq!(checks(&none, "2028-01-01", "2029-12-31"), ["lts-support"]);
        assert_eq!(
            checks(&none, "2028-01-01", "2027-12-31"),
            ["lts-dates", "lts-support"]
        );
        let before = facts(&[("1.1", "2026-01-01", "2028-07-01")]);
        assert_eq!(checks(&before, "2028-01-01", "2030-01-01"), [""; 0]);
        let found = found(&before, "2028-01-02", "2031-01-01");
        assert_eq!(found[0].0, "lts-overlap");
        assert!(
            found[0]
                .1
                .contains("1.1 ends on 2028-07-01, and 1.3 begins on 2028-01-02")
                && found[0].1.contains("until 2028-07-02"),
            "{found:?}"
        );
        let after = facts(&[("1.5", "2029-07-01", "2032-01-01")]);
        assert_eq!(checks(&after, "2028-01-01", "2030-01-01"), [""; 0]);
        assert_eq!(checks(&after, "2027-12-31", "2029-12-31"), ["lts-overlap"]);
    }

    #[test]
    fn lines_are_counted_on_the_fullest_day() {
        let two = facts(&[
            ("1.1", "2026-01-01", "2028-07-01"),
            ("1.2", "2027-01-01", "2029-07-01"),
        ]);
        let found = found(&two, "2028-07-01", "2031-01-01");
        assert_eq!(found[0].0, "lts-lines");
        assert!(
            found[0].1.contains("on 2028-07-01 the lines 1.1, 1.2, 1.3"),
            "{found:?}"
        );
        assert_eq!(checks(&two, "2028-07-02", "2031-01-01"), [""; 0]);
    }

    #[test]
    fn a_line_needs_a_release_and_the_channel_a_promise() {
        let mut facts = facts(&[]);
        facts.newest_final = None;
        assert_eq!(checks(&facts, "2028-01-01", "2030-01-01"), ["lts-final"]);
        facts.policy = None;
        assert_eq!(checks(&facts, "2028-01-01", "2030-01-01"), ["lts-policy"]);
    }
}

use super::*;

const TIP: &str = "9999999999999999999999999999999999999999";

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn line(text: &str) -> Line {
    v(&format!("{text}.0")).line()
}

/// Facts with these tags, each on a commit of its own, and commits with these impacts.
fn facts(tags: &[&str], asked: Option<&str>, impacts: &[Impact]) -> NextFacts {
    let tags: Vec<TagFact> = tags
        .iter()
        .map(|name| TagFact {
            name: (*name).to_owned(),
            commit: format!("commit of {name}"),
        })
        .collect();
    let line = asked
        .map(line)
        .or_else(|| open_series(&tags, None).map(|series| series.line()));
    let commits = impacts.iter().enumerate().map(|(at, impact)| CommitFact {
        id: format!("{at:040}"),
        subject: format!("subject {at}"),
        impact: *impact,
    });
    NextFacts {
        line,
        line_asked: asked.is_some(),
        origin: Origin {
            branch: "main".into(),
            commit: TIP.into(),
            previous: base_release(&tags, line).map(|(version, _)| version),
        },
        is_main: true,
        commits: commits.collect(),
        internal: 0,
        interface: InterfaceFacts::default(),
        planned: None,
        main_leads_to: None,
        now: "2026-11-21T03:00:00Z".parse().unwrap(),
        usable_tags: tags.clone(),
        tags,
    }
}

fn planned(version: &str) -> Option<PlannedVersion> {
    Some(PlannedVersion {
        version: v(version),
        place: "RELEASE_TODO.md:9".into(),
    })
}

fn proposed(next: &Next) -> Vec<String> {
    next.proposals
        .iter()
        .map(|proposal| proposal.version.to_string())
        .collect()
}

use Impact::{Addition, Incompatible, Neutral};

#[test]
fn the_version_goes_as_far_as_the_most_that_changed() {
    for (tag, impacts, expected) in [
        ("v0.6.0", &[][..], "0.6.1"),
        ("v0.6.0", &[Neutral], "0.6.1"),
        ("v0.6.0", &[Neutral, Addition], "0.7.0"),
        ("v0.6.0", &[Incompatible, Neutral], "0.7.0"),
        ("v1.2.3", &[Neutral], "1.2.4"),
        ("v1.2.3", &[Addition, Neutral], "1.3.0"),
        ("v1.2.3", &[Addition, Incompatible], "2.0.0"),
    ] {
        let next = next_version(&facts(&[tag, "v0.5.9", "not-a-release"], None, impacts)).unwrap();
        assert_eq!(next.version, v(expected), "{tag} {impacts:?}");
        assert_eq!(next.disagreement, None);
        let nightly = format!("{expected}-nightly.20261121");
        assert_eq!(
            proposed(&next),
            [format!("{expected}-rc1"), expected.to_owned(), nightly]
        );
        let needs: Vec<Bump> = next.reasons.iter().map(|reason| reason.needs).collect();
        assert!(needs.is_sorted_by(|a, b| a >= b), "{needs:?}");
        assert_eq!(needs.len(), impacts.len());
    }
}

#[test]
fn candidates_are_numbered_on_and_the_final_follows() {
    let tags = ["v0.6.0", "v0.7.0-rc2", "v0.7.0-rc10", "v0.7.0-rc1", "v0.6.1-rc1"];
    let next = next_version(&facts(&tags, None, &[Addition])).unwrap();
    assert_eq!(next.version, v("0.7.0"));
    assert_eq!(proposed(&next), ["0.7.0-rc11", "0.7.0", "0.7.0-nightly.20261121"]);
    assert!(
        next.proposals[1].why.contains("once 0.7.0-rc10 is accepted"),
        "{next:?}"
    );

    let mut same = facts(&tags, None, &[Addition]);
    same.origin.commit = "commit of v0.7.0-rc10".into();
    assert_eq!(
        proposed(&next_version(&same).unwrap()),
        ["0.7.0", "0.7.0-nightly.20261121"]
    );

    let out = facts(
        &["v0.6.0", "v0.7.0-rc1", "v0.7.0", "v0.6.1-rc1"],
        None,
        &[Neutral],
    );
    assert_eq!(next_version(&out).unwrap().version, v("0.7.1"));
}

#[test]
fn candidates_that_do_not_go_far_enough_are_given_up_with_a_reason() {
    let next = next_version(&facts(&["v0.6.0", "v0.6.1-rc1"], None, &[Addition])).unwrap();
    assert_eq!(next.version, v("0.7.0"));
    let disagreement = next.disagreement.unwrap();
    assert!(
        disagreement.contains("candidates of 0.6.1 are out") && disagreement.contains("asks for MINOR"),
        "{disagreement}"
    );
}

#[test]
fn the_plan_may_go_farther_and_not_less_far() {
    for (plan, impact, expected, says) in [
        ("0.7.0", Addition, "0.7.0", None),
        (
            "1.0.0",
            Addition,
            "1.0.0",
            Some("RELEASE_TODO.md:9 plans 1.0.0; what changed since 0.6.0 asks for MINOR, which is 0.7.0"),
        ),
        (
            "0.6.1",
            Addition,
            "0.7.0",
            Some("RELEASE_TODO.md:9 plans 0.6.1, which is not enough"),
        ),
        ("0.6.0", Addition, "0.7.0", None),
    ] {
        let mut facts = facts(&["v0.6.0"], None, &[impact]);
        facts.planned = planned(plan);
        let next = next_version(&facts).unwrap();
        assert_eq!(next.version, v(expected), "{plan}");
        assert_eq!(next.disagreement.is_some(), says.is_some(), "{plan}: {next:?}");
        if let (Some(found), Some(says)) = (next.disagreement, says) {
            assert!(found.contains(says), "{found}");
        }
    }
}

#[test]
fn the_first_release_is_the_planned_one() {
    let mut first = facts(&["v0.6.0-nightly.20261101"], None, &[Incompatible]);
    assert_eq!(next_version(&first).unwrap().version, v("0.1.0"));
    first.planned = planned("0.6.0");
    let next = next_version(&first).unwrap();
    assert_eq!(
        (next.version, next.needs, next.reasons),
        (v("0.6.0"), Bump::Patch, vec![])
    );
}

#[test]
fn a_line_takes_fixes_only() {
    let tags = ["v0.6.0", "v0.6.1", "v0.7.0", "v0.8.0-rc1"];
    let next = next_version(&facts(&tags, Some("0.6"), &[Neutral])).unwrap();
    assert_eq!(
        (next.version, next.origin.previous),
        (v("0.6.2"), Some(v("0.6.1")))
    );

    let findings = next_version(&facts(&tags, Some("0.6"), &[Addition, Neutral, Incompatible])).unwrap_err();
    let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].contains("subject 0; after 0.6.1 that needs MINOR, and the line 0.6 takes PATCH at most")
    );

    let opened = next_version(&facts(&tags, Some("0.8"), &[Addition])).unwrap();
    assert_eq!(
        (opened.version, opened.origin.previous),
        (v("0.8.0"), Some(v("0.7.0")))
    );
    let later = ["v1.2.0"];
    assert_eq!(
        next_version(&facts(&later, Some("1.3"), &[Addition]))
            .unwrap()
            .version,
        v("1.3.0")
    );
    assert!(next_version(&facts(&later, Some("1.3"), &[Incompatible])).is_err());
}

#[test]
fn nightlies_lead_to_what_the_plan_says_that_main_becomes() {
    let mut facts = facts(&["v0.6.0", "v0.7.0-rc1"], None, &[Neutral]);
    facts.is_main = false;
    let nightly = |facts: &NextFacts| {
        next_version(facts)
            .unwrap()
            .proposals
            .last()
            .unwrap()
            .version
            .clone()
    };
    assert_eq!(nightly(&facts), v("0.8.0-nightly.20261121"));
    facts.main_leads_to = Some(v("0.9.0"));
    assert_eq!(nightly(&facts), v("0.9.0-nightly.20261121"));
    facts.tags.push(TagFact {
        name: "v0.9.0-nightly.20261121".into(),
        commit: TIP.into(),
    });
    assert_eq!(nightly(&facts), v("0.7.0"));
}

#[test]
fn a_dud_is_no_base_and_its_number_is_not_used_again() {
    let mut facts = facts(&["v0.6.0", "v0.6.1"], None, &[Neutral]);
    facts.usable_tags.retain(|tag| tag.name != "v0.6.1");
    facts.origin.previous = base_release(&facts.usable_tags, None).map(|(version, _)| version);
    assert_eq!(facts.origin.previous, Some(v("0.6.0")));
    assert_eq!(next_version(&facts).unwrap().version, v("0.6.2"));
}

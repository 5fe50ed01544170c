use super::*;

const TIP: &str = "1111111111111111111111111111111111111111";
const BEFORE: &str = "2222222222222222222222222222222222222222";
const MAIN: &str = "3333333333333333333333333333333333333333";

fn time(hour: u32) -> UtcTime {
    format!("2026-11-20T{hour:02}:00:00Z").parse().unwrap()
}

fn review(person: &str, state: ReviewState, commit: &str, hour: u32) -> Review {
    Review {
        person: person.to_owned(),
        may_decide: true,
        state,
        commit: Some(commit.to_owned()),
        at: time(hour),
    }
}

fn check(name: &str, state: CheckState, said: &str) -> CommitCheck {
    CommitCheck {
        name: name.to_owned(),
        state,
        said: said.to_owned(),
        url: Some(format!("https://ci.example.org/{name}")),
        ended: (state != CheckState::Pending).then(|| time(9)),
    }
}

/// A merge for which everything holds.
fn facts() -> MergeFacts {
    MergeFacts {
        branch: "release/0.6".to_owned(),
        commit: TIP.to_owned(),
        into: "main".to_owned(),
        onto: MAIN.to_owned(),
        trial: TrialMerge::Clean,
        recorded: Approvals::default(),
        proposal: Some(MergeProposal {
            request: PullRequest {
                number: 12,
                title: "Bring 0.6 back".to_owned(),
                url: "https://forge.example.org/12".to_owned(),
                is_open: true,
                is_draft: false,
                author: "ada".to_owned(),
                head: "release/0.6".to_owned(),
                commit: TIP.to_owned(),
                base: "main".to_owned(),
                mergeable: Some(true),
                asked: Vec::new(),
            },
            reviews: vec![
                review("bea", ReviewState::Approved, TIP, 8),
                review("cy", ReviewState::Approved, TIP, 10),
            ],
            checks: vec![
                check("test", CheckState::Passed, "success"),
                check("docs", CheckState::Passed, "skipped"),
            ],
        }),
    }
}

fn forge(more: &str) -> ForgeConfig {
    let text = format!("kind = 'github'\nrepository = 'o/r'\n{more}");
    vrel_model::toml_file::parse(std::path::Path::new("vrel.toml"), &text).unwrap()
}

/// The conditions that do not hold, with why.
fn broken(facts: &MergeFacts, more: &str) -> Vec<(&'static str, String)> {
    check_merge(facts, Some(&forge(more)))
        .into_iter()
        .filter(|condition| condition.verdict != MergeVerdict::Holds)
        .map(|condition| {
            assert!(condition.hint.is_some(), "{condition:?}");
            (condition.check, condition.because.join("\n"))
        })
        .collect()
}

/// The same merge with something changed in what the forge knows.
fn with(change: impl FnOnce(&mut MergeProposal)) -> MergeFacts {
    let mut facts = facts();
    change(facts.proposal.as_mut().unwrap());
    facts
}

#[track_caller]
fn fails(facts: &MergeFacts, expected: &[(&str, &str)]) {
    let found = broken(facts, "");
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    let wanted: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, wanted, "{found:?}");
    for ((_, found), (_, expected)) in found.iter().zip(expected) {
        assert!(found.contains(expected), "`{expected}` is not in `{found}`");
    }
}

#[test]
fn a_merge_that_has_everything_may_be_made() {
    assert_eq!(broken(&facts(), ""), []);
    let all = check_merge(&facts(), Some(&forge("")));
    let names: Vec<&str> = all.iter().map(|condition| condition.check).collect();
    assert_eq!(
        names,
        ["pull-request", "conflicts", "approvals", "checks", "final-review"]
    );
    assert!(all[2].because[0].contains("2 of 2: bea, cy"), "{all:?}");
}

#[test]
fn without_a_forge_the_records_say_who_approved_and_the_rest_stays_unknown() {
    let verdicts = |facts: &MergeFacts| -> Vec<MergeVerdict> {
        let conditions = check_merge(facts, None);
        let names: Vec<&str> = conditions.iter().map(|condition| condition.check).collect();
        assert_eq!(names, ["conflicts", "approvals", "checks", "final-review"]);
        conditions.iter().map(|condition| condition.verdict).collect()
    };
    let (holds, unknown) = (MergeVerdict::Holds, MergeVerdict::Unknown);
    let mut facts = facts();
    facts.proposal = None;
    facts.recorded = Approvals {
        needed: 2,
        given: vec!["ada".parse().unwrap()],
        refused: vec!["the approval by bea does not count: it is of another commit".to_owned()],
    };
    assert_eq!(verdicts(&facts), [holds, MergeVerdict::Fails, unknown, unknown]);
    let approvals = &check_merge(&facts, None)[1];
    assert_eq!(
        approvals.because,
        [
            "1 of 2: ada, signed in the records",
            "the approval by bea does not count: it is of another commit"
        ]
    );
    let hint = approvals.hint.as_deref().unwrap();
    assert!(hint.contains("`vrel approve VERSION`"), "{hint}");

    facts.recorded.given.push("bea".parse().unwrap());
    assert_eq!(verdicts(&facts), [holds, holds, unknown, unknown]);
    assert_eq!(check_merge(&facts, None)[1].hint, None);
}

#[test]
fn conflicts_are_named_wherever_they_are_found() {
    let mut facts = facts();
    facts.trial = TrialMerge::Conflicts {
        paths: vec!["a".to_owned(), "b/c".to_owned()],
    };
    fails(&facts, &[("conflicts", "a\nb/c")]);
    facts.trial = TrialMerge::Unrelated;
    fails(&facts, &[("conflicts", "have no commit in common")]);
    // The forge may know a newer main than this clone.
    let stale = with(|proposal| proposal.request.mergeable = Some(false));
    fails(&stale, &[("conflicts", "the forge finds some")]);
    let unknown = with(|proposal| proposal.request.mergeable = None);
    fails(&unknown, &[]);
}

#[test]
fn another_merge_than_the_one_that_was_tried_does_not_count() {
    fails(
        &with(|proposal| proposal.request.is_open = false),
        &[("pull-request", "#12 is closed or merged")],
    );
    fails(
        &with(|proposal| proposal.request.base = "next".to_owned()),
        &[("pull-request", "#12 is for next, not for main")],
    );
    let pushed = with(|proposal| proposal.request.commit = BEFORE.to_owned());
    let found = broken(&pushed, "");
    assert!(
        found[0]
            .1
            .contains("#12 is at 222222222222, but release/0.6 is at 111111111111 here"),
        "{found:?}"
    );
}

#[test]
fn approvals_count_once_a_person_for_the_last_commit_and_not_from_the_author_or_passers_by() {
    let approve = |person: &str| review(person, ReviewState::Approved, TIP, 10);
    let only = |reviews: Vec<Review>| with(|proposal| proposal.reviews = reviews);
    fails(
        &only(vec![approve("bea"), approve("bea"), approve("ada")]),
        &[("approvals", "1 of 2: bea")],
    );
    let mut stranger = approve("cy");
    stranger.may_decide = false;
    fails(
        &only(vec![approve("bea"), stranger]),
        &[("approvals", "1 of 2: bea")],
    );
    let stale = review("cy", ReviewState::Approved, BEFORE, 10);
    fails(
        &only(vec![approve("bea"), stale]),
        &[("approvals", "cy approved 222222222222 and not the last commit")],
    );
    let dismissed = review("cy", ReviewState::Dismissed, TIP, 11);
    fails(
        &only(vec![approve("bea"), approve("cy"), dismissed]),
        &[("approvals", "1 of 2: bea")],
    );
    let comment = review("cy", ReviewState::Commented, TIP, 11);
    fails(&only(vec![approve("bea"), approve("cy"), comment]), &[]);
    assert_eq!(broken(&only(vec![approve("bea")]), "approvals = 1"), []);
}

#[test]
fn who_asks_for_changes_blocks_until_they_agree_even_from_an_earlier_commit() {
    let against = review("dan", ReviewState::ChangesRequested, BEFORE, 1);
    let blocked = with(|proposal| proposal.reviews.insert(0, against.clone()));
    fails(&blocked, &[("approvals", "dan asks for changes")]);
    let settled = with(|proposal| {
        proposal.reviews.insert(0, against.clone());
        proposal
            .reviews
            .push(review("dan", ReviewState::Approved, TIP, 11));
    });
    fails(&settled, &[]);
    let passer_by = with(|proposal| {
        proposal.reviews.insert(
            0,
            Review {
                may_decide: false,
                ..against
            },
        );
    });
    fails(&passer_by, &[]);
}

#[test]
fn checks_that_fail_wait_or_never_began_are_named_with_their_address() {
    let red = with(|proposal| proposal.checks[0] = check("test", CheckState::Failed, "timed_out"));
    fails(
        &red,
        &[(
            "checks",
            "test failed (timed_out), see https://ci.example.org/test",
        )],
    );
    let running = with(|proposal| proposal.checks[0] = check("test", CheckState::Pending, "queued"));
    fails(&running, &[("checks", "test has not ended (queued)")]);
    fails(
        &with(|proposal| proposal.checks.clear()),
        &[("checks", "no check has looked at 111111111111")],
    );
    assert_eq!(
        broken(&facts(), "checks = ['test', 'commits']"),
        [("checks", "commits has not begun".to_owned())]
    );
}

#[test]
fn the_final_review_is_of_the_finished_thing() {
    let early = with(|proposal| proposal.reviews[1].at = time(8));
    fails(
        &early,
        &[("final-review", "is older than the end of the last check")],
    );
    fails(
        &with(|proposal| proposal.request.is_draft = true),
        &[("final-review", "ada says that it is a draft")],
    );
    fails(
        &with(|proposal| proposal.request.asked = vec!["kernel-team".to_owned()]),
        &[("final-review", "still asked for a review: kernel-team")],
    );
}

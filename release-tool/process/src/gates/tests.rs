mod soak;

use super::*;
use crate::cut_rc::tests::{MAIN, now, parse, snapshot, tag, v};
use crate::{Finding, Snapshot, plan_cut_rc};
use vrel_model::{
    Evidence, EvidenceOutcome, GateId, GatePolicy, Manifest, PersonRole, PersonalStatement, StatementKind,
    UtcTime,
};

const OTHER: &str = "9999999999999999999999999999999999999999";

fn gate(decider: &str) -> GatePolicy {
    parse(&format!(
        "group = 'testing'\ntitle = 'It works'\nrole = 'maintainer'\n[decider]\n{decider}"
    ))
}

fn id(text: &str) -> GateId {
    text.parse().unwrap()
}

/// A snapshot whose channel `beta` asks for gates of these kinds, and whose people are a maintainer and an operator.
fn gated(gates: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = snapshot();
    for (name, decider) in gates {
        snapshot.policies.gates.insert(id(name), gate(decider));
    }
    let beta = snapshot.policies.channels.values_mut().next().unwrap();
    beta.gates = gates.iter().map(|(name, _)| id(name)).collect();
    for (name, role, key) in [
        ("ada", "maintainer", "RWA"),
        ("grace", "maintainer", "RWG"),
        ("olga", "operator", "RWO"),
    ] {
        let text =
            format!("name = '{name}'\nemail = '{name}@example.org'\nkey = '{key}'\nroles = ['{role}']");
        snapshot
            .policies
            .people
            .insert(name.parse().unwrap(), parse(&text));
    }
    snapshot
}

fn evidence(gate: &str, version: &str, commit: &str, outcome: EvidenceOutcome, day: u32) -> Evidence {
    Evidence {
        schema: 1,
        gate: id(gate),
        version: v(version),
        commit: commit.to_owned(),
        outcome,
        summary: "as found".to_owned(),
        at: format!("2026-11-{day:02}T00:00:00Z").parse().unwrap(),
        by: "Ada <ada@example.org>".to_owned(),
        tools: Vec::new(),
        source: None,
        log: None,
    }
}

fn said(what: StatementKind, gate: &str, person: &str) -> StatementFact {
    StatementFact {
        statement: PersonalStatement {
            what,
            product: "veridianos".to_owned(),
            version: v("0.6.0-rc1"),
            commit: MAIN.to_owned(),
            gate: (what != StatementKind::Approval).then(|| id(gate)),
            plan_sha256: None,
            person: person.parse().unwrap(),
            at: now(),
            reason: Some("I looked".to_owned()),
            until: None,
        },
        problem: None,
    }
}

/// How the one gate of a snapshot stands.
#[track_caller]
fn judged(snapshot: &Snapshot) -> GateJudgement {
    judged_at(snapshot, now())
}

#[track_caller]
fn judged_at(snapshot: &Snapshot, now: UtcTime) -> GateJudgement {
    let subject = gate_subject(snapshot, &v("0.6.0-rc1")).unwrap();
    assert_eq!(
        (subject.channel.as_str(), subject.commit.as_str()),
        ("beta", MAIN)
    );
    let mut all = judge_gates(snapshot, &subject, now);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[track_caller]
fn expect(judged: &GateJudgement, state: GateState, detail: &str) {
    assert_eq!(judged.state, state, "{judged:#?}");
    assert!(judged.detail.contains(detail), "{judged:#?}");
    assert_eq!(judged.remedy.is_none(), state.is_met(), "{judged:#?}");
}

const COMMAND: &str = "kind = 'command'\nrun = [['true']]";

#[test]
fn evidence_counts_for_its_own_commit_alone() {
    let mut snapshot = gated(&[("tests", COMMAND)]);
    expect(&judged(&snapshot), GateState::NotRun, "there is no evidence");
    let pass = EvidenceOutcome::Pass;
    snapshot.gates.evidence = vec![evidence("tests", "0.6.0-rc1", OTHER, pass, 20)];
    expect(&judged(&snapshot), GateState::NotRun, "is of commit 999999999999");
    snapshot.gates.evidence = vec![evidence("coverage", "0.6.0-rc1", MAIN, pass, 20)];
    expect(&judged(&snapshot), GateState::NotRun, "there is no evidence");
    snapshot.gates.evidence = vec![evidence("tests", "0.7.0-rc1", MAIN, pass, 20)];
    expect(&judged(&snapshot), GateState::NotRun, "there is no evidence");
    snapshot.gates.evidence = vec![evidence("tests", "0.6.0-rc1", MAIN, pass, 20)];
    expect(&judged(&snapshot), GateState::Pass, "as found (2026-11-20)");
}

#[test]
fn the_newest_evidence_counts() {
    let mut snapshot = gated(&[("tests", COMMAND)]);
    snapshot.gates.evidence = vec![
        evidence("tests", "0.6.0-rc1", MAIN, EvidenceOutcome::Fail, 20),
        evidence("tests", "0.6.0-rc1", MAIN, EvidenceOutcome::Pass, 19),
    ];
    let found = judged(&snapshot);
    expect(&found, GateState::Fail, "2026-11-20");
    assert!(found.remedy.unwrap().contains("vrel gates 0.6.0-rc1 --run tests"));
}

#[test]
fn evidence_of_a_candidate_counts_for_the_final_release_of_its_commit() {
    let mut snapshot = gated(&[("tests", COMMAND)]);
    let beta = snapshot.policies.channels.values().next().unwrap().clone();
    snapshot.policies.channels.insert("stable".parse().unwrap(), beta);
    snapshot.tags = vec![tag("v0.6.0-rc1"), tag("v0.6.0-rc2")];
    snapshot.tags[1].commit = OTHER.to_owned();
    let subject = gate_subject(&snapshot, &v("0.6.0")).unwrap();
    assert_eq!(subject.commit, OTHER, "the newest candidate's");
    assert_eq!(subject.channel.as_str(), "stable");
    let state = |snapshot: &Snapshot| judge_gates(snapshot, &subject, now())[0].state;
    snapshot.gates.evidence = vec![evidence("tests", "0.6.0-rc1", MAIN, EvidenceOutcome::Pass, 20)];
    assert_eq!(state(&snapshot), GateState::NotRun);
    snapshot.gates.evidence = vec![evidence("tests", "0.6.0-rc2", OTHER, EvidenceOutcome::Pass, 20)];
    assert_eq!(state(&snapshot), GateState::Pass);
}

#[test]
fn a_person_signs_off_what_no_machine_decides() {
    let mut snapshot = gated(&[("backup", "kind = 'person'")]);
    let waiting = judged(&snapshot);
    expect(&waiting, GateState::Waiting, "nobody signed it off");
    assert!(waiting.remedy.unwrap().contains("ada, grace may do so"));
    snapshot.gates.statements = vec![said(StatementKind::SignOff, "backup", "ada")];
    expect(
        &judged(&snapshot),
        GateState::Pass,
        "signed off by ada on 2026-11-21: I looked",
    );
}

#[test]
fn a_signature_that_does_not_count_is_named_with_its_reason() {
    let good = || said(StatementKind::SignOff, "backup", "ada");
    let change = |change: fn(&mut StatementFact)| {
        let mut fact = good();
        change(&mut fact);
        fact
    };
    let cases: [(StatementFact, &str); 7] = [
        (
            change(|fact| fact.problem = Some("it is forged".to_owned())),
            "it is forged",
        ),
        (
            change(|fact| fact.statement.product = "other".to_owned()),
            "it is about other, not veridianos",
        ),
        (
            change(|fact| fact.statement.version = v("0.6.0-rc2")),
            "it is about 0.6.0-rc2, not 0.6.0-rc1",
        ),
        (
            change(|fact| fact.statement.commit = OTHER.to_owned()),
            "it is about commit 999999999999, not 111111111111",
        ),
        (
            said(StatementKind::SignOff, "backup", "olga"),
            "olga is not `maintainer`",
        ),
        (
            said(StatementKind::SignOff, "backup", "eve"),
            "there is no signing/people/eve.toml",
        ),
        (
            change(|fact| fact.statement.until = Some("2026-11-20".parse().unwrap())),
            "it held until 2026-11-20",
        ),
    ];
    for (fact, reason) in cases {
        let mut snapshot = gated(&[("backup", "kind = 'person'")]);
        snapshot.gates.statements = vec![fact];
        let found = judged(&snapshot);
        assert_eq!(found.state, GateState::Waiting, "{reason}");
        assert!(found.refused[0].contains(reason), "{reason}: {found:#?}");
        // What does not count does not stand in the way of what does.
        snapshot.gates.statements.push(good());
        assert_eq!(judged(&snapshot).state, GateState::Pass, "{reason}");
    }
    let mut snapshot = gated(&[("backup", "kind = 'person'")]);
    snapshot.gates.statements = vec![said(StatementKind::SignOff, "tests", "ada")];
    assert_eq!(judged(&snapshot).state, GateState::Waiting, "another gate's");
}

#[test]
fn what_a_machine_decides_is_not_signed_off_but_waived() {
    let mut snapshot = gated(&[("tests", COMMAND)]);
    snapshot.gates.evidence = vec![evidence("tests", "0.6.0-rc1", MAIN, EvidenceOutcome::Fail, 20)];
    snapshot.gates.statements = vec![said(StatementKind::SignOff, "tests", "ada")];
    let found = judged(&snapshot);
    assert_eq!(found.state, GateState::Fail);
    assert!(
        found.refused[0].contains("a machine decides this gate"),
        "{found:#?}"
    );
    snapshot.gates.statements = vec![said(StatementKind::Waiver, "tests", "ada")];
    expect(
        &judged(&snapshot),
        GateState::Waived,
        "waived by ada on 2026-11-21: I looked (fail: as found",
    );
}

#[test]
fn what_the_machine_cannot_tell_never_passes_by_itself() {
    let mut snapshot = gated(&[("scan", "kind = 'advisories'\ndatabase = 'x'\nlock-files = []")]);
    let missing = evidence("scan", "0.6.0-rc1", MAIN, EvidenceOutcome::NotAvailable, 20);
    snapshot.gates.evidence = vec![missing];
    expect(&judged(&snapshot), GateState::NotAvailable, "as found");
    snapshot.gates.statements = vec![said(StatementKind::SignOff, "scan", "ada")];
    expect(&judged(&snapshot), GateState::Pass, "signed off by ada");
}

#[test]
fn a_waiver_ends_after_its_last_day() {
    let mut snapshot = gated(&[("backup", "kind = 'person'")]);
    let mut waiver = said(StatementKind::Waiver, "backup", "ada");
    waiver.statement.until = Some("2026-11-21".parse().unwrap());
    snapshot.gates.statements = vec![waiver];
    expect(&judged(&snapshot), GateState::Waived, "until 2026-11-21");
    let next_day = "2026-11-22T00:00:00Z".parse().unwrap();
    assert_eq!(judged_at(&snapshot, next_day).state, GateState::Waiting);
}

#[test]
fn issues_that_block_and_policies_that_disagree_are_seen_at_once() {
    let mut snapshot = gated(&[("bugs", "kind = 'blocking-issues'")]);
    expect(&judged(&snapshot), GateState::Pass, "RELEASE_TODO.md names none");
    snapshot.blockers = vec!["line 7: it eats disks".to_owned()];
    expect(&judged(&snapshot), GateState::Fail, "it eats disks");
    snapshot.plan_problem = Some("no roadmap".to_owned());
    expect(&judged(&snapshot), GateState::Fail, "cannot be read: no roadmap");

    let mut snapshot = gated(&[("configuration", "kind = 'configuration'")]);
    expect(&judged(&snapshot), GateState::Pass, "agree");
    snapshot.policies.config.toolchain.zstd_level = 99;
    expect(&judged(&snapshot), GateState::Fail, "zstd-level");
}

#[test]
fn what_breaks_programs_needs_a_migration() {
    let mut snapshot = gated(&[("migration", "kind = 'migration-guide'")]);
    expect(&judged(&snapshot), GateState::NotRun, "not looked at");
    snapshot.gates.breaking = Some(Vec::new());
    expect(&judged(&snapshot), GateState::Pass, "nothing breaks");
    let breaks = |has_migration| BreakingFact {
        text: "`exit` takes a code".to_owned(),
        has_migration,
    };
    snapshot.gates.breaking = Some(vec![breaks(true), breaks(false)]);
    expect(
        &judged(&snapshot),
        GateState::Fail,
        "no migration is told for: `exit`",
    );
    snapshot.gates.breaking = Some(vec![breaks(true)]);
    expect(&judged(&snapshot), GateState::Pass, "each with its migration");
}

fn manifest(commit: &str) -> Manifest {
    let digest = "0".repeat(64);
    let text = format!(
        r#"{{"schema":1,"product_name":"VeridianOS","product":"veridianos","version":"0.6.0-rc1","channel":"beta",
        "commit":"{commit}","created":"2026-11-21T03:00:00Z","source_date_epoch":1,"toolchain":"{digest}","previous":null,
        "artifacts":[{{"name":"veridianos-0.6.0-rc1-x86_64.iso","kind":"iso","arch":"x86_64","length":1,
        "sha256":"{digest}","blake2b":"{digest}{digest}"}}],
        "documents":[{{"name":"release-notes.md","length":1,"sha256":"{digest}"}},
        {{"name":"release-notes.html","length":1,"sha256":"{digest}"}},
        {{"name":"release-notes.txt","length":1,"sha256":"{digest}"}}],
        "boots":[{{"artifact":"veridianos-0.6.0-rc1-x86_64.iso","medium":"iso","machine":"m","identity":"i"}}]}}"#
    );
    Manifest::parse(text.as_bytes()).unwrap()
}

#[test]
fn documents_are_those_of_the_published_candidate_of_the_commit() {
    let mut snapshot = gated(&[("notes", "kind = 'documents'\nkinds = ['release-notes', 'iso']")]);
    expect(
        &judged(&snapshot),
        GateState::NotRun,
        "no candidate of this commit",
    );
    snapshot.gates.manifest = Some(manifest(OTHER));
    expect(
        &judged(&snapshot),
        GateState::NotRun,
        "no candidate of this commit",
    );
    snapshot.gates.manifest = Some(manifest(MAIN));
    expect(&judged(&snapshot), GateState::Pass, "has release-notes, iso");
    snapshot.gates.manifest.as_mut().unwrap().documents.pop();
    expect(&judged(&snapshot), GateState::Fail, "lacks release-notes");
}

#[test]
fn every_architecture_boots_from_every_medium_that_its_policy_names() {
    let mut snapshot = gated(&[("platforms", "kind = 'platforms'")]);
    snapshot.gates.manifest = Some(manifest(MAIN));
    let iso = snapshot
        .policies
        .artifacts
        .get_mut(&"iso".parse().unwrap())
        .unwrap();
    iso.boot = vec!["iso".parse().unwrap(), "aarch64:usb".parse().unwrap()];
    expect(&judged(&snapshot), GateState::Pass, "1 boots on x86_64");
    let iso = snapshot
        .policies
        .artifacts
        .get_mut(&"iso".parse().unwrap())
        .unwrap();
    iso.boot.push("usb".parse().unwrap());
    expect(&judged(&snapshot), GateState::Fail, "was not booted from usb");
    snapshot.gates.manifest.as_mut().unwrap().boots.clear();
    expect(
        &judged(&snapshot),
        GateState::Fail,
        "nothing of x86_64 was booted",
    );
}

#[test]
fn staging_speaks_for_the_commit_that_it_tried() {
    let mut snapshot = gated(&[("upgrade", "kind = 'smoke'\npart = 'upgrade'")]);
    expect(&judged(&snapshot), GateState::NotRun, "staging has not tried");
    let fact = |commit: &str, passed| SmokeFact {
        part: vrel_model::SmokePart::Upgrade,
        commit: commit.to_owned(),
        passed,
        summary: "from 0.5.7".to_owned(),
    };
    snapshot.gates.smoke = vec![fact(OTHER, true)];
    assert_eq!(judged(&snapshot).state, GateState::NotRun);
    snapshot.gates.smoke = vec![fact(MAIN, false)];
    expect(&judged(&snapshot), GateState::Fail, "from 0.5.7");
    snapshot.gates.smoke = vec![fact(MAIN, true)];
    expect(&judged(&snapshot), GateState::Pass, "from 0.5.7");
}

fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    plan_cut_rc(snapshot, &v("0.6.0-rc1"), &[], now()).findings
}

#[test]
fn a_plan_is_held_to_the_gates_of_its_channel() {
    let mut snapshot = gated(&[("backup", "kind = 'person'"), ("tests", COMMAND)]);
    let found = findings(&snapshot);
    let gates: Vec<_> = found.iter().filter(|finding| finding.check == "gates").collect();
    assert_eq!(gates.len(), 2, "{found:#?}");
    assert!(
        gates
            .iter()
            .all(|finding| finding.is_fatal() && finding.hint.is_some())
    );
    snapshot.gates.statements = vec![said(StatementKind::SignOff, "backup", "ada")];
    snapshot.gates.evidence = vec![evidence("tests", "0.6.0-rc1", MAIN, EvidenceOutcome::Pass, 20)];
    assert_eq!(findings(&snapshot), []);
    snapshot.gates.problems = vec!["releases/0.6.0-rc1/gates.toml:1:1: torn".to_owned()];
    assert!(findings(&snapshot)[0].message.contains("torn"));
}

#[test]
fn a_gate_that_is_not_there_is_found_with_what_was_meant() {
    let mut snapshot = gated(&[("coverage", "kind = 'coverage'\nat-least = 80")]);
    snapshot.policies.channels.values_mut().next().unwrap().gates = vec![id("covrage")];
    let found = findings(&snapshot);
    assert_eq!(found[0].message, "channels/beta.toml: there is no gate `covrage`");
    assert_eq!(found[0].hint.as_deref(), Some("did you mean `coverage`?"));
    let mut snapshot = gated(&[("notes", "kind = 'documents'\nkinds = ['release-note']")]);
    snapshot.gates.manifest = Some(manifest(MAIN));
    let found = findings(&snapshot);
    let unknown = found
        .iter()
        .find(|finding| finding.check == "policy-files")
        .unwrap();
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `release-notes`?"));
    let mut snapshot = gated(&[]);
    let ada = snapshot.policies.people[&"ada".parse().unwrap()].clone();
    snapshot.policies.people.insert("adam".parse().unwrap(), ada);
    assert!(findings(&snapshot)[0].message.contains("`key` is that of ada"));
}

/// A snapshot whose channel asks for two approvals, and the digest of its plan.
fn approved_by(people: &[&str]) -> Snapshot {
    let mut snapshot = gated(&[]);
    let beta = snapshot.policies.channels.values_mut().next().unwrap();
    beta.approvals = 2;
    beta.approvers = vec!["maintainer".parse::<PersonRole>().unwrap()];
    let plan = plan_cut_rc(&snapshot, &v("0.6.0-rc1"), &[], now()).plan.unwrap();
    for person in people {
        let mut fact = said(StatementKind::Approval, "", person);
        fact.statement.plan_sha256 = Some(plan.approval_digest().unwrap());
        snapshot.gates.approvals.push(fact);
    }
    snapshot
}

#[test]
fn two_people_approve_exactly_this_plan() {
    let none = findings(&approved_by(&[]));
    assert_eq!(none[0].check, "approvals");
    assert!(none[0].message.contains("needs 2 approvals"), "{none:#?}");
    assert!(none[0].hint.as_deref().unwrap().contains("ada, grace may do so"));
    assert!(
        findings(&approved_by(&["ada"]))[0]
            .message
            .contains("ada approved it")
    );
    assert!(
        findings(&approved_by(&["ada", "ada"]))[0].is_fatal(),
        "one person is one"
    );
    assert!(
        findings(&approved_by(&["ada", "olga"]))[0].is_fatal(),
        "no maintainer"
    );
    assert_eq!(findings(&approved_by(&["ada", "grace"])), []);
}

#[test]
fn an_approval_is_of_one_plan_whenever_it_is_made() {
    let mut snapshot = approved_by(&["ada", "grace"]);
    // Time goes on, and somebody else publishes meanwhile: the plan is the same.
    snapshot.origin.pointer_version = Some(41);
    let later = now().plus_days(3);
    let outcome = plan_cut_rc(&snapshot, &v("0.6.0-rc1"), &[], later);
    assert_eq!(outcome.findings, []);
    // Another content is another plan.
    let iso = snapshot
        .policies
        .artifacts
        .get_mut(&"iso".parse().unwrap())
        .unwrap();
    iso.max_size = vrel_model::ByteSize(7);
    let found = findings(&snapshot);
    assert!(found[0].is_fatal(), "{found:#?}");
    let warned = found
        .iter()
        .filter(|finding| finding.message.contains("of another plan"));
    assert_eq!(warned.count(), 2, "{found:#?}");
}

#[test]
fn two_names_with_one_key_are_one_person() {
    let mut snapshot = approved_by(&["ada", "grace"]);
    let key = snapshot.policies.people[&"ada".parse().unwrap()].key.clone();
    snapshot
        .policies
        .people
        .get_mut(&"grace".parse().unwrap())
        .unwrap()
        .key = key;
    let found = findings(&snapshot);
    assert!(
        found
            .iter()
            .any(|finding| finding.check == "approvals" && finding.is_fatal())
    );
    assert!(
        found
            .iter()
            .any(|finding| finding.message.contains("with the same key"))
    );
}

#[test]
fn a_commit_has_the_approvals_of_its_releases_by_those_who_may_give_them() {
    let snapshot = approved_by(&["ada", "grace"]);
    let (mut policies, recorded) = (snapshot.policies.clone(), snapshot.gates.approvals.clone());
    let judge = |policies: &crate::Policies, recorded: &[StatementFact], commit: &str| {
        let judged = judge_commit_approvals(policies, recorded, commit, 2, now());
        let given: Vec<String> = judged.given.iter().map(ToString::to_string).collect();
        (given.join(" "), judged.refused.join("\n"), judged.are_met())
    };
    assert_eq!(
        judge(&policies, &recorded, MAIN),
        ("ada grace".to_owned(), String::new(), true)
    );
    // The same person for another release of the commit is still one person.
    let mut twice = vec![recorded[0].clone(), recorded[0].clone()];
    twice[1].statement.version = v("0.6.0-rc2");
    assert_eq!(
        judge(&policies, &twice, MAIN),
        ("ada".to_owned(), String::new(), false)
    );
    let expect_none = |policies: &crate::Policies, recorded: &[StatementFact], commit: &str, why: &str| {
        let (given, refused, met) = judge(policies, recorded, commit);
        assert!(
            given.is_empty() && refused.contains(why) && !met,
            "{given}: {refused}"
        );
    };
    expect_none(&policies, &recorded, OTHER, "not 999999999999");
    let mut forged = recorded.clone();
    for fact in &mut forged {
        fact.problem = Some("the signature is not theirs".to_owned());
    }
    expect_none(&policies, &forged, MAIN, "the signature is not theirs");
    let mut signed_off = recorded.clone();
    for fact in &mut signed_off {
        fact.statement.what = StatementKind::SignOff;
    }
    expect_none(&policies, &signed_off, MAIN, "it is a sign-off");
    let mut of_a_final = recorded.clone();
    for fact in &mut of_a_final {
        fact.statement.version = v("0.6.0");
    }
    expect_none(
        &policies,
        &of_a_final,
        MAIN,
        "no channel asks for approvals of 0.6.0",
    );
    for channel in policies.channels.values_mut() {
        channel.approvers = vec!["operator".parse().unwrap()];
    }
    expect_none(&policies, &recorded, MAIN, "ada is not `operator`");
}

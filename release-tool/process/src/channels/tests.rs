use super::*;
use crate::cut_rc::tests::{parse, snapshot};
use vrel_model::{Reason, Version};

const NIGHT: &str = "2026-12-20T03:00:00Z";

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn c(text: &str) -> ChannelName {
    text.parse().unwrap()
}

fn t(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn why() -> Reason {
    "loses data".parse().unwrap()
}

fn digest(version: &Version) -> Sha256Digest {
    let text = version.to_string();
    let mut bytes = [0; 32];
    for (at, byte) in text.bytes().enumerate() {
        bytes[at] = byte;
    }
    Sha256Digest::new(bytes)
}

fn head_of(version: &str) -> ChannelHead {
    ChannelHead {
        release: v(version),
        manifest_length: 10,
        manifest_sha256: digest(&v(version)),
        rollback: None,
    }
}

/// Finals 0.6.0, 0.6.1 and 0.6.2 were made for `stable`, whose head is the last; `lts` takes them from there after a week.
fn facts() -> ChannelFacts {
    let mut policies = snapshot().policies;
    policies.channels = [
        (
            c("stable"),
            parse("description = 'x'\nstages = ['final']\nkey-role = 'release'\nsoak-days = 7"),
        ),
        (
            c("lts"),
            parse("description = 'x'\nstages = ['final']\nkey-role = 'release'\nfrom = ['stable']"),
        ),
        (
            c("beta"),
            parse("description = 'x'\nstages = ['candidate']\nkey-role = 'release'"),
        ),
    ]
    .into();
    let releases = [("0.6.0", "01"), ("0.6.1", "05"), ("0.6.2", "10")].map(|(version, day)| {
        let fact = ReleaseFact {
            channel: c("stable"),
            commit: "1".repeat(40),
            created: t(&format!("2026-12-{day}T03:00:00Z")),
            manifest_length: 10,
            manifest_sha256: digest(&v(version)),
        };
        (v(version), fact)
    });
    let artifact: ArtifactName = "os.iso".parse().unwrap();
    let verified = Verified {
        artifacts: [artifact.clone()].into(),
        roles: ["release".parse().unwrap()].into(),
        required: [(c("lts"), Ok([artifact].into()))].into(),
        ..Verified::default()
    };
    let mut pointer = Pointer::following(None, "os", t("2026-12-10T03:00:00Z"), t("2027-12-10T03:00:00Z"));
    pointer.channels.insert(c("stable"), head_of("0.6.2"));
    ChannelFacts {
        policies,
        pointer: Some(pointer),
        verified: releases
            .iter()
            .map(|(version, _)| (version.clone(), verified.clone()))
            .collect(),
        releases: releases.into(),
        promotions: BTreeMap::new(),
        judged_by: None,
    }
}

fn pointer(facts: &mut ChannelFacts) -> &mut Pointer {
    facts.pointer.as_mut().unwrap()
}

fn verified<'f>(facts: &'f mut ChannelFacts, version: &str) -> &'f mut Verified {
    facts.verified.get_mut(&v(version)).unwrap()
}

fn dud(facts: &mut ChannelFacts, version: &str) {
    let dud = Dud {
        reason: why(),
        since: t(NIGHT),
        advisory: None,
    };
    pointer(facts).duds.insert(v(version), dud);
}

/// Carries a plan out.
#[track_caller]
fn carry_out(facts: &mut ChannelFacts, plan: &MovePlan) {
    assert_eq!(plan.findings, []);
    let now = facts.pointer.clone();
    let mut next = Pointer::following(now, "os", t(NIGHT), t("2027-12-10T03:00:00Z"));
    plan.change.as_ref().unwrap().apply(&mut next);
    next.check().unwrap();
    facts.pointer = Some(next);
}

#[track_caller]
fn refused(plan: &MovePlan, check: &str, text: &str) {
    let found = plan.findings.iter().find(|finding| finding.check == check);
    let found = found.unwrap_or_else(|| panic!("{check}: {:#?}", plan.findings));
    assert!(found.message.contains(text) && found.hint.is_some(), "{found:?}");
    assert_eq!(plan.change, None);
}

#[track_caller]
fn promotion(version: &str, to: &str, check: &str, text: &str, change: impl FnOnce(&mut ChannelFacts)) {
    let mut facts = facts();
    change(&mut facts);
    refused(
        &plan_promotion(&facts, &v(version), &c(to), t(NIGHT)),
        check,
        text,
    );
}

#[test]
fn a_promotion_moves_a_digest() {
    let mut facts = facts();
    let plan = plan_promotion(&facts, &v("0.6.2"), &c("lts"), t(NIGHT));
    carry_out(&mut facts, &plan);
    assert_eq!(facts.head(&c("lts")), Some(&head_of("0.6.2")));
    assert_eq!(facts.head(&c("stable")), Some(&head_of("0.6.2")));
    let again = plan_promotion(&facts, &v("0.6.2"), &c("lts"), t(NIGHT));
    assert!(again.is_done && again.change.is_none());
}

#[test]
fn every_check_of_a_promotion_refuses_by_name() {
    promotion("0.6.2", "edge", "known-channel", "beta, lts, stable", |_| {});
    promotion("0.6.3", "lts", "published", "0.6.3 is not in the origin", |_| {});
    promotion("0.6.2", "lts", "published", "never public in stable", |facts| {
        pointer(facts).channels.insert(c("stable"), head_of("0.6.1"));
    });
    promotion("0.6.1", "lts", "not-dud", "loses data", |facts| {
        dud(facts, "0.6.1")
    });
    promotion("0.6.2", "lts", "genuine", "sha256 differs", |facts| {
        verified(facts, "0.6.2")
            .problems
            .push("os.iso: sha256 differs".into());
    });
    promotion("0.6.2", "beta", "channel-admits", "does not take 0.6.2", |_| {});
    promotion(
        "0.6.2",
        "stable",
        "promotion-source",
        "releases of its own only",
        |facts| {
            pointer(facts).channels.clear();
        },
    );
    promotion(
        "0.6.2",
        "lts",
        "promotion-source",
        "never public in beta",
        |facts| {
            facts.policies.channels.get_mut(&c("lts")).unwrap().from = vec![c("beta")];
        },
    );
    promotion("0.6.2", "lts", "soak", "until 2026-12-21T03:00:00Z", |facts| {
        facts.policies.channels.get_mut(&c("stable")).unwrap().soak_days = Some(11);
    });
    promotion("0.6.2", "lts", "nothing-lagging", "riscv64", |facts| {
        verified(facts, "0.6.2").lagging = vec![LaggingArch {
            arch: vrel_model::Arch::Riscv64,
            until: t(NIGHT),
        }];
    });
    promotion("0.6.2", "lts", "channel-artifacts", "has no os.ova", |facts| {
        let required = [("os.ova").parse().unwrap()].into();
        verified(facts, "0.6.2").required = [(c("lts"), Ok(required))].into();
    });
    promotion(
        "0.6.2",
        "lts",
        "channel-artifacts",
        "not in this repository",
        |facts| {
            verified(facts, "0.6.2").required = [(c("lts"), Err("not in this repository".into()))].into();
        },
    );
    promotion(
        "0.6.2",
        "lts",
        "key-role",
        "signed by a key of the role other",
        |facts| {
            verified(facts, "0.6.2").roles = ["other".parse().unwrap()].into();
        },
    );
    promotion(
        "0.6.1",
        "lts",
        "channel-forward",
        "not newer than 0.6.2",
        |facts| {
            pointer(facts).channels.insert(c("lts"), head_of("0.6.2"));
        },
    );
}

#[test]
fn what_lags_may_enter_a_channel_that_allows_it() {
    let mut facts = facts();
    verified(&mut facts, "0.6.2").lagging = vec![LaggingArch {
        arch: vrel_model::Arch::Riscv64,
        until: t(NIGHT),
    }];
    facts
        .policies
        .channels
        .get_mut(&c("lts"))
        .unwrap()
        .tier_2_lag_days = 3;
    let plan = plan_promotion(&facts, &v("0.6.2"), &c("lts"), t(NIGHT));
    carry_out(&mut facts, &plan);
}

#[test]
fn a_rollback_remembers_the_newest_and_goes_on_after_it() {
    let mut facts = facts();
    let stable = c("stable");
    assert_eq!(facts.previous_good(&stable), Some(&v("0.6.1")));
    let plan = plan_rollback(&facts, &stable, &v("0.6.1"), &why(), t(NIGHT));
    carry_out(&mut facts, &plan);
    let plan = plan_rollback(&facts, &stable, &v("0.6.0"), &why(), t(NIGHT));
    carry_out(&mut facts, &plan);
    let head = facts.head(&stable).unwrap();
    assert_eq!((&head.release, head.newest()), (&v("0.6.0"), &v("0.6.2")));
    assert!(plan_rollback(&facts, &stable, &v("0.6.0"), &why(), t(NIGHT)).is_done);
    // What it went back from is still a release of the channel, and ends the rollback.
    let plan = plan_rollback(&facts, &stable, &v("0.6.2"), &why(), t(NIGHT));
    assert!(
        plan.effects.iter().any(|effect| effect.contains("is over")),
        "{plan:?}"
    );
    carry_out(&mut facts, &plan);
    assert_eq!(facts.head(&stable), Some(&head_of("0.6.2")));
    assert_eq!(facts.pointer.unwrap().version, 4);
}

#[test]
fn every_check_of_a_rollback_refuses_by_name() {
    let refused_back = |channel: &str, to: &str, check: &str, text: &str, change: fn(&mut ChannelFacts)| {
        let mut facts = facts();
        change(&mut facts);
        refused(
            &plan_rollback(&facts, &c(channel), &v(to), &why(), t(NIGHT)),
            check,
            text,
        );
    };
    refused_back("edge", "0.6.1", "known-channel", "edge", |_| {});
    refused_back("lts", "0.6.1", "was-in-channel", "has no release", |_| {});
    refused_back(
        "stable",
        "0.5.9",
        "published",
        "0.5.9 is not in the origin",
        |_| {},
    );
    refused_back("stable", "0.6.1", "not-dud", "loses data", |facts| {
        dud(facts, "0.6.1")
    });
    refused_back("stable", "0.6.1", "genuine", "gone", |facts| {
        verified(facts, "0.6.1").problems.push("os.iso: gone".into());
    });
    refused_back("lts", "0.6.1", "was-in-channel", "never public in lts", |facts| {
        pointer(facts).channels.insert(c("lts"), head_of("0.6.2"));
    });
    refused_back("stable", "0.6.2", "not-newer", "newer than all", |facts| {
        pointer(facts).channels.insert(c("stable"), head_of("0.6.1"));
    });
}

fn plan_of_dud(facts: &ChannelFacts, version: &str, back: &[(&str, &str)]) -> MovePlan {
    let back = back.iter().map(|(channel, to)| (c(channel), v(to))).collect();
    let reason = why();
    let asked = DudRequest {
        version: &v(version),
        reason: &reason,
        advisory: None,
        back: &back,
    };
    plan_dud(facts, &asked, t(NIGHT))
}

#[test]
fn a_dud_that_is_a_head_takes_its_channel_back_in_the_same_pointer() {
    let mut facts = facts();
    refused(&plan_of_dud(&facts, "0.6.2", &[]), "head", "head of stable");
    let hint = plan_of_dud(&facts, "0.6.2", &[]).findings[0]
        .hint
        .clone()
        .unwrap();
    assert!(hint.contains("here 0.6.1"), "{hint}");
    refused(
        &plan_of_dud(&facts, "0.6.2", &[("stable", "0.6.2")]),
        "not-dud",
        "cannot go back",
    );
    refused(
        &plan_of_dud(&facts, "0.6.3", &[]),
        "published",
        "not in the origin",
    );
    let plan = plan_of_dud(&facts, "0.6.2", &[("stable", "0.6.1")]);
    carry_out(&mut facts, &plan);
    assert_eq!(facts.pointer.as_ref().unwrap().version, 2);
    assert_eq!(facts.head(&c("stable")).unwrap().release, v("0.6.1"));
    assert!(plan_of_dud(&facts, "0.6.2", &[]).is_done);
    // Never again: neither by going back nor by promotion.
    refused(
        &plan_rollback(&facts, &c("stable"), &v("0.6.2"), &why(), t(NIGHT)),
        "not-dud",
        "0.6.2",
    );
    refused(
        &plan_promotion(&facts, &v("0.6.2"), &c("lts"), t(NIGHT)),
        "not-dud",
        "0.6.2",
    );
    assert_eq!(
        facts.good_in(&c("stable")).collect::<Vec<_>>(),
        [&v("0.6.0"), &v("0.6.1")]
    );
    // The only one that is left has nothing behind it.
    dud(&mut facts, "0.6.0");
    let plan = plan_of_dud(&facts, "0.6.1", &[]);
    assert!(
        plan.findings[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("publish a newer one first"),
        "{plan:?}"
    );
}

#[test]
fn an_older_release_becomes_a_dud_without_moving_a_channel() {
    let mut facts = facts();
    let plan = plan_of_dud(&facts, "0.6.0", &[]);
    carry_out(&mut facts, &plan);
    assert_eq!(facts.head(&c("stable")), Some(&head_of("0.6.2")));
}

mod random {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Deed {
        Publish,
        Promote(usize),
        Rollback(bool, usize),
        Dud(usize, bool),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            2 => Just(Deed::Publish),
            2 => (0..20_usize).prop_map(Deed::Promote),
            2 => (any::<bool>(), 0..20_usize).prop_map(|(lts, at)| Deed::Rollback(lts, at)),
            1 => (0..20_usize, any::<bool>()).prop_map(|(at, back)| Deed::Dud(at, back)),
        ]
    }

    /// Publishes the next number that nobody has used.
    fn publish(facts: &mut ChannelFacts) {
        let last = facts.releases.keys().max().unwrap();
        let next = Version::new(last.major(), last.minor(), last.patch() + 1);
        let (template, seen) = (facts.releases[last].clone(), facts.verified[last].clone());
        let release = ReleaseFact {
            manifest_sha256: digest(&next),
            ..template
        };
        facts.releases.insert(next.clone(), release);
        facts.verified.insert(next.clone(), seen);
        let head = head_of(&next.to_string());
        let mut pointer =
            Pointer::following(facts.pointer.clone(), "os", t(NIGHT), t("2027-12-10T03:00:00Z"));
        pointer.channels.insert(c("stable"), head);
        facts.pointer = Some(pointer);
    }

    fn record_promotion(facts: &mut ChannelFacts, version: &Version) {
        facts
            .promotions
            .entry(version.clone())
            .or_default()
            .push(Promotion {
                from: c("stable"),
                to: c("lts"),
                by: "Ada <ada@example.org>".into(),
                approved_by: Vec::new(),
                at: t(NIGHT),
                pointer: facts.pointer.as_ref().unwrap().version,
            });
    }

    proptest! {
        #[test]
        fn whatever_is_done_the_pointer_holds(deeds in proptest::collection::vec(deed(), 1..60)) {
            let mut facts = facts();
            let mut newest: BTreeMap<ChannelName, Version> = BTreeMap::new();
            for deed in deeds {
                let before = facts.pointer.clone().unwrap();
                let versions: Vec<Version> = facts.releases.keys().cloned().collect();
                let pick = |at: usize| &versions[at % versions.len()];
                let plan = match &deed {
                    Deed::Publish => {
                        publish(&mut facts);
                        MovePlan::default()
                    }
                    Deed::Promote(at) => plan_promotion(&facts, pick(*at), &c("lts"), t(NIGHT)),
                    Deed::Rollback(lts, at) => {
                        let channel = c(if *lts { "lts" } else { "stable" });
                        plan_rollback(&facts, &channel, pick(*at), &why(), t(NIGHT))
                    }
                    Deed::Dud(at, back) => {
                        let version = pick(*at);
                        let heads = facts.head_of(version).into_iter();
                        let back = heads
                            .filter(|_| *back)
                            .filter_map(|channel| Some((channel.clone(), facts.previous_good(&channel)?.clone())))
                            .collect();
                        let reason = why();
                        let asked = DudRequest { version, reason: &reason, advisory: None, back: &back };
                        plan_dud(&facts, &asked, t(NIGHT))
                    }
                };
                if let Some(change) = &plan.change {
                    let mut next = Pointer::following(Some(before.clone()), "os", t(NIGHT), t("2027-12-10T03:00:00Z"));
                    change.apply(&mut next);
                    facts.pointer = Some(next);
                    if let Deed::Promote(at) = deed {
                        record_promotion(&mut facts, pick(at));
                    }
                }
                let after = facts.pointer.as_ref().unwrap();
                // The number grows with every change, and with nothing else.
                prop_assert_eq!(after.version, before.version + u64::from(*after != before));
                // A dud is no head, and stays a dud.
                after.check().unwrap();
                prop_assert!(before.duds.keys().all(|version| after.duds.contains_key(version)));
                for (channel, head) in &after.channels {
                    // A head is there, and has the digest that its version always had.
                    prop_assert_eq!(facts.releases[&head.release].manifest_sha256, head.manifest_sha256);
                    prop_assert_eq!(head.manifest_sha256, digest(&head.release));
                    prop_assert!(facts.entered(&head.release, channel).is_some());
                    // What a channel has had at most only grows.
                    let was = newest.insert(channel.clone(), head.newest().clone());
                    prop_assert!(was.is_none_or(|was| was <= *head.newest()));
                }
            }
        }
    }
}

/// A promotion to `lts`, which asks for a gate and two approvals; `said` is what the records have.
fn strict(said: impl FnOnce(&mut Snapshot, &PlannedPromotion)) -> MovePlan {
    let mut facts = facts();
    let policies = &mut facts.policies;
    policies.gates.insert(
        "tests".parse().unwrap(),
        parse("group = 'testing'\ntitle = 'It works'\nrole = 'maintainer'\n[decider]\nkind = 'command'\nrun = [['true']]"),
    );
    for (name, role, key) in [
        ("ada", "maintainer", "RWA"),
        ("grace", "maintainer", "RWG"),
        ("olga", "operator", "RWO"),
    ] {
        let text =
            format!("name = '{name}'\nemail = '{name}@example.org'\nkey = '{key}'\nroles = ['{role}']");
        policies.people.insert(name.parse().unwrap(), parse(&text));
    }
    let lts = policies.channels.get_mut(&c("lts")).unwrap();
    lts.gates = vec!["tests".parse().unwrap()];
    lts.approvals = 2;
    lts.approvers = vec!["maintainer".parse().unwrap()];
    let mut judged_by = snapshot();
    judged_by.policies = facts.policies.clone();
    let promotion = PlannedPromotion {
        product: facts.policies.config.product.id.to_string(),
        version: v("0.6.2"),
        commit: "1".repeat(40),
        manifest_sha256: digest(&v("0.6.2")),
        to: c("lts"),
    };
    said(&mut judged_by, &promotion);
    facts.judged_by = Some(judged_by);
    let plan = plan_promotion(&facts, &v("0.6.2"), &c("lts"), t(NIGHT));
    assert_eq!(plan.promotion, Some(promotion));
    plan
}

fn tests_passed(judged_by: &mut Snapshot, commit: &str) {
    judged_by.gates.evidence.push(vrel_model::Evidence {
        schema: 1,
        gate: "tests".parse().unwrap(),
        version: v("0.6.2"),
        commit: commit.to_owned(),
        outcome: vrel_model::EvidenceOutcome::Pass,
        summary: "as found".to_owned(),
        at: t("2026-12-09T00:00:00Z"),
        by: "Ada <ada@example.org>".to_owned(),
        tools: Vec::new(),
        source: None,
        log: None,
    });
}

fn approved(judged_by: &mut Snapshot, promotion: &PlannedPromotion, people: &[&str]) {
    for person in people {
        judged_by.gates.approvals.push(crate::StatementFact {
            statement: vrel_model::PersonalStatement {
                what: vrel_model::StatementKind::Approval,
                product: promotion.product.clone(),
                version: v("0.6.2"),
                commit: "1".repeat(40),
                gate: None,
                plan_sha256: Some(promotion.approval_digest().unwrap()),
                person: person.parse().unwrap(),
                at: t("2026-12-19T00:00:00Z"),
                reason: None,
                until: None,
            },
            problem: None,
        });
    }
}

#[test]
fn a_promotion_meets_the_gates_of_its_target_and_is_approved_for_it() {
    let plan = strict(|_, _| {});
    refused(&plan, "gates", "gate tests (It works): not run");
    refused(
        &plan,
        "approvals",
        "the promotion of 0.6.2 needs 2 approvals for the channel lts",
    );
    let hints: Vec<_> = plan
        .findings
        .iter()
        .filter_map(|found| found.hint.as_deref())
        .collect();
    assert!(
        hints
            .iter()
            .any(|hint| hint.contains("vrel approve 0.6.2 --to lts")),
        "{hints:?}"
    );

    let commit = "1".repeat(40);
    let whole = strict(|judged_by, promotion| {
        tests_passed(judged_by, &commit);
        approved(judged_by, promotion, &["ada", "grace"]);
    });
    assert_eq!(whole.findings, []);
    assert!(whole.change.is_some());

    let other_commit = strict(|judged_by, promotion| {
        tests_passed(judged_by, &"2".repeat(40));
        approved(judged_by, promotion, &["ada", "grace"]);
    });
    refused(&other_commit, "gates", "the evidence is of commit 2222");
    for people in [&["ada"][..], &["ada", "ada"], &["ada", "olga"]] {
        let few = strict(|judged_by, promotion| {
            tests_passed(judged_by, &commit);
            approved(judged_by, promotion, people);
        });
        refused(&few, "approvals", "ada approved it");
    }
    let elsewhere = strict(|judged_by, promotion| {
        tests_passed(judged_by, &commit);
        let mut other = promotion.clone();
        other.to = c("stable");
        approved(judged_by, &other, &["ada", "grace"]);
    });
    refused(&elsewhere, "approvals", "nobody approved it");
    assert!(
        elsewhere
            .findings
            .iter()
            .any(|found| found.message.contains("it is of another promotion")),
        "{elsewhere:#?}"
    );
}

#[test]
fn gates_that_nobody_can_judge_are_not_met() {
    promotion("0.6.2", "lts", "gates", "is not in this repository", |facts| {
        let lts = facts.policies.channels.get_mut(&c("lts")).unwrap();
        lts.approvals = 1;
    });
}

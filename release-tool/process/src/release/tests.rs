use super::*;
use crate::cut_rc::tests::{MAIN, now, parse, snapshot, tag, v};
use crate::{LineSupport, RemoteFacts, TagFact};
use vrel_model::{
    Blake2bDigest, Dud, Edition, LaggingArch, ManifestArtifact, PlannedNews, RefChange, Sha256Digest, Support,
};

const OTHER: &str = "3333333333333333333333333333333333333333";

/// A good state: the second candidate was tested, and nothing came after it.
struct State {
    snapshot: Snapshot,
    facts: ReleaseFacts,
    version: Version,
    named: Option<Version>,
    now: UtcTime,
}

fn artifact(kind: &str, arch: Option<&str>) -> ManifestArtifact {
    let name = format!("veridianos-0.6.0-rc2-{}.{kind}", arch.unwrap_or("all"));
    ManifestArtifact {
        name: name.parse().unwrap(),
        kind: kind.parse().unwrap(),
        arch: arch.map(|arch| arch.parse().unwrap()),
        length: 1,
        sha256: Sha256Digest::new([1; 32]),
        blake2b: Blake2bDigest::new([1; 64]),
    }
}

fn manifest() -> Manifest {
    Manifest {
        schema: 1,
        product_name: "VeridianOS".to_owned(),
        product: "veridianos".to_owned(),
        version: v("0.6.0-rc2"),
        channel: "beta".parse().unwrap(),
        commit: MAIN.to_owned(),
        tag: Some("v0.6.0-rc2".to_owned()),
        created: now(),
        source_date_epoch: 0,
        toolchain: Sha256Digest::new([7; 32]),
        previous: Some(v("0.6.0-rc1")),
        artifacts: vec![
            artifact("iso", Some("riscv64")),
            artifact("iso", Some("x86_64")),
            artifact("source", None),
        ],
        documents: Vec::new(),
        boots: Vec::new(),
        lagging: Vec::new(),
    }
}

fn state() -> State {
    let mut snapshot = snapshot();
    let policies = &mut snapshot.policies;
    policies.channels = ["beta", "stable", "lts"]
        .map(|name| {
            let stage = if name == "beta" { "candidate" } else { "final" };
            let text =
                format!("description = 'x'\nstages = ['{stage}']\nkey-role = 'release'\nsoak-days = 7");
            (name.parse().unwrap(), parse(&text))
        })
        .into();
    for artifact in policies.artifacts.values_mut() {
        artifact.channels = ["beta", "stable", "lts"]
            .map(|name| name.parse().unwrap())
            .to_vec();
    }
    snapshot.tags = vec![tag("v0.5.7"), tag("v0.6.0-rc1"), tag("v0.6.0-rc2")];
    snapshot.release_branch_tip = Some(MAIN.to_owned());
    let heads = [("beta", "0.6.0-rc2"), ("stable", "0.5.7")];
    snapshot.origin.heads = heads.map(|(name, head)| (name.parse().unwrap(), v(head))).into();
    let published = PublishedRelease {
        edition: Edition::FIRST,
        manifest: manifest(),
        sha256: Sha256Digest::new([9; 32]),
    };
    State {
        snapshot,
        facts: ReleaseFacts {
            candidate: Some(CandidateFacts {
                version: v("0.6.0-rc2"),
                commit: MAIN.to_owned(),
                published: Some(published),
                problem: None,
                on_branch: true,
                after: Vec::new(),
            }),
            compiler: Some(Sha256Digest::new([7; 32])),
        },
        version: v("0.6.0"),
        named: None,
        now: now().plus_days(7),
    }
}

impl State {
    fn plan(&self) -> Outcome {
        plan_release(
            &self.snapshot,
            &self.facts,
            &self.version,
            self.named.as_ref(),
            self.now,
        )
    }

    fn candidate(&mut self) -> &mut CandidateFacts {
        self.facts.candidate.as_mut().unwrap()
    }

    fn manifest(&mut self) -> &mut Manifest {
        &mut self.candidate().published.as_mut().unwrap().manifest
    }
}

fn findings(change: impl FnOnce(&mut State)) -> Vec<Finding> {
    let mut state = state();
    change(&mut state);
    state.plan().findings
}

#[track_caller]
fn expect(change: impl FnOnce(&mut State), check: &str, text: &str) -> Finding {
    let found = findings(change);
    let one = found
        .iter()
        .find(|finding| finding.check == check && finding.message.contains(text));
    let one = one.unwrap_or_else(|| panic!("{check}: {text}: {found:#?}"));
    one.clone()
}

#[test]
fn a_tested_candidate_becomes_final_on_its_commit() {
    let outcome = state().plan();
    assert_eq!(outcome.findings, []);
    let plan = outcome.plan.unwrap();
    assert_eq!(
        (plan.command.as_str(), plan.channel.as_str()),
        ("release", "stable")
    );
    assert_eq!(plan.commit, MAIN);
    assert_eq!(
        plan.previous,
        Some(v("0.5.7")),
        "the final release before, not the candidate"
    );
    let candidate = plan.candidate.unwrap();
    assert_eq!(candidate.version, v("0.6.0-rc2"));
    assert_eq!(candidate.manifest_sha256, Sha256Digest::new([9; 32]));
    assert_eq!(plan.refs[0].change, RefChange::Keep(MAIN.to_owned()));
    assert_eq!(plan.refs[1].name, "refs/tags/v0.6.0");
    let steps: Vec<_> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    let at = |name: &str| steps.iter().position(|step| *step == name).unwrap();
    assert!(at("digest") < at("compare") && at("compare") < at("documents"));
    let first_final = plan.steps.iter().position(|step| !step.reversible).unwrap();
    assert_eq!(steps[first_final], "push");
}

#[test]
fn every_step_of_a_candidate_is_one_of_a_final_release_too() {
    let of_release: Vec<_> = RELEASE_STEPS
        .iter()
        .map(|step| (step.name, step.reversible))
        .collect();
    let mut at = 0;
    for step in crate::STEPS {
        let found = of_release[at..]
            .iter()
            .position(|other| *other == (step.name, step.reversible));
        at += found.unwrap_or_else(|| panic!("{}", step.name)) + 1;
    }
}

#[test]
fn the_candidate_is_the_newest_by_number_or_the_one_that_is_named() {
    let mut snapshot = snapshot();
    let names = ["v0.6.0-rc2", "v0.6.0-rc10", "v0.6.1-rc11", "v0.7.0-rc1", "v0.6.0"];
    snapshot.tags = names.map(tag).to_vec();
    let found = |named: Option<&str>| {
        let named = named.map(v);
        candidate_of(&snapshot, &v("0.6.0"), named.as_ref()).map(|(version, _)| version.to_string())
    };
    assert_eq!(found(None).as_deref(), Some("0.6.0-rc10"));
    assert_eq!(found(Some("0.6.0-rc2")).as_deref(), Some("0.6.0-rc2"));
    assert_eq!(found(Some("0.6.0-rc3")), None);
    assert_eq!(found(Some("0.6.1-rc11")), None);
    let dud = Dud {
        reason: "it loses data".parse().unwrap(),
        since: now(),
        advisory: None,
    };
    snapshot.origin.duds.insert(v("0.6.0-rc10"), dud);
    let newest = candidate_of(&snapshot, &v("0.6.0"), None);
    assert_eq!(newest.map(|(version, _)| version), Some(v("0.6.0-rc2")));
}

#[test]
fn nothing_becomes_final_that_nobody_could_test() {
    let none = |state: &mut State| state.facts.candidate = None;
    let finding = expect(none, "candidate", "0.6.0 has no candidate");
    assert!(
        finding.hint.unwrap().contains("vrel cut-rc 0.6.0-rc1"),
        "{}",
        finding.message
    );
    let named = |name: &'static str| {
        move |state: &mut State| {
            state.facts.candidate = None;
            state.named = Some(v(name));
        }
    };
    let finding = expect(named("0.6.0-rc9"), "candidate", "0.6.0-rc9 has no tag here");
    assert_eq!(
        finding.hint.as_deref(),
        Some("its candidates are 0.6.0-rc1, 0.6.0-rc2")
    );
    expect(
        named("0.7.0-rc1"),
        "candidate",
        "0.7.0-rc1 is no candidate of 0.6.0",
    );

    expect(
        |state| state.candidate().published = None,
        "candidate-published",
        "tagged, but not in the origin",
    );
    let tampered = |state: &mut State| {
        state.candidate().published = None;
        state.candidate().problem = Some("manifest.json: bad signature".to_owned());
    };
    expect(
        tampered,
        "candidate-published",
        "not genuine: manifest.json: bad signature",
    );
    let before = |state: &mut State| {
        let beta = "beta".parse().unwrap();
        state.snapshot.origin.heads.insert(beta, v("0.6.0-rc1"));
    };
    expect(
        before,
        "candidate-published",
        "0.6.0-rc2 is not public: the newest release of beta is 0.6.0-rc1",
    );
    let dud = |state: &mut State| {
        let dud = Dud {
            reason: "it loses data".parse().unwrap(),
            since: now(),
            advisory: None,
        };
        state.snapshot.origin.duds.insert(v("0.6.0-rc2"), dud);
    };
    expect(dud, "dud", "0.6.0-rc2 is a dud: it loses data");
    expect(
        |state| state.candidate().commit = OTHER.to_owned(),
        "candidate-commit",
        "the tag v0.6.0-rc2 is on 333333333333",
    );
}

#[test]
fn a_candidate_is_public_for_as_long_as_its_channel_asks() {
    let at = |seconds: i64| {
        move |state: &mut State| {
            let end = now().plus_days(7).unix() + seconds;
            state.now = UtcTime::from_unix(end).unwrap();
        }
    };
    let finding = expect(at(-1), "soak", "until 2026-11-28T03:00:00Z");
    assert!(finding.is_fatal() && finding.hint.unwrap().contains("channels/beta.toml"));
    assert_eq!(findings(at(0)), []);
    let unasked = |state: &mut State| {
        state.now = now();
        for channel in state.snapshot.policies.channels.values_mut() {
            channel.soak_days = None;
        }
    };
    assert_eq!(findings(unasked), []);
}

#[test]
fn what_landed_after_the_candidate_needs_another_one() {
    let landed = |state: &mut State| {
        state.candidate().after = (0..12)
            .map(|number| PlannedNews {
                commit: OTHER.to_owned(),
                subject: format!("fix: {number}"),
            })
            .collect();
    };
    let finding = expect(
        landed,
        "nothing-after-candidate",
        "12 commits that 0.6.0-rc2 does not have",
    );
    assert!(
        finding.message.contains("333333333333 fix: 0;") && finding.message.ends_with("and 2 more"),
        "{finding}"
    );
    assert!(finding.is_fatal());
    let hint = finding.hint.unwrap();
    assert!(
        hint.contains("vrel cut-rc 0.6.0-rc3") && hint.contains("--candidate 0.6.0-rc2"),
        "{hint}"
    );
    // Who names the candidate has decided.
    let decided = expect(
        |state| {
            landed(state);
            state.named = Some(v("0.6.0-rc2"));
        },
        "nothing-after-candidate",
        "12 commits",
    );
    assert!(!decided.is_fatal());

    let pushed = |state: &mut State| {
        let refs = [("refs/heads/release/0.6".to_owned(), OTHER.to_owned())].into();
        state.snapshot.remote = Some(RemoteFacts { refs });
    };
    let finding = expect(
        pushed,
        "nothing-after-candidate",
        "is at 333333333333 on the remote and at 111111111111 here",
    );
    assert!(finding.is_fatal() && finding.hint.unwrap().contains("git fetch upstream"));
}

#[test]
fn an_earlier_candidate_is_released_knowingly() {
    let earlier = |state: &mut State| {
        state.named = Some(v("0.6.0-rc1"));
        state.candidate().version = v("0.6.0-rc1");
        state.manifest().version = v("0.6.0-rc1");
    };
    let finding = expect(earlier, "newest-candidate", "0.6.0-rc2 is passed over");
    assert!(!finding.is_fatal());
}

#[test]
fn the_branch_is_here_and_has_the_candidate() {
    let gone = |state: &mut State| state.snapshot.release_branch_tip = None;
    let finding = expect(gone, "release-branch", "no local branch `release/0.6`");
    assert!(
        finding
            .hint
            .unwrap()
            .contains("git branch release/0.6 upstream/release/0.6")
    );
    let rewritten = |state: &mut State| state.candidate().on_branch = false;
    expect(rewritten, "release-branch", "does not contain 111111111111");
}

#[test]
fn the_files_are_those_of_the_candidate() {
    let lacks = |state: &mut State| {
        state.manifest().artifacts.remove(0);
    };
    expect(
        lacks,
        "same-files",
        "has no iso for riscv64, which the release would have",
    );
    let more = |state: &mut State| state.manifest().artifacts.push(artifact("ova", Some("x86_64")));
    let finding = expect(
        more,
        "same-files",
        "has ova for x86_64, which the release would not have",
    );
    assert!(finding.hint.unwrap().contains("artifacts/ova.toml"));
    let late = |state: &mut State| {
        let until = state.now;
        let manifest = state.manifest();
        manifest
            .artifacts
            .retain(|file| file.arch == Some(vrel_model::Arch::X86_64));
        manifest.lagging.push(LaggingArch {
            arch: vrel_model::Arch::Riscv64,
            until,
        });
    };
    let found = findings(late);
    let named: Vec<_> = found.iter().map(|finding| finding.check).collect();
    assert_eq!(named, ["tiers"], "{found:#?}");
    assert!(
        found[0]
            .hint
            .as_ref()
            .unwrap()
            .contains("vrel backfill 0.6.0-rc2")
    );
    expect(
        |state| state.facts.compiler = Some(Sha256Digest::new([8; 32])),
        "same-toolchain",
        "another compiler than the one that built 0.6.0-rc2",
    );
}

#[test]
fn only_a_new_final_version_is_released() {
    let finding = expect(
        |state| state.version = v("0.6.0-rc2"),
        "final",
        "`0.6.0-rc2` is not a final release",
    );
    assert!(finding.hint.unwrap().contains("vrel release 0.6.0"));
    expect(
        |state| state.snapshot.tags.push(tag("v0.6.0")),
        "new-version",
        "0.6.0 is released already",
    );
    expect(
        |state| state.snapshot.tags.push(tag("v0.6.1-rc1")),
        "newer-than-line",
        "0.6.0 is lower than 0.6.1-rc1",
    );
    let elsewhere = |state: &mut State| {
        let refs = [("refs/tags/v0.6.0".to_owned(), OTHER.to_owned())].into();
        state.snapshot.remote = Some(RemoteFacts { refs });
    };
    expect(
        elsewhere,
        "remote-tag",
        "the remote has the tag v0.6.0 already, on 333333333333",
    );
    let mut done = state();
    done.snapshot.finished.insert(v("0.6.0"), MAIN.to_owned());
    let outcome = done.plan();
    assert!(outcome.plan.is_none() && outcome.findings.is_empty());
    assert_eq!(outcome.already_done.as_deref(), Some(MAIN));
    let blocked = |state: &mut State| state.snapshot.blockers.push("line 7: data loss".to_owned());
    expect(blocked, "blocking-issues", "this blocks 0.6.0: line 7: data loss");
}

#[test]
fn a_line_of_long_term_support_has_its_channel() {
    let channel = |today: Support| {
        let mut state = state();
        state.snapshot.support = Some(LineSupport {
            today,
            end_of_life: "2026-01-01".parse().unwrap(),
        });
        let outcome = state.plan();
        let channel = outcome.plan.map(|plan| plan.channel.to_string());
        let found: Vec<_> = outcome.findings.iter().map(|finding| finding.check).collect();
        (channel.unwrap(), found)
    };
    assert_eq!(channel(Support::Supported), ("lts".to_owned(), vec![]));
    assert_eq!(channel(Support::Planned), ("stable".to_owned(), vec![]));
    assert_eq!(channel(Support::Ended), ("lts".to_owned(), vec!["support"]));

    let missing = |state: &mut State| {
        let stable = "stable".parse().unwrap();
        state.snapshot.policies.channels.remove(&stable);
    };
    expect(missing, "policy-files", "`publish.final-channel` is `stable`");
    let stages = |state: &mut State| {
        for channel in state.snapshot.policies.channels.values_mut() {
            channel.stages = vec![vrel_model::StageName::Candidate];
        }
    };
    expect(stages, "channel-admits", "the channel stable does not take 0.6.0");
    let ahead = |state: &mut State| {
        let stable = "stable".parse().unwrap();
        state.snapshot.origin.heads.insert(stable, v("0.6.1"));
    };
    let finding = expect(ahead, "channel-forward", "0.6.0 is lower than 0.6.1");
    assert!(finding.hint.unwrap().contains("vrel channel show stable"));
    // A channel serves several lines: one that goes on with a later line does not go backwards.
    let later = |state: &mut State| {
        let stable: vrel_model::ChannelName = "stable".parse().unwrap();
        state.snapshot.origin.heads.insert(stable, v("0.7.0"));
    };
    assert!(
        findings(later)
            .iter()
            .all(|finding| finding.check != "channel-forward")
    );
    let line_ahead = |state: &mut State| {
        later(state);
        let stable = "stable".parse().unwrap();
        state.snapshot.origin.older_lines.insert(stable, vec![v("0.6.1")]);
    };
    expect(line_ahead, "channel-forward", "0.6.0 is lower than 0.6.1");
}

#[test]
fn everything_is_said_at_once() {
    let found = findings(|state| {
        state.now = now();
        state.facts.compiler = Some(Sha256Digest::new([8; 32]));
        state.snapshot.dirty_paths.push("os/x".to_owned());
        state.snapshot.head_branch = Some("topic".to_owned());
        state.snapshot.tags.push(TagFact {
            name: "v0.6.0".to_owned(),
            commit: OTHER.to_owned(),
        });
    });
    let named: Vec<_> = found.iter().map(|finding| finding.check).collect();
    for check in [
        "soak",
        "same-toolchain",
        "clean-tree",
        "right-branch",
        "new-version",
    ] {
        assert!(named.contains(&check), "{check}: {found:#?}");
    }
    let branch = found
        .iter()
        .find(|finding| finding.check == "right-branch")
        .unwrap();
    assert!(
        branch
            .message
            .contains("a final release of 0.6 is made from `main` or `release/0.6`"),
        "{branch}"
    );
}

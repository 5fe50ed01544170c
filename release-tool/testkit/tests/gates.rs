//! A release that waits for gates and approvals: evidence, signatures, forgeries, and the record that tells of all of it.

use vrel_engine::gates::{GateRun, hand_in, record_approval, record_statement, statement};
use vrel_engine::records::Records;
use vrel_engine::{Silent, Site, collect_snapshot, load_from_work_tree, read_record};
use vrel_model::{
    EvidenceOutcome, GateId, PersonalStatement, ReleaseRecord, SignedStatement, StatementKind, Version,
};
use vrel_process::{
    Finding, GateJudgement, GateState, GateSubject, Policies, Snapshot, gate_subject, judge_gates,
};
use vrel_testkit::{Scene, SceneWorld};
use vrel_trust::sign_personal;
use vrel_world::{FileEdit, World};

fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

fn gate(decider: &str) -> String {
    format!("group = \"testing\"\ntitle = \"It works\"\nrole = \"maintainer\"\n\n[decider]\n{decider}\n")
}

/// A scene whose candidates need three gates and two approvals; ada and grace are maintainers, olga is not.
struct Gated {
    scene: Scene,
    world: SceneWorld,
}

impl Gated {
    fn new() -> Self {
        Self::with(
            "kind = \"command\"\nrun = [[\"sh\", \"-c\", \"test -f vrel.toml && echo all good\"]]\ntools = [[\"git\", \"--version\"]]",
        )
    }

    fn with(tests: &str) -> Self {
        let scene = Scene::new();
        for (name, role) in [
            ("ada", "maintainer"),
            ("grace", "maintainer"),
            ("olga", "operator"),
        ] {
            scene.add_person(name, &[role]);
        }
        let beta = std::fs::read_to_string(scene.repo().join("channels/beta.toml")).unwrap();
        let beta = format!(
            "{beta}gates = [\"tests\", \"backup\", \"bugs\"]\napprovals = 2\napprovers = [\"maintainer\"]\n"
        );
        scene.commit(
            "chore: gates",
            &[
                ("gates/tests.toml", &gate(tests)),
                ("gates/backup.toml", &gate("kind = \"person\"")),
                ("gates/bugs.toml", &gate("kind = \"blocking-issues\"")),
                ("channels/beta.toml", &beta),
            ],
        );
        scene.git(&["push", "-q", "origin", "main"]);
        let world = scene.world();
        Self { scene, world }
    }

    fn site(&self) -> (Site, Policies) {
        let policies = load_from_work_tree(&self.world, &self.scene.repo()).unwrap();
        (Site::new(&self.scene.repo(), &policies.config), policies)
    }

    fn snapshot(&self) -> (Snapshot, GateSubject) {
        let (site, policies) = self.site();
        let snapshot = collect_snapshot(&self.world, &site, policies, &version()).unwrap();
        let subject = gate_subject(&snapshot, &version()).unwrap();
        (snapshot, subject)
    }

    fn judged(&self, id: &str) -> GateJudgement {
        let (snapshot, subject) = self.snapshot();
        let all = judge_gates(&snapshot, &subject, self.world.now());
        assert_eq!(all.len(), 3);
        all.into_iter().find(|judged| judged.gate.as_str() == id).unwrap()
    }

    fn with_run<T>(&self, run: impl FnOnce(&GateRun<'_>, &Policies) -> T) -> T {
        let (site, policies) = self.site();
        let (snapshot, subject) = self.snapshot();
        let gates = GateRun {
            world: &self.world,
            site: &site,
            snapshot: &snapshot,
            ring: &self.scene.ring(),
            subject: &subject,
            cache: site.cache(),
            threads: 1,
            progress: &Silent,
        };
        run(&gates, &policies)
    }

    fn run_tests(&self) -> vrel_model::Evidence {
        let id: GateId = "tests".parse().unwrap();
        self.with_run(|run, policies| run.run(&id, &policies.gates[&id]).unwrap())
    }

    fn said(&self, what: StatementKind, gate: &str, person: &str) -> PersonalStatement {
        let (snapshot, subject) = self.snapshot();
        statement(
            &snapshot.policies.config,
            &subject,
            what,
            &gate.parse().unwrap(),
            &person.parse().unwrap(),
            ("I looked at it", None),
            self.world.now(),
        )
    }

    fn say(&self, what: StatementKind, gate: &str, person: &str) {
        let signed = sign_personal(self.said(what, gate, person), &self.scene.person_key(person)).unwrap();
        let (site, policies) = self.site();
        let changed = record_statement(&self.world, &site, &policies, &signed).unwrap();
        assert!(changed.pushed);
        let again = record_statement(&self.world, &site, &policies, &signed).unwrap();
        assert!(again.is_nothing(), "the same twice");
    }

    /// Writes a decision past every check, as somebody who can push might.
    fn smuggle(&self, signed: &SignedStatement) {
        let (site, policies) = self.site();
        let statement = &signed.statement;
        let gate = statement.gate.as_ref().map_or("", GateId::as_str);
        let text = format!(
            "schema = 1\n\n[[decision]]\nsignature = '''\n{}'''\n\n[decision.statement]\nwhat = \"{}\"\nproduct = \"{}\"\n\
             version = \"{}\"\ncommit = \"{}\"\ngate = \"{gate}\"\nperson = \"{}\"\nat = \"{}\"\nreason = \"{}\"\n",
            signed.signature,
            statement.what,
            statement.product,
            statement.version,
            statement.commit,
            statement.person,
            statement.at,
            statement.reason.as_deref().unwrap_or_default()
        );
        let records = Records::new(&self.world, &site, &policies.config);
        let written = records.change("by hand\n", &mut |_| {
            Ok(vec![FileEdit::Write {
                path: "releases/0.6.0-rc1/gates.toml".to_owned(),
                content: text.clone().into_bytes(),
            }])
        });
        assert!(written.unwrap().pushed);
    }

    fn approve(&self, person: &str) {
        let plan = self.scene.plan(&self.world, &version()).unwrap().plan.unwrap();
        let approval = PersonalStatement {
            what: StatementKind::Approval,
            gate: None,
            reason: None,
            plan_sha256: Some(plan.approval_digest().unwrap()),
            ..self.said(StatementKind::Approval, "tests", person)
        };
        let signed = sign_personal(approval, &self.scene.person_key(person)).unwrap();
        let (site, policies) = self.site();
        assert!(
            record_approval(&self.world, &site, &policies, &signed, None)
                .unwrap()
                .pushed
        );
        assert!(
            record_approval(&self.world, &site, &policies, &signed, None)
                .unwrap()
                .is_nothing()
        );
    }

    /// The checks that forbid the release.
    fn forbidden(&self) -> Vec<(&'static str, String)> {
        let outcome = self.scene.plan(&self.world, &version()).unwrap();
        let fatal = outcome.findings.into_iter().filter(Finding::is_fatal);
        fatal.map(|finding| (finding.check, finding.message)).collect()
    }

    fn record(&self) -> ReleaseRecord {
        let (site, policies) = self.site();
        let records = Records::new(&self.world, &site, &policies.config);
        assert!(records.state().unwrap().pushed);
        read_record(&records.view().unwrap(), &version())
            .unwrap()
            .unwrap()
    }
}

#[test]
fn a_release_waits_for_its_gates_and_approvals_and_its_record_tells_of_them() {
    let gated = Gated::new();
    let forbidden = gated.forbidden();
    let checks: Vec<_> = forbidden.iter().map(|(check, _)| *check).collect();
    assert_eq!(checks, ["gates", "gates", "approvals"], "{forbidden:#?}");

    let evidence = gated.run_tests();
    assert_eq!(evidence.outcome, EvidenceOutcome::Pass, "{evidence:#?}");
    assert!(evidence.tools[0].starts_with("git version"), "{evidence:#?}");
    let log = evidence.log.as_ref().unwrap();
    let (site, _) = gated.site();
    let kept = site.state().join(format!("gates/logs/{}.zst", log.sha256));
    let text = String::from_utf8(zstd::decode_all(&std::fs::read(kept).unwrap()[..]).unwrap()).unwrap();
    assert!(text.contains("all good"), "{text}");
    assert_eq!(text.len() as u64, log.length);

    gated.say(StatementKind::Waiver, "backup", "grace");
    gated.approve("ada");
    let left = gated.forbidden();
    assert!(left[0].1.contains("ada approved it"), "{left:#?}");
    gated.approve("grace");
    assert_eq!(gated.forbidden(), []);

    gated.scene.cut_rc(&gated.world, &version()).unwrap();
    let record = gated.record();
    let waived: Vec<_> = record.waived().collect();
    assert_eq!(waived.len(), 1);
    assert!(waived[0].detail.contains("waived by grace"), "{record:#?}");
    assert!(waived[0].detail.contains("I looked at it"), "{record:#?}");
    let names: Vec<_> = record.approved_by.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["ada", "grace"]);
    assert_eq!(record.evidence.len(), 1);
    let manifest = std::fs::read(gated.scene.origin().join("releases/0.6.0-rc1/manifest.json")).unwrap();
    assert_eq!(record.manifest_sha256, vrel_trust::digest_bytes(&manifest).sha256);
    let agrees = vrel_engine::journal_agrees(&gated.world, &site, &record).unwrap();
    assert_eq!(agrees, Some(true));
}

#[test]
fn evidence_and_approvals_of_another_commit_do_not_count() {
    let gated = Gated::new();
    gated.run_tests();
    gated.say(StatementKind::SignOff, "backup", "ada");
    gated.approve("ada");
    gated.approve("grace");
    assert_eq!(gated.forbidden(), []);
    gated.scene.commit("fix: one more", &[("extra.txt", "x")]);
    gated.scene.git(&["push", "-q", "origin", "main"]);
    assert_eq!(gated.judged("tests").state, GateState::NotRun);
    let backup = gated.judged("backup");
    assert_eq!(backup.state, GateState::Waiting);
    assert!(backup.refused[0].contains("it is about commit"), "{backup:#?}");
    let checks: Vec<_> = gated.forbidden().into_iter().map(|(check, _)| check).collect();
    assert_eq!(checks, ["gates", "gates", "approvals"]);
}

#[test]
fn a_test_that_fails_or_a_program_that_is_not_there_never_passes() {
    let gated = Gated::with("kind = \"command\"\nrun = [[\"sh\", \"-c\", \"echo it is red; exit 3\"]]");
    let evidence = gated.run_tests();
    assert_eq!(evidence.outcome, EvidenceOutcome::Fail);
    assert!(
        evidence.summary.ends_with("ended with status 3: it is red"),
        "{evidence:#?}"
    );
    assert_eq!(gated.judged("tests").state, GateState::Fail);
    let gated = Gated::with("kind = \"command\"\nrun = [[\"no-such-program-here\"]]");
    assert_eq!(gated.run_tests().outcome, EvidenceOutcome::NotAvailable);
    assert_eq!(gated.judged("tests").state, GateState::NotAvailable);
    let gated = Gated::with(
        "kind = \"advisories\"\ndatabase = \".vrel/advisory-db\"\nlock-files = [\"requirements.toml\"]",
    );
    let evidence = gated.run_tests();
    assert_eq!(evidence.outcome, EvidenceOutcome::NotAvailable, "{evidence:#?}");
    assert!(
        evidence.summary.contains("there is no advisory database"),
        "{evidence:#?}"
    );
}

#[test]
fn a_report_is_of_the_commit_that_is_released_or_refused() {
    let gated = Gated::with("kind = \"report\"");
    let id: GateId = "tests".parse().unwrap();
    let commit = gated.snapshot().1.commit;
    let hand = |report: &str| {
        gated.with_run(|run, policies| {
            hand_in(run, &id, &policies.gates[&id], "report.json", report.as_bytes())
        })
    };
    let other = "9".repeat(40);
    let error = hand(&format!(
        r#"{{"passed": true, "commit": "{other}", "summary": "fine"}}"#
    ))
    .unwrap_err();
    assert!(error.to_string().contains("it is about commit 9999"), "{error}");
    assert!(
        hand("{}")
            .unwrap_err()
            .to_string()
            .contains("missing field `passed`")
    );
    let good = format!(r#"{{"passed": true, "commit": "{commit}", "summary": "2000 tests passed"}}"#);
    assert_eq!(hand(&good).unwrap().outcome, EvidenceOutcome::Pass);
    let judged = gated.judged("tests");
    assert_eq!(judged.state, GateState::Pass);
    assert!(judged.detail.contains("2000 tests passed"), "{judged:#?}");
}

#[test]
fn forged_and_copied_signatures_do_not_count_and_are_named() {
    let gated = Gated::new();
    let key = gated.scene.person_key("ada");
    let signed = |statement| sign_personal(statement, &key).unwrap();
    let good = signed(gated.said(StatementKind::SignOff, "backup", "ada"));
    let changed = |change: fn(&mut SignedStatement)| {
        let mut signed = good.clone();
        change(&mut signed);
        signed
    };
    let of_another_gate = signed(gated.said(StatementKind::SignOff, "tests", "ada"));
    let cases: [(SignedStatement, &str); 6] = [
        (
            changed(|signed| signed.statement.reason = Some("something else".to_owned())),
            "does not fit the content",
        ),
        (
            changed(|signed| signed.statement.person = "grace".parse().unwrap()),
            "is not the key in signing/people/grace.toml",
        ),
        (
            SignedStatement {
                signature: of_another_gate.signature,
                statement: good.statement.clone(),
            },
            "does not fit the content",
        ),
        (
            changed(|signed| signed.signature = signed.signature.replacen("gate:backup", "gate:tests", 1)),
            "trusted comment was not signed",
        ),
        (
            changed(|signed| signed.statement.person = "eve".parse().unwrap()),
            "there is no signing/people/eve.toml",
        ),
        (
            signed(PersonalStatement {
                version: "0.6.0-rc2".parse().unwrap(),
                ..good.statement.clone()
            }),
            "it is about 0.6.0-rc2, not 0.6.0-rc1",
        ),
    ];
    for (forged, reason) in cases {
        gated.smuggle(&forged);
        let judged = gated.judged("backup");
        assert_eq!(judged.state, GateState::Waiting, "{reason}");
        assert!(judged.refused[0].contains(reason), "{reason}: {judged:#?}");
    }
    // The one that grace's colleague without the role signs is genuine, and still does not count.
    let olga = gated.said(StatementKind::SignOff, "backup", "olga");
    gated.smuggle(&sign_personal(olga, &gated.scene.person_key("olga")).unwrap());
    let judged = gated.judged("backup");
    assert!(
        judged.refused[0].contains("olga is not `maintainer`"),
        "{judged:#?}"
    );
    gated.smuggle(&good);
    assert_eq!(gated.judged("backup").state, GateState::Pass);
}

#[test]
fn records_that_cannot_be_read_stop_the_release() {
    let gated = Gated::new();
    let (site, policies) = gated.site();
    let records = Records::new(&gated.world, &site, &policies.config);
    let write = |path: &str, content: &str| {
        let edit = FileEdit::Write {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        records
            .change("by hand\n", &mut |_| Ok(vec![edit.clone()]))
            .unwrap();
    };
    write("releases/0.6.0-rc1/gates.toml", "schema = 1\n[[decision]]\n");
    write("releases/0.6.0-rc1/evidence/tests.json", "{}");
    let forbidden = gated.forbidden();
    for file in ["gates.toml", "evidence/tests.json"] {
        assert!(
            forbidden
                .iter()
                .any(|(check, said)| *check == "gates" && said.contains(file)),
            "{file}: {forbidden:#?}"
        );
    }
}

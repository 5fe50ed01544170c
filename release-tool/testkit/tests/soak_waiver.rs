//! The time of testing as a gate: a person may shorten it in writing, as far as policy lets them.

use vrel_engine::gates::{collect_gates, record_statement, statement};
use vrel_engine::records::Records;
use vrel_engine::{Site, collect_snapshot, load_from_work_tree, read_record};
use vrel_model::{StatementKind, Version};
use vrel_process::channels::plan_promotion;
use vrel_process::{Finding, GateState, gate_subject, judge_gates};
use vrel_testkit::{Scene, SceneWorld};
use vrel_trust::sign_personal;
use vrel_world::World;

const DAY: u64 = 86_400;

const GATE: &str = "group = \"testing\"\ntitle = \"Tested for long enough\"\nrole = \"maintainer\"\n\n[decider]\n\
                    kind = \"soak-time\"\nkeep-days = 2\n";

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

/// A scene whose final releases have the time of testing as a gate, with a candidate that was just published.
fn candidate() -> (Scene, SceneWorld) {
    let scene = Scene::new();
    scene.add_person("ada", &["maintainer"]);
    scene.add_person("olga", &["operator"]);
    let stable = std::fs::read_to_string(scene.repo().join("channels/stable.toml")).unwrap();
    let stable = format!("{stable}gates = [\"soak-time\"]\n");
    scene.commit(
        "chore: the time of testing may be waived",
        &[("gates/soak-time.toml", GATE), ("channels/stable.toml", &stable)],
    );
    scene.git(&["push", "-q", "origin", "main"]);
    let world = scene.world();
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    (scene, world)
}

fn waive(scene: &Scene, world: &SceneWorld, person: &str) {
    waive_of(scene, world, &v("0.6.0"), person);
}

fn waive_of(scene: &Scene, world: &SceneWorld, version: &Version, person: &str) {
    let policies = load_from_work_tree(world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let snapshot = collect_snapshot(world, &site, policies.clone(), version).unwrap();
    let subject = gate_subject(&snapshot, version).unwrap();
    let waiver = statement(
        &policies.config,
        &subject,
        StatementKind::Waiver,
        &"soak-time".parse().unwrap(),
        &person.parse().unwrap(),
        ("a hole that is being used", None),
        world.now(),
    );
    let signed = sign_personal(waiver, &scene.person_key(person)).unwrap();
    assert!(record_statement(world, &site, &policies, &signed).unwrap().pushed);
}

/// What the check `soak` says: whether it forbids the release, and how.
fn soak(scene: &Scene, world: &SceneWorld) -> Vec<(bool, String)> {
    let findings = scene.plan_release(world, &v("0.6.0"), None).unwrap().findings;
    let others: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.is_fatal() && finding.check != "soak")
        .collect();
    assert!(others.is_empty(), "{others:#?}");
    let of_soak = findings.iter().filter(|finding| finding.check == "soak");
    let told = of_soak.map(|finding| {
        let hint = finding.hint.as_deref().unwrap_or_default();
        (finding.is_fatal(), format!("{}; {hint}", finding.message))
    });
    told.collect()
}

#[test]
fn a_waived_time_of_testing_is_over_and_the_record_says_who_waived_it() {
    let (scene, world) = candidate();
    let refused = soak(&scene, &world);
    assert!(
        refused.len() == 1
            && refused[0].0
            && refused[0]
                .1
                .contains("`vrel waive 0.6.0 soak-time --reason TEXT`"),
        "{refused:#?}"
    );
    world.advance(3 * DAY);
    waive(&scene, &world, "ada");
    let waived = soak(&scene, &world);
    assert!(
        waived.len() == 1 && !waived[0].0 && waived[0].1.contains("waived by ada"),
        "{waived:#?}"
    );
    scene.release(&world, &v("0.6.0"), None).unwrap();

    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let view = Records::new(&world, &site, &policies.config).view().unwrap();
    let record = read_record(&view, &v("0.6.0")).unwrap().unwrap();
    let waived: Vec<_> = record.waived().collect();
    assert_eq!(waived.len(), 1, "{record:#?}");
    let said = &waived[0].detail;
    for part in [
        "waived by ada",
        "a hole that is being used",
        "to be tested for 7 days",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn no_waiver_goes_below_what_policy_keeps_or_is_given_by_anybody() {
    let (scene, world) = candidate();
    waive(&scene, &world, "olga");
    world.advance(2 * DAY - 1);
    let of_others = soak(&scene, &world);
    assert!(
        of_others
            .iter()
            .any(|(fatal, said)| !fatal && said.contains("olga is not `maintainer`")),
        "{of_others:#?}"
    );
    waive(&scene, &world, "ada");
    let too_early = soak(&scene, &world);
    assert!(
        too_early
            .iter()
            .any(|(fatal, said)| !fatal && said.contains("is tested for 2 days in any case"))
            && too_early.iter().any(|(fatal, _)| *fatal),
        "{too_early:#?}"
    );
    world.advance(1);
    assert!(soak(&scene, &world).iter().all(|(fatal, _)| !fatal));
}

#[test]
fn the_time_of_testing_is_waived_for_the_candidate_that_was_seen() {
    let (scene, world) = candidate();
    world.advance(2 * DAY);
    waive(&scene, &world, "ada");
    world.advance(1);
    // The same commit again: what is tested is new, and nobody waived that.
    scene.cut_rc(&world, &v("0.6.0-rc2")).unwrap();
    world.advance(2 * DAY);
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let mut snapshot = collect_snapshot(&world, &site, policies, &v("0.6.0")).unwrap();
    snapshot.gates = collect_gates(&world, &site, &snapshot, &v("0.6.0"), world.now()).unwrap();
    let subject = gate_subject(&snapshot, &v("0.6.0")).unwrap();
    let judged = judge_gates(&snapshot, &subject, world.now()).remove(0);
    assert_eq!(judged.state, GateState::Fail, "{judged:#?}");
    assert!(
        judged.refused[0].contains("0.6.0-rc2 is public in beta only since"),
        "{judged:#?}"
    );
}

#[test]
fn without_the_gate_nobody_shortens_it() {
    let scene = Scene::new();
    let world = scene.world();
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    world.advance(6 * DAY);
    let said = soak(&scene, &world);
    assert!(said[0].0 && said[0].1.contains("wait until then"), "{said:#?}");
}

/// What the check `soak` says of a promotion, as [`soak`] tells it.
fn soak_of_promotion(scene: &Scene, world: &SceneWorld) -> Vec<(bool, String)> {
    let (version, preview) = (v("0.6.0-rc1"), "preview".parse().unwrap());
    scene
        .channels(world, &scene.repo(), |channels, _| {
            channels.refresh()?;
            let now = channels.look(std::slice::from_ref(&version), std::slice::from_ref(&preview))?;
            let plan = plan_promotion(&now.facts, &version, &preview, world.now());
            let told = plan.findings.into_iter().map(|finding| {
                assert_eq!(finding.check, "soak", "{finding:#?}");
                (finding.is_fatal(), finding.message)
            });
            Ok(told.collect())
        })
        .unwrap()
}

#[test]
fn a_promotion_goes_on_when_the_time_of_testing_is_waived() {
    let scene = Scene::new();
    scene.add_person("ada", &["maintainer"]);
    let preview = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\nfrom = ['beta']\n\
                   gates = ['soak-time']\n";
    scene.commit(
        "chore: a channel for the patient",
        &[("gates/soak-time.toml", GATE), ("channels/preview.toml", preview)],
    );
    scene.git(&["push", "-q", "origin", "main"]);
    let world = scene.world();
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    world.advance(DAY);
    let at_once = soak_of_promotion(&scene, &world);
    assert!(matches!(&at_once[..], [(true, _)]), "{at_once:#?}");
    waive_of(&scene, &world, &v("0.6.0-rc1"), "ada");
    let below = soak_of_promotion(&scene, &world);
    assert!(
        matches!(&below[..], [(true, _), (false, said)] if said.contains("2 days in any case")),
        "{below:#?}"
    );
    world.advance(DAY);
    let waived = soak_of_promotion(&scene, &world);
    assert!(
        matches!(&waived[..], [(false, said)] if said.contains("waived by ada")),
        "{waived:#?}"
    );
    scene
        .channels(&world, &scene.repo(), |channels, key| {
            let (version, preview) = (v("0.6.0-rc1"), "preview".parse().unwrap());
            channels.refresh()?;
            let now = channels.look(std::slice::from_ref(&version), std::slice::from_ref(&preview))?;
            let plan = plan_promotion(&now.facts, &version, &preview, world.now());
            let pointer = channels.apply(&now, plan.change.as_ref().unwrap(), key, "test")?;
            assert_eq!(pointer.channels[&preview].release, version);
            channels.record(&now, &pointer, "chore: promote")
        })
        .unwrap();
}

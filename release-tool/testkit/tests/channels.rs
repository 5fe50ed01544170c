//! The pointer is moved without building: promotion, rollback and duds, with every effect going wrong in turn, and by two
//! people at once.

use std::path::Path;
use std::process::Command;
use vrel_engine::EngineError;
use vrel_engine::channels::ChannelsNow;
use vrel_model::{ChannelName, Pointer, SignedPointer, Version};
use vrel_process::channels::{DudRequest, MovePlan, plan_dud, plan_promotion, plan_rollback};
use vrel_testkit::{Fault, Faulty, Mode, Scene, check_reader};
use vrel_world::World;

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn c(text: &str) -> ChannelName {
    text.parse().unwrap()
}

/// A move that a person asks for.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Promote(&'static str, &'static str),
    Rollback(&'static str, &'static str),
    /// With the release that its channels go back to.
    Dud(&'static str, &'static str),
}

fn plan(now: &ChannelsNow, deed: Deed, world: &dyn World) -> MovePlan {
    let reason = "loses data".parse().unwrap();
    match deed {
        Deed::Promote(version, to) => plan_promotion(&now.facts, &v(version), &c(to), world.now()),
        Deed::Rollback(channel, to) => plan_rollback(&now.facts, &c(channel), &v(to), &reason, world.now()),
        Deed::Dud(version, to) => {
            let back = now.facts.head_of(&v(version)).into_iter();
            let back = back.map(|channel| (channel, v(to))).collect();
            let asked = DudRequest {
                version: &v(version),
                reason: &reason,
                advisory: None,
                back: &back,
            };
            plan_dud(&now.facts, &asked, world.now())
        }
    }
}

/// What has to be looked at for it.
fn looked_at(deed: Deed) -> (Vec<Version>, Vec<ChannelName>) {
    match deed {
        Deed::Promote(version, to) => (vec![v(version)], vec![c(to)]),
        Deed::Rollback(_, to) | Deed::Dud(_, to) => (vec![v(to)], Vec::new()),
    }
}

/// Does it as the command does; whether there was something to do.
fn carry_out(scene: &Scene, world: &dyn World, clone: &Path, deed: Deed) -> Result<bool, EngineError> {
    scene.channels(world, clone, |channels, key| {
        channels.refresh()?;
        let (verify, targets) = looked_at(deed);
        let now = channels.look(&verify, &targets)?;
        let plan = plan(&now, deed, world);
        assert_eq!(plan.findings, [], "{deed:?}");
        match (&plan.change, &now.facts.pointer) {
            (Some(change), _) => {
                let pointer = channels.apply(&now, change, key, "test")?;
                channels.record(&now, &pointer, "chore: move")?;
                Ok(true)
            }
            (None, Some(pointer)) => {
                assert!(plan.is_done);
                Ok(!channels.record(&now, pointer, "chore: move")?.is_nothing())
            }
            (None, None) => panic!("there is no pointer"),
        }
    })
}

fn pointer(scene: &Scene) -> Pointer {
    let bytes = std::fs::read(scene.origin().join("pointer.json")).unwrap();
    SignedPointer::parse(&bytes).unwrap().pointer().unwrap()
}

/// The files of the records that everybody can fetch, without times.
fn records(scene: &Scene) -> Vec<(String, String)> {
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(scene.remote())
            .args(args)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let names = git(&["ls-tree", "-r", "--name-only", "records"]);
    let files = names.lines().map(|name| {
        let text = git(&["show", &format!("records:{name}")]);
        let timeless = text
            .lines()
            .filter(|line| !line.starts_with("at =") && !line.starts_with("since ="));
        (name.to_owned(), timeless.collect::<Vec<_>>().join("\n"))
    });
    files.collect()
}

/// Two candidates in `beta`, and a channel `preview` that takes them from there at once.
fn two_candidates() -> Scene {
    let scene = Scene::new();
    let preview = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\nfrom = ['beta']\n";
    let beta = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\n";
    scene.commit(
        "chore: a channel to promote to",
        &[("channels/preview.toml", preview), ("channels/beta.toml", beta)],
    );
    scene.git(&["push", "-q", "origin", "main"]);
    let world = scene.world();
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    scene.commit("fix(shell): what the second brings", &[]);
    scene.git(&["branch", "-f", "release/0.6", "main"]);
    scene.git(&["push", "-q", "origin", "release/0.6", "main"]);
    world.advance(86_400);
    scene.cut_rc(&world, &v("0.6.0-rc2")).unwrap();
    scene
}

const DEEDS: [Deed; 4] = [
    Deed::Promote("0.6.0-rc1", "preview"),
    Deed::Promote("0.6.0-rc2", "preview"),
    Deed::Rollback("preview", "0.6.0-rc1"),
    Deed::Dud("0.6.0-rc2", "0.6.0-rc1"),
];

#[test]
fn digests_move_and_are_recorded_and_nothing_moves_twice() {
    let scene = two_candidates();
    let world = scene.world();
    world.advance(2 * 86_400);
    let before = scene.visible();
    for (at, deed) in DEEDS.into_iter().enumerate() {
        assert!(
            carry_out(&scene, &world, &scene.repo(), deed).unwrap(),
            "{deed:?}"
        );
        let after = pointer(&scene);
        assert_eq!(after.version, 3 + u64::try_from(at).unwrap());
        check_reader(&scene.origin(), &format!("{deed:?}"));
        // Again there is nothing to do.
        let tip = records(&scene);
        assert!(
            !carry_out(&scene, &world, &scene.repo(), deed).unwrap(),
            "{deed:?}"
        );
        assert_eq!((pointer(&scene), records(&scene)), (after, tip));
        world.advance(60);
    }
    // No published file but the pointer has changed.
    for (name, content) in before.iter().filter(|(name, _)| name.starts_with("releases/")) {
        assert!(scene.visible()[name] == *content, "{name}");
    }
    let end = pointer(&scene);
    assert_eq!(end.channels[&c("beta")].release, v("0.6.0-rc1"));
    assert_eq!(end.channels[&c("beta")].newest(), &v("0.6.0-rc2"));
    assert_eq!(end.channels[&c("preview")].release, v("0.6.0-rc1"));
    assert_eq!(end.duds[&v("0.6.0-rc2")].reason.as_str(), "loses data");
    let recorded = records(&scene);
    let text = |name: &str| &recorded.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    assert!(
        text("0.6.0-rc1/promotions.toml").contains("from = \"beta\""),
        "{recorded:?}"
    );
    assert!(
        text("0.6.0-rc2/rollbacks.toml").contains("channel = \"preview\""),
        "{recorded:?}"
    );
    assert!(
        text("0.6.0-rc2/rollbacks.toml").contains("channel = \"beta\""),
        "{recorded:?}"
    );
    assert!(
        text("0.6.0-rc2/dud.toml").contains("by = \"Releaser <r@example.org>\""),
        "{recorded:?}"
    );
}

#[test]
fn wherever_it_stops_the_same_command_ends_it() {
    let template = two_candidates();
    for (at, deed) in DEEDS.into_iter().enumerate() {
        let reference = template.copy();
        let world = reference.world();
        world.advance(3 * 86_400);
        let counting = Faulty::new(&world, None);
        assert!(carry_out(&reference, &counting, &reference.repo(), deed).unwrap());
        let trace = counting.trace();
        assert!(trace.len() >= 4, "{trace:?}");
        for (number, effect) in trace.iter().enumerate() {
            for mode in [Mode::Error, Mode::LostReply, Mode::KillBefore, Mode::KillWithin] {
                let when = format!("{deed:?}: {mode:?} at effect {number}, `{effect}`");
                let scene = template.copy();
                let world = scene.world();
                world.advance(3 * 86_400);
                let fault = Fault { at: number, mode };
                // An error may come too late to be noticed.
                carry_out(&scene, &Faulty::new(&world, Some(fault)), &scene.repo(), deed).ok();
                check_reader(&scene.origin(), &when);
                world.advance(60);
                carry_out(&scene, &world, &scene.repo(), deed)
                    .unwrap_or_else(|error| panic!("{when}: {error}"));
                let (found, expected) = (pointer(&scene), pointer(&reference));
                assert_eq!(found.version, expected.version, "{when}");
                let heads = |pointer: &Pointer| -> Vec<_> {
                    let heads = pointer.channels.iter();
                    heads
                        .map(|(channel, head)| (channel.clone(), head.release.clone(), head.manifest_sha256))
                        .collect()
                };
                assert_eq!(heads(&found), heads(&expected), "{when}");
                assert_eq!(records(&scene), records(&reference), "{when}");
            }
        }
        // The next deed begins where this one ended.
        let world = template.world();
        world.advance((3 + u64::try_from(at).unwrap()) * 86_400);
        assert!(carry_out(&template, &world, &template.repo(), deed).unwrap());
    }
}

#[test]
fn of_two_people_one_wins_and_the_other_is_told() {
    let scene = two_candidates();
    let world = scene.world();
    world.advance(2 * 86_400);
    let (ada, bob) = (scene.repo(), scene.another_clone("bob"));
    let deed = Deed::Promote("0.6.0-rc2", "preview");
    let lost = scene.channels(&world, &bob, |channels, key| {
        let now = channels.look(&[v("0.6.0-rc1")], &[c("preview")])?;
        let change = plan(&now, Deed::Promote("0.6.0-rc1", "preview"), &world)
            .change
            .unwrap();
        // Bob has agreed to his plan when Ada is done.
        assert!(carry_out(&scene, &world, &ada, deed).unwrap());
        channels.apply(&now, &change, key, "test")
    });
    let lost = lost.unwrap_err();
    assert!(
        lost.to_string()
            .contains("somebody else replaced the pointer before pointer 3"),
        "{lost}"
    );
    assert!(
        matches!(&lost, EngineError::Refused { hint: Some(hint), .. } if hint.contains("nothing was changed"))
    );
    assert_eq!(pointer(&scene).version, 3);
    assert_eq!(pointer(&scene).channels[&c("preview")].release, v("0.6.0-rc2"));
    // Bob sees Ada's promotion and has nothing to add.
    assert!(!carry_out(&scene, &world, &bob, deed).unwrap());
    scene
        .channels(&world, &bob, |channels, _| {
            let now = channels.look(&[v("0.6.0-rc1")], &[c("preview")])?;
            let plan = plan(&now, Deed::Promote("0.6.0-rc1", "preview"), &world);
            assert!(
                plan.findings
                    .iter()
                    .any(|finding| finding.check == "channel-forward"),
                "{plan:?}"
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_changed_in_the_origin_is_never_promoted_or_gone_back_to() {
    let scene = two_candidates();
    let world = scene.world();
    let iso = scene.origin().join("releases/0.6.0-rc1/SHA256SUMS");
    let mut bytes = std::fs::read(&iso).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&iso, bytes).unwrap();
    for deed in [
        Deed::Promote("0.6.0-rc1", "preview"),
        Deed::Rollback("beta", "0.6.0-rc1"),
    ] {
        scene
            .channels(&world, &scene.repo(), |channels, _| {
                let (verify, targets) = looked_at(deed);
                let now = channels.look(&verify, &targets)?;
                let plan = plan(&now, deed, &world);
                let genuine = plan.findings.iter().find(|finding| finding.check == "genuine");
                assert!(genuine.unwrap().message.contains("SHA256SUMS"), "{plan:?}");
                assert_eq!(plan.change, None);
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn after_a_dud_the_next_candidate_tells_what_it_brought() {
    let scene = two_candidates();
    let world = scene.world();
    world.advance(2 * 86_400);
    carry_out(&scene, &world, &scene.repo(), Deed::Dud("0.6.0-rc2", "0.6.0-rc1")).unwrap();
    // The number is burnt, even where the tag is gone.
    scene.git(&["tag", "-d", "v0.6.0-rc2"]);
    std::fs::remove_dir_all(scene.repo().join(".vrel/journal")).ok();
    let again = scene.plan(&world, &v("0.6.0-rc2")).unwrap();
    let burnt = again
        .findings
        .iter()
        .find(|finding| finding.message.contains("its number is burnt"));
    assert_eq!(
        burnt.map(|finding| finding.check),
        Some("new-version"),
        "{:#?}",
        again.findings
    );
    scene.git(&["fetch", "-q", "--tags", "origin"]);
    let third = scene.plan(&world, &v("0.6.0-rc3")).unwrap();
    assert_eq!(
        third.plan.as_ref().unwrap().previous,
        Some(v("0.6.0-rc1")),
        "{:#?}",
        third.findings
    );
    scene.cut_rc(&world, &v("0.6.0-rc3")).unwrap();
    check_reader(&scene.origin(), "after a dud");
    let head = pointer(&scene).channels[&c("beta")].clone();
    assert_eq!((head.release, head.rollback), (v("0.6.0-rc3"), None));
    let notes = scene.origin().join("releases/0.6.0-rc3/release-notes.md");
    let notes = std::fs::read_to_string(notes).unwrap();
    assert!(notes.contains("What the second brings"), "{notes}");
}

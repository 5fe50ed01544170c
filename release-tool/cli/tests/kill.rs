//! Real kills of the real program, at random moments, over several releases into scenes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use vrel_testkit::{Scene, check_reader};

const VERSION: &str = "0.6.0-rc1";

/// At least so many kills.
const KILLS: usize = 60;

/// At most so many in one release, so that there are several.
const KILLS_IN_ONE: usize = 12;

/// SplitMix64; the seed is printed, so that a failure can be looked at again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// Cuts the release, or goes on with it when its journal has begun. Kills the program when it is still running at the end of
/// `limit`; `None` then.
fn go_on(scene: &Scene, limit: Option<Duration>) -> Option<ExitStatus> {
    let journal = scene.repo().join(format!(".vrel/journal/{VERSION}.jsonl"));
    // The lock of a tool that was killed can outlive it for a moment: hence `--wait`.
    let args: &[&str] = if journal.exists() {
        &["resume"]
    } else {
        &["cut-rc", VERSION, "--yes", "--init-origin"]
    };
    let errors = std::fs::File::create(scene.base().join("stderr")).unwrap();
    let mut child = scene
        .command(Path::new(env!("CARGO_BIN_EXE_vrel")))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .unwrap();
    let started = Instant::now();
    while limit.is_none_or(|limit| started.elapsed() < limit) {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::park_timeout(Duration::from_micros(200));
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    // It may have come to its end in the same moment.
    status.code().map(|_| status)
}

/// Asserts that a run that was not killed went well: it is done now, or was done before.
fn check_end(scene: &Scene, status: ExitStatus, when: &str) {
    let said = std::fs::read_to_string(scene.base().join("stderr")).unwrap();
    assert!(matches!(status.code(), Some(0 | 10)), "{when}: {status}\n{said}");
}

/// What must be the same after any number of kills: not the signatures' and documents' times, but all names, all
/// artifacts, and how often things were recorded.
fn outcome(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let timed = |name: &str| {
        name.ends_with(".minisig")
            || [
                "manifest.json",
                "pointer.json",
                "release-notes.md",
                "-announcement.md",
            ]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let mut outcome: BTreeMap<String, Vec<u8>> = scene
        .visible()
        .into_iter()
        .map(|(name, content)| match name.as_str() {
            "refs" => {
                let text = String::from_utf8(content).unwrap();
                let names: Vec<&str> = text.lines().filter_map(|line| line.split('\t').nth(1)).collect();
                (name, names.join("\n").into_bytes())
            }
            "plan" => {
                let mentions = String::from_utf8(content).unwrap().matches(VERSION).count();
                (name, mentions.to_string().into_bytes())
            }
            timed_name if timed(timed_name) => (name, Vec::new()),
            _ => (name, content),
        })
        .collect();
    let pointer = std::fs::read(scene.origin().join("pointer.json")).unwrap();
    let pointer = vrel_model::SignedPointer::parse(&pointer)
        .unwrap()
        .pointer()
        .unwrap();
    outcome.insert(
        "pointer's version".into(),
        pointer.version.to_string().into_bytes(),
    );
    let subjects = std::process::Command::new("git")
        .arg("-C")
        .arg(scene.remote())
        .args(["log", "--format=%s", "main"])
        .output()
        .unwrap();
    assert!(subjects.status.success());
    outcome.insert("history of main".into(), subjects.stdout);
    outcome
}

#[test]
fn kills_at_random_moments_change_nothing_of_the_result() {
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    let seed = u64::try_from(seed & u128::from(u64::MAX)).unwrap();
    let mut random = Random(seed);

    let template = Scene::new();
    template.install_programs();
    let reference = template.copy();
    let started = Instant::now();
    let status = go_on(&reference, None).unwrap();
    let whole = u64::try_from(started.elapsed().as_micros()).unwrap();
    check_end(&reference, status, "without a kill");
    check_reader(&reference.origin(), "without a kill");
    let expected = outcome(&reference);
    assert_eq!(expected["pointer's version"], b"1");
    assert_eq!(
        String::from_utf8_lossy(&expected["history of main"])
            .matches(VERSION)
            .count(),
        1
    );
    drop(reference);

    let (mut kills, mut releases) = (0, 0);
    while kills < KILLS {
        let scene = template.copy();
        releases += 1;
        let mut here = 0;
        loop {
            let when = format!("seed {seed}, release {releases}, after kill {here}");
            let limit = (here < KILLS_IN_ONE).then(|| Duration::from_micros(random.below(whole / 2)));
            let ended = go_on(&scene, limit);
            check_reader(&scene.origin(), &when);
            match ended {
                None => (kills, here) = (kills + 1, here + 1),
                Some(status) => {
                    check_end(&scene, status, &when);
                    break;
                }
            }
        }
        let found = outcome(&scene);
        let when = format!("seed {seed}, release {releases}, {here} kills");
        assert_eq!(
            expected.keys().collect::<Vec<_>>(),
            found.keys().collect::<Vec<_>>(),
            "{when}"
        );
        for (name, content) in &expected {
            assert!(*content == found[name], "{when}: {name} differs");
        }
    }
    assert!(
        kills >= KILLS && releases > 1,
        "seed {seed}: {kills} kills over {releases} releases"
    );
}

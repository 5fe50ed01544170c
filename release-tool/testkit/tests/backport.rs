//! Backports against a real bare remote: queue, picks, conflicts, two people at once, and every effect going wrong in turn.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use vrel_engine::backport::{
    BackportQueue, CheckResult, Landed, Landing, Needs, Nominated, PickPlan, PlannedPick, Which,
};
use vrel_engine::{EngineError, Site};
use vrel_model::{BackportState, Config, Version, toml_file};
use vrel_process::{Decision, Present};
use vrel_testkit::{Fault, Faulty, Mode};
use vrel_world::{RealWorld, World};

struct Repos {
    dir: TempDir,
    world: RealWorld,
    config: Config,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn with_queue<T>(
    world: &dyn World,
    root: &Path,
    config: &Config,
    then: impl FnOnce(&BackportQueue<'_>) -> T,
) -> T {
    let site = Site::new(root, config);
    let line = "0.6.0".parse::<Version>().unwrap().line();
    then(&BackportQueue::new(world, &site, config, line))
}

fn run_pick(
    queue: &BackportQueue<'_>,
    check: &mut dyn FnMut(&PlannedPick) -> Result<CheckResult, EngineError>,
) -> Result<(PickPlan, Landed), EngineError> {
    queue.refresh()?;
    let branches = queue.branches()?;
    let plan = queue.plan(&branches, Which::All)?;
    let mut landing = Landing {
        check,
        unchecked: None,
    };
    let landed = queue.land(&branches, &plan, &mut landing)?;
    Ok((plan, landed))
}

fn pass(_: &PlannedPick) -> Result<CheckResult, EngineError> {
    Ok(CheckResult::Passed)
}

impl Repos {
    /// A bare remote with `main` and `release/0.6`, and two clones.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = include_str!("../scene/vrel.toml");
        let repos = Self {
            dir,
            world: RealWorld::default(),
            config: toml_file::parse(Path::new("vrel.toml"), text).unwrap(),
        };
        git(
            repos.dir.path(),
            &["init", "-q", "--bare", "-b", "main", "remote.git"],
        );
        repos.clone_as("one");
        let one = repos.path("one");
        let text: String = (1..=40).map(|number| format!("line {number}\n")).collect();
        std::fs::write(one.join("code.rs"), text).unwrap();
        repos.commit("feat: start");
        git(&one, &["branch", "release/0.6"]);
        git(&one, &["push", "-q", "origin", "main", "release/0.6"]);
        repos.clone_as("two");
        repos
    }

    fn clone_as(&self, name: &str) {
        git(self.dir.path(), &["clone", "-q", "remote.git", name]);
        let repo = self.path(name);
        git(&repo, &["config", "user.name", name]);
        git(&repo, &["config", "user.email", &format!("{name}@example.org")]);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn commit(&self, message: &str) -> String {
        let one = self.path("one");
        git(&one, &["add", "."]);
        git(&one, &["commit", "-q", "--allow-empty", "-m", message]);
        git(&one, &["rev-parse", "HEAD"])
    }

    /// A commit on `main` that replaces a line, pushed.
    fn fix(&self, line: usize, message: &str) -> String {
        self.edit(line, &format!("fixed {line} by {message}"));
        let commit = self.commit(message);
        git(&self.path("one"), &["push", "-q", "origin", "main"]);
        commit
    }

    fn edit(&self, line: usize, text: &str) {
        let file = self.path("one").join("code.rs");
        let content = std::fs::read_to_string(&file).unwrap();
        let mut lines: Vec<&str> = content.lines().collect();
        lines[line - 1] = text;
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    }

    /// A commit on the line itself, pushed.
    fn on_line(&self, line: usize, message: &str) -> String {
        let one = self.path("one");
        git(&one, &["checkout", "-q", "release/0.6"]);
        self.edit(line, "as the line has it");
        let commit = self.commit(message);
        git(&one, &["push", "-q", "origin", "release/0.6"]);
        git(&one, &["checkout", "-q", "main"]);
        commit
    }

    fn queue<T>(&self, name: &str, then: impl FnOnce(&BackportQueue<'_>) -> T) -> T {
        with_queue(&self.world, &self.path(name), &self.config, then)
    }

    fn nominate(&self, name: &str, texts: &[&str]) -> Result<Nominated, EngineError> {
        self.queue(name, |queue| {
            queue.refresh()?;
            let branches = queue.branches()?;
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let candidates = queue.candidates(&branches, &texts)?;
            queue.nominate(&branches, candidates, Some("it crashes"))
        })
    }

    fn decide(&self, name: &str, decision: Decision, texts: &[&str]) -> Result<Nominated, EngineError> {
        self.queue(name, |queue| {
            queue.refresh()?;
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let candidates = queue.candidates(&queue.branches()?, &texts)?;
            queue.decide(&candidates, decision, Some("because"))
        })
    }

    fn accept(&self, commits: &[&str]) {
        self.nominate("one", commits).unwrap();
        self.decide("one", Decision::Accept, commits).unwrap();
    }

    fn pick(&self, name: &str) -> Result<(PickPlan, Landed), EngineError> {
        self.queue(name, |queue| run_pick(queue, &mut pass))
    }

    fn state(&self, commit: &str) -> BackportState {
        self.queue("two", |queue| {
            queue.refresh().unwrap();
            queue.read().unwrap().find(commit).unwrap().state()
        })
    }

    fn on_remote(&self, args: &[&str]) -> String {
        git(&self.path("remote.git"), args)
    }
}

#[test]
fn a_fix_is_nominated_accepted_picked_and_lands() {
    let repos = Repos::new();
    let fix = repos.fix(5, "fix(kernel): five (#12)");
    repos.on_line(30, "fix: only here");
    let nominated = repos.nominate("one", &["#12"]).unwrap();
    assert_eq!(nominated.recorded[0].commit, fix);
    assert_eq!(repos.nominate("two", &[&fix]).unwrap().already[0].commit, fix);
    assert_eq!(repos.state(&fix), BackportState::Nominated);
    let early = repos.queue("one", |queue| {
        let branches = queue.branches().unwrap();
        let named = queue.candidates(&branches, std::slice::from_ref(&fix)).unwrap();
        queue.plan(&branches, Which::These(&named)).unwrap_err()
    });
    assert!(
        early.to_string().contains("is nominated, not accepted"),
        "{early}"
    );
    repos.decide("two", Decision::Accept, &[&fix]).unwrap();

    let (plan, landed) = repos.pick("two").unwrap();
    assert_eq!((plan.picks.len(), plan.conflicts.len()), (1, 0));
    let tip = landed.tip.unwrap();
    assert_eq!(repos.on_remote(&["rev-parse", "release/0.6"]), tip);
    let message = repos.on_remote(&["log", "-1", "--format=%B", "release/0.6"]);
    assert_eq!(
        message,
        format!("fix(kernel): five (#12)\n\n(cherry picked from commit {fix})")
    );
    assert_eq!(
        repos.on_remote(&["log", "-1", "--format=%an %cn", "release/0.6"]),
        "one two"
    );
    let content = repos.on_remote(&["show", "release/0.6:code.rs"]);
    assert!(
        content.contains("fixed 5") && content.contains("as the line has it"),
        "{content}"
    );
    assert_eq!(git(&repos.path("two"), &["rev-parse", "release/0.6"]), tip);
    let record = repos.on_remote(&["show", "records:lines/0.6/backports.toml"]);
    assert!(
        record.contains("by = \"two <two@example.org>\"") && record.contains(&tip),
        "{record}"
    );

    // Once more, here and there: nothing is left to do.
    for name in ["two", "one"] {
        let (plan, landed) = repos.pick(name).unwrap();
        assert!(plan.is_empty(), "{plan:?}");
        assert_eq!(landed, Landed::default());
    }
    assert_eq!(repos.on_remote(&["rev-parse", "release/0.6"]), tip);
}

#[test]
fn what_may_be_nominated_and_what_is_there_already() {
    let repos = Repos::new();
    let one = repos.path("one");
    let fixes = [
        repos.fix(5, "fix: five"),
        repos.fix(15, "fix: fifteen"),
        repos.fix(25, "fix: 25"),
    ];
    // The second one by hand, without a word of where it comes from; the third as git does it.
    git(&one, &["checkout", "-q", "release/0.6"]);
    git(&one, &["cherry-pick", &fixes[1]]);
    git(&one, &["cherry-pick", "-x", &fixes[2]]);
    git(&one, &["push", "-q", "origin", "release/0.6"]);
    git(&one, &["checkout", "-q", "main"]);
    let nominated = repos
        .nominate("two", &[&format!("{}~1..{}", fixes[0], fixes[2])])
        .unwrap();
    assert_eq!(
        nominated
            .recorded
            .iter()
            .map(|one| &one.commit)
            .collect::<Vec<_>>(),
        [&fixes[0]]
    );
    let how: Vec<&Present> = nominated.present.iter().map(|(_, present)| present).collect();
    assert!(
        matches!(how[..], [Present::Same { .. }, Present::Named { .. }]),
        "{how:?}"
    );

    // A revert on the line makes room for it again.
    git(&one, &["checkout", "-q", "release/0.6"]);
    git(&one, &["revert", "--no-edit", "HEAD"]);
    git(&one, &["push", "-q", "origin", "release/0.6"]);
    git(&one, &["checkout", "-q", "main"]);
    assert_eq!(repos.nominate("two", &[&fixes[2]]).unwrap().recorded.len(), 1);

    git(&one, &["checkout", "-q", "-b", "elsewhere"]);
    let elsewhere = repos.commit("fix: not on main");
    let refused = repos.nominate("one", &[&fixes[0], &elsewhere]).unwrap_err();
    assert!(refused.to_string().contains("is not on `main`"), "{refused}");
    for (text, expected) in [
        ("#99", "names #99"),
        ("nonsense", "names no commit"),
        ("main..main", "no commits"),
    ] {
        let error = repos.nominate("one", &[text]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_merge_of_a_pull_request_is_one_backport() {
    let repos = Repos::new();
    let one = repos.path("one");
    git(&one, &["checkout", "-q", "-b", "topic"]);
    repos.edit(3, "three");
    repos.commit("fix: three (#7)");
    repos.edit(9, "nine");
    repos.commit("fix: nine");
    git(&one, &["checkout", "-q", "main"]);
    git(
        &one,
        &[
            "merge",
            "-q",
            "--no-ff",
            "-m",
            "Merge pull request #7 from topic",
            "topic",
        ],
    );
    git(&one, &["push", "-q", "origin", "main"]);
    let merge = git(&one, &["rev-parse", "HEAD"]);
    repos.accept(&["#7"]);
    let (plan, _) = repos.pick("two").unwrap();
    assert_eq!(plan.picks[0].source.commit, merge);
    let content = repos.on_remote(&["show", "release/0.6:code.rs"]);
    assert!(
        content.contains("three\n") && content.contains("nine\n"),
        "{content}"
    );
}

#[test]
fn missing_prerequisites_are_named_and_help() {
    let repos = Repos::new();
    repos.fix(20, "refactor: far away");
    let needed = repos.fix(5, "refactor: five");
    repos.fix(12, "refactor: twelve");
    let fix = repos.fix(6, "fix: six");
    repos.accept(&[&fix]);
    let (plan, landed) = repos.pick("one").unwrap();
    assert_eq!(landed.tip, None);
    assert_eq!(plan.conflicts[0].paths, ["code.rs"]);
    let Needs::Commits(commits) = &plan.conflicts[0].needs else {
        panic!("{plan:?}")
    };
    assert_eq!(
        commits.iter().map(|one| &one.commit).collect::<Vec<_>>(),
        [&needed]
    );
    assert_eq!(repos.state(&fix), BackportState::Conflict);
    // The queue's own order does not matter.
    repos.accept(&[&needed]);
    let (plan, _) = repos.pick("two").unwrap();
    assert_eq!(
        plan.picks
            .iter()
            .map(|one| &one.source.commit)
            .collect::<Vec<_>>(),
        [&needed, &fix]
    );
    assert_eq!(repos.state(&fix), BackportState::Picked);
}

#[test]
fn several_prerequisites_are_found_and_what_is_not_needed_is_left_out() {
    let repos = Repos::new();
    let five = repos.fix(5, "refactor: five");
    let seven = repos.fix(7, "refactor: seven");
    repos.fix(30, "refactor: far away");
    let fix = repos.fix(6, "fix: six");
    repos.accept(&[&fix]);
    let (plan, _) = repos.pick("one").unwrap();
    let Needs::Commits(commits) = &plan.conflicts[0].needs else {
        panic!("{plan:?}")
    };
    assert_eq!(
        commits.iter().map(|one| &one.commit).collect::<Vec<_>>(),
        [&five, &seven]
    );
}

#[test]
fn a_conflict_with_the_line_itself_needs_a_person() {
    let repos = Repos::new();
    let fix = repos.fix(5, "fix: five");
    let other = repos.fix(25, "fix: 25");
    repos.on_line(5, "fix: five in another way");
    repos.accept(&[&fix, &other]);
    // The rest lands.
    let (plan, landed) = repos.pick("one").unwrap();
    assert_eq!(plan.conflicts[0].needs, Needs::Unknown);
    assert_eq!(landed.picks.len(), 1);

    let open = repos.queue("one", |queue| {
        let branches = queue.branches().unwrap();
        queue.prepare(&branches, &plan.conflicts[0].source).unwrap()
    });
    assert_eq!(git(&open.dir, &["rev-parse", "CHERRY_PICK_HEAD"]), fix);
    let early = repos.queue("one", |queue| queue.resume().unwrap_err());
    assert!(
        early.to_string().contains("still has conflicts in code.rs"),
        "{early}"
    );
    let file = open.dir.join("code.rs");
    let text = std::fs::read_to_string(&file).unwrap();
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| {
            !["<<<<", "====", ">>>>", "as the"]
                .iter()
                .any(|mark| line.starts_with(mark))
        })
        .collect();
    std::fs::write(&file, kept.join("\n") + "\n").unwrap();
    let unstaged = repos.queue("one", |queue| queue.resume().unwrap_err());
    assert!(unstaged.to_string().contains("still has conflicts"), "{unstaged}");
    git(&open.dir, &["add", "code.rs"]);
    // The line goes on meanwhile.
    repos.on_line(35, "fix: meanwhile");
    repos.queue("one", |queue| queue.resume().unwrap());
    let (_, landed) = repos.pick("one").unwrap();
    let tip = landed.tip.unwrap();
    let message = repos.on_remote(&["log", "-1", "--format=%B", &tip]);
    assert_eq!(message, format!("fix: five\n\n(cherry picked from commit {fix})"));
    assert!(
        repos
            .on_remote(&["show", "release/0.6:code.rs"])
            .contains("fixed 5 by fix: five")
    );
    assert_eq!(repos.state(&fix), BackportState::Picked);
    assert_eq!(git(&repos.path("one"), &["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_conflict_can_be_skipped_or_given_up() {
    let repos = Repos::new();
    let fix = repos.fix(5, "fix: five");
    repos.on_line(5, "fix: five in another way");
    repos.accept(&[&fix]);
    let (plan, _) = repos.pick("one").unwrap();
    let prepare = |queue: &BackportQueue<'_>| {
        let branches = queue.branches().unwrap();
        queue.prepare(&branches, &plan.conflicts[0].source).unwrap()
    };
    repos.queue("one", |queue| {
        assert!(
            queue
                .skip()
                .unwrap_err()
                .to_string()
                .contains("no conflict of 0.6 is open")
        );
        let open = prepare(queue);
        assert_eq!(queue.open_conflict().unwrap(), Some(open.clone()));
        queue.skip().unwrap();
        assert!(!open.dir.exists());
        prepare(queue);
        git(&open.dir, &["cherry-pick", "--abort"]);
        assert!(queue.resume().unwrap_err().to_string().contains("has no change"));
        assert!(queue.abort().unwrap());
        assert!(!queue.abort().unwrap());
        assert!(!open.dir.exists());
    });
    assert_eq!(git(&repos.path("one"), &["for-each-ref", "refs/vrel"]), "");
}

#[test]
fn what_fails_its_checks_does_not_land() {
    let repos = Repos::new();
    let fixes = [
        repos.fix(5, "fix: five"),
        repos.fix(15, "fix: bad"),
        repos.fix(25, "fix: 25"),
    ];
    repos.accept(&[&fixes[0], &fixes[1], &fixes[2]]);
    let mut checked = Vec::new();
    let (_, landed) = repos
        .queue("one", |queue| {
            run_pick(queue, &mut |pick| {
                checked.push(pick.source.subject.clone());
                Ok(if pick.source.subject == "fix: bad" {
                    CheckResult::Failed {
                        check: "tests".to_owned(),
                        said: "1 failed".to_owned(),
                    }
                } else {
                    CheckResult::Passed
                })
            })
        })
        .unwrap();
    assert_eq!(checked, ["fix: five", "fix: bad", "fix: 25"]);
    assert_eq!(landed.failed[0].0.source.commit, fixes[1]);
    assert_eq!(landed.picks.len(), 2);
    let content = repos.on_remote(&["show", "release/0.6:code.rs"]);
    assert!(content.contains("fixed 5") && content.contains("fixed 25") && !content.contains("fixed 15"));
    assert_eq!(repos.state(&fixes[1]), BackportState::Accepted);
    assert_eq!(repos.state(&fixes[2]), BackportState::Picked);
}

#[test]
fn an_interrupted_run_is_found_again_and_does_not_check_twice() {
    let repos = Repos::new();
    let fixes = [repos.fix(5, "fix: five"), repos.fix(15, "fix: fifteen")];
    repos.accept(&[&fixes[0], &fixes[1]]);
    let mut first = Vec::new();
    let stopped = repos.queue("one", |queue| {
        run_pick(queue, &mut |pick| {
            first.push(pick.made.clone());
            if first.len() == 2 {
                return Err(EngineError::Refused {
                    message: "the power went".to_owned(),
                    hint: None,
                });
            }
            Ok(CheckResult::Passed)
        })
    });
    assert!(stopped.unwrap_err().to_string().contains("the power went"));
    let mut second = Vec::new();
    let (_, landed) = repos
        .queue("one", |queue| {
            run_pick(queue, &mut |pick| {
                second.push(pick.made.clone());
                Ok(CheckResult::Passed)
            })
        })
        .unwrap();
    assert_eq!(
        second,
        [first[1].clone()],
        "the same commit, and only the one that was not checked"
    );
    assert_eq!(landed.tip.as_ref(), Some(&first[1]));
}

#[test]
fn of_two_who_pick_at_once_one_is_told_and_nothing_doubles() {
    let repos = Repos::new();
    let fix = repos.fix(5, "fix: five");
    repos.accept(&[&fix]);
    // The second one picks while the first one checks.
    let mut between = 0;
    let lost = repos.queue("one", |queue| {
        run_pick(queue, &mut |_| {
            between += 1;
            repos.pick("two").unwrap();
            Ok(CheckResult::Passed)
        })
    });
    let lost = lost.unwrap_err();
    assert!(
        lost.to_string().contains("somebody else moved `release/0.6`"),
        "{lost}"
    );
    assert!(lost.to_string().contains("nothing has landed"), "{lost}");
    assert_eq!(between, 1);
    let (plan, _) = repos.pick("one").unwrap();
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(
        repos.on_remote(&["log", "--format=%s", "release/0.6"]),
        "fix: five\nfeat: start"
    );
    let record = repos.on_remote(&["show", "records:lines/0.6/backports.toml"]);
    assert_eq!(record.matches("state = \"picked\"").count(), 1, "{record}");
}

#[test]
fn of_two_who_decide_the_second_is_told_who_was_first() {
    let repos = Repos::new();
    let fix = repos.fix(5, "fix: five");
    repos.nominate("one", &[&fix]).unwrap();
    repos.queue("two", |queue| queue.refresh().unwrap());
    repos.decide("one", Decision::Reject, &[&fix]).unwrap();
    // Without asking the remote first, as when both act at the same moment.
    let late = repos.queue("two", |queue| {
        let candidates = queue
            .candidates(&queue.branches().unwrap(), std::slice::from_ref(&fix))
            .unwrap();
        queue.decide(&candidates, Decision::Accept, None).unwrap_err()
    });
    assert!(
        late.to_string().contains("was rejected by one <one@example.org>"),
        "{late}"
    );
    assert!(late.to_string().contains("because"), "{late}");
    assert_eq!(repos.state(&fix), BackportState::Rejected);
}

#[test]
fn after_any_fault_the_same_command_finishes() {
    let effects = {
        let repos = Repos::new();
        let fix = repos.fix(5, "fix: five");
        repos.accept(&[&fix]);
        let world = Faulty::new(&repos.world, None);
        with_queue(&world, &repos.path("one"), &repos.config, |queue| {
            run_pick(queue, &mut pass)
        })
        .unwrap();
        world.count()
    };
    assert!(effects > 8, "{effects}");
    let pristine = Repos::new();
    let fix = pristine.fix(5, "fix: five");
    pristine.accept(&[&fix]);
    for at in 0..effects {
        let mode = [Mode::LostReply, Mode::KillBefore, Mode::KillAfter][at % 3];
        let dir = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(format!("{}/.", pristine.dir.path().display()))
            .arg(dir.path())
            .status();
        assert!(copied.unwrap().success());
        let repos = Repos {
            dir,
            world: RealWorld::default(),
            config: pristine.config.clone(),
        };
        git(
            &repos.path("one"),
            &["remote", "set-url", "origin", "../remote.git"],
        );
        git(
            &repos.path("two"),
            &["remote", "set-url", "origin", "../remote.git"],
        );
        let world = Faulty::new(&repos.world, Some(Fault { at, mode }));
        let first = with_queue(&world, &repos.path("one"), &repos.config, |queue| {
            run_pick(queue, &mut pass)
        });
        let context = format!("{mode:?} at {at}: {:?}", world.trace().last());
        repos
            .pick("one")
            .unwrap_or_else(|error| panic!("{context}: {error}; first {first:?}"));
        assert_eq!(
            repos.on_remote(&["log", "--format=%s", "release/0.6"]),
            "fix: five\nfeat: start",
            "{context}"
        );
        assert_eq!(repos.state(&fix), BackportState::Picked, "{context}");
        assert_eq!(
            git(&repos.path("one"), &["for-each-ref", "refs/vrel"]),
            "",
            "{context}"
        );
    }
}

//! How two histories differ, and which of their changes are equal, against git's own answers.

use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use vrel_model::HistoryCommit;
use vrel_world::{RealWorld, World};

fn git(dir: &Path, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

const FILES: u8 = 3;
const PLACES: u8 = 4;
const BRANCHES: usize = 3;

/// What happens to a history.
#[derive(Clone, Debug)]
enum Step {
    /// A branch's commit writes a value to a place of a file.
    Commit {
        branch: usize,
        file: u8,
        place: u8,
        value: u8,
    },
    /// The change of some commit so far is made on a branch.
    Pick {
        branch: usize,
        of: usize,
    },
    Merge {
        branch: usize,
        other: usize,
    },
    /// A branch begins again at another one.
    Reset {
        branch: usize,
        other: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let branch = || 0..BRANCHES;
    let step = prop_oneof![
        4 => (branch(), 0..FILES, 0..PLACES, 0u8..4)
            .prop_map(|(branch, file, place, value)| Step::Commit { branch, file, place, value }),
        3 => (branch(), 0usize..64).prop_map(|(branch, of)| Step::Pick { branch, of }),
        2 => (branch(), branch()).prop_map(|(branch, other)| Step::Merge { branch, other }),
        1 => (branch(), branch()).prop_map(|(branch, other)| Step::Reset { branch, other }),
    ];
    proptest::collection::vec(step, 1..40)
}

type Content = BTreeMap<(u8, u8), u8>;

/// Writes a history as `git fast-import` reads it.
#[derive(Default)]
struct Writer {
    stream: String,
    /// What each commit changes, and what its files hold afterwards.
    commits: Vec<((u8, u8, u8), Content)>,
    tips: [usize; BRANCHES],
}

impl Writer {
    fn commit(&mut self, branch: usize, parents: &[usize], change: (u8, u8, u8), content: Content) {
        let mark = self.commits.len() + 1;
        // Wrong clocks: commits are up to half a day older than what they are made on.
        let time = 1_795_000_000 + 3_600 * mark - (mark * 7_919 % 43_200);
        let stream = &mut self.stream;
        writeln!(stream, "commit refs/heads/branch-{branch}\nmark :{mark}").unwrap();
        writeln!(stream, "author Ada <ada@example.org> {time} +0000").unwrap();
        writeln!(stream, "committer Ada <ada@example.org> {time} +0000").unwrap();
        writeln!(stream, "data 7\ncommit\n").unwrap();
        for (number, parent) in parents.iter().enumerate() {
            let word = if number == 0 { "from" } else { "merge" };
            writeln!(stream, "{word} :{parent}").unwrap();
        }
        for file in 0..FILES {
            let mut text = String::new();
            for place in 0..PLACES {
                if let Some(value) = content.get(&(file, place)) {
                    writeln!(text, "{value} in {place}").unwrap();
                }
                for line in 0..8 {
                    writeln!(text, "line {line} after {place}").unwrap();
                }
            }
            // A file comes and goes with the value 3 of its first place.
            if content.get(&(file, 0)) == Some(&3) {
                writeln!(stream, "D file-{file}").unwrap();
            } else {
                writeln!(stream, "M 100644 inline file-{file}\ndata {}\n{text}", text.len()).unwrap();
            }
        }
        self.commits.push((change, content));
        self.tips[branch] = mark;
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Commit {
                branch,
                file,
                place,
                value,
            } => self.change(branch, (file, place, value)),
            Step::Pick { branch, of } => {
                let change = self.commits[of % self.commits.len()].0;
                self.change(branch, change);
            }
            Step::Merge { branch, other } => {
                let (into, from) = (self.tips[branch], self.tips[other]);
                if into != from {
                    let mut content = self.commits[into - 1].1.clone();
                    content.extend(self.commits[from - 1].1.iter().filter(|(_, value)| **value > 1));
                    self.commit(branch, &[into, from], (0, 0, 0), content);
                }
            }
            Step::Reset { branch, other } => {
                self.tips[branch] = self.tips[other];
                let tip = self.tips[branch];
                writeln!(self.stream, "reset refs/heads/branch-{branch}\nfrom :{tip}\n").unwrap();
            }
        }
    }

    fn change(&mut self, branch: usize, change: (u8, u8, u8)) {
        let tip = self.tips[branch];
        let mut content = self.commits[tip - 1].1.clone();
        content.insert((change.0, change.1), change.2);
        self.commit(branch, &[tip], change, content);
    }
}

/// A bare repository with the branches `branch-0`, `branch-1` and `branch-2`.
fn history(steps: &[Step]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "--bare"], b"");
    let mut writer = Writer::default();
    writer.commit(0, &[], (0, 0, 0), Content::new());
    for branch in 1..BRANCHES {
        writer.step(&Step::Reset { branch, other: 0 });
    }
    for step in steps {
        writer.step(step);
    }
    git(dir.path(), &["fast-import", "--quiet"], writer.stream.as_bytes());
    dir
}

fn lines(text: &str) -> HashSet<String> {
    text.lines().map(str::to_owned).collect()
}

fn ids(commits: &[HistoryCommit]) -> HashSet<String> {
    commits.iter().map(|commit| commit.id.clone()).collect()
}

/// No commit stands before one of its children.
fn assert_topological(commits: &[HistoryCommit]) {
    let mut seen = HashSet::new();
    for commit in commits {
        for parent in &commit.parents {
            assert!(!seen.contains(parent), "{parent} stands before {}", commit.id);
        }
        assert!(seen.insert(&commit.id), "{} stands there twice", commit.id);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn difference_and_equal_patches_are_what_git_says(steps in steps()) {
        let dir = history(&steps);
        let repo = dir.path();
        let world = RealWorld::default();
        let tip = |branch: &str| git(repo, &["rev-parse", branch], b"");
        let (ours, theirs) = (tip("branch-0"), tip("branch-1"));
        let difference = world.git().difference(repo, &[&ours], &[&theirs]).unwrap();
        let list = |args: &[&str]| lines(&git(repo, args, b""));
        // Of the whole histories: with wrong clocks, git's own walk to the merge base can be wrong.
        let (all_ours, all_theirs) = (list(&["rev-list", &ours]), list(&["rev-list", &theirs]));
        prop_assert_eq!(ids(&difference.ours), all_ours.difference(&all_theirs).cloned().collect());
        prop_assert_eq!(ids(&difference.theirs), all_theirs.difference(&all_ours).cloned().collect());
        assert_topological(&difference.ours);
        assert_topological(&difference.theirs);
        let whole = world.git().difference(repo, &[&ours, &theirs], &[]).unwrap();
        prop_assert_eq!(ids(&whole.ours), all_ours.union(&all_theirs).cloned().collect());
        assert_topological(&whole.ours);
        prop_assert!(whole.theirs.is_empty());

        let of = |commits: &[HistoryCommit]| -> Vec<String> {
            let plain = commits.iter().filter(|commit| !commit.is_merge());
            plain.map(|commit| commit.id.clone()).collect()
        };
        let (mine, other) = (of(&difference.ours), of(&difference.theirs));
        let patches = git(repo, &["log", "-p", "--no-merges", "--branches"], b"");
        let patches = git(repo, &["patch-id", "--stable"], patches.as_bytes());
        let patch_ids: HashMap<&str, &str> = patches
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(patch, commit)| (commit, patch))
            .collect();
        for commit in mine.iter().chain(&other) {
            let found = world.git().patch_id(repo, commit).unwrap();
            prop_assert_eq!(found.as_deref(), patch_ids.get(commit.as_str()).copied());
        }
        let equal = world
            .git()
            .equal_patches(repo, &strs(&mine), &strs(&other))
            .unwrap();
        let cherry: HashMap<String, bool> = git(repo, &["cherry", &theirs, &ours], b"")
            .lines()
            .map(|line| (line[2..].to_owned(), line.starts_with('-')))
            .collect();
        for (commit, equal) in mine.iter().zip(equal) {
            if !patch_ids.contains_key(commit.as_str()) {
                // To git all commits that change nothing are the same.
                prop_assert_eq!(equal, None);
                continue;
            }
            prop_assert_eq!(cherry.get(commit).copied(), Some(equal.is_some()), "{}", commit);
            if let Some(at) = equal {
                prop_assert_eq!(patch_ids.get(commit.as_str()), patch_ids.get(other[at].as_str()));
            }
        }
    }
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[test]
fn other_content_of_a_binary_file_is_another_change() {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path();
    git(repo, &["init", "-q", "--bare"], b"");
    let commit = |branch: &str, from: &str, content: &str| {
        let person = "Ada <ada@example.org> 1795000000 +0000";
        format!(
            "commit refs/heads/{branch}\nauthor {person}\ncommitter {person}\ndata 1\n{}\n{from}M 100644 inline font\ndata {}\n{content}\n",
            &branch[..1],
            content.len()
        )
    };
    let base = commit("a", "", "\0base");
    let picks = [("b", "\0one"), ("c", "\0one"), ("d", "\0two")];
    let picks = picks.map(|(branch, content)| commit(branch, "from refs/heads/a\n", content));
    git(
        repo,
        &["fast-import", "--quiet"],
        (base + &picks.concat()).as_bytes(),
    );
    let [one, same, other] = ["b", "c", "d"].map(|branch| git(repo, &["rev-parse", branch], b""));
    let world = RealWorld::default();
    let equal = world.git().equal_patches(repo, &[&same, &other], &[&one]);
    assert_eq!(equal.unwrap(), [Some(0), None]);
}

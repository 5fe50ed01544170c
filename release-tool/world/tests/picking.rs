//! Picks compared with what git itself does with the same commits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use vrel_model::{TrialMerge, UtcTime};
use vrel_world::{
    ConflictState, ConflictTree, ErrorKind, Pick, PickList, Picked, PickedList, Picking, RealWorld, World,
};

const NOW: i64 = 1_790_000_000;

fn run(dir: &Path, args: &[&str], input: &str) -> Output {
    let date = format!("@{NOW} +0000");
    let mut child = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_EDITOR", "true"),
            ("GIT_COMMITTER_DATE", date.as_str()),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn git(dir: &Path, args: &[&str]) -> String {
    git_with(dir, args, "")
}

fn git_with(dir: &Path, args: &[&str], input: &str) -> String {
    let output = run(dir, args, input);
    assert!(
        output.status.success(),
        "git {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository whose branches are written by `git fast-import`, and a world to pick in.
struct Repo {
    dir: TempDir,
    world: RealWorld,
    stream: String,
    marks: usize,
}

type Files = BTreeMap<String, (bool, Vec<String>)>;

impl Repo {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "-b", "main", "repo"]);
        let repo = dir.path().join("repo");
        for (key, value) in [
            ("user.name", "Picker"),
            ("user.email", "p@example.org"),
            ("gc.auto", "0"),
        ] {
            git(&repo, &["config", key, value]);
        }
        Self {
            dir,
            world: RealWorld::default(),
            stream: String::new(),
            marks: 0,
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn picking(&self) -> &dyn Picking {
        self.world.git().picking()
    }

    /// Adds a commit with exactly these files to a branch; its parents are marks.
    fn commit(&mut self, branch: &str, message: &str, parents: &[usize], files: &Files) -> usize {
        self.marks += 1;
        let mark = self.marks;
        let time = NOW - 1_000_000 + i64::try_from(mark).unwrap() * 100;
        let out = &mut self.stream;
        writeln!(out, "commit refs/heads/{branch}\nmark :{mark}").unwrap();
        writeln!(out, "author Ann Author{mark} <a{mark}@example.org> {time} +0130").unwrap();
        writeln!(out, "committer Com Mitter <c@example.org> {} -0800", time + 7).unwrap();
        writeln!(out, "data {}\n{message}", message.len()).unwrap();
        for (number, parent) in parents.iter().enumerate() {
            writeln!(out, "{} :{parent}", if number == 0 { "from" } else { "merge" }).unwrap();
        }
        writeln!(out, "deleteall").unwrap();
        for (path, (executable, lines)) in files {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mode = if *executable { 755 } else { 644 };
            writeln!(out, "M 100{mode} inline {path}\ndata {}\n{text}", text.len()).unwrap();
        }
        mark
    }

    /// Writes what was added so far; the ids of all marks, from 1.
    fn import(&mut self) -> Vec<String> {
        let marks = self.dir.path().join("marks");
        let option = format!("--export-marks={}", marks.display());
        git_with(
            &self.path(),
            &["fast-import", "--quiet", "--force", &option],
            &self.stream,
        );
        let text = std::fs::read_to_string(marks).unwrap();
        let mut ids = vec![String::new(); self.marks + 1];
        for line in text.lines() {
            let (mark, id) = line.split_once(' ').unwrap();
            ids[mark[1..].parse::<usize>().unwrap()] = id.to_owned();
        }
        ids
    }

    fn pick(&self, onto: &str, picks: &[Pick]) -> PickedList {
        let list = PickList {
            onto,
            picks,
            time: UtcTime::from_unix(NOW).unwrap(),
            stop_at_conflict: false,
        };
        self.picking().pick(&self.path(), &list).unwrap()
    }

    /// What `git cherry-pick -x` makes of the same picks, one after the other, in a work tree of its own.
    fn pick_by_git(&self, onto: &str, picks: &[Pick]) -> Vec<Picked> {
        let tree = self.dir.path().join("by-git");
        let place = tree.display().to_string();
        git(
            &self.path(),
            &["worktree", "add", "-q", "--detach", "-f", &place, onto],
        );
        let outcomes = picks.iter().map(|pick| pick_one_by_git(&tree, pick)).collect();
        git(&self.path(), &["worktree", "remove", "--force", &place]);
        outcomes
    }
}

fn pick_one_by_git(tree: &Path, pick: &Pick) -> Picked {
    let number = pick.mainline.map(|number| number.to_string());
    let mut args = vec!["cherry-pick", "-x"];
    if let Some(number) = &number {
        args.extend(["-m", number]);
    }
    args.push(&pick.commit);
    let output = run(tree, &args, "");
    if output.status.success() {
        return Picked::Commit(git(tree, &["rev-parse", "HEAD"]));
    }
    let unmerged = git(tree, &["diff", "--name-only", "--diff-filter=U"]);
    git(tree, &["cherry-pick", "--skip"]);
    if unmerged.is_empty() {
        return Picked::Empty;
    }
    let mut paths: Vec<String> = unmerged.lines().map(str::to_owned).collect();
    paths.sort();
    Picked::Conflict { paths }
}

fn one(commit: &str) -> Pick {
    Pick::of(commit)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn of<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }
}

/// A line as source code has them: many are unique, some stand everywhere.
fn line(random: &mut Random) -> String {
    match random.below(4) {
        0 => "}".to_owned(),
        1 => String::new(),
        _ => format!("    call_{}();", random.below(10_000)),
    }
}

/// One commit's worth of changes: most of them edits, some of the tree.
fn change(random: &mut Random, files: &mut Files) {
    let paths: Vec<String> = files.keys().cloned().collect();
    let path = random.of(&paths).clone();
    match random.below(20) {
        0 => {
            let name = format!("dir{}/new{}", random.below(4), random.below(1000));
            let lines = (0..12).map(|_| line(random)).collect();
            files.insert(name, (false, lines));
        }
        1 if files.len() > 4 => drop(files.remove(&path)),
        2 => {
            let (_, lines) = files.remove(&path).unwrap();
            files.insert(
                format!("dir{}/moved{}", random.below(4), random.below(1000)),
                (false, lines),
            );
        }
        3 => files.get_mut(&path).unwrap().0 ^= true,
        4 if random.below(3) == 0 => {
            let from = format!("dir{}/", random.below(4));
            let moved: Vec<_> = paths.iter().filter(|path| path.starts_with(&from)).collect();
            let to = format!("dir{}/sub{}/", random.below(4), random.below(9));
            for path in moved {
                let file = files.remove(path).unwrap();
                files.insert(format!("{to}{}", &path[from.len()..]), file);
            }
        }
        _ => {
            for _ in 0..=random.below(2) {
                let lines = &mut files.get_mut(&path).unwrap().1;
                let at = random.below(lines.len() + 1);
                match random.below(4) {
                    0 if at < lines.len() => drop(lines.remove(at)),
                    1 if at < lines.len() => lines[at] = line(random),
                    _ => lines.insert(at, line(random)),
                }
            }
        }
    }
}

const ENDINGS: [&str; 7] = [
    "",
    "\n",
    "\n\nBecause of that.\n",
    "\n\nBecause of that.\n\nSigned-off-by: A <a@example.org>\nnot a trailer\n",
    "\n\nRefs: #12\nReviewed-by: B\n",
    "\n\nRefs: #12\n  continued\nno trailer\n",
    "\n\n(cherry picked from commit 1111111111111111111111111111111111111111)\n",
];

/// A history of two branches, with merges on `main`, and what of it is picked.
fn random_history(random: &mut Random) -> (Repo, Vec<String>, usize, Vec<(usize, bool)>) {
    let mut repo = Repo::new();
    let mut files = Files::new();
    for number in 0..10 {
        let lines = (0..30).map(|_| line(random)).collect();
        files.insert(format!("dir{}/file{number}", number % 4), (false, lines));
    }
    let fork = repo.commit("main", "feat: start", &[], &files);
    let (mut on_line, mut tip) = (files.clone(), fork);
    for number in 0..4 {
        change(random, &mut on_line);
        tip = repo.commit("line", &format!("fix: only here {number}"), &[tip], &on_line);
    }
    let (mut main, mut picks) = (fork, Vec::new());
    for number in 0..24 {
        let before = (main, files.clone());
        change(random, &mut files);
        let message = format!("fix: number {number}{}", random.of(&ENDINGS));
        let made = repo.commit("main", &message, &[main], &files);
        let merge = random.below(6) == 0;
        main = if merge {
            repo.commit("main", "Merge pull request #7", &[before.0, made], &files)
        } else {
            made
        };
        if files != before.1 && random.below(3) > 0 {
            picks.push((main, merge));
        }
    }
    let ids = repo.import();
    (repo, ids, tip, picks)
}

#[test]
fn random_picks_are_what_git_makes_of_them() {
    let mut seen = [0; 3];
    for seed in 0..5 {
        let (repo, ids, line, chosen) = random_history(&mut Random(seed));
        let picks: Vec<Pick> = chosen
            .iter()
            .map(|(mark, merge)| Pick {
                commit: ids[*mark].clone(),
                mainline: merge.then_some(1),
                moved: false,
            })
            .collect();
        let expected = repo.pick_by_git(&ids[line], &picks);
        let found = repo.pick(&ids[line], &picks).picked;
        for (number, pick) in picks.iter().enumerate() {
            let context = format!("seed {seed}, pick {number} of {}", pick.commit);
            match (&expected[number], &found[number]) {
                (Picked::Conflict { .. }, Picked::Conflict { paths }) => {
                    assert!(!paths.is_empty(), "{context}");
                    seen[2] += 1;
                }
                (expected, found) => {
                    // The same commit id: tree, parent, author, date, message and committer are the same.
                    assert_eq!(expected, found, "{context}");
                    seen[usize::from(*found == Picked::Empty)] += 1;
                }
            }
        }
    }
    assert!(
        seen[0] > 30 && seen[2] > 5,
        "the histories are too tame: {seen:?}"
    );
}

/// A file of numbered lines, some of them replaced.
fn numbered(replaced: &[(usize, &str)]) -> Files {
    let mut lines: Vec<String> = (1..=30).map(|number| format!("line {number}")).collect();
    for (number, text) in replaced {
        lines[number - 1] = (*text).to_owned();
    }
    Files::from([("code.rs".to_owned(), (false, lines))])
}

/// `main` changes line 5, then line 6; `line` has neither.
fn two_fixes() -> (Repo, Vec<String>) {
    let mut repo = Repo::new();
    let base = repo.commit("main", "feat: start", &[], &numbered(&[]));
    repo.commit(
        "line",
        "chore: the line",
        &[base],
        &numbered(&[(20, "of the line")]),
    );
    let first = repo.commit("main", "fix: five", &[base], &numbered(&[(5, "five")]));
    repo.commit(
        "main",
        "fix: six\n\nRefs: #6\n",
        &[first],
        &numbered(&[(5, "five"), (6, "six")]),
    );
    let ids = repo.import();
    (repo, ids)
}

#[test]
fn a_bare_repository_is_enough() {
    let (repo, ids) = two_fixes();
    let bare = repo.dir.path().join("bare.git");
    git(
        &repo.path(),
        &["clone", "-q", "--bare", ".", &bare.display().to_string()],
    );
    git(&bare, &["config", "user.name", "Picker"]);
    git(&bare, &["config", "user.email", "p@example.org"]);
    let picks = [one(&ids[3]), one(&ids[4])];
    let list = PickList {
        onto: &ids[2],
        picks: &picks,
        time: UtcTime::from_unix(NOW).unwrap(),
        stop_at_conflict: true,
    };
    let found = repo.picking().pick(&bare, &list).unwrap();
    assert_eq!(found.picked, repo.pick_by_git(&ids[2], &picks));
    git(&bare, &["update-ref", "refs/heads/line", &found.tip]);
    // A real merge leaves the commits behind that git was given to merge; nothing names them.
    assert_eq!(git(&bare, &["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn roots_and_merges_are_picked_as_git_does_it() {
    let mut repo = Repo::new();
    let base = repo.commit("main", "feat: start", &[], &numbered(&[]));
    let other: Files = [("other".to_owned(), (true, vec!["one".to_owned()]))].into();
    let root = repo.commit("other", "feat: from elsewhere", &[], &other);
    let ids = repo.import();
    let picks = [one(&ids[root])];
    assert_eq!(
        repo.pick(&ids[base], &picks).picked,
        repo.pick_by_git(&ids[base], &picks)
    );
    let list = |pick: Pick| {
        let list = PickList {
            onto: &ids[base],
            picks: &[pick],
            time: UtcTime::from_unix(NOW).unwrap(),
            stop_at_conflict: false,
        };
        repo.picking().pick(&repo.path(), &list)
    };
    let no_merge = list(Pick {
        mainline: Some(1),
        ..one(&ids[base])
    })
    .unwrap_err();
    assert!(no_merge.reason.contains("no parent 1"), "{no_merge}");
}

#[test]
fn messages_in_latin_1_become_utf_8() {
    let (repo, ids) = two_fixes();
    let tree = git(&repo.path(), &["rev-parse", &format!("{}^{{tree}}", ids[3])]);
    let head = format!(
        "tree {tree}\nparent {}\nauthor A <a@example.org> 5 -0000\ncommitter A <a@example.org> 5 -0000\nencoding ISO-8859-1\n\nfix: na",
        ids[1]
    );
    let mut raw = head.into_bytes();
    raw.extend_from_slice(b"\xefve\n");
    let file = repo.dir.path().join("raw");
    std::fs::write(&file, raw).unwrap();
    let args = ["hash-object", "-t", "commit", "-w", &file.display().to_string()];
    let picks = [one(&git(&repo.path(), &args))];
    assert_eq!(
        repo.pick(&ids[2], &picks).picked,
        repo.pick_by_git(&ids[2], &picks)
    );
}

impl Repo {
    /// The second fix, without the first, in a work tree.
    fn conflict<T>(&self, ids: &[String], then: impl FnOnce(&Path, &ConflictTree<'_>) -> T) -> T {
        let pick = one(&ids[4]);
        let found = self.pick(&ids[2], std::slice::from_ref(&pick)).picked;
        assert_eq!(
            found,
            [Picked::Conflict {
                paths: vec!["code.rs".to_owned()]
            }]
        );
        let dir = self.dir.path().join("conflict");
        let conflict = ConflictTree {
            dir: &dir,
            onto: &ids[2],
            pick: &pick,
        };
        self.picking().prepare_conflict(&self.path(), &conflict).unwrap();
        then(&dir, &conflict)
    }

    fn look(&self, conflict: &ConflictTree<'_>) -> Option<ConflictState> {
        self.picking().look_at_conflict(conflict).unwrap()
    }

    fn finish(&self, conflict: &ConflictTree<'_>) -> vrel_world::Result<Picked> {
        self.picking()
            .finish_conflict(&self.path(), conflict, UtcTime::from_unix(NOW).unwrap())
    }
}

#[test]
fn a_conflict_waits_in_a_work_tree_and_is_finished_from_it() {
    let (repo, ids) = two_fixes();
    repo.conflict(&ids, |dir, conflict| {
        let paths = vec!["code.rs".to_owned()];
        assert_eq!(
            repo.look(conflict),
            Some(ConflictState::Unresolved { paths: paths.clone() })
        );
        assert_eq!(git(dir, &["rev-parse", "CHERRY_PICK_HEAD"]), ids[4]);
        assert_eq!(git(dir, &["ls-files", "--unmerged"]).lines().count(), 3);
        let marked = std::fs::read_to_string(dir.join("code.rs")).unwrap();
        assert!(
            marked.contains("<<<<<<< HEAD") && marked.contains("(fix: six)"),
            "{marked}"
        );
        assert!(repo.finish(conflict).unwrap_err().reason.contains("code.rs"));

        let resolved: String = numbered(&[(6, "six"), (20, "of the line")])["code.rs"]
            .1
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(dir.join("code.rs"), &resolved).unwrap();
        git(dir, &["add", "code.rs"]);
        assert_eq!(repo.look(conflict), Some(ConflictState::Staged));
        std::fs::write(dir.join("code.rs"), "something else\n").unwrap();
        assert_eq!(repo.look(conflict), Some(ConflictState::Unstaged { paths }));
        std::fs::write(dir.join("code.rs"), &resolved).unwrap();

        let Picked::Commit(made) = repo.finish(conflict).unwrap() else {
            panic!("no commit")
        };
        // What the person would have got from git.
        git(dir, &["cherry-pick", "--continue"]);
        assert_eq!(git(dir, &["rev-parse", "HEAD"]), made);
        let committed = ConflictState::Committed { commit: made.clone() };
        assert_eq!(repo.look(conflict), Some(committed));
        assert_eq!(repo.finish(conflict).unwrap(), Picked::Commit(made));

        git(dir, &["commit", "-q", "--amend", "-m", "fix: six, by hand"]);
        let Picked::Commit(made) = repo.finish(conflict).unwrap() else {
            panic!("no commit")
        };
        let message = git(dir, &["log", "-1", "--format=%B", &made]);
        assert_eq!(
            message,
            format!("fix: six, by hand\n\n(cherry picked from commit {})", ids[4])
        );

        repo.picking().remove_conflict(&repo.path(), dir).unwrap();
        assert_eq!(repo.look(conflict), None);
        assert_eq!(git(&repo.path(), &["worktree", "list"]).lines().count(), 1);
    });
}

#[test]
fn a_pick_that_the_person_gave_up_is_told_apart() {
    let (repo, ids) = two_fixes();
    repo.conflict(&ids, |dir, conflict| {
        git(dir, &["cherry-pick", "--abort"]);
        assert_eq!(repo.look(conflict), Some(ConflictState::GivenUp));
        assert_eq!(repo.finish(conflict).unwrap(), Picked::Empty);
    });
}

#[test]
fn commits_that_touch_a_file_are_found_oldest_first() {
    let (repo, ids) = two_fixes();
    let touching = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        repo.picking()
            .touching(&repo.path(), &[&ids[2]], &ids[4], &paths)
            .unwrap()
    };
    assert_eq!(touching(&["code.rs"]), [ids[3].clone(), ids[4].clone()]);
    assert_eq!(touching(&["other"]), [""; 0]);
}

#[test]
fn a_checked_out_branch_moves_with_its_work_tree() {
    let (repo, ids) = two_fixes();
    let path = repo.path();
    git(&path, &["checkout", "-q", "-f", "line"]);
    let tip = repo.pick(&ids[2], &[one(&ids[3])]).tip;
    std::fs::write(path.join("code.rs"), "a person's work\n").unwrap();
    let move_it = || repo.picking().fast_forward(&path, &tip);
    assert_eq!(move_it().unwrap_err().kind, ErrorKind::Rejected);
    assert_eq!(
        std::fs::read_to_string(path.join("code.rs")).unwrap(),
        "a person's work\n"
    );
    git(&path, &["checkout", "-q", "-f"]);
    move_it().unwrap();
    assert_eq!(git(&path, &["status", "--porcelain"]), "");
    assert_eq!(git(&path, &["rev-parse", "HEAD"]), tip);
    assert_eq!(repo.picking().committer(&path).unwrap(), "Picker <p@example.org>");
}

#[test]
fn a_pick_that_moves_keeps_its_message() {
    let (repo, ids) = two_fixes();
    let first = repo.pick(&ids[2], &[one(&ids[3])]).tip;
    let moved = Pick {
        moved: true,
        ..one(&first)
    };
    let tip = repo.pick(&ids[1], &[moved]).tip;
    let message = |id: &str| git(&repo.path(), &["log", "-1", "--format=%an %ad %B", id]);
    assert_eq!(message(&tip), message(&first));
    assert_ne!(tip, first);
}

#[test]
fn a_merge_that_is_tried_changes_nothing_and_says_what_git_would() {
    let (mut repo, ids) = two_fixes();
    let refs = git(&repo.path(), &["show-ref"]);
    let try_merge =
        |repo: &Repo, ours: &str, theirs: &str| repo.picking().try_merge(&repo.path(), ours, theirs);
    assert_eq!(try_merge(&repo, &ids[4], &ids[2]).unwrap(), TrialMerge::Clean);
    assert_eq!(try_merge(&repo, &ids[4], &ids[1]).unwrap(), TrialMerge::Clean);
    assert_eq!(git(&repo.path(), &["show-ref"]), refs);
    assert_eq!(git(&repo.path(), &["ls-files"]), "");

    let mut against = numbered(&[(5, "another five")]);
    against.insert("é b/new".to_owned(), (false, vec!["theirs".to_owned()]));
    let mut also = numbered(&[(5, "five"), (6, "six")]);
    also.insert("é b/new".to_owned(), (false, vec!["ours".to_owned()]));
    let theirs = repo.commit("against", "fix: five otherwise", &[1], &against);
    let ours = repo.commit("also", "feat: new", &[4], &also);
    let unrelated = repo.commit("unrelated", "feat: from nothing", &[], &numbered(&[]));
    let ids = repo.import();
    let conflicts = TrialMerge::Conflicts {
        paths: vec!["code.rs".to_owned(), "é b/new".to_owned()],
    };
    assert_eq!(try_merge(&repo, &ids[ours], &ids[theirs]).unwrap(), conflicts);
    assert_eq!(
        try_merge(&repo, &ids[4], &ids[unrelated]).unwrap(),
        TrialMerge::Unrelated
    );
    let unknown = "0123456789012345678901234567890123456789";
    assert!(try_merge(&repo, &ids[4], unknown).is_err());
}

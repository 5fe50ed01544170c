//! The records' branch against a real bare remote: two people at once, replies that get lost, remotes that refuse, and
//! every effect going wrong in turn.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use vrel_engine::records::{Changed, Records};
use vrel_engine::{EngineError, Site};
use vrel_model::{Config, toml_file};
use vrel_testkit::{Fault, Faulty, Mode};
use vrel_world::{FileEdit, RealWorld, World};

const PATH: &str = "lines/0.6/freeze.toml";

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

impl Repos {
    /// A bare remote and two clones, `one` and `two`.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
        for name in ["one", "two"] {
            git(dir.path(), &["init", "-q", "-b", "main", name]);
            let repo = dir.path().join(name);
            git(&repo, &["remote", "add", "origin", "../remote.git"]);
            git(&repo, &["config", "user.name", name]);
            git(&repo, &["config", "user.email", &format!("{name}@example.org")]);
        }
        let text = include_str!("../scene/vrel.toml");
        Self {
            dir,
            world: RealWorld::default(),
            config: toml_file::parse(Path::new("vrel.toml"), text).unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn site(&self, name: &str) -> Site {
        Site::new(&self.path(name), &self.config)
    }

    fn write(&self, name: &str, path: &str, content: &str) -> Result<Changed, EngineError> {
        let site = self.site(name);
        Records::new(&self.world, &site, &self.config)
            .change("write\n", &mut |_| Ok(vec![file(path, content)]))
    }

    fn read(&self, name: &str, path: &str) -> Option<String> {
        let site = self.site(name);
        let bytes = Records::new(&self.world, &site, &self.config).read(path).unwrap();
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    fn on_remote(&self, path: &str) -> String {
        git(&self.path("remote.git"), &["show", &format!("records:{path}")])
    }

    fn commits_on_remote(&self) -> usize {
        let count = git(&self.path("remote.git"), &["rev-list", "--count", "records"]);
        count.parse().unwrap()
    }

    /// Installs a hook of the remote.
    fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("remote.git/hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn file(path: &str, content: &str) -> FileEdit {
    FileEdit::Write {
        path: path.to_owned(),
        content: content.into(),
    }
}

#[test]
fn the_first_record_starts_a_history_of_its_own() {
    let repos = Repos::new();
    let one = repos.path("one");
    git(&one, &["commit", "-q", "--allow-empty", "-m", "feat: start"]);
    assert_eq!(repos.read("one", PATH), None);
    let changed = repos.write("one", PATH, "a\n").unwrap();
    assert!(changed.pushed);
    assert_eq!(repos.on_remote(PATH), "a");
    assert_eq!(
        git(&one, &["rev-list", "--parents", "records"]),
        changed.commit.clone().unwrap(),
        "one commit without a parent"
    );
    assert_eq!(
        git(&one, &["status", "--porcelain"]),
        "",
        "the work tree is left alone"
    );
    git(&repos.path("remote.git"), &["fsck", "--strict"]);

    // Once more is nothing.
    assert!(repos.write("one", PATH, "a\n").unwrap().is_nothing());
    assert_eq!(repos.commits_on_remote(), 1);

    // The other clone reads what it has seen, and says which that is.
    assert_eq!(repos.read("two", PATH), None);
    let site = repos.site("two");
    let records = Records::new(&repos.world, &site, &repos.config);
    records.refresh().unwrap();
    std::fs::rename(repos.path("remote.git"), repos.path("away.git")).unwrap();
    assert_eq!(repos.read("two", PATH).as_deref(), Some("a\n"));
    let state = records.state().unwrap();
    assert_eq!((state.tip, state.pushed), (changed.commit, true));
    assert!(state.time.is_some());
    assert_eq!(records.list("lines").unwrap(), [PATH]);
    assert_eq!(records.list("line").unwrap(), [""; 0]);
    // Without the remote nothing can be decided, and nothing is.
    let before = git(site.root(), &["for-each-ref"]);
    repos.write("two", PATH, "b\n").unwrap_err();
    assert_eq!(git(site.root(), &["for-each-ref"]), before);
}

#[test]
fn files_are_removed_and_empty_directories_with_them() {
    let repos = Repos::new();
    repos.write("one", PATH, "a\n").unwrap();
    repos.write("one", "releases/0.6.0/record.toml", "b\n").unwrap();
    let site = repos.site("one");
    let records = Records::new(&repos.world, &site, &repos.config);
    let remove = || {
        records.change("remove\n", &mut |_| {
            let path = PATH.to_owned();
            Ok(vec![
                FileEdit::Remove { path },
                FileEdit::Remove { path: "none".into() },
            ])
        })
    };
    assert!(remove().unwrap().commit.is_some());
    assert!(remove().unwrap().is_nothing());
    assert_eq!(records.list("").unwrap(), ["releases/0.6.0/record.toml"]);
    let names = git(&repos.path("remote.git"), &["ls-tree", "--name-only", "records"]);
    assert_eq!(names, "releases");
    git(&repos.path("remote.git"), &["fsck", "--strict"]);
}

#[test]
fn of_two_at_once_one_wins_and_the_other_decides_on_what_it_left() {
    let repos = Repos::new();
    for first in [true, false] {
        let path = format!("lines/{first}.toml");
        if first {
            // The very first record of both: two root commits at once.
            assert!(git(&repos.path("remote.git"), &["for-each-ref"]).is_empty());
        }
        let (site, mut seen) = (repos.site("one"), Vec::new());
        let records = Records::new(&repos.world, &site, &repos.config);
        let changed = records.change("both\n", &mut |view| {
            let there = view.read_text(&path)?;
            if seen.is_empty() {
                repos.write("two", &path, "two\n")?;
            }
            seen.push(there.clone());
            Ok(vec![file(&path, &format!("{}one\n", there.unwrap_or_default()))])
        });
        assert!(changed.unwrap().pushed);
        assert_eq!(seen, [None, Some("two\n".to_owned())]);
        assert_eq!(repos.on_remote(&path), "two\none");
    }
    assert_eq!(repos.commits_on_remote(), 4);

    // Who finds that the other decided otherwise is told so, and nothing of theirs is there.
    let site = repos.site("one");
    let mut first = true;
    let told = Records::new(&repos.world, &site, &repos.config).change("late\n", &mut |view| {
        if std::mem::take(&mut first) {
            repos.write("two", PATH, "two was here\n")?;
        }
        match view.read_text(PATH)? {
            Some(there) => Err(EngineError::Refused {
                message: there,
                hint: None,
            }),
            None => Ok(vec![file(PATH, "one\n")]),
        }
    });
    assert_eq!(told.unwrap_err().to_string(), "two was here\n");
    assert_eq!(repos.on_remote(PATH), "two was here");
    assert_eq!(repos.commits_on_remote(), 5);
}

#[test]
fn a_remote_that_refuses_changes_nothing_here() {
    let repos = Repos::new();
    repos.write("one", PATH, "a\n").unwrap();
    let before = git(&repos.path("one"), &["for-each-ref"]);
    repos.hook("pre-receive", "echo 'no pushes on Sundays' >&2; exit 1");
    let mut asked = 0;
    let site = repos.site("one");
    let refused = Records::new(&repos.world, &site, &repos.config).change("b\n", &mut |_| {
        asked += 1;
        Ok(vec![file(PATH, "b\n")])
    });
    let refused = refused.unwrap_err();
    assert!(refused.to_string().contains("no pushes on Sundays"), "{refused}");
    assert!(refused.hint().unwrap().contains("`records`"));
    assert_eq!(asked, 1, "asking again would not help");
    assert_eq!(git(&repos.path("one"), &["for-each-ref"]), before);
}

#[test]
fn local_commits_are_pushed_along_and_never_lost() {
    let repos = Repos::new();
    let one = repos.path("one");
    git(&one, &["remote", "remove", "origin"]);
    let alone = repos.write("one", PATH, "alone\n").unwrap();
    assert!(alone.commit.is_some() && !alone.pushed);
    git(&one, &["remote", "add", "origin", "../remote.git"]);
    let along = repos.write("one", PATH, "alone\n").unwrap();
    assert!(along.commit.is_none() && along.pushed, "{along:?}");
    assert_eq!(repos.on_remote(PATH), "alone");

    // Edited by hand in a work tree, on the branch itself.
    let by_hand = repos.path("by-hand");
    git(
        &one,
        &["worktree", "add", "-q", by_hand.to_str().unwrap(), "records"],
    );
    std::fs::write(by_hand.join("note"), "by hand\n").unwrap();
    git(&by_hand, &["add", "."]);
    git(&by_hand, &["commit", "-q", "-m", "by hand"]);
    repos.write("one", PATH, "more\n").unwrap();
    assert_eq!(
        (repos.on_remote("note"), repos.on_remote(PATH)),
        ("by hand".into(), "more".into())
    );
    assert_eq!(repos.read("one", PATH).as_deref(), Some("more\n"));
    assert_eq!(
        git(&by_hand, &["status", "--porcelain"]),
        "",
        "the work tree agrees with its branch"
    );
    git(&by_hand, &["merge", "-q", "--ff-only", "origin/records"]);

    // Both sides have what the other lacks: told, and nothing touched.
    repos.write("two", PATH, "two\n").unwrap();
    git(
        &by_hand,
        &["commit", "-q", "--allow-empty", "-m", "again by hand"],
    );
    let told = repos.write("one", PATH, "one\n").unwrap_err();
    assert!(
        told.hint().unwrap().contains("git rebase origin/records records"),
        "{told}"
    );
    assert_eq!(repos.on_remote(PATH), "two");
    git(&by_hand, &["rebase", "-q", "origin/records"]);
    repos.write("one", PATH, "one\n").unwrap();
    assert_eq!(repos.on_remote(PATH), "one");
    assert_eq!(
        git(
            &repos.path("remote.git"),
            &["log", "-1", "--skip=1", "--format=%s", "records"]
        ),
        "again by hand"
    );
}

#[test]
fn a_branch_that_the_remote_lost_comes_back() {
    let repos = Repos::new();
    repos.write("one", PATH, "a\n").unwrap();
    let site = repos.site("two");
    Records::new(&repos.world, &site, &repos.config)
        .refresh()
        .unwrap();
    git(
        &repos.path("remote.git"),
        &["update-ref", "-d", "refs/heads/records"],
    );
    // `two` has it as a remote-tracking branch only.
    let changed = repos.write("two", "lines/0.7/freeze.toml", "b\n").unwrap();
    assert!(changed.pushed);
    assert_eq!(
        (repos.on_remote(PATH), repos.commits_on_remote()),
        ("a".into(), 2)
    );
}

#[test]
fn without_a_remote_the_branch_must_not_be_checked_out() {
    let repos = Repos::new();
    let one = repos.path("one");
    git(&one, &["remote", "remove", "origin"]);
    repos.write("one", PATH, "a\n").unwrap();
    git(&one, &["switch", "-q", "records"]);
    let told = repos.write("one", PATH, "b\n").unwrap_err().to_string();
    assert!(told.contains("is checked out in"), "{told}");
    assert_eq!(repos.read("one", PATH).as_deref(), Some("a\n"));
}

#[test]
fn whatever_goes_wrong_doing_it_again_records_it_once() {
    let reference = Repos::new();
    reference.write("one", "other", "0\n").unwrap();
    let run = |repos: &Repos, world: &dyn World| {
        let site = repos.site("one");
        Records::new(world, &site, &repos.config).change("a\n", &mut |_| Ok(vec![file(PATH, "a\n")]))
    };
    let counting = Faulty::new(&reference.world, None);
    run(&reference, &counting).unwrap();
    let trace = counting.trace();
    assert_eq!(
        trace,
        [
            "fetch",
            "write commit",
            "push commit refs/heads/records",
            "set refs/heads/records"
        ]
    );
    // A death before an effect leaves what an error at it does; one after it, what a death before the next does.
    for mode in [Mode::Error, Mode::LostReply, Mode::KillWithin] {
        for (at, what) in trace.iter().enumerate() {
            let when = format!("{mode:?} at {what}");
            let repos = Repos::new();
            repos.write("one", "other", "0\n").unwrap();
            let faulty = Faulty::new(&repos.world, Some(Fault { at, mode }));
            let first = run(&repos, &faulty);
            // The same process looks whether a push arrived; everything else is an error.
            let arrived = mode == Mode::LostReply && what.starts_with("push");
            assert_eq!(first.is_ok(), arrived, "{when}: {first:?}");
            run(&repos, &repos.world).unwrap_or_else(|error| panic!("{when}: {error}"));
            assert_eq!(
                (repos.on_remote(PATH), repos.commits_on_remote()),
                ("a".into(), 2),
                "{when}"
            );
            let refs = git(&repos.path("one"), &["for-each-ref", "--format=%(objectname)"]);
            let tip = git(&repos.path("remote.git"), &["rev-parse", "records"]);
            assert_eq!(refs, format!("{tip}\n{tip}"), "{when}");
        }
    }
}

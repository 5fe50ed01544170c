//! The git side of the world against real repositories and a real bare remote.

use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use vrel_model::UtcTime;
use vrel_world::{ErrorKind, FileCommit, NewTag, PushRef, RealWorld, TreeFileKind, World};

struct Repos {
    dir: TempDir,
    world: RealWorld,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repos() -> Repos {
    let dir = tempfile::tempdir().unwrap();
    let repo = dir.path().join("repo");
    std::fs::create_dir_all(repo.join("sub")).unwrap();
    git(dir.path(), &["init", "-q", "--bare", "-b", "main", "remote.git"]);
    git(&repo, &["init", "-q", "-b", "main"]);
    for (key, value) in [
        ("user.name", "Tester"),
        ("user.email", "t@example.org"),
        ("commit.gpgSign", "false"),
    ] {
        git(&repo, &["config", key, value]);
    }
    git(&repo, &["remote", "add", "origin", "../remote.git"]);
    std::fs::write(repo.join("file"), "one\n").unwrap();
    std::fs::write(repo.join("sub/run"), "#!/bin/sh\n").unwrap();
    git(&repo, &["add", "."]);
    git(&repo, &["update-index", "--chmod=+x", "sub/run"]);
    git(&repo, &["commit", "-q", "-m", "feat: start"]);
    git(&repo, &["checkout", "-q", "-f", "HEAD"]);
    Repos {
        dir,
        world: RealWorld::default(),
    }
}

impl Repos {
    fn repo(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    fn head(&self) -> String {
        git(&self.repo(), &["rev-parse", "HEAD"])
    }
}

fn time() -> UtcTime {
    UtcTime::from_unix(1_795_230_000).unwrap()
}

#[test]
fn a_repository_is_described() {
    let repos = repos();
    let (repo, git_world) = (repos.repo(), repos.world.git());
    assert_eq!(
        git_world
            .discover(&repo.join("sub"))
            .unwrap()
            .canonicalize()
            .unwrap(),
        repo.canonicalize().unwrap()
    );
    let head = git_world.head(&repo).unwrap();
    assert_eq!(
        (head.branch.as_deref(), head.commit),
        (Some("main"), Some(repos.head()))
    );
    assert_eq!(git_world.dirty_paths(&repo).unwrap(), Vec::<String>::new());
    std::fs::write(repo.join("file"), "two\n").unwrap();
    std::fs::write(repo.join("new"), "").unwrap();
    assert_eq!(git_world.dirty_paths(&repo).unwrap(), ["file", "new"]);
    assert!(!git_world.is_shallow(&repo).unwrap());
    git(&repo, &["checkout", "-q", "--detach"]);
    assert_eq!(git_world.head(&repo).unwrap().branch, None);
    assert_eq!(
        git_world.remote_url(&repo, "origin").unwrap().as_deref(),
        Some("../remote.git")
    );
    assert_eq!(git_world.remote_url(&repo, "none").unwrap(), None);
    let file = git_world.file_at(&repo, &repos.head(), "file").unwrap();
    assert_eq!(file.as_deref(), Some(&b"one\n"[..]));
    assert_eq!(git_world.file_at(&repo, &repos.head(), "none").unwrap(), None);
}

#[test]
fn an_export_is_the_commit_and_nothing_else() {
    let repos = repos();
    let out = repos.dir.path().join("out");
    std::fs::create_dir_all(out.join("old/deep")).unwrap();
    std::fs::write(out.join("old/deep/file"), "stale").unwrap();
    std::fs::write(out.join("file"), "one\n").unwrap();
    let before = std::fs::metadata(out.join("file")).unwrap().modified().unwrap();
    repos
        .world
        .git()
        .export(&repos.repo(), &repos.head(), &out)
        .unwrap();
    assert!(!out.join("old").exists());
    assert_eq!(
        std::fs::metadata(out.join("file")).unwrap().modified().unwrap(),
        before,
        "unchanged files stay"
    );
    let mut files = Vec::new();
    let visit = &mut |file: vrel_world::TreeFile<'_>| {
        files.push((file.path.to_owned(), file.kind));
        assert_eq!(std::fs::read(out.join(file.path)).unwrap(), file.content);
        Ok(())
    };
    repos
        .world
        .git()
        .walk_tree(&repos.repo(), &repos.head(), visit)
        .unwrap();
    assert_eq!(
        files,
        [
            ("file".to_owned(), TreeFileKind::File),
            ("sub/run".to_owned(), TreeFileKind::Executable)
        ]
    );
}

#[test]
fn tags_and_branches_reach_the_remote_once() {
    let repos = repos();
    let (repo, git_world) = (repos.repo(), repos.world.git());
    let head = repos.head();
    git_world.create_branch(&repo, "release/0.6", &head).unwrap();
    assert_eq!(
        git_world
            .create_branch(&repo, "release/0.6", &head)
            .unwrap_err()
            .kind,
        ErrorKind::Exists
    );
    let new = NewTag {
        name: "v0.6.0-rc1",
        commit: &head,
        message: "VeridianOS 0.6.0-rc1\n",
        time: time(),
    };
    let object = git_world.create_tag(&repo, &new).unwrap();
    assert_eq!(
        git_world.create_tag(&repo, &new).unwrap_err().kind,
        ErrorKind::Exists
    );
    assert_eq!(git(&repo, &["cat-file", "-t", "v0.6.0-rc1"]), "tag");
    let tags = git_world.tags(&repo).unwrap();
    assert_eq!(
        (tags.len(), &tags[0].object, &tags[0].commit),
        (1, &object, &head)
    );

    let refs = ["refs/heads/release/0.6", "refs/tags/v0.6.0-rc1"].map(|name| PushRef {
        name: name.to_owned(),
        expected: None,
    });
    git_world.push(&repo, "origin", &refs).unwrap();
    let there = git_world.ls_remote(&repo, "origin").unwrap();
    assert_eq!(there["refs/tags/v0.6.0-rc1"], object);
    assert_eq!(there["refs/tags/v0.6.0-rc1^{}"], head);

    git_world
        .delete_ref(&repo, "refs/tags/v0.6.0-rc1", &head)
        .unwrap_err();
    git_world
        .delete_ref(&repo, "refs/tags/v0.6.0-rc1", &object)
        .unwrap();
    git_world
        .delete_ref(&repo, "refs/tags/v0.6.0-rc1", &object)
        .unwrap();
    let other = NewTag {
        message: "another\n",
        ..new
    };
    git_world.create_tag(&repo, &other).unwrap();
    let refused = git_world.push(&repo, "origin", &refs[1..]).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Rejected, "{refused}");
    assert_eq!(
        git_world.ls_remote(&repo, "origin").unwrap()["refs/tags/v0.6.0-rc1"],
        object
    );
}

#[test]
fn a_file_is_committed_once_and_the_work_tree_follows() {
    let repos = repos();
    let (repo, git_world) = (repos.repo(), repos.world.git());
    let parent = repos.head();
    let new = FileCommit {
        branch: "main",
        parent: &parent,
        path: "sub/plan.md",
        content: b"plan\n",
        message: "docs: plan\n",
        time: time(),
    };
    let id = git_world.commit_file(&repo, &new).unwrap();
    assert_eq!(git_world.dirty_paths(&repo).unwrap(), Vec::<String>::new());
    assert_eq!(
        std::fs::read_to_string(repo.join("sub/plan.md")).unwrap(),
        "plan\n"
    );
    assert_eq!(
        git(&repo, &["log", "-1", "--format=%ct %s"]),
        "1795230000 docs: plan"
    );

    // As after a crash between moving the branch and writing the work tree.
    std::fs::remove_file(repo.join("sub/plan.md")).unwrap();
    assert_eq!(git_world.commit_file(&repo, &new).unwrap(), id);
    assert_eq!(git_world.dirty_paths(&repo).unwrap(), Vec::<String>::new());

    // A person's own edit is not overwritten.
    std::fs::write(repo.join("sub/plan.md"), "edited\n").unwrap();
    assert_eq!(git_world.commit_file(&repo, &new).unwrap(), id);
    assert_eq!(
        std::fs::read_to_string(repo.join("sub/plan.md")).unwrap(),
        "edited\n"
    );

    let late = FileCommit {
        content: b"other\n",
        ..new
    };
    assert_eq!(
        git_world.commit_file(&repo, &late).unwrap_err().kind,
        ErrorKind::Rejected
    );
}

#[test]
fn history_is_what_is_not_hidden_with_names_from_the_mailmap() {
    let repos = repos();
    let repo = repos.repo();
    let first = repos.head();
    std::fs::write(
        repo.join(".mailmap"),
        "Real Name <real@example.org> <t@example.org>\n",
    )
    .unwrap();
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-q", "-m", "fix: second\n\nFixes #7"]);
    let mut commits = Vec::new();
    repos
        .world
        .git()
        .history(&repo, &[&first], &repos.head(), &mut |commit| {
            commits.push(commit)
        })
        .unwrap();
    assert_eq!(commits.len(), 1);
    assert_eq!(
        (commits[0].author_name.as_str(), &commits[0].parents),
        ("Real Name", &vec![first.clone()])
    );
    assert_eq!(commits[0].message, "fix: second\n\nFixes #7\n");
    assert!(
        repos
            .world
            .git()
            .is_ancestor(&repo, &first, &repos.head())
            .unwrap()
    );
    assert!(
        !repos
            .world
            .git()
            .is_ancestor(&repo, &repos.head(), &first)
            .unwrap()
    );
}

#[test]
fn merges_are_told_from_changes_made_in_them() {
    let repos = repos();
    let repo = repos.repo();
    let commit = |name: &str, content: &str| {
        std::fs::write(repo.join(name), content).unwrap();
        git(&repo, &["add", "."]);
        git(&repo, &["commit", "-q", "-m", name]);
        repos.head()
    };
    let start = repos.head();
    git(&repo, &["switch", "-q", "-c", "side"]);
    commit("side-file", "side\n");
    git(&repo, &["mv", "sub/run", "moved"]);
    git(&repo, &["commit", "-q", "-m", "move"]);
    let git_world = repos.world.git();
    assert_eq!(
        git_world.changed_paths(&repo, &repos.head()).unwrap(),
        ["moved", "sub/run"]
    );
    assert_eq!(
        git_world.changed_paths(&repo, &start).unwrap(),
        ["file", "sub/run"]
    );
    git(&repo, &["switch", "-q", "main"]);
    commit("file", "two\n");
    git(&repo, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    let objects = || git(&repo, &["count-objects"]);
    let before = objects();
    assert!(git_world.is_plain_merge(&repo, &repos.head()).unwrap());
    assert_eq!(objects(), before, "comparing leaves nothing behind");
    std::fs::write(repo.join("smuggled"), "in a merge\n").unwrap();
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-q", "--amend", "--no-edit"]);
    assert!(!git_world.is_plain_merge(&repo, &repos.head()).unwrap());
    assert!(!git_world.is_plain_merge(&repo, &start).unwrap());

    assert_eq!(
        git_world.revision(&repo, &start[..8]).unwrap().as_ref(),
        Some(&start)
    );
    assert_eq!(git_world.revision(&repo, "HEAD^1^").unwrap(), Some(start));
    assert_eq!(git_world.revision(&repo, "no-such-branch").unwrap(), None);
    assert_eq!(git_world.revision(&repo, "HEAD^{tree}").unwrap(), None);
    git_world.revision(&repo, "^^^").unwrap_err();
}

#[test]
fn a_configured_signing_key_signs_the_tag() {
    let repos = repos();
    let repo = repos.repo();
    let key = repos.dir.path().join("ssh-key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .output()
        .unwrap();
    assert!(made.status.success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = repos.dir.path().join("allowed");
    std::fs::write(&allowed, format!("t@example.org {public}")).unwrap();
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("user.signingkey", key.to_str().unwrap()),
        ("gpg.ssh.allowedSignersFile", allowed.to_str().unwrap()),
    ] {
        git(&repo, &["config", name, value]);
    }
    assert!(repos.world.git().signs_tags(&repo).unwrap());
    let head = repos.head();
    let tag = NewTag {
        name: "v1.0.0-rc1",
        commit: &head,
        message: "first\n",
        time: time(),
    };
    repos.world.git().create_tag(&repo, &tag).unwrap();
    git(&repo, &["verify-tag", "v1.0.0-rc1"]);
}

#[test]
fn the_names_of_tags_are_those_that_git_lists_packed_or_not() {
    let repos = repos();
    let repo = repos.repo();
    let names = |repo: &Path| repos.world.git().tag_names(repo).unwrap();
    assert_eq!(names(&repo), Vec::<String>::new());
    for tag in ["v0.5.0", "deep/er/v1", "gone", "both"] {
        git(&repo, &["tag", "--annotate", "--message", "x", tag]);
    }
    git(&repo, &["pack-refs", "--all"]);
    git(&repo, &["tag", "--delete", "gone"]);
    git(&repo, &["tag", "--force", "both"]);
    git(&repo, &["tag", "loose/é"]);
    std::fs::write(repo.join(".git/refs/tags/v0.6.0.lock"), "").unwrap();
    let listed: Vec<String> = git(&repo, &["tag", "--list"])
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(listed.len(), 4, "{listed:?}");
    assert_eq!(names(&repo), listed);
    let full: Vec<String> = repos
        .world
        .git()
        .tags(&repo)
        .unwrap()
        .into_iter()
        .map(|tag| tag.name)
        .collect();
    assert_eq!(full, listed);
    let tree = repos.dir.path().join("tree");
    git(
        &repo,
        &["worktree", "add", "-q", "--detach", &tree.display().to_string()],
    );
    assert_eq!(names(&tree), listed);
}

//! Which commits the notes of a release tell of, on real repositories.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use vrel_engine::{Edit, EngineError, NotesRange, Site, edit_notes, notes_context, published_notes};
use vrel_model::{Config, UtcTime, Version, toml_file};
use vrel_notes::NotesContext;
use vrel_world::RealWorld;

const CONFIG: &str = include_str!("../../testkit/scene/vrel.toml");

struct Repo(TempDir);

impl Repo {
    fn new() -> Self {
        let repo = Self(tempfile::tempdir().unwrap());
        repo.git(&["init", "-q", "-b", "main"]);
        for (key, value) in [
            ("user.name", "Ada"),
            ("user.email", "ada@example.org"),
            ("commit.gpgSign", "false"),
            ("tag.gpgSign", "false"),
        ] {
            repo.git(&["config", key, value]);
        }
        for file in ["a", "b", "c"] {
            let lines: String = (0..30).map(|line| format!("{file} {line}\n")).collect();
            std::fs::write(repo.0.path().join(file), lines).unwrap();
        }
        repo.git(&["add", "."]);
        repo.git(&["commit", "-q", "-m", "feat: start"]);
        repo
    }

    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.0.path()).args(args);
        let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {args:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Replaces a line of a file and commits that; returns the commit.
    fn change(&self, file: &str, line: usize, message: &str) -> String {
        let path = self.0.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines[line] = message.lines().next().unwrap_or_default().to_owned();
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        self.git(&["commit", "-q", "-a", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn tag(&self, version: &str) {
        self.git(&["tag", "-a", "-m", version, &format!("v{version}")]);
    }

    fn notes(&self, previous: Option<&str>, version: &str) -> Result<NotesContext, EngineError> {
        let config: Config = toml_file::parse(Path::new("vrel.toml"), CONFIG).unwrap();
        let previous: Option<Version> = previous.map(|version| version.parse().unwrap());
        let range = NotesRange {
            version: &version.parse().unwrap(),
            previous: previous.as_ref(),
            commit: &self.git(&["rev-parse", "HEAD"]),
            date: UtcTime::from_unix(1_795_230_000).unwrap(),
            channel: &"stable".parse().unwrap(),
        };
        let site = Site::new(self.0.path(), &config);
        notes_context(&RealWorld::default(), &site, &config, &range, Vec::new())
    }

    /// What the notes list, with the number of commits that the release before has in another form.
    fn listed(&self, previous: Option<&str>, version: &str) -> (Vec<String>, u64) {
        let context = self.notes(previous, version).unwrap();
        let sections = context.features.iter().chain(&context.improvements);
        let entries = sections
            .flat_map(|section| &section.entries)
            .chain(&context.fixes);
        let mut texts: Vec<_> = entries.map(|entry| entry.text.clone()).collect();
        texts.sort();
        (texts, context.commits.contained)
    }
}

#[test]
fn a_backported_fix_is_told_once() {
    let repo = Repo::new();
    repo.tag("0.6.0");
    let plain = repo.change("a", 3, "fix: picked as it is");
    let adapted = repo.change("b", 3, "fix: picked with another result");
    repo.change("c", 20, "feat: only in 0.7");
    repo.git(&["checkout", "-q", "-b", "release/0.6", "v0.6.0"]);
    // Its surroundings differ here, and so does its patch.
    repo.change("b", 4, "fix: only in 0.6");
    repo.git(&["cherry-pick", &plain]);
    assert!(!repo.0.path().join(".git/CHERRY_PICK_HEAD").exists());
    repo.change(
        "b",
        3,
        &format!("fix: picked with another result\n\n(cherry picked from commit {adapted})"),
    );
    repo.tag("0.6.1");
    assert_eq!(repo.listed(Some("0.6.0"), "0.6.1").0.len(), 3);
    repo.git(&["checkout", "-q", "main"]);
    let later = repo.change("c", 3, "fix: after the branch");
    assert_eq!(
        repo.listed(Some("0.6.1"), "0.7.0"),
        (vec!["After the branch".into(), "Only in 0.7".into()], 2)
    );
    // Who comes from 0.6.0 has none of it.
    assert_eq!(repo.listed(Some("0.6.0"), "0.7.0").0.len(), 4);

    // What the line took back again, it does not have.
    repo.git(&["checkout", "-q", "release/0.6"]);
    repo.git(&["cherry-pick", "-x", &later]);
    repo.git(&["revert", "--no-edit", "HEAD"]);
    repo.tag("0.6.2");
    repo.git(&["checkout", "-q", "main"]);
    let after_revert = repo.listed(Some("0.6.2"), "0.7.0");
    assert_eq!(
        after_revert,
        (vec!["After the branch".into(), "Only in 0.7".into()], 2)
    );

    // What was merged is known by its commits.
    repo.git(&["merge", "-q", "-s", "ours", "-m", "merge: 0.6", "release/0.6"]);
    assert_eq!(repo.listed(Some("0.6.2"), "0.7.0").1, 0);
}

#[test]
fn candidate_and_final_of_one_commit_have_their_own_ranges() {
    let repo = Repo::new();
    assert_eq!(repo.listed(None, "0.5.0"), (vec!["Start".into()], 0));
    repo.tag("0.5.0");
    repo.change("a", 3, "fix: first");
    repo.tag("0.6.0-rc1");
    repo.change("a", 20, "fix: second");
    repo.tag("0.6.0-rc2");
    repo.tag("0.6.0");
    assert_eq!(repo.listed(Some("0.6.0-rc1"), "0.6.0-rc2").0, ["Second"]);
    assert_eq!(repo.listed(Some("0.5.0"), "0.6.0").0, ["First", "Second"]);
    assert_eq!(repo.listed(Some("0.6.0"), "0.6.1-rc1"), (Vec::new(), 0));
}

#[test]
fn a_fragment_is_used_up_by_the_first_release_that_has_it() {
    let repo = Repo::new();
    let fragment = |name: &str, text: &str| {
        std::fs::create_dir_all(repo.0.path().join("notes")).unwrap();
        std::fs::write(repo.0.path().join("notes").join(name), text).unwrap();
        repo.git(&["add", "notes"]);
        repo.git(&["commit", "-q", "-m", "docs(plan): a fragment"]);
        repo.git(&["rev-parse", "HEAD"])
    };
    repo.tag("0.6.0");
    let fix = repo.change("a", 3, "fix: the trap frame (#7)");
    let told = fragment(
        "trap.toml",
        &format!(
            "kind = 'fix'\ntext = 'Programs keep their registers.'\nreplaces = ['{}']\n",
            &fix[..10]
        ),
    );
    fragment("README.md", "Not a fragment.\n");
    fragment(
        "slow.toml",
        "kind = 'known-issue'\ntext = 'It is slow.'\nfixed-in = '0.8.0'\n",
    );
    repo.git(&["checkout", "-q", "-b", "release/0.6", "v0.6.0"]);
    repo.git(&["cherry-pick", "-x", &fix]);
    repo.git(&["cherry-pick", &told]);
    assert_eq!(
        repo.listed(Some("0.6.0"), "0.6.1").0,
        ["Programs keep their registers."]
    );
    repo.tag("0.6.1");
    repo.git(&["checkout", "-q", "main"]);
    // To readers of 0.6.0 it is news, to those of 0.6.1 it is not.
    assert_eq!(
        repo.listed(Some("0.6.0"), "0.7.0").0,
        ["Programs keep their registers."]
    );
    let context = repo.notes(Some("0.6.1"), "0.7.0").unwrap();
    assert_eq!((context.fixes.len(), context.commits.contained), (0, 2));
    assert_eq!(context.known_issues[0].text, "It is slow.");
    repo.tag("0.7.0");
    assert_eq!(repo.notes(Some("0.7.0"), "0.7.1").unwrap().known_issues.len(), 1);
    assert!(
        repo.notes(Some("0.7.0"), "0.8.0-rc1")
            .unwrap()
            .known_issues
            .is_empty()
    );

    fragment("wrong.toml", "kind = 'fix'\ntxt = 'x'\n");
    let error = repo.notes(Some("0.7.0"), "0.8.0").unwrap_err().to_string();
    assert!(
        error.starts_with("notes/wrong.toml:2:1: unknown field `txt`"),
        "{error}"
    );
}

#[test]
fn a_history_that_is_cut_off_is_refused() {
    let repo = Repo::new();
    repo.change("a", 3, "fix: first");
    let clone = Repo(tempfile::tempdir().unwrap());
    let from = format!("file://{}", repo.0.path().display());
    clone.git(&["clone", "-q", "--depth", "1", &from, "."]);
    match clone.notes(None, "0.6.0") {
        Err(EngineError::Step {
            message,
            hint,
            conflict,
            ..
        }) => {
            assert_eq!(
                message,
                "this clone is shallow: release notes need the whole history"
            );
            assert_eq!(hint.as_deref(), Some("run `git fetch --unshallow --tags`"));
            assert!(conflict);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_person_edited_survives_what_is_generated_anew() {
    let repo = Repo::new();
    repo.tag("0.5.0");
    repo.change("a", 3, "fix: first");
    let path = repo.0.path().join("notes/0.6.0.md");
    let edit = || {
        let config: Config = toml_file::parse(Path::new("vrel.toml"), CONFIG).unwrap();
        let site = Site::new(repo.0.path(), &config);
        edit_notes(
            &RealWorld::default(),
            &site,
            &repo.notes(Some("0.5.0"), "0.6.0").unwrap(),
        )
    };
    let text = || std::fs::read_to_string(&path).unwrap();
    assert!(matches!(edit(), Ok(Edit::Written(_))));
    assert!(matches!(edit(), Ok(Edit::Unchanged(_))));
    let words = "Everything that a person should know comes first.";
    std::fs::write(
        &path,
        text().replace(
            "## Bug Fixes",
            &format!("## Highlights\n\n{words}\n\n## Bug Fixes"),
        ),
    )
    .unwrap();

    // Another fix: both it and the edit are there.
    repo.change("a", 20, "fix: second");
    assert!(matches!(edit(), Ok(Edit::Merged(_))));
    assert!(
        text().contains(words) && text().contains("- First") && text().contains("- Second"),
        "{}",
        text()
    );

    // The same line edited and generated anew: both are kept, and nothing goes on before somebody decides.
    std::fs::write(&path, text().replace("- First\n", "- First of all\n")).unwrap();
    repo.change("b", 3, "fix: first\n\nFixes #7");
    assert!(matches!(edit(), Ok(Edit::Conflicts(_))));
    let both = text();
    assert!(
        both.contains("<<<<<<< edited\n- First of all\n") && both.contains("#7"),
        "{both}"
    );
    let refused = edit().unwrap_err().to_string();
    assert!(refused.contains("mark of a conflict"), "{refused}");
    assert_eq!(text(), both);

    // Decided and committed: the release tells it so, with its own date above.
    let decided: Vec<_> = both
        .lines()
        .filter(|line| !line.starts_with(['<', '=', '>', '|']))
        .collect();
    std::fs::write(&path, decided.join("\n") + "\n").unwrap();
    repo.git(&["add", "notes"]);
    repo.git(&["commit", "-q", "-m", "docs(release): notes of 0.6.0"]);
    let config: Config = toml_file::parse(Path::new("vrel.toml"), CONFIG).unwrap();
    let site = Site::new(repo.0.path(), &config);
    let context = repo.notes(Some("0.5.0"), "0.6.0").unwrap();
    let head = repo.git(&["rev-parse", "HEAD"]);
    let published = published_notes(&RealWorld::default(), &site, &head, &context).unwrap();
    assert!(
        published.contains(words) && published.contains("- First of all"),
        "{published}"
    );
    assert!(
        published.contains("- **Release date:** 2026-11-21"),
        "{published}"
    );
    // Without the base nothing is guessed.
    std::fs::remove_dir_all(repo.0.path().join("notes/generated")).unwrap();
    assert!(
        edit()
            .unwrap_err()
            .to_string()
            .contains("is not there: get it back from git")
    );
}

#[test]
fn commits_have_the_number_of_the_pull_request_that_brought_them() {
    let repo = Repo::new();
    repo.tag("0.5.0");
    repo.git(&["checkout", "-q", "-b", "usb"]);
    repo.change("a", 1, "feat: usb\n\nCloses #7");
    repo.change("a", 9, "fix: of usb");
    repo.git(&["checkout", "-q", "main"]);
    repo.change("b", 1, "feat: on main (#13)");
    repo.git(&[
        "merge",
        "-q",
        "--no-ff",
        "-m",
        "Merge pull request #12 from ada/usb\n\nUSB (#99)",
        "usb",
    ]);
    repo.change("b", 9, "fix: afterwards");
    let context = repo.notes(Some("0.5.0"), "0.6.0").unwrap();
    let entries = context.features[0].entries.iter().chain(&context.fixes);
    let mut found: Vec<(&str, &[u64])> = entries
        .map(|entry| (entry.text.as_str(), entry.references.as_slice()))
        .collect();
    found.sort_unstable();
    let expected: [(&str, &[u64]); 4] = [
        ("Afterwards", &[]),
        ("Of usb", &[12]),
        ("On main", &[13]),
        ("Usb", &[7, 12]),
    ];
    assert_eq!(found, expected);
}

//! A person plans with the real program: edits of the living plan, its check, calendar and agenda.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vrel_testkit::Scene;

const VREL: &str = env!("CARGO_BIN_EXE_vrel");

/// A plan as somebody might have written it on another system: CRLF, odd bullets, tabs, no newline at the end.
const PLAN: &str = "# Plan\r\n\r\n## Roadmap\r\n\r\n\
    * [ ] **v0.6.0** (2026 Q3): Desktop, with \\ and ; in it\r\n\
    \t+ [ ] vpkg   \r\n\
    \t+ [ ] Wayland port\r\n\
    * [ ] **v0.7.0** (2027-02)\r\n\r\n\
    ## Next release\r\n\r\n- **Version**: v0.6.0\r\n- **Planned for**: 2026 Q3\r\n- **Status**: open\r\n\r\n\
    ## Calendar\r\n\r\n| quarter | release | theme |\r\n|---|---|---|\r\n| 2026 Q4 | v0.6.0 | desktop, with \\ and ; in it |\r\n\r\n\
    ## Blocking issues\r\n\r\n+ None";

struct Person {
    scene: Scene,
}

impl Person {
    /// A person whose repository has the plan committed.
    fn new() -> Self {
        let person = Self { scene: Scene::new() };
        std::fs::write(person.plan(), PLAN).unwrap();
        person.git(&[
            "commit",
            "--quiet",
            "--all",
            "--message",
            "docs(plan): another plan",
        ]);
        person
    }

    fn plan(&self) -> PathBuf {
        self.scene.repo().join("RELEASE_TODO.md")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.plan()).unwrap()
    }

    fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        // Before anything that the program commits.
        let date = "2026-06-01T00:00:00Z";
        command.arg("-C").arg(self.scene.repo()).args(args);
        command
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date);
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `vrel`: its exit code, its result, what it said.
    fn vrel(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = self.scene.command(Path::new(VREL));
        let output = command.args(args).stdin(Stdio::null()).output().unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// Runs `vrel`, which must do it, and gives its result.
    #[track_caller]
    fn does(&self, args: &[&str]) -> String {
        let (code, out, said) = self.vrel(args);
        assert_eq!(code, 0, "{args:?}: {out}{said}");
        out
    }
}

#[test]
fn a_plan_is_edited_in_the_work_tree_and_committed_when_asked() {
    let person = Person::new();
    let out = person.does(&["todo", "tick", "vpkg"]);
    assert_eq!(
        out,
        "RELEASE_TODO.md:6: -\t+ [ ] vpkg   \nRELEASE_TODO.md:6: +\t+ [x] vpkg   \n"
    );
    assert_eq!(person.text(), PLAN.replace("[ ] vpkg", "[x] vpkg"));
    assert_eq!(person.git(&["status", "--porcelain"]), " M RELEASE_TODO.md\n");
    let (code, _, said) = person.vrel(&["todo", "tick", "vpkg"]);
    assert!(
        code == 10 && said.contains("nothing to do: RELEASE_TODO.md says so already"),
        "{code}: {said}"
    );

    // A commit of one change must not take another along.
    let (code, _, said) = person.vrel(&["todo", "tick", "Wayland", "--commit"]);
    assert!(
        code == 3 && said.contains("RELEASE_TODO.md has changes that are not committed"),
        "{code}: {said}"
    );
    person.git(&[
        "commit",
        "--quiet",
        "--all",
        "--message",
        "docs(plan): vpkg is there",
    ]);
    person.does(&[
        "todo",
        "block",
        "add",
        "--release",
        "0.6.0",
        "it",
        "burns",
        "--commit",
    ]);
    assert!(
        person
            .text()
            .ends_with("## Blocking issues\r\n\r\n+ [ ] **v0.6.0**: it burns"),
        "{}",
        person.text()
    );
    let show = ["show", "--format=%s", "--name-only", "HEAD"];
    assert_eq!(
        person.git(&show),
        "docs(plan): block 0.6.0: it burns\n\nRELEASE_TODO.md\n"
    );
    assert_eq!(person.git(&["status", "--porcelain"]), "");

    // As after a crash between the commit and the work tree.
    let tip = person.git(&["rev-parse", "HEAD"]);
    person.git(&["checkout", "--quiet", "HEAD~1", "--", "RELEASE_TODO.md"]);
    person.does(&[
        "todo",
        "block",
        "add",
        "--release",
        "0.6.0",
        "it burns",
        "--commit",
    ]);
    assert_eq!(person.git(&["rev-parse", "HEAD"]), tip);
    assert_eq!(person.git(&["status", "--porcelain"]), "");

    person.does(&["todo", "block", "remove", "it burns"]);
    assert!(person.text().ends_with("+ None"), "{}", person.text());
    let (code, ..) = person.vrel(&["todo", "block", "remove", "it burns"]);
    assert_eq!(code, 10);
}

#[test]
fn what_is_not_clear_changes_nothing() {
    let person = Person::new();
    for (args, parts) in [
        (&["todo", "tick", "p"][..], &["found 2", "line 6: vpkg"][..]),
        (
            &["todo", "tick", "nothing", "like", "it"],
            &["found none", "line 7: Wayland"],
        ),
        (
            &["todo", "add-goal", "0.9.0", "x"],
            &["0.9.0 on the roadmap", "vrel todo plan 0.9.0"],
        ),
        (
            &["todo", "plan", "0.9.0", "--when", "soon"],
            &["the time: expected a day", "`soon`"],
        ),
        (&["todo", "known", "add", "x"], &["## Known issues"]),
        (&["calendar", "--commit"], &["--update-plan"]),
    ] {
        let (code, _, said) = person.vrel(args);
        let expected = if args[0] == "calendar" { 2 } else { 3 };
        assert_eq!(code, expected, "{args:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{args:?}: no `{part}` in {said}");
        }
    }
    assert_eq!(person.text(), PLAN);
}

#[test]
fn a_plan_is_checked_against_itself_and_the_tags() {
    let person = Person::new();
    let out = person.does(&["todo", "check"]);
    assert!(
        out.contains("RELEASE_TODO.md:20: warning: 0.6.0: expected `2026 Q3`"),
        "{out}"
    );
    assert!(out.contains("hint: run `vrel calendar --update-plan`"), "{out}");
    person.does(&["calendar", "--update-plan"]);
    assert_eq!(
        person.text(),
        PLAN.replace("| 2026 Q4 | v0.6.0", "| 2026 Q3 | v0.6.0")
            .replace("in it |\r\n", "in it |\r\n| 2027-02 | v0.7.0 | |\r\n")
    );
    assert_eq!(
        person.does(&["todo", "check"]),
        "RELEASE_TODO.md: nothing is wrong with it.\n"
    );
    assert_eq!(person.vrel(&["calendar", "--update-plan"]).0, 10);

    person.git(&["tag", "v0.6.0"]);
    let (code, out, _) = person.vrel(&["todo", "check", "--json"]);
    let findings: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &findings["findings"][0]["check"]),
        (3, &"tags".into()),
        "{out}"
    );
    assert_eq!(findings["findings"][0]["line"], 5, "{out}");
}

#[test]
fn the_next_release_is_shown() {
    let person = Person::new();
    let out = person.does(&["todo"]);
    assert!(
        out.contains("0 of 2 goals reached\n  line 6: vpkg\n  line 7: Wayland port\n"),
        "{out}"
    );
    let json: serde_json::Value = serde_json::from_str(&person.does(&["todo", "--json"])).unwrap();
    assert_eq!(json["next"]["version"], "0.6.0");
    assert_eq!(json["next"]["goals"][1]["text"], "Wayland port");
}

#[test]
fn strangers_read_the_calendar_and_know_its_events_again() {
    let person = Person::new();
    let file = person.scene.base().join("calendar.ics");
    let name = file.to_str().unwrap();
    person.does(&["calendar", "--format", "ics", "--output", name]);
    let first = std::fs::read(&file).unwrap();
    assert_eq!(
        person.does(&["calendar", "--format", "ics"]).into_bytes(),
        first,
        "the same bytes again"
    );
    assert_eq!(
        person.vrel(&["calendar", "--format", "ics", "--output", name]).0,
        10
    );
    let before = read_by_strangers(&file);
    let release = |uid: &str, start: &str, end: &str, summary: &str| serde_json::json!({"uid": uid, "start": start, "end": end, "summary": summary, "status": "TENTATIVE"});
    let plain = |events: &serde_json::Value| {
        let mut events = events["events"].clone();
        for event in events.as_array_mut().unwrap() {
            event
                .as_object_mut()
                .unwrap()
                .retain(|key, _| !["sequence", "stamp"].contains(&key.as_str()));
        }
        events
    };
    let title = "v0.6.0: Desktop, with \\ and ; in it";
    assert_eq!(
        plain(&before),
        serde_json::json!([
            release("release-0.6.0@veridianos", "2026-07-01", "2026-10-01", title),
            release("release-0.7.0@veridianos", "2027-02-01", "2027-03-01", "v0.7.0"),
        ])
    );
    assert_eq!(before["problems"], serde_json::json!([]));
    assert_eq!(before["events"][0]["stamp"], "2026-06-01T00:00:00+00:00");

    assert_eq!(
        person.vrel(&["calendar", "--format", "ics", "--check", name]).0,
        0
    );
    person.does(&["todo", "plan", "0.6.0", "--when", "2027-01-15", "--commit"]);
    let (code, _, said) = person.vrel(&["calendar", "--format", "ics", "--check", name]);
    assert!(
        code == 3 && said.contains("is out of date: line"),
        "{code}: {said}"
    );
    person.does(&["calendar", "--format", "ics", "--output", name]);
    let after = read_by_strangers(&file);
    assert_eq!(
        plain(&after)[0],
        release("release-0.6.0@veridianos", "2027-01-15", "2027-01-16", title)
    );
    let number = |events: &serde_json::Value| events["events"][0]["sequence"].as_u64().unwrap();
    assert!(number(&after) > number(&before), "{before} {after}");

    let line = person.does(&["calendar", "--line", "0.7", "--from", "2027-02-28"]);
    assert_eq!(line, "2027-02-01 to 2027-02-28  release  planned  v0.7.0\n");
    let none = person.does(&["calendar", "--to", "2026-06-30"]);
    assert_eq!(none, "The calendar has nothing in these days.\n");
    let markdown = person.does(&["calendar", "--format", "md", "--line", "0.7"]);
    assert_eq!(
        markdown,
        "| when | what | |\n| --- | --- | --- |\n| 2027-02-01 to 2027-02-28 | v0.7.0 | planned |\n"
    );
}

/// What a library of somebody else reads from a calendar.
fn read_by_strangers(file: &Path) -> serde_json::Value {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let venv = Command::new(repo.join("ci/strangers-venv"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(venv.status.success(), "ci/strangers-venv failed: {}", venv.status);
    let python = Path::new(String::from_utf8(venv.stdout).unwrap().trim_end()).join("bin/python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/read_calendar.py");
    let output = Command::new(python)
        .arg("-I")
        .arg(script)
        .arg(file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_agenda_tells_what_is_late_and_what_settles_it() {
    let person = Person::new();
    let quiet = person.does(&["agenda", "--date", "2026-08-01"]);
    assert_eq!(quiet, "Nothing is late, and nothing is due until 2026-08-08.\n");
    let due = person.does(&["agenda", "--date", "2026-09-24"]);
    assert_eq!(
        due,
        "Due until 2026-10-01\n  2026-09-30  v0.6.0 is planned for 2026 Q3\n    vrel todo plan 0.6.0 --when TIME\n"
    );
    person.does(&["todo", "block", "add", "it burns"]);
    let late = person.does(&["agenda", "--date", "2026-10-11", "--json"]);
    let late: serde_json::Value = serde_json::from_str(&late).unwrap();
    let items: Vec<_> = late["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["kind"], &item["late_days"]))
        .collect();
    assert_eq!(
        format!("{items:?}"),
        r#"[(String("release"), Number(10)), (String("blocking"), Null)]"#
    );
    assert_eq!(late["items"][1]["due"], serde_json::Value::Null);
}

#[test]
fn every_item_of_the_agenda_names_a_command_that_there_is() {
    for kind in vrel_process::DueKind::ALL {
        let words = kind.command();
        let help = Command::new(VREL).args(words).arg("--help").output().unwrap();
        assert!(help.status.success(), "{kind:?}: vrel {}", words.join(" "));
    }
}

//! Gates, sign-offs, waivers and approvals with the real program, and an approval checked by the stock `minisign`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use vrel_model::SignedStatement;
use vrel_testkit::Scene;

const GATE: &str = "group = \"infrastructure\"\ntitle = \"Backups are there\"\nrole = \"operator\"\n\n[decider]\nkind = \"person\"\n";
const TESTS: &str = "group = \"testing\"\ntitle = \"Tests pass\"\nrole = \"maintainer\"\n\n[decider]\nkind = \"command\"\n\
                     run = [[\"sh\", \"-c\", \"exit 1\"]]\n";

/// How a program ended.
struct Ran {
    what: String,
    output: Output,
}

impl Ran {
    fn text(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!(
            "{}\n{}{}",
            self.what,
            text(&self.output.stdout),
            text(&self.output.stderr)
        )
    }

    #[track_caller]
    fn ends(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.text());
        for part in parts {
            assert!(self.text().contains(part), "no `{part}`: {}", self.text());
        }
        self
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.output.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

fn run(program: &str, dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(program)
        .current_dir(dir)
        .args(args)
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .env_remove("VREL_KEY_PASSWORD")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        what: format!("{program} {args:?}"),
        output,
    }
}

struct Repo(Scene);

impl Repo {
    /// A scene whose candidates need two gates and two approvals.
    fn gated() -> Self {
        let repo = Self(Scene::new());
        for (name, role) in [
            ("ada", "maintainer"),
            ("grace", "maintainer"),
            ("olga", "operator"),
        ] {
            let email = format!("{name}@example.org");
            repo.vrel(&[
                "keys",
                "person",
                name,
                "--role",
                role,
                "--name",
                name,
                "--email",
                &email,
                "--no-password",
            ])
            .ends(0, &["Key ", "person-"]);
        }
        let beta = std::fs::read_to_string(repo.0.repo().join("channels/beta.toml")).unwrap();
        let beta =
            format!("{beta}gates = [\"tests\", \"backup\"]\napprovals = 2\napprovers = [\"maintainer\"]\n");
        repo.0.commit(
            "chore: gates",
            &[
                ("gates/backup.toml", GATE),
                ("gates/tests.toml", TESTS),
                ("channels/beta.toml", &beta),
            ],
        );
        repo.0.git(&["push", "-q", "origin", "main"]);
        repo
    }

    fn vrel(&self, args: &[&str]) -> Ran {
        let keys = self.0.keys();
        let mut all = args.to_vec();
        if ["keys", "sign-off", "waive", "approve"].contains(&args[0]) {
            all.extend(["--key-dir", keys.to_str().unwrap()]);
        }
        run(env!("CARGO_BIN_EXE_vrel"), &self.0.repo(), &all)
    }
}

#[test]
fn from_waiting_to_can_ship() {
    let repo = Repo::gated();
    repo.vrel(&["gates", "list"])
        .ends(0, &["tests", "command", "maintainer", "beta"]);
    repo.vrel(&["gates", "0.6.0-rc1"]).ends(
        3,
        &[
            "waiting for a person",
            "not run",
            "vrel gates 0.6.0-rc1 --run tests",
        ],
    );
    let explained = repo.vrel(&["explain", "0.6.0-rc1", "--json"]);
    let explained = explained.ends(3, &[]).json();
    let checks: Vec<_> = explained["obstacles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["check"].as_str().unwrap())
        .collect();
    assert_eq!(checks, ["gates", "gates", "approvals"], "{explained:#}");
    // What forbids it is in the one value that a program reads, and in words on standard error.
    let planned = repo.vrel(&["plan", "cut-rc", "0.6.0-rc1", "--json"]);
    let value = planned
        .ends(3, &["error: the plan of 0.6.0-rc1 needs 2 approvals"])
        .json();
    assert!(
        value["plan"].is_object() && value.get("error").is_none(),
        "{value:#}"
    );
    let checks = value["findings"].as_array().unwrap().iter();
    let checks: Vec<_> = checks.map(|one| one["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["gates", "gates", "approvals"], "{value:#}");
    let refused = repo.vrel(&["plan", "cut-rc", "0.6.0", "--json"]);
    let value = refused.ends(3, &[]).json();
    assert!(
        value.get("error").is_some() != value.get("findings").is_some(),
        "{value:#}"
    );

    repo.vrel(&["gates", "0.6.0-rc1", "--run"])
        .ends(3, &["tests: fail", "ended with status 1"]);
    repo.vrel(&[
        "sign-off",
        "0.6.0-rc1",
        "tests",
        "--reason",
        "x",
        "--person",
        "ada",
        "--yes",
    ])
    .ends(3, &["a machine decides the gate tests"]);
    repo.vrel(&[
        "waive",
        "0.6.0-rc1",
        "tests",
        "--reason",
        "they are new",
        "--person",
        "olga",
        "--yes",
    ])
    .ends(3, &["olga is not `maintainer`"]);
    repo.vrel(&[
        "waive",
        "0.6.0-rc1",
        "tests",
        "--reason",
        "they are new",
        "--person",
        "ada",
        "--dry-run",
    ])
    .ends(0, &["waiver by ada", "they are new"]);
    repo.vrel(&["gates", "0.6.0-rc1"]).ends(3, &["fail"]);
    let waive = [
        "waive",
        "0.6.0-rc1",
        "tests",
        "--reason",
        "they are new",
        "--person",
        "ada",
        "--yes",
    ];
    repo.vrel(&waive).ends(0, &["recorded: waiver of tests by ada"]);
    repo.vrel(&waive).ends(10, &["recorded already"]);
    let sign_off = [
        "sign-off",
        "0.6.0-rc1",
        "backup",
        "--reason",
        "restored one",
        "--person",
        "olga",
        "--yes",
    ];
    repo.vrel(&sign_off)
        .ends(0, &["recorded: sign-off of backup by olga"]);
    repo.vrel(&sign_off).ends(10, &["recorded already"]);
    repo.vrel(&["gates", "0.6.0-rc1"]).ends(
        0,
        &[
            "waived by ada",
            "they are new",
            "signed off by olga",
            "1 pass, 1 waived",
        ],
    );

    repo.vrel(&["approve", "0.6.0-rc1", "--person", "olga", "--yes"])
        .ends(3, &["olga is not `maintainer`"]);
    repo.vrel(&["approve", "0.6.0-rc1", "--person", "ada", "--yes"])
        .ends(0, &["digest of the plan", "recorded: ada approved"]);
    repo.vrel(&["approve", "0.6.0-rc1", "--person", "ada", "--yes"])
        .ends(10, &["approved this plan of 0.6.0-rc1 already"]);
    repo.vrel(&["explain", "0.6.0-rc1"]).ends(
        3,
        &["needs 2 approvals", "ada approved it", "vrel approve 0.6.0-rc1"],
    );
    repo.vrel(&["approve", "0.6.0-rc1", "--person", "grace", "--yes"])
        .ends(0, &[]);
    repo.vrel(&["explain", "0.6.0-rc1"])
        .ends(0, &["0.6.0-rc1 can ship"]);
    let explained = repo.vrel(&["explain", "0.6.0-rc1", "--json"]).ends(0, &[]).json();
    assert_eq!(explained["can-ship"], true);
    repo.vrel(&["record", "0.6.0-rc1"]).ends(3, &["has no record"]);

    // Everybody else can check an approval with the stock tool.
    let shown = repo.vrel(&["records", "show", "releases/0.6.0-rc1/approvals/ada.toml"]);
    let text = String::from_utf8(shown.ends(0, &[]).output.stdout.clone()).unwrap();
    let signed: SignedStatement = toml::from_str(&text).unwrap();
    let dir = repo.0.base().join("stranger");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("approval.json"), signed.statement.to_bytes().unwrap()).unwrap();
    std::fs::write(dir.join("approval.json.minisig"), &signed.signature).unwrap();
    let public = repo.0.keys().join("person-ada.pub");
    let args = ["-V", "-m", "approval.json", "-p", public.to_str().unwrap()];
    run("minisign", &dir, &args).ends(0, &["statement:approval", "person:ada", "version:0.6.0-rc1"]);
    std::fs::write(dir.join("approval.json"), "{}\n").unwrap();
    assert!(!run("minisign", &dir, &args).output.status.success());
}

#[test]
fn mistakes_are_answered_with_what_was_meant() {
    let repo = Repo::gated();
    let sign = |gate: &str, person: &str| {
        repo.vrel(&[
            "sign-off",
            "0.6.0-rc1",
            gate,
            "--reason",
            "x",
            "--person",
            person,
            "--yes",
        ])
    };
    sign("backups", "olga").ends(3, &["there is no gate `backups`", "did you mean `backup`?"]);
    sign("backup", "olge").ends(
        3,
        &["there is no signing/people/olge.toml", "did you mean `olga`?"],
    );
    repo.vrel(&["sign-off", "0.6.0-rc1", "backup", "--reason", "x", "--yes"])
        .ends(3, &["nobody in signing/people has the address of Releaser"]);
    repo.vrel(&[
        "sign-off",
        "0.6.0-rc1",
        "backup",
        "--reason",
        " ",
        "--person",
        "olga",
        "--yes",
    ])
    .ends(2, &["the reason is not one line of text"]);
    repo.vrel(&[
        "sign-off",
        "0.6.0-rc1",
        "backup",
        "--reason",
        "x",
        "--person",
        "olga",
    ])
    .ends(2, &["there is no terminal to ask"]);
    repo.vrel(&[
        "waive",
        "0.6.0-rc1",
        "backup",
        "--reason",
        "x",
        "--until",
        "2020-01-01",
        "--yes",
    ])
    .ends(2, &["which is over"]);
    repo.vrel(&["gates", "0.6.0-rc1", "--run", "backup"])
        .ends(3, &["the gate backup is of the kind `person`, which is not run"]);
    repo.vrel(&["gates"]).ends(2, &[]);
    repo.vrel(&["approve", "0.6.0-nightly.20261121", "--yes"])
        .ends(2, &["is a nightly"]);
    // With another person's key in the place of hers.
    let keys = repo.0.keys();
    std::fs::copy(keys.join("person-ada.key"), keys.join("person-olga.key")).unwrap();
    sign("backup", "olga").ends(4, &["but signing/people/olga.toml has key"]);
    std::fs::remove_file(keys.join("person-olga.key")).unwrap();
    sign("backup", "olga").ends(4, &["person-olga", "vrel keys person olga"]);
    repo.vrel(&["records", "show"]).ends(0, &[]);
    let shown = repo.vrel(&["records", "show", "--json"]).json();
    assert_eq!(shown["files"], serde_json::json!([]), "nothing was recorded");
}

#[test]
fn a_wrong_file_of_gates_or_people_is_named_with_its_line() {
    let repo = Repo::gated();
    let write = |path: &str, text: &str| std::fs::write(repo.0.repo().join(path), text).unwrap();
    write("gates/backup.toml", &GATE.replace("title", "titel"));
    repo.vrel(&["gates", "list"])
        .ends(3, &["gates/backup.toml:2:1", "did you mean `title`?"]);
    write("gates/backup.toml", &GATE.replace("person", "persn"));
    repo.vrel(&["gates", "list"]).ends(
        3,
        &[
            "gates/backup.toml",
            "unknown variant `persn`",
            "did you mean `person`?",
        ],
    );
    write("gates/backup.toml", GATE);
    write("gates/Back up.toml", GATE);
    repo.vrel(&["gates", "list"])
        .ends(3, &["`Back up` is not a gate's name"]);
}

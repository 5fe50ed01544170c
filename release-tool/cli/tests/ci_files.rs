//! The files that run the pipeline by themselves: they are what policy says, the real programs understand them, and drift is
//! found by file and line.

use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vrel_testkit::Scene;

const VREL: &str = env!("CARGO_BIN_EXE_vrel");

fn root() -> PathBuf {
    std::path::absolute(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// Runs `vrel`: its exit code, its result, what it said.
fn vrel(repo: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(VREL);
    command.arg("--repo").arg(repo).args(args).stdin(Stdio::null());
    let output = command.output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).unwrap();
    fs::write(path, before + text).unwrap();
}

/// A repository with more policy for what runs by itself, and the files.
fn generated(scene: &Scene, policy: &str) -> PathBuf {
    append(&scene.repo().join("vrel.toml"), policy);
    let (code, out, said) = vrel(&scene.repo(), &["ci", "generate"]);
    assert_eq!(code, 0, "{out}{said}");
    scene.repo().join("ci")
}

#[test]
fn the_files_of_this_repository_are_what_its_policy_says() {
    let (code, out, said) = vrel(&root(), &["ci", "generate", "--check"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.starts_with("8 files in "), "{out}");
}

#[test]
fn drift_is_found_by_file_and_line_and_mended() {
    let scene = Scene::new();
    let dir = generated(&scene, "\n[ci]\nnightly-runner = [\"self-hosted\"]\n");
    let check = || vrel(&scene.repo(), &["ci", "generate", "--check"]);
    let again = vrel(&scene.repo(), &["ci", "generate"]);
    assert_eq!(again.0, 10, "{}{}", again.1, again.2);
    assert_eq!(check().0, 0);

    // Edited, cut short, gone, and left over from another policy; and a file that is nobody's business.
    let timer = dir.join("systemd/veridian-nightly.timer");
    let whole = fs::read_to_string(&timer).unwrap();
    fs::write(&timer, whole.replace("02:17:00 UTC", "03:00:00 UTC")).unwrap();
    let crontab = fs::read_to_string(dir.join("crontab")).unwrap();
    fs::write(dir.join("crontab"), crontab.trim_end()).unwrap();
    fs::remove_file(dir.join("workflows/ci.yml")).unwrap();
    append(&scene.repo().join("vrel.toml"), "nightly-at = \"02:17\"\n");
    let text = fs::read_to_string(scene.repo().join("vrel.toml")).unwrap();
    fs::write(
        scene.repo().join("vrel.toml"),
        text.replace("nightly-runner = [\"self-hosted\"]\n", ""),
    )
    .unwrap();
    fs::write(dir.join("workflows/by-hand.yml"), "name: mine\n").unwrap();
    let (code, out, said) = check();
    assert_eq!((code, out.as_str()), (3, ""), "{said}");
    let line = 1 + whole
        .lines()
        .position(|line| line.starts_with("OnCalendar="))
        .unwrap();
    for expected in [
        format!(
            "{}:{line}: expected `OnCalendar=*-*-* 02:17:00 UTC`, found `OnCalendar=*-*-* 03:00:00 UTC`",
            timer.display()
        ),
        format!(
            "{}/crontab:{}: expected `",
            dir.display(),
            crontab.lines().count()
        ),
        "nightly --check >/dev/null\\n`, found `17".to_owned(),
        "workflows/ci.yml is missing".to_owned(),
        "workflows/nightly-check.yml is left over".to_owned(),
        "workflows/nightly.yml:".to_owned(),
        "hint: write them anew with `vrel ci generate`".to_owned(),
    ] {
        assert!(said.contains(&expected), "{expected}\nin\n{said}");
    }
    assert!(!said.contains("by-hand"), "{said}");
    let (code, out, _) = vrel(&scene.repo(), &["--json", "ci", "generate", "--check"]);
    // What is found, and then the error.
    let mut objects = serde_json::Deserializer::from_str(&out).into_iter::<Value>();
    let told = objects.next().unwrap().unwrap();
    let drift = told["drift"].as_array().unwrap();
    assert_eq!((code, drift.len()), (3, 5), "{told}");
    assert!(
        drift
            .iter()
            .any(|drift| drift["drift"] == "differs" && drift["line"] == line),
        "{told}"
    );

    let (code, out, said) = vrel(&scene.repo(), &["ci", "generate"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.contains("removed ") && out.contains("wrote "), "{out}");
    assert_eq!(check().0, 0);
    assert!(dir.join("workflows/by-hand.yml").exists());
    assert_eq!(fs::read_to_string(&timer).unwrap(), whole);
}

#[test]
fn only_what_is_asked_for_is_written_where_it_is_asked_for() {
    let scene = Scene::new();
    let github = scene.repo().join(".github");
    let args = [
        "ci",
        "generate",
        "--only",
        "workflows",
        "--output",
        github.to_str().unwrap(),
    ];
    let (code, out, said) = vrel(&scene.repo(), &args);
    assert_eq!(code, 0, "{out}{said}");
    assert!(github.join("workflows/ci.yml").exists());
    assert!(!github.join("crontab").exists() && !scene.repo().join("ci").exists());
    // Nobody named a machine that makes nightlies, so no workflow waits for one.
    let nightly = fs::read_to_string(github.join("workflows/nightly.yml")).unwrap();
    assert!(
        !nightly.contains("vrel nightly") && nightly.contains("ci/nightly"),
        "{nightly}"
    );
    assert!(!github.join("workflows/nightly-check.yml").exists());
}

#[test]
fn policy_that_cannot_be_said_is_refused_with_its_place() {
    for (policy, expected) in [
        ("\n[ci]\nnightly-at = \"25:00\"\n", "`25:00` is not a time of day"),
        ("\n[ci]\nclone = \"/srv/a b\"\n", "`/srv/a b` is not a plain path"),
        ("\n[ci]\nuser = \"a%b\"\n", "`a%b` is not a plain word"),
        ("\n[ci]\nnightly = \"02:00\"\n", "unknown field `nightly`"),
        ("\n[ci]\nrunner = []\n", "`ci.runner` is empty"),
        (
            "\n[ci]\nalarm-at = \"02:17\"\n",
            "`ci.alarm-at` is `02:17`, and so is `ci.nightly-at`",
        ),
    ] {
        let scene = Scene::new();
        append(&scene.repo().join("vrel.toml"), policy);
        let (code, out, said) = vrel(&scene.repo(), &["ci", "generate"]);
        assert_eq!((code, out.as_str()), (3, ""), "{policy}: {said}");
        assert!(
            said.contains("vrel.toml") && said.contains(expected),
            "{policy}: {said}"
        );
        assert!(!scene.repo().join("ci").exists(), "{policy}");
    }
    let scene = Scene::new();
    let channel = scene.repo().join("channels/nightly.toml");
    let text = fs::read_to_string(&channel).unwrap();
    fs::write(&channel, text.replace("cadence-days = 1", "cadence-days = 5")).unwrap();
    let (code, _, said) = vrel(&scene.repo(), &["ci", "generate"]);
    assert!(
        code == 3 && said.contains("channels/nightly.toml: `cadence-days` is 5, which cron cannot be told"),
        "{code}: {said}"
    );
}

/// What strangers read from the files in a directory.
fn read_by_strangers(dir: &Path) -> Value {
    let venv = Command::new(root().join("ci/strangers-venv"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(venv.status.success(), "ci/strangers-venv failed: {}", venv.status);
    let python = Path::new(String::from_utf8(venv.stdout).unwrap().trim_end()).join("bin/python");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/strangers/read_ci.py");
    let output = Command::new(python)
        .arg("-I")
        .arg(script)
        .arg(dir)
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
fn strangers_read_workflows_and_crontab_as_they_are_meant() {
    let scene = Scene::new();
    let product = scene.repo().join("vrel.toml");
    let text = fs::read_to_string(&product).unwrap();
    fs::write(&product, text.replace("main = \"main\"", "main = \"it's: #1\"")).unwrap();
    let policy = "\n[ci]\nnightly-at = \"23:59\"\nalarm-at = \"00:00\"\nrunner = [\"a\", \"b.c\"]\nnightly-runner = \
                  [\"self-hosted\"]\nmail = \"ops@example.org\"\nclone = \"/srv/x\"\n";
    let told = read_by_strangers(&generated(&scene, policy));
    assert_eq!(told["problems"], serde_json::json!([]), "{told:#}");
    let workflows = &told["workflows"];
    assert_eq!(workflows.as_object().unwrap().len(), 3);
    let ci = &workflows["ci.yml"];
    assert_eq!(
        ci["on"]["push"]["branches"],
        serde_json::json!(["it's: #1", "release/*"])
    );
    assert!(ci["on"].as_object().unwrap().contains_key("pull_request"));
    assert_eq!(ci["jobs"]["test"]["steps"][1]["run"], "ci/test");
    assert_eq!(ci["jobs"]["test"]["runs-on"], serde_json::json!(["a", "b.c"]));
    let script = ci["jobs"]["commits"]["steps"][2]["run"].as_str().unwrap();
    assert!(
        script.contains("vrel check commits \"$FROM..HEAD\" --branch \"$BRANCH\""),
        "{script}"
    );
    let nightly = &workflows["nightly.yml"];
    assert_eq!(
        nightly["on"]["schedule"],
        serde_json::json!([{"cron": "59 23 * * *"}])
    );
    assert_eq!(
        nightly["jobs"]["publish"]["steps"][0]["working-directory"],
        "/srv/x"
    );
    assert_eq!(
        workflows["nightly-check.yml"]["on"]["schedule"],
        serde_json::json!([{"cron": "0 0 * * *"}])
    );
    // What shells run must be what shells understand.
    for (file, job) in [
        ("ci.yml", "commits"),
        ("nightly.yml", "publish"),
        ("nightly-check.yml", "check"),
    ] {
        let steps = workflows[file]["jobs"][job]["steps"].as_array().unwrap();
        for script in steps.iter().filter_map(|step| step["run"].as_str()) {
            let shell = Command::new("sh").args(["-n", "-c", script]).output().unwrap();
            assert!(shell.status.success(), "{file}: {script}: {shell:?}");
        }
    }

    assert_eq!(told["settings"]["MAILTO"], "ops@example.org");
    assert_eq!(told["settings"]["CRON_TZ"], "UTC");
    let jobs = told["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 2, "{told:#}");
    assert_eq!(
        jobs[0]["times"],
        serde_json::json!(["2026-11-21T23:59:00+00:00", "2026-11-22T23:59:00+00:00"])
    );
    assert_eq!(
        jobs[1]["times"],
        serde_json::json!(["2026-11-22T00:00:00+00:00", "2026-11-23T00:00:00+00:00"])
    );
    for (job, expected) in jobs
        .iter()
        .zip(["vrel nightly --password-file ", "vrel nightly --check "])
    {
        let command = job["command"].as_str().unwrap();
        // Cron ends the command at a per cent sign.
        assert!(command.contains(expected) && !command.contains('%'), "{command}");
        let shell = Command::new("sh").args(["-n", "-c", command]).output().unwrap();
        assert!(shell.status.success(), "{command}: {shell:?}");
    }
}

#[test]
fn systemd_takes_the_units_and_means_the_same_time_as_cron() {
    let scene = Scene::new();
    // The units name programs that have to be there.
    let program = scene.repo().join("vrel");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let channel = scene.repo().join("channels/nightly.toml");
    let text = fs::read_to_string(&channel).unwrap();
    fs::write(&channel, text.replace("cadence-days = 1", "cadence-days = 7")).unwrap();
    let policy = format!(
        "\n[ci]\nuser = \"root\"\nnightly-at = \"02:17\"\nprogram = \"{}\"\nclone = \"{}\"\n",
        program.display(),
        scene.repo().display()
    );
    let dir = generated(&scene, &policy);
    let mut units: Vec<PathBuf> = fs::read_dir(dir.join("systemd"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    units.sort();
    assert_eq!(units.len(), 4);
    let verified = Command::new("systemd-analyze")
        .args(["--man=no", "verify"])
        .args(&units)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // Of other units of the machine it may say what it likes.
    let about_ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("veridian-nightly"))
        .collect();
    assert!(about_ours.is_empty(), "{said}");
    assert!(verified.status.success(), "{said}");

    let timer = fs::read_to_string(dir.join("systemd/veridian-nightly.timer")).unwrap();
    let when = timer
        .lines()
        .find_map(|line| line.strip_prefix("OnCalendar="))
        .unwrap();
    let next = Command::new("systemd-analyze")
        .args([
            "calendar",
            "--iterations=2",
            "--base-time=2026-11-21 12:00:00 UTC",
            when,
        ])
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let told = String::from_utf8(next.stdout).unwrap();
    assert!(
        told.contains("Mon 2026-11-23 02:17:00 UTC") && told.contains("Mon 2026-11-30 02:17:00 UTC"),
        "{told}"
    );
    let times = &read_by_strangers(&dir)["jobs"][0]["times"];
    assert_eq!(
        *times,
        serde_json::json!(["2026-11-23T02:17:00+00:00", "2026-11-30T02:17:00+00:00"])
    );
}

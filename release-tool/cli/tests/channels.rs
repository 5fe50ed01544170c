//! The real program moves the pointer: what it prints, as text and as JSON, and its exit codes.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use vrel_testkit::Scene;

fn vrel(scene: &Scene, args: &[&str]) -> Output {
    let mut command = scene.command(Path::new(env!("CARGO_BIN_EXE_vrel")));
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

/// What a run printed, which must end with this exit code.
#[track_caller]
fn says(scene: &Scene, args: &[&str], code: i32) -> (String, String) {
    let output = vrel(scene, args);
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "vrel {args:?}\n{out}\n{err}");
    (out, err)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
fn channels_are_shown_promoted_to_rolled_back_and_freed_of_a_dud() {
    let scene = Scene::new();
    scene.install_programs();
    let preview = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\nfrom = ['beta']\n";
    let beta = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\n";
    scene.commit(
        "chore: a channel to promote to",
        &[("channels/preview.toml", preview), ("channels/beta.toml", beta)],
    );
    scene.git(&["push", "-q", "origin", "main"]);
    let (empty, _) = says(&scene, &["channel", "list"], 0);
    assert!(empty.contains("no pointer: nothing is public"), "{empty}");
    says(&scene, &["rollback", "beta"], 3);
    says(&scene, &["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"], 0);
    scene.commit("fix(shell): history", &[]);
    scene.git(&["branch", "-f", "release/0.6", "main"]);
    scene.git(&["push", "-q", "origin", "main", "release/0.6"]);
    says(&scene, &["cut-rc", "0.6.0-rc2", "--yes"], 0);

    // Shown first, asked for, and done once.
    let promote = ["promote", "0.6.0-rc2", "--to", "preview"];
    let (shown, _) = says(&scene, &[&promote[..], &["--dry-run"]].concat(), 0);
    assert!(
        shown.contains("preview leads to 0.6.0-rc2, the same bytes as before"),
        "{shown}"
    );
    let (_, asked) = says(&scene, &promote, 2);
    assert!(asked.contains("no terminal"), "{asked}");
    let (done, _) = says(&scene, &[&promote[..], &["--yes", "--json"]].concat(), 0);
    let done = json(&done);
    assert_eq!(
        (&done["state"], &done["pointer"]),
        (&"done".into(), &3.into()),
        "{done}"
    );
    let published = &done["published"];
    assert_eq!(
        (&published["channel"], &published["head"]["release"]),
        (&"preview".into(), &"0.6.0-rc2".into()),
        "{done}"
    );
    let (_, again) = says(&scene, &[&promote[..], &["--yes"]].concat(), 10);
    assert!(
        again.contains("0.6.0-rc2 is the head of preview already"),
        "{again}"
    );
    let (_, backwards) = says(&scene, &["promote", "0.6.0-rc1", "--to", "preview", "--yes"], 3);
    assert!(
        backwards.contains("[channel-forward]") && backwards.contains("vrel rollback preview"),
        "{backwards}"
    );
    let (closed, _) = says(&scene, &["promote", "0.6.0-rc2", "--to", "nightly", "--json"], 3);
    let messages = json(&closed)["error"]["messages"].to_string();
    assert!(
        messages.contains("channel-admits") && messages.contains("promotion-source"),
        "{messages}"
    );

    // Back, and readers see it.
    let (_, proposal) = says(&scene, &["rollback", "beta"], 2);
    assert!(
        proposal.contains("vrel rollback beta --to 0.6.0-rc1 --reason"),
        "{proposal}"
    );
    let rollback = [
        "rollback",
        "beta",
        "--to",
        "0.6.0-rc1",
        "--reason",
        "slow",
        "--yes",
    ];
    says(&scene, &rollback, 0);
    says(&scene, &rollback, 10);
    let (list, _) = says(&scene, &["channel", "list"], 0);
    assert!(
        list.contains("rolled back from 0.6.0-rc2 at ") && list.contains("slow"),
        "{list}"
    );
    let (show, _) = says(&scene, &["channel", "show", "beta"], 0);
    for expected in [
        "head",
        "0.6.0-rc1 of ",
        "has had",
        "0.6.0-rc2",
        "key-role",
        "release",
        "pointer 4 of ",
    ] {
        assert!(show.contains(expected), "{expected}:\n{show}");
    }
    let (verified, _) = says(&scene, &["verify", "origin", "0.6.0-rc2"], 0);
    assert!(
        verified.contains("beta was rolled back from 0.6.0-rc2 to 0.6.0-rc1"),
        "{verified}"
    );
    let (_, unknown) = says(&scene, &["channel", "show", "edge"], 3);
    assert!(unknown.contains("there is no channel edge"), "{unknown}");

    // A dud is nobody's head, nobody's release, and no number again.
    let dud = [
        "dud",
        "0.6.0-rc2",
        "--reason",
        "loses data",
        "--advisory",
        "CVE-2026-12345",
    ];
    let (_, is_head) = says(&scene, &[&dud[..], &["--yes"]].concat(), 3);
    assert!(
        is_head.contains("head of preview") && is_head.contains("publish a newer one first"),
        "{is_head}"
    );
    let (_, bad) = says(&scene, &["dud", "0.6.0-rc2", "--reason", "two\nlines"], 2);
    assert!(bad.contains("is not a reason"), "{bad}");
    let dud = [
        "dud",
        "0.6.0-rc1",
        "--reason",
        "loses data",
        "--advisory",
        "CVE-2026-12345",
        "--yes",
    ];
    let (_, is_head) = says(&scene, &[&dud[..], &["--rollback"]].concat(), 3);
    assert!(is_head.contains("head of beta"), "{is_head}");
    says(
        &scene,
        &[
            "rollback",
            "beta",
            "--to",
            "0.6.0-rc2",
            "--reason",
            "false alarm",
            "--yes",
        ],
        0,
    );
    says(&scene, &dud, 0);
    says(&scene, &dud, 10);
    let (_, refused) = says(&scene, &["verify", "origin", "0.6.0-rc1"], 5);
    assert!(
        refused.contains("0.6.0-rc1 is a dud since ") && refused.contains("loses data (CVE-2026-12345)"),
        "{refused}"
    );
    says(&scene, &["verify", "origin", "0.6.0-rc2"], 0);
    let (list, _) = says(&scene, &["channel", "list", "--json"], 0);
    let list = json(&list);
    assert_eq!(
        list["pointer"]["duds"]["0.6.0-rc1"]["reason"], "loses data",
        "{list}"
    );
    let (_, never) = says(
        &scene,
        &["rollback", "beta", "--to", "0.6.0-rc1", "--reason", "x", "--yes"],
        3,
    );
    assert!(never.contains("[not-dud]"), "{never}");
    let (recorded, _) = says(&scene, &["records", "show", "releases/0.6.0-rc1/dud.toml"], 0);
    assert!(
        recorded.contains("advisory = \"CVE-2026-12345\"") && recorded.contains("by = "),
        "{recorded}"
    );
}

/// What strangers use still works: the manifest of a promoted release and of a dud are signed as they were.
#[test]
fn stock_minisign_accepts_documents_whatever_the_pointer_says() {
    let scene = Scene::new();
    scene.install_programs();
    says(&scene, &["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"], 0);
    scene.commit("fix(shell): history", &[]);
    scene.git(&["branch", "-f", "release/0.6", "main"]);
    scene.git(&["push", "-q", "origin", "main", "release/0.6"]);
    says(&scene, &["cut-rc", "0.6.0-rc2", "--yes"], 0);
    says(
        &scene,
        &[
            "dud",
            "0.6.0-rc2",
            "--reason",
            "loses data",
            "--rollback",
            "--yes",
        ],
        0,
    );
    for release in ["0.6.0-rc1", "0.6.0-rc2"] {
        let status = Command::new("minisign")
            .arg("-Vqm")
            .arg(scene.origin().join(format!("releases/{release}/manifest.json")))
            .arg("-p")
            .arg(scene.repo().join("signing/keys/release.pub"))
            .status();
        assert!(status.unwrap().success(), "{release}");
    }
    // The pointer's own signature, cut out of the file as the book describes it.
    let text = std::fs::read_to_string(scene.origin().join("pointer.json")).unwrap();
    let file = json(&text);
    let signed = text
        .strip_prefix("{\"signed\":")
        .unwrap()
        .split(",\"signatures\":")
        .next()
        .unwrap();
    let dir = scene.base();
    std::fs::write(dir.join("signed.json"), signed).unwrap();
    std::fs::write(
        dir.join("signed.json.minisig"),
        file["signatures"][0]["minisig"].as_str().unwrap(),
    )
    .unwrap();
    let status = Command::new("minisign")
        .arg("-Vqm")
        .arg(dir.join("signed.json"))
        .arg("-p")
        .arg(scene.repo().join("signing/keys/pointer.pub"))
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn a_promotion_waits_for_the_gates_and_approvals_of_its_target() {
    let scene = Scene::new();
    scene.install_programs();
    let keys = scene.keys();
    let keys = keys.to_str().unwrap();
    for name in ["ada", "grace"] {
        let email = format!("{name}@example.org");
        let args = [
            "keys",
            "person",
            name,
            "--role",
            "maintainer",
            "--name",
            name,
            "--email",
            &email,
        ];
        says(
            &scene,
            &[&args[..], &["--no-password", "--key-dir", keys]].concat(),
            0,
        );
    }
    let preview = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\nfrom = ['beta']\n\
                   gates = ['backup']\napprovals = 2\napprovers = ['maintainer']\n";
    let gate = "group = 'infrastructure'\ntitle = 'Backups are there'\nrole = 'maintainer'\n\n[decider]\nkind = 'person'\n";
    let beta = "description = 'x'\nstages = ['candidate']\nkey-role = 'release'\n";
    scene.commit(
        "chore: a channel that asks",
        &[
            ("channels/preview.toml", preview),
            ("channels/beta.toml", beta),
            ("gates/backup.toml", gate),
        ],
    );
    scene.git(&["push", "-q", "origin", "main"]);
    says(&scene, &["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"], 0);

    let release = ["0.6.0-rc1", "--to", "preview"];
    let promote = [&["promote"][..], &release].concat();
    let pointer = || std::fs::read(scene.origin().join("pointer.json")).unwrap();
    let before = pointer();
    let (_, refused) = says(&scene, &[&promote[..], &["--yes"]].concat(), 3);
    for part in [
        "gate backup (Backups are there): waiting for a person",
        "the promotion of 0.6.0-rc1 needs 2 approvals for the channel preview",
        "`vrel approve 0.6.0-rc1 --to preview`",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // One JSON value says it all.
    let (planned, _) = says(
        &scene,
        &[&["plan", "promote"][..], &release, &["--json"]].concat(),
        3,
    );
    let planned = json(&planned);
    let checks: Vec<_> = planned["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        (&planned["plan"], checks),
        (&serde_json::Value::Null, vec!["gates", "approvals"]),
        "{planned}"
    );

    let explain = [&["explain"][..], &release].concat();
    let (told, _) = says(&scene, &explain, 3);
    assert!(
        told.starts_with("0.6.0-rc1 cannot be promoted to preview, of commit "),
        "{told}"
    );
    assert!(
        told.find("gate backup") < told.find("needs 2 approvals"),
        "{told}"
    );
    let (told, _) = says(&scene, &[&explain[..], &["--json"]].concat(), 3);
    let told = json(&told);
    assert_eq!(
        (
            &told["channel"],
            &told["can-ship"],
            told["obstacles"].as_array().map(Vec::len)
        ),
        (&"preview".into(), &false.into(), Some(2)),
        "{told}"
    );
    let by = |person: &str, args: &[&str], code: i32| {
        let who = ["--person", person, "--yes", "--key-dir", keys];
        let (out, err) = says(&scene, &[args, &who].concat(), code);
        out + &err
    };
    by(
        "ada",
        &["sign-off", "0.6.0-rc1", "backup", "--reason", "restored one"],
        0,
    );
    let approve = [&["approve"][..], &release].concat();
    let said = by("ada", &approve, 0);
    assert!(
        said.contains("preview leads to 0.6.0-rc1")
            && said.contains("recorded: ada approved 0.6.0-rc1 for preview"),
        "{said}"
    );
    let again = by("ada", &approve, 10);
    assert!(
        again.contains("ada approved this promotion of 0.6.0-rc1 already"),
        "{again}"
    );
    let (_, one) = says(&scene, &[&promote[..], &["--yes"]].concat(), 3);
    assert!(
        one.contains("ada approved it") && !one.contains("[gates]"),
        "{one}"
    );
    assert_eq!(pointer(), before);
    by("grace", &approve, 0);

    let (planned, _) = says(&scene, &[&["plan", "promote"][..], &release].concat(), 0);
    assert!(planned.contains("preview leads to 0.6.0-rc1"), "{planned}");
    let (free, _) = says(&scene, &explain, 0);
    assert!(
        free.starts_with("0.6.0-rc1 can be promoted to preview, of commit "),
        "{free}"
    );
    says(&scene, &[&promote[..], &["--yes"]].concat(), 0);
    let (_, over) = says(&scene, &explain, 10);
    assert!(over.contains("0.6.0-rc1 is public in preview already"), "{over}");
    let (promotions, _) = says(
        &scene,
        &["records", "show", "releases/0.6.0-rc1/promotions.toml"],
        0,
    );
    assert!(
        promotions.contains("approved-by = [\n    \"ada\",\n    \"grace\",\n]\n"),
        "{promotions}"
    );
    let (record, _) = says(&scene, &["record", "0.6.0-rc1"], 0);
    assert!(
        record.contains("\nPromotions\n  beta to preview") && record.contains("approved by ada, grace"),
        "{record}"
    );
    let late = by("ada", &approve, 10);
    assert!(late.contains("0.6.0-rc1 is public in preview already"), "{late}");
    let file = "releases/0.6.0-rc1/promotion-approvals/preview/ada.toml";
    let (signed, _) = says(&scene, &["records", "show", file], 0);
    assert!(signed.contains("plan-sha256"), "{signed}");
}

//! Merges are checked with the real program, on real repositories, and against a server that answers as GitHub documents it.

#[path = "../../forge/tests/github/server.rs"]
mod server;

use serde_json::{Value, json};
use server::{Answer, Server};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use vrel_testkit::Scene;

const VREL: &str = env!("CARGO_BIN_EXE_vrel");
const SECRET: &str = "ghp_notARealToken0123456789";

/// A repository with a branch `release/0.6` that changes what `main` has.
struct Site {
    scene: Scene,
}

impl Site {
    fn new() -> Self {
        let site = Self { scene: Scene::new() };
        site.git(&["checkout", "--quiet", "-b", "release/0.6"]);
        site.commit("fix: on the line", "NEWS", "line\n");
        site.git(&["checkout", "--quiet", "main"]);
        site
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.scene.repo())
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, message: &str, file: &str, text: &str) {
        fs::write(self.scene.repo().join(file), text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Names the server as the forge.
    fn ask(&self, server: &Server) {
        let path = self.scene.repo().join("vrel.toml");
        let text = fs::read_to_string(&path).unwrap();
        let forge = format!(
            "\n[forge]\nkind = \"github\"\nrepository = \"o/r\"\napi-url = \"{}\"\ntoken-variable = \"FORGE_TOKEN\"\n",
            server.address
        );
        fs::write(&path, text + &forge).unwrap();
    }

    /// Runs `vrel merge check`: its exit code, its result, what it said.
    fn check(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(VREL);
        command
            .arg("--repo")
            .arg(self.scene.repo())
            .args(["merge", "check"]);
        command.args(args).env("FORGE_TOKEN", SECRET).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, said) = (text(output.stdout), text(output.stderr));
        assert!(!out.contains(SECRET) && !said.contains(SECRET), "{out}{said}");
        (output.status.code().unwrap(), out, said)
    }
}

/// What GitHub says of a pull request at `tip` that has everything but what `change` takes away.
fn forge(tip: String, change: impl Fn(&str, &mut Value) + Send + Sync + 'static) -> Server {
    let user = |login: &str| json!({"login": login, "type": "User"});
    let review = move |login: &str, tip: &str| {
        json!({"user": user(login), "state": "APPROVED", "commit_id": tip, "submitted_at": "2026-11-20T10:00:00Z",
               "author_association": "MEMBER"})
    };
    Server::start(move |path, _| {
        let path = path.split('?').next().unwrap_or_default();
        let mut answer = match path {
            "/repos/o/r/pulls" => json!([{"number": 12}]),
            "/repos/o/r/pulls/12" => json!({
                "number": 12, "title": "Bring \u{1b}[2J0.6 back", "html_url": "https://forge.example.org/o/r/pull/12",
                "state": "open", "draft": false, "user": user("ada"), "mergeable": null,
                "head": {"ref": "release/0.6", "sha": tip}, "base": {"ref": "main", "sha": tip},
            }),
            "/repos/o/r/pulls/12/reviews" => json!([review("bea", &tip), review("cy", &tip)]),
            _ if path.ends_with("/check-runs") => json!({"total_count": 1, "check_runs": [
                {"name": "test", "status": "completed", "conclusion": "success", "html_url": "https://ci.example.org/1",
                 "completed_at": "2026-11-20T09:00:00Z"}]}),
            _ if path.ends_with("/status") => json!({"state": "pending", "total_count": 0, "statuses": []}),
            _ => return Answer::status(404, "Not Found"),
        };
        change(path, &mut answer);
        Answer::json(answer)
    })
}

#[test]
fn without_a_forge_conflicts_are_named_and_checks_stay_unknown() {
    let site = Site::new();
    let (code, out, said) = site.check(&["release/0.6"]);
    assert_eq!(code, 3, "{out}{said}");
    assert!(out.contains("conflicts     holds    none with main at "), "{out}");
    assert_eq!(out.matches("unknown  no forge is configured").count(), 2, "{out}");
    assert!(
        out.contains("approvals     fails    0 of 2, signed in the records"),
        "{out}"
    );
    assert!(said.contains("add `[forge]` to vrel.toml"), "{said}");

    site.commit("fix: on main", "NEWS", "main\n");
    // What is not pushed is not what others would merge into.
    assert!(site.check(&["release/0.6"]).1.contains("conflicts     holds"));
    site.git(&["push", "--quiet", "origin", "main"]);
    let refs = site.git(&["show-ref"]);
    let (code, out, said) = site.check(&["release/0.6", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 3, "{out}{said}");
    assert_eq!(told["conditions"][0]["verdict"], "fails", "{told}");
    assert_eq!(told["conditions"][0]["because"], json!(["NEWS"]), "{told}");
    assert_eq!(told["may_be_merged"], false);
    assert_eq!(site.git(&["show-ref"]), refs);
    assert_eq!(site.git(&["status", "--porcelain"]), "");
}

#[test]
fn without_a_forge_the_signed_approvals_of_the_last_commit_count() {
    let site = Site::new();
    let repo = site.scene.repo();
    let keys = site.scene.keys();
    let vrel = |args: &[&str]| {
        let mut command = Command::new(VREL);
        command
            .arg("--repo")
            .arg(&repo)
            .args(args)
            .arg("--key-dir")
            .arg(&keys);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    for name in ["ada", "grace"] {
        let email = format!("{name}@example.org");
        vrel(&[
            "keys",
            "person",
            name,
            "--role",
            "maintainer",
            "--name",
            name,
            "--email",
            &email,
            "--no-password",
        ]);
    }
    let beta = fs::read_to_string(repo.join("channels/beta.toml")).unwrap();
    let beta = format!("{beta}approvals = 2\napprovers = [\"maintainer\"]\n");
    site.commit("chore: two people approve", "channels/beta.toml", &beta);
    site.git(&["push", "--quiet", "origin", "main"]);
    site.git(&["checkout", "--quiet", "release/0.6"]);
    site.git(&["merge", "--quiet", "--no-edit", "main"]);
    site.git(&["push", "--quiet", "origin", "release/0.6"]);

    vrel(&["approve", "0.6.0-rc1", "--person", "ada", "--yes"]);
    let (code, out, said) = site.check(&["release/0.6"]);
    assert_eq!(code, 3, "{out}{said}");
    assert!(
        out.contains("approvals     fails    1 of 2: ada, signed in the records"),
        "{out}"
    );
    vrel(&["approve", "0.6.0-rc1", "--person", "grace", "--yes"]);
    let (_, out, said) = site.check(&["release/0.6"]);
    assert!(
        out.contains("approvals     holds    2 of 2: ada, grace, signed in the records"),
        "{out}{said}"
    );
    // Nobody approved what came after.
    site.commit("fix: one more thing", "MORE", "more\n");
    site.git(&["push", "--quiet", "origin", "release/0.6"]);
    let (_, out, said) = site.check(&["release/0.6"]);
    assert!(
        out.contains("approvals     fails    0 of 2, signed in the records")
            && out.contains("the approval by ada does not count: it is about commit "),
        "{out}{said}"
    );
}

#[test]
fn what_is_merged_already_or_not_there_is_told_apart() {
    let site = Site::new();
    let (code, _, said) = site.check(&["release/0.7"]);
    assert!(
        code == 3 && said.contains("there is no branch release/0.7"),
        "{code}: {said}"
    );
    let (code, _, said) = site.check(&["main"]);
    assert!(
        code == 3 && said.contains("main cannot be merged into itself"),
        "{code}: {said}"
    );
    let (code, _, said) = site.check(&["--pull", "12"]);
    assert!(
        code == 3 && said.contains("vrel.toml has no `[forge]`"),
        "{code}: {said}"
    );
    site.git(&["merge", "--quiet", "release/0.6"]);
    site.git(&["push", "--quiet", "origin", "main"]);
    let (code, _, said) = site.check(&["release/0.6"]);
    assert!(code == 10 && said.contains("merged already"), "{code}: {said}");
}

#[test]
fn the_forge_decides_what_the_repository_cannot() {
    let site = Site::new();
    let tip = site.git(&["rev-parse", "release/0.6"]);
    let server = forge(tip.clone(), |_, _| {});
    site.ask(&server);
    for args in [&["release/0.6"][..], &["--pull", "12"]] {
        let (code, out, said) = site.check(args);
        assert_eq!(code, 0, "{out}{said}");
        assert!(out.contains("approvals     holds    2 of 2: bea, cy"), "{out}");
        assert!(
            out.contains("final-review  holds    by cy at 2026-11-20T10:00:00Z"),
            "{out}"
        );
        assert!(!out.contains('\u{1b}'), "{out:?}");
    }
    let asked = server.asked();
    let lists: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    assert!(
        lists[0].starts_with("/repos/o/r/pulls?state=open&head=o%3Arelease/0.6&base=main"),
        "{lists:?}"
    );
    let token = format!("Bearer {SECRET}");
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("authorization") == Some(token.as_str()))
    );
    let (code, out, _) = site.check(&["release/0.6", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &told["pull"], &told["may_be_merged"]),
        (0, &json!(12), &json!(true)),
        "{told}"
    );
}

#[test]
fn what_is_missing_at_the_forge_forbids_the_merge() {
    let site = Site::new();
    let tip = site.git(&["rev-parse", "release/0.6"]);
    let server = forge(tip, |path, answer| match path {
        "/repos/o/r/pulls/12/reviews" => {
            answer[1]["commit_id"] = json!("1111111111111111111111111111111111111111")
        }
        _ if path.ends_with("/check-runs") => answer["check_runs"][0]["conclusion"] = json!("failure"),
        _ => {}
    });
    site.ask(&server);
    let (code, out, said) = site.check(&["release/0.6"]);
    assert_eq!(code, 3, "{out}{said}");
    for expected in [
        "approvals     fails    1 of 2: bea",
        "cy approved 111111111111 and not the last commit",
        "checks        fails    test failed (failure), see https://ci.example.org/1",
    ] {
        assert!(out.contains(expected), "{expected}\nin\n{out}");
    }
    assert!(
        said.contains("`approvals` does not hold") && said.contains("hint: "),
        "{said}"
    );
}

#[test]
fn a_forge_that_refuses_is_the_machines_trouble_and_not_a_verdict() {
    let site = Site::new();
    let server = Server::start(|_, _| Answer::status(401, "Bad credentials"));
    site.ask(&server);
    let (code, out, said) = site.check(&["release/0.6"]);
    assert_eq!((code, out.as_str()), (4, ""), "{said}");
    assert!(
        said.contains("answered 401: Bad credentials; the token is wrong"),
        "{said}"
    );
    let busy = Server::start(|_, _| Answer::status(403, "secondary rate limit").with("Retry-After", 600));
    let path = site.scene.repo().join("vrel.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&server.address, &busy.address)).unwrap();
    let (code, out, said) = site.check(&["release/0.6"]);
    assert!(
        code == 4 && out.is_empty() && said.contains("try again after 20"),
        "{code}: {said}"
    );
}

#[test]
fn a_wrong_forge_in_policy_is_refused_with_its_place() {
    let site = Site::new();
    let path: &Path = &site.scene.repo().join("vrel.toml");
    let before = fs::read_to_string(path).unwrap();
    for (forge, code, expected) in [
        (
            "kind = \"gitlab\"\nrepository = \"o/r\"",
            3,
            "unknown variant `gitlab`",
        ),
        (
            "kind = \"github\"\nrepository = \"o\"",
            3,
            "`o` is not a repository of a forge",
        ),
        (
            "kind = \"github\"\nrepository = \"o/r\"\ntoken = \"x\"",
            3,
            "unknown field `token`",
        ),
        (
            "kind = \"github\"\nrepository = \"o/r\"\napi-url = \"http://forge.example.org\"",
            4,
            "expected an `https` address",
        ),
    ] {
        fs::write(path, format!("{before}\n[forge]\n{forge}\n")).unwrap();
        let (found, out, said) = site.check(&["release/0.6"]);
        assert_eq!((found, out.as_str()), (code, ""), "{forge}: {said}");
        assert!(said.contains(expected), "{forge}: {said}");
    }
}

#[test]
fn a_request_from_elsewhere_is_tried_once_its_commits_are_here() {
    let site = Site::new();
    let unknown = "1111111111111111111111111111111111111111";
    let server = forge(unknown.to_owned(), |_, _| {});
    site.ask(&server);
    let (code, _, said) = site.check(&["--pull", "12"]);
    assert!(
        code == 3
            && said.contains(&format!(
                "{unknown}, the last commit of #12, is not in this clone"
            ))
            && said.contains("git fetch origin pull/12/head"),
        "{code}: {said}"
    );
    // A branch of the same name in this repository is another thing.
    let (code, out, said) = site.check(&["release/0.6", "--pull", "12"]);
    assert!(
        code == 3 && out.contains("#12 is at 111111111111, but release/0.6 is at "),
        "{code}: {out}{said}"
    );
}

//! Freezing a line with the real program, and pushing to a real bare remote whose hook is the real program.

mod cut_rc;
mod http;
mod lifecycle;
mod pushes;
mod ssh;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use vrel_testkit::Scene;

const VREL: &str = env!("CARGO_BIN_EXE_vrel");

/// A scene with the hook in its remote.
struct Frozen {
    scene: Scene,
}

/// How a program ended.
struct Ran {
    what: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn new(what: String, output: Output) -> Self {
        Self {
            what,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code, and that result and messages together have all these parts.
    #[track_caller]
    fn ends(&self, code: i32, parts: &[&str]) -> &Self {
        let Self {
            what, stdout, stderr, ..
        } = self;
        let said = format!("{what}\nstdout:\n{stdout}\nstderr:\n{stderr}");
        assert_eq!(self.code, Some(code), "{said}");
        for part in parts {
            assert!(
                stdout.contains(part) || stderr.contains(part),
                "no `{part}`: {said}"
            );
        }
        self
    }

    #[track_caller]
    fn lacks(&self, part: &str) {
        assert!(
            !self.stdout.contains(part) && !self.stderr.contains(part),
            "`{part}`: {}{}",
            self.stdout,
            self.stderr
        );
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

fn run(program: &str, dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(program)
        .current_dir(dir)
        .args(args)
        .envs([
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
            ("GIT_EDITOR", "true"),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran::new(format!("{program} {args:?}"), output)
}

impl Frozen {
    fn new() -> Self {
        let frozen = Self { scene: Scene::new() };
        frozen
            .vrel(&["hook", "install", frozen.remote().to_str().unwrap()])
            .ends(0, &["is installed"]);
        frozen
    }

    /// The same with 0.6 frozen.
    fn started(also: &[&str]) -> Self {
        let frozen = Self::new();
        let mut args = vec!["freeze", "start", "0.6", "--reason", "the way to 0.6.0", "--yes"];
        args.extend(also);
        frozen
            .vrel(&args)
            .ends(0, &["0.6 is frozen since", "freeze-0.6-"]);
        frozen
    }

    fn repo(&self) -> PathBuf {
        self.scene.repo()
    }

    fn remote(&self) -> PathBuf {
        self.scene.remote()
    }

    fn vrel(&self, args: &[&str]) -> Ran {
        run(VREL, &self.repo(), args)
    }

    fn git(&self, args: &[&str]) -> String {
        let ran = run("git", &self.repo(), args);
        ran.ends(0, &[]);
        ran.stdout.trim().to_owned()
    }

    fn push(&self, args: &[&str]) -> Ran {
        run("git", &self.repo(), &[&["push", "-q", "origin"], args].concat())
    }

    /// Commits a change of a file on the branch that is checked out.
    fn commit(&self, subject: &str, file: &str) -> String {
        let path = self.repo().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, format!("{before}{subject}\n")).unwrap();
        self.git(&["add", file]);
        self.git(&["commit", "-q", "-m", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn on_remote(&self, name: &str) -> Option<String> {
        let ran = run("git", &self.remote(), &["rev-parse", "-q", "--verify", name]);
        (ran.code == Some(0)).then(|| ran.stdout.trim().to_owned())
    }

    /// Another person's clone of the remote.
    fn clone_of(&self, name: &str) -> PathBuf {
        let dir = self.scene.base().join(name);
        run("git", self.scene.base(), &["clone", "-q", "remote.git", name]).ends(0, &[]);
        for (key, value) in [("user.name", name), ("user.email", "them@example.org")] {
            run("git", &dir, &["config", key, value]).ends(0, &[]);
        }
        dir
    }
}

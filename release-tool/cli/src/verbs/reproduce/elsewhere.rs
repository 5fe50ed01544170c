//! The surroundings of the second build.
//!
//! Each variation is tried before it is claimed: what this machine cannot vary is said, with the reason.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::progress::Reporter;
use serde::Serialize;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use vrel_build::{Targets, Toolchain};
use vrel_engine::{Ahead, Progress, ProgressEvent, Rebuild, copy_core_libraries, load_at_commit};
use vrel_world::{Command, Processes, World};

/// The user and group that the second build runs as when root runs the first.
const USER: &str = "65534";

/// How many of the last lines of a failed second build are shown.
const LAST_LINES: usize = 40;

/// Something that a build must not depend on.
#[derive(Debug, Serialize)]
pub(super) struct Variation {
    /// What it is.
    pub(super) what: &'static str,
    /// What it is for the first build.
    pub(super) first: String,
    /// What it is for the second one.
    pub(super) second: String,
    /// Why it is the same for both, when it is.
    pub(super) not_applied: Option<String>,
}

/// A second build that is ready to run.
pub(super) struct Elsewhere {
    command: Command,
    /// Where it puts the artifacts.
    pub(super) out: PathBuf,
    /// What is different.
    pub(super) variations: Vec<Variation>,
}

/// What the variations come to, while they are collected.
struct Setting<'a> {
    app: &'a App,
    dir: &'a Path,
    variations: Vec<Variation>,
    env: Vec<(String, String)>,
}

impl Elsewhere {
    /// Lays out everything that the second build needs below `dir`, and tries which variations this machine has.
    ///
    /// # Errors
    /// When something cannot be copied or written.
    pub(super) fn prepare(
        app: &App,
        first: &Rebuild,
        dir: &Path,
        from_scratch: bool,
    ) -> Result<Self, Failure> {
        let fs = app.world.fs();
        let base = dir.join("a/deeper/place with another name");
        let mut setting = Setting {
            app,
            dir: &base,
            variations: Vec::new(),
            env: Vec::new(),
        };
        fs.create_dir_all(&base)?;
        let mut second = Rebuild {
            name: "second".to_owned(),
            root: base.join("sources"),
            cache: base.join("kept"),
            out: base.join("results"),
            jobs: if first.jobs == 1 { 2 } else { first.jobs - 1 },
            ..first.clone()
        };
        app.world
            .git()
            .export(&first.repository, &first.commit, &second.root)?;
        setting.differs("sources", first.root.display(), second.root.display());
        setting.differs("directory of the process", current_dir(), "/");
        setting.core_libraries(first, &second, from_scratch)?;
        second.cargo_home = setting.crates(first)?;
        setting.differs("jobs", first.jobs, second.jobs);
        setting.environment();
        let umask = setting.umask();
        setting.date();
        let request = base.join("request.json");
        let json = serde_json::to_vec_pretty(&second)
            .map_err(|error| Failure::new(FailureKind::Bug, error.to_string()))?;
        fs.write(&request, &json, 0o644)?;
        let user = setting.user(first, dir)?;

        let mut command = Command::new("sh")
            .args(["-c", &format!("umask {umask} && exec \"$@\""), "sh"])
            .args(user)
            .arg(own_path()?.display().to_string());
        if app.global.verbose {
            command = command.arg("--verbose");
        }
        command = command
            .args(["reproduce", "--request"])
            .arg(request.display().to_string())
            .dir(Path::new("/"));
        for (name, value) in setting.env {
            command = command.env(name, value);
        }
        Ok(Self {
            command,
            out: second.out,
            variations: setting.variations,
        })
    }

    /// Builds.
    ///
    /// # Errors
    /// When it fails; with the last that it said.
    pub(super) fn run(&self, app: &App, reporter: &Reporter) -> Outcome {
        let mut last = VecDeque::new();
        let exit = app.world.processes().run(&self.command, &mut |_, line| {
            let line = String::from_utf8_lossy(line).into_owned();
            reporter.event(&ProgressEvent::Output {
                step: "reproduce",
                source: "second build",
                line: &line,
            });
            last.push_back(line);
            if last.len() > LAST_LINES {
                last.pop_front();
            }
        })?;
        if exit.success() {
            return Ok(());
        }
        let said: Vec<_> = last.into();
        let message = format!("the second build failed ({exit:?}):\n{}", said.join("\n"));
        Err(Failure::new(FailureKind::Environment, message))
    }
}

fn current_dir() -> String {
    let dir = std::env::current_dir();
    dir.map_or_else(|_| "unknown".to_owned(), |dir| dir.display().to_string())
}

fn own_path() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        let message = format!("cannot find the path of this program: {error}");
        Failure::new(FailureKind::Environment, message)
    })
}

fn environment_variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| "not set".to_owned())
}

impl Setting<'_> {
    fn processes(&self) -> &dyn Processes {
        self.app.world.processes()
    }

    fn differs(&mut self, what: &'static str, first: impl ToString, second: impl ToString) {
        self.variations.push(Variation {
            what,
            first: first.to_string(),
            second: second.to_string(),
            not_applied: None,
        });
    }

    fn same(&mut self, what: &'static str, why: impl Into<String>) {
        self.variations.push(Variation {
            what,
            first: String::new(),
            second: String::new(),
            not_applied: Some(why.into()),
        });
    }

    /// The first line that a program prints; `None` when it cannot be run or fails.
    fn says(&self, command: &Command) -> Option<String> {
        let said = self.processes().output(command).ok()?;
        let text = String::from_utf8(said).ok()?;
        text.lines().next().map(str::to_owned)
    }

    fn core_libraries(&mut self, first: &Rebuild, second: &Rebuild, from_scratch: bool) -> Outcome {
        let cache = first.cache.display().to_string();
        if from_scratch {
            self.differs("cache", cache, "empty");
            return Ok(());
        }
        copy_core_libraries(&self.app.world, &first.cache, &second.cache)?;
        self.differs("cache", cache, "empty, but for the core libraries");
        self.same(
            "core libraries",
            "copied from the first build; `--from-scratch` builds them again",
        );
        Ok(())
    }

    /// A copy of the sources of crates, so that they lie elsewhere and nothing is fetched again.
    fn crates(&mut self, first: &Rebuild) -> Result<PathBuf, Failure> {
        const WHAT: &str = "sources of crates";
        let fs = self.app.world.fs();
        let home = &first.cargo_home;
        for name in ["config.toml", "config"] {
            if fs.metadata(&home.join(name))?.is_some() {
                self.same(WHAT, format!("{} has settings of its own", home.display()));
                return Ok(home.clone());
            }
        }
        let copy = self.dir.join("crates");
        fs.create_dir_all(&copy.join("registry"))?;
        for part in ["registry/index", "registry/cache"] {
            let from = home.join(part);
            if fs.metadata(&from)?.is_some() {
                let command = Command::new("cp").arg("-R").arg(from.display().to_string());
                self.processes()
                    .output(&command.arg(copy.join("registry").display().to_string()))?;
            }
        }
        self.differs(WHAT, home.display(), copy.display());
        Ok(copy)
    }

    /// Time zone, locale, home and what else stands in variables.
    fn environment(&mut self) {
        let home = self.dir.join("home");
        let zone = if environment_variable("TZ") == "<+1345>-13:45" {
            "<-0930>9:30"
        } else {
            // By its rule, because not every machine knows zones by name.
            "<+1345>-13:45"
        };
        let locale = self.other_locale();
        self.differs("TZ", environment_variable("TZ"), zone);
        self.differs("LC_ALL", environment_variable("LC_ALL"), &locale);
        self.differs("HOME", environment_variable("HOME"), home.display());
        // Compilers that rustup manages are found by the home directory unless this says where they are.
        if let (Err(_), Ok(before)) = (std::env::var("RUSTUP_HOME"), std::env::var("HOME")) {
            self.env
                .push(("RUSTUP_HOME".to_owned(), format!("{before}/.rustup")));
        }
        for (name, value) in [
            ("TZ", zone),
            ("LC_ALL", &locale),
            ("USER", "another"),
            ("LOGNAME", "another"),
        ] {
            self.env.push((name.to_owned(), value.to_owned()));
        }
        for name in ["HOME", "TMPDIR"] {
            self.env.push((name.to_owned(), home.display().to_string()));
        }
    }

    /// A locale of this machine other than the current one; one with other rules than C's where there is one.
    fn other_locale(&self) -> String {
        let said = self.processes().output(&Command::new("locale").arg("-a"));
        let said = String::from_utf8(said.unwrap_or_default()).unwrap_or_default();
        let current = environment_variable("LC_ALL");
        let mut known: Vec<&str> = said.lines().chain(["C"]).collect();
        known.sort_by_key(|name| (name.starts_with("C") || *name == "POSIX", *name == "C"));
        let other = known.into_iter().find(|name| *name != current);
        other.unwrap_or("POSIX").to_owned()
    }

    fn umask(&mut self) -> &'static str {
        let current = self.says(&Command::new("sh").args(["-c", "umask"]));
        let current = current.unwrap_or_else(|| "unknown".to_owned());
        let other = if current.ends_with("077") { "027" } else { "077" };
        self.differs("umask", current, format!("0{other}"));
        other
    }

    /// The tool's own clock. The programs that it runs see the date of the machine: `faketime`, which could change that,
    /// makes rustc wait for ever, because it asks for memory while rustc's allocator, jemalloc, asks it for the time.
    fn date(&mut self) {
        let now = self.app.world.now();
        self.differs("date that the tool sees", now, now.plus_days(Ahead::DAYS));
        self.same(
            "date that its programs see",
            "it is the machine's: rustc hangs under `faketime`",
        );
    }

    /// The words that make a program run as another user, who is given the directory of the second build.
    fn user(&mut self, first: &Rebuild, dir: &Path) -> Result<Vec<String>, Failure> {
        const WHAT: &str = "user";
        self.app.world.fs().create_dir_all(&self.dir.join("home"))?;
        if !rustix::process::geteuid().is_root() {
            self.same(WHAT, "only root can run a program as somebody else");
            return Ok(Vec::new());
        }
        if self.processes().find("setpriv").is_none() {
            self.same(WHAT, "setpriv is not installed");
            return Ok(Vec::new());
        }
        let words: Vec<String> = [
            "setpriv",
            &format!("--reuid={USER}"),
            &format!("--regid={USER}"),
            "--clear-groups",
            // Changing the user takes this request back, so it is made again.
            "--pdeathsig=KILL",
        ]
        .map(str::to_owned)
        .to_vec();
        let owner = Command::new("chown").args(["-R", &format!("{USER}:{USER}")]);
        self.processes().output(&owner.arg(dir.display().to_string()))?;
        if let Some(why) = self.hidden_from(&words, first, dir)? {
            self.same(WHAT, why);
            return Ok(Vec::new());
        }
        self.differs(WHAT, "0 (root)", USER);
        Ok(words)
    }

    /// What the other user cannot do that the build needs, if anything.
    fn hidden_from(&self, words: &[String], first: &Rebuild, dir: &Path) -> Result<Option<String>, Failure> {
        let os = first.root.join(
            load_at_commit(&self.app.world, &first.repository, &first.commit)?
                .os
                .source,
        );
        let config = load_at_commit(&self.app.world, &first.repository, &first.commit)?;
        let failed =
            |error: vrel_build::BuildError| Failure::new(FailureKind::Environment, error.to_string());
        let targets = Targets::read(&self.app.world, &os).map_err(failed)?;
        let triples = targets.triples();
        let toolchain = Toolchain::find(&self.app.world, &triples, &config.toolchain.rust).map_err(failed)?;
        let tried = |args: &[&str]| {
            let command = Command::new(&words[0])
                .args(&words[1..])
                .args(args.iter().copied());
            // With the home directory of the second build: the first one's may be closed to others.
            let env = self.env.iter();
            let command = env.fold(command, |command, (name, value)| command.env(name, value));
            self.processes().output(&command.dir(Path::new("/"))).is_ok()
        };
        let (program, repository) = (own_path()?, first.repository.display().to_string());
        let program = program.display().to_string();
        let rustc = toolchain.rustc.display().to_string();
        let (dir, cargo) = (dir.display().to_string(), toolchain.cargo.display().to_string());
        let tests: [(&[&str], &str); 5] = [
            (
                &["test", "-w", &dir],
                "write into the directory of the second build",
            ),
            (&[&program, "--version"], "run this program"),
            (
                &[&program, "-C", &repository, "artifacts", "list"],
                "read the repository",
            ),
            (&[&rustc, "-vV"], "run the compiler"),
            (&[&cargo, "-V"], "run cargo"),
        ];
        let failed = tests.iter().find(|(args, _)| !tried(args));
        Ok(failed.map(|(_, what)| format!("user {USER} cannot {what}")))
    }
}

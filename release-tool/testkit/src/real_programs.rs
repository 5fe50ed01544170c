//! The acted programs as real ones, so that the real command line can release into a scene.
//!
//! All of them are one program, `acted`, under several names. What it should do wrong is written into the scene's directory of faults,
//! in a file with the name under which it is called.

use crate::Scene;
use crate::fake_programs::{self, Acted};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;
use std::time::Duration;

/// Names the scene to the programs that act in it.
const SCENE_VARIABLE: &str = "VREL_TESTKIT_SCENE";

/// The programs beside the linker, which lies deeper.
const PROGRAMS: [&str; 5] = [
    "rustc",
    "cargo",
    "qemu-system-x86_64",
    "qemu-system-aarch64",
    "qemu-system-riscv64",
];

/// How often a program that waits looks whether it may go on.
const POLL: Duration = Duration::from_millis(2);

/// What an acted program does wrong. Of cargo, only `cargo build` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It prints what a compiler says of a mistake in the sources, and fails.
    Fails,
    /// It prints two lines and never ends.
    Hangs,
    /// It does not go on before the fault is taken away.
    Waits,
}

impl Fault {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Fails, "fails"),
        (Self::Hangs, "hangs"),
        (Self::Waits, "waits"),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(fault, _)| *fault == self)
            .map_or("", |(_, name)| name)
    }
}

fn fault_file(base: &Path, program: &str) -> PathBuf {
    base.join("faults").join(program)
}

fn reached_file(base: &Path, program: &str) -> PathBuf {
    base.join("faults").join(format!("{program}.reached"))
}

/// Does what the program should do under whose name this process was started.
#[must_use]
pub fn play() -> ExitCode {
    let mut args = std::env::args();
    let program = PathBuf::from(args.next().unwrap_or_default());
    let name = program
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
        .to_owned();
    let Some(base) = std::env::var_os(SCENE_VARIABLE).map(PathBuf::from) else {
        // The scene itself pushes too, and wants no fault.
        if name == HOOK {
            return ExitCode::SUCCESS;
        }
        return complain(&format!("{name}: {SCENE_VARIABLE} names no scene"));
    };
    let command = vrel_world::Command::new(program).args(args);
    let is_work = name != "cargo" || command.args.first().is_some_and(|verb| verb == "build");
    if is_work && let Some(code) = misbehave(&base, &name) {
        return code;
    }
    if name == HOOK {
        return ExitCode::SUCCESS;
    }
    match fake_programs::act(&base.join("sysroot"), &command, None) {
        Ok(Some(Acted { said, status, is_up })) => {
            let printed = std::io::stdout().write_all(said.as_bytes());
            // Nobody reads it any more: the tool is gone.
            drop(printed);
            if is_up {
                serve_shell(&base.join("sysroot"), &command);
            }
            ExitCode::from(u8::try_from(status).unwrap_or(1))
        }
        Ok(None) => complain(&format!("{name}: the scene does not act this program")),
        Err(error) => complain(&format!("{name}: {error}")),
    }
}

/// Answers what is typed at the acted system, until it is switched off or nobody can type any more.
fn serve_shell(sysroot: &Path, command: &vrel_world::Command) {
    for line in std::io::stdin().lock().split(b'\r').map_while(Result::ok) {
        let Some(said) = fake_programs::shell(sysroot, command, &String::from_utf8_lossy(&line)) else {
            return;
        };
        drop(writeln!(std::io::stdout(), "{said}"));
    }
}

fn complain(text: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "{text}"));
    ExitCode::from(101)
}

fn misbehave(base: &Path, name: &str) -> Option<ExitCode> {
    let file = fault_file(base, name);
    let wanted = std::fs::read_to_string(&file).ok()?;
    let (fault, _) = Fault::ALL.iter().find(|(_, name)| *name == wanted)?;
    drop(std::fs::write(reached_file(base, name), ""));
    match fault {
        Fault::Fails => Some(complain(
            "error[E0308]: mismatched types\n --> kernel/src/main.rs:7:5\nerror: could not compile `kernel`",
        )),
        Fault::Hangs => {
            drop(writeln!(
                std::io::stdout(),
                "kernel: up\nkernel: waiting for the disk"
            ));
            loop {
                std::thread::park();
            }
        }
        Fault::Waits => {
            // A scene that was removed is no reason to wait for ever.
            while file.exists() {
                std::thread::park_timeout(POLL);
            }
            None
        }
    }
}

/// The hook of the remote that runs before refs change; it can wait like a program.
const HOOK: &str = "pre-receive";

/// The program `acted`, built when it is not there or not up to date.
///
/// Cargo builds the programs of a package only for the tests of the same package, so this asks for it.
fn acted() -> &'static Path {
    static ACTED: OnceLock<PathBuf> = OnceLock::new();
    ACTED.get_or_init(|| {
        let test = std::env::current_exe().unwrap_or_else(|error| panic!("where is this test? {error}"));
        // target/PROFILE/deps/test-…
        let profile_dir = test
            .ancestors()
            .nth(2)
            .unwrap_or_else(|| panic!("{} is not in a target directory", test.display()));
        let target_dir = profile_dir.parent().unwrap_or(profile_dir);
        let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
            None | Some("debug") => "dev",
            Some(other) => other,
        };
        let built = Command::new(option_env!("CARGO").unwrap_or("cargo"))
            // Together with the command line, so that libraries have the features that they were compiled with already.
            .args([
                "build",
                "--quiet",
                "--offline",
                "--locked",
                "-p",
                "vrel-cli",
                "-p",
                "vrel-testkit",
            ])
            .args(["--bin", "acted", "--profile", profile, "--target-dir"])
            .arg(target_dir)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap_or_else(|error| panic!("cargo: {error}"));
        assert!(
            built.status.success(),
            "acted was not built: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        profile_dir.join("acted")
    })
}

fn link(to: &Path, at: &Path) {
    if let Some(parent) = at.parent() {
        std::fs::create_dir_all(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    }
    drop(std::fs::remove_file(at));
    std::os::unix::fs::symlink(to, at)
        .unwrap_or_else(|error| panic!("{} -> {}: {error}", at.display(), to.display()));
}

/// A program of this machine.
fn installed(name: &str) -> PathBuf {
    use vrel_world::World;
    vrel_world::RealWorld::default()
        .processes()
        .find(name)
        .unwrap_or_else(|| panic!("`{name}` is not in the search path"))
}

impl Scene {
    /// The search path's only directory: the acted programs, and git.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.sysroot().join("bin")
    }

    /// Lays the acted programs out as real ones.
    ///
    /// # Panics
    /// When a file cannot be made, or the programs cannot be built.
    pub fn install_programs(&self) {
        let acted = acted();
        let programs = self.programs();
        for name in PROGRAMS {
            link(acted, &programs.join(name));
        }
        link(
            acted,
            &self
                .sysroot()
                .join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"),
        );
        link(acted, &self.remote().join("hooks").join(HOOK));
        link(&installed("git"), &programs.join("git"));
        let made = std::fs::create_dir_all(self.base().join("home"))
            .and_then(|()| std::fs::create_dir_all(self.base().join("faults")));
        made.unwrap_or_else(|error| panic!("{error}"));
    }

    /// A real program in the scene's surroundings: search path, home, keys and git of the scene, nothing of the person
    /// who runs the tests.
    #[must_use]
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", self.programs())
            .env("HOME", self.base().join("home"))
            .env("VREL_KEY_DIR", self.keys())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env(SCENE_VARIABLE, self.base())
            .current_dir(self.repo());
        command
    }

    /// Makes a program misbehave from now on. `pre-receive` is the remote's hook, which runs within a push.
    ///
    /// # Panics
    /// When the fault cannot be written down.
    pub fn set_fault(&self, program: &str, fault: Fault) {
        let file = fault_file(self.base(), program);
        let written = std::fs::write(&file, fault.name());
        written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    /// Makes a program behave again; one that waits goes on.
    pub fn clear_fault(&self, program: &str) {
        drop(std::fs::remove_file(fault_file(self.base(), program)));
    }

    /// Whether a program has come to its fault since this was asked last.
    #[must_use]
    pub fn reached_fault(&self, program: &str) -> bool {
        std::fs::remove_file(reached_file(self.base(), program)).is_ok()
    }
}

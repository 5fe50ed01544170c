//! Programs that the scene acts: compiler, linker and emulator. Everything else is the machine's.

use crate::binaries;
use std::path::{Path, PathBuf};
use vrel_world::{Answer, Command, ErrorKind, Exit, Processes, RealWorld, Result, Stream, World, WorldError};

/// What the acted compiler says of itself.
const RUSTC: &str =
    "rustc 1.95.0 (000000000 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";

/// The file of the compiler's directory that has what another compiler says of itself, where the scene has changed it.
pub(crate) const ANOTHER: &str = "another-compiler";

/// The targets whose core libraries are there, with the machine number of their files.
pub(crate) const TARGETS: [(&str, u16); 5] = [
    ("x86_64-unknown-none", 62),
    ("x86_64-unknown-uefi", 0x8664),
    ("aarch64-unknown-none-softfloat", 183),
    ("aarch64-unknown-uefi", 0xaa64),
    ("riscv64-acted-uefi", 0x5064),
];

/// riscv64's kernel and programs; its loader has a target of its own here, because nothing is linked.
pub(crate) const RISCV64: (&str, u16) = ("riscv64imac-unknown-none-elf", 243);

/// Something that the acted compiler writes into kernels although no compiler should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leak {
    /// The directory of the sources.
    Directory,
    /// The variable TZ, where it is set for the compiler.
    TimeZone,
    /// The directory for temporary files, where it is set for the compiler.
    TemporaryDirectory,
    /// The moment at which it runs.
    Time,
}

impl Leak {
    /// The text that ends up in a kernel.
    fn text(self, command: &Command) -> String {
        let variable = |name: &str| {
            let found = command.env.iter().find(|(set, _)| set == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        match self {
            Self::Directory => format!("{:?}", command.dir),
            Self::TimeZone => variable("TZ"),
            Self::TemporaryDirectory => variable("TMPDIR"),
            Self::Time => format!("{:?}", std::time::SystemTime::now()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct FakePrograms {
    real: RealWorld,
    sysroot: PathBuf,
    leak: Option<Leak>,
}

/// What an acted program did.
pub(crate) struct Acted {
    /// What it printed on its standard output.
    pub(crate) said: String,
    /// Its exit status.
    pub(crate) status: i32,
    /// It is a machine whose system has come up, and can be typed at.
    pub(crate) is_up: bool,
}

/// Plays a program of the scene; `None` when it is none of those.
pub(crate) fn act(sysroot: &Path, command: &Command, leak: Option<Leak>) -> std::io::Result<Option<Acted>> {
    let name = command
        .program
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let verb = command.args.first().map_or("", String::as_str);
    let mut status = 0;
    let mut is_up = false;
    let said = match (name, verb) {
        ("rustc", _) => rustc(sysroot, command),
        ("rust-lld", _) => "LLD 22.1.2 (compatible with GNU linkers)\n".to_owned(),
        ("cargo", "-V") => "cargo 1.95.0 (000000000 2026-03-21)\n".to_owned(),
        ("cargo", "fetch") => String::new(),
        ("cargo", "locate-project") => {
            let dir = command.dir.clone().map_or_else(std::env::current_dir, Ok)?;
            format!("{}\n", dir.join("Cargo.toml").display())
        }
        ("cargo", "build") => match broken(sysroot, command) {
            Some(target) => {
                status = 101;
                format!("cannot compile for {target}\n")
            }
            None => {
                compile(command, leak)?;
                String::new()
            }
        },
        (qemu, _) if qemu.starts_with("qemu-system-") && emulator_fails(sysroot, command) => {
            status = 1;
            "no bootable device\n".to_owned()
        }
        (qemu, _) if qemu.starts_with("qemu-system-") && target(command).is_some() => install(command)?,
        (qemu, _) if qemu.starts_with("qemu-system-") => match boot(command)? {
            Some(identity) => {
                status = if qemu.ends_with("x86_64") { 33 } else { 0 };
                is_up = true;
                format!("kernel: up\n{identity}\n")
            }
            None => {
                status = 1;
                "no bootable device\n".to_owned()
            }
        },
        _ => return Ok(None),
    };
    Ok(Some(Acted { said, status, is_up }))
}

fn rustc(sysroot: &Path, command: &Command) -> String {
    if command.args.iter().any(|arg| arg == "sysroot") {
        format!("{}\n", sysroot.display())
    } else {
        std::fs::read_to_string(sysroot.join(ANOTHER)).unwrap_or_else(|_| RUSTC.to_owned())
    }
}

impl FakePrograms {
    /// The programs of a compiler's directory.
    pub(crate) fn new(sysroot: &Path, leak: Option<Leak>) -> Self {
        Self {
            real: RealWorld::default(),
            sysroot: sysroot.to_owned(),
            leak,
        }
    }

    /// Writes the files by which a compiler is recognised.
    pub(crate) fn lay_out(sysroot: &Path) -> std::io::Result<()> {
        let lld = sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld");
        let mut files = vec![sysroot.join("bin/rustc"), sysroot.join("bin/cargo"), lld];
        for (target, _) in TARGETS.iter().chain([&RISCV64]) {
            files.push(
                sysroot
                    .join("lib/rustlib")
                    .join(target)
                    .join("lib/libcore-0.rlib"),
            );
        }
        for file in files {
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(file, "acted by the scene\n")?;
        }
        Ok(())
    }
}

/// The value that follows a flag.
fn value<'c>(command: &'c Command, flag: &str) -> Option<&'c str> {
    let at = command.args.iter().position(|arg| arg == flag)?;
    command.args.get(at + 1).map(String::as_str)
}

/// The target that does not compile: the sources have a file `broken`, or the compiler itself has, with a part of the
/// target's name.
fn broken<'c>(sysroot: &Path, command: &'c Command) -> Option<&'c str> {
    let target = value(command, "--target")?;
    let dirs = [command.dir.as_deref(), Some(sysroot)];
    let texts = dirs
        .into_iter()
        .flatten()
        .filter_map(|dir| std::fs::read_to_string(dir.join("broken")).ok());
    let mut words = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    words.any(|word| target.contains(&word)).then_some(target)
}

fn compile(command: &Command, leak: Option<Leak>) -> std::io::Result<()> {
    let missing = |what: &str| std::io::Error::other(format!("cargo build without {what}"));
    let target = value(command, "--target").ok_or_else(|| missing("--target"))?;
    let dir = value(command, "--target-dir").ok_or_else(|| missing("--target-dir"))?;
    let known = TARGETS.iter().chain([&RISCV64]).find(|(name, _)| *name == target);
    let (_, machine) = known.ok_or_else(|| missing("a target that the scene knows"))?;
    let out = Path::new(dir).join(target).join("release");
    std::fs::create_dir_all(&out)?;
    let packages = command
        .args
        .windows(2)
        .filter(|pair| pair[0] == "--package")
        .map(|pair| pair[1].as_str());
    for package in packages {
        let (name, content) = match package {
            "boot" => (format!("{package}.efi"), binaries::efi(*machine)),
            "kernel" => {
                let text = leak.map(|leak| leak.text(command)).unwrap_or_default();
                (package.to_owned(), binaries::kernel(*machine, &text))
            }
            _ => (package.to_owned(), binaries::program(*machine)),
        };
        std::fs::write(out.join(name), content)?;
    }
    Ok(())
}

/// What a machine that boots these bytes says of itself: the identity in the kernel that is among them.
fn identity_in(bytes: &[u8]) -> Option<String> {
    let magic = b"VERIDIAN-IDENT1\n";
    let at = bytes.windows(magic.len()).position(|window| window == magic)? + magic.len();
    let text: Vec<u8> = bytes[at..]
        .iter()
        .copied()
        .take_while(|byte| *byte != 0)
        .collect();
    let text = String::from_utf8(text).ok()?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    Some(format!(
        "{} {} ({}) {}",
        field("name")?,
        field("version")?,
        field("commit")?,
        field("arch")?
    ))
}

/// The file of the compiler's directory that says which machines do not start: those with this text in an argument.
pub(crate) const BROKEN_EMULATOR: &str = "broken-emulator";

fn emulator_fails(sysroot: &Path, command: &Command) -> bool {
    let text = std::fs::read_to_string(sysroot.join(BROKEN_EMULATOR));
    text.is_ok_and(|text| command.args.iter().any(|arg| arg.contains(&text)))
}

/// The disk that a machine installs to.
fn target(command: &Command) -> Option<&str> {
    let disk = command.args.iter().find(|arg| arg.contains("snapshot=off"))?;
    disk.split_once("file=").map(|(_, file)| file)
}

/// Plays an installer: it obeys its answer file, and puts the system of its medium onto the disk.
fn install(command: &Command) -> std::io::Result<String> {
    let files: Vec<&str> = command
        .args
        .iter()
        .filter_map(|arg| arg.split_once("file=").map(|(_, file)| file))
        .collect();
    let missing = || std::io::Error::other("expected a medium, a disk and answers");
    let [iso, disk, answers] = files[..] else {
        return Err(missing());
    };
    let answers = answers.strip_prefix("fat:").ok_or_else(missing)?;
    let answers = std::fs::read_to_string(Path::new(answers).join("veridian/answers.txt"))?;
    let mut bytes = std::fs::read(disk)?;
    let empty = bytes.iter().all(|byte| *byte == 0);
    let of_size = format!("install-to = size {} MiB", bytes.len() >> 20);
    let chosen = answers
        .lines()
        .any(|line| line == of_size || (line == "install-to = empty" && empty));
    if !chosen || !(empty || answers.lines().any(|line| line == "erase = yes")) {
        return Ok("installer: refused: no disk is meant; nothing was changed\n".to_owned());
    }
    let system = std::fs::read(iso)?;
    bytes.fill(0);
    bytes[..system.len()].copy_from_slice(&system);
    std::fs::write(disk, bytes)?;
    Ok("installer: VeridianOS is installed on disk 1\n".to_owned())
}

fn boot(command: &Command) -> std::io::Result<Option<String>> {
    let medium = command
        .args
        .iter()
        .find_map(|arg| arg.split_once("file=").map(|(_, file)| file));
    let file = medium
        .or_else(|| value(command, "-kernel"))
        .ok_or_else(|| std::io::Error::other("nothing to boot"))?;
    Ok(identity_in(&std::fs::read(file)?))
}

/// The file of the compiler's directory that says which version is how slow: `VERSION NUMBER`, the number being that of the
/// instructions of a system call. All others take [`NULL_CALL`].
pub(crate) const SLOW: &str = "slow";

/// Instructions of a system call that does nothing, in the acted system.
const NULL_CALL: u64 = 400;

/// What the acted system's shell answers to a line; `None` when it switches the machine off.
pub(crate) fn shell(sysroot: &Path, command: &Command, line: &str) -> Option<String> {
    match line {
        "poweroff" => None,
        "perf --json" => {
            let identity = boot(command).ok().flatten().unwrap_or_default();
            let version = identity.split(' ').nth(1).unwrap_or_default();
            let slow = std::fs::read_to_string(sysroot.join(SLOW)).unwrap_or_default();
            let slow = slow
                .split_once(' ')
                .filter(|(slow, _)| *slow == version)
                .and_then(|(_, number)| number.parse().ok());
            let value: u64 = slow.unwrap_or(NULL_CALL);
            Some(format!(
                r#"{{"unit":"instructions","results":[{{"name":"null-call","value":{value},"limit":1000}}]}}"#
            ))
        }
        "sysinfo --json" => {
            let identity = boot(command).ok().flatten().unwrap_or_default();
            let mut words = identity.split(' ').skip(1);
            let version = words.next().unwrap_or_default();
            let commit = words.next().unwrap_or_default().trim_matches(['(', ')']);
            Some(format!("{{\"version\":\"{version}\",\"commit\":\"{commit}\"}}"))
        }
        line => Some(format!("{line}: not found")),
    }
}

impl Processes for FakePrograms {
    fn run(&self, command: &Command, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Exit> {
        let failed = |error: std::io::Error| {
            WorldError::new(
                "run",
                command.program.display().to_string(),
                ErrorKind::Other,
                error.to_string(),
            )
        };
        match act(&self.sysroot, command, self.leak).map_err(failed)? {
            Some(Acted { said, status, .. }) => {
                said.lines()
                    .for_each(|line| on_line(Stream::Stdout, line.as_bytes()));
                Ok(Exit::Status(status))
            }
            None => self.real.processes().run(command, on_line),
        }
    }

    fn converse(&self, command: &Command, answer: Answer<'_>) -> Result<Exit> {
        let mut typed = Vec::new();
        let exit = self.run(command, &mut |stream, line| {
            typed.extend(answer(stream, line).unwrap_or_default());
        })?;
        while !typed.is_empty() {
            let lines = String::from_utf8_lossy(&std::mem::take(&mut typed)).into_owned();
            for line in lines.split_terminator('\r') {
                let Some(said) = shell(&self.sysroot, command, line) else {
                    return Ok(exit);
                };
                typed.extend(answer(Stream::Stdout, said.as_bytes()).unwrap_or_default());
            }
        }
        Ok(exit)
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        match name {
            "rustc" | "cargo" => Some(self.sysroot.join("bin").join(name)),
            qemu if qemu.starts_with("qemu-system-") => Some(PathBuf::from(qemu)),
            "/usr/bin/rustc" | "rust-lld" | "lld" => None,
            other => self.real.processes().find(other),
        }
    }
}

//! Booting a build in QEMU, and learning which system came up.

use crate::machines::PLACEHOLDERS;
use crate::stamp::Identity;
use crate::{BootFailure, BuildError, Exchange, Line, Machine};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vrel_world::{Command, ErrorKind, Exit, World};

/// How many of the last lines of the serial line are kept.
const KEPT_LINES: usize = 200;

/// Longer lines are cut.
const MAX_LINE: usize = 4000;

/// The files that a machine may be started with; a boot needs those that its medium names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// The stamped kernel, an ELF file.
    pub kernel: Option<&'a Path>,
    /// The same as a flat image ([`crate::flat::flatten`]).
    pub kernel_flat: Option<&'a Path>,
    /// The initrd.
    pub initrd: Option<&'a Path>,
    /// A disk or ISO image.
    pub image: Option<&'a Path>,
}

impl<'a> Files<'a> {
    /// What stands for a placeholder.
    fn get(&self, name: &str) -> Option<&'a Path> {
        match name {
            "kernel" => self.kernel,
            "kernel_flat" => self.kernel_flat,
            "initrd" => self.initrd,
            "image" => self.image,
            _ => None,
        }
    }
}

/// A session at the serial line, as far as it has come.
struct Talk<'a> {
    session: &'a [Exchange],
    expected: &'a Identity,
    /// The system has said its name, and the first exchange is on.
    begun: bool,
    /// The exchange whose answer is waited for.
    at: usize,
}

impl<'a> Talk<'a> {
    fn new(session: &'a [Exchange], expected: &'a Identity) -> Self {
        Self {
            session,
            expected,
            begun: false,
            at: 0,
        }
    }

    /// The exchange whose answer is missing, once there is one.
    fn waits_for(&self) -> Option<&'a Exchange> {
        self.session.get(self.at).filter(|_| self.begun)
    }

    /// What to type when the system has said its name.
    fn begin(&mut self) -> Option<Vec<u8>> {
        if std::mem::replace(&mut self.begun, true) {
            return None;
        }
        self.next(String::new())
    }

    /// What to type at a system that is the wrong one: how a session ends, so that it does too.
    fn leave(&mut self) -> Option<Vec<u8>> {
        let last = std::mem::take(&mut self.session).last()?;
        Some((last.typed.clone() + "\r").into_bytes())
    }

    /// What to type when the system has printed a line.
    fn hear(&mut self, line: &str) -> Option<Vec<u8>> {
        let wanted = self.waits_for()?.expect.as_deref()?;
        if !line.contains(&filled(wanted, self.expected)) {
            return None;
        }
        self.at += 1;
        self.next(String::new())
    }

    /// What there is to type, up to the next exchange that has to be answered.
    fn next(&mut self, mut typed: String) -> Option<Vec<u8>> {
        while let Some(exchange) = self.waits_for() {
            typed.push_str(&exchange.typed);
            // As the key on a terminal does.
            typed.push('\r');
            if exchange.expect.is_some() {
                break;
            }
            self.at += 1;
        }
        Some(typed.into_bytes()).filter(|typed| !typed.is_empty())
    }
}

/// An expected text with the system's version, commit and architecture.
fn filled(text: &str, of: &Identity) -> String {
    text.replace("{version}", &of.version)
        .replace("{commit}", &of.commit)
        .replace("{arch}", of.arch.as_str())
}

/// What to boot, and what should come up.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// One of its media.
    pub medium: &'a str,
    /// The files for it.
    pub files: Files<'a>,
    /// The system that must say its name: a program of it, or, when nothing is typed, the kernel.
    pub expected: &'a Identity,
    /// What is typed at the serial line once it has, and what must come back; nothing for a system that switches itself
    /// off.
    pub session: &'a [Exchange],
}

/// A system that booted, said that it is the expected one, and powered off in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    /// Which system it is.
    pub identity: Identity,
    /// The end of what it printed on its serial line.
    pub serial: Vec<String>,
}

/// What the kernel says in front of the system's identity, before any program runs.
const KERNEL_SAYS: &str = "kernel: this is ";

/// Boots a machine, talks to its system, and waits for its end. Its files are not changed, so several boots may use the
/// same ones at the same time. Each line of the serial line goes to `on_line` as it comes.
///
/// The emulator is killed when the medium's time limit is over, and when a person asks the tool to stop.
///
/// # Errors
/// As [`run`]; and [`BuildError::Boot`] when the system does not say that it is the expected one, or does not answer.
pub fn boot(
    world: &dyn World,
    boot: &Boot<'_>,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<Booted, BuildError> {
    let Boot {
        machine,
        medium,
        expected,
        ..
    } = *boot;
    let mut other = None;
    let mut talk = Talk::new(boot.session, expected);
    let input = !boot.session.is_empty();
    let mut hear = |line: Line<'_>| {
        on_line(line);
        // Where nobody is asked there may be no program that names the system.
        let named = match line.text.strip_prefix(KERNEL_SAYS) {
            Some(said) if !input => said,
            _ => line.text,
        };
        match Identity::parse_line(named) {
            Some(identity) if identity == *expected => talk.begin(),
            // The kernel names the system too, within longer lines: those seem to be of another product.
            Some(identity) if identity.name == expected.name => {
                other = Some(Box::new(identity));
                talk.leave()
            }
            _ => talk.hear(line.text),
        }
    };
    let value_of = |name: &str| boot.files.get(name);
    let ended = run_answered(world, machine, medium, &value_of, input, &mut hear);
    let (serial, timed_out) = match ended {
        Ok(serial) => (serial, false),
        Err(BuildError::Boot {
            failure: BootFailure::TimedOut { .. },
            serial,
            ..
        }) if talk.waits_for().is_some() => (serial, true),
        Err(error) => return Err(error),
    };
    let expected = Box::new(expected.clone());
    let failure = match (other, talk.waits_for()) {
        (Some(found), _) => BootFailure::OtherSystem { expected, found },
        (None, Some(exchange)) => BootFailure::Unanswered {
            exchange: Box::new(Exchange {
                typed: exchange.typed.clone(),
                expect: exchange.expect.as_ref().map(|text| filled(text, &expected)),
            }),
            timed_out,
        },
        (None, None) if talk.begun => {
            return Ok(Booted {
                identity: *expected,
                serial,
            });
        }
        (None, None) => BootFailure::NoIdentity { expected },
    };
    Err(BuildError::Boot {
        machine: machine.name.clone(),
        medium: medium.to_owned(),
        failure,
        serial,
    })
}

/// Boots a machine, whatever system may come up, and returns the last 200 lines of its serial line.
///
/// # Errors
/// When emulator, firmware or a file is missing, and with [`BuildError::Boot`], which has the end of the
/// serial line, when the machine ends in any other way than by an orderly power-off.
pub fn run(
    world: &dyn World,
    machine: &Machine,
    medium: &str,
    files: &Files<'_>,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<Vec<String>, BuildError> {
    run_with(world, machine, medium, &|name| files.get(name), on_line)
}

/// Boots a machine with its serial line at the tool's own terminal, for a person to use, and waits for its end. Its files
/// are not changed. The keys Ctrl-] and X end the emulator.
///
/// # Errors
/// When emulator, firmware or a file is missing.
pub fn attach(
    world: &dyn World,
    machine: &Machine,
    medium: &str,
    files: &Files<'_>,
) -> Result<Exit, BuildError> {
    let (mut command, _) = prepare(world, machine, medium, &|name| files.get(name))?;
    for index in 1..command.args.len() {
        if command.args[index - 1] == "-serial" && command.args[index] == "stdio" {
            // With the emulator's own keys, and so that the interrupt key reaches the system.
            "mon:stdio".clone_into(&mut command.args[index]);
        }
    }
    // Not QEMU's own choice, Ctrl-A, which is the key to the start of a line.
    command.args.extend(["-echr".to_owned(), "0x1d".to_owned()]);
    command.timeout = None;
    Ok(world.processes().attach(&command)?)
}

/// What stands for a placeholder.
pub(crate) type ValueOf<'f, 'a> = &'f dyn Fn(&str) -> Option<&'a Path>;

/// As [`run`], with files by their placeholders.
pub(crate) fn run_with<'a>(
    world: &dyn World,
    machine: &Machine,
    medium: &str,
    value_of: ValueOf<'_, 'a>,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<Vec<String>, BuildError> {
    let mut silent = |line: Line<'_>| {
        on_line(line);
        None
    };
    run_answered(world, machine, medium, value_of, false, &mut silent)
}

/// As [`run_with`]; when the machine has an input, what `answer` returns for a line is typed at its serial line.
fn run_answered<'a>(
    world: &dyn World,
    machine: &Machine,
    medium: &str,
    value_of: ValueOf<'_, 'a>,
    input: bool,
    answer: &mut dyn FnMut(Line<'_>) -> Option<Vec<u8>>,
) -> Result<Vec<String>, BuildError> {
    let (command, limit) = prepare(world, machine, medium, value_of)?;
    let expected = machine.medium(medium)?.success.unwrap_or(machine.success);
    let source = format!("{} {medium}", machine.name);
    let mut kept = VecDeque::new();
    let mut hear = |_, bytes: &[u8]| {
        let text = plain_text(bytes);
        let typed = answer(Line {
            source: &source,
            text: &text,
        });
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(text);
        typed
    };
    let exit = if input {
        world.processes().converse(&command, &mut hear)?
    } else {
        world
            .processes()
            .run(&command, &mut |stream, line| drop(hear(stream, line)))?
    };
    let serial = Vec::from(kept);
    let failure = match exit {
        Exit::Status(status) if status == expected => return Ok(serial),
        Exit::Status(status) if status == machine.failure => BootFailure::Panicked { status },
        Exit::Status(found) => BootFailure::Status { expected, found },
        Exit::Signal(signal) => BootFailure::Killed { signal },
        Exit::TimedOut => BootFailure::TimedOut {
            seconds: limit.as_secs(),
        },
    };
    Err(BuildError::Boot {
        machine: machine.name.clone(),
        medium: medium.to_owned(),
        failure,
        serial,
    })
}

/// The emulator's command line and the boot's time limit.
pub(crate) fn prepare<'a>(
    world: &dyn World,
    machine: &Machine,
    medium_name: &str,
    value_of: ValueOf<'_, 'a>,
) -> Result<(Command, Duration), BuildError> {
    let medium = machine.medium(medium_name)?;
    let mut firmware: Option<PathBuf> = None;
    for path in &medium.firmware {
        if firmware.is_none() && world.fs().metadata(path)?.is_some() {
            firmware = Some(path.clone());
        }
    }
    if firmware.is_none() && !medium.firmware.is_empty() {
        return Err(BuildError::NoFirmware {
            arch: machine.arch,
            searched: medium.firmware.clone(),
        });
    }
    let with_firmware = |name: &str| match name {
        "firmware" => firmware.as_deref(),
        name => value_of(name),
    };
    let args = medium
        .expand(with_firmware)
        .map_err(|file| BuildError::NoBootFile {
            machine: machine.name.clone(),
            medium: medium_name.to_owned(),
            file,
        })?;
    for path in PLACEHOLDERS.iter().filter_map(|name| value_of(name)) {
        if world.fs().metadata(path)?.is_none() {
            let reason = "there is no such file";
            let error =
                vrel_world::WorldError::new("boot", path.display().to_string(), ErrorKind::NotFound, reason);
            return Err(error.into());
        }
    }
    let program = world
        .processes()
        .find(&machine.qemu)
        .ok_or_else(|| BuildError::NoEmulator {
            arch: machine.arch,
            program: machine.qemu.clone(),
        })?;
    let limit = Duration::from_secs(medium.timeout_s);
    let command = Command::new(program)
        .args(machine.args.iter().cloned())
        .args(args)
        // Firmware writes its variables to the disk it boots from. What is published must be what was tested,
        // so writes go to a temporary file. A disk to install to says `snapshot=off`.
        .arg("-snapshot")
        .timeout(limit);
    Ok((command, limit))
}

/// A line without terminal control sequences and other control characters, which firmware prints.
fn plain_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.next_if_eq(&'[').is_some() => {
                // ECMA-48, section 5.4: parameters, then one byte from 0x40 to 0x7e.
                while chars.next().is_some_and(|c| !('\x40'..='\x7e').contains(&c)) {}
            }
            '\x1b' => {
                chars.next();
            }
            '\t' => plain.push(' '),
            c if c.is_control() => {}
            c if plain.len() < MAX_LINE => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use vrel_model::Arch;
    use vrel_world::RealWorld;

    const LINE: &str = "VeridianOS 0.6.0-rc1 (0123456789abcdef0123456789abcdef01234567) x86_64";

    struct Fixture {
        dir: tempfile::TempDir,
        machine: Machine,
        expected: Identity,
        session: Vec<Exchange>,
    }

    /// A machine whose emulator is a shell script.
    fn fixture(script: &str) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let qemu = dir.path().join("qemu");
        std::fs::write(&qemu, script).unwrap();
        std::fs::write(dir.path().join("image"), b"image").unwrap();
        let medium = crate::machines::Medium {
            firmware: vec!["/no/such/firmware".into(), dir.path().join("image")],
            args: vec![
                "-bios".to_owned(),
                "{firmware}".to_owned(),
                "file={image}".to_owned(),
            ],
            timeout_s: 30,
            success: None,
        };
        let machine = Machine {
            name: "test".to_owned(),
            arch: Arch::X86_64,
            // Read by the shell and not started itself: a file that another thread's child has open for writing, for a moment,
            // cannot be started.
            qemu: "bash".to_owned(),
            args: vec![qemu.display().to_string(), "-M".to_owned(), "q35".to_owned()],
            success: 33,
            failure: 35,
            boot: BTreeMap::from([("disk".to_owned(), medium)]),
        };
        Fixture {
            dir,
            machine,
            expected: Identity::parse_line(LINE).unwrap(),
            session: Vec::new(),
        }
    }

    impl Fixture {
        fn run(&self) -> Result<Booted, BuildError> {
            let image = self.dir.path().join("image");
            let files = Files {
                image: Some(&image),
                ..Files::default()
            };
            let request = Boot {
                machine: &self.machine,
                medium: "disk",
                files,
                expected: &self.expected,
                session: &self.session,
            };
            boot(&RealWorld::default(), &request, &mut |_| {})
        }

        fn failure(&self) -> BootFailure {
            match self.run().unwrap_err() {
                BuildError::Boot { failure, .. } => failure,
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn a_system_that_says_its_name_and_powers_off_has_booted() {
        let fixture = fixture(&format!(
            "printf '\\033[2J\\033[01;01Hfirmware\\r\\n'; echo '{LINE}'; echo \"$@\"; exit 33"
        ));
        let booted = fixture.run().unwrap();
        assert_eq!(booted.identity, fixture.expected);
        let image = fixture.dir.path().join("image").display().to_string();
        assert_eq!(
            booted.serial,
            [
                "firmware",
                LINE,
                &format!("-M q35 -bios {image} file={image} -snapshot")
            ]
        );
    }

    #[test]
    fn a_kernel_names_the_system_where_nobody_is_asked() {
        let mut fixture = fixture(&format!("echo 'kernel: this is {LINE}'; exit 33"));
        assert_eq!(fixture.run().unwrap().identity, fixture.expected);
        // Behind a shell there is a program that has to.
        fixture.session = vec![exchange("off", None)];
        assert!(
            matches!(
                fixture.failure(),
                BootFailure::NoIdentity { .. } | BootFailure::Unanswered { .. }
            ),
            "{:?}",
            fixture.failure()
        );
        let other = LINE.replace("rc1", "rc2");
        let fixture = self::fixture(&format!("echo 'kernel: this is {other}'; exit 33"));
        assert!(
            matches!(fixture.failure(), BootFailure::OtherSystem { .. }),
            "{:?}",
            fixture.failure()
        );
    }

    fn exchange(typed: &str, expect: Option<&str>) -> Exchange {
        Exchange {
            typed: typed.to_owned(),
            expect: expect.map(str::to_owned),
        }
    }

    /// A system with a shell of two commands. Its keyboard's key sends a carriage return.
    const SHELL: &str = r#"while IFS= read -r -d $'\r' typed; do
        echo "$ $typed"
        case $typed in
        sysinfo) echo '{"version":"0.6.0-rc1","arch":"x86_64"}' ;;
        off) exit 33 ;;
        esac
    done"#;

    #[test]
    fn a_system_is_talked_to_once_it_has_said_its_name() {
        let mut fixture = fixture(&format!("echo up; echo '{LINE}'; echo '{LINE}'\n{SHELL}"));
        fixture.session = vec![
            exchange("cd /", None),
            exchange("sysinfo", Some(r#""version":"{version}","arch":"{arch}""#)),
            exchange("off", None),
        ];
        let answer = r#"{"version":"0.6.0-rc1","arch":"x86_64"}"#;
        let expected = ["up", LINE, LINE, "$ cd /", "$ sysinfo", answer, "$ off"];
        assert_eq!(fixture.run().unwrap().serial, expected);
    }

    #[test]
    fn a_system_that_does_not_answer_has_not_booted() {
        let mut fixture = fixture(&format!("echo '{LINE}'\n{SHELL}"));
        fixture.session = vec![
            exchange("sysinfo", Some(r#""version":"{version}""#)),
            exchange("off", Some("never said")),
        ];
        let failure = fixture.failure();
        let BootFailure::Unanswered {
            exchange: asked,
            timed_out,
        } = &failure
        else {
            panic!("{failure}")
        };
        assert_eq!(
            (&**asked, *timed_out),
            (&exchange("off", Some("never said")), false)
        );
        fixture.session[1].typed = "on".to_owned();
        fixture.machine.boot.get_mut("disk").unwrap().timeout_s = 2;
        let failure = fixture.failure();
        assert!(
            matches!(&failure, BootFailure::Unanswered { timed_out: true, .. }),
            "{failure}"
        );
        assert!(
            failure
                .to_string()
                .contains("did not answer `on` with `never said`"),
            "{failure}"
        );
    }

    #[test]
    fn the_wrong_system_is_asked_to_end() {
        let other = LINE.replace("rc1", "rc2");
        let mut fixture = fixture(&format!("echo '{other}'; echo '{other}'\n{SHELL}"));
        fixture.session = vec![exchange("sysinfo", Some("{version}")), exchange("off", None)];
        let failure = fixture.failure();
        assert!(
            matches!(&failure, BootFailure::OtherSystem { found, .. } if found.version == "0.6.0-rc2"),
            "{failure}"
        );
    }

    #[test]
    fn nobody_talks_to_a_system_without_a_name() {
        let mut fixture = fixture(&format!("echo up\n{SHELL}"));
        fixture.session = vec![exchange("off", None)];
        fixture.machine.boot.get_mut("disk").unwrap().timeout_s = 1;
        assert!(matches!(fixture.failure(), BootFailure::TimedOut { seconds: 1 }));
    }

    #[test]
    fn a_medium_may_have_its_own_status() {
        let mut fixture = fixture(&format!("echo '{LINE}'; exit 0"));
        assert!(matches!(
            fixture.failure(),
            BootFailure::Status {
                expected: 33,
                found: 0
            }
        ));
        fixture.machine.boot.get_mut("disk").unwrap().success = Some(0);
        assert!(fixture.run().is_ok());
    }

    #[test]
    fn every_other_end_is_told_apart() {
        let other = LINE.replace("rc1", "rc2");
        assert!(matches!(
            fixture(&format!("echo '{LINE}'; exit 35")).failure(),
            BootFailure::Panicked { status: 35 }
        ));
        assert!(matches!(
            fixture(&format!("echo '{LINE}'; exit 1")).failure(),
            BootFailure::Status {
                expected: 33,
                found: 1
            }
        ));
        assert!(matches!(
            fixture("kill -9 $$").failure(),
            BootFailure::Killed { signal: 9 }
        ));
        assert!(matches!(
            fixture("exit 33").failure(),
            BootFailure::NoIdentity { .. }
        ));
        for script in [
            format!("echo '{other}'"),
            format!("echo '{LINE}'; echo '{other}'"),
        ] {
            let failure = fixture(&format!("{script}; exit 33")).failure();
            assert!(
                matches!(failure, BootFailure::OtherSystem { found, .. } if found.version == "0.6.0-rc2")
            );
        }
    }

    #[test]
    fn a_hanging_system_is_killed_and_its_last_words_are_kept() {
        let mut fixture = fixture("for i in $(seq 300); do echo line $i; done; sleep 600");
        fixture.machine.boot.get_mut("disk").unwrap().timeout_s = 1;
        let BuildError::Boot { failure, serial, .. } = fixture.run().unwrap_err() else {
            panic!()
        };
        assert!(matches!(failure, BootFailure::TimedOut { seconds: 1 }));
        assert_eq!(
            (serial.len(), serial.last().unwrap().as_str()),
            (KEPT_LINES, "line 300")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut fixture = fixture("exit 33");
        fixture.machine.qemu = "no-such-emulator".to_owned();
        let error = fixture.run().unwrap_err();
        assert!(matches!(&error, BuildError::NoEmulator { .. }), "{error}");
        assert!(error.hint().unwrap().contains("qemu-system-x86"));
        let medium = fixture.machine.boot.get_mut("disk").unwrap();
        medium.firmware.pop();
        let error = fixture.run().unwrap_err();
        assert!(error.to_string().contains("/no/such/firmware"), "{error}");
        assert!(error.hint().unwrap().contains("ovmf"));
        fixture.machine.boot.get_mut("disk").unwrap().args = vec!["{initrd}".to_owned()];
        fixture.machine.boot.get_mut("disk").unwrap().firmware.clear();
        assert!(matches!(fixture.run(), Err(BuildError::NoBootFile { file, .. }) if file == "initrd"));
    }

    #[test]
    fn control_sequences_are_taken_out() {
        assert_eq!(plain_text(b"\x1b[1m\x1b[33mFS0:\x1b[0m\x1b7\tx\0y\r"), "FS0: xy");
        assert_eq!(plain_text(b"\x1b"), "");
        assert_eq!(plain_text(&[b'a'; 5000]).len(), MAX_LINE);
    }
}

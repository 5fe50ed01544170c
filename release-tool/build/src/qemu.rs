//! Booting a build in QEMU, and learning which system came up.

use crate::machines::PLACEHOLDERS;
use crate::stamp::Identity;
use crate::{BootFailure, BuildError, Line, Machine};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vrel_world::{Command, ErrorKind, Exit, World};

/// How many of the last lines of the serial line are kept.
const KEPT_LINES: usize = 200;

/// Longer lines are cut.
const MAX_LINE: usize = 1000;

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

/// What to boot, and what should come up.
#[derive(Clone, Copy, Debug)]
pub struct Boot<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// One of its media.
    pub medium: &'a str,
    /// The files for it.
    pub files: Files<'a>,
    /// The system that must say its name.
    pub expected: &'a Identity,
}

/// A system that booted, said that it is the expected one, and powered off in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    /// Which system it is.
    pub identity: Identity,
    /// The end of what it printed on its serial line.
    pub serial: Vec<String>,
}

/// Boots a machine and waits for its end. Its files are not changed, so several boots may use the same ones
/// at the same time. Each line of the serial line goes to `on_line` as it comes.
///
/// The emulator is killed when the medium's time limit is over, and when a person asks the tool to stop.
///
/// # Errors
/// As [`run`]; and [`BuildError::Boot`] when the system does not say that it is the expected one.
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
    let mut confirmed = false;
    let mut other = None;
    let serial = run(world, machine, medium, &boot.files, &mut |line| {
        on_line(line);
        match Identity::parse_line(line.text) {
            Some(identity) if identity == *expected => confirmed = true,
            // The kernel names the system too, within longer lines: those seem to be of another product.
            Some(identity) if identity.name == expected.name => other = Some(Box::new(identity)),
            _ => {}
        }
    })?;
    let expected = Box::new(expected.clone());
    let failure = match other {
        Some(found) => BootFailure::OtherSystem { expected, found },
        None if confirmed => {
            return Ok(Booted {
                identity: *expected,
                serial,
            });
        }
        None => BootFailure::NoIdentity { expected },
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
    let value_of = |name: &str| match name {
        "kernel" => files.kernel,
        "kernel_flat" => files.kernel_flat,
        "initrd" => files.initrd,
        "image" => files.image,
        _ => None,
    };
    run_with(world, machine, medium, &value_of, on_line)
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
    let (command, limit) = prepare(world, machine, medium, value_of)?;
    let expected = machine.medium(medium)?.success.unwrap_or(machine.success);
    let source = format!("{} {medium}", machine.name);
    let mut kept = VecDeque::new();
    let exit = world.processes().run(&command, &mut |_, bytes| {
        let text = plain_text(bytes);
        on_line(Line {
            source: &source,
            text: &text,
        });
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(text);
    })?;
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
    use std::os::unix::fs::PermissionsExt;
    use vrel_model::Arch;
    use vrel_world::RealWorld;

    const LINE: &str = "VeridianOS 0.6.0-rc1 (0123456789abcdef0123456789abcdef01234567) x86_64";

    struct Fixture {
        dir: tempfile::TempDir,
        machine: Machine,
        expected: Identity,
    }

    /// A machine whose emulator is a shell script.
    fn fixture(script: &str) -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let qemu = dir.path().join("qemu");
        std::fs::write(&qemu, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&qemu, std::fs::Permissions::from_mode(0o755)).unwrap();
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
            qemu: qemu.display().to_string(),
            args: vec!["-M".to_owned(), "q35".to_owned()],
            success: 33,
            failure: 35,
            boot: BTreeMap::from([("disk".to_owned(), medium)]),
        };
        Fixture {
            dir,
            machine,
            expected: Identity::parse_line(LINE).unwrap(),
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

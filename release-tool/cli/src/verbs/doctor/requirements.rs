//! `requirements.toml`: what a machine needs, and whether it has it.

use super::distribution::Distribution;
use crate::exit::{Failure, FailureKind};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vrel_build::{BuildError, Machine, Targets, Toolchain};
use vrel_model::{Arch, toml_file};
use vrel_world::{Command, Stream, World};

/// The file, in the repository's top directory.
pub(super) const FILE: &str = "requirements.toml";

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requirements {
    /// The requirements, in the order in which they are shown.
    pub(crate) requirement: Vec<Requirement>,
}

/// One thing that a machine needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requirement {
    /// What people call it.
    pub(crate) name: String,
    /// What it is needed for, in words that follow "needed to".
    pub(crate) purpose: String,
    /// Which parts of the pipeline need it.
    #[serde(rename = "for")]
    pub(crate) areas: Vec<Area>,
    /// Whether it is needed to compile this tool; read by `ci/setup`.
    #[serde(default)]
    pub(crate) bootstrap: bool,
    /// Programs, any of which will do: names to be found in the search path, or absolute paths.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
    /// Files, any of which will do.
    #[serde(default)]
    pub(crate) files: Vec<PathBuf>,
    /// The oldest version of the command that will do.
    pub(crate) minimum: Option<String>,
    /// What takes more than looking for a program or a file.
    pub(crate) probe: Option<Probe>,
    /// What a person can do where packages do not help.
    pub(crate) hint: Option<String>,
    /// The packages that have it, by distribution.
    #[serde(default)]
    pub(crate) packages: BTreeMap<Family, Vec<String>>,
    /// Commands to run after the packages were installed, by distribution.
    #[serde(default)]
    pub(crate) then: BTreeMap<Family, Vec<String>>,
}

/// Parts of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Area {
    /// Compile the release tool and the system, sign and publish.
    Build,
    /// Boot the system in QEMU.
    Boot,
    /// Run this repository's tests.
    Test,
    /// Run the benchmarks.
    Bench,
}

impl Area {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Boot => "boot",
            Self::Test => "test",
            Self::Bench => "bench",
        }
    }
}

/// Systems that name their packages alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Family {
    /// Debian, and what derives from it.
    Debian,
    /// Ubuntu, where its packages differ from Debian's.
    Ubuntu,
    /// Fedora.
    Fedora,
    /// Arch Linux.
    Arch,
    /// macOS with Homebrew.
    Macos,
}

/// Things to look for that are no single program or file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Probe {
    /// A compiler that can compile for every target of `os/targets.toml`, with a linker.
    BareMetalRust,
    /// The linter that came with that compiler; another one could not read its libraries.
    BareMetalClippy,
    /// Every firmware that the machines of this architecture in `os/machines` are started with.
    Firmware(Arch),
}

/// Where the answers to probes come from.
pub(super) struct Surroundings<'a> {
    /// The machine.
    pub(crate) world: &'a dyn World,
    /// The operating system's source directory.
    pub(crate) os: &'a Path,
    /// The oldest Rust version that builds the system.
    pub(crate) rust: &'a str,
}

/// What became of looking for a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(super) enum Status {
    /// It is there.
    Present {
        /// The program or file.
        place: String,
        /// Its version, where it is known.
        version: Option<String>,
    },
    /// It is not there, or will not do.
    Missing {
        /// What was looked for and what was found.
        reason: String,
    },
}

impl Status {
    pub(super) fn is_present(&self) -> bool {
        matches!(self, Self::Present { .. })
    }
}

impl Requirements {
    /// Reads the file of the repository at `root`.
    pub(super) fn read(world: &dyn World, root: &Path) -> Result<Self, Failure> {
        let bytes = world.fs().read(&root.join(FILE))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::new(
                FailureKind::Policy,
                format!("{FILE}: this file is not UTF-8 text"),
            )
        })?;
        let requirements: Self = toml_file::parse(Path::new(FILE), &text).map_err(|error| {
            let failure = Failure::new(FailureKind::Policy, error.to_string());
            match error.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        for requirement in &requirements.requirement {
            requirement.check()?;
        }
        Ok(requirements)
    }
}

impl Requirement {
    fn check(&self) -> Result<(), Failure> {
        let wrong = |what: &str| {
            let message = format!("{FILE}: requirement `{}`: {what}", self.name);
            Err(Failure::new(FailureKind::Policy, message))
        };
        if self.areas.is_empty() {
            return wrong("expected at least one of build, boot, test, bench in `for`, got none");
        }
        let ways = [
            !self.commands.is_empty(),
            !self.files.is_empty(),
            self.probe.is_some(),
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            return wrong("expected exactly one of `commands`, `files` and `probe`");
        }
        if self.minimum.is_some() && self.commands.is_empty() {
            return wrong("`minimum` is the version of a command, but there are no `commands`");
        }
        Ok(())
    }

    /// Whether it is for any of the given parts.
    pub(super) fn is_for(&self, areas: &[Area]) -> bool {
        self.areas.iter().any(|area| areas.contains(area))
    }

    /// The packages that have it on a distribution; `None` when none are known.
    pub(super) fn packages_on(&self, distribution: Distribution) -> Option<&[String]> {
        let named = distribution
            .families()
            .iter()
            .find_map(|family| self.packages.get(family))?;
        Some(named.as_slice()).filter(|named| !named.is_empty())
    }

    /// The commands that follow the packages on a distribution: those of the family whose packages are used.
    pub(super) fn then_on(&self, distribution: Distribution) -> &[String] {
        let family = distribution
            .families()
            .iter()
            .find(|family| self.packages.contains_key(family));
        family
            .and_then(|family| self.then.get(family))
            .map_or(&[], Vec::as_slice)
    }

    /// Looks for it. Programs are asked for their version when `ask` is true or a minimum is set.
    pub(super) fn look(&self, surroundings: &Surroundings<'_>, ask: bool) -> Result<Status, Failure> {
        let status = match &self.probe {
            None if self.commands.is_empty() => self.look_for_file(surroundings.world)?,
            None => self.look_for_command(surroundings.world, ask)?,
            Some(Probe::BareMetalRust) => look_for_toolchain(surroundings),
            Some(Probe::BareMetalClippy) => look_for_clippy(surroundings),
            Some(Probe::Firmware(arch)) => look_for_firmware(surroundings, *arch),
        };
        // A person who stops the program must not read that something is missing.
        surroundings.world.check_interrupt()?;
        Ok(status)
    }

    fn look_for_file(&self, world: &dyn World) -> Result<Status, Failure> {
        for file in &self.files {
            if world.fs().metadata(file)?.is_some() {
                return Ok(Status::Present {
                    place: file.display().to_string(),
                    version: None,
                });
            }
        }
        let names: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        Ok(Status::Missing {
            reason: format!("there is no {}", names.join(", no ")),
        })
    }

    fn look_for_command(&self, world: &dyn World, ask: bool) -> Result<Status, Failure> {
        let mut too_old = None;
        for name in &self.commands {
            let Some(path) = world.processes().find(name) else {
                continue;
            };
            let place = path.display().to_string();
            let version = if ask || self.minimum.is_some() {
                version_of(world, &path)?
            } else {
                None
            };
            match (&self.minimum, version) {
                (None, version) => return Ok(Status::Present { place, version }),
                (Some(minimum), Some(version)) if numbers(&version) >= numbers(minimum) => {
                    return Ok(Status::Present {
                        place,
                        version: Some(version),
                    });
                }
                (Some(minimum), version) => {
                    let got = version.unwrap_or_else(|| "a program that does not say its version".to_owned());
                    too_old = Some(format!("{minimum} or newer is needed, {place} is {got}"));
                }
            }
        }
        let absent = || format!("not in the search path: {}", self.commands.join(", "));
        Ok(Status::Missing {
            reason: too_old.unwrap_or_else(absent),
        })
    }
}

fn toolchain(surroundings: &Surroundings<'_>) -> Result<Toolchain, BuildError> {
    let targets = Targets::read(surroundings.world, surroundings.os)?;
    Toolchain::find(surroundings.world, &targets.triples(), surroundings.rust)
}

fn look_for_clippy(surroundings: &Surroundings<'_>) -> Status {
    let toolchain = match toolchain(surroundings) {
        Ok(toolchain) => toolchain,
        Err(error) => {
            return Status::Missing {
                reason: error.to_string(),
            };
        }
    };
    let clippy = toolchain.sysroot.join("bin/cargo-clippy");
    match surroundings.world.processes().find(&clippy.display().to_string()) {
        Some(path) => Status::Present {
            place: path.display().to_string(),
            version: None,
        },
        None => Status::Missing {
            reason: format!("there is no {}", clippy.display()),
        },
    }
}

fn look_for_toolchain(surroundings: &Surroundings<'_>) -> Status {
    match toolchain(surroundings) {
        Ok(toolchain) => {
            let version = toolchain.rustc_version.lines().next().and_then(first_version);
            Status::Present {
                place: toolchain.rustc.display().to_string(),
                version,
            }
        }
        Err(error) => Status::Missing {
            reason: error.to_string(),
        },
    }
}

fn look_for_firmware(surroundings: &Surroundings<'_>, arch: Arch) -> Status {
    let machines = match Machine::read_all(surroundings.world, surroundings.os) {
        Ok(machines) => machines,
        Err(error) => {
            return Status::Missing {
                reason: error.to_string(),
            };
        }
    };
    let mut place = None;
    for machine in machines.iter().filter(|machine| machine.arch == arch) {
        for (name, medium) in machine
            .boot
            .iter()
            .filter(|(_, medium)| !medium.firmware.is_empty())
        {
            let there = |file: &&PathBuf| matches!(surroundings.world.fs().metadata(file), Ok(Some(_)));
            let Some(file) = medium.firmware.iter().find(there) else {
                let names: Vec<_> = medium
                    .firmware
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect();
                let reason = format!(
                    "{} boots from {name} with any of {}",
                    machine.name,
                    names.join(", ")
                );
                return Status::Missing { reason };
            };
            place = Some(file.display().to_string());
        }
    }
    match place {
        Some(place) => Status::Present { place, version: None },
        None => Status::Missing {
            reason: format!("no machine in os/machines starts {arch} with firmware"),
        },
    }
}

/// The version that a program prints when it is asked with `--version`; `None` when it does not.
fn version_of(world: &dyn World, program: &Path) -> Result<Option<String>, Failure> {
    let mut version = None;
    let command = Command::new(program).arg("--version").timeout(PATIENCE);
    let exit = world.processes().run(&command, &mut |stream, line| {
        if stream == Stream::Stdout && version.is_none() {
            version = first_version(&String::from_utf8_lossy(line));
        }
    });
    world.check_interrupt()?;
    // A program that cannot even be started is a finding about it, not an end of the search.
    Ok(version.filter(|_| exit.is_ok_and(vrel_world::Exit::success)))
}

/// The first thing in a line that looks like a version: numbers with dots between them.
fn first_version(line: &str) -> Option<String> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words
        .map(|word| word.trim_end_matches('.'))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
        .map(str::to_owned)
}

/// The leading numbers of a version, to compare it by.
fn numbers(version: &str) -> Vec<u32> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_world::RealWorld;

    fn requirement(lines: &str) -> Requirement {
        let text = format!("[[requirement]]\nname = \"x\"\npurpose = \"p\"\nfor = [\"test\"]\n{lines}\n");
        let mut all: Requirements = toml_file::parse(Path::new(FILE), &text).unwrap();
        all.requirement.remove(0)
    }

    fn look(lines: &str) -> Status {
        let world = RealWorld::default();
        let surroundings = Surroundings {
            world: &world,
            os: Path::new("/nonexistent"),
            rust: "1.0",
        };
        requirement(lines)
            .look(&surroundings, true)
            .unwrap_or_else(|failure| panic!("{:?}", failure.messages))
    }

    fn reason(status: Status) -> String {
        match status {
            Status::Missing { reason } => reason,
            Status::Present { place, .. } => panic!("{place} was found"),
        }
    }

    #[test]
    fn the_first_command_that_is_there_is_found_with_its_version() {
        let Status::Present { place, version } = look("commands = [\"no-such-program\", \"cargo\"]") else {
            panic!("cargo runs this test and was not found")
        };
        assert!(place.ends_with("cargo"), "{place}");
        assert!(version.is_some_and(|version| version.starts_with("1.")));
    }

    #[test]
    fn what_is_missing_or_too_old_is_named() {
        let missing = reason(look("commands = [\"no-such-program\", \"/no/such\"]"));
        assert_eq!(missing, "not in the search path: no-such-program, /no/such");
        let old = reason(look("commands = [\"cargo\"]\nminimum = \"999.1\""));
        assert!(
            old.starts_with("999.1 or newer is needed, ") && old.contains("cargo is 1."),
            "{old}"
        );
        assert!(look("commands = [\"cargo\"]\nminimum = \"1.2\"").is_present());
        let file = reason(look("files = [\"/no/such\", \"/neither\"]"));
        assert_eq!(file, "there is no /no/such, no /neither");
        assert!(look("files = [\"/no/such\", \"/\"]").is_present());
    }

    #[test]
    fn probes_say_what_they_looked_at() {
        assert!(reason(look("probe = \"bare-metal-rust\"")).contains("/nonexistent/targets.toml"));
        assert!(reason(look("probe = \"bare-metal-clippy\"")).contains("/nonexistent/targets.toml"));
        assert!(reason(look("probe = { firmware = \"riscv64\" }")).contains("/nonexistent/machines"));
    }

    #[test]
    fn contradictions_are_refused() {
        for (lines, expected) in [
            ("", "exactly one of `commands`, `files` and `probe`"),
            ("commands = [\"a\"]\nfiles = [\"/b\"]", "exactly one of"),
            (
                "files = [\"/b\"]\nminimum = \"1.0\"",
                "`minimum` is the version of a command",
            ),
        ] {
            let failure = requirement(lines).check().unwrap_err();
            assert_eq!(failure.kind, FailureKind::Policy);
            assert!(failure.messages[0].starts_with("requirements.toml: requirement `x`: "));
            assert!(failure.messages[0].contains(expected), "{:?}", failure.messages);
        }
    }

    #[test]
    fn versions_are_found_and_compared_by_number() {
        for (line, version) in [
            ("git version 2.47.3", Some("2.47.3")),
            ("cc (Debian 12.2.0-14+deb12u1) 12.2.0", Some("12.2.0")),
            (
                "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
                Some("7.2.22"),
            ),
            ("mcopy (GNU mtools) 4.0.32.", Some("4.0.32")),
            ("no version here 3", None),
        ] {
            assert_eq!(first_version(line).as_deref(), version);
        }
        assert!(numbers("1.100.0") > numbers("1.95"));
        assert!(numbers("1.95.0") >= numbers("1.95"));
        assert!(numbers("1.94.9") < numbers("1.95"));
    }
}

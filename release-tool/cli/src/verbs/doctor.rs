//! `vrel doctor`.

mod distribution;
mod requirements;

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use distribution::{Distribution, Remedy};
use requirements::{Area, Requirement, Requirements, Status, Surroundings};
use vrel_process::MissingTool;
use vrel_world::{Command, World};

/// How much of a failed program's output is repeated.
const TAIL_LINES: usize = 20;

/// Say what this machine lacks for the pipeline, and install it.
///
/// The list is requirements.toml. Without `--install` nothing is changed; the exit code is 4 when something is missing,
/// and the command that installs it is shown. With `--install`, Debian and Ubuntu packages are installed by apt-get, as
/// root or through sudo; on Fedora, Arch Linux and macOS the command is shown for a person to run.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel doctor\n  vrel doctor --for build --for boot\n  vrel doctor --install\n  \
                        vrel doctor --json | jq '.requirements[] | select(.state == \"missing\")'"
)]
pub(crate) struct Doctor {
    /// Install what is missing.
    #[arg(long)]
    install: bool,
    /// Only what this part of the pipeline needs; may be given more than once.
    #[arg(long = "for", value_name = "PART", value_enum)]
    areas: Vec<Area>,
}

/// A requirement and what was found of it.
struct Checked<'a> {
    requirement: &'a Requirement,
    status: Status,
}

impl Doctor {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let requirements = Requirements::read(&app.world, site.root())?;
        let os = site.root().join(&policies.config.os.source);
        let surroundings = Surroundings {
            world: &app.world,
            os: &os,
            rust: &policies.config.toolchain.rust,
        };
        let wanted: Vec<&Requirement> = requirements
            .requirement
            .iter()
            .filter(|requirement| self.areas.is_empty() || requirement.is_for(&self.areas))
            .collect();
        let distribution = Distribution::detect(&app.world)?;
        let mut checked = check(&surroundings, &wanted)?;
        if self.install && !missing(&checked).is_empty() {
            install(app, distribution, &missing(&checked))?;
            checked = check(&surroundings, &wanted)?;
        }
        let missing = missing(&checked);
        let remedy = Remedy::new(distribution, &missing);
        show(app, distribution, &checked, &remedy)?;
        if missing.is_empty() {
            Ok(())
        } else {
            Err(failure(distribution, &checked, &remedy))
        }
    }
}

/// What building and booting need and this machine does not have, for the checks before a release.
///
/// # Errors
/// When `requirements.toml` is missing or wrong, or a person stops the program.
pub(crate) fn missing_tools(app: &App) -> Result<Vec<MissingTool>, Failure> {
    let (site, policies) = app.site()?;
    let requirements = Requirements::read(&app.world, site.root())?;
    let os = site.root().join(&policies.config.os.source);
    let surroundings = Surroundings {
        world: &app.world,
        os: &os,
        rust: &policies.config.toolchain.rust,
    };
    let mut tools = Vec::new();
    for requirement in requirements
        .requirement
        .iter()
        .filter(|r| r.is_for(&[Area::Build, Area::Boot]))
    {
        if let Status::Missing { reason } = requirement.look(&surroundings, false)? {
            let name = format!("{} ({reason})", requirement.name);
            tools.push(MissingTool {
                name,
                purpose: requirement.purpose.clone(),
            });
        }
    }
    Ok(tools)
}

fn check<'a>(
    surroundings: &Surroundings<'_>,
    wanted: &[&'a Requirement],
) -> Result<Vec<Checked<'a>>, Failure> {
    let look = |requirement: &&'a Requirement| {
        Ok(Checked {
            requirement,
            status: requirement.look(surroundings, true)?,
        })
    };
    wanted.iter().map(look).collect()
}

fn missing<'a>(checked: &[Checked<'a>]) -> Vec<&'a Requirement> {
    checked
        .iter()
        .filter(|checked| !checked.status.is_present())
        .map(|checked| checked.requirement)
        .collect()
}

fn show(app: &App, distribution: Distribution, checked: &[Checked<'_>], remedy: &Remedy) -> Outcome {
    if app.global.json {
        let rows: Vec<_> = checked.iter().map(as_json).collect();
        let install = (!remedy.is_empty()).then(|| remedy.line());
        return output::print_json(&serde_json::json!({
            "distribution": distribution, "requirements": rows, "install": install,
        }));
    }
    let head = ["requirement", "for", "found"].map(str::to_owned).to_vec();
    let rows = checked.iter().map(|Checked { requirement, status }| {
        let areas: Vec<_> = requirement.areas.iter().map(|area| area.as_str()).collect();
        let found = match status {
            Status::Present {
                place,
                version: Some(version),
            } => format!("{place} ({version})"),
            Status::Present { place, version: None } => place.clone(),
            Status::Missing { .. } => "MISSING".to_owned(),
        };
        vec![requirement.name.clone(), areas.join(", "), found]
    });
    output::print(&output::table(
        &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        &[],
    ))
}

fn as_json(checked: &Checked<'_>) -> serde_json::Value {
    let Requirement {
        name, purpose, areas, ..
    } = checked.requirement;
    let mut row = serde_json::json!({"name": name, "purpose": purpose, "for": areas});
    let status = serde_json::to_value(&checked.status).unwrap_or_default();
    if let (Some(row), serde_json::Value::Object(status)) = (row.as_object_mut(), status) {
        row.extend(status);
    }
    row
}

fn failure(distribution: Distribution, checked: &[Checked<'_>], remedy: &Remedy) -> Failure {
    let mut failure = Failure {
        kind: FailureKind::Environment,
        messages: Vec::new(),
        hints: Vec::new(),
    };
    for Checked { requirement, status } in checked {
        if let Status::Missing { reason } = status {
            let Requirement { name, purpose, .. } = requirement;
            failure
                .messages
                .push(format!("{name} is missing; it is needed to {purpose} ({reason})"));
        }
    }
    if distribution.installs() && !remedy.is_empty() {
        failure.hints.push(format!(
            "run `vrel doctor --install`, which runs: {}",
            remedy.line()
        ));
    } else if !remedy.is_empty() {
        failure.hints.push(format!("run: {}", remedy.line()));
    }
    for Checked { requirement, status } in checked {
        if status.is_present() {
            continue;
        }
        if requirement.packages_on(distribution).is_none() {
            failure
                .hints
                .push(format!("no package is known here for {}", requirement.name));
        }
        if let Some(hint) = &requirement.hint {
            failure.hints.push(format!("{}: {hint}", requirement.name));
        }
    }
    failure
}

/// Installs what is missing, or says how.
fn install(app: &App, distribution: Distribution, missing: &[&Requirement]) -> Outcome {
    let remedy = Remedy::new(distribution, missing);
    if remedy.is_empty() || !distribution.installs() {
        // The check that follows says what is missing and what to run.
        return Ok(());
    }
    let prefix = privileges(&app.world, &remedy)?;
    let update_and_install = remedy.as_root.iter().map(|words| [&prefix[..], words].concat());
    let commands: Vec<_> = update_and_install.chain(remedy.as_user.iter().cloned()).collect();
    for (index, words) in commands.iter().enumerate() {
        let result = run(app, words);
        match result {
            // Package lists that cannot be fetched need not matter: the packages may be known already.
            Err(failure) if index == 0 && failure.kind != FailureKind::Interrupted => {
                output::say(&format!("warning: {}", failure.messages.join("\n")));
            }
            result => result?,
        }
    }
    Ok(())
}

/// The words before a command that make it run as root.
fn privileges(world: &dyn World, remedy: &Remedy) -> Result<Vec<String>, Failure> {
    let uid = world.processes().output(&Command::new("id").arg("-u"))?;
    if uid.trim_ascii() == b"0" {
        return Ok(Vec::new());
    }
    let by_hand = |message: &str| {
        Failure::new(FailureKind::Environment, message).hint(format!("run as root: {}", remedy.line()))
    };
    if world.processes().find("sudo").is_none() {
        return Err(by_hand("packages are installed by root, and there is no sudo"));
    }
    // Programs that the tool starts have no terminal, so sudo cannot ask for a password there.
    if world
        .processes()
        .output(&Command::new("sudo").args(["-n", "true"]))
        .is_err()
    {
        world.check_interrupt()?;
        return Err(
            by_hand("packages are installed by root, and sudo wants a password")
                .hint("or run `sudo -v` first, then this command again"),
        );
    }
    Ok(vec!["sudo".to_owned(), "-n".to_owned()])
}

fn run(app: &App, words: &[String]) -> Outcome {
    let line = words.join(" ");
    output::say(&format!("running: {line}"));
    let [program, args @ ..] = words else {
        return Ok(());
    };
    let mut said = Vec::new();
    let exit = app.world.processes().run(
        &Command::new(program).args(args.iter().cloned()),
        &mut |_, text| {
            let text = String::from_utf8_lossy(text).into_owned();
            if app.global.verbose {
                output::say(&text);
            }
            said.push(text);
        },
    )?;
    if exit.success() {
        return Ok(());
    }
    let tail = said[said.len().saturating_sub(TAIL_LINES)..].join("\n");
    Err(Failure::new(
        FailureKind::Environment,
        format!("`{line}` failed ({exit:?}):\n{tail}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::requirements::{Family, Probe};
    use super::*;
    use std::path::Path;
    use vrel_build::Machine;
    use vrel_model::{Config, toml_file};
    use vrel_world::RealWorld;

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
    }

    /// The repository's own list.
    fn own() -> Vec<Requirement> {
        Requirements::read(&RealWorld::default(), root())
            .unwrap_or_else(|failure| panic!("{:?}", failure.messages))
            .requirement
    }

    #[test]
    fn every_requirement_has_packages_where_the_tool_installs_them() {
        for requirement in own() {
            for distribution in [Distribution::Debian, Distribution::Ubuntu] {
                assert!(
                    requirement.packages_on(distribution).is_some(),
                    "{} on {distribution:?}",
                    requirement.name
                );
            }
        }
    }

    #[test]
    fn the_oldest_rust_is_the_same_everywhere() {
        let text = std::fs::read_to_string(root().join("vrel.toml")).unwrap();
        let config: Config = toml_file::parse(Path::new("vrel.toml"), &text).unwrap();
        let minima: Vec<_> = own()
            .into_iter()
            .filter(|requirement| ["rustc", "cargo"].contains(&requirement.name.as_str()))
            .filter_map(|requirement| requirement.minimum)
            .collect();
        assert_eq!(minima, [config.toolchain.rust.clone(), config.toolchain.rust]);
    }

    #[test]
    fn every_machine_can_be_installed() {
        let own = own();
        for machine in Machine::read_all(&RealWorld::default(), &root().join("os")).unwrap() {
            let is_emulator =
                |r: &&Requirement| r.is_for(&[Area::Boot]) && r.commands.contains(&machine.qemu);
            assert!(
                own.iter().any(|r| is_emulator(&r)),
                "no requirement for {}",
                machine.qemu
            );
            let probe = Some(Probe::Firmware(machine.arch));
            assert!(
                own.iter().any(|r| r.probe == probe),
                "no requirement for firmware of {}",
                machine.name
            );
        }
    }

    #[test]
    fn the_set_up_script_reads_the_list_alike() {
        for (families, distribution) in [
            (vec!["debian"], Distribution::Debian),
            (vec!["ubuntu", "debian"], Distribution::Ubuntu),
            (vec!["fedora"], Distribution::Fedora),
            (vec!["macos"], Distribution::Macos),
        ] {
            let script = std::process::Command::new("bash")
                .arg(root().join("ci/setup"))
                .arg("--list")
                .args(families)
                .output()
                .unwrap();
            assert!(
                script.status.success(),
                "{}",
                String::from_utf8_lossy(&script.stderr)
            );
            let expected = own()
                .into_iter()
                .filter(|requirement| requirement.bootstrap)
                .map(|requirement| {
                    let files: Vec<_> = requirement
                        .files
                        .iter()
                        .map(|file| file.display().to_string())
                        .collect();
                    let fields = [
                        requirement.name.clone(),
                        requirement.commands.join(" "),
                        files.join(" "),
                        requirement.minimum.clone().unwrap_or_default(),
                        requirement
                            .packages_on(distribution)
                            .unwrap_or_default()
                            .join(" "),
                        requirement.then_on(distribution).join(";"),
                    ];
                    fields.join("|") + "\n"
                });
            assert_eq!(
                String::from_utf8_lossy(&script.stdout),
                expected.collect::<String>()
            );
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let own = own();
        let checked: Vec<_> = own
            .iter()
            .map(|requirement| Checked {
                requirement,
                status: Status::Missing {
                    reason: "gone".to_owned(),
                },
            })
            .collect();
        let remedy = Remedy::new(Distribution::Debian, &missing(&checked));
        let failure = failure(Distribution::Debian, &checked, &remedy);
        assert_eq!(failure.kind, FailureKind::Environment);
        assert_eq!(failure.messages.len(), own.len());
        assert!(
            failure
                .messages
                .contains(&"rustc is missing; it is needed to compile the release tool (gone)".to_owned())
        );
        assert!(failure.hints[0].contains("apt-get") && failure.hints[0].contains(" u-boot-qemu "));
        let elsewhere = self::failure(
            Distribution::Arch,
            &checked,
            &Remedy::new(Distribution::Arch, &missing(&checked)),
        );
        assert!(
            elsewhere.hints[0].starts_with("run: sudo pacman -S "),
            "{:?}",
            elsewhere.hints
        );
        assert!(
            elsewhere
                .hints
                .contains(&"no package is known here for U-Boot for riscv64".to_owned())
        );
        assert!(
            own.iter()
                .all(|requirement| !requirement.packages.contains_key(&Family::Arch)
                    || requirement.packages_on(Distribution::Arch).is_some())
        );
    }
}

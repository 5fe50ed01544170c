//! `vrel boot`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::origins::{self, Trust, TrustOptions};
use crate::output;
use crate::verbs::build::Build;
use clap::Args;
use std::path::{Path, PathBuf};
use vrel_build::stamp::Identity;
use vrel_build::{BuildError, Machine, stamp};
use vrel_engine::{BootTest, DEVELOPMENT, DevelopmentBuild, Lab, Site};
use vrel_model::{Arch, ArtifactName, Packer, PlannedArtifact, Version};
use vrel_origin::{DownloadRequest, OriginReader, download};
use vrel_process::{Policies, plan_files};
use vrel_world::{Exit, World};

/// Boot a build or a published artifact and show its serial line.
///
/// Without an origin the work tree is built and booted. With one, the release's artifact is downloaded, verified, and
/// booted: what is booted is what anybody gets. The exit code says whether the system came up, named itself as it should,
/// and powered off in order.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel boot\n  vrel boot --arch riscv64 --medium iso\n  \
                        vrel boot --image faults --medium kernel\n  \
                        vrel boot --interactive --arch x86_64 --cpus 4\n  \
                        vrel boot --origin http://127.0.0.1:8000 --release 0.6.0-rc1 --arch aarch64 --medium disk"
)]
pub(crate) struct Boot {
    /// The architecture [default: all]
    #[arg(long = "arch", value_name = "ARCH")]
    arches: Vec<Arch>,
    /// How it is started, a `[boot.…]` of os/machines: kernel, disk, iso, usb, install, qcow2 and others.
    #[arg(long, default_value = "kernel")]
    medium: String,
    /// The image description to build, a file of os/images without `.toml` [default: the released one].
    #[arg(long, conflicts_with = "origin")]
    image: Option<String>,
    /// Use the system at its serial line; Ctrl-], then X, ends the emulator.
    #[arg(long, short, conflicts_with = "json")]
    interactive: bool,
    #[command(flatten)]
    size: Size,
    /// Where compiled code is kept between builds [default: .vrel/cache]
    #[arg(long, env = "VREL_CACHE_DIR", value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Boot a published release of this origin, a directory or an address.
    #[arg(long, requires = "release")]
    origin: Option<String>,
    /// The release to boot.
    #[arg(long, requires = "origin", value_name = "VERSION")]
    release: Option<Version>,
    #[command(flatten)]
    trust: TrustOptions,
}

/// What the machine has, where os/machines says something else.
#[derive(Debug, Args)]
struct Size {
    /// How many CPUs the machine has [default: as os/machines says]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
    cpus: Option<u16>,
    /// How many MiB of memory it has [default: as os/machines says]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,
    /// How many seconds a boot may take [default: as os/machines says]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "interactive")]
    timeout: Option<u64>,
}

impl Size {
    fn apply(&self, machine: &mut Machine) {
        // QEMU takes the last one of several.
        let mut set = |option: &str, value: String| machine.args.extend([option.to_owned(), value]);
        if let Some(cpus) = self.cpus {
            set("-smp", cpus.to_string());
        }
        if let Some(memory) = self.memory {
            set("-m", memory.to_string());
        }
        if let Some(timeout) = self.timeout {
            let media = machine.boot.values_mut();
            media.for_each(|medium| medium.timeout_s = timeout);
        }
    }
}

/// An artifact that can be booted, and what goes with it.
struct System {
    arch: Arch,
    identity: Identity,
    packer: Packer,
    file: PathBuf,
    /// The initrd that goes with a kernel.
    initrd: Option<PathBuf>,
}

impl Boot {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let image = self.image.as_ref().unwrap_or(&policies.config.os.image);
        let mut lab = Lab::read(&app.world, &site.root().join(&policies.config.os.source), image)?;
        lab.machines
            .iter_mut()
            .for_each(|machine| self.size.apply(machine));
        if self.interactive {
            self.check_interactive()?;
        }
        let systems = match (&self.origin, &self.release) {
            (Some(origin), Some(version)) => self.published(app, &site, &policies, origin, version)?,
            _ => self.built(app, &site, &policies)?,
        };
        if self.interactive {
            return systems
                .iter()
                .try_for_each(|system| attach(app, &site, &lab, system, &self.medium));
        }
        let mut results = Vec::new();
        for system in systems {
            results.push(boot(app, &site, &lab, &system, &self.medium)?);
        }
        if app.global.json {
            output::print_json(&results)
        } else {
            Ok(())
        }
    }

    /// One machine at a time, and one that a person can use.
    fn check_interactive(&self) -> Result<(), Failure> {
        if self.arches.len() != 1 {
            let message = "`--interactive` starts one machine";
            return Err(
                Failure::new(FailureKind::Usage, message).hint("choose one, for example `--arch x86_64`")
            );
        }
        if self.medium.starts_with("install") {
            let message = format!("`{}` is two boots that nobody is asked in", self.medium);
            let hint =
                "`--medium iso` starts the same ISO; without a second disk there is nothing to install to";
            return Err(Failure::new(FailureKind::Usage, message).hint(hint));
        }
        Ok(())
    }

    fn arches(&self) -> Vec<Arch> {
        if self.arches.is_empty() {
            Arch::ALL.to_vec()
        } else {
            self.arches.clone()
        }
    }

    /// The artifact that an architecture boots from the medium, and the initrd that goes with a kernel.
    fn artifacts<'a>(
        &self,
        all: &'a [PlannedArtifact],
        arch: Arch,
    ) -> Result<(&'a PlannedArtifact, Option<&'a PlannedArtifact>), Failure> {
        let of_arch = || all.iter().filter(move |artifact| artifact.arch == Some(arch));
        let mut bootable: Vec<_> = of_arch()
            .filter(|artifact| artifact.boot.contains(&self.medium))
            .collect();
        // One that need not be unpacked is as good as one that must be.
        bootable.sort_by_key(|artifact| matches!(artifact.packer, Packer::Ova | Packer::Gcp));
        let none = || {
            let media: std::collections::BTreeSet<&str> = of_arch()
                .flat_map(|artifact| &artifact.boot)
                .map(String::as_str)
                .collect();
            let message = format!("no artifact for {arch} boots from `{}`", self.medium);
            let media: Vec<_> = media.into_iter().collect();
            Failure::new(FailureKind::Usage, message).hint(format!("media are {}", media.join(", ")))
        };
        let artifact = *bootable.first().ok_or_else(none)?;
        let initrd = of_arch().find(|other| other.packer == Packer::Initrd);
        Ok((artifact, initrd.filter(|_| artifact.packer == Packer::Kernel)))
    }

    fn built(&self, app: &App, site: &Site, policies: &Policies) -> Result<Vec<System>, Failure> {
        let build = Build {
            only: Vec::new(),
            arches: self.arches(),
            explain: None,
            image: self.image.clone(),
            jobs: None,
            cache_dir: self.cache_dir.clone(),
        };
        let all = plan_files(policies, None, DEVELOPMENT)?.artifacts;
        let mut wanted = Vec::new();
        let mut systems = Vec::new();
        for arch in self.arches() {
            let (artifact, initrd) = self.artifacts(&all, arch)?;
            let from = |artifact: &PlannedArtifact| {
                all.iter()
                    .find(|other| Some(&other.name) == artifact.from.as_ref())
            };
            let files = [Some(artifact), initrd, from(artifact)];
            wanted.extend(files.into_iter().flatten().cloned());
            systems.push((arch, artifact, initrd));
        }
        let (made, _) = build.build(app, site, policies, wanted)?;
        let path = |artifact: &PlannedArtifact| {
            let made = made.iter().find(|made| made.artifact.name == artifact.name);
            made.map(|made| made.path.clone())
                .ok_or_else(|| Failure::new(FailureKind::Bug, format!("{} was not built", artifact.name)))
        };
        let commit = DevelopmentBuild::commit(&app.world, site)?;
        let system = |(arch, artifact, initrd): (Arch, &PlannedArtifact, Option<&PlannedArtifact>)| {
            Ok(System {
                arch,
                identity: DevelopmentBuild::identity(&policies.config, &commit, arch),
                packer: artifact.packer,
                file: path(artifact)?,
                initrd: initrd.map(path).transpose()?,
            })
        };
        systems.into_iter().map(system).collect()
    }

    fn published(
        &self,
        app: &App,
        site: &Site,
        policies: &Policies,
        origin: &str,
        version: &Version,
    ) -> Result<Vec<System>, Failure> {
        let trust = self.trust.trust(app)?;
        let reader = origins::open(app, origin)?;
        let dir = site.state().join("download").join(version.to_string());
        app.world.fs().create_dir_all(&dir)?;
        let fetch = Fetch {
            app,
            trust: &trust,
            reader: reader.as_ref(),
            version,
            dir: &dir,
        };
        let all = plan_files(policies, None, &version.to_string())?.artifacts;
        let mut systems = Vec::new();
        for arch in self.arches() {
            let (artifact, initrd) = self.artifacts(&all, arch)?;
            // The kernel is always fetched: its stamp says what the system must call itself.
            let kernel = all
                .iter()
                .find(|other| other.packer == Packer::Kernel && other.arch == Some(arch));
            let kernel = kernel.ok_or_else(|| {
                Failure::new(
                    FailureKind::Policy,
                    format!("artifacts/ describes no kernel for {arch}"),
                )
            })?;
            let identity = fetch.identity(&fetch.artifact(&kernel.name)?, arch)?;
            systems.push(System {
                arch,
                identity,
                packer: artifact.packer,
                file: fetch.artifact(&artifact.name)?,
                initrd: initrd.map(|initrd| fetch.artifact(&initrd.name)).transpose()?,
            });
        }
        Ok(systems)
    }
}

/// Downloads of one release.
struct Fetch<'a> {
    app: &'a App,
    trust: &'a Trust,
    reader: &'a dyn OriginReader,
    version: &'a Version,
    dir: &'a Path,
}

impl Fetch<'_> {
    /// What a kernel says it is, which must be the release.
    fn identity(&self, kernel: &Path, arch: Arch) -> Result<Identity, Failure> {
        let identity = stamp::read_identity(&self.app.world.fs().read(kernel)?)?;
        if (identity.version.clone(), identity.arch) != (self.version.to_string(), arch) {
            let message = format!("{} calls itself `{identity}`", kernel.display());
            return Err(Failure::new(FailureKind::NotGenuine, message));
        }
        Ok(identity)
    }

    /// Downloads an artifact and returns where it is now.
    fn artifact(&self, artifact: &ArtifactName) -> Result<PathBuf, Failure> {
        let path = self.dir.join(artifact.as_str());
        output::say(&format!("fetching {artifact} from {}", self.reader.location()));
        let request = DownloadRequest {
            trust: self.trust.root(),
            product: &self.trust.product,
            version: self.version,
            artifact,
        };
        download(&self.app.world, self.reader, &request, &path, &|_| {})
            .map_err(|finding| Failure::new(FailureKind::NotGenuine, finding.to_string()))?;
        Ok(path)
    }
}

/// A boot of a system.
fn test<'a>(
    app: &'a App,
    lab: &'a Lab,
    system: &'a System,
    medium: &'a str,
    scratch: &'a Path,
) -> Result<BootTest<'a>, Failure> {
    let machine = lab.machine(system.arch).ok_or_else(|| {
        Failure::new(
            FailureKind::Policy,
            format!("os/machines has no machine for {}", system.arch),
        )
    })?;
    output::say(&format!("booting {} from {medium}", machine.name));
    Ok(BootTest {
        world: &app.world,
        machine,
        medium,
        packer: system.packer,
        file: &system.file,
        initrd: system.initrd.as_deref(),
        over: None,
        scratch,
        expected: &system.identity,
        session: &lab.session,
    })
}

/// Where a boot keeps what it needs.
fn scratch(site: &Site, system: &System, medium: &str) -> PathBuf {
    site.state()
        .join("boot")
        .join(format!("{}-{medium}", system.arch))
}

fn attach(app: &App, site: &Site, lab: &Lab, system: &System, medium: &str) -> Outcome {
    let scratch = scratch(site, system, medium);
    let test = test(app, lab, system, medium, &scratch)?;
    output::say("Ctrl-], then X, ends the emulator");
    let ended = test.attach()?;
    output::say(&match ended {
        Exit::Status(status) => format!("the emulator has ended with status {status}"),
        Exit::Signal(_) | Exit::TimedOut => "the emulator was ended".to_owned(),
    });
    Ok(())
}

fn boot(
    app: &App,
    site: &Site,
    lab: &Lab,
    system: &System,
    medium: &str,
) -> Result<serde_json::Value, Failure> {
    let mut shown = Ok(());
    let scratch = scratch(site, system, medium);
    let test = test(app, lab, system, medium, &scratch)?;
    let booted = test.run(&mut |line| {
        if !app.global.json && shown.is_ok() {
            shown = output::print(&format!("{}\n", line.text));
        }
    })?;
    shown?;
    output::say(&format!("booted and powered off: {}", booted.identity));
    Ok(serde_json::json!({
        "arch": system.arch, "machine": test.machine.name, "medium": medium, "identity": booted.identity.to_string(),
        "serial": booted.serial,
    }))
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let hint = error.hint();
        let failure = match error {
            BuildError::World(error) => return error.into(),
            BuildError::Toml(error) => Self::new(FailureKind::Policy, error.to_string()),
            error => Self::new(FailureKind::Environment, error.to_string()),
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

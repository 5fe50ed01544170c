//! `vrel boot`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::origins::{self, Trust, TrustOptions};
use crate::output;
use crate::verbs::build::Build;
use clap::Args;
use std::path::{Path, PathBuf};
use vrel_build::qemu::{self, Boot as BootRequest, Files};
use vrel_build::stamp::Identity;
use vrel_build::{BuildError, Machine, flat, stamp};
use vrel_engine::Site;
use vrel_model::{Arch, ArtifactKind, ArtifactName, Version};
use vrel_origin::{DownloadRequest, OriginReader, download};
use vrel_process::Policies;
use vrel_world::World;

/// Boot a build or a published artifact and show its serial line.
///
/// Without an origin the work tree is built and booted. With one, the release's artifact is downloaded, verified, and
/// booted: what is booted is what anybody gets. The exit code says whether the system came up, named itself as it should,
/// and powered off in order.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel boot\n  vrel boot --arch riscv64 --medium iso\n  \
                        vrel boot --image faults --medium kernel\n  \
                        vrel boot --origin http://127.0.0.1:8000 --release 0.6.0-rc1 --arch aarch64 --medium disk"
)]
pub(crate) struct Boot {
    /// The architecture [default: all]
    #[arg(long = "arch", value_name = "ARCH")]
    arches: Vec<Arch>,
    /// How it is started, a `[boot.…]` of os/machines: kernel, disk, iso or usb.
    #[arg(long, default_value = "kernel")]
    medium: String,
    /// The image description to build, a file of os/images without `.toml` [default: the released one].
    #[arg(long, conflicts_with = "origin")]
    image: Option<String>,
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

/// The files of one architecture's system, and what it must call itself.
struct System {
    arch: Arch,
    identity: Identity,
    kernel: Option<PathBuf>,
    kernel_flat: Option<PathBuf>,
    initrd: Option<PathBuf>,
    image: Option<PathBuf>,
}

impl Boot {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let machines = Machine::read_all(&app.world, &site.root().join(&policies.config.os.source))?;
        let systems = match (&self.origin, &self.release) {
            (Some(origin), Some(version)) => self.published(app, &site, &policies, origin, version)?,
            _ => self.built(app)?,
        };
        let mut results = Vec::new();
        for system in systems {
            results.push(boot(app, &machines, &system, &self.medium)?);
        }
        if app.global.json {
            output::print_json(&results)
        } else {
            Ok(())
        }
    }

    fn arches(&self) -> Vec<Arch> {
        if self.arches.is_empty() {
            Arch::ALL.to_vec()
        } else {
            self.arches.clone()
        }
    }

    fn built(&self, app: &App) -> Result<Vec<System>, Failure> {
        let build = Build {
            arches: self.arches(),
            image: self.image.clone(),
            jobs: None,
            cache_dir: self.cache_dir.clone(),
        };
        let image = |system: &vrel_engine::BuiltSystem| match self.medium.as_str() {
            "kernel" => None,
            "disk" => Some(system.disk.clone()),
            _ => Some(system.iso.clone()),
        };
        let systems = build.build(app)?.into_iter().map(|system| System {
            arch: system.arch,
            image: image(&system),
            identity: system.identity,
            kernel: Some(system.kernel),
            kernel_flat: Some(system.kernel_flat),
            initrd: Some(system.initrd),
        });
        Ok(systems.collect())
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
            policies,
            trust: &trust,
            reader: reader.as_ref(),
            version,
            dir: &dir,
        };
        self.arches()
            .into_iter()
            .map(|arch| fetch.system(arch, &self.medium))
            .collect()
    }
}

/// Downloads of one release.
struct Fetch<'a> {
    app: &'a App,
    policies: &'a Policies,
    trust: &'a Trust,
    reader: &'a dyn OriginReader,
    version: &'a Version,
    dir: &'a Path,
}

impl Fetch<'_> {
    fn system(&self, arch: Arch, medium: &str) -> Result<System, Failure> {
        // The kernel is always fetched: its stamp says what the system must call itself.
        let kernel = self.artifact(ArtifactKind::Kernel, arch)?;
        let bytes = self.app.world.fs().read(&kernel)?;
        let identity = stamp::read_identity(&bytes)?;
        let expected = (self.version.to_string(), arch);
        if (identity.version.clone(), identity.arch) != expected {
            let message = format!("{} calls itself `{identity}`", kernel.display());
            return Err(Failure::new(FailureKind::NotGenuine, message));
        }
        let mut system = System {
            arch,
            identity,
            kernel: None,
            kernel_flat: None,
            initrd: None,
            image: None,
        };
        match medium {
            "kernel" => {
                let flat = self.dir.join(format!("{arch}-kernel.bin"));
                let flattened = flat::flatten(&bytes, &kernel.display().to_string())?;
                self.app.world.fs().write(&flat, &flattened, 0o644)?;
                system.kernel_flat = Some(flat);
                system.initrd = Some(self.artifact(ArtifactKind::Initrd, arch)?);
                system.kernel = Some(kernel);
            }
            "disk" => system.image = Some(self.artifact(ArtifactKind::Disk, arch)?),
            _ => system.image = Some(self.artifact(ArtifactKind::Iso, arch)?),
        }
        Ok(system)
    }

    /// Downloads an artifact and returns where it is now.
    fn artifact(&self, kind: ArtifactKind, arch: Arch) -> Result<PathBuf, Failure> {
        let policy = self
            .policies
            .artifacts
            .values()
            .find(|policy| policy.kind == kind && policy.arches.contains(&arch));
        let none = || {
            Failure::new(
                FailureKind::Policy,
                format!("artifacts/ describes no {kind} for {arch}"),
            )
        };
        let version = self.version.to_string();
        let values = [
            ("product", self.trust.product.as_str()),
            ("version", &version),
            ("arch", arch.as_str()),
        ];
        let name = policy.ok_or_else(none)?.name.expand(&values);
        let name = name.map_err(|error| Failure::new(FailureKind::Policy, error.to_string()))?;
        let artifact: ArtifactName = name.parse().map_err(|error: vrel_model::ArtifactNameError| {
            Failure::new(FailureKind::Policy, error.to_string())
        })?;
        let path = self.dir.join(artifact.as_str());
        output::say(&format!("fetching {artifact} from {}", self.reader.location()));
        let request = DownloadRequest {
            trust: self.trust.root(),
            product: &self.trust.product,
            version: self.version,
            artifact: &artifact,
        };
        download(&self.app.world, self.reader, &request, &path, &|_| {})
            .map_err(|finding| Failure::new(FailureKind::NotGenuine, finding.to_string()))?;
        Ok(path)
    }
}

fn boot(
    app: &App,
    machines: &[Machine],
    system: &System,
    medium: &str,
) -> Result<serde_json::Value, Failure> {
    let machine = machines
        .iter()
        .find(|machine| machine.arch == system.arch)
        .ok_or_else(|| {
            Failure::new(
                FailureKind::Policy,
                format!("os/machines has no machine for {}", system.arch),
            )
        })?;
    let request = BootRequest {
        machine,
        medium,
        files: Files {
            kernel: system.kernel.as_deref(),
            kernel_flat: system.kernel_flat.as_deref(),
            initrd: system.initrd.as_deref(),
            image: system.image.as_deref(),
        },
        expected: &system.identity,
    };
    output::say(&format!("booting {} from {medium}", machine.name));
    let mut shown = Ok(());
    let booted = qemu::boot(&app.world, &request, &mut |line| {
        if !app.global.json && shown.is_ok() {
            shown = output::print(&format!("{}\n", line.text));
        }
    })?;
    shown?;
    output::say(&format!("booted and powered off: {}", booted.identity));
    Ok(serde_json::json!({
        "arch": system.arch, "machine": machine.name, "medium": medium, "identity": booted.identity.to_string(),
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

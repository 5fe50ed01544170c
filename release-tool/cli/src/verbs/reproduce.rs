//! `vrel reproduce`.

mod elsewhere;

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::origins::{self, TrustOptions};
use crate::output;
use crate::progress::Reporter;
use crate::session::{cargo_home, jobs};
use crate::verbs::artifacts::no_such_kind;
use crate::verbs::build::with_origins;
use crate::verbs::man::pages;
use clap::Args;
use elsewhere::{Elsewhere, Variation};
use std::path::{Path, PathBuf};
use vrel_engine::{Ahead, DEVELOPMENT, Difference, Rebuild, Site, differing, load_from_work_tree};
use vrel_model::{Arch, ArtifactKind, ArtifactName, ByteSize, ChannelName, PlannedArtifact, Version};
use vrel_origin::{DownloadRequest, download, fetch_manifest};
use vrel_process::plan_files;
use vrel_world::{Command, World};

/// How many lines of what diffoscope says of an artifact are shown.
const EXPLAINED: usize = 60;

/// Build twice in different surroundings, or once more what was published, and compare every byte.
///
/// The commit that is checked out is built here, with the cache, and again by another process: in other directories, with
/// an empty cache, another number of jobs, time zone, locale, umask and home, with a clock that is ahead, and as another
/// user where root runs it and that user can read what is needed. What was really different is listed with the result. With
/// `--release` the published artifacts are the first build. Where an artifact differs, the place is told, and what
/// `diffoscope` makes of it where that is installed; the exit code is then 3.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel reproduce --only kernel --arch riscv64\n  vrel reproduce --from-scratch --keep /tmp/twice\n  \
                        vrel reproduce --release 0.6.0-rc1 --origin https://releases.veridianos.org"
)]
pub(crate) struct Reproduce {
    /// Only this kind, a file of artifacts/ without `.toml`, and what it is made from; may be given several times.
    #[arg(long, value_name = "KIND")]
    only: Vec<ArtifactKind>,
    /// Only this architecture, and what is made once for all; may be given several times.
    #[arg(long = "arch", value_name = "ARCH")]
    arches: Vec<Arch>,
    /// Compare with the artifacts of this release instead of a build of the commit that is checked out.
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
    /// Where the release is published, a directory or an address [default: that of vrel.toml]
    #[arg(long, requires = "release")]
    origin: Option<String>,
    #[command(flatten)]
    trust: TrustOptions,
    /// Build the compiler's core libraries anew as well, which takes minutes; otherwise they are copied.
    #[arg(long)]
    from_scratch: bool,
    /// Work in this new directory and leave everything there [default: a temporary one, which is removed]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// How many programs run at the same time in the first build; the second has another number [default: the number of
    /// processors]
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Where compiled code and artifacts of the first build are kept [default: .vrel/cache]
    #[arg(long, env = "VREL_CACHE_DIR", value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// Be the second build, which this file describes. For the tool itself.
    #[arg(long, hide = true, value_name = "FILE")]
    request: Option<PathBuf>,
}

/// What is built, and with what it is compared.
struct Subject {
    commit: String,
    version: String,
    channel: Option<ChannelName>,
    /// The published artifacts to compare with; `None` when there is a first build.
    published: Option<Vec<ArtifactName>>,
}

impl Reproduce {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        if let Some(file) = &self.request {
            return second_build(app, file);
        }
        let (site, _) = app.site()?;
        let dir = self.directory(app)?;
        let outcome = self.in_directory(app, &site, &dir);
        if self.keep.is_none() {
            // Also after an interrupt, when the world does nothing any more.
            drop(std::fs::remove_dir_all(&dir));
        }
        outcome
    }

    /// A new directory to work in.
    fn directory(&self, app: &App) -> Result<PathBuf, Failure> {
        let dir = match &self.keep {
            Some(dir) => dir.clone(),
            None => {
                let mut random = [0; 8];
                app.world.random(&mut random)?;
                std::env::temp_dir().join(format!("vrel-reproduce-{:016x}", u64::from_le_bytes(random)))
            }
        };
        let dir =
            std::path::absolute(&dir).map_err(|error| vrel_world::WorldError::io("look at", &dir, &error))?;
        if app.world.fs().metadata(&dir)?.is_some() {
            let message = format!("{}: expected a new directory, there is something", dir.display());
            return Err(Failure::new(FailureKind::Usage, message)
                .hint("name a directory that does not exist with `--keep`"));
        }
        app.world.fs().create_dir_all(&dir)?;
        Ok(dir)
    }

    fn in_directory(&self, app: &App, site: &Site, dir: &Path) -> Outcome {
        let fs = app.world.fs();
        let subject = self.subject(app, site)?;
        let first = self.first(app, site, dir, &subject)?;
        let reporter = Reporter::new(false, app.global.verbose);
        if subject.published.is_some() {
            self.fetch(app, site, &first)?;
        } else {
            let built = first.run(&app.world, &pages()?, &reporter);
            reporter.clear();
            built?;
        }
        let elsewhere = Elsewhere::prepare(app, &first, &dir.join("second"), self.from_scratch)?;
        let ran = elsewhere.run(app, &reporter);
        reporter.clear();
        ran?;
        let names = first.artifacts.iter().map(|artifact| &artifact.name);
        let found = differing(&app.world, names, &first.out, &elsewhere.out)?;
        let mut sizes = Vec::new();
        for artifact in &first.artifacts {
            let metadata = fs.metadata(&first.out.join(artifact.name.as_str()))?;
            sizes.push(metadata.map_or(0, |metadata| metadata.len));
        }
        let report = Report {
            subject: &subject,
            artifacts: &first.artifacts,
            sizes: &sizes,
            found: &found,
            variations: &elsewhere.variations,
        };
        if app.global.json {
            output::print_json(&report.as_json())?;
        } else {
            output::print(&report.describe())?;
        }
        for (name, _) in &found {
            explain(
                app,
                &first.out.join(name.as_str()),
                &elsewhere.out.join(name.as_str()),
            )?;
        }
        self.conclude(&found)
    }

    fn subject(&self, app: &App, site: &Site) -> Result<Subject, Failure> {
        let Some(version) = &self.release else {
            let head = app.world.git().head(site.root())?;
            let commit = head.commit.ok_or_else(|| {
                Failure::new(
                    FailureKind::Policy,
                    "there is no commit to build: the branch is empty",
                )
                .hint("commit something first")
            })?;
            return Ok(Subject {
                commit,
                version: DEVELOPMENT.to_owned(),
                channel: None,
                published: None,
            });
        };
        let trust = self.trust.trust(app)?;
        let reader = origins::open(app, &self.origin(site))?;
        let manifest = fetch_manifest(reader.as_ref(), &trust.root(), &trust.product, version);
        let manifest = manifest.map_err(|finding| {
            Failure::new(
                FailureKind::NotGenuine,
                format!("{version} in {}: {finding}", reader.location()),
            )
        })?;
        Ok(Subject {
            commit: manifest.commit,
            version: version.to_string(),
            channel: Some(manifest.channel),
            published: Some(
                manifest
                    .artifacts
                    .into_iter()
                    .map(|artifact| artifact.name)
                    .collect(),
            ),
        })
    }

    fn origin(&self, site: &Site) -> String {
        self.origin
            .clone()
            .unwrap_or_else(|| site.origin().display().to_string())
    }

    /// The first build: the commit's files, beside everything that the usual build has.
    fn first(&self, app: &App, site: &Site, dir: &Path, subject: &Subject) -> Result<Rebuild, Failure> {
        let git = app.world.git();
        let root = dir.join("first/tree");
        git.export(site.root(), &subject.commit, &root)?;
        let policies = load_from_work_tree(&app.world, &root)?;
        let known = |kind: &&ArtifactKind| !policies.artifacts.contains_key(kind);
        if let Some(unknown) = self.only.iter().find(known) {
            return Err(no_such_kind(&policies, unknown));
        }
        let all = plan_files(&policies, subject.channel.as_ref(), &subject.version)?.artifacts;
        let asked = |artifact: &PlannedArtifact| {
            let arch = self.arches.is_empty() || artifact.arch.is_none_or(|arch| self.arches.contains(&arch));
            let published = subject.published.as_ref();
            arch && (self.only.is_empty() || self.only.contains(&artifact.kind))
                && published.is_none_or(|names| names.contains(&artifact.name))
        };
        let artifacts = with_origins(&all, asked);
        if artifacts.is_empty() {
            return Err(
                Failure::new(FailureKind::Usage, "there is no such artifact to build")
                    .hint("see `vrel artifacts list`"),
            );
        }
        if let Some(name) = subject.published.iter().flatten().find(|name| {
            self.only.is_empty()
                && self.arches.is_empty()
                && !artifacts.iter().any(|made| made.name == **name)
        }) {
            let message =
                format!("{name} is published, but the policies of its commit describe no such file");
            return Err(Failure::new(FailureKind::Policy, message)
                .hint("reproduce the release with the tool of its own commit"));
        }
        Ok(Rebuild {
            name: "reproduce".to_owned(),
            repository: site.root().to_owned(),
            root,
            version: subject.version.clone(),
            time: git.commit_time(site.root(), &subject.commit)?,
            commit: subject.commit.clone(),
            artifacts,
            cache: self.cache_dir.clone().unwrap_or_else(|| site.cache()),
            cargo_home: cargo_home()?,
            jobs: jobs(self.jobs),
            out: dir.join("first/artifacts"),
        })
    }

    /// Fetches the published artifacts in place of a first build, each verified.
    fn fetch(&self, app: &App, site: &Site, first: &Rebuild) -> Outcome {
        let Some(version) = &self.release else {
            return Ok(());
        };
        let trust = self.trust.trust(app)?;
        let reader = origins::open(app, &self.origin(site))?;
        app.world.fs().create_dir_all(&first.out)?;
        for artifact in &first.artifacts {
            let request = DownloadRequest {
                trust: trust.root(),
                product: &trust.product,
                version,
                artifact: &artifact.name,
            };
            let to = first.out.join(artifact.name.as_str());
            download(&app.world, reader.as_ref(), &request, &to, &|_| {})
                .map_err(|finding| Failure::new(FailureKind::NotGenuine, finding.to_string()))?;
        }
        Ok(())
    }

    fn conclude(&self, found: &[(ArtifactName, Difference)]) -> Outcome {
        if found.is_empty() {
            return Ok(());
        }
        let mut failure = Failure::new(FailureKind::Policy, "the second build came out different");
        let lines = found
            .iter()
            .map(|(name, difference)| format!("{name}: {difference}"));
        failure.messages.extend(lines);
        if self.release.is_some() {
            failure = failure.hint("the tool and the compiler must be those that the release was made with");
        }
        Err(match &self.keep {
            Some(dir) => failure.hint(format!(
                "both builds are in {}; diffoscope explains most differences",
                dir.display()
            )),
            None => failure.hint("run it again with `--keep DIR` to have both builds"),
        })
    }
}

/// Shows what diffoscope says of two files, if it is installed.
fn explain(app: &App, first: &Path, second: &Path) -> Outcome {
    let Some(program) = app.world.processes().find("diffoscope") else {
        return Ok(());
    };
    let command = Command::new(program)
        .args(["--text", "-", "--max-text-report-size", "16384"])
        .arg(first.display().to_string())
        .arg(second.display().to_string());
    let mut lines = 0;
    app.world.processes().run(&command, &mut |_, line| {
        lines += 1;
        if lines <= EXPLAINED {
            output::say(&String::from_utf8_lossy(line));
        }
    })?;
    Ok(())
}

/// Is the second build: the process that the tool starts in other surroundings.
fn second_build(app: &App, file: &Path) -> Outcome {
    let bytes = app.world.fs().read(file)?;
    let request: Rebuild = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            FailureKind::Usage,
            format!("{}: expected a build, {error}", file.display()),
        )
    })?;
    request.run(
        &Ahead::new(&app.world),
        &pages()?,
        &Reporter::new(false, app.global.verbose),
    )?;
    Ok(())
}

/// What a double build came to.
struct Report<'a> {
    subject: &'a Subject,
    artifacts: &'a [PlannedArtifact],
    sizes: &'a [u64],
    found: &'a [(ArtifactName, Difference)],
    variations: &'a [Variation],
}

impl Report<'_> {
    fn difference(&self, name: &ArtifactName) -> Option<&Difference> {
        let found = self.found.iter().find(|(other, _)| other == name);
        found.map(|(_, difference)| difference)
    }

    fn describe(&self) -> String {
        let rows = self.artifacts.iter().zip(self.sizes).map(|(artifact, size)| {
            let difference = self.difference(&artifact.name);
            vec![
                artifact.name.to_string(),
                ByteSize(*size).to_string(),
                difference.map_or("same", |_| "DIFFERENT").to_owned(),
            ]
        });
        let mut text = output::table(&rows.collect::<Vec<_>>(), &[1]);
        let rows = self.variations.iter().map(|variation| {
            let row = match &variation.not_applied {
                None => [
                    variation.what.to_owned(),
                    variation.first.clone(),
                    variation.second.clone(),
                ],
                Some(why) => [variation.what.to_owned(), "not varied".to_owned(), why.clone()],
            };
            row.to_vec()
        });
        let head = ["surroundings", "first build", "second build"]
            .map(str::to_owned)
            .to_vec();
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        text += &format!("\n{}", output::table(&rows, &[]));
        let first = match self.subject.published {
            Some(_) => format!("published for {}", self.subject.version),
            None => "built here".to_owned(),
        };
        let same = self.artifacts.len() - self.found.len();
        text += &format!(
            "\ncommit {}: {same} of {} artifacts are the same, byte for byte, as those {first}.\n",
            self.subject.commit,
            self.artifacts.len()
        );
        text
    }

    fn as_json(&self) -> serde_json::Value {
        let artifacts = self.artifacts.iter().zip(self.sizes).map(|(artifact, size)| {
            serde_json::json!({
                "name": artifact.name, "kind": artifact.kind, "arch": artifact.arch, "length": size,
                "difference": self.difference(&artifact.name),
            })
        });
        serde_json::json!({
            "commit": self.subject.commit, "version": self.subject.version,
            "compared_with": if self.subject.published.is_some() { "release" } else { "build" },
            "same": self.found.is_empty(), "artifacts": artifacts.collect::<Vec<_>>(), "variations": self.variations,
        })
    }
}

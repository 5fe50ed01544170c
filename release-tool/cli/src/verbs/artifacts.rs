//! `vrel artifacts`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::origins::{self, TrustOptions};
use crate::output;
use clap::{Args, Subcommand};
use vrel_model::{Arch, ArtifactKind, ArtifactPolicy, ByteSize, Manifest, PackerScope, Version};
use vrel_origin::fetch_manifest;
use vrel_process::{Policies, SizeChange, compare_sizes};

/// List what releases consist of, and compare releases.
///
/// What a release carries is described by the files of artifacts/, one for each kind: what makes it, for which
/// architectures and channels, from what it boots before it is published, and how big it may be.
#[derive(Debug, Args)]
pub(crate) struct Artifacts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all kinds of artifacts and documents.
    List,
    /// Show one kind: its policy, and its files in a release.
    Show(Show),
    /// Compare the artifacts of two releases: which are new, gone, or the same, and how much each grew.
    Diff(Diff),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel artifacts show iso\n  vrel artifacts show iso --release 0.6.0-rc1")]
struct Show {
    /// The kind, a file of artifacts/ without `.toml`.
    kind: ArtifactKind,
    /// A published release whose files of the kind are shown.
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,
    #[command(flatten)]
    from: From,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel artifacts diff 0.6.0-rc1 0.6.0-rc2\n  \
                        vrel artifacts diff 0.6.0 0.7.0 --origin https://releases.veridianos.org --json")]
struct Diff {
    /// The earlier release.
    before: Version,
    /// The later release.
    after: Version,
    #[command(flatten)]
    from: From,
}

/// Where published releases are read from.
#[derive(Clone, Debug, Args)]
struct From {
    /// The origin, a directory or an address [default: that of vrel.toml]
    #[arg(long)]
    origin: Option<String>,
    #[command(flatten)]
    trust: TrustOptions,
}

impl From {
    /// The manifests of releases, each verified.
    fn manifests(&self, app: &App, versions: &[&Version]) -> Result<Vec<Manifest>, Failure> {
        let trust = self.trust.trust(app)?;
        let origin = match &self.origin {
            Some(origin) => origin.clone(),
            None => app.site()?.0.origin().display().to_string(),
        };
        let reader = origins::open(app, &origin)?;
        let manifest = |version: &&Version| {
            fetch_manifest(reader.as_ref(), &trust.root(), &trust.product, version).map_err(|finding| {
                let message = format!("{version} in {}: {finding}", reader.location());
                let failure = Failure::new(FailureKind::NotGenuine, message);
                match finding.hint() {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            })
        };
        versions.iter().map(manifest).collect()
    }
}

impl Artifacts {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match self.command {
            Command::List => list(app),
            Command::Show(show) => show.run(app),
            Command::Diff(diff) => diff.run(app),
        }
    }
}

fn joined<T: ToString>(items: &[T]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

fn list(app: &App) -> Outcome {
    let (_, policies) = app.site()?;
    if app.global.json {
        return output::print_json(&policies.artifacts);
    }
    let head = ["kind", "packer", "arches", "channels", "boots from", "at most"]
        .map(str::to_owned)
        .to_vec();
    let rows = policies.artifacts.iter().map(|(kind, policy)| {
        let arches = match (policy.packer.scope(), policy.arches.as_slice()) {
            (PackerScope::Document, _) => "document".to_owned(),
            (_, []) => "any".to_owned(),
            (_, arches) => joined(arches),
        };
        vec![
            kind.to_string(),
            policy.packer.to_string(),
            arches,
            joined(&policy.channels),
            joined(&policy.boot),
            policy.max_size.to_string(),
        ]
    });
    output::print(&output::table(
        &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        &[5],
    ))
}

fn policy<'p>(policies: &'p Policies, kind: &ArtifactKind) -> Result<&'p ArtifactPolicy, Failure> {
    policies
        .artifacts
        .get(kind)
        .ok_or_else(|| no_such_kind(policies, kind))
}

/// That there is no policy of a kind.
pub(crate) fn no_such_kind(policies: &Policies, kind: &ArtifactKind) -> Failure {
    let known = policies.artifacts.keys().map(ArtifactKind::as_str);
    let failure = Failure::new(FailureKind::Usage, format!("there is no artifacts/{kind}.toml"));
    match vrel_model::toml_file::closest(kind.as_str(), known.clone()) {
        Some(close) => failure.hint(format!("did you mean `{close}`?")),
        None => failure.hint(format!("there are {}", known.collect::<Vec<_>>().join(", "))),
    }
}

impl Show {
    fn run(self, app: &App) -> Outcome {
        let (_, policies) = app.site()?;
        let policy = policy(&policies, &self.kind)?;
        let manifest = match &self.release {
            Some(version) => self.from.manifests(app, &[version])?.pop(),
            None => None,
        };
        let mut files: Vec<_> = manifest.iter().flat_map(|manifest| &manifest.artifacts).collect();
        files.retain(|artifact| artifact.kind == self.kind);
        if app.global.json {
            return output::print_json(
                &serde_json::json!({"kind": self.kind, "policy": policy, "files": files}),
            );
        }
        let mut rows = vec![
            ("file", format!("artifacts/{}.toml", self.kind)),
            ("what", policy.description.clone()),
            ("packer", policy.packer.to_string()),
            ("name", policy.name.to_string()),
            ("architectures", joined(&policy.arches)),
            ("channels", joined(&policy.channels)),
            (
                "made from",
                policy.from.as_ref().map_or_else(String::new, ToString::to_string),
            ),
            ("boots from", joined(&policy.boot)),
            ("at most", policy.max_size.to_string()),
            (
                "may grow by",
                policy
                    .max_growth
                    .map_or_else(String::new, |percent| format!("{percent} %")),
            ),
        ];
        rows.extend(
            policy
                .options
                .iter()
                .map(|(key, value)| ("option", format!("{key} = {value}"))),
        );
        rows.retain(|(_, value)| !value.is_empty());
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(key, value)| vec![key.to_owned(), value])
            .collect();
        let mut text = output::table(&rows, &[]);
        if let Some(version) = &self.release {
            text += &format!("\nIn {version}:\n");
            let rows: Vec<_> = files
                .iter()
                .map(|file| {
                    vec![
                        format!("  {}", file.name),
                        ByteSize(file.length).to_string(),
                        file.sha256.to_string(),
                    ]
                })
                .collect();
            text += if rows.is_empty() { "  none\n" } else { "" };
            text += &output::table(&rows, &[1]);
        }
        output::print(&text)
    }
}

impl Diff {
    fn run(self, app: &App) -> Outcome {
        let manifests = self.from.manifests(app, &[&self.before, &self.after])?;
        let [before, after] = manifests.as_slice() else {
            return Err(Failure::new(FailureKind::Bug, "expected two manifests"));
        };
        let changes = compare_sizes(&before.artifacts, &after.artifacts);
        if app.global.json {
            return output::print_json(&changes);
        }
        let head = vec![
            "kind".to_owned(),
            "arch".to_owned(),
            self.before.to_string(),
            self.after.to_string(),
            "change".to_owned(),
        ];
        let rows = changes.iter().map(row);
        output::print(&output::table(
            &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
            &[2, 3, 4],
        ))
    }
}

fn row(change: &SizeChange) -> Vec<String> {
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| ByteSize(bytes).to_string());
    let what = match (change.before, change.after, change.growth()) {
        (None, _, _) => "new".to_owned(),
        (_, None, _) => "gone".to_owned(),
        _ if change.same => "same bytes".to_owned(),
        (_, _, None | Some(0)) => "same size".to_owned(),
        (_, _, Some(growth)) => {
            let sign = if growth < 0 { '-' } else { '+' };
            format!(
                "{sign}{}.{} %",
                growth.unsigned_abs() / 10,
                growth.unsigned_abs() % 10
            )
        }
    };
    vec![
        change.kind.to_string(),
        change.arch.map_or("any", Arch::as_str).to_owned(),
        size(change.before),
        size(change.after),
        what,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_words_or_percent() {
        let change = |before, after, same| {
            let kind = "iso".parse().unwrap();
            row(&SizeChange {
                kind,
                arch: None,
                before,
                after,
                same,
            })
            .pop()
            .unwrap()
        };
        assert_eq!(change(None, Some(1), false), "new");
        assert_eq!(change(Some(1), None, false), "gone");
        assert_eq!(change(Some(7), Some(7), true), "same bytes");
        assert_eq!(change(Some(7), Some(7), false), "same size");
        assert_eq!(change(Some(1000), Some(1255), false), "+25.5 %");
        assert_eq!(change(Some(1000), Some(995), false), "-0.5 %");
    }
}

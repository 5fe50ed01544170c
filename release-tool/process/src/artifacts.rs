//! From the files of `artifacts/` to the artifacts and documents of one release.

use crate::{Finding, Policies};
use vrel_model::{
    Arch, ArtifactKind, ArtifactName, ArtifactPolicy, ChannelName, Packer, PackerScope, PlannedArtifact,
    PlannedDocument,
};

const CHECK: &str = "policy-files";

/// What a release consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedFiles {
    /// Artifacts, sorted by name.
    pub artifacts: Vec<PlannedArtifact>,
    /// Documents that speak of them, sorted by name.
    pub documents: Vec<PlannedDocument>,
}

/// The files of a release of `version`: those that the channel's releases carry, or those of every policy file when no
/// channel is given, as in builds of a work tree.
///
/// # Errors
/// When a policy's name cannot be filled in, when two files would have the same name, and when an artifact that another
/// is made from is not in the release.
pub fn plan_files(
    policies: &Policies,
    channel: Option<&ChannelName>,
    version: &str,
) -> Result<PlannedFiles, Finding> {
    let wanted = |policy: &ArtifactPolicy| channel.is_none_or(|channel| policy.channels.contains(channel));
    let mut files = PlannedFiles::default();
    for (kind, policy) in policies.artifacts.iter().filter(|(_, policy)| wanted(policy)) {
        let name = Naming {
            product: policies.config.product.id.as_str(),
            version,
            kind,
        };
        if policy.packer.scope() == PackerScope::Document {
            files.documents.extend(documents(&name, policy)?);
            continue;
        }
        let arches: Vec<Option<Arch>> = match policy.arches.as_slice() {
            [] => vec![None],
            arches => arches.iter().copied().map(Some).collect(),
        };
        for arch in arches {
            files
                .artifacts
                .push(artifact(policies, &name, policy, arch, &wanted)?);
        }
    }
    files.artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    files.documents.sort_by(|a, b| a.name.cmp(&b.name));
    let mut names: Vec<_> = files.artifacts.iter().map(|artifact| &artifact.name).collect();
    names.extend(files.documents.iter().map(|document| &document.name));
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("two files of artifacts/ make `{}`", twice[0]);
        return Err(Finding::policy(CHECK, message).hint("give one of them another `name`"));
    }
    Ok(files)
}

struct Naming<'a> {
    product: &'a str,
    version: &'a str,
    kind: &'a ArtifactKind,
}

impl Naming<'_> {
    fn name(&self, policy: &ArtifactPolicy, more: &[(&str, &str)]) -> Result<ArtifactName, Finding> {
        let mut values = vec![("product", self.product), ("version", self.version)];
        values.extend(more);
        let bad =
            |error: String| Finding::policy(CHECK, format!("artifacts/{}.toml: `name`: {error}", self.kind));
        let name = policy
            .name
            .expand(&values)
            .map_err(|error| bad(error.to_string()))?;
        name.parse()
            .map_err(|error: vrel_model::ArtifactNameError| bad(error.to_string()))
    }
}

fn artifact(
    policies: &Policies,
    naming: &Naming<'_>,
    policy: &ArtifactPolicy,
    arch: Option<Arch>,
    wanted: &dyn Fn(&ArtifactPolicy) -> bool,
) -> Result<PlannedArtifact, Finding> {
    let arch_value: Vec<_> = arch.iter().map(|arch| ("arch", arch.as_str())).collect();
    let from = match &policy.from {
        None => None,
        Some(source) => {
            let there = policies
                .artifacts
                .get(source)
                .filter(|policy| wanted(policy) && arch.is_none_or(|arch| policy.arches.contains(&arch)));
            let there = there.ok_or_else(|| {
                let of = arch.map_or(String::new(), |arch| format!(" for {arch}"));
                let message = format!(
                    "artifacts/{}.toml: `from` is `{source}`, which the release does not carry{of}",
                    naming.kind
                );
                Finding::policy(CHECK, message).hint(format!(
                    "list the same `arches` and `channels` in artifacts/{source}.toml"
                ))
            })?;
            let naming = Naming {
                kind: source,
                ..*naming
            };
            Some(naming.name(there, &arch_value)?)
        }
    };
    let boot = policy.boot.iter();
    let boot = boot.filter(|boot| boot.arch.is_none() || boot.arch == arch);
    Ok(PlannedArtifact {
        name: naming.name(policy, &arch_value)?,
        kind: naming.kind.clone(),
        packer: policy.packer,
        arch,
        from,
        description: policy.description.clone(),
        max_size: policy.max_size,
        max_growth: policy.max_growth,
        boot: boot.map(|boot| boot.medium.clone()).collect(),
        options: policy.options.clone().into(),
    })
}

fn documents(naming: &Naming<'_>, policy: &ArtifactPolicy) -> Result<Vec<PlannedDocument>, Finding> {
    let document = |format: &str, name: ArtifactName| PlannedDocument {
        name,
        kind: naming.kind.clone(),
        packer: policy.packer,
        format: format.to_owned(),
        description: policy.description.clone(),
        max_size: policy.max_size,
    };
    match policy.packer.formats() {
        [] => Ok(vec![document("", naming.name(policy, &[])?)]),
        formats => formats
            .iter()
            .map(|format| Ok(document(format, naming.name(policy, &[("format", format)])?)))
            .collect(),
    }
}

/// What is wrong with the files of `artifacts/`, each by itself and with each other.
pub(crate) fn check(policies: &Policies) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, policy) in &policies.artifacts {
        let mut find = |message: String, hint: String| {
            let message = format!("artifacts/{kind}.toml: {message}");
            findings.push(Finding::policy(CHECK, message).hint(hint));
        };
        let packer = policy.packer;
        let is_for_arches = packer.scope() == PackerScope::Arch;
        if policy.name.uses("arch") == policy.arches.is_empty() {
            find(
                format!("`name` is `{}`", policy.name),
                "a name contains `{arch}` exactly when `arches` lists some".to_owned(),
            );
        } else if is_for_arches == policy.arches.is_empty() {
            let (found, hint) = if is_for_arches {
                ("lists none", "list the architectures that it is made for")
            } else {
                ("lists some", "take `arches` out: it is made once, for all")
            };
            find(
                format!("the packer is `{packer}`, and `arches` {found}"),
                hint.to_owned(),
            );
        }
        if policy.name.uses("format") == packer.formats().is_empty() {
            find(
                format!("`name` is `{}`", policy.name),
                format!(
                    "a name contains `{{format}}` exactly when its packer makes several; `{packer}` makes {}",
                    match packer.formats() {
                        [] => "one".to_owned(),
                        formats => formats.join(", "),
                    }
                ),
            );
        }
        for channel in &policy.channels {
            if !policies.channels.contains_key(channel) {
                find(
                    format!("`channels` has `{channel}`, but there is no such channel"),
                    format!("write channels/{channel}.toml"),
                );
            }
        }
        if let Some(problem) = source_problem(policies, policy) {
            find(problem.0, problem.1);
        }
        if let Some(boot) = policy.boot.first().filter(|_| policy.arches.is_empty()) {
            find(
                format!("`boot` has `{boot}`, but it has no architecture to boot on"),
                "take `boot` out, or list `arches`".to_owned(),
            );
        }
        for boot in &policy.boot {
            if boot.arch.is_some_and(|arch| !policy.arches.contains(&arch)) && !policy.arches.is_empty() {
                find(
                    format!("`boot` has `{boot}`, but `arches` does not list that architecture"),
                    "boot it on an architecture that it is made for".to_owned(),
                );
            }
        }
    }
    findings
}

/// What is wrong with a policy's `from`, and the remedy.
fn source_problem(policies: &Policies, policy: &ArtifactPolicy) -> Option<(String, String)> {
    let packer = policy.packer;
    let list = |packers: &[Packer]| {
        let names: Vec<_> = packers.iter().map(|packer| format!("`{packer}`")).collect();
        names.join(" or ")
    };
    match (&policy.from, packer.converts()) {
        (None, []) => None,
        (None, converts) => Some((
            format!("the packer `{packer}` converts another artifact, and `from` names none"),
            format!("name one that {} makes", list(converts)),
        )),
        (Some(from), []) => Some((
            format!("`from` is `{from}`, but the packer `{packer}` converts nothing"),
            "take `from` out".to_owned(),
        )),
        (Some(from), converts) => match policies.artifacts.get(from) {
            None => Some((
                format!("`from` is `{from}`, but there is no such file"),
                format!("write artifacts/{from}.toml"),
            )),
            Some(source) if !converts.contains(&source.packer) => Some((
                format!("`from` is `{from}`, which `{}` makes", source.packer),
                format!("name one that {} makes", list(converts)),
            )),
            Some(_) => None,
        },
    }
}

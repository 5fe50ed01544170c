//! Making a provenance statement.

use super::{BUILD_TYPE, PREDICATE_TYPE, ProvenanceProblem, STATEMENT_TYPE, no_doubles};
use crate::error::TrustError;
use crate::purl::generic;
use crate::subject::Subject;
use crate::{ReleaseFacts, digest_bytes, encoding};
use serde::Serialize;
use std::collections::BTreeMap;
use vrel_model::{ChannelName, Sha256Digest, Version};

/// Everything that a provenance statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenanceFacts {
    /// The release.
    pub release: ReleaseFacts,
    /// Every file that the statement answers for; their order does not matter.
    pub subjects: Vec<Subject>,
    /// The policy files by which the release was planned: path in the repository, and digest.
    pub policies: BTreeMap<String, Sha256Digest>,
    /// The lock files that pin every library by its digest: path in the repository, and digest.
    pub lock_files: BTreeMap<String, Sha256Digest>,
    /// What the compiler says of itself, the output of `rustc -vV`.
    pub toolchain: String,
    /// The programs and files from outside the repository whose bytes went into artifacts, or that wrote some.
    pub tools: Vec<BuildTool>,
    /// Who built.
    pub builder: Builder,
}

/// A program or file from outside the repository that took part in the build, for example GRUB.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuildTool {
    /// Its name.
    pub name: String,
    /// Its version, as it says it itself or as its package has it.
    pub version: String,
    /// SHA-256 of its file, where it is one.
    pub sha256: Option<Sha256Digest>,
}

/// Who built, and answers for it that the statement is true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builder {
    /// A URI that names the platform. A release built by hand and one built by hosted CI have different ones.
    pub id: String,
    /// Versions of what the platform is made of, by name: at least the release tool's.
    pub version: BTreeMap<String, String>,
}

type Digests = BTreeMap<&'static str, String>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Resource<'a>>,
    predicate_type: &'static str,
    predicate: Predicate<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate<'a> {
    build_definition: BuildDefinition<'a>,
    run_details: RunDetails<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition<'a> {
    build_type: &'static str,
    external_parameters: ExternalParameters<'a>,
    internal_parameters: InternalParameters,
    resolved_dependencies: Vec<Resource<'a>>,
}

#[derive(Serialize)]
struct ExternalParameters<'a> {
    product: &'a str,
    version: &'a Version,
    channel: &'a ChannelName,
    source: Resource<'a>,
    policies: BTreeMap<&'a str, Digests>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InternalParameters {
    source_date_epoch: i64,
}

#[derive(Serialize)]
struct RunDetails<'a> {
    builder: BuilderDetails<'a>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct BuilderDetails<'a> {
    id: &'a str,
    version: &'a BTreeMap<String, String>,
}

// `startedOn` and `finishedOn` are optional and left out. Two builds of one commit differ in nothing else, and who builds
// again to check this one shall get the same statement to the byte. SOURCE_DATE_EPOCH instead would say something untrue:
// it is when the commit was made. When the release was cut stands in the manifest and in the signatures of its files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    invocation_id: String,
}

/// in-toto's resource descriptor.
#[derive(Default, Serialize)]
struct Resource<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    digest: Digests,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// Writes a statement, the payload of an envelope: indented JSON, the same for the same facts.
///
/// # Errors
/// When a fact of the release cannot stand in it, there is no subject, or one name stands for two.
pub fn provenance_statement(facts: &ProvenanceFacts) -> Result<Vec<u8>, TrustError> {
    facts.release.check().map_err(ProvenanceProblem::from)?;
    let mut statement = statement(facts)?;
    let malformed = |error: serde_json::Error| ProvenanceProblem::Malformed(error.to_string());
    let unnamed = serde_json::to_vec(&statement).map_err(malformed)?;
    let id = facts.release.uuid("provenance", &unnamed);
    statement.predicate.run_details.metadata.invocation_id = format!("urn:uuid:{id}");
    let mut bytes = serde_json::to_vec_pretty(&statement).map_err(malformed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn statement(facts: &ProvenanceFacts) -> Result<Statement<'_>, ProvenanceProblem> {
    let release = &facts.release;
    let policies = facts.policies.iter();
    Ok(Statement {
        kind: STATEMENT_TYPE,
        subject: subjects(&facts.subjects)?,
        predicate_type: PREDICATE_TYPE,
        predicate: Predicate {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE,
                external_parameters: ExternalParameters {
                    product: &release.product,
                    version: &release.version,
                    channel: &release.channel,
                    source: source(release),
                    policies: policies
                        .map(|(path, digest)| (path.as_str(), sha256(digest)))
                        .collect(),
                },
                internal_parameters: InternalParameters {
                    source_date_epoch: release.source_date_epoch.unix(),
                },
                resolved_dependencies: resolved(facts),
            },
            run_details: RunDetails {
                builder: BuilderDetails {
                    id: &facts.builder.id,
                    version: &facts.builder.version,
                },
                metadata: Metadata {
                    invocation_id: String::new(),
                },
            },
        },
    })
}

fn subjects(subjects: &[Subject]) -> Result<Vec<Resource<'_>>, ProvenanceProblem> {
    if subjects.is_empty() {
        return Err(ProvenanceProblem::Subjects(
            "there is no subject; expected the release's artifacts".to_owned(),
        ));
    }
    no_doubles(subjects)?;
    let mut sorted: Vec<&Subject> = subjects.iter().collect();
    sorted.sort_by_key(|subject| &subject.name);
    Ok(sorted
        .into_iter()
        .map(|subject| Resource {
            name: Some(subject.name.as_str()),
            digest: sha256(&subject.sha256),
            ..Resource::default()
        })
        .collect())
}

fn source(release: &ReleaseFacts) -> Resource<'_> {
    let uri = match &release.tag {
        Some(tag) => format!("git+{}@refs/tags/{tag}", release.repository),
        None => release.commit_uri(),
    };
    Resource {
        uri: Some(uri),
        digest: [("gitCommit", release.commit.clone())].into(),
        ..Resource::default()
    }
}

fn resolved(facts: &ProvenanceFacts) -> Vec<Resource<'_>> {
    let commit = facts.release.commit_uri();
    let lock_files = facts.lock_files.iter().map(|(path, digest)| Resource {
        name: Some(path),
        uri: Some(format!("{commit}#{path}")),
        digest: sha256(digest),
        content: None,
    });
    let toolchain = Resource {
        name: Some("rustc"),
        uri: None,
        digest: sha256(&digest_bytes(facts.toolchain.as_bytes()).sha256),
        content: Some(encoding::to_base64(facts.toolchain.as_bytes()).to_string()),
    };
    let mut tools: Vec<&BuildTool> = facts.tools.iter().collect();
    tools.sort();
    tools.dedup();
    let tools = tools.into_iter().map(|tool| Resource {
        name: Some(&tool.name),
        uri: Some(generic(&tool.name, &tool.version)),
        digest: tool.sha256.iter().flat_map(sha256).collect(),
        content: None,
    });
    [source(&facts.release), toolchain]
        .into_iter()
        .chain(lock_files)
        .chain(tools)
        .collect()
}

fn sha256(digest: &Sha256Digest) -> Digests {
    [("sha256", digest.to_string())].into()
}

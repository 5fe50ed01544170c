//! Reading a provenance statement, and holding it to what somebody has in hand.

use super::{BUILD_TYPE, PREDICATE_TYPE, ProvenanceProblem, STATEMENT_TYPE, no_doubles};
use crate::strict_json;
use crate::subject::{Subject, SubjectMismatch, subject_mismatches};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use vrel_model::{ArtifactName, ChannelName, Version};

/// A provenance statement of this project's build type. Members that are not known are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Its subjects, in the statement's order.
    pub subjects: Vec<Subject>,
    /// The product's id.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The channel that it was cut for.
    pub channel: ChannelName,
    /// The git commit that it was built from.
    pub commit: String,
    /// Who built it.
    pub builder: String,
}

/// What a release's provenance must say: facts of its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedProvenance<'a> {
    /// The product's id.
    pub product: &'a str,
    /// The release.
    pub version: &'a Version,
    /// The channel that it was cut for.
    pub channel: &'a ChannelName,
    /// The git commit that it was built from.
    pub commit: &'a str,
    /// Every file that a subject must stand for, and the only ones.
    pub subjects: &'a [Subject],
}

/// In what a provenance statement differs from what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProvenanceMismatch {
    /// A fact of the release.
    Fact {
        /// Its name in the statement.
        what: &'static str,
        /// What was asked for.
        expected: String,
        /// What it says.
        found: String,
    },
    /// A file that it answers for, or does not.
    Subject(SubjectMismatch),
}

impl fmt::Display for ProvenanceMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fact {
                what,
                expected,
                found,
            } => write!(f, "{what} is `{}`, expected `{expected}`", found.escape_debug()),
            Self::Subject(mismatch) => mismatch.fmt(f),
        }
    }
}

#[derive(Deserialize)]
struct Statement {
    subject: Vec<Named>,
    predicate: Predicate,
}

#[derive(Deserialize)]
struct Named {
    name: ArtifactName,
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    build_definition: BuildDefinition,
    run_details: RunDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    build_type: String,
    external_parameters: ExternalParameters,
}

#[derive(Deserialize)]
struct ExternalParameters {
    product: String,
    version: Version,
    channel: ChannelName,
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    digest: SourceDigest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceDigest {
    git_commit: String,
}

#[derive(Deserialize)]
struct RunDetails {
    builder: BuilderId,
}

#[derive(Deserialize)]
struct BuilderId {
    id: String,
}

/// Only what is of a known type has a known shape, so the types are looked at first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Types {
    #[serde(rename = "_type")]
    kind: String,
    predicate_type: String,
}

impl Provenance {
    /// Reads a statement, the payload of an envelope whose signature was verified.
    ///
    /// # Errors
    /// When it is not JSON, has a doubled member, is of another type, or two subjects have one name.
    pub fn parse(statement: &[u8]) -> Result<Self, ProvenanceProblem> {
        let malformed = |error: serde_json::Error| ProvenanceProblem::Malformed(error.to_string());
        let types: Types = strict_json::parse(statement).map_err(malformed)?;
        kind("the statement's type", STATEMENT_TYPE, types.kind)?;
        kind("the predicate's type", PREDICATE_TYPE, types.predicate_type)?;
        let statement: Statement = strict_json::parse(statement).map_err(malformed)?;
        let BuildDefinition {
            build_type,
            external_parameters,
        } = statement.predicate.build_definition;
        kind("the build type", BUILD_TYPE, build_type)?;
        Ok(Self {
            subjects: subjects(statement.subject)?,
            product: external_parameters.product,
            version: external_parameters.version,
            channel: external_parameters.channel,
            commit: external_parameters.source.digest.git_commit,
            builder: statement.predicate.run_details.builder.id,
        })
    }

    /// Everything in which the statement differs from what was asked for: the facts, then the files sorted by name.
    #[must_use]
    pub fn mismatches(&self, asked: &AskedProvenance<'_>) -> Vec<ProvenanceMismatch> {
        let facts = [
            ("product", asked.product.to_owned(), self.product.clone()),
            ("version", asked.version.to_string(), self.version.to_string()),
            ("channel", asked.channel.to_string(), self.channel.to_string()),
            ("gitCommit", asked.commit.to_owned(), self.commit.clone()),
        ];
        let facts = facts
            .into_iter()
            .filter(|(_, expected, found)| expected != found)
            .map(|(what, expected, found)| ProvenanceMismatch::Fact {
                what,
                expected,
                found,
            });
        let subjects = subject_mismatches(asked.subjects, &self.subjects);
        facts
            .chain(subjects.into_iter().map(ProvenanceMismatch::Subject))
            .collect()
    }
}

fn kind(what: &'static str, expected: &'static str, found: String) -> Result<(), ProvenanceProblem> {
    if found == expected {
        return Ok(());
    }
    Err(ProvenanceProblem::Kind {
        what,
        expected,
        found,
    })
}

fn subjects(named: Vec<Named>) -> Result<Vec<Subject>, ProvenanceProblem> {
    let mut subjects: Vec<Subject> = Vec::with_capacity(named.len());
    for Named { name, digest } in named {
        let sha256 = digest
            .get("sha256")
            .ok_or_else(|| ProvenanceProblem::Malformed(format!("the subject `{name}` has no sha256")))?;
        let sha256 = sha256
            .parse()
            .map_err(|error| ProvenanceProblem::Malformed(format!("the subject `{name}`: {error}")))?;
        subjects.push(Subject { name, sha256 });
    }
    no_doubles(&subjects)?;
    Ok(subjects)
}

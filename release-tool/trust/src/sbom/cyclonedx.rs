//! The CycloneDX form, version 1.6 (ECMA-424): JSON of the shape of its published schema.

use super::component::{Component, Kind, Sbom};
use super::role::Role;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Entry<'a>>,
    dependencies: Vec<Dependency<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: String,
    lifecycles: [Lifecycle; 1],
    tools: Tools<'a>,
    component: Entry<'a>,
    supplier: Supplier<'a>,
}

#[derive(Serialize)]
struct Lifecycle {
    phase: &'static str,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Tool<'a>; 1],
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Supplier<'a> {
    name: &'a str,
    url: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'a str,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Reference<'a>>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Licence<'a> {
    expression: &'a str,
}

#[derive(Serialize)]
struct Reference<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    depends_on: Vec<&'a str>,
}

/// The prefix of an artifact's reference.
pub(super) const ARTIFACT: &str = "artifact:";

pub(super) fn write(sbom: &Sbom) -> Result<Vec<u8>, serde_json::Error> {
    let version = sbom.release.version.to_string();
    let mut bom = bom(sbom, &version);
    let unnamed = serde_json::to_vec(&bom)?;
    bom.serial_number = format!("urn:uuid:{}", sbom.release.uuid("cyclonedx", &unnamed));
    let mut bytes = serde_json::to_vec_pretty(&bom)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn bom<'a>(sbom: &'a Sbom, version: &'a str) -> Bom<'a> {
    let release = &sbom.release;
    let product = Entry {
        kind: "operating-system",
        reference: &sbom.product,
        name: &release.product_name,
        version,
        description: None,
        scope: None,
        hashes: Vec::new(),
        licenses: licences(sbom.licence.as_deref()),
        purl: Some(&sbom.product),
        external_references: vec![Reference {
            kind: "vcs",
            url: &release.repository,
        }],
    };
    let artifacts = sbom.components.values().filter(|c| c.kind == Kind::Artifact);
    let whole = Dependency {
        reference: &sbom.product,
        depends_on: artifacts.map(|artifact| artifact.reference.as_str()).collect(),
    };
    let parts = sbom.components.values().map(|component| Dependency {
        reference: &component.reference,
        // What a thing contains counts as what it depends on: that is what consumers follow from a download to a library.
        // The form has one kind of dependency; that a library is for builds or tests alone is told by its scope.
        depends_on: component.relations.keys().map(String::as_str).collect(),
    });
    Bom {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: release.source_date_epoch.to_string(),
            lifecycles: [Lifecycle { phase: "build" }],
            tools: Tools {
                components: [Tool {
                    kind: "application",
                    name: &sbom.tool.name,
                    version: &sbom.tool.version,
                }],
            },
            component: product,
            supplier: Supplier {
                name: &release.product_name,
                url: [&release.repository],
            },
        },
        components: sbom.components.values().map(entry).collect(),
        dependencies: std::iter::once(whole).chain(parts).collect(),
    }
}

fn entry(component: &Component) -> Entry<'_> {
    let mut references = Vec::new();
    if component.kind == Kind::Artifact {
        references.extend(component.location.as_deref().map(|url| ("distribution", url)));
    }
    references.extend(component.repository.as_deref().map(|url| ("vcs", url)));
    Entry {
        kind: match component.kind {
            Kind::Artifact => "file",
            Kind::Program => "application",
            Kind::Library | Kind::Foreign => "library",
        },
        reference: &component.reference,
        name: &component.name,
        version: &component.version,
        description: component.description.as_deref(),
        scope: Some(match component.role {
            Role::Shipped => "required",
            Role::Build | Role::Test => "excluded",
        }),
        hashes: component
            .sha256
            .iter()
            .map(|digest| Hash {
                alg: "SHA-256",
                content: digest.to_string(),
            })
            .collect(),
        licenses: licences(component.licence.as_deref()),
        purl: component.purl.as_deref(),
        external_references: references
            .into_iter()
            .map(|(kind, url)| Reference { kind, url })
            .collect(),
    }
}

fn licences(expression: Option<&str>) -> Vec<Licence<'_>> {
    expression
        .map(|expression| Licence { expression })
        .into_iter()
        .collect()
}

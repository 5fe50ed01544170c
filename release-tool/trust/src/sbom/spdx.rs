//! The SPDX form, version 2.3: JSON of the shape of its published schema.

use super::component::{Component, Kind, Relation, Sbom};
use super::role::Role;
use super::workspace::Need;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const NO_ASSERTION: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: CreationInfo,
    packages: Vec<Entry<'a>>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct CreationInfo {
    created: String,
    creators: [String; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(rename = "SPDXID")]
    id: String,
    name: &'a str,
    version_info: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_file_name: Option<&'a str>,
    supplier: String,
    download_location: &'a str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_declared: &'a str,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    primary_package_purpose: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalRef<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExternalRef<'a> {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

pub(super) fn write(sbom: &Sbom) -> Result<Vec<u8>, serde_json::Error> {
    let release = &sbom.release;
    let version = release.version.to_string();
    let location = release.commit_uri();
    let ids: BTreeMap<&str, String> = sbom
        .components
        .values()
        .map(|component| (component.reference.as_str(), id(component)))
        .collect();
    let supplier = format!("Organization: {}", release.product_name);
    let product_id = "SPDXRef-Product".to_owned();
    let product = Entry {
        id: product_id.clone(),
        name: &release.product_name,
        version_info: &version,
        package_file_name: None,
        supplier: supplier.clone(),
        download_location: &location,
        files_analyzed: false,
        checksums: Vec::new(),
        license_concluded: NO_ASSERTION,
        license_declared: sbom.licence.as_deref().unwrap_or(NO_ASSERTION),
        copyright_text: NO_ASSERTION,
        summary: None,
        primary_package_purpose: "OPERATING-SYSTEM",
        external_refs: purl(Some(&sbom.product)),
    };
    let components = sbom.components.values();
    let mut document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: format!("{}-{version}", release.product),
        document_namespace: String::new(),
        creation_info: CreationInfo {
            created: release.source_date_epoch.to_string(),
            creators: [
                supplier.clone(),
                format!("Tool: {}-{}", sbom.tool.name, sbom.tool.version),
            ],
        },
        packages: std::iter::once(product)
            .chain(components.map(|component| entry(component, &ids, &supplier)))
            .collect(),
        relationships: relationships(sbom, &ids, &product_id),
    };
    let unnamed = serde_json::to_vec(&document)?;
    // The specification's own place for documents whose makers keep none; nothing is fetched from there.
    document.document_namespace = format!(
        "https://spdx.org/spdxdocs/{}-{version}-{}",
        release.product,
        release.uuid("spdx", &unnamed)
    );
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Identifiers take letters, digits, dots and hyphens only: what is lost of a reference by that is made up for by a part of
/// its digest.
fn id(component: &Component) -> String {
    let kind = match component.kind {
        Kind::Artifact => "Artifact",
        Kind::Program | Kind::Library | Kind::Foreign => "Package",
    };
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    let name: String = component.name.chars().map(plain).collect();
    let digest = hexadecimal(&Sha256::digest(&component.reference)[..6]);
    format!("SPDXRef-{kind}-{name}-{digest}")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry<'a>(component: &'a Component, ids: &BTreeMap<&str, String>, own: &str) -> Entry<'a> {
    let is_artifact = component.kind == Kind::Artifact;
    // Whose it is can only be said of what is ours.
    let is_own = is_artifact || component.location.is_some();
    Entry {
        id: ids.get(component.reference.as_str()).cloned().unwrap_or_default(),
        name: &component.name,
        version_info: &component.version,
        package_file_name: is_artifact.then_some(component.name.as_str()),
        supplier: if is_own { own } else { NO_ASSERTION }.to_owned(),
        download_location: component.location.as_deref().unwrap_or(NO_ASSERTION),
        files_analyzed: false,
        checksums: component
            .sha256
            .iter()
            .map(|digest| Checksum {
                algorithm: "SHA256",
                checksum_value: digest.to_string(),
            })
            .collect(),
        license_concluded: NO_ASSERTION,
        license_declared: component.licence.as_deref().unwrap_or(NO_ASSERTION),
        copyright_text: NO_ASSERTION,
        summary: component.description.as_deref(),
        primary_package_purpose: match (component.kind, component.role) {
            (Kind::Artifact, _) => "FILE",
            (Kind::Program, _) => "APPLICATION",
            (Kind::Library, _) | (Kind::Foreign, Role::Shipped) => "LIBRARY",
            (Kind::Foreign, _) => "OTHER",
        },
        external_refs: purl(component.purl.as_deref()),
    }
}

fn purl(purl: Option<&str>) -> Vec<ExternalRef<'_>> {
    let reference = |reference_locator| ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator,
    };
    purl.map(reference).into_iter().collect()
}

fn relationships(sbom: &Sbom, ids: &BTreeMap<&str, String>, product: &str) -> Vec<Relationship> {
    let relation = |from: &str, relationship_type, to: &str| Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type,
        related_spdx_element: to.to_owned(),
    };
    let mut found = vec![relation(DOCUMENT, "DESCRIBES", product)];
    for component in sbom.components.values() {
        let Some(id) = ids.get(component.reference.as_str()) else {
            continue;
        };
        if component.kind == Kind::Artifact {
            found.push(relation(product, "CONTAINS", id));
        }
        if component.reference == sbom.tool.reference {
            found.push(relation(id, "BUILD_TOOL_OF", product));
        }
        for (other, kind) in &component.relations {
            let Some(other) = ids.get(other.as_str()) else {
                continue;
            };
            found.push(match kind {
                Relation::Contains => relation(id, "CONTAINS", other),
                Relation::Needs(Need::Normal) => relation(id, "DEPENDS_ON", other),
                Relation::Needs(Need::Build) => relation(other, "BUILD_DEPENDENCY_OF", id),
                Relation::Needs(Need::Test) => relation(other, "TEST_DEPENDENCY_OF", id),
            });
        }
    }
    found
}

//! The components of a release and how they hang together: what both forms are written from.

use super::facts::{Contents, ForeignComponent, SbomArtifact, SbomFacts};
use super::licence::canonical;
use super::role::{Role, roles};
use super::workspace::{Need, Package, PackageId, Workspace};
use super::{SbomProblem, cyclonedx, spdx};
use crate::error::TrustError;
use crate::release_facts::is_url;
use crate::{ReleaseFacts, purl};
use std::collections::{BTreeMap, BTreeSet};
use vrel_model::Sha256Digest;

/// A release's bill of materials, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sbom {
    pub(super) release: ReleaseFacts,
    pub(super) licence: Option<String>,
    /// The release tool's component.
    pub(super) tool: Component,
    /// The product's own reference; it is not among the components.
    pub(super) product: String,
    /// By reference.
    pub(super) components: BTreeMap<String, Component>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) reference: String,
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) purl: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) description: Option<String>,
    /// Where it can be had.
    pub(super) location: Option<String>,
    /// Where it is developed.
    pub(super) repository: Option<String>,
    pub(super) relations: BTreeMap<String, Relation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Artifact,
    Program,
    Library,
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Contains,
    Needs(Need),
}

impl Sbom {
    /// Puts the components together.
    ///
    /// # Errors
    /// When a fact of the release or a licence cannot stand in it, an artifact contains something that is not there, or
    /// two components have the same name.
    pub fn new(facts: SbomFacts) -> Result<Self, TrustError> {
        Ok(Self::build(facts)?)
    }

    /// The bytes of the CycloneDX document; the same for the same facts.
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn to_cyclonedx(&self) -> Result<Vec<u8>, TrustError> {
        Ok(cyclonedx::write(self).map_err(|error| SbomProblem::Malformed(error.to_string()))?)
    }

    /// The bytes of the SPDX document; the same for the same facts.
    ///
    /// # Errors
    /// Never for a value of this type; the signature follows `serde_json`.
    pub fn to_spdx(&self) -> Result<Vec<u8>, TrustError> {
        Ok(spdx::write(self).map_err(|error| SbomProblem::Malformed(error.to_string()))?)
    }

    /// What a package has to do with what users run; `None` when no package has the name and version.
    #[must_use]
    pub fn role(&self, name: &str, version: &str) -> Option<Role> {
        let found = self.components.values();
        found
            .filter(|component| component.kind != Kind::Artifact)
            .find(|component| component.name == name && component.version == version)
            .map(|component| component.role)
    }

    fn build(facts: SbomFacts) -> Result<Self, SbomProblem> {
        let SbomFacts {
            release,
            licence,
            workspaces,
            tool,
            foreign,
            artifacts,
        } = facts;
        release.check()?;
        let licence = canonical(&release.product, Some(&licence))?;
        let mut packages: BTreeMap<PackageId, Package> = BTreeMap::new();
        for workspace in &workspaces {
            for (id, package) in &workspace.packages {
                match packages.get_mut(id) {
                    Some(known) => merge(known, package),
                    None => {
                        packages.insert(id.clone(), package.clone());
                    }
                }
            }
        }

        let names = Names::new(&release, &packages, &foreign);
        let mut shipped = BTreeSet::new();
        let mut components = Vec::new();
        for artifact in &artifacts {
            components.push(names.artifact(artifact, &mut shipped)?);
        }
        let contained: BTreeSet<String> = components
            .iter()
            .flat_map(|artifact| artifact.relations.keys().cloned())
            .collect();
        for component in &foreign {
            components.push(foreign_component(component, &contained)?);
        }
        let roles = roles_of_all(&workspaces, &shipped);
        for (id, package) in &packages {
            let role = roles.get(id).copied().unwrap_or(Role::Test);
            components.push(package_component(&release, id, package, role));
        }

        let product = purl::generic(&release.product, &release.version.to_string());
        let mut by_reference = BTreeMap::new();
        for component in components {
            let reference = component.reference.clone();
            let known = by_reference.insert(reference.clone(), component);
            if known.is_some() || reference == product {
                return Err(SbomProblem::Doubled { reference });
            }
        }
        let tool = names.find("the release tool", &tool)?;
        let tool = by_reference
            .get(tool)
            .cloned()
            .ok_or_else(|| SbomProblem::Malformed(format!("no component `{tool}`")))?;
        Ok(Self {
            product,
            release,
            licence,
            tool,
            components: by_reference,
        })
    }
}

/// The same package in two workspaces may have other features, and so other needs, in each.
fn merge(known: &mut Package, other: &Package) {
    for (id, need) in &other.needs {
        let strongest = known.needs.entry(id.clone()).or_insert(*need);
        *strongest = (*strongest).min(*need);
    }
}

/// The most important role that a package has in any workspace. Each is looked at by itself: what the release tool makes
/// of a library must not count as shipped because the system uses the same library.
fn roles_of_all(workspaces: &[Workspace], shipped: &BTreeSet<PackageId>) -> BTreeMap<PackageId, Role> {
    let mut all: BTreeMap<PackageId, Role> = BTreeMap::new();
    for workspace in workspaces {
        for (id, role) in roles(&workspace.packages, shipped) {
            let first = all.entry(id).or_insert(role);
            *first = role.min(*first);
        }
    }
    all
}

/// Finds components by the names that artifacts use.
struct Names<'a> {
    release: &'a ReleaseFacts,
    packages: &'a BTreeMap<PackageId, Package>,
    references: BTreeMap<&'a str, Vec<(String, Option<&'a PackageId>)>>,
}

impl<'a> Names<'a> {
    fn new(
        release: &'a ReleaseFacts,
        packages: &'a BTreeMap<PackageId, Package>,
        foreign: &'a [ForeignComponent],
    ) -> Self {
        let mut references: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for id in packages.keys().filter(|id| id.directory.is_some()) {
            let named = references.entry(&id.name).or_default();
            named.push((package_reference(release, id), Some(id)));
        }
        for component in foreign {
            let named = references.entry(&component.name).or_default();
            named.push((purl::generic(&component.name, &component.version), None));
        }
        Self {
            release,
            packages,
            references,
        }
    }

    fn one(&self, what: &str, name: &str) -> Result<&(String, Option<&'a PackageId>), SbomProblem> {
        match self.references.get(name).map_or(&[][..], Vec::as_slice) {
            [one] => Ok(one),
            several => Err(SbomProblem::Unknown {
                what: what.to_owned(),
                name: name.to_owned(),
                count: several.len(),
            }),
        }
    }

    fn find(&self, what: &str, name: &str) -> Result<&str, SbomProblem> {
        self.one(what, name).map(|(reference, _)| reference.as_str())
    }

    fn artifact(
        &self,
        artifact: &SbomArtifact,
        shipped: &mut BTreeSet<PackageId>,
    ) -> Result<Component, SbomProblem> {
        let file = artifact.file.name.to_string();
        let mut parts = BTreeSet::new();
        match &artifact.contents {
            Contents::Compiled(names) => {
                for name in names {
                    let (reference, package) = self.one(&file, name)?;
                    parts.insert(reference.clone());
                    shipped.extend(package.cloned());
                }
            }
            Contents::Sources => parts.extend(self.sources(|id| id.directory.is_some())),
            Contents::Crates => parts.extend(self.sources(|id| id.directory.is_none())),
            Contents::Documents => {}
        }
        let directory = self.release.directory.as_ref();
        Ok(Component {
            reference: format!("artifact:{file}"),
            kind: Kind::Artifact,
            role: Role::Shipped,
            version: self.release.version.to_string(),
            purl: None,
            licence: None,
            sha256: Some(artifact.file.sha256),
            description: Some(artifact.description.clone()),
            location: directory.map(|directory| format!("{directory}/{file}")),
            repository: None,
            relations: parts.into_iter().map(|part| (part, Relation::Contains)).collect(),
            name: file,
        })
    }

    fn sources(&self, which: impl Fn(&PackageId) -> bool) -> impl Iterator<Item = String> {
        let ids = self.packages.keys().filter(move |id| which(id));
        ids.map(|id| package_reference(self.release, id))
    }
}

fn package_reference(release: &ReleaseFacts, id: &PackageId) -> String {
    match &id.directory {
        None => purl::cargo(&id.name, &id.version),
        Some(directory) => {
            let commit = release.commit_uri();
            purl::in_repository(&release.product, &id.name, &id.version, &commit, directory)
        }
    }
}

fn package_component(release: &ReleaseFacts, id: &PackageId, package: &Package, role: Role) -> Component {
    let reference = package_reference(release, id);
    let own = id.directory.as_ref();
    let needs = package.needs.iter();
    Component {
        kind: if own.is_some() && package.is_program {
            Kind::Program
        } else {
            Kind::Library
        },
        role,
        name: id.name.clone(),
        version: id.version.clone(),
        purl: Some(reference.clone()),
        licence: package.licence.clone(),
        sha256: package.sha256,
        description: None,
        location: own.map(|directory| format!("{}#{directory}", release.commit_uri())),
        repository: package.repository.clone().filter(|url| is_url(url)),
        relations: needs
            .map(|(id, need)| (package_reference(release, id), Relation::Needs(*need)))
            .collect(),
        reference,
    }
}

fn foreign_component(
    component: &ForeignComponent,
    contained: &BTreeSet<String>,
) -> Result<Component, SbomProblem> {
    let reference = purl::generic(&component.name, &component.version);
    Ok(Component {
        kind: Kind::Foreign,
        role: if contained.contains(&reference) {
            Role::Shipped
        } else {
            Role::Build
        },
        name: component.name.clone(),
        version: component.version.clone(),
        purl: Some(reference.clone()),
        licence: canonical(&component.name, component.licence.as_deref())?,
        sha256: component.sha256,
        description: Some(component.description.clone()),
        location: None,
        repository: None,
        relations: BTreeMap::new(),
        reference,
    })
}

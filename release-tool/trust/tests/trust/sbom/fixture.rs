//! Workspaces as cargo would describe them.

use crate::provenance::subject;
use crate::strangers::run_python;
use serde_json::{Value, json};
use vrel_trust::{Contents, Sbom, SbomArtifact, SbomProblem, Workspace, digest_bytes};

/// The public registry's name in metadata and lock files.
pub(crate) fn registry() -> String {
    let lock = std::fs::read_to_string(crate::strangers::repository().join("Cargo.lock")).unwrap();
    let mut sources = lock.lines().filter_map(|line| line.strip_prefix("source = \""));
    sources.next().unwrap().trim_end_matches('"').to_owned()
}

pub(crate) fn checksum(name: &str, version: &str) -> String {
    digest_bytes(format!("{name} {version}").as_bytes())
        .sha256
        .to_string()
}

pub(crate) fn artifact(name: &str, contents: Contents) -> SbomArtifact {
    SbomArtifact {
        file: subject(name),
        description: format!("the file {name}"),
        contents,
    }
}

/// Has both forms checked by strangers' programs, which must count so many components, the product not among them.
pub(crate) fn accepted_by_strangers(sbom: &Sbom, components: usize) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let cyclonedx = write("sbom.cdx.json", sbom.to_cyclonedx().unwrap());
    let spdx = write("sbom.spdx.json", sbom.to_spdx().unwrap());
    let count =
        run_python("cyclonedx.py", &[&cyclonedx]).unwrap_or_else(|error| panic!("CycloneDX: {error}"));
    assert_eq!(count.trim(), components.to_string());
    let count = run_python("spdx.py", &[&spdx]).unwrap_or_else(|error| panic!("SPDX: {error}"));
    assert_eq!(count.trim(), (components + 1).to_string());
}

/// The identifier of a package in an SPDX document.
pub(crate) fn spdx_id(document: &str, name: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap();
    let mut packages = document["packages"].as_array().unwrap().iter();
    let package = packages.find(|package| package["name"] == name).unwrap();
    package["SPDXID"].as_str().unwrap().to_owned()
}

#[derive(Clone)]
pub(crate) struct Package {
    name: String,
    version: String,
    is_own: bool,
    kind: &'static str,
    licence: Option<&'static str>,
    needs: Vec<(String, Value)>,
}

impl Package {
    pub(crate) fn own(name: &str, kind: &'static str) -> Self {
        let package = Self::registry(name, "0.6.0");
        Self {
            is_own: true,
            ..package
        }
        .kind(kind)
    }

    pub(crate) fn registry(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            is_own: false,
            kind: "lib",
            licence: Some("MIT"),
            needs: Vec::new(),
        }
    }

    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn licence(self, licence: &'static str) -> Self {
        Self {
            licence: Some(licence),
            ..self
        }
    }

    pub(crate) fn no_licence(self) -> Self {
        Self {
            licence: None,
            ..self
        }
    }

    /// Packages are named as `NAME@VERSION`.
    pub(crate) fn needs(self, packages: &[&str]) -> Self {
        self.with(packages, &Value::Null)
    }

    pub(crate) fn builds_with(self, packages: &[&str]) -> Self {
        self.with(packages, &"build".into())
    }

    pub(crate) fn tests_with(self, packages: &[&str]) -> Self {
        self.with(packages, &"dev".into())
    }

    fn with(mut self, packages: &[&str], kind: &Value) -> Self {
        let more = packages
            .iter()
            .map(|package| ((*package).to_owned(), kind.clone()));
        self.needs.extend(more);
        self
    }

    fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// What cargo says of a workspace in `/w`.
pub(crate) struct Cargo {
    directory: &'static str,
    pub(crate) metadata: String,
    pub(crate) lock: String,
}

impl Cargo {
    pub(crate) fn new(directory: &'static str, packages: &[Package]) -> Self {
        let registry = registry();
        let described = packages.iter().map(|package| {
            let root = if package.is_own { "/w" } else { "/registry" };
            json!({
                "id": package.id(),
                "name": package.name,
                "version": package.version,
                "source": (!package.is_own).then_some(&registry),
                "license": package.licence,
                "manifest_path": format!("{root}/{}/Cargo.toml", package.name),
                "repository": "https://example.org/code",
                "dependencies": [],
                "features": {},
                "targets": [{"name": package.name, "kind": [package.kind], "src_path": "/x.rs", "edition": "2024"}],
            })
        });
        let nodes = packages.iter().map(|package| {
            let deps = package.needs.iter().map(|(id, kind)| {
                let name = id.split('@').next();
                json!({"name": name, "pkg": id, "dep_kinds": [{"kind": kind, "target": null}]})
            });
            let ids = package.needs.iter().map(|(id, _)| id);
            json!({
                "id": package.id(),
                "dependencies": ids.collect::<Vec<_>>(),
                "deps": deps.collect::<Vec<_>>(),
                "features": [],
            })
        });
        let own = packages.iter().filter(|package| package.is_own);
        let metadata = json!({
            "packages": described.collect::<Vec<_>>(),
            "workspace_members": own.map(Package::id).collect::<Vec<_>>(),
            "workspace_default_members": [],
            "resolve": {"nodes": nodes.collect::<Vec<_>>(), "root": null},
            "target_directory": "/w/target",
            "version": 1,
            "workspace_root": "/w",
            "metadata": null,
        });
        let locked = packages.iter().map(|package| {
            let (name, version) = (&package.name, &package.version);
            let mut entry = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
            if !package.is_own {
                let checksum = checksum(name, version);
                entry += &format!("source = \"{registry}\"\nchecksum = \"{checksum}\"\n");
            }
            entry + "\n"
        });
        Self {
            directory,
            metadata: metadata.to_string(),
            lock: format!("version = 4\n\n{}", locked.collect::<String>()),
        }
    }

    pub(crate) fn parse(&self) -> Result<Workspace, SbomProblem> {
        Workspace::parse(self.directory, self.metadata.as_bytes(), self.lock.as_bytes())
    }
}

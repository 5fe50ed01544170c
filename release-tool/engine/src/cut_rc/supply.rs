//! The manifests of the supply chain: bills of materials and provenance.

use super::build::built;
use super::{Release, failed};
use crate::EngineError;
use std::collections::BTreeMap;
use std::path::Path;
use vrel_build::{Image, Targets};
use vrel_model::{Arch, Packer, PlannedArtifact, PlannedDocument, Sha256Digest, UtcTime};
use vrel_trust::{
    BuildTool, Builder, Contents, ForeignComponent, ProvenanceFacts, ReleaseFacts, Sbom, SbomArtifact,
    SbomFacts, Subject, TrustError, Workspace, digest_bytes, provenance_statement, sign_envelope,
};
use vrel_world::{Command, Stream};

const STEP: &str = "documents";

/// The package of the workspace that is the release tool.
const TOOL: &str = "vrel-cli";

/// The licence of everything that is written in the repository.
const LICENCE: &str = "MIT OR Apache-2.0";

/// What is linked into every program besides the packages.
const CORE: &str = "rust-core-libraries";

/// What ISO images for machines with a BIOS hold.
const GRUB: &str = "grub";

fn trust(error: TrustError) -> EngineError {
    failed(STEP, error)
}

/// What every manifest says of the release itself.
fn facts(release: &Release<'_>) -> Result<ReleaseFacts, EngineError> {
    let (plan, config) = (release.plan, &release.policies.config);
    let public = config.publish.public_url.trim_end_matches('/');
    let repository = config.git.public_url.as_deref().ok_or_else(|| {
        super::conflict(
            STEP,
            "vrel.toml has no `git.public-url`, which bills of materials and provenance need",
            "say there where the repository is for the public",
        )
    })?;
    Ok(ReleaseFacts {
        product: plan.product.clone(),
        product_name: plan.product_name.clone(),
        version: plan.version.clone(),
        channel: plan.channel.clone(),
        commit: plan.commit.clone(),
        tag: plan.version.published_tag(),
        repository: repository.to_owned(),
        directory: Some(format!("{public}/{}", plan.release_dir())),
        source_date_epoch: UtcTime::from_unix(plan.source_date_epoch).map_err(|error| failed(STEP, error))?,
    })
}

fn subjects(release: &Release<'_>) -> Result<Vec<Subject>, EngineError> {
    let artifacts = built(release, STEP)?.manifest_artifacts();
    let subject = |artifact: vrel_model::ManifestArtifact| Subject {
        name: artifact.name,
        sha256: artifact.sha256,
    };
    Ok(artifacts.into_iter().map(subject).collect())
}

/// A bill of materials in the form that the packer makes.
pub(super) fn bill_of_materials(release: &Release<'_>, packer: Packer) -> Result<Vec<u8>, EngineError> {
    let os = release.config.os.source.as_path();
    let workspace = |directory: &Path| -> Result<Workspace, EngineError> {
        let name = directory.to_string_lossy();
        let metadata = metadata(release, directory)?;
        let lock = release
            .site
            .sources(release.plan)
            .join(directory)
            .join("Cargo.lock");
        let lock = release.world.fs().read(&lock)?;
        Workspace::parse(&name, &metadata, &lock).map_err(|error| failed(STEP, error))
    };
    let tools = built(release, STEP)?.tools;
    let first_line = |name: &str| {
        tools
            .get(name)
            .and_then(|text| text.lines().next())
            .unwrap_or_default()
    };
    let mut foreign = vec![ForeignComponent {
        name: CORE.to_owned(),
        version: first_line("toolchain").trim_start_matches("rustc ").to_owned(),
        description: "core libraries of the Rust compiler".to_owned(),
        licence: Some(LICENCE.to_owned()),
        sha256: None,
    }];
    if tools.contains_key(GRUB) {
        foreign.push(ForeignComponent {
            name: GRUB.to_owned(),
            version: first_line(GRUB).trim_start_matches("GRUB ").to_owned(),
            description: "boot loader for machines with a BIOS".to_owned(),
            licence: Some("GPL-3.0-or-later".to_owned()),
            sha256: None,
        });
    }
    let parts = Parts::read(release)?;
    let files = subjects(release)?.into_iter().map(|file| {
        let planned = release
            .plan
            .artifacts
            .iter()
            .find(|artifact| artifact.name == file.name);
        let planned = planned.ok_or_else(|| failed(STEP, format!("{} is not planned", file.name)))?;
        Ok(SbomArtifact {
            file,
            description: planned.description.clone(),
            contents: parts.contents(planned),
        })
    });
    let sbom = Sbom::new(SbomFacts {
        release: facts(release)?,
        licence: LICENCE.to_owned(),
        workspaces: vec![workspace(Path::new(""))?, workspace(os)?],
        tool: TOOL.to_owned(),
        foreign,
        artifacts: files.collect::<Result<_, EngineError>>()?,
    })
    .map_err(trust)?;
    match packer {
        Packer::Spdx => sbom.to_spdx(),
        _ => sbom.to_cyclonedx(),
    }
    .map_err(trust)
}

/// The packages that images are made of.
struct Parts {
    kernel: BTreeMap<Arch, String>,
    loader: BTreeMap<Arch, String>,
    programs: Vec<String>,
}

impl Parts {
    fn read(release: &Release<'_>) -> Result<Self, EngineError> {
        let error = |error| super::build_error(STEP, error);
        let os = release.site.sources(release.plan).join(&release.config.os.source);
        let targets = Targets::read(release.world, &os).map_err(error)?;
        let image = Image::read(release.world, &os, &release.config.os.image).map_err(error)?;
        let mut parts = Self {
            kernel: BTreeMap::new(),
            loader: BTreeMap::new(),
            programs: image.programs,
        };
        for arch in Arch::ALL {
            let of = targets.get(arch).map_err(error)?;
            parts.kernel.insert(arch, of.kernel.package.clone());
            parts.loader.insert(arch, of.loader.package.clone());
        }
        Ok(parts)
    }

    /// What is in an artifact.
    fn contents(&self, artifact: &PlannedArtifact) -> Contents {
        let of =
            |packages: &BTreeMap<Arch, String>| artifact.arch.and_then(|arch| packages.get(&arch).cloned());
        let compiled = |packages: Vec<Option<String>>, programs: bool, more: &[&str]| {
            let mut names: Vec<String> = packages.into_iter().flatten().collect();
            if programs {
                names.extend(self.programs.iter().cloned());
            }
            names.extend(more.iter().map(|&name| name.to_owned()));
            Contents::Compiled(names)
        };
        match artifact.packer {
            Packer::Source => Contents::Sources,
            Packer::Vendor => Contents::Crates,
            Packer::ManPages | Packer::ApiDocs | Packer::AwsImport => Contents::Documents,
            Packer::Kernel | Packer::KernelFlat => compiled(vec![of(&self.kernel)], false, &[CORE]),
            Packer::Initrd | Packer::Oci => compiled(Vec::new(), true, &[CORE]),
            Packer::Symbols => compiled(vec![of(&self.kernel)], true, &[CORE]),
            packer => {
                let bios = packer == Packer::Iso
                    && artifact.arch == Some(Arch::X86_64)
                    && artifact.options.get("bios") == Some(&serde_json::Value::Bool(true));
                let more: &[&str] = if bios { &[CORE, GRUB] } else { &[CORE] };
                compiled(vec![of(&self.kernel), of(&self.loader)], true, more)
            }
        }
    }
}

/// What `cargo metadata` says of a workspace of the sources. It is asked once for a release.
fn metadata(release: &Release<'_>, directory: &Path) -> Result<Vec<u8>, EngineError> {
    let name = match directory.to_string_lossy().replace('/', "-") {
        name if name.is_empty() => "tool".to_owned(),
        name => name,
    };
    let kept = release.work_file("cargo-metadata").join(format!("{name}.json"));
    if let Some(bytes) = release.read(&kept)? {
        return Ok(bytes);
    }
    let command = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .dir(&release.site.sources(release.plan).join(directory))
        .env("CARGO_HOME", release.cargo_home.display().to_string())
        .env("CARGO_TERM_COLOR", "never");
    let (mut json, mut complaint) = (Vec::new(), String::new());
    let exit = release
        .world
        .processes()
        .run(&command, &mut |stream, piece| match stream {
            // One line, which comes in pieces.
            Stream::Stdout => json.extend_from_slice(piece),
            Stream::Stderr => {
                complaint.push_str(&String::from_utf8_lossy(piece));
                complaint.push('\n');
            }
        })?;
    if !exit.success() {
        let message = format!(
            "`cargo metadata` of {}: {}",
            directory.display(),
            complaint.trim()
        );
        return Err(failed(STEP, message));
    }
    release.write(&kept, &json)?;
    Ok(json)
}

/// The signed provenance of all artifacts.
pub(super) fn provenance(release: &Release<'_>, document: &PlannedDocument) -> Result<Vec<u8>, EngineError> {
    let key = release.signer(STEP, &release.plan.key_role)?;
    let sources = release.site.sources(release.plan);
    let digest = |path: &str| -> Result<Option<(String, Sha256Digest)>, EngineError> {
        let bytes = release.read(&sources.join(path))?;
        Ok(bytes.map(|bytes| (path.to_owned(), digest_bytes(&bytes).sha256)))
    };
    let mut policies = BTreeMap::new();
    policies.extend(digest("vrel.toml")?);
    policies.extend(digest("signing/policy.toml")?);
    policies.extend(digest(&format!("channels/{}.toml", release.plan.channel))?);
    let kinds = release.plan.artifacts.iter().map(|artifact| &artifact.kind);
    for kind in kinds.chain(release.plan.documents.iter().map(|document| &document.kind)) {
        policies.extend(digest(&format!("artifacts/{kind}.toml"))?);
    }
    let mut lock_files = BTreeMap::new();
    lock_files.extend(digest("Cargo.lock")?);
    lock_files.extend(digest(
        &release.config.os.source.join("Cargo.lock").to_string_lossy(),
    )?);
    let record = built(release, STEP)?;
    let tools = record.tools.iter().filter(|(name, _)| *name != "toolchain");
    let tools = tools.map(|(name, identity)| BuildTool {
        name: name.clone(),
        version: identity.clone(),
        sha256: None,
    });
    let facts = ProvenanceFacts {
        release: facts(release)?,
        subjects: subjects(release)?,
        policies,
        lock_files,
        toolchain: record.tools.get("toolchain").cloned().unwrap_or_default(),
        tools: tools.collect(),
        builder: Builder {
            id: release.config.publish.builder.clone(),
            version: BTreeMap::from([("vrel".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
        },
    };
    let statement = provenance_statement(&facts).map_err(trust)?;
    sign_envelope(document.name.as_str(), &statement, key).map_err(trust)
}

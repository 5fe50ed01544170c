//! The container image: one OCI archive for all architectures.
//!
//! The archive is a tar file of an image layout (OCI image specification 1.1, "Image Layout"). Its `index.json` names
//! one image index, which has an image for each architecture; tools that copy the archive then copy all of it, and the
//! digest of that inner index is the name under which a registry has the whole.
//!
//! The operating system of the images is the product's own id and not `linux`: what is in them are programs of this
//! system, which a Linux kernel cannot run. The specification allows ids that Go does not know, registries and `skopeo
//! copy --all` accept them, and a Linux runtime refuses such an image at once instead of failing inside it.
//! `skopeo inspect` has to be told with `--override-os`.

use crate::PackError;
use crate::image_file::{Failure, ImageFile, write_stream};
use crate::oci_blobs::{Blob, Blobs};
use crate::oci_rootfs::{self, ENTRYPOINT};
use oci_spec::OciSpecError;
use oci_spec::image::{
    ANNOTATION_CREATED, ANNOTATION_LICENSES, ANNOTATION_REF_NAME, ANNOTATION_REVISION, ANNOTATION_SOURCE,
    ANNOTATION_TITLE, ANNOTATION_VENDOR, ANNOTATION_VERSION, ConfigBuilder, Descriptor, DescriptorBuilder,
    HistoryBuilder, ImageConfigurationBuilder, ImageIndexBuilder, ImageManifestBuilder, MediaType,
    OciLayoutBuilder, PlatformBuilder, RootFsBuilder, SCHEMA_VERSION,
};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;
use vrel_model::{Arch, Sha256Digest, UtcTime};
use vrel_world::World;

/// What the image says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// The product's name, for people.
    pub name: &'a str,
    /// The product's id, lower case: the operating system of the images.
    pub id: &'a str,
    /// The version.
    pub version: &'a str,
    /// The commit, 40 hexadecimal digits.
    pub commit: &'a str,
    /// Where the source is, an address.
    pub source: &'a str,
    /// The licences, an SPDX expression.
    pub licenses: &'a str,
    /// Who publishes it.
    pub vendor: &'a str,
    /// When it was made: the commit's time.
    pub time: UtcTime,
}

/// A file of a root file system. `etc/os-release` is added by itself.
#[derive(Clone, Copy, Debug)]
pub struct RootFile<'a> {
    /// Its path below the root, without a slash in front, for example `root`.
    pub path: &'a str,
    /// Permission bits, at most 0o777.
    pub mode: u32,
    /// What is in it.
    pub content: RootContent<'a>,
}

/// The content of a file.
#[derive(Clone, Copy, Debug)]
pub enum RootContent<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// What is in this file, read piece by piece.
    File(&'a Path),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Digest of the index of all architectures: `NAME@sha256:…` is the release.
    pub index: Sha256Digest,
    /// Digest of each architecture's manifest.
    pub manifests: BTreeMap<Arch, Sha256Digest>,
}

/// Writes the archive with a root file system for each architecture to `path`. Each must have an executable `root`,
/// which a container starts.
///
/// # Errors
/// When there is no architecture or two have the same content, when a path is odd or there twice, and when a file
/// cannot be read or the archive not be written.
pub fn write(
    world: &dyn World,
    path: &Path,
    image: &Image<'_>,
    roots: &BTreeMap<Arch, Vec<RootFile<'_>>>,
) -> Result<Written, PackError> {
    write_stream(world, path, |file| pack(world, file, image, roots))
}

fn pack(
    world: &dyn World,
    file: &mut ImageFile,
    image: &Image<'_>,
    roots: &BTreeMap<Arch, Vec<RootFile<'_>>>,
) -> Result<Written, Failure> {
    if roots.is_empty() {
        let problem = "expected at least one architecture, got none".to_owned();
        let path = "container image".to_owned();
        return Err(Failure::Other(PackError::Archive { path, problem }));
    }
    let mut blobs = Blobs::begin(file, image.time)?;
    let (mut manifests, mut descriptors) = (BTreeMap::new(), Vec::new());
    for (&arch, files) in roots {
        let (manifest, descriptor) = single(world, &mut blobs, image, arch, files)?;
        manifests.insert(arch, manifest.digest);
        descriptors.push(descriptor);
    }
    let index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(descriptors)
        .annotations(annotations(image))
        .build();
    let index = blobs.small(&json(&index.map_err(spec)?)?)?;
    let mut outer = descriptor(MediaType::ImageIndex, index)?;
    outer.set_annotations(Some(HashMap::from([(
        ANNOTATION_REF_NAME.to_owned(),
        image.version.to_string(),
    )])));
    let outer = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests([outer])
        .build();
    blobs.file("index.json", &json(&outer.map_err(spec)?)?)?;
    let layout = OciLayoutBuilder::default().image_layout_version("1.0.0").build();
    blobs.file("oci-layout", &json(&layout.map_err(spec)?)?)?;
    blobs.finish()?;
    file.flush()?;
    Ok(Written {
        index: index.digest,
        manifests,
    })
}

/// Writes the image of one architecture: layer, configuration, manifest.
fn single(
    world: &dyn World,
    blobs: &mut Blobs<'_>,
    image: &Image<'_>,
    arch: Arch,
    files: &[RootFile<'_>],
) -> Result<(Blob, Descriptor), Failure> {
    let layer = oci_rootfs::write(world, blobs, image, arch, files)?;
    if layer.blob.known {
        // Programs of two architectures cannot be the same: the wrong ones were handed in.
        let problem =
            "expected a root file system of its own, got the one of another architecture".to_owned();
        return Err(Failure::Other(PackError::Oci { arch, problem }));
    }
    let config = ConfigBuilder::default()
        .entrypoint([format!("/{ENTRYPOINT}")])
        .working_dir("/")
        .labels(annotations(image))
        .build();
    let history = HistoryBuilder::default()
        .created(image.time.to_string())
        .created_by(format!("{} {} for {arch}", image.name, image.version))
        .build();
    let rootfs = RootFsBuilder::default()
        .typ("layers")
        .diff_ids([format!("sha256:{}", layer.diff_id)])
        .build();
    let configuration = ImageConfigurationBuilder::default()
        .created(image.time.to_string())
        .author(image.vendor)
        .architecture(oci_arch(arch))
        .os(image.id)
        .os_version(image.version.to_string())
        .config(config.map_err(spec)?)
        .rootfs(rootfs.map_err(spec)?)
        .history([history.map_err(spec)?])
        .build();
    let configuration = blobs.small(&json(&configuration.map_err(spec)?)?)?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(descriptor(MediaType::ImageConfig, configuration)?)
        .layers([descriptor(MediaType::ImageLayerGzip, layer.blob)?])
        .annotations(annotations(image))
        .build();
    let manifest = blobs.small(&json(&manifest.map_err(spec)?)?)?;
    let platform = PlatformBuilder::default()
        .architecture(oci_arch(arch))
        .os(image.id)
        .build();
    let mut described = descriptor(MediaType::ImageManifest, manifest)?;
    described.set_platform(Some(platform.map_err(spec)?));
    Ok((manifest, described))
}

/// An architecture as Go names it, which the specification asks for.
fn oci_arch(arch: Arch) -> oci_spec::image::Arch {
    match arch {
        Arch::X86_64 => oci_spec::image::Arch::Amd64,
        Arch::Aarch64 => oci_spec::image::Arch::ARM64,
        Arch::Riscv64 => oci_spec::image::Arch::RISCV64,
    }
}

fn annotations(image: &Image<'_>) -> HashMap<String, String> {
    let pairs = [
        (ANNOTATION_TITLE, image.name.to_owned()),
        (ANNOTATION_VERSION, image.version.to_string()),
        (ANNOTATION_REVISION, image.commit.to_owned()),
        (ANNOTATION_SOURCE, image.source.to_owned()),
        (ANNOTATION_LICENSES, image.licenses.to_owned()),
        (ANNOTATION_CREATED, image.time.to_string()),
        (ANNOTATION_VENDOR, image.vendor.to_owned()),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value)).into()
}

fn descriptor(kind: MediaType, blob: Blob) -> Result<Descriptor, Failure> {
    let digest: oci_spec::image::Sha256Digest = blob.digest.to_string().parse().map_err(spec)?;
    let built = DescriptorBuilder::default()
        .media_type(kind)
        .digest(digest)
        .size(blob.size)
        .build();
    built.map_err(spec)
}

/// A document's bytes, with sorted keys: the library keeps annotations in an order that changes from run to run.
fn json(document: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let broken = |error: serde_json::Error| {
        Failure::Other(PackError::Archive {
            path: "container image".to_owned(),
            problem: error.to_string(),
        })
    };
    let mut value = serde_json::to_value(document).map_err(broken)?;
    value.sort_all_objects();
    serde_json::to_vec(&value).map_err(broken)
}

fn spec(error: OciSpecError) -> Failure {
    Failure::Other(PackError::Archive {
        path: "container image".to_owned(),
        problem: error.to_string(),
    })
}

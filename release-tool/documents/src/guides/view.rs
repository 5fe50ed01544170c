//! What the templates see of a release. Every text is Markdown already, so a template cannot forget to escape one.

use super::release::{GuideFile, Release};
use crate::DocumentError;
use crate::markdown::{cell, inline};
use std::fmt;
use vrel_model::{Arch, ByteSize, Packer, PackerScope};

pub(super) struct View {
    pub(super) product: String,
    /// The product's name as it is, for code.
    pub(super) product_text: String,
    pub(super) version: String,
    pub(super) date: String,
    pub(super) channel: String,
    pub(super) is_final: bool,
    /// Without a slash at the end, as are the other addresses.
    pub(super) public_url: String,
    /// Where this release's files are.
    pub(super) release_url: String,
    pub(super) repository: Option<String>,
    pub(super) issues_url: Option<String>,
    pub(super) key_role: String,
    pub(super) key_ids: Vec<String>,
    pub(super) tools: Vec<ToolView>,
    /// The architectures of the files.
    pub(super) arches: Vec<&'static str>,
    /// One of them, for an example.
    pub(super) first_arch: &'static str,
    /// All files but documents.
    pub(super) downloads: Vec<FileView>,
    /// A file that many will want, for examples.
    pub(super) example: Option<FileView>,
    pub(super) iso: Vec<FileView>,
    pub(super) has_x86_64_iso: bool,
    pub(super) disk: Vec<FileView>,
    pub(super) qcow2: Vec<FileView>,
    pub(super) vdi: Vec<FileView>,
    pub(super) vhd: Vec<FileView>,
    pub(super) vmdk: Vec<FileView>,
    pub(super) ova: Vec<FileView>,
    pub(super) gcp: Vec<FileView>,
    pub(super) aws: Vec<FileView>,
    pub(super) oci: Vec<FileView>,
    /// What can be started without firmware.
    pub(super) starts: Vec<StartView>,
    pub(super) source: Vec<FileView>,
    pub(super) vendor: Vec<FileView>,
    pub(super) symbols: Vec<FileView>,
    pub(super) man_pages: Vec<FileView>,
    pub(super) api_docs: Vec<FileView>,
    /// Whether there are any of the last five.
    pub(super) has_others: bool,
}

pub(super) struct ToolView {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) purpose: String,
}

/// What a file is for, `any` when it is for no architecture in particular.
#[derive(Clone, Copy)]
pub(super) struct ArchView(Option<Arch>);

impl ArchView {
    pub(super) fn is_x86_64(self) -> bool {
        self.0 == Some(Arch::X86_64)
    }

    pub(super) fn is_aarch64(self) -> bool {
        self.0 == Some(Arch::Aarch64)
    }
}

impl fmt::Display for ArchView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.map_or("any", Arch::as_str))
    }
}

#[derive(Clone)]
pub(super) struct FileView {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) arch: ArchView,
    pub(super) size: String,
    pub(super) sha256: String,
}

/// A kernel with its initial RAM disk.
pub(super) struct StartView {
    pub(super) arch: ArchView,
    pub(super) kernel: String,
    pub(super) initrd: String,
}

impl View {
    pub(super) fn of(release: &Release) -> Result<Self, DocumentError> {
        release.check()?;
        let files = |packer: Packer| -> Vec<FileView> {
            let of_kind = release.files.iter().filter(|file| file.packer == packer);
            of_kind.map(FileView::of).collect()
        };
        let arches: Vec<_> = Arch::ALL
            .into_iter()
            .filter(|arch| release.files.iter().any(|file| file.arch == Some(*arch)))
            .map(Arch::as_str)
            .collect();
        let downloads: Vec<_> = release
            .files
            .iter()
            .filter(|file| file.packer.scope() != PackerScope::Document)
            .map(FileView::of)
            .collect();
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        let (iso, disk) = (files(Packer::Iso), files(Packer::Disk));
        let (source, vendor, symbols) = (
            files(Packer::Source),
            files(Packer::Vendor),
            files(Packer::Symbols),
        );
        let (man_pages, api_docs) = (files(Packer::ManPages), files(Packer::ApiDocs));
        let has_others = ![&source, &vendor, &symbols, &man_pages, &api_docs]
            .iter()
            .all(|files| files.is_empty());
        Ok(Self {
            product: inline(&release.product),
            product_text: release.product.clone(),
            version: release.version.to_string(),
            date: release.date.date(),
            channel: release.channel.to_string(),
            is_final: release.version == release.version.final_version(),
            public_url: release.public_url.clone(),
            release_url: format!("{}/releases/{}", release.public_url, release.version),
            repository: release.repository.as_deref().map(bare),
            issues_url: release.issue_url.as_deref().map(bare),
            key_role: release.key_role.to_string(),
            key_ids: release.key_ids.iter().map(ToString::to_string).collect(),
            tools: release
                .tools
                .iter()
                .map(|tool| ToolView {
                    name: cell(&tool.name),
                    version: cell(&tool.version),
                    purpose: cell(&tool.purpose),
                })
                .collect(),
            first_arch: arches.first().copied().unwrap_or(Arch::ALL[0].as_str()),
            arches,
            example: iso.first().or(disk.first()).or(downloads.first()).cloned(),
            downloads,
            has_x86_64_iso: iso.iter().any(|file| file.arch.is_x86_64()),
            iso,
            disk,
            qcow2: files(Packer::Qcow2),
            vdi: files(Packer::Vdi),
            vhd: files(Packer::Vhd),
            vmdk: files(Packer::Vmdk),
            ova: files(Packer::Ova),
            gcp: files(Packer::Gcp),
            aws: files(Packer::AwsImport),
            oci: files(Packer::Oci),
            starts: starts(release),
            has_others,
            source,
            vendor,
            symbols,
            man_pages,
            api_docs,
        })
    }
}

impl FileView {
    fn of(file: &GuideFile) -> Self {
        Self {
            name: file.name.to_string(),
            description: cell(&file.description),
            arch: ArchView(file.arch),
            size: ByteSize(file.size).to_string(),
            sha256: file.sha256.to_string(),
        }
    }
}

/// For each architecture the kernel and initial RAM disk that QEMU's `-kernel` and `-initrd` take, where there are both.
fn starts(release: &Release) -> Vec<StartView> {
    let name = |packer, arch| {
        let mut of_kind = release.files.iter();
        let file = of_kind.find(|file| file.packer == packer && file.arch == Some(arch));
        file.map(|file| file.name.to_string())
    };
    let start = |arch: Arch| {
        // QEMU gives a device tree on aarch64 to flat images only, and the kernel needs one.
        let kernel = match arch {
            Arch::Aarch64 => Packer::KernelFlat,
            Arch::X86_64 | Arch::Riscv64 => Packer::Kernel,
        };
        Some(StartView {
            arch: ArchView(Some(arch)),
            kernel: name(kernel, arch)?,
            initrd: name(Packer::Initrd, arch)?,
        })
    };
    Arch::ALL.into_iter().filter_map(start).collect()
}

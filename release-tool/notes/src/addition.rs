//! Notes of architectures that are added to a published release: what there is now, not what is new.

use crate::NotesError;
use crate::context::NotesArtifact;
use crate::render::{DownloadView, download_view, finish};
use askama::Template;
use vrel_documents::markdown::{Format, inline};
use vrel_model::{Arch, ChannelName, Edition, LaggingArch, UtcTime, Version};

/// What is told of an addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The product's name.
    pub product: String,
    /// The release.
    pub version: Version,
    /// Its channel.
    pub channel: ChannelName,
    /// The commit of all of it, 40 hexadecimal digits.
    pub commit: String,
    /// When it was published.
    pub released: UtcTime,
    /// When this was added.
    pub added: UtcTime,
    /// The edition that the addition makes.
    pub edition: Edition,
    /// The architectures that are added.
    pub arches: Vec<Arch>,
    /// Those that are still missing.
    pub lagging: Vec<LaggingArch>,
    /// The address of the published tree, without a slash at the end.
    pub public_url: String,
    /// What is added.
    pub artifacts: Vec<NotesArtifact>,
}

impl Addition {
    /// Renders the notes in a format.
    ///
    /// # Errors
    /// When the template cannot be filled in.
    pub fn notes(&self, format: Format) -> Result<String, NotesError> {
        let view = View::of(self);
        let markdown = finish(NotesTemplate { addition: &view }.render(), "addition-notes.md")?;
        Ok(format.write(&markdown, "Release Notes"))
    }

    /// Renders a draft of the announcement as Markdown. Its first line is the subject.
    ///
    /// # Errors
    /// When the template cannot be filled in.
    pub fn announcement(&self) -> Result<String, NotesError> {
        let view = View::of(self);
        finish(
            AnnouncementTemplate { addition: &view }.render(),
            "addition-announcement.md",
        )
    }
}

#[derive(Template)]
#[template(path = "addition-notes.md", escape = "none")]
struct NotesTemplate<'a> {
    addition: &'a View,
}

#[derive(Template)]
#[template(path = "addition-announcement.md", escape = "none")]
struct AnnouncementTemplate<'a> {
    addition: &'a View,
}

/// What the templates see. Every text is Markdown already.
struct View {
    product: String,
    version: String,
    channel: String,
    commit: String,
    released: String,
    added: String,
    /// The architectures, in a sentence.
    arches: String,
    /// What is still missing, one sentence each.
    lagging: Vec<String>,
    /// Where the files of this release are, without a slash at the end.
    release_url: String,
    /// The names of the edition's list of checksums and notes.
    sums: String,
    notes: String,
    downloads: Vec<DownloadView>,
}

impl View {
    fn of(addition: &Addition) -> Self {
        let late = |late: &LaggingArch| format!("{} may follow until {}", late.arch, late.until.date());
        Self {
            product: inline(&addition.product),
            version: addition.version.to_string(),
            channel: addition.channel.to_string(),
            commit: addition.commit.clone(),
            released: addition.released.date(),
            added: addition.added.date(),
            arches: in_a_sentence(&addition.arches),
            lagging: addition.lagging.iter().map(late).collect(),
            release_url: format!(
                "{}/releases/{}",
                addition.public_url.trim_end_matches('/'),
                addition.version
            ),
            sums: addition.edition.sums(),
            notes: addition.edition.name("release-notes.md"),
            downloads: addition.artifacts.iter().map(download_view).collect(),
        }
    }
}

fn in_a_sentence(arches: &[Arch]) -> String {
    match arches {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::Sha256Digest;

    fn addition() -> Addition {
        let until = "2026-11-24T03:00:00Z".parse().unwrap();
        Addition {
            product: "Veridian*OS".into(),
            version: "0.6.0-rc1".parse().unwrap(),
            channel: "nightly".parse().unwrap(),
            commit: "1".repeat(40),
            released: "2026-11-21T03:00:00Z".parse().unwrap(),
            added: "2026-11-22T03:00:00Z".parse().unwrap(),
            edition: Edition::FIRST.next().unwrap(),
            arches: vec![Arch::Riscv64],
            lagging: vec![LaggingArch {
                arch: Arch::Aarch64,
                until,
            }],
            public_url: "https://example.org/".into(),
            artifacts: vec![NotesArtifact {
                name: "os-riscv64.iso".parse().unwrap(),
                arch: Some(Arch::Riscv64),
                kind: "iso".parse().unwrap(),
                description: "Live system | installer".into(),
                size: 1 << 20,
                sha256: Sha256Digest::new([7; 32]),
            }],
        }
    }

    #[test]
    fn what_was_added_is_told_with_its_checksums() {
        let text = addition().notes(Format::Markdown).unwrap();
        let sha256 = "07".repeat(32);
        for expected in [
            "# Veridian\\*OS v0.6.0-rc1 for riscv64\n",
            "- **Added:** 2026-11-22\n",
            "[release notes](https://example.org/releases/0.6.0-rc1/release-notes.md)",
            "- aarch64 may follow until 2026-11-24\n",
            "| [os-riscv64.iso](https://example.org/releases/0.6.0-rc1/os-riscv64.iso) | Live system \\| installer | riscv64 | 1 MiB |",
            &sha256,
            "[SHA256SUMS-2](https://example.org/releases/0.6.0-rc1/SHA256SUMS-2)",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
        let whole = Addition {
            lagging: Vec::new(),
            ..addition()
        };
        let text = whole.notes(Format::Markdown).unwrap();
        assert!(!text.contains("Still Missing"), "{text}");
    }

    #[test]
    fn the_announcement_leads_to_the_notes() {
        let text = addition().announcement().unwrap();
        assert!(
            text.starts_with("# Veridian\\*OS v0.6.0-rc1 is available for riscv64\n"),
            "{text}"
        );
        assert!(
            text.contains("https://example.org/releases/0.6.0-rc1/release-notes-2.md"),
            "{text}"
        );
    }

    #[test]
    fn architectures_read_as_a_sentence() {
        assert_eq!(in_a_sentence(&Arch::ALL), "x86_64, aarch64 and riscv64");
    }
}

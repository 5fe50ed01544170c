//! From histories to notes, through the public interface.

mod contained;
mod context;
mod documents;
mod edited;
mod formats;
mod fragments;
mod history;
mod properties;
mod weights;

use vrel_model::{Arch, ArtifactKind, HistoryCommit, Sha256Digest, UtcTime};
use vrel_notes::{Collector, Facts, NotesArtifact, NotesContext};

/// What is known of a candidate without a build.
fn facts() -> Facts {
    Facts {
        product_name: "VeridianOS".to_owned(),
        version: "0.6.0-rc1".parse().unwrap(),
        previous: Some("0.5.7".parse().unwrap()),
        date: UtcTime::from_unix(1_795_230_000).unwrap(),
        channel: "beta".parse().unwrap(),
        artifacts: Vec::new(),
        public_url: "https://releases.example.org".to_owned(),
        issue_url: Some("https://example.org/issues/".to_owned()),
    }
}

fn artifact(
    name: &str,
    arch: Option<Arch>,
    kind: ArtifactKind,
    description: &str,
    size: u64,
) -> NotesArtifact {
    NotesArtifact {
        name: name.parse().unwrap(),
        arch,
        kind,
        description: description.to_owned(),
        size,
        sha256: Sha256Digest::new([0x5a; 32]),
    }
}

/// A commit by Ada with the id `number`, zeros in front.
fn commit(number: usize, message: &str) -> HistoryCommit {
    HistoryCommit {
        id: format!("{number:040}"),
        parents: vec![format!("{:040}", number + 1)],
        author_name: "Ada".to_owned(),
        author_email: "ada@example.org".to_owned(),
        time: UtcTime::from_unix(1_795_000_000).unwrap(),
        message: message.to_owned(),
    }
}

/// The content that comes from messages, which are newest first; the newest commit has the id 0.
fn notes_of(messages: &[&str]) -> NotesContext {
    let mut collector = Collector::new(facts());
    for (number, message) in messages.iter().enumerate() {
        collector.add(&commit(number, message));
    }
    collector.finish()
}

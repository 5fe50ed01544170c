//! Gates: what must hold before a release may go to a channel, and who or what decides it. `gates/*.toml`, one file per
//! gate, whose name is the file's.

mod evidence;
mod personal;

pub use evidence::{Evidence, EvidenceOutcome, KeptLog};
pub use personal::{PersonalStatement, SignedStatement, SignedStatements, StatementKind};

use crate::identifier::identifier;
use crate::{ArtifactKind, PersonRole};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

identifier! {
    /// A gate's name, which is the name of its file.
    GateId, "a gate's name", "coverage"
}

/// The part of the pre-release checklist that a gate belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateGroup {
    /// Tests, coverage, bugs, benchmarks, security.
    CodeQuality,
    /// What people read.
    Documentation,
    /// What was tried with the release itself.
    Testing,
    /// Where it lies and who gets it.
    Infrastructure,
    /// What it is made and deployed with.
    Configuration,
}

impl fmt::Display for GateGroup {
    /// The heading for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CodeQuality => "code quality",
            Self::Documentation => "documentation",
            Self::Testing => "testing",
            Self::Infrastructure => "infrastructure",
            Self::Configuration => "configuration",
        })
    }
}

/// One file of `gates/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GatePolicy {
    /// Where it stands in the checklist.
    pub group: GateGroup,
    /// What must hold, in one line.
    pub title: String,
    /// The role of who may waive it, and of who signs it off where no machine can decide.
    pub role: PersonRole,
    /// Who or what decides.
    pub decider: Decider,
}

/// Who or what decides a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Decider {
    /// Programs, each with its arguments, that are run in a clean export of the commit and must all end with status 0.
    Command {
        /// The programs.
        run: Vec<Vec<String>>,
        /// After how many minutes each is killed, and has failed.
        #[serde(default = "default_minutes")]
        timeout_minutes: u32,
        /// Programs that say which version of themselves was used.
        #[serde(default)]
        tools: Vec<Vec<String>>,
    },
    /// A summary of `cargo llvm-cov --json --summary-only`.
    Coverage {
        /// The program that makes it, in a clean export of the commit; without one it has to be handed in.
        #[serde(default)]
        run: Vec<String>,
        /// After how many minutes it is killed, and has failed.
        #[serde(default = "default_minutes")]
        timeout_minutes: u32,
        /// The smallest percentage of lines that passes.
        at_least: u32,
    },
    /// The crates of lock files, compared with a copy of the RustSec advisory database.
    Advisories {
        /// The copy, relative to the repository's top directory.
        database: PathBuf,
        /// The lock files, in the commit.
        lock_files: Vec<PathBuf>,
    },
    /// A report that is handed in: JSON with `passed`, `commit` and `summary`.
    Report {},
    /// The living plan names no issue that blocks the release.
    BlockingIssues {},
    /// The policy files agree with each other.
    Configuration {},
    /// Whatever breaks programs has its migration in the notes' fragments.
    MigrationGuide {},
    /// The published candidate has documents or artifacts of these kinds.
    Documents {
        /// The kinds, as in `artifacts/`.
        kinds: Vec<ArtifactKind>,
    },
    /// The published candidate lacks no architecture, and booted from every medium that its policies name.
    Platforms {},
    /// The candidate lies in the origin and verifies from end to end.
    Artifacts {},
    /// The remote has the commit on the line's branch or the development branch.
    Repository {},
    /// What is published of the commit was public for as long as its channel's `soak-days` say.
    SoakTime {
        /// The days of it that no waiver shortens.
        #[serde(default)]
        keep_days: u32,
    },
    /// A part of what staging tried with the published bytes.
    Smoke {
        /// Which.
        part: SmokePart,
    },
    /// A person.
    Person {},
}

fn default_minutes() -> u32 {
    60
}

/// A part of the smoke tests in staging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmokePart {
    /// The published images boot.
    Boots,
    /// The release before it becomes this one.
    Upgrade,
    /// Sizes and times are at the baseline or better.
    Benchmarks,
}

impl fmt::Display for SmokePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Boots => "boots",
            Self::Upgrade => "upgrade",
            Self::Benchmarks => "benchmarks",
        })
    }
}

/// How a gate comes to its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deciding {
    /// From facts that every plan looks at.
    AtOnce,
    /// By evidence that `vrel gates --run` makes.
    ByRunning,
    /// By evidence that is handed in.
    HandedIn,
    /// By a person's signature.
    ByPerson,
}

impl Decider {
    /// How the gate comes to its state.
    #[must_use]
    pub fn deciding(&self) -> Deciding {
        match self {
            Self::BlockingIssues {}
            | Self::Configuration {}
            | Self::MigrationGuide {}
            | Self::Documents { .. }
            | Self::Platforms {}
            | Self::SoakTime { .. }
            | Self::Smoke { .. } => Deciding::AtOnce,
            Self::Coverage { run, .. } if run.is_empty() => Deciding::HandedIn,
            Self::Command { .. }
            | Self::Coverage { .. }
            | Self::Advisories { .. }
            | Self::Artifacts {}
            | Self::Repository {} => Deciding::ByRunning,
            Self::Report {} => Deciding::HandedIn,
            Self::Person {} => Deciding::ByPerson,
        }
    }

    /// The kind, as policy files write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Command { .. } => "command",
            Self::Coverage { .. } => "coverage",
            Self::Advisories { .. } => "advisories",
            Self::Report {} => "report",
            Self::BlockingIssues {} => "blocking-issues",
            Self::Configuration {} => "configuration",
            Self::MigrationGuide {} => "migration-guide",
            Self::Documents { .. } => "documents",
            Self::Platforms {} => "platforms",
            Self::Artifacts {} => "artifacts",
            Self::Repository {} => "repository",
            Self::SoakTime { .. } => "soak-time",
            Self::Smoke { .. } => "smoke",
            Self::Person {} => "person",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn parse(decider: &str) -> Result<GatePolicy, crate::toml_file::TomlError> {
        let text =
            format!("group = \"testing\"\ntitle = \"x\"\nrole = \"maintainer\"\n\n[decider]\n{decider}\n");
        crate::toml_file::parse(Path::new("gates/x.toml"), &text)
    }

    #[test]
    fn a_decider_is_read_with_its_keys_and_no_others() {
        let coverage = parse("kind = \"coverage\"\nat-least = 80").unwrap();
        assert_eq!(coverage.decider.deciding(), Deciding::HandedIn);
        assert_eq!(coverage.decider.kind(), "coverage");
        let tests = parse("kind = \"command\"\nrun = [[\"cargo\", \"test\"]]").unwrap();
        assert_eq!(tests.decider.deciding(), Deciding::ByRunning);
        for (wrong, said) in [
            ("kind = \"persn\"", "unknown variant `persn`"),
            ("kind = \"person\"\nrole = \"x\"", "unknown field `role`"),
            ("kind = \"coverage\"\nat_least = 80", "unknown field `at_least`"),
            ("kind = \"coverage\"", "missing field `at-least`"),
            ("", "missing field `kind`"),
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_name_of_a_kind_is_the_one_that_files_use() {
        for text in [
            "kind = \"command\"\nrun = []",
            "kind = \"coverage\"\nat-least = 1",
            "kind = \"advisories\"\ndatabase = \"x\"\nlock-files = []",
            "kind = \"report\"",
            "kind = \"blocking-issues\"",
            "kind = \"configuration\"",
            "kind = \"migration-guide\"",
            "kind = \"documents\"\nkinds = []",
            "kind = \"platforms\"",
            "kind = \"artifacts\"",
            "kind = \"repository\"",
            "kind = \"soak-time\"\nkeep-days = 2",
            "kind = \"smoke\"\npart = \"upgrade\"",
            "kind = \"person\"",
        ] {
            let kind = parse(text).unwrap().decider.kind();
            assert!(text.starts_with(&format!("kind = \"{kind}\"")), "{text}: {kind}");
        }
    }
}

//! What the gates are judged by.

use vrel_model::{ChannelName, Evidence, Manifest, PersonalStatement, SmokePart, UtcTime, Version};

/// What is recorded and published of a release and its candidates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateFacts {
    /// What machines found, of every commit.
    pub evidence: Vec<Evidence>,
    /// What people decided about gates.
    pub statements: Vec<StatementFact>,
    /// Who approved the release.
    pub approvals: Vec<StatementFact>,
    /// The manifest of the newest published candidate of the commit, or of the release itself.
    pub manifest: Option<Manifest>,
    /// What is tested before the release enters the channel; `None` when nothing of its commit is published.
    pub soaking: Option<SoakFact>,
    /// What was tried in staging.
    pub smoke: Vec<SmokeFact>,
    /// What the notes say breaks programs; `None` when nobody asked.
    pub breaking: Option<Vec<BreakingFact>>,
    /// Records that cannot be used, each with its file.
    pub problems: Vec<String>,
}

/// A person's statement, and what is wrong with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementFact {
    /// The statement.
    pub statement: PersonalStatement,
    /// Why nobody may believe it; `None` when its signature is the person's.
    pub problem: Option<String>,
}

/// A release that is public, so that people test it: a candidate of the commit or, before a promotion, the release itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoakFact {
    /// What is tested.
    pub version: Version,
    /// Its commit.
    pub commit: String,
    /// The channel that it was made for.
    pub channel: ChannelName,
    /// Since when.
    pub since: UtcTime,
}

/// What came of one part of the smoke tests in staging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmokeFact {
    /// The part.
    pub part: SmokePart,
    /// The commit of the release that was tried.
    pub commit: String,
    /// Whether it passed.
    pub passed: bool,
    /// That in one line.
    pub summary: String,
}

/// A breaking change as the notes tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakingFact {
    /// What breaks.
    pub text: String,
    /// Whether they say what to do about it.
    pub has_migration: bool,
}

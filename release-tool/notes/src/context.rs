//! What release notes are made of: the data between the history and the templates.

use crate::{Affected, NotesError, Severity};
use serde::{Deserialize, Serialize};
use vrel_documents::markdown::is_blank;
use vrel_model::{Arch, ArtifactKind, ArtifactName, ChannelName, Sha256Digest, Stage, UtcTime, Version};

/// The content of one release's notes, as `vrel notes --context` prints it and `--from-context` reads it.
///
/// All texts are as people wrote them: plain, with code in backticks and, where several paragraphs are allowed, with
/// `- ` lists and fenced code. They are escaped when they are rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotesContext {
    /// Version of this format: [`NotesContext::SCHEMA`].
    pub schema: u64,
    /// The product's name, for example `VeridianOS`.
    pub product: String,
    /// The release.
    pub version: Version,
    /// The release that the changes are counted from; `null` when there is none.
    pub previous: Option<Version>,
    /// When it was released.
    pub date: UtcTime,
    /// The channel that it was published to.
    pub channel: ChannelName,
    /// The address of the published tree, `http:` or `https:`, without a slash at the end.
    pub public_url: String,
    /// What the address of an issue starts with; `null` leaves issue numbers without links.
    pub issue_url: Option<String>,
    /// What the commits came to.
    pub commits: CommitCounts,
    /// The security issues that this release fixes, the worst first.
    #[serde(default)]
    pub advisories: Vec<Advisory>,
    /// What a comparison of the interfaces with the previous release found. What breaks is printed under Breaking Changes,
    /// the rest under New Features.
    #[serde(default)]
    pub interface_changes: Vec<InterfaceChange>,
    /// The few things to know about the release, a sentence each.
    #[serde(default)]
    pub highlights: Vec<String>,
    /// What is new, by area.
    #[serde(default)]
    pub features: Vec<Section>,
    /// What is better, by quality: performance, security and so on.
    #[serde(default)]
    pub improvements: Vec<Section>,
    /// What works now.
    #[serde(default)]
    pub fixes: Vec<Entry>,
    /// What users have to adapt to.
    #[serde(default)]
    pub breaking: Vec<BreakingChange>,
    /// What will go away.
    #[serde(default)]
    pub deprecations: Vec<Deprecation>,
    /// What does not work yet.
    #[serde(default)]
    pub known_issues: Vec<KnownIssue>,
    /// Who made the release, by name.
    #[serde(default)]
    pub contributors: Vec<String>,
    /// What to do when upgrading to this release, besides what holds for every release.
    #[serde(default)]
    pub upgrade_notes: Vec<String>,
    /// What this release does not do, by design or for now.
    #[serde(default)]
    pub limitations: Vec<String>,
    /// What can be downloaded; empty before a build.
    #[serde(default)]
    pub artifacts: Vec<NotesArtifact>,
}

/// How many commits there were since the previous release, and why some are not in the notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitCounts {
    /// All of them.
    pub total: u64,
    /// Those that are in the notes.
    pub listed: u64,
    /// Merges.
    pub merges: u64,
    /// Commits whose change the previous release has as another commit.
    #[serde(default)]
    pub contained: u64,
    /// Commits that were taken back before the release, and those that took them back.
    pub reverted: u64,
    /// Commits that change nothing for users: tests, builds, fixups and so on.
    pub internal: u64,
    /// Commits whose subject does not say what kind of change they are.
    pub unconventional: u64,
}

/// What a release is to those who read its notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotesKind {
    /// An automated build of a day.
    Nightly,
    /// A release candidate, whatever it will fix.
    Candidate,
    /// A final release that fixes security issues, on whatever channel.
    Security,
    /// A final release of a line with long-term support.
    LongTerm,
    /// Any other final release.
    Release,
}

/// Changes under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// The changes; at least one.
    pub entries: Vec<Entry>,
}

/// A security issue that the release fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advisory {
    /// Its name, for example `CVE-2026-1234`.
    pub id: String,
    /// How bad it is.
    pub severity: Severity,
    /// The part of the system that it is in.
    #[serde(default)]
    pub area: Option<String>,
    /// What an attacker could do, and where.
    pub text: String,
    /// The releases that have it.
    #[serde(default)]
    pub affected: Vec<Affected>,
    /// The first release of each line that does not have it any more.
    #[serde(default)]
    pub fixed_in: Vec<Version>,
    /// What helps where the fix cannot be installed yet.
    #[serde(default, alias = "workaround")]
    pub mitigation: Option<String>,
    /// Who found and reported it, by name.
    #[serde(default)]
    pub credits: Vec<String>,
    /// Numbers of issues and pull requests.
    #[serde(default)]
    pub references: Vec<u64>,
}

/// A difference between this release's interfaces and the previous one's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceChange {
    /// What differs, as code names it: `sys_write`, or `rt::fs::File::open`.
    pub what: String,
    /// How it was; `null` for something new.
    #[serde(default)]
    pub before: Option<String>,
    /// How it is; `null` for something that is gone.
    #[serde(default)]
    pub after: Option<String>,
    /// Whether programs that used it have to be changed.
    pub breaking: bool,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The part of the system that it is in, where the heading does not say so.
    #[serde(default)]
    pub area: Option<String>,
    /// What changed, in one sentence.
    pub text: String,
    /// Numbers of the issues that it settles and of the pull requests that brought it.
    #[serde(default)]
    pub references: Vec<u64>,
    /// Ids of the commits of other lines that it was picked from. Printed on the channel `lts`.
    #[serde(default)]
    pub upstream: Vec<String>,
}

/// A change that users have to adapt to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakingChange {
    /// The part of the system that it is in.
    #[serde(default)]
    pub area: Option<String>,
    /// What no longer works as before.
    pub text: String,
    /// What to do about it.
    #[serde(default)]
    pub migration: Option<String>,
    /// Numbers of issues and pull requests.
    #[serde(default)]
    pub references: Vec<u64>,
}

/// Something that will go away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deprecation {
    /// The part of the system that it is in.
    #[serde(default)]
    pub area: Option<String>,
    /// What, and when where that is known.
    pub text: String,
    /// What to use in its place.
    #[serde(default)]
    pub replacement: Option<String>,
}

/// Something that does not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownIssue {
    /// The part of the system that it is in.
    #[serde(default)]
    pub area: Option<String>,
    /// What happens, and when.
    pub text: String,
    /// What to do until it is fixed.
    #[serde(default)]
    pub workaround: Option<String>,
}

/// Something to download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotesArtifact {
    /// The published file's name.
    pub name: ArtifactName,
    /// What it is for; `null` when it is for no architecture in particular.
    pub arch: Option<Arch>,
    /// How it is packed.
    pub kind: ArtifactKind,
    /// What it is, in one line.
    pub description: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256 digest.
    pub sha256: Sha256Digest,
}

impl NotesContext {
    /// The version of the JSON format that this tool reads and writes.
    pub const SCHEMA: u64 = 1;

    /// Reads a context, for example one that a person edited.
    ///
    /// # Errors
    /// When the text is not JSON, has an unknown or missing key, or another schema; see [`NotesContext::check`] for
    /// values.
    pub fn from_json(text: &str) -> Result<Self, NotesError> {
        // Another schema has other keys: say so before complaining about them.
        #[derive(Deserialize)]
        struct Probe {
            schema: u64,
        }
        let probe: Probe = serde_json::from_str(text).map_err(NotesError::json)?;
        if probe.schema != Self::SCHEMA {
            return Err(NotesError::Schema {
                found: probe.schema,
                expected: Self::SCHEMA,
            });
        }
        let context: Self = serde_json::from_str(text).map_err(NotesError::json)?;
        context.check()?;
        Ok(context)
    }

    /// Writes the context as indented JSON that ends with a newline.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, NotesError> {
        let mut json = serde_json::to_string_pretty(self).map_err(NotesError::json)?;
        json.push('\n');
        Ok(json)
    }

    /// What the release is to its readers.
    #[must_use]
    pub fn kind(&self) -> NotesKind {
        match self.version.stage() {
            Stage::Nightly { .. } => NotesKind::Nightly,
            Stage::Candidate { .. } => NotesKind::Candidate,
            Stage::Final if !self.advisories.is_empty() => NotesKind::Security,
            Stage::Final if self.channel.to_string() == "lts" => NotesKind::LongTerm,
            Stage::Final => NotesKind::Release,
        }
    }

    /// The type of release, by which number moved: `Major`, `Minor` or `Patch`, and what else its [kind](Self::kind) says; a
    /// candidate or nightly is called by what it leads to.
    #[must_use]
    pub fn release_type(&self) -> String {
        let number = match (self.version.minor(), self.version.patch()) {
            (0, 0) => "Major",
            (_, 0) => "Minor",
            _ => "Patch",
        };
        match self.kind() {
            NotesKind::Release => number.to_owned(),
            NotesKind::Candidate => format!("{number} (release candidate)"),
            NotesKind::Nightly => format!("{number} (nightly build)"),
            NotesKind::LongTerm => format!("{number} (long-term support)"),
            NotesKind::Security => format!("{number} (security release)"),
        }
    }

    /// What a person should still write before the notes are good: a sentence for each gap.
    #[must_use]
    pub fn gaps(&self) -> Vec<String> {
        let breaking = self
            .breaking
            .iter()
            .filter(|change| change.migration.is_none())
            .map(|change| {
                format!(
                    "the breaking change “{}” has no migration instructions",
                    first_line(&change.text)
                )
            });
        let deprecations = self
            .deprecations
            .iter()
            .filter(|item| item.replacement.is_none())
            .map(|item| {
                format!(
                    "the deprecation “{}” names no replacement",
                    first_line(&item.text)
                )
            });
        breaking.chain(deprecations).collect()
    }

    /// Checks what the types cannot: that no text is empty and that addresses are such.
    ///
    /// # Errors
    /// The first value that would make a broken document.
    pub fn check(&self) -> Result<(), NotesError> {
        Texts::of(self).find_blank().map_or(Ok(()), |field| {
            Err(NotesError::Field {
                field,
                problem: "has no visible text; write some, or remove the entry".to_owned(),
            })
        })?;
        check_address("public_url", &self.public_url)?;
        if let Some(url) = &self.issue_url {
            check_address("issue_url", url)?;
        }
        if self.public_url.ends_with('/') {
            return Err(NotesError::Field {
                field: "public_url".to_owned(),
                problem: "ends with a slash; remove it".to_owned(),
            });
        }
        for (what, sections) in [("features", &self.features), ("improvements", &self.improvements)] {
            if let Some(at) = sections.iter().position(|section| section.entries.is_empty()) {
                return Err(NotesError::Field {
                    field: format!("{what}[{at}].entries"),
                    problem: "is empty; remove the whole section".to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

/// An address that can stand in a Markdown link as it is.
fn check_address(field: &str, url: &str) -> Result<(), NotesError> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'*+,;=%".contains(&byte);
    if rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(plain)) {
        return Ok(());
    }
    Err(NotesError::Field {
        field: field.to_owned(),
        problem: format!(
            "is `{}`, expected an address such as https://releases.example.org",
            url.escape_debug()
        ),
    })
}

/// Every text of a context with the name of its place.
struct Texts<'a>(Vec<(String, &'a str)>);

impl<'a> Texts<'a> {
    fn of(context: &'a NotesContext) -> Self {
        let mut texts = Self(vec![("product".to_owned(), context.product.as_str())]);
        for (name, list) in [
            ("highlights", &context.highlights),
            ("contributors", &context.contributors),
            ("upgrade_notes", &context.upgrade_notes),
            ("limitations", &context.limitations),
        ] {
            for (at, text) in list.iter().enumerate() {
                texts.0.push((format!("{name}[{at}]"), text));
            }
        }
        for (name, sections) in [
            ("features", &context.features),
            ("improvements", &context.improvements),
        ] {
            for (at, section) in sections.iter().enumerate() {
                texts.0.push((format!("{name}[{at}].title"), &section.title));
                texts.entries(&format!("{name}[{at}].entries"), &section.entries);
            }
        }
        texts.entries("fixes", &context.fixes);
        for (at, advisory) in context.advisories.iter().enumerate() {
            let place = format!("advisories[{at}]");
            texts.0.push((format!("{place}.id"), &advisory.id));
            texts.three(
                &place,
                &advisory.area,
                &advisory.text,
                "mitigation",
                &advisory.mitigation,
            );
            for (at, name) in advisory.credits.iter().enumerate() {
                texts.0.push((format!("{place}.credits[{at}]"), name));
            }
        }
        for (at, change) in context.interface_changes.iter().enumerate() {
            let place = format!("interface_changes[{at}]");
            texts.three(&place, &change.before, &change.what, "after", &change.after);
        }
        for (at, change) in context.breaking.iter().enumerate() {
            let place = format!("breaking[{at}]");
            texts.three(&place, &change.area, &change.text, "migration", &change.migration);
        }
        for (at, item) in context.deprecations.iter().enumerate() {
            let place = format!("deprecations[{at}]");
            texts.three(&place, &item.area, &item.text, "replacement", &item.replacement);
        }
        for (at, issue) in context.known_issues.iter().enumerate() {
            let place = format!("known_issues[{at}]");
            texts.three(&place, &issue.area, &issue.text, "workaround", &issue.workaround);
        }
        texts
    }

    fn entries(&mut self, place: &str, entries: &'a [Entry]) {
        for (at, entry) in entries.iter().enumerate() {
            self.three(&format!("{place}[{at}]"), &entry.area, &entry.text, "", &None);
        }
    }

    fn three(
        &mut self,
        place: &str,
        area: &'a Option<String>,
        text: &'a str,
        name: &str,
        more: &'a Option<String>,
    ) {
        self.0.push((format!("{place}.text"), text));
        if let Some(area) = area {
            self.0.push((format!("{place}.area"), area));
        }
        if let Some(more) = more {
            self.0.push((format!("{place}.{name}"), more));
        }
    }

    fn find_blank(self) -> Option<String> {
        self.0
            .into_iter()
            .find(|(_, text)| is_blank(text))
            .map(|(place, _)| place)
    }
}

//! What a subject line cannot say: files in the top-level `notes/` directory, one for each thing to tell.

use crate::affected::{Affected, one_or_more};
use crate::references;
use serde::Deserialize;
use std::path::Path;
use vrel_documents::markdown::is_blank;
use vrel_model::Version;
use vrel_model::toml_file::{self, TomlError};

/// One file of `notes/`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fragment {
    /// Where it is told.
    pub kind: FragmentKind,
    /// What there is to tell; it may have several paragraphs where the heading allows that.
    pub text: String,
    /// The part of the system, as it is printed.
    #[serde(default)]
    pub area: Option<String>,
    /// Numbers of issues and pull requests.
    #[serde(default)]
    pub issues: Vec<u64>,
    /// The changes that it tells of in the place of their subjects: ids of commits of at least 7 digits, or `#12` for a
    /// pull request that was squashed into one commit.
    #[serde(default)]
    pub replaces: Vec<String>,
    /// What to do about a breaking change.
    #[serde(default)]
    pub migration: Option<String>,
    /// What to use in the place of what is deprecated.
    #[serde(default)]
    pub replacement: Option<String>,
    /// What to do until a known issue is fixed.
    #[serde(default)]
    pub workaround: Option<String>,
    /// The first version that a known issue is in; all before [`Fragment::fixed_in`] when left out.
    #[serde(default)]
    pub since: Option<Version>,
    /// The version that a known issue is fixed in: from its first candidate on it is not listed any more. Of a security
    /// issue the first version of each line that has the fix.
    #[serde(default, deserialize_with = "one_or_more")]
    pub fixed_in: Vec<Version>,
    /// An advisory's name, for example `CVE-2026-1234`.
    #[serde(default)]
    pub id: Option<String>,
    /// How bad a security issue is.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// The releases that have a security issue.
    #[serde(default)]
    pub affected: Vec<Affected>,
    /// What helps against a security issue where the fix cannot be installed yet, or that nothing does.
    #[serde(default)]
    pub mitigation: Option<String>,
    /// Who found and reported a security issue, by name. Empty where nobody wants to be named, which has to be said.
    #[serde(default)]
    pub credits: Option<Vec<String>>,
}

/// The heading that a fragment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentKind {
    /// Security Advisories, above everything else.
    Advisory,
    /// Highlights.
    Highlight,
    /// New Features.
    Feature,
    /// Improvements, Performance.
    Performance,
    /// Improvements, Security.
    Security,
    /// Improvements, Documentation.
    Documentation,
    /// Improvements, Accessibility.
    Accessibility,
    /// Improvements, Usability.
    Usability,
    /// Bug Fixes.
    Fix,
    /// Breaking Changes.
    Breaking,
    /// Deprecations.
    Deprecation,
    /// Known Issues, in every release until one fixes it.
    KnownIssue,
    /// Upgrade Instructions.
    UpgradeNote,
    /// Known Limitations.
    Limitation,
}

/// How bad a security issue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Embargoed for 90 days.
    Low,
    /// Embargoed for 60 days.
    Medium,
    /// Embargoed for 30 days.
    High,
    /// Embargoed for 7 to 14 days.
    Critical,
}

impl Severity {
    /// The word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Fragment {
    /// Reads a fragment. `path` is only used to name the file in errors.
    ///
    /// # Errors
    /// On malformed TOML, an unknown key, a key that the kind does not have or lacks, and a text without visible
    /// characters, with the place.
    pub fn parse(path: &Path, text: &str) -> Result<Self, TomlError> {
        let fragment: Self = toml_file::parse(path, text)?;
        match fragment.problem() {
            None => Ok(fragment),
            Some((key, message)) => Err(TomlError {
                path: path.to_owned(),
                line: line_of(text, key),
                column: 1,
                message,
                hint: None,
            }),
        }
    }

    /// The first key whose value is wrong, and why.
    fn problem(&self) -> Option<(&'static str, String)> {
        use FragmentKind::{Advisory, Breaking, Deprecation, KnownIssue};
        let texts = [
            ("text", Some(&self.text)),
            ("area", self.area.as_ref()),
            ("migration", self.migration.as_ref()),
            ("replacement", self.replacement.as_ref()),
            ("workaround", self.workaround.as_ref()),
            ("mitigation", self.mitigation.as_ref()),
            ("id", self.id.as_ref()),
        ];
        let credits = self.credits.iter().flatten().map(|name| ("credits", Some(name)));
        for (key, text) in texts.into_iter().chain(credits) {
            if text.is_some_and(|text| is_blank(text)) {
                return Some((key, format!("`{key}` has no visible text")));
            }
        }
        let only: [(&'static str, bool, &[FragmentKind]); 10] = [
            ("migration", self.migration.is_some(), &[Breaking]),
            ("replacement", self.replacement.is_some(), &[Deprecation]),
            ("workaround", self.workaround.is_some(), &[KnownIssue]),
            ("since", self.since.is_some(), &[KnownIssue]),
            ("fixed-in", !self.fixed_in.is_empty(), &[KnownIssue, Advisory]),
            ("id", self.id.is_some(), &[Advisory]),
            ("severity", self.severity.is_some(), &[Advisory]),
            ("affected", !self.affected.is_empty(), &[Advisory]),
            ("mitigation", self.mitigation.is_some(), &[Advisory]),
            ("credits", self.credits.is_some(), &[Advisory]),
        ];
        for (key, is_there, kinds) in only {
            if is_there && !kinds.contains(&self.kind) {
                return Some((key, format!("a fragment of this `kind` has no `{key}`")));
            }
        }
        if self.kind == Advisory
            && let Some(problem) = self.advisory_problem()
        {
            return Some(problem);
        }
        if self.kind == KnownIssue && self.fixed_in.len() > 1 {
            return Some(("fixed-in", "a known issue is fixed in one version".to_owned()));
        }
        if self.issues.contains(&0) {
            return Some(("issues", "issues are numbered from 1".to_owned()));
        }
        let wrong = self
            .replaces
            .iter()
            .find(|name| Replaced::parse(name).is_none())?;
        let expected = "expected a commit's id of 7 to 40 digits, or `#` and a pull request's number";
        Some(("replaces", format!("`{wrong}` names no change: {expected}")))
    }

    /// What an advisory lacks, or says against itself.
    fn advisory_problem(&self) -> Option<(&'static str, String)> {
        let required = [
            ("id", self.id.is_some()),
            ("severity", self.severity.is_some()),
            ("affected", !self.affected.is_empty()),
            ("fixed-in", !self.fixed_in.is_empty()),
            ("mitigation", self.mitigation.is_some()),
            ("credits", self.credits.is_some()),
        ];
        let missing = required.iter().filter(|(_, is_there)| !is_there);
        let missing: Vec<String> = missing.map(|(key, _)| format!("`{key}`")).collect();
        if !missing.is_empty() {
            return Some(("kind", format!("this advisory lacks {}", missing.join(", "))));
        }
        let is_affected = |version: &&Version| self.affected.iter().any(|some| some.contains(version));
        let both = self.fixed_in.iter().find(is_affected)?;
        Some(("fixed-in", format!("{both} is said to be affected as well")))
    }

    /// Why a release cannot tell of the fragment as news. `path` and `text` are those that it was read from.
    ///
    /// # Errors
    /// When it is an advisory that says that this very release is affected.
    pub fn check_news_of(&self, version: &Version, path: &Path, text: &str) -> Result<(), TomlError> {
        // A candidate has what its final has.
        let version = version.final_version();
        if !self.affected.iter().any(|some| some.contains(&version)) {
            return Ok(());
        }
        Err(TomlError {
            path: path.to_owned(),
            line: line_of(text, "affected"),
            column: 1,
            message: format!("{version} is affected, and cannot be a release that fixes it"),
            hint: Some(
                "narrow `affected`, or leave the fragment out of this line until its fix is there".to_owned(),
            ),
        })
    }

    /// Whether a known issue is one of this release.
    #[must_use]
    pub fn is_known_in(&self, version: &Version) -> bool {
        // A candidate has what its final has.
        let version = version.final_version();
        self.since.as_ref().is_none_or(|since| *since <= version)
            && self.fixed_in.iter().all(|fixed| version < *fixed)
    }

    /// Whether it tells of a commit with these ids (its own, and those that it was picked from) and pull requests.
    pub(crate) fn replaces(&self, ids: &[&str], pulls: &[u64]) -> bool {
        self.replaces
            .iter()
            .filter_map(|name| Replaced::parse(name))
            .any(|replaced| match replaced {
                Replaced::Commit(prefix) => ids.iter().any(|id| id.starts_with(&prefix)),
                Replaced::Pull(number) => pulls.contains(&number),
            })
    }
}

/// What a fragment tells of.
enum Replaced {
    /// The beginning of an id, in lower case.
    Commit(String),
    Pull(u64),
}

impl Replaced {
    fn parse(name: &str) -> Option<Self> {
        if let Some(digits) = name.strip_prefix('#') {
            return references::number(digits).map(Self::Pull);
        }
        let is_id = (7..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_id.then(|| Self::Commit(name.to_ascii_lowercase()))
    }
}

/// The line that a key stands in, from 1.
fn line_of(text: &str, key: &str) -> usize {
    let is_key = |line: &str| {
        let after = line.trim_start().strip_prefix(key);
        after.is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    text.lines().position(is_key).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Fragment, String> {
        Fragment::parse(Path::new("notes/x.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn mistakes_have_file_and_line() {
        for (text, expected) in [
            (
                "kind = 'fix'\ntext = ' '",
                "notes/x.toml:2:1: `text` has no visible text",
            ),
            (
                "kind = 'fix'\ntext = 'x'\nmigration = 'y'",
                "notes/x.toml:3:1: a fragment of this `kind` has no `migration`",
            ),
            (
                "text = 'x'\nkind = 'advisory'\nid = 'CVE-2026-1'",
                "notes/x.toml:2:1: this advisory lacks `severity`, `affected`, `fixed-in`, `mitigation`, `credits`",
            ),
            (
                "kind = 'advisory'\ntext = 'x'\nid = 'CVE-2026-1'\nseverity = 'low'\naffected = ['0.5.0 to 0.6.1']\n\
                 mitigation = 'None.'\ncredits = []\nfixed-in = ['0.5.9', '0.7.0']",
                "notes/x.toml:8:1: 0.5.9 is said to be affected as well",
            ),
            (
                "kind = 'advisory'\ntext = 'x'\nworkaround = 'y'",
                "notes/x.toml:3:1: a fragment of this `kind` has no `workaround`",
            ),
            (
                "kind = 'fix'\ntext = 'x'\ncredits = []",
                "notes/x.toml:3:1: a fragment of this `kind` has no `credits`",
            ),
            (
                "kind = 'known-issue'\ntext = 'x'\nfixed-in = ['0.6.1', '0.7.0']",
                "notes/x.toml:3:1: a known issue is fixed in one version",
            ),
            (
                "kind = 'fix'\ntext = 'x'\nid = 'CVE-2026-1'",
                "notes/x.toml:3:1: a fragment of this `kind` has no `id`",
            ),
            (
                "kind = 'fix'\ntext = 'x'\nissues = [0]",
                "notes/x.toml:3:1: issues are numbered from 1",
            ),
            (
                "kind = 'fix'\ntext = 'x'\nreplaces = ['#0']",
                "notes/x.toml:3:1: `#0` names no change: expected a commit's id of 7 to 40 digits, or `#` and a pull \
                 request's number",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected);
        }
        let unknown = parse("kind = 'fix'\ntext = 'x'\nisues = [1]").unwrap_err();
        assert!(
            unknown.starts_with("notes/x.toml:3:1: unknown field `isues`"),
            "{unknown}"
        );
    }

    #[test]
    fn versions_that_are_none_have_file_and_line() {
        let begin = "kind = 'advisory'\ntext = 'x'\n";
        for (line, expected) in [
            (
                "affected = ['0.6.1 to 0.6.0']",
                "notes/x.toml:3:12: `0.6.1 to 0.6.0`: 0.6.1 is above",
            ),
            ("fixed-in = 'soon'", "notes/x.toml:3:12: `soon` is not a version"),
            (
                "fixed-in = 7",
                "notes/x.toml:3:12: invalid type: integer `7`, expected a version",
            ),
        ] {
            let said = parse(&format!("{begin}{line}")).unwrap_err();
            assert!(said.starts_with(expected), "{said}");
        }
    }

    #[test]
    fn no_release_tells_of_an_advisory_that_it_is_affected_by() {
        let text = "kind = 'advisory'\nid = 'VOS-1'\nseverity = 'high'\nfixed-in = '0.6.2'\n\
                    affected = ['0.6.0 to 0.6.1']\nmitigation = 'None.'\ncredits = ['Bo']\ntext = 'x'";
        let advisory = parse(text).unwrap();
        let check = |version: &str| {
            let checked = advisory.check_news_of(&version.parse().unwrap(), Path::new("notes/x.toml"), text);
            checked.map_err(|error| error.to_string())
        };
        for version in ["0.6.2-rc1", "0.6.2", "0.7.0-nightly.20260301"] {
            assert_eq!(check(version), Ok(()));
        }
        assert_eq!(
            check("0.6.1-rc2").unwrap_err(),
            "notes/x.toml:5:1: 0.6.1 is affected, and cannot be a release that fixes it"
        );
    }

    #[test]
    fn a_known_issue_lives_until_it_is_fixed() {
        let issue = parse("kind = 'known-issue'\ntext = 'x'\nsince = '0.6.0'\nfixed-in = '0.7.0'").unwrap();
        for (version, is_known) in [
            ("0.5.9", false),
            ("0.6.0-rc1", true),
            ("0.6.3", true),
            ("0.7.0-nightly.20260301", false),
            ("0.7.0", false),
        ] {
            assert_eq!(
                issue.is_known_in(&version.parse().unwrap()),
                is_known,
                "{version}"
            );
        }
    }

    #[test]
    fn a_fragment_names_commits_and_pull_requests() {
        let fragment = parse("kind = 'fix'\ntext = 'x'\nreplaces = ['0123ABC', '#12']").unwrap();
        let id = "0123abcdef";
        assert!(fragment.replaces(&["ffff", id], &[]));
        assert!(fragment.replaces(&["ffff"], &[7, 12]));
        assert!(!fragment.replaces(&["f0123abc"], &[1, 2]));
    }
}

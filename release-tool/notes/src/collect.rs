//! From commits to the content of release notes.

use crate::changes::{Changes, Outcome};
use crate::context::{CommitCounts, NotesArtifact, NotesContext};
use crate::contributors::Contributors;
use crate::footers::Footers;
use crate::fragment::Fragment;
use crate::fragments::Fragments;
use crate::header::is_fixup;
use crate::reverts::{Cancelled, Effect, Reverts};
use std::collections::HashMap;
use vrel_model::{ChannelName, HistoryCommit, UtcTime, Version};

/// What release notes say besides what the history says.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The product's name, for example `VeridianOS`.
    pub product_name: String,
    /// The release.
    pub version: Version,
    /// The release that the commits are counted from.
    pub previous: Option<Version>,
    /// When it was or will be released.
    pub date: UtcTime,
    /// The channel that it is published to.
    pub channel: ChannelName,
    /// What can be downloaded; empty before a build.
    pub artifacts: Vec<NotesArtifact>,
    /// The address of the published tree.
    pub public_url: String,
    /// What the address of an issue starts with.
    pub issue_url: Option<String>,
}

/// Takes the commits of a release one by one, newest first, children before parents.
///
/// A commit makes it into the notes by its subject (`feat`, `fix`, `perf` …, after Conventional Commits 1.0.0) and by the
/// footers of its body: `BREAKING CHANGE` with `Migration`, `Deprecated` with `Replacement`, `Known-Issue` with
/// `Workaround`, `Highlight`, `Limitation` and `Upgrade-Note`. All others are only counted.
#[derive(Debug)]
pub struct Collector {
    facts: Facts,
    counts: CommitCounts,
    reverts: Reverts,
    changes: Changes,
    fragments: Fragments,
    contributors: Contributors,
    pulls: HashMap<String, u64>,
}

impl Collector {
    /// A collector that has seen no commits.
    #[must_use]
    pub fn new(facts: Facts) -> Self {
        Self {
            facts,
            counts: CommitCounts::default(),
            reverts: Reverts::default(),
            changes: Changes::default(),
            fragments: Fragments::default(),
            contributors: Contributors::default(),
            pulls: HashMap::new(),
        }
    }

    /// Takes which pull requests brought commits by merges (see [`crate::brought`]), before the commits themselves.
    pub fn set_pulls<'c>(&mut self, pulls: impl IntoIterator<Item = (&'c str, u64)>) {
        let owned = pulls.into_iter().map(|(id, number)| (id.to_owned(), number));
        self.pulls = owned.collect();
    }

    /// Takes a fragment that is news in this release, or a known issue of it. Those that tell of commits have to come
    /// before these.
    pub fn add_fragment(&mut self, fragment: Fragment) {
        self.fragments.add(fragment);
    }

    /// Takes the next older commit.
    pub fn add(&mut self, commit: &HistoryCommit) {
        self.counts.total += 1;
        if commit.is_merge() {
            // Its changes come with the commits that it merges.
            self.counts.merges += 1;
            return;
        }
        let message = commit.message.trim_start();
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let subject = subject.trim_end();
        self.contributors.add(&commit.author_name, &commit.author_email);
        match self.reverts.cancel(&commit.id, subject) {
            None => {}
            Some(Cancelled::First) => {
                // Both this commit and its revert.
                self.counts.reverted += 2;
                self.fragments.meet(commit, false);
                return;
            }
            Some(Cancelled::Again) => {
                self.counts.reverted += 1;
                self.fragments.meet(commit, false);
                return;
            }
        }
        if self.fragments.meet(commit, true) {
            for (name, address) in &Footers::parse(body).co_authors {
                self.contributors.add(name, address);
            }
            self.counts.listed += 1;
        } else if is_fixup(subject) {
            self.counts.internal += 1;
        } else if !self.reverts.keep(subject, body) {
            self.list(subject, body, self.pulls.get(&commit.id).copied());
        }
    }

    /// Takes the next older commit, whose change the previous release has as another commit (see [`crate::Comparison`]): it
    /// is counted, and nothing else.
    pub fn add_contained(&mut self, commit: &HistoryCommit) {
        self.fragments.meet(commit, false);
        self.counts.total += 1;
        self.counts.contained += 1;
    }

    /// Puts all together.
    #[must_use]
    pub fn finish(mut self) -> NotesContext {
        for revert in std::mem::take(&mut self.reverts).unmet() {
            match revert.effect {
                Effect::Apply => self.list(&revert.change, &revert.body, None),
                Effect::Revert => {
                    let outcome = self.changes.list_taken_back(&revert.change);
                    self.count(outcome);
                }
            }
        }
        let Self {
            facts,
            counts,
            mut changes,
            fragments,
            contributors,
            ..
        } = self;
        fragments.list(&mut changes);
        changes
            .advisories
            .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
        NotesContext {
            schema: NotesContext::SCHEMA,
            product: facts.product_name,
            version: facts.version,
            previous: facts.previous,
            date: facts.date,
            channel: facts.channel,
            public_url: facts.public_url.trim_end_matches('/').to_owned(),
            issue_url: facts.issue_url,
            commits: counts,
            advisories: changes.advisories,
            interface_changes: Vec::new(),
            highlights: changes.highlights.into_items(),
            features: changes.features.into_sections(),
            improvements: changes.improvements.into_sections(),
            fixes: {
                let mut fixes = changes.fixes.into_items();
                // By area, those without one last.
                fixes.sort_by_cached_key(|fix| {
                    (fix.area.is_none(), fix.area.as_deref().map(str::to_lowercase))
                });
                fixes
            },
            breaking: changes.breaking.into_items(),
            deprecations: changes.deprecations.into_items(),
            known_issues: changes.known_issues.into_items(),
            contributors: contributors.names(),
            upgrade_notes: changes.upgrade_notes.into_items(),
            limitations: changes.limitations.into_items(),
            artifacts: facts.artifacts,
        }
    }

    fn list(&mut self, subject: &str, body: &str, pull: Option<u64>) {
        let footers = Footers::parse(body);
        for (name, address) in &footers.co_authors {
            self.contributors.add(name, address);
        }
        let outcome = self.changes.list(subject, &footers, pull);
        self.count(outcome);
    }

    fn count(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Listed => &mut self.counts.listed,
            Outcome::Internal => &mut self.counts.internal,
            Outcome::Unconventional => &mut self.counts.unconventional,
        };
        *count += 1;
    }
}

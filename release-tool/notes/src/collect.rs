//! From commits to the content of release notes.

use crate::context::{
    BreakingChange, CommitCounts, Deprecation, Entry, KnownIssue, NotesArtifact, NotesContext, Section,
};
use crate::footers::Footers;
use crate::header::{self, Header, Kind, is_fixup};
use crate::markdown::is_blank;
use crate::reverts::{Effect, Reverts};
use crate::{area, references};
use std::collections::{BTreeMap, HashMap, HashSet};
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

/// The heading under which changes are listed that take back something released before.
const TAKEN_BACK: &str = "Reverted Changes";

/// Takes the commits of a release one by one, newest first, children before parents.
///
/// A commit makes it into the notes by its subject (`feat`, `fix`, `perf` …, after Conventional Commits 1.0.0) and by the
/// footers of its body: `BREAKING CHANGE` with `Migration`, `Deprecated` with `Replacement`, `Known-Issue` with
/// `Workaround`, `Highlight`, `Limitation` and `Upgrade-Note`. All others are only counted.
#[derive(Debug, Default)]
pub struct Collector {
    counts: CommitCounts,
    reverts: Reverts,
    highlights: Vec<String>,
    features: Vec<(String, Entry)>,
    improvements: Vec<(String, Entry)>,
    fixes: Vec<Entry>,
    breaking: Vec<BreakingChange>,
    deprecations: Vec<Deprecation>,
    known_issues: Vec<KnownIssue>,
    upgrade_notes: Vec<String>,
    limitations: Vec<String>,
    contributors: Contributors,
    /// Where an entry is that says the same: the same kind of change, area and text.
    listed: HashMap<(Kind, Option<String>, String), usize>,
    /// Issues that the commits so far settle: what an older commit knows to be broken is no longer.
    settled: HashSet<u64>,
}

impl Collector {
    /// A collector that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next older commit.
    pub fn add(&mut self, commit: &HistoryCommit) {
        self.counts.total += 1;
        let message = commit.message.trim_start();
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        let subject = subject.trim_end();
        if commit.parents > 1 {
            // Its changes come with the commits that it merges.
            self.counts.merges += 1;
            return;
        }
        self.contributors.add(&commit.author_name, &commit.author_email);
        if self.reverts.cancels(&commit.id, subject) {
            // The revert too.
            self.counts.reverted += 2;
            return;
        }
        if is_fixup(subject) {
            self.counts.internal += 1;
            return;
        }
        if !self.reverts.keep(subject, body) {
            self.list(subject, body);
        }
    }

    /// Puts all together.
    #[must_use]
    pub fn finish(mut self, facts: Facts) -> NotesContext {
        for revert in std::mem::take(&mut self.reverts).unmet() {
            match revert.effect {
                Effect::Apply => self.list(&revert.change, &revert.body),
                Effect::Revert => self.list_taken_back(&revert.change),
            }
        }
        self.fixes.sort_by(|a, b| by_area(&a.area, &b.area));
        NotesContext {
            schema: NotesContext::SCHEMA,
            product: facts.product_name,
            version: facts.version,
            previous: facts.previous,
            date: facts.date,
            channel: facts.channel,
            public_url: facts.public_url.trim_end_matches('/').to_owned(),
            issue_url: facts.issue_url,
            commits: self.counts,
            highlights: self.highlights,
            features: sections(self.features),
            improvements: sections(self.improvements),
            fixes: self.fixes,
            breaking: self.breaking,
            deprecations: self.deprecations,
            known_issues: self.known_issues,
            contributors: self.contributors.names(),
            upgrade_notes: self.upgrade_notes,
            limitations: self.limitations,
            artifacts: facts.artifacts,
        }
    }

    /// Lists a change under the headings that its subject and footers name.
    fn list(&mut self, subject: &str, body: &str) {
        let footers = if body.is_empty() {
            Footers::default()
        } else {
            Footers::parse(body)
        };
        for (name, address) in &footers.co_authors {
            self.contributors.add(name, address);
        }
        let header = header::parse(subject);
        let area = header.as_ref().and_then(|header| area::readable(header.scope?));
        let in_footers = self.list_footers(&area, &footers);
        let Some(header) = header else {
            if in_footers {
                self.counts.listed += 1;
            } else {
                self.counts.unconventional += 1;
            }
            return;
        };
        let mut references = footers.issues;
        references::collect_settled(header.description, &mut references);
        self.settled.extend(&references);
        for pull in &header.pulls {
            if !references.contains(pull) {
                references.push(*pull);
            }
        }
        let text = area::capitalised(header.description);
        let breaks = self.list_breaking(
            &header,
            &area,
            &text,
            footers.breaking,
            footers.migration,
            &references,
        );
        let listed = match header.kind {
            Kind::Internal => false,
            Kind::Deprecation => {
                // The footer says it better where there is one.
                if footers.deprecated.is_empty() {
                    let replacement = footers.replacement;
                    push_new(
                        &mut self.deprecations,
                        Deprecation {
                            area,
                            text,
                            replacement,
                        },
                    );
                }
                true
            }
            kind => {
                self.list_entry(kind, area, text, references);
                true
            }
        };
        if listed || breaks || in_footers {
            self.counts.listed += 1;
        } else {
            self.counts.internal += 1;
        }
    }

    /// Lists what footers say on their own, and tells whether there was anything.
    fn list_footers(&mut self, area: &Option<String>, footers: &Footers) -> bool {
        for (there, new) in [
            (&mut self.highlights, &footers.highlights),
            (&mut self.limitations, &footers.limitations),
            (&mut self.upgrade_notes, &footers.upgrade_notes),
        ] {
            for text in new {
                push_new(there, text.clone());
            }
        }
        for (text, replacement) in footers.deprecated.iter().cloned() {
            let area = area.clone();
            push_new(
                &mut self.deprecations,
                Deprecation {
                    area,
                    text,
                    replacement,
                },
            );
        }
        for (text, workaround) in footers.known_issues.iter().cloned() {
            if references::mentioned(&text).any(|issue| self.settled.contains(&issue)) {
                continue;
            }
            let area = area.clone();
            push_new(
                &mut self.known_issues,
                KnownIssue {
                    area,
                    text,
                    workaround,
                },
            );
        }
        !(footers.highlights.is_empty()
            && footers.limitations.is_empty()
            && footers.upgrade_notes.is_empty()
            && footers.deprecated.is_empty()
            && footers.known_issues.is_empty())
    }

    /// Lists the breaking changes of a commit, and tells whether there are any.
    fn list_breaking(
        &mut self,
        header: &Header<'_>,
        area: &Option<String>,
        subject: &str,
        mut texts: Vec<(String, Option<String>)>,
        migration: Option<String>,
        references: &[u64],
    ) -> bool {
        if texts.is_empty() && header.breaking {
            texts.push((subject.to_owned(), None));
        }
        if let (Some((_, there)), Some(migration)) = (texts.first_mut(), migration) {
            *there = Some(match there.take() {
                Some(more) => format!("{migration}\n\n{more}"),
                None => migration,
            });
        }
        let any = !texts.is_empty();
        for (text, migration) in texts {
            let (area, references) = (area.clone(), references.to_vec());
            push_new(
                &mut self.breaking,
                BreakingChange {
                    area,
                    text,
                    migration,
                    references,
                },
            );
        }
        any
    }

    fn list_entry(&mut self, kind: Kind, area: Option<String>, text: String, references: Vec<u64>) {
        let key = (kind, area, text);
        let entries = match kind {
            Kind::Feature => &mut self.features,
            Kind::Improvement(_) => &mut self.improvements,
            _ => {
                if let Some(there) = self.listed.get(&key) {
                    merge(&mut self.fixes[*there].references, references);
                    return;
                }
                self.listed.insert(key.clone(), self.fixes.len());
                let (_, area, text) = key;
                self.fixes.push(Entry {
                    area,
                    text,
                    references,
                });
                return;
            }
        };
        if let Some(there) = self.listed.get(&key) {
            merge(&mut entries[*there].1.references, references);
            return;
        }
        self.listed.insert(key.clone(), entries.len());
        let (_, area, text) = key;
        entries.push(match kind {
            Kind::Improvement(title) => (
                title.to_owned(),
                Entry {
                    area,
                    text,
                    references,
                },
            ),
            // The heading says the area already.
            _ => (
                area.unwrap_or_else(|| GENERAL.to_owned()),
                Entry {
                    area: None,
                    text,
                    references,
                },
            ),
        });
    }

    /// Lists that something is no longer there that was released before.
    fn list_taken_back(&mut self, subject: &str) {
        let header = header::parse(subject);
        let area = header.as_ref().and_then(|header| area::readable(header.scope?));
        let text = match &header {
            Some(header) if header.kind == Kind::Internal => {
                self.counts.internal += 1;
                return;
            }
            Some(header) => area::capitalised(header.description),
            None => {
                merged_branch(subject).unwrap_or_else(|| area::capitalised(header::split_pulls(subject).0))
            }
        };
        if is_blank(&text) {
            self.counts.unconventional += 1;
            return;
        }
        self.counts.listed += 1;
        let references = header.map(|header| header.pulls).unwrap_or_default();
        self.list_entry(Kind::Improvement(TAKEN_BACK), area, text, references);
    }
}

/// The heading of features without a scope; it comes last.
const GENERAL: &str = "General";

/// What a reverted merge brought, in words: its own subject is git's, not a person's.
fn merged_branch(subject: &str) -> Option<String> {
    let what = subject.strip_prefix("Merge ")?;
    if let Some(rest) = what.strip_prefix("pull request #") {
        let number = rest.split_whitespace().next().and_then(references::number)?;
        return Some(format!("All changes of pull request #{number}"));
    }
    let name = what.split('\'').nth(1).filter(|name| !is_blank(name))?;
    Some(format!("All changes of the branch `{name}`"))
}

fn push_new<T: PartialEq>(items: &mut Vec<T>, item: T) {
    if !items.contains(&item) {
        items.push(item);
    }
}

fn merge(references: &mut Vec<u64>, more: Vec<u64>) {
    for number in more {
        push_new(references, number);
    }
}

/// Alphabetical, what belongs to no area last.
fn by_area(a: &Option<String>, b: &Option<String>) -> std::cmp::Ordering {
    (a.is_none(), a.as_deref().map(str::to_lowercase))
        .cmp(&(b.is_none(), b.as_deref().map(str::to_lowercase)))
}

fn sections(entries: Vec<(String, Entry)>) -> Vec<Section> {
    let mut sections: BTreeMap<(bool, String), Section> = BTreeMap::new();
    for (title, entry) in entries {
        let last = title == GENERAL || title == TAKEN_BACK;
        let section = sections
            .entry((last, title.to_lowercase()))
            .or_insert_with(|| Section {
                title,
                entries: Vec::new(),
            });
        section.entries.push(entry);
    }
    sections.into_values().collect()
}

/// People by address and by name: `.mailmap` knows authors, but not those in `Co-authored-by`.
#[derive(Debug, Default)]
struct Contributors {
    addresses: HashSet<String>,
    /// The name as it is printed, by the name in lower case.
    names: BTreeMap<String, String>,
}

impl Contributors {
    fn add(&mut self, name: &str, address: &str) {
        // Checked first because nearly every commit is by someone who is known already.
        if self.addresses.contains(address) || is_blank(name) || is_program(name) {
            return;
        }
        if !address.is_empty() && !self.addresses.insert(address.to_ascii_lowercase()) {
            return;
        }
        self.names
            .entry(name.to_lowercase())
            .or_insert_with(|| name.to_owned());
    }

    fn names(self) -> Vec<String> {
        self.names.into_values().collect()
    }
}

/// Whether a name is that of a program, as forges mark them.
fn is_program(name: &str) -> bool {
    name.ends_with("[bot]")
}

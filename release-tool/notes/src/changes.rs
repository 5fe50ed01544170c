//! The changes of a release under their headings.

use crate::area::{capitalised, readable};
use crate::context::{Advisory, BreakingChange, Deprecation, Entry, KnownIssue};
use crate::footers::Footers;
use crate::fragment::{Fragment, FragmentKind};
use crate::header::{self, Header, Kind};
use crate::listing::{Listing, Sections, add_references};
use crate::references;
use std::collections::HashSet;
use vrel_documents::markdown::is_blank;

/// The heading of features without a scope.
const GENERAL: &str = "General";

/// The heading of changes that take back something released before.
const TAKEN_BACK: &str = "Reverted Changes";

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is in the notes.
    Listed,
    /// It changes nothing for users.
    Internal,
    /// Its subject does not say what kind of change it is.
    Unconventional,
}

/// What is listed so far.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) advisories: Vec<Advisory>,
    pub(crate) highlights: Listing<String>,
    pub(crate) features: Sections,
    pub(crate) improvements: Sections,
    pub(crate) fixes: Listing<Entry>,
    pub(crate) breaking: Listing<BreakingChange>,
    pub(crate) deprecations: Listing<Deprecation>,
    pub(crate) known_issues: Listing<KnownIssue>,
    pub(crate) upgrade_notes: Listing<String>,
    pub(crate) limitations: Listing<String>,
    /// Issues that the commits so far settle: what an older commit knows to be broken is no longer.
    settled: HashSet<u64>,
}

impl Changes {
    /// Lists a change under the headings that its subject and footers name; `pull` is the request that brought it by a merge.
    pub(crate) fn list(&mut self, subject: &str, footers: &Footers, pull: Option<u64>) -> Outcome {
        let header = header::parse(subject);
        let area = header.as_ref().and_then(|header| readable(header.scope?));
        let area = area.as_deref();
        let mut references = footers.issues.clone();
        if let Some(header) = &header {
            references::collect_settled(header.description, &mut references);
        }
        self.settled.extend(&references);
        let said = self.list_footers(area, footers);
        let Some(header) = header else {
            return if said {
                Outcome::Listed
            } else {
                Outcome::Unconventional
            };
        };
        add_references(&mut references, &header.pulls);
        add_references(&mut references, pull.as_slice());
        let text = capitalised(header.description);
        let breaks = self.list_breaking(&header, area, &text, footers, &references);
        match header.kind {
            Kind::Feature => {
                // The heading says the area already.
                let section = self.features.under(area.unwrap_or(GENERAL), area.is_none());
                section.add(None, &text, &references, &footers.upstream);
            }
            Kind::Fix => self.fixes.add(area, &text, &references, &footers.upstream),
            Kind::Improvement(title) => {
                self.improvements
                    .under(title, false)
                    .add(area, &text, &references, &footers.upstream)
            }
            // The footer says it better where there is one.
            Kind::Deprecation if footers.deprecated.is_empty() => {
                self.list_deprecation(area, &text, footers.replacement.as_ref());
            }
            Kind::Deprecation => {}
            Kind::Internal if said || breaks => {}
            Kind::Internal => return Outcome::Internal,
        }
        Outcome::Listed
    }

    /// Lists that something is no longer there that was released before.
    pub(crate) fn list_taken_back(&mut self, subject: &str) -> Outcome {
        let header = header::parse(subject);
        let (area, text, pulls) = match header {
            Some(header) if header.kind == Kind::Internal => return Outcome::Internal,
            Some(header) => (
                header.scope.and_then(readable),
                capitalised(header.description),
                header.pulls,
            ),
            None => {
                let (words, pulls) = header::split_pulls(subject);
                let text = merged_branch(words).unwrap_or_else(|| capitalised(words));
                (None, text, pulls)
            }
        };
        if is_blank(&text) {
            return Outcome::Unconventional;
        }
        let section = self.improvements.under(TAKEN_BACK, true);
        section.add(area.as_deref(), &text, &pulls, &[]);
        Outcome::Listed
    }

    /// Lists what a person wrote down apart from the commits.
    pub(crate) fn list_fragment(&mut self, fragment: &Fragment) {
        let (text, area, issues) = (fragment.text.trim(), fragment.area.as_deref(), &fragment.issues);
        let improvement = match fragment.kind {
            FragmentKind::Performance => "Performance",
            FragmentKind::Security => "Security",
            FragmentKind::Documentation => "Documentation",
            FragmentKind::Accessibility => "Accessibility",
            FragmentKind::Usability => "Usability",
            FragmentKind::Advisory => {
                if let (Some(id), Some(severity)) = (&fragment.id, fragment.severity) {
                    self.advisories.push(Advisory {
                        id: id.clone(),
                        severity,
                        area: fragment.area.clone(),
                        text: text.to_owned(),
                        affected: fragment.affected.clone(),
                        fixed_in: fragment.fixed_in.clone(),
                        mitigation: fragment.mitigation.clone(),
                        credits: fragment.credits.clone().unwrap_or_default(),
                        references: issues.clone(),
                    });
                }
                return;
            }
            FragmentKind::Highlight => return self.highlights.extend(&[text.to_owned()]),
            FragmentKind::UpgradeNote => return self.upgrade_notes.extend(&[text.to_owned()]),
            FragmentKind::Limitation => return self.limitations.extend(&[text.to_owned()]),
            FragmentKind::Feature => {
                let section = self.features.under(area.unwrap_or(GENERAL), area.is_none());
                return section.add(None, text, issues, &[]);
            }
            FragmentKind::Fix => return self.fixes.add(area, text, issues, &[]),
            FragmentKind::Breaking => {
                let change = self.breaking.get_or_add(area, text, || BreakingChange {
                    area: fragment.area.clone(),
                    text: text.to_owned(),
                    migration: fragment.migration.clone(),
                    references: Vec::new(),
                });
                return add_references(&mut change.references, issues);
            }
            FragmentKind::Deprecation => {
                return self.list_deprecation(area, text, fragment.replacement.as_ref());
            }
            FragmentKind::KnownIssue => {
                self.known_issues.get_or_add(area, text, || KnownIssue {
                    area: fragment.area.clone(),
                    text: text.to_owned(),
                    workaround: fragment.workaround.clone(),
                });
                return;
            }
        };
        let section = self.improvements.under(improvement, false);
        section.add(area, text, issues, &[]);
    }

    /// Lists what footers say on their own, and tells whether there was anything.
    fn list_footers(&mut self, area: Option<&str>, footers: &Footers) -> bool {
        self.highlights.extend(&footers.highlights);
        self.upgrade_notes.extend(&footers.upgrade_notes);
        self.limitations.extend(&footers.limitations);
        for (text, replacement) in &footers.deprecated {
            self.list_deprecation(area, text, replacement.as_ref());
        }
        for (text, workaround) in &footers.known_issues {
            if references::mentioned(text).any(|issue| self.settled.contains(&issue)) {
                continue;
            }
            self.known_issues.get_or_add(area, text, || KnownIssue {
                area: area.map(str::to_owned),
                text: text.clone(),
                workaround: workaround.clone(),
            });
        }
        !(footers.highlights.is_empty()
            && footers.upgrade_notes.is_empty()
            && footers.limitations.is_empty()
            && footers.deprecated.is_empty()
            && footers.known_issues.is_empty())
    }

    fn list_deprecation(&mut self, area: Option<&str>, text: &str, replacement: Option<&String>) {
        self.deprecations.get_or_add(area, text, || Deprecation {
            area: area.map(str::to_owned),
            text: text.to_owned(),
            replacement: replacement.cloned(),
        });
    }

    /// Lists the breaking changes of a commit, and tells whether there are any.
    fn list_breaking(
        &mut self,
        header: &Header<'_>,
        area: Option<&str>,
        subject: &str,
        footers: &Footers,
        references: &[u64],
    ) -> bool {
        let of_subject = (subject.to_owned(), None);
        let changes = match footers.breaking.as_slice() {
            [] if header.breaking => std::slice::from_ref(&of_subject),
            there => there,
        };
        for (number, (text, migration)) in changes.iter().enumerate() {
            // Instructions that stand before the first change are for that one.
            let before = footers.migration.as_ref().filter(|_| number == 0);
            let parts: Vec<_> = before.into_iter().chain(migration).map(String::as_str).collect();
            let change = self.breaking.get_or_add(area, text, || BreakingChange {
                area: area.map(str::to_owned),
                text: text.clone(),
                migration: (!parts.is_empty()).then(|| parts.join("\n\n")),
                references: Vec::new(),
            });
            add_references(&mut change.references, references);
        }
        !changes.is_empty()
    }
}

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

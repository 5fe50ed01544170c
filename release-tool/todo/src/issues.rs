//! Blocking and known issues: adding them, and saying that they are solved.

use crate::lines::{Kind, Line};
use crate::read::paragraph;
use crate::sections::top_items;
use crate::writing::{Writing, one_line, written};
use crate::{EditError, Match, Todo, Wanted, head};
use std::ops::Range;
use vrel_model::Version;

/// An item of one of the two sections.
#[derive(Debug, Clone)]
struct Issue {
    /// Index of its line.
    at: usize,
    text: String,
    /// Whether its box is ticked; `None` without one.
    ticked: Option<bool>,
}

impl Issue {
    fn describe(&self) -> Match {
        Match {
            line: self.at + 1,
            text: self.text.clone(),
        }
    }
}

impl Todo {
    /// The plan's text with an issue that stops a release, or every release. One that stops it already changes nothing.
    ///
    /// # Errors
    /// When the issue cannot stand in a line.
    pub fn add_blocking(&self, version: Option<&Version>, issue: &str) -> Result<String, EditError> {
        const WHAT: &str = "blocking issue";
        let issue = one_line(WHAT, issue)?;
        let version = version.map(Version::final_version);
        let holds = |todo: &Self| {
            let mut issues = todo.blocking_issues().iter();
            issues.any(|there| there.version == version && there.text == issue)
        };
        if holds(self) {
            return Ok(self.text.clone());
        }
        let text = format!("[ ] {}{issue}", head_of(version.as_ref()));
        let text = self.with_item(&self.sections.blocking, &text);
        written(text, WHAT, issue, |todo| {
            holds(todo) && todo.blocking_issues().len() == self.blocking_issues().len() + 1
        })
    }

    /// The plan's text without a blocking issue and what is nested in it; `- None` stands where the last one was.
    ///
    /// # Errors
    /// When no issue is meant, or more than one.
    pub fn remove_blocking(&self, wanted: &Wanted) -> Result<(Match, String), EditError> {
        let mut there = self.issues(&self.sections.blocking);
        there.retain(|issue| issue.ticked.is_some());
        let chosen = wanted.choose("blocking issue", there, Issue::describe)?;
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        let alone = top_items(&lines, &self.sections.blocking).len() == 1;
        writing.remove_item(chosen.at, alone);
        let text = writing.finish();
        match Self::parse(&text) {
            Ok(_) => Ok((chosen.describe(), text)),
            Err(error) => Err(EditError::Unreadable(error)),
        }
    }

    /// The plan's text with an issue that is known of a release, or of every release. One that is known already changes
    /// nothing.
    ///
    /// # Errors
    /// When the plan has no section for them, has the issue with another workaround, or a text cannot stand in a line.
    pub fn add_known(
        &self,
        version: Option<&Version>,
        issue: &str,
        workaround: Option<&str>,
    ) -> Result<String, EditError> {
        const WHAT: &str = "known issue";
        let mut issue = one_line(WHAT, issue)?.to_owned();
        let workaround = workaround.map(|text| one_line("workaround", text)).transpose()?;
        if workaround.is_some() && !issue.ends_with(['.', '!', '?', ':']) {
            issue.push('.');
        }
        // No section starts before its heading.
        if self.sections.known.start == 0 {
            return Err(EditError::NoSection {
                section: "Known issues",
                table: false,
            });
        }
        let version = version.map(Version::final_version);
        let same = |there: &&crate::KnownIssue| there.version == version && there.text == issue;
        if let Some(there) = self.known().iter().find(same) {
            if there.workaround.as_deref() == workaround {
                return Ok(self.text.clone());
            }
            let found = there.workaround.as_ref();
            return Err(EditError::OtherWorkaround {
                line: there.line,
                found: found.map_or_else(
                    || "no workaround".to_owned(),
                    |text| format!("the workaround `{text}`"),
                ),
            });
        }
        let then = workaround.map_or_else(String::new, |text| format!(" Workaround: {text}"));
        let text = self.with_item(
            &self.sections.known,
            &format!("{}{issue}{then}", head_of(version.as_ref())),
        );
        written(text, WHAT, &issue, |todo| {
            let mut found = todo.known().iter();
            found.any(|there| same(&there) && there.workaround.as_deref() == workaround)
                && todo.known().len() == self.known().len() + 1
        })
    }

    /// The plan's text with a known issue's box ticked: it is solved. An issue without a box gets one. One that is solved
    /// already changes nothing.
    ///
    /// # Errors
    /// When no issue is meant, or more than one.
    pub fn fix_known(&self, wanted: &Wanted) -> Result<(Match, String), EditError> {
        let there = self.issues(&self.sections.known);
        let chosen = wanted.choose("known issue", there, Issue::describe)?;
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        if let Kind::Item(item) = &lines[chosen.at].kind {
            match &item.mark {
                Some(mark) if mark.ticked => {}
                Some(mark) => writing.edits.replace(mark.range.clone(), "x"),
                None => writing.edits.replace(item.text_start..item.text_start, "[x] "),
            }
        }
        let text = writing.finish();
        Ok((chosen.describe(), text))
    }

    /// The items of a section that are issues.
    fn issues(&self, section: &Range<usize>) -> Vec<Issue> {
        let lines = self.lines();
        let mut issues = Vec::new();
        for at in top_items(&lines, section) {
            let Kind::Item(item) = &lines[at].kind else {
                continue;
            };
            if item.mark.is_none() && is_none(item.text) {
                continue;
            }
            let rest = match head::parse(item.text) {
                Some(Ok(head)) => head.rest,
                _ => item.text,
            };
            issues.push(Issue {
                at,
                text: paragraph(&lines, at, rest),
                ticked: item.mark.as_ref().map(|mark| mark.ticked),
            });
        }
        issues
    }

    /// The plan's text with an item more at the end of a section's list, or in the place of `- None`.
    fn with_item(&self, section: &Range<usize>, text: &str) -> String {
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        let items = top_items(&lines, section);
        // Something that hangs on to `None` is not ours to throw away.
        let none = items.iter().copied().find(|&at| {
            let Kind::Item(item) = &lines[at].kind else {
                return false;
            };
            item.mark.is_none() && is_none(item.text) && writing.block_end(at) == at + 1
        });
        match (none, items.last()) {
            (Some(at), _) => {
                if let Kind::Item(item) = &lines[at].kind {
                    writing
                        .edits
                        .replace(item.text_start..item.text_start + item.text.len(), text);
                }
            }
            (None, Some(&last)) => {
                let text = format!("{}{text}", writing.item_start(last));
                writing.insert_behind(writing.block_end(last), &text);
            }
            (None, None) => {
                let filled = |at: &usize| lines[*at].kind != Kind::Blank;
                // The heading's line is right before the section.
                let last = section.clone().rev().find(filled).unwrap_or(section.start - 1);
                let text = format!("{}- {text}", writing.newline);
                writing.insert_behind(last + 1, &text);
            }
        }
        writing.finish()
    }
}

impl Writing<'_> {
    /// Takes an item out with everything that belongs to it, or puts `None` in its place.
    fn remove_item(&mut self, at: usize, leave_none: bool) {
        let last = &self.lines[self.block_end(at) - 1];
        if leave_none {
            let text = format!("{}None", self.item_start(at));
            self.edits.replace(self.lines[at].start..last.body_end(), text);
            return;
        }
        let mut start = self.lines[at].start;
        if last.ending.is_empty() {
            // A text without a newline at its end has none afterwards either.
            let mut above = self.lines[..at].iter().rev();
            start = above
                .find(|line| !line.body.is_empty())
                .map_or(start, Line::body_end);
        }
        self.edits.replace(start..last.end(), "");
    }
}

/// How an item about a release starts; nothing for one about all releases.
fn head_of(version: Option<&Version>) -> String {
    version.map_or_else(String::new, |version| format!("**{}**: ", version.tag()))
}

fn is_none(text: &str) -> bool {
    text.trim_end_matches('.').eq_ignore_ascii_case("none")
}

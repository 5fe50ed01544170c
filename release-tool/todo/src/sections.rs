//! The sections of a plan that releases rely on.

use crate::TodoError;
use crate::lines::{Kind, Line, block_end};
use std::ops::Range;

/// Where the sections are: the lines behind each heading, up to the next heading of the same or a higher level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sections {
    pub(crate) roadmap: Range<usize>,
    pub(crate) next: Range<usize>,
    pub(crate) blocking: Range<usize>,
    /// Empty when absent: then nothing is known.
    pub(crate) known: Range<usize>,
    /// May be absent: a plan without one has nothing to clear when the next release moves on.
    pub(crate) checklist: Option<Range<usize>>,
}

const LEVEL: usize = 2;

impl Sections {
    pub(crate) fn find(lines: &[Line<'_>]) -> Result<Self, TodoError> {
        let required = |section| section_of(lines, section)?.ok_or(TodoError::NoSection { section });
        Ok(Self {
            roadmap: required("Roadmap")?,
            next: required("Next release")?,
            blocking: required("Blocking issues")?,
            known: section_of(lines, "Known issues")?.unwrap_or_default(),
            checklist: section_of(lines, "Pre-release checklist")?,
        })
    }
}

/// The lines behind a section's heading; `None` when there is no such section.
pub(crate) fn section_of(
    lines: &[Line<'_>],
    section: &'static str,
) -> Result<Option<Range<usize>>, TodoError> {
    let named = |line: &Line<'_>| match line.kind {
        Kind::Heading { level, title } => level == LEVEL && title.eq_ignore_ascii_case(section),
        _ => false,
    };
    let mut places = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| named(line))
        .map(|(at, _)| at);
    let Some(heading) = places.next() else {
        return Ok(None);
    };
    if let Some(second) = places.next() {
        return Err(TodoError::SecondSection {
            line: second + 1,
            first: heading + 1,
            section,
        });
    }
    let ends = |line: &Line<'_>| matches!(line.kind, Kind::Heading { level, .. } if level <= LEVEL);
    let length = lines[heading + 1..].iter().take_while(|line| !ends(line)).count();
    Ok(Some(heading + 1..heading + 1 + length))
}

/// The lines in a section that start a list item which is not inside another one.
pub(crate) fn top_items(lines: &[Line<'_>], section: &Range<usize>) -> Vec<usize> {
    let mut items = Vec::new();
    let mut at = section.start;
    while at < section.end {
        // Further in than that, and outside a list, it is code.
        if matches!(lines[at].kind, Kind::Item(_)) && lines[at].indent < 4 {
            items.push(at);
            at = block_end(lines, at);
        } else {
            at += 1;
        }
    }
    items
}

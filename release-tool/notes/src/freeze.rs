//! The announcement of a freeze.

use crate::NotesError;
use crate::render::finish;
use askama::Template;
use vrel_documents::markdown::inline;
use vrel_model::{Line, UtcTime};

/// What is announced.
#[derive(Clone, Copy, Debug)]
pub struct FreezeAnnouncement<'a> {
    /// The product's name for people.
    pub product: &'a str,
    /// The line.
    pub line: Line,
    /// The branches that are frozen.
    pub branches: &'a [String],
    /// From when on.
    pub starts: UtcTime,
    /// Whether it has begun.
    pub has_begun: bool,
    /// Until when at most.
    pub ends: Option<UtcTime>,
    /// Why.
    pub reason: &'a str,
    /// The types of commits that may land.
    pub allowed: &'a [String],
}

#[derive(Template)]
#[template(path = "freeze-announcement.md", escape = "none")]
struct View {
    product: String,
    line: String,
    branches: Vec<String>,
    starts: String,
    has_begun: bool,
    ends: Option<String>,
    reason: String,
    allowed: Vec<String>,
}

/// Renders a draft of the announcement of a freeze as Markdown. Its first line is the subject.
///
/// # Errors
/// When the template cannot be rendered.
pub fn render_freeze_announcement(facts: &FreezeAnnouncement<'_>) -> Result<String, NotesError> {
    let code = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect();
    let time = |time: UtcTime| format!("{} {} UTC", time.date(), &time.to_string()[11..16]);
    let view = View {
        product: inline(facts.product),
        line: facts.line.to_string(),
        branches: code(facts.branches),
        starts: time(facts.starts),
        has_begun: facts.has_begun,
        ends: facts.ends.map(time),
        reason: inline(facts.reason),
        allowed: code(facts.allowed),
    };
    finish(view.render(), "freeze-announcement.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_says_when_what_and_why() {
        let mut facts = FreezeAnnouncement {
            product: "VeridianOS",
            line: "0.6".parse().unwrap(),
            branches: &["release/0.6".to_owned(), "main".to_owned()],
            starts: "2026-12-01T00:00:00Z".parse().unwrap(),
            has_begun: false,
            ends: Some("2026-12-15T00:00:00Z".parse().unwrap()),
            reason: "the *first* candidate",
            allowed: &["fix".to_owned(), "docs".to_owned()],
        };
        let text = render_freeze_announcement(&facts).unwrap();
        assert!(
            text.starts_with("# Code freeze of VeridianOS 0.6 on 2026-12-01 00:00 UTC\n"),
            "{text}"
        );
        for part in [
            "`release/0.6` and `main`",
            "until 2026-12-15 00:00 UTC",
            "`fix`, `docs`",
            "\\*first\\*",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        (facts.has_begun, facts.ends) = (true, None);
        let text = render_freeze_announcement(&facts).unwrap();
        assert!(text.starts_with("# VeridianOS 0.6 is frozen\n"), "{text}");
        assert!(text.contains("until it is ended"), "{text}");
    }
}

//! What the upgrade guide takes from the content of the notes.

use crate::context::NotesContext;
use crate::render::{ItemView, breaking_view, deprecation_view, known_issue_view};
use crate::{IN_ITEM, NotesError};
use vrel_documents::guides::Upgrade;
use vrel_documents::markdown::block;

/// What an upgrade to the release brings with it, for [`vrel_documents::guides::upgrade`].
///
/// # Errors
/// When the context does not pass [`NotesContext::check`].
pub fn upgrade(context: &NotesContext) -> Result<Upgrade, NotesError> {
    context.check()?;
    let blocks = |texts: &[String]| texts.iter().map(|text| block(text, IN_ITEM)).collect();
    let issues = context.issue_url.as_deref();
    Ok(Upgrade {
        previous: context.previous.clone(),
        breaking: context
            .breaking
            .iter()
            .map(|change| item(&breaking_view(change, issues), "Migration"))
            .collect(),
        deprecations: context
            .deprecations
            .iter()
            .map(|entry| item(&deprecation_view(entry), "Replacement"))
            .collect(),
        known_issues: context
            .known_issues
            .iter()
            .map(|issue| item(&known_issue_view(issue), "Workaround"))
            .collect(),
        limitations: blocks(&context.limitations),
        notes: blocks(&context.upgrade_notes),
    })
}

/// The text of a list item, as the notes have it.
fn item(view: &ItemView, remedy: &str) -> String {
    let mut text = match &view.area {
        Some(area) => format!("**{area}:**{}", view.text),
        None => view.text.clone(),
    };
    if let Some(words) = &view.remedy {
        text.push_str(&format!("\n\n  **{remedy}:**{words}"));
    }
    if !view.references.is_empty() {
        text.push_str(&format!("\n\n  See {}.", view.references.join(", ")));
    }
    text
}

//! The guides for people who install a release or upgrade to it.
//!
//! ```text
//! Release, Upgrade → installation, upgrade → Markdown → Format::write
//! ```
//!
//! The words are in `templates/guides/`, for release managers to edit; a section appears when the release has what it is
//! about.

mod release;
mod upgrade;
mod view;

pub use release::{GuideFile, Release, Tool};
pub use upgrade::Upgrade;

use crate::DocumentError;
use askama::Template;
use upgrade::UpgradeView;
use view::View;

/// Writes the installation guide as Markdown.
///
/// # Errors
/// When the release does not pass [`Release::check`].
pub fn installation(release: &Release) -> Result<String, DocumentError> {
    let view = View::of(release)?;
    finish(
        InstallationTemplate { guide: &view }.render(),
        "guides/installation.md",
    )
}

/// Writes the upgrade guide as Markdown.
///
/// # Errors
/// When the release does not pass [`Release::check`].
pub fn upgrade(release: &Release, upgrade: &Upgrade) -> Result<String, DocumentError> {
    let template = UpgradeTemplate {
        guide: &View::of(release)?,
        upgrade: &UpgradeView::of(upgrade),
    };
    finish(template.render(), "guides/upgrade.md")
}

#[derive(Template)]
#[template(path = "guides/installation.md", escape = "none")]
struct InstallationTemplate<'a> {
    guide: &'a View,
}

#[derive(Template)]
#[template(path = "guides/upgrade.md", escape = "none")]
struct UpgradeTemplate<'a> {
    guide: &'a View,
    upgrade: &'a UpgradeView,
}

/// A document ends with exactly one newline.
fn finish(rendered: askama::Result<String>, template: &'static str) -> Result<String, DocumentError> {
    let mut text = rendered.map_err(|error| DocumentError::Template {
        template,
        reason: error.to_string(),
    })?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

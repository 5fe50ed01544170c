//! From the content to documents.

use crate::NotesError;
use crate::context::{
    Advisory, BreakingChange, Deprecation, Entry, InterfaceChange, KnownIssue, NotesArtifact, NotesContext,
    NotesKind, Section,
};
use askama::Template;
use vrel_documents::markdown::{Format, block, block_after_label, cell, inline};
use vrel_model::ByteSize;

/// Renders the release notes as Markdown.
///
/// # Errors
/// When the context does not pass [`NotesContext::check`].
pub fn render(context: &NotesContext) -> Result<String, NotesError> {
    let view = View::of(context)?;
    finish(NotesTemplate { notes: &view }.render(), "release-notes.md")
}

/// Renders the release notes in a format.
///
/// # Errors
/// When the context does not pass [`NotesContext::check`].
pub fn render_as(context: &NotesContext, format: Format) -> Result<String, NotesError> {
    Ok(format.write(&render(context)?, "Release Notes"))
}

/// Renders a draft of the announcement as Markdown. Its first line is the subject. That of a security release is an advisory
/// by itself: mailing lists for such take nothing else.
///
/// # Errors
/// When the context does not pass [`NotesContext::check`].
pub fn render_announcement(context: &NotesContext) -> Result<String, NotesError> {
    let view = View::of(context)?;
    if context.kind() == NotesKind::Security {
        let template = SecurityAnnouncementTemplate { notes: &view };
        return finish(template.render(), "security-announcement.md");
    }
    finish(AnnouncementTemplate { notes: &view }.render(), "announcement.md")
}

/// Renders the changelog of several releases as Markdown, in the order given.
///
/// # Errors
/// When a context does not pass [`NotesContext::check`].
pub fn render_changelog(contexts: &[NotesContext]) -> Result<String, NotesError> {
    let product = contexts
        .first()
        .map_or(String::new(), |context| inline(&context.product));
    let mut text = format!("# {product} Changelog\n");
    for context in contexts {
        let view = View::of(context)?;
        text.push('\n');
        text.push_str(&finish(
            ChangelogTemplate { notes: &view }.render(),
            "changelog.md",
        )?);
    }
    Ok(text)
}

/// A document ends with exactly one newline.
pub(crate) fn finish(rendered: askama::Result<String>, template: &'static str) -> Result<String, NotesError> {
    let mut text = rendered.map_err(|error| NotesError::Template {
        template,
        reason: error.to_string(),
    })?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

#[derive(Template)]
#[template(path = "release-notes.md", escape = "none")]
struct NotesTemplate<'a> {
    notes: &'a View,
}

#[derive(Template)]
#[template(path = "announcement.md", escape = "none")]
struct AnnouncementTemplate<'a> {
    notes: &'a View,
}

#[derive(Template)]
#[template(path = "security-announcement.md", escape = "none")]
struct SecurityAnnouncementTemplate<'a> {
    notes: &'a View,
}

#[derive(Template)]
#[template(path = "changelog.md", escape = "none")]
struct ChangelogTemplate<'a> {
    notes: &'a View,
}

/// What the templates see. Every text is Markdown already, so a template cannot forget to escape one.
struct View {
    product: String,
    version: String,
    previous: Option<String>,
    date: String,
    release_type: String,
    is_candidate: bool,
    is_final: bool,
    channel: String,
    /// Where issues are reported, without a slash at the end.
    issues_url: Option<String>,
    /// Where the files of this release are, without a slash at the end.
    release_url: String,
    advisories: Vec<AdvisoryView>,
    highlights: Vec<String>,
    features: Vec<SectionView>,
    improvements: Vec<SectionView>,
    fixes: Vec<ItemView>,
    breaking: Vec<ItemView>,
    deprecations: Vec<ItemView>,
    known_issues: Vec<ItemView>,
    contributors: Vec<String>,
    upgrade_notes: Vec<String>,
    limitations: Vec<String>,
    downloads: Vec<DownloadView>,
}

/// Items under a heading.
struct SectionView {
    title: String,
    entries: Vec<ItemView>,
}

/// A change, or something else that is listed.
pub(crate) struct ItemView {
    /// The part of the system.
    pub(crate) area: Option<String>,
    /// What there is to say. Where there is an area it begins with a blank or a new line, and follows immediately.
    pub(crate) text: String,
    /// The migration, replacement or workaround. It begins with a blank or a new line, and follows its label immediately.
    pub(crate) remedy: Option<String>,
    /// Issues and pull requests, with links.
    pub(crate) references: Vec<String>,
    /// Abbreviated ids of the commits that it was picked from.
    pub(crate) upstream: Vec<String>,
}

/// A security issue.
struct AdvisoryView {
    id: String,
    severity: &'static str,
    /// `0.5.0 to 0.5.7, 0.6.0`; empty where an edited context does not say.
    affected: String,
    fixed_in: String,
    /// The names, in one line.
    credits: String,
    /// Its remedy is the mitigation.
    item: ItemView,
}

/// A row of the table of downloads.
pub(crate) struct DownloadView {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) arch: String,
    pub(crate) size: String,
    pub(crate) sha256: String,
}

/// How far the texts of a list item are indented, after its `- `.
pub(crate) const IN_ITEM: usize = 2;

impl View {
    /// The most severe of the advisories, which are sorted.
    fn worst(&self) -> &'static str {
        self.advisories.first().map_or("", |advisory| advisory.severity)
    }

    /// The advisories' names, as a subject has them.
    fn advisory_ids(&self) -> String {
        listed(self.advisories.iter().map(|advisory| &advisory.id))
    }

    /// Whether nothing is listed that changed.
    fn is_without_news(&self) -> bool {
        self.advisories.is_empty()
            && self.highlights.is_empty()
            && self.features.is_empty()
            && self.improvements.is_empty()
            && self.fixes.is_empty()
            && self.breaking.is_empty()
            && self.deprecations.is_empty()
    }

    fn of(context: &NotesContext) -> Result<Self, NotesError> {
        context.check()?;
        let blocks = |texts: &[String]| texts.iter().map(|text| block(text, IN_ITEM)).collect();
        let issues = context.issue_url.as_deref();
        let picked = context.channel.to_string() == "lts";
        let interfaces = |breaking: bool| -> Vec<ItemView> {
            let changes = context
                .interface_changes
                .iter()
                .filter(|change| change.breaking == breaking);
            changes.map(interface_view).collect()
        };
        let mut features = sections(&context.features, issues, picked);
        let new_interfaces = interfaces(false);
        if !new_interfaces.is_empty() {
            features.push(SectionView {
                title: "Interfaces".to_owned(),
                entries: new_interfaces,
            });
        }
        Ok(Self {
            advisories: context
                .advisories
                .iter()
                .map(|advisory| advisory_view(advisory, issues))
                .collect(),
            product: inline(&context.product),
            version: context.version.to_string(),
            previous: context.previous.as_ref().map(ToString::to_string),
            date: context.date.date(),
            release_type: context.release_type(),
            is_candidate: context.version.is_candidate(),
            is_final: context.version == context.version.final_version(),
            channel: context.channel.to_string(),
            issues_url: issues.map(|url| url.trim_end_matches('/').to_owned()),
            release_url: format!("{}/releases/{}", context.public_url, context.version),
            highlights: blocks(&context.highlights),
            features,
            improvements: sections(&context.improvements, issues, picked),
            fixes: context
                .fixes
                .iter()
                .map(|entry| entry_view(entry, issues, picked))
                .collect(),
            breaking: context
                .breaking
                .iter()
                .map(|change| breaking_view(change, issues))
                .chain(interfaces(true))
                .collect(),
            deprecations: context.deprecations.iter().map(deprecation_view).collect(),
            known_issues: context.known_issues.iter().map(known_issue_view).collect(),
            contributors: context.contributors.iter().map(|name| inline(name)).collect(),
            upgrade_notes: blocks(&context.upgrade_notes),
            limitations: blocks(&context.limitations),
            downloads: context.artifacts.iter().map(download_view).collect(),
        })
    }
}

fn sections(sections: &[Section], issue_url: Option<&str>, picked: bool) -> Vec<SectionView> {
    let view = |section: &Section| SectionView {
        title: inline(&section.title),
        entries: section
            .entries
            .iter()
            .map(|entry| entry_view(entry, issue_url, picked))
            .collect(),
    };
    sections.iter().map(view).collect()
}

fn entry_view(entry: &Entry, issue_url: Option<&str>, picked: bool) -> ItemView {
    let text = inline(&entry.text);
    ItemView {
        text: if entry.area.is_some() {
            format!(" {text}")
        } else {
            text
        },
        area: entry.area.as_deref().map(inline),
        remedy: None,
        references: links(&entry.references, issue_url),
        upstream: if picked {
            entry.upstream.iter().map(|id| short_id(id)).collect()
        } else {
            Vec::new()
        },
    }
}

/// The beginning of a commit's id, as code.
fn short_id(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    format!("`{digits}`")
}

fn advisory_view(advisory: &Advisory, issue_url: Option<&str>) -> AdvisoryView {
    AdvisoryView {
        id: inline(&advisory.id),
        severity: advisory.severity.name(),
        affected: listed(&advisory.affected),
        fixed_in: listed(&advisory.fixed_in),
        credits: listed(advisory.credits.iter().map(|name| inline(name))),
        item: ItemView {
            // Its name stands before it where others have only the area.
            text: block_after_label(&advisory.text, IN_ITEM),
            references: links(&advisory.references, issue_url),
            ..item_view(
                advisory.area.as_deref(),
                &advisory.text,
                advisory.mitigation.as_deref(),
            )
        },
    }
}

/// `a, b, c`.
fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    texts.join(", ")
}

fn interface_view(change: &InterfaceChange) -> ItemView {
    let code = |text: &str| format!("`{}`", text.replace('`', "'"));
    let what = code(&change.what);
    let text = match (&change.before, &change.after) {
        (Some(before), Some(after)) => format!("{what} was {} and is {}", code(before), code(after)),
        (Some(before), None) => format!("{what} is gone; it was {}", code(before)),
        (None, Some(after)) => format!("{what} is new: {}", code(after)),
        (None, None) => what,
    };
    item_view(None, &text, None)
}

pub(crate) fn breaking_view(change: &BreakingChange, issue_url: Option<&str>) -> ItemView {
    ItemView {
        references: links(&change.references, issue_url),
        ..item_view(change.area.as_deref(), &change.text, change.migration.as_deref())
    }
}

pub(crate) fn deprecation_view(item: &Deprecation) -> ItemView {
    item_view(item.area.as_deref(), &item.text, item.replacement.as_deref())
}

pub(crate) fn known_issue_view(issue: &KnownIssue) -> ItemView {
    item_view(issue.area.as_deref(), &issue.text, issue.workaround.as_deref())
}

fn item_view(area: Option<&str>, text: &str, remedy: Option<&str>) -> ItemView {
    ItemView {
        area: area.map(inline),
        text: if area.is_some() {
            block_after_label(text, IN_ITEM)
        } else {
            block(text, IN_ITEM)
        },
        remedy: remedy.map(|remedy| block_after_label(remedy, IN_ITEM)),
        references: Vec::new(),
        upstream: Vec::new(),
    }
}

fn links(numbers: &[u64], issue_url: Option<&str>) -> Vec<String> {
    let link = |number: &u64| match issue_url {
        Some(url) => format!("[#{number}]({url}{number})"),
        None => format!("#{number}"),
    };
    numbers.iter().map(link).collect()
}

pub(crate) fn download_view(artifact: &NotesArtifact) -> DownloadView {
    DownloadView {
        name: artifact.name.to_string(),
        description: cell(&artifact.description),
        arch: artifact
            .arch
            .map_or_else(|| "any".to_owned(), |arch| arch.to_string()),
        size: ByteSize(artifact.size).to_string(),
        sha256: artifact.sha256.to_string(),
    }
}

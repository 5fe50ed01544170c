//! What can be wrong with the material of a document.

/// Why a document was not made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A value that would make a broken document.
    #[error("the context of the guides: `{field}` {problem}")]
    Field {
        /// Where it is, for example `artifacts[2].sha256`.
        field: String,
        /// What was expected and found.
        problem: String,
    },
    /// A template failed.
    #[error("the template {template} cannot be rendered: {reason}")]
    Template {
        /// The file in `templates/`.
        template: &'static str,
        /// What the template engine says.
        reason: String,
    },
    /// A manual page's file has a name that it cannot be found by.
    #[error("`{}` is not a manual page's name: expected a name and a section, such as `init.8`", .0.escape_debug())]
    PageName(String),
    /// A manual page that cannot be dated and signed with the release.
    #[error("{page}: {problem}")]
    Page {
        /// The page's file.
        page: String,
        /// What was expected and found.
        problem: String,
    },
    /// A reference to a manual page that the release does not carry.
    #[error("{page} refers to {target}, which is not among the manual pages of this release: {}", known.join(", "))]
    DanglingReference {
        /// The page.
        page: String,
        /// What it refers to.
        target: String,
        /// The pages that there are.
        known: Vec<String>,
    },
}

//! What can be wrong with a notes context.

use vrel_model::toml_file::did_you_mean;

/// Why a notes context cannot be read or rendered.
#[derive(Debug, thiserror::Error)]
pub enum NotesError {
    /// The text is not JSON, or not a notes context.
    #[error("line {line}, column {column} of the notes context: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong, with what was expected.
        message: String,
        /// What was probably meant.
        hint: Option<String>,
    },
    /// The context was written by another version of the tool.
    #[error("the notes context has schema {found}, this tool reads schema {expected}")]
    Schema {
        /// The schema that the context says it has.
        found: u64,
        /// The schema that this tool reads and writes.
        expected: u64,
    },
    /// A value that would make a broken document.
    #[error("`{field}` of the notes context {problem}")]
    Field {
        /// Where it is, for example `features[0].entries[2].text`.
        field: String,
        /// What is wrong with it, with the remedy.
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
}

impl NotesError {
    pub(crate) fn json(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        // The place is said in front already.
        let place = format!(" at line {line} column {column}");
        let message = said.strip_suffix(&place).unwrap_or(&said).to_owned();
        let hint = did_you_mean(&message);
        Self::Json {
            line,
            column,
            message,
            hint,
        }
    }

    /// What to do about it, where there is more to say than the message does.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Json { hint, .. } => hint.clone(),
            Self::Schema { .. } => Some("dump the context again with `vrel notes --context`".to_owned()),
            Self::Field { .. } | Self::Template { .. } => None,
        }
    }
}

//! Reading policy files: TOML whose every mistake is answered with file, line, and what was meant.

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A mistake in a TOML file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {message}", path.display())]
pub struct TomlError {
    /// The file.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// Parses the text of a policy file. `path` is only used to name the file in errors.
///
/// # Errors
/// On malformed TOML, an unknown key, a missing key or a value of the wrong type, with the place and, for a key that is
/// close to a known one, a hint.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let (line, column) = error
            .span()
            .map_or((1, 1), |span| line_and_column(text, span.start));
        let message = error.message().trim_end().to_owned();
        TomlError {
            path: path.to_owned(),
            line,
            column,
            hint: did_you_mean(&message),
            message,
        }
    })
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// From serde's "unknown field `x`, expected one of `a`, `b`" picks the expected word closest to the unknown one.
pub fn did_you_mean(message: &str) -> Option<String> {
    let (unknown, expected) = message.split_once(", expected ")?;
    let wrong = quoted(unknown).next()?;
    let close = closest(wrong, quoted(expected))?;
    Some(format!("did you mean `{close}`?"))
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The candidate that is most like `word`, if any is like it at all. Used for every "did you mean".
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Sample {
        #[expect(dead_code, reason = "only its name and type matter here")]
        pointer_days: u32,
        #[expect(dead_code, reason = "only its name and type matter here")]
        remote: Option<String>,
    }

    fn error(text: &str) -> TomlError {
        parse::<Sample>(Path::new("vrel.toml"), text).unwrap_err()
    }

    #[test]
    fn unknown_key_names_the_line_and_the_likely_key() {
        let error = error("pointer-days = 3\nremoet = \"origin\"\n");
        assert!(
            error
                .to_string()
                .starts_with("vrel.toml:2:1: unknown field `remoet`"),
            "{error}"
        );
        assert_eq!(error.hint.as_deref(), Some("did you mean `remote`?"));
    }

    #[test]
    fn a_key_like_no_other_gets_no_guess() {
        assert_eq!(error("zzz = 1\n").hint, None);
    }

    #[test]
    fn wrong_type_and_broken_syntax_name_the_place() {
        let wrong = error("\npointer-days = \"three\"\n");
        assert_eq!((wrong.line, wrong.column), (2, 16));
        assert!(
            wrong
                .message
                .contains("invalid type: string \"three\", expected u32"),
            "{wrong}"
        );
        assert_eq!(error("pointer-days = \n").line, 1);
        assert!(error("").message.contains("missing field `pointer-days`"));
    }
}

//! What a commit says it is, for those who do not write notes of it.

use crate::footers::Footers;
use crate::header;
use crate::reverts::{Effect, fold};

/// The type of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conventional {
    /// The type in lower case, for example `fix`; `revert` for a commit that takes another one back.
    pub name: String,
    /// The scope.
    pub scope: Option<String>,
    /// Whether it breaks what worked: `!` in the first line, or a footer `BREAKING CHANGE`.
    pub breaking: bool,
}

/// What a message says of its commit; `None` when it follows no convention: the type is unknown, there is no description,
/// or the commit is meant to be melted into another one. Taking back what took a change back is the change's own type.
#[must_use]
pub fn conventional(message: &str) -> Option<Conventional> {
    let message = message.trim_start();
    let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
    let subject = subject.trim_end();
    let breaking_footer = !Footers::parse(body).breaking.is_empty();
    let (change, effect) = fold(subject);
    if effect == Effect::Revert {
        return Some(Conventional {
            name: "revert".to_owned(),
            scope: None,
            breaking: breaking_footer,
        });
    }
    let header = header::parse(change)?;
    Some(Conventional {
        name: header::type_name(change).to_ascii_lowercase(),
        scope: header.scope.map(str::to_owned),
        breaking: header.breaking || breaking_footer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_their_type() {
        for (message, expected) in [
            ("fix: a\n\nbody", Some(("fix", None, false))),
            ("Feat(ipc)!: a", Some(("feat", Some("ipc"), true))),
            ("fix: a\n\nBREAKING CHANGE: b", Some(("fix", None, true))),
            (
                "Revert \"feat: a\"\n\nThis reverts commit 1234567.",
                Some(("revert", None, false)),
            ),
            (
                "Revert \"Revert \"feat(mm): a\"\"",
                Some(("feat", Some("mm"), false)),
            ),
            ("Reapply \"feat: a\"", Some(("feat", None, false))),
            ("docs(plan): a", Some(("docs", Some("plan"), false))),
            ("fixup! fix: a", None),
            ("kernel: a", None),
            ("fix:", None),
            ("", None),
        ] {
            let found = conventional(message);
            let found = found
                .as_ref()
                .map(|c| (c.name.as_str(), c.scope.as_deref(), c.breaking));
            assert_eq!(found, expected, "{message:?}");
        }
    }
}

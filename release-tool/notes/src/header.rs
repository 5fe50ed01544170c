//! The first line of a commit message, as Conventional Commits 1.0.0 has it: `type(scope)!: description`.

/// What a commit's type says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Something new.
    Feature,
    /// Something that works now.
    Fix,
    /// Something better, under this heading.
    Improvement(&'static str),
    /// Something that will go away.
    Deprecation,
    /// Nothing that users notice.
    Internal,
}

/// A conventional first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    pub(crate) kind: Kind,
    pub(crate) scope: Option<&'a str>,
    /// Marked with `!`.
    pub(crate) breaking: bool,
    /// What follows the colon, without numbers of pull requests at its end.
    pub(crate) description: &'a str,
    /// Those numbers.
    pub(crate) pulls: Vec<u64>,
}

/// Scopes whose changes are about the project's own work, whatever their type says.
const INTERNAL_SCOPES: &[&str] = &["ci", "plan", "release", "test", "tests"];

fn kind(name: &str) -> Option<Kind> {
    const KINDS: &[(&str, Kind)] = &[
        ("feat", Kind::Feature),
        ("feature", Kind::Feature),
        ("fix", Kind::Fix),
        ("bugfix", Kind::Fix),
        ("perf", Kind::Improvement("Performance")),
        ("security", Kind::Improvement("Security")),
        ("sec", Kind::Improvement("Security")),
        ("a11y", Kind::Improvement("Accessibility")),
        ("ux", Kind::Improvement("Usability")),
        ("docs", Kind::Improvement("Documentation")),
        ("doc", Kind::Improvement("Documentation")),
        ("deprecate", Kind::Deprecation),
        ("build", Kind::Internal),
        ("chore", Kind::Internal),
        ("ci", Kind::Internal),
        ("refactor", Kind::Internal),
        ("release", Kind::Internal),
        ("style", Kind::Internal),
        ("test", Kind::Internal),
        ("tests", Kind::Internal),
        ("wip", Kind::Internal),
    ];
    KINDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, kind)| *kind)
}

/// Parses a subject; `None` when it is not conventional.
pub(crate) fn parse(subject: &str) -> Option<Header<'_>> {
    let (prefix, description) = subject.split_once(':')?;
    let (prefix, breaking) = match prefix.strip_suffix('!') {
        Some(prefix) => (prefix, true),
        None => (prefix, false),
    };
    let (name, scope) = match prefix.split_once('(') {
        Some((name, scope)) => (name, Some(scope.strip_suffix(')')?.trim())),
        None => (prefix, None),
    };
    let mut kind = kind(name)?;
    let scope = scope.filter(|scope| !scope.is_empty());
    if scope.is_some_and(|scope| INTERNAL_SCOPES.contains(&scope)) {
        kind = Kind::Internal;
    } else if kind == Kind::Fix && scope == Some("security") {
        kind = Kind::Improvement("Security");
    }
    let (description, pulls) = split_pulls(description.trim());
    let description = description.strip_suffix('.').unwrap_or(description);
    if vrel_documents::markdown::is_blank(description) {
        return None;
    }
    Some(Header {
        kind,
        scope,
        breaking,
        description,
        pulls,
    })
}

/// The type of a subject that [`parse`] understands, as it is written.
pub(crate) fn type_name(subject: &str) -> &str {
    subject.split(['(', '!', ':']).next().unwrap_or(subject)
}

/// Cuts `(#12)` off the end, as forges add it to squashed pull requests, perhaps several times.
pub(crate) fn split_pulls(text: &str) -> (&str, Vec<u64>) {
    let mut pulls = Vec::new();
    let mut text = text.trim_end();
    while let Some((rest, number)) = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once("(#"))
        .and_then(|(rest, digits)| Some((rest, crate::references::number(digits)?)))
    {
        pulls.insert(0, number);
        text = rest.trim_end();
    }
    (text, pulls)
}

/// Whether a commit is meant to be melted into another one before anyone sees it.
pub(crate) fn is_fixup(subject: &str) -> bool {
    ["fixup!", "squash!", "amend!"]
        .iter()
        .any(|mark| subject.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_told_apart() {
        for (subject, kind, scope, breaking, description, pulls) in [
            ("feat: boot", Kind::Feature, None, false, "boot", &[][..]),
            ("feat(ipc): send.", Kind::Feature, Some("ipc"), false, "send", &[]),
            ("FEAT(IPC)!: send", Kind::Feature, Some("IPC"), true, "send", &[]),
            ("fix!: stop (#12)", Kind::Fix, None, true, "stop", &[12]),
            (
                "fix( mm ):stop (#1) (#22)",
                Kind::Fix,
                Some("mm"),
                false,
                "stop",
                &[1, 22],
            ),
            ("fix: stop (see #1)", Kind::Fix, None, false, "stop (see #1)", &[]),
            ("fix: stop (#0)", Kind::Fix, None, false, "stop (#0)", &[]),
            (
                "fix(security): check",
                Kind::Improvement("Security"),
                Some("security"),
                false,
                "check",
                &[],
            ),
            (
                "perf(): run",
                Kind::Improvement("Performance"),
                None,
                false,
                "run",
                &[],
            ),
            (
                "docs: explain",
                Kind::Improvement("Documentation"),
                None,
                false,
                "explain",
                &[],
            ),
            (
                "docs(plan): tick",
                Kind::Internal,
                Some("plan"),
                false,
                "tick",
                &[],
            ),
            ("feat(ci): run", Kind::Internal, Some("ci"), false, "run", &[]),
            (
                "deprecate(abi): sys_old",
                Kind::Deprecation,
                Some("abi"),
                false,
                "sys_old",
                &[],
            ),
            ("refactor: a: b", Kind::Internal, None, false, "a: b", &[]),
        ] {
            let expected = Header {
                kind,
                scope,
                breaking,
                description,
                pulls: pulls.to_vec(),
            };
            assert_eq!(parse(subject), Some(expected), "{subject}");
        }
    }

    #[test]
    fn what_follows_no_convention_has_no_kind() {
        for subject in [
            "",
            ":",
            "feat",
            "feat:",
            "feat: ",
            "feat: (#12)",
            "feat: .",
            "feat:\u{200b}",
            "feat (ipc): send",
            "feat(ipc: send",
            "feat ipc: send",
            "kernel: fix the trap frame",
            "https://example.org/",
            "Merge branch 'a: b'",
            "fixup! feat: boot",
        ] {
            assert_eq!(parse(subject), None, "{subject:?}");
        }
    }
}

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
        ("improve", Kind::Improvement("Usability")),
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
    if crate::markdown::is_blank(description) {
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

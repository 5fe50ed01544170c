//! Commits that take others back.
//!
//! The history comes newest first, so a revert is seen before what it reverts, and is kept pending until then. One that
//! is still pending at the end takes back something that was released before: that is news.

use crate::header::split_pulls;
use std::collections::HashMap;

/// What a subject does to the change that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The change is made, perhaps again.
    Apply,
    /// The change is taken back.
    Revert,
}

/// That a commit is taken back by a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// It is the first target of its revert.
    First,
    /// Its revert takes back several commits.
    Again,
}

/// A revert, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// The subject of the change itself, without the words about taking back.
    pub(crate) change: String,
    /// What becomes of the change when all of those words are taken together.
    pub(crate) effect: Effect,
    /// The body of the revert's message.
    pub(crate) body: String,
    /// Whether its target was in the history too, and so both are no news.
    met: bool,
}

/// The reverts seen so far.
#[derive(Debug, Default)]
pub(crate) struct Reverts {
    pending: Vec<Pending>,
    by_id: HashMap<String, usize>,
    /// Abbreviated ids; people write them by hand, so there are few.
    by_prefix: Vec<(String, usize)>,
    by_subject: HashMap<String, Vec<usize>>,
}

impl Reverts {
    /// Keeps the commit if it is a revert, and says whether it is: by its subject, or by git's sentence in its body under
    /// a subject that a person made better.
    pub(crate) fn keep(&mut self, subject: &str, body: &str) -> bool {
        let form = form(subject);
        let ids = reverted_ids(body);
        if form.is_none() && ids.is_empty() {
            return false;
        }
        let at = self.pending.len();
        let (change, effect) = fold(subject);
        self.pending.push(Pending {
            change: change.to_owned(),
            effect,
            body: body.to_owned(),
            met: false,
        });
        for id in ids {
            if id.len() == 40 {
                self.by_id.insert(id, at);
            } else {
                self.by_prefix.push((id, at));
            }
        }
        if let Some(form) = form {
            self.by_subject.entry(form.target()).or_default().push(at);
        }
        true
    }

    /// Whether a newer commit takes this one back. By id, else by subject: a revert that was picked to another branch
    /// names an id of the first one.
    pub(crate) fn cancel(&mut self, id: &str, subject: &str) -> Option<Cancelled> {
        if self.pending.is_empty() {
            return None;
        }
        let by_id = self.by_id.get(id).copied();
        let by_prefix = || {
            let mut abbreviated = self.by_prefix.iter();
            abbreviated
                .find(|(prefix, _)| id.starts_with(prefix))
                .map(|(_, at)| *at)
        };
        let by_subject = || {
            let candidates = self.by_subject.get(subject)?;
            candidates.iter().rev().copied().find(|at| !self.pending[*at].met)
        };
        let at = by_id.or_else(by_prefix).or_else(by_subject)?;
        let again = std::mem::replace(&mut self.pending[at].met, true);
        Some(if again { Cancelled::Again } else { Cancelled::First })
    }

    /// How many reverts there are so far.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// The numbers of the reverts whose target was seen, in the order in which they were kept, from 0.
    pub(crate) fn met(&self) -> impl Iterator<Item = usize> {
        let all = self.pending.iter().enumerate();
        all.filter(|(_, pending)| pending.met).map(|(number, _)| number)
    }

    /// The revert that was kept as the given one, from 0, if it takes back something older.
    pub(crate) fn unmet_at(&self, at: usize) -> Option<&Pending> {
        self.pending.get(at).filter(|pending| !pending.met)
    }

    /// The reverts that take back something older, newest first.
    pub(crate) fn unmet(self) -> impl Iterator<Item = Pending> {
        self.pending.into_iter().filter(|pending| !pending.met)
    }
}

/// A subject that git writes for a commit that takes another one back.
#[derive(Clone, Copy)]
enum Form<'a> {
    /// `Revert "X"`, or `revert: X` as Conventional Commits suggest.
    Revert(&'a str),
    /// `Reapply "X"`, which git makes of the revert of `Revert "X"`.
    Reapply(&'a str),
}

impl Form<'_> {
    /// The subject of the commit that is taken back.
    fn target(self) -> String {
        match self {
            Self::Revert(subject) => subject.to_owned(),
            Self::Reapply(subject) => format!("Revert \"{subject}\""),
        }
    }
}

fn form(subject: &str) -> Option<Form<'_>> {
    // A forge adds the number of the pull request behind the quotes.
    let (subject, _) = split_pulls(subject);
    let quoted = |word: &str| subject.strip_prefix(word)?.strip_prefix(" \"")?.strip_suffix('"');
    if let Some(inner) = quoted("Revert") {
        return Some(Form::Revert(inner));
    }
    if let Some(inner) = quoted("Reapply") {
        return Some(Form::Reapply(inner));
    }
    let (kind, inner) = subject.split_once(':')?;
    let name = kind.split('(').next()?.trim_end_matches('!');
    name.eq_ignore_ascii_case("revert")
        .then(|| Form::Revert(inner.trim()))
}

/// Takes off all words about taking back: an even number of reverts makes the change again.
pub(crate) fn fold(subject: &str) -> (&str, Effect) {
    let mut effect = Effect::Apply;
    let mut change = subject.trim();
    while let Some(form) = form(change) {
        match form {
            Form::Revert(inner) => {
                change = inner;
                effect = match effect {
                    Effect::Apply => Effect::Revert,
                    Effect::Revert => Effect::Apply,
                };
            }
            Form::Reapply(inner) => change = inner,
        }
    }
    (change, effect)
}

/// The ids in `This reverts commit 0123abc…`, in lower case, whole or at least 7 digits long.
fn reverted_ids(body: &str) -> Vec<String> {
    const SENTENCE: &str = "This reverts commit";
    let mut ids = Vec::new();
    for (at, _) in body.match_indices(SENTENCE) {
        let rest = body[at + SENTENCE.len()..].trim_start_matches('s');
        for word in rest.split_whitespace() {
            let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
            let is_id = (7..=40).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_id {
                ids.push(bare.to_ascii_lowercase());
            } else if bare != "and" {
                break;
            }
        }
    }
    ids
}

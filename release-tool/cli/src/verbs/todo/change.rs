//! Writing a changed plan, and committing it.

use super::LivingPlan;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use clap::Args;
use vrel_todo::EditError;
use vrel_world::{FileCommit, World};

/// What becomes of a change.
#[derive(Clone, Debug, Args)]
pub(crate) struct Change {
    /// Commit the change on the branch that is checked out. The plan must have no other changes.
    #[arg(long)]
    commit: bool,
}

/// How long a commit's subject gets.
const SUBJECT: usize = 72;

impl Change {
    /// Whether a commit was asked for.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.commit
    }

    /// Writes the plan's new text into the work tree, or commits it, and prints the lines that changed. `subject` says what
    /// the change is, for the commit.
    ///
    /// # Errors
    /// When the plan refused the change, has it already, or cannot be written.
    pub(crate) fn make(
        &self,
        app: &App,
        plan: &LivingPlan,
        subject: &str,
        new: Result<String, EditError>,
    ) -> Outcome {
        let new = new.map_err(|error| plan.refused(&error))?;
        let commit = if self.commit {
            commit(app, plan, subject, &new)?
        } else {
            if new == plan.text {
                return Err(nothing_to_do(plan));
            }
            let fs = app.world.fs();
            let mode = fs.metadata(&plan.path)?.map_or(0o644, |found| found.mode);
            fs.write(&plan.path, new.as_bytes(), mode)?;
            None
        };
        let changes = changes(&plan.text, &new);
        if app.global.json {
            let lines: Vec<_> = changes
                .iter()
                .map(|(sign, line, text)| serde_json::json!({"change": sign, "line": line, "text": text}))
                .collect();
            return output::print_json(
                &serde_json::json!({"file": plan.name, "commit": commit, "changes": lines}),
            );
        }
        let mut text = String::new();
        for (sign, line, body) in &changes {
            text += &format!("{}:{line}: {sign}{body}\n", plan.name);
        }
        if let Some(commit) = commit {
            text += &format!("committed as {}\n", commit.get(..12).unwrap_or(&commit));
        }
        output::print(&text)
    }
}

fn nothing_to_do(plan: &LivingPlan) -> Failure {
    Failure::new(FailureKind::NothingToDo, format!("{} says so already", plan.name))
}

/// Commits the new text on the branch that is checked out.
fn commit(app: &App, plan: &LivingPlan, subject: &str, new: &str) -> Result<Option<String>, Failure> {
    let (git, root) = (app.world.git(), plan.site.root());
    let head = git.head(root)?;
    let (Some(branch), Some(tip)) = (head.branch, head.commit) else {
        let failure = Failure::new(
            FailureKind::Policy,
            "no branch is checked out that could be committed to",
        );
        return Err(failure.hint("check a branch out, or leave `--commit` away"));
    };
    let message = message(subject);
    let request = |parent: &str| {
        let commit = FileCommit {
            branch: &branch,
            parent,
            path: &plan.name,
            content: new.as_bytes(),
            message: &message,
            time: app.world.now(),
        };
        git.commit_file(root, &commit)
    };
    if !git.dirty_paths(root)?.contains(&plan.name) {
        if new == plan.text {
            return Err(nothing_to_do(plan));
        }
        return Ok(Some(request(&tip)?));
    }
    // A command that died between the commit and the work tree left the old text there: only that is made up for.
    let committed = git.file_at(root, &tip, &plan.name)?;
    if committed.as_deref() == Some(new.as_bytes())
        && let Some(parent) = git.first_parent(root, &tip)?
        && let Ok(commit) = request(&parent)
    {
        return Ok(Some(commit));
    }
    let message = format!("{} has changes that are not committed", plan.name);
    Err(Failure::new(FailureKind::Policy, message).hint("commit them first, or leave `--commit` away"))
}

/// A conventional message; what is too long for its subject goes into its body.
fn message(subject: &str) -> String {
    let subject = format!("docs(plan): {subject}");
    if subject.chars().count() <= SUBJECT {
        return format!("{subject}\n");
    }
    let start: String = subject.chars().take(SUBJECT - 2).collect();
    let start = start.rsplit_once(' ').map_or(start.as_str(), |(start, _)| start);
    format!("{start} …\n\n{}\n", subject.trim_start_matches("docs(plan): "))
}

/// The lines that differ: what goes (with its number before) and what comes (with its number after).
fn changes<'t>(before: &'t str, after: &'t str) -> Vec<(char, usize, &'t str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = (&old[start..], &new[start..]);
    let end = rest
        .0
        .iter()
        .rev()
        .zip(rest.1.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (old, new) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        // Where lines agree again next: an edit touches a few lines, so looking on is cheap.
        let next = (0..old.len() - i + new.len() - j)
            .flat_map(|sum| (0..=sum).map(move |skip| (i + skip, j + sum - skip)))
            .find(|&(a, b)| a < old.len() && b < new.len() && old[a] == new[b])
            .unwrap_or((old.len(), new.len()));
        found.extend((i..next.0).map(|at| ('-', start + at + 1, old[at])));
        found.extend((j..next.1).map(|at| ('+', start + at + 1, new[at])));
        (i, j) = next;
        while i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_have_the_numbers_that_they_have_in_their_text() {
        assert_eq!(
            changes("a\nb\nc\nd\ne\n", "a\nB\nc\nx\nd\ne\n"),
            [('-', 2, "b"), ('+', 2, "B"), ('+', 4, "x")]
        );
        assert_eq!(changes("a\nb\nc", "a\nc"), [('-', 2, "b")]);
        assert_eq!(changes("a\n", "a\n"), []);
    }

    #[test]
    fn a_long_subject_goes_on_in_the_body() {
        assert_eq!(message("tick \"vpkg\""), "docs(plan): tick \"vpkg\"\n");
        let long = format!("tick \"{}\"", "word ".repeat(20).trim());
        let message = message(&long);
        let (subject, body) = message.split_once("\n\n").unwrap();
        assert!(
            subject.chars().count() <= SUBJECT && subject.ends_with("word …"),
            "{subject}"
        );
        assert_eq!(body, format!("{long}\n"));
    }
}

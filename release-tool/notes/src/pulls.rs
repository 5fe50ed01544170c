//! Which pull request brought a commit, where it came by a merge.

use crate::graph::Graph;
use crate::header::split_pulls;
use crate::references::number;
use std::collections::HashMap;
use vrel_model::HistoryCommit;

/// For each commit that a pull request brought by a merge, the request's number. Of several, one inside another, it is the
/// innermost: that is where the change was discussed.
///
/// The commits come children before parents. What one brought is what its merge leads to, and the branch that it was merged
/// into did not.
#[must_use]
pub fn brought<'c>(commits: &[&'c HistoryCommit]) -> HashMap<&'c str, u64> {
    let numbered = |commit: &&&HistoryCommit| commit.is_merge() && pull_of(&commit.message).is_some();
    let merges: Vec<&&HistoryCommit> = commits.iter().filter(numbered).collect();
    let mut brought = HashMap::new();
    if merges.is_empty() {
        return brought;
    }
    let graph = Graph::new(commits.iter().copied());
    // A merge inside a branch is older than the one that brought the branch.
    for merge in merges.iter().rev() {
        let (Some(number), Some((into, from))) = (pull_of(&merge.message), merge.parents.split_first())
        else {
            continue;
        };
        let from = from.iter().filter_map(|id| graph.place(id));
        for place in graph.difference(from, graph.place(into)).0 {
            brought.entry(commits[place].id.as_str()).or_insert(number);
        }
    }
    brought
}

/// The pull request that a merge says it is of: `Merge pull request #12 from …` (GitHub), `Merged in … (pull request #12)`
/// (Bitbucket), or a title with `(#12)` at its end.
fn pull_of(message: &str) -> Option<u64> {
    let subject = message.trim_start().lines().next()?;
    let named = subject
        .split_once("ull request #")
        .and_then(|(_, rest)| number(&rest[..rest.bytes().take_while(u8::is_ascii_digit).count()]));
    named.or_else(|| split_pulls(subject).1.last().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::UtcTime;

    fn commit(id: &str, parents: &[&str], message: &str) -> HistoryCommit {
        HistoryCommit {
            id: id.to_owned(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            author_name: "Ada".to_owned(),
            author_email: "ada@example.org".to_owned(),
            time: UtcTime::from_unix(0).unwrap(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn the_number_is_in_the_subject_of_a_merge() {
        for (message, expected) in [
            ("Merge pull request #12 from ada/usb\n\nfeat: #13", Some(12)),
            ("Merged in ada/usb (pull request #7)", Some(7)),
            ("Bring USB (#9)", Some(9)),
            ("Merge branch 'usb'\n\nSee pull request #3", None),
            ("Merge pull request #x from y", None),
            ("Merge pull request #0 from y", None),
            ("", None),
        ] {
            assert_eq!(pull_of(message), expected, "{message}");
        }
    }

    /// ```text
    /// m20 ─ main2 ──── main1 ─ base
    ///    └ b2 ─ m10 ─ b1 ──────┘
    ///               └ c1 ──────┘
    /// ```
    #[test]
    fn commits_have_the_number_of_the_innermost_request_that_brought_them() {
        let commits = [
            commit("m20", &["main2", "b2"], "Merge pull request #20 from o/b"),
            commit("b2", &["m10"], "feat: b2"),
            commit("main2", &["main1"], "feat: main2"),
            commit("m10", &["b1", "c1"], "Merge pull request #10 from o/c"),
            commit("c1", &["base"], "feat: c1"),
            commit("b1", &["base"], "feat: b1"),
            commit("main1", &["base"], "feat: main1"),
            commit("base", &["older"], "feat: base"),
        ];
        let all: Vec<&HistoryCommit> = commits.iter().collect();
        let found = brought(&all);
        let expected = HashMap::from([("b2", 20), ("m10", 20), ("b1", 20), ("c1", 10)]);
        assert_eq!(found, expected);
        // What the release before has is not there to be looked at.
        let cut = brought(&all[..5]);
        assert_eq!(cut, HashMap::from([("b2", 20), ("m10", 20), ("c1", 10)]));
        assert!(brought(&all[1..3]).is_empty());
    }

    #[test]
    fn what_the_branch_had_already_was_not_brought() {
        // The branch merged main into itself before it was merged.
        let commits = [
            commit("m5", &["main2", "sync"], "Merge pull request #5 from o/b"),
            commit("sync", &["b1", "main2"], "Merge branch 'main' into b"),
            commit("main2", &["base"], "feat: main2"),
            commit("b1", &["base"], "feat: b1"),
            commit("base", &[], "feat: base"),
        ];
        let all: Vec<&HistoryCommit> = commits.iter().collect();
        assert_eq!(brought(&all), HashMap::from([("sync", 5), ("b1", 5)]));
    }
}

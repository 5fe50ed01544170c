//! The shapes of GitHub's answers, as its documentation has them (version 2022-11-28), as far as anything here needs them.

use serde::Deserialize;

/// A person, a program, or an organisation.
#[derive(Debug, Deserialize)]
pub(crate) struct Account {
    pub(crate) login: String,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Team {
    pub(crate) slug: String,
}

/// One end of a pull request.
#[derive(Debug, Deserialize)]
pub(crate) struct End {
    #[serde(rename = "ref")]
    pub(crate) branch: String,
    pub(crate) sha: String,
}

/// `GET /repos/{owner}/{repo}/pulls/{number}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) title: String,
    pub(crate) html_url: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) draft: bool,
    /// `None` for an account that was deleted.
    pub(crate) user: Option<Account>,
    pub(crate) head: End,
    pub(crate) base: End,
    pub(crate) mergeable: Option<bool>,
    #[serde(default)]
    pub(crate) requested_reviewers: Vec<Account>,
    #[serde(default)]
    pub(crate) requested_teams: Vec<Team>,
}

/// An element of `GET /repos/{owner}/{repo}/pulls`.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedPull {
    pub(crate) number: u64,
}

/// An element of `GET /repos/{owner}/{repo}/pulls/{number}/reviews`.
#[derive(Debug, Deserialize)]
pub(crate) struct GivenReview {
    pub(crate) user: Option<Account>,
    pub(crate) state: String,
    pub(crate) commit_id: Option<String>,
    /// Missing while the review is being written.
    pub(crate) submitted_at: Option<String>,
    #[serde(default)]
    pub(crate) author_association: String,
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckRuns {
    pub(crate) total_count: usize,
    pub(crate) check_runs: Vec<CheckRun>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CheckRun {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) html_url: Option<String>,
    pub(crate) completed_at: Option<String>,
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/status`.
#[derive(Debug, Deserialize)]
pub(crate) struct CombinedStatus {
    pub(crate) total_count: usize,
    pub(crate) statuses: Vec<Status>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) context: String,
    pub(crate) state: String,
    pub(crate) target_url: Option<String>,
    pub(crate) updated_at: Option<String>,
}

/// What an answer says that is none.
#[derive(Debug, Deserialize)]
pub(crate) struct Complaint {
    pub(crate) message: String,
}

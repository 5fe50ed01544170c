//! GitHub, asked over its REST interface.

use crate::answers::{Account, CheckRuns, CombinedStatus, GivenReview, ListedPull, Pull};
use crate::connection::Connection;
use crate::{ForgeLimits, Token};
use serde::de::DeserializeOwned;
use vrel_model::{
    CheckState, CommitCheck, ForgeConfig, PullRequest, RepositorySlug, Review, ReviewState, UtcTime,
    is_commit_id,
};
use vrel_world::{ErrorKind, Forge, Result, World, WorldError};

/// How many elements of a list are asked for at a time: the most that there may be.
const PAGE: usize = 100;

/// How many pages of a list are read before it is held to be endless.
const PAGES: usize = 50;

/// Who may decide, as GitHub says how somebody belongs to a repository. Everybody can review a public one.
const DECIDING: [&str; 3] = ["OWNER", "MEMBER", "COLLABORATOR"];

/// The name that GitHub shows for accounts that were deleted.
const GHOST: &str = "ghost";

/// A repository at GitHub, or at an installation of GitHub Enterprise Server.
pub struct Github<'w> {
    connection: Connection<'w>,
    repository: RepositorySlug,
}

impl<'w> Github<'w> {
    /// A client of the configured repository. Makes no connection yet.
    ///
    /// # Errors
    /// When the address is not one that a token may be sent to: `https`, or `http` on this machine.
    pub fn new(
        world: &'w dyn World,
        config: &ForgeConfig,
        token: Option<Token>,
        limits: ForgeLimits,
    ) -> Result<Self> {
        Ok(Self {
            connection: Connection::new(world, &config.api_url, token, limits)?,
            repository: config.repository.clone(),
        })
    }

    fn path(&self, rest: &str) -> String {
        format!(
            "repos/{}/{}/{rest}",
            self.repository.owner(),
            self.repository.name()
        )
    }

    /// All elements of a list that comes in pages.
    fn all<T: DeserializeOwned, E>(
        &self,
        object: &str,
        path: &str,
        elements: impl Fn(T) -> (Vec<E>, Option<usize>),
    ) -> Result<Vec<E>> {
        let mut found = Vec::new();
        let separator = if path.contains('?') { '&' } else { '?' };
        for page in 1..=PAGES {
            let (answer, has_more) = self
                .connection
                .get(object, &format!("{path}{separator}per_page={PAGE}&page={page}"))?;
            let (mut some, total) = elements(answer);
            found.append(&mut some);
            if has_more {
                continue;
            }
            // Half a list would make a change look better than it is.
            if let Some(total) = total.filter(|total| *total > found.len()) {
                let reason = format!("the forge says that there are {total}, and sent {}", found.len());
                return Err(wrong(object, reason));
            }
            return Ok(found);
        }
        Err(wrong(object, format!("the list has more than {PAGES} pages")))
    }
}

fn wrong(object: &str, reason: impl Into<String>) -> WorldError {
    WorldError::new("read", object, ErrorKind::Other, reason)
}

fn login(account: Option<Account>) -> String {
    account.map_or_else(|| GHOST.to_owned(), |account| account.login)
}

fn time(object: &str, text: &str) -> Result<UtcTime> {
    text.parse()
        .map_err(|_| wrong(object, format!("expected a time, got `{}`", text.escape_debug())))
}

fn commit(object: &str, id: String) -> Result<String> {
    if is_commit_id(&id) {
        return Ok(id);
    }
    Err(wrong(
        object,
        format!("expected a commit, got `{}`", id.escape_debug()),
    ))
}

impl Forge for Github<'_> {
    fn pull_request(&self, number: u64) -> Result<PullRequest> {
        let object = format!("pull request #{number} of {}", self.repository);
        let (pull, _): (Pull, _) = self
            .connection
            .get(&object, &self.path(&format!("pulls/{number}")))?;
        let people = pull.requested_reviewers.into_iter().map(|account| account.login);
        let teams = pull.requested_teams.into_iter().map(|team| team.slug);
        Ok(PullRequest {
            number: pull.number,
            title: pull.title,
            url: pull.html_url,
            is_open: pull.state == "open",
            is_draft: pull.draft,
            author: login(pull.user),
            head: pull.head.branch,
            commit: commit(&object, pull.head.sha)?,
            base: pull.base.branch,
            mergeable: pull.mergeable,
            asked: people.chain(teams).collect(),
        })
    }

    fn open_pull_requests(&self, head: &str, base: &str) -> Result<Vec<u64>> {
        let object = format!("the pull requests of {} from {head} into {base}", self.repository);
        let owner = self.repository.owner();
        let path = self.path(&format!(
            "pulls?state=open&head={}&base={}",
            quoted(&format!("{owner}:{head}")),
            quoted(base)
        ));
        let listed = self.all(&object, &path, |pulls: Vec<ListedPull>| (pulls, None))?;
        let mut numbers: Vec<u64> = listed.into_iter().map(|pull| pull.number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn reviews(&self, number: u64) -> Result<Vec<Review>> {
        let object = format!("the reviews of pull request #{number} of {}", self.repository);
        let path = self.path(&format!("pulls/{number}/reviews"));
        let given = self.all(&object, &path, |reviews: Vec<GivenReview>| (reviews, None))?;
        let mut reviews = Vec::new();
        for review in given {
            let state = match review.state.as_str() {
                "APPROVED" => ReviewState::Approved,
                "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
                "COMMENTED" => ReviewState::Commented,
                "DISMISSED" => ReviewState::Dismissed,
                // It is being written, and shown to nobody else.
                "PENDING" => continue,
                other => {
                    let reason = format!("a review is `{}`, which is not known", other.escape_debug());
                    return Err(wrong(&object, reason));
                }
            };
            let at = review
                .submitted_at
                .ok_or_else(|| wrong(&object, "a review says not when it was given"))?;
            let is_person = review
                .user
                .as_ref()
                .is_some_and(|user| user.kind.as_deref() == Some("User"));
            reviews.push(Review {
                may_decide: is_person && DECIDING.contains(&review.author_association.as_str()),
                person: login(review.user),
                state,
                commit: review.commit_id.map(|id| commit(&object, id)).transpose()?,
                at: time(&object, &at)?,
            });
        }
        reviews.sort_by_key(|review| review.at);
        Ok(reviews)
    }

    fn checks(&self, commit: &str) -> Result<Vec<CommitCheck>> {
        let object = format!("the checks of {commit} of {}", self.repository);
        let runs = self.path(&format!("commits/{commit}/check-runs?filter=latest"));
        let runs = self.all(&object, &runs, |runs: CheckRuns| {
            (runs.check_runs, Some(runs.total_count))
        })?;
        let statuses = self.path(&format!("commits/{commit}/status"));
        let statuses = self.all(&object, &statuses, |status: CombinedStatus| {
            (status.statuses, Some(status.total_count))
        })?;
        let ended = |text: Option<String>| text.map(|text| time(&object, &text)).transpose();
        let mut checks = Vec::new();
        for run in runs {
            let is_over = run.status == "completed";
            let said = run.conclusion.filter(|_| is_over).unwrap_or(run.status);
            checks.push(CommitCheck {
                name: run.name,
                state: match said.as_str() {
                    "success" | "neutral" | "skipped" => CheckState::Passed,
                    _ if is_over => CheckState::Failed,
                    _ => CheckState::Pending,
                },
                said,
                url: run.html_url,
                ended: ended(run.completed_at)?,
            });
        }
        for status in statuses {
            let state = match status.state.as_str() {
                "success" => CheckState::Passed,
                "pending" => CheckState::Pending,
                _ => CheckState::Failed,
            };
            checks.push(CommitCheck {
                name: status.context,
                state,
                said: status.state,
                url: status.target_url,
                ended: ended(status.updated_at)?.filter(|_| state != CheckState::Pending),
            });
        }
        checks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(checks)
    }
}

/// A value of a query.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let quote = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(quote).collect()
}

//! What is known of a merge that somebody wants: from the repository, and from the forge or else the records.

use crate::gates::recorded_approvals;
use crate::{EngineError, Site};
use vrel_model::{Config, ForgeConfig, PullRequest, is_commit_id};
use vrel_process::{Approvals, MergeFacts, MergeProposal, Policies, judge_commit_approvals};
use vrel_world::{Forge, World};

/// Which merge.
#[derive(Clone, Debug, Default)]
pub struct MergeRequest {
    /// The branch that is to be merged; `None`: the one of the pull request, else the one that is checked out.
    pub branch: Option<String>,
    /// The branch that it is to be merged into; `None`: the development branch.
    pub into: Option<String>,
    /// The pull request; `None`: the only open one for these branches.
    pub pull: Option<u64>,
}

/// Collects what is known, or `None` when the branch has been merged already.
///
/// # Errors
/// When a branch is not there, when there is not exactly one pull request, or when repository or forge cannot be read.
pub fn merge_facts(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    forge: Option<&dyn Forge>,
    wanted: &MergeRequest,
) -> Result<Option<MergeFacts>, EngineError> {
    let config = &policies.config;
    let into = wanted.into.clone().unwrap_or_else(|| config.git.main.clone());
    let asked = match (forge, wanted.pull) {
        (Some(forge), Some(number)) => Some(forge.pull_request(number)?),
        (None, Some(number)) => {
            return Err(refused(
                format!("pull request #{number} cannot be looked at: vrel.toml has no `[forge]`"),
                "add it, or name the branch instead",
            ));
        }
        (_, None) => None,
    };
    let branch = match (&wanted.branch, &asked) {
        (Some(branch), _) => branch.clone(),
        (None, Some(request)) => request.head.clone(),
        (None, None) => world.git().head(site.root())?.branch.ok_or_else(|| {
            refused(
                "HEAD is detached, so the branch is not known".to_owned(),
                "name the branch that is to be merged",
            )
        })?,
    };
    // The branch of a request from another repository may have any name.
    let elsewhere = asked.as_ref().filter(|_| wanted.branch.is_none());
    if branch == into && elsewhere.is_none() {
        return Err(refused(
            format!("{branch} cannot be merged into itself"),
            "name the branch that is to be merged",
        ));
    }
    let commit = match elsewhere {
        Some(request) => known_here(world, site, request)?,
        None => tip(world, site, config, &branch)?,
    };
    let onto = tip(world, site, config, &into)?;
    if world.git().is_ancestor(site.root(), &commit, &onto)? {
        return Ok(None);
    }
    let request = match (asked, forge) {
        (Some(request), _) => Some(request),
        (None, Some(forge)) => {
            let number = match forge.open_pull_requests(&branch, &into)?[..] {
                [number] => number,
                [] => {
                    return Err(refused(
                        format!("there is no open pull request from {branch} into {into}"),
                        "open one, or name it with `--pull N` where it comes from another repository",
                    ));
                }
                ref several => {
                    let numbers: Vec<String> = several.iter().map(|number| format!("#{number}")).collect();
                    return Err(refused(
                        format!("there are several: {}", numbers.join(", ")),
                        "name one with `--pull N`",
                    ));
                }
            };
            Some(forge.pull_request(number)?)
        }
        (None, None) => None,
    };
    let proposal = match (request, forge) {
        (Some(request), Some(forge)) => Some(MergeProposal {
            reviews: forge.reviews(request.number)?,
            checks: forge.checks(&request.commit)?,
            request,
        }),
        _ => None,
    };
    let recorded = match forge {
        Some(_) => Approvals::default(),
        None => on_record(world, site, policies, &commit, &onto)?,
    };
    Ok(Some(MergeFacts {
        recorded,
        trial: world.git().picking().try_merge(site.root(), &onto, &commit)?,
        branch,
        commit,
        into,
        onto,
        proposal,
    }))
}

/// Who approved a release of the commit. Approvals of older commits are said where they have not been merged, either: they are
/// those that a later commit made stale.
fn on_record(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    commit: &str,
    onto: &str,
) -> Result<Approvals, EngineError> {
    let git = world.git();
    let (all, problems) = recorded_approvals(world, site, policies)?;
    let mut relevant = Vec::new();
    for fact in all {
        let approved = &fact.statement.commit;
        if approved == commit
            || (is_commit_id(approved)
                && git.revision(site.root(), approved)?.is_some()
                && git.is_ancestor(site.root(), approved, commit)?
                && !git.is_ancestor(site.root(), approved, onto)?)
        {
            relevant.push(fact);
        }
    }
    let needed = usize::try_from(ForgeConfig::APPROVALS).unwrap_or(usize::MAX);
    let mut judged = judge_commit_approvals(policies, &relevant, commit, needed, world.now());
    judged.refused.extend(problems);
    Ok(judged)
}

fn refused(message: String, hint: &str) -> EngineError {
    EngineError::Refused {
        message,
        hint: Some(hint.to_owned()),
    }
}

/// The last commit of a request, which must be here to be tried.
fn known_here(world: &dyn World, site: &Site, request: &PullRequest) -> Result<String, EngineError> {
    if world.git().revision(site.root(), &request.commit)?.is_some() {
        return Ok(request.commit.clone());
    }
    let number = request.number;
    Err(refused(
        format!(
            "{}, the last commit of #{number}, is not in this clone",
            request.commit
        ),
        &format!("`git fetch origin pull/{number}/head`"),
    ))
}

/// A branch's tip as the remote had it last, else the local one's: what is merged is what everybody sees.
fn tip(world: &dyn World, site: &Site, config: &Config, branch: &str) -> Result<String, EngineError> {
    let names = [
        format!("refs/remotes/{}/{branch}", config.git.remote),
        format!("refs/heads/{branch}"),
    ];
    for name in names {
        if let Some(tip) = world.git().resolve(site.root(), &name)? {
            return Ok(tip);
        }
    }
    Err(refused(
        format!(
            "there is no branch {branch}, neither here nor, as far as is known here, in {}",
            config.git.remote
        ),
        "look at `git branch --all`; fetch it where only the remote has it",
    ))
}

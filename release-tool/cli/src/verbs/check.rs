//! `vrel check`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::short;
use clap::{Args, Subcommand};
use vrel_engine::freeze::{all_freezes, landing_commits};
use vrel_engine::load_at_commit;
use vrel_engine::records::Records;
use vrel_model::{BranchName, Config};
use vrel_process::freeze::{LandingCommit, LineFreezes, Refusal, active, check_commits, check_form, wanted};
use vrel_world::World;

/// Hold commits to the rules of the branch that they would land on.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel check commits origin/main..HEAD\n  vrel check commits origin/release/0.6..HEAD --branch \
                        release/0.6 --json"
)]
pub(crate) struct Check {
    /// What to check.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a range: every commit has a type, and while the branch is frozen only fixes land.
    ///
    /// The rules are those of the remote's main branch, where this repository knows it, and of the records. The range has
    /// no say in them.
    Commits(Commits),
}

#[derive(Clone, Debug, Args)]
struct Commits {
    /// The commits: FROM..TO, or one commit.
    #[arg(value_name = "RANGE")]
    range: String,
    /// The branch that they would land on [default: the one that is checked out].
    #[arg(long, value_name = "BRANCH")]
    branch: Option<BranchName>,
    /// Judge by the records that are here, and do not ask the remote for newer ones.
    #[arg(long)]
    offline: bool,
}

impl Check {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let Command::Commits(commits) = self.command;
        commits.run(app)
    }
}

impl Commits {
    fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let branch = self.branch(app, site.root())?;
        let (hidden, to) = self.range(app, site.root())?;
        let config = rules(app, site.root(), policies.config)?;
        let records = Records::new(&app.world, &site, &config);
        if !self.offline {
            records.refresh()?;
        }
        let freezes = all_freezes(&records.view()?)?;
        let now = app.world.now();
        let windows = active(&freezes, &branch, now);
        let wanted = wanted(windows.iter().map(|(_, window)| *window), &config.freeze);
        let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
        let commits = landing_commits(&app.world, site.root(), &hidden, &to, wanted)?;
        let refusals = judge(&branch, &freezes, &config, &commits, now);
        report(app, &branch, commits.len(), &refusals)
    }

    fn branch(&self, app: &App, root: &std::path::Path) -> Result<BranchName, Failure> {
        if let Some(branch) = &self.branch {
            return Ok(branch.clone());
        }
        let head = app
            .world
            .git()
            .head(root)?
            .branch
            .and_then(|branch| branch.parse().ok());
        head.ok_or_else(|| {
            Failure::new(FailureKind::Usage, "HEAD is detached, so the branch is not known")
                .hint("pass `--branch` with the branch that the commits would land on")
        })
    }

    /// What the commits do not include, and the last of them.
    fn range(&self, app: &App, root: &std::path::Path) -> Result<(Vec<String>, String), Failure> {
        let git = app.world.git();
        let find = |text: &str| {
            let text = if text.is_empty() { "HEAD" } else { text };
            git.revision(root, text)?.ok_or_else(|| {
                Failure::new(
                    FailureKind::Policy,
                    format!("`{text}` is no commit of this repository"),
                )
                .hint("a shallow clone lacks most of them: `git fetch --unshallow`")
            })
        };
        if self.range.contains("...") {
            return Err(
                Failure::new(FailureKind::Usage, "`...` names commits of two sides")
                    .hint("`FROM..TO` are those that TO has and FROM lacks"),
            );
        }
        if let Some((from, to)) = self.range.split_once("..") {
            return Ok((vec![find(from)?], find(to)?));
        }
        let commit = find(&self.range)?;
        let mut parents = Vec::new();
        while let Some(parent) = git.revision(root, &format!("{commit}^{}", parents.len() + 1))? {
            parents.push(parent);
        }
        Ok((parents, commit))
    }
}

/// The configuration on the remote's main branch, else on the local one.
fn rules(app: &App, root: &std::path::Path, here: Config) -> Result<Config, Failure> {
    let git = app.world.git();
    let (remote, main) = (&here.git.remote, &here.git.main);
    for name in [
        format!("refs/remotes/{remote}/{main}"),
        format!("refs/heads/{main}"),
    ] {
        if let Some(tip) = git.resolve(root, &name)? {
            return Ok(load_at_commit(&app.world, root, &tip)?);
        }
    }
    Ok(here)
}

fn judge(
    branch: &BranchName,
    freezes: &[LineFreezes],
    config: &Config,
    commits: &[LandingCommit],
    now: vrel_model::UtcTime,
) -> Vec<Refusal> {
    let mut refusals = check_form(commits);
    refusals.extend(check_commits(branch, freezes, &config.freeze, commits, now));
    refusals
}

fn report(app: &App, branch: &BranchName, count: usize, refusals: &[Refusal]) -> Outcome {
    if app.global.json {
        output::print_json(&serde_json::json!({"branch": branch, "commits": count, "refusals": refusals}))?;
    } else if refusals.is_empty() {
        output::print(&format!("{count} commits may land on {branch}.\n"))?;
    } else {
        output::print(&describe(refusals))?;
    }
    if refusals.is_empty() {
        return Ok(());
    }
    if app.global.json {
        return Err(Failure::told(FailureKind::Policy));
    }
    let message = format!("{} breaches of the rules of {branch}", refusals.len());
    Err(Failure::new(FailureKind::Policy, message))
}

/// Refusals as a person reads them.
pub(crate) fn describe(refusals: &[Refusal]) -> String {
    let lines = refusals.iter().map(|refusal| {
        format!(
            "  {} {}\n      author  {}\n      rule    {}: {}\n      hint    {}\n",
            short(&refusal.commit),
            refusal.subject,
            refusal.author,
            refusal.rule,
            refusal.why,
            refusal.hint
        )
    });
    lines.collect()
}

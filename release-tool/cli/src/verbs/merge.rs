//! `vrel merge`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::short;
use clap::{Args, Subcommand};
use vrel_engine::{MergeRequest, merge_facts};
use vrel_forge::{ForgeLimits, Github, Token};
use vrel_model::{BranchName, ForgeConfig, ForgeKind};
use vrel_process::{MergeCondition, MergeFacts, MergeVerdict, check_merge};
use vrel_world::Forge;

/// Say whether a branch may be merged.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vrel merge check release/0.6\n  vrel merge check --pull 12 --json")]
pub(crate) struct Merge {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a merge: no conflicts, enough approvals, every check green, and a last look at all of it.
    ///
    /// Conflicts are found here, by a merge in memory of the branches as the remote had them last. The rest is asked of the
    /// forge in `[forge]` of vrel.toml, with the token in the variable that it names. Without a forge the approvals are those
    /// that `vrel approve` recorded of the same commit; checks and the final review stay unknown, and the exit code is 3.
    /// Nothing is changed anywhere.
    #[command(
        after_help = "Examples:\n  git fetch && vrel merge check release/0.6\n  vrel merge check --pull 12\n  vrel merge \
                            check release/0.6 --into next --json"
    )]
    Check(Check),
}

#[derive(Debug, Args)]
struct Check {
    /// The branch that is to be merged [default: that of the pull request, else the one that is checked out]
    #[arg(value_name = "BRANCH")]
    branch: Option<BranchName>,
    /// The branch that it is to be merged into [default: `git.main` of vrel.toml]
    #[arg(long, value_name = "BRANCH")]
    into: Option<BranchName>,
    /// The pull request's number [default: the only open one for these branches]
    #[arg(long, value_name = "N")]
    pull: Option<u64>,
}

impl Merge {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let Command::Check(check) = self.command;
        check.run(app)
    }
}

impl Check {
    fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let config = &policies.config;
        let forge = config
            .forge
            .as_ref()
            .map(|forge| client(app, forge))
            .transpose()?;
        let wanted = MergeRequest {
            branch: self.branch.map(|branch| branch.to_string()),
            into: self.into.map(|branch| branch.to_string()),
            pull: self.pull,
        };
        let asked = forge.as_ref().map(|forge| forge as &dyn Forge);
        let Some(facts) = merge_facts(&app.world, &site, &policies, asked, &wanted)? else {
            return Err(Failure::new(
                FailureKind::NothingToDo,
                "the branch has been merged already",
            ));
        };
        let conditions = check_merge(&facts, config.forge.as_ref());
        report(app, &facts, &conditions)
    }
}

/// The forge. Only here is the token looked at.
fn client<'w>(app: &'w App, config: &ForgeConfig) -> Result<Github<'w>, Failure> {
    let variable = &config.token_variable;
    let token = match std::env::var(variable) {
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => return Err(no_token(variable)),
        Ok(text) if text.is_empty() => None,
        Ok(text) => Some(Token::new(&text).map_err(|_| no_token(variable))?),
    };
    match config.kind {
        ForgeKind::Github => Ok(Github::new(&app.world, config, token, ForgeLimits::default())?),
    }
}

fn no_token(variable: &str) -> Failure {
    let message = format!("the variable {variable} holds no token");
    Failure::new(FailureKind::Environment, message).hint("a token has visible ASCII characters and no blanks")
}

fn report(app: &App, facts: &MergeFacts, conditions: &[MergeCondition]) -> Outcome {
    let (mut messages, mut hints) = (Vec::new(), Vec::<String>::new());
    for condition in conditions
        .iter()
        .filter(|condition| condition.verdict != MergeVerdict::Holds)
    {
        let what = match condition.verdict {
            MergeVerdict::Unknown => "is not known to hold",
            _ => "does not hold",
        };
        messages.push(format!("`{}` {what}", condition.check));
        hints.extend(condition.hint.clone());
    }
    hints.dedup();
    if app.global.json {
        output::print_json(&serde_json::json!({
            "branch": facts.branch, "commit": facts.commit, "into": facts.into, "onto": facts.onto,
            "pull": facts.proposal.as_ref().map(|proposal| proposal.request.number),
            "may_be_merged": messages.is_empty(), "conditions": conditions,
        }))?;
    } else {
        output::print(&describe(facts, conditions))?;
    }
    if messages.is_empty() {
        return Ok(());
    }
    if app.global.json {
        return Err(Failure::told(FailureKind::Policy));
    }
    let mut failure = Failure::told(FailureKind::Policy);
    (failure.messages, failure.hints) = (messages, hints);
    Err(failure)
}

fn describe(facts: &MergeFacts, conditions: &[MergeCondition]) -> String {
    let mut text = format!(
        "{} at {} into {} at {}\n",
        facts.branch,
        short(&facts.commit),
        facts.into,
        short(&facts.onto)
    );
    if let Some(proposal) = &facts.proposal {
        text.push_str(&format!("{}\n", proposal.request.url));
    }
    for condition in conditions {
        let verdict = match condition.verdict {
            MergeVerdict::Holds => "holds",
            MergeVerdict::Fails => "fails",
            MergeVerdict::Unknown => "unknown",
        };
        for (number, because) in condition.because.iter().enumerate() {
            let (name, verdict) = if number == 0 {
                (condition.check, verdict)
            } else {
                ("", "")
            };
            // Titles and names come from outside, and a terminal obeys what it is sent.
            let because = because.replace(char::is_control, " ");
            text.push_str(&format!("  {name:<12}  {verdict:<7}  {because}\n"));
        }
    }
    text
}

//! `vrel next`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::short;
use clap::Args;
use vrel_engine::next_facts;
use vrel_model::{ChannelName, Line, Version};
use vrel_process::{Bump, Next, Policies, next_version};

/// Propose the next version, and say why.
///
/// It follows from what commits since the newest final release say of themselves, from what changed in the system-call
/// table and the user library, from the tags that are there, and from the living plan. Nothing is changed.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel next\n  vrel next --line 0.6\n  vrel next --channel beta --json | jq -r \
                        '.proposals[].version'"
)]
pub(crate) struct NextArgs {
    /// Propose for this line, MAJOR.MINOR, from its release branch.
    #[arg(long, value_name = "LINE", value_parser = line)]
    line: Option<Line>,
    /// Propose only what this channel takes.
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<ChannelName>,
}

/// Reads `0.6`.
fn line(text: &str) -> Result<Line, String> {
    let version: Result<Version, _> = format!("{text}.0").parse();
    match version {
        Ok(version) if version.final_version() == version => Ok(version.line()),
        _ => Err("expected MAJOR.MINOR, for example 0.6".to_owned()),
    }
}

impl NextArgs {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let facts = next_facts(&app.world, &site, &policies.config, self.line)?;
        if let Some(reason) = &facts.interface.not_compared {
            output::say(&format!("warning: the interface is not compared: {reason}"));
        }
        if let Some(previous) = &facts.origin.previous
            && facts.is_unchanged()
        {
            let message = format!(
                "nothing has changed on `{}` since {previous}",
                facts.origin.branch
            );
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        let mut next = next_version(&facts).map_err(|findings| Failure::from_findings(&findings))?;
        if let Some(name) = &self.channel {
            only(&mut next, &policies, name)?;
        }
        if app.global.json {
            return output::print_json(&next);
        }
        output::print(&describe(&next))
    }
}

fn only(next: &mut Next, policies: &Policies, name: &ChannelName) -> Outcome {
    let Some(channel) = policies.channels.get(name) else {
        let known: Vec<_> = policies.channels.keys().map(ToString::to_string).collect();
        let message = format!("there is no channel `{name}`");
        return Err(Failure::new(FailureKind::Policy, message)
            .hint(format!("channels/ has policy files for {}", known.join(", "))));
    };
    next.proposals
        .retain(|proposal| channel.admits(&proposal.version));
    if next.proposals.is_empty() {
        let message = format!(
            "the channel {name} has nothing to take: {} is all that comes next",
            next.version
        );
        return Err(Failure::new(FailureKind::NothingToDo, message));
    }
    Ok(())
}

fn describe(next: &Next) -> String {
    let after = next.origin.previous.as_ref().map_or_else(
        || "the first release".to_owned(),
        |previous| format!("after {previous}"),
    );
    let mut text = format!(
        "{} {after}, from `{}` at {}\n  because  {}\n",
        next.version,
        next.origin.branch,
        short(&next.origin.commit),
        next.because
    );
    if let Some(disagreement) = &next.disagreement {
        text += &format!("  but      {disagreement}\n");
    }
    text += "\nProposals\n";
    let rows: Vec<_> = next
        .proposals
        .iter()
        .map(|proposal| {
            vec![
                proposal.kind.to_owned(),
                proposal.version.to_string(),
                proposal.why.clone(),
            ]
        })
        .collect();
    text += &indented(&output::table(&rows, &[]));
    if next.reasons.is_empty() && next.internal == 0 {
        return text;
    }
    text += "\nWhat changed\n";
    let mut rows: Vec<_> = next
        .reasons
        .iter()
        .map(|reason| {
            vec![
                reason.needs.to_string(),
                object(&reason.object),
                reason.text.clone(),
            ]
        })
        .collect();
    if next.internal > 0 {
        let noun = if next.internal == 1 { "commit" } else { "commits" };
        rows.push(vec![
            Bump::Patch.to_string(),
            format!("{} {noun}", next.internal),
            "that users do not notice".to_owned(),
        ]);
    }
    text + &indented(&output::table(&rows, &[]))
}

/// A commit's id in short, anything else as it is.
fn object(text: &str) -> String {
    let id = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id { short(text) } else { text }.to_owned()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

//! `vrel channel`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::secrets::key_ring;
use crate::session::jobs;
use crate::verbs::plan::short;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::num::NonZeroUsize;
use vrel_engine::channels::Channels;
use vrel_model::{ChannelName, ChannelPolicy, Rollback, Sha256Digest, UtcTime, Version};
use vrel_process::channels::ChannelFacts;
use vrel_process::overdue;
use vrel_world::World;

/// Show the channels: what each leads to, and what its policy says.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel channel list\n  vrel channel show stable\n  vrel channel show stable --json"
)]
pub(crate) struct Channel {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the channels with their heads.
    #[command(after_help = "Examples:\n  vrel channel list\n  vrel channel list --json")]
    List,
    /// Show a channel: its head, its policy, and what it can go back to.
    #[command(after_help = "Examples:\n  vrel channel show stable\n  vrel channel show stable --json")]
    Show {
        /// The channel.
        name: ChannelName,
    },
}

/// A channel as it stands.
#[derive(Serialize)]
struct Row<'a> {
    channel: &'a ChannelName,
    head: Option<&'a Version>,
    manifest_sha256: Option<Sha256Digest>,
    commit: Option<&'a str>,
    created: Option<UtcTime>,
    /// Where the next release is due by now, since when.
    due: Option<UtcTime>,
    /// By how many hours the channel is older than its policy allows.
    overdue_hours: Option<u32>,
    rollback: Option<&'a Rollback>,
    /// What the channel can go back to, newest first.
    goes_back_to: Vec<&'a Version>,
    policy: &'a ChannelPolicy,
}

impl Channel {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (site, policies) = app.site()?;
        let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
        let channels = Channels {
            world: &app.world,
            site: &site,
            policies: &policies,
            ring: &ring,
            threads: NonZeroUsize::new(jobs(None)).unwrap_or(NonZeroUsize::MIN),
        };
        let facts = channels.look(&[], &[])?.facts;
        match self.action {
            Action::List => list(app, &facts),
            Action::Show { name } => show(app, &facts, &name),
        }
    }
}

fn row<'a>(
    facts: &'a ChannelFacts,
    channel: &'a ChannelName,
    policy: &'a ChannelPolicy,
    now: UtcTime,
) -> Row<'a> {
    let head = facts.head(channel);
    let release = head.and_then(|head| facts.releases.get(&head.release));
    let created = release.map(|release| release.created);
    let due = created
        .zip(policy.cadence_days)
        .map(|(created, days)| created.plus_days(days));
    let good = facts.good_in(channel).rev();
    Row {
        channel,
        head: head.map(|head| &head.release),
        manifest_sha256: head.map(|head| head.manifest_sha256),
        commit: release.map(|release| release.commit.as_str()),
        created,
        due: due.filter(|due| *due <= now),
        overdue_hours: created.and_then(|created| overdue(policy, created, now)),
        rollback: head.and_then(|head| head.rollback.as_ref()),
        goes_back_to: good
            .filter(|version| head.is_none_or(|head| **version != head.release))
            .collect(),
        policy,
    }
}

fn pointer_json(facts: &ChannelFacts, now: UtcTime) -> serde_json::Value {
    facts.pointer.as_ref().map_or(serde_json::Value::Null, |pointer| {
        serde_json::json!({
            "version": pointer.version, "issued": pointer.issued, "expires": pointer.expires,
            "expired": pointer.expires <= now, "duds": pointer.duds,
        })
    })
}

fn list(app: &App, facts: &ChannelFacts) -> Outcome {
    let now = app.world.now();
    let rows: Vec<_> = facts
        .policies
        .channels
        .iter()
        .map(|(name, policy)| row(facts, name, policy, now))
        .collect();
    if app.global.json {
        return output::print_json(
            &serde_json::json!({"channels": rows, "pointer": pointer_json(facts, now)}),
        );
    }
    let head = ["channel", "head", "made", "commit", "state"]
        .map(str::to_owned)
        .to_vec();
    let lines = rows.iter().map(|row| {
        vec![
            row.channel.to_string(),
            row.head.map_or_else(|| "none".to_owned(), ToString::to_string),
            row.created
                .map_or_else(String::new, |created| created.to_string()),
            row.commit
                .map_or_else(String::new, |commit| short(commit).to_owned()),
            state(row),
        ]
    });
    let mut text = output::table(&std::iter::once(head).chain(lines).collect::<Vec<_>>(), &[]);
    text += &describe_pointer(facts, now);
    output::print(&text)
}

/// What a person should know of the channel's head.
fn state(row: &Row<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(rollback) = row.rollback {
        parts.push(format!(
            "rolled back from {} at {}: {}",
            rollback.from, rollback.at, rollback.reason
        ));
    }
    if let Some(hours) = row.overdue_hours {
        parts.push(format!("stale by {hours} h"));
    }
    if let Some(due) = row.due {
        parts.push(format!("next one due since {due}"));
    }
    parts.join("; ")
}

fn describe_pointer(facts: &ChannelFacts, now: UtcTime) -> String {
    let Some(pointer) = &facts.pointer else {
        return "no pointer: nothing is public\n".to_owned();
    };
    let until = if pointer.expires <= now {
        "expired at"
    } else {
        "valid until"
    };
    let mut text = format!(
        "pointer {} of {}, {until} {}\n",
        pointer.version, pointer.issued, pointer.expires
    );
    for (version, dud) in &pointer.duds {
        text += &format!("dud {version} since {}: {}\n", dud.since, dud.why());
    }
    text
}

fn show(app: &App, facts: &ChannelFacts, name: &ChannelName) -> Outcome {
    let now = app.world.now();
    let Some(policy) = facts.policies.channels.get(name) else {
        let known: Vec<_> = facts.policies.channels.keys().map(ToString::to_string).collect();
        let message = format!("there is no channel {name}; channels are {}", known.join(", "));
        return Err(Failure::new(FailureKind::Policy, message).hint(format!("write channels/{name}.toml")));
    };
    let row = row(facts, name, policy, now);
    if app.global.json {
        return output::print_json(&serde_json::json!({"channel": row, "pointer": pointer_json(facts, now)}));
    }
    let mut lines = vec![vec!["channel".to_owned(), name.to_string()]];
    let mut say = |what: &str, text: String| lines.push(vec![what.to_owned(), text]);
    match (row.head, row.created, row.commit) {
        (Some(head), Some(created), Some(commit)) => {
            say("head", format!("{head} of {}, made {created}", short(commit)));
        }
        (Some(head), _, _) => say("head", format!("{head}, whose manifest is not in the origin")),
        _ => say("head", "none".to_owned()),
    }
    let state = state(&row);
    if !state.is_empty() {
        say("state", state);
    }
    let back: Vec<_> = row.goes_back_to.iter().take(5).map(ToString::to_string).collect();
    if !back.is_empty() {
        say("has had", back.join(", "));
    }
    // As the file says it, so that no key is left out.
    if let Ok(serde_json::Value::Object(keys)) = serde_json::to_value(policy) {
        for (key, value) in keys.iter().filter(|(_, value)| !value.is_null()) {
            say(key, plain(value));
        }
    }
    output::print(&(output::table(&lines, &[]) + &describe_pointer(facts, now)))
}

/// A value of a policy, for people.
fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        serde_json::Value::Object(members) => {
            let member = |(key, value): (&String, &serde_json::Value)| format!("{key} {}", plain(value));
            members.iter().map(member).collect::<Vec<_>>().join(", ")
        }
        scalar => scalar.to_string(),
    }
}

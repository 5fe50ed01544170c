//! `vrel plan`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::moves;
use crate::output;
use crate::secrets::key_ring;
use crate::verbs::backfill::nothing_missing;
use crate::verbs::promote::planned_promotion;
use clap::{Args, Subcommand};
use vrel_engine::records::Records;
use vrel_engine::{Site, collect_backfill_facts, collect_release_facts, collect_snapshot, look_at_remote};
use vrel_model::{Arch, ChannelName, Edition, Plan, RefChange, Stage, Version};
use vrel_process::{Finding, Snapshot, plan_backfill, plan_cut_rc, plan_release};
use vrel_world::World;

/// Show everything that a command would do, and do nothing.
///
/// Needs no secret key, no token and no network. With `--json` it prints the same plan that the command follows.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel plan cut-rc 0.6.0-rc1\n  vrel plan cut-rc 0.6.0-rc1 --json | jq .objects\n  vrel plan release 0.6.0\n  vrel plan backfill 0.6.0-rc1\n  vrel plan promote 1.1.4 --to lts"
)]
pub(crate) struct PlanArgs {
    /// The command to plan.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plan a release candidate.
    #[command(name = "cut-rc")]
    CutRc {
        /// The candidate's version, for example 0.6.0-rc1.
        version: Version,
        /// Plan to publish without this architecture of tier 2 at first. Can be given several times.
        #[arg(long, value_name = "ARCH")]
        without: Vec<Arch>,
    },
    /// Plan to make an accepted candidate final.
    Release {
        /// The version, for example 0.6.0.
        version: Version,
        /// Plan to make this candidate final [default: the newest].
        #[arg(long, value_name = "VERSION")]
        candidate: Option<Version>,
    },
    /// Plan to add architectures that lagged to a published release.
    Backfill {
        /// The release, which is published.
        version: Version,
        /// Add only this architecture [default: all that lag]. Can be given several times.
        #[arg(long, value_name = "ARCH")]
        arch: Vec<Arch>,
    },
    /// Plan to make a published release the head of another channel.
    Promote {
        /// The release, which is published.
        version: Version,
        /// The channel that it would enter.
        #[arg(long, value_name = "CHANNEL")]
        to: ChannelName,
    },
}

impl PlanArgs {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let outcome = match self.command {
            Command::CutRc { version, without } => cut_rc(app, &version, &without)?,
            Command::Release { version, candidate } => release(app, &version, candidate.as_ref())?,
            Command::Backfill { version, arch } => backfill(app, &version, &arch)?,
            Command::Promote { version, to } => return promote(app, &version, &to),
        };
        let fatal = outcome.findings.iter().any(Finding::is_fatal);
        if app.global.json {
            output::print_json(&serde_json::json!({"plan": outcome.plan, "findings": outcome.findings}))?;
        } else if let Some(plan) = &outcome.plan {
            output::print(&describe(plan))?;
        }
        warn(&outcome.findings);
        if fatal {
            Err(Failure::from_findings(&outcome.findings))
        } else {
            Ok(())
        }
    }
}

fn cut_rc(app: &App, version: &Version, without: &[Arch]) -> Result<vrel_process::Outcome, Failure> {
    let (site, policies) = app.site()?;
    let snapshot = collect_snapshot(&app.world, &site, policies, version)?;
    let outcome = plan_cut_rc(&snapshot, version, without, app.world.now());
    match &outcome.already_done {
        Some(commit) => Err(already_done(version, commit)),
        None => Ok(outcome),
    }
}

fn release(
    app: &App,
    version: &Version,
    candidate: Option<&Version>,
) -> Result<vrel_process::Outcome, Failure> {
    let (site, policies) = app.site()?;
    let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
    let (snapshot, facts) = collect_release_facts(&app.world, &site, policies, &ring, version, candidate)?;
    let outcome = plan_release(&snapshot, &facts, version, candidate, app.world.now());
    match &outcome.already_done {
        Some(commit) => Err(already_done(version, commit)),
        None => Ok(outcome),
    }
}

fn backfill(app: &App, version: &Version, arches: &[Arch]) -> Result<vrel_process::Outcome, Failure> {
    let (site, policies) = app.site()?;
    let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
    let facts = collect_backfill_facts(&app.world, &site, &policies, &ring, version)?;
    let snapshot = collect_snapshot(&app.world, &site, policies, version)?;
    let outcome = plan_backfill(&snapshot, &facts, version, arches, app.world.now());
    match &outcome.already_done {
        Some(_) => Err(nothing_missing(version)),
        None => Ok(outcome),
    }
}

fn promote(app: &App, version: &Version, to: &ChannelName) -> Outcome {
    let (site, policies) = app.site()?;
    let (now, plan) = planned_promotion(app, &site, &policies, version, to, false)?;
    if plan.is_done {
        let message = format!("{version} is public in {to} already");
        return Err(Failure::new(FailureKind::NothingToDo, message));
    }
    let pointer = now.facts.pointer.as_ref();
    if app.global.json {
        let planned = moves::planned_json("promote", pointer, &plan);
        output::print_json(&serde_json::json!({"plan": planned, "findings": plan.findings}))?;
    } else if plan.promotion.is_some() {
        output::print(&moves::describe(pointer, &plan))?;
    }
    warn(&plan.findings);
    if plan.findings.iter().any(Finding::is_fatal) {
        return Err(Failure::from_findings(&plan.findings));
    }
    Ok(())
}

/// What a release would be, as far as can be told without keys.
pub(crate) struct Planned {
    pub(crate) site: Site,
    pub(crate) snapshot: Snapshot,
    pub(crate) outcome: vrel_process::Outcome,
}

/// Plans a release as its command would, with the newest records and with what the remote has.
///
/// # Errors
/// When a fact cannot be gathered, or no command makes such a version when it is asked for.
pub(crate) fn plan_of(
    app: &App,
    version: &Version,
    without: &[Arch],
    candidate: Option<&Version>,
) -> Result<Planned, Failure> {
    let (site, policies) = app.site()?;
    Records::new(&app.world, &site, &policies.config).refresh()?;
    let remote = policies.config.git.remote.clone();
    let usage = |message: String, hint: String| Err(Failure::new(FailureKind::Usage, message).hint(hint));
    let look = |snapshot: &mut Snapshot| -> Result<(), Failure> {
        if snapshot.remote_url.is_some() {
            snapshot.remote = Some(look_at_remote(&app.world, &site, &remote)?);
        }
        Ok(())
    };
    let now = app.world.now();
    let (snapshot, outcome) = match version.stage() {
        Stage::Nightly { .. } => {
            let message = format!("{version} is a nightly, which nobody plans beforehand");
            return usage(
                message,
                "`vrel nightly --check` says how nightlies stand".to_owned(),
            );
        }
        Stage::Candidate { .. } if candidate.is_some() => {
            let message = format!("{version} is a candidate itself");
            return usage(message, "`--candidate` is for final releases".to_owned());
        }
        Stage::Final if !without.is_empty() => {
            let message = format!("{version} is a final release, which lacks nothing");
            return usage(message, "`--without` is for candidates".to_owned());
        }
        Stage::Candidate { .. } => {
            let mut snapshot = collect_snapshot(&app.world, &site, policies, version)?;
            look(&mut snapshot)?;
            let outcome = plan_cut_rc(&snapshot, version, without, now);
            (snapshot, outcome)
        }
        Stage::Final => {
            let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
            let (mut snapshot, facts) =
                collect_release_facts(&app.world, &site, policies, &ring, version, candidate)?;
            look(&mut snapshot)?;
            let outcome = plan_release(&snapshot, &facts, version, candidate, now);
            (snapshot, outcome)
        }
    };
    Ok(Planned {
        site,
        snapshot,
        outcome,
    })
}

/// The answer to cutting a release that is finished.
pub(crate) fn already_done(version: &Version, commit: &str) -> Failure {
    let message = format!("{version} is released already, from commit {commit}; see `vrel log {version}`");
    Failure::new(FailureKind::NothingToDo, message)
}

/// Says the findings that do not forbid going on.
pub(crate) fn warn(findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| !finding.is_fatal()) {
        output::say(&format!("warning: {finding}"));
        if let Some(hint) = &finding.hint {
            output::say(&format!(" hint: {hint}"));
        }
    }
}

/// The plan as a person reads it.
#[must_use]
pub(crate) fn describe(plan: &Plan) -> String {
    let section = |title: &str, rows: Vec<Vec<String>>| {
        let table = output::table(&rows, &[]);
        format!(
            "\n{title}\n{}",
            table
                .lines()
                .map(|line| format!("  {line}\n"))
                .collect::<String>()
        )
    };
    let previous = plan
        .previous
        .as_ref()
        .map_or_else(|| "none".to_owned(), ToString::to_string);
    let mut text = format!(
        "{} {} for the channel {}\n  commit    {}\n  previous  {previous}\n  keys      {} (artifacts), {} (pointer)\n",
        plan.product_name, plan.version, plan.channel, plan.commit, plan.key_role, plan.pointer_role
    );
    if let Some(candidate) = &plan.candidate {
        let rows = vec![
            vec!["version".to_owned(), candidate.version.to_string()],
            vec![
                "sha256 of its manifest".to_owned(),
                candidate.manifest_sha256.to_string(),
            ],
        ];
        text += &section("Made of the candidate", rows);
    }
    if !plan.news.is_empty() {
        let rows = plan
            .news
            .iter()
            .map(|news| vec![short(&news.commit).to_owned(), news.subject.clone()]);
        text += &section(&format!("New since {previous}"), rows.collect());
    }
    let refs = plan.refs.iter().map(|planned| {
        let change = match &planned.change {
            RefChange::CreateBranch(commit) => format!("new branch at {}", short(commit)),
            RefChange::Keep(commit) => format!("stays at {}", short(commit)),
            RefChange::CreateTag(commit) => format!("new annotated tag on {}", short(commit)),
            RefChange::Commit(subject) => format!("new commit “{subject}”"),
        };
        let push = if planned.push {
            format!("pushed to {}", plan.remote)
        } else {
            "not pushed".to_owned()
        };
        vec![planned.name.clone(), change, push]
    });
    if let Some(staging) = &plan.staging {
        text += &format!("  staging   {staging}\n");
    }
    if !plan.refs.is_empty() {
        text += &section("Git refs", refs.collect());
    }
    if let Some(backfill) = &plan.backfill {
        let arches: Vec<_> = backfill.arches.iter().map(ToString::to_string).collect();
        let before = backfill
            .edition
            .earlier()
            .next_back()
            .map_or_else(String::new, Edition::manifest);
        let rows = vec![
            vec!["architectures".to_owned(), arches.join(", ")],
            vec!["edition".to_owned(), backfill.edition.to_string()],
            vec![
                format!("sha256 of {before}"),
                backfill.manifest_sha256.to_string(),
            ],
            vec!["sha256 of `rustc -vV`".to_owned(), backfill.toolchain.to_string()],
        ];
        text += &section("Added to the release", rows);
    }
    let artifacts = plan.artifacts.iter().map(|artifact| {
        let boots = if artifact.boot.is_empty() {
            String::new()
        } else {
            format!("boots from {}", artifact.boot.join(", "))
        };
        vec![
            artifact.name.to_string(),
            format!("at most {}", artifact.max_size),
            boots,
        ]
    });
    text += &section("Artifacts", artifacts.collect());
    if !plan.lagging.is_empty() {
        let lagging = plan.lagging.iter();
        let rows = lagging.map(|late| vec![late.arch.to_string(), format!("until {}", late.until)]);
        let title = if plan.backfill.is_some() {
            "Still missing"
        } else {
            "Left out at first"
        };
        text += &section(title, rows.collect());
    }
    if !plan.exceptions.is_empty() {
        let rows = plan.exceptions.iter().map(|exception| {
            vec![
                exception.what.to_string(),
                format!("{} risk", exception.risk),
                exception.approver.to_string(),
                format!("until {}", exception.until),
                exception.reason.clone(),
            ]
        });
        text += &section("Exceptions to the freeze", rows.collect());
    }
    let objects = plan
        .objects
        .iter()
        .map(|object| vec![object.path.clone(), object.what.clone()]);
    text += &section(
        &format!("Objects in {}, in this order", plan.origin),
        objects.collect(),
    );
    let from = plan
        .pointer
        .from
        .map_or_else(|| "none".to_owned(), |version| version.to_string());
    let before = plan
        .pointer
        .head_before
        .as_ref()
        .map_or_else(|| "none".to_owned(), ToString::to_string);
    text += &section(
        "Pointer",
        vec![
            vec!["version".into(), format!("{from} → {}", plan.pointer.to)],
            if plan.backfill.is_some() {
                vec![
                    format!("newest manifest of {}", plan.version),
                    plan.edition().manifest(),
                ]
            } else {
                let place = if plan.pointer.older_line {
                    format!("newest of {} in {}", plan.line(), plan.channel)
                } else {
                    format!("head of {}", plan.channel)
                };
                vec![place, format!("{before} → {}", plan.version)]
            },
            vec!["expires".into(), plan.pointer.expires.to_string()],
        ],
    );
    let messages = plan
        .messages
        .iter()
        .map(|message| vec![message.path.clone(), message.what.clone()]);
    text += &section("Messages", messages.collect());
    let steps = plan.steps.iter().enumerate().map(|(index, step)| {
        let last = if step.reversible { "" } else { "cannot be undone" };
        vec![
            format!("{:>2}", index + 1),
            step.name.clone(),
            step.summary.clone(),
            last.to_owned(),
        ]
    });
    text + &section("Steps", steps.collect())
}

/// A commit's id as people quote it.
#[must_use]
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

//! `vrel gates`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::progress::Reporter;
use crate::secrets::key_ring;
use crate::session::{ReleaseOptions, lock};
use crate::verbs::plan::short;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use vrel_engine::gates::{GateRun, hand_in};
use vrel_engine::records::Records;
use vrel_engine::{Site, collect_snapshot};
use vrel_model::{
    ChannelName, ChannelPolicy, Deciding, Evidence, EvidenceOutcome, GateId, GatePolicy, Version,
    toml_file::closest,
};
use vrel_process::{
    GateJudgement, GateState, GateSubject, Policies, Snapshot, gate_subject, judge_gate, judge_gates,
    people_with,
};
use vrel_world::World;

/// Say which gates a release meets, and run those that a machine decides.
///
/// A gate is a file in gates/; a channel names the gates that a release must meet to enter it. Evidence is kept on the branch
/// of records and counts for the commit that it was found for, whether as a candidate or as the final release. Ends with 0
/// when all gates are met, and with 3 otherwise.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  vrel gates 0.6.0\n  vrel gates 0.6.0 --run\n  vrel gates 0.6.0 --run tests security-scan\n  \
                  vrel gates 0.6.0 --evidence coverage=coverage.json\n  vrel gates list"
)]
pub(crate) struct Gates {
    #[command(subcommand)]
    action: Option<Action>,
    /// The release, published or to come.
    #[arg(required = true)]
    version: Option<Version>,
    /// Run these gates [default: all that a machine decides and that are not met]
    #[arg(long, value_name = "GATE", num_args = 0..)]
    run: Option<Vec<GateId>>,
    /// Hand in a report for a gate, `GATE=FILE`. Can be given several times.
    #[arg(long, value_name = "GATE=FILE", value_parser = handed_in, conflicts_with = "run")]
    evidence: Vec<(GateId, PathBuf)>,
    #[command(flatten)]
    release: ReleaseOptions,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all gates: what they ask, how they are decided, and which channels ask for them.
    #[command(after_help = "Examples:\n  vrel gates list\n  vrel gates list --json")]
    List,
}

fn handed_in(text: &str) -> Result<(GateId, PathBuf), String> {
    let (gate, file) = text
        .split_once('=')
        .ok_or("expected GATE=FILE, for example coverage=coverage.json")?;
    if file.is_empty() {
        return Err("there is no file after the `=`".to_owned());
    }
    let gate = gate
        .parse()
        .map_err(|error: vrel_model::IdentifierError| error.to_string())?;
    Ok((gate, file.into()))
}

/// The facts, as new as they are to be had, and what they are judged for.
pub(crate) struct Standing {
    pub(crate) site: Site,
    pub(crate) snapshot: Snapshot,
    pub(crate) subject: GateSubject,
}

/// Gathers how a release stands. Newer records are fetched first where there is a remote.
///
/// # Errors
/// When the repository or the remote cannot be read, or no commit could be released as this version.
pub(crate) fn standing(app: &App, version: &Version) -> Result<Standing, Failure> {
    let (site, policies) = app.site()?;
    Records::new(&app.world, &site, &policies.config).refresh()?;
    let snapshot = collect_snapshot(&app.world, &site, policies, version)?;
    let subject = gate_subject(&snapshot, version).ok_or_else(|| {
        let main = &snapshot.policies.config.git.main;
        let message = format!("there is no commit that could be released as {version}");
        Failure::new(FailureKind::Policy, message).hint(format!(
            "`git.main` in vrel.toml is `{main}`; is there such a branch here?"
        ))
    })?;
    Ok(Standing {
        site,
        snapshot,
        subject,
    })
}

impl Standing {
    /// A gate by its name.
    ///
    /// # Errors
    /// When there is none, or neither the channel asks for it nor one that the release may be promoted to.
    pub(crate) fn gate(&self, id: &GateId) -> Result<&GatePolicy, Failure> {
        let policies = &self.snapshot.policies;
        let Some(gate) = policies.gates.get(id) else {
            let failure = Failure::new(FailureKind::Policy, format!("there is no gate `{id}`"));
            return Err(
                match closest(id.as_str(), policies.gates.keys().map(GateId::as_str)) {
                    Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
                    None => failure.hint("`vrel gates list` shows them"),
                },
            );
        };
        let subject = &self.subject;
        // What another channel asks for is decided before the release is promoted to it.
        let mut channels = policies.channels.iter();
        let may_enter = |name: &ChannelName, channel: &ChannelPolicy| {
            *name == subject.channel || (channel.admits(&subject.version) && !channel.from.is_empty())
        };
        if channels.any(|(name, channel)| channel.gates.contains(id) && may_enter(name, channel)) {
            return Ok(gate);
        }
        let message = format!(
            "the channel {} does not ask for the gate {id}, so nothing is to be decided for {}",
            self.subject.channel, self.subject.version
        );
        let hint = format!("see `gates` in channels/{}.toml", self.subject.channel);
        Err(Failure::new(FailureKind::Policy, message).hint(hint))
    }

    /// How a gate stands.
    pub(crate) fn judge(&self, app: &App, id: &GateId, gate: &GatePolicy) -> GateJudgement {
        judge_gate(&self.snapshot, &self.subject, id, gate, app.world.now())
    }
}

impl Gates {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match (&self.action, &self.version) {
            (Some(Action::List), _) => list(app),
            (None, Some(version)) if self.run.is_some() || !self.evidence.is_empty() => {
                let version = version.clone();
                self.find_out(app, &version)
            }
            (None, Some(version)) => show(app, &standing(app, version)?),
            (None, None) => {
                Err(Failure::new(FailureKind::Usage, "name a version").hint("see `vrel gates --help`"))
            }
        }
    }

    /// Runs gates, or takes reports, and shows how all gates stand afterwards.
    fn find_out(self, app: &App, version: &Version) -> Outcome {
        let before = standing(app, version)?;
        let _lock = lock(app, &before.site, &self.release, &format!("vrel gates {version}"))?;
        let ring = key_ring(app, &before.site.public_keys(), &before.snapshot.policies.signing)?;
        let reporter = Reporter::new(app.global.json, app.global.verbose);
        let run = GateRun {
            world: &app.world,
            site: &before.site,
            snapshot: &before.snapshot,
            ring: &ring,
            subject: &before.subject,
            cache: self.release.cache(&before.site),
            threads: self.release.jobs(),
            progress: &reporter,
        };
        for (id, file) in &self.evidence {
            let gate = before.gate(id)?;
            let report = app.world.fs().read(file)?;
            tell(&hand_in(&run, id, gate, &file.display().to_string(), &report)?);
        }
        if let Some(named) = &self.run {
            let chosen = chosen(app, &before, named)?;
            if chosen.is_empty() {
                let message = format!("no gate of {version} is left that a machine decides by running");
                return Err(Failure::new(FailureKind::NothingToDo, message).hint(format!(
                    "`vrel gates {version}` shows them; name one to run it again"
                )));
            }
            for id in chosen {
                app.world.check_interrupt()?;
                output::say(&format!("running {id}"));
                let evidence = run.run(&id, before.gate(&id)?);
                reporter.clear();
                tell(&evidence?);
            }
        }
        show(app, &standing(app, version)?)
    }
}

/// The gates to run: those that were named, or all that a machine decides by running and that are not met.
fn chosen(app: &App, standing: &Standing, named: &[GateId]) -> Result<Vec<GateId>, Failure> {
    if !named.is_empty() {
        // Every mistake in the list is found before the first program runs.
        for id in named {
            let gate = standing.gate(id)?;
            if gate.decider.deciding() != Deciding::ByRunning {
                let message = format!(
                    "the gate {id} is of the kind `{}`, which is not run",
                    gate.decider.kind()
                );
                return Err(Failure::new(FailureKind::Policy, message)
                    .hint("`vrel gates list` shows how each gate is decided"));
            }
        }
        return Ok(named.to_vec());
    }
    let policies = &standing.snapshot.policies;
    let judged = judge_gates(&standing.snapshot, &standing.subject, app.world.now());
    Ok(judged
        .into_iter()
        .filter(|judged| !judged.state.is_met())
        .map(|judged| judged.gate)
        .filter(|id| {
            let gate = policies.gates.get(id);
            gate.is_some_and(|gate| gate.decider.deciding() == Deciding::ByRunning)
        })
        .collect())
}

fn tell(evidence: &Evidence) {
    let outcome = match evidence.outcome {
        EvidenceOutcome::Pass => "pass",
        EvidenceOutcome::Fail => "fail",
        EvidenceOutcome::NotAvailable => "not available",
    };
    output::say(&format!("{}: {outcome}: {}", evidence.gate, evidence.summary));
}

fn show(app: &App, standing: &Standing) -> Outcome {
    let subject = &standing.subject;
    let judged = judge_gates(&standing.snapshot, subject, app.world.now());
    let problems = &standing.snapshot.gates.problems;
    let met = judged.iter().all(|judged| judged.state.is_met()) && problems.is_empty();
    if app.global.json {
        output::print_json(&serde_json::json!({
            "version": subject.version, "channel": subject.channel, "commit": subject.commit, "met": met,
            "gates": judged, "problems": problems,
        }))?;
    } else {
        output::print(&describe(subject, &judged))?;
    }
    for problem in problems {
        output::say(&format!("warning: {problem}"));
    }
    if judged.is_empty() && !app.global.json {
        output::say(&format!("the channel {} asks for no gate", subject.channel));
    }
    if met {
        Ok(())
    } else {
        Err(Failure::told(FailureKind::Policy))
    }
}

fn describe(subject: &GateSubject, judged: &[GateJudgement]) -> String {
    let head = ["gate", "state", "why"].map(str::to_owned).to_vec();
    let mut text = format!(
        "{} for the channel {}, commit {}\n",
        subject.version,
        subject.channel,
        short(&subject.commit)
    );
    let mut rows = vec![head];
    let mut group = None;
    for judged in judged {
        if group != Some(judged.group) {
            group = Some(judged.group);
            rows.push(vec![judged.group.to_string()]);
        }
        rows.push(vec![
            format!("  {}", judged.gate),
            judged.state.to_string(),
            judged.detail.clone(),
        ]);
    }
    if judged.is_empty() {
        return text;
    }
    text += &output::table(&rows, &[]);
    let todo: Vec<_> = judged
        .iter()
        .filter_map(|judged| Some((judged, judged.remedy.as_ref()?)))
        .map(|(judged, remedy)| format!("  {}: {remedy}\n", judged.gate))
        .collect();
    if !todo.is_empty() {
        text += "\nTo do\n";
        text += &todo.concat();
    }
    let refused: Vec<_> = judged
        .iter()
        .flat_map(|judged| {
            judged
                .refused
                .iter()
                .map(|refused| format!("  {}: {refused}\n", judged.gate))
        })
        .collect();
    if !refused.is_empty() {
        text += "\nSignatures that do not count\n";
        text += &refused.concat();
    }
    let count = |state: GateState| judged.iter().filter(|judged| judged.state == state).count();
    let states = [
        GateState::Pass,
        GateState::Waived,
        GateState::Waiting,
        GateState::NotRun,
        GateState::NotAvailable,
        GateState::Fail,
    ];
    let counts: Vec<_> = states
        .into_iter()
        .map(|state| (count(state), state))
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    text + &format!("\n{}\n", counts.join(", "))
}

fn list(app: &App) -> Outcome {
    let (_, policies) = app.site()?;
    let channels = |id: &GateId| -> Vec<String> {
        let all = policies.channels.iter();
        all.filter(|(_, channel)| channel.gates.contains(id))
            .map(|(name, _)| name.to_string())
            .collect()
    };
    let mut gates: Vec<_> = policies.gates.iter().collect();
    gates.sort_by_key(|(id, gate)| (gate.group, (*id).clone()));
    if app.global.json {
        let all: Vec<_> = gates
            .iter()
            .map(|(id, gate)| {
                serde_json::json!({
                    "gate": id, "group": gate.group, "title": gate.title, "kind": gate.decider.kind(),
                    "role": gate.role, "people": people_with(&policies, &gate.role), "channels": channels(id),
                })
            })
            .collect();
        return output::print_json(&all);
    }
    let head = ["gate", "decided by", "role", "channels", "asks"]
        .map(str::to_owned)
        .to_vec();
    let rows = gates
        .iter()
        .map(|(id, gate)| row(id, gate, &policies, &channels(id)));
    output::print(&output::table(
        &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        &[],
    ))
}

fn row(id: &GateId, gate: &GatePolicy, policies: &Policies, channels: &[String]) -> Vec<String> {
    let nobody = people_with(policies, &gate.role).is_empty();
    let channels = if channels.is_empty() {
        "none".to_owned()
    } else {
        channels.join(", ")
    };
    vec![
        id.to_string(),
        gate.decider.kind().to_owned(),
        format!("{}{}", gate.role, if nobody { " (nobody)" } else { "" }),
        channels,
        gate.title.clone(),
    ]
}

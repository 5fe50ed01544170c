//! How each gate of a release stands.

use super::machine;
use super::people::{About, who};
use super::soak;
use crate::cut_rc::source_commit;
use crate::lineage::releases;
use crate::{Snapshot, candidate_of, short};
use serde::Serialize;
use std::fmt;
use vrel_model::{
    ChannelName, Decider, Deciding, Evidence, EvidenceOutcome, GateGroup, GateId, GatePolicy,
    PersonalStatement, Plan, PlannedPromotion, Stage, StatementKind, UtcTime, Version,
};

/// How a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateState {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It need not hold: a person said so in writing.
    Waived,
    /// A person has to sign it off.
    Waiting,
    /// The machine has not been asked, or about another commit only.
    NotRun,
    /// The machine that was asked cannot tell.
    NotAvailable,
}

impl GateState {
    /// Whether a release may pass.
    #[must_use]
    pub fn is_met(self) -> bool {
        matches!(self, Self::Pass | Self::Waived)
    }
}

impl fmt::Display for GateState {
    /// In words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Waived => "waived",
            Self::Waiting => "waiting for a person",
            Self::NotRun => "not run",
            Self::NotAvailable => "not available",
        })
    }
}

/// A gate, how it stands, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateJudgement {
    /// The gate.
    pub gate: GateId,
    /// Where it stands in the checklist.
    pub group: GateGroup,
    /// What must hold.
    pub title: String,
    /// How it stands.
    pub state: GateState,
    /// Why.
    pub detail: String,
    /// What to do, where something is to be done.
    pub remedy: Option<String>,
    /// Signatures that do not count, each with the reason.
    pub refused: Vec<String>,
}

/// What a machine says of a gate.
pub(super) struct Said {
    pub(super) state: GateState,
    pub(super) detail: String,
}

impl Said {
    pub(super) fn new(state: GateState, detail: impl Into<String>) -> Self {
        Self {
            state,
            detail: detail.into(),
        }
    }
}

/// What is judged: a release of a commit, on its way to a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateSubject {
    /// The release.
    pub version: Version,
    /// The channel.
    pub channel: ChannelName,
    /// The commit.
    pub commit: String,
}

impl GateSubject {
    /// What a plan publishes.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            version: plan.version.clone(),
            channel: plan.channel.clone(),
            commit: plan.commit.clone(),
        }
    }

    /// A published release on its way to another channel.
    #[must_use]
    pub fn of_promotion(promotion: &PlannedPromotion) -> Self {
        Self {
            version: promotion.version.clone(),
            channel: promotion.to.clone(),
            commit: promotion.commit.clone(),
        }
    }
}

/// The release of a version as it is, or as it would be made now: of the tag's commit; else a final one of its newest
/// candidate's commit; else of the commit that a candidate would be cut from. `None` when there is no such commit.
#[must_use]
pub fn gate_subject(snapshot: &Snapshot, version: &Version) -> Option<GateSubject> {
    let publish = &snapshot.policies.config.publish;
    let tagged = || {
        let tag = releases(&snapshot.tags).find(|(tagged, _)| tagged == version);
        tag.map(|(_, commit)| commit)
    };
    let candidate = || candidate_of(snapshot, version, None).map(|(_, commit)| commit);
    let (channel, commit) = match version.stage() {
        Stage::Nightly { .. } => (&publish.nightly_channel, snapshot.main_tip.as_deref()),
        Stage::Candidate { .. } => (
            &publish.candidate_channel,
            tagged().or_else(|| source_commit(snapshot)),
        ),
        Stage::Final => (
            snapshot.final_channel(),
            tagged().or_else(candidate).or_else(|| source_commit(snapshot)),
        ),
    };
    Some(GateSubject {
        version: version.clone(),
        channel: channel.clone(),
        commit: commit?.to_owned(),
    })
}

/// The gates of the subject's channel, in the order of the checklist.
#[must_use]
pub fn judge_gates(snapshot: &Snapshot, subject: &GateSubject, now: UtcTime) -> Vec<GateJudgement> {
    let policies = &snapshot.policies;
    let Some(channel) = policies.channels.get(&subject.channel) else {
        return Vec::new();
    };
    let mut judged: Vec<_> = channel
        .gates
        .iter()
        .filter_map(|id| Some((id, policies.gates.get(id)?)))
        .map(|(id, gate)| judge_gate(snapshot, subject, id, gate, now))
        .collect();
    // Groups in their order, gates in the channel's.
    judged.sort_by_key(|judgement| judgement.group);
    judged
}

/// How one gate stands, whether or not the channel asks for it.
#[must_use]
pub fn judge_gate(
    snapshot: &Snapshot,
    subject: &GateSubject,
    id: &GateId,
    gate: &GatePolicy,
    now: UtcTime,
) -> GateJudgement {
    let mut said = match gate.decider.deciding() {
        Deciding::AtOnce => machine::decide(snapshot, subject, &gate.decider, now),
        Deciding::ByRunning | Deciding::HandedIn => by_evidence(snapshot, subject, id),
        Deciding::ByPerson => Said::new(GateState::Waiting, "nobody signed it off"),
    };
    let about = About {
        policies: &snapshot.policies,
        version: &subject.version,
        commit: &subject.commit,
        roles: std::slice::from_ref(&gate.role),
        now,
    };
    let too_short = |waiver: &PersonalStatement| match gate.decider {
        Decider::SoakTime { keep_days } => soak::refuses(snapshot, subject, waiver, keep_days, now),
        _ => None,
    };
    let mut refused = Vec::new();
    // The newest one counts where there are several.
    for fact in &snapshot.gates.statements {
        let statement = &fact.statement;
        if statement.gate.as_ref() != Some(id) {
            continue;
        }
        if let Some(reason) = about.refusal(fact) {
            let (what, person) = (statement.what, &statement.person);
            refused.push(format!("the {what} by {person} does not count: {reason}"));
            continue;
        }
        let why = statement.reason.as_deref().unwrap_or("no reason given");
        let (person, day) = (&statement.person, statement.at.date());
        match statement.what {
            StatementKind::SignOff if can_be_signed_off(said.state) => {
                said = Said::new(GateState::Pass, format!("signed off by {person} on {day}: {why}"));
            }
            StatementKind::SignOff if said.state != GateState::Pass => {
                refused.push(format!(
                    "the sign-off by {person} does not count: a machine decides this gate"
                ));
            }
            StatementKind::Waiver if said.state != GateState::Pass => {
                if let Some(reason) = too_short(statement) {
                    refused.push(format!(
                        "the waiver by {} does not count: {reason}",
                        statement.person
                    ));
                    continue;
                }
                let until = statement.until.map(|day| format!(", until {day}"));
                let until = until.unwrap_or_default();
                let was = if said.state == GateState::Waived {
                    String::new()
                } else {
                    format!(" ({}: {})", said.state, said.detail)
                };
                said = Said::new(
                    GateState::Waived,
                    format!("waived by {person} on {day}{until}: {why}{was}"),
                );
            }
            _ => {}
        }
    }
    GateJudgement {
        gate: id.clone(),
        group: gate.group,
        title: gate.title.clone(),
        state: said.state,
        remedy: remedy(snapshot, subject, id, gate, &said),
        detail: said.detail,
        refused,
    }
}

/// Whether a person's word is what is missing.
pub(crate) fn can_be_signed_off(state: GateState) -> bool {
    matches!(state, GateState::Waiting | GateState::NotAvailable)
}

/// What the newest evidence of this commit says. Evidence of a candidate counts for the final release of its commit.
fn by_evidence(snapshot: &Snapshot, subject: &GateSubject, id: &GateId) -> Said {
    let series = subject.version.final_version();
    let of_gate = || {
        let all = snapshot.gates.evidence.iter();
        all.filter(|found| found.gate == *id && found.version.final_version() == series)
    };
    let newest = |found: &&Evidence| (found.at, found.version == subject.version);
    let fitting = of_gate()
        .filter(|found| found.commit == subject.commit)
        .max_by_key(newest);
    match (fitting, of_gate().max_by_key(newest)) {
        (Some(found), _) => {
            let state = match found.outcome {
                EvidenceOutcome::Pass => GateState::Pass,
                EvidenceOutcome::Fail => GateState::Fail,
                EvidenceOutcome::NotAvailable => GateState::NotAvailable,
            };
            Said::new(state, format!("{} ({})", found.summary, found.at.date()))
        }
        (None, Some(other)) => Said::new(
            GateState::NotRun,
            format!("the evidence is of commit {}", short(&other.commit)),
        ),
        (None, None) => Said::new(GateState::NotRun, "there is no evidence"),
    }
}

fn remedy(
    snapshot: &Snapshot,
    subject: &GateSubject,
    id: &GateId,
    gate: &GatePolicy,
    said: &Said,
) -> Option<String> {
    let version = &subject.version;
    let run = match gate.decider.deciding() {
        Deciding::ByRunning => format!("`vrel gates {version} --run {id}`"),
        Deciding::HandedIn => format!("`vrel gates {version} --evidence {id}=FILE`"),
        Deciding::AtOnce | Deciding::ByPerson => String::new(),
    };
    let may = || who(&snapshot.policies, std::slice::from_ref(&gate.role));
    match said.state {
        GateState::Pass | GateState::Waived => None,
        GateState::NotRun if run.is_empty() => Some(machine::remedy(&gate.decider)),
        GateState::NotRun => Some(format!("run {run}")),
        GateState::Waiting => Some(format!("`vrel sign-off {version} {id} --reason TEXT`; {}", may())),
        GateState::NotAvailable => Some(format!(
            "find out by hand, then `vrel sign-off {version} {id} --reason TEXT`; {}",
            may()
        )),
        GateState::Fail => {
            let waits = matches!(gate.decider, Decider::SoakTime { .. });
            let mend = if waits { "wait until then" } else { "mend it" };
            let again = if run.is_empty() {
                String::new()
            } else {
                format!(", then run {run}")
            };
            Some(format!(
                "{mend}{again}; or `vrel waive {version} {id} --reason TEXT`: {}",
                may()
            ))
        }
    }
}

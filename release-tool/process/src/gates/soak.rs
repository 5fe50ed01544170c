//! The time of testing as a gate, which makes it something that a person may waive.

use super::judge::{GateState, GateSubject, Said};
use super::{GateJudgement, SoakFact, judge_gate};
use crate::Snapshot;
use vrel_model::{Decider, PersonalStatement, UtcTime};

/// How long what is published of a commit is to be tested.
struct Soak {
    /// For how many days.
    days: u32,
    /// Until when.
    ends: UtcTime,
}

impl Soak {
    /// `None` when nothing of the subject's commit is published, or its channel asks for no time.
    fn of(snapshot: &Snapshot, subject: &GateSubject) -> Option<Self> {
        let fact = tested(snapshot, subject)?;
        let days = snapshot.policies.channels.get(&fact.channel)?.soak_days?;
        Some(Self {
            days,
            ends: fact.since.plus_days(days),
        })
    }
}

/// Why a waiver of the time of testing does not count; `None` when it does. Without anything published nothing is tested, a
/// waiver that is older than what is tested was of something else, and none goes below what the gate keeps.
pub(super) fn refuses(
    snapshot: &Snapshot,
    subject: &GateSubject,
    waiver: &PersonalStatement,
    keep_days: u32,
    now: UtcTime,
) -> Option<String> {
    let Some(SoakFact {
        version,
        channel,
        since,
        ..
    }) = tested(snapshot, subject)
    else {
        return Some("nothing of this commit is public, so that nobody can test it".to_owned());
    };
    if waiver.at < *since {
        let at = waiver.at;
        return Some(format!(
            "it is of {at}, and {version} is public in {channel} only since {since}"
        ));
    }
    let kept = since.plus_days(keep_days);
    (now < kept).then(|| format!("{version} is tested for {keep_days} days in any case, until {kept}"))
}

fn tested<'a>(snapshot: &'a Snapshot, subject: &GateSubject) -> Option<&'a SoakFact> {
    let soaking = snapshot.gates.soaking.as_ref();
    soaking.filter(|fact| fact.commit == subject.commit)
}

/// Decides the gate without people.
pub(super) fn decide(snapshot: &Snapshot, subject: &GateSubject, now: UtcTime) -> Said {
    let found = tested(snapshot, subject);
    let elsewhere = |fact: &SoakFact| fact.channel != subject.channel;
    if subject.version.is_candidate() && !found.is_some_and(elsewhere) {
        return Said::new(GateState::Pass, "a candidate is what is tested");
    }
    let Some(SoakFact {
        version,
        channel,
        since,
        ..
    }) = found
    else {
        return Said::new(GateState::NotRun, "no candidate of this commit is published");
    };
    let Some(Soak { days, ends, .. }) = Soak::of(snapshot, subject) else {
        return Said::new(GateState::Pass, format!("{channel} asks for no time of testing"));
    };
    let (state, rest) = if now < ends {
        let rest = format!("; it is to be tested for {days} days, until {ends}");
        (GateState::Fail, rest)
    } else {
        (GateState::Pass, String::new())
    };
    Said::new(
        state,
        format!("{version} is public in {channel} since {since}{rest}"),
    )
}

/// How the time of testing stands where the subject's channel has it as a gate: `None` where that cannot be waived.
pub(crate) fn judge_soak(snapshot: &Snapshot, subject: &GateSubject, now: UtcTime) -> Option<GateJudgement> {
    let channel = snapshot.policies.channels.get(&subject.channel)?;
    let gates = channel.gates.iter();
    let (id, gate) = gates
        .filter_map(|id| Some((id, snapshot.policies.gates.get(id)?)))
        .find(|(_, gate)| matches!(gate.decider, Decider::SoakTime { .. }))?;
    Some(judge_gate(snapshot, subject, id, gate, now))
}

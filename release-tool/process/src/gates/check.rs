//! The checks `gates` and `approvals`, and what binds the policy files of gates and people to others.

use super::people::{any_of, who};
use super::{Approvals, GateState, GateSubject, judge_approvals, judge_gates, judge_promotion, judge_soak};
use crate::{Finding, Policies, Snapshot};
use std::collections::BTreeMap;
use vrel_model::toml_file::closest;
use vrel_model::{
    ArtifactKind, ChannelName, ChannelPolicy, Decider, GateId, Plan, PlannedPromotion, UtcTime,
};

/// Every gate of the plan's channel is met.
pub(crate) fn gates(snapshot: &Snapshot, plan: &Plan, now: UtcTime) -> Vec<Finding> {
    gates_of(snapshot, &GateSubject::of(plan), now)
}

/// Every gate of the subject's channel is met.
pub(crate) fn gates_of(snapshot: &Snapshot, subject: &GateSubject, now: UtcTime) -> Vec<Finding> {
    const CHECK: &str = "gates";
    let mut findings: Vec<_> = problems(snapshot, &subject.channel);
    // The check `soak` has the time of testing, waived or not.
    let is_soak = |id: &GateId| {
        let gate = snapshot.policies.gates.get(id);
        gate.is_some_and(|gate| matches!(gate.decider, Decider::SoakTime { .. }))
    };
    for judged in judge_gates(snapshot, subject, now) {
        if is_soak(&judged.gate) {
            continue;
        }
        for refused in &judged.refused {
            findings.push(Finding::warning(
                CHECK,
                format!("gate {}: {refused}", judged.gate),
            ));
        }
        if !judged.state.is_met() {
            let message = format!(
                "gate {} ({}): {}: {}",
                judged.gate, judged.title, judged.state, judged.detail
            );
            let finding = Finding::policy(CHECK, message);
            findings.push(match judged.remedy {
                Some(remedy) => finding.hint(remedy),
                None => finding,
            });
        }
    }
    findings
}

/// What the check `soak` says of a time of testing that is not over: nobody may go on, unless the channel has it as a gate
/// and a person waived it.
pub(crate) fn soak_finding(
    snapshot: Option<&Snapshot>,
    subject: &GateSubject,
    now: UtcTime,
    message: String,
    wait: String,
) -> Vec<Finding> {
    const CHECK: &str = "soak";
    let Some(judged) = snapshot.and_then(|snapshot| judge_soak(snapshot, subject, now)) else {
        return vec![Finding::policy(CHECK, message).hint(wait)];
    };
    let refused = judged.refused.iter();
    let mut findings: Vec<_> = refused
        .map(|refused| Finding::warning(CHECK, format!("gate {}: {refused}", judged.gate)))
        .collect();
    findings.push(match (judged.state, judged.remedy) {
        (GateState::Waived, _) => Finding::warning(CHECK, judged.detail),
        (_, Some(remedy)) => Finding::policy(CHECK, message).hint(remedy),
        (_, None) => Finding::policy(CHECK, message).hint(wait),
    });
    findings
}

/// Records that cannot be read are nobody's evidence; where the channel asks for any, they are said.
fn problems(snapshot: &Snapshot, channel: &ChannelName) -> Vec<Finding> {
    let channel = snapshot.policies.channels.get(channel);
    if !channel.is_some_and(ChannelPolicy::asks) {
        return Vec::new();
    }
    let problems = snapshot.gates.problems.iter();
    problems
        .map(|problem| {
            Finding::policy("gates", problem.clone())
                .hint("mend the file on the branch of records, or remove it; see `vrel records`")
        })
        .collect()
}

/// Enough people approved exactly this plan.
pub(crate) fn approvals(snapshot: &Snapshot, plan: &Plan, now: UtcTime) -> Vec<Finding> {
    enough(
        &snapshot.policies,
        &plan.channel,
        &judge_approvals(snapshot, plan, now),
        &format!("the plan of {}", plan.version),
        &format!("vrel approve {}", plan.version),
    )
}

/// Enough people approved exactly this promotion.
pub(crate) fn check_promotion_approvals(
    snapshot: &Snapshot,
    promotion: &PlannedPromotion,
    now: UtcTime,
) -> Vec<Finding> {
    let (version, to) = (&promotion.version, &promotion.to);
    enough(
        &snapshot.policies,
        to,
        &judge_promotion(snapshot, promotion, now),
        &format!("the promotion of {version}"),
        &format!("vrel approve {version} --to {to}"),
    )
}

fn enough(
    policies: &Policies,
    channel: &ChannelName,
    judged: &Approvals,
    what: &str,
    command: &str,
) -> Vec<Finding> {
    const CHECK: &str = "approvals";
    if judged.needed == 0 {
        return Vec::new();
    }
    let mut findings: Vec<_> = judged
        .refused
        .iter()
        .map(|refused| Finding::warning(CHECK, refused.clone()))
        .collect();
    if !judged.are_met() {
        let roles = policies
            .channels
            .get(channel)
            .map_or(&[][..], |channel| &channel.approvers);
        let given: Vec<_> = judged.given.iter().map(ToString::to_string).collect();
        let by = if given.is_empty() {
            "nobody approved it".to_owned()
        } else {
            format!("{} approved it", given.join(", "))
        };
        let message = format!(
            "{what} needs {} approvals for the channel {channel}, by {}; {by}",
            judged.needed,
            any_of(roles)
        );
        let hint = format!("`{command}`; {}", who(policies, roles));
        findings.push(Finding::policy(CHECK, message).hint(hint));
    }
    findings
}

/// What channels say of gates that is not so, and gates of artifacts.
pub(crate) fn check(policies: &Policies) -> Vec<Finding> {
    const CHECK: &str = "policy-files";
    let mut findings = Vec::new();
    for (name, channel) in &policies.channels {
        for id in channel
            .gates
            .iter()
            .filter(|id| !policies.gates.contains_key(*id))
        {
            let message = format!("channels/{name}.toml: there is no gate `{id}`");
            let known = policies.gates.keys().map(GateId::as_str);
            let hint = closest(id.as_str(), known).map_or_else(
                || format!("write gates/{id}.toml"),
                |meant| format!("did you mean `{meant}`?"),
            );
            findings.push(Finding::policy(CHECK, message).hint(hint));
        }
        if channel.approvals > 0 && channel.approvers.is_empty() {
            let message = format!("channels/{name}.toml: `approvals` is {}", channel.approvals);
            findings
                .push(Finding::policy(CHECK, message).hint("`approvers` names the roles that may approve"));
        }
    }
    for (id, gate) in &policies.gates {
        if let Decider::Documents { kinds } = &gate.decider {
            findings.extend(unknown_kinds(policies, id, kinds));
        }
        if matches!(&gate.decider, Decider::Coverage { at_least, .. } if *at_least > 100) {
            let message = format!("gates/{id}.toml: `at-least` is more than 100 percent");
            findings.push(Finding::policy(CHECK, message).hint("a number from 0 to 100"));
        }
        if let Decider::Command { run, .. } = &gate.decider
            && (run.is_empty() || run.iter().any(Vec::is_empty))
        {
            let message = format!("gates/{id}.toml: `run` names no program");
            findings
                .push(Finding::policy(CHECK, message).hint("a list of programs, each with its arguments"));
        }
    }
    findings.extend(doubled_people(policies));
    findings
}

fn unknown_kinds(policies: &Policies, id: &GateId, kinds: &[ArtifactKind]) -> Vec<Finding> {
    let unknown = kinds
        .iter()
        .filter(|kind| !policies.artifacts.contains_key(*kind));
    unknown
        .map(|kind| {
            let known = policies.artifacts.keys().map(ArtifactKind::as_str);
            let hint = closest(kind.as_str(), known).map_or_else(
                || format!("write artifacts/{kind}.toml"),
                |meant| format!("did you mean `{meant}`?"),
            );
            let message = format!("gates/{id}.toml: there is no artifact `{kind}`");
            Finding::policy("policy-files", message).hint(hint)
        })
        .collect()
}

/// Two people with one key would be one person with two votes.
fn doubled_people(policies: &Policies) -> Vec<Finding> {
    let mut seen = BTreeMap::new();
    let mut findings = Vec::new();
    for (id, person) in &policies.people {
        if let Some(first) = seen.insert(person.key.as_str(), id) {
            let message = format!("signing/people/{id}.toml: `key` is that of {first}");
            findings.push(
                Finding::policy("policy-files", message)
                    .hint("everybody has a key of their own: `vrel keys person NAME`"),
            );
        }
    }
    findings
}

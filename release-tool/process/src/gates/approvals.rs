//! Who approved a plan.

use super::people::About;
use crate::Snapshot;
use serde::Serialize;
use vrel_model::{PersonId, Plan, StatementKind, UtcTime};

/// How the approvals of a plan stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// How many are needed.
    pub needed: usize,
    /// Who approved exactly this plan.
    pub given: Vec<PersonId>,
    /// Approvals that do not count, each with the reason.
    pub refused: Vec<String>,
}

impl Approvals {
    /// Whether there are enough.
    #[must_use]
    pub fn are_met(&self) -> bool {
        self.given.len() >= self.needed
    }
}

/// Counts the approvals of a plan. Two of one person are one; so are those of two people with one key.
#[must_use]
pub fn judge_approvals(snapshot: &Snapshot, plan: &Plan, now: UtcTime) -> Approvals {
    let policies = &snapshot.policies;
    let Some(channel) = policies.channels.get(&plan.channel) else {
        return Approvals::default();
    };
    let mut result = Approvals {
        needed: channel.approvals,
        ..Approvals::default()
    };
    let about = About {
        policies,
        version: &plan.version,
        commit: &plan.commit,
        roles: &channel.approvers,
        now,
    };
    let digest = plan.approval_digest().ok();
    let mut keys = Vec::new();
    for fact in &snapshot.gates.approvals {
        let statement = &fact.statement;
        let person = &statement.person;
        let reason = if statement.what != StatementKind::Approval {
            Some(format!("it is a {}", statement.what))
        } else {
            about.refusal(fact).or_else(|| {
                (digest.is_none() || statement.plan_sha256 != digest)
                    .then(|| "it is of another plan of this release".to_owned())
            })
        };
        let key = policies.people.get(person).map(|found| found.key.as_str());
        match reason {
            Some(reason) => result
                .refused
                .push(format!("the approval by {person} does not count: {reason}")),
            None if result.given.contains(person) => {}
            None if keys.contains(&key) => result.refused.push(format!(
                "the approval by {person} does not count: somebody else approved with the same key"
            )),
            None => {
                keys.push(key);
                result.given.push(person.clone());
            }
        }
    }
    result
}

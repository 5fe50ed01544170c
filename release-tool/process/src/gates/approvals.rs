//! Who approved a plan, or a commit.

use super::GateSubject;
use super::people::About;
use crate::{Policies, Snapshot, StatementFact};
use serde::Serialize;
use vrel_model::{
    PersonId, PersonRole, PersonalStatement, Plan, PlannedPromotion, Sha256Digest, StatementKind, UtcTime,
};

/// How the approvals of a plan or a commit stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Approvals {
    /// How many are needed.
    pub needed: usize,
    /// Who approved exactly this.
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
    judge(
        &snapshot.policies,
        &snapshot.gates.approvals,
        &GateSubject::of(plan),
        plan.approval_digest().ok(),
        "plan of this release",
        now,
    )
}

/// Counts the approvals of a promotion, which the snapshot has in the place of the release's, by the same rules.
#[must_use]
pub fn judge_promotion(snapshot: &Snapshot, promotion: &PlannedPromotion, now: UtcTime) -> Approvals {
    promotion_approvals(&snapshot.policies, &snapshot.gates.approvals, promotion, now)
}

/// As [`judge_promotion`], of the approvals that are recorded of it.
#[must_use]
pub fn promotion_approvals(
    policies: &Policies,
    recorded: &[StatementFact],
    promotion: &PlannedPromotion,
    now: UtcTime,
) -> Approvals {
    judge(
        policies,
        recorded,
        &GateSubject::of_promotion(promotion),
        promotion.approval_digest().ok(),
        "promotion",
        now,
    )
}

fn judge(
    policies: &Policies,
    recorded: &[StatementFact],
    subject: &GateSubject,
    digest: Option<Sha256Digest>,
    what: &str,
    now: UtcTime,
) -> Approvals {
    let Some(channel) = policies.channels.get(&subject.channel) else {
        return Approvals::default();
    };
    let about = About {
        policies,
        version: &subject.version,
        commit: &subject.commit,
        roles: &channel.approvers,
        now,
    };
    count(policies, channel.approvals, recorded, |fact, statement| {
        about.refusal(fact).or_else(|| {
            (digest.is_none() || statement.plan_sha256 != digest).then(|| format!("it is of another {what}"))
        })
    })
}

/// Counts who approved a commit, as whichever release: those count who may approve a release of that version for some channel.
#[must_use]
pub fn judge_commit_approvals(
    policies: &Policies,
    recorded: &[StatementFact],
    commit: &str,
    needed: usize,
    now: UtcTime,
) -> Approvals {
    count(policies, needed, recorded, |fact, statement| {
        let roles: Vec<PersonRole> = policies
            .channels
            .values()
            .filter(|channel| channel.approvals > 0 && channel.admits(&statement.version))
            .flat_map(|channel| channel.approvers.iter().cloned())
            .collect();
        if roles.is_empty() {
            return Some(format!("no channel asks for approvals of {}", statement.version));
        }
        let about = About {
            policies,
            version: &statement.version,
            commit,
            roles: &roles,
            now,
        };
        about.refusal(fact)
    })
}

/// Counts the approvals that `refusal` has no objection to.
fn count(
    policies: &Policies,
    needed: usize,
    facts: &[StatementFact],
    refusal: impl Fn(&StatementFact, &PersonalStatement) -> Option<String>,
) -> Approvals {
    let mut result = Approvals {
        needed,
        ..Approvals::default()
    };
    let mut keys = Vec::new();
    for fact in facts {
        let statement = &fact.statement;
        let person = &statement.person;
        let reason = if statement.what == StatementKind::Approval {
            refusal(fact, statement)
        } else {
            Some(format!("it is a {}", statement.what))
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

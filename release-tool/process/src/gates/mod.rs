//! Gates: which of them a release meets, and who approved it.

mod approvals;
mod check;
mod facts;
mod judge;
mod machine;
mod people;

pub use approvals::{Approvals, judge_approvals, judge_commit_approvals, judge_promotion};
pub use facts::{BreakingFact, GateFacts, SmokeFact, StatementFact};
pub use judge::{GateJudgement, GateState, GateSubject, gate_subject, judge_gate, judge_gates};
pub use people::{may_decide, people_with};

pub(crate) use check::{approvals, check, gates, gates_of, promotion_approvals};

#[cfg(test)]
mod tests;

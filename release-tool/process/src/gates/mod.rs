//! Gates: which of them a release meets, and who approved it.

mod approvals;
mod check;
mod facts;
mod judge;
mod machine;
mod people;
mod soak;

pub use approvals::{
    Approvals, judge_approvals, judge_commit_approvals, judge_promotion, promotion_approvals,
};
pub use facts::{BreakingFact, GateFacts, SmokeFact, SoakFact, StatementFact};
pub use judge::{GateJudgement, GateState, GateSubject, gate_subject, judge_gate, judge_gates};
pub use people::{may_decide, people_with};

pub(crate) use check::{approvals, check, check_promotion_approvals, gates, gates_of, soak_finding};
pub(crate) use soak::judge_soak;

#[cfg(test)]
mod tests;

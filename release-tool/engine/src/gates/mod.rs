//! Gates: the evidence that machines give, what people sign, and what is gathered of both for the rules.

mod advisories;
mod approve;
mod coverage;
mod decide;
mod facts;
pub(crate) mod paths;
mod run;
mod smoke;

pub use approve::record_approval;
pub use coverage::coverage_of;
pub use decide::{find_person, record_statement, statement};
pub use facts::collect_gates;
pub(crate) use facts::{promotion_snapshot, recorded_approvals, recorded_promotion_approvals};
pub use run::{GateRun, hand_in};

//! The rules of a release.
//!
//! A rule is a named check: a small function from a [`Snapshot`] and a request to findings. A planner runs all checks of
//! its command, so that a person sees every finding at once, and makes the plan. Nothing here reads a file, a clock or a
//! network: what is needed stands in the snapshot, and what was not looked at there is `None`.

mod artifacts;
mod backfill;
mod backport;
mod bump;
pub mod channels;
mod ci;
mod cut_rc;
mod draft;
mod finding;
pub mod freeze;
mod gates;
mod lineage;
mod lts;
mod merge;
mod next;
mod nightly;
mod policies;
mod release;
mod schedule;
mod sizes;
mod snapshot;
mod staging;
mod tiers;

pub use artifacts::{PlannedFiles, plan_files};
pub use backfill::{BACKFILL_STEPS, BackfillFacts, PublishedRelease, plan_backfill};
pub use backport::{Decision, LineChanges, Nominee, Present, check_nominee, decide, short};
pub use bump::{Bump, InterfaceFacts};
pub use ci::plan_ci;
pub use cut_rc::{STEPS, plan_cut_rc};
pub use draft::{Outcome, StepRow};
pub use finding::{Finding, Severity};
pub use gates::{
    Approvals, BreakingFact, GateFacts, GateJudgement, GateState, GateSubject, SmokeFact, SoakFact,
    StatementFact, gate_subject, judge_approvals, judge_commit_approvals, judge_gate, judge_gates,
    judge_promotion, may_decide, people_with, promotion_approvals,
};
pub use lineage::{
    TaggedRelease, newest_on_line, previous_release, previous_release_at, previous_release_where, usable_tags,
};
pub use lts::{LtsFacts, LtsRequest, check_lts};
pub use merge::{MergeCondition, MergeFacts, MergeProposal, MergeVerdict, check_merge};
pub use next::{
    CommitFact, Next, NextFacts, Origin, PlannedVersion, Proposal, Reason, base_release, next_version,
    open_series,
};
pub use nightly::{
    Bisection, NIGHTLY_STEPS, NightlyDue, PublishedNightly, expendable, nightly_due, overdue, plan_nightly,
};
pub use policies::Policies;
pub use release::{CandidateFacts, RELEASE_STEPS, ReleaseFacts, candidate_of, plan_release};
pub use schedule::{
    CalendarEvent, Due, DueAt, DueKind, EventKind, FreezeFact, HeadFact, PointerFact, PublishedFact,
    RoadmapFact, Schedule, Span, SupportFact, agenda, calendar, day_of, start_of,
};
pub use sizes::{SizeChange, check_sizes, compare_sizes};
pub use snapshot::{
    EnvironmentFacts, KeyFact, LineSupport, MissingTool, OriginFacts, RemoteFacts, Snapshot, TagFact,
};
pub use staging::{
    STAGING_STEPS, SmokeTest, SpeedFigure, benchmarks, no_longer_staged, smoke_tests, speed_benchmarks,
};

//! Domain types of the release tool and the schemas of the files that it reads and writes.
//!
//! Nothing here touches a file, a network or a clock. A value that exists is valid: fields are private where a rule
//! binds them, and `FromStr`, `Display` and serde go through the checked constructors.

mod arch;
mod artifact;
mod backports;
mod branch;
mod canonical;
mod channel;
mod ci;
mod commit_type;
mod config;
mod day;
mod digest;
mod edition;
mod extension;
mod forge;
pub mod freeze;
mod gate;
mod glob;
mod history;
mod identifier;
mod line_record;
mod manifest;
mod origin_line;
mod pattern;
mod person;
mod plan;
mod planned_promotion;
mod pointer;
mod pointer_record;
mod pull_request;
mod release_record;
mod schema;
mod signatory;
mod signing;
mod staging;
mod statement;
mod tier;
mod time;
pub mod toml_file;
mod trial_merge;
mod version;
mod withdrawal;

pub use arch::{Arch, ArchError};
pub use artifact::{
    ArtifactKind, ArtifactKindError, ArtifactName, ArtifactNameError, ArtifactPolicy, BootMedium, ByteSize,
    Packer, PackerScope,
};
pub use backports::{Backport, BackportEvent, BackportState, Backports};
pub use branch::{BranchName, BranchNameError};
pub use canonical::canonical_json;
pub use channel::{ChannelName, ChannelNameError, ChannelPolicy, StageName};
pub use ci::{CiConfig, CiPlan, PlainError, PlainPath, PlainWord, Rhythm, TimeOfDay, TimeOfDayError};
pub use commit_type::{CommitType, CommitTypeError};
pub use config::{
    BackportConfig, Config, GitConfig, OsConfig, PlanConfig, ProductConfig, PublishConfig, ToolchainConfig,
};
pub use day::{Day, DayError};
pub use digest::{Blake2bDigest, Digest, DigestError, Sha256Digest};
pub use edition::{Edition, EditionError};
pub use extension::Trespass;
pub use forge::{ForgeConfig, ForgeKind, RepositorySlug, RepositorySlugError};
pub use gate::{
    Decider, Deciding, Evidence, EvidenceOutcome, GateGroup, GateId, GatePolicy, KeptLog, PersonalStatement,
    SignedStatement, SignedStatements, SmokePart, StatementKind,
};
pub use glob::{PathGlob, PathGlobError};
pub use history::HistoryCommit;
pub use identifier::IdentifierError;
pub use line_record::{LineChange, LineEvent, LineRecord, Support, SupportPolicy};
pub use manifest::{BootRecord, Manifest, ManifestArtifact, ManifestDocument};
pub use origin_line::{is_commit_id, origins, reverted, with_origin};
pub use pattern::{Pattern, PatternError};
pub use person::{Person, PersonError};
pub use plan::{
    Plan, PlannedArtifact, PlannedBackfill, PlannedCandidate, PlannedDocument, PlannedMessage, PlannedNews,
    PlannedObject, PlannedPointer, PlannedRef, PlannedStep, RefChange,
};
pub use planned_promotion::PlannedPromotion;
pub use pointer::{BackfilledManifest, ChannelHead, KeySignature, Pointer, PointerError, SignedPointer};
pub use pointer_record::{DudRecord, Promotion, Promotions, RecordedRollback, Rollbacks};
pub use pull_request::{CheckState, CommitCheck, PullRequest, Review, ReviewState};
pub use release_record::{RecordedEvidence, RecordedGate, RecordedJournal, ReleaseRecord};
pub use schema::{manifest_schema, pointer_schema};
pub use signatory::{PersonId, PersonRole, Signatory};
pub use signing::{KeyId, KeyIdError, KeyRole, KeyRoleError, RolePolicy, SigningPolicy};
pub use staging::{
    Benchmark, Rehearsal, SmokeReport, StagedBoot, UpgradeOutcome, UpgradeTest, Verdict, WayBack,
};
pub use statement::{Statement, StatementError};
pub use tier::{LaggingArch, Tier, TierError};
pub use time::{TimeError, UtcTime};
pub use trial_merge::TrialMerge;
pub use version::{Line, LineError, Stage, Version, VersionError};
pub use withdrawal::{AdvisoryId, AdvisoryIdError, Dud, Reason, ReasonError, Rollback};

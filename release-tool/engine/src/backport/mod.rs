//! Carrying commits of the development branch over to a line.
//!
//! What is wanted is a queue in the records; what was picked and has not landed is a chain of commits that a ref of this
//! repository alone names; a conflict is a work tree. Nothing else is remembered, so whatever interrupts the work, the same
//! command finds all of it again.

mod branches;
mod checks;
mod conflict;
mod landing;
mod needs;
mod nominate;
mod plan;

pub use branches::LineBranches;
pub use checks::Checks;
pub use conflict::OpenConflict;
pub use landing::{CheckResult, Landed, Landing};
pub use needs::Needs;
pub use nominate::{Candidate, Nominated};
pub use plan::{FoundConflict, FoundPresent, PickPlan, PlannedPick, Which};

use crate::records::Records;
use crate::{EngineError, Site};
use std::path::{Path, PathBuf};
use vrel_model::{Backports, Config, Line};
use vrel_process::Finding;
use vrel_world::{Git, Picking, World};

/// The backports of one line.
pub struct BackportQueue<'a> {
    world: &'a dyn World,
    site: &'a Site,
    config: &'a Config,
    line: Line,
}

impl<'a> BackportQueue<'a> {
    /// The backports of a line in the repository at `site`.
    #[must_use]
    pub fn new(world: &'a dyn World, site: &'a Site, config: &'a Config, line: Line) -> Self {
        Self {
            world,
            site,
            config,
            line,
        }
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> Line {
        self.line
    }

    /// The queue, as this repository knows it.
    ///
    /// # Errors
    /// When the records cannot be read or the file is wrong.
    pub fn read(&self) -> Result<Backports, EngineError> {
        let text = self.records().view()?.read_text(&self.file())?;
        Ok(Backports::parse(
            Path::new(&self.file()),
            &text.unwrap_or_default(),
        )?)
    }

    fn records(&self) -> Records<'a> {
        Records::new(self.world, self.site, self.config)
    }

    fn git(&self) -> &'a dyn Git {
        self.world.git()
    }

    fn picking(&self) -> &'a dyn Picking {
        self.git().picking()
    }

    fn root(&self) -> &'a Path {
        self.site.root()
    }

    /// The queue's file in the records.
    fn file(&self) -> String {
        format!("lines/{}/backports.toml", self.line)
    }

    /// The ref of what was picked and has not landed.
    fn chain_ref(&self) -> String {
        format!("refs/vrel/backport/{}", self.line)
    }

    /// What is kept here for this line: work trees of conflicts, exported sources, what was checked.
    fn dir(&self) -> PathBuf {
        self.site.state().join("backport").join(self.line.to_string())
    }
}

fn refused(message: impl Into<String>, hint: impl Into<String>) -> EngineError {
    EngineError::Refused {
        message: message.into(),
        hint: Some(hint.into()),
    }
}

fn from_finding(finding: Finding) -> EngineError {
    EngineError::Refused {
        message: finding.to_string(),
        hint: finding.hint,
    }
}

/// The first line of a message.
fn subject(message: &str) -> String {
    message.trim_start().lines().next().unwrap_or_default().to_owned()
}

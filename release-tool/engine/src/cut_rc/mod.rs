//! The steps of releases. The order, the names and what can be taken back stand in [`vrel_process::STEPS`],
//! [`vrel_process::RELEASE_STEPS`], [`vrel_process::NIGHTLY_STEPS`] and [`vrel_process::BACKFILL_STEPS`]; here is what each step looks at and does.

mod addition;
mod announce;
mod boot;
mod build;
mod compare;
mod digest;
mod documents;
mod publish;
mod record;
mod refs;
mod rehearse;
mod reproduce;
mod retire;
mod sign;
mod smoke;
mod speed;
mod stage;
mod supply;

pub(crate) use build::build_error;
pub(crate) use publish::origin_error;

use crate::run::{Action, Observation, Step};
use crate::{EngineError, Progress, Site};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_build::stamp::Identity;
use vrel_model::{Arch, ArtifactName, Config, KeyRole, Plan};
use vrel_origin::TrustRoot;
use vrel_process::Policies;
use vrel_trust::{KeyRing, SecretKey};
use vrel_world::World;

/// What the steps of one release work with.
pub struct Release<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// Where things are.
    pub site: &'a Site,
    /// The plan that is followed.
    pub plan: &'a Plan,
    /// The policy files of the work tree.
    pub policies: &'a Policies,
    /// `vrel.toml` of the commit that is released: how that commit is built.
    pub config: &'a Config,
    /// The trusted public keys.
    pub ring: &'a KeyRing,
    /// The secret keys of this release's roles; `None` for what needs none, like `undo`.
    pub signers: Option<&'a Signers>,
    /// Who is told how it goes.
    pub progress: &'a dyn Progress,
    /// How many programs run at the same time.
    pub jobs: usize,
    /// The manual pages of this tool, by file name.
    pub tool_pages: &'a BTreeMap<String, Vec<u8>>,
    /// Where compiled code is kept between releases.
    pub cache: PathBuf,
    /// Where cargo keeps the sources of crates, its `CARGO_HOME`.
    pub cargo_home: PathBuf,
}

/// The secret keys of a release.
#[derive(Debug)]
pub struct Signers {
    /// Signs artifacts, checksums and the manifest.
    pub release: SecretKey,
    /// Signs the pointer.
    pub pointer: SecretKey,
}

/// The steps of a plan, in its order, which is that of [`vrel_process::STEPS`], [`vrel_process::RELEASE_STEPS`],
/// [`vrel_process::NIGHTLY_STEPS`] or [`vrel_process::BACKFILL_STEPS`].
#[must_use]
pub fn steps_of<'a>(plan: &Plan) -> Vec<Step<Release<'a>>> {
    let mut steps = all_steps();
    steps.retain(|step| plan.steps.iter().any(|planned| planned.name == step.name));
    if plan.backfill.is_some() {
        steps.iter_mut().for_each(add_instead);
    }
    steps
}

/// What a backfill does in another way: it adds to files that are there.
fn add_instead(step: &mut Step<Release<'_>>) {
    match step.name {
        "publish" => step.undo = Some(addition::withdraw),
        "pointer" => {
            step.observe = addition::pointer_is_moved;
            step.act = addition::move_pointer;
        }
        "announce" => step.act = addition::write_draft,
        _ => {}
    }
}

/// Every step that any kind of release has. All kinds have them in the same order.
fn all_steps<'a>() -> Vec<Step<Release<'a>>> {
    let nothing: Option<Action<Release<'a>>> = Some(|_| Ok(()));
    vec![
        Step {
            name: "branch",
            observe: refs::branch_is_there,
            act: refs::make_branch,
            undo: Some(refs::drop_branch),
        },
        Step {
            name: "source",
            observe: build::sources_are_there,
            act: build::export,
            undo: Some(build::clean),
        },
        Step {
            name: "build",
            observe: build::is_built,
            act: build::build,
            undo: nothing,
        },
        Step {
            name: "digest",
            observe: digest::is_digested,
            act: digest::digest,
            undo: nothing,
        },
        Step {
            name: "compare",
            observe: compare::is_compared,
            act: compare::prove,
            undo: nothing,
        },
        Step {
            name: "boot",
            observe: boot::all_booted,
            act: boot::boot_all,
            undo: nothing,
        },
        Step {
            name: "reproduce",
            observe: reproduce::is_reproduced,
            act: reproduce::reproduce,
            undo: nothing,
        },
        Step {
            name: "documents",
            observe: documents::documents_are_written,
            act: documents::write_documents,
            undo: nothing,
        },
        Step {
            name: "manifest",
            observe: documents::manifest_is_written,
            act: documents::write_manifest,
            undo: nothing,
        },
        Step {
            name: "sign",
            observe: sign::is_signed,
            act: sign::sign,
            undo: nothing,
        },
        Step {
            name: "stage",
            observe: stage::is_staged,
            act: stage::stage,
            undo: Some(stage::withdraw),
        },
        Step {
            name: "smoke",
            observe: smoke::is_smoked,
            act: smoke::smoke,
            undo: nothing,
        },
        Step {
            name: "rehearse",
            observe: rehearse::is_rehearsed,
            act: rehearse::rehearse,
            undo: nothing,
        },
        Step {
            name: "publish",
            observe: publish::is_published,
            act: publish::publish,
            undo: Some(publish::withdraw),
        },
        Step {
            name: "read-back",
            observe: publish::was_read_back,
            act: publish::read_back,
            undo: nothing,
        },
        Step {
            name: "tag",
            observe: refs::tag_is_there,
            act: refs::make_tag,
            undo: Some(refs::drop_tag),
        },
        Step {
            name: "push",
            observe: refs::is_pushed,
            act: refs::push,
            undo: None,
        },
        Step {
            name: "pointer",
            observe: publish::pointer_is_moved,
            act: publish::move_pointer,
            undo: None,
        },
        Step {
            name: "retire",
            observe: retire::none_is_expendable,
            act: retire::remove_expendable,
            undo: None,
        },
        Step {
            name: "plan",
            observe: announce::plan_is_recorded,
            act: announce::record_plan,
            undo: None,
        },
        Step {
            name: "record",
            observe: record::is_recorded,
            act: record::record,
            undo: None,
        },
        Step {
            name: "announce",
            observe: announce::draft_is_written,
            act: announce::write_draft,
            undo: None,
        },
    ]
}

impl Release<'_> {
    /// What the release's system says of itself when it boots.
    pub(crate) fn identity(&self, arch: Arch) -> Identity {
        Identity {
            name: self.plan.product_name.clone(),
            version: self.plan.version.to_string(),
            commit: self.plan.commit.clone(),
            arch,
        }
    }

    /// A file of the release as it will be published.
    pub(crate) fn staged(&self, name: &str) -> PathBuf {
        self.site.stage(self.plan).join(name)
    }

    /// A file of the release's work directory that is not published.
    pub(crate) fn work_file(&self, name: &str) -> PathBuf {
        self.site.work(self.plan).join(name)
    }

    /// Whom a reader of what is published trusts.
    pub(crate) fn trust(&self) -> TrustRoot<'_> {
        TrustRoot {
            ring: self.ring,
            signing: &self.policies.signing,
            channels: &self.policies.channels,
        }
    }

    /// The name of the list of checksums that the plan makes.
    pub(crate) fn sums(&self) -> String {
        self.plan.edition().sums()
    }

    /// The name of the manifest that the plan makes.
    pub(crate) fn manifest(&self) -> String {
        self.plan.edition().manifest()
    }

    /// The secret key of one of the release's two roles.
    pub(crate) fn signer(&self, step: &str, role: &KeyRole) -> Result<&SecretKey, EngineError> {
        let signers = self
            .signers
            .ok_or_else(|| failed(step, "no secret key was loaded"))?;
        Ok(if *role == self.plan.pointer_role {
            &signers.pointer
        } else {
            &signers.release
        })
    }

    /// Writes a small file into the stage or the work directory.
    pub(crate) fn write(&self, path: &std::path::Path, content: &[u8]) -> Result<(), EngineError> {
        if let Some(parent) = path.parent() {
            self.world.fs().create_dir_all(parent)?;
        }
        Ok(self.world.fs().write(path, content, 0o644)?)
    }

    /// A small file, or nothing.
    pub(crate) fn read(&self, path: &std::path::Path) -> Result<Option<Vec<u8>>, EngineError> {
        match self.world.fs().read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind == vrel_world::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A step's failure that is the machine's.
pub(crate) fn failed(step: &str, message: impl std::fmt::Display) -> EngineError {
    EngineError::Step {
        step: step.to_owned(),
        message: message.to_string(),
        hint: None,
        conflict: false,
    }
}

/// A step's failure because the world contradicts the plan.
pub(crate) fn conflict(step: &str, message: impl std::fmt::Display, hint: &str) -> EngineError {
    EngineError::Step {
        step: step.to_owned(),
        message: message.to_string(),
        hint: Some(hint.to_owned()),
        conflict: true,
    }
}

pub(crate) fn missing(what: impl std::fmt::Display) -> Result<Observation, EngineError> {
    Ok(Observation::Missing(what.to_string()))
}

pub(crate) fn done(what: impl std::fmt::Display) -> Result<Observation, EngineError> {
    Ok(Observation::Done(what.to_string()))
}

/// A name that this program chose itself.
pub(crate) fn own_name(step: &str, name: &str) -> Result<ArtifactName, EngineError> {
    name.parse().map_err(|error| failed(step, error))
}

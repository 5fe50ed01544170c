//! Moving the pointer without building: gathering what the rules look at, replacing the pointer, and recording who did it.
//!
//! The pointer is what counts. It is replaced first, on condition that it still is the one that was planned on; the records
//! follow, and what they lack is found by comparing them with the pointer. So whoever is interrupted between the two runs
//! the same command again.

mod recorded;

pub use recorded::promotions_of;
pub(crate) use recorded::{promotions, recorded_duds};

use crate::cut_rc::origin_error;
use crate::gates::promotion_snapshot;
use crate::records::{Changed, Records};
use crate::{CurrentPointer, EngineError, PointerChange, PointerReader, Site, load_policies_at_commit};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use vrel_model::{ArtifactName, ChannelName, ChannelPolicy, Edition, KeyRole, Manifest, Pointer, Version};
use vrel_origin::{LocalOrigin, PointerCheck, TrustRoot, VerifyRequest, verify_release};
use vrel_process::channels::{ChannelFacts, PointerMove, ReleaseFact, Verified};
use vrel_process::{GateSubject, Policies, Snapshot, plan_files};
use vrel_trust::{KeyRing, SecretKey, digest_bytes};
use vrel_world::{FileKind, World};

/// The channels of a repository and its origin.
pub struct Channels<'a> {
    /// The machine.
    pub world: &'a dyn World,
    /// Where things are.
    pub site: &'a Site,
    /// The policy files of the work tree.
    pub policies: &'a Policies,
    /// The trusted public keys.
    pub ring: &'a KeyRing,
    /// How many threads hash at the same time.
    pub threads: NonZeroUsize,
}

/// The channels as they were at one moment.
#[derive(Clone, Debug)]
pub struct ChannelsNow {
    /// What the rules look at.
    pub facts: ChannelFacts,
    /// The pointer that a change has to replace.
    current: Option<CurrentPointer>,
}

impl<'a> Channels<'a> {
    fn records(&self) -> Records<'a> {
        Records::new(self.world, self.site, &self.policies.config)
    }

    /// Asks the remote for newer records. Without a remote there is nothing to ask.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn refresh(&self) -> Result<(), EngineError> {
        self.records().refresh()
    }

    fn reader(&self) -> PointerReader<'_> {
        PointerReader {
            world: self.world,
            origin: self.site.origin(),
            ring: self.ring,
            role: &self.policies.signing.pointer_role,
            product: self.policies.config.product.id.as_str(),
        }
    }

    /// Looks at pointer, origin and records. Of `verify`, every byte is looked at as a reader would; `targets` are the
    /// channels that one of them is to enter. Of one release and one target, gates and approvals are looked at, too.
    ///
    /// # Errors
    /// When one of them cannot be read, or a person asked the program to stop. What a reader would refuse is a fact.
    pub fn look(&self, verify: &[Version], targets: &[ChannelName]) -> Result<ChannelsNow, EngineError> {
        let exists = self
            .world
            .fs()
            .metadata(&self.site.origin().join("releases"))?
            .is_some();
        let current = if exists { self.reader().current()? } else { None };
        let pointer = current.as_ref().map(|current| current.pointer.clone());
        let mut facts = ChannelFacts {
            policies: self.policies.clone(),
            pointer,
            releases: if exists {
                self.releases(verify)?
            } else {
                BTreeMap::new()
            },
            promotions: promotions(&self.records().view()?)?,
            verified: BTreeMap::new(),
            judged_by: None,
        };
        for version in verify {
            if let Some(release) = facts.releases.get(version) {
                let edition = facts
                    .pointer
                    .as_ref()
                    .map_or(Edition::FIRST, |pointer| pointer.edition(version));
                let mut verified = self.verify(version, edition)?;
                for channel in targets {
                    let required = self.required(&release.commit, channel, version)?;
                    verified.required.insert(channel.clone(), required);
                }
                facts.verified.insert(version.clone(), verified);
            }
        }
        if let ([version], [target]) = (verify, targets) {
            facts.judged_by = self.judged_by(&facts, version, target)?;
        }
        Ok(ChannelsNow { facts, current })
    }

    /// What gates and approvals of a promotion are judged by, where the target asks for any.
    fn judged_by(
        &self,
        facts: &ChannelFacts,
        version: &Version,
        target: &ChannelName,
    ) -> Result<Option<Snapshot>, EngineError> {
        let release = facts.releases.get(version);
        let channel = self.policies.channels.get(target);
        let (Some(release), true) = (release, channel.is_some_and(ChannelPolicy::asks)) else {
            return Ok(None);
        };
        let subject = GateSubject {
            version: version.clone(),
            channel: target.clone(),
            commit: release.commit.clone(),
        };
        promotion_snapshot(self.world, self.site, self.policies, &subject, self.world.now())
    }

    /// What is in the origin. A manifest that cannot be read hides a release, unless somebody asked for that one.
    fn releases(&self, asked: &[Version]) -> Result<BTreeMap<Version, ReleaseFact>, EngineError> {
        let fs = self.world.fs();
        let dir = self.site.origin().join("releases");
        let mut releases = BTreeMap::new();
        for entry in fs.list(&dir)? {
            let Ok(version) = entry.name.parse::<Version>() else {
                continue;
            };
            let path = dir.join(&entry.name).join(Edition::FIRST.manifest());
            if entry.kind != FileKind::Directory || fs.metadata(&path)?.is_none() {
                continue;
            }
            let bytes = fs.read(&path)?;
            match Manifest::parse(&bytes) {
                Ok(manifest) => {
                    let digests = digest_bytes(&bytes);
                    let fact = ReleaseFact {
                        channel: manifest.channel,
                        commit: manifest.commit,
                        created: manifest.created,
                        manifest_length: digests.length,
                        manifest_sha256: digests.sha256,
                    };
                    releases.insert(version, fact);
                }
                Err(error) if asked.contains(&version) => {
                    let reason = error.to_string();
                    return Err(EngineError::Policy { path, reason });
                }
                Err(_) => {}
            }
        }
        Ok(releases)
    }

    fn verify(&self, version: &Version, edition: Edition) -> Result<Verified, EngineError> {
        const STEP: &str = "verify";
        let origin =
            LocalOrigin::open(self.world, self.site.origin()).map_err(|error| origin_error(STEP, error))?;
        let request = VerifyRequest {
            trust: TrustRoot {
                ring: self.ring,
                signing: &self.policies.signing,
                channels: &self.policies.channels,
            },
            product: self.policies.config.product.id.as_str(),
            version,
            pointer: PointerCheck::Skip { edition },
            now: self.world.now(),
            threads: self.threads,
        };
        let report = verify_release(&origin, &request, &|_| {}).map_err(|error| origin_error(STEP, error))?;
        let name = edition.manifest();
        let signed = report.good.iter().find(|file| file.name.as_str() == name);
        let key = signed.and_then(|file| file.key);
        let roles = self.ring.iter().filter(|(_, public)| Some(public.id()) == key);
        let (artifacts, lagging) = report.manifest.map_or_else(Default::default, |manifest| {
            let names: BTreeSet<_> = manifest
                .artifacts
                .into_iter()
                .map(|artifact| artifact.name)
                .collect();
            (names, manifest.lagging)
        });
        Ok(Verified {
            problems: report.findings.iter().map(ToString::to_string).collect(),
            artifacts,
            lagging,
            roles: roles.map(|(role, _)| role.clone()).collect::<BTreeSet<KeyRole>>(),
            required: BTreeMap::new(),
        })
    }

    /// The artifacts that the policy files of the release's commit want in a channel; what the files of today want is for
    /// releases to come.
    fn required(
        &self,
        commit: &str,
        channel: &ChannelName,
        version: &Version,
    ) -> Result<Result<BTreeSet<ArtifactName>, String>, EngineError> {
        let root = self.site.root();
        if self.world.git().revision(root, commit)?.is_none() {
            return Ok(Err(format!("its commit {commit} is not in this repository")));
        }
        let policies = match load_policies_at_commit(self.world, root, commit) {
            Ok(policies) => policies,
            Err(EngineError::World(error)) => return Err(error.into()),
            Err(error) => return Ok(Err(error.to_string())),
        };
        Ok(match plan_files(&policies, Some(channel), &version.to_string()) {
            Ok(files) => Ok(files
                .artifacts
                .into_iter()
                .map(|artifact| artifact.name)
                .collect()),
            Err(finding) => Err(finding.message),
        })
    }

    /// Replaces the pointer that was looked at by one that says what was planned. Answers with the new one.
    ///
    /// # Errors
    /// When somebody else replaced the pointer meanwhile, or it cannot be signed or written; nothing has changed then.
    pub fn apply(
        &self,
        now: &ChannelsNow,
        change: &PointerMove,
        key: &SecretKey,
        holder: &str,
    ) -> Result<Pointer, EngineError> {
        let issued = self.world.now();
        let days = self.policies.config.publish.pointer_lifetime_days;
        let swap = PointerChange {
            reader: self.reader(),
            key,
            issued,
            expires: issued.plus_days(days),
            holder,
        };
        swap.swap(now.current.clone(), |pointer| {
            change.apply(pointer);
            Ok(())
        })
    }

    /// Records what the pointer says and the records lack; `message` is the first line of the commit.
    ///
    /// # Errors
    /// When the remote cannot be reached or refuses, or a record is wrong.
    pub fn record(
        &self,
        now: &ChannelsNow,
        pointer: &Pointer,
        message: &str,
    ) -> Result<Changed, EngineError> {
        let by = self.world.git().picking().committer(self.site.root())?;
        self.records().change(&format!("{message}\n"), &mut |view| {
            recorded::missing(view, &now.facts, pointer, &by)
        })
    }
}

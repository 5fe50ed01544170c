//! Gathering what the rules of adding to a release look at.

use crate::policy_files::targets_at_commit;
use crate::{EngineError, Site, load_policies_at_commit};
use vrel_build::Toolchain;
use vrel_model::{Config, Sha256Digest, Version};
use vrel_origin::{LocalOrigin, OriginError, Problem, TrustRoot, fetch_newest_manifest};
use vrel_process::{BackfillFacts, Policies, PublishedRelease};
use vrel_trust::KeyRing;
use vrel_world::World;

/// What there is to know of a release that architectures are to be added to: its newest public manifest, verified with the
/// public keys, its commit, and this machine's compiler. Changes nothing.
///
/// # Errors
/// When the origin or the repository cannot be read, or a person asked the program to stop. What is missing or wrong is a
/// fact.
pub fn collect_backfill_facts(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    ring: &KeyRing,
    version: &Version,
) -> Result<BackfillFacts, EngineError> {
    let (published, problem) = published(world, site, policies, ring, version)?;
    let mut facts = BackfillFacts {
        published,
        problem,
        ..BackfillFacts::default()
    };
    let Some(published) = &facts.published else {
        return Ok(facts);
    };
    let (git, root, commit) = (world.git(), site.root(), published.manifest.commit.clone());
    if git.revision(root, &commit)?.is_none() {
        return Ok(facts);
    }
    facts.commit_time = Some(git.commit_time(root, &commit)?);
    let of_commit = load_policies_at_commit(world, root, &commit);
    if let Ok(policies) = &of_commit {
        facts.compiler = compiler(world, site, &commit, &policies.config)?;
    }
    facts.policies = Some(match of_commit {
        Ok(policies) => Ok(policies),
        Err(EngineError::World(error)) => return Err(error.into()),
        Err(error) => Err(error.to_string()),
    });
    Ok(facts)
}

/// The newest public manifest of a release, verified with the public keys; or why what the origin has cannot be used.
///
/// # Errors
/// When the origin cannot be read, or a person asked the program to stop. What is missing or wrong is a fact.
pub(crate) fn published(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    ring: &KeyRing,
    version: &Version,
) -> Result<(Option<PublishedRelease>, Option<String>), EngineError> {
    let trust = TrustRoot {
        ring,
        signing: &policies.signing,
        channels: &policies.channels,
    };
    let product = policies.config.product.id.as_str();
    let origin = match LocalOrigin::open(world, site.origin()) {
        Ok(origin) => origin,
        Err(OriginError::World(error)) => return Err(error.into()),
        Err(_) => return Ok((None, None)),
    };
    match fetch_newest_manifest(&origin, &trust, product, version) {
        Ok(published) => {
            let published = PublishedRelease {
                edition: published.edition,
                manifest: published.manifest,
                sha256: published.sha256,
            };
            Ok((Some(published), None))
        }
        Err(finding) => match *finding.problem {
            Problem::Origin(OriginError::NotFound { .. }) => Ok((None, None)),
            Problem::Origin(OriginError::World(error)) => Err(error.into()),
            problem => Ok((None, Some(format!("{}: {problem}", finding.object)))),
        },
    }
}

/// SHA-256 of what the compiler says of itself that would build the commit here.
pub(crate) fn compiler(
    world: &dyn World,
    site: &Site,
    commit: &str,
    config: &Config,
) -> Result<Option<Sha256Digest>, EngineError> {
    world.check_interrupt()?;
    let targets = targets_at_commit(world, site.root(), commit, config)?;
    let found = Toolchain::find(world, &targets.triples(), &config.toolchain.rust);
    Ok(found.ok().map(|toolchain| toolchain.digest()))
}

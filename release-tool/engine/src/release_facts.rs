//! Gathering what the rules of a final release look at.

use crate::backfill_facts::{compiler, published};
use crate::facts::commits_between;
use crate::interface::interface_facts;
use crate::{EngineError, Site, collect_snapshot, load_at_commit};
use vrel_model::Version;
use vrel_process::{CandidateFacts, Policies, ReleaseFacts, Snapshot, candidate_of};
use vrel_trust::KeyRing;
use vrel_world::World;

/// The facts of a final release that need no network, no secret key and no look at the machine but for its compiler.
/// `named` is the candidate that a person chose.
///
/// # Errors
/// When the repository, a journal, a record or the origin cannot be read. What is missing or wrong is a fact.
pub fn collect_release_facts(
    world: &dyn World,
    site: &Site,
    policies: Policies,
    ring: &KeyRing,
    version: &Version,
    named: Option<&Version>,
) -> Result<(Snapshot, ReleaseFacts), EngineError> {
    let mut snapshot = collect_snapshot(world, site, policies, version)?;
    let mut facts = ReleaseFacts::default();
    let candidate = candidate_of(&snapshot, version, named);
    let Some((candidate, commit)) = candidate.map(|(candidate, commit)| (candidate, commit.to_owned()))
    else {
        return Ok((snapshot, facts));
    };
    let policies = &snapshot.policies;
    let (published, problem) = published(world, site, policies, ring, &candidate)?;
    let (git, root) = (world.git(), site.root());
    let (on_branch, after) = match &snapshot.release_branch_tip {
        Some(tip) => (
            git.is_ancestor(root, &commit, tip)?,
            commits_between(world, site, &commit, tip)?,
        ),
        None => (true, Vec::new()),
    };
    // What its vrel.toml says of the compiler is what counts, and a candidate that was published had one.
    let of_commit = load_at_commit(world, root, &commit)?;
    facts.compiler = compiler(world, site, &commit, &of_commit)?;
    // What is released is the candidate's commit, whatever else the branch has by now.
    let interface = interface_facts(world, site, &policies.config, &snapshot.tags, version, &commit)?;
    let time = git.commit_time(root, &commit)?;
    snapshot.interface = interface;
    snapshot.commit_times.insert(commit.clone(), time);
    facts.candidate = Some(CandidateFacts {
        version: candidate,
        commit,
        published,
        problem,
        on_branch,
        after,
    });
    Ok((snapshot, facts))
}

//! Branch, tag and push.

use super::{Release, conflict, done, failed, missing};
use crate::EngineError;
use crate::run::Observation;
use std::collections::BTreeMap;
use vrel_model::{PlannedRef, RefChange};
use vrel_world::{NewTag, PushRef};

fn planned<'r>(release: &'r Release<'_>, kind: &str) -> Result<&'r PlannedRef, EngineError> {
    let found = release.plan.refs.iter().find(|planned| match planned.change {
        RefChange::CreateBranch(_) | RefChange::Keep(_) => kind == "branch",
        RefChange::CreateTag(_) => kind == "tag",
        RefChange::Commit(_) => false,
    });
    found.ok_or_else(|| failed(kind, "the plan names no such ref"))
}

fn branch_name<'r>(release: &'r Release<'_>) -> Result<&'r str, EngineError> {
    let planned = planned(release, "branch")?;
    Ok(planned.name.strip_prefix("refs/heads/").unwrap_or(&planned.name))
}

/// The release branch is at the plan's commit.
pub(super) fn branch_is_there(release: &Release<'_>) -> Result<Observation, EngineError> {
    let planned = planned(release, "branch")?;
    let commit = &release.plan.commit;
    match release.world.git().resolve(release.site.root(), &planned.name)? {
        Some(tip) if tip == *commit => done(format!("{} at {}", planned.name, &commit[..12])),
        // Work goes on while a candidate is cut; what was planned must still be part of the branch.
        Some(tip)
            if release
                .world
                .git()
                .is_ancestor(release.site.root(), commit, &tip)? =>
        {
            done(format!("{} contains {}", planned.name, &commit[..12]))
        }
        Some(tip) => Err(conflict(
            "branch",
            format!("{} is at {tip}, which does not contain {commit}", planned.name),
            "somebody rewrote the branch; `vrel undo` drops this release",
        )),
        None => missing(&planned.name),
    }
}

pub(super) fn make_branch(release: &Release<'_>) -> Result<(), EngineError> {
    let name = branch_name(release)?;
    Ok(release
        .world
        .git()
        .create_branch(release.site.root(), name, &release.plan.commit)?)
}

/// Removes the branch if this release made it and nobody has used it since.
pub(super) fn drop_branch(release: &Release<'_>) -> Result<(), EngineError> {
    let planned = planned(release, "branch")?;
    let RefChange::CreateBranch(commit) = &planned.change else {
        return Ok(());
    };
    let (git, root) = (release.world.git(), release.site.root());
    let checked_out = git.head(root)?.branch.as_deref() == Some(branch_name(release)?);
    let unchanged = git.resolve(root, &planned.name)?.as_deref() == Some(commit);
    if unchanged && !checked_out {
        git.delete_ref(root, &planned.name, commit)?;
    }
    Ok(())
}

/// The local tag object, if the tag is on the plan's commit.
fn local_tag(release: &Release<'_>) -> Result<Option<String>, EngineError> {
    let name = release.plan.version.tag();
    let tags = release.world.git().tags(release.site.root())?;
    match tags.into_iter().find(|tag| tag.name == name) {
        None => Ok(None),
        Some(tag) if tag.commit == release.plan.commit => Ok(Some(tag.object)),
        Some(tag) => Err(conflict(
            "tag",
            format!(
                "the tag {name} is on {}, this release is of {}",
                tag.commit, release.plan.commit
            ),
            "a release's tag never moves: take the next number",
        )),
    }
}

/// The tag is there, on the plan's commit.
pub(super) fn tag_is_there(release: &Release<'_>) -> Result<Observation, EngineError> {
    match local_tag(release)? {
        Some(object) => done(format!(
            "{} (tag object {})",
            release.plan.version.tag(),
            &object[..12]
        )),
        None => missing(release.plan.version.tag()),
    }
}

pub(super) fn make_tag(release: &Release<'_>) -> Result<(), EngineError> {
    let plan = release.plan;
    // The manifest's digest binds the tag to the published bytes, for whoever trusts the tag's signature.
    let manifest = release
        .read(&release.staged(&release.manifest()))?
        .ok_or_else(|| failed("tag", "the manifest is gone"))?;
    let digest = vrel_trust::digest_bytes(&manifest).sha256;
    let message = format!(
        "{} {}\n\nChannel: {}\nManifest-SHA256: {digest}\n",
        plan.product_name, plan.version, plan.channel
    );
    let tag = NewTag {
        name: &plan.version.tag(),
        commit: &plan.commit,
        message: &message,
        time: plan.created,
    };
    release.world.git().create_tag(release.site.root(), &tag)?;
    Ok(())
}

pub(super) fn drop_tag(release: &Release<'_>) -> Result<(), EngineError> {
    if let Some(object) = local_tag(release)? {
        let name = format!("refs/tags/{}", release.plan.version.tag());
        release
            .world
            .git()
            .delete_ref(release.site.root(), &name, &object)?;
    }
    Ok(())
}

/// What of branch and tag the remote still lacks.
fn to_push(release: &Release<'_>) -> Result<Vec<PushRef>, EngineError> {
    let (git, root) = (release.world.git(), release.site.root());
    let remote = git.ls_remote(root, &release.plan.remote)?;
    let mut refs = Vec::new();
    let branch = &planned(release, "branch")?.name;
    match remote.get(branch) {
        None => refs.push(PushRef {
            name: branch.clone(),
            expected: None,
        }),
        Some(tip) if tip == &release.plan.commit => {}
        Some(tip) => refs.extend(continued(release, branch, tip)?),
    }
    let tag = format!("refs/tags/{}", release.plan.version.tag());
    if !tag_agrees(release, &remote, &tag)? {
        refs.push(PushRef {
            name: tag,
            expected: None,
        });
    }
    Ok(refs)
}

/// The push of a branch whose remote tip is another one than planned.
fn continued(release: &Release<'_>, branch: &str, tip: &str) -> Result<Option<PushRef>, EngineError> {
    let (git, root) = (release.world.git(), release.site.root());
    // `is_ancestor` fails for a commit that was never fetched; then the remote has work that this repository lacks.
    let behind = git.is_ancestor(root, tip, &release.plan.commit).unwrap_or(false);
    if behind {
        return Ok(Some(PushRef {
            name: branch.to_owned(),
            expected: Some(tip.to_owned()),
        }));
    }
    if git.is_ancestor(root, &release.plan.commit, tip).unwrap_or(false) {
        return Ok(None);
    }
    Err(conflict(
        "push",
        format!(
            "{branch} of the remote is at {tip}, which does not contain {}",
            release.plan.commit
        ),
        "run `git fetch` and look what was pushed there; `vrel undo` is still possible if nothing of this release is",
    ))
}

/// Whether the remote has the tag already, on the same commit.
fn tag_agrees(
    release: &Release<'_>,
    remote: &BTreeMap<String, String>,
    tag: &str,
) -> Result<bool, EngineError> {
    let Some(object) = remote.get(tag) else {
        return Ok(false);
    };
    let commit = remote.get(&format!("{tag}^{{}}")).unwrap_or(object);
    if *commit == release.plan.commit {
        return Ok(true);
    }
    Err(conflict(
        "push",
        format!(
            "the remote has {tag} on {commit}, this release is of {}",
            release.plan.commit
        ),
        "a published tag never moves: take the next number",
    ))
}

/// The remote has the branch and the tag.
pub(super) fn is_pushed(release: &Release<'_>) -> Result<Observation, EngineError> {
    let lacking = to_push(release)?;
    if lacking.is_empty() {
        return done(format!("branch and tag are on {}", release.plan.remote));
    }
    missing(
        lacking
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
    )
}

pub(super) fn push(release: &Release<'_>) -> Result<(), EngineError> {
    let refs = to_push(release)?;
    Ok(release
        .world
        .git()
        .push(release.site.root(), &release.plan.remote, &refs)?)
}

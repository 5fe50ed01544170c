//! The double build: what is published was built twice, in different surroundings, with the same bytes.

use super::build::built;
use super::{Release, conflict, done, failed, missing};
use crate::EngineError;
use crate::reproduce::{Ahead, Rebuild, copy_core_libraries, differing};
use crate::run::Observation;
use serde::{Deserialize, Serialize};
use vrel_model::{ArtifactName, Sha256Digest, UtcTime};

/// What is kept of a double build: of which bytes it is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Evidence {
    artifacts: Vec<(ArtifactName, Sha256Digest)>,
}

const EVIDENCE: &str = "reproduced.json";

/// Where the second build works: another name, and deeper than the first.
const ELSEWHERE: &str = "second/build/elsewhere";

fn is_asked_for(release: &Release<'_>) -> bool {
    let channel = release.policies.channels.get(&release.plan.channel);
    channel.is_some_and(|policy| policy.double_build)
}

/// What a double build of the staged artifacts would leave behind.
fn expected(release: &Release<'_>) -> Result<Evidence, EngineError> {
    let digests = built(release, "reproduce")?.digests();
    let artifacts = release.plan.artifacts.iter().zip(digests);
    Ok(Evidence {
        artifacts: artifacts
            .map(|(artifact, digests)| (artifact.name.clone(), digests.sha256))
            .collect(),
    })
}

/// The artifacts as they are were built twice, or the channel does not ask for it.
pub(super) fn is_reproduced(release: &Release<'_>) -> Result<Observation, EngineError> {
    if !is_asked_for(release) {
        return done("not asked for by the channel");
    }
    let bytes = release.read(&release.work_file(EVIDENCE))?;
    let found: Option<Evidence> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let expected = expected(release)?;
    if found.as_ref() == Some(&expected) {
        return done(format!("{} artifacts, the same twice", expected.artifacts.len()));
    }
    missing("a second build with the same bytes")
}

/// Builds everything again: from another directory, with a cache of its own, another number of jobs, and programs that
/// see another time zone, locale and directory for temporary files. `vrel reproduce` varies more, because it starts a process of its own.
pub(super) fn reproduce(release: &Release<'_>) -> Result<(), EngineError> {
    let (plan, world) = (release.plan, release.world);
    let (fs, dir) = (world.fs(), release.work_file(ELSEWHERE));
    // What an interrupted attempt left could hide a difference.
    fs.remove_dir_all(&dir)?;
    let (root, cache, temporary) = (dir.join("tree"), dir.join("cache"), dir.join("tmp"));
    fs.create_dir_all(&temporary)?;
    world.git().export(release.site.root(), &plan.commit, &root)?;
    copy_core_libraries(world, &release.cache, &cache)?;
    let rebuild = Rebuild {
        name: "second".to_owned(),
        repository: release.site.root().to_owned(),
        root,
        version: plan.version.to_string(),
        commit: plan.commit.clone(),
        time: UtcTime::from_unix(plan.source_date_epoch).map_err(|error| failed("reproduce", error))?,
        artifacts: plan.artifacts.clone(),
        cache,
        cargo_home: release.cargo_home.clone(),
        jobs: if release.jobs == 1 { 2 } else { release.jobs - 1 },
        out: dir.join("artifacts"),
    };
    let elsewhere = Ahead::with_variables(world, &temporary);
    rebuild.run(&elsewhere, release.tool_pages, release.progress)?;
    let names = plan.artifacts.iter().map(|artifact| &artifact.name);
    let found = differing(world, names, &release.site.stage(plan), &rebuild.out)?;
    if !found.is_empty() {
        let lines: Vec<_> = found
            .iter()
            .map(|(name, difference)| format!("{name}: {difference}"))
            .collect();
        let hint = format!(
            "the second build is in {}, and `vrel reproduce --keep DIR` looks for the cause; where the first build is as it \
             should be, mend what the second one ran into and `vrel resume`; otherwise `vrel undo`, and release the commit \
             that mends it",
            rebuild.out.display()
        );
        let message = format!("a second build came out different: {}", lines.join("; "));
        return Err(conflict("reproduce", message, &hint));
    }
    let json = serde_json::to_vec_pretty(&expected(release)?).map_err(|error| failed("reproduce", error))?;
    release.write(&release.work_file(EVIDENCE), &json)?;
    Ok(fs.remove_dir_all(&dir)?)
}

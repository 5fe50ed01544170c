//! Staging: the origin that a release goes to before anybody can get it, and what is tried there.

use crate::{Finding, Policies, StepRow, check_sizes};
use std::path::{Component, Path, PathBuf};
use vrel_model::{
    Arch, ArtifactKind, Benchmark, Config, ManifestArtifact, Packer, Plan, PlannedArtifact, Verdict, Version,
};

pub(crate) const STAGE: StepRow = StepRow::new(
    "stage",
    "copy everything into the staging origin, and verify it there as a reader would",
    true,
);
pub(crate) const SMOKE: StepRow = StepRow::new(
    "smoke",
    "boot what lies in staging, install it over the release before, and compare its figures",
    true,
);
pub(crate) const REHEARSE: StepRow = StepRow::new(
    "rehearse",
    "roll staging back to the release that users have now, and forward again",
    true,
);

/// The steps that only a plan with a staging origin has.
pub const STAGING_STEPS: [&str; 3] = [STAGE.name, SMOKE.name, REHEARSE.name];

/// How many releases stay in staging, besides those that are the head of a channel there.
const KEPT: usize = 3;

/// The media whose boot installs.
const INSTALLERS: &str = "install";

/// The rows of a step table that a plan has under this configuration.
pub(crate) fn rows(table: &[StepRow], config: &Config) -> Vec<StepRow> {
    let staged = config.publish.staging.is_some();
    let rows = table.iter().copied();
    rows.filter(|row| staged || !STAGING_STEPS.contains(&row.name))
        .collect()
}

/// A relative path without `.` and, as far as names alone tell, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Staging is an origin of its own: what is tried there never touches what readers have. Links are looked at where the
/// machine is.
pub(crate) fn check(policies: &Policies) -> Vec<Finding> {
    let publish = &policies.config.publish;
    let Some(staging) = &publish.staging else {
        return Vec::new();
    };
    let (staged, origin) = (plain(staging), plain(&publish.origin));
    let problem = if staged.as_os_str().is_empty() {
        "is the repository itself"
    } else if staged == origin {
        "is the origin itself"
    } else if staged.starts_with(&origin) {
        "lies in the origin"
    } else if origin.starts_with(&staged) {
        "has the origin in it"
    } else {
        return Vec::new();
    };
    let message = format!(
        "vrel.toml: `publish.staging` is `{}`, which {problem}",
        staging.display()
    );
    vec![Finding::policy("policy-files", message).hint("name a directory of its own, for example `staging`")]
}

/// What is tried of a release on one architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmokeTest<'p> {
    /// The architecture.
    pub arch: Arch,
    /// The image that is booted.
    pub artifact: &'p PlannedArtifact,
    /// How.
    pub medium: &'p str,
    /// The artifact that must be there as well: a kernel's initrd.
    pub initrd: Option<&'p PlannedArtifact>,
    /// The artifact that installs, with the medium from which it does.
    pub installer: Option<(&'p PlannedArtifact, &'p str)>,
    /// The kind of artifact that is a whole disk, by which an older release is put onto one.
    pub disk: Option<&'p ArtifactKind>,
}

/// How telling the boot of such an artifact is: a raw disk is what all other disks are converted from.
fn rank(packer: Packer) -> u8 {
    match packer {
        Packer::Disk => 0,
        Packer::Iso => 1,
        Packer::Kernel => 3,
        _ => 2,
    }
}

/// One boot for each architecture that has something to boot, and its way to install. Every format was booted before; here
/// counts that what lies in staging is what was.
#[must_use]
pub fn smoke_tests(plan: &Plan) -> Vec<SmokeTest<'_>> {
    let test = |arch: Arch| {
        let of_arch = || {
            plan.artifacts
                .iter()
                .filter(move |artifact| artifact.arch == Some(arch))
        };
        let boots = of_arch().flat_map(|artifact| artifact.boot.iter().map(move |medium| (artifact, medium)));
        let (artifact, medium) = boots
            .filter(|(_, medium)| !medium.starts_with(INSTALLERS))
            .min_by_key(|(artifact, _)| rank(artifact.packer))?;
        let initrd = of_arch().find(|other| other.packer == Packer::Initrd);
        let installer = of_arch().find_map(|artifact| {
            let mut media = artifact.boot.iter();
            let medium = media.find(|medium| medium.starts_with(INSTALLERS))?;
            Some((artifact, medium.as_str()))
        });
        Some(SmokeTest {
            arch,
            artifact,
            medium,
            initrd: initrd.filter(|_| artifact.packer == Packer::Kernel),
            installer,
            disk: of_arch()
                .find(|other| other.packer == Packer::Disk)
                .map(|disk| &disk.kind),
        })
    };
    Arch::ALL.into_iter().filter_map(test).collect()
}

/// The figures of a release that are the same whenever they are taken, beside those of the release before: how large every
/// artifact is. `made` is what its manifest says.
#[must_use]
pub fn benchmarks(
    plan: &Plan,
    made: &[ManifestArtifact],
    previous: Option<&[ManifestArtifact]>,
) -> Vec<Benchmark> {
    let figure = |made: &ManifestArtifact| {
        let planned = plan.artifacts.iter().find(|planned| planned.name == made.name)?;
        let baseline = previous.and_then(|previous| {
            let same =
                |before: &&ManifestArtifact| before.kind == planned.kind && before.arch == planned.arch;
            previous.iter().find(same).map(|before| before.length)
        });
        let exceeded = !check_sizes(&[(planned, made.length)], previous).is_empty();
        Some(Benchmark {
            name: format!("size of {}", planned.kind),
            arch: planned.arch,
            value: made.length,
            unit: "bytes".to_owned(),
            baseline,
            verdict: match baseline {
                _ if exceeded => Verdict::Exceeded,
                Some(_) => Verdict::Within,
                None => Verdict::NoBaseline,
            },
        })
    };
    made.iter().filter_map(figure).collect()
}

/// Figures of an architecture's speed beside those of the release before. One that is worse than there by more than
/// `max_slowdown` percent, or beyond the limit that the system itself names, is exceeded.
#[must_use]
pub fn speed_benchmarks(
    arch: Arch,
    figures: &[SpeedFigure<'_>],
    before: Option<&[SpeedFigure<'_>]>,
    max_slowdown: u32,
) -> Vec<Benchmark> {
    let of = |figure: &SpeedFigure<'_>| {
        let baseline = before.and_then(|before| before.iter().find(|old| old.name == figure.name));
        let baseline = baseline.map(|old| old.value);
        let allowed = |old: u64| u128::from(old) * (100 + u128::from(max_slowdown)) / 100;
        let slower = baseline.is_some_and(|old| u128::from(figure.value) > allowed(old));
        let beyond = figure.limit.is_some_and(|limit| figure.value > limit);
        Benchmark {
            name: format!("speed of {}", figure.name),
            arch: Some(arch),
            value: figure.value,
            unit: "instructions".to_owned(),
            baseline,
            verdict: match baseline {
                _ if slower || beyond => Verdict::Exceeded,
                Some(_) => Verdict::Within,
                None => Verdict::NoBaseline,
            },
        }
    };
    figures.iter().map(of).collect()
}

/// What one time of something takes a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpeedFigure<'a> {
    /// What was measured.
    pub name: &'a str,
    /// Instructions.
    pub value: u64,
    /// What the system itself says that it should not exceed.
    pub limit: Option<u64>,
}

/// The releases that leave staging, oldest first: neither among the newest, nor one of `needed`.
#[must_use]
pub fn no_longer_staged(staged: &[Version], needed: &[Version]) -> Vec<Version> {
    let mut newest_first = staged.to_vec();
    newest_first.sort_by(|a, b| b.cmp(a));
    let mut old: Vec<_> = newest_first.into_iter().skip(KEPT).collect();
    old.retain(|version| !needed.contains(version));
    old.reverse();
    old
}

#[cfg(test)]
mod tests;

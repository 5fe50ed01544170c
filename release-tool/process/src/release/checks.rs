//! The checks of `release`. Each answers one question, collects all that it finds, and says what to do.

use super::{Request, branch_of};
use crate::cut_rc::checks::{self, short};
use crate::gates::soak_finding;
use crate::lineage::releases;
use crate::{Finding, GateSubject, bump, plan_files};
use std::collections::BTreeSet;
use vrel_model::{Arch, ArtifactKind, PlannedNews, Stage, Support, UtcTime, Version};

type Check = fn(&Request<'_>) -> Vec<Finding>;

/// All of them, in the order in which a person would ask.
pub(super) const ALL: [Check; 31] = [
    is_final,
    |request| checks::complete_history(request.snapshot, request.version),
    |request| checks::right_branch(request.snapshot, request.version),
    |request| checks::clean_tree(request.snapshot, request.version),
    |request| checks::nothing_unfinished(request.snapshot, request.version),
    |request| checks::new_version(request.snapshot, request.version),
    candidate,
    published,
    public,
    not_a_dud,
    same_commit,
    newest_candidate,
    soaked,
    release_branch,
    nothing_after,
    nothing_after_on_remote,
    nothing_lags,
    same_files,
    same_toolchain,
    |request| checks::living_plan(request.snapshot, request.version),
    |request| checks::newer_than_line(request.snapshot, request.version),
    |request| bump::readable(request.snapshot, request.version),
    |request| bump::far_enough(request.snapshot, request.version),
    channel,
    supported,
    |request| checks::remote_configured(request.snapshot, request.version),
    remote_tag,
    |request| {
        [
            checks::tools(request.snapshot, request.version),
            checks::disk(request.snapshot, request.version),
        ]
        .concat()
    },
    |request| checks::keys(request.snapshot, request.version),
    |request| checks::writable(request.snapshot, request.version),
    |request| checks::staging(request.snapshot, request.version),
];

fn is_final(request: &Request<'_>) -> Vec<Finding> {
    let version = request.version;
    if version.stage() == Stage::Final {
        return Vec::new();
    }
    let message = format!("`{version}` is not a final release");
    let hint = if version.is_candidate() {
        format!(
            "`vrel release {}` makes a candidate final; `vrel cut-rc {version}` cuts this one",
            version.final_version()
        )
    } else {
        format!("`vrel release` takes for example {}", version.final_version())
    };
    vec![Finding::policy("final", message).hint(hint)]
}

/// What is final was a candidate first.
fn candidate(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "candidate";
    if request.candidate().is_some() || request.version.stage() != Stage::Final {
        return Vec::new();
    }
    let version = request.version;
    if let Some(named) = request.named {
        if named.final_version() != *version || !named.is_candidate() {
            let message = format!("{named} is no candidate of {version}");
            return vec![Finding::policy(CHECK, message).hint(known_candidates(request))];
        }
        let message = format!("{named} has no tag here");
        return vec![Finding::policy(CHECK, message).hint(known_candidates(request))];
    }
    let first = version.candidate(1).map(|rc| rc.to_string()).unwrap_or_default();
    let message = format!("{version} has no candidate: nothing is released that nobody could test");
    vec![Finding::policy(CHECK, message).hint(format!(
        "run `git fetch --tags` if there is one elsewhere, or cut one: `vrel cut-rc {first}`"
    ))]
}

fn known_candidates(request: &Request<'_>) -> String {
    let mut known: Vec<Version> = releases(&request.snapshot.tags)
        .map(|(tagged, _)| tagged)
        .filter(|tagged| tagged.is_candidate() && tagged.final_version() == *request.version)
        .collect();
    known.sort();
    if known.is_empty() {
        return "there is no candidate of it; run `git fetch --tags` if there is one elsewhere".to_owned();
    }
    let known: Vec<_> = known.iter().map(ToString::to_string).collect();
    format!("its candidates are {}", known.join(", "))
}

/// The bytes that people tested are in the origin, and the right key vouches for them.
fn published(request: &Request<'_>) -> Vec<Finding> {
    let Some(candidate) = request.candidate().filter(|one| one.published.is_none()) else {
        return Vec::new();
    };
    let (version, other) = (&candidate.version, "or name another one with `--candidate`");
    let finding = match &candidate.problem {
        Some(problem) => Finding::policy(
            "candidate-published",
            format!("what is published of {version} is not genuine: {problem}"),
        )
        .hint(format!(
            "put the published file back from a mirror or a backup, {other}; `vrel verify` tells everything that is wrong"
        )),
        None => Finding::policy(
            "candidate-published",
            format!("{version} is tagged, but not in the origin"),
        )
        .hint(format!("run `vrel resume` if it was interrupted, {other}")),
    };
    vec![finding]
}

/// The pointer leads to the candidate, or did.
fn public(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(manifest)) = (request.candidate(), request.manifest()) else {
        return Vec::new();
    };
    let origin = &request.snapshot.origin;
    // A channel that was rolled back has had it all the same.
    let newest = origin.newest.get(&manifest.channel);
    let head = newest.or_else(|| origin.heads.get(&manifest.channel));
    if head.is_some_and(|head| *head >= candidate.version) {
        return Vec::new();
    }
    let newest = head.map_or("none".to_owned(), ToString::to_string);
    let message = format!(
        "{} is not public: the newest release of {} is {newest}",
        candidate.version, manifest.channel
    );
    vec![Finding::policy("candidate-published", message).hint("run `vrel resume` to finish it")]
}

/// What nobody may use does not become final, even if a person names it.
fn not_a_dud(request: &Request<'_>) -> Vec<Finding> {
    let duds = &request.snapshot.origin.duds;
    let found = request.candidate().and_then(|candidate| {
        let dud = duds.get(&candidate.version)?;
        let message = format!("{} is a dud: {}", candidate.version, dud.reason);
        Some(
            Finding::policy("dud", message)
                .hint("cut the next candidate, or name another one with `--candidate`"),
        )
    });
    found.into_iter().collect()
}

fn same_commit(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(manifest)) = (request.candidate(), request.manifest()) else {
        return Vec::new();
    };
    if candidate.commit == manifest.commit {
        return Vec::new();
    }
    let message = format!(
        "the tag {} is on {}, and what is published was built from {}",
        candidate.version.tag(),
        short(&candidate.commit),
        short(&manifest.commit)
    );
    vec![
        Finding::policy("candidate-commit", message)
            .hint("a published tag never moves: run `git fetch --tags --force` and look who moved it"),
    ]
}

/// A person may go back to an earlier candidate, and is told so.
fn newest_candidate(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(_)) = (request.candidate(), request.named) else {
        return Vec::new();
    };
    let newest = super::candidate_of(request.snapshot, request.version, None);
    let Some((newest, _)) = newest.filter(|(newest, _)| *newest > candidate.version) else {
        return Vec::new();
    };
    let message = format!(
        "{} is passed over: the release is made of {}",
        newest, candidate.version
    );
    vec![Finding::warning("newest-candidate", message)]
}

/// The candidate was public for as long as its channel asks, or somebody waived the rest.
fn soaked(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(manifest)) = (request.candidate(), request.manifest()) else {
        return Vec::new();
    };
    let channel = request.snapshot.policies.channels.get(&manifest.channel);
    let Some(days) = channel.and_then(|channel| channel.soak_days) else {
        return Vec::new();
    };
    let ends: UtcTime = manifest.created.plus_days(days);
    if request.now >= ends {
        return Vec::new();
    }
    let message = format!(
        "{} is public in {} since {}; it is to be tested for {days} days, until {ends}",
        candidate.version, manifest.channel, manifest.created
    );
    let subject = GateSubject {
        version: request.version.clone(),
        channel: request.snapshot.final_channel().clone(),
        commit: candidate.commit.clone(),
    };
    let wait = format!(
        "wait until then; `soak-days` in channels/{}.toml says for how long",
        manifest.channel
    );
    soak_finding(Some(request.snapshot), &subject, request.now, message, wait)
}

/// The branch that the release is pushed with is here, and still has the candidate.
fn release_branch(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "release-branch";
    let (Some(candidate), Some(branch)) = (request.candidate(), branch_of(request)) else {
        return Vec::new();
    };
    if request.snapshot.release_branch_tip.is_none() {
        let remote = &request.snapshot.policies.config.git.remote;
        let message = format!("there is no local branch `{branch}`");
        return vec![Finding::policy(CHECK, message).hint(format!(
            "run `git fetch {remote}` and `git branch {branch} {remote}/{branch}`"
        ))];
    }
    if candidate.on_branch {
        return Vec::new();
    }
    let message = format!(
        "`{branch}` does not contain {}, the commit of {}",
        short(&candidate.commit),
        candidate.version
    );
    vec![
        Finding::policy(CHECK, message)
            .hint("somebody rewrote the branch: run `git fetch` and compare it with the remote's"),
    ]
}

/// How many commits a message names.
const SHOWN: usize = 10;

fn listed(commits: &[PlannedNews]) -> String {
    let lines: Vec<_> = commits
        .iter()
        .take(SHOWN)
        .map(|commit| format!("{} {}", short(&commit.commit), commit.subject))
        .collect();
    let more = match commits.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", lines.join("; "))
}

/// What landed after the candidate was tested by nobody: it is in the next candidate, or deliberately in the next release.
fn nothing_after(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(branch)) = (request.candidate(), branch_of(request)) else {
        return Vec::new();
    };
    if candidate.after.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "`{branch}` has {} that {} does not have: {}",
        counted(candidate.after.len()),
        candidate.version,
        listed(&candidate.after)
    );
    vec![left_out(request, message)]
}

fn counted(commits: usize) -> String {
    if commits == 1 {
        "1 commit".to_owned()
    } else {
        format!("{commits} commits")
    }
}

/// What is not in the candidate, and hence not in the release: forbidden, unless a person named the candidate.
fn left_out(request: &Request<'_>, message: String) -> Finding {
    const CHECK: &str = "nothing-after-candidate";
    let newest = super::candidate_of(request.snapshot, request.version, None).map(|(newest, _)| newest);
    let number = match newest.as_ref().map(Version::stage) {
        Some(Stage::Candidate { number }) => number,
        _ => 0,
    };
    let next = request.version.candidate(number + 1);
    let next = next.map(|next| next.to_string()).unwrap_or_default();
    if request.named.is_some() {
        return Finding::warning(CHECK, message).hint("they are left for the release after this one");
    }
    let candidate = request.candidate().map(|candidate| candidate.version.to_string());
    Finding::policy(CHECK, message).hint(format!(
        "cut the next candidate with `vrel cut-rc {next}`, or leave them for a later release with `--candidate {}`",
        candidate.unwrap_or_default()
    ))
}

/// As [`nothing_after`], of what others pushed meanwhile.
fn nothing_after_on_remote(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(remote), Some(branch)) =
        (request.candidate(), &request.snapshot.remote, branch_of(request))
    else {
        return Vec::new();
    };
    let there = remote.refs.get(&format!("refs/heads/{branch}"));
    let here = request.snapshot.release_branch_tip.as_ref();
    let Some(tip) = there.filter(|tip| **tip != candidate.commit && Some(*tip) != here) else {
        return Vec::new();
    };
    let message = format!(
        "`{branch}` is at {} on the remote and at {} here; {} is {}",
        short(tip),
        here.map_or("nothing", |here| short(here)),
        candidate.version,
        short(&candidate.commit)
    );
    let finding = left_out(request, message);
    if !finding.is_fatal() {
        return vec![finding];
    }
    let name = &request.snapshot.policies.config.git.remote;
    vec![finding.hint(format!(
        "run `git fetch {name}` and bring `{branch}` up to date, then plan again"
    ))]
}

/// A final release has every architecture from its first moment, so its candidate has it.
fn nothing_lags(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(manifest)) = (request.candidate(), request.manifest()) else {
        return Vec::new();
    };
    let lagging = manifest.lagging.iter();
    let findings = lagging.map(|late| {
        let message = format!(
            "{} lacks {}, and nothing may lag in the channel {}",
            candidate.version, late.arch, request.channel
        );
        Finding::policy("tiers", message).hint(format!(
            "add it with `vrel backfill {}`; the release is proven against what was tested",
            candidate.version
        ))
    });
    findings.collect()
}

/// The policies describe the files that the candidate has: what it lacks was tested by nobody, and what it has beyond them
/// is missed by those who tested it.
fn same_files(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "same-files";
    type File = (ArtifactKind, Option<Arch>);
    let (Some(candidate), Some(manifest)) = (request.candidate(), request.manifest()) else {
        return Vec::new();
    };
    let policies = &request.snapshot.policies;
    let Ok(files) = plan_files(policies, Some(request.channel), &request.version.to_string()) else {
        return Vec::new();
    };
    let planned = files.artifacts.iter().map(|file| (file.kind.clone(), file.arch));
    let planned: BTreeSet<File> = planned.collect();
    let there = manifest
        .artifacts
        .iter()
        .map(|file| (file.kind.clone(), file.arch));
    let there: BTreeSet<File> = there.collect();
    // An architecture that lags is another finding.
    let lags = |arch: Option<Arch>| {
        let mut late = manifest.lagging.iter();
        late.any(|late| arch.is_none_or(|arch| late.arch == arch))
    };
    let hint = |kind: &ArtifactKind| {
        format!(
            "`channels` and `arches` in artifacts/{kind}.toml were others when the candidate was cut, or differ between {} \
             and {}: mend the file, or cut the next candidate",
            manifest.channel, request.channel
        )
    };
    let name = |(kind, arch): &File| match arch {
        Some(arch) => format!("{kind} for {arch}"),
        None => kind.to_string(),
    };
    let new = planned
        .difference(&there)
        .filter(|file| !lags(file.1))
        .map(|file| {
            let message = format!(
                "{} has no {}, which the release would have",
                candidate.version,
                name(file)
            );
            Finding::policy(CHECK, message).hint(hint(&file.0))
        });
    let gone = there.difference(&planned).map(|file| {
        let message = format!(
            "{} has {}, which the release would not have",
            candidate.version,
            name(file)
        );
        Finding::policy(CHECK, message).hint(hint(&file.0))
    });
    new.chain(gone).collect()
}

fn same_toolchain(request: &Request<'_>) -> Vec<Finding> {
    let (Some(candidate), Some(manifest), Some(compiler)) =
        (request.candidate(), request.manifest(), request.facts.compiler)
    else {
        return Vec::new();
    };
    if compiler == manifest.toolchain {
        return Vec::new();
    }
    let message = format!(
        "this machine has another compiler than the one that built {}: `rustc -vV` has the SHA-256 {compiler}, expected {}",
        candidate.version, manifest.toolchain
    );
    vec![Finding::policy("same-toolchain", message).hint(
        "install the compiler that the candidate's provenance names, or cut the next candidate with this one",
    )]
}

fn channel(request: &Request<'_>) -> Vec<Finding> {
    let (snapshot, channel, version) = (request.snapshot, request.channel, request.version);
    let key = if snapshot.is_long_term() {
        "publish.lts-channel"
    } else {
        "publish.final-channel"
    };
    let hint = format!("`vrel channel show {channel}` tells what it has had");
    let known = checks::known_channel(snapshot, channel, key);
    let admitted = checks::admitted(snapshot, channel, version).filter(|_| version.stage() == Stage::Final);
    let forward = checks::forward(snapshot, channel, version, &hint);
    known.into_iter().chain(admitted).chain(forward).collect()
}

/// A line that has ended gets no release.
fn supported(request: &Request<'_>) -> Vec<Finding> {
    let ended = request
        .snapshot
        .support
        .filter(|support| support.today == Support::Ended);
    let Some(support) = ended else {
        return Vec::new();
    };
    let line = request.version.line();
    let message = format!("the support of the line {line} ended on {}", support.end_of_life);
    vec![Finding::policy("support", message).hint(format!("`vrel lts eol {line} --date DATE` extends it"))]
}

fn remote_tag(request: &Request<'_>) -> Vec<Finding> {
    let commit = request.candidate().map(|candidate| candidate.commit.as_str());
    checks::remote_tag_on(request.snapshot, request.version, commit)
}

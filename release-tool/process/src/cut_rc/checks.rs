//! The checks of `cut-rc`. Each answers one question, collects all that it finds, and says what to do.

use super::release_branch;
use crate::lineage::releases;
use crate::{Finding, Snapshot, bump, newest_on_line};
use vrel_model::{ChannelName, Stage, Version};

/// One check.
pub(crate) type Check = fn(&Snapshot, &Version) -> Vec<Finding>;

/// All of them, in the order in which a person would ask.
pub(super) const ALL: [Check; 23] = [
    is_candidate,
    complete_history,
    right_branch,
    clean_tree,
    nothing_unfinished,
    living_plan,
    new_version,
    newer_than_line,
    no_line_backwards,
    no_gap_in_candidates,
    something_new,
    bump::readable,
    bump::far_enough,
    remote_configured,
    channel_admits,
    channel_forward,
    remote_tag,
    remote_branch,
    tools,
    disk,
    keys,
    writable,
    staging,
];

fn is_candidate(_: &Snapshot, version: &Version) -> Vec<Finding> {
    if version.is_candidate() {
        return Vec::new();
    }
    let candidate = version
        .final_version()
        .candidate(1)
        .map(|rc| rc.to_string())
        .unwrap_or_default();
    let message = format!("`{version}` is not a release candidate");
    vec![Finding::policy("candidate", message).hint(format!("cut-rc takes for example {candidate}"))]
}

pub(crate) fn complete_history(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    if !snapshot.shallow {
        return Vec::new();
    }
    let message = "this clone is shallow: tags and release notes need the whole history";
    vec![Finding::policy("complete-history", message).hint("run `git fetch --unshallow --tags`")]
}

pub(crate) fn right_branch(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    const CHECK: &str = "right-branch";
    let main = &snapshot.policies.config.git.main;
    let Ok(release) = release_branch(snapshot, version) else {
        return Vec::new();
    };
    let allowed = if snapshot.release_branch_tip.is_some() {
        format!("`{main}` or `{release}`")
    } else {
        format!("`{main}`, from which `{release}` will be made")
    };
    let hint = format!("run `git switch {main}`");
    match &snapshot.head_branch {
        None => {
            let message = format!("HEAD is detached; {} from {allowed}", how_made(version));
            vec![Finding::policy(CHECK, message).hint(hint)]
        }
        Some(branch) if branch != main && branch != &release => {
            let message = format!("`{branch}` is checked out; {} from {allowed}", how_made(version));
            vec![Finding::policy(CHECK, message).hint(hint)]
        }
        Some(_) if snapshot.main_tip.is_none() => {
            let message = format!("there is no local branch `{main}` with a commit on it");
            vec![Finding::policy(CHECK, message).hint("`git.main` in vrel.toml names the development branch")]
        }
        Some(_) => Vec::new(),
    }
}

/// What is done with a release of this version's kind, before “from”.
fn how_made(version: &Version) -> String {
    let line = version.line();
    if version.is_candidate() {
        format!("a candidate of {line} is cut")
    } else {
        format!("a final release of {line} is made")
    }
}

pub(crate) fn clean_tree(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    const SHOWN: usize = 10;
    let dirty = &snapshot.dirty_paths;
    if dirty.is_empty() {
        return Vec::new();
    }
    let more = if dirty.len() > SHOWN {
        format!(" and {} more", dirty.len() - SHOWN)
    } else {
        String::new()
    };
    let shown = dirty
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let message = format!("the work tree has changes that are not committed: {shown}{more}");
    vec![Finding::policy("clean-tree", message).hint("commit them, or put them away with `git stash -u`")]
}

pub(crate) fn nothing_unfinished(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    let Some(unfinished) = &snapshot.unfinished else {
        return Vec::new();
    };
    let message = format!("the release of {unfinished} was started and not finished");
    vec![
        Finding::policy("nothing-unfinished", message)
            .hint("run `vrel resume` to finish it or `vrel undo` to drop it"),
    ]
}

pub(crate) fn living_plan(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    let file = snapshot.policies.config.plan.file.display();
    // Found out now, because the plan is written only after the release is public.
    let problem = snapshot.plan_problem.iter().map(|problem| {
        Finding::policy("living-plan", format!("{file}: {problem}")).hint("mend the plan and commit it")
    });
    let blockers = snapshot.blockers.iter().map(|issue| {
        let message = format!("{file} says that this blocks {version}: {issue}");
        Finding::policy("blocking-issues", message)
            .hint("solve it, or tick it off in the plan, and commit that")
    });
    problem.chain(blockers).collect()
}

pub(crate) fn new_version(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    const CHECK: &str = "new-version";
    let mut findings = Vec::new();
    if let Some((_, commit)) = releases(&snapshot.tags).find(|(tagged, _)| tagged == version) {
        let message = format!(
            "{version} is released already: the tag {} is on {}",
            version.tag(),
            short(commit)
        );
        findings.push(Finding::policy(CHECK, message).hint(next_hint(snapshot, version)));
    }
    if let Some(dud) = snapshot.origin.duds.get(version) {
        let message = format!(
            "{version} is a dud since {}, its number is burnt: {}",
            dud.since,
            dud.why()
        );
        findings.push(Finding::policy(CHECK, message).hint(next_hint(snapshot, version)));
    }
    for (channel, head) in snapshot.origin.heads.iter().filter(|(_, head)| *head == version) {
        let message = format!("{head} is the head of the channel {channel} already");
        findings.push(Finding::policy(CHECK, message).hint(next_hint(snapshot, version)));
    }
    findings
}

pub(crate) fn newer_than_line(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    let Some(newest) = newest_on_line(&snapshot.tags, version.line()) else {
        return Vec::new();
    };
    if *version >= newest {
        return Vec::new();
    }
    let message = format!(
        "{version} is lower than {newest}, the newest release of the line {}",
        version.line()
    );
    vec![Finding::policy("newer-than-line", message).hint(next_hint(snapshot, version))]
}

fn next_hint(snapshot: &Snapshot, version: &Version) -> String {
    let newest = newest_on_line(&snapshot.tags, version.line()).unwrap_or_else(|| version.clone());
    let next = match newest.stage() {
        Stage::Candidate { number } => newest.candidate(number + 1),
        Stage::Final => Version::new(newest.major(), newest.minor(), newest.patch() + 1).candidate(1),
        Stage::Nightly { .. } => newest.candidate(1),
    };
    next.map(|next| format!("the next candidate of the line is {next}"))
        .unwrap_or_default()
}

fn no_line_backwards(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    if snapshot.release_branch_tip.is_some() {
        return Vec::new();
    }
    let newest = releases(&snapshot.tags).map(|(tagged, _)| tagged.line()).max();
    match newest {
        Some(newest) if newest > version.line() => {
            let message = format!(
                "{version} would start the line {} behind {newest}, which is released",
                version.line()
            );
            vec![
                Finding::policy("no-line-backwards", message)
                    .hint("an older line is continued on its own branch"),
            ]
        }
        _ => Vec::new(),
    }
}

fn no_gap_in_candidates(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    let Stage::Candidate { number } = version.stage() else {
        return Vec::new();
    };
    let series = version.final_version();
    let last = releases(&snapshot.tags)
        .filter(|(tagged, _)| tagged.is_candidate() && tagged.final_version() == series && tagged < version)
        .filter_map(|(tagged, _)| match tagged.stage() {
            Stage::Candidate { number } => Some(number),
            _ => None,
        })
        .max()
        .unwrap_or(0);
    if number == last + 1 {
        return Vec::new();
    }
    let expected = series
        .candidate(last + 1)
        .map(|rc| rc.to_string())
        .unwrap_or_default();
    vec![Finding::warning(
        "no-gap-in-candidates",
        format!("{version} skips {expected}"),
    )]
}

/// A candidate that is the one before it once more tells testers nothing.
fn something_new(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    if snapshot.news.as_ref().is_none_or(|news| !news.is_empty()) {
        return Vec::new();
    }
    let message = format!("{version} has no commit that the candidate before it does not have");
    let hint = format!("`vrel release {}` makes that one final", version.final_version());
    vec![Finding::warning("something-new", message).hint(hint)]
}

pub(crate) fn remote_configured(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    if snapshot.remote_url.is_some() {
        return Vec::new();
    }
    let remote = &snapshot.policies.config.git.remote;
    let message = format!("the git remote `{remote}`, which vrel.toml names, is not configured");
    vec![
        Finding::environment("remote-configured", message).hint(format!("run `git remote add {remote} URL`")),
    ]
}

fn channel_admits(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    let name = &snapshot.policies.config.publish.candidate_channel;
    admitted(snapshot, name, version).into_iter().collect()
}

/// What is below its channel's head could be pushed, and would then never become public.
fn channel_forward(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    let channel = &snapshot.policies.config.publish.candidate_channel;
    let hint = "a channel does not go backwards; `publish.candidate-channel` in vrel.toml names it";
    forward(snapshot, channel, version, hint).into_iter().collect()
}

/// The channel, if it is there, takes the version.
pub(crate) fn admitted(snapshot: &Snapshot, channel: &ChannelName, version: &Version) -> Option<Finding> {
    let policy = snapshot.policies.channels.get(channel)?;
    (!policy.admits(version)).then(|| {
        let message = format!("the channel {channel} does not take {version}");
        Finding::policy("channel-admits", message).hint(format!("see `stages` in channels/{channel}.toml"))
    })
}

/// The channel that `key` of `vrel.toml` names is there.
pub(crate) fn known_channel(snapshot: &Snapshot, channel: &ChannelName, key: &str) -> Option<Finding> {
    (!snapshot.policies.channels.contains_key(channel)).then(|| {
        let message = format!("vrel.toml: `{key}` is `{channel}`, but there is no such channel");
        Finding::policy("policy-files", message).hint(format!("write channels/{channel}.toml"))
    })
}

/// The channel has had no release that is higher than the version: none of its line, where that is an older one, which
/// nightlies have none of.
pub(crate) fn forward(
    snapshot: &Snapshot,
    channel: &ChannelName,
    version: &Version,
    hint: &str,
) -> Option<Finding> {
    // A channel that was rolled back goes on from the newest release that it has had.
    let origin = &snapshot.origin;
    let is_nightly = matches!(version.stage(), Stage::Nightly { .. });
    let newest = if !is_nightly && origin.is_of_older_line(channel, version) {
        origin.takes_the_place_of(channel, version)?
    } else {
        origin.newest.get(channel).or_else(|| origin.heads.get(channel))?
    };
    (newest > version).then(|| {
        let message =
            format!("{version} is lower than {newest}, the newest release of the channel {channel}");
        Finding::policy("channel-forward", message).hint(hint)
    })
}

fn remote_tag(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    remote_tag_on(snapshot, version, super::source_commit(snapshot))
}

/// The remote does not have the tag yet, or has it on the commit that is released.
pub(crate) fn remote_tag_on(snapshot: &Snapshot, version: &Version, source: Option<&str>) -> Vec<Finding> {
    let Some(remote) = &snapshot.remote else {
        return Vec::new();
    };
    let name = format!("refs/tags/{}", version.tag());
    let Some(object) = remote.refs.get(&name) else {
        return Vec::new();
    };
    let commit = remote.refs.get(&format!("{name}^{{}}")).unwrap_or(object);
    if source == Some(commit.as_str()) {
        let message = format!(
            "the remote has the tag {} already, on the same commit",
            version.tag()
        );
        return vec![Finding::warning("remote-tag", message)];
    }
    let message = format!(
        "the remote has the tag {} already, on {}; this release is of {}",
        version.tag(),
        short(commit),
        source.map_or("nothing", short)
    );
    vec![
        Finding::policy("remote-tag", message)
            .hint("run `git fetch --tags` and look; a published tag never moves"),
    ]
}

pub(crate) fn remote_branch(snapshot: &Snapshot, version: &Version) -> Vec<Finding> {
    const CHECK: &str = "remote-branch";
    let (Some(remote), Ok(branch)) = (&snapshot.remote, release_branch(snapshot, version)) else {
        return Vec::new();
    };
    let there = remote.refs.get(&format!("refs/heads/{branch}"));
    match (&snapshot.release_branch_tip, there) {
        (None, Some(tip)) => {
            let message = format!(
                "the remote has `{branch}` at {}, this repository does not have it",
                short(tip)
            );
            vec![
                Finding::policy(CHECK, message)
                    .hint(format!("run `git fetch` and `git branch {branch} {tip}`")),
            ]
        }
        (Some(here), Some(tip)) if here != tip => {
            let message = format!(
                "`{branch}` is at {} here and at {} on the remote",
                short(here),
                short(tip)
            );
            vec![
                Finding::warning(CHECK, message)
                    .hint("the push is refused unless one is a continuation of the other"),
            ]
        }
        _ => Vec::new(),
    }
}

pub(crate) fn tools(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    let missing = snapshot
        .environment
        .iter()
        .flat_map(|environment| &environment.missing_tools);
    missing
        .map(|tool| {
            let message = format!("`{}` is missing; it is needed to {}", tool.name, tool.purpose);
            Finding::environment("tools", message).hint("run `vrel doctor --install`")
        })
        .collect()
}

pub(crate) fn disk(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    let disks = snapshot
        .environment
        .iter()
        .flat_map(|environment| &environment.disks);
    disks
        .filter(|(_, needed, free)| free < needed)
        .map(|(place, needed, free)| {
            let message = format!("{place} has {free} of space left; the release needs {needed}");
            Finding::environment("disk", message)
                .hint("make room, or put the directory on another file system")
        })
        .collect()
}

pub(crate) fn keys(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    let keys = snapshot
        .environment
        .iter()
        .flat_map(|environment| &environment.keys);
    keys.filter_map(|key| {
        let problem = key.problem.as_ref()?;
        let finding = Finding::environment("keys", format!("key of the role `{}`: {problem}", key.role));
        Some(match &key.hint {
            Some(hint) => finding.hint(hint.clone()),
            None => finding,
        })
    })
    .collect()
}

pub(crate) fn writable(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    let Some(environment) = &snapshot.environment else {
        return Vec::new();
    };
    let identity = environment.identity_problem.iter().map(|problem| {
        Finding::environment("git-identity", problem.clone())
            .hint("run `git config user.name` and `git config user.email` with your name and address")
    });
    let origin = environment.origin_problem.iter().map(|problem| {
        Finding::environment("origin", problem.clone())
            .hint("`publish.origin` in vrel.toml names the directory")
    });
    identity.chain(origin).collect()
}

/// For what is staged: nightlies and what is added to a release do without.
pub(crate) fn staging(snapshot: &Snapshot, _: &Version) -> Vec<Finding> {
    let problem = snapshot
        .environment
        .iter()
        .flat_map(|environment| &environment.staging_problem);
    problem
        .map(|problem| {
            Finding::environment("staging", problem.clone())
                .hint("`publish.staging` in vrel.toml names the directory; without the key nothing is staged")
        })
        .collect()
}

pub(crate) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

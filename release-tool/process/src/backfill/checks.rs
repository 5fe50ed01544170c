//! The checks of `backfill`. Each answers one question, collects all that it finds, and says what to do.

use super::Request;
use crate::Finding;
use crate::cut_rc::checks::{disk, keys, nothing_unfinished, remote_configured, short, tools, writable};
use std::collections::BTreeSet;
use vrel_model::ArtifactName;

type Check = fn(&Request<'_>) -> Vec<Finding>;

/// All of them, in the order in which a person would ask.
pub(super) const ALL: [Check; 16] = [
    published,
    public,
    lagging,
    in_time,
    editions,
    channel,
    commit,
    tag,
    remote_tag,
    same_files,
    same_toolchain,
    |request| nothing_unfinished(request.snapshot, request.version),
    |request| remote_configured(request.snapshot, request.version),
    |request| {
        [
            tools(request.snapshot, request.version),
            disk(request.snapshot, request.version),
        ]
        .concat()
    },
    |request| keys(request.snapshot, request.version),
    |request| writable(request.snapshot, request.version),
];

fn published(request: &Request<'_>) -> Vec<Finding> {
    if request.facts.published.is_some() {
        return Vec::new();
    }
    let version = request.version;
    let message = match &request.facts.problem {
        Some(problem) => format!("{version} cannot be added to: {problem}"),
        None => format!("{version} is not published, so that nothing can be added to it"),
    };
    vec![Finding::policy("published", message).hint("`vrel status` lists what is published")]
}

/// A release that no pointer has led to yet is still to be finished, or to be dropped.
fn public(request: &Request<'_>) -> Vec<Finding> {
    let Some(manifest) = request.manifest() else {
        return Vec::new();
    };
    let origin = &request.snapshot.origin;
    // A channel that was rolled back has had it all the same.
    let newest = origin.newest.get(&manifest.channel);
    let head = newest.or_else(|| origin.heads.get(&manifest.channel));
    // It need not be the head any more: a nightly is followed by the next before its architectures may be late.
    if head.is_some_and(|head| head >= request.version) {
        return Vec::new();
    }
    let newest = head.map_or("none".to_owned(), ToString::to_string);
    let message = format!(
        "{} is not public: the newest release of {} is {newest}",
        request.version, manifest.channel
    );
    vec![Finding::policy("public", message).hint("run `vrel resume` to finish it")]
}

fn lagging(request: &Request<'_>) -> Vec<Finding> {
    let Some(manifest) = request.manifest() else {
        return Vec::new();
    };
    let lags = |arch| manifest.lagging.iter().any(|late| late.arch == arch);
    let found = request.arches.iter().filter(|&&arch| !lags(arch));
    found
        .map(|arch| {
            let message = format!("{arch} was not left out of {}", request.version);
            let lagging: Vec<_> = manifest
                .lagging
                .iter()
                .map(|late| late.arch.to_string())
                .collect();
            Finding::policy("lagging", message).hint(format!("it waits for {}", lagging.join(", ")))
        })
        .collect()
}

fn in_time(request: &Request<'_>) -> Vec<Finding> {
    let lagging = request.manifest().map_or(&[][..], |manifest| &manifest.lagging);
    let late = lagging
        .iter()
        .filter(|late| request.arches.contains(&late.arch) && late.until < request.now);
    late.map(|late| {
        let message = format!(
            "{} could be added to {} until {}; it is {} now",
            late.arch, request.version, late.until, request.now
        );
        Finding::policy("in-time", message).hint(format!("{} comes with the next release", late.arch))
    })
    .collect()
}

fn editions(request: &Request<'_>) -> Vec<Finding> {
    let published = request.facts.published.iter();
    let last = published.filter(|published| published.edition.next().is_none());
    last.map(|last| {
        let message = format!(
            "{} has {} editions, and can have no more",
            request.version, last.edition
        );
        Finding::policy("editions", message)
    })
    .collect()
}

fn channel(request: &Request<'_>) -> Vec<Finding> {
    let known = &request.snapshot.policies.channels;
    let unknown = request
        .manifest()
        .filter(|manifest| !known.contains_key(&manifest.channel));
    let finding = unknown.map(|manifest| {
        let message = format!("there is no channels/{}.toml any more", manifest.channel);
        Finding::policy("policy-files", message).hint("what is added to a release is signed for its channel")
    });
    finding.into_iter().collect()
}

fn commit(request: &Request<'_>) -> Vec<Finding> {
    let Some(manifest) = request.manifest() else {
        return Vec::new();
    };
    if request.facts.commit_time.is_none() {
        let message = format!(
            "this clone does not have {}, the commit of {}",
            short(&manifest.commit),
            request.version
        );
        return vec![Finding::policy("commit", message).hint("run `git fetch --tags`")];
    }
    match &request.facts.policies {
        Some(Err(problem)) => {
            let message = format!(
                "the policy files of commit {}: {problem}",
                short(&manifest.commit)
            );
            vec![Finding::policy("policy-files", message).hint("use the tool of the release's own commit")]
        }
        _ => Vec::new(),
    }
}

/// The tag, the commit and the manifest say the same.
fn tag(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "tag";
    let Some(manifest) = request.manifest() else {
        return Vec::new();
    };
    // A nightly has no tag; its signed manifest alone names its commit.
    let name = request.version.published_tag();
    let tags = &request.snapshot.tags;
    let found = name
        .iter()
        .map(|name| (name, tags.iter().find(|tag| tag.name == *name)))
        .next();
    let mut findings = Vec::new();
    match found {
        None => {}
        Some((name, None)) => {
            let message = format!("there is no tag {name}");
            findings.push(Finding::policy(CHECK, message).hint("run `git fetch --tags`"));
        }
        Some((name, Some(tag))) if tag.commit != manifest.commit => {
            let message = format!(
                "the tag {name} is on {}, and {} was built from {}",
                short(&tag.commit),
                request.version,
                short(&manifest.commit)
            );
            findings.push(
                Finding::policy(CHECK, message).hint("a release's tag never moves: find out who moved it"),
            );
        }
        Some(_) => {}
    }
    if let Some(time) = request.facts.commit_time
        && time.unix() != manifest.source_date_epoch
    {
        let message = format!(
            "commit {} is of {}, and the manifest says {}",
            short(&manifest.commit),
            time.unix(),
            manifest.source_date_epoch
        );
        findings.push(Finding::policy(CHECK, message));
    }
    findings
}

fn remote_tag(request: &Request<'_>) -> Vec<Finding> {
    let tag = request.version.published_tag();
    let (Some(manifest), Some(remote), Some(tag)) = (request.manifest(), &request.snapshot.remote, tag)
    else {
        return Vec::new();
    };
    let name = format!("refs/tags/{tag}");
    let commit = remote
        .refs
        .get(&format!("{name}^{{}}"))
        .or_else(|| remote.refs.get(&name));
    if commit == Some(&manifest.commit) {
        return Vec::new();
    }
    let message = format!(
        "the remote has the tag {tag} on {}, and the release was built from {}",
        commit.map_or("no commit", |commit| short(commit)),
        short(&manifest.commit)
    );
    vec![Finding::policy("remote-tag", message).hint("a published tag never moves: find out who moved it")]
}

/// The policies of the commit describe what is published; otherwise what they say of the rest is of no worth.
fn same_files(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "same-files";
    let Some(manifest) = request.manifest() else {
        return Vec::new();
    };
    let Some(Ok(files)) = request.described(manifest, &manifest.lagging) else {
        return Vec::new();
    };
    let described: BTreeSet<&ArtifactName> = files.artifacts.iter().map(|file| &file.name).collect();
    let published: BTreeSet<&ArtifactName> = manifest.artifacts.iter().map(|file| &file.name).collect();
    let of = format!("the policy files of commit {}", short(&manifest.commit));
    let mut findings: Vec<Finding> = published
        .difference(&described)
        .map(|name| {
            Finding::policy(
                CHECK,
                format!("{name} is published, and {of} describe no such file"),
            )
        })
        .collect();
    findings.extend(
        described
            .difference(&published)
            .map(|name| Finding::policy(CHECK, format!("{of} describe {name}, which was not published"))),
    );
    if let Some(Ok(all)) = request.described(manifest, &request.still_lagging(manifest))
        && all.artifacts.len() <= files.artifacts.len()
        && !request.arches.is_empty()
    {
        let message = format!("{of} describe no file that would be added");
        findings.push(Finding::policy(CHECK, message));
    }
    findings
}

fn same_toolchain(request: &Request<'_>) -> Vec<Finding> {
    let (Some(manifest), Some(compiler)) = (request.manifest(), request.facts.compiler) else {
        // A compiler that is missing is found by the check of tools, and by the step that builds.
        return Vec::new();
    };
    if compiler == manifest.toolchain {
        return Vec::new();
    }
    let message = format!(
        "{} was built with the compiler whose `rustc -vV` has the SHA-256 {}; this machine's has {compiler}",
        request.version, manifest.toolchain
    );
    vec![Finding::policy("same-toolchain", message).hint(
        "add to the release with the compiler that it was built with; its provenance names the version",
    )]
}

//! The checks of moves. Each answers one question, collects all that it finds, and says what to do.

use super::ChannelFacts;
use crate::{Finding, GateSubject, gates, short};
use vrel_model::{ChannelHead, ChannelName, PlannedPromotion, UtcTime, Version};

/// What is asked: may this release be the head of this channel?
pub(super) struct Request<'a> {
    pub(super) facts: &'a ChannelFacts,
    pub(super) version: &'a Version,
    pub(super) channel: &'a ChannelName,
    pub(super) now: UtcTime,
}

type Check = fn(&Request<'_>) -> Vec<Finding>;

/// Those of a promotion, in the order in which a person would ask.
pub(super) const PROMOTION: [Check; 12] = [
    known_channel,
    published,
    not_dud,
    genuine,
    channel_admits,
    promotion_source,
    nothing_lagging,
    channel_artifacts,
    key_role,
    channel_forward,
    target_gates,
    target_approvals,
];

/// Those of going back.
pub(super) const ROLLBACK: [Check; 6] = [
    known_channel,
    published,
    not_dud,
    genuine,
    was_in_channel,
    not_newer,
];

impl Request<'_> {
    /// All that these checks find.
    pub(super) fn ask(&self, checks: &[Check]) -> Vec<Finding> {
        checks.iter().flat_map(|check| check(self)).collect()
    }

    /// What is asked for, as people approve it; `None` where there is no such release.
    pub(super) fn promotion(&self) -> Option<PlannedPromotion> {
        self.facts.promotion(self.version, self.channel)
    }
}

fn known_channel(request: &Request<'_>) -> Vec<Finding> {
    let channels = &request.facts.policies.channels;
    if channels.contains_key(request.channel) {
        return Vec::new();
    }
    let known: Vec<_> = channels.keys().map(ToString::to_string).collect();
    let message = format!(
        "there is no channel {}; channels are {}",
        request.channel,
        known.join(", ")
    );
    vec![Finding::policy("known-channel", message).hint("see `vrel channel list`")]
}

pub(super) fn published(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "published";
    let (facts, version) = (request.facts, request.version);
    let Some(release) = facts.releases.get(version) else {
        let message = format!("{version} is not in the origin");
        return vec![Finding::policy(CHECK, message).hint("`vrel status` lists what is published")];
    };
    if facts.entered(version, &release.channel).is_some() {
        return Vec::new();
    }
    let message = format!(
        "{version} is in the origin, but was never public in {}",
        release.channel
    );
    vec![Finding::policy(CHECK, message).hint("`vrel resume` finishes a release that was begun")]
}

fn not_dud(request: &Request<'_>) -> Vec<Finding> {
    let Some(dud) = request.facts.dud(request.version) else {
        return Vec::new();
    };
    let message = format!("{} is a dud since {}: {}", request.version, dud.since, dud.why());
    vec![
        Finding::policy("not-dud", message)
            .hint("a dud is never again the head of a channel; take another release"),
    ]
}

fn genuine(request: &Request<'_>) -> Vec<Finding> {
    let version = request.version;
    let verified = request.facts.verified.get(version);
    let problems = verified.iter().flat_map(|verified| &verified.problems);
    problems
        .map(|problem| {
            Finding::policy("genuine", format!("{version}: {problem}")).hint(
                "somebody changed the published files: put back what was published, then look with `vrel verify`",
            )
        })
        .collect()
}

fn channel_admits(request: &Request<'_>) -> Vec<Finding> {
    let (version, name) = (request.version, request.channel);
    match request.facts.policies.channels.get(name) {
        Some(policy) if !policy.admits(version) => {
            let message = format!("the channel {name} does not take {version}");
            vec![
                Finding::policy("channel-admits", message)
                    .hint(format!("see `stages` in channels/{name}.toml")),
            ]
        }
        _ => Vec::new(),
    }
}

/// It comes out of a channel that the target names, and has been public there as long as that one tests its releases.
fn promotion_source(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "promotion-source";
    let (facts, version, name) = (request.facts, request.version, request.channel);
    let Some(policy) = facts.policies.channels.get(name) else {
        return Vec::new();
    };
    let hint = format!("see `from` in channels/{name}.toml");
    if policy.from.is_empty() {
        let message = format!("nothing is promoted to the channel {name}: it has releases of its own only");
        return vec![Finding::policy(CHECK, message).hint(hint)];
    }
    let entered: Vec<_> = policy
        .from
        .iter()
        .filter_map(|from| Some((from, facts.entered(version, from)?)))
        .collect();
    if entered.is_empty() {
        let from: Vec<_> = policy.from.iter().map(ToString::to_string).collect();
        let message = format!(
            "{version} was never public in {}, from which {name} takes releases",
            from.join(" or ")
        );
        return vec![Finding::policy(CHECK, message).hint(hint)];
    }
    // One channel that is satisfied is enough.
    let wait = |(from, since): &(&ChannelName, UtcTime)| {
        let days = facts
            .policies
            .channels
            .get(*from)
            .and_then(|policy| policy.soak_days)
            .unwrap_or(0);
        ((*from).clone(), *since, days, since.plus_days(days))
    };
    let soonest = entered.iter().map(wait).min_by_key(|(_, _, _, until)| *until);
    match soonest {
        Some((from, since, days, until)) if until > request.now => {
            let message = format!(
                "{version} is public in {from} since {since}; it has to be for {days} days, until {until}"
            );
            let wait = format!("wait; `soak-days` is in channels/{from}.toml");
            let Some(promotion) = request.promotion() else {
                return vec![Finding::policy("soak", message).hint(wait)];
            };
            let subject = GateSubject::of_promotion(&promotion);
            gates::soak_finding(facts.judged_by.as_ref(), &subject, request.now, message, wait)
        }
        _ => Vec::new(),
    }
}

fn nothing_lagging(request: &Request<'_>) -> Vec<Finding> {
    let (facts, version, name) = (request.facts, request.version, request.channel);
    let allowed = facts
        .policies
        .channels
        .get(name)
        .is_some_and(|policy| policy.tier_2_lag_days > 0);
    let lagging = facts
        .verified
        .get(version)
        .map_or(&[][..], |verified| &verified.lagging);
    if allowed || lagging.is_empty() {
        return Vec::new();
    }
    let arches: Vec<_> = lagging.iter().map(|late| late.arch.to_string()).collect();
    let message = format!(
        "{version} is without {}, and {name} takes whole releases only",
        arches.join(", ")
    );
    vec![
        Finding::policy("nothing-lagging", message)
            .hint(format!("add what is missing with `vrel backfill {version}`")),
    ]
}

fn channel_artifacts(request: &Request<'_>) -> Vec<Finding> {
    const CHECK: &str = "channel-artifacts";
    let (version, name) = (request.version, request.channel);
    let Some(verified) = request.facts.verified.get(version) else {
        return Vec::new();
    };
    // What is late is another check's.
    if !verified.lagging.is_empty() {
        return Vec::new();
    }
    match verified.required.get(name) {
        Some(Ok(required)) => required
            .difference(&verified.artifacts)
            .map(|missing| {
                let message = format!("{version} has no {missing}, which releases of {name} have");
                Finding::policy(CHECK, message).hint(
                    "files are never added to be promoted: make a release for that channel, or change `channels` in \
                     artifacts/ for the next one",
                )
            })
            .collect(),
        Some(Err(problem)) => {
            let message = format!("nobody can say what {version} needs in {name}: {problem}");
            vec![Finding::policy(CHECK, message).hint("run `git fetch --tags`")]
        }
        None => Vec::new(),
    }
}

fn key_role(request: &Request<'_>) -> Vec<Finding> {
    let (facts, version, name) = (request.facts, request.version, request.channel);
    let (Some(policy), Some(verified)) = (facts.policies.channels.get(name), facts.verified.get(version))
    else {
        return Vec::new();
    };
    let role = &policy.key_role;
    // Without a good signature the check before has said so.
    if verified.roles.is_empty() || verified.roles.contains(role) {
        return Vec::new();
    }
    let roles: Vec<_> = verified.roles.iter().map(ToString::to_string).collect();
    let message = format!(
        "{version} is signed by a key of the role {}; releases of {name} are signed by {role}",
        roles.join(", ")
    );
    vec![Finding::policy("key-role", message).hint(format!(
        "a signature is never replaced: make a release of the same commit for {name}, which signs it with its own key"
    ))]
}

fn channel_forward(request: &Request<'_>) -> Vec<Finding> {
    let (version, name) = (request.version, request.channel);
    match request.facts.newest_on(name, version.line()) {
        Some(newest) if newest >= version => {
            let message =
                format!("{version} is not newer than {newest}, which {name} has had: it would go backwards");
            vec![Finding::policy("channel-forward", message).hint(format!(
                "`vrel rollback {name} --to {version} --reason …` goes back on purpose"
            ))]
        }
        _ => Vec::new(),
    }
}

/// The release meets the gates of the target as if it were made for it.
fn target_gates(request: &Request<'_>) -> Vec<Finding> {
    let Some(promotion) = asked_of(request) else {
        return Vec::new();
    };
    match &request.facts.judged_by {
        Some(snapshot) => gates::gates_of(snapshot, &GateSubject::of_promotion(&promotion), request.now),
        None => {
            let message = format!(
                "nobody can say whether {} meets the gates of {}: its commit {} is not in this repository",
                request.version,
                request.channel,
                short(&promotion.commit)
            );
            vec![Finding::policy("gates", message).hint("run `git fetch --tags`")]
        }
    }
}

/// Enough people approved that it enters the target. That they approved it for another channel is another decision.
fn target_approvals(request: &Request<'_>) -> Vec<Finding> {
    match (asked_of(request), &request.facts.judged_by) {
        (Some(promotion), Some(snapshot)) => {
            gates::check_promotion_approvals(snapshot, &promotion, request.now)
        }
        _ => Vec::new(),
    }
}

/// The promotion, where its target asks for gates or approvals.
fn asked_of(request: &Request<'_>) -> Option<PlannedPromotion> {
    let target = request.facts.policies.channels.get(request.channel)?;
    target.asks().then(|| request.promotion()).flatten()
}

fn was_in_channel(request: &Request<'_>) -> Vec<Finding> {
    let (facts, version, name) = (request.facts, request.version, request.channel);
    if facts.head(name).is_none() {
        let message = format!("the channel {name} has no release that it could go back from");
        return vec![Finding::policy("was-in-channel", message).hint("see `vrel channel list`")];
    }
    if facts.entered(version, name).is_some() || !facts.releases.contains_key(version) {
        return Vec::new();
    }
    let message = format!("{version} was never public in {name}");
    vec![Finding::policy("was-in-channel", message).hint(format!(
        "`vrel channel show {name}` lists what it can go back to; `vrel promote` brings in what is new"
    ))]
}

fn not_newer(request: &Request<'_>) -> Vec<Finding> {
    let (facts, version, name) = (request.facts, request.version, request.channel);
    match facts.head(name).map(ChannelHead::newest) {
        Some(newest) if version > newest => {
            let message = format!("{version} is newer than all that {name} has had, {newest}");
            vec![
                Finding::policy("not-newer", message)
                    .hint(format!("bring it in with `vrel promote {version} --to {name}`")),
            ]
        }
        _ => Vec::new(),
    }
}

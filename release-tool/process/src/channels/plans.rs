//! The planners of moves.

use super::checks::{PROMOTION, ROLLBACK, Request, published};
use super::{ChannelFacts, MovePlan, PointerMove};
use crate::Finding;
use std::collections::BTreeMap;
use vrel_model::{AdvisoryId, ChannelHead, ChannelName, Dud, Reason, Rollback, UtcTime, Version};

/// Plans to make a published release the head of another channel.
#[must_use]
pub fn plan_promotion(facts: &ChannelFacts, version: &Version, to: &ChannelName, now: UtcTime) -> MovePlan {
    let is_head = facts.head(to).is_some_and(|head| head.release == *version);
    if is_head || facts.newest_of_older_line(version).contains(to) {
        return done();
    }
    let request = Request {
        facts,
        version,
        channel: to,
        now,
    };
    let mut plan = MovePlan {
        findings: request.ask(&PROMOTION),
        promotion: request.promotion(),
        ..MovePlan::default()
    };
    if let Some(head) = head(facts, version, None) {
        plan.effects.push(match facts.head(to) {
            Some(before) if facts.is_of_older_line(to, version) => format!(
                "{version}, the same bytes as before, becomes the newest of {} in {to}, which goes on leading to {}",
                version.line(),
                before.release
            ),
            Some(before) => format!(
                "{to} leads to {version}, the same bytes as before, instead of {}",
                before.release
            ),
            None => format!("{to} leads to {version}, the same bytes as before, its first release"),
        });
        plan.change = Some(PointerMove {
            published: Some((to.clone(), head)),
            ..PointerMove::default()
        });
    }
    plan.only_if_allowed()
}

/// Plans to make an older release the head of its channel again.
#[must_use]
pub fn plan_rollback(
    facts: &ChannelFacts,
    channel: &ChannelName,
    to: &Version,
    reason: &Reason,
    now: UtcTime,
) -> MovePlan {
    if facts.head(channel).is_some_and(|head| head.release == *to) {
        return done();
    }
    let mut plan = MovePlan::default();
    let head = plan.go_back(facts, channel, to, reason, now);
    plan.change = head.map(|head| PointerMove {
        heads: [(channel.clone(), head)].into(),
        ..PointerMove::default()
    });
    plan.only_if_allowed()
}

/// What is asked of a release that nobody shall use.
#[derive(Clone, Debug)]
pub struct DudRequest<'a> {
    /// The release.
    pub version: &'a Version,
    /// Why.
    pub reason: &'a Reason,
    /// The security advisory that says more.
    pub advisory: Option<&'a AdvisoryId>,
    /// What the channels go back to whose head it is; a channel that is missing here may not lose its head.
    pub back: &'a BTreeMap<ChannelName, Version>,
}

/// Plans to declare a release a dud; the channels whose head it is go back to older releases in the same moment.
#[must_use]
pub fn plan_dud(facts: &ChannelFacts, asked: &DudRequest<'_>, now: UtcTime) -> MovePlan {
    let version = asked.version;
    if facts.dud(version).is_some() {
        return done();
    }
    let mut plan = MovePlan::default();
    if let Some(release) = facts.releases.get(version) {
        let request = Request {
            facts,
            version,
            channel: &release.channel,
            now,
        };
        plan.findings = published(&request);
    } else {
        let message = format!("{version} is not in the origin");
        plan.findings
            .push(Finding::policy("published", message).hint("what was never published needs no warning"));
    }
    let mut heads = BTreeMap::new();
    for channel in facts.head_of(version) {
        match asked.back.get(&channel) {
            Some(to) if to == version => plan.findings.push(
                Finding::policy(
                    "not-dud",
                    format!("{channel} cannot go back to {version}, which is to become a dud"),
                )
                .hint("name an older release"),
            ),
            Some(to) => {
                if let Some(head) = plan.go_back(facts, &channel, to, asked.reason, now) {
                    heads.insert(channel, head);
                }
            }
            None => plan.findings.push(is_head(facts, version, &channel)),
        }
    }
    let dud = Dud {
        reason: asked.reason.clone(),
        since: now,
        advisory: asked.advisory.cloned(),
    };
    plan.effects.push(format!(
        "whoever verifies or fetches {version} is told that it is a dud: {}",
        dud.why()
    ));
    plan.effects.push(format!(
        "the number {version} is never used again, and the next release's notes tell its changes"
    ));
    let older = plan.replace_on_older_lines(facts, version);
    plan.change = Some(PointerMove {
        heads,
        published: None,
        older,
        dud: Some((version.clone(), dud)),
    });
    plan.only_if_allowed()
}

fn is_head(facts: &ChannelFacts, version: &Version, channel: &ChannelName) -> Finding {
    let finding = Finding::policy(
        "head",
        format!("{version} is the head of {channel}: its users would have no release"),
    );
    match facts.previous_good(channel) {
        Some(good) => finding.hint(format!(
            "add `--rollback` to go back to the release before it in the same moment, here {good}, or `--rollback-to VERSION`"
        )),
        None => finding.hint(format!("{channel} has no older release to go back to: publish a newer one first")),
    }
}

fn done() -> MovePlan {
    MovePlan {
        is_done: true,
        ..MovePlan::default()
    }
}

fn head(facts: &ChannelFacts, version: &Version, rollback: Option<Rollback>) -> Option<ChannelHead> {
    let release = facts.releases.get(version)?;
    Some(ChannelHead {
        release: version.clone(),
        manifest_length: release.manifest_length,
        manifest_sha256: release.manifest_sha256,
        rollback,
    })
}

impl MovePlan {
    /// Plans that a channel goes back, and answers with its new head.
    fn go_back(
        &mut self,
        facts: &ChannelFacts,
        channel: &ChannelName,
        to: &Version,
        reason: &Reason,
        now: UtcTime,
    ) -> Option<ChannelHead> {
        let request = Request {
            facts,
            version: to,
            channel,
            now,
        };
        self.findings.extend(request.ask(&ROLLBACK));
        let before = facts.head(channel)?;
        let newest = before.newest();
        let rollback = (newest != to).then(|| Rollback {
            from: newest.clone(),
            reason: reason.clone(),
            at: now,
        });
        self.effects
            .push(format!("{channel} leads to {to} instead of {}", before.release));
        self.effects.push(if rollback.is_some() {
            format!(
                "readers see that {channel} went back, and why; it goes on with a release newer than {newest}"
            )
        } else {
            format!("the rollback of {channel} is over: {to} is the newest release that it has had")
        });
        head(facts, to, rollback)
    }

    /// Plans what takes the place of a release where it is the newest of an older line.
    fn replace_on_older_lines(
        &mut self,
        facts: &ChannelFacts,
        version: &Version,
    ) -> BTreeMap<ChannelName, Option<ChannelHead>> {
        let mut older = BTreeMap::new();
        for channel in facts.newest_of_older_line(version) {
            let line = version.line();
            let instead = facts
                .good_in(&channel)
                .rfind(|good| good.line() == line && *good != version)
                .and_then(|good| head(facts, good, None));
            self.effects.push(match &instead {
                Some(head) => format!("the newest of {line} in {channel} is {} again", head.release),
                None => format!("{channel} has no release of {line} any more"),
            });
            older.insert(channel, instead);
        }
        older
    }

    fn only_if_allowed(mut self) -> Self {
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.findings.dedup();
        if self.findings.iter().any(Finding::is_fatal) {
            self.change = None;
        }
        self
    }
}

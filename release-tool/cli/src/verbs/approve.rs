//! `vrel approve`.

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::moves;
use crate::output;
use crate::verbs::plan::{already_done, describe, plan_of};
use crate::verbs::promote::planned_promotion;
use crate::verbs::sign_off::Who;
use clap::Args;
use vrel_engine::Site;
use vrel_engine::gates::{find_person, record_approval};
use vrel_model::{
    Arch, ChannelName, ChannelPolicy, PersonId, PersonalStatement, Sha256Digest, StatementKind, Version,
};
use vrel_process::{Approvals, Finding, Policies, judge_approvals, judge_promotion, may_decide};
use vrel_world::World;

/// Approve the plan of a release with your signature, or its promotion to another channel.
///
/// Shows the plan in words, asks, and signs its digest: commit, channel, artifacts, documents, the candidate that it is made of.
/// Times and the pointer's counters are not part of it, so the approval holds until the release is made; whatever changes its
/// content needs a new one. Who may approve, and how many must, are `approvers` and `approvals` of the channel.
///
/// With `--to` it approves that a published release enters that channel, as `vrel promote` does it: the digest is of release,
/// commit, manifest and channel. Whoever approved the release has not approved that.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel approve 0.6.0\n  vrel approve 0.6.0 --dry-run          # read what would be approved\n  \
                  vrel approve 0.6.0 --person ada --yes --password-file ada.pass\n  vrel approve 1.1.4 --to lts"
)]
pub(crate) struct Approve {
    /// The release, for example 0.6.0.
    version: Version,
    /// The plan without this architecture, as `vrel cut-rc --without` makes it. Can be given several times.
    #[arg(long, value_name = "ARCH")]
    without: Vec<Arch>,
    /// The plan made of this candidate, as `vrel release --candidate` makes it.
    #[arg(long, value_name = "VERSION")]
    candidate: Option<Version>,
    /// Not its plan, but its promotion to this channel, as `vrel promote --to` makes it.
    #[arg(long, value_name = "CHANNEL", conflicts_with_all = ["without", "candidate"])]
    to: Option<ChannelName>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    agree: Agree,
}

/// What a person is asked to approve.
struct Subject<'a> {
    site: &'a Site,
    policies: &'a Policies,
    channel: &'a ChannelName,
    commit: &'a str,
    /// What it is called.
    what: String,
    /// All of it in words.
    shown: String,
    /// What was found in its way.
    findings: &'a [Finding],
    /// What is signed.
    digest: Result<Sha256Digest, serde_json::Error>,
    /// How the approvals stand.
    judged: Approvals,
}

impl Approve {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match &self.to {
            Some(to) => self.approve_promotion(app, to),
            None => self.approve_release(app),
        }
    }

    fn approve_release(&self, app: &App) -> Outcome {
        let planned = plan_of(app, &self.version, &self.without, self.candidate.as_ref())?;
        if let Some(commit) = &planned.outcome.already_done {
            return Err(already_done(&self.version, commit));
        }
        let Some(plan) = &planned.outcome.plan else {
            return Err(Failure::from_findings(&planned.outcome.findings));
        };
        self.sign(
            app,
            &Subject {
                site: &planned.site,
                policies: &planned.snapshot.policies,
                channel: &plan.channel,
                commit: &plan.commit,
                what: format!("this plan of {}", plan.version),
                shown: describe(plan),
                findings: &planned.outcome.findings,
                digest: plan.approval_digest(),
                judged: judge_approvals(&planned.snapshot, plan, app.world.now()),
            },
        )
    }

    fn approve_promotion(&self, app: &App, to: &ChannelName) -> Outcome {
        let (site, policies) = app.site()?;
        let (now, plan) = planned_promotion(app, &site, &policies, &self.version, to, true)?;
        if plan.is_done {
            let message = format!("{} is public in {to} already", self.version);
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        let (Some(promotion), Some(snapshot)) = (&plan.promotion, &now.facts.judged_by) else {
            asks(&policies, to)?;
            return Err(Failure::from_findings(&plan.findings));
        };
        self.sign(
            app,
            &Subject {
                site: &site,
                policies: &policies,
                channel: to,
                commit: &promotion.commit,
                what: format!("this promotion of {}", self.version),
                shown: moves::describe(now.facts.pointer.as_ref(), &plan),
                findings: &plan.findings,
                digest: promotion.approval_digest(),
                judged: judge_promotion(snapshot, promotion, app.world.now()),
            },
        )
    }

    /// Shows, asks, signs and records.
    fn sign(&self, app: &App, subject: &Subject<'_>) -> Outcome {
        let Subject { policies, judged, .. } = subject;
        let channel = asks(policies, subject.channel)?;
        let person = find_person(&app.world, subject.site, policies, self.who.person.as_ref())?;
        refuse_stranger(policies, channel, &person, subject.channel)?;
        let nothing = || {
            let message = format!("{person} approved {} already", subject.what);
            Failure::new(FailureKind::NothingToDo, message)
        };
        if judged.given.contains(&person) {
            return Err(nothing());
        }
        let digest = match &subject.digest {
            Ok(digest) => *digest,
            Err(error) => {
                return Err(Failure::new(
                    FailureKind::Bug,
                    format!("the digest of {}: {error}", subject.what),
                ));
            }
        };
        let missing: Vec<String> = subject
            .findings
            .iter()
            .filter(|finding| finding.is_fatal() && finding.check != "approvals")
            .map(|finding| format!("  {finding}\n"))
            .collect();
        let mut text = subject.shown.clone();
        if !missing.is_empty() {
            text += "\nStill in its way\n";
            text += &missing.concat();
        }
        text += &format!(
            "\nApproval by {person}: {} of {} after it\n  digest of the {}  {digest}\n",
            judged.given.len() + 1,
            channel.approvals,
            if self.to.is_some() { "promotion" } else { "plan" },
        );
        if self.agree.dry_run {
            return output::print(&text);
        }
        output::say(text.trim_end());
        self.agree.ask(if self.to.is_some() {
            "Approve this promotion?"
        } else {
            "Approve this plan?"
        })?;
        let statement = PersonalStatement {
            what: StatementKind::Approval,
            product: policies.config.product.id.to_string(),
            version: self.version.clone(),
            commit: subject.commit.to_owned(),
            gate: None,
            plan_sha256: Some(digest),
            person: person.clone(),
            at: app.world.now(),
            reason: None,
            until: None,
        };
        let key = self.who.keys.load_person(app, policies, &person)?;
        let signed = vrel_trust::sign_personal(statement, &key)?;
        if record_approval(&app.world, subject.site, policies, &signed, self.to.as_ref())?.is_nothing() {
            return Err(nothing());
        }
        if app.global.json {
            return output::print_json(&signed);
        }
        let whither = self
            .to
            .as_ref()
            .map_or_else(String::new, |to| format!(" for {to}"));
        output::print(&format!(
            "recorded: {person} approved {}{whither}\n",
            self.version
        ))
    }
}

/// The channel's policy, where it asks for approvals.
fn asks<'a>(policies: &'a Policies, name: &ChannelName) -> Result<&'a ChannelPolicy, Failure> {
    let channel = policies.channels.get(name);
    channel.filter(|channel| channel.approvals > 0).ok_or_else(|| {
        let message = format!("the channel {name} asks for no approval");
        Failure::new(FailureKind::NothingToDo, message)
            .hint(format!("see `approvals` in channels/{name}.toml"))
    })
}

fn refuse_stranger(
    policies: &Policies,
    channel: &ChannelPolicy,
    person: &PersonId,
    name: &ChannelName,
) -> Outcome {
    match may_decide(policies, person, &channel.approvers) {
        None => Ok(()),
        Some(refusal) => {
            let message = format!("{refusal}, who approves for the channel {name}");
            Err(Failure::new(FailureKind::Policy, message).hint(format!(
                "`roles` in signing/people/{person}.toml, agreed on by the project"
            )))
        }
    }
}

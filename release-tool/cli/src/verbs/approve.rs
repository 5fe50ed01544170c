//! `vrel approve`.

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::verbs::plan::{already_done, describe, plan_of};
use crate::verbs::sign_off::Who;
use clap::Args;
use vrel_engine::gates::{find_person, record_approval};
use vrel_model::{Arch, ChannelPolicy, PersonId, PersonalStatement, Plan, StatementKind, Version};
use vrel_process::{Policies, judge_approvals, may_decide};
use vrel_world::World;

/// Approve the plan of a release with your signature.
///
/// Shows the plan in words, asks, and signs its digest: commit, channel, artifacts, documents, the candidate that it is made of.
/// Times and the pointer's counters are not part of it, so the approval holds until the release is made; whatever changes its
/// content needs a new one. Who may approve, and how many must, are `approvers` and `approvals` of the channel.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel approve 0.6.0\n  vrel approve 0.6.0 --dry-run          # read what would be approved\n  \
                  vrel approve 0.6.0 --person ada --yes --password-file ada.pass"
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
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    agree: Agree,
}

impl Approve {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let planned = plan_of(app, &self.version, &self.without, self.candidate.as_ref())?;
        if let Some(commit) = &planned.outcome.already_done {
            return Err(already_done(&self.version, commit));
        }
        let Some(plan) = &planned.outcome.plan else {
            return Err(Failure::from_findings(&planned.outcome.findings));
        };
        let policies = &planned.snapshot.policies;
        let channel = policies.channels.get(&plan.channel);
        let channel = channel.filter(|channel| channel.approvals > 0).ok_or_else(|| {
            let message = format!("the channel {} asks for no approval", plan.channel);
            Failure::new(FailureKind::NothingToDo, message)
                .hint(format!("see `approvals` in channels/{}.toml", plan.channel))
        })?;
        let person = find_person(&app.world, &planned.site, policies, self.who.person.as_ref())?;
        refuse_stranger(policies, channel, &person, plan)?;
        let now = app.world.now();
        let judged = judge_approvals(&planned.snapshot, plan, now);
        if judged.given.contains(&person) {
            return Err(nothing(&person, plan));
        }
        let digest = plan
            .approval_digest()
            .map_err(|error| Failure::new(FailureKind::Bug, format!("the plan's digest: {error}")))?;
        let missing: Vec<String> = planned
            .outcome
            .findings
            .iter()
            .filter(|finding| finding.is_fatal() && finding.check != "approvals")
            .map(|finding| format!("  {finding}\n"))
            .collect();
        let mut text = describe(plan);
        if !missing.is_empty() {
            text += "\nStill in its way\n";
            text += &missing.concat();
        }
        text += &format!(
            "\nApproval by {person}: {} of {} after it\n  digest of the plan  {digest}\n",
            judged.given.len() + 1,
            channel.approvals
        );
        if self.agree.dry_run {
            return output::print(&text);
        }
        output::say(text.trim_end());
        self.agree.ask("Approve this plan?")?;
        let statement = PersonalStatement {
            what: StatementKind::Approval,
            product: plan.product.clone(),
            version: plan.version.clone(),
            commit: plan.commit.clone(),
            gate: None,
            plan_sha256: Some(digest),
            person: person.clone(),
            at: now,
            reason: None,
            until: None,
        };
        let key = self.who.keys.load_person(app, policies, &person)?;
        let signed = vrel_trust::sign_personal(statement, &key)?;
        if record_approval(&app.world, &planned.site, policies, &signed)?.is_nothing() {
            return Err(nothing(&person, plan));
        }
        if app.global.json {
            return output::print_json(&signed);
        }
        output::print(&format!("recorded: {person} approved {}\n", plan.version))
    }
}

fn refuse_stranger(policies: &Policies, channel: &ChannelPolicy, person: &PersonId, plan: &Plan) -> Outcome {
    match may_decide(policies, person, &channel.approvers) {
        None => Ok(()),
        Some(refusal) => {
            let message = format!("{refusal}, who approves for the channel {}", plan.channel);
            Err(Failure::new(FailureKind::Policy, message).hint(format!(
                "`roles` in signing/people/{person}.toml, agreed on by the project"
            )))
        }
    }
}

fn nothing(person: &PersonId, plan: &Plan) -> Failure {
    let message = format!("{person} approved this plan of {} already", plan.version);
    Failure::new(FailureKind::NothingToDo, message)
}

//! `vrel sign-off` and `vrel waive`: a person's word about a gate.

use crate::agree::Agree;
use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::secrets::KeyOptions;
use crate::verbs::gates::{Standing, standing};
use crate::verbs::plan::short;
use clap::Args;
use vrel_engine::gates::{find_person, record_statement, statement};
use vrel_model::{Day, GateId, PersonId, StatementKind, Version};
use vrel_process::{GateJudgement, GateState, may_decide};
use vrel_world::World;

/// Sign off a gate that no machine can decide.
///
/// The sign-off is signed with your key, is about this version and its commit, and is kept with your reason on the branch of
/// records. Who may sign off is `role` in the gate's file; who you are is `email` in signing/people/NAME.toml.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel sign-off 0.6.0 backup-plan --reason 'restored the copy of 2026-11-20'\n  \
                  vrel sign-off 0.6.0 backup-plan --reason 'restored' --person ada --yes --password-file ada.pass"
)]
pub(crate) struct SignOff {
    #[command(flatten)]
    word: Word,
}

/// Waive a gate in writing: the release may go on although it does not hold.
///
/// The waiver is signed with your key and shows in the record of the release, with your reason and with what it waives.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel waive 0.6.0 coverage --reason 'the installer has no tests without QEMU'\n  \
                  vrel waive 0.6.0-rc2 mirrors --reason 'no mirrors yet' --until 2026-12-31"
)]
pub(crate) struct Waive {
    /// The last day on which the waiver holds, YYYY-MM-DD [default: as long as this version is in question]
    #[arg(long, value_name = "DATE")]
    until: Option<Day>,
    #[command(flatten)]
    word: Word,
}

/// What both have.
#[derive(Debug, Args)]
struct Word {
    /// The release, for example 0.6.0.
    version: Version,
    /// The gate, a file of gates/.
    gate: GateId,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    agree: Agree,
}

/// Who speaks, and with which key.
#[derive(Clone, Debug, Args)]
pub(crate) struct Who {
    /// Who you are, a file of signing/people [default: whoever has the address that git commits with]
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Option<PersonId>,
    #[command(flatten)]
    pub(crate) keys: KeyOptions,
}

impl SignOff {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        self.word.say(app, StatementKind::SignOff, None)
    }
}

impl Waive {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        if let Some(until) = self.until
            && until.end() <= app.world.now()
        {
            let message = format!("the waiver would hold until {until}, which is over");
            return Err(Failure::new(FailureKind::Usage, message).hint("`--until` names its last day"));
        }
        self.word.say(app, StatementKind::Waiver, self.until)
    }
}

impl Word {
    fn say(self, app: &App, what: StatementKind, until: Option<Day>) -> Outcome {
        let reason = self.reason.trim();
        if reason.is_empty() || reason.contains(char::is_control) {
            let message = "the reason is not one line of text";
            return Err(Failure::new(FailureKind::Usage, message).hint("say why with `--reason TEXT`"));
        }
        let standing = standing(app, &self.version)?;
        let gate = standing.gate(&self.gate)?;
        let policies = &standing.snapshot.policies;
        let person = find_person(&app.world, &standing.site, policies, self.who.person.as_ref())?;
        if let Some(refusal) = may_decide(policies, &person, std::slice::from_ref(&gate.role)) {
            let message = format!("{refusal}, who decides the gate {}", self.gate);
            return Err(Failure::new(FailureKind::Policy, message).hint(format!(
                "`roles` in signing/people/{person}.toml, agreed on by the project"
            )));
        }
        let judged = standing.judge(app, &self.gate, gate);
        self.is_needed(what, until, &judged, &person, &standing)?;

        let subject = &standing.subject;
        let until_text = until.map_or_else(String::new, |day| format!(" until {day}"));
        let text = format!(
            "{what}{until_text} by {person}\n  gate     {} ({})\n  release  {} of commit {}\n  stands   {}: {}\n  reason   {reason}\n",
            self.gate,
            judged.title,
            subject.version,
            short(&subject.commit),
            judged.state,
            judged.detail
        );
        if self.agree.dry_run {
            return output::print(&text);
        }
        output::say(text.trim_end());
        self.agree.ask("Sign and record this?")?;
        let config = &policies.config;
        let signed = statement(
            config,
            subject,
            what,
            &self.gate,
            &person,
            (reason, until),
            app.world.now(),
        );
        let key = self.who.keys.load_person(app, policies, &person)?;
        let signed = vrel_trust::sign_personal(signed, &key)?;
        let changed = record_statement(&app.world, &standing.site, policies, &signed)?;
        if changed.is_nothing() {
            return Err(nothing(what, &self.gate, &person));
        }
        if app.global.json {
            return output::print_json(&signed);
        }
        output::print(&format!("recorded: {what} of {} by {person}\n", self.gate))
    }

    /// Whether there is anything to say about the gate.
    fn is_needed(
        &self,
        what: StatementKind,
        until: Option<Day>,
        judged: &GateJudgement,
        person: &PersonId,
        standing: &Standing,
    ) -> Outcome {
        let version = &self.version;
        let said = |fact: &&vrel_process::StatementFact| {
            let there = &fact.statement;
            let same_word = there.what == what && there.until == until && there.person == *person;
            let same_thing = there.gate.as_ref() == Some(&self.gate)
                && there.version == *version
                && there.commit == standing.subject.commit;
            fact.problem.is_none() && same_word && same_thing
        };
        if standing.snapshot.gates.statements.iter().any(|fact| said(&fact)) {
            return Err(nothing(what, &self.gate, person));
        }
        match (what, judged.state) {
            (_, GateState::Pass) => {
                let message = format!("the gate {} holds for {version}: {}", self.gate, judged.detail);
                Err(Failure::new(FailureKind::NothingToDo, message))
            }
            (StatementKind::SignOff, GateState::Fail | GateState::NotRun) => {
                let message = format!(
                    "a machine decides the gate {}, and it says: {}: {}",
                    self.gate, judged.state, judged.detail
                );
                let hint = judged.remedy.clone().unwrap_or_default();
                Err(Failure::new(FailureKind::Policy, message).hint(hint))
            }
            _ => Ok(()),
        }
    }
}

fn nothing(what: StatementKind, gate: &GateId, person: &PersonId) -> Failure {
    let message = format!("the {what} of {gate} by {person} is recorded already");
    Failure::new(FailureKind::NothingToDo, message)
}

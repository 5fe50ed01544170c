//! What was decided about a backport, and what may be decided next.

use crate::Finding;
use vrel_model::{Backport, BackportState, Backports};

/// What somebody wants of a backport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// That it is considered.
    Nominate,
    /// That it is picked.
    Accept,
    /// That it is not.
    Reject,
}

impl Decision {
    fn result(self) -> BackportState {
        match self {
            Self::Nominate => BackportState::Nominated,
            Self::Accept => BackportState::Accepted,
            Self::Reject => BackportState::Rejected,
        }
    }
}

/// The first digits of a commit's id: what people call it.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// Who made a backport what it is, and when.
fn decided(backport: &Backport) -> String {
    let last = backport.last();
    let mut text = format!(
        "{} was {} by {} on {}",
        short(&backport.commit),
        match last.state {
            BackportState::Conflict => "found to conflict",
            state => state.as_str(),
        },
        last.by,
        last.at
    );
    if let Some(reason) = &last.reason {
        text.push_str(&format!(": {reason}"));
    }
    text
}

/// Whether a decision can be recorded: `true` when it is new, `false` when it was taken already.
///
/// # Errors
/// When it contradicts what somebody decided before; the finding says who and when.
pub fn decide(queue: &Backports, commit: &str, decision: Decision) -> Result<bool, Finding> {
    use BackportState::{Accepted, Conflict, Nominated, Picked, Rejected};
    const CHECK: &str = "backport-decision";
    let Some(backport) = queue.find(commit) else {
        if decision == Decision::Nominate {
            return Ok(true);
        }
        let message = format!("{} is not in the queue of this line", short(commit));
        return Err(Finding::policy(CHECK, message).hint(format!(
            "nominate it first: `vrel backport nominate {} --to LINE`",
            short(commit)
        )));
    };
    match (backport.state(), decision) {
        (state, decision) if state == decision.result() => Ok(false),
        // A nomination of what is further already asks for nothing new.
        (Accepted | Conflict | Picked, Decision::Nominate) | (Conflict | Picked, Decision::Accept) => {
            Ok(false)
        }
        (Picked, Decision::Reject) => {
            let finding = Finding::policy(CHECK, format!("{}; it is on the line", decided(backport)));
            Err(finding.hint("to take it back, revert it on the line's branch"))
        }
        (Rejected, Decision::Accept) => {
            let hint = format!(
                "talk to them, then nominate it again: `vrel backport nominate {} --to LINE --reason WHY`",
                short(commit)
            );
            Err(Finding::policy(CHECK, decided(backport)).hint(hint))
        }
        (Nominated | Accepted | Conflict | Rejected, _) => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::BackportEvent;

    const COMMIT: &str = "3f2a1c00000000000000000000000000000000ab";

    fn queue(state: BackportState) -> Backports {
        let mut event = BackportEvent::new(
            state,
            "Ann <ann@example.org>",
            "2026-11-21T14:00:00Z".parse().unwrap(),
        );
        event.reason = Some("too risky".to_owned());
        Backports {
            list: vec![Backport::new(COMMIT, "fix: a", None, event)],
        }
    }

    #[test]
    fn decisions_follow_each_other_or_say_who_was_first() {
        use BackportState::{Accepted, Conflict, Nominated, Picked, Rejected};
        use Decision::{Accept, Nominate, Reject};
        for (state, decision, expected) in [
            (Nominated, Nominate, false),
            (Nominated, Accept, true),
            (Nominated, Reject, true),
            (Accepted, Nominate, false),
            (Accepted, Accept, false),
            (Accepted, Reject, true),
            (Conflict, Accept, false),
            (Conflict, Reject, true),
            (Rejected, Nominate, true),
            (Rejected, Reject, false),
            (Picked, Nominate, false),
            (Picked, Accept, false),
        ] {
            assert_eq!(
                decide(&queue(state), COMMIT, decision),
                Ok(expected),
                "{state} {decision:?}"
            );
        }
        let late = decide(&queue(Rejected), COMMIT, Accept).unwrap_err();
        assert!(
            late.message
                .contains("rejected by Ann <ann@example.org> on 2026-11-21T14:00:00Z: too risky"),
            "{late}"
        );
        assert!(
            decide(&queue(Picked), COMMIT, Reject)
                .unwrap_err()
                .message
                .contains("on the line")
        );
        let unknown = decide(&Backports::default(), COMMIT, Accept).unwrap_err();
        assert!(unknown.hint.unwrap().contains("nominate 3f2a1c000000"));
        assert_eq!(decide(&Backports::default(), COMMIT, Nominate), Ok(true));
    }
}

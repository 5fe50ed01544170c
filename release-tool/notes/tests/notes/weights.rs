//! What commits weigh for the next version.

use crate::commit;
use vrel_notes::{Scale, Weight};

/// The weights of messages, newest first, by the number of the commit.
fn weigh(messages: &[&str]) -> Vec<(usize, Weight)> {
    let mut scale = Scale::default();
    for (number, message) in messages.iter().enumerate() {
        scale.add(&commit(number, message));
    }
    let weighed = scale.finish().into_iter();
    weighed
        .map(|commit| (commit.id.parse().unwrap(), commit.weight))
        .collect()
}

#[test]
fn a_message_says_how_much_it_changes() {
    for (message, weight) in [
        ("feat: boot", Weight::Feature),
        ("feat(ipc)!: send", Weight::Breaking),
        ("fix: stop\n\nBREAKING CHANGE: it stops", Weight::Breaking),
        ("refactor: x\n\nBREAKING CHANGE: it stops", Weight::Breaking),
        ("fix: stop", Weight::Fix),
        ("perf: run", Weight::Fix),
        ("deprecate(abi): old", Weight::Feature),
        ("fix: x\n\nDeprecated: old", Weight::Feature),
        ("chore: tidy", Weight::Internal),
        ("feat(ci): run", Weight::Internal),
        ("fixup! feat: boot", Weight::Internal),
        ("kernel: stop", Weight::Fix),
    ] {
        assert_eq!(weigh(&[message]), [(0, weight)], "{message}");
    }
}

#[test]
fn what_is_taken_back_weighs_nothing_and_taking_back_what_was_released_does() {
    let reverted = ["Revert \"feat!: boot\"", "feat!: boot", "fix: stop"];
    assert_eq!(weigh(&reverted), [(2, Weight::Fix)]);
    assert_eq!(
        weigh(&["Revert \"feat: boot\"", "fix: stop"]),
        [(0, Weight::Fix), (1, Weight::Fix)]
    );
    assert_eq!(weigh(&["Reapply \"feat: boot\""]), [(0, Weight::Feature)]);
    let mut merge = commit(0, "feat: merged");
    merge.parents.push(format!("{:040}", 7));
    let mut scale = Scale::default();
    scale.add(&merge);
    assert_eq!(scale.finish(), []);
}

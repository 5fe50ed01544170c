//! The version against what changed for programs.

use super::*;
use crate::InterfaceFacts;
use vrel_interface::{Change, Impact, Interface, InterfaceError, compare};

/// The interface of a crate `abi` with these items.
fn interface(items: &str) -> Interface {
    let table =
        "macro_rules! with_system_calls { ($t:path) => { $t! { 1 Exit exit(code: number) -> never:; } }; }";
    let abi = format!("{table}\n{items}");
    Interface::read("os", &mut |path| match path {
        "os/abi/src/lib.rs" => Some(abi.clone().into_bytes()),
        "os/user/rt/src/lib.rs" => Some(Vec::new()),
        _ => None,
    })
    .unwrap()
    .unwrap()
}

fn changes(old: &str, new: &str) -> Vec<Change> {
    compare(&interface(old), &interface(new))
}

fn facts(previous: &str, changes: Vec<Change>) -> InterfaceFacts {
    InterfaceFacts {
        previous: Some(v(previous)),
        changes,
        ..InterfaceFacts::default()
    }
}

/// Why sources without a table cannot be read.
fn problem() -> InterfaceError {
    Interface::read("os", &mut |_| Some(Vec::new())).expect_err("sources without a table")
}

/// How many findings of the check there are.
fn refused(previous: &str, version: &str, changes: &[Change]) -> usize {
    let found = findings(version, |snapshot| {
        snapshot.interface = facts(previous, changes.to_vec())
    });
    found.iter().filter(|(check, _)| *check == "version-bump").count()
}

#[test]
fn a_version_goes_as_far_as_the_interface_asks() {
    let breaks = changes("pub fn a() {} pub fn b() {}", "");
    let adds = changes("", "pub fn a() {}");
    assert_eq!((breaks.len(), adds.len()), (2, 1));
    assert!(adds.iter().all(|change| change.impact == Impact::Addition));
    for (previous, version, broken, added) in [
        ("0.6.0", "0.6.1-rc1", 2, 1),
        ("0.6.0", "0.7.0-rc1", 0, 0),
        ("0.6.4", "0.7.0-rc3", 0, 0),
        ("0.9.0", "1.0.0-rc1", 0, 0),
        ("1.0.0", "1.0.1-rc1", 2, 1),
        ("1.0.0", "1.1.0-rc1", 2, 0),
        ("1.1.0", "2.0.0-rc1", 0, 0),
    ] {
        let found = (
            refused(previous, version, &breaks),
            refused(previous, version, &adds),
        );
        assert_eq!(found, (broken, added), "{previous} → {version}");
    }
}

#[test]
fn a_refusal_names_symbol_place_and_remedy() {
    let mut snapshot = snapshot();
    let changed = changes(
        "pub const A: u8 = 1;\npub fn gone() {}",
        "\n\npub const A: u8 = 2;",
    );
    snapshot.interface = facts("1.2.3", changed);
    let outcome = plan_cut_rc(&snapshot, &v("1.3.0-rc1"), &[], now());
    let messages: Vec<_> = outcome
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "os/abi/src/lib.rs:4: `abi::A`: the constant has another value: was `1`, is `2`; after 1.2.3 that needs \
             MAJOR, and 1.3.0-rc1 is MINOR",
            "os/abi/src/lib.rs:3 in 1.2.3: `abi::gone`: the public item is gone: was `fn()`; after 1.2.3 that needs \
             MAJOR, and 1.3.0-rc1 is MINOR",
        ]
    );
    let hint = outcome.findings[0].hint.as_deref().unwrap();
    assert!(
        hint.contains("`vrel next`") && hint.contains("interface diff v1.2.3"),
        "{hint}"
    );
    assert!(outcome.findings.iter().all(Finding::is_fatal));
}

#[test]
fn sources_that_are_not_understood_stop_a_release_and_older_ones_do_not() {
    let found = |change: fn(&mut InterfaceFacts)| {
        let mut snapshot = snapshot();
        change(&mut snapshot.interface);
        plan_cut_rc(&snapshot, &v("0.6.0-rc1"), &[], now()).findings
    };
    let broken = found(|facts| facts.problem = Some(problem()));
    assert_eq!(broken.len(), 1);
    assert!(
        broken[0].is_fatal() && broken[0].message.contains("os/abi/src/lib.rs:1: "),
        "{broken:?}"
    );
    let older = found(|facts| facts.not_compared = Some("0.5.7 has no such sources".into()));
    assert_eq!(older.len(), 1);
    assert!(
        !older[0].is_fatal() && older[0].message.contains("0.5.7 has no such sources"),
        "{older:?}"
    );
}

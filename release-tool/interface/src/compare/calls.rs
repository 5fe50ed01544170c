//! Comparing the tables of system calls.

use super::{Change, Differences, Rule, gone, new};
use crate::{Returns, SystemCall};
use std::collections::BTreeSet;

/// The differences from one table to the other.
pub(super) fn compare(old: &[SystemCall], newer: &[SystemCall]) -> Vec<Change> {
    let mut changes = Vec::new();
    for before in old {
        let number = newer.iter().find(|call| call.number == before.number);
        match newer.iter().find(|call| call.name == before.name) {
            Some(after) => call(before, after, &mut changes),
            None => match number.filter(|call| is_new(old, call)) {
                Some(after) => renamed(before, after, &mut changes),
                None => changes.push(gone(
                    Rule::CallRemoved,
                    symbol(before),
                    &before.place,
                    text(before),
                )),
            },
        }
    }
    for after in newer.iter().filter(|call| is_new(old, call)) {
        let takes_over = old
            .iter()
            .any(|before| before.number == after.number && newer.iter().all(|call| call.name != before.name));
        if !takes_over {
            changes.push(new(Rule::CallAdded, symbol(after), &after.place, text(after)));
        }
    }
    changes
}

fn is_new(old: &[SystemCall], call: &SystemCall) -> bool {
    old.iter().all(|before| before.name != call.name)
}

fn symbol(call: &SystemCall) -> String {
    format!("system call {}", call.name)
}

fn text(call: &SystemCall) -> String {
    format!("{} {call}", call.number)
}

/// A new name under an old number. To compiled programs it is the same call, so the rest is compared as well.
fn renamed(before: &SystemCall, after: &SystemCall, changes: &mut Vec<Change>) {
    Differences::new(changes, symbol(before), &after.place).changed(
        Rule::CallRenamed,
        &before.name,
        &after.name,
    );
    call(before, after, changes);
}

fn call(before: &SystemCall, after: &SystemCall, changes: &mut Vec<Change>) {
    let mut differ = Differences::new(changes, symbol(before), &after.place);
    if before.number != after.number {
        differ.changed(Rule::CallRenumbered, before.number, after.number);
    }
    let kinds =
        |call: &SystemCall| -> Vec<String> { call.arguments.iter().map(|a| a.kind.clone()).collect() };
    let names =
        |call: &SystemCall| -> Vec<String> { call.arguments.iter().map(|a| a.name.clone()).collect() };
    if before.arguments != after.arguments {
        let rule = if kinds(before) != kinds(after) {
            Rule::CallArguments
        } else if names(before).iter().collect::<BTreeSet<_>>() == names(after).iter().collect() {
            Rule::CallArgumentsSwapped
        } else {
            Rule::CallArgumentRenamed
        };
        differ.changed(rule, arguments(before), arguments(after));
    }
    match (&before.returns, &after.returns) {
        (old, new) if old == new => {}
        (Returns::Value(_), Returns::Value(_)) => {
            differ.changed(Rule::CallReturnsReworded, &before.returns, &after.returns);
        }
        _ => differ.changed(Rule::CallReturns, &before.returns, &after.returns),
    }
    let symbol = |error: &String| format!("error {error} of system call {}", before.name);
    for error in before.errors.iter().filter(|error| !after.errors.contains(error)) {
        changes.push(gone(Rule::CallErrorRemoved, symbol(error), &before.place, error));
    }
    for error in after.errors.iter().filter(|error| !before.errors.contains(error)) {
        changes.push(new(Rule::CallErrorAdded, symbol(error), &after.place, error));
    }
}

fn arguments(call: &SystemCall) -> String {
    let arguments: Vec<_> = call.arguments.iter().map(ToString::to_string).collect();
    format!("({})", arguments.join(", "))
}

/// Which variants the table makes: enumerations with just these are views of it, and its own rules hold for them.
pub(super) struct Table {
    old: BTreeSet<String>,
    new: BTreeSet<String>,
}

impl Table {
    pub(super) fn new(old: &[SystemCall], new: &[SystemCall]) -> Self {
        let variants = |calls: &[SystemCall]| calls.iter().map(|call| call.variant.clone()).collect();
        Self {
            old: variants(old),
            new: variants(new),
        }
    }

    /// Whether an enumeration has one variant for each call, before and after.
    pub(super) fn is_view(&self, before: &crate::Enum, after: &crate::Enum) -> bool {
        let has = |item: &crate::Enum, table: &BTreeSet<String>| {
            let names: BTreeSet<_> = item.variants.iter().map(|variant| variant.name.clone()).collect();
            names == *table
        };
        has(before, &self.old) && has(after, &self.new)
    }
}

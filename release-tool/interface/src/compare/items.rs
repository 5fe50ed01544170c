//! Comparing public items, after the SemVer chapter of the Cargo book.

use super::calls::Table;
use super::types;
use super::{Change, Differences, Rule, gone, new};
use crate::{Function, Item, ItemKind};
use std::collections::BTreeMap;

/// The differences from one set of items to the other.
pub(super) fn compare(
    old: &BTreeMap<String, Item>,
    newer: &BTreeMap<String, Item>,
    table: &Table,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (symbol, before) in old {
        match newer.get(symbol) {
            Some(after) => item(symbol, before, after, table, &mut changes),
            None => {
                let rule = match before.kind {
                    ItemKind::Impl => Rule::ImplRemoved,
                    _ => Rule::ItemRemoved,
                };
                changes.push(gone(rule, symbol, &before.place, &before.kind));
            }
        }
    }
    for (symbol, after) in newer.iter().filter(|(symbol, _)| !old.contains_key(*symbol)) {
        let rule = match after.kind {
            ItemKind::Impl => Rule::ImplAdded,
            _ => Rule::ItemAdded,
        };
        changes.push(new(rule, symbol, &after.place, &after.kind));
    }
    changes
}

fn item(symbol: &str, before: &Item, after: &Item, table: &Table, changes: &mut Vec<Change>) {
    let mut differ = Differences::new(changes, symbol, &after.place);
    if after.deprecated && !before.deprecated {
        differ.changed(
            Rule::ItemDeprecated,
            &before.kind,
            format!("#[deprecated] {}", after.kind),
        );
    }
    match (&before.kind, &after.kind) {
        (old, new) if old == new => {}
        (ItemKind::Function(old), ItemKind::Function(new)) => function(old, new, &mut differ),
        (ItemKind::Constant { ty: old, value: was }, ItemKind::Constant { ty: new, value: is }) => {
            if old != new {
                differ.changed(Rule::ConstantType, old, new);
            }
            if was != is {
                let text =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "not one value".to_owned());
                differ.changed(Rule::ConstantValue, text(was), text(is));
            }
        }
        (ItemKind::Static { .. }, ItemKind::Static { .. }) => {
            differ.changed(Rule::ConstantType, &before.kind, &after.kind);
        }
        (ItemKind::ReExport { of: old }, ItemKind::ReExport { of: new }) => {
            differ.changed(Rule::ReExport, old, new);
        }
        (ItemKind::Alias { .. }, ItemKind::Alias { .. }) => {
            differ.changed(Rule::AliasChanged, &before.kind, &after.kind);
        }
        (ItemKind::Struct(old), ItemKind::Struct(new)) if old.keyword == new.keyword => {
            types::structure(symbol, old, new, &mut differ);
        }
        (ItemKind::Enum(old), ItemKind::Enum(new)) => {
            types::enumeration(symbol, old, new, table.is_view(old, new), &after.place, changes);
        }
        (ItemKind::Trait(old), ItemKind::Trait(new)) => {
            types::declared_trait(symbol, old, new, &after.place, changes)
        }
        (ItemKind::Macro { patterns: old }, ItemKind::Macro { patterns: new }) => {
            let all = old.iter().all(|pattern| new.contains(pattern));
            let rule = if all {
                Rule::MacroPatternAdded
            } else {
                Rule::MacroPattern
            };
            differ.changed(rule, old.join(" | "), new.join(" | "));
        }
        _ => differ.changed(Rule::ItemKind, &before.kind, &after.kind),
    }
}

fn function(old: &Function, new: &Function, differ: &mut Differences<'_>) {
    if (&old.arguments, &old.returns, &old.calling) != (&new.arguments, &new.returns, &new.calling) {
        differ.changed(Rule::FunctionSignature, old, new);
    }
    if old.generics != new.generics {
        differ.changed(Rule::FunctionGenerics, old, new);
    }
    for (was, is, lost, gained) in [
        (
            old.constant,
            new.constant,
            Rule::FunctionNotConst,
            Rule::FunctionConst,
        ),
        (
            old.unsafety,
            new.unsafety,
            Rule::FunctionSafe,
            Rule::FunctionUnsafe,
        ),
    ] {
        if was != is {
            differ.changed(if was { lost } else { gained }, old, new);
        }
    }
}

//! Comparing types and traits.

use super::{Change, Differences, Rule, gone, new};
use crate::{Enum, Field, Place, Shape, Struct, Trait, Variant};

/// The attribute by which a type says that it will get more.
const NON_EXHAUSTIVE: &str = "#[non_exhaustive]";

pub(super) fn structure(symbol: &str, old: &Struct, newer: &Struct, differ: &mut Differences<'_>) {
    if old.generics != newer.generics {
        differ.changed(Rule::TypeGenerics, &old.generics, &newer.generics);
    }
    repr(&old.repr, &newer.repr, differ);
    // Values can be made, and taken apart, by listing all fields.
    let listed = !old.non_exhaustive && old.private == 0;
    if newer.non_exhaustive && listed {
        differ.changed(Rule::NonExhaustive, "complete", NON_EXHAUSTIVE);
    } else if old.non_exhaustive && !newer.non_exhaustive && newer.private == 0 {
        differ.changed(Rule::Exhaustive, NON_EXHAUSTIVE, "complete");
    }
    let opaque = old.fields.is_empty() && newer.fields.is_empty() && old.private > 0 && newer.private > 0;
    if old.shape != newer.shape && !opaque && !(old.non_exhaustive && old.fields.is_empty()) {
        differ.changed(Rule::ShapeChanged, shape(old.shape), shape(newer.shape));
    }
    if let (Some(before), Some(after)) = (&old.layout, &newer.layout)
        && before != after
    {
        differ.changed(Rule::LayoutChanged, before.join(", "), after.join(", "));
    }
    if listed && !newer.non_exhaustive && newer.private > 0 {
        let private = format!("{} private", newer.private);
        differ.changed(Rule::FieldAddedExhaustive, "all public", private);
    }
    fields(
        symbol,
        &old.fields,
        &newer.fields,
        listed && !newer.non_exhaustive,
        differ,
    );
}

fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Unit => "no fields",
        Shape::Tuple => "fields by position",
        Shape::Named => "fields by name",
    }
}

fn repr(old: &str, new: &str, differ: &mut Differences<'_>) {
    if old == new {
        return;
    }
    let rule = if old.is_empty() {
        Rule::ReprAdded
    } else {
        Rule::ReprChanged
    };
    let text = |repr: &str| {
        if repr.is_empty() {
            "Rust's own".to_owned()
        } else {
            repr.to_owned()
        }
    };
    differ.changed(rule, text(old), text(new));
}

fn fields(symbol: &str, old: &[Field], newer: &[Field], listed: bool, differ: &mut Differences<'_>) {
    for before in old {
        let symbol = format!("{symbol}::{}", before.name);
        match newer.iter().find(|field| field.name == before.name) {
            None => differ
                .changes
                .push(gone(Rule::FieldRemoved, symbol, &before.place, &before.ty)),
            Some(after) if after.ty != before.ty => {
                Differences::new(differ.changes, symbol, &after.place).changed(
                    Rule::FieldType,
                    &before.ty,
                    &after.ty,
                );
            }
            Some(_) => {}
        }
    }
    for after in newer
        .iter()
        .filter(|field| old.iter().all(|before| before.name != field.name))
    {
        let rule = if listed {
            Rule::FieldAddedExhaustive
        } else {
            Rule::FieldAdded
        };
        let symbol = format!("{symbol}::{}", after.name);
        differ.changes.push(new(rule, symbol, &after.place, &after.ty));
    }
}

/// Of an enumeration that is a view of the table of system calls, the variants are left to the table's rules.
pub(super) fn enumeration(
    symbol: &str,
    old: &Enum,
    newer: &Enum,
    is_view: bool,
    place: &Place,
    changes: &mut Vec<Change>,
) {
    let mut differ = Differences::new(changes, symbol, place);
    if old.generics != newer.generics {
        differ.changed(Rule::TypeGenerics, &old.generics, &newer.generics);
    }
    repr(&old.repr, &newer.repr, &mut differ);
    match (old.non_exhaustive, newer.non_exhaustive) {
        (false, true) => differ.changed(Rule::NonExhaustive, "complete", NON_EXHAUSTIVE),
        (true, false) => differ.changed(Rule::Exhaustive, NON_EXHAUSTIVE, "complete"),
        _ => {}
    }
    if is_view {
        return;
    }
    for before in &old.variants {
        let symbol = format!("{symbol}::{}", before.name);
        match newer.variants.iter().find(|variant| variant.name == before.name) {
            None => changes.push(gone(Rule::VariantRemoved, symbol, &before.place, before)),
            Some(after) => variant(symbol, before, after, changes),
        }
    }
    let rule = if old.non_exhaustive {
        Rule::VariantAdded
    } else {
        Rule::VariantAddedExhaustive
    };
    for after in &newer.variants {
        if old.variants.iter().all(|variant| variant.name != after.name) {
            changes.push(new(
                rule,
                format!("{symbol}::{}", after.name),
                &after.place,
                after,
            ));
        }
    }
}

fn variant(symbol: String, old: &Variant, newer: &Variant, changes: &mut Vec<Change>) {
    let mut differ = Differences::new(changes, symbol.clone(), &newer.place);
    if let (Some(before), Some(after)) = (&old.number, &newer.number)
        && before != after
    {
        differ.changed(Rule::VariantNumber, before, after);
    }
    match (old.non_exhaustive, newer.non_exhaustive) {
        (false, true) => differ.changed(Rule::NonExhaustive, "complete", NON_EXHAUSTIVE),
        (true, false) => differ.changed(Rule::Exhaustive, NON_EXHAUSTIVE, "complete"),
        _ => {}
    }
    if old.shape != newer.shape {
        differ.changed(Rule::ShapeChanged, shape(old.shape), shape(newer.shape));
    }
    let listed = !old.non_exhaustive && !newer.non_exhaustive;
    fields(&symbol, &old.fields, &newer.fields, listed, &mut differ);
}

pub(super) fn declared_trait(
    symbol: &str,
    old: &Trait,
    newer: &Trait,
    place: &Place,
    changes: &mut Vec<Change>,
) {
    let mut differ = Differences::new(changes, symbol, place);
    if old.generics != newer.generics {
        differ.changed(Rule::TypeGenerics, &old.generics, &newer.generics);
    }
    let asks = |item: &Trait| {
        let mut parts = item.supertraits.clone();
        parts.extend(item.unsafety.then(|| "unsafe".to_owned()));
        parts.join(" + ")
    };
    if asks(old) != asks(newer) {
        differ.changed(Rule::TraitBounds, asks(old), asks(newer));
    }
    for (name, before) in &old.items {
        let symbol = format!("{symbol}::{name}");
        let Some(after) = newer.items.get(name) else {
            changes.push(gone(
                Rule::TraitItemRemoved,
                symbol,
                &before.place,
                &before.declaration,
            ));
            continue;
        };
        let mut differ = Differences::new(changes, symbol, &after.place);
        if before.declaration != after.declaration {
            differ.changed(Rule::TraitItemChanged, &before.declaration, &after.declaration);
        }
        match (before.has_default, after.has_default) {
            (true, false) => differ.changed(Rule::TraitItemRequired, "with a default", "without"),
            (false, true) => differ.changed(Rule::TraitItemDefault, "without a default", "with one"),
            _ => {}
        }
    }
    for (name, after) in newer
        .items
        .iter()
        .filter(|(name, _)| !old.items.contains_key(*name))
    {
        let rule = if after.has_default {
            Rule::TraitItemAdded
        } else {
            Rule::TraitItemRequired
        };
        changes.push(new(
            rule,
            format!("{symbol}::{name}"),
            &after.place,
            &after.declaration,
        ));
    }
}

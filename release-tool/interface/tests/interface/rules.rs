//! One row for each thing that can change.

use crate::{TABLE, with};
use std::collections::BTreeSet;
use vrel_interface::{Impact, Rule, compare};

/// Changes of the table: what is replaced by what, and what comes of it.
const CALLS: &[(&str, &str, &[&str])] = &[
    (
        "/// Ends.\n            2 Exit exit(code: number) -> never: BadArgument;",
        "",
        &["system call exit: call-removed"],
    ),
    (
        "2 Exit exit",
        "3 Ticks ticks() -> \"ticks\":; 2 Exit exit",
        &["system call ticks: call-added"],
    ),
    (
        "2 Exit exit",
        "7 Exit exit",
        &["system call exit: call-renumbered"],
    ),
    ("2 Exit exit", "2 Exit leave", &["system call exit: call-renamed"]),
    (
        "2 Exit exit(code: number) -> never: BadArgument;",
        "2 Exit leave() -> never: BadArgument;",
        &[
            "system call exit: call-renamed",
            "system call exit: call-arguments",
        ],
    ),
    (
        "text: bytes, to: number",
        "text: bytes",
        &["system call write: call-arguments"],
    ),
    (
        "text: bytes, to: number",
        "to: number, text: bytes",
        &["system call write: call-arguments"],
    ),
    (
        "text: bytes, to: number",
        "text: buffer, to: number",
        &["system call write: call-arguments"],
    ),
    (
        "to: number, at: number",
        "at: number, to: number",
        &["system call write: call-arguments-swapped"],
    ),
    (
        "code: number",
        "status: number",
        &["system call exit: call-argument-renamed"],
    ),
    ("-> never", "-> \"nothing\"", &["system call exit: call-returns"]),
    ("\"bytes written\"", "never", &["system call write: call-returns"]),
    (
        "\"bytes written\"",
        "\"characters\"",
        &["system call write: call-returns-reworded"],
    ),
    (
        ": BadAddress;",
        ":;",
        &["error BadAddress of system call write: call-error-removed"],
    ),
    (
        ": BadAddress;",
        ": BadAddress TooMany;",
        &["error TooMany of system call write: call-error-added"],
    ),
    ("/// Ends.", "/// Ends the program.", &[]),
];

/// Changes of items.
const ITEMS: &[(&str, &str, &[&str])] = &[
    ("pub fn a() {}", "", &["abi::a: item-removed"]),
    ("", "pub fn a() {}", &["abi::a: item-added"]),
    ("pub fn a() {}", "fn a() {}", &["abi::a: item-removed"]),
    ("pub fn a() {}", "pub(crate) fn a() {}", &["abi::a: item-removed"]),
    (
        "pub fn a() {}",
        "#[doc(hidden)] pub mod m { pub fn a() {} }",
        &["abi::a: item-removed"],
    ),
    (
        "pub fn a() {}",
        "#[doc(hidden)] pub fn a() {}",
        &["abi::a: item-removed"],
    ),
    (
        "mod m { pub fn a() {} } pub use m::a;",
        "mod m { pub fn a() {} } #[doc(hidden)] pub use m::a;",
        &["abi::a: item-removed"],
    ),
    (
        "#[doc(hidden)] pub extern crate alloc;",
        "extern crate alloc;",
        &[],
    ),
    ("pub use core::fmt::Write as _;", "", &[]),
    ("mod m { pub fn a() {} } pub use m::a;", "pub fn a() {}", &[]),
    (
        "mod m { pub fn a() {} } pub use m::*;",
        "mod n { pub fn b() {} } pub use n::b as a;",
        &[],
    ),
    ("pub fn a() {}", "pub struct a;", &["abi::a: item-kind"]),
    (
        "pub fn a() {}",
        "#[deprecated] pub fn a() {}",
        &["abi::a: item-deprecated"],
    ),
    (
        "pub use core::fmt;",
        "pub use core::ops as fmt;",
        &["abi::fmt: re-export"],
    ),
    ("pub fn a(x: u8) {}", "pub fn a(y: u8) {}", &[]),
    (
        "pub fn a(x: u8) {}",
        "pub fn a(x: u16) {}",
        &["abi::a: function-signature"],
    ),
    (
        "pub fn a(x: u8) {}",
        "pub fn a(x: u8, y: u8) {}",
        &["abi::a: function-signature"],
    ),
    (
        "pub fn a() {}",
        "pub fn a() -> u8 { 0 }",
        &["abi::a: function-signature"],
    ),
    (
        "pub fn a() {}",
        "pub extern \"C\" fn a() {}",
        &["abi::a: function-signature"],
    ),
    ("pub fn a<T: Copy>(x: T) {}", "pub fn a<U: Copy>(x: U) {}", &[]),
    (
        "pub fn a<T>(x: T) {}",
        "pub fn a<T: Copy>(x: T) {}",
        &["abi::a: function-generics"],
    ),
    (
        "pub fn a() {}",
        "pub unsafe fn a() {}",
        &["abi::a: function-unsafe"],
    ),
    (
        "pub unsafe fn a() {}",
        "pub fn a() {}",
        &["abi::a: function-safe"],
    ),
    (
        "pub const fn a() {}",
        "pub fn a() {}",
        &["abi::a: function-not-const"],
    ),
    (
        "pub fn a() {}",
        "pub const fn a() {}",
        &["abi::a: function-const"],
    ),
    (
        "pub struct E; mod m { pub fn a(x: super::E) {} } pub use m::a;",
        "pub struct E; mod m { use crate::E as Other; pub fn a(x: Other) {} } pub use m::a;",
        &[],
    ),
    (
        "pub struct E; pub struct F; mod m { use crate::E as X; pub fn a(x: X) {} } pub use m::a;",
        "pub struct E; pub struct F; mod m { use crate::F as X; pub fn a(x: X) {} } pub use m::a;",
        &["abi::a: function-signature"],
    ),
    (
        "pub const A: u8 = 1;",
        "pub const A: u16 = 1;",
        &["abi::A: constant-type"],
    ),
    ("pub const A: u64 = 4096;", "pub const A: u64 = 1 << 12;", &[]),
    (
        "pub const A: u64 = 4096;",
        "const B: u64 = 64; pub const A: u64 = B * 65;",
        &["abi::A: constant-value"],
    ),
    (
        "pub const A: &[u8] = b\"a\";",
        "pub const A: &[u8] = b\"b\";",
        &["abi::A: constant-value"],
    ),
    (
        "pub const A: u8 = f(1);",
        "pub const A: u8 = f(2);",
        &["abi::A: constant-value"],
    ),
    ("pub const A: &[u8] = &[1];", "pub const A: &[u8] = &[2];", &[]),
    (
        "pub static A: u8 = 1;",
        "pub static A: u16 = 1;",
        &["abi::A: constant-type"],
    ),
    (
        "pub type A = u8;",
        "pub type A = u16;",
        &["abi::A: alias-changed"],
    ),
    (
        "pub struct A<T>(T);",
        "pub struct A<T: Copy>(T);",
        &["abi::A: type-generics"],
    ),
    (
        "#[repr(C)] pub struct A;",
        "pub struct A;",
        &["abi::A: repr-changed"],
    ),
    (
        "pub struct A;",
        "#[repr(C)] pub struct A;",
        &["abi::A: repr-added"],
    ),
    (
        "#[repr(C)] pub struct A { a: u8, b: u16 }",
        "#[repr(C)] pub struct A { b: u16, a: u8 }",
        &["abi::A: layout-changed"],
    ),
    (
        "pub struct A { a: u8, b: u16 }",
        "pub struct A { b: u16, a: u8 }",
        &[],
    ),
    (
        "pub struct A { pub a: u8 }",
        "#[non_exhaustive] pub struct A { pub a: u8 }",
        &["abi::A: non-exhaustive"],
    ),
    (
        "#[non_exhaustive] pub enum A { B }",
        "pub enum A { B }",
        &["abi::A: exhaustive"],
    ),
    (
        "pub struct A { pub a: u8, b: u8 }",
        "pub struct A { b: u8 }",
        &["abi::A::a: field-removed"],
    ),
    (
        "pub struct A { a: u8 }",
        "pub struct A { a: u8, pub b: u8 }",
        &["abi::A::b: field-added"],
    ),
    (
        "pub struct A { pub a: u8 }",
        "pub struct A { pub a: u8, pub b: u8 }",
        &["abi::A::b: field-added-exhaustive"],
    ),
    (
        "pub struct A { pub a: u8 }",
        "pub struct A { pub a: u8, b: u8 }",
        &["abi::A: field-added-exhaustive"],
    ),
    (
        "#[non_exhaustive] pub struct A { pub a: u8 }",
        "#[non_exhaustive] pub struct A { pub a: u8, pub b: u8 }",
        &["abi::A::b: field-added"],
    ),
    (
        "pub struct A { pub a: u8 }",
        "pub struct A { pub a: u16 }",
        &["abi::A::a: field-type"],
    ),
    ("pub struct A(u8);", "pub struct A { a: u8 }", &[]),
    (
        "pub enum A { B(u8) }",
        "pub enum A { B { a: u8 } }",
        &[
            "abi::A::B: shape-changed",
            "abi::A::B::0: field-removed",
            "abi::A::B::a: field-added-exhaustive",
        ],
    ),
    (
        "pub enum A { B, C }",
        "pub enum A { B }",
        &["abi::A::C: variant-removed"],
    ),
    (
        "pub enum A { B }",
        "pub enum A { B, C }",
        &["abi::A::C: variant-added-exhaustive"],
    ),
    (
        "#[non_exhaustive] pub enum A { B }",
        "#[non_exhaustive] pub enum A { B, C }",
        &["abi::A::C: variant-added"],
    ),
    (
        "pub enum A { B = 1 }",
        "pub enum A { B = 2 }",
        &["abi::A::B: variant-number"],
    ),
    (
        "#[repr(u8)] pub enum A { B, C }",
        "#[repr(u8)] pub enum A { C, B }",
        &["abi::A::B: variant-number", "abi::A::C: variant-number"],
    ),
    (
        "pub trait A { fn a(); fn b(); }",
        "pub trait A { fn a(); }",
        &["abi::A::b: trait-item-removed"],
    ),
    (
        "pub trait A {}",
        "pub trait A { fn a() {} }",
        &["abi::A::a: trait-item-added"],
    ),
    (
        "pub trait A {}",
        "pub trait A { fn a(); }",
        &["abi::A::a: trait-item-required"],
    ),
    (
        "pub trait A { fn a() {} }",
        "pub trait A { fn a(); }",
        &["abi::A::a: trait-item-required"],
    ),
    (
        "pub trait A { fn a(); }",
        "pub trait A { fn a() {} }",
        &["abi::A::a: trait-item-default"],
    ),
    (
        "pub trait A { fn a(&self); }",
        "pub trait A { fn a(&mut self); }",
        &["abi::A::a: trait-item-changed"],
    ),
    (
        "pub trait A {}",
        "pub trait A: Copy {}",
        &["abi::A: trait-bounds"],
    ),
    (
        "#[derive(Clone)] pub struct A;",
        "pub struct A;",
        &["impl Clone for abi::A: impl-removed"],
    ),
    (
        "#[derive(Clone)] pub struct A;",
        "pub struct A; impl core::clone::Clone for A {}",
        &[],
    ),
    (
        "pub struct A;",
        "pub struct A; impl From<u8> for A {}",
        &["impl From<u8> for abi::A: impl-added"],
    ),
    (
        "pub struct A; impl A { pub fn b(&self) {} }",
        "pub struct A;",
        &["abi::A::b: item-removed"],
    ),
    (
        "pub struct A; impl A { pub fn b(&self) {} }",
        "pub struct A; impl A { pub fn b(self) {} }",
        &["abi::A::b: function-signature"],
    ),
    ("pub struct A; trait T {} impl T for A {}", "pub struct A;", &[]),
    (
        "#[macro_export] macro_rules! m { (a) => {} }",
        "#[macro_export] macro_rules! m { (b) => {} }",
        &["abi::m: macro-pattern"],
    ),
    (
        "#[macro_export] macro_rules! m { (a) => {} }",
        "#[macro_export] macro_rules! m { (a) => {}; (b) => {} }",
        &["abi::m: macro-pattern-added"],
    ),
];

fn judge(old: (&str, &str), new: (&str, &str)) -> (Vec<String>, BTreeSet<Rule>) {
    let changes = compare(&with(old.0, old.1), &with(new.0, new.1));
    let rows = changes
        .iter()
        .map(|change| format!("{}: {}", change.symbol, change.rule))
        .collect();
    (rows, changes.iter().map(|change| change.rule).collect())
}

#[test]
fn every_rule_is_applied() {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for (old, new, expected) in CALLS {
        assert!(TABLE.contains(old), "{old}");
        let (found, rules) = judge((TABLE, ""), (&TABLE.replace(old, new), ""));
        assert_eq!(found, *expected, "`{old}` → `{new}`");
        seen.extend(rules);
    }
    for (old, new, expected) in ITEMS {
        let (found, rules) = judge((TABLE, old), (TABLE, new));
        if found != *expected {
            wrong.push(format!("`{old}` → `{new}`: {found:?}, expected {expected:?}"));
        }
        seen.extend(rules);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<Rule> = Rule::ALL.iter().copied().collect();
    assert_eq!(seen, all, "rules without a row");
}

#[test]
fn a_message_names_symbol_place_before_and_after() {
    let old = with(TABLE, "pub const A: u8 = 1;\npub fn gone() {}");
    let new = with(&TABLE.replace("1 Write", "5 Write"), "\n\npub const A: u8 = 2;");
    let messages: Vec<String> = compare(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "os/abi/src/lib.rs:15: `abi::A`: the constant has another value: was `1`, is `2` [constant-value]",
            "os/abi/src/lib.rs:14 (before): `abi::gone`: the public item is gone: was `fn()` [item-removed]",
            "os/abi/src/lib.rs:6: `system call write`: the system call has another number: was `1`, is `5` \
             [call-renumbered]",
        ]
    );
}

#[test]
fn an_architecture_that_differs_is_named() {
    let only = |arch: &str| format!("#[cfg(target_arch = \"{arch}\")] pub fn a() {{}}");
    let all = with(TABLE, "pub fn a() {}");
    let one = with(TABLE, &only("aarch64"));
    let changes = compare(&all, &one);
    let [change] = &changes[..] else {
        panic!("{changes:?}")
    };
    assert_eq!(change.rule, Rule::ItemRemoved);
    assert!(
        change.message().contains("on x86_64 and riscv64"),
        "{}",
        change.message()
    );
    let elsewhere = compare(&one, &with(TABLE, &only("riscv64")));
    let rules: Vec<_> = elsewhere
        .iter()
        .map(|change| (change.rule, change.arches.len()))
        .collect();
    assert_eq!(rules, [(Rule::ItemRemoved, 1), (Rule::ItemAdded, 1)]);
}

#[test]
fn enumerations_that_the_table_makes_follow_its_rules() {
    let views = "macro_rules! define { ($($(#[doc = $d:literal])* $n:literal $v:ident $s:ident ($($a:ident: $k:ident),*) \
                 -> $r:tt: $($e:ident)*;)+) => { pub enum SystemCall { $($v = $n,)+ } }; } \
                 with_system_calls!(define);";
    let more = TABLE.replace("2 Exit exit", "3 Ticks ticks() -> \"ticks\":; 2 Exit exit");
    let (found, rules) = judge((TABLE, views), (&more, views));
    assert_eq!(found, ["system call ticks: call-added"]);
    assert!(rules.iter().all(|rule| rule.impact() == Impact::Addition));
}

#[test]
fn the_book_has_every_rule() {
    let page = std::fs::read_to_string(crate::root().join("docs/VERSIONING.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    for rule in Rule::ALL {
        let row = format!("| `{}` | {} | {} |", rule.name(), rule.statement(), rule.impact());
        assert!(
            rows.contains(&row.as_str()),
            "docs/VERSIONING.md has no row {row}"
        );
    }
    let names: BTreeSet<String> = Rule::ALL
        .iter()
        .map(|rule| format!("| `{}` ", rule.name()))
        .collect();
    let rules = rows
        .iter()
        .filter(|row| names.iter().any(|name| row.starts_with(name)))
        .count();
    assert_eq!(rules, Rule::ALL.len(), "a rule has two rows");
}

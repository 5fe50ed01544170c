//! What holds for any interface.

use crate::{TABLE, of_this_tree, with};
use proptest::prelude::*;
use vrel_interface::{Impact, Interface, compare};

/// Declarations with a name that is put in.
const DECLARATIONS: &[&str] = &[
    "pub fn NAME(x: u64) -> u64 { x }",
    "pub const NAME: u64 = 3 << 4;",
    "pub struct NAME { pub a: u8, b: u16 }",
    "pub enum NAME { A, B(u8) }",
    "pub trait NAME { fn a(&self); }",
    "pub type NAME = Option<u8>;",
    "pub mod NAME { pub fn inner() {} pub struct Other; }",
    "#[derive(Clone)] pub struct NAME<T>(pub T); impl<T> NAME<T> { pub fn get(self) -> T { self.0 } }",
    "#[macro_export] macro_rules! NAME { ($x:expr) => { $x } }",
    "mod private_NAME { pub fn f() {} } pub use private_NAME::f as NAME;",
];

fn declarations() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..DECLARATIONS.len(), 1..8)
}

/// The declarations under names of their own, from a number on.
fn source(kinds: &[usize], first: usize) -> Vec<String> {
    let kinds = kinds.iter().enumerate();
    kinds
        .map(|(at, kind)| DECLARATIONS[*kind].replace("NAME", &format!("item{}", first + at)))
        .collect()
}

fn interface(parts: &[String]) -> Interface {
    with(TABLE, &parts.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_interface_is_like_itself_in_any_order(kinds in declarations()) {
        let parts = source(&kinds, 0);
        let reversed: Vec<String> = parts.iter().rev().cloned().collect();
        prop_assert_eq!(compare(&interface(&parts), &interface(&parts)), []);
        prop_assert_eq!(compare(&interface(&parts), &interface(&reversed)), []);
    }

    #[test]
    fn more_is_compatible_and_less_is_not(before in declarations(), more in declarations()) {
        let small = source(&before, 0);
        let large = [small.clone(), source(&more, before.len())].concat();
        let (small, large) = (interface(&small), interface(&large));
        let added = compare(&small, &large);
        prop_assert!(!added.is_empty());
        prop_assert!(added.iter().all(|change| change.impact == Impact::Addition), "{added:#?}");
        let removed = compare(&large, &small);
        prop_assert_eq!(removed.len(), added.len());
        prop_assert!(removed.iter().all(|change| change.impact == Impact::Incompatible), "{removed:#?}");
    }
}

#[test]
fn this_tree_is_like_itself_and_unlike_itself_without_any_one_item() {
    let whole = of_this_tree();
    assert_eq!(compare(&whole, &whole), []);
    for arch in vrel_model::Arch::ALL {
        for symbol in whole.items[&arch].keys() {
            let mut without = whole.clone();
            without.items.get_mut(&arch).unwrap().remove(symbol);
            let changes = compare(&whole, &without);
            let [change] = &changes[..] else {
                panic!("{changes:?}")
            };
            assert_eq!(
                (&change.symbol, change.impact, &change.arches[..]),
                (symbol, Impact::Incompatible, &[arch][..])
            );
        }
    }
}

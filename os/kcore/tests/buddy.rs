//! The buddy allocator against a naive model, and the bit tree below it.

use std::collections::BTreeSet;

use kcore::bits::BitTree;
use kcore::buddy::{Buddy, ReleaseError};
use proptest::prelude::*;

fn buddy(units: usize, max_order: usize) -> Buddy<Vec<u64>> {
    Buddy::new(
        vec![0; Buddy::<Vec<u64>>::words(units, max_order)],
        units,
        max_order,
    )
}

#[test]
fn everything_that_was_inserted_can_be_taken_and_given_back() {
    let mut buddy = buddy(1000, 6);
    buddy.insert(3, 990).unwrap();
    let taken: Vec<usize> = std::iter::from_fn(|| buddy.allocate(0)).collect();
    assert_eq!(taken.iter().copied().collect::<BTreeSet<_>>(), (3..993).collect());
    assert_eq!((taken.len(), buddy.free_units()), (990, 0));
    for unit in taken {
        buddy.release(unit, 0).unwrap();
    }
    // All merged again: as many of the largest blocks as fit between 3 and 993.
    let blocks: Vec<usize> = std::iter::from_fn(|| buddy.allocate(6)).collect();
    assert_eq!(blocks, (1..15).map(|block| block * 64).collect::<Vec<_>>());
}

#[test]
fn what_was_not_taken_cannot_be_given_back() {
    let mut buddy = buddy(64, 4);
    buddy.insert(0, 64).unwrap();
    let block = buddy.allocate(2).unwrap();
    assert_eq!(buddy.release(block + 1, 2), Err(ReleaseError::NotABlock));
    assert_eq!(buddy.release(block, 5), Err(ReleaseError::NotABlock));
    assert_eq!(buddy.release(64, 0), Err(ReleaseError::NotABlock));
    assert_eq!(buddy.release(usize::MAX, 0), Err(ReleaseError::NotABlock));
    assert_eq!(
        buddy.release(block, 4),
        Err(ReleaseError::AlreadyFree),
        "a part of the larger block is free"
    );
    assert_eq!(buddy.release(block, 2), Ok(()));
    assert_eq!(buddy.release(block, 2), Err(ReleaseError::AlreadyFree));
    assert_eq!(buddy.release(block, 0), Err(ReleaseError::AlreadyFree));
    assert_eq!(buddy.free_units(), 64);
}

#[test]
fn ranges_outside_are_not_inserted() {
    let mut buddy = buddy(64, 4);
    assert_eq!(buddy.insert(60, 5), Err(ReleaseError::NotABlock));
    assert_eq!(buddy.insert(usize::MAX, 2), Err(ReleaseError::NotABlock));
    assert_eq!(buddy.insert(64, 0), Ok(()));
    assert_eq!(buddy.allocate(0), None);
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(usize),
    Release(prop::sample::Index),
    Foreign(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..7_usize).prop_map(Step::Allocate),
        any::<prop::sample::Index>().prop_map(Step::Release),
        (0..700_usize, 0..8_usize).prop_map(|(start, order)| Step::Foreign(start, order)),
    ]
}

proptest! {
    #[test]
    fn blocks_never_overlap_and_nothing_is_lost(
        units in 1..600_usize,
        max_order in 0..6_usize,
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut buddy = buddy(units, max_order);
        buddy.insert(0, units).unwrap();
        let mut free: BTreeSet<usize> = (0..units).collect();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Allocate(order) => match buddy.allocate(order) {
                    Some(start) => {
                        prop_assert!(order <= max_order && start.is_multiple_of(1 << order));
                        for unit in start..start + (1 << order) {
                            prop_assert!(free.remove(&unit), "unit {} given twice", unit);
                        }
                        taken.push((start, order));
                    }
                    None => {
                        let fits = |start: usize| (start..start + (1 << order)).all(|unit| free.contains(&unit));
                        let refused = order > max_order || !(0..units).step_by(1 << order).any(fits);
                        prop_assert!(refused, "a free block of order {} was not found", order);
                    }
                },
                Step::Release(index) if !taken.is_empty() => {
                    let (start, order) = taken.swap_remove(index.index(taken.len()));
                    prop_assert_eq!(buddy.release(start, order), Ok(()));
                    free.extend(start..start + (1 << order));
                }
                Step::Release(_) => {}
                Step::Foreign(start, order) => {
                    // A block that is free, even in part, is refused.
                    if (start..start + (1 << order)).any(|unit| free.contains(&unit)) {
                        prop_assert!(buddy.release(start, order).is_err());
                    }
                }
            }
            prop_assert_eq!(buddy.free_units(), free.len());
        }
        for (start, order) in taken {
            prop_assert_eq!(buddy.release(start, order), Ok(()));
        }
        let whole = units >> max_order;
        let blocks: Vec<usize> = std::iter::from_fn(|| buddy.allocate(max_order)).collect();
        prop_assert_eq!(blocks.len(), whole, "free neighbours were not merged");
    }

    #[test]
    fn a_bit_tree_is_a_set(
        len in 1..10_000_usize,
        changes in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..100),
        range in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let tree = BitTree::new(len);
        let mut words = vec![0; tree.words()];
        let mut model = BTreeSet::new();
        for (insert, member) in changes {
            let member = member.index(len);
            if insert {
                tree.insert(&mut words, member);
                model.insert(member);
            } else {
                tree.remove(&mut words, member);
                model.remove(&member);
            }
            prop_assert_eq!(tree.first(&words), model.first().copied());
            prop_assert_eq!(tree.contains(&words, member), insert);
        }
        let (a, b) = (range.0.index(len + 1), range.1.index(len + 1));
        let (start, end) = (a.min(b), a.max(b));
        prop_assert_eq!(tree.contains_any(&words, start, end), model.range(start..end).next().is_some());
    }
}

#[test]
fn a_deep_bit_tree_finds_its_last_member() {
    let len = 64 * 64 * 64 * 3 + 17;
    let tree = BitTree::new(len);
    let mut words = vec![0; tree.words()];
    tree.insert(&mut words, len - 1);
    assert_eq!(tree.first(&words), Some(len - 1));
    tree.remove(&mut words, len - 1);
    assert_eq!(tree.first(&words), None);
    assert!(words.iter().all(|&word| word == 0), "summaries are left behind");
    assert_eq!(BitTree::new(0).first(&[]), None);
}

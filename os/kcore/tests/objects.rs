//! The object table against a naive model.

use kcore::objects::{Handle, Objects};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Insert,
    Remove(prop::sample::Index),
    Change(prop::sample::Index),
    Pair(prop::sample::Index, prop::sample::Index),
    Forged(u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => Just(Step::Insert),
        2 => index().prop_map(Step::Remove),
        1 => index().prop_map(Step::Change),
        1 => (index(), index()).prop_map(|(a, b)| Step::Pair(a, b)),
        1 => (0..20_u32, 0..6_u32).prop_map(|(index, generation)| Step::Forged(index, generation)),
    ]
}

/// Every handle ever given, with what it must name now.
type Model = Vec<(Handle, Option<u64>)>;

fn live(model: &Model) -> Vec<(Handle, u64)> {
    let mut live: Vec<_> = model
        .iter()
        .filter_map(|&(handle, value)| Some((handle, value?)))
        .collect();
    live.sort();
    live
}

proptest! {
    #[test]
    fn a_handle_names_its_object_or_nothing(
        capacity in 0..12_usize,
        steps in prop::collection::vec(step(), 1..150),
    ) {
        let mut objects = Objects::with_capacity(capacity);
        let mut model: Model = Vec::new();
        for (number, step) in (0_u64..).zip(steps) {
            match step {
                Step::Insert => match objects.insert(number) {
                    Some(handle) => {
                        prop_assert!(!handle.is_none() && (handle.index as usize) < capacity);
                        prop_assert!(model.iter().all(|&(known, _)| known != handle), "{:?} was given twice", handle);
                        model.push((handle, Some(number)));
                    }
                    None => prop_assert_eq!(objects.len(), capacity),
                },
                Step::Remove(which) if !model.is_empty() => {
                    let which = which.index(model.len());
                    let (handle, value) = model[which];
                    prop_assert_eq!(objects.remove(handle), value);
                    model[which].1 = None;
                }
                Step::Change(which) if !model.is_empty() => {
                    let which = which.index(model.len());
                    let (handle, value) = &mut model[which];
                    prop_assert_eq!(objects.get_mut(*handle).map(|value| std::mem::replace(value, number)), *value);
                    *value = value.map(|_| number);
                }
                Step::Pair(a, b) if !model.is_empty() => {
                    let ((a, a_value), (b, b_value)) = (model[a.index(model.len())], model[b.index(model.len())]);
                    let expected = a_value.zip(b_value).filter(|_| a != b);
                    prop_assert_eq!(objects.get_pair_mut(a, b).map(|(a, b)| (*a, *b)), expected);
                }
                Step::Forged(index, generation) => {
                    let handle = Handle { index, generation };
                    let expected = model.iter().find(|(known, _)| *known == handle).and_then(|(_, value)| *value);
                    prop_assert_eq!(objects.get(handle).copied(), expected);
                }
                _ => {}
            }
            for &(handle, value) in &model {
                prop_assert_eq!(objects.get(handle).copied(), value);
            }
            let expected = live(&model);
            prop_assert_eq!(objects.len(), expected.len());
            prop_assert_eq!(objects.iter_mut().map(|(handle, value)| (handle, *value)).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(objects.iter().map(|(handle, value)| (handle, *value)).collect::<Vec<_>>(), expected.clone());
            for index in 0..capacity as u32 + 1 {
                let there = expected.iter().find(|(handle, _)| handle.index == index);
                prop_assert_eq!(objects.handle_at(index), there.map(|(handle, _)| *handle));
                prop_assert_eq!(objects.at(index).copied(), there.map(|(_, value)| *value));
                prop_assert_eq!(objects.at_mut(index).copied(), there.map(|(_, value)| *value));
            }
        }
    }

    #[test]
    fn a_handle_goes_through_a_word(index in any::<u32>(), generation in any::<u32>()) {
        let handle = Handle { index, generation };
        prop_assert_eq!(Handle::from_u64(handle.to_u64()), handle);
    }
}

#[test]
fn nothing_is_named_by_none() {
    let mut objects = Objects::with_capacity(1);
    objects.insert(()).unwrap();
    assert!(Handle::NONE.is_none() && Handle::from_u64(0) == Handle::NONE);
    assert_eq!(objects.get(Handle::NONE), None);
    assert_eq!(objects.remove(Handle::NONE), None);
}

//! Slots and the derivation tree: random operations against a naive tree.

use std::collections::{BTreeMap, BTreeSet};

use kcore::capability::tree::{self, Step};
use kcore::capability::{Capability, Error, Kind, Range, Rights, Slot, SlotRef, Slots, lookup, lookup_mut};
use kcore::objects::Handle;
use proptest::prelude::*;

const TABLES: u32 = 3;
const SLOTS: u32 = 7;

/// Tables that move about in memory, as a kernel may move them: a slot is found by its table's number alone.
struct Tables {
    tables: Vec<Vec<Slot>>,
    place: Vec<usize>,
}

impl Tables {
    fn new() -> Self {
        Self {
            tables: vec![vec![Slot::EMPTY; SLOTS as usize]; TABLES as usize],
            place: (0..TABLES as usize).collect(),
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.tables.swap(self.place[a], self.place[b]);
        self.place.swap(a, b);
    }

    fn get(&self, at: SlotRef) -> &Slot {
        self.slot(at).unwrap()
    }
}

impl Slots for Tables {
    fn slot(&self, at: SlotRef) -> Option<&Slot> {
        self.tables[*self.place.get(at.table as usize)?].get(at.index as usize)
    }

    fn slot_mut(&mut self, at: SlotRef) -> Option<&mut Slot> {
        self.tables[*self.place.get(at.table as usize)?].get_mut(at.index as usize)
    }
}

/// A slot in an order.
type Key = (u32, u32);

fn key(at: SlotRef) -> Key {
    (at.table, at.index)
}

fn slot_ref((table, index): Key) -> SlotRef {
    SlotRef { table, index }
}

/// What each slot holds and where it was derived from.
#[derive(Clone, Debug, Default)]
struct Model(BTreeMap<Key, (Capability, Option<Key>)>);

impl Model {
    fn parent(&self, at: Key) -> Option<Key> {
        self.0[&at].1
    }

    fn children(&self, of: Key) -> BTreeSet<Key> {
        self.0
            .iter()
            .filter(|(_, (_, parent))| *parent == Some(of))
            .map(|(&at, _)| at)
            .collect()
    }

    fn descendants(&self, of: Key) -> BTreeSet<Key> {
        let is_below = |mut at: Key| {
            while let Some(parent) = self.parent(at) {
                if parent == of {
                    return true;
                }
                at = parent;
            }
            false
        };
        self.0.keys().copied().filter(|&at| is_below(at)).collect()
    }

    fn place(&self, at: SlotRef) -> Result<(), Error> {
        if at.table >= TABLES || at.index >= SLOTS {
            return Err(Error::NoSlot);
        }
        if self.0.contains_key(&key(at)) {
            Err(Error::Occupied)
        } else {
            Ok(())
        }
    }

    fn held(&self, at: SlotRef) -> Result<Capability, Error> {
        if at.table >= TABLES || at.index >= SLOTS {
            return Err(Error::NoSlot);
        }
        self.0
            .get(&key(at))
            .map(|(capability, _)| *capability)
            .ok_or(Error::Empty)
    }

    fn insert(&mut self, parent: Option<SlotRef>, at: SlotRef, capability: Capability) -> Result<(), Error> {
        self.place(at)?;
        self.0.insert(key(at), (capability, parent.map(key)));
        Ok(())
    }

    fn delete(&mut self, at: SlotRef) -> Result<Capability, Error> {
        let capability = self.held(at)?;
        let parent = self.parent(key(at));
        for child in self.children(key(at)) {
            self.0.get_mut(&child).unwrap().1 = parent;
        }
        self.0.remove(&key(at));
        Ok(capability)
    }

    fn move_(&mut self, from: SlotRef, to: SlotRef) -> Result<(), Error> {
        self.held(from)?;
        self.place(to)?;
        for child in self.children(key(from)) {
            self.0.get_mut(&child).unwrap().1 = Some(key(to));
        }
        let moved = self.0.remove(&key(from)).unwrap();
        self.0.insert(key(to), moved);
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Op {
    Root(SlotRef, Capability),
    Child(SlotRef, SlotRef, Capability),
    Copy(SlotRef, SlotRef, Rights),
    Mint(SlotRef, SlotRef, Rights, u64),
    Move(SlotRef, SlotRef),
    Delete(SlotRef),
    Revoke(SlotRef, usize),
    Swap(usize, usize),
}

fn at() -> impl Strategy<Value = SlotRef> {
    // One in twenty is outside.
    prop_oneof![
        19 => (0..TABLES, 0..SLOTS).prop_map(slot_ref),
        1 => prop_oneof![Just(SlotRef::NONE), Just(slot_ref((TABLES, 0))), Just(slot_ref((0, SLOTS)))],
    ]
}

fn rights() -> impl Strategy<Value = Rights> {
    (0..16_u64).prop_map(|bits| Rights::from_bits(bits).unwrap())
}

fn badge() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(7),
        (0..5_u32, 0..5_u32).prop_map(|(a, b)| u64::from(a) | u64::from(b) << 32),
    ]
}

fn capability() -> impl Strategy<Value = Capability> {
    let kind = prop::sample::select(vec![
        Kind::Endpoint,
        Kind::Notification,
        Kind::Frame,
        Kind::Interrupts,
        Kind::Ports,
    ]);
    (kind, rights(), badge(), 1..9_u32, any::<u64>()).prop_map(|(kind, rights, badge, index, extra)| {
        Capability {
            object: Handle { index, generation: 1 },
            kind,
            rights,
            badge,
            extra,
        }
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (at(), capability()).prop_map(|(a, capability)| Op::Root(a, capability)),
        3 => (at(), at(), capability()).prop_map(|(a, b, capability)| Op::Child(a, b, capability)),
        6 => (at(), at(), rights()).prop_map(|(a, b, rights)| Op::Copy(a, b, rights)),
        6 => (at(), at(), rights(), badge()).prop_map(|(a, b, rights, badge)| Op::Mint(a, b, rights, badge)),
        4 => (at(), at()).prop_map(|(a, b)| Op::Move(a, b)),
        2 => at().prop_map(Op::Delete),
        1 => (at(), 0..6_usize).prop_map(|(a, steps)| Op::Revoke(a, steps)),
        1 => (0..TABLES as usize, 0..TABLES as usize).prop_map(|(a, b)| Op::Swap(a, b)),
    ]
}

/// The badge rules, written down a second time.
fn may_mint(from: Capability, badge: u64) -> bool {
    let halves = |badge: u64| (badge & 0xffff_ffff, badge >> 32);
    match from.kind {
        Kind::Endpoint | Kind::Notification => from.badge == 0 || badge == from.badge,
        Kind::Interrupts | Kind::Ports => {
            let ((first, last), (whole_first, whole_last)) = (halves(badge), halves(from.badge));
            first <= last && first >= whole_first && last <= whole_last
        }
        _ => badge == from.badge,
    }
}

/// The slots hold what the model holds, and their links make the same tree.
fn check(tables: &Tables, model: &Model) {
    let all = (0..TABLES).flat_map(|table| (0..SLOTS).map(move |index| (table, index)));
    for at in all {
        let slot = tables.get(slot_ref(at));
        let Some((capability, parent)) = model.0.get(&at) else {
            assert!(slot.is_empty(), "{at:?} should be empty");
            assert_eq!(
                (slot.capability(), slot.links()),
                (Slot::EMPTY.capability(), Slot::EMPTY.links())
            );
            continue;
        };
        assert_eq!(slot.capability(), capability);
        let links = slot.links();
        // Children: symmetric links, threaded to the parent at both ends, exactly those of the model.
        let mut children = Vec::new();
        let mut before = slot_ref(at);
        let mut child = links.first_child;
        while !child.is_none() && child != slot_ref(at) {
            assert!(
                children.len() < (TABLES * SLOTS) as usize,
                "a cycle among the children of {at:?}"
            );
            assert_eq!(tables.get(child).links().before, before);
            children.push(key(child));
            before = child;
            child = tables.get(child).links().behind;
        }
        if children.is_empty() {
            assert!(links.first_child.is_none() && links.last_child.is_none());
            assert!(!slot.has_children());
        } else {
            assert_eq!((links.last_child, child), (before, slot_ref(at)));
            assert!(slot.has_children());
        }
        assert_eq!(
            children.iter().copied().collect::<BTreeSet<_>>(),
            model.children(at)
        );
        // Roots may have siblings (orphans of one deleted root), but lead to no parent.
        if parent.is_none() {
            for (link, back) in [(links.before, true), (links.behind, false)] {
                if !link.is_none() {
                    assert_eq!(model.parent(key(link)), None);
                    let other = tables.get(link).links();
                    assert_eq!(if back { other.behind } else { other.before }, slot_ref(at));
                }
            }
        }
    }
}

fn apply(tables: &mut Tables, model: &mut Model, op: &Op) {
    match *op {
        Op::Root(at, capability) => {
            assert_eq!(
                tree::insert_root(tables, at, capability),
                model.insert(None, at, capability)
            );
        }
        Op::Child(parent, at, capability) => {
            let expected = model
                .held(parent)
                .and_then(|_| model.insert(Some(parent), at, capability));
            assert_eq!(tree::insert_child(tables, parent, at, capability), expected);
        }
        Op::Copy(from, to, rights) => {
            let expected = model.held(from).and_then(|held| {
                let rights = Rights::from_bits(u64::from(held.rights.bits() & rights.bits())).unwrap();
                model.insert(
                    Some(from),
                    to,
                    Capability {
                        rights,
                        extra: 0,
                        ..held
                    },
                )
            });
            assert_eq!(tree::copy(tables, from, to, rights), expected);
        }
        Op::Mint(from, to, rights, badge) => {
            let expected = model.held(from).and_then(|held| {
                if !may_mint(held, badge) {
                    return Err(Error::Badge);
                }
                let rights = Rights::from_bits(u64::from(held.rights.bits() & rights.bits())).unwrap();
                model.insert(
                    Some(from),
                    to,
                    Capability {
                        rights,
                        badge,
                        extra: 0,
                        ..held
                    },
                )
            });
            assert_eq!(tree::mint(tables, from, to, rights, badge), expected);
        }
        Op::Move(from, to) => assert_eq!(tree::move_(tables, from, to), model.move_(from, to)),
        Op::Delete(at) => assert_eq!(tree::delete(tables, at), model.delete(at)),
        Op::Revoke(at, steps) => {
            // A few steps with the tree being whole after each; the next revoke of the same slot goes on.
            for _ in 0..steps {
                match (tree::revoke_step(tables, at), model.held(at)) {
                    (Ok(Step::Deleted(gone, capability)), Ok(_)) => {
                        assert!(
                            model.descendants(key(at)).contains(&key(gone)),
                            "{gone:?} was not derived"
                        );
                        assert_eq!(model.delete(gone), Ok(capability));
                        check(tables, model);
                    }
                    (Ok(Step::Done), Ok(_)) => assert!(model.descendants(key(at)).is_empty()),
                    (Err(error), Err(expected)) => assert_eq!(error, expected),
                    (other, held) => panic!("{other:?} where {held:?} is held"),
                }
            }
        }
        Op::Swap(a, b) => tables.swap(a, b),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_tree_is_the_naive_tree(ops in prop::collection::vec(op(), 1..120), revoked in at()) {
        let (mut tables, mut model) = (Tables::new(), Model::default());
        for op in &ops {
            apply(&mut tables, &mut model, op);
            check(&tables, &model);
        }
        // Revoking to the end takes as many steps as there are descendants, and leaves everything else.
        if model.held(revoked).is_ok() {
            let gone = model.descendants(key(revoked));
            let mut steps = 0;
            while let Step::Deleted(at, capability) = tree::revoke_step(&mut tables, revoked).unwrap() {
                prop_assert!(gone.contains(&key(at)));
                prop_assert_eq!(model.delete(at), Ok(capability));
                steps += 1;
                prop_assert!(steps <= gone.len());
            }
            prop_assert_eq!(steps, gone.len());
            prop_assert!(model.0.keys().all(|at| !gone.contains(at)));
            check(&tables, &model);
        }
    }

    #[test]
    fn nothing_grows_down_the_tree(ops in prop::collection::vec(op(), 1..120)) {
        let (mut tables, mut model) = (Tables::new(), Model::default());
        for op in ops.iter().filter(|op| !matches!(op, Op::Child(..))) {
            apply(&mut tables, &mut model, op);
            for (capability, parent) in model.0.values() {
                let Some(parent) = parent else { continue };
                let parent = *tables.get(slot_ref(*parent)).capability();
                prop_assert!(parent.rights.contains(capability.rights));
                prop_assert_eq!((parent.object, parent.kind), (capability.object, capability.kind));
                prop_assert!(parent.badge == capability.badge || may_mint(parent, capability.badge));
            }
        }
    }
}

#[test]
fn a_deep_chain_and_a_wide_fan_are_revoked_one_by_one() {
    struct Flat(Vec<Slot>);
    impl Slots for Flat {
        fn slot(&self, at: SlotRef) -> Option<&Slot> {
            self.0.get(at.index as usize)
        }
        fn slot_mut(&mut self, at: SlotRef) -> Option<&mut Slot> {
            self.0.get_mut(at.index as usize)
        }
    }
    const N: u32 = 50_000;
    let at = |index| SlotRef { table: 0, index };
    for chain in [true, false] {
        let mut slots = Flat(vec![Slot::EMPTY; N as usize]);
        tree::insert_root(&mut slots, at(0), endpoint(0)).unwrap();
        for index in 1..N {
            let from = if chain { at(index - 1) } else { at(0) };
            tree::copy(&mut slots, from, at(index), Rights::ALL).unwrap();
        }
        let mut gone = 0;
        while let Step::Deleted(..) = tree::revoke_step(&mut slots, at(0)).unwrap() {
            gone += 1;
        }
        assert_eq!(gone, N - 1);
        assert!(slots.0[1..].iter().all(Slot::is_empty) && !slots.0[0].is_empty());
    }
}

fn endpoint(badge: u64) -> Capability {
    Capability {
        object: Handle {
            index: 1,
            generation: 1,
        },
        kind: Kind::Endpoint,
        rights: Rights::ALL,
        badge,
        extra: 5,
    }
}

#[test]
fn a_badge_is_given_once() {
    let badged = endpoint(0).minted(Rights::WRITE | Rights::GRANT, 9).unwrap();
    assert_eq!(
        (badged.badge, badged.rights, badged.extra),
        (9, Rights::WRITE | Rights::GRANT, 0)
    );
    for badge in [0, 1, 10, u64::MAX] {
        assert_eq!(badged.minted(Rights::ALL, badge), Err(Error::Badge));
    }
    assert_eq!(
        badged.minted(Rights::ALL, 9),
        Ok(badged),
        "rights that it lacks are not added"
    );
    let frame = Capability {
        kind: Kind::Frame,
        badge: 12,
        ..endpoint(0)
    };
    assert_eq!(frame.minted(Rights::ALL, 13), Err(Error::Badge));
}

#[test]
fn a_range_only_narrows() {
    let range = |first, last| Range::new(first, last).unwrap().to_badge();
    let ports = Capability {
        kind: Kind::Ports,
        badge: range(0x3f8, 0x3ff),
        ..endpoint(0)
    };
    assert_eq!(
        ports.minted(Rights::ALL, range(0x3f8, 0x3f8)).unwrap().badge,
        range(0x3f8, 0x3f8)
    );
    for (first, last) in [(0x3f7, 0x3ff), (0x3f8, 0x400), (0, u32::MAX), (0, 0)] {
        assert_eq!(ports.minted(Rights::ALL, range(first, last)), Err(Error::Badge));
    }
    let backwards = 0x3fa | 0x3f9 << 32;
    assert_eq!(ports.minted(Rights::ALL, backwards), Err(Error::Badge));
    assert_eq!(Range::new(2, 1), None);
    let all = Range::from_badge(range(3, 5)).unwrap();
    assert_eq!(
        [2, 3, 5, 6].map(|number| all.contains(number)),
        [false, true, true, false]
    );
    assert_eq!((all.first(), all.last()), (3, 5));
}

#[test]
fn a_slot_number_is_looked_up() {
    let mut tables = Tables::new();
    tree::insert_root(&mut tables, slot_ref((0, 3)), endpoint(4)).unwrap();
    let slots = &mut tables.tables[0];
    let slot = lookup(slots, 3).unwrap();
    assert_eq!(slot.expect(Kind::Endpoint, Rights::READ), Ok(&endpoint(4)));
    assert_eq!(slot.expect(Kind::Frame, Rights::READ), Err(Error::Kind));
    assert_eq!(Slot::EMPTY.expect(Kind::Empty, Rights::NONE), Err(Error::Empty));
    for (index, expected) in [
        (0, Error::Empty),
        (u64::from(SLOTS), Error::NoSlot),
        (u64::MAX, Error::NoSlot),
    ] {
        assert_eq!(lookup(slots, index).err(), Some(expected));
        assert_eq!(lookup_mut(slots, index).err(), Some(expected));
    }
    lookup_mut(slots, 3).unwrap().set_extra(77);
    assert_eq!(lookup(slots, 3).unwrap().capability().extra, 77);
    assert_eq!(
        tree::insert_root(&mut tables, slot_ref((0, 0)), Capability::EMPTY),
        Err(Error::Empty)
    );
    assert_eq!(Rights::from_bits(16), None);
    let read_only = endpoint(4).copied(Rights::READ);
    tree::insert_root(&mut tables, slot_ref((0, 0)), read_only).unwrap();
    let slot = tables.get(slot_ref((0, 0)));
    assert_eq!(slot.expect(Kind::Endpoint, Rights::WRITE), Err(Error::Rights));
}

//! The queue of nodes and the timeouts on it, against sorted vectors.

use kcore::heap_queue::{HeapQueue, Node, Nodes, is_before};
use kcore::timeouts::{NEVER, Timeouts};
use proptest::prelude::*;

struct Arena(Vec<Node>);

impl Arena {
    fn new(len: u32) -> Self {
        Self(vec![Node::NEW; len as usize])
    }
}

impl Nodes for Arena {
    fn node(&self, id: u32) -> &Node {
        &self.0[id as usize]
    }

    fn node_mut(&mut self, id: u32) -> &mut Node {
        &mut self.0[id as usize]
    }
}

const IDS: u32 = 24;

#[derive(Clone, Debug)]
enum Op {
    Insert(u32, u64),
    Pop,
    Remove(u32),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0..IDS, 0..12_u64).prop_map(|(id, key)| Op::Insert(id, key)),
        2 => Just(Op::Pop),
        2 => (0..IDS).prop_map(Op::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_queue_is_a_sorted_vector(
        // Keys on both sides of where they wrap, among others.
        base in prop_oneof![Just(0), Just(u64::MAX - 5), Just((1 << 63) - 6), any::<u64>()],
        ops in prop::collection::vec(op(), 1..200),
    ) {
        let (mut nodes, mut queue) = (Arena::new(IDS), HeapQueue::new());
        // (key without base, number of the insertion, node), which is the order in which they must come out.
        let mut model: Vec<(u64, usize, u32)> = Vec::new();
        for (number, op) in ops.into_iter().enumerate() {
            match op {
                Op::Insert(id, key) => {
                    queue.insert(&mut nodes, id, base.wrapping_add(key));
                    model.retain(|entry| entry.2 != id);
                    model.push((key, number, id));
                    model.sort_unstable();
                }
                Op::Pop => {
                    let expected = (!model.is_empty()).then(|| model.remove(0).2);
                    prop_assert_eq!(queue.pop(&mut nodes), expected);
                }
                Op::Remove(id) => {
                    let there = model.iter().position(|entry| entry.2 == id).map(|index| model.remove(index));
                    prop_assert_eq!(queue.remove(&mut nodes, id), there.is_some());
                }
            }
            prop_assert_eq!(queue.len() as usize, model.len());
            prop_assert_eq!(queue.is_empty(), model.is_empty());
            let first = model.first().map(|&(key, _, id)| (id, base.wrapping_add(key)));
            prop_assert_eq!(queue.peek(&nodes), first);
            for id in 0..IDS {
                let entry = model.iter().find(|entry| entry.2 == id);
                prop_assert_eq!(nodes.node(id).is_queued(), entry.is_some());
                if let Some((key, ..)) = entry {
                    prop_assert_eq!(nodes.node(id).key(), base.wrapping_add(*key));
                }
            }
        }
        for (_, _, id) in model {
            prop_assert_eq!(queue.pop(&mut nodes), Some(id));
        }
        prop_assert_eq!(queue.pop(&mut nodes), None);
        prop_assert!(nodes.0.iter().all(|node| !node.is_queued()));
    }

    #[test]
    fn timeouts_expire_in_order(
        ops in prop::collection::vec((0..IDS, prop::option::of(prop_oneof![0..100_u64, Just(u64::MAX)]), 0..10_u64), 1..200),
    ) {
        let (mut nodes, mut timeouts) = (Arena::new(IDS), Timeouts::new());
        let mut model: Vec<(u64, usize, u32)> = Vec::new();
        let mut now = 0;
        for (number, (id, deadline, elapsed)) in ops.into_iter().enumerate() {
            let known = model.iter().position(|entry| entry.2 == id).map(|index| model.remove(index)).is_some();
            match deadline {
                Some(deadline) => {
                    timeouts.set(&mut nodes, id, deadline);
                    model.push((deadline.min(NEVER), number, id));
                    model.sort_unstable();
                }
                None => prop_assert_eq!(timeouts.cancel(&mut nodes, id), known),
            }
            now += elapsed;
            while model.first().is_some_and(|&(deadline, ..)| deadline <= now) {
                prop_assert_eq!(timeouts.pop_expired(&mut nodes, now), Some(model.remove(0).2));
            }
            prop_assert_eq!(timeouts.pop_expired(&mut nodes, now), None);
            prop_assert_eq!(timeouts.next_deadline(&nodes), model.first().map(|&(deadline, ..)| deadline));
            prop_assert_eq!((timeouts.len() as usize, timeouts.is_empty()), (model.len(), model.is_empty()));
        }
    }
}

#[test]
fn any_order_of_insertion_sorts_without_recursion() {
    // On this stack, one frame per node would not do.
    let sort = || {
        const N: u32 = 100_000;
        let orders: [&dyn Fn(u32) -> u64; 3] = [&u64::from, &|id| u64::from(N - id), &|id| {
            u64::from(id * 7919 % N)
        }];
        for key in orders {
            let (mut nodes, mut queue) = (Arena::new(N), HeapQueue::new());
            (0..N).for_each(|id| queue.insert(&mut nodes, id, key(id)));
            // From the middle, before anything has been sorted.
            (0..N)
                .step_by(3)
                .for_each(|id| assert!(queue.remove(&mut nodes, id)));
            let keys: Vec<u64> = std::iter::from_fn(|| queue.pop(&mut nodes)).map(key).collect();
            assert_eq!(keys.len() as u32, N - N.div_ceil(3));
            assert!(keys.is_sorted());
        }
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(sort).unwrap().join().unwrap();
}

#[test]
fn clocks_wrap() {
    assert!(is_before(u64::MAX, 0) && is_before(u64::MAX - 9, 5) && is_before(3, 4));
    assert!(!is_before(0, u64::MAX) && !is_before(4, 4) && !is_before(4, 3));
}

//! The run queue and the balancing against naive models.

use kcore::scheduler::{
    Class, DEFAULT_WEIGHT, MAX_WEIGHT, Place, REAL_TIME_LOAD, RunQueue, SLICE, Scheduling, Threads, balance,
    choose_cpu,
};
use proptest::prelude::*;

const ALL: u64 = u64::MAX;

struct Arena(Vec<Scheduling>);

impl Threads for Arena {
    fn scheduling(&self, id: u32) -> &Scheduling {
        &self.0[id as usize]
    }

    fn scheduling_mut(&mut self, id: u32) -> &mut Scheduling {
        &mut self.0[id as usize]
    }
}

impl Arena {
    fn of(classes: &[Class]) -> Self {
        Self(classes.iter().map(|&class| Scheduling::new(class, ALL)).collect())
    }
}

fn fair(weight: u32) -> Class {
    Class::Fair { weight }
}

#[derive(Clone, Debug)]
enum Op {
    Enqueue(u32),
    Dequeue(u32),
    Pick,
    PutBack(u32),
    Yield(u32),
    Account(u32, u64),
    Inherit(u32, Option<Class>),
    SetClass(u32, Class),
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![
        (0..4_u8).prop_map(Class::RealTime),
        Just(Class::RealTime(31)),
        (1..=MAX_WEIGHT).prop_map(fair),
        Just(Class::DEFAULT),
    ]
}

const IDS: u32 = 10;

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..IDS).prop_map(Op::Enqueue),
        2 => (0..IDS).prop_map(Op::Dequeue),
        6 => Just(Op::Pick),
        3 => (0..IDS).prop_map(Op::PutBack),
        1 => (0..IDS).prop_map(Op::Yield),
        4 => (0..IDS, 0..2 * SLICE).prop_map(|(id, elapsed)| Op::Account(id, elapsed)),
        2 => (0..IDS, prop::option::of(class())).prop_map(|(id, class)| Op::Inherit(id, class)),
        1 => (0..IDS, class()).prop_map(|(id, class)| Op::SetClass(id, class)),
    ]
}

/// Waiting threads in the order in which they were put there, and what is in the queue at all.
#[derive(Default)]
struct Model {
    waiting: Vec<u32>,
    running: Vec<u32>,
    used: [u64; IDS as usize],
    own: Vec<Class>,
    inherited: Vec<Option<Class>>,
}

impl Model {
    fn class(&self, id: u32) -> Class {
        let rank = |class| match class {
            Class::RealTime(level) => (1, u32::from(level)),
            Class::Fair { weight } => (0, weight),
        };
        let own = self.own[id as usize];
        self.inherited[id as usize]
            .filter(|&class| rank(class) > rank(own))
            .unwrap_or(own)
    }

    fn place(&self, id: u32) -> Place {
        match (self.waiting.contains(&id), self.running.contains(&id)) {
            (true, false) => Place::Ready,
            (false, true) => Place::Running,
            (false, false) => Place::Out,
            (true, true) => unreachable!(),
        }
    }

    /// First of the highest level with waiting threads.
    fn real_time(&self) -> Option<u32> {
        let level = |&id: &u32| match self.class(id) {
            Class::RealTime(level) => Some(level),
            Class::Fair { .. } => None,
        };
        let highest = self.waiting.iter().filter_map(level).max()?;
        self.waiting.iter().copied().find(|id| level(id) == Some(highest))
    }

    fn wait_again(&mut self, id: u32, over: bool) -> bool {
        let there = self.place(id) == Place::Running;
        if there {
            self.running.retain(|&other| other != id);
            if over {
                self.used[id as usize] = 0;
                self.waiting.push(id);
            } else {
                self.waiting.insert(0, id);
            }
        }
        there
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_queue_is_the_naive_queue(
        classes in prop::collection::vec(class(), IDS as usize),
        ops in prop::collection::vec(op(), 1..250),
    ) {
        let mut arena = Arena::of(&classes);
        let mut queue = RunQueue::new(3);
        let mut model = Model { own: classes, inherited: vec![None; IDS as usize], ..Model::default() };
        for op in ops {
            match op {
                Op::Enqueue(id) => {
                    let out = model.place(id) == Place::Out;
                    prop_assert_eq!(queue.enqueue(&mut arena, id), out);
                    if out {
                        model.used[id as usize] = 0;
                        model.waiting.push(id);
                    }
                }
                Op::Dequeue(id) => {
                    prop_assert_eq!(queue.dequeue(&mut arena, id), model.place(id) != Place::Out);
                    model.waiting.retain(|&other| other != id);
                    model.running.retain(|&other| other != id);
                }
                Op::Pick => {
                    let waiting = model.waiting.clone();
                    let picked = queue.pick(&mut arena);
                    match (picked, model.real_time()) {
                        (picked, Some(expected)) => prop_assert_eq!(picked, Some(expected)),
                        (None, None) => prop_assert!(waiting.is_empty()),
                        (Some(picked), None) => {
                            prop_assert!(waiting.contains(&picked));
                            // The earliest deadline: none of the others is to be preferred.
                            for other in waiting {
                                let preferred = other != picked && model.used[picked as usize] < model.class(picked).slice()
                                    && queue.should_preempt(&arena, picked, other);
                                prop_assert!(!preferred, "{} has a later deadline than {}", picked, other);
                            }
                        }
                    }
                    model.running.extend(picked);
                    model.waiting.retain(|id| Some(*id) != picked);
                }
                Op::PutBack(id) => {
                    let over = model.used[id as usize] >= model.class(id).slice();
                    prop_assert_eq!(queue.put_back(&mut arena, id), model.wait_again(id, over));
                }
                Op::Yield(id) => prop_assert_eq!(queue.yield_now(&mut arena, id), model.wait_again(id, true)),
                Op::Account(id, elapsed) => {
                    let running = model.place(id) == Place::Running;
                    prop_assert_eq!(queue.account(&mut arena, id, elapsed), running);
                    if running {
                        model.used[id as usize] += elapsed;
                    }
                }
                Op::Inherit(..) | Op::SetClass(..) => {
                    let (id, own, inherited) = match op {
                        Op::Inherit(id, class) => (id, model.own[id as usize], class),
                        Op::SetClass(id, class) => (id, class, model.inherited[id as usize]),
                        _ => unreachable!(),
                    };
                    let before = model.class(id);
                    (model.own[id as usize], model.inherited[id as usize]) = (own, inherited);
                    if model.class(id) != before && model.place(id) == Place::Ready {
                        model.waiting.retain(|&other| other != id);
                        model.waiting.push(id);
                    }
                    let done = match op {
                        Op::Inherit(id, class) => queue.inherit(&mut arena, id, class),
                        _ => queue.set_class(&mut arena, id, own),
                    };
                    prop_assert!(done);
                }
            }
            let mut load = 0;
            for id in 0..IDS {
                let thread = arena.scheduling(id);
                prop_assert_eq!(thread.place(), model.place(id));
                prop_assert_eq!(thread.effective(), model.class(id));
                prop_assert_eq!((thread.own(), thread.inherited()), (model.own[id as usize], model.inherited[id as usize]));
                if thread.place() != Place::Out {
                    prop_assert_eq!(thread.cpu(), 3);
                    load += thread.load();
                    let left = thread.effective().slice().saturating_sub(model.used[id as usize]);
                    prop_assert_eq!(queue.slice_left(&arena, id), left);
                }
            }
            prop_assert_eq!(queue.load(), load);
            prop_assert_eq!(queue.ready() as usize, model.waiting.len());
        }
    }

    #[test]
    fn balancing_makes_loads_closer(
        loads in prop::collection::vec(0..30_000_u64, 0..10),
        online in any::<u64>(),
        affinity in any::<u64>(),
        last in 0..70_u32,
    ) {
        let usable = |mask: u64| (0..loads.len()).filter(move |cpu| mask >> cpu & 1 == 1);
        match balance(&loads, online) {
            Some((from, to)) => {
                let (from, to) = (from as usize, to as usize);
                prop_assert!(usable(online).any(|cpu| cpu == from) && usable(online).any(|cpu| cpu == to));
                prop_assert!(usable(online).all(|cpu| loads[cpu] <= loads[from] && loads[cpu] >= loads[to]));
                prop_assert!(loads[from] - loads[to] > u64::from(DEFAULT_WEIGHT));
            }
            None => {
                let most = usable(online).map(|cpu| loads[cpu]).max().unwrap_or(0);
                let least = usable(online).map(|cpu| loads[cpu]).min().unwrap_or(0);
                prop_assert!(most - least <= u64::from(DEFAULT_WEIGHT).max(most / 8));
            }
        }
        match choose_cpu(&loads, online, affinity, last) {
            Some(cpu) => {
                prop_assert!(usable(online & affinity).any(|other| other == cpu as usize));
                let least = usable(online & affinity).map(|cpu| loads[cpu]).min().unwrap();
                prop_assert!(loads[cpu as usize] == least || cpu == last);
                prop_assert!(loads[cpu as usize] <= least + u64::from(DEFAULT_WEIGHT) / 2);
            }
            None => prop_assert_eq!(usable(online & affinity).count(), 0),
        }
    }
}

#[test]
fn what_moves_brings_loads_closer_and_may_run_there() {
    let mut arena = Arena::of(&[Class::RealTime(1), fair(300), fair(1000), fair(3000), fair(900)]);
    arena.0[4].affinity = 0b1;
    let mut queue = RunQueue::new(0);
    for id in 0..5 {
        queue.enqueue(&mut arena, id);
    }
    assert_eq!(queue.load(), REAL_TIME_LOAD + 5200);
    assert_eq!(queue.movable(&arena, 1, 2000), Some(2));
    assert_eq!(queue.movable(&arena, 1, 7000), Some(3));
    assert_eq!(queue.movable(&arena, 1, 700), Some(1));
    assert_eq!(
        queue.movable(&arena, 1, 300),
        None,
        "it would only turn the difference round"
    );
    assert_eq!(queue.movable(&arena, 1, 2 * REAL_TIME_LOAD), Some(0));
    assert_eq!(queue.movable(&arena, 64, 2000), None);
    // The one that runs does not move.
    assert_eq!(queue.pick(&mut arena), Some(0));
    assert_eq!(queue.movable(&arena, 1, 2 * REAL_TIME_LOAD), Some(3));
}

proptest! {
    /// The short way to hand a CPU over does what the ordinary one does, and refuses what that refuses.
    #[test]
    fn passing_on_is_handing_over(
        classes in prop::collection::vec(class(), IDS as usize),
        affinity in prop::sample::select(vec![ALL, 1, 2]),
        ops in prop::collection::vec(op(), 0..40),
        from in 0..IDS,
        to in 0..IDS,
    ) {
        prop_assume!(from != to);
        let mut arena = Arena::of(&classes);
        arena.0[to as usize].affinity = affinity;
        let mut queue = RunQueue::new(0);
        for op in ops {
            match op {
                Op::Enqueue(id) => _ = queue.enqueue(&mut arena, id),
                Op::Dequeue(id) => _ = queue.dequeue(&mut arena, id),
                Op::Pick => _ = queue.pick(&mut arena),
                Op::PutBack(id) => _ = queue.put_back(&mut arena, id),
                Op::Yield(id) => _ = queue.yield_now(&mut arena, id),
                Op::Account(id, elapsed) => _ = queue.account(&mut arena, id, elapsed),
                Op::Inherit(id, class) => _ = queue.inherit(&mut arena, id, class),
                Op::SetClass(id, class) => _ = queue.set_class(&mut arena, id, class),
            }
        }
        // So that it often fits.
        if let Some(id) = queue.pick(&mut arena) {
            queue.dequeue(&mut arena, to);
            let class = arena.0[id as usize].own();
            queue.set_class(&mut arena, to, class);
        }
        let mut other = Arena(arena.0.clone());
        let handed = queue.hand_over(&mut arena, from, to);
        let [giver, taker] = other.0.get_disjoint_mut([from as usize, to as usize]).unwrap();
        prop_assert_eq!(queue.pass_on(giver, taker), handed);
        prop_assert_eq!(format!("{:?}", other.0), format!("{:?}", arena.0));
    }
}

#[test]
fn passing_on_changes_places() {
    let mut arena = Arena::of(&[Class::DEFAULT, Class::DEFAULT]);
    let mut queue = RunQueue::new(0);
    assert!(queue.enqueue(&mut arena, 0));
    assert_eq!(queue.pick(&mut arena), Some(0));
    assert!(queue.account(&mut arena, 0, SLICE / 4));
    let left = queue.slice_left(&arena, 0);
    let [giver, taker] = &mut arena.0[..] else {
        unreachable!()
    };
    assert!(queue.pass_on(giver, taker));
    assert_eq!((giver.place(), taker.place()), (Place::Out, Place::Running));
    assert_eq!(
        queue.slice_left(&arena, 1),
        left,
        "the rest of the slice goes with it"
    );
}

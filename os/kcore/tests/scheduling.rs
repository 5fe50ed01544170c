//! What the run queue promises to threads, in simulations.

use kcore::scheduler::{
    Class, DEFAULT_WEIGHT, MAX_WEIGHT, MIN_SLICE, Place, RunQueue, SLICE, Scheduling, Threads, slice_of,
};
use proptest::prelude::*;

const ALL: u64 = u64::MAX;
const MS: u64 = 1_000_000;
/// The largest slice in virtual time: that of weight 1.
const LONGEST_TURN: u64 = MIN_SLICE * DEFAULT_WEIGHT as u64;

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

/// One CPU with its time.
struct Cpu {
    queue: RunQueue,
    running: Option<u32>,
    now: u64,
    /// What each thread has had, in nanoseconds.
    had: Vec<u64>,
}

impl Cpu {
    fn new(threads: usize) -> Self {
        Self {
            queue: RunQueue::new(0),
            running: None,
            now: 0,
            had: vec![0; threads],
        }
    }

    fn wake(&mut self, arena: &mut Arena, id: u32) {
        assert!(self.queue.enqueue(arena, id));
        if let Some(running) = self.running
            && self.queue.should_preempt(arena, running, id)
        {
            self.stop(arena);
        }
    }

    fn stop(&mut self, arena: &mut Arena) {
        if let Some(id) = self.running.take() {
            assert!(self.queue.put_back(arena, id));
        }
    }

    fn sleep(&mut self, arena: &mut Arena, id: u32) {
        assert!(self.queue.dequeue(arena, id));
        self.running = self.running.filter(|&running| running != id);
    }

    /// Runs for at most `time`, to the end of a slice and `late` beyond; says who ran.
    fn step(&mut self, arena: &mut Arena, time: u64, late: u64) -> Option<u32> {
        self.running = self.running.or_else(|| self.queue.pick(arena));
        let Some(id) = self.running else {
            self.now += time;
            return None;
        };
        let elapsed = time.min(self.queue.slice_left(arena, id) + late).max(1);
        assert!(self.queue.account(arena, id, elapsed));
        self.now += elapsed;
        self.had[id as usize] += elapsed;
        if self.queue.slice_left(arena, id) == 0 {
            self.stop(arena);
        }
        Some(id)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn shares_are_in_the_ratio_of_weights(
        weights in prop::collection::vec(prop_oneof![1..=MAX_WEIGHT, 1..64_u32, Just(DEFAULT_WEIGHT)], 1..12),
        late in 0..MS,
        times in prop::collection::vec(1..6 * MS, 1..20),
    ) {
        let mut arena = Arena::of(&weights.iter().copied().map(fair).collect::<Vec<_>>());
        let mut cpu = Cpu::new(weights.len());
        for id in 0..weights.len() as u32 {
            cpu.wake(&mut arena, id);
        }
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        for time in times.iter().cycle().take(4000) {
            cpu.step(&mut arena, *time, late).unwrap();
        }
        // A thread may be ahead by the longest turn among them, and behind by its own, plus what was run beyond slices.
        let turn = |weight: u32| slice_of(weight) * u64::from(DEFAULT_WEIGHT) / u64::from(weight);
        let longest = weights.iter().copied().map(turn).max().unwrap();
        let largest_late = late * u64::from(DEFAULT_WEIGHT) / u64::from(*weights.iter().min().unwrap());
        for (weight, had) in weights.iter().zip(&cpu.had) {
            let share = u128::from(cpu.now) * u128::from(*weight) / u128::from(total);
            let bound = (longest + largest_late) * u64::from(*weight) / u64::from(DEFAULT_WEIGHT) + 2 * (SLICE + late);
            let off = u128::from(*had).abs_diff(share);
            prop_assert!(off <= u128::from(bound), "weight {} is off by {} of {}, bound {}", weight, off, share, bound);
        }
    }

    /// Whatever others do, a waiting thread of the lightest weight runs again after its turn's virtual time and a bit.
    #[test]
    fn no_fair_thread_starves(
        weights in prop::collection::vec(prop_oneof![1..=MAX_WEIGHT, Just(DEFAULT_WEIGHT)], 1..6),
        events in prop::collection::vec((0..6_usize, 1..3 * MS, 0..4_u8), 50..200),
    ) {
        let others = weights.len() as u32;
        let mut arena = Arena::of(&weights.iter().copied().map(fair).chain([fair(1)]).collect::<Vec<_>>());
        let mut cpu = Cpu::new(arena.0.len());
        cpu.wake(&mut arena, others);
        let total: u64 = weights.iter().copied().map(u64::from).sum::<u64>() + 1;
        let bound = 3 * (LONGEST_TURN + SLICE) * total / u64::from(DEFAULT_WEIGHT) + 100 * MS;
        let mut waits = 0;
        for &(index, time, what) in events.iter().cycle().take(20_000) {
            let id = (index as u32).min(others - 1);
            match (what, arena.scheduling(id).place()) {
                (0, Place::Out) => cpu.wake(&mut arena, id),
                (0, _) => cpu.sleep(&mut arena, id),
                (1, place) => {
                    // It ends, and another one is started in its place.
                    if place != Place::Out {
                        cpu.sleep(&mut arena, id);
                    }
                    arena.0[id as usize] = Scheduling::new(arena.0[id as usize].own(), ALL);
                    cpu.wake(&mut arena, id);
                }
                _ => {}
            }
            let before = cpu.now;
            let ran = cpu.step(&mut arena, time, 0).unwrap();
            waits = if ran == others { 0 } else { waits + cpu.now - before };
            prop_assert!(waits <= bound, "it has been waiting for {} ms", waits / MS);
        }
    }
}

#[test]
fn real_time_is_strict_and_takes_turns() {
    let classes = [
        Class::RealTime(7),
        Class::RealTime(7),
        Class::RealTime(3),
        Class::DEFAULT,
    ];
    let mut arena = Arena::of(&classes);
    let mut cpu = Cpu::new(4);
    for id in [3, 2] {
        cpu.wake(&mut arena, id);
        assert_eq!(cpu.step(&mut arena, MS, 0), Some(id));
    }
    cpu.wake(&mut arena, 0);
    cpu.wake(&mut arena, 1);
    let turns: Vec<_> = (0..6).map(|_| cpu.step(&mut arena, SLICE, 0).unwrap()).collect();
    assert_eq!(turns, [0, 1, 0, 1, 0, 1]);
    cpu.sleep(&mut arena, 0);
    cpu.sleep(&mut arena, 1);
    for _ in 0..1000 {
        assert_eq!(
            cpu.step(&mut arena, SLICE, 0),
            Some(2),
            "the lower level does not wait for fair threads"
        );
    }
    // Preempted in its slice, it goes on before others of its level.
    cpu.wake(&mut arena, 0);
    assert_eq!(cpu.step(&mut arena, SLICE / 2, 0), Some(0));
    cpu.wake(&mut arena, 1);
    cpu.stop(&mut arena);
    assert_eq!(cpu.step(&mut arena, SLICE / 2, 0), Some(0));
    assert_eq!(cpu.step(&mut arena, SLICE / 2, 0), Some(1));
}

#[test]
fn a_lent_class_lets_the_holder_run_and_is_given_back() {
    // 0 holds what 2 waits for; 1 would keep it from running.
    let mut arena = Arena::of(&[fair(1), Class::RealTime(4), Class::RealTime(9)]);
    let mut cpu = Cpu::new(3);
    cpu.wake(&mut arena, 0);
    cpu.wake(&mut arena, 1);
    assert_eq!(cpu.step(&mut arena, MS, 0), Some(1));
    cpu.stop(&mut arena);
    assert!(cpu.queue.inherit(&mut arena, 0, Some(Class::RealTime(9))));
    assert_eq!(arena.scheduling(0).effective(), Class::RealTime(9));
    assert_eq!(cpu.step(&mut arena, MS, 0), Some(0));
    assert!(cpu.queue.inherit(&mut arena, 0, None));
    cpu.stop(&mut arena);
    assert_eq!(arena.scheduling(0).effective(), fair(1));
    assert_eq!(cpu.step(&mut arena, MS, 0), Some(1));
    // A worse class lent changes nothing, and classes that do not exist become the nearest.
    assert!(cpu.queue.inherit(&mut arena, 1, Some(fair(5))));
    assert_eq!(arena.scheduling(1).effective(), Class::RealTime(4));
    assert!(cpu.queue.set_class(&mut arena, 1, Class::RealTime(200)));
    assert_eq!(arena.scheduling(1).own(), Class::RealTime(31));
    assert!(!fair(0).is_valid() && !Class::RealTime(32).is_valid() && fair(1).is_valid());
    assert_eq!(
        (fair(0).clamped(), fair(u32::MAX).clamped()),
        (fair(1), fair(MAX_WEIGHT))
    );
}

#[test]
fn who_has_slept_runs_soon_but_saves_nothing_up() {
    for sleep in [10 * MS, 100 * MS, 100_000 * MS] {
        let mut arena = Arena::of(&[Class::DEFAULT, Class::DEFAULT]);
        let mut cpu = Cpu::new(2);
        cpu.wake(&mut arena, 0);
        cpu.wake(&mut arena, 1);
        while cpu.now < 50 * MS {
            cpu.step(&mut arena, MS, 0);
        }
        cpu.sleep(&mut arena, 1);
        while cpu.now < 50 * MS + sleep {
            cpu.step(&mut arena, MS, 0);
        }
        cpu.wake(&mut arena, 1);
        let turns: Vec<_> = (0..40).map(|_| cpu.step(&mut arena, MS, 0).unwrap()).collect();
        assert_eq!(
            turns[0],
            1,
            "it waits although it had slept for {} ms",
            sleep / MS
        );
        let first_stay = turns.iter().take_while(|&&id| id == 1).count() as u64;
        assert!(
            first_stay * MS <= 2 * SLICE,
            "it keeps the CPU for {first_stay} ms"
        );
        let share = turns.iter().filter(|&&id| id == 1).count() as u64;
        assert!((16..=24).contains(&share), "{share} of 40 ms");
    }
}

#[test]
fn a_newcomer_runs_soon_whatever_was_before() {
    // 1 runs in bursts for a long time, so that what 0 is owed adds up, as far as it can.
    let mut arena = Arena::of(&[Class::DEFAULT, Class::DEFAULT, Class::DEFAULT]);
    let mut cpu = Cpu::new(3);
    cpu.wake(&mut arena, 0);
    for _ in 0..20_000 {
        cpu.wake(&mut arena, 1);
        let until = cpu.had[1] + 3 * MS;
        while cpu.had[1] < until {
            cpu.step(&mut arena, MS, 0);
        }
        cpu.sleep(&mut arena, 1);
        let until = cpu.now + 4 * MS;
        while cpu.now < until {
            cpu.step(&mut arena, MS, 0);
        }
    }
    cpu.wake(&mut arena, 2);
    let woken = cpu.now;
    while cpu.had[2] == 0 {
        cpu.step(&mut arena, MS, 0);
    }
    let wait = cpu.now - woken;
    assert!(
        wait <= LONGEST_TURN + 2 * SLICE,
        "a newcomer waited for {} ms",
        wait / MS
    );
}

#[test]
fn nothing_is_gained_by_changing_class_or_cpu() {
    // Thread 0 has its class changed and given back, or goes to another CPU and back, before each of its slices is over.
    for moves in [false, true] {
        let mut arena = Arena::of(&[Class::DEFAULT; 4]);
        let mut cpu = Cpu::new(4);
        let mut other = RunQueue::new(1);
        for id in 0..4 {
            cpu.wake(&mut arena, id);
        }
        while cpu.now < 10_000 * MS {
            cpu.step(&mut arena, MS / 2, 0);
            let nearly_over = cpu.running == Some(0) && cpu.queue.slice_left(&arena, 0) <= MS;
            if nearly_over && moves {
                cpu.sleep(&mut arena, 0);
                assert!(other.enqueue(&mut arena, 0) && !cpu.queue.dequeue(&mut arena, 0));
                assert!(other.dequeue(&mut arena, 0));
                cpu.wake(&mut arena, 0);
            } else if nearly_over {
                assert!(cpu.queue.inherit(&mut arena, 0, Some(fair(MAX_WEIGHT))));
                assert!(cpu.queue.inherit(&mut arena, 0, None));
            }
        }
        let share = cpu.had[0] * 100 / cpu.now;
        assert!(share <= 27, "it got {share} % of four equal shares");
    }
}

#[test]
fn virtual_time_may_go_around() {
    let mut arena = Arena::of(&[fair(1), Class::DEFAULT]);
    let mut cpu = Cpu::new(2);
    cpu.wake(&mut arena, 0);
    cpu.step(&mut arena, 1, 0);
    // 208 days in accounts of one second: in a moment virtual time will have gone once around.
    for _ in 0..18_014_398 {
        cpu.queue.account(&mut arena, 0, 1000 * MS);
    }
    cpu.queue.account(&mut arena, 0, 509_189_990);
    cpu.stop(&mut arena);
    cpu.wake(&mut arena, 1);
    let start = cpu.now;
    while cpu.now < start + 1000 * MS {
        cpu.step(&mut arena, MS, 0);
    }
    assert!(cpu.had[1] >= 880 * MS && cpu.had[0] > 0, "{:?}", cpu.had);
}

#[test]
fn who_moves_takes_its_lead_along() {
    let mut arena = Arena::of(&[Class::DEFAULT; 3]);
    let mut cpu = Cpu::new(3);
    cpu.wake(&mut arena, 0);
    cpu.wake(&mut arena, 1);
    assert_eq!(cpu.step(&mut arena, 3 * MS, 0), Some(0));
    // 0 has had more than its share, 1 less, and 2 comes new. The other CPU's virtual time is another one.
    let mut other = RunQueue::new(1);
    assert!(other.enqueue(&mut arena, 2) && other.pick(&mut arena) == Some(2));
    assert!(other.account(&mut arena, 2, 1000 * MS) && other.dequeue(&mut arena, 2));
    arena.0[2] = Scheduling::new(Class::DEFAULT, ALL);
    for id in [2, 0, 1] {
        cpu.queue.dequeue(&mut arena, id);
        assert!(other.enqueue(&mut arena, id));
    }
    let order: Vec<_> = std::iter::from_fn(|| other.pick(&mut arena)).collect();
    assert_eq!(order, [1, 2, 0]);
}

#[test]
fn debts_that_come_and_go_do_not_hold_up_those_who_stay() {
    // 1 comes from another CPU where it has had much, waits behind 0, and goes before its turn.
    let mut arena = Arena::of(&[Class::DEFAULT; 4]);
    let mut cpu = Cpu::new(4);
    let mut other = RunQueue::new(1);
    cpu.wake(&mut arena, 0);
    other.enqueue(&mut arena, 1);
    other.enqueue(&mut arena, 3);
    for _ in 0..50 {
        while arena.scheduling(1).place() != Place::Running {
            let id = other.pick(&mut arena).unwrap();
            other.account(&mut arena, id, 150 * MS);
        }
        other.dequeue(&mut arena, 1);
        other.put_back(&mut arena, 3);
        cpu.wake(&mut arena, 1);
        let until = cpu.now + 60 * MS;
        while cpu.now < until {
            cpu.step(&mut arena, MS, 0);
        }
        cpu.sleep(&mut arena, 1);
        other.enqueue(&mut arena, 1);
    }
    cpu.wake(&mut arena, 2);
    let until = cpu.now + 40 * MS;
    let had = cpu.had[0];
    while cpu.now < until {
        cpu.step(&mut arena, MS, 0);
    }
    assert!(
        cpu.had[0] - had >= 12 * MS,
        "of 40 ms it got {} ns",
        cpu.had[0] - had
    );
}

//! What tests are made of: memory that is taken back after each one, slots, threads, and how they say what is wrong.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::start::{RootInfo, kind, right, slot};
use abi::{Error, Message};
use kcore::tar::Archive;
use root::{Addresses, Chunks, Slots};
use syscall::FOREVER;

/// Slot of the untyped that tests make their objects of.
pub(crate) const MEMORY: u64 = 2100;

/// Its size in bytes.
pub(crate) const MEMORY_SIZE: u64 = 16 << 20;

/// Slots of tests.
const TEST_SLOTS: core::ops::Range<u64> = 2112..9000;

/// Slots of children.
const CHILD_SLOTS: core::ops::Range<u64> = 9000..16384;

/// Where stacks of threads are mapped: each in a place of its own, with a hole below.
const STACKS: u64 = 3 << 34;
const STACK_STEP: u64 = 64 << 10;
const STACK_SIZE: u64 = 16 << 10;

/// Where tests map frames.
pub(crate) const AREA: u64 = 5 << 34;

/// Read and write.
pub(crate) const RW: u64 = right::READ | right::WRITE;

/// Most threads of one test.
const MAX_THREADS: usize = 80;

/// What a test found wrong.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) what: &'static str,
    pub(crate) line: u32,
    /// What came, and what should have.
    pub(crate) values: Option<(Outcome, Outcome)>,
}

/// A result, or a number.
pub(crate) type Outcome = Result<u64, Error>;

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (line {})", self.what, self.line)?;
        if let Some((came, should)) = self.values {
            write!(out, ": ")?;
            show(out, came)?;
            write!(out, " instead of ")?;
            show(out, should)?;
        }
        Ok(())
    }
}

fn show(out: &mut fmt::Formatter<'_>, outcome: Outcome) -> fmt::Result {
    match outcome {
        Ok(value) => write!(out, "{value:#x}"),
        Err(error) => write!(out, "{}", error.name()),
    }
}

/// What can be compared: numbers and results.
pub(crate) trait AsOutcome {
    fn outcome(self) -> Outcome;
}

impl AsOutcome for u64 {
    fn outcome(self) -> Outcome {
        Ok(self)
    }
}

impl AsOutcome for Outcome {
    fn outcome(self) -> Outcome {
        self
    }
}

impl AsOutcome for Error {
    fn outcome(self) -> Outcome {
        Err(self)
    }
}

impl AsOutcome for Result<Message, Error> {
    fn outcome(self) -> Outcome {
        self.map(|message| message.badge)
    }
}

/// Ends a test when something is not as it should be.
#[macro_export]
macro_rules! check {
    ($condition:expr, $what:expr) => {
        if !$condition {
            return Err($crate::world::Wrong {
                what: $what,
                line: line!(),
                values: None,
            });
        }
    };
}

/// Ends a test when a value is not the one it should be.
#[macro_export]
macro_rules! same {
    ($came:expr, $should:expr, $what:expr) => {
        let (came, should) = (
            $crate::world::AsOutcome::outcome($came),
            $crate::world::AsOutcome::outcome($should),
        );
        if came != should {
            return Err($crate::world::Wrong {
                what: $what,
                line: line!(),
                values: Some((came, should)),
            });
        }
    };
}

/// The value of a call that has to work.
#[macro_export]
macro_rules! must {
    ($call:expr) => {
        match $call {
            Ok(value) => value,
            Err(error) => {
                return Err($crate::world::Wrong {
                    what: stringify!($call),
                    line: line!(),
                    values: Some((Err(error), Ok(0))),
                })
            }
        }
    };
}

/// Numbers that threads of a test share. Zero at the beginning of each test.
pub(crate) static SHARED: [AtomicU64; 128] = [const { AtomicU64::new(0) }; 128];

/// Reads a shared number.
pub(crate) fn get(index: usize) -> u64 {
    SHARED[index].load(Ordering::Acquire)
}

/// Writes a shared number.
pub(crate) fn set(index: usize, value: u64) {
    SHARED[index].store(value, Ordering::Release);
}

/// Adds to a shared number. Returns what it was.
pub(crate) fn add(index: usize, value: u64) -> u64 {
    SHARED[index].fetch_add(value, Ordering::AcqRel)
}

/// What a thread starts with: function and argument.
static STARTS: [[AtomicU64; 2]; MAX_THREADS] = [const { [const { AtomicU64::new(0) }; 2] }; MAX_THREADS];

/// Where threads enter.
extern "C" fn thread_main(number: u64) -> ! {
    let [function, argument] = &STARTS[number as usize % MAX_THREADS];
    let function = core::ptr::with_exposed_provenance::<()>(function.load(Ordering::Acquire) as usize);
    // SAFETY: `World::thread` stored a function of this type there.
    let function: fn(u64) = unsafe { core::mem::transmute(function) };
    function(argument.load(Ordering::Acquire));
    loop {
        let _refused = syscall::exit_thread();
    }
}

/// The seed of random calls: what `kernel-suite.seed` in the initrd says, in hexadecimal digits, else always the same.
fn seed(initrd: &Archive<'_>) -> u64 {
    let file = initrd
        .find("kernel-suite.seed")
        .and_then(|file| core::str::from_utf8(file.data).ok());
    let digits = file.unwrap_or_default().trim().trim_start_matches("0x");
    u64::from_str_radix(digits, 16)
        .ok()
        .filter(|&seed| seed != 0)
        .unwrap_or(0x9e37_79b9_7f4a_7c15)
}

/// What tests use.
pub(crate) struct World {
    pub(crate) initrd: Archive<'static>,
    pub(crate) addresses: Addresses,
    pub(crate) chunks: Chunks,
    pub(crate) slots: Slots,
    pub(crate) cpus: u64,
    /// Whether the long form is wanted.
    pub(crate) long: bool,
    /// What random calls begin with, never 0.
    pub(crate) seed: u64,
    next_slot: u64,
    threads: usize,
}

impl World {
    /// Takes the memory of tests.
    pub(crate) fn new(info: &RootInfo, initrd: Archive<'static>) -> Result<Self, Error> {
        syscall::retype(slot::UNTYPED, kind::UNTYPED, MEMORY_SIZE, 1, 0, MEMORY)?;
        Ok(Self {
            addresses: Addresses::new(info, &initrd),
            chunks: Chunks::new(info.untyped),
            slots: Slots::new(CHILD_SLOTS.start, CHILD_SLOTS.end),
            cpus: info.cpus,
            long: initrd.find("kernel-suite.long").is_some(),
            seed: seed(&initrd),
            next_slot: TEST_SLOTS.start,
            threads: 0,
            initrd,
        })
    }

    /// An empty slot.
    pub(crate) fn slot(&mut self) -> u64 {
        self.range(1)
    }

    /// Empty slots, one behind the other.
    pub(crate) fn range(&mut self, count: u64) -> u64 {
        let first = self.next_slot;
        self.next_slot += count;
        assert!(self.next_slot <= TEST_SLOTS.end, "a test uses too many slots");
        first
    }

    /// Makes an object of the tests' memory.
    pub(crate) fn make(&mut self, kind: u64, size: u64) -> Result<u64, Error> {
        let at = self.slot();
        syscall::retype(MEMORY, kind, size, 1, 0, at).map(|_| at)
    }

    /// A copy of a capability, with a badge.
    pub(crate) fn badged(&mut self, from: u64, rights: u64, badge: u64) -> Result<u64, Error> {
        let at = self.slot();
        syscall::capability_mint(0, at, from, rights, badge).map(|_| at)
    }

    /// Makes a frame and maps it.
    pub(crate) fn frame_at(&mut self, address: u64, size: u64) -> Result<u64, Error> {
        let frame = self.make(kind::FRAME, size)?;
        syscall::map(slot::SPACE, 0, frame, address, RW).map(|_| frame)
    }

    /// Makes a thread, whose faults go to an endpoint (or 0), and starts it: in this program's table and space.
    pub(crate) fn thread(&mut self, function: fn(u64), argument: u64, faults: u64) -> Result<u64, Error> {
        let thread = self.idle_thread(function, argument, faults)?;
        self.start(thread).map(|_| thread.slot)
    }

    /// As [`Self::thread`], without starting it.
    pub(crate) fn idle_thread(
        &mut self,
        function: fn(u64),
        argument: u64,
        faults: u64,
    ) -> Result<Thread, Error> {
        let number = self.threads;
        assert!(number < MAX_THREADS, "a test uses too many threads");
        self.threads += 1;
        let [place, value] = &STARTS[number];
        place.store(
            (function as *const ()).expose_provenance() as u64,
            Ordering::Release,
        );
        value.store(argument, Ordering::Release);
        let at = STACKS + number as u64 * STACK_STEP;
        self.frame_at(at, STACK_SIZE)?;
        let thread = self.make(kind::THREAD, 0)?;
        syscall::thread_configure(thread, slot::TABLE, slot::SPACE, faults)?;
        Ok(Thread {
            slot: thread,
            number: number as u64,
        })
    }

    /// Starts a thread that was made.
    pub(crate) fn start(&mut self, thread: Thread) -> Result<u64, Error> {
        let stack = STACKS + thread.number * STACK_STEP + STACK_SIZE;
        syscall::thread_start(
            thread.slot,
            (thread_main as *const ()).addr() as u64,
            stack,
            thread.number,
        )
    }

    /// Scheduling parameters for a thread.
    pub(crate) fn schedule(&mut self, thread: u64, class: u64, value: u64, cpus: u64) -> Result<u64, Error> {
        let schedule = self.make(kind::SCHEDULE, 0)?;
        syscall::schedule_configure(schedule, class, value, cpus)?;
        syscall::thread_schedule(thread, schedule).map(|_| schedule)
    }

    /// Takes everything back that a test has made.
    pub(crate) fn clear(&mut self) -> Result<(), Wrong> {
        must!(syscall::capability_revoke(0, MEMORY));
        for at in TEST_SLOTS.start..self.next_slot {
            if syscall::capability_identify(at).is_ok() {
                must!(syscall::capability_delete(0, at));
            }
        }
        self.next_slot = TEST_SLOTS.start;
        self.threads = 0;
        for number in &SHARED {
            number.store(0, Ordering::Release);
        }
        same!(
            syscall::untyped_free(MEMORY),
            MEMORY_SIZE,
            "memory that the test has not given back"
        );
        Ok(())
    }
}

/// A thread that was made and not started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread {
    pub(crate) slot: u64,
    number: u64,
}

/// Waits until a shared number has a value, for some seconds at most. Returns whether it has.
pub(crate) fn wait_for(index: usize, value: u64) -> bool {
    wait_until(|| get(index) == value)
}

/// Waits until something holds, for some seconds at most. Returns whether it does.
pub(crate) fn wait_until(condition: impl Fn() -> bool) -> bool {
    let end = now() + 60_000_000_000;
    while !condition() {
        if now() > end {
            return false;
        }
        let _woken = syscall::sleep(200_000);
    }
    true
}

/// Nanoseconds since boot.
pub(crate) fn now() -> u64 {
    syscall::clock().unwrap_or(0)
}

/// What `thread_info` tells: state, time, CPU.
pub(crate) fn thread_info(thread: u64) -> Result<[u64; 3], Error> {
    let mut bytes = [0; 24];
    syscall::thread_info(thread, &mut bytes)?;
    Ok(numbers(&bytes))
}

/// Numbers from the bytes that the kernel wrote.
pub(crate) fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    core::array::from_fn(|index| {
        let part = bytes.get(index * 8..index * 8 + 8).unwrap_or(&[0; 8]);
        part.iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte))
    })
}

/// Receives for ever.
pub(crate) fn receive(endpoint: u64) -> Result<Message, Error> {
    syscall::receive(endpoint, FOREVER)
}

/// A test: its name, and the function.
pub(crate) type Test = (&'static str, fn(&mut World) -> Result<(), Wrong>);

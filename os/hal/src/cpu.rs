//! The machine's CPUs. They have dense numbers; the one that boots is number 0.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::Architecture;
use crate::arch::Machine;
use crate::sync::Lock;
use crate::user::Event;
use crate::{image, timer};

/// Most CPUs that are used; a machine may have more.
pub const MAX_CPUS: usize = 8;

/// Where the stacks of the CPUs are mapped. Each CPU has a slot, and in it, from low addresses to high: its stack, a hole,
/// its emergency stack, a hole. All stacks lie where bit 16 of the address is clear, and the page below each where it is
/// set: the entry code of aarch64 and riscv64 sees a used-up stack by that bit.
static SLOTS: AtomicU64 = AtomicU64::new(SLOTS_FIRST);
const SLOT: u64 = 256 << 10;

/// The slots lie together somewhere in the last GiB of addresses.
const SLOTS_FIRST: u64 = 0xffff_ffff_c000_0000;
const SLOTS_LEN: u64 = 1 << 30;

/// Size of a CPU's stack in bytes. The CPU that boots uses the stack in the kernel image.
const STACK: u64 = 64 << 10;

/// Where the emergency stack begins in a slot, and its size in bytes.
const EMERGENCY: u64 = 128 << 10;
const EMERGENCY_STACK: u64 = 16 << 10;

/// How long a CPU may take from its start to its first instruction in Rust, in nanoseconds.
const START_LIMIT: u64 = 10_000_000_000;

/// State of one CPU. Assembly uses the first fields; everything else is written by the CPU itself but for what says
/// otherwise.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Local {
    index: usize,
    /// Address of this structure. x86_64, where a program cannot ask for the base of gs.
    address: AtomicU64,
    /// Top of the stack for traps that find the stack used up. aarch64, riscv64.
    pub(crate) emergency_stack: AtomicU64,
    /// Stack pointer while a program runs. x86_64.
    pub(crate) kernel_stack: AtomicU64,
    /// End of the registers of the program that runs. x86_64.
    pub(crate) frame_end: AtomicU64,
    /// Stack pointer of the program that made a system call. x86_64.
    pub(crate) user_stack: AtomicU64,
    /// Address of the stack pointer in the task-state segment. x86_64.
    pub(crate) task_stack: AtomicU64,
    /// Thread pointer that is loaded for programs. x86_64.
    pub(crate) thread_pointer: AtomicU64,
    /// The interrupt that was taken last.
    pub(crate) taken: AtomicU64,
    /// Root of the page tables that are active.
    pub(crate) root: AtomicU64,
    /// Set while an instruction runs that may fault.
    pub(crate) probes: AtomicBool,
    /// Set by the CPU when it runs, cleared when it stops.
    pub(crate) online: AtomicBool,
    /// The CPUs that want translations to be forgotten here: set by them. x86_64.
    pub(crate) flush_for: AtomicU32,
    /// Hardware's number of the CPU. Set at boot.
    pub(crate) id: AtomicU64,
    /// The interrupt controller's number of the CPU, where that is another one.
    pub(crate) interrupt_id: AtomicU64,
    /// Number of the floating-point state that the registers hold; 0 when they hold nobody's and are switched off.
    pub(crate) fpu_owner: AtomicU64,
}

impl Local {
    /// Offset of the structure's own address.
    #[cfg(target_arch = "x86_64")]
    pub(crate) const ADDRESS: usize = core::mem::offset_of!(Self, address);

    const fn new(index: usize) -> Self {
        Self {
            index,
            address: AtomicU64::new(0),
            emergency_stack: AtomicU64::new(0),
            kernel_stack: AtomicU64::new(0),
            frame_end: AtomicU64::new(0),
            user_stack: AtomicU64::new(0),
            task_stack: AtomicU64::new(0),
            thread_pointer: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            root: AtomicU64::new(0),
            probes: AtomicBool::new(false),
            online: AtomicBool::new(false),
            flush_for: AtomicU32::new(0),
            id: AtomicU64::new(0),
            interrupt_id: AtomicU64::new(0),
            fpu_owner: AtomicU64::new(0),
        }
    }

    /// Number of the CPU.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Sets the registers of this CPU that survive no reset, before it takes its first trap.
    pub(crate) fn install(&'static self) {
        let emergency = match self.index {
            // Usable before the kernel's own tables are active.
            0 => image::emergency_stack_top(),
            index => emergency_stack_top(index),
        };
        self.emergency_stack.store(emergency, Ordering::Relaxed);
        for zero in [&self.thread_pointer, &self.taken, &self.root, &self.fpu_owner] {
            zero.store(0, Ordering::Relaxed);
        }
        self.probes.store(false, Ordering::Relaxed);
        self.address
            .store((&raw const *self).addr() as u64, Ordering::Relaxed);
        Machine::install_traps(self);
    }
}

static LOCALS: [Local; MAX_CPUS] = {
    let mut locals = [const { Local::new(0) }; MAX_CPUS];
    let mut index = 0;
    while index < MAX_CPUS {
        locals[index].index = index;
        index += 1;
    }
    locals
};

static COUNT: AtomicUsize = AtomicUsize::new(1);

/// State of the CPU with a number.
pub(crate) fn local(index: usize) -> &'static Local {
    &LOCALS[index]
}

/// State of all CPUs that the machine has.
pub(crate) fn all() -> &'static [Local] {
    &LOCALS[..count()]
}

/// State of the CPU that runs.
pub(crate) fn this() -> &'static Local {
    Machine::local()
}

/// How many CPUs there are that can be started.
pub fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

/// Number of the CPU that runs this.
pub fn current() -> usize {
    this().index
}

/// Remembers the machine's CPUs by hardware's numbers; `boot` is the one that runs.
pub(crate) fn found(boot: u64, ids: impl IntoIterator<Item = u64>) {
    LOCALS[0].id.store(boot, Ordering::Relaxed);
    let others = ids.into_iter().filter(|&id| id != boot);
    let mut count = 1;
    for (local, id) in LOCALS[1..].iter().zip(others) {
        local.id.store(id, Ordering::Relaxed);
        count += 1;
    }
    COUNT.store(count, Ordering::Relaxed);
}

/// From now on there is only the CPU that boots: the others cannot be started.
pub(crate) fn forget_others() {
    COUNT.store(1, Ordering::Relaxed);
}

/// Moves the stacks to one of the places for them that `choose` takes from how many there are. Before anything is mapped
/// there.
pub(crate) fn place_stacks(choose: impl FnOnce(u64) -> u64) {
    let places = SLOTS_LEN / SLOT - MAX_CPUS as u64;
    SLOTS.store(SLOTS_FIRST + choose(places) * SLOT, Ordering::Relaxed);
}

fn slot(index: usize) -> u64 {
    SLOTS.load(Ordering::Relaxed) + index as u64 * SLOT
}

/// Where a CPU's stacks are, as start and length: the ordinary one and the emergency stack.
pub(crate) fn stacks(index: usize) -> [(u64, u64); 2] {
    let slot = slot(index);
    [(slot, STACK), (slot + EMERGENCY, EMERGENCY_STACK)]
}

/// Where the stack of a CPU other than the first one begins to grow: below the end, so that the stack pointer never has
/// bit 16 set.
pub(crate) fn stack_top(index: usize) -> u64 {
    slot(index) + STACK - 16
}

/// Where a CPU's stacks are, as start and end: the ordinary one first.
pub(crate) fn stack_ranges(index: usize) -> [(u64, u64); 2] {
    let start = match index {
        0 => image::stack_guard() + 4096,
        index => slot(index),
    };
    [(start, start + STACK), Machine::trap_stacks(index)]
}

/// Where a CPU's emergency stack is, as start and end.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn emergency_range(index: usize) -> (u64, u64) {
    let end = 16
        + match index {
            0 => image::emergency_stack_top(),
            index => emergency_stack_top(index),
        };
    (end - EMERGENCY_STACK, end)
}

fn emergency_stack_top(index: usize) -> u64 {
    slot(index) + EMERGENCY + EMERGENCY_STACK - 16
}

/// Whether an address is in the page below this CPU's stack, which stays unmapped.
pub(crate) fn is_stack_guard(address: u64) -> bool {
    let guard = match current() {
        0 => image::stack_guard(),
        index => slot(index) - 4096,
    };
    address & !4095 == guard
}

/// Keeps two CPUs from starting others at the same time: what a starting CPU reads is in one place.
static STARTS: Lock<()> = Lock::new(());

/// The CPU that was started last, until it has come up.
static COMING: AtomicUsize = AtomicUsize::new(NOBODY);
const NOBODY: usize = usize::MAX;

/// Starts a CPU: it enters the kernel where [`entry!`](crate::entry) says. When this returns it is about to.
///
/// # Errors
/// When there is no such CPU, it runs already, or it does not come up; the text says which.
pub fn start(index: usize) -> Result<(), &'static str> {
    let local = LOCALS[..count()].get(index).ok_or("there is no such CPU")?;
    let _starts = STARTS.lock();
    if local.online.load(Ordering::Acquire) {
        return Err("the CPU runs already");
    }
    // One that comes up late has to find its own stack and number.
    let coming = COMING.load(Ordering::Acquire);
    if coming != NOBODY && coming != index {
        return Err("another CPU was started and has not come up yet");
    }
    COMING.store(index, Ordering::Release);
    let limit = timer::now() + START_LIMIT;
    Machine::start_cpu(local, limit).inspect_err(|_| COMING.store(NOBODY, Ordering::Release))?;
    while !local.online.load(Ordering::Acquire) {
        if timer::now() > limit {
            return Err("the CPU was started and does not come up");
        }
        crate::tlb::answer();
        core::hint::spin_loop();
    }
    Ok(())
}

/// Where a started CPU arrives, on its own stack.
///
/// # Safety
/// Called once for each start, with the tables that [`crate::boot`] made for starting CPUs.
pub(crate) unsafe extern "C" fn secondary_entry(index: usize) -> ! {
    let local = &LOCALS[index];
    local.install();
    // SAFETY: the kernel's own tables map everything that this CPU uses.
    unsafe { Machine::activate_kernel_space(crate::boot::kernel_root()) };
    if let Err(error) = Machine::init_interrupts(false) {
        panic!("CPU {index}: {error}");
    }
    COMING.store(NOBODY, Ordering::Release);
    local.online.store(true, Ordering::Release);
    crate::boot::kernel_secondary(index)
}

/// Whether a CPU runs: it has been started and has not stopped since.
pub fn runs(index: usize) -> bool {
    LOCALS
        .get(index)
        .is_some_and(|local| local.online.load(Ordering::Acquire))
}

/// Makes a CPU return from [`wait`] or from its program with [`Event::Kick`]. Kicks that it has not noticed yet are one.
/// Nothing when it does not run.
pub fn kick(index: usize) {
    if let Some(local) = LOCALS
        .get(index)
        .filter(|local| local.online.load(Ordering::Acquire))
    {
        Machine::kick(local);
    }
}

/// Takes this CPU off, until it is started again.
///
/// # Panics
/// On the CPU that boots: interrupts of devices arrive there.
pub fn stop() -> ! {
    let local = this();
    assert!(local.index != 0, "the CPU that boots cannot stop");
    timer::arm(u64::MAX);
    Machine::deactivate_user_space();
    local.online.store(false, Ordering::Release);
    Machine::stop_cpu()
}

/// Idles until an interrupt comes, and serves it. An interrupt that came since the kernel was entered counts.
pub fn wait() -> Event {
    loop {
        if let Some(event) = Machine::take_interrupt(true) {
            return event;
        }
    }
}

//! Exceptions, interrupts and system calls; segments, because the CPU wants them for that.
//!
//! Source: Intel SDM volume 3A, chapters 6.8 "System calls", 7 "Interrupt and Exception Handling" and 8.7 "Task
//! Management in 64-bit Mode".

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::fmt;
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use kcore::cause::{self, Cause};

use super::cpu::{self, msr, write_msr};
use super::tlb;
use crate::cpu::{Local, MAX_CPUS};
use crate::image;
use crate::power;
use crate::user::{self, MESSAGE_WORDS, RegisterFile};

global_asm!(
    include_str!("trap.s"),
    kernel_trap = sym kernel_trap,
    user_data = const USER_DATA,
    user_code = const USER_CODE,
    syscall_vector = const SYSCALL_VECTOR,
    kernel_stack = const offset_of!(Local, kernel_stack),
    frame_end = const offset_of!(Local, frame_end),
    user_stack = const offset_of!(Local, user_stack),
    task_stack = const offset_of!(Local, task_stack),
    thread_pointer = const offset_of!(Local, thread_pointer),
    fs_base = const msr::FS_BASE,
    gs_base = const msr::GS_BASE,
);

unsafe extern "C" {
    fn enter_user(registers: *mut Registers);
    safe static syscall_entry: u8;
    safe static trap_vectors: [[u8; 16]; VECTORS];
}

const VECTORS: usize = 256;

/// Stands for the `syscall` instruction, which has no vector.
const SYSCALL_VECTOR: u64 = 0x100;

const DEBUG_VECTOR: u64 = 1;

/// The non-maskable interrupt, by which CPUs are told to halt.
const NMI_VECTOR: u64 = 2;

/// "Device not available": floating point is off.
const NO_DEVICE_VECTOR: u64 = 7;

/// Length of the `syscall` instruction in bytes; the program goes on behind it.
const SYSCALL: u64 = 2;

/// First vector that is no exception.
const FIRST_INTERRUPT: u64 = 32;

// Selectors. `syscall` wants the kernel's data behind its code.
const KERNEL_CODE: u16 = 0x08;
const KERNEL_DATA: u16 = 0x10;
const USER_DATA: u16 = 0x1b;
const USER_CODE: u16 = 0x23;
const TASK: u16 = 0x28;

const FLAG_RESERVED: u64 = 1 << 1;
const FLAG_INTERRUPTS: u64 = 1 << 9;
/// Cleared by `syscall`: trap, interrupt, direction, nested task, alignment check.
const SYSCALL_MASK: u64 = 1 << 8 | FLAG_INTERRUPTS | 1 << 10 | 1 << 14 | 1 << 18;

/// A program's registers, or the kernel's when it trapped: the trap frame of `trap.s`, and what is not in it. The
/// alignment is what the CPU gives a stack pointer before it pushes a frame. Of the kernel's, only the frame exists.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Registers {
    /// The base of fs.
    thread_pointer: u64,
    reserved: u64,
    frame: Frame,
}

/// What `trap.s` pushes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Frame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rbx: u64,
    rbp: u64,
    rsi: u64,
    rdi: u64,
    rdx: u64,
    rcx: u64,
    rax: u64,
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

const _: () = assert!(size_of::<Registers>() == 24 * 8 && offset_of!(Registers, frame) == 2 * 8);
const _: () = assert!(offset_of!(Frame, vector) == 15 * 8 && offset_of!(Frame, cs) == 18 * 8);

impl RegisterFile for Registers {
    /// Interrupts are on, and I/O ports are out of reach: the privilege level for them is 0.
    fn start(entry: u64, stack: u64, argument: u64) -> Self {
        Self {
            frame: Frame {
                rip: entry,
                // As after a call: the stack pointer is 8 below a multiple of 16.
                rsp: stack - 8,
                rdi: argument,
                cs: u64::from(USER_CODE),
                ss: u64::from(USER_DATA),
                rflags: FLAG_RESERVED | FLAG_INTERRUPTS,
                ..Frame::default()
            },
            ..Self::default()
        }
    }

    fn call(&self) -> u64 {
        self.frame.rax
    }

    fn arguments(&self) -> [u64; abi::ARGUMENTS] {
        let frame = &self.frame;
        [frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9]
    }

    fn set_result(&mut self, result: u64) {
        self.frame.rax = result;
    }

    fn set_message(&mut self, status: u64, words: [u64; MESSAGE_WORDS]) {
        let frame = &mut self.frame;
        frame.rax = status;
        [frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9] = words;
    }

    fn set_argument(&mut self, argument: u64) {
        self.frame.rdi = argument;
    }

    fn retry(&mut self) {
        self.frame.rip -= SYSCALL;
    }

    fn set_thread_pointer(&mut self, address: u64) {
        self.thread_pointer = address;
    }

    fn instruction(&self) -> u64 {
        self.frame.rip
    }

    fn stack_pointer(&self) -> u64 {
        self.frame.rsp
    }

    fn wants_fpu(&self) -> bool {
        self.frame.vector == NO_DEVICE_VECTOR
    }

    fn set_fpu(&mut self, _on: bool) {}
}

impl fmt::Display for Registers {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.frame.fmt(out)
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value| image::shown(value, self.cs & 3 == 0);
        let rows = [
            [
                ("rax", self.rax),
                ("rbx", self.rbx),
                ("rcx", self.rcx),
                ("rdx", self.rdx),
            ],
            [
                ("rsi", self.rsi),
                ("rdi", self.rdi),
                ("rbp", self.rbp),
                ("rsp", self.rsp),
            ],
            [
                ("r8 ", self.r8),
                ("r9 ", self.r9),
                ("r10", self.r10),
                ("r11", self.r11),
            ],
            [
                ("r12", self.r12),
                ("r13", self.r13),
                ("r14", self.r14),
                ("r15", self.r15),
            ],
        ];
        for row in rows {
            for (name, value) in row {
                write!(out, "  {name} {:016x}", shown(value))?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "  rip {:016x}  rflags {:016x}  cs {:02x}  ss {:02x}",
            shown(self.rip),
            self.rflags,
            self.cs,
            self.ss
        )?;
        write!(
            out,
            "  vector {}  error {:#x}  cr2 {:016x}",
            self.vector,
            self.error,
            shown(cpu::fault_address())
        )
    }
}

/// The task-state segment: which stacks traps use.
#[repr(C, packed(4))]
struct TaskState {
    reserved: u32,
    /// Stack for traps out of user mode.
    stack: u64,
    stacks_1_2: [u64; 2],
    reserved_2: u64,
    /// Stacks of their own for traps that may come when the stack is not usable.
    own_stacks: [u64; 7],
    reserved_3: [u16; 5],
    io_map: u16,
}

const _: () = assert!(size_of::<TaskState>() == 104);

/// Size of each of those stacks in bytes.
const OWN_STACK: usize = 16 << 10;

/// Vectors with a stack of their own: debug exception (it can come at the first instruction of the kernel), NMI, double
/// fault (it comes when the kernel's stack has overflowed), machine check.
const OWN_STACK_VECTORS: [u64; 4] = [1, 2, 8, 18];

/// Gates of all vectors: the same for every CPU.
#[repr(C, align(16))]
struct Gates(UnsafeCell<[[u64; 2]; VECTORS]>);

// SAFETY: written by the CPU that boots before any other one runs, then read by hardware only.
unsafe impl Sync for Gates {}

static GATES: Gates = Gates(UnsafeCell::new([[0; 2]; VECTORS]));

/// What each CPU has for itself.
#[repr(C, align(16))]
struct Tables {
    descriptors: [u64; 7],
    task: TaskState,
    stacks: [[u8; OWN_STACK]; OWN_STACK_VECTORS.len()],
}

/// Descriptors of the kernel's and of programs' segments; that of the task state follows.
const SEGMENTS: [u64; 5] = [
    0,
    0x00af_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
    0x00cf_f300_0000_ffff,
    0x00af_fb00_0000_ffff,
];

impl Tables {
    /// Zeros alone, so that they take no room in the kernel's file; [`install`] sets them up.
    const fn new() -> Self {
        Self {
            descriptors: [0; 7],
            task: TaskState {
                reserved: 0,
                stack: 0,
                stacks_1_2: [0; 2],
                reserved_2: 0,
                own_stacks: [0; 7],
                reserved_3: [0; 5],
                io_map: 0,
            },
            stacks: [[0; OWN_STACK]; OWN_STACK_VECTORS.len()],
        }
    }
}

struct AllTables([UnsafeCell<Tables>; MAX_CPUS]);

// SAFETY: each CPU uses its own entry only.
unsafe impl Sync for AllTables {}

static TABLES: AllTables = AllTables([const { UnsafeCell::new(Tables::new()) }; MAX_CPUS]);

#[repr(C, packed)]
struct TablePointer {
    limit: u16,
    base: u64,
}

/// Fills the table of gates.
fn fill_gates() {
    // SAFETY: no other CPU runs yet, and this one calls itself nowhere in here.
    let gates = unsafe { &mut *GATES.0.get() };
    for (vector, gate) in gates.iter_mut().enumerate() {
        let own = OWN_STACK_VECTORS.iter().position(|&own| own == vector as u64);
        let own = own.map_or(0, |index| index as u64 + 1);
        let target = (&raw const trap_vectors[vector]).addr() as u64;
        // An interrupt gate that only the CPU itself may take: interrupts are masked in the handler.
        let low = target & 0xffff
            | u64::from(KERNEL_CODE) << 16
            | own << 32
            | 0x8e << 40
            | (target >> 16 & 0xffff) << 48;
        *gate = [low, target >> 32];
    }
}

/// Loads segments, the task state, the interrupt table and the target of `syscall`.
pub(super) fn install(local: &'static Local) {
    if local.index() == 0 {
        fill_gates();
    }
    // SAFETY: this CPU's own, and nothing else has a reference to it.
    let tables = unsafe { &mut *TABLES.0[local.index()].get() };
    let base = (&raw const tables.task).addr() as u64;
    let limit = size_of::<TaskState>() as u64 - 1;
    // An available 64-bit task-state segment; the base is spread over the two words.
    tables.descriptors[..SEGMENTS.len()].copy_from_slice(&SEGMENTS);
    // Behind the segment's limit: no I/O port is open to programs.
    tables.task.io_map = size_of::<TaskState>() as u16;
    tables.descriptors[5] = limit | (base & 0xff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56;
    tables.descriptors[6] = base >> 32;
    for (index, stack) in tables.stacks.iter().enumerate() {
        tables.task.own_stacks[index] = stack.as_ptr_range().end.addr() as u64;
    }
    let task_stack = (&raw mut tables.task.stack).addr() as u64;
    local.task_stack.store(task_stack, Ordering::Relaxed);
    let descriptors = TablePointer {
        limit: size_of_val(&tables.descriptors) as u16 - 1,
        base: tables.descriptors.as_ptr().addr() as u64,
    };
    let gates = TablePointer {
        limit: (size_of::<[u64; 2]>() * VECTORS) as u16 - 1,
        base: GATES.0.get().addr() as u64,
    };
    // SAFETY: the tables are complete and live in a static; code and data segments are what the kernel runs with. The
    // far return reloads the code segment.
    unsafe {
        asm!(
            "lgdt [{descriptors}]",
            "push {code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ds, {data:x}",
            "mov es, {data:x}",
            "mov ss, {data:x}",
            "mov fs, {zero:x}",
            "mov gs, {zero:x}",
            "ltr {task:x}",
            "lidt [{gates}]",
            descriptors = in(reg) &raw const descriptors,
            gates = in(reg) &raw const gates,
            code = const KERNEL_CODE,
            data = in(reg) KERNEL_DATA,
            zero = in(reg) 0_u16,
            task = in(reg) TASK,
            scratch = out(reg) _,
        );
        write_msr(msr::GS_BASE, (&raw const *local).addr() as u64);
        write_msr(msr::OTHER_GS_BASE, 0);
        write_msr(msr::FS_BASE, 0);
        write_msr(
            msr::STAR,
            u64::from(KERNEL_CODE) << 32 | u64::from(KERNEL_DATA | 3) << 48,
        );
        write_msr(msr::LSTAR, (&raw const syscall_entry).addr() as u64);
        write_msr(msr::SFMASK, SYSCALL_MASK);
    }
}

/// Where a CPU's stacks for vectors that have their own are, as start and end.
pub(super) fn own_stacks(index: usize) -> (u64, u64) {
    // SAFETY: the address of a place in a static, which is not looked at.
    let stacks = unsafe { &raw const (*TABLES.0[index].get()).stacks };
    let start = stacks.addr() as u64;
    (start, start + (OWN_STACK * OWN_STACK_VECTORS.len()) as u64)
}

/// Runs a program until it traps.
///
/// # Safety
/// The program's address space is active.
#[inline(always)]
pub(super) unsafe fn enter(registers: &mut Registers) -> Cause {
    // SAFETY: `Registers` can only be made by `start` and changed by traps and `RegisterFile`: the selectors are a
    // program's, rflags came from a program, and rip is below the end of user space, so the way back does not fault.
    unsafe {
        asm!(
            "call {enter_user}",
            enter_user = sym enter_user,
            in("rdi") &raw mut *registers,
            clobber_abi("sysv64"),
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
    tlb::answer(cpu::local());
    if registers.frame.vector == SYSCALL_VECTOR {
        Cause::SystemCall
    } else {
        cause_of(&registers.frame)
    }
}

/// What a vector means. Remembers that of an interrupt.
#[cold]
fn cause_of(frame: &Frame) -> Cause {
    match frame.vector {
        NMI_VECTOR => power::obey(),
        vector @ FIRST_INTERRUPT.. => cpu::local().taken.store(vector, Ordering::Relaxed),
        _ => {}
    }
    cause::x86_64(frame.vector, frame.error, cpu::fault_address())
}

/// A trap out of the kernel itself.
extern "C" fn kernel_trap(frame: &mut Frame) {
    match frame.vector {
        // A program that single-steps over `syscall` makes the debug exception arrive here. `syscall` has cleared the
        // trap flag, so there is no second one.
        DEBUG_VECTOR => {}
        NMI_VECTOR => power::obey(),
        // While the CPU takes interrupts: one at a time.
        FIRST_INTERRUPT.. => {
            cpu::local().taken.store(frame.vector, Ordering::Relaxed);
            frame.rflags &= !FLAG_INTERRUPTS;
        }
        vector => {
            let cause = cause::x86_64(vector, frame.error, cpu::fault_address());
            if let Some(target) = user::kernel_trap(cause, frame) {
                frame.rip = target;
            }
        }
    }
}

//! Threads of the program.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::start::{kind, right, slot};

use super::objects::{Memory, Slot};
use crate::io::Result;
use crate::translate::call_error_kind;

/// Size of a stack in bytes, and the distance of stacks: below each is a hole.
const STACK_SIZE: u64 = 32 << 10;
const STACK_STEP: u64 = 64 << 10;

/// Stacks that are in use, a bit for each place.
static STACKS: AtomicU64 = AtomicU64::new(0);

type Main = Box<dyn FnOnce() + Send>;

/// A thread that was started. Dropping it waits for the thread's end. A signal that stops the program does not stop it.
#[derive(Debug)]
pub struct JoinHandle {
    /// What all of it was made of. Always there until it is dropped.
    memory: Option<Memory>,
    started: bool,
    thread: Slot,
    frame: Slot,
    done: Slot,
    tell: Slot,
    place: u64,
}

/// What a thread begins with.
struct Start {
    main: Main,
    /// Slot of the notification that tells its end.
    tell: u64,
}

/// Where threads enter.
extern "C" fn enter(start: u64) -> ! {
    let start = core::ptr::with_exposed_provenance_mut::<Start>(start as usize);
    // SAFETY: `spawn` has made a box of it and given it to this thread alone.
    let start = unsafe { Box::from_raw(start) };
    let Start { main, tell } = *start;
    main();
    let _nobody_waits = syscall::signal(tell);
    loop {
        let _refused = syscall::exit_thread();
    }
}

/// Starts a thread. It has a stack of 32 KiB.
///
/// # Errors
/// Those of [`Memory::new`].
pub fn spawn(main: impl FnOnce() + Send + 'static) -> Result<JoinHandle> {
    spawn_with_faults(slot::PARENT, main)
}

/// Starts a thread whose faults go to an endpoint of this program, given by its slot, and not to the process server, which
/// would end the program.
///
/// # Errors
/// As [`spawn`].
pub fn spawn_with_faults(faults: u64, main: impl FnOnce() + Send + 'static) -> Result<JoinHandle> {
    let memory = Memory::new(64 << 10)?;
    let frame = memory.make(kind::FRAME, STACK_SIZE)?;
    let thread = memory.make(kind::THREAD, 0)?;
    let done = memory.make(kind::NOTIFICATION, 0)?;
    let tell = Slot::take()?;
    let place = take_place()?;
    let mut handle = JoinHandle {
        memory: Some(memory),
        started: false,
        thread,
        frame,
        done,
        tell,
        place,
    };
    let bottom = super::start::threads() + place * STACK_STEP;
    handle.prepare(bottom, faults).map_err(call_error_kind)?;
    let start = Box::into_raw(Box::new(Start {
        main: Box::new(main),
        tell: handle.tell.number(),
    }));
    let entry = (enter as *const ()).addr() as u64;
    let argument = start.expose_provenance() as u64;
    let started = syscall::thread_start(handle.thread.number(), entry, bottom + STACK_SIZE, argument);
    if let Err(error) = started {
        // SAFETY: the thread does not run, so the box is still this one's.
        drop(unsafe { Box::from_raw(start) });
        return Err(call_error_kind(error).into());
    }
    handle.started = true;
    Ok(handle)
}

fn take_place() -> Result<u64> {
    let mut taken = STACKS.load(Ordering::Relaxed);
    loop {
        let free = taken.trailing_ones();
        if free == u64::BITS {
            return Err(crate::io::ErrorKind::TooMany.into());
        }
        match STACKS.compare_exchange(taken, taken | 1 << free, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return Ok(free.into()),
            Err(now) => taken = now,
        }
    }
}

impl JoinHandle {
    fn prepare(&self, bottom: u64, faults: u64) -> core::result::Result<(), abi::Error> {
        let access = right::READ | right::WRITE;
        syscall::map(protocol::slot::SPACE, 0, self.frame.number(), bottom, access)?;
        syscall::capability_mint(0, self.tell.number(), self.done.number(), right::WRITE, 1)?;
        let thread = self.thread.number();
        syscall::thread_configure(thread, slot::TABLE, protocol::slot::SPACE, faults)?;
        Ok(())
    }

    /// Slot of the thread, for system calls.
    pub const fn thread(&self) -> u64 {
        self.thread.number()
    }

    /// Waits until it has ended.
    pub fn join(self) {
        drop(self);
    }
}

impl Drop for JoinHandle {
    fn drop(&mut self) {
        if self.started {
            // It fails when the notification is gone, and with it the thread.
            let _bits = syscall::wait(self.done.number(), syscall::FOREVER);
        }
        // Only then can another stack have the place.
        drop(self.memory.take());
        STACKS.fetch_and(!(1 << self.place), Ordering::Relaxed);
    }
}

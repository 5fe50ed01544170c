//! What a panic shows of this CPU: its registers, and who called whom, by the frame pointers that the kernel is compiled
//! with.

use core::fmt;

use crate::arch::Machine;
use crate::{Architecture, cpu, image};

/// Shows this CPU's registers as they are now, in lines; addresses in the image as those for which it was linked.
pub fn registers() -> impl fmt::Display {
    fmt::from_fn(|out| {
        for (index, (name, value)) in Machine::registers().enumerate() {
            if index > 0 && index % COLUMNS == 0 {
                writeln!(out)?;
            }
            write!(out, "  {name:<7} {:016x}", image::shown(value, true))?;
        }
        Ok(())
    })
}

/// How many registers stand in a line.
const COLUMNS: usize = 4;

/// Most frames that are reported.
const LIMIT: usize = 64;

/// Reports the addresses to which the functions on this CPU's stack return, the innermost first; across a trap in the
/// kernel also the address of the instruction that trapped. Looks at nothing but this CPU's stacks, so it cannot fault,
/// however damaged they are.
pub fn backtrace(mut report: impl FnMut(u64)) {
    let stacks = cpu::stack_ranges(cpu::current());
    let (previous, link) = Machine::FRAME_RECORD;
    let mut frame = Machine::frame_pointer();
    let mut stack = None;
    for _ in 0..LIMIT {
        let (previous, link) = (
            frame.wrapping_add_signed(previous),
            frame.wrapping_add_signed(link),
        );
        let holds = |&(start, end): &(u64, u64)| {
            let fits = |place: u64| start <= place && place < end && end - place >= 8;
            fits(previous) && fits(link)
        };
        let Some(now) = stacks.iter().position(holds).filter(|_| frame.is_multiple_of(8)) else {
            return;
        };
        // SAFETY: both words lie in a stack of this CPU, and are aligned because the frame is.
        let (next, address) = unsafe {
            (
                (previous as *const u64).read_volatile(),
                (link as *const u64).read_volatile(),
            )
        };
        if address == 0 {
            return;
        }
        report(address);
        // A caller's frame is above, but for the one change from the emergency stack to the ordinary one.
        if stack == Some(0) && now != 0 || stack == Some(now) && next <= frame && next != 0 && now == 0 {
            return;
        }
        stack = Some(now);
        frame = next;
    }
}

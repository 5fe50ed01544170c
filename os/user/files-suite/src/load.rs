//! Programs out of the initrd. Nothing is given back: the machine is switched off in the end.

use abi::Error;
use abi::layout::{PAGE_SIZE, STACK_SIZE};
use abi::start::{MAX_UNTYPED, kind, right, slot};
use kcore::elf::Program;
use kcore::paging::Access;
use kcore::placement::Placement;

/// Where the parts of all programs lie.
pub(crate) const PLACE: Placement = Placement::FIXED;

/// Where frames are mapped to be filled, and where large ones are: those take the place of a table of small ones. Nothing
/// else is there.
const WINDOW: u64 = 1 << 36;
const LARGE_WINDOW: u64 = WINDOW + (1 << 30);

/// Largest frame.
pub(crate) const LARGE: u64 = 2 << 20;

const READ_WRITE: u64 = right::READ | right::WRITE;

/// Makes objects, in slots of the own table that nobody else uses.
#[derive(Debug)]
pub(crate) struct Loader {
    next: u64,
}

/// Slots of a program's table, address space and thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(crate) table: u64,
    pub(crate) space: u64,
    pub(crate) thread: u64,
}

impl Loader {
    pub(crate) const fn new(first: u64) -> Self {
        Self { next: first }
    }

    /// A slot that is empty.
    pub(crate) fn slot(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Makes an object of whatever memory there is.
    pub(crate) fn make(&mut self, kind: u64, size: u64) -> Result<u64, Error> {
        let at = self.slot();
        for source in slot::UNTYPED..slot::UNTYPED + MAX_UNTYPED as u64 {
            match syscall::retype(source, kind, size, 1, 0, at) {
                Err(Error::NoMemory) => {}
                result => return result.map(|_| at),
            }
        }
        Err(Error::NoMemory)
    }

    /// Makes a frame of `size` bytes, lets `write` fill it, and maps it at an address of a program.
    pub(crate) fn frame(
        &mut self,
        child: Child,
        size: u64,
        address: u64,
        access: u64,
        write: impl FnOnce(&mut [u8]),
    ) -> Result<u64, Error> {
        let frame = self.make(kind::FRAME, size)?;
        let window = if size == LARGE { LARGE_WINDOW } else { WINDOW };
        syscall::map(slot::SPACE, 0, frame, window, READ_WRITE)?;
        let start = core::ptr::with_exposed_provenance_mut::<u8>(window as usize);
        // SAFETY: the frame was just mapped there, is nobody else's, and stays mapped until below.
        write(unsafe { core::slice::from_raw_parts_mut(start, size as usize) });
        syscall::unmap(0, frame)?;
        syscall::map(child.space, 0, frame, address, access)?;
        Ok(frame)
    }

    /// Makes a program of an ELF file, with a table of so many slots. It does not run yet.
    pub(crate) fn load(&mut self, program: &Program<'_>, slots: u64) -> Result<Child, Error> {
        let child = Child {
            table: self.make(kind::TABLE, slots)?,
            space: self.make(kind::SPACE, 0)?,
            thread: self.make(kind::THREAD, 0)?,
        };
        for segment in &program.segments {
            let access = match segment.access {
                Access::ReadOnly => right::READ,
                Access::ReadWrite => READ_WRITE,
                Access::ReadExecute => right::READ | right::EXECUTE,
            };
            for page in (segment.first_page()..segment.end_page()).step_by(PAGE_SIZE as usize) {
                self.frame(child, PAGE_SIZE, page, access, |bytes| {
                    program.fill(segment, page, bytes)
                })?;
            }
        }
        self.frame(
            child,
            STACK_SIZE,
            PLACE.stack_top - STACK_SIZE,
            READ_WRITE,
            |_| {},
        )?;
        Ok(child)
    }
}

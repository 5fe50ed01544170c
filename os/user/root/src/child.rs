//! Programs that this one starts.

use alloc::vec::Vec;
use core::fmt;

use abi::Error;
use abi::layout::{PAGE_SIZE, STACK_SIZE};
use abi::start::{kind, right, slot};
use kcore::elf::{ElfError, Program as Elf};
use kcore::paging::Access;
use kcore::placement::Placement;

use crate::memory::{CHUNK, Chunks};
use crate::slots::Slots;

/// How many slots a program's table has unless it says otherwise.
pub const TABLE_SLOTS: u64 = 128;

/// Largest table that is made of chunks; a larger one is made of memory that does not come back.
const MAX_TABLE: u64 = 512;

/// Where this program maps frames to fill them. Nothing else is there.
const WINDOW: u64 = 1 << 36;

/// First slot of a program's own frames in its table.
const FRAMES: u64 = 32;

/// Slots of a program's own thread and address space in its table.
const OWN_THREAD: u64 = 17;
const OWN_SPACE: u64 = 18;

/// Largest frame that a program is made of, as a number of pages.
const MAX_PAGES: u64 = 8;

/// Why a program cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnError {
    /// The file is no program.
    Elf(ElfError),
    /// The kernel refused.
    Call(Error),
}

impl From<Error> for SpawnError {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => error.fmt(out),
            Self::Call(error) => error.fmt(out),
        }
    }
}

/// What is to be started.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// Its ELF file.
    pub file: &'a [u8],
    /// The machine that it has to be for.
    pub machine: u16,
    /// Where its parts lie: see [`Addresses`](crate::Addresses).
    pub placement: Placement,
    /// Slot of the endpoint that gets its messages and faults.
    pub endpoint: u64,
    /// The badge by which its messages and faults are told from others.
    pub badge: u64,
    /// What its main function gets, unless there is a record.
    pub argument: u64,
    /// Content of the pages that are mapped for it at its placement's `record`; then that address is its argument. Empty for
    /// none.
    pub record: &'a [u8],
    /// How many slots its table has.
    pub slots: u64,
    /// Capabilities that it gets.
    pub gifts: &'a [Gift],
}

/// A capability for a program.
#[derive(Clone, Copy, Debug)]
pub struct Gift {
    /// Slot of its table.
    pub to: u64,
    /// Slot of the own table.
    pub from: u64,
    /// Rights, as in system calls.
    pub rights: u64,
    /// Badge, if it gets one.
    pub badge: Option<u64>,
}

/// How many messages may be sent: the kernel refuses more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Per second.
    pub rate: u64,
    /// At once, after a pause.
    pub burst: u64,
}

impl Gift {
    /// Leave to write to the kernel's console.
    pub const CONSOLE: Self = Self {
        to: slot::MACHINE,
        from: slot::MACHINE,
        rights: right::WRITE,
        badge: None,
    };
}

/// A program that was started.
#[derive(Debug)]
pub struct Child {
    /// Slots of the chunks that it consists of.
    chunks: Vec<u64>,
    /// Slots of its table, address space and thread.
    pub table: u64,
    /// See `table`.
    pub space: u64,
    /// See `table`.
    pub thread: u64,
    /// Where its parts lie.
    pub placement: Placement,
    next_frame: u64,
    entry: u64,
    argument: u64,
}

impl Child {
    /// Makes a program, which does not run yet: see [`Self::start`].
    ///
    /// # Errors
    /// When the file is no program for the machine, and when memory or slots are used up; nothing is left of it then.
    pub fn new(program: &Program<'_>, chunks: &mut Chunks, slots: &mut Slots) -> Result<Self, SpawnError> {
        let elf =
            Elf::parse(program.file, program.machine, program.placement.image).map_err(SpawnError::Elf)?;
        let mut child = Self {
            chunks: Vec::new(),
            table: slots.take().ok_or(Error::TooMany)?,
            space: slots.take().ok_or(Error::TooMany)?,
            thread: slots.take().ok_or(Error::TooMany)?,
            placement: program.placement,
            next_frame: FRAMES,
            entry: 0,
            argument: 0,
        };
        match child.build(program, &elf, chunks, slots) {
            Ok(()) => Ok(child),
            Err(error) => {
                child.end(chunks, slots);
                Err(error)
            }
        }
    }

    /// Makes a program and lets it run.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn spawn(program: &Program<'_>, chunks: &mut Chunks, slots: &mut Slots) -> Result<Self, SpawnError> {
        let child = Self::new(program, chunks, slots)?;
        match child.start() {
            Ok(()) => Ok(child),
            Err(error) => {
                child.end(chunks, slots);
                Err(error.into())
            }
        }
    }

    fn build(
        &mut self,
        program: &Program<'_>,
        elf: &Elf<'_>,
        chunks: &mut Chunks,
        slots: &mut Slots,
    ) -> Result<(), SpawnError> {
        // Page tables come from the chunk that the address space was made of, so that one comes first.
        self.make(kind::SPACE, 0, 0, self.space, chunks, slots)?;
        self.new_chunk(chunks, slots)?;
        if program.slots <= MAX_TABLE {
            self.make(kind::TABLE, program.slots, 0, self.table, chunks, slots)?;
        } else {
            chunks.make_for_ever(kind::TABLE, program.slots, 0, self.table)?;
        }
        self.make(kind::THREAD, 0, 0, self.thread, chunks, slots)?;
        for segment in &elf.segments {
            let (first, end) = (segment.first_page(), segment.end_page());
            let access = match segment.access {
                Access::ReadOnly => right::READ,
                Access::ReadWrite => right::READ | right::WRITE,
                Access::ReadExecute => right::READ | right::EXECUTE,
            };
            self.fill(
                first,
                (end - first) / PAGE_SIZE,
                access,
                chunks,
                slots,
                |page, bytes| elf.fill(segment, page, bytes),
            )?;
        }
        let (stack, pages) = (self.placement.stack_top - STACK_SIZE, STACK_SIZE / PAGE_SIZE);
        self.fill(stack, pages, right::READ | right::WRITE, chunks, slots, |_, _| {})?;
        let mut argument = program.argument;
        if !program.record.is_empty() {
            argument = self.placement.record;
            let pages = (program.record.len() as u64).div_ceil(PAGE_SIZE);
            self.fill(argument, pages, right::READ, chunks, slots, |page, bytes| {
                let rest = &program.record[(page - argument) as usize..];
                let len = rest.len().min(bytes.len());
                bytes[..len].copy_from_slice(&rest[..len]);
            })?;
        }
        for gift in program.gifts {
            match gift.badge {
                Some(badge) => syscall::capability_mint(self.table, gift.to, gift.from, gift.rights, badge)?,
                None => syscall::capability_copy(self.table, gift.to, gift.from, gift.rights)?,
            };
        }
        for (to, from) in [(OWN_THREAD, self.thread), (OWN_SPACE, self.space)] {
            syscall::capability_copy(self.table, to, from, right::ALL)?;
        }
        let rights = right::WRITE | right::GRANT;
        syscall::capability_mint(self.table, slot::PARENT, program.endpoint, rights, program.badge)?;
        let faults = slots.take().ok_or(Error::TooMany)?;
        let minted = syscall::capability_mint(0, faults, program.endpoint, right::WRITE, program.badge);
        let configured =
            minted.and_then(|_| syscall::thread_configure(self.thread, self.table, self.space, faults));
        let _ = syscall::capability_delete(0, faults);
        slots.give_back(faults);
        configured?;
        self.entry = elf.entry;
        self.argument = argument;
        Ok(())
    }

    /// Lets the program run.
    ///
    /// # Errors
    /// When it runs already.
    pub fn start(&self) -> Result<(), Error> {
        syscall::thread_start(self.thread, self.entry, self.placement.stack_top, self.argument).map(|_| ())
    }

    /// Makes a frame of the program's memory with a capability in the own table as well, maps it for the program at
    /// `address` to read and write, and puts its capability into the slot `to` of the program's table.
    ///
    /// # Errors
    /// When memory is used up, or a slot or address is taken.
    pub fn share(
        &mut self,
        size: u64,
        own: u64,
        to: u64,
        address: u64,
        chunks: &mut Chunks,
        slots: &mut Slots,
    ) -> Result<(), Error> {
        self.make(kind::FRAME, size, 0, own, chunks, slots)?;
        syscall::capability_copy(self.table, to, own, right::READ | right::WRITE)?;
        syscall::map(self.space, self.table, to, address, right::READ | right::WRITE)?;
        Ok(())
    }

    /// Gives the program, in the slot `to` of its table, leave to send to `endpoint` with a badge, but not more messages than a
    /// limit: through a gate of its own, which ends with it. What was in the slot is deleted.
    ///
    /// # Errors
    /// When memory or slots are used up, or the kernel refuses.
    pub fn gate(
        &mut self,
        to: u64,
        endpoint: u64,
        badge: u64,
        limit: Limit,
        chunks: &mut Chunks,
        slots: &mut Slots,
    ) -> Result<(), Error> {
        let gate = slots.take().ok_or(Error::TooMany)?;
        let made = self
            .make(kind::ENDPOINT, 0, 0, gate, chunks, slots)
            .and_then(|()| {
                syscall::endpoint_limit(gate, endpoint, limit.rate, limit.burst)?;
                // It is no error when the slot is empty.
                let _ = syscall::capability_delete(self.table, to);
                let rights = right::WRITE | right::GRANT;
                syscall::capability_mint(self.table, to, gate, rights, badge).map(drop)
            });
        // The program's capability keeps the gate; nothing was made when this one is not there.
        let _ = syscall::capability_delete(0, gate);
        slots.give_back(gate);
        made
    }

    /// Makes an endpoint of the program's memory, with a capability in the slot `to` of its table.
    ///
    /// # Errors
    /// When memory is used up, or the slot is taken.
    pub fn endpoint(&mut self, to: u64, chunks: &mut Chunks, slots: &mut Slots) -> Result<(), Error> {
        self.make(kind::ENDPOINT, 0, self.table, to, chunks, slots)
    }

    fn new_chunk(&mut self, chunks: &mut Chunks, slots: &mut Slots) -> Result<u64, Error> {
        let chunk = chunks.take(slots)?;
        self.chunks.push(chunk);
        Ok(chunk)
    }

    /// Makes one object of the program's memory, taking more when it is used up.
    fn make(
        &mut self,
        kind: u64,
        size: u64,
        table: u64,
        at: u64,
        chunks: &mut Chunks,
        slots: &mut Slots,
    ) -> Result<(), Error> {
        if let Some(&chunk) = self.chunks.last()
            && self.chunks.len() > 1
        {
            match syscall::retype(chunk, kind, size, 1, table, at) {
                Err(Error::NoMemory) => {}
                result => return result.map(|_| ()),
            }
        }
        let chunk = self.new_chunk(chunks, slots)?;
        syscall::retype(chunk, kind, size, 1, table, at).map(|_| ())
    }

    /// Maps pages at `address`, after `write` has filled each one: it gets the page's address and its bytes, all zero.
    ///
    /// # Errors
    /// When memory is used up, or something is mapped there.
    pub fn fill(
        &mut self,
        address: u64,
        pages: u64,
        access: u64,
        chunks: &mut Chunks,
        slots: &mut Slots,
        mut write: impl FnMut(u64, &mut [u8]),
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < pages {
            let count = 1 << (pages - done).min(MAX_PAGES).ilog2();
            let frame = self.next_frame;
            self.make(kind::FRAME, count * PAGE_SIZE, self.table, frame, chunks, slots)?;
            self.next_frame += 1;
            syscall::map(slot::SPACE, self.table, frame, WINDOW, right::READ | right::WRITE)?;
            for page in 0..count {
                let start =
                    core::ptr::with_exposed_provenance_mut::<u8>((WINDOW + page * PAGE_SIZE) as usize);
                // SAFETY: the frame was just mapped there, is nobody else's, and stays mapped until below.
                let bytes = unsafe { core::slice::from_raw_parts_mut(start, PAGE_SIZE as usize) };
                write(address + (done + page) * PAGE_SIZE, bytes);
            }
            syscall::unmap(self.table, frame)?;
            syscall::map(self.space, self.table, frame, address + done * PAGE_SIZE, access)?;
            done += count;
        }
        Ok(())
    }

    /// Bytes of memory that it consists of.
    pub fn memory(&self) -> u64 {
        self.chunks.len() as u64 * CHUNK
    }

    /// The program with one more chunk, of which objects for it were made: the chunk ends with it.
    #[must_use]
    pub fn with_chunk(mut self, chunk: u64) -> Self {
        self.chunks.push(chunk);
        self
    }

    /// Ends the program, and gives all that it consisted of back.
    pub fn end(self, chunks: &mut Chunks, slots: &mut Slots) {
        for chunk in self.chunks.into_iter().rev() {
            chunks.give_back(chunk);
        }
        for slot in [self.table, self.space, self.thread] {
            slots.give_back(slot);
        }
    }
}

//! The first program: it gets all memory, and the rest is its business.

use alloc::vec::Vec;
use core::fmt;

use abi::layout::{PAGE_SIZE, STACK_SIZE};
use abi::start::{FIXED_ADDRESSES, MAX_UNTYPED, ROOT_SLOTS, RootInfo, slot};
use hal::memory::{Memory, Region};
use hal::{ELF_MACHINE, Source, println};
use kcore::capability::{Capability, Kind, Range, Rights, SlotRef, tree};
use kcore::elf::{ElfError, Program};
use kcore::objects::Handle;
use kcore::paging::{Access, MapError};
use kcore::placement::Placement;
use kcore::tar::Archive;

use crate::object::Object;
use crate::state::{Kernel, MAX_INTERRUPTS};
use crate::thread::Registers;

/// Name of the first program in the initrd.
pub(crate) const ROOT: &str = "root";

/// First slot of the frames that the program consists of.
const FRAMES: u64 = slot::UNTYPED + MAX_UNTYPED as u64 + 16;

/// Why the first program cannot be started.
#[derive(Debug)]
pub(crate) enum RootError {
    /// It is not in the initrd.
    Missing,
    /// The file is no program.
    Elf(ElfError),
    /// It does not fit.
    Map(MapError),
    /// The kernel refused what it asks of itself.
    Call(abi::Error),
}

impl From<abi::Error> for RootError {
    fn from(error: abi::Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for RootError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(out, "the initrd has no file {ROOT}"),
            Self::Elf(error) => error.fmt(out),
            Self::Map(error) => error.fmt(out),
            Self::Call(error) => error.fmt(out),
        }
    }
}

/// What the first program is made of while it is made.
struct Root<'a> {
    kernel: &'a mut Kernel,
    /// The untyped that everything comes from.
    source: Handle,
    source_slot: SlotRef,
    table: Handle,
    space: Handle,
    next_frame: u64,
}

/// Makes the first program of everything that the machine has, and makes it ready.
pub(crate) fn start(kernel: &mut Kernel, free: Vec<Memory>, initrd: &'static [u8]) -> Result<(), RootError> {
    let archive = Archive::new(initrd);
    let file = archive.find(ROOT).ok_or(RootError::Missing)?;
    let (mut random, randomness) = hal::random();
    println!("kernel: random numbers come from {randomness}");
    let mut placement = Placement::random(&mut random);
    if archive.find(FIXED_ADDRESSES).is_some() {
        println!(
            "kernel: kernel and programs lie at fixed addresses, because the initrd has a file {FIXED_ADDRESSES}"
        );
        placement = Placement::FIXED;
    }
    let program = Program::parse(file.data, ELF_MACHINE, placement.image).map_err(RootError::Elf)?;
    let mut untyped: Vec<Handle> = Vec::new();
    let mut free: Vec<Memory> = free
        .into_iter()
        .filter(|memory| memory.len() >= PAGE_SIZE)
        .collect();
    free.sort_by_key(|memory| core::cmp::Reverse(memory.len()));
    free.truncate(MAX_UNTYPED);
    for memory in free {
        let object = Object::Untyped(Region::new(memory));
        untyped.push(
            kernel
                .objects
                .insert(object, Handle::NONE)
                .ok_or(abi::Error::TooMany)?,
        );
    }
    // The largest one comes first: it holds the program itself.
    let source = *untyped.first().ok_or(abi::Error::NoMemory)?;
    let table = kernel.make(source, Kind::Table, ROOT_SLOTS, 0)?;
    let place = |slot: u64| SlotRef {
        table: table.index,
        index: slot as u32,
    };
    for (number, &handle) in untyped.iter().enumerate() {
        let at = place(slot::UNTYPED + number as u64);
        insert(kernel, None, at, handle, Kind::Untyped, 0)?;
    }
    let mut root = Root {
        space: kernel.make(source, Kind::Space, 0, 0)?,
        source,
        source_slot: place(slot::UNTYPED),
        table,
        next_frame: FRAMES,
        kernel,
    };
    let thread = root.kernel.make(source, Kind::Thread, 0, 0)?;
    for (at, handle, kind) in [
        (slot::TABLE, table, Kind::Table),
        (slot::SPACE, root.space, Kind::Space),
        (slot::THREAD, thread, Kind::Thread),
    ] {
        insert(root.kernel, Some(root.source_slot), place(at), handle, kind, 0)?;
    }
    let all = |last: usize| Range::new(0, last as u32).map_or(0, Range::to_badge);
    insert(
        root.kernel,
        None,
        place(slot::MACHINE),
        Handle::NONE,
        Kind::Machine,
        0,
    )?;
    let interrupts = all(MAX_INTERRUPTS - 1);
    insert(
        root.kernel,
        None,
        place(slot::INTERRUPTS),
        Handle::NONE,
        Kind::Interrupts,
        interrupts,
    )?;
    if hal::ports::EXIST {
        let ports = all(0xffff);
        insert(
            root.kernel,
            None,
            place(slot::PORTS),
            Handle::NONE,
            Kind::Ports,
            ports,
        )?;
    }
    root.load(&program, &placement)?;
    root.map_initrd(initrd, placement.initrd)?;
    let mut info = root.info(initrd, untyped.len(), place(slot::UNTYPED + untyped.len() as u64))?;
    info.initrd += placement.initrd;
    info.heap = placement.heap;
    info.has_seed = u64::from(randomness != Source::Clock);
    info.seed = random.seed();
    let bytes: Vec<u8> = info
        .to_words()
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    root.page(placement.record, Access::ReadOnly, &bytes)?;
    let (kernel, space) = (root.kernel, root.space);
    if let Some(thread) = kernel.objects.thread_mut(thread) {
        thread.table = table;
        thread.space = space;
        if let Some(context) = &mut thread.context {
            **context = Registers::new(program.entry, placement.stack_top, placement.record);
        }
    }
    kernel.make_ready(0, thread);
    Ok(())
}

/// Puts a capability with all rights into an empty slot.
fn insert(
    kernel: &mut Kernel,
    parent: Option<SlotRef>,
    at: SlotRef,
    object: Handle,
    kind: Kind,
    badge: u64,
) -> Result<(), RootError> {
    let capability = Capability {
        object,
        kind,
        rights: Rights::ALL,
        badge,
        extra: 0,
    };
    match parent {
        Some(parent) => tree::insert_child(&mut kernel.objects, parent, at, capability),
        None => tree::insert_root(&mut kernel.objects, at, capability),
    }
    .map_err(abi::Error::from)?;
    kernel.objects.retain(object);
    Ok(())
}

impl Root<'_> {
    /// Maps the program's segments and its stack.
    fn load(&mut self, program: &Program<'_>, placement: &Placement) -> Result<(), RootError> {
        for segment in &program.segments {
            for page in (segment.first_page()..segment.end_page()).step_by(PAGE_SIZE as usize) {
                let mut bytes = [0; PAGE_SIZE as usize];
                program.fill(segment, page, &mut bytes);
                self.page(page, segment.access, &bytes)?;
            }
        }
        let top = placement.stack_top;
        for page in (top - STACK_SIZE..top).step_by(PAGE_SIZE as usize) {
            self.page(page, Access::ReadWrite, &[])?;
        }
        Ok(())
    }

    /// Maps a page of its own that begins with `data`; the rest is zero.
    fn page(&mut self, address: u64, access: Access, data: &[u8]) -> Result<(), RootError> {
        let frame = self.kernel.make(self.source, Kind::Frame, PAGE_SIZE, 0)?;
        let at = SlotRef {
            table: self.table.index,
            index: self.next_frame as u32,
        };
        insert(self.kernel, Some(self.source_slot), at, frame, Kind::Frame, 0)?;
        self.next_frame += 1;
        if let Some(frame) = self.kernel.objects.frame_mut(frame) {
            frame.fill(0, data);
        }
        self.kernel.map_with(at, self.space, frame, address, access)?;
        Ok(())
    }

    /// Maps the initrd, which stays where the loader has put it.
    fn map_initrd(&mut self, initrd: &'static [u8], address: u64) -> Result<(), RootError> {
        let Some((space, source)) = self.kernel.objects.0.get_pair_mut(self.space, self.source) else {
            return Err(abi::Error::NotFound.into());
        };
        let (Object::Space(space), Object::Untyped(region)) = (&mut space.object, &mut source.object) else {
            return Err(abi::Error::NotFound.into());
        };
        space
            .map_constant(region, initrd, address)
            .map_err(RootError::Map)
    }

    /// What the program is told of the machine; makes the untyped of the serial port's registers in a slot.
    fn info(&mut self, initrd: &[u8], untyped: usize, device_slot: SlotRef) -> Result<RootInfo, RootError> {
        let serial = hal::console::claim_device();
        let mut serial_untyped = 0;
        if let Some(memory) = serial.memory {
            let object = Object::Untyped(Region::new(memory));
            let handle = self
                .kernel
                .objects
                .insert(object, Handle::NONE)
                .ok_or(abi::Error::TooMany)?;
            insert(self.kernel, None, device_slot, handle, Kind::Untyped, 0)?;
            serial_untyped = u64::from(device_slot.index);
        }
        Ok(RootInfo {
            // From the page's beginning.
            initrd: initrd.as_ptr().addr() as u64 % PAGE_SIZE,
            initrd_len: initrd.len() as u64,
            untyped: untyped as u64,
            serial_untyped,
            serial_kind: serial.kind,
            serial_base: serial.base,
            serial_interrupt: serial.interrupt,
            cpus: hal::cpu::count() as u64,
            heap: 0,
            has_seed: 0,
            seed: [0; 4],
        })
    }
}

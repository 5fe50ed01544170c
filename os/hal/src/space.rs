//! Address spaces of programs.

use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::Error;
use abi::layout::{USER_END, USER_START};
use kcore::paging::{
    Access, Attributes, ENTRIES, Encoding, MapError, Mapper, Memory as MemoryType, Owner, PAGE_SIZE,
    Released, TableMemory,
};
use kcore::user_range::UserRange;

use crate::Architecture;
use crate::arch::Machine;
use crate::fpu::FpuState;
use crate::memory::{Frame, Lease, Memory, Region};
use crate::phys::{self, Tables};
use crate::user::{Context, Event};

type Isa = <Machine as Architecture>::Encoding;

/// The memory of a program: page tables, taken from a region that is always the same one.
#[derive(Debug)]
pub struct AddressSpace {
    mapper: Mapper<Isa>,
    /// The CPUs that may hold translations of it.
    cpus: AtomicU64,
}

/// Page tables of programs, with new ones from a region.
fn tables(region: &mut Region) -> Tables<impl FnMut() -> Option<u64>> {
    // SAFETY: a region gives memory that is mapped and that nobody else uses; `AddressSpace` names no table that it did not
    // get there. The memory is taken back in `release`.
    unsafe { Tables::new(|| region.take(PAGE_SIZE, PAGE_SIZE).map(|memory| memory.start())) }
}

/// Page tables of programs, to look at and to take entries out.
fn existing_tables() -> Tables<impl FnMut() -> Option<u64>> {
    // SAFETY: no memory is ever given, and `AddressSpace` names no table that it did not get from its region.
    unsafe { Tables::new(|| None) }
}

impl AddressSpace {
    /// An address space in which nothing but the kernel is mapped, or `None` when the region has no page left.
    pub fn new(region: &mut Region) -> Option<Self> {
        if region.is_device() {
            return None;
        }
        let mut tables = tables(region);
        let root = tables.allocate()?;
        for slot in (0..ENTRIES).filter(|slot| !Machine::USER_SLOTS.contains(slot)) {
            let entry = tables.load(crate::boot::kernel_root(), slot);
            tables.store(root, slot, entry);
        }
        Some(Self {
            mapper: Mapper::new(root),
            cpus: AtomicU64::new(0),
        })
    }

    /// Maps a frame at `virt`, a multiple of the page size, or of its own for a large page. Tables come from `region`, the one that [`Self::new`] had.
    ///
    /// # Errors
    /// When the address is not in user space or not aligned, something is mapped there, or memory is used up.
    pub fn map(
        &mut self,
        region: &mut Region,
        frame: &Frame,
        virt: u64,
        access: Access,
    ) -> Result<(), MapError> {
        let end = virt.checked_add(frame.size()).ok_or(MapError::Range)?;
        if virt < USER_START || end > USER_END {
            return Err(MapError::Range);
        }
        // A large page is one leaf.
        if frame.size() == crate::LARGE_PAGE && !virt.is_multiple_of(frame.size()) {
            return Err(MapError::Misaligned);
        }
        let lease = frame.lease().ok_or(MapError::NoMemory)?;
        let memory = if lease.device {
            MemoryType::Device
        } else {
            MemoryType::Normal
        };
        let attributes = Attributes {
            access,
            memory,
            owner: Owner::User,
        };
        if access == Access::ReadExecute {
            if lease.device {
                return Err(MapError::Range);
            }
            Machine::publish_code(phys::pointer(lease.start), lease.size as usize);
        }
        let mapped = self
            .mapper
            .map(&mut tables(region), virt, lease.start, lease.size, attributes);
        // From here on leaves stand for the lease, and what is not mapped is given back.
        let lease = ManuallyDrop::new(lease);
        if mapped.is_err() {
            let done = self.clear(lease.start, lease.size, virt);
            // SAFETY: the lease was for all pages; `clear` has given those back that a leaf stood for.
            drop(unsafe { Lease::of_leaf(lease.start + done, lease.size - done) });
        }
        if Machine::REMEMBERS_ABSENCE {
            self.flush(virt, frame.size() / PAGE_SIZE);
        }
        mapped
    }

    /// Empties the leaves that map a frame at `virt`, from its first page to the first that is not mapped there, and makes
    /// all CPUs forget them. Returns how many bytes they mapped.
    fn clear(&mut self, start: u64, size: u64, virt: u64) -> u64 {
        let mut tables = existing_tables();
        let mut done = 0;
        while done < size {
            let here = self.mapper.translate(&tables, virt + done);
            if here.is_none_or(|found| found.phys != start + done) {
                break;
            }
            let Some((_, len)) = self.mapper.unmap(&mut tables, virt + done) else {
                break;
            };
            done += len;
        }
        self.flush(virt, done / PAGE_SIZE);
        // SAFETY: `map` forgot a lease when it made the leaves, which are gone, on all CPUs.
        drop(unsafe { Lease::of_leaf(start, done) });
        done
    }

    /// Maps memory that is never anything else, such as the initrd, for reading.
    ///
    /// # Errors
    /// As for [`Self::map`].
    pub fn map_constant(
        &mut self,
        region: &mut Region,
        bytes: &'static [u8],
        virt: u64,
    ) -> Result<(), MapError> {
        let start = phys::address(bytes.as_ptr());
        let first = start / PAGE_SIZE * PAGE_SIZE;
        let len = (start - first + bytes.len() as u64).next_multiple_of(PAGE_SIZE);
        if virt < USER_START || virt.checked_add(len).is_none_or(|end| end > USER_END) {
            return Err(MapError::Range);
        }
        self.mapper.map(
            &mut tables(region),
            virt,
            first,
            len,
            Attributes::user(Access::ReadOnly),
        )
    }

    /// Takes a mapping of a frame at `virt` back. Returns whether there was one. No CPU uses it any more then.
    pub fn unmap(&mut self, frame: &Frame, virt: u64) -> bool {
        self.clear(frame.start(), frame.size(), virt) != 0
    }

    /// Makes all CPUs forget translations.
    fn flush(&self, virt: u64, pages: u64) {
        if pages > 0 {
            crate::tlb::flush(self.mapper.root(), virt, pages, self.cpus.load(Ordering::Acquire));
        }
    }

    /// Copies a program's memory into `to`, which is as long as the range.
    ///
    /// # Errors
    /// [`Error::BadAddress`] when a part of the range is not the program's; what `to` then holds is unspecified.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn read(&self, range: UserRange, to: &mut [u8]) -> Result<(), Error> {
        assert_eq!(range.len(), to.len(), "length of a copy from user space");
        for part in range.pages() {
            let from = self.locate(part.start, false)?;
            let to = &mut to[part.offset..part.offset + part.len];
            // SAFETY: `locate` found a frame that programs map, which is never kernel memory while it is mapped, and the
            // part stays within its page. Programs may write at the same time: bytes are copied, nothing is believed.
            unsafe { core::ptr::copy_nonoverlapping(phys::pointer::<u8>(from), to.as_mut_ptr(), to.len()) };
        }
        Ok(())
    }

    /// Copies `from` to a program's memory, all of it or nothing.
    ///
    /// # Errors
    /// [`Error::BadAddress`] when a part of the range is not the program's or not writable for it.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn write(&mut self, range: UserRange, from: &[u8]) -> Result<(), Error> {
        assert_eq!(range.len(), from.len(), "length of a copy to user space");
        for part in range.pages() {
            self.locate(part.start, true)?;
        }
        for part in range.pages() {
            let to = self.locate(part.start, true)?;
            let from = &from[part.offset..part.offset + part.len];
            // SAFETY: as in `read`; and the page is writable for the program, so no code and no constant changes.
            unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), phys::pointer::<u8>(to), from.len()) };
        }
        Ok(())
    }

    /// Physical address of a byte of ordinary memory that the program itself may read, or write.
    fn locate(&self, virt: u64, write: bool) -> Result<u64, Error> {
        let found = self
            .mapper
            .translate(&existing_tables(), virt)
            .ok_or(Error::BadAddress)?;
        let Attributes {
            access,
            memory,
            owner,
        } = found.attributes;
        let allowed = owner == Owner::User
            && memory == MemoryType::Normal
            && crate::memory::is_memory(found.phys)
            && (!write || access == Access::ReadWrite);
        if allowed {
            Ok(found.phys)
        } else {
            Err(Error::BadAddress)
        }
    }

    /// The calling CPU goes over to this address space, and holds no translation of the previous one any more.
    #[inline]
    pub fn enter(&self, cpu: usize, previous: Option<&Self>) {
        self.cpus.fetch_or(1 << cpu, Ordering::AcqRel);
        // SAFETY: `new` copied the kernel's part of the root table, so the kernel stays mapped.
        unsafe { Machine::activate_user_space(self.mapper.root()) };
        if let Some(previous) = previous
            && !core::ptr::eq(previous, self)
        {
            previous.cpus.fetch_and(!(1 << cpu), Ordering::AcqRel);
        }
    }

    /// The calling CPU leaves this address space for none, and holds no translation of it any more.
    pub fn leave(&self, cpu: usize) {
        Machine::deactivate_user_space();
        self.cpus.fetch_and(!(1 << cpu), Ordering::AcqRel);
    }

    /// Whether a CPU has it active, or may hold translations of it.
    pub fn is_active(&self) -> bool {
        self.cpus.load(Ordering::Acquire) != 0
    }

    /// Gives all tables back to the region that they came from. What was mapped is not any more.
    ///
    /// # Panics
    /// When a CPU has it active.
    pub fn release(self, region: &mut Region) {
        assert!(
            !self.is_active(),
            "an address space is released while a CPU uses it"
        );
        let root = self.mapper.root();
        let mut tables = existing_tables();
        let mut put_back = |table| {
            // SAFETY: the table was this address space's, came from the region, and is named by nothing any more.
            region.put_back(unsafe { Memory::claim(table, PAGE_SIZE, false) });
        };
        self.mapper.dismantle(
            &mut tables,
            Machine::USER_SLOTS,
            &mut |_, released| match released {
                Released::Leaf(start, level) => {
                    // SAFETY: the leaf was this address space's and is no more; constant memory has no count that could run out of step: its pages are no frames.
                    drop(unsafe { Lease::of_leaf(start, kcore::paging::level_size(level)) });
                }
                Released::Table(table) => put_back(table),
            },
        );
        put_back(root);
    }
}

/// Runs a program in the active address space until it stops, with its floating-point state if it has one.
pub fn run(context: &mut Context, fpu: Option<&mut FpuState>) -> Event {
    // SAFETY: the kernel's part of every address space is the same, so that the kernel stays mapped whatever is active;
    // a program without an address space of its own faults at its first instruction.
    unsafe { context.run(fpu) }
}

/// The three formats have as many entries in a table as the copy loop in [`AddressSpace::new`] walks.
const _: () = assert!(Machine::USER_SLOTS.end <= ENTRIES && Isa::LEVELS >= 3);

//! Address spaces of programs.

use abi::Error;
use abi::layout::PAGE_SIZE;
use kcore::paging::{Access, Attributes, ENTRIES, Encoding, MapError, Mapper, Owner, Released, TableMemory};
use kcore::user_range::UserRange;

use crate::Architecture;
use crate::arch::Machine;
use crate::fpu::FpuState;
use crate::frames::Frames;
use crate::phys::{self, Tables};
use crate::user::{Context, Event};

type Isa = <Machine as Architecture>::Encoding;

/// The memory of one program. It owns its page tables and every frame that they map in user space; [`Self::release`]
/// gives them back.
#[derive(Debug)]
pub struct AddressSpace {
    mapper: Mapper<Isa>,
}

/// Page tables of programs, with new ones from the machine's frames.
fn tables(frames: &mut Frames) -> Tables<impl FnMut() -> Option<u64>> {
    // SAFETY: `Frames` gives mapped frames that nobody else uses; `AddressSpace` names no table that it did not get there.
    unsafe { Tables::new(|| frames.allocate()) }
}

/// Page tables of programs, to look at.
fn read_tables() -> impl TableMemory {
    // SAFETY: no frame is ever given, and `AddressSpace` names no table that it did not get from `Frames`.
    unsafe { Tables::new(|| None) }
}

impl AddressSpace {
    /// An address space in which nothing but the kernel is mapped, or `None` when no frame is left.
    pub fn new(frames: &mut Frames) -> Option<Self> {
        let mut tables = tables(frames);
        let root = tables.allocate()?;
        for slot in (0..ENTRIES).filter(|slot| !Machine::USER_SLOTS.contains(slot)) {
            let entry = tables.load(crate::boot::kernel_root(), slot);
            tables.store(root, slot, entry);
        }
        Some(Self {
            mapper: Mapper::new(root),
        })
    }

    /// Gives the program a page of its own at `virt`: zeros, with `data` copied to `offset`.
    ///
    /// # Errors
    /// When the address is not in user space or not page aligned, something is mapped there, or memory is used up.
    ///
    /// # Panics
    /// When `data` does not fit into the page.
    pub fn add_page(
        &mut self,
        frames: &mut Frames,
        virt: u64,
        access: Access,
        offset: usize,
        data: &[u8],
    ) -> Result<(), MapError> {
        assert!(
            offset + data.len() <= PAGE_SIZE as usize,
            "more than a page of data"
        );
        if virt >= abi::layout::USER_END {
            return Err(MapError::Range);
        }
        let frame = frames.allocate().ok_or(MapError::NoMemory)?;
        // SAFETY: the frame is mapped and ours alone; offset and length were checked above.
        unsafe {
            phys::clear_frame(frame);
            let page = phys::pointer::<u8>(frame);
            core::ptr::copy_nonoverlapping(data.as_ptr(), page.add(offset), data.len());
        }
        if access == Access::ReadExecute {
            Machine::publish_code(phys::pointer(frame), PAGE_SIZE as usize);
        }
        let mapped = self.mapper.map(
            &mut tables(frames),
            virt,
            frame,
            PAGE_SIZE,
            Attributes::user(access),
        );
        if mapped.is_err() {
            frames.release(frame);
        }
        mapped
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
            // SAFETY: `locate` found a frame that belongs to this program, and the part stays within its page. No
            // program runs while the kernel does, and kernel memory is never mapped for a program.
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

    /// Physical address of a byte that the program itself may read, or write.
    fn locate(&self, virt: u64, write: bool) -> Result<u64, Error> {
        let found = self
            .mapper
            .translate(&read_tables(), virt)
            .ok_or(Error::BadAddress)?;
        let allowed =
            found.attributes.owner == Owner::User && (!write || found.attributes.access == Access::ReadWrite);
        if allowed {
            Ok(found.phys)
        } else {
            Err(Error::BadAddress)
        }
    }

    /// Runs a program in this address space until it stops, with its floating-point state if it has one.
    pub fn run(&mut self, context: &mut Context, fpu: Option<&mut FpuState>) -> Event {
        // SAFETY: `new` copied the kernel's part of the root table, so the kernel stays mapped; then the address space
        // is active, which `run` asks for.
        unsafe {
            Machine::activate_user_space(self.mapper.root());
            context.run(fpu)
        }
    }

    /// Gives all frames back.
    pub fn release(self, frames: &mut Frames) {
        Machine::deactivate_user_space();
        let root = self.mapper.root();
        let mut memory = read_tables();
        self.mapper.dismantle(
            &mut memory,
            Machine::USER_SLOTS,
            &mut |_, released| match released {
                Released::Leaf(frame, level) => {
                    assert_eq!(level, 0, "programs have no large pages");
                    frames.release(frame);
                }
                Released::Table(table) => frames.release(table),
            },
        );
        frames.release(root);
    }
}

/// The three formats have as many entries in a table as the copy loop in [`AddressSpace::new`] walks.
const _: () = assert!(Machine::USER_SLOTS.end <= ENTRIES && Isa::LEVELS >= 3);

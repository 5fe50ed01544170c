//! Calls on memory. A capability for a frame remembers where the frame is mapped with it.

use abi::Error;
use abi::layout::PAGE_SIZE;
use kcore::capability::{Capability, Kind, Rights, SlotRef, Slots};
use kcore::objects::Handle;
use kcore::paging::{Access, MapError};

use crate::object::Object;
use crate::state::{Kernel, Outcome};

/// Where a frame is mapped, as a capability notes it down: 26 bits number of the page, 24 bits place of the address space
/// among the objects, 14 bits of its generation. An address space that came to the place of another one is told from it
/// by those; and what is mapped at the page is compared with the frame before anything is unmapped.
fn note(space: Handle, address: u64) -> u64 {
    (address / PAGE_SIZE) | (u64::from(space.index) << 26) | (u64::from(space.generation) << 50)
}

/// Objects beyond this place could not be noted down.
pub(crate) const MAX_OBJECTS: usize = 1 << 24;

impl Kernel {
    /// The call `map`.
    pub(crate) fn call_map(
        &mut self,
        me: Handle,
        space: u64,
        table: u64,
        frame: u64,
        address: u64,
        access: u64,
    ) -> Result<Outcome, Error> {
        let space = self.capability(me, space, Kind::Space, Rights::WRITE)?.object;
        let rights = Rights::from_bits(access).ok_or(Error::BadArgument)?;
        let access = if rights == Rights::READ {
            Access::ReadOnly
        } else if rights == Rights::READ | Rights::WRITE {
            Access::ReadWrite
        } else if rights == Rights::READ | Rights::EXECUTE {
            Access::ReadExecute
        } else {
            return Err(Error::BadArgument);
        };
        let at = self.slot_in(self.named_table(me, table)?, frame)?;
        let capability = *self
            .objects
            .slot(at)
            .ok_or(Error::NotFound)?
            .expect(Kind::Frame, rights)?;
        if capability.extra != 0 {
            return Err(Error::AlreadyMapped);
        }
        self.map_with(at, space, capability.object, address, access)?;
        Ok(Outcome::Done(0))
    }

    /// Maps a frame with the capability in a slot, which notes it down.
    pub(crate) fn map_with(
        &mut self,
        at: SlotRef,
        space: Handle,
        frame: Handle,
        address: u64,
        access: Access,
    ) -> Result<(), Error> {
        let parent = self.objects.0.get(space).ok_or(Error::NotFound)?.parent;
        self.map_frame(space, parent, frame, address, access)?;
        if let Some(slot) = self.objects.slot_mut(at) {
            slot.set_extra(note(space, address));
        }
        Ok(())
    }

    /// Maps a frame, with page tables from `parent`, the untyped that the address space was made of.
    fn map_frame(
        &mut self,
        space: Handle,
        parent: Handle,
        frame: Handle,
        address: u64,
        access: Access,
    ) -> Result<(), Error> {
        let Some([space, parent, frame]) = self.objects.three(space, parent, frame) else {
            return Err(Error::NotFound);
        };
        let (Object::Space(space), Object::Untyped(region), Object::Frame(frame)) = (space, parent, frame)
        else {
            return Err(Error::NotFound);
        };
        space
            .map(region, frame, address, access)
            .map_err(|error| match error {
                MapError::Misaligned | MapError::Range => Error::BadAddress,
                MapError::Mapped(_) => Error::AlreadyMapped,
                MapError::NoMemory => Error::NoMemory,
            })
    }

    /// The call `unmap`.
    pub(crate) fn call_unmap(&mut self, me: Handle, table: u64, frame: u64) -> Result<Outcome, Error> {
        let at = self.slot_in(self.named_table(me, table)?, frame)?;
        self.objects
            .slot(at)
            .ok_or(Error::NotFound)?
            .expect(Kind::Frame, Rights::NONE)?;
        self.unmap_slot(at);
        Ok(Outcome::Done(0))
    }

    /// Takes the mapping back that was made with the capability in a slot.
    pub(crate) fn unmap_slot(&mut self, at: SlotRef) {
        let Some(slot) = self.objects.slot_mut(at) else {
            return;
        };
        let capability = *slot.capability();
        if capability.kind == Kind::Frame {
            slot.set_extra(0);
            self.unmap_capability(&capability);
        }
    }

    /// Takes the mapping back that was made with a capability.
    pub(crate) fn unmap_capability(&mut self, capability: &Capability) {
        if capability.extra == 0 {
            return;
        }
        let index = (capability.extra >> 26) as u32 & (MAX_OBJECTS as u32 - 1);
        let Some(space) = self.objects.0.handle_at(index) else {
            return;
        };
        let address = capability.extra % (1 << 26) * PAGE_SIZE;
        if note(space, address) != capability.extra {
            return;
        }
        let Some((space, frame)) = self.objects.0.get_pair_mut(space, capability.object) else {
            return;
        };
        if let (Object::Space(space), Object::Frame(frame)) = (&mut space.object, &frame.object) {
            space.unmap(frame, address);
        }
    }

    /// The call `untyped_free`.
    pub(crate) fn call_untyped_free(&self, me: Handle, untyped: u64) -> Result<Outcome, Error> {
        let object = self.capability(me, untyped, Kind::Untyped, Rights::NONE)?.object;
        let region = self.objects.untyped(object).ok_or(Error::NotFound)?;
        Ok(Outcome::Done(region.free()))
    }
}

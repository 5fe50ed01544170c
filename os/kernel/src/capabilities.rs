//! Calls on slots: copying, deleting, revoking, making objects.

use abi::{Error, start::ROOT_SLOTS};
use hal::memory::{Frame, Region};
use hal::{AddressSpace, Array, LARGE_PAGE, Stored};
use kcore::capability::{self, Capability, Kind, Rights, Slot, SlotRef, Slots, tree};
use kcore::objects::Handle;
use kcore::paging::PAGE_SIZE;

use crate::endpoint::Endpoint;
use crate::notification::Notification;
use crate::object::Object;
use crate::schedule::Parameters;
use crate::state::{Kernel, Outcome};
use crate::thread::{Registers, Thread};

/// Most slots that a call looks at or changes before others have their turn.
const STEPS: usize = 64;

/// Most objects that one call makes.
const MAX_COUNT: u64 = 256;

/// Bytes that one call clears at most.
const MAX_BYTES: u64 = LARGE_PAGE;

impl Kernel {
    /// What a thread has in a slot: a capability of that kind with those rights.
    #[inline]
    pub(crate) fn capability(
        &self,
        thread: Handle,
        slot: u64,
        kind: Kind,
        rights: Rights,
    ) -> Result<Capability, Error> {
        let table = self.objects.thread(thread).ok_or(Error::NotFound)?.table;
        let slots = self.objects.table(table).ok_or(Error::NotFound)?;
        Ok(*capability::lookup(slots, slot)?.expect(kind, rights)?)
    }

    /// A slot of a thread's own table, whatever is in it.
    pub(crate) fn slot_of(&self, thread: Handle, slot: u64) -> Result<SlotRef, Error> {
        let table = self.objects.thread(thread).ok_or(Error::NotFound)?.table;
        self.slot_in(table, slot)
    }

    pub(crate) fn slot_in(&self, table: Handle, slot: u64) -> Result<SlotRef, Error> {
        let slots = self.objects.table(table).ok_or(Error::NotFound)?;
        if slot == 0 || slot >= slots.len() as u64 || !self.objects.is_alive(table) {
            return Err(Error::NotFound);
        }
        Ok(SlotRef {
            table: table.index,
            index: slot as u32,
        })
    }

    /// A slot of a thread's own table that holds something.
    pub(crate) fn held_slot(&self, thread: Handle, slot: u64) -> Result<SlotRef, Error> {
        let at = self.slot_of(thread, slot)?;
        match self.objects.slot(at) {
            Some(slot) if !slot.is_empty() => Ok(at),
            _ => Err(Error::NotFound),
        }
    }

    /// The table that a call names: a slot with a table, or 0 for the caller's own.
    pub(crate) fn named_table(&self, me: Handle, table: u64) -> Result<Handle, Error> {
        if table == 0 {
            return Ok(self.objects.thread(me).ok_or(Error::NotFound)?.table);
        }
        Ok(self.capability(me, table, Kind::Table, Rights::WRITE)?.object)
    }

    /// The calls `capability_copy` and `capability_mint`.
    pub(crate) fn call_copy(
        &mut self,
        me: Handle,
        table: u64,
        to: u64,
        from: u64,
        rights: u64,
        badge: Option<u64>,
    ) -> Result<Outcome, Error> {
        let to = self.slot_in(self.named_table(me, table)?, to)?;
        let from = self.held_slot(me, from)?;
        let rights = Rights::from_bits(rights).ok_or(Error::BadArgument)?;
        let capability = *self.objects.slot(from).ok_or(Error::NotFound)?.capability();
        if capability.kind == Kind::Reply {
            return Err(Error::WrongKind);
        }
        match badge {
            Some(badge) => tree::mint(&mut self.objects, from, to, rights, badge)?,
            None => tree::copy(&mut self.objects, from, to, rights)?,
        }
        self.objects.retain(capability.object);
        Ok(Outcome::Done(0))
    }

    /// The call `capability_move`.
    pub(crate) fn call_move(&mut self, me: Handle, table: u64, to: u64, from: u64) -> Result<Outcome, Error> {
        let to = self.slot_in(self.named_table(me, table)?, to)?;
        let from = self.held_slot(me, from)?;
        tree::move_(&mut self.objects, from, to)?;
        Ok(Outcome::Done(0))
    }

    /// The call `capability_identify`.
    pub(crate) fn call_identify(&self, me: Handle, slot: u64) -> Result<Outcome, Error> {
        let at = self.held_slot(me, slot)?;
        let capability = self.objects.slot(at).ok_or(Error::NotFound)?.capability();
        Ok(Outcome::Done(
            capability.kind as u64 + 256 * u64::from(capability.rights.bits()),
        ))
    }

    /// The call `capability_delete`.
    pub(crate) fn call_delete(
        &mut self,
        cpu: usize,
        me: Handle,
        table: u64,
        slot: u64,
    ) -> Result<Outcome, Error> {
        if !self.take_draining(me) {
            let at = self.slot_in(self.named_table(me, table)?, slot)?;
            let capability = tree::delete(&mut self.objects, at)?;
            self.release_capability(cpu, capability);
        }
        Ok(self.drain_or_retry(cpu, me))
    }

    /// The call `capability_revoke`.
    pub(crate) fn call_revoke(
        &mut self,
        cpu: usize,
        me: Handle,
        table: u64,
        slot: u64,
    ) -> Result<Outcome, Error> {
        if !self.take_draining(me) {
            let at = self.slot_in(self.named_table(me, table)?, slot)?;
            for step in 0.. {
                if step == STEPS {
                    return Ok(Outcome::Retry);
                }
                match tree::revoke_step(&mut self.objects, at)? {
                    tree::Step::Deleted(_, capability) => self.release_capability(cpu, capability),
                    tree::Step::Done => break,
                }
            }
        }
        Ok(self.drain_or_retry(cpu, me))
    }

    fn take_draining(&mut self, me: Handle) -> bool {
        self.objects
            .thread_mut(me)
            .is_some_and(|thread| core::mem::take(&mut thread.draining))
    }

    /// Lets what is doomed end. When that takes long, others have their turn first, and the call is made once more.
    fn drain_or_retry(&mut self, cpu: usize, me: Handle) -> Outcome {
        if self.drain(cpu, STEPS) {
            return Outcome::Done(0);
        }
        if let Some(thread) = self.objects.thread_mut(me) {
            thread.draining = true;
        }
        Outcome::Retry
    }

    /// Undoes what one capability that is gone stood for.
    pub(crate) fn release_capability(&mut self, cpu: usize, capability: Capability) {
        match capability.kind {
            Kind::Reply => self.fail_caller(
                cpu,
                crate::thread::Caller {
                    thread: capability.object,
                    call: capability.badge,
                },
            ),
            Kind::Frame => {
                self.unmap_capability(&capability);
                self.drop_reference(capability.object);
            }
            _ => self.drop_reference(capability.object),
        }
    }

    /// The call `retype`.
    #[expect(clippy::too_many_arguments, reason = "the registers of one call")]
    pub(crate) fn call_retype(
        &mut self,
        cpu: usize,
        me: Handle,
        untyped: u64,
        kind: u64,
        size: u64,
        count: u64,
        table: u64,
        first: u64,
    ) -> Result<Outcome, Error> {
        // What has ended may be the memory that is wanted.
        if !self.drain(cpu, STEPS) {
            return Ok(Outcome::Retry);
        }
        let source = self.capability(me, untyped, Kind::Untyped, Rights::WRITE)?.object;
        let source_slot = self.held_slot(me, untyped)?;
        let target = self.named_table(me, table)?;
        let kind = kind_of(kind).ok_or(Error::BadArgument)?;
        check_size(kind, size, count)?;
        let end = first.checked_add(count).ok_or(Error::NotFound)?;
        for slot in first..end {
            let at = self.slot_in(target, slot)?;
            if self.objects.slot(at).is_none_or(|slot| !slot.is_empty()) {
                return Err(Error::SlotTaken);
            }
        }
        for slot in first..end {
            let made = self.make(source, kind, size, cpu);
            let handle = match made {
                Ok(handle) => handle,
                Err(error) => {
                    self.unmake(cpu, target, first..slot);
                    return Err(error);
                }
            };
            let at = self.slot_in(target, slot)?;
            let capability = Capability {
                object: handle,
                kind,
                rights: Rights::ALL,
                badge: 0,
                extra: 0,
            };
            tree::insert_child(&mut self.objects, source_slot, at, capability)?;
            self.objects.retain(handle);
        }
        Ok(Outcome::Done(0))
    }

    /// Takes back what a call that failed half way has made.
    fn unmake(&mut self, cpu: usize, table: Handle, slots: core::ops::Range<u64>) {
        for slot in slots {
            if let Ok(at) = self.slot_in(table, slot)
                && let Ok(capability) = tree::delete(&mut self.objects, at)
            {
                self.release_capability(cpu, capability);
            }
        }
        while !self.drain(cpu, STEPS) {}
    }

    /// Makes one object of an untyped's memory.
    pub(crate) fn make(
        &mut self,
        source: Handle,
        kind: Kind,
        size: u64,
        cpu: usize,
    ) -> Result<Handle, Error> {
        if !self.objects.has_room() {
            return Err(Error::TooMany);
        }
        let region = self.objects.untyped_mut(source).ok_or(Error::NotFound)?;
        let object = object_in(region, kind, size, cpu)?;
        self.objects.insert(object, source).ok_or(Error::TooMany)
    }
}

/// Takes memory for one object and sets it up.
fn object_in(region: &mut Region, kind: Kind, size: u64, cpu: usize) -> Result<Object, Error> {
    if region.is_device() && !matches!(kind, Kind::Untyped | Kind::Frame) {
        return Err(Error::BadArgument);
    }
    let made = match kind {
        Kind::Untyped => region
            .take(size, PAGE_SIZE.min(size))
            .map(|memory| Object::Untyped(Region::new(memory))),
        // A large page has to lie at a multiple of its size.
        Kind::Frame => match region
            .take(size, if size == LARGE_PAGE { size } else { PAGE_SIZE })
            .map(Frame::new)
        {
            Some(Ok(frame)) => Some(Object::Frame(frame)),
            Some(Err(memory)) => {
                region.put_back(memory);
                return Err(Error::BadArgument);
            }
            None => None,
        },
        Kind::Space => AddressSpace::new(region).map(Object::Space),
        Kind::Thread => {
            let context = Stored::new(region, Registers::new(0, 0, 0)).ok_or(Error::NoMemory)?;
            // The thread takes the context with it: whether there is room for both is known before.
            match region.free() >= 2 * size_of::<Thread>() as u64 {
                true => Stored::new(region, Thread::new(context, cpu)).map(Object::Thread),
                false => {
                    region.put_back(context.into_memory());
                    None
                }
            }
        }
        Kind::Endpoint => Stored::new(region, Endpoint::new()).map(Object::Endpoint),
        Kind::Notification => Stored::new(region, Notification::new()).map(Object::Notification),
        Kind::Table => Array::new(region, size as usize, Slot::EMPTY).map(Object::Table),
        Kind::Schedule => Stored::new(region, Parameters::default()).map(Object::Schedule),
        Kind::Empty | Kind::Reply | Kind::Interrupts | Kind::Ports | Kind::Machine => None,
    };
    made.ok_or(Error::NoMemory)
}

fn kind_of(number: u64) -> Option<Kind> {
    [
        Kind::Untyped,
        Kind::Frame,
        Kind::Space,
        Kind::Thread,
        Kind::Endpoint,
        Kind::Notification,
        Kind::Table,
        Kind::Schedule,
    ]
    .into_iter()
    .find(|&kind| kind as u64 == number)
}

/// Whether objects of a kind can have that size, and be made so many at once.
fn check_size(kind: Kind, size: u64, count: u64) -> Result<(), Error> {
    let fits = match kind {
        Kind::Untyped => size >= 64 && size.is_multiple_of(64) && size < 1 << 48,
        Kind::Frame => {
            size.is_power_of_two()
                && (PAGE_SIZE..=LARGE_PAGE).contains(&size)
                && size * count.min(MAX_COUNT) <= MAX_BYTES
        }
        Kind::Table => (2..=ROOT_SLOTS).contains(&size) && size * count.min(MAX_COUNT) <= ROOT_SLOTS,
        _ => size == 0,
    };
    if fits && (1..=MAX_COUNT).contains(&count) {
        Ok(())
    } else {
        Err(Error::BadArgument)
    }
}

//! Kernel objects: what they are, where they live, and how they end.

use hal::memory::{Frame, Memory, Region};
use hal::{AddressSpace, Array, Stored};
use kcore::capability::{Slot, SlotRef, Slots};
use kcore::objects::{Handle, Objects};

use crate::endpoint::Endpoint;
use crate::notification::Notification;
use crate::schedule::Parameters;
use crate::thread::Thread;

/// A kernel object. What is large lies in memory that the object was made of.
#[derive(Debug)]
pub(crate) enum Object {
    /// Memory of which objects are made.
    Untyped(Region),
    /// Memory that can be mapped.
    Frame(Frame),
    /// An address space.
    Space(AddressSpace),
    /// A thread.
    Thread(Stored<Thread>),
    /// Where messages are sent and received.
    Endpoint(Stored<Endpoint>),
    /// Bits that can be signalled.
    Notification(Stored<Notification>),
    /// A table of capabilities.
    Table(Array<Slot>),
    /// Scheduling parameters.
    Schedule(Stored<Parameters>),
}

/// An object with what keeps it alive.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    /// Capabilities to it and objects made of it.
    pub(crate) references: u32,
    /// The untyped that it was made of.
    pub(crate) parent: Handle,
    /// Whether the last reference has gone. It ends when nothing uses it any more.
    pub(crate) doomed: bool,
    /// Of a doomed table: the slots before this one are empty.
    pub(crate) emptied: u32,
    /// The next one that is doomed.
    pub(crate) next_doomed: Handle,
}

/// All objects.
#[derive(Debug)]
pub(crate) struct ObjectTable(pub(crate) Objects<Entry>);

macro_rules! accessors {
    ($($variant:ident $get:ident $get_mut:ident: $type:ty;)+) => {
        $(
            /// The object, when it is there and of this kind.
            #[inline]
            #[allow(dead_code, reason = "one of a family")]
            pub(crate) fn $get(&self, handle: Handle) -> Option<&$type> {
                match &self.0.get(handle)?.object {
                    Object::$variant(object) => Some(object),
                    _ => None,
                }
            }

            /// The object, to change.
            #[inline]
            #[allow(dead_code, reason = "one of a family")]
            pub(crate) fn $get_mut(&mut self, handle: Handle) -> Option<&mut $type> {
                match &mut self.0.get_mut(handle)?.object {
                    Object::$variant(object) => Some(object),
                    _ => None,
                }
            }
        )+
    };
}

impl ObjectTable {
    accessors! {
        Untyped untyped untyped_mut: Region;
        Frame frame frame_mut: Frame;
        Space space space_mut: AddressSpace;
        Thread thread thread_mut: Thread;
        Endpoint endpoint endpoint_mut: Endpoint;
        Notification notification notification_mut: Notification;
        Table table table_mut: Array<Slot>;
        Schedule schedule schedule_mut: Parameters;
    }

    /// Three different objects at once: the first two to change.
    pub(crate) fn three(&mut self, a: Handle, b: Handle, c: Handle) -> Option<[&mut Object; 3]> {
        self.0
            .get_three_mut(a, b, c)
            .map(|entries| entries.map(|entry| &mut entry.object))
    }

    /// The thread in a place: for the queues, whose links are cut before a thread ends.
    #[inline]
    pub(crate) fn thread_at(&self, index: u32) -> Option<&Thread> {
        match &self.0.at(index)?.object {
            Object::Thread(thread) => Some(thread),
            _ => None,
        }
    }

    /// The thread in a place, to change.
    #[inline]
    pub(crate) fn thread_at_mut(&mut self, index: u32) -> Option<&mut Thread> {
        match &mut self.0.at_mut(index)?.object {
            Object::Thread(thread) => Some(thread),
            _ => None,
        }
    }

    /// Whether an object of this kind is there and not about to end.
    pub(crate) fn is_alive(&self, handle: Handle) -> bool {
        self.0.get(handle).is_some_and(|entry| !entry.doomed)
    }

    /// The address space, when it is there and not about to end.
    #[inline]
    pub(crate) fn living_space(&self, handle: Handle) -> Option<&AddressSpace> {
        match self.0.get(handle)? {
            Entry {
                object: Object::Space(space),
                doomed: false,
                ..
            } => Some(space),
            _ => None,
        }
    }

    /// Adds an object; `None` when the table is full, and then the object is gone: see [`Self::has_room`].
    pub(crate) fn insert(&mut self, object: Object, parent: Handle) -> Option<Handle> {
        let handle = self.0.insert(Entry {
            object,
            references: 0,
            parent,
            doomed: false,
            emptied: 0,
            next_doomed: Handle::NONE,
        })?;
        if let Some(parent) = self.0.get_mut(parent) {
            parent.references += 1;
        }
        Some(handle)
    }

    /// Whether one more object fits.
    pub(crate) fn has_room(&self) -> bool {
        self.0.len() < self.0.capacity()
    }

    /// One more capability to an object.
    pub(crate) fn retain(&mut self, handle: Handle) {
        if let Some(entry) = self.0.get_mut(handle) {
            entry.references += 1;
        }
    }

    /// Puts an ended object's memory back to where it came from. The object's entry has been taken out.
    pub(crate) fn put_back(&mut self, parent: Handle, memory: impl IntoIterator<Item = Memory>) {
        let Some(region) = self.untyped_mut(parent) else {
            return;
        };
        for piece in memory {
            region.put_back(piece);
        }
    }
}

impl Slots for ObjectTable {
    #[inline]
    fn slot(&self, at: SlotRef) -> Option<&Slot> {
        match &self.0.at(at.table)?.object {
            Object::Table(slots) => slots.get(at.index as usize),
            _ => None,
        }
    }

    #[inline]
    fn slot_mut(&mut self, at: SlotRef) -> Option<&mut Slot> {
        match &mut self.0.at_mut(at.table)?.object {
            Object::Table(slots) => slots.get_mut(at.index as usize),
            _ => None,
        }
    }
}

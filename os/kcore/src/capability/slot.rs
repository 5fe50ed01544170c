//! Slots, how they refer to each other, and how a program's slot numbers are resolved.

use super::{Capability, Error, Kind, Rights};

/// Where a slot is. It carries no generation: a table goes only after its slots have been emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct SlotRef {
    /// The place of the table among the objects.
    pub table: u32,
    /// The slot in the table.
    pub index: u32,
}

impl SlotRef {
    /// No slot.
    pub const NONE: Self = Self {
        table: u32::MAX,
        index: u32::MAX,
    };

    /// Whether this is [`Self::NONE`].
    #[inline]
    pub const fn is_none(self) -> bool {
        self.table == u32::MAX && self.index == u32::MAX
    }
}

/// A slot's place in the derivation tree.
///
/// The children of a slot form a list that is threaded to it at both ends. So no child but the first and the last refers
/// to its parent, and the children of a slot that goes can take its place in constant time, however many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links {
    /// The child that was derived last.
    pub first_child: SlotRef,
    /// The child that was derived first.
    pub last_child: SlotRef,
    /// The sibling before this one; the parent for a first child; none for a root.
    pub before: SlotRef,
    /// The sibling behind this one; the parent for a last child; none for a root.
    pub behind: SlotRef,
}

impl Links {
    /// Linked to nothing.
    pub const NONE: Self = Self {
        first_child: SlotRef::NONE,
        last_child: SlotRef::NONE,
        before: SlotRef::NONE,
        behind: SlotRef::NONE,
    };
}

/// Place for one capability.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub(super) capability: Capability,
    pub(super) links: Links,
}

/// Bytes of a slot: tables are carved from memory by this.
pub const SLOT_SIZE: usize = 64;
const _: () = assert!(size_of::<Slot>() == SLOT_SIZE);

impl Slot {
    /// A slot without capability.
    pub const EMPTY: Self = Self {
        capability: Capability::EMPTY,
        links: Links::NONE,
    };

    /// What it holds; of kind [`Kind::Empty`] when that is nothing.
    #[inline]
    pub const fn capability(&self) -> &Capability {
        &self.capability
    }

    /// Whether it holds no capability.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        matches!(self.capability.kind, Kind::Empty)
    }

    /// Whether something is derived from what it holds.
    #[inline]
    pub const fn has_children(&self) -> bool {
        !self.links.first_child.is_none()
    }

    /// Its place in the derivation tree.
    #[inline]
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// Notes something down for this one capability; see [`Capability::extra`].
    #[inline]
    pub const fn set_extra(&mut self, extra: u64) {
        self.capability.extra = extra;
    }

    /// The capability, if it is of that kind and has those rights.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Kind`], [`Error::Rights`].
    #[inline]
    pub fn expect(&self, kind: Kind, rights: Rights) -> Result<&Capability, Error> {
        if self.is_empty() {
            return Err(Error::Empty);
        }
        if self.capability.kind != kind {
            return Err(Error::Kind);
        }
        if !self.capability.rights.contains(rights) {
            return Err(Error::Rights);
        }
        Ok(&self.capability)
    }
}

/// All slots, wherever their tables are.
pub trait Slots {
    /// The slot, if there is one.
    fn slot(&self, at: SlotRef) -> Option<&Slot>;
    /// The slot to change, if there is one.
    fn slot_mut(&mut self, at: SlotRef) -> Option<&mut Slot>;
}

/// What a program means by slot number `index` in its table: a slot that holds something.
///
/// # Errors
/// [`Error::NoSlot`] beyond the table, [`Error::Empty`].
#[inline]
pub fn lookup(slots: &[Slot], index: u64) -> Result<&Slot, Error> {
    let slot = usize::try_from(index)
        .ok()
        .and_then(|index| slots.get(index))
        .ok_or(Error::NoSlot)?;
    if slot.is_empty() {
        Err(Error::Empty)
    } else {
        Ok(slot)
    }
}

/// As [`lookup`], to change.
///
/// # Errors
/// The same.
#[inline]
pub fn lookup_mut(slots: &mut [Slot], index: u64) -> Result<&mut Slot, Error> {
    let slot = usize::try_from(index)
        .ok()
        .and_then(|index| slots.get_mut(index))
        .ok_or(Error::NoSlot)?;
    if slot.is_empty() {
        Err(Error::Empty)
    } else {
        Ok(slot)
    }
}

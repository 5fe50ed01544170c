//! Capabilities: what a program may do with which object, the slots that hold them, and who got them from whom.
//!
//! A [`Slot`] is 64 bytes: the [`Capability`] and its place in the derivation tree. Slots lie in many tables;
//! [`tree`] reaches them through [`Slots`].

mod rights;
mod slot;
pub mod tree;

use core::fmt;

use crate::objects::Handle;
pub use rights::Rights;
pub use slot::{Links, SLOT_SIZE, Slot, SlotRef, Slots, lookup, lookup_mut};

/// What kind of object a capability is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// No capability: the slot is empty.
    Empty = 0,
    /// Memory from which objects can be made.
    Untyped,
    /// Page frames that can be mapped.
    Frame,
    /// An address space.
    Space,
    /// A thread.
    Thread,
    /// Where messages are sent and received.
    Endpoint,
    /// A word of bits that can be set and waited for.
    Notification,
    /// A table of capabilities.
    Table,
    /// The right to give threads their scheduling parameters.
    Schedule,
    /// The right to answer one call.
    Reply,
    /// Interrupt lines. The badge is their [`Range`].
    Interrupts,
    /// I/O ports. The badge is their [`Range`].
    Ports,
    /// The machine: power-off, restart, CPUs.
    Machine,
}

/// An authority over one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The object. It may be gone.
    pub object: Handle,
    /// What the object is.
    pub kind: Kind,
    /// What may be done with it.
    pub rights: Rights,
    /// Endpoints and notifications: tells receivers which capability was used; 0 is "no badge". Interrupts and ports: a
    /// [`Range`]. The others: fixed when the capability is made.
    pub badge: u64,
    /// What the kernel notes down for this one capability, such as where a frame is mapped. A derived one starts with 0.
    pub extra: u64,
}

impl Capability {
    /// What an empty slot holds.
    pub const EMPTY: Self = Self {
        object: Handle::NONE,
        kind: Kind::Empty,
        rights: Rights::NONE,
        badge: 0,
        extra: 0,
    };

    /// What a copy has: no more rights than `rights` and this one both have, the same badge.
    pub const fn copied(self, rights: Rights) -> Self {
        Self {
            rights: self.rights.intersection(rights),
            extra: 0,
            ..self
        }
    }

    /// What a copy with another badge has.
    ///
    /// # Errors
    /// [`Error::Badge`] when this capability has a badge that would change, when its kind has none, or when the range
    /// would grow.
    pub const fn minted(self, rights: Rights, badge: u64) -> Result<Self, Error> {
        let allowed = match self.kind {
            Kind::Endpoint | Kind::Notification => self.badge == 0 || self.badge == badge,
            Kind::Interrupts | Kind::Ports => match (Range::from_badge(self.badge), Range::from_badge(badge))
            {
                (Some(whole), Some(part)) => whole.first <= part.first && part.last <= whole.last,
                _ => false,
            },
            _ => self.badge == badge,
        };
        if !allowed {
            return Err(Error::Badge);
        }
        Ok(Self {
            badge,
            ..self.copied(rights)
        })
    }
}

/// Lines or ports from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: u32,
    last: u32,
}

impl Range {
    /// `None` when `last` is below `first`.
    pub const fn new(first: u32, last: u32) -> Option<Self> {
        if first <= last {
            Some(Self { first, last })
        } else {
            None
        }
    }

    /// Reads a badge: `first` in the lower half, `last` in the upper.
    pub const fn from_badge(badge: u64) -> Option<Self> {
        Self::new(badge as u32, (badge >> 32) as u32)
    }

    /// As a badge.
    pub const fn to_badge(self) -> u64 {
        (self.last as u64) << 32 | self.first as u64
    }

    /// The lowest that belongs to it.
    pub const fn first(self) -> u32 {
        self.first
    }

    /// The highest that belongs to it.
    pub const fn last(self) -> u32 {
        self.last
    }

    /// Whether `number` belongs to it.
    pub const fn contains(self, number: u32) -> bool {
        self.first <= number && number <= self.last
    }
}

/// Why an operation on slots was refused. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no such slot.
    NoSlot,
    /// The slot holds no capability.
    Empty,
    /// The slot that should be filled holds one already.
    Occupied,
    /// The capability is for another kind of object.
    Kind,
    /// The capability lacks a right.
    Rights,
    /// The badge cannot be changed to that.
    Badge,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoSlot => "there is no such slot",
            Self::Empty => "the slot is empty",
            Self::Occupied => "the slot is occupied",
            Self::Kind => "the capability is of another kind",
            Self::Rights => "the capability lacks a right",
            Self::Badge => "the badge cannot be changed to that",
        })
    }
}

impl From<Error> for abi::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NoSlot | Error::Empty => Self::NotFound,
            Error::Occupied => Self::SlotTaken,
            Error::Kind => Self::WrongKind,
            Error::Rights => Self::NotPermitted,
            Error::Badge => Self::BadArgument,
        }
    }
}

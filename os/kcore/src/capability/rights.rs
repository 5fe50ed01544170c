//! Sets of rights.

/// What may be done with an object. What a right means depends on the kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct Rights(u8);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// To read memory, to receive messages, to wait.
    pub const READ: Self = Self(1);
    /// To write memory, to send messages, to signal.
    pub const WRITE: Self = Self(2);
    /// To transfer capabilities in messages.
    pub const GRANT: Self = Self(4);
    /// To map memory executable.
    pub const EXECUTE: Self = Self(8);
    /// All of them.
    pub const ALL: Self = Self(15);

    /// The rights with these bits. `None` when a bit stands for no right.
    #[inline]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        if bits & !(Self::ALL.0 as u64) == 0 {
            Some(Self(bits as u8))
        } else {
            None
        }
    }

    /// The bits.
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `others` are among them.
    #[inline]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Those that are in both.
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in one of the two.
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl core::ops::BitAnd for Rights {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersection(other)
    }
}

//! What threads send to each other.

/// How many words a message has besides its tag.
pub const WORDS: usize = 4;

/// A message as it is received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Badge of the capability that it was sent with; 0 in a reply.
    pub badge: u64,
    /// What it is about.
    pub tag: Tag,
    /// Its content.
    pub words: [u64; WORDS],
}

/// First word of a message.
///
/// | bits | meaning |
/// | --- | --- |
/// | 0 to 31 | label: sender and receiver agree on it |
/// | 32 | carries a capability: word 3 is the slot it comes from, on receipt the slot it went to |
/// | 33 | on sending: the capability is moved, not copied; on receipt: the sender waits for a reply |
/// | 34 | on receipt: no message but a notification; word 0 has its bits |
/// | 35 | on receipt: the kernel reports a fault; the words are fault number, address, program counter, thread's stack pointer |
///
/// The others are 0: the kernel refuses a message in which one is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Tag(pub u64);

impl Tag {
    /// Bit that announces a capability.
    pub const CAPABILITY: u64 = 1 << 32;
    /// On sending: bit for a capability that moves.
    pub const MOVE: u64 = 1 << 33;
    /// On receipt: bit of a call.
    pub const CALL: u64 = 1 << 33;
    /// Bit of a notification.
    pub const NOTIFICATION: u64 = 1 << 34;
    /// Bit of a fault report.
    pub const FAULT: u64 = 1 << 35;

    /// A tag with a label.
    pub const fn new(label: u32) -> Self {
        Self(label as u64)
    }

    /// With a capability, which is copied.
    pub const fn with_capability(self) -> Self {
        Self(self.0 | Self::CAPABILITY)
    }

    /// With a capability, which is moved.
    pub const fn moving_capability(self) -> Self {
        Self(self.0 | Self::CAPABILITY | Self::MOVE)
    }

    /// The label.
    pub const fn label(self) -> u32 {
        self.0 as u32
    }

    /// Whether a capability comes with the message.
    pub const fn has_capability(self) -> bool {
        self.0 & Self::CAPABILITY != 0
    }

    /// Of a received message: whether the sender waits for a reply.
    pub const fn is_call(self) -> bool {
        self.0 & Self::CALL != 0
    }

    /// Of a received message: whether it is a notification.
    pub const fn is_notification(self) -> bool {
        self.0 & Self::NOTIFICATION != 0
    }

    /// Of a received message: whether the kernel reports a fault.
    pub const fn is_fault(self) -> bool {
        self.0 & Self::FAULT != 0
    }

    /// Whether a program may send it.
    pub const fn may_be_sent(self) -> bool {
        self.0 >> 34 == 0 && (self.0 & Self::MOVE == 0 || self.has_capability())
    }
}

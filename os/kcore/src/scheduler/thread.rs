//! What a run queue knows about a thread.

use super::{DEFAULT_WEIGHT, LEVELS, MAX_WEIGHT, SLICE, slice_of};
use crate::heap_queue;

/// How a thread competes for a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Before all lower levels and all fair threads, for as long as it wants. 0 to 31, the highest first.
    RealTime(u8),
    /// Shares what real-time threads leave, in the ratio of the weights.
    Fair {
        /// From 1 to [`MAX_WEIGHT`].
        weight: u32,
    },
}

impl Class {
    /// What threads have unless they are given something else.
    pub const DEFAULT: Self = Self::Fair {
        weight: DEFAULT_WEIGHT,
    };

    /// Whether the level or weight is one that exists.
    pub const fn is_valid(self) -> bool {
        match self {
            Self::RealTime(level) => level < LEVELS,
            Self::Fair { weight } => weight >= 1 && weight <= MAX_WEIGHT,
        }
    }

    /// The nearest class that exists.
    #[must_use]
    pub const fn clamped(self) -> Self {
        match self {
            Self::RealTime(level) if level >= LEVELS => Self::RealTime(LEVELS - 1),
            Self::Fair { weight: 0 } => Self::Fair { weight: 1 },
            Self::Fair { weight } if weight > MAX_WEIGHT => Self::Fair { weight: MAX_WEIGHT },
            _ => self,
        }
    }

    /// The class with the better claim.
    #[must_use]
    pub const fn max(self, other: Self) -> Self {
        if self.rank() < other.rank() { other } else { self }
    }

    const fn rank(self) -> u32 {
        match self {
            Self::RealTime(level) => MAX_WEIGHT + 1 + level as u32,
            Self::Fair { weight } => weight,
        }
    }

    /// How long a thread of this class may run while others of its class wait, in nanoseconds.
    pub const fn slice(self) -> u64 {
        match self {
            Self::RealTime(_) => SLICE,
            Self::Fair { weight } => slice_of(weight),
        }
    }
}

/// Where a thread is, as far as run queues are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In no run queue: it waits for something, or is stopped.
    Out,
    /// Waits for its turn.
    Ready,
    /// Was picked.
    Running,
}

/// What each thread holds for the scheduler.
#[derive(Clone, Copy, Debug)]
pub struct Scheduling {
    own: Class,
    inherited: Option<Class>,
    /// The rank of the better one, by which it competes. Equal ranks are equal classes.
    rank: u32,
    /// The CPUs that may run it, bit by number.
    pub affinity: u64,
    pub(super) place: Place,
    /// The queue in which it is, or was last.
    pub(super) cpu: u32,
    /// Nanoseconds of the current slice that are used up.
    pub(super) used: u64,
    pub(super) fair: Fair,
    /// In the queue of virtual deadlines.
    pub(super) node: heap_queue::Node,
    /// In the list of its level, or that of the fair class.
    pub(super) next: u32,
    pub(super) previous: u32,
}

/// A thread's standing in the fair class. Virtual times are points on a circle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fair {
    /// How much it has had: nanoseconds, longer for light threads and shorter for heavy ones.
    pub(super) runtime: u64,
    /// When its slice should be over, in virtual time.
    pub(super) deadline: u64,
    /// When it left: its lead over its queue's virtual time, times the weight it had then.
    pub(super) lead: i64,
    /// The weight with which it takes part, or took part last; 0 if it never did.
    pub(super) weight: u32,
    /// The CPU whose virtual time `runtime` belongs to.
    pub(super) cpu: u32,
}

impl Fair {
    /// Exchanges two threads' standings: word by word, because `swap` goes by bytes where memory wants to be aligned.
    #[inline(always)]
    pub(super) const fn exchange(&mut self, other: &mut Self) {
        (self.runtime, other.runtime) = (other.runtime, self.runtime);
        (self.deadline, other.deadline) = (other.deadline, self.deadline);
        (self.lead, other.lead) = (other.lead, self.lead);
        (self.weight, other.weight) = (other.weight, self.weight);
        (self.cpu, other.cpu) = (other.cpu, self.cpu);
    }
}

impl Scheduling {
    /// A thread that waits in no queue.
    pub const fn new(class: Class, affinity: u64) -> Self {
        Self {
            own: class.clamped(),
            inherited: None,
            rank: class.clamped().rank(),
            affinity,
            place: Place::Out,
            cpu: 0,
            used: 0,
            fair: Fair {
                runtime: 0,
                deadline: 0,
                lead: 0,
                weight: 0,
                cpu: 0,
            },
            node: heap_queue::Node::NEW,
            next: super::lists::NONE,
            previous: super::lists::NONE,
        }
    }

    /// The class it was given.
    #[inline]
    pub const fn own(&self) -> Class {
        self.own
    }

    /// The class lent to it by a thread that waits for it.
    #[inline]
    pub const fn inherited(&self) -> Option<Class> {
        self.inherited
    }

    /// The class in which it competes: the better one of its own and the lent one.
    #[inline]
    pub const fn effective(&self) -> Class {
        match self.inherited {
            Some(inherited) => self.own.max(inherited),
            None => self.own,
        }
    }

    /// Where it is.
    #[inline]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The CPU in whose queue it is or was last; 0 before that.
    #[inline]
    pub const fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Whether this CPU may run it.
    #[inline]
    pub const fn may_run_on(&self, cpu: u32) -> bool {
        cpu < u64::BITS && self.affinity >> cpu & 1 == 1
    }

    /// What it counts in a queue's load.
    pub const fn load(&self) -> u64 {
        match self.effective() {
            Class::RealTime(_) => super::REAL_TIME_LOAD,
            Class::Fair { weight } => weight as u64,
        }
    }

    pub(super) const fn set_classes(&mut self, own: Class, inherited: Option<Class>) {
        self.own = own.clamped();
        self.inherited = match inherited {
            Some(class) => Some(class.clamped()),
            None => None,
        };
        self.rank = self.effective().rank();
    }

    /// Whether both compete in the same class.
    #[inline]
    pub(super) const fn competes_like(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

/// Where the threads are. A number stays valid while its thread is in a run queue.
pub trait Threads {
    /// The thread with this number.
    fn scheduling(&self, id: u32) -> &Scheduling;
    /// The thread with this number, to change.
    fn scheduling_mut(&mut self, id: u32) -> &mut Scheduling;
}

/// Shows the queue of virtual deadlines its nodes.
pub(super) struct Deadlines<'a, T>(pub(super) &'a mut T);

impl<T: Threads> heap_queue::Nodes for Deadlines<'_, T> {
    fn node(&self, id: u32) -> &heap_queue::Node {
        &self.0.scheduling(id).node
    }

    fn node_mut(&mut self, id: u32) -> &mut heap_queue::Node {
        &mut self.0.scheduling_mut(id).node
    }
}

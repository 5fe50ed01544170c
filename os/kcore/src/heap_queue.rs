//! A priority queue whose links lie in the queued things themselves: a pairing heap, so queueing allocates nothing.
//!
//! Inserting takes constant time; taking the first or any other out takes `O(log n)` amortised over the queue's life, and
//! once at most `O(n)`. Nothing recurses.
//!
//! Keys are compared as points on a circle: `a` is before `b` when `b - a`, wrapped, is below 2^63. So clocks may wrap,
//! and the keys in one queue have to lie within 2^63 of each other. Equal keys come out in the order of insertion.

/// No node. Numbers of nodes are below [`OUT`].
const NONE: u32 = u32::MAX;
/// In `before`: the node is in no queue.
const OUT: u32 = u32::MAX - 1;

/// Whether point `a` is before `b`.
#[inline]
pub const fn is_before(a: u64, b: u64) -> bool {
    (a.wrapping_sub(b) as i64) < 0
}

/// What each thing that can be queued holds, once for each kind of queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    key: u64,
    /// Orders equal keys.
    sequence: u32,
    /// First child: what comes later than this node.
    child: u32,
    /// Next sibling.
    behind: u32,
    /// Previous sibling, or the parent for a first child.
    before: u32,
}

impl Node {
    /// A node in no queue.
    pub const NEW: Self = Self {
        key: 0,
        sequence: 0,
        child: NONE,
        behind: NONE,
        before: OUT,
    };

    /// Whether it is in a queue.
    #[inline]
    pub const fn is_queued(&self) -> bool {
        self.before != OUT
    }

    /// The key with which it was queued last.
    #[inline]
    pub const fn key(&self) -> u64 {
        self.key
    }

    fn is_before(&self, other: &Self) -> bool {
        if self.key == other.key {
            (self.sequence.wrapping_sub(other.sequence) as i32) < 0
        } else {
            is_before(self.key, other.key)
        }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::NEW
    }
}

/// Where the nodes are. A number stays valid while its node is queued.
pub trait Nodes {
    /// The node with this number.
    fn node(&self, id: u32) -> &Node;
    /// The node with this number, to change.
    fn node_mut(&mut self, id: u32) -> &mut Node;
}

/// The queue. A node may be in one queue at a time; all calls to one queue have to get the same nodes.
#[derive(Debug)]
pub struct HeapQueue {
    root: u32,
    len: u32,
    sequence: u32,
}

impl HeapQueue {
    /// An empty queue.
    pub const fn new() -> Self {
        Self {
            root: NONE,
            len: 0,
            sequence: 0,
        }
    }

    /// How many nodes are queued.
    #[inline]
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether none is.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Queues a node behind those with the same key. A node that is in the queue moves to its new key.
    pub fn insert(&mut self, nodes: &mut impl Nodes, id: u32, key: u64) {
        debug_assert!(id < OUT);
        self.remove(nodes, id);
        *nodes.node_mut(id) = Node {
            key,
            sequence: self.sequence,
            before: NONE,
            ..Node::NEW
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.root = merge(nodes, self.root, id);
        self.len += 1;
    }

    /// The first node and its key.
    #[inline]
    pub fn peek(&self, nodes: &impl Nodes) -> Option<(u32, u64)> {
        (self.root != NONE).then(|| (self.root, nodes.node(self.root).key))
    }

    /// Takes the first node out.
    pub fn pop(&mut self, nodes: &mut impl Nodes) -> Option<u32> {
        let first = self.root;
        (first != NONE).then(|| {
            self.remove(nodes, first);
            first
        })
    }

    /// Takes a node out; `false` when it was in no queue.
    pub fn remove(&mut self, nodes: &mut impl Nodes, id: u32) -> bool {
        let node = *nodes.node(id);
        if !node.is_queued() {
            return false;
        }
        *nodes.node_mut(id) = Node {
            key: node.key,
            ..Node::NEW
        };
        self.len -= 1;
        let later = merge_siblings(nodes, node.child);
        if id == self.root {
            self.root = later;
            return true;
        }
        let before = nodes.node_mut(node.before);
        if before.child == id {
            before.child = node.behind;
        } else {
            before.behind = node.behind;
        }
        if node.behind != NONE {
            nodes.node_mut(node.behind).before = node.before;
        }
        self.root = merge(nodes, self.root, later);
        true
    }
}

impl Default for HeapQueue {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes one heap of two; a heap is its first node, or [`NONE`].
fn merge(nodes: &mut impl Nodes, a: u32, b: u32) -> u32 {
    if a == NONE || b == NONE {
        let only = if a == NONE { b } else { a };
        if only != NONE {
            let node = nodes.node_mut(only);
            (node.before, node.behind) = (NONE, NONE);
        }
        return only;
    }
    let (first, second) = if nodes.node(b).is_before(nodes.node(a)) {
        (b, a)
    } else {
        (a, b)
    };
    let node = nodes.node_mut(first);
    let child = core::mem::replace(&mut node.child, second);
    (node.before, node.behind) = (NONE, NONE);
    let node = nodes.node_mut(second);
    (node.before, node.behind) = (first, child);
    if child != NONE {
        nodes.node_mut(child).before = second;
    }
    first
}

/// Makes one heap of a list of siblings, in the two passes that give the pairing heap its bounds.
fn merge_siblings(nodes: &mut impl Nodes, first: u32) -> u32 {
    // Pairs from the front, put on a stack that is linked through `behind`.
    let (mut rest, mut stack) = (first, NONE);
    while rest != NONE {
        let a = rest;
        let b = nodes.node(a).behind;
        rest = if b == NONE { NONE } else { nodes.node(b).behind };
        let pair = merge(nodes, a, b);
        nodes.node_mut(pair).behind = stack;
        stack = pair;
    }
    // And all of them, from the back.
    let mut heap = NONE;
    while stack != NONE {
        let next = nodes.node(stack).behind;
        heap = merge(nodes, heap, stack);
        stack = next;
    }
    heap
}

//! The heap's algorithm: a list of free blocks, ordered by address, in the free memory itself.
//!
//! Used blocks have no headers: who frees memory says how much it is. The first block that is large enough is taken;
//! neighbours are joined when one is freed.

use core::alloc::Layout;

/// Blocks begin and end at multiples of this: a free block has room for its length and the next one's address.
pub(crate) const UNIT: usize = 16;

/// Access to the words of free memory, for which the allocator is responsible.
pub(crate) trait Words {
    /// The word at an address in a free block.
    fn get(&self, address: usize) -> usize;
    /// Changes the word at an address in a free block.
    fn set(&mut self, address: usize, value: usize);
}

/// A list of free blocks. Address 0 ends the list.
#[derive(Debug)]
pub(crate) struct FreeList<W> {
    words: W,
    first: usize,
}

impl<W: Words> FreeList<W> {
    /// An empty heap.
    pub(crate) const fn new(words: W) -> Self {
        Self { words, first: 0 }
    }

    fn next(&self, block: usize) -> usize {
        self.words.get(block)
    }

    fn len(&self, block: usize) -> usize {
        self.words.get(block + size_of::<usize>())
    }

    /// Makes `block` what follows `previous`, where 0 is the start of the list.
    fn link(&mut self, previous: usize, block: usize) {
        if previous == 0 {
            self.first = block;
        } else {
            self.words.set(previous, block);
        }
    }

    fn put(&mut self, block: usize, len: usize, next: usize) {
        self.words.set(block, next);
        self.words.set(block + size_of::<usize>(), len);
    }

    /// How much memory a layout takes.
    pub(crate) fn size(layout: Layout) -> Option<usize> {
        layout.size().max(1).checked_next_multiple_of(UNIT)
    }

    /// Takes memory: its address, or `None` when no free block is large enough.
    pub(crate) fn allocate(&mut self, layout: Layout) -> Option<usize> {
        let size = Self::size(layout)?;
        let align = layout.align().max(UNIT);
        let (mut previous, mut block) = (0, self.first);
        while block != 0 {
            let (next, end) = (self.next(block), block + self.len(block));
            let start = block.checked_next_multiple_of(align)?;
            if start.checked_add(size).is_some_and(|used| used <= end) {
                let after = start + size;
                let rest = if after < end { after } else { next };
                if start > block {
                    self.put(block, start - block, rest);
                } else {
                    self.link(previous, rest);
                }
                if after < end {
                    self.put(after, end - after, next);
                }
                return Some(start);
            }
            (previous, block) = (block, next);
        }
        None
    }

    /// Gives memory back, or gives new memory: `len` bytes at `start`, both multiples of [`UNIT`], and not 0.
    pub(crate) fn free(&mut self, start: usize, len: usize) {
        let (mut previous, mut next) = (0, self.first);
        while next != 0 && next < start {
            (previous, next) = (next, self.next(next));
        }
        let (mut len, mut after) = (len, next);
        if next != 0 && start + len == next {
            len += self.len(next);
            after = self.next(next);
        }
        if previous != 0 && previous + self.len(previous) == start {
            let len = self.len(previous) + len;
            self.put(previous, len, after);
        } else {
            self.put(start, len, after);
            self.link(previous, start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: usize = 0x1000;

    /// Memory that knows which parts are free: touching a used one is the allocator's mistake.
    struct Memory {
        words: Vec<usize>,
    }

    impl Words for Memory {
        fn get(&self, address: usize) -> usize {
            self.words[(address - BASE) / size_of::<usize>()]
        }

        fn set(&mut self, address: usize, value: usize) {
            self.words[(address - BASE) / size_of::<usize>()] = value;
        }
    }

    fn heap(len: usize) -> FreeList<Memory> {
        let words = vec![0; len / size_of::<usize>()];
        let mut heap = FreeList::new(Memory { words });
        heap.free(BASE, len);
        heap
    }

    fn free_blocks(heap: &FreeList<Memory>) -> Vec<(usize, usize)> {
        let mut blocks = Vec::new();
        let mut block = heap.first;
        while block != 0 {
            blocks.push((block, heap.len(block)));
            block = heap.next(block);
        }
        blocks
    }

    #[test]
    fn nothing_is_lost_at_the_edges() {
        let mut heap = heap(64);
        let all = Layout::from_size_align(64, 8).unwrap();
        assert_eq!(heap.allocate(all), Some(BASE));
        assert_eq!(heap.allocate(Layout::new::<u8>()), None);
        heap.free(BASE, 64);
        assert_eq!(heap.allocate(all), Some(BASE));
    }

    #[test]
    fn what_is_too_large_for_addresses_is_refused() {
        let layout = Layout::from_size_align(isize::MAX as usize - 15, 16).unwrap();
        assert_eq!(heap(64).allocate(layout), None);
    }

    proptest! {
        #[test]
        fn used_and_free_blocks_fill_the_memory_exactly(
            steps in prop::collection::vec((any::<bool>(), 0_usize..700, 0_u32..9, any::<prop::sample::Index>()), 1..200)
        ) {
            const LEN: usize = 16 * 1024;
            let mut heap = heap(LEN);
            let mut used: Vec<(usize, usize)> = Vec::new();
            for (take, size, align, index) in steps {
                if take || used.is_empty() {
                    let layout = Layout::from_size_align(size, 1 << align).unwrap();
                    if let Some(start) = heap.allocate(layout) {
                        prop_assert_eq!(start % layout.align(), 0);
                        let len = FreeList::<Memory>::size(layout).unwrap();
                        prop_assert!(len >= size);
                        // The program writes to what it got; the allocator must not depend on it.
                        for at in (start..start + len).step_by(size_of::<usize>()) {
                            heap.words.set(at, usize::MAX);
                        }
                        used.push((start, len));
                    }
                } else {
                    let (start, len) = used.swap_remove(index.index(used.len()));
                    heap.free(start, len);
                }
                let free = free_blocks(&heap);
                prop_assert!(free.windows(2).all(|pair| pair[0].0 + pair[0].1 < pair[1].0), "not joined: {free:?}");
                let mut all: Vec<_> = used.iter().copied().chain(free).collect();
                all.sort_unstable();
                let mut at = BASE;
                for (start, len) in all {
                    prop_assert_eq!(start, at);
                    at += len;
                }
                prop_assert_eq!(at, BASE + LEN);
            }
        }
    }
}

//! The heap, the memory map and user ranges.

use std::alloc::Layout;

use abi::Error;
use abi::layout::{PAGE_SIZE, USER_END};
use bootinfo::{MemoryKind, MemoryRegion};
use kcore::heap::Heap;
use kcore::memory_map::{self, MapError, MemoryMap};
use kcore::user_range::UserRange;
use proptest::prelude::*;

proptest! {
    #[test]
    fn heap_blocks_fit_their_layout_and_never_overlap(
        requests in prop::collection::vec((1..5000_usize, 0..9_u32, any::<bool>()), 1..100),
    ) {
        let len = 1 << 18;
        let mut heap = Heap::new(vec![0; Heap::<Vec<u64>>::words(len)], len);
        let total = heap.free();
        prop_assert_eq!(total, len);
        let mut live: Vec<(usize, Layout)> = Vec::new();
        for (size, align, release) in requests {
            let layout = Layout::from_size_align(size, 1 << align).unwrap();
            if let Some(offset) = heap.allocate(layout) {
                prop_assert!(offset.is_multiple_of(layout.align()) && offset + size <= len);
                for (other, other_layout) in &live {
                    prop_assert!(offset + size <= *other || other + other_layout.size() <= offset);
                }
                live.push((offset, layout));
            }
            if release && !live.is_empty() {
                let (offset, layout) = live.swap_remove(live.len() / 2);
                prop_assert_eq!(heap.release(offset, layout), Ok(()));
                prop_assert!(heap.release(offset, layout).is_err());
            }
        }
        for (offset, layout) in live {
            prop_assert_eq!(heap.release(offset, layout), Ok(()));
        }
        prop_assert_eq!(heap.free(), total);
    }

    #[test]
    fn a_painted_map_says_what_was_painted_last(
        paints in prop::collection::vec((0..40_u64, 1..20_u64, 0..4_usize), 1..20),
    ) {
        let kinds = [MemoryKind::Usable, MemoryKind::Loader, MemoryKind::AcpiReclaim, MemoryKind::Reserved];
        let mut map = MemoryMap::<128>::new();
        let mut model = [None; 64];
        for (start, len, kind) in paints {
            map.paint(start * PAGE_SIZE, len * PAGE_SIZE, kinds[kind]).unwrap();
            model[start as usize..(start + len) as usize].fill(Some(kinds[kind]));
        }
        let mut last: Option<&MemoryRegion> = None;
        for region in map.regions() {
            if let Some(last) = last {
                prop_assert!(memory_map::end(last) <= region.start);
                let joins = memory_map::end(last) == region.start && last.kind == region.kind;
                prop_assert!(!joins, "neighbours of one kind are one region");
            }
            last = Some(region);
        }
        for (page, kind) in model.into_iter().enumerate() {
            let at = page as u64 * PAGE_SIZE;
            let region = map.regions().iter().find(|r| r.start <= at && at < memory_map::end(r));
            prop_assert_eq!(region.map(memory_map::kind), kind);
        }
        let copy = MemoryMap::<128>::from_regions(map.regions()).unwrap();
        prop_assert_eq!(copy.regions(), map.regions());
    }

    #[test]
    fn user_ranges_stay_in_user_space(start: u64, len in 0..1_u64 << 40, max: u32) {
        match UserRange::new(start, len, max as usize) {
            Ok(_) => prop_assert!(len == 0 || start + len <= USER_END && len <= u64::from(max)),
            Err(Error::BadLength) => prop_assert!(len > u64::from(max)),
            Err(error) => {
                prop_assert_eq!(error, Error::BadAddress);
                prop_assert!(start.checked_add(len).is_none_or(|end| end > USER_END));
            }
        }
    }

    #[test]
    fn the_pages_of_a_range_add_up(start in 0..USER_END, len in 0..100_000_u64) {
        prop_assume!(start + len <= USER_END);
        let range = UserRange::new(start, len, usize::MAX).unwrap();
        let (mut at, mut done) = (start, 0);
        for part in range.pages() {
            prop_assert_eq!((part.start, part.offset), (at, done));
            prop_assert!(part.len > 0 && part.start / PAGE_SIZE == (part.start + part.len as u64 - 1) / PAGE_SIZE);
            at += part.len as u64;
            done += part.len;
        }
        prop_assert_eq!(done as u64, len);
    }
}

#[test]
fn user_ranges_that_wrap_around_are_refused() {
    assert_eq!(UserRange::new(u64::MAX, 2, 100), Err(Error::BadAddress));
    assert_eq!(UserRange::new(8, u64::MAX, usize::MAX), Err(Error::BadAddress));
    assert_eq!(UserRange::new(USER_END - 1, 2, 100), Err(Error::BadAddress));
    assert!(UserRange::new(USER_END - 1, 1, 100).is_ok());
    assert_eq!(
        UserRange::new(u64::MAX, 0, 0).map(|range| range.pages().count()),
        Ok(0)
    );
}

#[test]
fn usable_memory_shrinks_to_pages_and_all_other_grows() {
    let mut map = MemoryMap::<8>::new();
    map.paint(0x1800, 0x3000, MemoryKind::Usable).unwrap();
    map.paint(0x3f00, 1, MemoryKind::Loader).unwrap();
    let found: Vec<_> = map
        .regions()
        .iter()
        .map(|r| (r.start, r.pages, memory_map::kind(r)))
        .collect();
    assert_eq!(
        found,
        [(0x2000, 1, MemoryKind::Usable), (0x3000, 1, MemoryKind::Loader)]
    );
    map.paint(u64::MAX - 5, u64::MAX, MemoryKind::Reserved).unwrap();
    map.paint(0, 0, MemoryKind::Reserved).unwrap();
    assert_eq!(
        map.regions().len(),
        2,
        "what ends above the last whole page says nothing"
    );
}

#[test]
fn a_full_map_says_so() {
    let mut map = MemoryMap::<2>::new();
    map.paint(0, PAGE_SIZE, MemoryKind::Usable).unwrap();
    map.paint(2 * PAGE_SIZE, PAGE_SIZE, MemoryKind::Usable).unwrap();
    assert_eq!(
        map.paint(4 * PAGE_SIZE, PAGE_SIZE, MemoryKind::Usable),
        Err(MapError::Full(2))
    );
}

#[test]
fn a_loaders_map_is_checked() {
    let region = |start, pages, kind| MemoryRegion {
        start,
        pages,
        kind,
        reserved: 0,
    };
    let check =
        |regions: &[MemoryRegion]| MemoryMap::<4>::from_regions(regions).map(|map| map.regions().to_vec());
    assert_eq!(
        check(&[region(0x1000, 1, 1), region(0x1000, 1, 1)]),
        Err(MapError::Malformed(1))
    );
    assert_eq!(check(&[region(0x1800, 1, 1)]), Err(MapError::Malformed(0)));
    assert_eq!(check(&[region(0x1000, u64::MAX, 1)]), Err(MapError::Malformed(0)));
    // Neighbours of one kind join; unknown kinds are reserved memory; empty regions vanish.
    let regions = [
        region(0, 1, 1),
        region(0x1000, 1, 1),
        region(0x2000, 0, 1),
        region(0x2000, 1, 77),
    ];
    assert_eq!(check(&regions), Ok(vec![region(0, 2, 1), region(0x2000, 1, 4)]));
}

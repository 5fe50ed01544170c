//! From the firmware's memory map to the kernel's: sorted, free of overlaps, with neighbours of one kind
//! joined.

use bootinfo::{MemoryKind, MemoryRegion};

use crate::PAGE;

/// Makes `regions` conform to what [`MemoryRegion`] promises and returns how many remain, at the front.
///
/// Where two regions overlap, the common part goes to the more restricted one, and a part that would need an
/// entry of its own is dropped: memory that no entry names is never touched, so dropping is safe, and no
/// space has to be found for it.
pub fn normalise(regions: &mut [MemoryRegion]) -> usize {
    regions.sort_unstable_by_key(|r| (r.start, core::cmp::Reverse(restriction(r.kind))));
    let mut kept = 0;
    for index in 0..regions.len() {
        let mut next = regions[index];
        while kept > 0 && end(&regions[kept - 1]) > next.start {
            let last = &mut regions[kept - 1];
            if restriction(next.kind) > restriction(last.kind) {
                last.pages = next.start.saturating_sub(last.start) / PAGE;
                if last.pages == 0 {
                    kept -= 1;
                }
            } else {
                let overlap = (end(last) - next.start) / PAGE;
                next.start = end(last);
                next.pages = next.pages.saturating_sub(overlap);
            }
        }
        if next.pages == 0 {
            continue;
        }
        if kept > 0 {
            let last = &mut regions[kept - 1];
            if end(last) == next.start && last.kind == next.kind {
                last.pages += next.pages;
                continue;
            }
        }
        regions[kept] = next;
        kept += 1;
    }
    kept
}

fn end(region: &MemoryRegion) -> u64 {
    region.start.saturating_add(region.pages.saturating_mul(PAGE))
}

fn restriction(kind: u32) -> u8 {
    const ORDER: [MemoryKind; 3] = [MemoryKind::Usable, MemoryKind::Loader, MemoryKind::AcpiReclaim];
    ORDER
        .iter()
        .position(|&k| k as u32 == kind)
        .unwrap_or(ORDER.len()) as u8
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use MemoryKind::{AcpiReclaim, Loader, Reserved, Usable};
    use std::vec::Vec;

    fn run(input: &[(u64, u64, MemoryKind)]) -> Vec<(u64, u64, u32)> {
        let mut regions: Vec<_> = input
            .iter()
            .map(|&(page, pages, kind)| MemoryRegion {
                start: page * PAGE,
                pages,
                kind: kind as u32,
                reserved: 0,
            })
            .collect();
        let kept = normalise(&mut regions);
        regions[..kept]
            .iter()
            .map(|r| (r.start / PAGE, r.pages, r.kind))
            .collect()
    }

    #[test]
    fn sorted_and_joined() {
        assert_eq!(
            run(&[
                (5, 5, Usable),
                (20, 1, Reserved),
                (0, 5, Usable),
                (10, 2, Loader),
                (12, 1, Loader),
                (14, 1, Loader)
            ]),
            [(0, 10, 1), (10, 3, 2), (14, 1, 2), (20, 1, 4)]
        );
    }

    #[test]
    fn overlaps_go_to_the_more_restricted_kind() {
        assert_eq!(run(&[(0, 10, Usable), (8, 4, Reserved)]), [(0, 8, 1), (8, 4, 4)]);
        assert_eq!(
            run(&[(0, 10, Reserved), (8, 4, Usable)]),
            [(0, 10, 4), (10, 2, 1)]
        );
        assert_eq!(run(&[(0, 10, AcpiReclaim), (2, 4, Usable)]), [(0, 10, 3)]);
        assert_eq!(run(&[(0, 10, Usable), (0, 4, Loader)]), [(0, 4, 2), (4, 6, 1)]);
        assert_eq!(run(&[(0, 4, Loader), (0, 4, Loader)]), [(0, 4, 2)]);
        assert_eq!(
            run(&[(0, 10, Reserved), (2, 18, Usable), (5, 7, Loader)]),
            [(0, 10, 4), (10, 2, 2)]
        );
    }

    #[test]
    fn nothing_that_is_restricted_ends_up_usable() {
        // All pairs of overlapping or touching intervals of all kinds.
        let kinds = [Usable, Loader, AcpiReclaim, Reserved];
        for a in 0..6 {
            for b in 1..6 {
                for first in kinds {
                    for second in kinds {
                        let out = run(&[(3, 3, first), (a, b, second)]);
                        assert!(out.windows(2).all(|w| w[0].0 + w[0].1 <= w[1].0), "{out:?}");
                        for page in 0..12 {
                            let found = out.iter().find(|r| r.0 <= page && page < r.0 + r.1).map(|r| r.2);
                            let wanted = [(3, 3, first), (a, b, second)]
                                .iter()
                                .filter(|r| r.0 <= page && page < r.0 + r.1)
                                .map(|r| r.2 as u32)
                                .max();
                            assert!(
                                found.is_none() || found == wanted,
                                "page {page}: {found:?} but {wanted:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}

//! What the kernel takes from a device tree: memory when nothing else says where it is, and its devices.

use bootinfo::{BootInfo, KERNEL_VMA, MAGIC, MemoryKind, PhysRange, VERSION};
use kcore::fdt::{Fdt, Node, number};
use kcore::memory_map::{MapError, MemoryMap};

use crate::{image, phys};

/// Most regions of memory that a device tree may lead to.
pub(crate) const MAX_REGIONS: usize = 64;

/// The device tree at a physical address.
///
/// # Safety
/// At the address, and as far as the tree there claims to reach, memory can be read and nobody writes to it.
pub(crate) unsafe fn at<'a>(address: u64) -> Fdt<'a> {
    assert!(
        address != 0 && address.is_multiple_of(8),
        "no device tree: its address is {address:#x}"
    );
    // SAFETY: the caller's promise; every tree has a header of 40 bytes, and a claimed length.
    let tree = unsafe {
        let len = Fdt::claimed_len(phys::bytes(address, 8)).unwrap_or_else(|error| panic!("{error}"));
        phys::bytes(address, len)
    };
    Fdt::new(tree).unwrap_or_else(|error| panic!("{error}"))
}

/// Visits every node; a malformed tree is the end.
pub(crate) fn walk<'a>(tree: &Fdt<'a>, visit: impl FnMut(&Node<'a>, &[Node<'a>])) {
    if let Err(error) = tree.walk(visit) {
        panic!("{error}");
    }
}

/// The first enabled node that is compatible with one of the models: its address ranges, two at most.
pub(crate) fn find(tree: &Fdt<'_>, models: &[&str]) -> Option<[(u64, u64); 2]> {
    let mut found = None;
    walk(tree, |node, _| {
        let matches = models.iter().any(|model| node.is_compatible(model));
        if found.is_none() && node.enabled && node.physical && matches {
            let mut ranges = node.ranges();
            found = ranges
                .next()
                .map(|first| [first, ranges.next().unwrap_or_default()]);
        }
    });
    found
}

/// A property of the first enabled node that is compatible with one of the models.
pub(crate) fn property_of<'a>(tree: &Fdt<'a>, models: &[&str], property: &str) -> Option<&'a [u8]> {
    let mut found = None;
    walk(tree, |node, _| {
        let matches = models.iter().any(|model| node.is_compatible(model));
        if found.is_none() && node.enabled && node.physical && matches {
            found = Some(node.property(tree, property));
        }
    });
    found?
}

/// A property of the first node with a name.
pub(crate) fn property<'a>(tree: &Fdt<'a>, node_name: &str, property: &str) -> Option<&'a [u8]> {
    let mut found = None;
    walk(tree, |node, _| {
        if found.is_none() && node.name == node_name {
            found = node.property(tree, property);
        }
    });
    found
}

/// Makes the boot record of a machine that was started without a loader. Its memory map is `map`, which has to stay
/// where it is.
///
/// # Errors
/// When the tree names more memory than the map has room for.
///
/// # Panics
/// When the tree is malformed.
pub(crate) fn boot_record(
    tree: &Fdt<'_>,
    dtb: PhysRange,
    kernel_start: u64,
    cpu: u64,
    map: &mut MemoryMap<MAX_REGIONS>,
) -> Result<BootInfo, MapError> {
    let mut painted = Ok(());
    walk(tree, |node, parents| {
        if painted.is_ok() && parents.len() == 1 && node.name.starts_with("memory@") && node.enabled {
            painted = node
                .ranges()
                .try_for_each(|(start, len)| map.paint(start, len, MemoryKind::Usable));
        }
    });
    painted?;
    let mut painted = Ok(());
    walk(tree, |node, parents| {
        if painted.is_ok()
            && parents
                .last()
                .is_some_and(|parent| parent.name == "reserved-memory")
        {
            painted = node
                .ranges()
                .try_for_each(|(start, len)| map.paint(start, len, MemoryKind::Reserved));
        }
    });
    painted?;
    tree.reservations()
        .try_for_each(|(start, len)| map.paint(start, len, MemoryKind::Reserved))?;

    let kernel = PhysRange {
        start: kernel_start,
        len: image::len(),
    };
    let initrd = initrd(tree);
    for range in [kernel, initrd, dtb] {
        map.paint(range.start, range.len, MemoryKind::Loader)?;
    }
    // The map lies on the kernel's stack; a boot record has physical addresses.
    let regions = map.regions();
    let memory_map = regions.as_ptr().addr() as u64 - KERNEL_VMA + kernel_start;
    Ok(BootInfo {
        magic: MAGIC,
        version: VERSION,
        has_seed: 0,
        kernel,
        initrd,
        rsdp: 0,
        dtb: dtb.start,
        boot_cpu: cpu,
        framebuffer: bootinfo::Framebuffer::default(),
        memory_map,
        memory_map_len: regions.len() as u64,
        seed: [0; bootinfo::SEED_LEN],
    })
}

fn initrd(tree: &Fdt<'_>) -> PhysRange {
    let address = |name| property(tree, "chosen", name).and_then(number);
    match (address("linux,initrd-start"), address("linux,initrd-end")) {
        (Some(start), Some(end)) if start < end => PhysRange {
            start,
            len: end - start,
        },
        _ => PhysRange::default(),
    }
}

//! Page tables: the encodings bit by bit, and the walker on a model of memory.

use std::collections::BTreeMap;

use kcore::paging::{
    Aarch64, Access, Attributes, ENTRIES, Encoding, Entry, MapError, Mapper, Memory, Owner, PAGE_SIZE,
    Released, Riscv64, TableMemory, X86_64, index, is_canonical, level_size,
};
use proptest::prelude::*;

/// Tables in a map; frees are checked.
#[derive(Default)]
struct Model {
    tables: BTreeMap<u64, Vec<u64>>,
    room: Option<usize>,
}

const FIRST_TABLE: u64 = 0x10_0000;

impl Model {
    fn with_room(tables: usize) -> Self {
        Self {
            tables: BTreeMap::new(),
            room: Some(tables),
        }
    }
}

impl TableMemory for Model {
    fn load(&self, table: u64, index: usize) -> u64 {
        self.tables[&table][index]
    }

    fn store(&mut self, table: u64, index: usize, entry: u64) {
        self.tables.get_mut(&table).unwrap()[index] = entry;
    }

    fn allocate(&mut self) -> Option<u64> {
        if self.room.is_some_and(|room| self.tables.len() >= room) {
            return None;
        }
        let table = FIRST_TABLE + self.tables.len() as u64 * PAGE_SIZE;
        self.tables.insert(table, vec![0; ENTRIES]);
        Some(table)
    }
}

fn accesses() -> impl Strategy<Value = Access> {
    prop_oneof![
        Just(Access::ReadOnly),
        Just(Access::ReadWrite),
        Just(Access::ReadExecute)
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let owner = prop_oneof![Just(Owner::Kernel), Just(Owner::User)];
    (accesses(), owner).prop_map(|(access, owner)| Attributes {
        access,
        memory: Memory::Normal,
        owner,
    })
}

#[test]
fn x86_64_entries_have_the_bits_of_the_manual() {
    let nx = 1 << 63;
    let leaf = |access, level| X86_64::leaf(0x20_0000, level, Attributes::kernel(access));
    assert_eq!(leaf(Access::ReadOnly, 0), nx | 0x20_0101);
    assert_eq!(leaf(Access::ReadWrite, 0), nx | 0x20_0103);
    assert_eq!(leaf(Access::ReadExecute, 1), 0x20_0181);
    assert_eq!(
        X86_64::leaf(0x3000, 0, Attributes::user(Access::ReadWrite)),
        nx | 0x3007
    );
    assert_eq!(X86_64::leaf(0xfee0_0000, 0, Attributes::DEVICE), nx | 0xfee0_011b);
    assert_eq!(X86_64::table(0x5000), 0x5007);
    assert_eq!(
        X86_64::decode(0x5007 | 1 << 5, 3),
        Entry::Table(0x5000),
        "the CPU sets the accessed bit"
    );
}

#[test]
fn aarch64_entries_have_the_bits_of_the_manual() {
    let (pxn, uxn) = (1 << 53, 1 << 54);
    let leaf = |attributes, level| Aarch64::leaf(0x4000_0000, level, attributes);
    assert_eq!(
        leaf(Attributes::kernel(Access::ReadExecute), 0),
        uxn | 0x4000_078f
    );
    assert_eq!(
        leaf(Attributes::kernel(Access::ReadWrite), 1),
        uxn | pxn | 0x4000_070d
    );
    assert_eq!(leaf(Attributes::user(Access::ReadExecute), 0), pxn | 0x4000_0fcf);
    assert_eq!(
        leaf(Attributes::user(Access::ReadWrite), 0),
        uxn | pxn | 0x4000_0f4f
    );
    assert_eq!(
        Aarch64::leaf(0x900_0000, 0, Attributes::DEVICE),
        uxn | pxn | 0x900_0403
    );
    assert_eq!(Aarch64::table(0x5000), 0x5003);
}

#[test]
fn riscv64_entries_have_the_bits_of_the_manual() {
    let leaf = |attributes| Riscv64::leaf(0x8000_0000, 0, attributes);
    assert_eq!(leaf(Attributes::kernel(Access::ReadOnly)), 0x2000_00e3);
    assert_eq!(leaf(Attributes::kernel(Access::ReadWrite)), 0x2000_00e7);
    assert_eq!(leaf(Attributes::kernel(Access::ReadExecute)), 0x2000_00eb);
    assert_eq!(leaf(Attributes::user(Access::ReadWrite)), 0x2000_00d7);
    assert_eq!(Riscv64::table(0x8000_1000), 0x2000_0401);
}

#[test]
fn entries_that_are_writable_and_executable_are_not_understood() {
    assert_eq!(X86_64::decode(0x1003, 0), Entry::Unknown);
    assert_eq!(Aarch64::decode(1 << 54 | 0x70f, 0), Entry::Unknown);
    assert_eq!(Riscv64::decode(0xcf, 0), Entry::Unknown);
}

#[test]
fn addresses_are_cut_into_indices() {
    let virt = 0xffff_ffff_8020_1234;
    assert_eq!([3, 2, 1, 0].map(|level| index(virt, level)), [511, 510, 1, 1]);
    assert!(is_canonical::<X86_64>(virt) && is_canonical::<Riscv64>(virt));
    assert!(is_canonical::<X86_64>(1 << 46) && !is_canonical::<X86_64>(1 << 47));
    assert!(is_canonical::<Riscv64>((1 << 38) - 1) && !is_canonical::<Riscv64>(1 << 38));
}

fn round_trip<I: Encoding>(phys: u64, level: usize, attributes: Attributes) {
    let phys = phys & !(level_size(level) - 1) & ((1 << I::PHYSICAL_BITS) - 1);
    let leaf = I::leaf(phys, level, attributes);
    assert_eq!(I::decode(leaf, level), Entry::Leaf(phys, attributes));
    let table = phys & !(PAGE_SIZE - 1);
    assert_eq!(I::decode(I::table(table), level + 1), Entry::Table(table));
}

/// Maps a range, and looks at every page of it and around it.
fn map_and_look<I: Encoding>(virt: u64, phys: u64, pages: u64, attributes: Attributes) {
    let mut memory = Model::default();
    let mapper = Mapper::<I>::new(memory.allocate().unwrap());
    let len = pages * PAGE_SIZE;
    mapper.map(&mut memory, virt, phys, len, attributes).unwrap();
    for page in 0..pages {
        let offset = page * PAGE_SIZE + page % PAGE_SIZE;
        let found = mapper.translate(&memory, virt + offset).unwrap();
        assert_eq!((found.phys, found.attributes), (phys + offset, attributes));
    }
    assert_eq!(mapper.translate(&memory, virt.wrapping_sub(1)), None);
    assert_eq!(mapper.translate(&memory, virt.wrapping_add(len)), None);
    // Again, anywhere in the range: refused.
    let middle = virt + pages / 2 * PAGE_SIZE;
    let again = mapper.map(&mut memory, middle, phys, PAGE_SIZE, attributes);
    assert_eq!(again, Err(MapError::Mapped(middle)));

    let mut bytes = 0;
    let mut tables = Vec::new();
    mapper.dismantle(&mut memory, 0..ENTRIES, &mut |_, released| match released {
        Released::Leaf(_, level) => bytes += level_size(level),
        Released::Table(table) => tables.push(table),
    });
    assert_eq!(bytes, len);
    tables.sort_unstable();
    let all: Vec<u64> = memory
        .tables
        .keys()
        .copied()
        .filter(|&table| table != mapper.root())
        .collect();
    assert_eq!(tables, all, "every table but the root is set free once");
    assert_eq!(mapper.translate(&memory, virt), None);
}

/// What every encoding refuses.
fn refusals<I: Encoding>() {
    let mut memory = Model::default();
    let mapper = Mapper::<I>::new(memory.allocate().unwrap());
    let attributes = Attributes::kernel(Access::ReadOnly);
    let half = 1_u64 << (11 + 9 * I::LEVELS);
    let mut map = |virt, phys, len| mapper.map(&mut memory, virt, phys, len, attributes);
    for (virt, phys, len) in [(1, 0, 4096), (0, 1, 4096), (0, 0, 1)] {
        assert_eq!(map(virt, phys, len), Err(MapError::Misaligned));
    }
    for (virt, phys, len) in [
        (half, 0, PAGE_SIZE),
        (half - PAGE_SIZE, 0, 2 * PAGE_SIZE),
        (half - PAGE_SIZE, 0, half.wrapping_neg() - half + 2 * PAGE_SIZE),
        (0, 1 << I::PHYSICAL_BITS, PAGE_SIZE),
        (0, (1 << I::PHYSICAL_BITS) - PAGE_SIZE, 2 * PAGE_SIZE),
        (u64::MAX - PAGE_SIZE + 1, 0, 2 * PAGE_SIZE),
    ] {
        assert_eq!(
            map(virt, phys, len),
            Err(MapError::Range),
            "{virt:#x} {phys:#x} {len:#x}"
        );
    }
    assert_eq!(map(0, 0, 0), Ok(()));

    let mut memory = Model::with_room(2);
    let mapper = Mapper::<I>::new(memory.allocate().unwrap());
    assert_eq!(
        mapper.map(&mut memory, 0, 0, PAGE_SIZE, attributes),
        Err(MapError::NoMemory)
    );
}

#[test]
fn impossible_mappings_are_refused() {
    refusals::<X86_64>();
    refusals::<Aarch64>();
    refusals::<Riscv64>();
}

#[test]
fn aligned_ranges_get_large_pages() {
    let mut memory = Model::default();
    let mapper = Mapper::<Riscv64>::new(memory.allocate().unwrap());
    let attributes = Attributes::kernel(Access::ReadWrite);
    mapper
        .map(&mut memory, 0x4000_0000, 0x8000_0000, 0x4000_0000, attributes)
        .unwrap();
    assert_eq!(memory.tables.len(), 1, "one GiB is one entry of the root");
    mapper
        .map(&mut memory, 0x8000_0000, 0x8020_0000, 0x20_0000, attributes)
        .unwrap();
    assert_eq!(memory.tables.len(), 2, "two MiB are one entry of the next table");
}

proptest! {
    #[test]
    fn leaves_and_tables_survive_their_encoding(phys: u64, level in 0..2_usize, attributes in attributes()) {
        round_trip::<X86_64>(phys, level, attributes);
        round_trip::<Aarch64>(phys, level, attributes);
        round_trip::<Riscv64>(phys, level, attributes);
    }

    #[test]
    fn device_memory_survives_where_the_format_has_it(phys: u64, access in accesses()) {
        let attributes = Attributes { access, memory: Memory::Device, owner: Owner::Kernel };
        round_trip::<X86_64>(phys, 0, attributes);
        round_trip::<Aarch64>(phys, 0, attributes);
    }

    #[test]
    fn any_entry_decodes_without_panic(entry: u64, level in 0..4_usize) {
        for decoded in [
            X86_64::decode(entry, level),
            Aarch64::decode(entry, level),
            Riscv64::decode(entry, level.min(2)),
        ] {
            if let Entry::Leaf(phys, _) | Entry::Table(phys) = decoded {
                prop_assert!(phys.is_multiple_of(PAGE_SIZE));
            }
        }
    }

    #[test]
    fn mapped_pages_are_found_and_set_free(
        page in 1..1_u64 << 25,
        frame in 0..1_u64 << 30,
        pages in 1..1500_u64,
        is_aligned: bool,
        is_upper: bool,
        attributes in attributes(),
    ) {
        // Aligned alike, so that large pages are used; or anyhow.
        let frame = if is_aligned { frame / 512 * 512 + page % 512 } else { frame };
        let upper = if is_upper { 0xffff_ffc0_0000_0000 } else { 0 };
        let (virt, phys) = (upper + page * PAGE_SIZE, frame * PAGE_SIZE);
        map_and_look::<X86_64>(virt, phys, pages, attributes);
        map_and_look::<Aarch64>(virt, phys, pages, attributes);
        map_and_look::<Riscv64>(virt, phys, pages, attributes);
    }
}

/// The table of a small page stays when the page goes. It is not in the way of a large one, which is then made of small
/// ones; what is still there is.
fn large_where_small_was<I: Encoding>() {
    let mut memory = Model::default();
    let mapper = Mapper::<I>::new(memory.allocate().unwrap());
    let (virt, phys, large) = (1 << 30, 1 << 31, level_size(1));
    let attributes = Attributes::user(Access::ReadWrite);
    mapper
        .map(&mut memory, virt + PAGE_SIZE, phys, PAGE_SIZE, attributes)
        .unwrap();
    let refused = mapper.map(&mut memory, virt, phys, large, attributes);
    assert_eq!(refused, Err(MapError::Mapped(virt + PAGE_SIZE)));
    assert_eq!(mapper.unmap(&mut memory, virt), Some((phys, PAGE_SIZE)));
    assert_eq!(
        mapper.unmap(&mut memory, virt + PAGE_SIZE),
        Some((phys, PAGE_SIZE))
    );
    mapper.map(&mut memory, virt, phys, large, attributes).unwrap();
    let last = mapper.translate(&memory, virt + large - 1).unwrap();
    assert_eq!(last.phys, phys + large - 1);
}

#[test]
fn a_large_page_comes_where_small_ones_were() {
    large_where_small_was::<X86_64>();
    large_where_small_was::<Aarch64>();
    large_where_small_was::<Riscv64>();
}

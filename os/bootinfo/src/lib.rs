//! What the boot loader tells the kernel: one `repr(C)` record that both sides compile from this source.
//!
//! The loader runs under UEFI, copies the kernel into one contiguous, 2 MiB aligned block of physical memory, copies
//! the initrd, leaves boot services, and enters the kernel at its ELF entry point with the physical (identity-mapped)
//! address of a [`BootInfo`] in the first argument register (`rdi`, `x0`, `a0`). At that moment the kernel image is
//! mapped at [`KERNEL_VMA`] and physical memory is reachable at its own address through an identity map.
//!
//! When firmware or an emulator starts the kernel directly (`-kernel`), the kernel's entry code builds the same record
//! from what it was given there (a PVH start-info record or a device tree), so that the rest of the kernel knows one way.
#![no_std]

/// Virtual address for which the kernel image is linked and at which it is entered, on every architecture (the top 2 GiB of
/// the address space). It then moves itself.
pub const KERNEL_VMA: u64 = 0xffff_ffff_8020_0000;

/// `BootInfo::magic`: proves that the first argument is this record. ASCII `VERIDBI1`, little endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"VERIDBI1");

/// Layout version; the kernel refuses a record of another version.
pub const VERSION: u32 = 2;

/// Bytes of randomness in the record.
pub const SEED_LEN: usize = 32;

/// A range of physical memory in bytes. `len == 0` means that there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhysRange {
    /// First byte.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
}

/// What a [`MemoryRegion`] may be used for.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Free for the kernel.
    Usable = 1,
    /// Holds the kernel image, the initrd, the loader's page tables or this record. Free once the kernel has moved
    /// everything it needs out of it.
    Loader = 2,
    /// ACPI tables: readable, reclaimable after parsing.
    AcpiReclaim = 3,
    /// Never to be touched.
    Reserved = 4,
}

/// One entry of the memory map: page aligned, sorted by `start`, not overlapping.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRegion {
    /// Physical address of the first page.
    pub start: u64,
    /// Number of 4 KiB pages.
    pub pages: u64,
    /// A [`MemoryKind`] as its number; a number that the kernel does not know counts as reserved.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
}

/// A linear framebuffer, as UEFI's Graphics Output Protocol describes it. `addr == 0` means that there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Framebuffer {
    /// Physical address of the first pixel.
    pub addr: u64,
    /// Length in bytes.
    pub len: u64,
    /// Visible width in pixels.
    pub width: u32,
    /// Visible height in pixels.
    pub height: u32,
    /// Pixels from one line to the next.
    pub stride: u32,
    /// UEFI's pixel format number: 0 RGBX, 1 BGRX.
    pub format: u32,
}

/// The record itself. All addresses are physical.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct BootInfo {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// Whether `seed` holds randomness: 1 or 0.
    pub has_seed: u32,
    /// Where the kernel image lies: its byte at [`KERNEL_VMA`] is at `kernel.start`.
    pub kernel: PhysRange,
    /// The initrd, an uncompressed ustar archive.
    pub initrd: PhysRange,
    /// ACPI root pointer, or 0.
    pub rsdp: u64,
    /// Flattened device tree, or 0.
    pub dtb: u64,
    /// Hardware id of the CPU that boots: hart id on riscv64, 0 where the kernel can read it itself.
    pub boot_cpu: u64,
    /// The screen.
    pub framebuffer: Framebuffer,
    /// Physical address of the first [`MemoryRegion`].
    pub memory_map: u64,
    /// How many there are.
    pub memory_map_len: u64,
    /// Randomness from firmware, for addresses that nobody shall guess.
    pub seed: [u8; SEED_LEN],
}

//! The kernel's ELF file: what of it has to be in memory, where, and with which rights.
//!
//! The file is checked as a whole before anything is copied, so that a damaged kernel is refused with a
//! reason while the firmware's console is still there. Field offsets are those of the System V gABI, chapter
//! 4 and 5.

use crate::{PAGE, page_align_up};
use core::fmt;

/// More loadable segments than a kernel has (text, read-only data, data).
pub const MAX_SEGMENTS: usize = 8;

/// `e_machine` of the three architectures.
pub mod machine {
    /// x86_64.
    pub const X86_64: u16 = 62;
    /// aarch64.
    pub const AARCH64: u16 = 183;
    /// RISC-V, 32 and 64 bits alike.
    pub const RISCV: u16 = 243;
}

const EHDR_SIZE: usize = 64;
const PHDR_SIZE: usize = 56;
const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;
const PT_LOAD: u32 = 1;
const PF_X: u32 = 1;
const PF_W: u32 = 2;

/// Where the upper half of the address space begins. Segments below it serve boots without this loader.
const UPPER_HALF: u64 = 1 << 63;

/// A part of the kernel with one set of access rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Virtual address of its first byte; page aligned.
    pub vaddr: u64,
    /// Bytes in memory; what exceeds `data` is zero.
    pub memory_len: u64,
    /// The bytes that the file holds.
    pub data: &'a [u8],
    /// May be written.
    pub write: bool,
    /// May be executed. Never together with `write`.
    pub execute: bool,
}

impl Segment<'_> {
    /// Bytes that it takes up in memory, in whole pages.
    pub fn page_len(&self) -> u64 {
        self.memory_len.div_ceil(PAGE) * PAGE
    }
}

/// A kernel file that has passed all checks.
#[derive(Clone, Debug)]
pub struct Kernel<'a> {
    entry: u64,
    base: u64,
    len: u64,
    segments: [Option<Segment<'a>>; MAX_SEGMENTS],
}

impl<'a> Kernel<'a> {
    /// Checks `file` as a kernel for the architecture `expected_machine` (an ELF `e_machine`) whose image
    /// starts at the virtual address `base`.
    ///
    /// # Errors
    ///
    /// [`ElfError`] says what was expected and what the file holds.
    pub fn parse(file: &'a [u8], expected_machine: u16, base: u64) -> Result<Self, ElfError> {
        let header = check_header(file, expected_machine)?;
        let mut kernel = Kernel {
            entry: header.entry,
            base,
            len: 0,
            segments: [None; MAX_SEGMENTS],
        };
        let mut count = 0;
        for index in 0..header.phnum {
            let Some(segment) = read_segment(file, &header, index)? else {
                continue;
            };
            let start = base.checked_add(kernel.len).ok_or(ElfError::TooLarge)?;
            if (count == 0 && segment.vaddr != base) || segment.vaddr < start {
                return Err(ElfError::Placement {
                    index,
                    expected: start,
                    found: segment.vaddr,
                });
            }
            let slot = kernel.segments.get_mut(count).ok_or(ElfError::TooManySegments)?;
            let end = segment
                .vaddr
                .checked_add(segment.page_len())
                .ok_or(ElfError::TooLarge)?;
            kernel.len = end - base;
            *slot = Some(segment);
            count += 1;
        }
        if count == 0 {
            return Err(ElfError::NothingToLoad);
        }
        if !kernel
            .segments()
            .any(|s| s.execute && s.vaddr <= header.entry && header.entry - s.vaddr < s.memory_len)
        {
            return Err(ElfError::EntryOutside(header.entry));
        }
        Ok(kernel)
    }

    /// Virtual address of the first instruction.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// Virtual address of the image's first byte.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Bytes from the image's first byte to its end in memory: whole pages, gaps between segments included.
    pub fn memory_len(&self) -> u64 {
        self.len
    }

    /// The segments, in ascending order of address, not overlapping.
    pub fn segments(&self) -> impl Iterator<Item = &Segment<'a>> {
        self.segments.iter().flatten()
    }
}

struct Header {
    entry: u64,
    phoff: usize,
    phnum: usize,
}

fn check_header(file: &[u8], expected_machine: u16) -> Result<Header, ElfError> {
    if file.len() < EHDR_SIZE {
        return Err(ElfError::Truncated {
            needed: EHDR_SIZE as u64,
            len: file.len() as u64,
        });
    }
    // Class 2 is 64 bits, data 1 is little endian, version 1.
    if !file.starts_with(b"\x7fELF\x02\x01\x01") {
        return Err(ElfError::NotElf64);
    }
    let kind = u16_at(file, 16);
    // One that can be moved is entered at its link address all the same, and moves itself.
    if kind != ET_EXEC && kind != ET_DYN {
        return Err(ElfError::Type(kind));
    }
    let machine = u16_at(file, 18);
    if machine != expected_machine {
        return Err(ElfError::Machine {
            expected: expected_machine,
            found: machine,
        });
    }
    let entry_size = u16_at(file, 54);
    if usize::from(entry_size) != PHDR_SIZE {
        return Err(ElfError::ProgramHeaderSize(entry_size));
    }
    let (phoff, phnum) = (u64_at(file, 32), u16_at(file, 56));
    let needed = phoff.saturating_add(u64::from(phnum) * PHDR_SIZE as u64);
    if needed > file.len() as u64 {
        return Err(ElfError::Truncated {
            needed,
            len: file.len() as u64,
        });
    }
    Ok(Header {
        entry: u64_at(file, 24),
        phoff: phoff as usize,
        phnum: usize::from(phnum),
    })
}

/// The segment that program header `index` describes, or `None` if this loader has nothing to do with it.
fn read_segment<'a>(file: &'a [u8], header: &Header, index: usize) -> Result<Option<Segment<'a>>, ElfError> {
    let at = header.phoff + index * PHDR_SIZE;
    let h = &file[at..at + PHDR_SIZE];
    let (vaddr, file_len, memory_len) = (u64_at(h, 16), u64_at(h, 32), u64_at(h, 40));
    if u32_at(h, 0) != PT_LOAD || vaddr < UPPER_HALF || memory_len == 0 {
        return Ok(None);
    }
    let (write, execute) = (u32_at(h, 4) & PF_W != 0, u32_at(h, 4) & PF_X != 0);
    if write && execute {
        return Err(ElfError::WritableAndExecutable { index, vaddr });
    }
    // A page has one set of rights, so no two segments may share one.
    if vaddr % PAGE != 0 {
        return Err(ElfError::Unaligned { index, vaddr });
    }
    if file_len > memory_len {
        return Err(ElfError::FileLargerThanMemory {
            index,
            file_len,
            memory_len,
        });
    }
    page_align_up(memory_len).ok_or(ElfError::TooLarge)?;
    let start = u64_at(h, 8);
    let end = start.checked_add(file_len).ok_or(ElfError::TooLarge)?;
    if end > file.len() as u64 {
        return Err(ElfError::Truncated {
            needed: end,
            len: file.len() as u64,
        });
    }
    let data = &file[start as usize..end as usize];
    Ok(Some(Segment {
        vaddr,
        memory_len,
        data,
        write,
        execute,
    }))
}

/// Why a file is no kernel that this loader can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// The file ends before something that it announces.
    Truncated {
        /// Bytes that the file would need to have.
        needed: u64,
        /// Bytes that it has.
        len: u64,
    },
    /// Not a 64-bit little-endian ELF file of version 1.
    NotElf64,
    /// Some other `e_type` than an executable's.
    Type(u16),
    /// Built for another architecture.
    Machine {
        /// `e_machine` of the architecture that runs.
        expected: u16,
        /// `e_machine` in the file.
        found: u16,
    },
    /// Program headers of a size other than ELF64's.
    ProgramHeaderSize(u16),
    /// No loadable segment in the upper half of the address space.
    NothingToLoad,
    /// More than [`MAX_SEGMENTS`].
    TooManySegments,
    /// A segment that starts before the end of the one in front of it, or a first one that is not at the
    /// image's base.
    Placement {
        /// Program header number.
        index: usize,
        /// Lowest address that would be right.
        expected: u64,
        /// Address in the file.
        found: u64,
    },
    /// A segment that does not start on a page.
    Unaligned {
        /// Program header number.
        index: usize,
        /// Its address.
        vaddr: u64,
    },
    /// A segment that asks for write and execute rights together.
    WritableAndExecutable {
        /// Program header number.
        index: usize,
        /// Its address.
        vaddr: u64,
    },
    /// A segment with more bytes in the file than in memory.
    FileLargerThanMemory {
        /// Program header number.
        index: usize,
        /// Bytes in the file.
        file_len: u64,
        /// Bytes in memory.
        memory_len: u64,
    },
    /// Sizes that exceed the address space.
    TooLarge,
    /// An entry point in no executable segment.
    EntryOutside(u64),
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { needed, len } => {
                write!(f, "cut short: expected at least {needed} bytes, got {len}")
            }
            Self::NotElf64 => write!(f, "expected a 64-bit little-endian ELF file, got something else"),
            Self::Type(found) => {
                write!(
                    f,
                    "expected an executable (ELF type {ET_EXEC} or {ET_DYN}), got type {found}"
                )
            }
            Self::Machine { expected, found } => {
                write!(
                    f,
                    "built for another architecture: expected ELF machine {expected}, got {found}"
                )
            }
            Self::ProgramHeaderSize(found) => {
                write!(f, "expected program headers of {PHDR_SIZE} bytes, got {found}")
            }
            Self::NothingToLoad => {
                write!(
                    f,
                    "expected a loadable segment in the upper half of the address space, got none"
                )
            }
            Self::TooManySegments => write!(f, "expected at most {MAX_SEGMENTS} loadable segments, got more"),
            Self::Placement {
                index,
                expected,
                found,
            } => write!(
                f,
                "segment {index}: expected its address to be {expected:#x} or, unless it is the first, higher, got {found:#x}"
            ),
            Self::Unaligned { index, vaddr } => {
                write!(
                    f,
                    "segment {index}: expected a page-aligned address, got {vaddr:#x}"
                )
            }
            Self::WritableAndExecutable { index, vaddr } => {
                write!(
                    f,
                    "segment {index} at {vaddr:#x}: expected write or execute rights, got both"
                )
            }
            Self::FileLargerThanMemory {
                index,
                file_len,
                memory_len,
            } => write!(
                f,
                "segment {index}: expected at most its {memory_len} bytes of memory in the file, got {file_len}"
            ),
            Self::TooLarge => write!(f, "expected sizes that fit the address space, got larger ones"),
            Self::EntryOutside(entry) => {
                write!(
                    f,
                    "expected the entry point in an executable segment, got {entry:#x}"
                )
            }
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    const BASE: u64 = 0xffff_ffff_8020_0000;
    const TEXT: u32 = PF_X | 4;
    const DATA: u32 = PF_W | 4;

    /// type, flags, vaddr, bytes in file, bytes in memory
    type Phdr = (u32, u32, u64, u64, u64);

    fn elf(entry: u64, phdrs: &[Phdr]) -> Vec<u8> {
        let mut file = Vec::from(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
        file.extend(ET_EXEC.to_le_bytes());
        file.extend(machine::X86_64.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        for word in [entry, EHDR_SIZE as u64, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        for half in [EHDR_SIZE as u16, PHDR_SIZE as u16, phdrs.len() as u16, 0, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        let mut offset = (EHDR_SIZE + PHDR_SIZE * phdrs.len()) as u64;
        for &(kind, flags, vaddr, file_len, memory_len) in phdrs {
            file.extend(kind.to_le_bytes());
            file.extend(flags.to_le_bytes());
            for word in [offset, vaddr, vaddr, file_len, memory_len, PAGE] {
                file.extend(word.to_le_bytes());
            }
            offset += file_len;
        }
        for (number, &(.., file_len, _)) in phdrs.iter().enumerate() {
            file.resize(file.len() + file_len as usize, number as u8 + 1);
        }
        file
    }

    fn parse(file: &[u8]) -> Result<Kernel<'_>, ElfError> {
        Kernel::parse(file, machine::X86_64, BASE)
    }

    #[test]
    fn a_kernel_of_text_and_data_is_accepted() {
        let file = elf(
            BASE + 8,
            &[
                (PT_LOAD, 7, 0x10_0000, 4, 4),
                (PT_LOAD, TEXT, BASE, 100, 100),
                (4, 4, BASE, 4, 4),
                (PT_LOAD, DATA, BASE + 0x3000, 10, 0x1801),
            ],
        );
        let kernel = parse(&file).unwrap();
        assert_eq!(
            (kernel.entry(), kernel.base(), kernel.memory_len()),
            (BASE + 8, BASE, 0x5000)
        );
        let segments: Vec<_> = kernel.segments().copied().collect();
        assert_eq!(
            segments,
            [
                Segment {
                    vaddr: BASE,
                    memory_len: 100,
                    data: &[2; 100],
                    write: false,
                    execute: true
                },
                Segment {
                    vaddr: BASE + 0x3000,
                    memory_len: 0x1801,
                    data: &[4; 10],
                    write: true,
                    execute: false
                },
            ]
        );
        assert_eq!(segments[1].page_len(), 0x2000);
    }

    #[test]
    fn bad_kernels_are_refused_with_the_reason() {
        let text = (PT_LOAD, TEXT, BASE, 8, 8);
        let cases: &[(&[Phdr], ElfError)] = &[
            (&[], ElfError::NothingToLoad),
            (&[(PT_LOAD, TEXT, 0x10_0000, 8, 8)], ElfError::NothingToLoad),
            (
                &[(PT_LOAD, TEXT, BASE + PAGE, 8, 8)],
                ElfError::Placement {
                    index: 0,
                    expected: BASE,
                    found: BASE + PAGE,
                },
            ),
            (
                &[text, (PT_LOAD, DATA, BASE, 8, 8)],
                ElfError::Placement {
                    index: 1,
                    expected: BASE + PAGE,
                    found: BASE,
                },
            ),
            (
                &[(PT_LOAD, 7, BASE, 8, 8)],
                ElfError::WritableAndExecutable {
                    index: 0,
                    vaddr: BASE,
                },
            ),
            (
                &[(PT_LOAD, TEXT, BASE + 8, 8, 8)],
                ElfError::Unaligned {
                    index: 0,
                    vaddr: BASE + 8,
                },
            ),
            (
                &[(PT_LOAD, TEXT, BASE, 9, 8)],
                ElfError::FileLargerThanMemory {
                    index: 0,
                    file_len: 9,
                    memory_len: 8,
                },
            ),
            (&[(PT_LOAD, TEXT, BASE, 8, u64::MAX)], ElfError::TooLarge),
            (&[(PT_LOAD, TEXT, BASE, 8, 1 << 63)], ElfError::TooLarge),
            (&[(PT_LOAD, DATA, BASE, 8, 8)], ElfError::EntryOutside(BASE)),
        ];
        for (phdrs, expected) in cases {
            assert_eq!(parse(&elf(BASE, phdrs)).unwrap_err(), *expected, "{phdrs:x?}");
        }
        let many: Vec<_> = (0..=MAX_SEGMENTS as u64)
            .map(|n| (PT_LOAD, TEXT, BASE + n * PAGE, 1, 1))
            .collect();
        assert_eq!(parse(&elf(BASE, &many)).unwrap_err(), ElfError::TooManySegments);
    }

    #[test]
    fn bad_headers_are_refused_with_the_reason() {
        let good = elf(BASE, &[(PT_LOAD, TEXT, BASE, 8, 8)]);
        let change = |at: usize, value: u8| {
            let mut file = good.clone();
            file[at] = value;
            parse(&file).unwrap_err()
        };
        assert_eq!(change(0, 0), ElfError::NotElf64);
        assert_eq!(change(4, 1), ElfError::NotElf64);
        assert_eq!(change(5, 2), ElfError::NotElf64);
        for other in [0, 1, 4] {
            assert_eq!(change(16, other), ElfError::Type(other.into()));
        }
        assert_eq!(
            change(18, machine::AARCH64 as u8),
            ElfError::Machine {
                expected: machine::X86_64,
                found: machine::AARCH64
            }
        );
        assert_eq!(change(54, 32), ElfError::ProgramHeaderSize(32));
    }

    #[test]
    fn a_kernel_that_moves_itself_is_accepted() {
        let mut file = elf(BASE, &[(PT_LOAD, TEXT, BASE, 8, 8)]);
        file[16] = ET_DYN as u8;
        assert_eq!(parse(&file).unwrap().entry(), BASE);
    }

    #[test]
    fn every_cut_is_noticed() {
        let good = elf(BASE, &[(PT_LOAD, TEXT, BASE, 8, 8)]);
        for len in 0..good.len() {
            let error = parse(&good[..len]).unwrap_err();
            assert!(
                matches!(error, ElfError::Truncated { len: found, .. } if found == len as u64),
                "{len}: {error}"
            );
        }
        assert!(parse(&good).is_ok());
    }

    #[test]
    fn no_single_damaged_byte_makes_it_panic() {
        let good = elf(
            BASE,
            &[(PT_LOAD, TEXT, BASE, 8, 8), (PT_LOAD, DATA, BASE + PAGE, 8, 8)],
        );
        for at in 0..EHDR_SIZE + 2 * PHDR_SIZE {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut file = good.clone();
                file[at] = value;
                if let Ok(kernel) = parse(&file) {
                    assert!(
                        kernel.segments().all(|s| !(s.write && s.execute)),
                        "byte {at} = {value:#x}"
                    );
                }
            }
        }
    }
}

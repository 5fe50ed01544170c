//! From a file of the initrd to a program that can run.

use core::fmt;

use abi::Error;
use abi::layout::{PAGE_SIZE, STACK_SIZE, STACK_TOP};
use hal::{AddressSpace, Context, ELF_MACHINE, Frames};
use kcore::elf::{ElfError, Program};
use kcore::paging::{Access, MapError};

/// Why a program cannot be loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LoadError {
    /// The file is not a program for this kernel.
    Elf(ElfError),
    /// It does not fit.
    Map(MapError),
}

impl LoadError {
    /// What the program that asked for it gets to know.
    pub(crate) fn number(self) -> Error {
        match self {
            Self::Map(MapError::NoMemory) => Error::NoMemory,
            Self::Map(_) | Self::Elf(_) => Error::BadProgram,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(error) => error.fmt(out),
            Self::Map(error) => error.fmt(out),
        }
    }
}

/// Makes an address space with the program and a stack, and registers that start it.
pub(crate) fn load(
    frames: &mut Frames,
    file: &[u8],
    argument: u64,
) -> Result<(AddressSpace, Context), LoadError> {
    let program = Program::parse(file, ELF_MACHINE).map_err(LoadError::Elf)?;
    let mut space = AddressSpace::new(frames).ok_or(LoadError::Map(MapError::NoMemory))?;
    if let Err(error) = fill(&mut space, frames, &program) {
        space.release(frames);
        return Err(LoadError::Map(error));
    }
    Ok((space, Context::new(program.entry, STACK_TOP, argument)))
}

fn fill(space: &mut AddressSpace, frames: &mut Frames, program: &Program<'_>) -> Result<(), MapError> {
    for segment in &program.segments {
        for page in pages(segment.first_page(), segment.end_page()) {
            let (offset, data) = segment.page(page);
            space.add_page(frames, page, segment.access, offset, data)?;
        }
    }
    for page in pages(STACK_TOP - STACK_SIZE, STACK_TOP) {
        space.add_page(frames, page, Access::ReadWrite, 0, &[])?;
    }
    Ok(())
}

/// Addresses of the pages from `start` to below `end`.
fn pages(start: u64, end: u64) -> impl Iterator<Item = u64> {
    (start..end).step_by(PAGE_SIZE as usize)
}

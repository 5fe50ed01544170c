//! System calls with arguments that no well-meaning program makes up.

use abi::Error;
use abi::start::slot::MACHINE;

/// Where the kernel image is linked, and where it ends at the latest.
const KERNEL: usize = 0xffff_ffff_8020_0000;

/// User space, but nothing is mapped there.
const UNMAPPED: usize = 0x10_0000_0000;

const PAGE_SIZE: usize = abi::layout::PAGE_SIZE as usize;

static CONSTANTS: [u8; 256] = [b'.'; 256];

type Answer = Result<u64, Error>;

/// Makes all of them. Returns how many were answered wrongly.
pub(crate) fn all() -> u32 {
    let mut own = [0; 256];
    let own_at = own.as_ptr().addr();
    let max = usize::MAX;
    let cases: [(&str, Answer, Answer); 17] = [
        (
            "write from the kernel",
            syscall::debug_write(MACHINE, bytes(KERNEL, 16)),
            Err(Error::BadAddress),
        ),
        (
            "write from unmapped memory",
            syscall::debug_write(MACHINE, bytes(UNMAPPED, 16)),
            Err(Error::BadAddress),
        ),
        (
            "write from null",
            syscall::debug_write(MACHINE, bytes(1, 16)),
            Err(Error::BadAddress),
        ),
        (
            "write over the end of the stack",
            syscall::debug_write(MACHINE, bytes(stack_top() - 8, 16)),
            Err(Error::BadAddress),
        ),
        (
            "write over the end of user space",
            syscall::debug_write(MACHINE, bytes(user_end() - 8, 16)),
            Err(Error::BadAddress),
        ),
        (
            "write that wraps around",
            syscall::debug_write(MACHINE, bytes(max - 8, 16)),
            Err(Error::BadAddress),
        ),
        (
            "write of more than fits",
            syscall::debug_write(MACHINE, bytes(own_at, 4097)),
            Err(Error::BadLength),
        ),
        (
            "write of a huge length",
            syscall::debug_write(MACHINE, bytes(own_at, max >> 1)),
            Err(Error::BadLength),
        ),
        (
            "write of what is no text",
            syscall::debug_write(MACHINE, &[0xff, 0xfe]),
            Err(Error::BadArgument),
        ),
        (
            "write of nothing from nowhere",
            syscall::debug_write(MACHINE, bytes(KERNEL, 0)),
            Ok(0),
        ),
        (
            "info into the kernel",
            syscall::system_info(buffer(KERNEL, 256)),
            Err(Error::BadAddress),
        ),
        (
            "info into unmapped memory",
            syscall::system_info(buffer(UNMAPPED, 256)),
            Err(Error::BadAddress),
        ),
        (
            "info into constants",
            syscall::system_info(buffer(CONSTANTS.as_ptr().addr(), 256)),
            Err(Error::BadAddress),
        ),
        (
            "info into code",
            syscall::system_info(buffer(all as *const () as usize, 256)),
            Err(Error::BadAddress),
        ),
        (
            "info into too little room",
            syscall::system_info(&mut own[..8]),
            Err(Error::BadLength),
        ),
        (
            "message to an empty slot",
            syscall::send(9, 0, 0, 0, 0, 0),
            Err(Error::NotFound),
        ),
        (
            "message beyond the table",
            syscall::send(1 << 40, 0, 0, 0, 0, 0),
            Err(Error::NotFound),
        ),
    ];
    let mut wrong = 0;
    for (name, got, expected) in cases {
        if got != expected {
            rt::println!("fault: {name}: got {got:?}, expected {expected:?}");
            wrong += 1;
        }
    }
    wrong
}

/// First address behind the stack: the first page above what is in use now that the kernel cannot read.
fn stack_top() -> usize {
    let here = 0_u8;
    let mut end = ((&raw const here).addr()).next_multiple_of(PAGE_SIZE);
    while syscall::debug_write(MACHINE, bytes(end, 1)) != Err(Error::BadAddress) {
        end += PAGE_SIZE;
    }
    end
}

fn user_end() -> usize {
    abi::layout::USER_END as usize
}

/// Bytes that are not there. The program itself never looks at them.
fn bytes(address: usize, len: usize) -> &'static [u8] {
    // SAFETY: not sound, on purpose: only the kernel gets to see the slice, and must not fall for it.
    unsafe { core::slice::from_raw_parts(address as *const u8, len) }
}

/// Room that is not there. The program itself never looks at it.
fn buffer(address: usize, len: usize) -> &'static mut [u8] {
    // SAFETY: as for `bytes`.
    unsafe { core::slice::from_raw_parts_mut(address as *mut u8, len) }
}

//! Brings one condition about: the one whose number is the argument.
#![no_std]
#![no_main]

mod bad_arguments;

use core::hint::black_box;

use fault::Condition;

rt::program!(main);

/// Where the kernel image is linked. It lies there when the initrd has a file `fixed-addresses`, and above otherwise.
const KERNEL: usize = 0xffff_ffff_8020_0000;

/// Where the kernel maps physical memory, with that file; the first GiB of it holds memory on no machine but x86_64, so the address is
/// chosen by what the test machines have.
const PHYSICAL_MAP: usize = if cfg!(target_arch = "riscv64") {
    0xffff_ffc0_8020_0000
} else if cfg!(target_arch = "aarch64") {
    0xffff_8000_4020_0000
} else {
    0xffff_8000_0020_0000
};

/// User space, but nothing is mapped there.
const UNMAPPED: usize = 0x10_0000_0000;

/// Between the two halves.
const HOLE: usize = 0x0001_0000_0000_0000;

static CONSTANT: u64 = 7;
static mut DATA: [u8; 16] = [0; 16];

fn main(argument: u64) -> u32 {
    if argument == fault::BUSY_LOOP {
        busy_loop();
    }
    let Some(condition) = Condition::from_number(argument) else {
        rt::println!("fault: no condition has the number {argument}");
        return 1;
    };
    match condition {
        Condition::Exit => return 42,
        Condition::KernelRead => read(KERNEL),
        Condition::KernelWrite => write(KERNEL),
        Condition::KernelJump => jump(KERNEL),
        Condition::PhysicalMapRead => read(PHYSICAL_MAP),
        Condition::NullRead => read(0),
        Condition::NullWrite => write(0),
        Condition::WildJump => jump(UNMAPPED),
        Condition::IllegalInstruction => syscall::illegal_instruction(),
        Condition::PrivilegedInstruction => syscall::privileged_instruction(),
        Condition::StackOverflow => {
            overflow(0);
        }
        Condition::CodeWrite => write(main as *const () as usize),
        Condition::ConstantWrite => write((&raw const CONSTANT).addr()),
        Condition::DataJump => jump((&raw const DATA).addr()),
        Condition::StackJump => jump((&raw const argument).addr()),
        Condition::BadArguments => return bad_arguments::all(),
        Condition::PowerOff => {
            return u32::from(syscall::power_off(abi::start::slot::MACHINE, 0) != abi::Error::NotPermitted);
        }
        Condition::Panic => panic!("on purpose"),
        Condition::HoleRead => read(HOLE),
    }
    rt::println!("fault: {} went unpunished", condition.name());
    2
}

fn read(address: usize) {
    // SAFETY: not sound, on purpose: the kernel has to end this program.
    let value = unsafe { (address as *const u8).read_volatile() };
    rt::println!("fault: read {value:#x} at {address:#x}");
}

fn write(address: usize) {
    // SAFETY: not sound, on purpose: the kernel has to end this program.
    unsafe { (address as *mut u8).write_volatile(0) };
}

fn jump(address: usize) {
    // SAFETY: not sound, on purpose: the kernel has to end this program.
    let target: extern "C" fn() = unsafe { core::mem::transmute(address) };
    target();
}

/// Never ends: the stack does.
#[expect(unconditional_recursion, reason = "that is the condition")]
fn overflow(depth: u64) -> u64 {
    let frame = [depth; 16];
    black_box(&frame);
    overflow(depth + 1) + black_box(frame[3])
}

fn busy_loop() -> ! {
    for turn in 0_u64.. {
        black_box(turn);
    }
    loop {
        core::hint::spin_loop();
    }
}

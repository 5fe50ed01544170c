//! Programs lie at addresses that nobody can foretell. That two boots differ is for whoever compares the printed line.

use core::sync::atomic::AtomicU64;

use abi::layout::{PAGE_SIZE, STACK_SIZE};
use abi::start::{FIXED_ADDRESSES, RootInfo, kind, slot};
use kcore::placement::Placement;
use rt::alloc::boxed::Box;

use crate::perf::spawn;
use crate::world::{Test, World, Wrong, receive};
use crate::{check, must, same};

pub(crate) const TESTS: &[Test] = &[("programs lie at different addresses", differ)];

/// Mode of a child that tells its parent where it lies.
pub(crate) const TELL: u64 = 5;

/// Children that are compared.
const CHILDREN: usize = 8;

/// An address among the program's constants, which had to be moved there.
static MOVED: [fn() -> u64; 1] = [code];

/// An address in the program's data.
static DATA: AtomicU64 = AtomicU64::new(0);

/// The address of this function.
#[inline(never)]
fn code() -> u64 {
    (code as *const ()).addr() as u64
}

/// Addresses of code, data and stack.
fn own() -> [u64; 3] {
    let here = 0_u8;
    [
        code(),
        DATA.as_ptr().addr() as u64,
        (&raw const here).addr() as u64,
    ]
}

/// Says where this program lies.
pub(crate) fn print(argument: u64, info: &RootInfo) {
    let [code, data, stack] = own();
    let heap = Box::new(0_u8);
    let heap = (&raw const *heap).addr();
    rt::println!(
        "kernel-suite: addresses: code {code:#x} data {data:#x} stack {stack:#x} heap {heap:#x} record {argument:#x} initrd {:#x}",
        info.initrd
    );
}

/// What a child does.
pub(crate) fn tell() -> u32 {
    let [code, data, stack] = own();
    // Read where the compiler cannot know the value.
    let moved = core::hint::black_box(&MOVED)[0];
    u32::from(syscall::call(slot::PARENT, 0, code, data, stack, moved as usize as u64).is_err())
}

fn differ(world: &mut World) -> Result<(), Wrong> {
    let endpoint = must!(world.make(kind::ENDPOINT, 0));
    let is_fixed = world.initrd.find(FIXED_ADDRESSES).is_some();
    let mut seen: [(u64, u64); CHILDREN] = [(0, 0); CHILDREN];
    let mut offset = None;
    for index in 0..CHILDREN {
        let child = spawn(world, "root", TELL, endpoint)?;
        let message = must!(receive(endpoint));
        check!(message.tag.is_call(), "a child's message");
        let [code, data, stack, moved] = message.words;
        let Placement { image, stack_top, .. } = child.placement;
        same!(moved, code, "an address in the child's data");
        same!(
            code % PAGE_SIZE,
            own()[0] % PAGE_SIZE,
            "the child's place in a page"
        );
        let inner = (code.wrapping_sub(image), data.wrapping_sub(image));
        check!(
            *offset.get_or_insert(inner) == inner,
            "the child's place in its image"
        );
        check!(
            stack < stack_top && stack_top - stack < STACK_SIZE,
            "the child's stack"
        );
        let is_new = seen[..index]
            .iter()
            .all(|before| before.0 != image && before.1 != stack_top);
        check!(is_new || is_fixed, "a child lies where another one did");
        check!(
            !is_fixed || child.placement == Placement::FIXED,
            "a child is not at fixed addresses"
        );
        seen[index] = (image, stack_top);
        child.end(&mut world.chunks, &mut world.slots);
    }
    Ok(())
}

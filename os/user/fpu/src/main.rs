//! Uses floating-point registers while other programs do the same, and checks that it finds its own values in them and
//! none of another's.
#![no_std]
#![no_main]

mod registers;

use abi::Error;
use registers::Values;

rt::program!(main);

/// For how long a program keeps its values, in nanoseconds: several turns.
const TIME: u64 = 40_000_000;

fn main(argument: u64) -> u32 {
    u32::from(keeps_registers(argument) != Ok(true))
}

/// Finds zeros, puts values of its own in their place, and looks at them until others have had their turns.
fn keeps_registers(own: u64) -> Result<bool, Error> {
    let mut found: Values = [u64::MAX; 32];
    registers::read(&mut found);
    if found != [0; 32] {
        rt::println!("fpu: program {own} found {found:x?} at its start");
        return Ok(false);
    }
    let values: Values = core::array::from_fn(|index| (own << 56) | (0x0101_0101 * (index as u64 + 1)));
    registers::write(&values);
    let start = syscall::clock()?;
    while syscall::clock()? < start + TIME {
        registers::read(&mut found);
        if found != values {
            rt::println!("fpu: program {own} found {found:x?}, expected {values:x?}");
            return Ok(false);
        }
    }
    Ok(true)
}

//! Uses floating-point registers in three programs that run in turn, and checks that each one finds its own values in them
//! and none of another's. As the first program (argument 0) it starts the other two.
#![no_std]
#![no_main]

mod registers;

use abi::{Error, Fate};
use registers::Values;

rt::program!(main);

/// Exit code when everything was as it has to be.
const PASSED: u32 = 0;

/// For how many ticks a program keeps its values: several turns.
const TICKS: u64 = 12;

fn main(argument: u64) -> u32 {
    if argument != 0 {
        return match keeps_registers(argument) {
            Ok(true) => PASSED,
            _ => 1,
        };
    }
    let passed = all();
    rt::println!(
        "fpu: {}",
        if passed == Ok(true) {
            "each program has its own registers"
        } else {
            "WRONG"
        }
    );
    let refused = rt::power_off(u64::from(passed != Ok(true)));
    rt::println!("fpu: power-off refused: {refused}");
    1
}

/// Runs two others beside this one, and a third after them, which must not see what they left.
fn all() -> Result<bool, Error> {
    let others = [rt::spawn(b"fpu", 1)?, rt::spawn(b"fpu", 2)?];
    let mut passed = keeps_registers(3)?;
    for id in others {
        passed &= ended_well(id)?;
    }
    Ok(passed && ended_well(rt::spawn(b"fpu", 4)?)?)
}

fn ended_well(id: u64) -> Result<bool, Error> {
    Ok(Fate::decode(rt::wait(id)?) == Some(Fate::Exited(PASSED)))
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
    let start = rt::ticks()?;
    while rt::ticks()? < start + TICKS {
        registers::read(&mut found);
        if found != values {
            rt::println!("fpu: program {own} found {found:x?}, expected {values:x?}");
            return Ok(false);
        }
    }
    Ok(true)
}

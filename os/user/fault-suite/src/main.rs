//! First program of the fault image: brings about every condition of `fault`, one after the other, and checks what
//! became of each program and that the kernel goes on. Ends the machine as a failure when anything is wrong.
#![no_std]
#![no_main]

use abi::{Error, Fate};
use fault::Condition;

rt::program!(main);

fn main(_argument: u64) -> u32 {
    let mut wrong = 0;
    for &condition in Condition::ALL {
        let fate = run(condition);
        let verdict = match fate {
            Ok(fate) if condition.expected().contains(&fate) => "as expected",
            _ => {
                wrong += 1;
                "WRONG"
            }
        };
        match fate {
            Ok(fate) => rt::println!("fault-suite: {}: {fate}: {verdict}", condition.name()),
            Err(error) => rt::println!("fault-suite: {}: {error}: {verdict}", condition.name()),
        }
    }
    for (name, passes) in [
        (
            "wx-segment is refused",
            rt::spawn(b"wx-segment", 0) == Err(Error::BadProgram),
        ),
        ("two programs run at the same time", two_at_once()),
        (
            "the table of processes has an end, and room again after it",
            fill_the_table(),
        ),
        ("the timer still ticks", timer_ticks()),
    ] {
        rt::println!(
            "fault-suite: {name}: {}",
            if passes { "as expected" } else { "WRONG" }
        );
        wrong += u64::from(!passes);
    }
    if wrong == 0 {
        rt::println!(
            "fault-suite: the kernel survived {} conditions",
            Condition::ALL.len()
        );
    } else {
        rt::println!("fault-suite: {wrong} wrong");
    }
    let refused = rt::power_off(wrong);
    rt::println!("fault-suite: power-off refused: {refused}");
    1
}

/// Starts `fault` with a condition and waits for its end.
fn run(condition: Condition) -> Result<Fate, Error> {
    wait(rt::spawn(b"fault", condition as u64)?)
}

fn wait(process: u64) -> Result<Fate, Error> {
    Fate::decode(rt::wait(process)?).ok_or(Error::UnknownCall)
}

/// Waits for the end of the later program first: the earlier one has ended when its turn comes.
fn two_at_once() -> bool {
    let first = rt::spawn(b"fault", Condition::BusyLoop as u64);
    let second = rt::spawn(b"fault", Condition::Exit as u64);
    let (Ok(first), Ok(second)) = (first, second) else {
        return false;
    };
    wait(second) == Ok(Fate::Exited(42))
        && wait(first) == Ok(Fate::Exited(0))
        && wait(first) == Err(Error::NotFound)
}

/// Starts programs until the kernel refuses, and waits for them all; twice.
fn fill_the_table() -> bool {
    let mut counts = [0; 2];
    for count in &mut counts {
        let mut started = [0; 256];
        let refused = loop {
            match rt::spawn(b"fault", Condition::Exit as u64) {
                Ok(id) if *count < started.len() => {
                    started[*count] = id;
                    *count += 1;
                }
                Ok(_) => return false,
                Err(error) => break error,
            }
        };
        if refused != Error::TooMany
            || started[..*count]
                .iter()
                .any(|&id| wait(id) != Ok(Fate::Exited(42)))
        {
            return false;
        }
    }
    counts[0] > 0 && counts[0] == counts[1]
}

/// Looks at the clock until it moves, for a bounded number of times.
fn timer_ticks() -> bool {
    let Ok(start) = rt::ticks() else { return false };
    (0..100_000_000_u64).any(|_| rt::ticks().is_ok_and(|now| now > start + 1))
}

//! Years of releases that chance decides: `soak [YEARS [FIRST-SEED]]`. A year that does not hold ends the program, with its
//! seed; the same seed gives the same year.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it prints is for who runs it"
)]

use std::time::{SystemTime, UNIX_EPOCH};

fn number(text: Option<String>, default: u64) -> u64 {
    text.map_or(default, |text| {
        text.parse().unwrap_or_else(|_| {
            eprintln!("soak: `{text}` is not a number; usage: soak [YEARS [FIRST-SEED]]");
            std::process::exit(2);
        })
    })
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let years = number(arguments.next(), 10);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let first = number(arguments.next(), now.map_or(1, |now| now.as_secs()));
    for seed in first..first.saturating_add(years) {
        println!("seed {seed}: {:?}", vrel_testkit::live_through(seed));
    }
}

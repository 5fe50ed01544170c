//! `poweroff`.

use crate::requests::shut_down;

const HELP: &str = "\
Usage: poweroff [-f] [STATUS]
Stops all services in order and switches the machine off. STATUS, 0 unless given, is what the machine reports where it can:
0 is an orderly end, anything else a failure.

Options:
  -f, --force  at once, without stopping anything
      --help   print this text and exit

Exit status:
  0    the system is going down
  1    the system refuses
  2    wrong use
";

/// Runs the command; the program's name is taken from the arguments already.
pub(crate) fn run(args: rt::Args) -> u32 {
    let mut force = false;
    let mut status = None;
    for arg in args {
        match arg.as_str() {
            "-f" | "--force" => force = true,
            "--help" => {
                rt::print!("{HELP}");
                return 0;
            }
            text => match text.parse() {
                Ok(number) if status.is_none() => status = Some(number),
                _ => return misuse(&arg),
            },
        }
    }
    let status = status.unwrap_or(0);
    if force {
        return match rt::system::power_off(status) {
            Ok(()) => 0,
            Err(error) => refused(&error),
        };
    }
    match shut_down(status) {
        Ok(()) => 0,
        Err(error) => refused(&error),
    }
}

fn refused(error: &dyn core::fmt::Display) -> u32 {
    rt::eprintln!("poweroff: {error}");
    1
}

fn misuse(arg: &str) -> u32 {
    rt::eprintln!("poweroff: no option and no status: {arg}");
    rt::eprintln!("Try 'poweroff --help' for more information.");
    2
}

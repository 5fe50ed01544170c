//! Measures what the kernel and the servers cost a program, with what the process server gives to any program.
#![cfg_attr(target_os = "none", no_std, no_main)]
#![cfg_attr(not(target_os = "none"), forbid(unsafe_code))]

#[cfg(target_os = "none")]
mod kernel;
#[cfg(target_os = "none")]
mod measure;
#[cfg(target_os = "none")]
mod processes;

use perf::HELP;

rt::main!(run);

fn run(args: rt::Args) -> u32 {
    let mut json = false;
    for arg in args.skip(1) {
        match arg.as_str() {
            "--json" => json = true,
            "--help" => {
                rt::print!("{HELP}");
                return 0;
            }
            other => {
                #[cfg(target_os = "none")]
                if let Some(role) = other.strip_prefix(processes::ROLE) {
                    return processes::role(role);
                }
                rt::eprintln!("perf: unknown option {other}");
                rt::eprintln!("Try 'perf --help' for more information.");
                return 2;
            }
        }
    }
    report(json)
}

#[cfg(target_os = "none")]
fn report(json: bool) -> u32 {
    let (unit, results, complete) = measure::all();
    let text = if json {
        perf::to_json(unit, &results)
    } else {
        perf::to_text(unit, &results)
    };
    rt::print!("{text}");
    u32::from(!complete)
}

#[cfg(not(target_os = "none"))]
fn report(_json: bool) -> u32 {
    rt::eprintln!("perf: only VeridianOS is measured");
    1
}

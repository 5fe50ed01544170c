//! Tests of the whole system, as its first process: scripts for the shell, each with what it has to print and its status.
//! Switches the machine off as a failure when one differs.
#![cfg_attr(target_os = "none", no_std, no_main)]

mod scripts;

use rt::alloc::string::String;
use rt::io::{Read, Result};
use rt::process::{Command, ExitStatus, Stdio, pipe};
use scripts::{SCRIPTS, Script};

rt::main!(suite);

fn suite(_args: rt::Args) -> u32 {
    let mut wrong = 0;
    for script in SCRIPTS {
        match run(script) {
            Ok((output, status)) if output == script.output && status == script.status => {
                rt::println!("system-suite: {}: ok", script.name);
            }
            Ok((output, status)) => {
                wrong += 1;
                rt::println!(
                    "system-suite: {}: WRONG: status {status}, expected {}; printed {output:?}, expected {:?}",
                    script.name,
                    script.status,
                    script.output
                );
            }
            Err(error) => {
                wrong += 1;
                rt::println!("system-suite: {}: WRONG: {error}", script.name);
            }
        }
    }
    rt::println!("system-suite: {} scripts, {wrong} wrong", SCRIPTS.len());
    if let Err(error) = rt::system::power_off(u32::from(wrong > 0)) {
        rt::println!("system-suite: power-off refused: {error}");
    }
    1
}

/// Runs a script. Returns what it printed, errors included, and its status; 128 stands for an end that is not its own.
fn run(script: &Script) -> Result<(String, u32)> {
    let (mut reader, writer) = pipe()?;
    let errors = writer.try_clone()?;
    let mut child = Command::new("/bin/vsh")
        .args(["-c", script.text])
        .stdin(Stdio::Null)
        .stdout(writer)
        .stderr(errors)
        .spawn()?;
    let mut output = String::new();
    reader.read_to_string(&mut output)?;
    let status = match child.wait()? {
        ExitStatus::Exited(code) => code,
        _ => 128,
    };
    Ok((output, status))
}

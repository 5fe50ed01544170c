//! Tests of the whole system, as its first process: scripts for the shell, each with what it has to print and its status.
//! Switches the machine off as a failure when one differs.
#![cfg_attr(target_os = "none", no_std, no_main)]

mod builtins;
#[cfg(target_os = "none")]
mod channels;
#[cfg(target_os = "none")]
mod foreground;
#[cfg(target_os = "none")]
mod names;
mod scripts;

use rt::alloc::string::String;
use rt::io::{Read, Result};
use rt::process::{Command, ExitStatus, Stdio, pipe};

use builtins::BUILTINS;
use scripts::{SCRIPTS, Script, script};

rt::main!(suite);

#[cfg_attr(
    not(target_os = "none"),
    expect(unused_mut, unused_variables, reason = "roles are on bare metal alone")
)]
fn suite(mut args: rt::Args) -> u32 {
    #[cfg(target_os = "none")]
    if let Some(argument) = args.nth(1)
        && let Some(role) = argument.strip_prefix(channels::ROLE)
    {
        return channels::role(role);
    }
    let mut wrong = 0;
    #[cfg(target_os = "none")]
    if let Err(error) = channels::print_addresses() {
        wrong += 1;
        rt::println!("system-suite: addresses: WRONG: {error}");
    }
    for script in SCRIPTS.iter().chain(BUILTINS) {
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
    match untested_builtins() {
        Ok(names) if names.is_empty() => rt::println!("system-suite: every builtin has a script: ok"),
        Ok(names) => {
            wrong += 1;
            rt::println!("system-suite: builtins without a script: WRONG: {names}");
        }
        Err(error) => {
            wrong += 1;
            rt::println!("system-suite: every builtin has a script: WRONG: {error}");
        }
    }
    #[cfg(target_os = "none")]
    for (name, test) in channels::TESTS
        .iter()
        .chain(foreground::TESTS)
        .chain(names::TESTS)
    {
        let found = test().unwrap_or_else(|error| Some(rt::alloc::format!("{error}")));
        match found {
            None => rt::println!("system-suite: {name}: ok"),
            Some(found) => {
                wrong += 1;
                rt::println!("system-suite: {name}: WRONG: {found}");
            }
        }
    }
    rt::println!(
        "system-suite: {} scripts, {wrong} wrong",
        SCRIPTS.len() + BUILTINS.len()
    );
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

/// The builtins that `help` lists and that no script is for.
fn untested_builtins() -> Result<String> {
    let (help, _) = run(&script("help", "help", "", 0))?;
    let listed = help.lines().filter_map(|line| line.strip_prefix("  "));
    let mut names = String::new();
    let mut count = 0;
    for name in listed.filter_map(|line| line.split(' ').next()) {
        count += 1;
        let has_script = |script: &Script| script.name.split(' ').next() == Some(name);
        if !BUILTINS.iter().any(has_script) {
            names.push_str(name);
            names.push(' ');
        }
    }
    if count < BUILTINS.len() {
        names.push_str("and there are scripts for others");
    }
    Ok(names)
}

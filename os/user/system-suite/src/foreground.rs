//! Tests of who reads from the terminal, as which nobody types here: this program in the role of a shell, and of its jobs.

use rt::alloc::format;
use rt::alloc::string::String;
use rt::channel::{Receiver, channel};
use rt::io::{ErrorKind, Read, Result};
use rt::process::{Child, ExitStatus, Group, Signal, kill_group, pipe, set_foreground};

use crate::channels::{Test, other};

/// All tests.
pub(crate) const TESTS: &[Test] = &[("jobs that read from the terminal", shell)];

/// How long something is given to happen that must not.
const WHILE: core::time::Duration = core::time::Duration::from_millis(30);

fn shell() -> Result<Option<String>> {
    // The first process is not one that can look after jobs.
    let status = other("shell").group(Group::New).status()?;
    Ok((!status.success()).then(|| format!("the shell ended with {status:?}")))
}

/// Waits until a job has stopped or ended.
fn expect(job: &mut Child, expected: ExitStatus, when: &str) -> Result<()> {
    let status = job.wait()?;
    if status == expected {
        return Ok(());
    }
    rt::println!("system-suite: {when}: {status:?}");
    Err(ErrorKind::Other.into())
}

/// Brings a job into the foreground and into the background again.
pub(crate) fn look_after_jobs() -> Result<()> {
    let own = rt::process::group();
    set_foreground(own)?;
    let mut job = other("reader").group(Group::New).spawn()?;
    expect(&mut job, ExitStatus::Stopped, "reads in the background")?;
    kill_group(job.id(), Signal::Continue)?;
    expect(&mut job, ExitStatus::Stopped, "goes on in the background")?;
    set_foreground(job.id())?;
    kill_group(job.id(), Signal::Continue)?;
    rt::time::sleep(WHILE);
    if let Some(status) = job.try_wait()? {
        rt::println!("system-suite: reads in the foreground: {status:?}");
        return Err(ErrorKind::Other.into());
    }
    // It waits for input, which is not for it any more.
    set_foreground(own)?;
    expect(
        &mut job,
        ExitStatus::Stopped,
        "waits when it comes into the background",
    )?;
    kill_group(job.id(), Signal::Kill)?;
    expect(&mut job, ExitStatus::Killed(Signal::Kill), "is killed")?;

    // A job whose parent ends, and with it everybody who could bring it into the foreground.
    let (mut answer, writer) = pipe()?;
    let status = other("parent").group(Group::New).stdout(writer).status()?;
    let mut text = String::new();
    answer.read_to_string(&mut text)?;
    if !status.success() || text != "permission denied" {
        rt::println!("system-suite: the orphan's read: {text:?}, and its parent ended with {status:?}");
        return Err(ErrorKind::Other.into());
    }
    Ok(())
}

/// Reads from the terminal, and prints what comes of it.
pub(crate) fn read() -> Result<()> {
    match rt::io::stdin().read(&mut [0; 8]) {
        Ok(len) => rt::print!("{len} bytes"),
        Err(error) => rt::print!("{error}"),
    }
    Ok(())
}

/// Leaves an orphan behind, which writes where this one does.
pub(crate) fn leave_orphan() -> Result<()> {
    let (sender, receiver) = channel()?;
    other("orphan").group(Group::New).channel(receiver).spawn()?;
    // The orphan learns of the end by that of the channel.
    core::mem::forget(sender);
    Ok(())
}

/// Reads from the terminal when the parent has ended.
pub(crate) fn read_as_orphan() -> Result<()> {
    let mut parent = Receiver::inherited(0)?;
    while parent.receive(&mut [0; 8])?.is_some() {}
    read()
}

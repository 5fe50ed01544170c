//! Clocks, and what the system says about itself.

use core::time::Duration;

use abi::start::KernelInfo;
use abi::{IDENTITY_LEN, Identity};
use protocol::process;

use super::client;
use crate::io::{Error, ErrorKind, Result};
use crate::system::Info;

pub(crate) fn now() -> Duration {
    Duration::from_nanos(syscall::clock().unwrap_or(0))
}

/// Nobody reads the machine's clock.
pub(crate) fn unix_now() -> Option<Duration> {
    None
}

pub(crate) fn sleep(time: Duration) {
    let _woken = syscall::sleep(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
}

/// CPUs that run.
fn cpus() -> Result<u32> {
    const INDEX: usize = core::mem::offset_of!(KernelInfo, cpus) / 8;
    let mut numbers = [0; size_of::<KernelInfo>()];
    syscall::kernel_statistics(&mut numbers)?;
    let (words, _) = numbers.as_chunks::<8>();
    Ok(u64::from_le_bytes(words[INDEX]) as u32)
}

pub(crate) fn info() -> Result<Info> {
    let mut text = [0; IDENTITY_LEN];
    let len = syscall::system_info(&mut text)?;
    let text = text
        .get(..len as usize)
        .and_then(|text| core::str::from_utf8(text).ok());
    let text = text.ok_or(ErrorKind::InvalidData)?;
    let identity = Identity::parse(text).map_err(|_| ErrorKind::InvalidData)?;
    let image_id = text.lines().find_map(|line| line.strip_prefix("image_id="));
    let [total, free, ..] = client::ask_processes(process::MEMORY, [0; 3])?;
    Ok(Info {
        name: identity.name.into(),
        version: identity.version.into(),
        commit: identity.commit.into(),
        image_id: image_id.unwrap_or_default().into(),
        arch: identity.arch.into(),
        uptime: now(),
        memory_total: total,
        memory_free: free,
        cpus: cpus()?,
    })
}

pub(crate) fn power_off(status: u32) -> Result<()> {
    let refusal = match client::ask_processes(process::POWER_OFF, [status.into(), 0, 0]) {
        // The machine goes off.
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    // Without a process server, this program may have the right itself.
    match syscall::power_off(abi::start::slot::MACHINE, u64::from(status)) {
        abi::Error::NotFound => Err(refusal),
        error => Err(Error::from(error)),
    }
}

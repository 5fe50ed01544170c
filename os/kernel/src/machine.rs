//! Calls on the machine: console, identity, power, CPUs, interrupts, ports.

use core::fmt::Write as _;
use core::str;

use abi::start::KernelInfo;
use abi::{Error, UserBuffer, UserBytes};
use hal::console::Console;
use hal::stamp::Stamp;
use hal::{println, timer};
use kcore::capability::{Kind, Range, Rights};
use kcore::objects::Handle;
use kcore::user_range::UserRange;

use crate::state::{Kernel, MAX_INTERRUPTS, Outcome};

/// Longest text of one `debug_write`.
const MAX_TEXT: usize = 4096;

impl Kernel {
    /// The call `debug_write`.
    pub(crate) fn call_debug_write(
        &mut self,
        me: Handle,
        machine: u64,
        text: UserBytes,
    ) -> Result<Outcome, Error> {
        self.capability(me, machine, Kind::Machine, Rights::WRITE)?;
        let range = UserRange::of_bytes(text, MAX_TEXT)?;
        let space = self.objects.thread(me).ok_or(Error::NotFound)?.space;
        let space = self.objects.space(space).ok_or(Error::NotFound)?;
        let mut bytes = [0; MAX_TEXT];
        let bytes = &mut bytes[..range.len()];
        space.read(range, bytes)?;
        let text = str::from_utf8(bytes).map_err(|_| Error::BadArgument)?;
        // The console takes everything.
        let _ = Console.write_str(text);
        Ok(Outcome::Done(text.len() as u64))
    }

    /// The call `system_info`.
    pub(crate) fn call_system_info(&mut self, me: Handle, buffer: UserBuffer) -> Result<Outcome, Error> {
        let stamp = Stamp::read();
        // Checked at boot.
        let text = stamp.text().map_err(|_| Error::NotFound)?;
        let range = UserRange::of_buffer(buffer, usize::MAX)?;
        if range.len() < text.len() {
            return Err(Error::BadLength);
        }
        let space = self.objects.thread(me).ok_or(Error::NotFound)?.space;
        let space = self.objects.space_mut(space).ok_or(Error::NotFound)?;
        space.write(range.prefix(text.len()), text.as_bytes())?;
        Ok(Outcome::Done(text.len() as u64))
    }

    /// The call `power_off`.
    pub(crate) fn call_power_off(&mut self, me: Handle, machine: u64, status: u64) -> Result<Outcome, Error> {
        self.capability(me, machine, Kind::Machine, Rights::GRANT)?;
        println!("kernel: power-off with status {status}");
        hal::power::off(status == 0)
    }

    /// The call `kernel_statistics`.
    pub(crate) fn call_statistics(&mut self, me: Handle, buffer: UserBuffer) -> Result<Outcome, Error> {
        let info = KernelInfo {
            memory: self.memory,
            objects: self.objects.0.len() as u64,
            objects_max: self.objects.0.capacity() as u64,
            heap_free: hal::heap_free() as u64,
            cpus: self.cpus.iter().filter(|cpu| cpu.online).count() as u64,
            cpus_max: hal::cpu::count() as u64,
            switches: self.switches,
            idle: self.idle_time(timer::now()),
        };
        self.write_numbers(me, buffer, &info.to_words())
    }

    /// An interrupt of the range that a capability is for.
    fn interrupt_number(&self, me: Handle, slot: u64, number: u64) -> Result<u32, Error> {
        let capability = self.capability(me, slot, Kind::Interrupts, Rights::WRITE)?;
        in_range(capability.badge, number).ok_or(Error::BadArgument)
    }

    /// The call `interrupt_bind`.
    pub(crate) fn call_interrupt_bind(
        &mut self,
        me: Handle,
        interrupts: u64,
        number: u64,
        notification: u64,
    ) -> Result<Outcome, Error> {
        let number = self.interrupt_number(me, interrupts, number)?;
        let capability = self.capability(me, notification, Kind::Notification, Rights::WRITE)?;
        let place = self.interrupts.get(number as usize).ok_or(Error::BadArgument)?;
        if self.objects.is_alive(place.0) {
            return Err(Error::Busy);
        }
        if !hal::interrupts::enable(number) {
            return Err(Error::BadArgument);
        }
        self.interrupts[number as usize] = (capability.object, capability.badge.max(1));
        Ok(Outcome::Done(0))
    }

    /// The call `interrupt_complete`.
    pub(crate) fn call_interrupt_complete(
        &mut self,
        me: Handle,
        interrupts: u64,
        number: u64,
    ) -> Result<Outcome, Error> {
        let number = self.interrupt_number(me, interrupts, number)?;
        if number as usize >= MAX_INTERRUPTS {
            return Err(Error::BadArgument);
        }
        hal::interrupts::complete(number);
        Ok(Outcome::Done(0))
    }

    /// Checks a port of the range that a capability is for, as many bytes wide.
    fn port(
        &self,
        me: Handle,
        slot: u64,
        number: u64,
        width: u64,
        right: Rights,
    ) -> Result<(u16, usize), Error> {
        let capability = self.capability(me, slot, Kind::Ports, right)?;
        if !matches!(width, 1 | 2 | 4) {
            return Err(Error::BadArgument);
        }
        in_range(capability.badge, number.saturating_add(width - 1)).ok_or(Error::BadArgument)?;
        let port = in_range(capability.badge, number).ok_or(Error::BadArgument)?;
        Ok((
            u16::try_from(port).map_err(|_| Error::BadArgument)?,
            width as usize,
        ))
    }

    /// The call `port_read`.
    pub(crate) fn call_port_read(
        &mut self,
        me: Handle,
        slot: u64,
        number: u64,
        width: u64,
    ) -> Result<Outcome, Error> {
        let (port, width) = self.port(me, slot, number, width, Rights::READ)?;
        hal::ports::read(port, width)
            .map(Outcome::Done)
            .ok_or(Error::BadArgument)
    }

    /// The call `port_write`.
    pub(crate) fn call_port_write(
        &mut self,
        me: Handle,
        slot: u64,
        number: u64,
        width: u64,
        value: u64,
    ) -> Result<Outcome, Error> {
        let (port, width) = self.port(me, slot, number, width, Rights::WRITE)?;
        hal::ports::write(port, width, value)
            .map(Outcome::Done)
            .ok_or(Error::BadArgument)
    }
}

/// The number, when a badge's range contains it.
fn in_range(badge: u64, number: u64) -> Option<u32> {
    let number = u32::try_from(number).ok()?;
    Range::from_badge(badge)?.contains(number).then_some(number)
}

//! Calls on threads and their scheduling.

use abi::layout::USER_END;
use abi::{Error, UserBuffer};
use kcore::capability::{Kind, Rights};
use kcore::objects::Handle;
use kcore::scheduler::Class;
use kcore::user_range::UserRange;

use crate::state::{Kernel, Outcome};
use crate::thread::{Registers, State};

impl Kernel {
    /// A thread that a call may change.
    fn other_thread(&self, me: Handle, slot: u64) -> Result<Handle, Error> {
        Ok(self.capability(me, slot, Kind::Thread, Rights::WRITE)?.object)
    }

    /// The call `thread_configure`.
    pub(crate) fn call_configure(
        &mut self,
        me: Handle,
        thread: u64,
        table: u64,
        space: u64,
        faults: u64,
    ) -> Result<Outcome, Error> {
        let handle = self.other_thread(me, thread)?;
        let table = self.capability(me, table, Kind::Table, Rights::WRITE)?.object;
        let space = self.capability(me, space, Kind::Space, Rights::WRITE)?.object;
        let (faults, badge) = if faults == 0 {
            (Handle::NONE, 0)
        } else {
            let capability = self.capability(me, faults, Kind::Endpoint, Rights::WRITE)?;
            (capability.object, capability.badge)
        };
        let thread = self.objects.thread_mut(handle).ok_or(Error::NotFound)?;
        if thread.state != State::Stopped {
            return Err(Error::Busy);
        }
        thread.table = table;
        thread.space = space;
        thread.faults = faults;
        thread.faults_badge = badge;
        Ok(Outcome::Done(0))
    }

    /// The call `thread_start`.
    pub(crate) fn call_start(
        &mut self,
        cpu: usize,
        me: Handle,
        thread: u64,
        entry: u64,
        stack: u64,
        argument: u64,
    ) -> Result<Outcome, Error> {
        let handle = self.other_thread(me, thread)?;
        if entry >= USER_END || !(16..=USER_END).contains(&stack) || !stack.is_multiple_of(16) {
            return Err(Error::BadAddress);
        }
        let thread = self.objects.thread_mut(handle).ok_or(Error::NotFound)?;
        if thread.state != State::Stopped || thread.space.is_none() || thread.table.is_none() {
            return Err(Error::Busy);
        }
        let Some(context) = &mut thread.context else {
            return Err(Error::Busy);
        };
        **context = Registers::new(entry, stack, argument);
        self.make_ready(cpu, handle);
        Ok(Outcome::Done(0))
    }

    /// The call `thread_suspend`.
    pub(crate) fn call_suspend(&mut self, cpu: usize, me: Handle, thread: u64) -> Result<Outcome, Error> {
        let handle = self.other_thread(me, thread)?;
        self.suspend(cpu, handle);
        // When the call is done, it has stopped: another CPU may have to take note first.
        match self.objects.thread(handle) {
            Some(thread) if thread.state == State::Running && thread.cpu != cpu => Ok(Outcome::Retry),
            _ => Ok(Outcome::Done(0)),
        }
    }

    /// The call `thread_resume`.
    pub(crate) fn call_resume(&mut self, cpu: usize, me: Handle, thread: u64) -> Result<Outcome, Error> {
        let handle = self.other_thread(me, thread)?;
        self.resume(cpu, handle);
        Ok(Outcome::Done(0))
    }

    /// The call `thread_bind`.
    pub(crate) fn call_bind(&mut self, me: Handle, thread: u64, notification: u64) -> Result<Outcome, Error> {
        let handle = self.other_thread(me, thread)?;
        let notification = self
            .capability(me, notification, Kind::Notification, Rights::READ)?
            .object;
        let bound = self
            .objects
            .notification(notification)
            .ok_or(Error::NotFound)?
            .bound;
        if !bound.is_none() && bound != handle && self.objects.is_alive(bound) {
            return Err(Error::Busy);
        }
        let thread = self.objects.thread_mut(handle).ok_or(Error::NotFound)?;
        let before = core::mem::replace(&mut thread.notification, notification);
        if let Some(before) = self.objects.notification_mut(before) {
            before.bound = Handle::NONE;
        }
        if let Some(notification) = self.objects.notification_mut(notification) {
            notification.bound = handle;
        }
        Ok(Outcome::Done(0))
    }

    /// The call `thread_schedule`.
    pub(crate) fn call_schedule(
        &mut self,
        cpu: usize,
        me: Handle,
        thread: u64,
        schedule: u64,
    ) -> Result<Outcome, Error> {
        let handle = self.other_thread(me, thread)?;
        let schedule = self
            .capability(me, schedule, Kind::Schedule, Rights::READ)?
            .object;
        let parameters = *self.objects.schedule(schedule).ok_or(Error::NotFound)?;
        self.set_parameters(cpu, handle, parameters);
        Ok(Outcome::Done(0))
    }

    /// The call `schedule_configure`.
    pub(crate) fn call_schedule_configure(
        &mut self,
        me: Handle,
        schedule: u64,
        class: u64,
        value: u64,
        cpus: u64,
    ) -> Result<Outcome, Error> {
        let handle = self
            .capability(me, schedule, Kind::Schedule, Rights::WRITE)?
            .object;
        let class = match (class, u32::try_from(value)) {
            (0, Ok(weight @ 1..=16384)) => Class::Fair { weight },
            (1, Ok(priority @ 0..=31)) => Class::RealTime(priority as u8),
            _ => return Err(Error::BadArgument),
        };
        if cpus & self.cpus_that_exist() == 0 {
            return Err(Error::BadArgument);
        }
        let parameters = self.objects.schedule_mut(handle).ok_or(Error::NotFound)?;
        parameters.class = class;
        parameters.cpus = cpus;
        Ok(Outcome::Done(0))
    }

    /// The call `thread_info`.
    pub(crate) fn call_thread_info(
        &mut self,
        me: Handle,
        thread: u64,
        buffer: UserBuffer,
    ) -> Result<Outcome, Error> {
        let handle = self.capability(me, thread, Kind::Thread, Rights::NONE)?.object;
        let thread = self.objects.thread(handle).ok_or(Error::NotFound)?;
        let state = if thread.suspended {
            100
        } else {
            thread.state as u64
        };
        self.write_numbers(me, buffer, &[state, thread.time, thread.cpu as u64])
    }

    /// Copies numbers to a caller's buffer, as many as fit.
    pub(crate) fn write_numbers(
        &mut self,
        me: Handle,
        buffer: UserBuffer,
        numbers: &[u64],
    ) -> Result<Outcome, Error> {
        let mut bytes = [0; 128];
        let len = (numbers.len() * 8).min(bytes.len());
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let range = UserRange::of_buffer(buffer, usize::MAX)?.prefix(len);
        let space = self.objects.thread(me).ok_or(Error::NotFound)?.space;
        let space = self.objects.space_mut(space).ok_or(Error::NotFound)?;
        space.write(range, &bytes[..range.len()])?;
        Ok(Outcome::Done(range.len() as u64))
    }
}

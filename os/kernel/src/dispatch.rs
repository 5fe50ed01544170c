//! System calls: from a number and registers to the function that does it.

use abi::{ARGUMENTS, Error, Registers, Request};
use hal::timer;
use kcore::capability::{Kind, Rights};
use kcore::objects::Handle;

use crate::ipc::FOREVER;
use crate::state::{Kernel, Outcome};
use crate::thread::State;

impl Kernel {
    /// Serves the system call of the thread that runs.
    #[inline]
    pub(crate) fn dispatch(
        &mut self,
        cpu: usize,
        me: Handle,
        number: u64,
        arguments: [u64; ARGUMENTS],
    ) -> Result<Outcome, Error> {
        let request = Request::decode(number, Registers::new(arguments))?;
        match request {
            Request::Call {
                slot,
                tag,
                word0,
                word1,
                word2,
                word3,
            } => self.call_send(cpu, me, slot, tag, [word0, word1, word2, word3], true, FOREVER),
            Request::Send {
                slot,
                tag,
                word0,
                word1,
                word2,
                word3,
            } => self.call_send(cpu, me, slot, tag, [word0, word1, word2, word3], false, FOREVER),
            Request::Receive { slot, timeout } => self.call_receive(cpu, me, slot, timeout),
            Request::ReplyReceive {
                slot,
                tag,
                word0,
                word1,
                word2,
                word3,
            } => self.call_reply_receive(cpu, me, slot, tag, [word0, word1, word2, word3]),
            Request::Reply {
                slot,
                tag,
                word0,
                word1,
                word2,
                word3,
            } => self.call_reply(cpu, me, slot, tag, [word0, word1, word2, word3]),
            Request::SaveReply { slot } => self.call_save_reply(me, slot),
            Request::CallTimeout {
                slot,
                tag,
                word0,
                word1,
                word2,
                timeout,
            } => self.call_send(cpu, me, slot, tag, [word0, word1, word2, 0], true, timeout),
            Request::Signal { slot } => self.call_signal(cpu, me, slot),
            Request::Wait { slot, timeout } => self.call_wait(cpu, me, slot, timeout),
            Request::ReceiveSlot { slot } => {
                let slot = u32::try_from(slot).map_err(|_| Error::BadArgument)?;
                self.objects.thread_mut(me).ok_or(Error::NotFound)?.receive_slot = slot;
                Ok(Outcome::Done(0))
            }
            Request::YieldNow {} => {
                self.cpus[cpu].yields = true;
                self.cpus[cpu].reschedule = true;
                Ok(Outcome::Done(0))
            }
            Request::Sleep { nanoseconds } => {
                if nanoseconds == 0 {
                    return Ok(Outcome::Done(0));
                }
                self.block(cpu, me, State::Sleeping, Handle::NONE, nanoseconds);
                Ok(Outcome::Blocked)
            }
            Request::Clock {} => Ok(Outcome::Done(timer::now())),
            Request::ExitThread {} => {
                self.stop(cpu, me);
                Ok(Outcome::Blocked)
            }
            Request::EndpointLimit {
                gate,
                endpoint,
                rate,
                burst,
            } => self.call_limit(me, gate, endpoint, rate, burst),
            Request::CapabilityCopy {
                table,
                to,
                from,
                rights,
            } => self.call_copy(me, table, to, from, rights, None),
            Request::CapabilityMint {
                table,
                to,
                from,
                rights,
                badge,
            } => self.call_copy(me, table, to, from, rights, Some(badge)),
            Request::CapabilityMove { table, to, from } => self.call_move(me, table, to, from),
            Request::CapabilityDelete { table, slot } => self.call_delete(cpu, me, table, slot),
            Request::CapabilityRevoke { table, slot } => self.call_revoke(cpu, me, table, slot),
            Request::CapabilityIdentify { slot } => self.call_identify(me, slot),
            Request::Retype {
                untyped,
                kind,
                size,
                count,
                table,
                first,
            } => self.call_retype(cpu, me, untyped, kind, size, count, table, first),
            Request::Map {
                space,
                table,
                frame,
                address,
                access,
            } => self.call_map(me, space, table, frame, address, access),
            Request::Unmap { table, frame } => self.call_unmap(me, table, frame),
            Request::UntypedFree { untyped } => self.call_untyped_free(me, untyped),
            Request::ThreadConfigure {
                thread,
                table,
                space,
                faults,
            } => self.call_configure(me, thread, table, space, faults),
            Request::ThreadStart {
                thread,
                entry,
                stack,
                argument,
            } => self.call_start(cpu, me, thread, entry, stack, argument),
            Request::ThreadSuspend { thread } => self.call_suspend(cpu, me, thread),
            Request::ThreadResume { thread } => self.call_resume(cpu, me, thread),
            Request::ThreadBind { thread, notification } => self.call_bind(me, thread, notification),
            Request::ThreadSchedule { thread, schedule } => self.call_schedule(cpu, me, thread, schedule),
            Request::ThreadInfo { thread, numbers } => self.call_thread_info(me, thread, numbers),
            Request::ThreadPointer { address } => self.call_thread_pointer(me, address),
            Request::ScheduleConfigure {
                schedule,
                class,
                value,
                cpus,
            } => self.call_schedule_configure(me, schedule, class, value, cpus),
            Request::InterruptBind {
                interrupts,
                number,
                notification,
            } => self.call_interrupt_bind(me, interrupts, number, notification),
            Request::InterruptComplete { interrupts, number } => {
                self.call_interrupt_complete(me, interrupts, number)
            }
            Request::PortRead { ports, number, width } => self.call_port_read(me, ports, number, width),
            Request::PortWrite {
                ports,
                number,
                width,
                value,
            } => self.call_port_write(me, ports, number, width, value),
            Request::DebugWrite { machine, text } => self.call_debug_write(me, machine, text),
            Request::SystemInfo { text } => self.call_system_info(me, text),
            Request::PowerOff { machine, status } => self.call_power_off(me, machine, status),
            Request::CpuControl {
                machine,
                cpu: which,
                on,
            } => {
                self.capability(me, machine, Kind::Machine, Rights::GRANT)?;
                self.call_cpu_control(cpu, which, on)
            }
            Request::KernelStatistics { numbers } => self.call_statistics(me, numbers),
        }
    }
}

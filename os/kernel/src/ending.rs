//! How objects end: when the last reference goes they are doomed, and end in bounded steps when nothing uses them any more.

use abi::Error;
use kcore::capability::{SlotRef, tree};
use kcore::objects::Handle;

use crate::object::Object;
use crate::state::Kernel;
use crate::thread::{Caller, State};

/// Empty slots that one step passes over.
const EMPTY_SLOTS: usize = 256;

/// How far one step has come.
enum Progress {
    /// The object has ended.
    Ended,
    /// There is more to do.
    More,
    /// Another CPU uses the object; it has been called.
    InUse,
}

impl Kernel {
    /// One reference to an object less; without any it is doomed.
    pub(crate) fn drop_reference(&mut self, handle: Handle) {
        let first = self.first_doomed;
        let Some(entry) = self.objects.0.get_mut(handle) else {
            return;
        };
        entry.references = entry.references.saturating_sub(1);
        if entry.references == 0 && !entry.doomed {
            entry.doomed = true;
            entry.next_doomed = first;
            self.first_doomed = handle;
        }
    }

    /// Lets what is doomed end, in at most so many steps. Returns whether all of it has.
    pub(crate) fn drain(&mut self, cpu: usize, steps: usize) -> bool {
        for _ in 0..steps {
            if self.first_doomed.is_none() {
                return true;
            }
            match self.end_step(cpu, self.first_doomed) {
                Progress::Ended | Progress::More => {}
                Progress::InUse => return false,
            }
        }
        self.first_doomed.is_none()
    }

    /// Does one step for the first of the doomed.
    fn end_step(&mut self, cpu: usize, handle: Handle) -> Progress {
        let Some(entry) = self.objects.0.get(handle) else {
            self.first_doomed = Handle::NONE;
            return Progress::Ended;
        };
        let progress = match &entry.object {
            Object::Table(_) => self.empty_table(cpu, handle),
            Object::Thread(_) => self.end_thread(cpu, handle),
            Object::Space(space) => {
                if space.is_active() {
                    self.vacate(cpu, handle)
                } else {
                    Progress::Ended
                }
            }
            Object::Endpoint(endpoint) => match endpoint.queue.first() {
                Some(thread) => self.send_away(cpu, thread),
                None => Progress::Ended,
            },
            Object::Notification(notification) => match notification.queue.first() {
                Some(thread) => self.send_away(cpu, thread),
                None => Progress::Ended,
            },
            Object::Untyped(_) | Object::Frame(_) | Object::Schedule(_) => Progress::Ended,
        };
        if matches!(progress, Progress::Ended) {
            self.finish(handle);
        }
        progress
    }

    /// Deletes one capability of a doomed table. Deleting it may doom others, which then come first.
    fn empty_table(&mut self, cpu: usize, handle: Handle) -> Progress {
        let Some(entry) = self.objects.0.get_mut(handle) else {
            return Progress::Ended;
        };
        let Object::Table(slots) = &entry.object else {
            return Progress::Ended;
        };
        let rest = slots.get(entry.emptied as usize..).unwrap_or_default();
        if rest.is_empty() {
            return Progress::Ended;
        }
        // Empty slots cost little: many go in one step.
        let empty = rest
            .iter()
            .take(EMPTY_SLOTS)
            .take_while(|slot| slot.is_empty())
            .count();
        entry.emptied += empty as u32;
        if empty == rest.len().min(EMPTY_SLOTS) {
            return Progress::More;
        }
        let at = SlotRef {
            table: handle.index,
            index: entry.emptied,
        };
        if let Ok(capability) = tree::delete(&mut self.objects, at) {
            self.release_capability(cpu, capability);
        }
        Progress::More
    }

    /// Takes a thread out of everything that it is in.
    fn end_thread(&mut self, cpu: usize, handle: Handle) -> Progress {
        let Some(thread) = self.objects.thread_mut(handle) else {
            return Progress::Ended;
        };
        let caller = core::mem::replace(&mut thread.caller, Caller::NONE);
        let on = thread.cpu;
        if thread.state == State::Running && on != cpu {
            thread.suspended = true;
            self.call_in(on);
            return Progress::InUse;
        }
        self.stop(cpu, handle);
        self.fail_caller(cpu, caller);
        Progress::Ended
    }

    /// Makes the CPUs that have an address space active leave it.
    fn vacate(&mut self, cpu: usize, handle: Handle) -> Progress {
        if self.cpus[cpu].space == handle {
            self.leave_space(cpu);
        }
        let mut in_use = false;
        for other in (0..self.cpus.len()).filter(|&other| other != cpu) {
            if self.cpus[other].space == handle {
                in_use = true;
                self.call_in(other);
            }
        }
        if in_use { Progress::InUse } else { Progress::More }
    }

    /// Ends the waiting of a thread at something that ends.
    fn send_away(&mut self, cpu: usize, thread: Handle) -> Progress {
        self.leave_queue(thread);
        self.wake(cpu, thread, Err(Error::PeerGone));
        Progress::More
    }

    /// The object is used by nothing: its memory goes back.
    fn finish(&mut self, handle: Handle) {
        let Some(entry) = self.objects.0.get(handle) else {
            return;
        };
        let (parent, next) = (entry.parent, entry.next_doomed);
        // What was doomed meanwhile stands before it in the list.
        if self.first_doomed == handle {
            self.first_doomed = next;
        } else {
            return;
        }
        let Some(entry) = self.objects.0.remove(handle) else {
            return;
        };
        match entry.object {
            // Memory that cannot be given back stays lost: nothing of it is out, by the references counted.
            Object::Untyped(region) => self.objects.put_back(parent, region.into_memory().ok()),
            Object::Frame(frame) => self.objects.put_back(parent, frame.into_memory().ok()),
            Object::Space(space) => {
                if let Some(region) = self.objects.untyped_mut(parent) {
                    space.release(region);
                }
            }
            Object::Thread(mut thread) => {
                let context = thread.context.take().map(hal::Stored::into_memory);
                // The other way round than they were taken, so that both can be taken anew at once.
                self.objects
                    .put_back(parent, [thread.into_memory()].into_iter().chain(context));
            }
            Object::Endpoint(endpoint) => self.objects.put_back(parent, [endpoint.into_memory()]),
            Object::Notification(notification) => self.objects.put_back(parent, [notification.into_memory()]),
            Object::Table(slots) => self.objects.put_back(parent, [slots.into_memory()]),
            Object::Schedule(schedule) => self.objects.put_back(parent, [schedule.into_memory()]),
        }
        self.drop_reference(parent);
    }
}

//! Processes: who runs, who waits for whom, and how each one ends.

use alloc::string::String;
use alloc::vec::Vec;

use abi::{Error, Fate, Fault, encode_result};
use hal::{AddressSpace, Context, Event, FpuState, Frames, println, timer};
use kcore::tar::Archive;

use crate::loader;
use crate::system_call;

/// Most processes at one time, the ended ones that nobody has waited for included.
const MAX_PROCESSES: usize = 64;

/// Number of a process. The first one, `/init`, is 1.
pub(crate) type ProcessId = u64;

/// The number of `/init`.
const INIT: ProcessId = 1;

/// A running program.
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    parent: Option<ProcessId>,
    name: String,
    pub(crate) space: AddressSpace,
    pub(crate) context: Context,
    /// Once it has used floating point.
    fpu: Option<FpuState>,
    /// The child whose end it waits for.
    waits_for: Option<ProcessId>,
}

/// A process that has ended while its parent was busy.
struct Ended {
    id: ProcessId,
    parent: ProcessId,
    fate: Fate,
}

/// All processes, with the memory that they come from.
pub(crate) struct Processes {
    frames: Frames,
    initrd: Archive<'static>,
    running: Vec<Process>,
    ended: Vec<Ended>,
    last_id: ProcessId,
}

impl Processes {
    /// No process yet.
    pub(crate) fn new(frames: Frames, initrd: Archive<'static>) -> Self {
        Self {
            frames,
            initrd,
            running: Vec::new(),
            ended: Vec::new(),
            last_id: 0,
        }
    }

    /// Starts a program of the initrd.
    pub(crate) fn spawn(
        &mut self,
        name: &str,
        argument: u64,
        parent: Option<ProcessId>,
    ) -> Result<ProcessId, Error> {
        if self.running.len() + self.ended.len() >= MAX_PROCESSES {
            return Err(Error::TooMany);
        }
        let file = self.initrd.find(name).ok_or(Error::NotFound)?;
        let (space, context) = loader::load(&mut self.frames, file.data, argument).map_err(|error| {
            println!("kernel: {name} refused: {error}");
            error.number()
        })?;
        self.last_id += 1;
        let id = self.last_id;
        self.running.push(Process {
            id,
            parent,
            name: String::from(name),
            space,
            context,
            fpu: None,
            waits_for: None,
        });
        Ok(id)
    }

    /// Runs processes in turn, each until the timer ticks or it has to wait.
    pub(crate) fn run(mut self) -> ! {
        let mut turn = 0;
        timer::arm(timer::now() + system_call::TICK);
        loop {
            let count = self.running.len();
            let mut order = (turn..turn + count).map(|index| index % count);
            let Some(index) = order.find(|&index| self.running[index].waits_for.is_none()) else {
                // A process waits for its own child only, so the last one in such a chain can run.
                panic!("all {count} processes wait");
            };
            turn = self.serve(index);
        }
    }

    /// Runs one process until it stops, and deals with the reason. Returns whose turn is next.
    fn serve(&mut self, index: usize) -> usize {
        let process = &mut self.running[index];
        match process.space.run(&mut process.context, process.fpu.as_mut()) {
            Event::Timer => {
                timer::arm(timer::now() + system_call::TICK);
                return index + 1;
            }
            Event::Kick | Event::Device(_) => {}
            Event::FpuFirstUse => process.fpu = Some(FpuState::new()),
            Event::Call => {
                system_call::serve(self, index);
            }
            Event::Fault { fault, address } => self.kill(index, fault, address),
        }
        index
    }

    /// The process at an index.
    pub(crate) fn at(&mut self, index: usize) -> &mut Process {
        &mut self.running[index]
    }

    /// Whether a process is `/init`.
    pub(crate) fn is_init(&self, index: usize) -> bool {
        self.running[index].id == INIT
    }

    /// Waits for a child: answers at once when it has ended, else when it ends.
    pub(crate) fn wait(&mut self, index: usize, child: ProcessId) {
        let parent = self.running[index].id;
        let ended = self
            .ended
            .iter()
            .position(|ended| ended.id == child && ended.parent == parent);
        let result = match ended {
            Some(ended) => Ok(self.ended.swap_remove(ended).fate.encode()),
            None if self
                .running
                .iter()
                .any(|other| other.id == child && other.parent == Some(parent)) =>
            {
                self.running[index].waits_for = Some(child);
                return;
            }
            None => Err(Error::NotFound),
        };
        self.running[index].context.set_result(encode_result(result));
    }

    fn kill(&mut self, index: usize, fault: Fault, address: Option<u64>) {
        let Process {
            id, name, context, ..
        } = &self.running[index];
        match address {
            Some(address) => {
                println!("kernel: process {id} ({name}) killed: {fault} at {address:#x}\n{context}")
            }
            None => println!("kernel: process {id} ({name}) killed: {fault}\n{context}"),
        }
        self.end(index, Fate::Killed(fault));
    }

    /// Ends a process: gives its memory back and tells its parent.
    pub(crate) fn end(&mut self, index: usize, fate: Fate) {
        let Process {
            id,
            parent,
            name,
            space,
            ..
        } = self.running.remove(index);
        space.release(&mut self.frames);
        println!(
            "kernel: process {id} ({name}) {fate}; {} KiB free",
            self.frames.free() >> 10
        );
        if id == INIT {
            panic!("/init {fate}: nothing is left to run");
        }
        // Nobody can wait for its children any more.
        self.ended.retain(|ended| ended.parent != id);
        for orphan in self.running.iter_mut().filter(|other| other.parent == Some(id)) {
            orphan.parent = None;
        }
        let Some(parent) = parent else { return };
        match self.running.iter_mut().find(|other| other.id == parent) {
            Some(waiting) if waiting.waits_for == Some(id) => {
                waiting.waits_for = None;
                waiting.context.set_result(encode_result(Ok(fate.encode())));
            }
            Some(_) => self.ended.push(Ended { id, parent, fate }),
            None => {}
        }
    }
}

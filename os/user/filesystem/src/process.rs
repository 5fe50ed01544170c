//! What the system and its processes are doing, as files.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use crate::error::{Error, Result};
use crate::system::{Entry, FileSystem, Kind, NodeId, Stat};

/// Memory of the machine in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the system manages.
    pub total: u64,
    /// What nobody uses, where that is known.
    pub free: Option<u64>,
}

/// Times since boot in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// How long the system has been running.
    pub up: u64,
    /// How long its processors had nothing to do, added up.
    pub idle: u64,
}

/// A process, as its files show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Name of its program.
    pub name: String,
    /// What it is doing: one word.
    pub state: &'static str,
    /// Process number of its parent, 0 if it has none.
    pub parent: u32,
    /// Number of its group.
    pub group: u32,
    /// Memory that it has, in bytes.
    pub memory: u64,
    /// Its arguments, its name included.
    pub arguments: Vec<String>,
}

/// Where the contents of the files come from.
pub trait Facts {
    /// Memory of the machine.
    fn memory(&self) -> Memory;
    /// The names of the processors' models, in the order of their numbers.
    fn processors(&self) -> Vec<String>;
    /// Times since boot.
    fn uptime(&self) -> Uptime;
    /// The system's version, on one line.
    fn version(&self) -> String;
    /// The lowest process number that is at least `from`.
    ///
    /// # Errors
    /// `NotReady` when that is not known yet.
    fn next_process(&self, from: u32) -> Result<Option<u32>>;
    /// The process with this number.
    ///
    /// # Errors
    /// `NotReady` when that is not known yet.
    fn process(&self, number: u32) -> Result<Option<Process>>;
}

/// `meminfo`, `cpuinfo`, `uptime`, `version`, and for each process `<number>/status` and `<number>/cmdline`.
///
/// A file is made anew at each read: one that is read in pieces may not fit together if things change meanwhile.
pub struct ProcFs {
    facts: Box<dyn Facts>,
}

/// Node 0 is the root; 1 to 4 are the system's files. Processes have 256 times their number, plus one of these.
const DIRECTORY: u64 = 0;
const STATUS: u64 = 1;
const CMDLINE: u64 = 2;

const SYSTEM: [&str; 4] = ["meminfo", "cpuinfo", "uptime", "version"];
const PROCESS: [&str; 2] = ["status", "cmdline"];

/// What a node number stands for.
enum Place {
    Root,
    System(usize),
    Process(u32, u64),
}

impl ProcFs {
    /// Files that show what `facts` say.
    pub fn new(facts: Box<dyn Facts>) -> Self {
        Self { facts }
    }

    fn place(&self, node: NodeId) -> Result<Place> {
        let number = u32::try_from(node.0 >> 8).map_err(|_| Error::NotFound)?;
        match (number, node.0 & 255) {
            (0, 0) => Ok(Place::Root),
            (0, file) if file <= SYSTEM.len() as u64 => Ok(Place::System(file as usize - 1)),
            (1.., file) if file <= CMDLINE && self.exists(number)? => Ok(Place::Process(number, file)),
            _ => Err(Error::NotFound),
        }
    }

    fn exists(&self, number: u32) -> Result<bool> {
        Ok(self.facts.next_process(number)? == Some(number))
    }

    fn system_file(&self, file: usize) -> String {
        match file {
            0 => {
                let Memory { total, free } = self.facts.memory();
                let free = free.map(|free| format!("MemFree:  {:12} kB\n", free / 1024));
                format!("MemTotal: {:12} kB\n{}", total / 1024, free.unwrap_or_default())
            }
            1 => {
                let mut text = String::new();
                for (number, model) in self.facts.processors().iter().enumerate() {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "processor\t: {number}\nmodel name\t: {model}\n\n");
                }
                text
            }
            2 => {
                let Uptime { up, idle } = self.facts.uptime();
                let seconds = |time: u64| format!("{}.{:02}", time / 1_000_000_000, time / 10_000_000 % 100);
                format!("{} {}\n", seconds(up), seconds(idle))
            }
            _ => format!("{}\n", self.facts.version()),
        }
    }

    fn process_file(&self, number: u32, file: u64) -> Result<String> {
        let process = self.facts.process(number)?.ok_or(Error::NotFound)?;
        if file == CMDLINE {
            return Ok(process.arguments.iter().map(|text| format!("{text}\0")).collect());
        }
        Ok(format!(
            "Name:\t{}\nState:\t{}\nPid:\t{number}\nPPid:\t{}\nGroup:\t{}\nVmSize:\t{} kB\n",
            process.name,
            process.state,
            process.parent,
            process.group,
            process.memory / 1024
        ))
    }
}

impl FileSystem for ProcFs {
    fn root(&self) -> NodeId {
        NodeId(0)
    }

    fn stat(&self, node: NodeId) -> Result<Stat> {
        let kind = match self.place(node)? {
            Place::Root | Place::Process(_, DIRECTORY) => Kind::Directory,
            Place::System(_) | Place::Process(..) => Kind::File,
        };
        Ok(Stat {
            kind,
            len: 0,
            node: node.0,
            system: 0,
            device: 0,
            modified: 0,
        })
    }

    fn lookup(&self, directory: NodeId, name: &str) -> Result<NodeId> {
        let index = |names: &[&str]| names.iter().position(|&other| other == name);
        match self.place(directory)? {
            Place::Root => {
                if let Some(file) = index(&SYSTEM) {
                    return Ok(NodeId(file as u64 + 1));
                }
                let number: u32 = name.parse().map_err(|_| Error::NotFound)?;
                // "+1" and "01" are numbers, but no names.
                if number == 0 || number.to_string() != name || !self.exists(number)? {
                    return Err(Error::NotFound);
                }
                Ok(NodeId(u64::from(number) << 8))
            }
            Place::Process(_, DIRECTORY) => {
                let file = index(&PROCESS).ok_or(Error::NotFound)?;
                Ok(NodeId(directory.0 + STATUS + file as u64))
            }
            _ => Err(Error::NotDirectory),
        }
    }

    fn read(&mut self, node: NodeId, offset: u64, out: &mut [u8]) -> Result<usize> {
        let text = match self.place(node)? {
            Place::System(file) => self.system_file(file),
            Place::Root | Place::Process(_, DIRECTORY) => return Err(Error::IsDirectory),
            Place::Process(number, file) => self.process_file(number, file)?,
        };
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|offset| text.as_bytes().get(offset..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    /// Cursors are the node numbers of the root's entries, and indices of names in a process.
    fn entry(&self, directory: NodeId, cursor: u64) -> Result<Option<(u64, Entry)>> {
        let (next, name, node, kind) = match self.place(directory)? {
            Place::Root => {
                let first = cursor.max(1);
                if let Some(&name) = SYSTEM.get(usize::try_from(first - 1).unwrap_or(usize::MAX)) {
                    (first + 1, name.to_string(), first, Kind::File)
                } else {
                    let Ok(from) = u32::try_from(first.div_ceil(256)) else {
                        return Ok(None);
                    };
                    let Some(number) = self.facts.next_process(from)? else {
                        return Ok(None);
                    };
                    let node = u64::from(number) << 8;
                    (node + 1, number.to_string(), node, Kind::Directory)
                }
            }
            Place::Process(_, DIRECTORY) => {
                let Some(&name) = usize::try_from(cursor).ok().and_then(|index| PROCESS.get(index)) else {
                    return Ok(None);
                };
                (
                    cursor + 1,
                    name.to_string(),
                    directory.0 + STATUS + cursor,
                    Kind::File,
                )
            }
            _ => return Err(Error::NotDirectory),
        };
        let node = NodeId(node);
        Ok(Some((next, Entry { name, node, kind })))
    }
}

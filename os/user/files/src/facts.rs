//! What the kernel tells about the system.

use rt::alloc::string::{String, ToString};
use rt::alloc::vec::Vec;

use abi::Identity;
use abi::start::KernelInfo;
use files::Processes;
use filesystem::{Facts, Memory, Process, Uptime};

/// The system as the kernel tells of it.
#[derive(Debug)]
pub(crate) struct SystemFacts {
    version: String,
    arch: String,
    processes: Processes,
}

impl SystemFacts {
    /// Asks what never changes. Of processes `processes` tells.
    pub(crate) fn read(processes: Processes) -> Self {
        let mut buffer = [0; abi::IDENTITY_LEN];
        let len = syscall::system_info(&mut buffer).unwrap_or(0) as usize;
        let text = buffer.get(..len).and_then(|text| core::str::from_utf8(text).ok());
        let identity = text.and_then(|text| Identity::parse(text).ok());
        Self {
            version: identity.map_or_else(String::new, |identity| identity.to_string()),
            arch: identity.map_or_else(String::new, |identity| identity.arch.to_string()),
            processes,
        }
    }
}

/// Bytes of memory that the machine has.
pub(crate) fn memory_total() -> u64 {
    statistics().memory
}

/// Numbers of the kernel that are of interest here.
const KERNEL_INFO_WORDS: usize = size_of::<KernelInfo>() / 8;

fn statistics() -> KernelInfo {
    let mut words = [0_u64; KERNEL_INFO_WORDS];
    let mut bytes = [0; 8 * KERNEL_INFO_WORDS];
    let len = syscall::kernel_statistics(&mut bytes).unwrap_or(0) as usize;
    let known = bytes.get(..len).unwrap_or_default();
    for (word, bytes) in words.iter_mut().zip(known.chunks_exact(8)) {
        *word = bytes
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    let [
        memory,
        objects,
        objects_max,
        heap_free,
        cpus,
        cpus_max,
        switches,
        idle,
    ] = words;
    KernelInfo {
        memory,
        objects,
        objects_max,
        heap_free,
        cpus,
        cpus_max,
        switches,
        idle,
    }
}

impl Facts for SystemFacts {
    /// What is free only the process server knows, which must not be asked from here.
    fn memory(&self) -> Memory {
        Memory {
            total: memory_total(),
            free: None,
        }
    }

    /// The kernel does not tell models apart: the architecture stands for each.
    fn processors(&self) -> Vec<String> {
        (0..statistics().cpus).map(|_| self.arch.clone()).collect()
    }

    fn uptime(&self) -> Uptime {
        Uptime {
            up: syscall::clock().unwrap_or(0),
            idle: statistics().idle,
        }
    }

    fn version(&self) -> String {
        self.version.clone()
    }

    fn next_process(&self, from: u32) -> filesystem::Result<Option<u32>> {
        self.processes.next(from)
    }

    fn process(&self, number: u32) -> filesystem::Result<Option<Process>> {
        self.processes.get(number)
    }
}

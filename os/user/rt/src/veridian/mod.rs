//! The runtime over the system's servers.
//!
//! A program that the process server started has a start record, an I/O buffer and the servers. The first program, and
//! those that another one starts by itself, have none of them: they can print to the kernel's console when they may, and
//! everything else returns `Unsupported`.

pub mod channel;
mod client;
mod env;
mod file;
mod heap;
mod lock;
pub(crate) mod names;
pub mod objects;
mod process;
mod start;
mod stream;
mod system;
pub mod thread;

pub(crate) use env::{current_dir, current_exe, remove_var, set_current_dir, set_var, var, vars};
pub(crate) use file::{
    File, canonicalize, create_dir, metadata, pipe, read_dir, remove_dir, remove_file, rename,
};
pub(crate) use names::list_names;
pub(crate) use process::{
    Child, Gifts, hold_interrupts, kill, kill_group, processes, set_foreground, take_interrupt,
};
pub(crate) use start::{exit_process, group, id, lead_group, panicked};
pub use start::{prepare, start};
pub(crate) use stream::{
    Stream, flush_output, is_terminal, print, print_error, read_input, set_mode, size, stream_file,
    write_error, write_output,
};
pub(crate) use system::{info, now, power_off, sleep, unix_now};

//! Services: the files that describe them, the order in which they start, and the supervisor that keeps them running.
//!
//! A service file is text: a line `[service]`, then lines `key = value`. Empty lines and lines that begin with `#` are
//! skipped. The service has the name of its file, without `.service`.
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `exec` | absolute path of the program | required |
//! | `args` | its arguments, separated by blanks; `"..."` keeps blanks, `\"` and `\\` stand for themselves in it | none |
//! | `env` | `NAME=value`; may come several times | none |
//! | `after` | names of services that start earlier, if they start at all | none |
//! | `requires` | names of services that have to be up before; when one is not to be had, this one is not started | none |
//! | `restart` | `never`, `on-failure` or `always` | `never` |
//! | `backoff` | how long the first restart waits: `500ms`, `2s`, `1min`; it doubles each time, up to a minute | `1s` |
//! | `burst` | so many restarts in a row, then the service has failed; a run of a minute ends the row | `5` |
//! | `stop-timeout` | how long it may take to stop before it is killed | `5s` |
//! | `type` | `simple`: up as soon as it runs; `oneshot`: up when it has exited with 0 | `simple` |
//! | `console` | `yes`: it gets the console for input and output | `no` |
//!
//! [`Set`] is what a directory of such files is: it exists only if all of them can be read, every `requires` names a
//! service, and nothing waits for itself. [`Supervisor`] is a state machine over a set: events in, [`Command`]s out.
//!
//! What always holds:
//!
//! - No text and no order of events makes anything panic.
//! - A service starts only when all that it requires are up, and all that it comes after are settled: up, done, failed
//!   or stopped.
//! - At shutdown a service is stopped only when all that depend on it are down.
//! - A service has one process at most.
//! - At shutdown every process is asked to stop, then killed; power-off comes when none is left, once.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod file;
mod order;
mod supervisor;

pub use file::{FileError, Restart, Service, parse};
pub use order::{Set, SetError};
pub use supervisor::{Command, Event, Exit, LONGEST_BACKOFF, SETTLED, State, Supervisor};

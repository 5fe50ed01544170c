//! The shell: a POSIX-like command language.
//!
//! Text goes through `parser` (characters to [`ast`]), `expand` (words to fields) and `execute`. There is no `fork`: a
//! subshell `( )`, a command substitution and the last stage of a pipeline run in this process on a copy of the state,
//! which is put back afterwards; what has to run beside the shell (other stages of a pipeline that are no programs, and
//! commands in the background) runs in another shell, which gets the state as text. `execute::pipeline` says more.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod arithmetic;
mod ast;
mod builtins;
mod complete;
mod edit;
mod execute;
mod expand;
mod glob;
mod history;
mod interactive;
mod invocation;
mod jobs;
mod keys;
mod lexer;
mod parser;
mod pattern;
mod shell;
mod stream;
mod unparse;
mod variables;

pub use invocation::run;

/// What std's prelude would bring.
mod prelude {
    pub(crate) use alloc::borrow::ToOwned;
    pub(crate) use alloc::boxed::Box;
    pub(crate) use alloc::rc::Rc;
    pub(crate) use alloc::string::{String, ToString};
    pub(crate) use alloc::vec::Vec;
    pub(crate) use alloc::{format, vec};
}

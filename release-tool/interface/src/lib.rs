//! What programs rely on: the table of system calls, and the public API of the crates that programs are built with.
//!
//! [`Interface::read`] reads it from a commit's sources, without compiling them; [`compare`] says what two of them have
//! different, and by which [`Rule`] a program that was written for the one can or cannot go on with the other.
//!
//! Nothing here touches a file: a function gives the sources.

mod cfg;
mod compare;
mod error;
mod expand;
mod item;
mod read;
mod sources;

pub use compare::{Change, Impact, Rule, compare};
pub use error::InterfaceError;
pub use item::{
    Argument, Enum, Field, Function, Interface, Item, ItemKind, Place, Returns, Shape, Struct, SystemCall,
    Trait, TraitItem, Variant,
};
pub use read::CRATES;
pub use sources::Reader;

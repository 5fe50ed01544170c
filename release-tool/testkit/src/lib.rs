//! A whole fake release world that anybody can release into without secrets.
//!
//! A [`Scene`] is a temporary directory with a real git repository, a real bare remote and throwaway keys. Its
//! [`SceneWorld`] is real where that is cheap (files, git) and acts where it is not: the clock stands still, and compiler
//! and emulator are programs of this crate. The compiler writes small ELF and PE files that pass every check of the real
//! ones; the emulator reads the bytes that it is given and prints the identity that it finds in them, so that a wrong
//! image is found out here as well. The same programs exist as real ones ([`Scene::install_programs`]), so that the real
//! command line can release into a scene. [`Faulty`] makes one chosen effect of another world fail, or kills the process there.

mod binaries;
mod fake_programs;
mod faulty;
mod faulty_picking;
mod reader;
mod real_programs;
mod scene;
mod year;

pub use fake_programs::Leak;
pub use faulty::{Fault, Faulty, Mode};
pub use reader::check_reader;
pub use real_programs::{Fault as ProgramFault, play};
pub use scene::{Scene, SceneWorld, published};
pub use year::{YearReport, live_through};

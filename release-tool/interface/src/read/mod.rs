//! From sources to an interface.

mod canon;
mod constants;
mod impls;
mod items;
mod names;
mod table;

mod tree;

use crate::sources::Sources;
use crate::{Interface, InterfaceError, Reader};
use items::Extractor;
use std::collections::BTreeMap;
use tree::Tree;
use vrel_model::Arch;

/// The crates that programs are built with: name, and path of `lib.rs` in the operating system's directory. A crate comes
/// after those that it uses.
pub const CRATES: [(&str, &str); 3] = [
    ("abi", "abi/src/lib.rs"),
    (OPTIONAL, "user/syscall/src/lib.rs"),
    ("rt", "user/rt/src/lib.rs"),
];

/// A crate that trees may lack which have the others: once its items were the runtime's.
const OPTIONAL: &str = "syscall";

impl Interface {
    /// Reads the interface from the operating system's directory `os` of a commit, whose files `read` gives. `None` when
    /// the commit has none of the crates: it is older than they are.
    ///
    /// Nothing is compiled. Modules, imports, conditions and `macro_rules!` macros are followed as the compiler does.
    /// Types are compared by name: whether a type is `Send`, what a function returning `impl Trait` really returns, and
    /// what procedural macros other than `derive` make cannot be told.
    ///
    /// # Errors
    /// When sources are missing or cannot be understood; with file and line.
    pub fn read(os: &str, read: &mut Reader<'_>) -> Result<Option<Self>, InterfaceError> {
        let files = CRATES.map(|(name, file)| (name, format!("{os}/{file}")));
        let sources = Sources::new(read);
        let mut any = false;
        for (_, file) in &files {
            any |= sources.file(file)?.is_some();
        }
        if !any {
            return Ok(None);
        }
        let mut calls = Vec::new();
        let mut items = BTreeMap::new();
        for arch in Arch::ALL {
            let mut tree = Tree::new(arch, &sources);
            for (name, file) in &files {
                if *name != OPTIONAL || sources.file(file)?.is_some() {
                    tree.add_crate(name, file)?;
                }
            }
            calls = table::system_calls(&tree, &files[0].1)?;
            items.insert(arch, Extractor::new(&tree).extract()?);
        }
        Ok(Some(Self { calls, items }))
    }
}

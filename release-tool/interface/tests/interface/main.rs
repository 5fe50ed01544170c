//! What is read from sources, and what differences mean.

mod errors;
mod oracle;
mod properties;
mod reading;
mod rules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_interface::{Interface, InterfaceError};

/// A table with two calls.
const TABLE: &str = "#[macro_export]
macro_rules! with_system_calls {
    ($then:path) => {
        $then! {
            /// Writes text.
            1 Write write(text: bytes, to: number, at: number) -> \"bytes written\": BadAddress;
            /// Ends.
            2 Exit exit(code: number) -> never: BadArgument;
        }
    };
}
";

/// The repository's top directory.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The interface of this tree's sources.
fn of_this_tree() -> Interface {
    Interface::read("os", &mut |path| std::fs::read(root().join(path)).ok())
        .unwrap_or_else(|error| panic!("{error}"))
        .unwrap()
}

/// Reads the interface of files by path in the operating system's directory.
fn read(files: &[(&str, &str)]) -> Result<Option<Interface>, InterfaceError> {
    let files: BTreeMap<String, &str> = files
        .iter()
        .map(|(path, text)| (format!("os/{path}"), *text))
        .collect();
    Interface::read("os", &mut |path| {
        files.get(path).map(|text| text.as_bytes().to_vec())
    })
}

/// The interface of a crate `abi` with this table and these items.
fn with(table: &str, items: &str) -> Interface {
    read(&[
        ("abi/src/lib.rs", &format!("{table}\n{items}")),
        ("user/rt/src/lib.rs", ""),
    ])
    .unwrap_or_else(|error| panic!("{error}\n{items}"))
    .unwrap()
}

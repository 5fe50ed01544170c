//! Writes the manual pages of all commands: `cargo run -p coreutils --example man_pages`.

use coreutils::{COMMANDS, ManPage};

fn main() -> std::io::Result<()> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    // `[` is on the page of `test`.
    for spec in COMMANDS.iter().filter(|spec| spec.name != "[") {
        std::fs::write(
            directory.join(format!("{}.1", spec.name)),
            ManPage(spec).to_string(),
        )?;
    }
    Ok(())
}

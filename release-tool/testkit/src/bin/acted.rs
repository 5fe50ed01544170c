//! Compiler, linker or emulator of a scene, whichever it is called as.

use std::process::ExitCode;

fn main() -> ExitCode {
    vrel_testkit::play()
}

//! The release tool.

use std::process::ExitCode;

fn main() -> ExitCode {
    vrel_cli::main()
}

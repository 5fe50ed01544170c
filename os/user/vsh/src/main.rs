//! The shell as a program.
#![cfg_attr(target_os = "none", no_std, no_main)]

rt::main!(vsh::run);

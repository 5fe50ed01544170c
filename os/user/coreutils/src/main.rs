//! The standard commands: runs the one that argument 0 names, or, started as `coreutils`, the one that argument 1 names.
#![cfg_attr(target_os = "none", no_std, no_main)]

rt::main!(run);

fn run(args: rt::Args) -> u32 {
    coreutils::main(args.collect())
}

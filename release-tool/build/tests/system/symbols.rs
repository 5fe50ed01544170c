//! What is shipped has no debugging information, and a debugger finds it by the build id.

use crate::fixture::{identity, machine, session, systems, time};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vrel_build::flat::flatten;
use vrel_build::function_names::write_names;
use vrel_build::qemu::{Boot, Files, boot};
use vrel_build::stamp::write_identity;
use vrel_build::strip::{Names, build_id, strip};
use vrel_build::symbols::{Unstripped, write};
use vrel_model::Arch;
use vrel_pack::Zstd;
use vrel_pack::symbols::Symbols;
use vrel_world::RealWorld;

fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> String {
    let output = Command::new(program).args(args).env("LC_ALL", "C").output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {}: {said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The linked files of an architecture by name, before anything is stripped.
fn files(arch: Arch) -> BTreeMap<&'static str, &'static [u8]> {
    let system = &systems()[&arch];
    let programs = system.linked.iter();
    let mut files: BTreeMap<_, _> = programs
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    files.insert("kernel", &system.linked_kernel);
    files
}

/// The stamped and stripped kernel, as it is shipped.
fn shipped_kernel(arch: Arch) -> Vec<u8> {
    let mut kernel = strip(&systems()[&arch].linked_kernel, "kernel", Names::Kept).unwrap();
    write_names(&mut kernel).unwrap();
    write_identity(&mut kernel, &identity(arch)).unwrap();
    kernel
}

fn sections(elf: &Path) -> String {
    run("readelf", [OsStr::new("-SW"), elf.as_os_str()])
}

/// The segments that are loaded or noted, each with its flags and addresses, and its content.
fn segments(elf: &[u8]) -> Vec<(Vec<u64>, Vec<u8>)> {
    let word = |at: usize| u64::from_le_bytes(elf[at..at + 8].try_into().unwrap());
    let half = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()));
    let (table, size, count) = (word(32) as usize, half(54), half(56));
    (0..count)
        .map(|index| table + index * size)
        .map(|at| {
            let (offset, len) = (word(at + 8) as usize, word(at + 32) as usize);
            let fields = [0, 16, 24, 32, 40, 48].map(|field| word(at + field));
            (fields.to_vec(), elf[offset..offset + len].to_vec())
        })
        .collect()
}

#[test]
fn stripped_files_load_the_same_bytes_and_are_small() {
    let dir = tempfile::tempdir().unwrap();
    for arch in Arch::ALL {
        for (name, content) in files(arch) {
            let names = if name == "kernel" {
                Names::Kept
            } else {
                Names::Removed
            };
            let stripped = strip(content, name, names).unwrap();
            assert!(
                segments(&stripped) == segments(content),
                "{arch}: {name} loads something else"
            );
            assert_eq!(stripped, strip(&stripped, name, names).unwrap());
            assert!(stripped.len() < 512 << 10, "{arch}: {name}: {}", stripped.len());
            assert_eq!(
                build_id(&stripped, name).unwrap(),
                build_id(content, name).unwrap()
            );
            let (before, after) = (dir.path().join("linked"), dir.path().join("stripped"));
            fs::write(&before, content).unwrap();
            fs::write(&after, stripped).unwrap();
            assert!(sections(&before).contains(".debug_info"), "{arch}: {name}");
            let left = sections(&after);
            assert!(!left.contains(".debug"), "{arch}: {name}: {left}");
            assert_eq!(
                left.contains(".symtab"),
                name == "kernel",
                "{arch}: {name}: {left}"
            );
            assert_eq!(left.contains(".veridian.id"), name == "kernel", "{arch}: {name}");
            let notes = run("readelf", [OsStr::new("-n"), after.as_os_str()]);
            let id = format!("Build ID: {}", build_id(content, name).unwrap());
            assert!(notes.contains(&id), "{notes}");
        }
    }
}

/// Unpacks the archive of an architecture's debugging information, and returns its directory.
fn unpacked(arch: Arch, dir: &Path) -> PathBuf {
    let names = files(arch);
    let paths: Vec<_> = names
        .iter()
        .map(|(name, content)| {
            let path = dir.join(name);
            fs::write(&path, content).unwrap();
            (*name, path)
        })
        .collect();
    let files: Vec<_> = paths
        .iter()
        .map(|(name, path)| Unstripped { name, path })
        .collect();
    let symbols = Symbols {
        prefix: "symbols",
        time: time(),
        zstd: Zstd {
            level: 3,
            window_log: None,
            workers: 2,
        },
    };
    let archive = dir.join("symbols.tar.zst");
    write(&RealWorld::default(), &archive, &symbols, &files).unwrap();
    let tar = dir.join("symbols.tar");
    run("zstd", [OsStr::new("-dqo"), tar.as_os_str(), archive.as_os_str()]);
    run(
        "tar",
        [
            OsStr::new("-xf"),
            tar.as_os_str(),
            OsStr::new("-C"),
            dir.as_os_str(),
        ],
    );
    // Otherwise a debugger might find these.
    for (_, path) in &paths {
        fs::remove_file(path).unwrap();
    }
    dir.join("symbols")
}

/// A debugger that has only the shipped kernel and the archive tells source lines.
fn a_debugger_tells_lines(arch: Arch) {
    let dir = tempfile::tempdir().unwrap();
    let symbols = unpacked(arch, dir.path());
    let kernel = dir.path().join("kernel.elf");
    fs::write(&kernel, shipped_kernel(arch)).unwrap();
    let ask = |directory: &Path| {
        run(
            "gdb-multiarch",
            [
                "-nx".to_owned(),
                "-batch".to_owned(),
                "-iex".to_owned(),
                format!("set debug-file-directory {}", directory.display()),
                "-iex".to_owned(),
                "set debuginfod enabled off".to_owned(),
                "-ex".to_owned(),
                "info line kernel::main".to_owned(),
                "-ex".to_owned(),
                "info functions ^kernel::main$".to_owned(),
                kernel.display().to_string(),
            ],
        )
    };
    let told = ask(&symbols);
    assert!(
        told.contains("Line ") && told.contains("main.rs\" starts at address"),
        "{told}"
    );
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(!ask(&empty).contains("main.rs"));
}

/// The shipped kernel comes up.
fn comes_up(arch: Arch) {
    let dir = tempfile::tempdir().unwrap();
    let kernel = dir.path().join("kernel.elf");
    let content = shipped_kernel(arch);
    fs::write(&kernel, &content).unwrap();
    let kernel_flat = dir.path().join("kernel.bin");
    fs::write(&kernel_flat, flatten(&content, "kernel").unwrap()).unwrap();
    let files = Files {
        kernel: Some(&kernel),
        kernel_flat: Some(&kernel_flat),
        initrd: Some(&systems()[&arch].initrd["system"]),
        ..Files::default()
    };
    let request = Boot {
        machine: &machine(arch),
        medium: "kernel",
        files,
        expected: &identity(arch),
        session: &session(),
    };
    let booted = boot(&RealWorld::default(), &request, &mut |_| {});
    assert_eq!(
        booted.unwrap_or_else(|error| panic!("{error}")).identity,
        identity(arch)
    );
}

macro_rules! every_arch {
    ($($arch:ident: $variant:ident),*) => {$(
        mod $arch {
            use super::*;

            #[test]
            fn a_debugger_tells_lines_of_the_shipped_kernel() {
                a_debugger_tells_lines(Arch::$variant);
            }

            #[test]
            fn the_shipped_kernel_comes_up() {
                comes_up(Arch::$variant);
            }
        }
    )*};
}

every_arch!(x86_64: X86_64, aarch64: Aarch64, riscv64: Riscv64);

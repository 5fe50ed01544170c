//! A debugger at a machine that runs the system, and what the kernel says when it fails.

use crate::fixture::{System, identity, initrd_of, machine, systems, time};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vrel_build::qemu::{Files, run};
use vrel_build::{BootFailure, BuildError, flat};
use vrel_model::Arch;
use vrel_pack::initrd;
use vrel_world::RealWorld;

/// A debugger or a machine that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where programs lie in a system whose initrd has a file `fixed-addresses`.
const PROGRAMS: u64 = 216 << 30;

/// What came of a debugger's session.
struct Session {
    /// What the debugger said.
    told: String,
    /// What the machine said on its serial line.
    serial: String,
    /// The emulator's exit status.
    status: Option<i32>,
}

/// Waits for a process's end, and ends it when that does not come.
fn wait(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// gdb without a person's settings, doing one command after the other.
fn gdb(kernel: &Path, commands: &[String]) -> Command {
    let mut gdb = Command::new("gdb-multiarch");
    gdb.args(["-nx", "-batch", "-iex", "set debuginfod enabled off"])
        .args(["-ex", "set width 0", "-ex", "set confirm off"])
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    for command in commands {
        gdb.args(["-ex", command]);
    }
    gdb.arg(kernel);
    gdb
}

/// Starts a machine that waits for a debugger, and lets one do `commands` there; the kernel has its debugging information.
fn session(arch: Arch, cpus: usize, commands: &[&str]) -> Session {
    let dir = tempfile::tempdir().unwrap();
    let (socket, said, told) = (
        dir.path().join("gdb"),
        dir.path().join("serial"),
        dir.path().join("told"),
    );
    let (system, machine) = (&systems()[&arch], machine(arch));
    let initrd = dir.path().join("initrd.tar");
    let fixed = initrd_of(arch, "faults", &system.linked, &[("fixed-addresses", b"")]);
    fs::write(&initrd, fixed).unwrap();
    let files = |name: &str| match name {
        "kernel" => Some(system.kernel.as_path()),
        "kernel_flat" => Some(system.kernel_flat.as_path()),
        "initrd" => Some(initrd.as_path()),
        _ => None,
    };
    let medium = machine.medium("kernel").unwrap();
    let mut emulator = Command::new(&machine.qemu)
        .args(&machine.args)
        .args(medium.expand(files).unwrap())
        .args(["-smp", &cpus.to_string(), "-S", "-gdb"])
        .arg(format!("unix:{},server=on,wait=off", socket.display()))
        .stdin(Stdio::null())
        .stdout(File::create(&said).unwrap())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !socket.exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut all = vec![format!("target remote {}", socket.display())];
    all.extend(commands.iter().map(|&command| command.to_owned()));
    let mut debugger = gdb(&system.kernel, &all)
        .stdout(File::create(&told).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait(&mut debugger);
    let status = wait(&mut emulator);
    let read = |path: &PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    Session {
        told: read(&told),
        serial: read(&said),
        status,
    }
}

/// Asserts that a text has these pieces in this order.
fn has(text: &str, pieces: &[&str]) {
    let mut rest = text;
    for piece in pieces {
        let Some((_, behind)) = rest.split_once(piece) else {
            panic!("expected `{piece}` behind what was found before, got:\n{text}");
        };
        rest = behind;
    }
}

/// Breakpoints in the kernel and in a program, with lines, callers, a variable and registers; then the system goes on.
fn a_debugger_stops_kernel_and_program(arch: Arch) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("fault-suite");
    fs::write(&program, &systems()[&arch].linked["fault-suite"]).unwrap();
    let session = session(
        arch,
        1,
        &[
            "hbreak kernel::root::start",
            "continue",
            "backtrace",
            "print hal::cpu::COUNT",
            "print/x $pc",
            "delete",
            &format!("add-symbol-file {} -o {PROGRAMS:#x}", program.display()),
            "hbreak fault_suite::main",
            "continue",
            "backtrace",
            "print/x $pc",
            "info symbol $pc",
            "delete",
            "detach",
        ],
    );
    has(
        &session.told,
        &[
            "kernel::root::start (",
            "kernel/src/root.rs:",
            "#0 ",
            "kernel::root::start (",
            "#1 ",
            "kernel::main (",
            "kernel::kernel_main (",
            // One CPU.
            "$1 = ",
            "(1)",
            "$2 = 0xffffffff8",
            // Where it stops, code of another function may stand that was put into this one.
            "Breakpoint 2, ",
            "#0 ",
            "fault_suite::main (argument=",
            "user/fault-suite/src/main.rs:",
            "program_main (",
            "$3 = 0x36000",
            "fault_suite::main",
            "in section .text of ",
            "detached",
        ],
    );
    let said = &session.serial;
    assert_eq!(session.status, Some(machine(arch).success), "{said}");
    has(said, &[&identity(arch).to_string(), "the kernel survived"]);
}

/// A fault of the kernel on a machine with four CPUs, which a debugger brings about, stops them all.
fn a_fault_of_the_kernel_stops_every_cpu(arch: Arch) {
    let session = session(
        arch,
        4,
        &[
            // Only the first CPU comes by here. Which of the machine's it is, the firmware decides.
            "hbreak kernel::root::start",
            "continue",
            "delete",
            // Here it arrives after it has started the others, which pass too.
            "set $first = $_thread",
            "hbreak kernel::state::run thread $first",
            "continue",
            "delete",
            "set language c",
            // Constants are not executable.
            "set $pc = (unsigned long)&kernel_symbols",
            "continue",
        ],
    );
    let said = &session.serial;
    has(
        said,
        &[
            "kernel: 4 CPUs",
            "kernel panic: fault in the kernel: bad jump at 0xffffffff8",
            "on CPU 0; other CPUs halted: 3",
            "kernel panic: called from 0xffffffff8",
            " kernel::main+0x",
            "kernel panic: this is VeridianOS",
        ],
    );
    assert!(!said.contains("not halted"), "{said}");
    assert_eq!(session.status, Some(machine(arch).failure), "{said}");
}

#[test]
fn a_hart_that_firmware_lets_go_too_early_is_no_second_beginning() {
    let arch = Arch::Riscv64;
    let session = session(
        arch,
        4,
        &[
            "set language c",
            // Where harts begin that are started, before their tables are switched on; the image lies at 0x80200000.
            "hbreak *((unsigned long)&secondary_start - (unsigned long)&_start + 0x80200000)",
            "continue",
            "delete",
            // As if the hart had not known yet where.
            "set $pc = 0x80200000",
            "detach",
        ],
    );
    let said = &session.serial;
    assert_eq!(
        session.status,
        Some(machine(arch).success),
        "{}\n{said}",
        session.told
    );
    has(&session.told, &["Breakpoint 1, ", "detached"]);
    has(said, &["kernel: 4 CPUs", "the kernel survived"]);
    assert_eq!(said.matches("kernel: this is").count(), 1, "{said}");
}

/// What a kernel says in the end when its initrd has one empty file, and nothing to start.
fn panics(arch: Arch, kernel: &Path, kernel_flat: &Path, file: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("initrd.tar");
    let content = initrd::Content {
        files: BTreeMap::from([(file, &b""[..])]),
        ..initrd::Content::default()
    };
    fs::write(&path, initrd::build(&content, time()).unwrap()).unwrap();
    let files = Files {
        kernel: Some(kernel),
        kernel_flat: Some(kernel_flat),
        initrd: Some(&path),
        ..Files::default()
    };
    let error = run(
        &RealWorld::default(),
        &machine(arch),
        "kernel",
        &files,
        &mut |_| {},
    );
    match error.unwrap_err() {
        BuildError::Boot {
            failure: BootFailure::Panicked { .. },
            serial,
            ..
        } => serial,
        other => panic!("{other}"),
    }
}

/// The addresses of the backtrace, with the names that stand there.
fn callers(serial: &[String]) -> Vec<(u64, Option<&str>)> {
    let lines = serial
        .iter()
        .filter_map(|line| line.strip_prefix("kernel panic: called from 0x"));
    lines
        .map(|line| {
            let (address, name) = line
                .split_once(' ')
                .map_or((line, None), |(address, name)| (address, Some(name)));
            let name = name.map(|name| name.rsplit_once('+').unwrap().0);
            (u64::from_str_radix(address, 16).unwrap(), name)
        })
        .collect()
}

/// A name as gdb shows it, without the hashes of crates in brackets.
fn without_hashes(name: &str) -> String {
    let mut parts = name.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once(']').map_or(part, |(_, rest)| rest)
    })
}

/// The callers in a panic are those that a debugger finds at their addresses.
fn a_panic_names_its_callers(arch: Arch) {
    let system = &systems()[&arch];
    let serial = panics(arch, &system.kernel, &system.kernel_flat, "readme");
    let text = serial.join("\n");
    has(
        &text,
        &["kernel panic: ", "the initrd has no file", "other CPUs halted: 0"],
    );
    let callers = callers(&serial);
    for expected in ["core::panicking::panic_fmt", "kernel::main", "hal::boot::start"] {
        assert!(
            callers.iter().any(|(_, name)| *name == Some(expected)),
            "{expected}: {text}"
        );
    }
    for (address, name) in callers {
        let Some(name) = name else { continue };
        // The call lies in front of where it returns to.
        let output = gdb(&system.kernel, &[format!("info symbol {:#x}", address - 1)])
            .output()
            .unwrap();
        let told = without_hashes(&String::from_utf8_lossy(&output.stdout));
        assert!(
            told.starts_with(name),
            "{address:#x}: `{name}`, and gdb says {told}"
        );
    }
}

/// Where a kernel lay that panicked: how far above its link address, and its map of physical memory.
fn place(arch: Arch, file: &str) -> (u64, u64) {
    let system = &systems()[&arch];
    let serial = panics(arch, &system.kernel, &system.kernel_flat, file);
    let line = serial.iter().find_map(|line| {
        line.strip_prefix("kernel panic: its addresses are those for which it was linked; it lies 0x")
    });
    let line = line.unwrap_or_else(|| panic!("{}", serial.join("\n")));
    let (offset, map) = line.split_once(" higher, physical memory at 0x").unwrap();
    let number = |digits| u64::from_str_radix(digits, 16).unwrap();
    (number(offset), number(map))
}

/// The same kernel lies elsewhere in each boot, and its map of physical memory too, unless a file says otherwise.
fn the_kernel_lies_elsewhere_in_each_boot(arch: Arch) {
    let lowest = match arch {
        Arch::Riscv64 => 0xffff_ffc0_0000_0000,
        _ => 0xffff_8000_0000_0000,
    };
    assert_eq!(place(arch, "fixed-addresses"), (0, lowest));
    // The image has 510 places, the map at least 200: four of either are the same once in millions of times.
    let places = [(); 4].map(|()| place(arch, "readme"));
    for (offset, map) in places {
        let is_inside =
            (2 << 20..1 << 30).contains(&offset) && (lowest..0xffff_ffff_8000_0000).contains(&map);
        assert!(
            is_inside && offset % (2 << 20) == 0 && map % (1 << 30) == 0,
            "{places:x?}"
        );
    }
    assert!(places.iter().any(|place| place.0 != places[0].0), "{places:x?}");
    assert!(places.iter().any(|place| place.1 != places[0].1), "{places:x?}");
}

#[test]
fn a_panic_without_a_table_of_names_shows_addresses() {
    let arch = Arch::X86_64;
    let System { kernel, .. } = &systems()[&arch];
    let good = fs::read(kernel).unwrap();
    // The kernel has the magic number among its constants too; in the table an address of the kernel follows.
    let is_table = |bytes: &[u8]| bytes.starts_with(b"symbols\x02") && bytes[12..] == [0xff; 4];
    let at = good.windows(16).position(is_table).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (path, flat_path) = (dir.path().join("kernel.elf"), dir.path().join("kernel.bin"));
    // Another magic number; an address behind the next; more names than room.
    for (place, value, said) in [
        (at, b'S', "not a symbol table"),
        (at + 31, 0xff, "the symbol table is not in order"),
        (at + 27, 0xff, "the symbol table ends too early"),
    ] {
        let mut damaged = good.clone();
        damaged[place] = value;
        fs::write(&path, &damaged).unwrap();
        fs::write(&flat_path, flat::flatten(&damaged, "kernel").unwrap()).unwrap();
        let serial = panics(arch, &path, &flat_path, "readme");
        let text = serial.join("\n");
        assert!(text.contains(said), "{text}");
        let callers = callers(&serial);
        assert!(
            callers.len() > 3 && callers.iter().all(|(_, name)| name.is_none()),
            "{text}"
        );
    }
}

macro_rules! every_arch {
    ($($arch:ident: $variant:ident),*) => {$(
        mod $arch {
            use super::*;

            #[test]
            fn a_debugger_stops_kernel_and_program() {
                super::a_debugger_stops_kernel_and_program(Arch::$variant);
            }

            #[test]
            fn a_fault_of_the_kernel_stops_every_cpu() {
                super::a_fault_of_the_kernel_stops_every_cpu(Arch::$variant);
            }

            #[test]
            fn a_panic_names_its_callers() {
                super::a_panic_names_its_callers(Arch::$variant);
            }

            #[test]
            fn the_kernel_lies_elsewhere_in_each_boot() {
                super::the_kernel_lies_elsewhere_in_each_boot(Arch::$variant);
            }
        }
    )*};
}

every_arch!(x86_64: X86_64, aarch64: Aarch64, riscv64: Riscv64);

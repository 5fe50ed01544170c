//! The system comes up from every medium on every architecture.

use crate::fixture::{System, identity, ids, machine, session, systems, time};
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use vrel_build::Exchange;
use vrel_build::qemu::{Boot, Files, boot, run};
use vrel_model::Arch;
use vrel_pack::{disk, esp};
use vrel_world::{Interrupt, RealWorld};

fn files<'a>(system: &'a System, medium: &str, initrd: &str) -> Files<'a> {
    Files {
        kernel: Some(&system.kernel),
        kernel_flat: Some(&system.kernel_flat),
        initrd: Some(&system.initrd[initrd]),
        image: Some(if medium == "disk" {
            &system.disk
        } else {
            &system.iso
        }),
    }
}

fn comes_up(arch: Arch, medium: &str) {
    let files = files(&systems()[&arch], medium, "system");
    let image = files.image.unwrap();
    let before = std::fs::read(image).unwrap();
    let machine = machine(arch);
    let request = Boot {
        machine: &machine,
        medium,
        files,
        expected: &identity(arch),
        session: &session(),
    };
    let booted = boot(&RealWorld::default(), &request, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(booted.identity, identity(arch));
    let line = identity(arch).to_string();
    assert_eq!(booted.serial.iter().filter(|text| **text == line).count(), 1);
    assert!(
        before == std::fs::read(image).unwrap(),
        "the boot changed {}",
        image.display()
    );
}

/// Somebody at the keyboard who types ahead, and brings a program that waits for input into the foreground.
fn types_ahead(arch: Arch) {
    let exchange = |typed: &str, expect: Option<&str>| Exchange {
        typed: typed.to_owned(),
        expect: expect.map(str::to_owned),
    };
    let session = [
        // While the shell still edits the first one.
        exchange(r#"read x; [ "$x" = ahead ] && echo is $x"#, None),
        exchange("ahead", Some("is ahead")),
        // In the background it waits.
        exchange("tr a-z A-Z & wait %1; jobs", Some("Stopped")),
        exchange("fg", Some("tr a-z A-Z")),
        exchange("to the foreground\r\u{4}", Some("TO THE FOREGROUND")),
        exchange("poweroff", None),
    ];
    let request = Boot {
        machine: &machine(arch),
        medium: "kernel",
        files: files(&systems()[&arch], "kernel", "system"),
        expected: &identity(arch),
        session: &session,
    };
    boot(&RealWorld::default(), &request, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"));
}

/// Runs an image that tests something, on a machine with so many CPUs; it ends the machine as a failure when a test
/// fails, and says so when none does.
fn passes(arch: Arch, image: &str, cpus: usize, says: &str) {
    // A machine with several CPUs alone: one of them that waits for another, which the host has taken away, waits long.
    static HOST: RwLock<()> = RwLock::new(());
    let (_shared, _alone);
    if cpus == 1 {
        _shared = HOST.read().unwrap_or_else(PoisonError::into_inner);
    } else {
        _alone = HOST.write().unwrap_or_else(PoisonError::into_inner);
    }
    let files = files(&systems()[&arch], "kernel", image);
    let mut machine = machine(arch);
    machine.args.extend(["-smp".to_owned(), cpus.to_string()]);
    let medium = machine.boot.get_mut("kernel").unwrap();
    medium.timeout_s = 300;
    let serial = run(&RealWorld::default(), &machine, "kernel", &files, &mut |_| {});
    let serial = serial.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        serial.iter().any(|line| line.contains(says)),
        "{}",
        serial.join("\n")
    );
    let count = format!("kernel: {cpus} CPUs");
    assert!(serial.contains(&count), "{}", serial.join("\n"));
}

/// Where the parts of an image's first program lie: what its line about them says, by name. The machine is stopped then.
fn addresses(arch: Arch, image: &str, program: &str) -> Vec<(String, u64)> {
    let files = files(&systems()[&arch], "kernel", image);
    let beginning = format!("{program}: addresses: ");
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let mut said = None;
    let ended = run(&world, &machine(arch), "kernel", &files, &mut |line| {
        if let Some((_, addresses)) = line.text.split_once(&beginning) {
            said = Some(addresses.to_owned());
            interrupt.set();
        }
    });
    let said = said.unwrap_or_else(|| panic!("{ended:?}"));
    let words: Vec<&str> = said.split_whitespace().collect();
    let pairs = words.chunks(2).map(|pair| {
        let number = pair[1].strip_prefix("0x").unwrap();
        (pair[0].to_owned(), u64::from_str_radix(number, 16).unwrap())
    });
    pairs.collect()
}

/// The same files, started twice, put everything of a program somewhere else.
fn lies_elsewhere_each_time(arch: Arch) {
    for (image, program, parts) in [
        (
            "kernel",
            "kernel-suite",
            &["code", "data", "stack", "heap", "record", "initrd"][..],
        ),
        ("system-suite", "system-suite", &["channel", "thread"]),
    ] {
        let [first, second] = [(); 2].map(|()| addresses(arch, image, program));
        let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, parts);
        for ((name, one), (_, other)) in first.iter().zip(&second) {
            assert_ne!(one, other, "{name}: {first:x?} {second:x?}");
        }
    }
}

macro_rules! every_medium {
    ($($arch:ident: $variant:ident),*) => {$(
        mod $arch {
            use super::*;

            #[test]
            fn comes_up_from_a_kernel_and_an_initrd() {
                comes_up(Arch::$variant, "kernel");
            }

            #[test]
            fn comes_up_from_a_disk() {
                comes_up(Arch::$variant, "disk");
            }

            #[test]
            fn comes_up_from_a_cd() {
                comes_up(Arch::$variant, "iso");
            }

            #[test]
            fn comes_up_from_a_usb_stick() {
                comes_up(Arch::$variant, "usb");
            }

            #[test]
            fn takes_what_is_typed_ahead() {
                types_ahead(Arch::$variant);
            }

            #[test]
            fn survives_programs_that_break_the_rules() {
                for cpus in [1, 4] {
                    passes(Arch::$variant, "faults", cpus, "the kernel survived");
                }
            }

            #[test]
            fn puts_programs_somewhere_else_in_each_boot() {
                lies_elsewhere_each_time(Arch::$variant);
            }

            #[test]
            fn keeps_what_system_calls_promise() {
                for cpus in [1, 4] {
                    passes(Arch::$variant, "kernel", cpus, "kernel-suite: 0 wrong");
                }
            }

            #[test]
            fn keeps_services_running_and_ends_them_in_order() {
                for cpus in [1, 4] {
                    passes(Arch::$variant, "services", cpus, "init-suite: all passed");
                }
            }

            #[test]
            fn serves_files_to_friends_and_foes() {
                passes(Arch::$variant, "files", 2, "files-suite: all parts passed");
            }

            #[test]
            fn runs_scripts_in_its_shell() {
                for cpus in [1, 4] {
                    passes(Arch::$variant, "system-suite", cpus, " scripts, 0 wrong");
                }
            }
        }
    )*};
}

every_medium!(x86_64: X86_64, aarch64: Aarch64, riscv64: Riscv64);

#[test]
fn a_system_of_another_version_is_noticed() {
    let arch = Arch::Riscv64;
    let system = &systems()[&arch];
    let machine = machine(arch);
    let mut expected = identity(arch);
    expected.version = "0.6.0".to_owned();
    let files = Files {
        kernel: Some(&system.kernel),
        initrd: Some(&system.initrd["system"]),
        ..Files::default()
    };
    let request = Boot {
        machine: &machine,
        medium: "kernel",
        files,
        expected: &expected,
        session: &session(),
    };
    let error = boot(&RealWorld::default(), &request, &mut |_| {}).unwrap_err();
    assert!(
        error.to_string().contains("but `VeridianOS 0.6.0-rc1 ("),
        "{error}"
    );
    let files = Files {
        initrd: Some(Path::new("/no/such/initrd")),
        ..files
    };
    let error = boot(&RealWorld::default(), &Boot { files, ..request }, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("/no/such/initrd"), "{error}");
}

/// Starts a disk whose kernel is cut short, and stops the machine once the loader has said something about
/// it.
fn the_loader_explains(arch: Arch) {
    let system = &systems()[&arch];
    let kernel = std::fs::read(&system.kernel).unwrap();
    let (loader, initrd) = (
        std::fs::read(&system.loader).unwrap(),
        std::fs::read(&system.initrd["system"]).unwrap(),
    );
    let content = esp::Content {
        loader: &loader,
        loader_file: &system.loader_file,
        // Its headers and a part of its code, in front of all debugging information.
        kernel: &kernel[..16 << 10],
        initrd: &initrd,
        extra: &[],
    };
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk.img");
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let esp = esp::build(&content, esp::DEFAULT_SIZE, &ids(arch), time()).unwrap();
    disk::write(&world, &disk, &esp, &ids(arch)).unwrap();
    let files = Files {
        image: Some(&disk),
        ..Files::default()
    };
    let mut said = None;
    let ended = run(&world, &machine(arch), "disk", &files, &mut |line| {
        // Afterwards firmware tries other things to boot, without an end.
        if line.text.contains("cannot start") {
            said = Some(line.text.to_owned());
            interrupt.set();
        }
    });
    let said = said.unwrap_or_else(|| panic!("{ended:?}"));
    assert!(
        said.contains("\\veridian\\kernel.elf: cut short: expected at least"),
        "{said}"
    );
}

#[test]
fn the_loader_explains_on_x86_64() {
    the_loader_explains(Arch::X86_64);
}

#[test]
fn the_loader_explains_on_aarch64() {
    the_loader_explains(Arch::Aarch64);
}

#[test]
fn the_loader_explains_on_riscv64() {
    the_loader_explains(Arch::Riscv64);
}

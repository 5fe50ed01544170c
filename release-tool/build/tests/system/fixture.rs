//! One build of the system for all tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use vrel_build::compile::{Compiled, Request, compile};
use vrel_build::function_names::write_names;
use vrel_build::stamp::{Identity, write_identity};
use vrel_build::strip::{Names, strip};
use vrel_build::{Exchange, Image, Machine, Targets, Toolchain, flat};
use vrel_model::{Arch, UtcTime};
use vrel_pack::os_release::OsRelease;
use vrel_pack::{Ids, disk, esp, grub, initrd, install, iso};
use vrel_world::RealWorld;

/// The oldest Rust that builds the system.
pub(crate) const MINIMUM_RUST: &str = "1.95";

/// The image descriptions that are tested.
pub(crate) const IMAGES: [&str; 6] = ["system", "faults", "kernel", "system-suite", "services", "files"];

pub(crate) fn os() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../os")
        .canonicalize()
        .unwrap()
}

/// Where `vrel build` keeps what it compiles in this repository, so that the core libraries are built once.
pub(crate) fn cache() -> PathBuf {
    os().parent().unwrap().join(".vrel/cache")
}

pub(crate) fn cargo_home() -> PathBuf {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => home.into(),
        None => Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"),
    }
}

pub(crate) fn toolchain(targets: &Targets) -> Toolchain {
    Toolchain::find(&RealWorld::default(), &targets.triples(), MINIMUM_RUST).unwrap()
}

pub(crate) fn time() -> UtcTime {
    UtcTime::from_unix(1_700_000_000).unwrap()
}

pub(crate) fn identity(arch: Arch) -> Identity {
    Identity {
        name: "VeridianOS".to_owned(),
        version: "0.6.0-rc1".to_owned(),
        commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        arch,
    }
}

/// What the released image's system is asked when it is up.
pub(crate) fn session() -> Vec<Exchange> {
    Image::read(&RealWorld::default(), &os(), IMAGES[0])
        .unwrap()
        .session
}

pub(crate) fn ids(arch: Arch) -> Ids {
    Ids::new("veridianos", "0.6.0-rc1", arch)
}

/// Compiles the system in `os` for all architectures, with the programs of these images.
pub(crate) fn compile_all(os: &Path, cache: &Path, images: &[&str]) -> BTreeMap<Arch, Compiled> {
    let world = RealWorld::default();
    let targets = Targets::read(&world, os).unwrap();
    let images = images.iter().map(|name| Image::read(&world, os, name).unwrap());
    let programs: BTreeSet<_> = images.flat_map(|image| image.programs).collect();
    let programs: Vec<_> = programs.into_iter().collect();
    let request = Request {
        toolchain: &toolchain(&targets),
        targets: &targets,
        os,
        cache,
        cargo_home: &cargo_home(),
        arches: &Arch::ALL,
        programs: &programs,
        jobs: 2,
    };
    compile(&world, &request, &mut |_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// The files of one architecture.
pub(crate) struct System {
    pub(crate) kernel: PathBuf,
    pub(crate) kernel_flat: PathBuf,
    pub(crate) loader: PathBuf,
    pub(crate) loader_file: String,
    /// By image description.
    pub(crate) initrd: BTreeMap<&'static str, PathBuf>,
    pub(crate) esp: PathBuf,
    pub(crate) disk: PathBuf,
    pub(crate) iso: PathBuf,
    /// The programs by package, as they were linked.
    pub(crate) linked: BTreeMap<String, Vec<u8>>,
    /// The kernel as it was linked, without identity and names.
    pub(crate) linked_kernel: Vec<u8>,
}

pub(crate) fn systems() -> &'static BTreeMap<Arch, System> {
    static SYSTEMS: OnceLock<BTreeMap<Arch, System>> = OnceLock::new();
    SYSTEMS.get_or_init(|| {
        let compiled = compile_all(&os(), &cache(), &IMAGES);
        compiled
            .into_iter()
            .map(|(arch, compiled)| (arch, pack(arch, compiled)))
            .collect()
    })
}

pub(crate) fn machine(arch: Arch) -> Machine {
    let machines = Machine::read_all(&RealWorld::default(), &os()).unwrap();
    machines.into_iter().find(|machine| machine.arch == arch).unwrap()
}

/// The initrd of an image, with further files.
pub(crate) fn initrd_of(
    arch: Arch,
    name: &str,
    linked: &BTreeMap<String, Vec<u8>>,
    more: &[(&str, &[u8])],
) -> Vec<u8> {
    let image = Image::read(&RealWorld::default(), &os(), name).unwrap();
    // As a release does: debugging information is many times as long as the programs.
    let programs = image.programs.iter().map(|program| {
        let stripped = strip(&linked[program], program, Names::Removed).unwrap();
        (program.clone(), stripped)
    });
    let programs = programs.collect();
    let read = |path: &String| std::fs::read(os().join(path)).unwrap();
    let mut files: BTreeMap<_, _> = image
        .files
        .iter()
        .map(|(name, path)| (name.as_str(), read(path)))
        .collect();
    files.extend(more.iter().map(|(name, content)| (*name, content.to_vec())));
    let Identity {
        name: product,
        version,
        commit,
        ..
    } = identity(arch);
    let os_release = OsRelease {
        name: &product,
        id: "veridianos",
        version: &version,
        commit: &commit,
        image: Some(&format!("veridianos-{name}-{arch}")),
    };
    if let Some(path) = &image.os_release {
        files.insert(path, os_release.to_string().into_bytes());
    }
    let content = initrd::Content {
        programs: image.entries(&programs).unwrap(),
        links: image.further_names(),
        files: files
            .iter()
            .map(|(name, content)| (*name, content.as_slice()))
            .collect(),
    };
    initrd::build(&content, time()).unwrap()
}

fn pack(arch: Arch, compiled: Compiled) -> System {
    let world = RealWorld::default();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("system")
        .join(arch.as_str());
    std::fs::create_dir_all(&dir).unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let Compiled {
        mut kernel,
        loader,
        loader_file,
        programs,
    } = compiled;
    let linked_kernel = kernel.clone();
    write_names(&mut kernel).unwrap();
    write_identity(&mut kernel, &identity(arch)).unwrap();
    let initrds = IMAGES.map(|name| (name, initrd_of(arch, name, &programs, &[])));
    let content = esp::Content {
        loader: &loader,
        loader_file: &loader_file,
        kernel: &kernel,
        initrd: &initrds[0].1,
        extra: &[],
    };
    let esp = esp::build(&content, esp::DEFAULT_SIZE, &ids(arch), time()).unwrap();
    let payload = install::Payload::build(&content, esp::DEFAULT_SIZE, &ids(arch), time()).unwrap();
    let media_content = esp::Content {
        extra: &payload.files(),
        ..content
    };
    let media_esp = dir.join("media-esp.img");
    let media_bytes = esp::build(&media_content, esp::DEFAULT_SIZE, &ids(arch), time()).unwrap();
    std::fs::write(&media_esp, media_bytes).unwrap();
    let grub = (arch == Arch::X86_64).then(|| {
        let installed = grub::Installed::find(&world).unwrap();
        installed.build(&world, &dir).unwrap()
    });
    let (disk_path, iso_path) = (dir.join("disk.img"), dir.join("system.iso"));
    disk::write(&world, &disk_path, &esp, &ids(arch)).unwrap();
    let iso = iso::Iso {
        volume: "VeridianOS 0.6.0-rc1",
        content,
        esp: &media_esp,
        bios: grub.as_ref(),
    };
    iso.write(&world, &iso_path, &ids(arch), time()).unwrap();
    System {
        kernel_flat: put("kernel.bin", &flat::flatten(&kernel, "kernel").unwrap()),
        kernel: put("kernel.elf", &kernel),
        loader: put("loader.efi", &loader),
        initrd: initrds
            .iter()
            .map(|(name, bytes)| (*name, put(&format!("{name}.tar"), bytes)))
            .collect(),
        esp: put("esp.img", &esp),
        disk: disk_path,
        iso: iso_path,
        loader_file,
        linked: programs,
        linked_kernel,
    }
}

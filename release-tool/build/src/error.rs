//! Why something was not built or did not boot.

use crate::Exchange;
use crate::stamp::Identity;
use std::fmt;
use std::path::PathBuf;
use vrel_graph::GraphError;
use vrel_model::Arch;
use vrel_model::toml_file::TomlError;
use vrel_world::WorldError;

/// Why something was not built or did not boot: the object, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A system that should have measured itself gave no figures.
    #[error("{machine}: the system gave no figures of its speed: {problem}")]
    Figures {
        /// The machine.
        machine: String,
        /// What is wrong.
        problem: String,
    },
    /// An effect failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Something was not packed.
    #[error(transparent)]
    Pack(#[from] vrel_pack::PackError),
    /// A document could not be made.
    #[error(transparent)]
    Document(#[from] vrel_documents::DocumentError),
    /// The program that renders manual pages is not installed.
    #[error("expected the program `mandoc` in the search path, got none")]
    NoMandoc,
    /// A manual page that is not as it should be.
    #[error("the manual page {page} has mistakes:\n{}", said.trim_end())]
    ManPage {
        /// The page.
        page: String,
        /// What `mandoc` says.
        said: String,
    },
    /// A released program without a manual page.
    #[error("expected a manual page of the program `{program}` in {}, such as {program}.8, got none", dir.display())]
    NoManPage {
        /// The program.
        program: String,
        /// Where its pages should be.
        dir: PathBuf,
    },
    /// Two manual pages with the same name.
    #[error("expected one manual page {page}, got two")]
    DoublePage {
        /// The name.
        page: String,
    },
    /// The compiler came without its documentation tool.
    #[error("expected the `rustdoc` that belongs to the compiler, got none: {}", rejected.join("; "))]
    NoRustdoc {
        /// What was considered, with the reason why it will not do.
        rejected: Vec<String>,
    },
    /// The build graph could not be made or followed.
    #[error(transparent)]
    Graph(#[from] vrel_graph::GraphError),
    /// An artifact that cannot be made as its policy says.
    #[error("artifacts/{artifact}.toml: {problem}")]
    Recipe {
        /// The artifact's kind.
        artifact: String,
        /// What is wrong.
        problem: String,
    },
    /// A mistake in a description file.
    #[error(transparent)]
    Toml(TomlError),
    /// An architecture that is not described.
    #[error("os/targets.toml: expected a section [{arch}], got none")]
    NoTarget {
        /// The architecture.
        arch: Arch,
    },
    /// A medium that a machine does not have.
    #[error("os/machines/{machine}.toml: expected a section [boot.{medium}] for `{medium}`, got only {}", known.join(", "))]
    NoMedium {
        /// The machine.
        machine: String,
        /// The medium that was asked for.
        medium: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// No compiler on this machine can compile the system.
    #[error("no Rust toolchain here can compile for {}: {}", targets.join(", "), rejected.join("; "))]
    NoToolchain {
        /// Each compiler with the reason why it cannot.
        rejected: Vec<String>,
        /// The targets.
        targets: Vec<String>,
    },
    /// A path that depends on the directory that the tool runs in.
    #[error("{}: expected an absolute path to build with, got a relative one", path.display())]
    RelativePath {
        /// The path.
        path: PathBuf,
    },
    /// Too many builds at the same time.
    #[error("expected a free place to build in {}, got only occupied ones: {}", cache.display(), holders.join("; "))]
    Busy {
        /// Where builds take place.
        cache: PathBuf,
        /// What the others say of themselves.
        holders: Vec<String>,
    },
    /// The compiler failed.
    #[error("cannot compile {what}:\n{}", output.trim_end())]
    Compile {
        /// What it was to compile.
        what: String,
        /// The end of what it printed.
        output: String,
    },
    /// The sources of crates that the system uses could not be fetched.
    #[error("cannot fetch the sources of the crates that os/Cargo.lock names:\n{}", output.trim_end())]
    Fetch {
        /// The end of what cargo printed.
        output: String,
    },
    /// A core library was built, but is not where it should be.
    #[error("expected one file lib{library}-*.rlib in {}, got {found}", dir.display())]
    CoreLibrary {
        /// The library.
        library: &'static str,
        /// Where it should be.
        dir: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A package is needed that was not compiled.
    #[error("expected the package `{package}` to be compiled, but it was not")]
    NotBuilt {
        /// The package.
        package: String,
    },
    /// Something else than an ELF file.
    #[error("{file}: expected a 64-bit little-endian ELF file, got something else")]
    NotElf {
        /// Which file.
        file: String,
    },
    /// Something else than an EFI application.
    #[error("{file}: expected an EFI application (a PE file), got something else")]
    NotEfi {
        /// Which file.
        file: String,
    },
    /// A file for another architecture.
    #[error(
        "{file} was compiled for another architecture than {arch}: expected machine {expected:#x}, got {found:#x}"
    )]
    WrongMachine {
        /// Which file.
        file: String,
        /// What it was to be compiled for.
        arch: Arch,
        /// The machine number of that.
        expected: u16,
        /// The machine number in the file.
        found: u16,
    },
    /// An ELF file that cannot be turned into a flat image.
    #[error("{file}: cannot be made a flat image: {problem}")]
    Flat {
        /// Which file.
        file: String,
        /// What was expected and found.
        problem: String,
    },
    /// An ELF file without a name for its debugging information.
    #[error("the build id of {file}: {problem}")]
    BuildId {
        /// Which file.
        file: String,
        /// What was expected and found.
        problem: String,
    },
    /// An ELF file whose debugging information cannot be left out.
    #[error("{file}: cannot be stripped: {problem}")]
    Strip {
        /// Which file.
        file: String,
        /// What was expected and found.
        problem: String,
    },
    /// A kernel without a place for its identity.
    #[error("the kernel's section .veridian.id: {problem}")]
    Stamp {
        /// What was expected and found.
        problem: String,
    },
    /// A kernel whose functions cannot be named.
    #[error("the kernel's section .veridian.symbols: {problem}")]
    FunctionNames {
        /// What was expected and found.
        problem: String,
    },
    /// An identity that a kernel cannot hold.
    #[error("`{}`: expected an identity without line breaks of at most {room} bytes, got another", identity.escape_debug())]
    IdentityText {
        /// The identity.
        identity: String,
        /// How many bytes there are for it.
        room: usize,
    },
    /// The emulator is not installed.
    #[error("expected the emulator `{program}` in the search path, got none")]
    NoEmulator {
        /// What it emulates.
        arch: Arch,
        /// Its name.
        program: String,
    },
    /// The firmware is not installed.
    #[error(
        "expected firmware for {arch} at one of {}, got none of them",
        list_paths(searched)
    )]
    NoFirmware {
        /// For what.
        arch: Arch,
        /// Where it was looked for.
        searched: Vec<PathBuf>,
    },
    /// A medium needs a file that it was not given.
    #[error("booting {machine} from `{medium}` needs the file `{file}`, which was not given")]
    NoBootFile {
        /// The machine.
        machine: String,
        /// The medium.
        medium: String,
        /// The file's placeholder.
        file: String,
    },
    /// The system did not boot.
    #[error("{machine} from `{medium}`: {failure}\n{}", tail(serial))]
    Boot {
        /// The machine.
        machine: String,
        /// The medium.
        medium: String,
        /// How it failed.
        failure: BootFailure,
        /// The end of what it printed, at most 200 lines.
        serial: Vec<String>,
    },
}

/// How a boot failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootFailure {
    /// The time limit was over.
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// The kernel panicked.
    Panicked {
        /// The emulator's exit status.
        status: i32,
    },
    /// The emulator ended with a status that means neither power-off nor panic.
    Status {
        /// The status of an orderly power-off.
        expected: i32,
        /// The status.
        found: i32,
    },
    /// The emulator was killed by a signal.
    Killed {
        /// The signal.
        signal: i32,
    },
    /// The installer switched the machine off without having installed the system.
    NotInstalled {
        /// What it said about it.
        said: Option<String>,
    },
    /// The system powered off but never said its name.
    NoIdentity {
        /// What it should have said.
        expected: Box<Identity>,
    },
    /// The system said its name, and then not what was expected of it.
    Unanswered {
        /// What was typed last, and what a line should have had in it, with the system's version filled in.
        exchange: Box<Exchange>,
        /// The machine was still running when its time limit was over.
        timed_out: bool,
    },
    /// Some other system than the expected one booted.
    OtherSystem {
        /// The expected one.
        expected: Box<Identity>,
        /// The one that booted.
        found: Box<Identity>,
    },
}

impl fmt::Display for BootFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { seconds } => {
                write!(
                    f,
                    "expected the system to power off within {seconds} s, but it was still running"
                )
            }
            Self::Panicked { status } => write!(f, "the kernel panicked (exit status {status})"),
            Self::Status { expected, found } => {
                write!(
                    f,
                    "expected the emulator's exit status {expected} (an orderly power-off), got {found}"
                )
            }
            Self::Killed { signal } => write!(f, "the emulator was killed by signal {signal}"),
            Self::NotInstalled { said } => {
                write!(
                    f,
                    "expected the installer to install the system, but {}",
                    match said {
                        Some(said) => format!("it said `{said}`"),
                        None => "it said nothing about it".to_owned(),
                    }
                )
            }
            Self::Unanswered { exchange, timed_out } => {
                let end = if *timed_out {
                    "within the time limit"
                } else {
                    "before the machine ended"
                };
                let expected = exchange.expect.as_deref().unwrap_or_default();
                write!(f, "did not answer `{}` with `{expected}` {end}", exchange.typed)
            }
            Self::NoIdentity { expected } => {
                write!(
                    f,
                    "expected the system to print `{expected}`, but it never named itself"
                )
            }
            Self::OtherSystem { expected, found } => {
                write!(f, "expected the system `{expected}`, but `{found}` booted")
            }
        }
    }
}

impl BuildError {
    /// Whether it is what is built that is at fault, as far as anybody can tell, and not the machine; with the
    /// architecture where it is that of one.
    #[must_use]
    pub fn fault(&self) -> Option<Option<Arch>> {
        match self {
            Self::WrongMachine { arch, .. } => Some(Some(*arch)),
            // Whatever of an architecture is built is built by nodes below its name.
            Self::Graph(GraphError::Packer { node, .. } | GraphError::NotWritten { node, .. }) => {
                Some(node.split_once('/').and_then(|(arch, _)| arch.parse().ok()))
            }
            Self::Compile { .. }
            | Self::ManPage { .. }
            | Self::NoManPage { .. }
            | Self::DoublePage { .. }
            | Self::NotBuilt { .. }
            | Self::NotElf { .. }
            | Self::NotEfi { .. }
            | Self::Flat { .. }
            | Self::BuildId { .. }
            | Self::Strip { .. }
            | Self::Stamp { .. }
            | Self::Boot { .. } => Some(None),
            _ => None,
        }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Toml(error) => error.hint.clone(),
            Self::NoMandoc => Some(package_hint(["mandoc"; 4])),
            Self::NoRustdoc { .. } => Some(
                "it comes with the compiler: install the compiler's package again, or with rustup the component \
                 `rustc`"
                    .to_owned(),
            ),
            Self::NoToolchain { targets, .. } => Some(toolchain_hint(targets)),
            Self::NoEmulator { arch, .. } => Some(package_hint(match arch {
                Arch::X86_64 => ["qemu-system-x86", "qemu-system-x86", "qemu-system-x86", "qemu"],
                Arch::Aarch64 => [
                    "qemu-system-arm",
                    "qemu-system-aarch64",
                    "qemu-system-aarch64",
                    "qemu",
                ],
                Arch::Riscv64 => [
                    "qemu-system-misc",
                    "qemu-system-riscv",
                    "qemu-system-riscv",
                    "qemu",
                ],
            })),
            Self::NoFirmware {
                arch: Arch::X86_64, ..
            } => Some(package_hint(["ovmf", "edk2-ovmf", "edk2-ovmf", "qemu"])),
            Self::NoFirmware {
                arch: Arch::Aarch64, ..
            } => Some(package_hint([
                "qemu-efi-aarch64",
                "edk2-aarch64",
                "edk2-aarch64",
                "qemu",
            ])),
            Self::NoFirmware {
                arch: Arch::Riscv64, ..
            } => Some(
                "install U-Boot for QEMU: `apt install u-boot-qemu` (Debian, Ubuntu), `dnf install \
                 uboot-images-riscv64` (Fedora); elsewhere build it from source with the configuration \
                 qemu-riscv64_smode"
                    .to_owned(),
            ),
            Self::Fetch { .. } => {
                Some("they are fetched once, by the first build: check the network and try again".to_owned())
            }
            Self::BuildId { .. } => {
                Some("its build script must pass `--build-id=sha1` to the linker, and its linker script must place \
                      `.note.gnu.build-id` in a segment of type PT_NOTE".to_owned())
            }
            Self::Pack(error) => error.hint(),
            Self::Boot {
                failure: BootFailure::TimedOut { .. },
                machine,
                ..
            } => Some(format!(
                "the last lines show where it hangs; on a slow machine raise `timeout_s` in os/machines/{machine}.toml"
            )),
            _ => None,
        }
    }
}

fn toolchain_hint(targets: &[String]) -> String {
    format!(
        "with rustup: `rustup target add {}`; or, with the distribution's Rust, its sources and LLD: `apt install \
         rustc-web cargo-web rust-web-src lld` (Debian), `dnf install rust cargo rust-src lld` (Fedora), `pacman -S \
         rust rust-src lld` (Arch); on macOS use rustup",
        targets.join(" ")
    )
}

fn package_hint([debian, fedora, arch, brew]: [&str; 4]) -> String {
    format!(
        "`apt install {debian}` (Debian, Ubuntu), `dnf install {fedora}` (Fedora), `pacman -S {arch}` (Arch), `brew \
         install {brew}` (macOS)"
    )
}

fn list_paths(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many lines of the serial line an error shows; all that were kept are in its field.
const SHOWN_LINES: usize = 20;

fn tail(serial: &[String]) -> String {
    if serial.is_empty() {
        return "nothing came over the serial line".to_owned();
    }
    let shown = &serial[serial.len().saturating_sub(SHOWN_LINES)..];
    let lines: String = shown.iter().map(|line| format!("\n  | {line}")).collect();
    format!("the end of its serial line:{lines}")
}

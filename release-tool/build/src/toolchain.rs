//! Finding a compiler for bare-metal targets.
//!
//! Two ways are known: a toolchain with the targets' core libraries installed (rustup), or one that has its own
//! library sources (a distribution's `rust-src`, or rustup's component), from which the core libraries are built. One
//! toolchain and one way serve all targets, because a release must not depend on what happens to be installed for
//! which of them.

use crate::{BuildError, digest_of};
use std::path::{Path, PathBuf};
use vrel_model::Sha256Digest;
use vrel_world::{Command, World};

/// Where a distribution puts its compiler even when another one comes first in the search path.
const SYSTEM_RUSTC: &str = "/usr/bin/rustc";

/// How the core libraries of a target are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreLibraries {
    /// They are installed.
    Installed,
    /// They are built from the sources that came with the compiler.
    FromSource,
}

/// A compiler with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The compiler itself, not a proxy that chooses one.
    pub rustc: PathBuf,
    /// The build tool.
    pub cargo: PathBuf,
    /// The linker, a build of LLD that knows all object formats.
    pub linker: PathBuf,
    /// The compiler's own directory.
    pub sysroot: PathBuf,
    /// How core libraries are had.
    pub core: CoreLibraries,
    /// What `rustc -vV` prints.
    pub rustc_version: String,
    /// What `cargo -V` prints.
    pub cargo_version: String,
    /// What `linker --version` prints.
    pub linker_version: String,
}

impl Toolchain {
    /// Looks for a toolchain that can compile for all of `targets` and is at least Rust `minimum` (such as
    /// `1.95`).
    ///
    /// Changes nothing. Considers the `rustc` of the search path, that of `rustup which rustc`, and
    /// `/usr/bin/rustc`: asks each for `--print sysroot`, and the compiler in that sysroot for `-vV`; then
    /// asks cargo for `-V` and the linker for
    /// `--version`.
    ///
    /// # Errors
    /// [`BuildError::NoToolchain`] with the reason for each compiler that was considered.
    pub fn find(world: &dyn World, targets: &[String], minimum: &str) -> Result<Self, BuildError> {
        let mut rejected = Vec::new();
        let mut candidates: Vec<Candidate> = Vec::new();
        for rustc in compilers(world) {
            // rustup names the compiler that its proxy in the search path has led to.
            if candidates.iter().any(|known| known.rustc == rustc) {
                continue;
            }
            match Candidate::inspect(world, &rustc, minimum) {
                Ok(candidate) if candidates.iter().any(|known| known.rustc == candidate.rustc) => {}
                Ok(candidate) => candidates.push(candidate),
                Err(reason) => rejected.push(format!("{}: {reason}", rustc.display())),
            }
            // The best that there can be, so whatever else is installed does not matter.
            if let Ok(found) = choose(world, &candidates, targets, CoreLibraries::Installed) {
                return found;
            }
        }
        if candidates.is_empty() && rejected.is_empty() {
            rejected.push("there is no `rustc` in the search path".to_owned());
        }
        for way in [CoreLibraries::Installed, CoreLibraries::FromSource] {
            match choose(world, &candidates, targets, way) {
                Ok(found) => return found,
                Err(reasons) => rejected.extend(reasons),
            }
        }
        rejected.sort();
        rejected.dedup();
        Err(BuildError::NoToolchain {
            rejected,
            targets: targets.to_vec(),
        })
    }

    /// SHA-256 of what `rustc -vV` prints, byte for byte: `rustc -vV | sha256sum`.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        digest_of(&[self.rustc_version.as_bytes()])
    }

    /// Everything of the toolchain that compiled bytes depend on, as text.
    #[must_use]
    pub fn identity(&self) -> String {
        let core = match self.core {
            CoreLibraries::Installed => "installed",
            CoreLibraries::FromSource => "built from source",
        };
        format!(
            "{}{}{}core libraries: {core}\n",
            self.rustc_version, self.cargo_version, self.linker_version
        )
    }

    /// Where the sources of the core libraries are, if the compiler came with them.
    #[must_use]
    pub fn library_source(&self) -> PathBuf {
        library_source(&self.sysroot)
    }
}

fn library_source(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust/library")
}

/// The compilers of this machine, in the order in which they are tried.
fn compilers(world: &dyn World) -> impl Iterator<Item = PathBuf> {
    let find = |name: &str| world.processes().find(name);
    let by_rustup = move || {
        let output = world
            .processes()
            .output(&Command::new(find("rustup")?).args(["which", "rustc"]))
            .ok()?;
        Some(PathBuf::from(String::from_utf8_lossy(&output).trim()))
    };
    let in_path = std::iter::once_with(move || find("rustc"));
    in_path
        .chain(std::iter::once_with(by_rustup))
        .chain(std::iter::once_with(move || find(SYSTEM_RUSTC)))
        .flatten()
}

/// The first candidate that can compile for all targets in one way, or why none can.
fn choose(
    world: &dyn World,
    candidates: &[Candidate],
    targets: &[String],
    way: CoreLibraries,
) -> Result<Result<Toolchain, BuildError>, Vec<String>> {
    let mut rejected = Vec::new();
    for candidate in candidates {
        if let Err(reason) = candidate.offers(world, targets, way) {
            rejected.push(format!("{}: {reason}", candidate.rustc.display()));
            continue;
        }
        match (find_linker(world, candidates), candidate.cargo(world)) {
            (Some(linker), Some(cargo)) => return Ok(candidate.complete(world, cargo, &linker, way)),
            (None, _) => rejected.push("there is no LLD: neither rust-lld nor lld".to_owned()),
            (_, None) => rejected.push("there is no cargo".to_owned()),
        }
    }
    Err(rejected)
}

/// A compiler that exists and is new enough.
struct Candidate {
    rustc: PathBuf,
    sysroot: PathBuf,
    version: String,
}

impl Candidate {
    fn inspect(world: &dyn World, rustc: &Path, minimum: &str) -> Result<Self, String> {
        let ask = |rustc: &Path, args: &[&str]| {
            let output = world
                .processes()
                .output(&Command::new(rustc).args(args.iter().copied()));
            output
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(|error| error.to_string())
        };
        let sysroot = PathBuf::from(ask(rustc, &["--print", "sysroot"])?.trim());
        // rustup's proxy chooses a compiler anew in every directory; the one behind it does not change.
        let direct = sysroot.join("bin/rustc");
        let rustc = if is_file(world, &direct) {
            direct
        } else {
            rustc.to_owned()
        };
        let version = ask(&rustc, &["-vV"])?;
        let release = field(&version, "release").unwrap_or_default();
        if !at_least(release, minimum) {
            return Err(format!("Rust {minimum} or newer is needed, this is `{release}`"));
        }
        Ok(Self {
            rustc,
            sysroot,
            version,
        })
    }

    fn offers(&self, world: &dyn World, targets: &[String], way: CoreLibraries) -> Result<(), String> {
        match way {
            CoreLibraries::Installed => {
                let missing: Vec<_> = targets
                    .iter()
                    .filter(|target| !has_core(world, &self.sysroot, target))
                    .cloned()
                    .collect();
                if missing.is_empty() {
                    return Ok(());
                }
                Err(format!(
                    "the core libraries are not installed for {}",
                    missing.join(", ")
                ))
            }
            CoreLibraries::FromSource => {
                let source = library_source(&self.sysroot);
                if is_file(world, &source.join("Cargo.lock")) {
                    return Ok(());
                }
                Err(format!(
                    "the sources of the core libraries are not in {}",
                    source.display()
                ))
            }
        }
    }

    fn cargo(&self, world: &dyn World) -> Option<PathBuf> {
        let own = self.sysroot.join("bin/cargo");
        Some(own)
            .filter(|cargo| is_file(world, cargo))
            .or_else(|| world.processes().find("cargo"))
    }

    fn complete(
        &self,
        world: &dyn World,
        cargo: PathBuf,
        linker: &Path,
        core: CoreLibraries,
    ) -> Result<Toolchain, BuildError> {
        let ask = |command: &Command| -> Result<String, BuildError> {
            let output = world.processes().output(command)?;
            Ok(String::from_utf8_lossy(&output).into_owned())
        };
        let flavor: &[&str] = if is_generic_lld(linker) {
            &["-flavor", "gnu"]
        } else {
            &[]
        };
        let ask_linker = || ask(&Command::new(linker).args(flavor.iter().copied()).arg("--version"));
        let (cargo_version, linker_version) = beside(|| ask(&Command::new(&cargo).arg("-V")), ask_linker);
        Ok(Toolchain {
            rustc: self.rustc.clone(),
            cargo_version: cargo_version?,
            cargo,
            linker: linker.to_owned(),
            linker_version: linker_version?,
            sysroot: self.sysroot.clone(),
            core,
            rustc_version: self.version.clone(),
        })
    }
}

/// Whether a linker has to be told which linker it is to be.
fn is_generic_lld(linker: &Path) -> bool {
    linker
        .file_stem()
        .is_some_and(|stem| stem == "rust-lld" || stem == "lld")
}

fn find_linker(world: &dyn World, candidates: &[Candidate]) -> Option<PathBuf> {
    let bundled = candidates.iter().filter_map(|candidate| {
        let host = field(&candidate.version, "host")?;
        Some(
            candidate
                .sysroot
                .join("lib/rustlib")
                .join(host)
                .join("bin/rust-lld"),
        )
    });
    let named = ["rust-lld", "lld"]
        .into_iter()
        .filter_map(|name| world.processes().find(name));
    bundled
        .filter(|linker| is_file(world, linker))
        .chain(named)
        .next()
}

fn has_core(world: &dyn World, sysroot: &Path, target: &str) -> bool {
    let libraries = sysroot.join("lib/rustlib").join(target).join("lib");
    world.fs().list(&libraries).is_ok_and(|entries| {
        entries
            .iter()
            .any(|entry| entry.name.starts_with("libcore-") && entry.name.ends_with(".rlib"))
    })
}

fn is_file(world: &dyn World, path: &Path) -> bool {
    matches!(world.fs().metadata(path), Ok(Some(found)) if found.kind == vrel_world::FileKind::File)
}

/// Does two things at the same time: programs take a while only to begin.
pub fn beside<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        let one = one.join();
        (
            one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            other,
        )
    })
}

/// The value of a line `name: value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Compares `1.96.0`, `1.97.0-nightly` and the like by their leading numbers.
fn at_least(release: &str, minimum: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(|c: char| !c.is_ascii_digit())
            .map_while(|part| part.parse().ok())
            .take(3)
            .collect()
    };
    let release = numbers(release);
    !release.is_empty() && release >= numbers(minimum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeWorld;
    use vrel_world::Exit;

    const TARGETS: [&str; 2] = ["x86_64-unknown-none", "x86_64-unknown-uefi"];

    /// A machine with the parts of toolchains that a test names, in directories of its own.
    struct Setup {
        dir: tempfile::TempDir,
        world: FakeWorld,
    }

    impl Setup {
        fn new() -> Self {
            Self {
                dir: tempfile::tempdir().unwrap(),
                world: FakeWorld::default(),
            }
        }

        fn touch(&self, path: &str) -> PathBuf {
            let path = self.dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"").unwrap();
            path
        }

        /// A compiler in `<root>/bin`, in the search path as `name`.
        fn rustc(mut self, name: &str, root: &str, release: &str) -> Self {
            let path = self.touch(&format!("{root}/bin/rustc"));
            let sysroot = self.dir.path().join(root).display().to_string();
            let version = format!("rustc {release}\nhost: h\nrelease: {release}\n");
            self.world = self.world.program(Some(name), path, move |command| {
                let text = if command.args == ["-vV"] {
                    &version
                } else {
                    &sysroot
                };
                (Exit::Status(0), text.clone())
            });
            self
        }

        fn tool(mut self, name: &str, path: &str) -> Self {
            let path = self.touch(path);
            let text = format!("{name} 1");
            self.world = self
                .world
                .program(Some(name), path, move |_| (Exit::Status(0), text.clone()));
            self
        }

        /// Core libraries, library sources, or the linker of a compiler.
        fn part(self, path: &str) -> Self {
            self.touch(path);
            self
        }

        fn find(&self) -> Result<Toolchain, BuildError> {
            Toolchain::find(&self.world, &TARGETS.map(str::to_owned), "1.95")
        }

        fn rejected(&self) -> String {
            match self.find().unwrap_err() {
                BuildError::NoToolchain { rejected, .. } => rejected.join("; "),
                other => panic!("{other}"),
            }
        }
    }

    fn core(root: &str, target: &str) -> String {
        format!("{root}/lib/rustlib/{target}/lib/libcore-1.rlib")
    }

    const SOURCE: &str = "lib/rustlib/src/rust/library/Cargo.lock";

    #[test]
    fn installed_targets_come_before_sources_whichever_compiler_has_them() {
        let setup = Setup::new()
            .rustc("rustc", "debian", "1.96.0")
            .part(&format!("debian/{SOURCE}"))
            .tool("cargo", "bin/cargo")
            .tool("lld", "bin/lld");
        let found = setup.find().unwrap();
        assert_eq!(found.core, CoreLibraries::FromSource);
        assert!(found.cargo.ends_with("bin/cargo") && found.linker.ends_with("bin/lld"));
        assert_eq!(
            found.digest(),
            digest_of(&[b"rustc 1.96.0\nhost: h\nrelease: 1.96.0\n"])
        );

        let rustup = setup.dir.path().join("rustup/bin/rustc").display().to_string();
        let mut setup = setup
            .rustc("unlisted", "rustup", "1.95.0")
            .part(&core("rustup", TARGETS[0]));
        setup.world = setup.world.program(Some("rustup"), "/rustup", move |_| {
            (Exit::Status(0), rustup.clone())
        });
        let linker = setup.touch("rustup/lib/rustlib/h/bin/rust-lld");
        setup.world = setup
            .world
            .program(None, linker, |_| (Exit::Status(0), "LLD 22".to_owned()));
        // One target is not enough: a release has one way for all.
        assert_eq!(setup.find().unwrap().core, CoreLibraries::FromSource);
        let setup = setup
            .part(&core("rustup", TARGETS[1]))
            .tool("own", "rustup/bin/cargo");
        let found = setup.find().unwrap();
        assert_eq!(found.core, CoreLibraries::Installed);
        assert!(found.rustc.ends_with("rustup/bin/rustc") && found.cargo.ends_with("rustup/bin/cargo"));
        assert!(found.linker.ends_with("bin/rust-lld") && found.identity().contains("LLD 22"));
    }

    #[test]
    fn whatever_is_missing_is_named() {
        assert_eq!(Setup::new().rejected(), "there is no `rustc` in the search path");
        let old = Setup::new().rustc("rustc", "a", "1.94.1");
        assert!(
            old.rejected()
                .ends_with("Rust 1.95 or newer is needed, this is `1.94.1`"),
            "{}",
            old.rejected()
        );
        let bare = Setup::new()
            .rustc("rustc", "a", "1.95.0")
            .part(&core("a", TARGETS[0]));
        assert!(
            bare.rejected().contains("not installed for x86_64-unknown-uefi"),
            "{}",
            bare.rejected()
        );
        assert!(
            bare.rejected()
                .contains("the sources of the core libraries are not in")
        );
        let no_linker = bare.part(&format!("a/{SOURCE}")).tool("cargo", "bin/cargo");
        assert!(
            no_linker.rejected().contains("there is no LLD"),
            "{}",
            no_linker.rejected()
        );
        let error = no_linker.find().unwrap_err();
        assert!(
            error
                .hint()
                .unwrap()
                .contains("rustup target add x86_64-unknown-none x86_64-unknown-uefi")
        );
        let no_cargo = Setup::new()
            .rustc("rustc", "a", "1.95.0")
            .part(&format!("a/{SOURCE}"))
            .tool("lld", "bin/lld");
        assert!(
            no_cargo.rejected().contains("there is no cargo"),
            "{}",
            no_cargo.rejected()
        );
    }

    #[test]
    fn versions_compare_by_number() {
        for (release, minimum, expected) in [
            ("1.95.0", "1.95", true),
            ("1.96.0", "1.95.1", true),
            ("1.100.0", "1.95", true),
            ("1.97.0-nightly", "1.95", true),
            ("1.9.0", "1.95", false),
            ("1.94.9", "1.95", false),
            ("", "1.95", false),
        ] {
            assert_eq!(at_least(release, minimum), expected, "{release} {minimum}");
        }
    }

    #[test]
    fn fields_of_the_version_text_are_found() {
        let text =
            "rustc 1.95.0 (abc 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(field(text, "host"), Some("x86_64-unknown-linux-gnu"));
        assert_eq!(field(text, "LLVM version"), None);
    }
}

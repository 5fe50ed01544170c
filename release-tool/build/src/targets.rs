//! `os/targets.toml`: how the operating system is compiled for each architecture.

use crate::{BuildError, read_toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use vrel_model::Arch;
use vrel_world::World;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Targets {
    by_arch: BTreeMap<Arch, ArchTargets>,
}

/// What is compiled for one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArchTargets {
    /// The ELF `e_machine` of every ELF file of this architecture.
    pub machine: u16,
    /// The kernel.
    pub kernel: PackageTarget,
    /// The UEFI loader.
    pub loader: LoaderTarget,
    /// The programs of the initrd; which ones, an image description says.
    pub user: UserTarget,
}

/// One package and how it is compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageTarget {
    /// The cargo package, whose only binary has the same name.
    pub package: String,
    /// The target triple.
    pub target: String,
    /// Flags for rustc.
    #[serde(default)]
    pub rustflags: Vec<String>,
}

/// The loader: a package, and what becomes of its binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoaderTarget {
    /// The cargo package, whose only binary has the same name.
    pub package: String,
    /// The target triple.
    pub target: String,
    /// Flags for rustc.
    #[serde(default)]
    pub rustflags: Vec<String>,
    /// The name in `\EFI\BOOT` under which firmware looks for it (UEFI 2.10, section 3.5.1.1).
    pub file: String,
    /// Whether the linker made an ELF file that holds the EFI file in its loadable segments.
    #[serde(default)]
    pub flatten: bool,
}

/// How programs are compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserTarget {
    /// The target triple.
    pub target: String,
    /// Flags for rustc.
    #[serde(default)]
    pub rustflags: Vec<String>,
}

impl Targets {
    /// Reads `targets.toml` of the operating system's source directory.
    ///
    /// # Errors
    /// When the file is missing, malformed or has an unknown key.
    pub fn read(world: &dyn World, os: &Path) -> Result<Self, BuildError> {
        read_toml(world, &os.join("targets.toml"))
    }

    /// The architectures described, in [`Arch`]'s order.
    pub fn arches(&self) -> impl Iterator<Item = Arch> {
        self.by_arch.keys().copied()
    }

    /// One architecture's.
    ///
    /// # Errors
    /// When the file does not describe it.
    pub fn get(&self, arch: Arch) -> Result<&ArchTargets, BuildError> {
        self.by_arch.get(&arch).ok_or(BuildError::NoTarget { arch })
    }

    /// All target triples that occur, sorted, each once.
    #[must_use]
    pub fn triples(&self) -> Vec<String> {
        let mut triples: Vec<String> = self
            .by_arch
            .values()
            .flat_map(|arch| [&arch.kernel.target, &arch.loader.target, &arch.user.target])
            .cloned()
            .collect();
        triples.sort();
        triples.dedup();
        triples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::toml_file;

    const SAMPLE: &str = r#"
[x86_64]
machine = 62
kernel = { package = "kernel", target = "x86_64-unknown-none", rustflags = ["-Crelocation-model=static"] }
loader = { package = "boot", target = "x86_64-unknown-uefi", file = "BOOTX64.EFI" }
user = { target = "x86_64-unknown-none" }
"#;

    #[test]
    fn the_file_is_read_and_defaults_are_filled_in() {
        let targets: Targets = toml_file::parse(Path::new("targets.toml"), SAMPLE).unwrap();
        let x86 = targets.get(Arch::X86_64).unwrap();
        assert_eq!(x86.kernel.rustflags, ["-Crelocation-model=static"]);
        assert!(!x86.loader.flatten);
        assert_eq!(targets.triples(), ["x86_64-unknown-none", "x86_64-unknown-uefi"]);
        assert!(matches!(
            targets.get(Arch::Riscv64),
            Err(BuildError::NoTarget { arch: Arch::Riscv64 })
        ));
    }

    #[test]
    fn mistakes_name_the_line() {
        for (from, to, expected) in [
            (
                "machine = 62",
                "machin = 62",
                "targets.toml:3:1: unknown field `machin`",
            ),
            ("[x86_64]", "[x86]", "targets.toml:2:2: unknown variant `x86`"),
            (
                "machine = 62",
                "machine = \"62\"",
                "targets.toml:3:11: invalid type",
            ),
            ("file =", "name =", "unknown field `name`"),
        ] {
            let error = toml_file::parse::<Targets>(Path::new("targets.toml"), &SAMPLE.replace(from, to))
                .unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_repository_s_own_file_is_read() {
        let os = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../os");
        let world = vrel_world::RealWorld::default();
        let targets = Targets::read(&world, &os).unwrap();
        assert_eq!(targets.arches().collect::<Vec<_>>(), Arch::ALL);
    }
}

//! `os/machines/*.toml`: the virtual machines that the system is tested on.

use crate::{BuildError, read_toml};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_model::Arch;
use vrel_model::toml_file::{TomlError, closest};
use vrel_world::{FileKind, World};

/// One machine and the ways to boot it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// What it runs.
    pub arch: Arch,
    /// The emulator, to be found in the search path.
    pub qemu: String,
    /// Arguments for every boot. The serial line must be on standard output.
    pub args: Vec<String>,
    /// Exit status of the emulator after an orderly power-off.
    pub success: i32,
    /// Exit status after a kernel panic.
    pub failure: i32,
    /// By medium: what is started from, such as `kernel`, `disk`, `iso`, `usb`.
    pub boot: BTreeMap<String, Medium>,
}

/// One way to boot a machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Medium {
    /// Where the firmware may be, by distribution; the first file that exists is used. Empty when none is
    /// needed.
    #[serde(default)]
    pub firmware: Vec<PathBuf>,
    /// Arguments for this medium, with placeholders in braces: see [`PLACEHOLDERS`].
    pub args: Vec<String>,
    /// After how many seconds a boot has failed.
    pub timeout_s: u64,
    /// Exit status of the emulator where firmware switches the machine off and not the system; the machine's when
    /// absent.
    #[serde(default)]
    pub success: Option<i32>,
}

/// What may stand in braces in the arguments of a [`Medium`]: the kernel as an ELF file and as a flat image,
/// the initrd, a disk or CD image, the firmware; and for installing the disk to install to, and a directory that
/// becomes a volume with the answer file.
pub const PLACEHOLDERS: [&str; 7] = [
    "kernel",
    "kernel_flat",
    "initrd",
    "image",
    "firmware",
    "target",
    "answers",
];

impl Machine {
    /// Reads `machines/<name>.toml` of the operating system's source directory.
    ///
    /// # Errors
    /// When the file is missing or malformed, or uses a placeholder that does not exist.
    pub fn read(world: &dyn World, os: &Path, name: &str) -> Result<Self, BuildError> {
        let path = os.join("machines").join(format!("{name}.toml"));
        let mut machine: Self = read_toml(world, &path)?;
        name.clone_into(&mut machine.name);
        machine.check().map_err(|(message, hint)| {
            BuildError::Toml(TomlError {
                path,
                line: 1,
                column: 1,
                message,
                hint,
            })
        })?;
        Ok(machine)
    }

    /// Reads all files of `machines`, sorted by name.
    ///
    /// # Errors
    /// As [`Machine::read`].
    pub fn read_all(world: &dyn World, os: &Path) -> Result<Vec<Self>, BuildError> {
        let mut machines = Vec::new();
        for entry in world.fs().list(&os.join("machines"))? {
            if let (FileKind::File, Some(name)) = (entry.kind, entry.name.strip_suffix(".toml")) {
                machines.push(Self::read(world, os, name)?);
            }
        }
        Ok(machines)
    }

    /// One of its media.
    ///
    /// # Errors
    /// When the machine does not have it.
    pub fn medium(&self, name: &str) -> Result<&Medium, BuildError> {
        self.boot.get(name).ok_or_else(|| BuildError::NoMedium {
            machine: self.name.clone(),
            medium: name.to_owned(),
            known: self.boot.keys().cloned().collect(),
        })
    }

    fn check(&self) -> Result<(), (String, Option<String>)> {
        for (medium, Medium { firmware, args, .. }) in &self.boot {
            for name in args.iter().flat_map(|arg| placeholders(arg)) {
                if !PLACEHOLDERS.contains(&name) {
                    let known = PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ");
                    let message =
                        format!("[boot.{medium}]: unknown placeholder `{{{name}}}`, expected one of {known}");
                    let hint = closest(name, PLACEHOLDERS).map(|name| format!("did you mean `{{{name}}}`?"));
                    return Err((message, hint));
                }
            }
            let uses_firmware = args
                .iter()
                .flat_map(|arg| placeholders(arg))
                .any(|name| name == "firmware");
            if uses_firmware == firmware.is_empty() {
                let message = format!(
                    "[boot.{medium}]: expected `firmware` exactly where `args` uses {{firmware}}, got one without \
                     the other"
                );
                return Err((message, None));
            }
        }
        Ok(())
    }
}

impl Medium {
    /// The arguments with every placeholder replaced by what `value_of` gives for it.
    ///
    /// # Errors
    /// The name of the first placeholder that has no value.
    pub fn expand<'v>(&self, value_of: impl Fn(&str) -> Option<&'v Path>) -> Result<Vec<String>, String> {
        self.args.iter().map(|arg| expand_one(arg, &value_of)).collect()
    }
}

fn expand_one<'v>(arg: &str, value_of: &impl Fn(&str) -> Option<&'v Path>) -> Result<String, String> {
    let mut result = arg.to_owned();
    for name in placeholders(arg) {
        let value = value_of(name).ok_or_else(|| name.to_owned())?;
        // In QEMU's comma-separated options a comma in a value is written twice.
        let value = value.display().to_string();
        let value = if arg.contains("file=") {
            value.replace(',', ",,")
        } else {
            value
        };
        result = result.replace(&format!("{{{name}}}"), &value);
    }
    Ok(result)
}

fn placeholders(arg: &str) -> impl Iterator<Item = &str> {
    arg.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::toml_file;

    const SAMPLE: &str = r#"
arch = "riscv64"
qemu = "qemu-system-riscv64"
args = ["-M", "virt"]
success = 0
failure = 1
[boot.kernel]
args = ["-kernel", "{kernel}", "-initrd", "{initrd}"]
timeout_s = 20
[boot.disk]
firmware = ["/no/such/firmware", "/dev/null"]
args = ["-kernel", "{firmware}", "-drive", "file={image},format=raw"]
timeout_s = 90
"#;

    fn parse(text: &str) -> Machine {
        toml_file::parse(Path::new("m.toml"), text).unwrap()
    }

    #[test]
    fn placeholders_are_filled_in() {
        let machine = parse(SAMPLE);
        machine.check().unwrap();
        let medium = machine.medium("disk").unwrap();
        let value = |name: &str| match name {
            "image" => Some(Path::new("/a,b/x.img")),
            "firmware" => Some(Path::new("/a,b/fw")),
            _ => None,
        };
        assert_eq!(
            medium.expand(value).unwrap(),
            ["-kernel", "/a,b/fw", "-drive", "file=/a,,b/x.img,format=raw"]
        );
        assert_eq!(
            machine.medium("kernel").unwrap().expand(value),
            Err("kernel".to_owned())
        );
    }

    #[test]
    fn mistakes_are_named() {
        let (message, hint) = parse(&SAMPLE.replace("{image}", "{imgae}")).check().unwrap_err();
        assert!(
            message.contains("[boot.disk]: unknown placeholder `{imgae}`"),
            "{message}"
        );
        assert_eq!(hint.as_deref(), Some("did you mean `{image}`?"));
        let (message, _) = parse(&SAMPLE.replace("\"{firmware}\"", "\"x\""))
            .check()
            .unwrap_err();
        assert!(message.contains("expected `firmware` exactly where"), "{message}");
        let error = parse(SAMPLE).medium("floppy").unwrap_err();
        assert!(error.to_string().contains("`floppy`"), "{error}");
        assert!(error.to_string().contains("disk, kernel"), "{error}");
    }

    #[test]
    fn the_repository_s_own_files_are_read_and_cover_every_architecture() {
        let os = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../os");
        let machines = Machine::read_all(&vrel_world::RealWorld::default(), &os).unwrap();
        for arch in Arch::ALL {
            let machine = machines.iter().find(|machine| machine.arch == arch).unwrap();
            for medium in [
                "kernel",
                "disk",
                "qcow2",
                "vdi",
                "vhd",
                "vmdk",
                "iso",
                "usb",
                "install",
                "install-usb",
            ] {
                machine.medium(medium).unwrap();
            }
            let by_bios = ["bios", "bios-usb"].map(|medium| machine.medium(medium).is_ok());
            assert_eq!(by_bios, [arch == Arch::X86_64; 2]);
        }
    }
}

//! Which system this is, and how packages are installed on it.

use super::requirements::{Family, Requirement};
use crate::exit::Failure;
use serde::Serialize;
use std::path::Path;
use vrel_world::World;

/// Files that say which Linux distribution this is (os-release(5)), the first that exists counts.
const OS_RELEASE: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// A system whose packages are known, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Distribution {
    /// Debian, and what derives from it.
    Debian,
    /// Ubuntu, and what derives from it.
    Ubuntu,
    /// Fedora, and what derives from it.
    Fedora,
    /// Arch Linux, and what derives from it.
    Arch,
    /// macOS.
    Macos,
    /// Something else.
    Unknown,
}

impl Distribution {
    /// The one that this program runs on.
    pub(super) fn detect(world: &dyn World) -> Result<Self, Failure> {
        if cfg!(target_os = "macos") {
            return Ok(Self::Macos);
        }
        for path in OS_RELEASE.map(Path::new) {
            if world.fs().metadata(path)?.is_some() {
                return Ok(Self::from_os_release(&String::from_utf8_lossy(
                    &world.fs().read(path)?,
                )));
            }
        }
        Ok(Self::Unknown)
    }

    /// From the file's `ID` and then its `ID_LIKE`, nearest relative first.
    fn from_os_release(text: &str) -> Self {
        let value = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches(['"', '\''])
        };
        let ids = std::iter::once(value("ID")).chain(value("ID_LIKE").split_whitespace());
        let known = ids.map(|id| match id {
            "debian" => Self::Debian,
            "ubuntu" => Self::Ubuntu,
            "fedora" => Self::Fedora,
            "arch" => Self::Arch,
            _ => Self::Unknown,
        });
        known
            .into_iter()
            .find(|found| *found != Self::Unknown)
            .unwrap_or(Self::Unknown)
    }

    /// Whose package names hold here, most specific first.
    pub(super) fn families(self) -> &'static [Family] {
        match self {
            Self::Debian => &[Family::Debian],
            Self::Ubuntu => &[Family::Ubuntu, Family::Debian],
            Self::Fedora => &[Family::Fedora],
            Self::Arch => &[Family::Arch],
            Self::Macos => &[Family::Macos],
            Self::Unknown => &[],
        }
    }

    /// Whether the tool installs packages here by itself.
    pub(super) fn installs(self) -> bool {
        matches!(self, Self::Debian | Self::Ubuntu)
    }
}

/// What has to be run, in this order, to get what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Remedy {
    /// Commands that need the rights of root, as words.
    pub(crate) as_root: Vec<Vec<String>>,
    /// Commands that a person runs as themselves.
    pub(crate) as_user: Vec<Vec<String>>,
    /// Whether `as_root` really needs root here (Homebrew refuses it).
    pub(crate) needs_root: bool,
}

impl Remedy {
    /// For requirements that are missing on a distribution. Empty when no package is known for any of them.
    pub(super) fn new(distribution: Distribution, missing: &[&Requirement]) -> Self {
        let mut packages: Vec<&str> = Vec::new();
        let mut as_user: Vec<Vec<String>> = Vec::new();
        for requirement in missing {
            for package in requirement.packages_on(distribution).unwrap_or_default() {
                if !packages.contains(&package.as_str()) {
                    packages.push(package);
                }
            }
            for line in requirement.then_on(distribution) {
                let words = line.split_whitespace().map(str::to_owned).collect();
                if !as_user.contains(&words) {
                    as_user.push(words);
                }
            }
        }
        if packages.is_empty() {
            return Self::default();
        }
        let command = |words: &str, tail: &[&str]| -> Vec<String> {
            words
                .split(' ')
                .chain(tail.iter().copied())
                .map(str::to_owned)
                .collect()
        };
        let apt = "env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300";
        let as_root = match distribution {
            Distribution::Debian | Distribution::Ubuntu => vec![
                command(&format!("{apt} update"), &[]),
                command(&format!("{apt} install -y --no-install-recommends"), &packages),
            ],
            Distribution::Fedora => vec![command("dnf install -y", &packages)],
            Distribution::Arch => vec![command("pacman -S --needed --noconfirm", &packages)],
            Distribution::Macos => vec![command("brew install", &packages)],
            Distribution::Unknown => Vec::new(),
        };
        Self {
            as_root,
            as_user,
            needs_root: distribution != Distribution::Macos,
        }
    }

    /// Whether there is nothing to run.
    pub(super) fn is_empty(&self) -> bool {
        self.as_root.is_empty() && self.as_user.is_empty()
    }

    /// The line that a person can paste into a shell.
    pub(super) fn line(&self) -> String {
        let root = self.as_root.iter().map(|words| {
            if self.needs_root {
                format!("sudo {}", words.join(" "))
            } else {
                words.join(" ")
            }
        });
        root.chain(self.as_user.iter().map(|words| words.join(" ")))
            .collect::<Vec<_>>()
            .join(" && ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::requirements::{FILE, Requirements};
    use super::*;
    use vrel_model::toml_file;

    #[test]
    fn a_derived_distribution_is_told_by_its_nearest_relative() {
        for (text, expected) in [
            ("ID=debian\nVERSION_ID=\"12\"\n", Distribution::Debian),
            (
                "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n",
                Distribution::Ubuntu,
            ),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Distribution::Ubuntu),
            ("ID=raspbian\nID_LIKE='debian'\n", Distribution::Debian),
            ("ID=fedora\n", Distribution::Fedora),
            ("ID=manjaro\nID_LIKE=arch\n", Distribution::Arch),
            ("ID=nixos\n", Distribution::Unknown),
            ("", Distribution::Unknown),
        ] {
            assert_eq!(Distribution::from_os_release(text), expected, "{text}");
        }
    }

    fn remedy(distribution: Distribution) -> Remedy {
        let text = r#"
[[requirement]]
name = "a"
purpose = "p"
for = ["test"]
commands = ["a"]
[requirement.packages]
debian = ["a", "common"]
ubuntu = ["a-snap"]
fedora = ["a-devel"]
macos = ["a"]
[requirement.then]
ubuntu = ["a setup"]

[[requirement]]
name = "b"
purpose = "p"
for = ["test"]
commands = ["b"]
[requirement.packages]
debian = ["common", "b"]
fedora = ["b"]
macos = ["b"]
"#;
        let all: Requirements = toml_file::parse(Path::new(FILE), text).unwrap();
        Remedy::new(distribution, &all.requirement.iter().collect::<Vec<_>>())
    }

    #[test]
    fn packages_are_named_once_in_the_distribution_s_own_command() {
        let apt = "sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300";
        let install = format!("{apt} update && {apt} install -y --no-install-recommends");
        for (distribution, expected) in [
            (Distribution::Debian, format!("{install} a common b")),
            (
                Distribution::Ubuntu,
                format!("{install} a-snap common b && a setup"),
            ),
            (Distribution::Fedora, "sudo dnf install -y a-devel b".to_owned()),
            (Distribution::Macos, "brew install a b".to_owned()),
        ] {
            assert_eq!(remedy(distribution).line(), expected);
        }
        assert!(remedy(Distribution::Arch).is_empty());
        assert!(remedy(Distribution::Unknown).is_empty());
    }
}

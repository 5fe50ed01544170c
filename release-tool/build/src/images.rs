//! `os/images/*.toml`: which programs go into an initrd.

use crate::{BuildError, read_toml};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vrel_model::toml_file::TomlError;
use vrel_world::World;

/// One image description.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// The program that the kernel starts; it is stored as `root` whatever its name.
    pub root: String,
    /// All programs, packages of the operating system's workspace. Each is stored under its own name.
    pub programs: Vec<String>,
    /// Further names of programs, by program.
    #[serde(default)]
    pub links: BTreeMap<String, Vec<String>>,
    /// Files that are no programs: path in the initrd, and path in the operating system's source directory.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Path in the initrd of a file that says which system it is (os-release(5)); none when absent.
    #[serde(default, rename = "os-release")]
    pub os_release: Option<String>,
    /// What is typed at the serial line when the image is tested, and what must come back.
    #[serde(default)]
    pub session: Vec<Exchange>,
    /// What is typed to have the system measured (see [`measure`](crate::measure)); nothing when it cannot be.
    #[serde(default)]
    pub measure: Vec<Exchange>,
}

/// Something to type at a serial line, and what must come back before anything else is typed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// A line to type.
    #[serde(rename = "type")]
    pub typed: String,
    /// What a line that comes back must have in it, with the system's `{version}`, `{commit}` and `{arch}` filled in.
    /// Without it nothing is waited for.
    #[serde(default)]
    pub expect: Option<String>,
}

impl Image {
    /// Reads `images/<name>.toml` of the operating system's source directory.
    ///
    /// # Errors
    /// When the file is missing or malformed, names a program twice, or a `root` that is not among the
    /// programs, or has two files of one name.
    pub fn read(world: &dyn World, os: &Path, name: &str) -> Result<Self, BuildError> {
        let path = os.join("images").join(format!("{name}.toml"));
        let mut image: Self = read_toml(world, &path)?;
        name.clone_into(&mut image.name);
        image.check().map_err(|message| {
            let hint = None;
            BuildError::Toml(TomlError {
                path,
                line: 1,
                column: 1,
                message,
                hint,
            })
        })?;
        Ok(image)
    }

    fn check(&self) -> Result<(), String> {
        let names = self.programs.iter();
        if !names.clone().any(|name| *name == self.root) {
            return Err(format!(
                "expected `root` to be one of `programs`, got `{}`, which is not",
                self.root
            ));
        }
        for (index, name) in names.enumerate() {
            if self.programs[..index].contains(name) {
                return Err(format!("expected each program once, got `{name}` twice"));
            }
            if name == "root" && self.root != "root" {
                return Err(format!(
                    "the program `root` and the first program `{}` would get the same name",
                    self.root
                ));
            }
        }
        if let Some(program) = self.links.keys().find(|program| !self.programs.contains(program)) {
            return Err(format!(
                "expected `links` for one of `programs`, got `{program}`, which is not"
            ));
        }
        let mut taken: BTreeSet<&str> = self.programs.iter().map(|name| self.entry_name(name)).collect();
        let links = self.links.values().flatten().map(String::as_str);
        for path in links
            .chain(self.files.keys().map(String::as_str))
            .chain(self.os_release.as_deref())
        {
            if !taken.insert(path) {
                return Err(format!(
                    "expected each name in the initrd once, got `{path}` twice"
                ));
            }
        }
        for path in self
            .files
            .iter()
            .flat_map(|(path, source)| [path, source])
            .chain(&self.os_release)
        {
            let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
            if !path.split('/').all(is_plain) {
                return Err(format!(
                    "expected a relative path such as `etc/motd`, got `{path}`"
                ));
            }
        }
        Ok(())
    }

    /// The image's programs by their names in the initrd.
    ///
    /// # Errors
    /// When a program of the image is not among `programs`.
    pub fn entries<'a>(
        &'a self,
        programs: &'a BTreeMap<String, Vec<u8>>,
    ) -> Result<BTreeMap<&'a str, &'a [u8]>, BuildError> {
        self.programs
            .iter()
            .map(|package| {
                let content = programs.get(package).ok_or_else(|| BuildError::NotBuilt {
                    package: package.clone(),
                })?;
                Ok((self.entry_name(package), content.as_slice()))
            })
            .collect()
    }

    /// The image's further names, and the names in the initrd that they are for.
    #[must_use]
    pub fn further_names(&self) -> BTreeMap<&str, &str> {
        let links = self.links.iter();
        links
            .flat_map(|(program, names)| {
                let target = self.entry_name(program);
                names.iter().map(move |name| (name.as_str(), target))
            })
            .collect()
    }

    /// The name in the initrd under which a program is stored.
    #[must_use]
    pub fn entry_name<'a>(&self, program: &'a str) -> &'a str {
        if program == self.root { "root" } else { program }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(root: &str, programs: &[&str]) -> Image {
        Image {
            name: "test".to_owned(),
            root: root.to_owned(),
            programs: programs.iter().map(|&name| name.to_owned()).collect(),
            links: BTreeMap::new(),
            files: BTreeMap::new(),
            os_release: None,
            session: Vec::new(),
            measure: Vec::new(),
        }
    }

    #[test]
    fn contradictions_are_found() {
        assert_eq!(image("init", &["init", "shell"]).check(), Ok(()));
        assert_eq!(image("suite", &["suite", "fault"]).check(), Ok(()));
        assert!(
            image("init", &["shell"])
                .check()
                .unwrap_err()
                .contains("one of `programs`")
        );
        assert!(
            image("init", &["init", "a", "a"])
                .check()
                .unwrap_err()
                .contains("twice")
        );
        assert!(
            image("suite", &["suite", "root"])
                .check()
                .unwrap_err()
                .contains("the same name")
        );
    }

    #[test]
    fn links_are_further_names_for_programs() {
        let mut image = image("first", &["first", "tools"]);
        image.links = BTreeMap::from([
            ("first".to_owned(), vec!["begin".to_owned()]),
            ("tools".to_owned(), vec!["ls".to_owned(), "cat".to_owned()]),
        ]);
        assert_eq!(image.check(), Ok(()));
        assert_eq!(
            image.further_names(),
            BTreeMap::from([("begin", "root"), ("cat", "tools"), ("ls", "tools")])
        );
        image.links.insert("tool".to_owned(), Vec::new());
        assert!(image.check().unwrap_err().contains("got `tool`, which is not"));
    }

    #[test]
    fn the_first_program_is_stored_as_root() {
        let image = image("suite", &["suite", "fault"]);
        let mut programs = BTreeMap::from([("suite".to_owned(), vec![1])]);
        let error = image.entries(&programs).unwrap_err();
        assert!(matches!(error, BuildError::NotBuilt { package } if package == "fault"));
        programs.insert("fault".to_owned(), vec![2]);
        let entries = image.entries(&programs).unwrap();
        assert_eq!(entries, BTreeMap::from([("fault", &[2][..]), ("root", &[1])]));
        assert_eq!(image.entry_name("suite"), "root");
        assert_eq!(image.entry_name("fault"), "fault");
    }

    #[test]
    fn no_two_files_have_one_name_and_none_lies_elsewhere() {
        let with = |path: &str, source: &str| {
            let mut image = image("first", &["first", "tools"]);
            image.links = BTreeMap::from([("tools".to_owned(), vec!["ls".to_owned()])]);
            image.os_release = Some("etc/os-release".to_owned());
            image.files = BTreeMap::from([(path.to_owned(), source.to_owned())]);
            image.check()
        };
        assert_eq!(with("etc/motd", "images/motd"), Ok(()));
        for taken in ["root", "tools", "ls", "etc/os-release"] {
            assert!(
                with(taken, "images/motd")
                    .unwrap_err()
                    .contains(&format!("got `{taken}` twice"))
            );
        }
        for (path, source) in [
            ("/etc/motd", "motd"),
            ("etc/../motd", "motd"),
            ("motd", "../motd"),
            ("", "a"),
        ] {
            assert!(
                with(path, source)
                    .unwrap_err()
                    .contains("expected a relative path"),
                "{path} {source}"
            );
        }
    }

    #[test]
    fn mistakes_name_the_file_and_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let world = vrel_world::RealWorld::default();
        std::fs::create_dir(dir.path().join("images")).unwrap();
        let error_of = |text: &str| {
            std::fs::write(dir.path().join("images/x.toml"), text).unwrap();
            Image::read(&world, dir.path(), "x").unwrap_err().to_string()
        };
        assert!(
            error_of("root = \"a\"\nprogram = []\n").contains("images/x.toml:2:1: unknown field `program`")
        );
        assert!(error_of("root = \"a\"\nprograms = []\n").contains("images/x.toml:1:1: expected `root`"));
        let missing = Image::read(&world, dir.path(), "y").unwrap_err();
        assert!(missing.to_string().contains("images/y.toml"), "{missing}");
    }
}

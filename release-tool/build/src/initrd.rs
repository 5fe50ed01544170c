//! The initial RAM disk: an uncompressed ustar archive.

use crate::{BuildError, Image};
use std::collections::BTreeMap;
use tar::{Builder, EntryType, Header};
use vrel_model::UtcTime;

/// The archive with the image's programs, in the order of their names there, each of mode 0755 and dated
/// `time`.
///
/// # Errors
/// When a program of the image is not among `programs`, or its name is too long for ustar.
pub fn build(
    image: &Image,
    programs: &BTreeMap<String, Vec<u8>>,
    time: UtcTime,
) -> Result<Vec<u8>, BuildError> {
    let mut entries = BTreeMap::new();
    for package in &image.programs {
        let content = programs.get(package).ok_or_else(|| BuildError::NotBuilt {
            package: package.clone(),
        })?;
        entries.insert(image.entry_name(package), content);
    }
    let mut archive = Builder::new(Vec::new());
    for (name, content) in entries {
        let failed = |error: std::io::Error| BuildError::Archive {
            path: name.to_owned(),
            problem: error.to_string(),
        };
        let mut header = Header::new_ustar();
        header.set_path(name).map_err(failed)?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_mtime(u64::try_from(time.unix()).unwrap_or(0));
        header.set_cksum();
        archive.append(&header, content.as_slice()).map_err(failed)?;
    }
    archive.into_inner().map_err(|error| BuildError::Archive {
        path: "initrd".to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn image() -> Image {
        Image {
            init: "suite".to_owned(),
            programs: vec!["suite".to_owned(), "fault".to_owned()],
        }
    }

    #[test]
    fn programs_are_stored_under_their_names_and_the_first_one_as_init() {
        let programs = BTreeMap::from([
            ("suite".to_owned(), b"SUITE".to_vec()),
            ("fault".to_owned(), vec![7; 513]),
        ]);
        let time = UtcTime::from_unix(1_700_000_000).unwrap();
        let bytes = build(&image(), &programs, time).unwrap();
        assert_eq!(bytes, build(&image(), &programs, time).unwrap());
        let mut archive = tar::Archive::new(&bytes[..]);
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                let header = entry.header();
                assert!(header.as_ustar().is_some());
                assert_eq!(
                    (header.mode().unwrap(), header.mtime().unwrap()),
                    (0o755, 1_700_000_000)
                );
                (entry.path().unwrap().display().to_string(), content)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("fault".to_owned(), vec![7; 513]),
                ("init".to_owned(), b"SUITE".to_vec())
            ]
        );
    }

    #[test]
    fn a_program_that_was_not_compiled_is_named() {
        let error = build(&image(), &BTreeMap::new(), UtcTime::from_unix(0).unwrap()).unwrap_err();
        assert!(matches!(error, BuildError::NotBuilt { package } if package == "suite"));
    }
}

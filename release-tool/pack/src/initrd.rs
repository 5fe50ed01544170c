//! The initial RAM disk: an uncompressed ustar archive.

use crate::PackError;
use std::collections::BTreeMap;
use tar::{Builder, EntryType, Header};
use vrel_model::UtcTime;

/// What is in an initrd, by name.
#[derive(Clone, Debug, Default)]
pub struct Content<'a> {
    /// Programs, of mode 0755.
    pub programs: BTreeMap<&'a str, &'a [u8]>,
    /// Further names, each for one of the programs; stored as hard links behind them.
    pub links: BTreeMap<&'a str, &'a str>,
    /// Other files, of mode 0644.
    pub files: BTreeMap<&'a str, &'a [u8]>,
}

/// The archive with this content, all of it dated `time`.
///
/// # Errors
/// When a name is too long for ustar.
pub fn build(content: &Content<'_>, time: UtcTime) -> Result<Vec<u8>, PackError> {
    let mut archive = Builder::new(Vec::new());
    let programs = content.programs.iter();
    let programs = programs.map(|(&name, &content)| (name, content, 0o755, None));
    let links = content.links.iter();
    let links = links.map(|(&name, &target)| (name, &[][..], 0o755, Some(target)));
    let files = content.files.iter();
    let files = files.map(|(&name, &content)| (name, content, 0o644, None));
    for (name, content, mode, target) in programs.chain(links).chain(files) {
        let failed = |error: std::io::Error| PackError::Archive {
            path: name.to_owned(),
            problem: error.to_string(),
        };
        let mut header = Header::new_ustar();
        header.set_path(name).map_err(failed)?;
        header.set_entry_type(EntryType::Regular);
        if let Some(target) = target {
            header.set_entry_type(EntryType::Link);
            header.set_link_name(target).map_err(failed)?;
        }
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_mtime(u64::try_from(time.unix()).unwrap_or(0));
        header.set_cksum();
        archive.append(&header, content).map_err(failed)?;
    }
    archive.into_inner().map_err(|error| PackError::Archive {
        path: "initrd".to_owned(),
        problem: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn programs_are_stored_under_their_names() {
        let suite = [7; 513];
        let content = Content {
            programs: BTreeMap::from([("fault", &suite[..]), ("root", b"SUITE")]),
            links: BTreeMap::from([("broken", "fault")]),
            files: BTreeMap::from([("etc/motd", &b"hello"[..])]),
        };
        let time = UtcTime::from_unix(1_700_000_000).unwrap();
        let bytes = build(&content, time).unwrap();
        assert_eq!(bytes, build(&content, time).unwrap());
        let mut archive = tar::Archive::new(&bytes[..]);
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                if let Some(target) = entry.link_name().unwrap() {
                    content = format!("link to {}", target.display()).into_bytes();
                }
                let header = entry.header();
                assert!(header.as_ustar().is_some());
                assert_eq!(header.mtime().unwrap(), 1_700_000_000);
                let mode = header.mode().unwrap();
                (entry.path().unwrap().display().to_string(), mode, content)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("fault".to_owned(), 0o755, vec![7; 513]),
                ("root".to_owned(), 0o755, b"SUITE".to_vec()),
                ("broken".to_owned(), 0o755, b"link to fault".to_vec()),
                ("etc/motd".to_owned(), 0o644, b"hello".to_vec())
            ]
        );
    }

    #[test]
    fn a_name_that_no_header_holds_is_refused() {
        let name = "n".repeat(300);
        let content = Content {
            programs: BTreeMap::from([(name.as_str(), &b""[..])]),
            ..Content::default()
        };
        let error = build(&content, UtcTime::from_unix(0).unwrap()).unwrap_err();
        assert!(matches!(error, PackError::Archive { path, .. } if path == name));
    }
}

//! The initial RAM disk: an uncompressed ustar archive.

use crate::PackError;
use std::collections::BTreeMap;
use tar::{Builder, EntryType, Header};
use vrel_model::UtcTime;

/// The archive with these programs by name, each of mode 0755 and dated `time`, and with `links`: further names, each for
/// one of the programs, which are stored as hard links behind them.
///
/// # Errors
/// When a name is too long for ustar.
pub fn build(
    programs: &BTreeMap<&str, &[u8]>,
    links: &BTreeMap<&str, &str>,
    time: UtcTime,
) -> Result<Vec<u8>, PackError> {
    let mut archive = Builder::new(Vec::new());
    let files = programs.iter().map(|(&name, &content)| (name, content, None));
    let links = links.iter().map(|(&name, &target)| (name, &[][..], Some(target)));
    for (name, content, target) in files.chain(links) {
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
        header.set_mode(0o755);
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
        let programs = BTreeMap::from([("fault", &suite[..]), ("init", b"SUITE")]);
        let time = UtcTime::from_unix(1_700_000_000).unwrap();
        let links = BTreeMap::from([("broken", "fault")]);
        let bytes = build(&programs, &links, time).unwrap();
        assert_eq!(bytes, build(&programs, &links, time).unwrap());
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
                ("init".to_owned(), b"SUITE".to_vec()),
                ("broken".to_owned(), b"link to fault".to_vec())
            ]
        );
    }

    #[test]
    fn a_name_that_no_header_holds_is_refused() {
        let name = "n".repeat(300);
        let error = build(
            &BTreeMap::from([(name.as_str(), &b""[..])]),
            &BTreeMap::new(),
            UtcTime::from_unix(0).unwrap(),
        )
        .unwrap_err();
        assert!(matches!(error, PackError::Archive { path, .. } if path == name));
    }
}

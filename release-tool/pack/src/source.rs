//! The source tarball: the files of a commit, as `git archive` packs them, compressed with zstd.
//!
//! The tar stream is the one that `git archive --format=tar --prefix=PREFIX COMMIT` writes with git's default
//! settings, byte for byte, so that anybody can check the tarball against the repository with git alone.

use crate::PackError;
use crate::image_file::{Failure, ImageFile, write_stream};
use crate::tarball::{Zstd, zstd_encoder};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use tar::{EntryType, Header};
use vrel_model::UtcTime;
use vrel_world::{ErrorKind, TreeFile, TreeFileKind, World, WorldError};

/// What is packed and how.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The repository.
    pub repo: &'a Path,
    /// The commit, 40 hexadecimal digits.
    pub commit: &'a str,
    /// The directory that everything is in, without a slash at its end.
    pub prefix: &'a str,
    /// When files were changed: the commit's time.
    pub time: UtcTime,
    /// zstd's level, 1 to 19.
    pub level: i32,
    /// zstd's worker threads, at least 1: with none it would divide the data differently.
    pub workers: u32,
}

/// git pads archives to this size.
const TAR_BLOCK: u64 = 10_240;

/// The compressor takes locks for every piece that it is given, so it is given large ones.
const BUFFER: usize = 256 << 10;

/// Writes the tarball to `path`.
///
/// # Errors
/// When the commit cannot be read or the file not be written, and for a commit whose `.gitattributes` make
/// `git archive` leave out or change files.
pub fn write(world: &dyn World, path: &Path, source: &Source<'_>) -> Result<(), PackError> {
    write_stream(world, path, |file| pack(world, file, source))
}

fn pack(world: &dyn World, file: &mut ImageFile, source: &Source<'_>) -> Result<(), Failure> {
    let options = Zstd {
        level: source.level,
        window_log: None,
        workers: source.workers,
    };
    let encoder = zstd_encoder(&mut *file, options)?;
    let mut tar = Tar {
        out: BufWriter::with_capacity(BUFFER, encoder),
        len: 0,
        time: source.time,
        directory: String::new(),
    };
    tar.commit_id(source.commit)?;
    tar.directories(&format!("{}/", source.prefix))?;
    let mut failure = None;
    let walked = world.git().walk_tree(source.repo, source.commit, &mut |entry| {
        tar.file(source.prefix, entry).map_err(|error| {
            failure = Some(error);
            WorldError::new(
                "pack",
                entry.path,
                ErrorKind::Other,
                "the archive cannot be written",
            )
        })
    });
    match (failure, walked) {
        (Some(failure), _) => return Err(failure),
        (None, walked) => walked.map_err(|error| Failure::Other(error.into()))?,
    }
    let encoder = tar
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?;
    Ok(file.flush()?)
}

/// Writes tar entries in git's manner.
struct Tar<W> {
    out: W,
    len: u64,
    time: UtcTime,
    /// The directory of the last entry, with a slash at its end; it and those above it have entries.
    directory: String,
}

impl<W: Write> Tar<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn pad_to(&mut self, multiple: u64) -> io::Result<()> {
        let zeros = self.len.next_multiple_of(multiple) - self.len;
        self.put(&vec![0; zeros as usize])
    }

    fn header(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_mtime(u64::try_from(self.time.unix()).unwrap_or(0));
        if let Some(ustar) = header.as_ustar_mut() {
            ustar.uname[..4].copy_from_slice(b"root");
            ustar.gname[..4].copy_from_slice(b"root");
            ustar.dev_major = *b"0000000\0";
            ustar.dev_minor = *b"0000000\0";
        }
        header
    }

    /// The record in which git tells which commit an archive is of (`git get-tar-commit-id`).
    fn commit_id(&mut self, commit: &str) -> io::Result<()> {
        let record = pax_record("comment", commit.as_bytes());
        let header = self.header(EntryType::XGlobalHeader, 0o666, record.len() as u64);
        self.entry(header, b"pax_global_header", &record)
    }

    /// Entries for a directory, a path with a slash at its end, and for those above it, where they have none
    /// yet.
    fn directories(&mut self, path: &str) -> io::Result<()> {
        // Entries come in the order of the tree, so whatever directory was left is not entered again.
        let both = path
            .bytes()
            .zip(self.directory.bytes())
            .take_while(|(a, b)| a == b);
        let known = both
            .enumerate()
            .filter(|(_, (byte, _))| *byte == b'/')
            .last()
            .map_or(0, |(slash, _)| slash + 1);
        for (slash, _) in path.match_indices('/').filter(|(slash, _)| *slash >= known) {
            let header = self.header(EntryType::Directory, 0o775, 0);
            self.entry(header, &path.as_bytes()[..=slash], b"")?;
        }
        path.clone_into(&mut self.directory);
        Ok(())
    }

    fn file(&mut self, prefix: &str, file: TreeFile<'_>) -> Result<(), Failure> {
        check_attributes(file)?;
        let path = format!("{prefix}/{}", file.path);
        let directory = path.rfind('/').map_or("", |slash| &path[..=slash]);
        self.directories(directory)?;
        match file.kind {
            TreeFileKind::File | TreeFileKind::Executable => {
                let mode = if file.kind == TreeFileKind::Executable {
                    0o775
                } else {
                    0o664
                };
                let header = self.header(EntryType::Regular, mode, file.content.len() as u64);
                self.entry(header, path.as_bytes(), file.content)?;
            }
            TreeFileKind::Symlink => {
                let mut header = self.header(EntryType::Symlink, 0o777, 0);
                let target = file.content;
                match header
                    .as_ustar_mut()
                    .filter(|ustar| target.len() <= ustar.linkname.len())
                {
                    Some(ustar) => ustar.linkname[..target.len()].copy_from_slice(target),
                    None => self.extended("linkpath", target)?,
                }
                self.entry(header, path.as_bytes(), b"")?;
            }
        }
        Ok(())
    }

    /// Writes one entry; a path that is too long for the header goes into a record in front of it.
    fn entry(&mut self, mut header: Header, path: &[u8], content: &[u8]) -> io::Result<()> {
        if let Some(ustar) = header.as_ustar_mut() {
            match split_path(path) {
                Some((prefix, name)) => {
                    ustar.prefix[..prefix.len()].copy_from_slice(prefix);
                    ustar.name[..name.len()].copy_from_slice(name);
                }
                None => {
                    self.extended("path", path)?;
                    // Only shown by programs that do not know the record.
                    ustar.name.copy_from_slice(&path[path.len() - 100..]);
                }
            }
        }
        header.set_cksum();
        self.put(header.as_bytes())?;
        self.put(content)?;
        self.pad_to(512)
    }

    /// A record that replaces a field of the entry that follows.
    fn extended(&mut self, key: &str, value: &[u8]) -> io::Result<()> {
        let record = pax_record(key, value);
        let header = self.header(EntryType::XHeader, 0o666, record.len() as u64);
        self.entry(header, b"pax_header", &record)
    }

    fn finish(mut self) -> io::Result<W> {
        self.put(&[0; 1024])?;
        self.pad_to(TAR_BLOCK)?;
        Ok(self.out)
    }
}

/// `<length> <key>=<value>\n`, where the length counts its own digits (POSIX pax, "pax Extended Header").
fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    let mut record = format!("{len} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// A path as the header's two fields, divided at the slash that git would choose; `None` when it does not
/// fit.
fn split_path(path: &[u8]) -> Option<(&[u8], &[u8])> {
    const NAME: usize = 100;
    const PREFIX: usize = 155;
    if path.len() <= NAME {
        return Some((b"", path));
    }
    let end = path.strip_suffix(b"/").unwrap_or(path).len().min(PREFIX);
    let slash = path[..end]
        .iter()
        .rposition(|&byte| byte == b'/')
        .filter(|&slash| slash > 0)?;
    let name = &path[slash + 1..];
    (name.len() <= NAME).then_some((&path[..slash], name))
}

/// Attributes by which `git archive` would pack something else than the commit's own bytes; those with a
/// value by their beginning.
const CHANGING: [&str; 4] = ["export-ignore", "export-subst", "ident", "eol=crlf"];
const CHANGING_WITH_VALUE: [&str; 2] = ["filter=", "working-tree-encoding="];

fn check_attributes(file: TreeFile<'_>) -> Result<(), Failure> {
    if file.path != ".gitattributes" && !file.path.ends_with("/.gitattributes") {
        return Ok(());
    }
    let changes = |word: &&str| {
        CHANGING.contains(word) || CHANGING_WITH_VALUE.iter().any(|start| word.starts_with(start))
    };
    for (index, line) in String::from_utf8_lossy(file.content).lines().enumerate() {
        let mut words = line.split_whitespace();
        let is_comment = words.next().is_none_or(|pattern| pattern.starts_with('#'));
        if let Some(attribute) = words.find(changes).filter(|_| !is_comment) {
            return Err(Failure::Other(PackError::Attribute {
                path: file.path.to_owned(),
                line: index + 1,
                attribute: attribute.to_owned(),
            }));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use vrel_world::RealWorld;

    fn git(repo: &Path, args: &[&str]) -> Vec<u8> {
        let output = Command::new("git")
            .args(["-C"])
            .arg(repo)
            .args([
                "-c",
                "user.name=T",
                "-c",
                "user.email=t@example.org",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(args)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_COMMITTER_DATE", "2023-11-14T22:13:20Z")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn repo(files: &[(&str, &[u8])]) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        git(path, &["init", "-q"]);
        for (name, content) in files {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content).unwrap();
        }
        git(path, &["add", "-A"]);
        git(path, &["update-index", "--chmod=+x", files[0].0]);
        git(path, &["commit", "-q", "-m", "test"]);
        let commit = String::from_utf8(git(path, &["rev-parse", "HEAD"]))
            .unwrap()
            .trim()
            .to_owned();
        (dir, commit)
    }

    fn pack_to(repo: &Path, commit: &str, out: &Path) -> Result<(), PackError> {
        let source = Source {
            repo,
            commit,
            prefix: "veridianos-0.6.0-rc1",
            time: UtcTime::from_unix(1_700_000_000).unwrap(),
            level: 3,
            workers: 2,
        };
        write(&RealWorld::default(), out, &source)
    }

    #[test]
    fn the_tar_stream_is_the_one_of_git_archive() {
        let long_dir = "d".repeat(90);
        let split = format!("{long_dir}/{}/file", "e".repeat(40));
        let nested = format!("a/b/c/{}", "f".repeat(80));
        let (dir, _) = repo(&[
            ("script.sh", b"#!/bin/sh\n"),
            ("a/b/one", b"1"),
            ("a/b.txt", &[7; 512]),
            ("a/b-c/two", &[8; 513]),
            ("a/bz/three", b""),
            ("z", &[9; 30_000]),
            (&split, b"split"),
            (&nested, b"nested"),
            (".gitattributes", b"* text=auto\n*.png binary\n# export-ignore\n"),
        ]);
        std::os::unix::fs::symlink("a/b/one", dir.path().join("link")).unwrap();
        git(dir.path(), &["add", "-A"]);
        git(dir.path(), &["commit", "-q", "-m", "link"]);
        let commit = String::from_utf8(git(dir.path(), &["rev-parse", "HEAD"]))
            .unwrap()
            .trim()
            .to_owned();

        let out = dir.path().join("out.tar.zst");
        pack_to(dir.path(), &commit, &out).unwrap();
        let packed = std::fs::read(&out).unwrap();
        pack_to(dir.path(), &commit, &out).unwrap();
        assert!(packed == std::fs::read(&out).unwrap());
        let ours = zstd::decode_all(&packed[..]).unwrap();
        let theirs = git(
            dir.path(),
            &[
                "archive",
                "--format=tar",
                "--prefix=veridianos-0.6.0-rc1/",
                &commit,
            ],
        );
        assert_eq!(ours.len(), theirs.len());
        let difference = ours.iter().zip(&theirs).position(|(a, b)| a != b);
        assert_eq!(difference, None);
    }

    #[test]
    fn names_that_no_header_can_hold_are_kept_in_records() {
        let name = format!("{}/{}", "d".repeat(10), "n".repeat(200));
        let (dir, _) = repo(&[(&name, b"long")]);
        let target = "t/".repeat(60) + "x";
        std::os::unix::fs::symlink(&target, dir.path().join("link")).unwrap();
        git(dir.path(), &["add", "-A"]);
        git(dir.path(), &["commit", "-q", "-m", "link"]);
        let commit = String::from_utf8(git(dir.path(), &["rev-parse", "HEAD"]))
            .unwrap()
            .trim()
            .to_owned();
        let out = dir.path().join("out.tar.zst");
        pack_to(dir.path(), &commit, &out).unwrap();
        let tar = zstd::decode_all(&std::fs::read(&out).unwrap()[..]).unwrap();
        let mut archive = tar::Archive::new(&tar[..]);
        let found: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let link = entry.link_name().unwrap().map(|link| link.display().to_string());
                (entry.path().unwrap().display().to_string(), link)
            })
            .collect();
        assert!(
            found.contains(&(format!("veridianos-0.6.0-rc1/{name}"), None)),
            "{found:?}"
        );
        assert!(
            found.contains(&("veridianos-0.6.0-rc1/link".to_owned(), Some(target))),
            "{found:?}"
        );
    }

    #[test]
    fn attributes_that_change_an_archive_are_refused() {
        let (dir, commit) = repo(&[
            ("x", b""),
            ("a/.gitattributes", b"* text\nsecret export-ignore\n"),
        ]);
        let error = pack_to(dir.path(), &commit, &dir.path().join("out")).unwrap_err();
        assert!(error.to_string().starts_with("a/.gitattributes:2: "), "{error}");
        assert!(!dir.path().join("out").exists());
    }

    #[test]
    fn a_commit_that_is_missing_and_a_file_that_cannot_be_written_are_named() {
        let (dir, commit) = repo(&[("x", b"")]);
        let missing = pack_to(dir.path(), &"0".repeat(40), &dir.path().join("out")).unwrap_err();
        assert!(missing.to_string().contains(&"0".repeat(40)), "{missing}");
        let denied = pack_to(dir.path(), &commit, Path::new("/nonexistent/out")).unwrap_err();
        assert!(denied.to_string().contains("/nonexistent/out"), "{denied}");
    }

    #[test]
    fn records_count_their_own_length() {
        assert_eq!(pax_record("path", b"x"), b"9 path=x\n");
        for len in 80..120 {
            let record = pax_record("path", &vec![b'x'; len]);
            let said: usize = std::str::from_utf8(&record)
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(said, record.len());
        }
    }
}

//! Tar streams that hold nothing but what they are given: no owner, no clock, no order of a directory on a disk.

use crate::PackError;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use tar::{Builder, EntryType, Header};
use vrel_model::UtcTime;
use zstd::zstd_safe::CParameter;

/// A tar stream in the making. Entries belong to user and group 0 and have one time.
pub(crate) struct Tarball<W: Write> {
    builder: Builder<W>,
    time: UtcTime,
    directories: BTreeSet<String>,
}

impl<W: Write> Tarball<W> {
    /// A stream into `out` whose entries are dated `time`.
    pub(crate) fn new(out: W, time: UtcTime) -> Self {
        Self {
            builder: Builder::new(out),
            time,
            directories: BTreeSet::new(),
        }
    }

    /// Adds a regular file of exactly `size` bytes, after entries for the directories that it is in.
    ///
    /// # Errors
    /// When the path is not a plain relative one, when `content` is shorter or longer, and when the stream
    /// cannot be written.
    pub(crate) fn file(&mut self, path: &str, mode: u32, size: u64, content: impl Read) -> io::Result<()> {
        if let Some(problem) = path_problem(path) {
            return Err(io::Error::other(format!("{path:?}: {problem}")));
        }
        for (slash, _) in path.match_indices('/') {
            self.directory(&path[..slash])?;
        }
        let mut header = header(self.time, EntryType::Regular, mode, size);
        let mut counted = Counted { content, count: 0 };
        // One byte more than there should be, so that a longer content is seen and not cut.
        let limited = (&mut counted).take(size.saturating_add(1));
        self.builder.append_data(&mut header, path, limited)?;
        if counted.count != size {
            let found = counted.count;
            let more = if found > size { " or more" } else { "" };
            return Err(io::Error::other(format!(
                "{path}: expected {size} bytes, got {found}{more}"
            )));
        }
        Ok(())
    }

    /// Adds a directory, once.
    fn directory(&mut self, path: &str) -> io::Result<()> {
        if self.directories.insert(path.to_owned()) {
            let mut header = header(self.time, EntryType::Directory, 0o755, 0);
            self.builder
                .append_data(&mut header, format!("{path}/"), io::empty())?;
        }
        Ok(())
    }

    /// Writes the end of the stream and gives back what it was written to.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()
    }
}

/// A header of user and group 0. Its name and checksum are still to be set.
pub(crate) fn header(time: UtcTime, kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mtime(u64::try_from(time.unix()).unwrap_or(0));
    header
}

/// What is wrong with a path that is to be unpacked below some directory; `None` when nothing is.
pub(crate) fn path_problem(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("expected a path, got none");
    }
    if path.starts_with('/') {
        return Some("expected a relative path, got an absolute one");
    }
    if path.contains(['\0', '\n', '\\']) {
        return Some("expected a path without line breaks and backslashes, got one with them");
    }
    let odd = |part: &str| matches!(part, "" | "." | "..");
    path.split('/')
        .any(odd)
        .then_some("expected no empty component, `.` or `..` in the path, got one")
}

/// A compressor that writes what the same options always write.
///
/// # Errors
/// When zstd refuses an option.
pub(crate) fn zstd_encoder<'a, W: Write>(out: W, options: Zstd) -> io::Result<zstd::Encoder<'a, W>> {
    let mut encoder = zstd::Encoder::new(out, options.level)?;
    encoder.include_checksum(true)?;
    if let Some(window_log) = options.window_log {
        encoder.long_distance_matching(true)?;
        encoder.window_log(window_log)?;
    }
    encoder.multithread(options.workers.max(1))?;
    encoder.set_parameter(CParameter::JobSize(JOB))?;
    encoder.set_parameter(CParameter::OverlapSizeLog(OVERLAP_LOG))?;
    Ok(encoder)
}

/// How much a worker compresses at once, in bytes. Left to itself zstd takes four windows, and several such pieces are in
/// memory for each worker. Like everything about the compressor it takes part in the bytes.
const JOB: u32 = 4 << 20;

/// How much of the piece before a worker looks back into: 7 is a quarter of the window.
const OVERLAP_LOG: u32 = 7;

/// How an archive is compressed. All of it takes part in the bytes that come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zstd {
    /// The level, 1 to 19.
    pub level: i32,
    /// Base-2 logarithm of how many bytes zstd looks back for repetitions, from 10; also what unpacking takes in
    /// memory. Above 27 `zstd -d` has to be told with `--long`. The level's own when `None`.
    pub window_log: Option<u32>,
    /// Worker threads, at least 1: with none it would divide the data differently.
    pub workers: u32,
}

struct Counted<R> {
    content: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// An error of a library that packs, with the entry it happened at.
pub(crate) fn archive_error(path: &str, error: &io::Error) -> PackError {
    PackError::Archive {
        path: path.to_owned(),
        problem: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time() -> UtcTime {
        UtcTime::from_unix(1_700_000_000).unwrap()
    }

    #[test]
    fn directories_come_before_what_is_in_them_and_only_once() {
        let mut tarball = Tarball::new(Vec::new(), time());
        let long = format!("a/{}/{}", "d".repeat(120), "n".repeat(120));
        for path in ["a/b/one", "a/b/two", &long] {
            tarball.file(path, 0o644, 3, &b"abc"[..]).unwrap();
        }
        let bytes = tarball.finish().unwrap();
        let mut archive = tar::Archive::new(&bytes[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            (
                entry.path().unwrap().display().to_string(),
                header.mode().unwrap(),
            )
        });
        let found: Vec<_> = entries.collect();
        let directory = format!("a/{}/", "d".repeat(120));
        let expected = [
            ("a/", 0o755),
            ("a/b/", 0o755),
            ("a/b/one", 0o644),
            ("a/b/two", 0o644),
            (&directory, 0o755),
            (&long, 0o644),
        ];
        assert_eq!(found, expected.map(|(path, mode)| (path.to_owned(), mode)));
    }

    #[test]
    fn content_of_another_length_is_refused() {
        for (size, expected) in [
            (2, "f: expected 2 bytes, got 3 or more"),
            (4, "f: expected 4 bytes, got 3"),
        ] {
            let error = Tarball::new(Vec::new(), time())
                .file("f", 0o644, size, &b"abc"[..])
                .unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in ["", "/etc", "../x", "a/../b", "a//b", "a/", "./a", "a\nb", "a\\b"] {
            assert!(path_problem(path).is_some(), "{path:?}");
            let error = Tarball::new(Vec::new(), time()).file(path, 0o644, 0, io::empty());
            assert!(error.is_err(), "{path:?}");
        }
        assert_eq!(path_problem("a/b.c/..d"), None);
    }
}

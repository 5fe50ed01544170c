//! Debugging information, in the directory layout in which debuggers find it by build id: `.build-id/ab/cdef….debug`.

use crate::PackError;
use crate::image_file::{Failure, ImageFile, write_stream};
use crate::tarball::{Tarball, Zstd, zstd_encoder};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::World;

/// The compressor takes locks for every piece that it is given, so it is given large ones.
const BUFFER: usize = 256 << 10;

/// The archive and how it is packed.
#[derive(Clone, Copy, Debug)]
pub struct Symbols<'a> {
    /// The directory that everything is in, without a slash at its end. A debugger is pointed to it.
    pub prefix: &'a str,
    /// When files were changed: the commit's time.
    pub time: UtcTime,
    /// How it is compressed.
    pub zstd: Zstd,
}

/// A file with debugging information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugFile<'a> {
    /// What it is of, for people.
    pub name: &'a str,
    /// Its build id, lower-case hexadecimal digits.
    pub build_id: String,
    /// Where it is.
    pub path: &'a Path,
}

/// Writes the archive, `tar.zst`, to `path`. Beside the files there is a list `BUILD-IDS` of what each is of.
///
/// # Errors
/// When a build id is none or occurs twice, and when an effect fails.
pub fn write(
    world: &dyn World,
    path: &Path,
    symbols: &Symbols<'_>,
    files: &[DebugFile<'_>],
) -> Result<(), PackError> {
    let mut sorted = BTreeMap::new();
    for file in files {
        let wrong = |problem: String| PackError::Archive {
            path: file.name.to_owned(),
            problem,
        };
        let id = file.build_id.as_str();
        if id.len() < 8 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong(format!(
                "expected a build id of hexadecimal digits, got `{}`",
                id.escape_debug()
            )));
        }
        if let Some(other) = sorted.insert(id, file) {
            let other = other.name;
            return Err(wrong(format!(
                "expected a build id of its own, got that of {other}, {id}"
            )));
        }
    }
    write_stream(world, path, |file| pack(world, file, symbols, &sorted))
}

fn pack(
    world: &dyn World,
    out: &mut ImageFile,
    symbols: &Symbols<'_>,
    files: &BTreeMap<&str, &DebugFile<'_>>,
) -> Result<(), Failure> {
    let prefix = symbols.prefix;
    let encoder = zstd_encoder(&mut *out, symbols.zstd)?;
    let mut tarball = Tarball::new(BufWriter::with_capacity(BUFFER, encoder), symbols.time);
    let mut list = String::new();
    for (id, file) in files {
        let failed = |error: vrel_world::WorldError| Failure::Other(error.into());
        world.check_interrupt().map_err(failed)?;
        let size = world
            .fs()
            .metadata(file.path)
            .map_err(failed)?
            .map_or(0, |known| known.len);
        let content = world.fs().open(file.path).map_err(failed)?;
        let path = format!("{prefix}/.build-id/{}/{}.debug", &id[..2], &id[2..]);
        tarball.file(&path, 0o644, size, content)?;
        // Writing to a text cannot fail.
        let _ = writeln!(list, "{id}  {}", file.name);
    }
    tarball.file(
        &format!("{prefix}/BUILD-IDS"),
        0o644,
        list.len() as u64,
        list.as_bytes(),
    )?;
    let encoder = tarball
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use vrel_world::RealWorld;

    fn write_to(path: &Path, files: &[DebugFile<'_>]) -> Result<(), PackError> {
        let symbols = Symbols {
            prefix: "veridianos-0.6.0-x86_64-symbols",
            time: UtcTime::from_unix(1_700_000_000).unwrap(),
            zstd: Zstd {
                level: 3,
                window_log: None,
                workers: 2,
            },
        };
        write(&RealWorld::default(), path, &symbols, files)
    }

    fn file<'a>(name: &'a str, build_id: &str, path: &'a Path) -> DebugFile<'a> {
        DebugFile {
            name,
            build_id: build_id.to_owned(),
            path,
        }
    }

    #[test]
    fn files_lie_where_debuggers_look() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        let (kernel, init) = (dir.path().join("kernel"), dir.path().join("init"));
        std::fs::write(&kernel, "kernel").unwrap();
        std::fs::write(&init, "init").unwrap();
        let files = [
            file("kernel", "cafe0123", &kernel),
            file("init", "beef0123", &init),
        ];
        write_to(&one, &files).unwrap();
        let [first, second] = files;
        write_to(&two, &[second, first]).unwrap();
        let bytes = std::fs::read(&one).unwrap();
        assert!(bytes == std::fs::read(&two).unwrap());
        let tar = zstd::decode_all(&bytes[..]).unwrap();
        let mut archive = tar::Archive::new(&tar[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.path().unwrap().display().to_string(), text)
        });
        let found: Vec<_> = entries.filter(|(path, _)| !path.ends_with('/')).collect();
        let expected = [
            (".build-id/be/ef0123.debug", "init"),
            (".build-id/ca/fe0123.debug", "kernel"),
            ("BUILD-IDS", "beef0123  init\ncafe0123  kernel\n"),
        ];
        let expected =
            expected.map(|(path, text)| (format!("veridianos-0.6.0-x86_64-symbols/{path}"), text.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn ids_that_name_no_file_or_two_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (out, kernel) = (dir.path().join("out"), dir.path().join("kernel"));
        std::fs::write(&kernel, "kernel").unwrap();
        for id in ["", "ab", "../../../x", "CAFE0123"] {
            let error = write_to(&out, &[file("kernel", id, &kernel)]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("expected a build id of hexadecimal digits"),
                "{error}"
            );
        }
        let same = [
            file("kernel", "cafe0123", &kernel),
            file("init", "cafe0123", &kernel),
        ];
        let error = write_to(&out, &same).unwrap_err();
        assert!(error.to_string().contains("got that of kernel"), "{error}");
        let missing = dir.path().join("missing");
        let error = write_to(&out, &[file("kernel", "cafe0123", &missing)]).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
        assert!(!out.exists());
    }
}

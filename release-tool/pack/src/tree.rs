//! A directory of files as a compressed archive.

use crate::image_file::{Failure, ImageFile, write_stream};
use crate::tarball::{Tarball, archive_error, zstd_encoder};
use crate::{PackError, Zstd};
use std::io::{self, BufWriter};
use std::path::Path;
use vrel_model::UtcTime;
use vrel_world::World;

/// The compressor takes locks for every piece that it is given, so it is given large ones.
const BUFFER: usize = 256 << 10;

/// What is packed and how.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// The directory that everything is in, without a slash at its end.
    pub prefix: &'a str,
    /// When files were changed: the commit's time.
    pub time: UtcTime,
    /// How it is compressed.
    pub zstd: Zstd,
    /// Where the files are.
    pub directory: &'a Path,
    /// Their paths below that directory, with `/`, in the order in which they are packed.
    pub files: &'a [String],
}

/// Writes the archive, `tar.zst`, to `path`. All files have mode 0644.
///
/// # Errors
/// When a file cannot be read, a path is odd, or the archive cannot be written.
pub fn write(world: &dyn World, path: &Path, tree: &Tree<'_>) -> Result<(), PackError> {
    write_stream(world, path, |file| pack(world, file, tree))
}

fn pack(world: &dyn World, file: &mut ImageFile, tree: &Tree<'_>) -> Result<(), Failure> {
    let out = BufWriter::with_capacity(BUFFER, zstd_encoder(&mut *file, tree.zstd)?);
    let mut tarball = Tarball::new(out, tree.time);
    for name in tree.files {
        world
            .check_interrupt()
            .map_err(|error| Failure::Other(error.into()))?;
        // One at a time, and each is small: documents, not images.
        let content = world
            .fs()
            .read(&tree.directory.join(name))
            .map_err(|error| Failure::Other(error.into()))?;
        let entry = format!("{}/{name}", tree.prefix);
        let packed = tarball.file(&entry, 0o644, content.len() as u64, content.as_slice());
        packed.map_err(|error| Failure::Other(archive_error(&entry, &error)))?;
    }
    let encoder = tarball
        .finish()?
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    encoder.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use vrel_world::RealWorld;

    fn write_to(path: &Path, directory: &Path, files: &[String]) -> Result<(), PackError> {
        let tree = Tree {
            prefix: "veridianos-0.6.0-man-pages",
            time: UtcTime::from_unix(1_700_000_000).unwrap(),
            zstd: Zstd {
                level: 3,
                window_log: None,
                workers: 2,
            },
            directory,
            files,
        };
        write(&RealWorld::default(), path, &tree)
    }

    #[test]
    fn files_are_packed_in_their_order_and_come_out_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir_all(tree.join("man/man1")).unwrap();
        std::fs::write(tree.join("index.html"), "index").unwrap();
        std::fs::write(tree.join("man/man1/vrel.1"), "page").unwrap();
        let files = ["index.html", "man/man1/vrel.1"].map(str::to_owned);
        let (one, two) = (dir.path().join("one.tar.zst"), dir.path().join("two.tar.zst"));
        write_to(&one, &tree, &files).unwrap();
        write_to(&two, &tree, &files).unwrap();
        assert!(std::fs::read(&one).unwrap() == std::fs::read(&two).unwrap());
        let out = dir.path().join("out");
        std::fs::create_dir(&out).unwrap();
        let status = Command::new("tar")
            .arg("-xf")
            .arg(&one)
            .arg("-C")
            .arg(&out)
            .status()
            .unwrap();
        assert!(status.success());
        let page = out.join("veridianos-0.6.0-man-pages/man/man1/vrel.1");
        assert_eq!(std::fs::read_to_string(page).unwrap(), "page");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_to(&dir.path().join("x"), dir.path(), &["gone".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
        let odd = write_to(&dir.path().join("x"), dir.path(), &["../x".to_owned()]).unwrap_err();
        assert!(!dir.path().join("x").exists(), "{odd}");
    }
}

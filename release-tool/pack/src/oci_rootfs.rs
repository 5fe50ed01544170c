//! The one layer of a container image: the root file system of an architecture.

use crate::PackError;
use crate::image_file::Failure;
use crate::oci::{Image, RootContent, RootFile};
use crate::oci_blobs::{Blob, Blobs, Hashed};
use crate::os_release::OsRelease;
use crate::tarball::{Tarball, path_problem};
use flate2::{Compression, GzBuilder};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Read, Write};
use vrel_model::{Arch, Sha256Digest};
use vrel_world::{World, WorldError};

/// The program that a container starts.
pub(crate) const ENTRYPOINT: &str = "root";

/// The file by which a root file system says what it is (os-release(5)).
const OS_RELEASE: &str = "etc/os-release";

/// A stored layer.
pub(crate) struct Layer {
    /// The compressed archive.
    pub(crate) blob: Blob,
    /// SHA-256 of the archive before compression, by which an image configuration names its layers.
    pub(crate) diff_id: Sha256Digest,
}

/// Writes the layer of an architecture.
///
/// It is compressed with gzip: every runtime and registry reads that, while those of before 2023 do not know zstd,
/// and a root file system of a few hundred kilobytes gains nothing from it.
pub(crate) fn write(
    world: &dyn World,
    blobs: &mut Blobs<'_>,
    image: &Image<'_>,
    arch: Arch,
    files: &[RootFile<'_>],
) -> Result<Layer, Failure> {
    let os_release = OsRelease {
        name: image.name,
        id: image.id,
        version: image.version,
        commit: image.commit,
        image: None,
    }
    .to_string();
    let files = arrange(arch, files, &os_release).map_err(Failure::Other)?;
    let mut failure = None;
    let written = blobs.blob(|out| {
        // Neither name nor time: the header would differ from one run to the next.
        let encoder = GzBuilder::new().mtime(0).write(out, Compression::best());
        let mut tarball = Tarball::new(Hashed::new(BufWriter::new(encoder)), image.time);
        for (path, file) in &files {
            add(world, &mut tarball, path, file).map_err(|error| match error {
                Failure::Write(error) => error,
                Failure::Other(error) => {
                    failure = Some(error);
                    io::Error::other("a file of the image cannot be read")
                }
            })?;
        }
        let (buffer, diff_id) = tarball.finish()?.split();
        let encoder = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
        encoder.finish()?;
        Ok(diff_id)
    });
    match (failure, written) {
        (Some(error), _) => Err(Failure::Other(error)),
        (None, written) => {
            let (blob, diff_id) = written?;
            Ok(Layer { blob, diff_id })
        }
    }
}

fn add<W: Write>(
    world: &dyn World,
    tarball: &mut Tarball<W>,
    path: &str,
    file: &RootFile<'_>,
) -> Result<(), Failure> {
    world
        .check_interrupt()
        .map_err(|error| Failure::Other(error.into()))?;
    match file.content {
        RootContent::Bytes(bytes) => tarball.file(path, file.mode, bytes.len() as u64, bytes)?,
        RootContent::File(source) => {
            let failed = |error: WorldError| Failure::Other(error.into());
            let metadata = world.fs().metadata(source).map_err(failed)?;
            // When it is missing, opening it says so.
            let size = metadata.map_or(0, |metadata| metadata.len);
            let mut content = Source {
                file: world.fs().open(source).map_err(failed)?,
                failure: None,
            };
            let added = tarball.file(path, file.mode, size, &mut content);
            if let Some(error) = content.failure {
                return Err(failed(WorldError::io("read", source, &error)));
            }
            added?;
        }
    }
    Ok(())
}

/// A file that remembers that it was not readable, which the archive's library folds into an error of its own.
struct Source {
    file: Box<dyn vrel_world::ReadSeek>,
    failure: Option<io::Error>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| {
            let shown = io::Error::new(error.kind(), error.to_string());
            self.failure = Some(error);
            shown
        })
    }
}

/// All files by path, in the order in which they are packed.
fn arrange<'a>(
    arch: Arch,
    files: &[RootFile<'a>],
    os_release: &'a str,
) -> Result<BTreeMap<&'a str, RootFile<'a>>, PackError> {
    let wrong = |problem: String| PackError::Oci { arch, problem };
    let own = RootFile {
        path: OS_RELEASE,
        mode: 0o644,
        content: RootContent::Bytes(os_release.as_bytes()),
    };
    let mut sorted = BTreeMap::new();
    for file in files.iter().chain([&own]) {
        if let Some(problem) = path_problem(file.path) {
            return Err(wrong(format!("`{}`: {problem}", file.path.escape_debug())));
        }
        if file.mode & !0o777 != 0 {
            let (path, mode) = (file.path, file.mode);
            return Err(wrong(format!(
                "`{path}`: expected permission bits up to 777, got {mode:o}"
            )));
        }
        if sorted.insert(file.path, *file).is_some() {
            return Err(wrong(format!(
                "expected each path once, got `{}` twice",
                file.path
            )));
        }
    }
    for path in sorted.keys() {
        if let Some((slash, _)) = path
            .match_indices('/')
            .find(|(slash, _)| sorted.contains_key(&path[..*slash]))
        {
            let parent = &path[..slash];
            return Err(wrong(format!(
                "expected `{parent}` to be a directory because of `{path}`, got a file"
            )));
        }
    }
    match sorted.get(ENTRYPOINT) {
        Some(init) if init.mode & 0o111 != 0 => Ok(sorted),
        Some(_) => Err(wrong(format!(
            "expected `{ENTRYPOINT}`, which a container starts, to be executable, got a file that is not"
        ))),
        None => Err(wrong(format!(
            "expected `{ENTRYPOINT}`, which a container starts, among the files, got none"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_that_contradict_themselves_are_refused() {
        let file = |path, mode| RootFile {
            path,
            mode,
            content: RootContent::Bytes(b""),
        };
        let init = file("root", 0o755);
        for (files, expected) in [
            (vec![], "got none"),
            (vec![file("root", 0o644)], "to be executable"),
            (vec![init, init], "got `root` twice"),
            (
                vec![init, file("etc/os-release", 0o644)],
                "got `etc/os-release` twice",
            ),
            (
                vec![init, file("root/x", 0o644)],
                "expected `root` to be a directory",
            ),
            (vec![init, file("etc", 0o644)], "expected `etc` to be a directory"),
            (vec![init, file("../x", 0o644)], "`..`"),
            (vec![init, file("/x", 0o644)], "a relative path"),
            (vec![init, file("x", 0o4755)], "got 4755"),
        ] {
            let error = arrange(Arch::Riscv64, &files, "").unwrap_err().to_string();
            assert!(error.starts_with("container image for riscv64: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
        let files = [init, file("bin/a", 0o755)];
        let arranged = arrange(Arch::Riscv64, &files, "").unwrap();
        assert_eq!(
            arranged.into_keys().collect::<Vec<_>>(),
            ["bin/a", "etc/os-release", "root"]
        );
    }
}

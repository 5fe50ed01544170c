//! Compiling the operating system.

use crate::binary::{check_efi, check_elf};
use crate::slot::{self, Slot};
use crate::toolchain::CoreLibraries;
use crate::{BuildError, Line, Targets, Toolchain, flat, sysroot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use vrel_model::Arch;
use vrel_world::{Command, Exit, Stream, World};

/// How much of a failed compiler's output an error carries, in bytes; its end counts.
const MAX_OUTPUT: usize = 64 << 10;

/// What to compile, from where, with what.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The compiler.
    pub toolchain: &'a Toolchain,
    /// What `targets.toml` in `os` says.
    pub targets: &'a Targets,
    /// The operating system's source directory, an absolute path like the others here.
    pub os: &'a Path,
    /// Where compiled crates and core libraries are kept between builds; made when missing.
    pub cache: &'a Path,
    /// Where cargo keeps the sources of crates, its `CARGO_HOME`.
    pub cargo_home: &'a Path,
    /// For which architectures.
    pub arches: &'a [Arch],
    /// The programs, packages of the operating system's workspace.
    pub programs: &'a [String],
    /// How many compilers run at the same time, at least 1. It has no influence on the result.
    pub jobs: usize,
}

/// The compiled system of one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The kernel, an ELF file that is not stamped yet.
    pub kernel: Vec<u8>,
    /// The loader, an EFI application.
    pub loader: Vec<u8>,
    /// The name under which firmware looks for the loader.
    pub loader_file: String,
    /// The programs, ELF files, by package.
    pub programs: BTreeMap<String, Vec<u8>>,
}

/// Compiles kernel, loader and programs.
///
/// The same sources give the same bytes, in whatever directories sources, cache and crates are.
///
/// # Errors
/// When something does not compile ([`BuildError::Compile`] has the compiler's own words), when what was
/// compiled is not for the architecture, and when an effect fails.
pub fn compile(
    world: &dyn World,
    request: &Request<'_>,
    on_line: &mut (dyn FnMut(Line<'_>) + Send),
) -> Result<BTreeMap<Arch, Compiled>, BuildError> {
    let compiler = Compiler::default();
    let on_line = Mutex::new(on_line);
    let say = |line: Line<'_>| {
        if let Ok(mut on_line) = on_line.lock() {
            on_line(line);
        }
    };
    let mut parts = Vec::new();
    for &arch in request.arches {
        // The loader first, because it takes longest.
        for part in [Part::Loader, Part::Kernel, Part::Programs] {
            if part != Part::Programs || !request.programs.is_empty() {
                parts.push((arch, part));
            }
        }
    }
    let results = run_all(request.jobs, &parts, |&(arch, part)| {
        compiler.part(world, request, arch, part, &mut |line| say(line))
    });
    let mut built = BTreeMap::new();
    for (part, result) in parts.into_iter().zip(results) {
        built.insert(part, result?);
    }
    let mut systems = BTreeMap::new();
    for &arch in request.arches {
        let targets = request.targets.get(arch)?;
        let mut one = |part| {
            let mut files: BTreeMap<_, _> = built.remove(&(arch, part)).unwrap_or_default();
            files.pop_first().map(|(_, content)| content).unwrap_or_default()
        };
        let (kernel, loader) = (one(Part::Kernel), one(Part::Loader));
        let compiled = Compiled {
            kernel,
            loader,
            loader_file: targets.loader.file.clone(),
            programs: built.remove(&(arch, Part::Programs)).unwrap_or_default(),
        };
        systems.insert(arch, compiled);
    }
    Ok(systems)
}

/// Compiles parts of the system, one after another or at the same time, all from one copy of the sources.
#[derive(Debug, Default)]
pub struct Compiler {
    prepared: Mutex<Option<Arc<Prepared>>>,
}

/// What all parts need before the first one can be compiled.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) slot: Slot,
    /// Flags for rustc that all parts have in common.
    pub(crate) flags: Vec<String>,
}

impl Compiler {
    /// Compiles a part for an architecture; all calls must be given requests for the same sources, cache and toolchain.
    /// The files are named by package, a loader by the name under which firmware
    /// looks for it.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn part(
        &self,
        world: &dyn World,
        request: &Request<'_>,
        arch: Arch,
        part: Part,
        on_line: &mut dyn FnMut(Line<'_>),
    ) -> Result<BTreeMap<String, Vec<u8>>, BuildError> {
        let job = Job::new(request, arch, part)?;
        let prepared = self.prepare(world, request, on_line)?;
        let built = job.run(world, request, &prepared, on_line)?;
        let targets = request.targets.get(arch)?;
        let mut files = BTreeMap::new();
        for (package, mut content) in built {
            if part != Part::Loader || targets.loader.flatten {
                check_elf(&content, &package, arch, targets.machine)?;
            }
            if part != Part::Loader {
                files.insert(package, content);
                continue;
            }
            if targets.loader.flatten {
                content = flat::flatten(&content, &package)?;
            }
            check_efi(&content, &package, arch)?;
            files.insert(targets.loader.file.clone(), content);
        }
        Ok(files)
    }

    /// Core libraries, a copy of the sources, and crates: for the first part; the others wait for it.
    pub(crate) fn prepare(
        &self,
        world: &dyn World,
        request: &Request<'_>,
        on_line: &mut dyn FnMut(Line<'_>),
    ) -> Result<Arc<Prepared>, BuildError> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = &*prepared {
            return Ok(Arc::clone(prepared));
        }
        for path in [request.os, request.cache, request.cargo_home] {
            // The compiler runs in other directories than the tool, and paths in its output are replaced by
            // prefix.
            if !path.is_absolute() {
                return Err(BuildError::RelativePath {
                    path: path.to_owned(),
                });
            }
        }
        let sysroot = match request.toolchain.core {
            CoreLibraries::Installed => None,
            CoreLibraries::FromSource => {
                // For all targets, and not just for those of `arches`: the next architecture will not have to
                // wait again.
                let triples = request.targets.triples();
                Some(sysroot::prepare(world, request, &triples, on_line)?)
            }
        };
        let slot = slot::take(world, request)?;
        fetch(world, request, &slot.source, on_line)?;
        let mut flags = remap_flags(world, request, &slot.source)?;
        flags.extend(sysroot.map(|path| format!("--sysroot={}", path.display())));
        Ok(Arc::clone(prepared.insert(Arc::new(Prepared { slot, flags }))))
    }
}

/// The three cargo calls of an architecture. Kernel and programs are compiled apart, so that the features
/// that one needs of a crate don't change the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The kernel, an ELF file that is not stamped yet.
    Kernel,
    /// The programs, ELF files.
    Programs,
    /// The loader, an EFI application.
    Loader,
}

struct Job<'a> {
    arch: Arch,
    part: Part,
    packages: Vec<&'a str>,
    target: &'a str,
    flags: &'a [String],
}

impl<'a> Job<'a> {
    fn new(request: &Request<'a>, arch: Arch, part: Part) -> Result<Self, BuildError> {
        let targets = request.targets.get(arch)?;
        let (kernel, loader, user) = (&targets.kernel, &targets.loader, &targets.user);
        let (packages, target, flags) = match part {
            Part::Loader => (vec![loader.package.as_str()], &loader.target, &loader.rustflags),
            Part::Kernel => (vec![kernel.package.as_str()], &kernel.target, &kernel.rustflags),
            Part::Programs => (
                request.programs.iter().map(String::as_str).collect(),
                &user.target,
                &user.rustflags,
            ),
        };
        Ok(Self {
            arch,
            part,
            packages,
            target,
            flags,
        })
    }

    fn name(&self) -> String {
        let part = match self.part {
            Part::Kernel => "kernel",
            Part::Programs => "programs",
            Part::Loader => "loader",
        };
        format!("{} {part}", self.arch)
    }

    /// Loaders share one directory, for the procedural macros that all of them need; cargo then builds one
    /// after the other. The rest has one directory for each architecture, so that they can be built at the
    /// same time.
    fn target_dir(&self, target: &Path) -> PathBuf {
        match self.part {
            Part::Loader => target.join("loader"),
            Part::Kernel | Part::Programs => target.join(self.arch.as_str()),
        }
    }

    fn run(
        &self,
        world: &dyn World,
        request: &Request<'_>,
        prepared: &Prepared,
        on_line: &mut dyn FnMut(Line<'_>),
    ) -> Result<BTreeMap<String, Vec<u8>>, BuildError> {
        let flags = [self.flags, &prepared.flags].concat();
        let target_dir = self.target_dir(&prepared.slot.target);
        let mut command = cargo_command(request, &flags)
            .dir(&prepared.slot.source)
            .args([
                "build",
                "--release",
                "--locked",
                "--offline",
                "--target",
                self.target,
                "--target-dir",
            ])
            .arg(target_dir.display().to_string());
        for package in &self.packages {
            command = command.args(["--package", package]);
        }
        let name = self.name();
        let what = format!("{} for {}", self.packages.join(", "), self.target);
        run_compiler(world, &command, &what, &name, on_line)?;
        let out = target_dir.join(self.target).join("release");
        let suffix = if self.target.ends_with("-uefi") {
            ".efi"
        } else {
            ""
        };
        self.packages
            .iter()
            .map(|&package| {
                let content = world.fs().read(&out.join(format!("{package}{suffix}")))?;
                Ok((package.to_owned(), content))
            })
            .collect()
    }
}

/// Runs `work` on all items with so many threads; results are in the order of the items.
fn run_all<T: Sync, R: Send>(threads: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let worker = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else { return done };
                done.push((index, work(item)));
            }
        };
        let handles: Vec<_> = (0..threads.min(items.len()))
            .map(|_| scope.spawn(worker))
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Fetches the sources of crates that are not on this machine yet; the network is used for nothing else, and
/// not at all when everything is there.
fn fetch(
    world: &dyn World,
    request: &Request<'_>,
    source: &Path,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<(), BuildError> {
    let command = cargo_command(request, &[])
        .dir(source)
        .args(["fetch", "--locked"]);
    run_compiler(world, &command, "", "crates", on_line).map_err(|error| match error {
        BuildError::Compile { output, .. } => BuildError::Fetch { output },
        other => other,
    })
}

/// Flags that take the paths of this machine out of what is compiled.
fn remap_flags(world: &dyn World, request: &Request<'_>, source: &Path) -> Result<Vec<String>, BuildError> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![remap(source, "/veridian/os")];
    // The compiler is started in the directory that symbolic links lead to, and debugging information says where that
    // is; only cargo knows its name.
    let question = ["locate-project", "--workspace", "--message-format", "plain"];
    let answer = world
        .processes()
        .output(&cargo_command(request, &[]).dir(source).args(question))?;
    let manifest = String::from_utf8_lossy(&answer);
    if let Some(root) = Path::new(manifest.trim()).parent().filter(|root| *root != source) {
        flags.push(remap(root, "/veridian/os"));
    }
    let registries = request.cargo_home.join("registry/src");
    if world.fs().metadata(&registries)?.is_some() {
        // The directory's name depends on where crates were fetched from.
        for entry in world.fs().list(&registries)? {
            flags.push(remap(&registries.join(entry.name), "/crates"));
        }
    }
    // Where a release's archive of crates has them (`vrel_pack::vendor`), under the same names as a registry.
    if let Some(vendored) = request.cargo_home.parent().map(|dir| dir.join("vendor"))
        && world.fs().metadata(&vendored)?.is_some()
    {
        flags.push(remap(&vendored, "/crates"));
    }
    // The libraries' sources, for code of theirs that is compiled with ours.
    flags.push(remap(&request.toolchain.library_source(), "/rust/library"));
    Ok(flags)
}

/// A cargo that compiles with the request's toolchain and these flags, whatever the environment says.
pub(crate) fn cargo_command(request: &Request<'_>, flags: &[String]) -> Command {
    let toolchain = request.toolchain;
    let mut flags = flags.to_vec();
    flags.push(format!("-Clinker={}", toolchain.linker.display()));
    let command = Command::new(&toolchain.cargo)
        .env("CARGO_HOME", request.cargo_home.display().to_string())
        .env("RUSTC", toolchain.rustc.display().to_string())
        // Overrides all other places for flags; flags are separated by this character.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TERM_PROGRESS_WHEN", "never");
    [
        "RUSTC_BOOTSTRAP",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_TARGET",
    ]
    .into_iter()
    .fold(command, Command::env_remove)
}

/// Runs cargo and passes its lines on; `what` completes the sentence "cannot compile …", `source` labels the
/// lines.
pub(crate) fn run_compiler(
    world: &dyn World,
    command: &Command,
    what: &str,
    source: &str,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<(), BuildError> {
    let mut output = String::new();
    let exit = world.processes().run(command, &mut |stream, line| {
        let text = String::from_utf8_lossy(line);
        on_line(Line { source, text: &text });
        if stream == Stream::Stderr {
            output.push_str(&text);
            output.push('\n');
            if output.len() > 2 * MAX_OUTPUT {
                keep_end(&mut output);
            }
        }
    })?;
    if exit == Exit::Status(0) {
        return Ok(());
    }
    keep_end(&mut output);
    Err(BuildError::Compile {
        what: what.to_owned(),
        output,
    })
}

fn keep_end(output: &mut String) {
    let excess = output.len().saturating_sub(MAX_OUTPUT);
    let cut = output
        .char_indices()
        .map(|(at, _)| at)
        .find(|&at| at >= excess)
        .unwrap_or(0);
    output.drain(..cut);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_however_many_threads_there_are() {
        let items: Vec<u32> = (0..50).collect();
        for threads in [0, 1, 3, 100] {
            assert_eq!(
                run_all(threads, &items, |n| n * 2),
                items.iter().map(|n| n * 2).collect::<Vec<_>>()
            );
        }
        assert!(run_all(3, &[], |n: &u32| *n).is_empty());
    }

    #[test]
    fn the_end_of_a_long_output_is_kept() {
        let mut output = "ä".repeat(MAX_OUTPUT) + "end";
        keep_end(&mut output);
        assert!(
            output.ends_with("äend") && output.len() <= MAX_OUTPUT + 1,
            "{}",
            output.len()
        );
        let mut short = "short".to_owned();
        keep_end(&mut short);
        assert_eq!(short, "short");
    }
}

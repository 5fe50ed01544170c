//! The reference for people who write programs for the system, as a tree of files: `rustdoc`'s pages of its public
//! libraries, the system calls, and a front page.

use crate::compile::{Compiler, Request, cargo_command, run_compiler};
use crate::toolchain::CoreLibraries;
use crate::{BuildError, Line, Toolchain};
use std::path::{Path, PathBuf};
use vrel_documents::markdown::Document;
use vrel_documents::reference::{Library, front_page};
use vrel_model::{Arch, Version};
use vrel_world::{Command, FileKind, World};

/// What is wrong in documentation and goes unnoticed otherwise: it stops the release.
const DENIED: [&str; 7] = [
    "rustdoc::bare_urls",
    "rustdoc::broken_intra_doc_links",
    "rustdoc::invalid_codeblock_attributes",
    "rustdoc::invalid_html_tags",
    "rustdoc::invalid_rust_codeblocks",
    "rustdoc::private_intra_doc_links",
    "rustdoc::redundant_explicit_links",
];

/// How progress is labelled.
const SOURCE: &str = "reference";

/// The page of the system calls.
const SYSTEM_CALLS: &str = "system-calls";

/// The release that the reference is of.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// The product's name.
    pub product: &'a str,
    /// The version.
    pub version: &'a Version,
    /// The libraries, packages of the operating system's workspace, those that others use before those: their pages
    /// can be linked to only when they are there.
    pub libraries: &'a [Library],
    /// The reference of system calls, Markdown; a path below the operating system's source directory.
    pub system_calls: &'a Path,
}

impl Reference<'_> {
    /// The libraries that programs for the system are written with, ready for [`Reference::libraries`].
    #[must_use]
    pub fn libraries() -> Vec<Library> {
        let library = |(name, description): (&str, &str)| Library {
            name: name.to_owned(),
            description: description.to_owned(),
        };
        [
            (
                "abi",
                "what programs and the kernel agree on: numbers, errors, messages, the layout of the address space",
            ),
            ("syscall", "system calls, one function for each"),
            ("protocol", "what programs and servers say to each other"),
            (
                "rt",
                "the runtime of programs, a subset of std: files, processes, streams, time, entry point",
            ),
        ]
        .map(library)
        .into()
    }

    /// Where the table of system calls writes its reference.
    pub const SYSTEM_CALLS: &'static str = "abi/SYSCALLS.md";
}

/// Writes the tree into `out`, an empty directory or one that is still to be made, and lists its files, sorted.
///
/// The libraries are documented for the user target of the first architecture of `targets.toml`. The same sources give the
/// same bytes, in whatever directories they are.
///
/// # Errors
/// When there is no `rustdoc` of the compiler's own version, when the documentation has links that lead nowhere or other
/// mistakes ([`BuildError::Compile`] has them), and when an effect fails.
pub fn write(
    world: &dyn World,
    request: &Request<'_>,
    compiler: &Compiler,
    reference: &Reference<'_>,
    out: &Path,
    on_line: &mut dyn FnMut(Line<'_>),
) -> Result<Vec<String>, BuildError> {
    let rustdoc = rustdoc(world, request.toolchain)?;
    let arch = request.targets.arches().next().unwrap_or(Arch::ALL[0]);
    let user = &request.targets.get(arch)?.user;
    let prepared = compiler.prepare(world, request, on_line)?;
    let target_dir = prepared.slot.target.join("reference");
    // Pages of what is gone would stay.
    world.fs().remove_dir_all(&target_dir)?;

    let mut flags: Vec<String> = DENIED.iter().map(|lint| format!("-D{lint}")).collect();
    if request.toolchain.core == CoreLibraries::FromSource {
        flags.extend(
            prepared
                .flags
                .iter()
                .filter(|flag| flag.starts_with("--sysroot="))
                .cloned(),
        );
    }
    let command = cargo_command(request, &[&user.rustflags[..], &prepared.flags].concat())
        .dir(&prepared.slot.source)
        .env("RUSTDOC", rustdoc.display().to_string())
        .env("CARGO_ENCODED_RUSTDOCFLAGS", flags.join("\x1f"))
        .env_remove("RUSTDOCFLAGS")
        .args(["doc", "--no-deps", "--release", "--locked", "--offline"])
        .args(["--target", &user.target, "--target-dir"])
        .arg(target_dir.display().to_string());
    // One after the other: pages name the library that was documented last, and link to those that are there already.
    for library in reference.libraries {
        let command = command.clone().args(["--package", &library.name]);
        let what = format!("the reference of {}", library.name);
        run_compiler(world, &command, &what, SOURCE, on_line)?;
    }

    let mut files = Vec::new();
    copy(
        world,
        &target_dir.join(&user.target).join("doc"),
        out,
        "",
        &mut files,
    )?;
    let calls = world
        .fs()
        .read(&prepared.slot.source.join(reference.system_calls))?;
    let calls = String::from_utf8_lossy(&calls).into_owned();
    let front = front_page(
        reference.product,
        reference.version,
        reference.libraries,
        &format!("{SYSTEM_CALLS}.html"),
    );
    for (path, content) in [
        (
            format!("{SYSTEM_CALLS}.html"),
            Document::read(&calls).html("System calls"),
        ),
        (format!("{SYSTEM_CALLS}.txt"), Document::read(&calls).text()),
        (format!("{SYSTEM_CALLS}.md"), calls),
        ("index.html".to_owned(), Document::read(&front).html("Reference")),
    ] {
        world.fs().write(&out.join(&path), content.as_bytes(), 0o644)?;
        files.push(path);
    }
    files.sort();
    Ok(files)
}

/// Copies a tree without hidden files, which are cargo's and rustdoc's own.
fn copy(
    world: &dyn World,
    from: &Path,
    to: &Path,
    prefix: &str,
    files: &mut Vec<String>,
) -> Result<(), BuildError> {
    world.check_interrupt()?;
    world.fs().create_dir_all(to)?;
    for entry in world.fs().list(from)? {
        let (source, target) = (from.join(&entry.name), to.join(&entry.name));
        let path = format!("{prefix}{}", entry.name);
        match entry.kind {
            _ if entry.name.starts_with('.') => {}
            FileKind::Directory => copy(world, &source, &target, &format!("{path}/"), files)?,
            FileKind::File | FileKind::Other => {
                world.fs().write(&target, &world.fs().read(&source)?, 0o644)?;
                files.push(path);
            }
        }
    }
    Ok(())
}

/// The documentation tool that belongs to the compiler: another one could not read its libraries.
fn rustdoc(world: &dyn World, toolchain: &Toolchain) -> Result<PathBuf, BuildError> {
    let mut rejected = Vec::new();
    for program in [
        toolchain.rustc.with_file_name("rustdoc"),
        toolchain.sysroot.join("bin/rustdoc"),
    ] {
        if world.processes().find(&program.display().to_string()).is_none() {
            rejected.push(format!("{}: there is none", program.display()));
            continue;
        }
        let said = world.processes().output(&Command::new(&program).arg("-vV"))?;
        if build_of(&String::from_utf8_lossy(&said)) == build_of(&toolchain.rustc_version) {
            return Ok(program);
        }
        rejected.push(format!(
            "{}: it is of another version than the compiler",
            program.display()
        ));
    }
    rejected.dedup();
    Err(BuildError::NoRustdoc { rejected })
}

/// The lines that tell one build of a compiler from another.
fn build_of(version: &str) -> Vec<&str> {
    let is_told = |line: &&str| {
        ["commit-hash: ", "release: "]
            .iter()
            .any(|key| line.starts_with(key))
    };
    version.lines().filter(is_told).collect()
}

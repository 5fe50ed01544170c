//! Inputs that are always the same.

use crate::stamp::{MAGIC, SECTION_LEN};
use std::path::Path;
use std::process::Command;

/// The commit that [`repository`] makes.
pub(super) const COMMIT: &str = "0506750efa0ae36918dbeb52b881e4845e07fdb6";

/// A lock file that names the crate beside this file.
pub(super) const LOCK: &str = "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"1.0.0\"\n\
    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
    checksum = \"64a0993a4248e3c1885655d6258b3050556448ccc83aa9fda880dd4936491b9f\"\n";

/// A manual page.
pub(super) const PAGE: &str = ".Dd November 21, 2026\n.Dt INIT 8\n.Os VeridianOS\n.Sh NAME\n.Nm init\n\
    .Nd first program of the system\n.Sh DESCRIPTION\nThe kernel starts\n.Nm\nwhen it is ready.\n";

/// Bytes that nothing compresses.
pub(super) fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| byte()).collect()
}

/// A disk with text, noise, and zeros at its start, between and at its end.
pub(super) fn disk() -> Vec<u8> {
    let text: Vec<u8> = (0..20_000u32)
        .flat_map(|line| format!("{line} of a file\n").into_bytes())
        .collect();
    let mut disk = vec![0; 4 << 20];
    let mut put = |at: usize, content: &[u8]| disk[at..at + content.len()].copy_from_slice(content);
    put(70_000, &text);
    put(1_000_000, &noise(11, 300_000));
    put((3 << 20) - 512, b"the last sector before a border");
    disk
}

/// A section of an ELF file: name, type, flags, content, link, size of an entry.
type Section<'a> = (&'static str, u32, u64, &'a [u8], u32, u64);

/// An executable with a segment of code, a note with a build id, room for an identity, symbols and debugging information.
pub(super) fn elf(name: &str, machine: u16) -> Vec<u8> {
    const HEADERS: u64 = 64 + 2 * 56;
    const NAMES: &[u8] = b"\0.shstrtab\0.note.gnu.build-id\0.veridian.id\0.debug_info\0.symtab\0.strtab\0";
    let name_of = |section: &str| {
        let at = NAMES
            .windows(section.len())
            .position(|window| window == section.as_bytes());
        at.unwrap_or(0) as u32
    };
    let words = |values: &[u32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let longs = |values: &[u64]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let mut note = words(&[4, 8, 3]);
    note.extend(b"GNU\0");
    note.extend(&noise(name.len() as u32, 8));
    let mut identity = MAGIC.to_vec();
    identity.resize(SECTION_LEN, 0);
    let code = [noise(12, 3000), vec![0; 96]].concat();
    let strings = [b"\0", name.as_bytes(), b"\0"].concat();
    let mut symbols = vec![0; 24];
    symbols.extend(words(&[1]));
    symbols.extend([2, 0, 1, 0]);
    symbols.extend(longs(&[0x4000_0000, 16]));
    let debug = noise(13, 2000);

    let sections: [Section<'_>; 6] = [
        (".note.gnu.build-id", 7, 2, &note, 0, 0),
        (".veridian.id", 1, 2, &identity, 0, 0),
        (".debug_info", 1, 0, &debug, 0, 0),
        (".symtab", 2, 0, &symbols, 5, 24),
        (".strtab", 3, 0, &strings, 0, 0),
        (".shstrtab", 3, 0, NAMES, 0, 0),
    ];
    let mut body: Vec<u8> = Vec::new();
    let mut table = vec![0; 64];
    let at = |body: &Vec<u8>| HEADERS + body.len() as u64;
    for (section, kind, flags, content, link, entry) in sections {
        body.resize(body.len().next_multiple_of(8), 0);
        table.extend(words(&[name_of(section), kind]));
        table.extend(longs(&[flags, 0, at(&body), content.len() as u64]));
        table.extend(words(&[link, 0]));
        table.extend(longs(&[8, entry]));
        body.extend(content);
        if section == ".veridian.id" {
            body.extend(&code);
        }
    }
    body.resize(body.len().next_multiple_of(8), 0);
    let sections_at = at(&body);
    let loaded = note.len().next_multiple_of(8) + identity.len() + code.len();

    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend(2u16.to_le_bytes());
    file.extend(machine.to_le_bytes());
    file.extend(words(&[1]));
    file.extend(longs(&[0x4000_0000, 64, sections_at]));
    file.extend(words(&[0]));
    for half in [64u16, 56, 2, 64, 7, 6] {
        file.extend(half.to_le_bytes());
    }
    for (kind, len, memory) in [(1, loaded, loaded + 4096), (4, note.len(), note.len())] {
        file.extend(words(&[kind, 5]));
        let (len, memory) = (len as u64, memory as u64);
        file.extend(longs(&[HEADERS, 0x4000_0000, 0x4000_0000, len, memory, 8]));
    }
    file.extend(body);
    file.extend(table);
    file
}

/// A repository whose only commit is [`COMMIT`].
pub(super) fn repository(dir: &Path) {
    let git = |args: &[&str]| {
        let done = Command::new("git")
            .current_dir(dir)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", dir)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.org")
            .env("GIT_AUTHOR_DATE", "1700000000 +0000")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
            .env("GIT_COMMITTER_DATE", "1700000000 +0000")
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    std::fs::create_dir_all(dir.join("src")).unwrap();
    git(&["init", "--quiet", "--initial-branch=main"]);
    std::fs::write(dir.join("README.md"), "# Read me\n").unwrap();
    std::fs::write(dir.join("src/noise"), noise(14, 40_000)).unwrap();
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "-m", "feat: all of it"]);
    assert_eq!(git(&["rev-parse", "HEAD"]), COMMIT);
}

//! The identity that is written into a kernel after it was compiled.
//!
//! The kernel has a section of 256 bytes for it: 16 bytes that say what it is, then lines `name=`, `version=`,
//! `commit=` and `arch=`, then zeros. Compiled code never depends on the identity: two kernels of different versions
//! compiled from the same source differ in nothing else.

use crate::BuildError;
use crate::binary::elf_header;
use object::LittleEndian;
use object::read::elf::{FileHeader, SectionHeader};
use std::fmt;
use std::ops::Range;
use vrel_model::Arch;

/// The section's name.
pub const SECTION: &str = ".veridian.id";

/// The section's length in bytes.
pub const SECTION_LEN: usize = 256;

/// What the section starts with.
pub const MAGIC: &[u8; 16] = b"VERIDIAN-IDENT1\n";

/// Which system this is. `Display` is the line that the running system prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The product's name, without line breaks.
    pub name: String,
    /// The version, without blanks.
    pub version: String,
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// The architecture.
    pub arch: Arch,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} ({}) {}",
            self.name, self.version, self.commit, self.arch
        )
    }
}

impl Identity {
    /// Reads the line that a running system prints: `VeridianOS 0.6.0-rc1 (<40 hexadecimal digits>) x86_64`.
    /// `None` for any other line.
    #[must_use]
    pub fn parse_line(line: &str) -> Option<Self> {
        let (rest, arch) = line.rsplit_once(' ')?;
        let (rest, commit) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let (name, version) = rest.rsplit_once(' ')?;
        let is_commit = commit.len() == 40 && commit.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_commit || name.is_empty() || version.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            commit: commit.to_owned(),
            arch: arch.parse().ok()?,
        })
    }

    fn to_section(&self) -> Result<[u8; SECTION_LEN], BuildError> {
        let Self {
            name,
            version,
            commit,
            arch,
        } = self;
        let text = format!("name={name}\nversion={version}\ncommit={commit}\narch={arch}\n");
        let room = SECTION_LEN - MAGIC.len();
        let plain = |value: &str| !value.contains(['\n', '\0']);
        if text.len() > room || ![name, version, commit].into_iter().all(|value| plain(value)) {
            return Err(BuildError::IdentityText {
                identity: self.to_string(),
                room,
            });
        }
        let mut section = [0; SECTION_LEN];
        section[..MAGIC.len()].copy_from_slice(MAGIC);
        section[MAGIC.len()..][..text.len()].copy_from_slice(text.as_bytes());
        Ok(section)
    }
}

/// Writes the identity into a kernel.
///
/// # Errors
/// When the file is not an ELF file with exactly one such section of the right length and start, or the
/// identity does not fit.
pub fn write_identity(kernel: &mut [u8], identity: &Identity) -> Result<(), BuildError> {
    let section = identity.to_section()?;
    let range = find(kernel)?;
    kernel[range].copy_from_slice(&section);
    Ok(())
}

/// The identity that stands in a kernel.
///
/// # Errors
/// When there is none, or it is not of the form that [`write_identity`] writes.
pub fn read_identity(kernel: &[u8]) -> Result<Identity, BuildError> {
    let section = &kernel[find(kernel)?];
    let text = section[MAGIC.len()..]
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default();
    let identity = std::str::from_utf8(text).ok().and_then(|text| {
        let mut lines = text.lines();
        let mut value = |key: &str| {
            lines
                .next()?
                .strip_prefix(key)?
                .strip_prefix('=')
                .map(str::to_owned)
        };
        Some(Identity {
            name: value("name")?,
            version: value("version")?,
            commit: value("commit")?,
            arch: value("arch")?.parse().ok()?,
        })
    });
    let problem = || "expected lines name=, version=, commit= and arch=, got something else".to_owned();
    identity.ok_or_else(|| BuildError::Stamp { problem: problem() })
}

/// Where two kernels begin to differ outside of their identities; `None` when they differ nowhere else.
///
/// # Errors
/// When one of them has no identity.
pub fn differs_beyond_identity(one: &[u8], two: &[u8]) -> Result<Option<usize>, BuildError> {
    let (range, other) = (find(one)?, find(two)?);
    if range != other {
        return Ok(Some(range.start.min(other.start)));
    }
    let shared = one.len().min(two.len());
    let differs = |at: &usize| !range.contains(at) && one[*at] != two[*at];
    let end = (one.len() != two.len()).then_some(shared);
    Ok((0..shared).find(differs).or(end))
}

/// Where in the file the section is.
fn find(kernel: &[u8]) -> Result<Range<usize>, BuildError> {
    let wrong = |problem: String| BuildError::Stamp { problem };
    let header = elf_header(kernel, "the kernel")?;
    let sections = header
        .sections(LittleEndian, kernel)
        .map_err(|error| wrong(error.to_string()))?;
    let mut found = sections.iter().filter(|section| {
        sections
            .section_name(LittleEndian, *section)
            .is_ok_and(|name| name == SECTION.as_bytes())
    });
    let section = match (found.next(), found.next()) {
        (Some(section), None) => section,
        (None, _) => return Err(wrong("expected one section of this name, got none".to_owned())),
        (Some(_), Some(_)) => return Err(wrong("expected one section of this name, got several".to_owned())),
    };
    let (offset, len) = section.file_range(LittleEndian).unwrap_or((0, 0));
    if len != SECTION_LEN as u64 {
        return Err(wrong(format!(
            "expected {SECTION_LEN} bytes in the file, got {len}"
        )));
    }
    let range = usize::try_from(offset)
        .ok()
        .and_then(|start| Some(start..start.checked_add(SECTION_LEN)?));
    let range = range.filter(|range| range.end <= kernel.len());
    let range =
        range.ok_or_else(|| wrong("expected it within the file, got an offset beyond its end".to_owned()))?;
    if !kernel[range.clone()].starts_with(MAGIC) {
        return Err(wrong(
            "expected it to start with `VERIDIAN-IDENT1`, got other bytes".to_owned(),
        ));
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::tests::elf;

    fn identity() -> Identity {
        Identity {
            name: "VeridianOS".to_owned(),
            version: "0.6.0-rc1".to_owned(),
            commit: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            arch: Arch::Riscv64,
        }
    }

    fn empty_section() -> [u8; SECTION_LEN] {
        let mut section = [0; SECTION_LEN];
        section[..16].copy_from_slice(MAGIC);
        section
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_changes() {
        let before = elf(243, &[], Some(&empty_section()));
        let mut kernel = before.clone();
        write_identity(&mut kernel, &identity()).unwrap();
        assert_eq!(read_identity(&kernel).unwrap(), identity());
        let changed: Vec<_> = (0..kernel.len()).filter(|&at| kernel[at] != before[at]).collect();
        assert!(changed.last().unwrap() - changed[0] < SECTION_LEN);
        // A second stamp leaves nothing of the first.
        let short = Identity {
            version: "1".to_owned(),
            ..identity()
        };
        write_identity(&mut kernel, &short).unwrap();
        assert_eq!(read_identity(&kernel).unwrap(), short);
    }

    #[test]
    fn kernels_of_two_versions_differ_in_their_identities_alone() {
        let mut one = elf(243, &[], Some(&empty_section()));
        write_identity(&mut one, &identity()).unwrap();
        let mut two = one.clone();
        let last = Identity {
            version: "0.6.0".to_owned(),
            ..identity()
        };
        write_identity(&mut two, &last).unwrap();
        assert_ne!(one, two);
        assert_eq!(differs_beyond_identity(&one, &two).unwrap(), None);
        let section = find(&one).unwrap();
        for at in [0x18, 0x30, section.end] {
            let mut other = two.clone();
            other[at] ^= 1;
            // The address and the flags in the header, which comes before the section, and what comes after it.
            assert_eq!(differs_beyond_identity(&one, &other).unwrap(), Some(at));
        }
        let longer = [two.as_slice(), &[0]].concat();
        assert_eq!(differs_beyond_identity(&one, &longer).unwrap(), Some(one.len()));
        assert!(differs_beyond_identity(&one, &[0; 8]).is_err());
    }

    #[test]
    fn kernels_without_a_proper_section_are_refused() {
        for (section, expected) in [
            (None, "expected one section of this name, got none"),
            (
                Some(&empty_section()[..255]),
                "expected 256 bytes in the file, got 255",
            ),
            (
                Some(&[0; SECTION_LEN][..]),
                "expected it to start with `VERIDIAN-IDENT1`",
            ),
        ] {
            let error = write_identity(&mut elf(62, &[], section), &identity()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(matches!(
            write_identity(&mut [0; 8], &identity()),
            Err(BuildError::NotElf { .. })
        ));
        let error = read_identity(&elf(62, &[], Some(&empty_section()))).unwrap_err();
        assert!(error.to_string().contains("expected lines name="), "{error}");
    }

    #[test]
    fn identities_that_do_not_fit_are_refused() {
        let mut kernel = elf(62, &[], Some(&empty_section()));
        for version in ["x".repeat(200), "1\narch=x".to_owned()] {
            let error = write_identity(
                &mut kernel,
                &Identity {
                    version,
                    ..identity()
                },
            )
            .unwrap_err();
            assert!(matches!(error, BuildError::IdentityText { .. }));
        }
    }

    #[test]
    fn the_printed_line_is_read_back_and_other_lines_are_not() {
        let line = identity().to_string();
        assert_eq!(
            line,
            "VeridianOS 0.6.0-rc1 (0123456789abcdef0123456789abcdef01234567) riscv64"
        );
        assert_eq!(Identity::parse_line(&line), Some(identity()));
        for other in [
            "",
            "VeridianOS 0.6.0-rc1 (0123) riscv64",
            &line.replace("riscv64", "mips"),
            &line.replace("VeridianOS ", ""),
            &format!("{line}!"),
            &line.to_uppercase(),
        ] {
            assert_eq!(Identity::parse_line(other), None, "{other}");
        }
    }
}

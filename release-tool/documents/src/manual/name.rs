//! What manual pages are called.

use crate::DocumentError;
use std::fmt;
use std::str::FromStr;

/// A manual page's name and section, written as its file is called: `init.8`.
///
/// Names are ASCII letters, digits, `_`, `+` and `-`, not starting with a hyphen; sections are 1 to 9.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageName {
    // First, so that pages are sorted by section as manuals are.
    section: u8,
    name: String,
}

impl PageName {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The section, 1 to 9.
    #[must_use]
    pub fn section(&self) -> u8 {
        self.section
    }

    /// Where `man` looks for it below a directory of manual pages: `man8/init.8`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("man{}/{self}", self.section)
    }

    /// As people refer to it: `init(8)`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}({})", self.name, self.section)
    }
}

impl FromStr for PageName {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once('.').filter(|(name, section)| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
            let good =
                !name.is_empty() && name.len() <= 64 && name.bytes().all(plain) && !name.starts_with('-');
            good && matches!(section.as_bytes(), [b'1'..=b'9'])
        });
        let Some((name, section)) = parts else {
            return Err(DocumentError::PageName(text.to_owned()));
        };
        Ok(Self {
            section: section.as_bytes()[0] - b'0',
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for PageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_printed() {
        let page: PageName = "vrel-cut-rc.1".parse().unwrap();
        assert_eq!((page.name(), page.section()), ("vrel-cut-rc", 1));
        assert_eq!(page.to_string(), "vrel-cut-rc.1");
        assert_eq!(page.path(), "man1/vrel-cut-rc.1");
        assert_eq!(page.reference(), "vrel-cut-rc(1)");
        let mut pages: Vec<PageName> = ["b.8", "z.1", "a.8"].map(|name| name.parse().unwrap()).into();
        pages.sort();
        assert_eq!(
            pages.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["z.1", "a.8", "b.8"]
        );
    }

    #[test]
    fn names_that_could_leave_their_directory_are_refused() {
        for bad in [
            "init",
            ".8",
            "init.0",
            "init.10",
            "init.x",
            "../x.1",
            "a/b.1",
            "-x.1",
            "a b.1",
            "init.8.gz",
            "",
        ] {
            let error = bad.parse::<PageName>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{bad}`")) && error.contains("init.8"),
                "{error}"
            );
        }
    }
}

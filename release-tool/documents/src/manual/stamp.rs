//! A page as part of a release.

use super::PageName;
use super::commands::tidy;
use crate::DocumentError;
use vrel_model::{UtcTime, Version};

/// Which release a page is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The product's name, for example `VeridianOS`.
    pub product: String,
    /// The version.
    pub version: Version,
    /// When it was released; pages show the day.
    pub date: UtcTime,
}

/// The source of a manual page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it is called.
    pub name: PageName,
    /// Its roff text.
    pub source: String,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Stamp {
    /// What pages say at their foot: product and version.
    #[must_use]
    pub fn system(&self) -> String {
        format!("{} {}", self.product, self.version)
    }

    /// The day as mdoc writes it: `November 21, 2026`.
    fn day(&self) -> String {
        let date = self.date.date();
        let mut parts = date.split('-');
        let year = parts.next().unwrap_or_default();
        let mut number = || {
            parts
                .next()
                .and_then(|part| part.parse::<usize>().ok())
                .unwrap_or(1)
        };
        let month = MONTHS[(number() - 1) % MONTHS.len()];
        format!("{month} {}, {year}", number())
    }
}

impl Page {
    /// The page with the release's date and name in its head.
    ///
    /// A page in mdoc has exactly one line each of `.Dd`, `.Dt` and `.Os`, and `.Dt` says what the file's name says. In any
    /// other page `.TH` is set, and what `clap_mangen` leaves untidy is put right.
    ///
    /// # Errors
    /// When the page is neither, or says that it is another page than its name does.
    pub fn stamp(&self, stamp: &Stamp) -> Result<Self, DocumentError> {
        let has = |request: &str| self.source.lines().any(|line| is_request(line, request));
        let source = if has(".Dd") || has(".Dt") {
            self.stamp_mdoc(stamp)?
        } else if has(".TH") {
            tidy(self, stamp)?
        } else {
            return Err(
                self.wrong("expected a page in mdoc, with `.Dd`, or in man(7), with `.TH`, got neither")
            );
        };
        Ok(Self {
            name: self.name.clone(),
            source,
        })
    }

    fn stamp_mdoc(&self, stamp: &Stamp) -> Result<String, DocumentError> {
        for request in [".Dd", ".Dt", ".Os"] {
            let count = self
                .source
                .lines()
                .filter(|line| is_request(line, request))
                .count();
            if count != 1 {
                return Err(self.wrong(&format!("expected one line `{request}`, got {count}")));
            }
        }
        let expected = format!(".Dt {} {}", self.name.name().to_uppercase(), self.name.section());
        let mut out = String::with_capacity(self.source.len() + 32);
        for line in self.source.lines() {
            if is_request(line, ".Dd") {
                out.push_str(&format!(".Dd {}", stamp.day()));
            } else if is_request(line, ".Os") {
                out.push_str(&format!(".Os {}", stamp.system()));
            } else if is_request(line, ".Dt") && line.trim_end() != expected {
                return Err(self.wrong(&format!("expected the line `{expected}`, got `{line}`")));
            } else {
                out.push_str(line);
            }
            out.push('\n');
        }
        Ok(out)
    }

    /// What it says of itself in a line; empty when it says nothing.
    #[must_use]
    pub fn description(&self) -> String {
        let mut lines = self.source.lines();
        let words = lines
            .clone()
            .find_map(|line| line.strip_prefix(".Nd "))
            .or_else(|| {
                lines.find(|line| *line == ".SH NAME")?;
                lines.next()?.split_once(" \\- ").map(|(_, words)| words)
            });
        let words = words.unwrap_or_default().trim();
        words
            .replace("\\-", "-")
            .replace("\\*(Aq", "'")
            .replace("\\(aq", "'")
    }

    /// The pages that it refers to by mdoc's `.Xr`.
    ///
    /// # Errors
    /// When a reference has no name or section.
    pub fn references(&self) -> Result<Vec<PageName>, DocumentError> {
        let mut found = Vec::new();
        for line in self.source.lines() {
            let line = line.strip_prefix(".It ").unwrap_or(line);
            let Some(rest) = line.strip_prefix(".Xr ").or_else(|| line.strip_prefix("Xr ")) else {
                continue;
            };
            let mut words = rest.split_whitespace();
            let target = format!(
                "{}.{}",
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default()
            );
            let target = target.parse();
            found.push(
                target.map_err(|_| self.wrong(&format!("expected a name and a section, got `{line}`")))?,
            );
        }
        Ok(found)
    }

    /// Checks that every page referred to is one of `known`.
    ///
    /// # Errors
    /// For the first that is not.
    pub fn check_references(&self, known: &[PageName]) -> Result<(), DocumentError> {
        match self
            .references()?
            .into_iter()
            .find(|target| !known.contains(target))
        {
            None => Ok(()),
            Some(target) => Err(DocumentError::DanglingReference {
                page: self.name.to_string(),
                target: target.reference(),
                known: known.iter().map(PageName::reference).collect(),
            }),
        }
    }

    pub(super) fn wrong(&self, problem: &str) -> DocumentError {
        DocumentError::Page {
            page: self.name.to_string(),
            problem: problem.to_owned(),
        }
    }
}

/// Whether a line is this roff request.
pub(super) fn is_request(line: &str, request: &str) -> bool {
    line.strip_prefix(request)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp {
            product: "VeridianOS".to_owned(),
            version: "0.6.0-rc1".parse().unwrap(),
            date: UtcTime::from_unix(1_795_230_000).unwrap(),
        }
    }

    fn page(source: &str) -> Page {
        Page {
            name: "init.8".parse().unwrap(),
            source: source.to_owned(),
        }
    }

    #[test]
    fn date_and_system_are_set() {
        let page = page(".\\\" note\n.Dd May 1, 2001\n.Dt INIT 8\n.Os\n.Sh NAME\n");
        let found = page.stamp(&stamp()).unwrap().source;
        assert_eq!(
            found,
            ".\\\" note\n.Dd November 21, 2026\n.Dt INIT 8\n.Os VeridianOS 0.6.0-rc1\n.Sh NAME\n"
        );
    }

    #[test]
    fn days_are_written_as_mdoc_does() {
        for (unix, day) in [
            (0, "January 1, 1970"),
            (951_782_400, "February 29, 2000"),
            (1_798_675_200, "December 31, 2026"),
        ] {
            let date = UtcTime::from_unix(unix).unwrap();
            assert_eq!(Stamp { date, ..stamp() }.day(), day);
        }
    }

    #[test]
    fn pages_that_cannot_be_stamped_say_why() {
        for (source, expected) in [
            ("text\n", "got neither"),
            (".Dt INIT 8\n.Os\n", "expected one line `.Dd`, got 0"),
            (".Dd x\n.Dt INIT 8\n.Os\n.Os\n", "expected one line `.Os`, got 2"),
            (
                ".Dd x\n.Dt HALT 8\n.Os\n",
                "expected the line `.Dt INIT 8`, got `.Dt HALT 8`",
            ),
        ] {
            let error = page(source).stamp(&stamp()).unwrap_err().to_string();
            assert!(
                error.starts_with("init.8: ") && error.contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn a_page_says_what_it_is_about() {
        assert_eq!(
            page(".Sh NAME\n.Nm init\n.Nd first program\n").description(),
            "first program"
        );
        let command = page(".SH NAME\nvrel\\-log \\- Show a release\\*(Aqs cut\\-rc\n.SH X\n");
        assert_eq!(command.description(), "Show a release's cut-rc");
        assert_eq!(page("text\n").description(), "");
    }

    #[test]
    fn references_lead_to_known_pages() {
        let page = page(".Xr vrel 1 ,\n.It Xr vrel-boot 1\ntext .Xr none 1\n");
        let known: Vec<PageName> = ["vrel.1", "vrel-boot.1"].map(|name| name.parse().unwrap()).into();
        assert_eq!(page.references().unwrap(), known);
        page.check_references(&known).unwrap();
        let error = page.check_references(&known[..1]).unwrap_err().to_string();
        assert!(
            error.contains("init.8 refers to vrel-boot(1)") && error.contains("vrel(1)"),
            "{error}"
        );
        assert!(
            super::Page {
                source: ".Xr vrel\n".into(),
                ..page
            }
            .references()
            .is_err()
        );
    }
}

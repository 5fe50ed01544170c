//! The formats that a document is published in.

use super::Document;

/// A format that a document is published in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Markdown, as it was made.
    Markdown,
    /// A web page that needs no other file.
    Html,
    /// Plain text, see [`Document::text`].
    Text,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Markdown, Self::Html, Self::Text];

    /// The end of file names, which is also what policy files write.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Text => "txt",
        }
    }

    /// The format with that extension.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == extension)
    }

    /// The document in this format. `title` is what a page is called that has no heading of level 1.
    #[must_use]
    pub fn write(self, markdown: &str, title: &str) -> String {
        match self {
            Self::Markdown => markdown.to_owned(),
            Self::Html => Document::read(markdown).html(title),
            Self::Text => Document::read(markdown).text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_their_extension() {
        for format in Format::ALL {
            assert_eq!(Format::from_extension(format.extension()), Some(format));
        }
        assert_eq!(Format::from_extension("pdf"), None);
        assert_eq!(Format::Markdown.write("*x*\n", "t"), "*x*\n");
        assert_eq!(Format::Text.write("*x*\n", "t"), "x\n");
        assert!(Format::Html.write("*x*\n", "t").contains("<title>t</title>"));
    }
}

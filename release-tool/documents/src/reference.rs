//! The front page of the reference for people who write programs for the system.

use crate::markdown::{cell, inline};
use vrel_model::Version;

/// A documented library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// Its name, which is also its directory's.
    pub name: String,
    /// What it is, in one line.
    pub description: String,
}

/// The front page as Markdown: the libraries, and the reference of system calls at `system_calls`, an address.
#[must_use]
pub fn front_page(product: &str, version: &Version, libraries: &[Library], system_calls: &str) -> String {
    let mut out = format!(
        "# {} {version} Reference\n\nFor people who write programs for the system.\n\n\
         - [System calls]({system_calls}): numbers, arguments, results and errors, on every architecture.\n\n\
         ## Libraries\n\n| Library | What it is |\n| --- | --- |\n",
        inline(product)
    );
    for library in libraries {
        let directory = library.name.replace('-', "_");
        out.push_str(&format!(
            "| [{}]({directory}/index.html) | {} |\n",
            cell(&library.name),
            cell(&library.description)
        ));
    }
    out.push_str(
        "\nThe libraries are documented for one architecture; what they offer is the same on all.\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::Document;

    #[test]
    fn the_front_page_leads_to_everything() {
        let libraries =
            [("abi", "what is agreed on"), ("user-rt", "a | b")].map(|(name, description)| Library {
                name: name.to_owned(),
                description: description.to_owned(),
            });
        let markdown = front_page(
            "VeridianOS",
            &"0.6.0".parse().unwrap(),
            &libraries,
            "system-calls.html",
        );
        let document = Document::read(&markdown);
        assert_eq!(document.title().as_deref(), Some("VeridianOS 0.6.0 Reference"));
        assert_eq!(
            document.links(),
            ["system-calls.html", "abi/index.html", "user_rt/index.html"]
        );
        let text = document.text();
        assert!(text.contains("user-rt\u{a0}[3]  a | b"), "{text}");
    }
}

//! Rendered pages for readers without `man`.

use super::{PageName, Stamp};
use crate::markdown::{html_escaped, inline};

/// How a page's HTML looks; it has the classes that `mandoc` gives.
const STYLE: &str = include_str!("style.css");

/// A page as HTML that needs no other file, around the fragment that `mandoc -T html -O fragment` makes of it.
#[must_use]
pub fn page(name: &PageName, stamp: &Stamp, fragment: &str) -> String {
    let title = html_escaped(&format!("{} - {}", name.reference(), stamp.system()));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}\n</main>\n\
         <p><a href=\"index.html\">All pages</a></p>\n</body>\n</html>\n",
        fragment.trim_end()
    )
}

/// A list of pages with what each says of itself, as Markdown; `link` gives the address of a page.
#[must_use]
pub fn contents(pages: &[(PageName, String)], stamp: &Stamp, link: impl Fn(&PageName) -> String) -> String {
    let mut out = format!("# Manual pages of {}\n", inline(&stamp.system()));
    let mut section = 0;
    for (name, description) in pages {
        if name.section() != section {
            section = name.section();
            out.push_str(&format!("\n## Section {section}: {}\n\n", about(section)));
        }
        let words = inline(description);
        let dash = if words.is_empty() { "" } else { ": " };
        out.push_str(&format!(
            "- [{}]({}){dash}{words}\n",
            inline(&name.reference()),
            link(name)
        ));
    }
    out
}

/// What a section is about.
fn about(section: u8) -> &'static str {
    match section {
        1 => "commands",
        2 => "system calls",
        3 => "library functions",
        4 => "devices",
        5 => "file formats",
        6 => "games",
        7 => "conventions",
        8 => "running the system",
        _ => "the kernel",
    }
}

/// Plain text out of `mandoc -T utf8` or `-T ascii`, which write bold and underlined characters as a printer would: with
/// backspaces.
#[must_use]
pub fn plain(rendered: &str) -> String {
    let mut out = String::with_capacity(rendered.len());
    for c in rendered.chars() {
        if c == '\u{8}' {
            // Whatever comes next is printed over it.
            if !out.ends_with('\n') {
                out.pop();
            }
        } else {
            out.push(c);
        }
    }
    let mut text: String = out.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use vrel_model::UtcTime;

    fn stamp() -> Stamp {
        Stamp {
            product: "VeridianOS".to_owned(),
            version: "0.6.0".parse().unwrap(),
            date: UtcTime::from_unix(1_795_230_000).unwrap(),
        }
    }

    #[test]
    fn overstruck_characters_are_single_ones() {
        assert_eq!(plain("N\u{8}NA\u{8}A _\u{8}x é\u{8}é  \n\n\n"), "NA x é\n");
        assert_eq!(plain("\u{8}a\n\u{8}b"), "a\nb\n");
    }

    #[test]
    fn contents_are_by_section() {
        let pages = [("vrel.1", "release *engineering*"), ("init.8", "")]
            .map(|(name, text)| (name.parse().unwrap(), text.to_owned()));
        assert_eq!(
            contents(&pages, &stamp(), |name| format!("{name}.html")),
            "# Manual pages of VeridianOS 0.6.0\n\n## Section 1: commands\n\n- [vrel(1)](vrel.1.html): release \\*engineering\\*\n\n\
             ## Section 8: running the system\n\n- [init(8)](init.8.html)\n"
        );
    }

    #[test]
    fn a_page_is_complete() {
        let html = page(&"init.8".parse().unwrap(), &stamp(), "<p>x</p>\n\n");
        assert!(
            html.contains("<title>init(8) - VeridianOS 0.6.0</title>"),
            "{html}"
        );
        assert!(html.contains("<main>\n<p>x</p>\n</main>"), "{html}");
    }
}

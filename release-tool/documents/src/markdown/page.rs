//! A document as a page of its own.

use super::html::{escaped, write_blocks, write_content};
use super::tree::{Block, Document, Inline};
use std::fmt::Write as _;

/// How the page looks, on screens of either brightness and on paper.
const STYLE: &str = include_str!("style.css");

/// What the page may do, said to browsers: nothing is loaded and nothing is run, whatever it holds.
const SECURITY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// From how many headings below the title on a page has a table of contents.
const MIN_CONTENTS: usize = 4;

impl Document {
    /// The document as a complete page that needs no other file. `title` is what it is called where it has no heading
    /// of level 1.
    #[must_use]
    pub fn html(&self, title: &str) -> String {
        let title = self.title().unwrap_or_else(|| title.to_owned());
        let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        let _ = writeln!(
            out,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"{SECURITY}\">"
        );
        out.push_str("<meta name=\"referrer\" content=\"no-referrer\">\n");
        let _ = write!(
            out,
            "<title>{}</title>\n<style>\n{STYLE}</style>\n",
            escaped(&title)
        );
        out.push_str(
            "</head>\n<body>\n<a class=\"skip\" href=\"#Content\">Skip to the content</a>\n<main>\n",
        );
        let headings = self.headings();
        // The contents belong below the title.
        let titled = usize::from(matches!(
            self.blocks.first(),
            Some(Block::Heading { level: 1, .. })
        ));
        write_blocks(&self.blocks[..titled], &mut out);
        if headings.len() >= MIN_CONTENTS {
            write_contents(&headings, &mut out);
        }
        // Headings' ids are made of their words and could be anything, but they have no capitals.
        out.push_str("<div id=\"Content\" tabindex=\"-1\">\n");
        write_blocks(&self.blocks[titled..], &mut out);
        out.push_str("</div>\n</main>\n</body>\n</html>\n");
        out
    }

    /// The headings of levels 2 and 3.
    fn headings(&self) -> Vec<Entry<'_>> {
        let entry = |block| match block {
            &Block::Heading {
                level: level @ 2..=3,
                ref id,
                ref content,
            } => Some(Entry { level, id, content }),
            _ => None,
        };
        self.blocks.iter().filter_map(entry).collect()
    }
}

/// A line of the table of contents.
struct Entry<'d> {
    level: u8,
    id: &'d str,
    content: &'d [Inline],
}

fn write_contents(entries: &[Entry<'_>], out: &mut String) {
    out.push_str("<nav aria-label=\"Contents\">\n<p>Contents</p>\n<ul>\n");
    let mut nested = false;
    for (index, entry) in entries.iter().enumerate() {
        // A heading of level 3 before any of level 2 stands by itself.
        let deeper = entry.level == 3 && (nested || index > 0);
        match (nested, deeper) {
            (false, true) => out.push_str("\n<ul>\n"),
            (true, false) => out.push_str("</li>\n</ul></li>\n"),
            _ if index > 0 => out.push_str("</li>\n"),
            _ => {}
        }
        nested = deeper;
        let _ = write!(out, "<li><a href=\"#{}\">", escaped(entry.id));
        write_content(&without_links(entry.content), out);
        out.push_str("</a>");
    }
    out.push_str(if nested { "</li>\n</ul></li>\n" } else { "</li>\n" });
    out.push_str("</ul>\n</nav>\n");
}

/// A link within a link is no HTML.
fn without_links(content: &[Inline]) -> Vec<Inline> {
    let mut plain = Vec::new();
    for piece in content {
        match piece {
            Inline::Link { content, .. } => plain.extend(without_links(content)),
            Inline::Emphasis(inner) => plain.push(Inline::Emphasis(without_links(inner))),
            Inline::Strong(inner) => plain.push(Inline::Strong(without_links(inner))),
            Inline::Struck(inner) => plain.push(Inline::Struck(without_links(inner))),
            Inline::Break => plain.push(Inline::Text(" ".to_owned())),
            other => plain.push(other.clone()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(markdown: &str) -> String {
        let page = Document::read(markdown).html("Untitled");
        let (_, rest) = page.split_once("<main>\n").unwrap();
        rest.split_once("</main>").unwrap().0.to_owned()
    }

    #[test]
    fn a_long_document_has_contents_below_its_title() {
        let html = body("# T\n\ntext\n\n## A\n### A1\n### [A2](x)\n## B & `c`\n");
        let expected = "<h1 id=\"t\">T</h1>\n<nav aria-label=\"Contents\">\n<p>Contents</p>\n<ul>\n\
                        <li><a href=\"#a\">A</a>\n<ul>\n<li><a href=\"#a1\">A1</a></li>\n\
                        <li><a href=\"#a2\">A2</a></li>\n</ul></li>\n\
                        <li><a href=\"#b--c\">B &amp; <code>c</code></a></li>\n</ul>\n</nav>\n\
                        <div id=\"Content\" tabindex=\"-1\">\n<p>text</p>";
        assert!(html.starts_with(expected), "{html}");
        assert!(!body("# T\n## A\n## B\n").contains("<nav"));
    }

    #[test]
    fn every_kind_of_block_has_its_element() {
        let html = body(
            "| a | |\n| ---: | :---: |\n| `1` | 2 |\n\n3. x\n4. y\n\n   z\n\n> q\n\n---\n\n```sh\n<&\n```\n\n~~s~~ **b** *e* <https://e.org>  \nn\n",
        );
        for expected in [
            "<tr><th scope=\"col\" class=\"right\">a</th><td class=\"middle\"></td></tr>",
            "<tr><td class=\"right\"><code>1</code></td><td class=\"middle\">2</td></tr>",
            "<ol start=\"3\">\n<li><p>x</p></li>\n<li><p>y</p>\n<p>z</p></li>\n</ol>",
            "<blockquote>\n<p>q</p>\n</blockquote>",
            "<hr>",
            "<pre tabindex=\"0\"><code>&lt;&amp;</code></pre>",
            "<p><s>s</s> <strong>b</strong> <em>e</em> <a href=\"https://e.org\">https://e.org</a><br>\nn</p>",
        ] {
            assert!(html.contains(expected), "{expected}\n{html}");
        }
    }

    #[test]
    fn the_title_is_the_heading_s_words_or_else_the_given_ones() {
        assert!(
            Document::read("# A <b>&amp;</b>\n")
                .html("x")
                .contains("<title>A &lt;b&gt;&amp;&lt;/b&gt;</title>")
        );
        assert!(
            Document::read("x")
                .html("No \"title\"")
                .contains("<title>No &quot;title&quot;</title>")
        );
    }
}

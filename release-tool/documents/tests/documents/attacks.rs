//! Texts of people who would like to run something in a reader's browser or terminal.

use crate::release;
use proptest::prelude::*;
use vrel_documents::guides::installation;
use vrel_documents::markdown::{Document, block, inline};
use vrel_model::{Arch, Packer};

const ATTACKS: [&str; 16] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](<java\tscript:alert(1)>)",
    "[click](&#106;avascript:alert(1))",
    "[click](java&Tab;script:alert(1))",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n[x]",
    "[x](https://example.org/\"onmouseover=\"alert(1))",
    "`</code><script>alert(1)</script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "</title></style><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "# <svg onload=alert(1)>",
    "| <b onclick=alert(1)> |\n| --- |\n| <i style=x> |",
];

/// The tags of a page's content, without those that the renderer makes.
fn foreign_tags(page: &str) -> Vec<String> {
    const OWN: [&str; 28] = [
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "pre",
        "code",
        "blockquote",
        "ol",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "em",
        "strong",
        "s",
        "a",
        "br",
        "hr",
        "nav",
        "div",
        "main",
    ];
    let (_, content) = page.split_once("<main>").unwrap();
    content
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .map(|tag| tag.trim_start_matches('/').to_owned())
        .filter(|tag| {
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            let harmless = [
                "href=\"",
                "id=\"",
                "scope=\"",
                "class=\"",
                "start=\"",
                "tabindex=\"",
                "aria-label=\"",
            ];
            let quoted = attributes.matches('"').count();
            let plain = attributes.is_empty()
                || harmless.iter().any(|known| attributes.starts_with(known)) && quoted <= 6;
            !(["body", "html"].contains(&name) || OWN.contains(&name) && plain)
        })
        .collect()
}

fn assert_harmless(markdown: &str) {
    let page = Document::read(markdown).html(markdown);
    assert_eq!(foreign_tags(&page), [""; 0], "{markdown}\n{page}");
    let (head, _) = page.split_once("<body>").unwrap();
    assert_eq!(head.matches("</title>").count(), 1, "{head}");
    assert_eq!(head.matches("</style>").count(), 1, "{head}");
    for address in page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        let scheme = address.split(['/', '#', '?']).next().unwrap().split_once(':');
        assert!(
            scheme.is_none_or(
                |(scheme, _)| ["http", "https", "mailto"].contains(&scheme.to_lowercase().as_str())
            ),
            "{address}"
        );
    }
}

#[test]
fn markdown_that_attacks_is_shown_and_does_nothing() {
    for attack in ATTACKS {
        assert_harmless(attack);
        assert_harmless(&format!("- {}\n", block(attack, 2)));
        assert_harmless(&format!("# {}\n", inline(attack)));
    }
}

#[test]
fn the_words_of_an_attack_stay_readable() {
    let page = Document::read(&format!("- {}\n", inline(ATTACKS[0]))).html("t");
    assert!(
        page.contains("<li>&lt;script&gt;alert(1)&lt;/script&gt;</li>"),
        "{page}"
    );
    let text = Document::read(&format!("- {}\n", inline(ATTACKS[2]))).text();
    assert_eq!(text, "- [click](javascript:alert(1))\n");
}

#[test]
fn the_check_sees_an_attack() {
    let page = Document::read("x")
        .html("t")
        .replace("<p>x</p>", "<p onclick=\"x\">x</p><script>");
    assert_eq!(foreign_tags(&page), ["p onclick=\"x\"", "script"]);
}

#[test]
fn a_policy_file_s_description_stays_in_its_cell() {
    let mut release = release(&[Packer::Iso], &[Arch::X86_64]);
    for attack in ATTACKS {
        release.files[0].description = attack.to_owned();
        release.product = format!("<b>{}", attack.replace(char::is_control, " "));
        let guide = installation(&release).unwrap();
        assert_harmless(&guide);
        let html = Document::read(&guide).html("t");
        assert!(
            html.contains("<td>x86_64</td><td class=\"right\">5.0 MiB</td><td>"),
            "{html}"
        );
    }
}

#[test]
fn a_terminal_gets_no_commands() {
    for text in [
        "\u{1b}]0;title\u{7}",
        "\u{1b}[2J",
        "\u{9b}2J",
        "a\u{8}b",
        "\u{202e}txet",
    ] {
        for markdown in [
            text.to_owned(),
            format!("`{text}`"),
            format!("    {text}"),
            format!("# {text}"),
        ] {
            let plain = Document::read(&markdown).text();
            assert!(
                plain
                    .chars()
                    .all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')),
                "{plain:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn no_mixture_of_markup_gets_through(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "<", ">", "\"", "'", "&", "`", "```\n", "\n", "\n\n", "    ", "*", "~~", "[", "](", ")", "![", "<script>", "</pre>",
        "javascript:", "https://", "data:", "| ", "|\n| --- |\n", "# ", "- ", "1. ", "> ", "<!--", "-->", "&lt;", "&#60;", "\\", "x", "<a href=x>",
    ]), 0..40)) {
        assert_harmless(&pieces.concat());
    }
}

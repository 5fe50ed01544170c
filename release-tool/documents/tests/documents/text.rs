//! Plain text fits into a terminal.

use crate::{full, full_upgrade};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;
use vrel_documents::guides::{installation, upgrade};
use vrel_documents::markdown::{Document, WIDTH, block};

/// A line may be wider when it cannot be cut: code, an address with its number, or a single word.
fn is_exempt(line: &str) -> bool {
    let words = line.trim_start_matches(['>', ' ']).trim_start_matches("- ");
    // Behind the name of a table's column.
    let words = words
        .split_once(": ")
        .map_or(words, |(_, words)| words.trim_start());
    line.starts_with("    ") || line.starts_with('[') || !words.contains(' ')
}

#[test]
fn guides_fit() {
    for markdown in [
        installation(&full()).unwrap(),
        upgrade(&full(), &full_upgrade()).unwrap(),
    ] {
        let text = Document::read(&markdown).text();
        for line in text.lines() {
            assert!(
                line.width() <= WIDTH || is_exempt(line),
                "{} columns: {line}",
                line.width()
            );
            assert_eq!(line.trim_end(), line, "a trailing blank");
        }
        assert!(!text.contains("\n\n\n\n"), "{text}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
        for markup in ["**", "](", "| --- "] {
            assert!(!text.contains(markup), "{markup} in\n{text}");
        }
    }
}

#[test]
fn addresses_are_listed_once_under_the_numbers_that_stand_in_the_text() {
    let text = Document::read(&installation(&full()).unwrap()).text();
    let (body, links) = text.rsplit_once("\nLinks\n-----\n\n").unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for (index, line) in links.lines().enumerate() {
        let number = format!("[{}]", index + 1);
        let address = line
            .strip_prefix(&format!("{number} "))
            .unwrap_or_else(|| panic!("{line}"));
        assert!(seen.insert(address), "{address} twice");
        assert!(body.contains(&number), "{number} is nowhere in the text");
    }
    assert!(seen.contains("https://releases.example.org/releases/0.6.0-rc1/release-notes.html"));
}

proptest! {
    #[test]
    fn prose_fits_and_loses_no_word(words in proptest::collection::vec("[a-zé日]{1,12}", 1..80)) {
        let prose = words.join(" ");
        let text = Document::read(&format!("- {}\n\n> {}\n", block(&prose, 2), prose)).text();
        for line in text.lines() {
            prop_assert!(line.width() <= WIDTH, "{line}");
        }
        let bare = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        prop_assert_eq!(bare(&text), bare(&format!("{prose}{prose}")));
    }

    #[test]
    fn any_text_can_be_read(text in any::<String>()) {
        let document = Document::read(&text);
        prop_assert!(document.html("t").ends_with("</html>\n"));
        prop_assert!(document.text().chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
    }
}

//! Notes as web pages and plain text, and what the upgrade guide takes from them.

use crate::documents::full;
use crate::notes_of;
use vrel_documents::guides;
use vrel_documents::markdown::{Document, Format};
use vrel_notes::{render, render_as, upgrade};

#[test]
fn notes_say_the_same_in_every_format() {
    let context = full();
    let markdown = render_as(&context, Format::Markdown).unwrap();
    assert_eq!(markdown, render(&context).unwrap());
    let html = render_as(&context, Format::Html).unwrap();
    let text = render_as(&context, Format::Text).unwrap();
    assert!(
        html.contains("<title>VeridianOS v0.6.0-rc1 Release Notes</title>"),
        "{html}"
    );
    assert!(
        text.starts_with("VeridianOS v0.6.0-rc1 Release Notes\n===="),
        "{text}"
    );
    for words in [
        "Highlights",
        "Breaking Changes",
        "Wake the receiver once",
        "#212",
        "Chidi Okafor",
    ] {
        assert!(html.contains(words) && text.contains(words), "{words}");
    }
    // Commit messages of somebody who tried.
    assert!(
        html.contains("Do not print | in &lt;tables&gt;, nor [links](javascript:alert(1))"),
        "{html}"
    );
    assert!(
        text.contains("Do not print | in <tables>, nor [links](javascript:alert(1))"),
        "{text}"
    );
    let links = Document::read(&markdown);
    assert!(
        links
            .links()
            .iter()
            .all(|link| link.starts_with("https://example.org/issues/")
                || link.starts_with("https://releases.example.org/")),
        "{:?}",
        links.links()
    );
}

#[test]
fn the_upgrade_guide_has_the_notes_compatibility_notes_word_for_word() {
    let context = full();
    let taken = upgrade(&context).unwrap();
    assert_eq!(taken.previous, context.previous);
    let notes = render(&context).unwrap();
    let lists = [
        (&taken.breaking, context.breaking.len()),
        (&taken.deprecations, context.deprecations.len()),
        (&taken.known_issues, context.known_issues.len()),
        (&taken.limitations, context.limitations.len()),
        (&taken.notes, context.upgrade_notes.len()),
    ];
    for (items, expected) in lists {
        assert_eq!(items.len(), expected);
        assert!(expected > 0);
        for item in items {
            assert!(
                notes.contains(&format!("\n- {item}\n")),
                "{item}\nis not in\n{notes}"
            );
        }
    }
}

#[test]
fn a_release_without_news_has_an_upgrade_guide_too() {
    assert_eq!(
        upgrade(&notes_of(&[])).unwrap(),
        guides::Upgrade {
            previous: Some("0.5.7".parse().unwrap()),
            ..guides::Upgrade::default()
        }
    );
}

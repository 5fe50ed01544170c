//! Contexts as JSON, edited by people.

use crate::{artifact, commit, facts, notes_of};
use vrel_model::Arch;
use vrel_notes::{Collector, NotesContext, NotesError, render, render_announcement};

const MESSAGES: [&str; 3] = [
    "feat(kernel)!: boot\n\nHighlight: It boots.\nLimitation: one core",
    "fix(net): retry (#3)",
    "deprecate(cli): `make`\n\nReplacement: `build`\nKnown-Issue: slow\nUpgrade-Note: wait",
];

fn full() -> NotesContext {
    let mut facts = facts();
    facts.artifacts = vec![artifact(
        "a.iso",
        Some(Arch::Aarch64),
        "iso".parse().unwrap(),
        "an image",
        1 << 20,
    )];
    let mut collector = Collector::new(facts);
    for (number, message) in MESSAGES.iter().enumerate() {
        collector.add(&commit(number, message));
    }
    collector.finish()
}

#[test]
fn json_says_everything() {
    let context = full();
    let json = context.to_json().unwrap();
    assert!(
        json.starts_with("{\n  \"schema\": 1,\n") && json.ends_with("}\n"),
        "{json}"
    );
    assert_eq!(NotesContext::from_json(&json).unwrap(), context);
}

#[test]
fn an_edited_context_is_what_is_rendered() {
    let json = full().to_json().unwrap();
    let edited = json
        .replace(
            "\"It boots.\"",
            "\"It boots on *three* architectures.\",\n\"And fast.\"",
        )
        .replace("\"Retry\"", "\"Retries with patience\"");
    let notes = render(&NotesContext::from_json(&edited).unwrap()).unwrap();
    assert!(
        notes.contains("\n- It boots on \\*three\\* architectures.\n- And fast.\n"),
        "{notes}"
    );
    assert!(
        notes.contains("\n- **Networking:** Retries with patience ([#3]("),
        "{notes}"
    );
}

#[test]
fn lists_may_be_left_out() {
    let json = r#"{"schema": 1, "product": "P", "version": "1.0.0", "previous": null, "date": "2026-11-21T03:00:00Z",
        "channel": "stable", "public_url": "http://localhost:8080/x", "issue_url": null,
        "commits": {"total": 0, "listed": 0, "merges": 0, "reverted": 0, "internal": 0, "unconventional": 0}}"#;
    let notes = render(&NotesContext::from_json(json).unwrap()).unwrap();
    assert!(
        notes.starts_with("# P v1.0.0 Release Notes\n\n- **Release date:** 2026-11-21\n- **Type:** Major\n"),
        "{notes}"
    );
}

#[test]
fn mistakes_are_answered_with_place_and_remedy() {
    let json = full().to_json().unwrap();
    let line_of = |text: &str| json.lines().position(|line| line.contains(text)).unwrap() + 1;
    for (old, new, message, hint) in [
        (
            "\"highlights\"",
            "\"higlights\"",
            format!(
                "line {}, column 13 of the notes context: unknown field `higlights`",
                line_of("\"highlights\"")
            ),
            Some("did you mean `highlights`?"),
        ),
        (
            "\"product\": \"VeridianOS\",\n",
            "",
            "missing field `product`".to_owned(),
            None,
        ),
        (
            "\"0.6.0-rc1\"",
            "\"0.6\"",
            "did you mean `0.6.0`?".to_owned(),
            None,
        ),
        (
            "\"beta\"",
            "7",
            "invalid type: integer `7`, expected a string".to_owned(),
            None,
        ),
        (
            "\"schema\": 1",
            "\"schema\": 2, \"new\": 1",
            "has schema 2, this tool reads schema 1".to_owned(),
            Some("dump the context again with `vrel notes --context`"),
        ),
        (
            "\"Retry\"",
            "\" \\u200b\"",
            "`fixes[0].text` of the notes context has no visible text; write some, or remove the entry"
                .to_owned(),
            None,
        ),
        ("\"It boots.\"", "\"\"", "`highlights[0]` of".to_owned(), None),
        ("\"Networking\"", "\"\"", "`fixes[0].area` of".to_owned(), None),
        (
            "\"`build`\"",
            "\"\"",
            "`deprecations[0].replacement` of".to_owned(),
            None,
        ),
        (
            "\"title\": \"Kernel\"",
            "\"title\": \"\"",
            "`features[0].title` of".to_owned(),
            None,
        ),
        (
            "https://releases.example.org\"",
            "https://releases.example.org/\"",
            "`public_url` of the notes context ends with a slash".to_owned(),
            None,
        ),
        (
            "https://releases.example.org\"",
            "javascript:alert(1)\"",
            "`public_url` of the notes context is `javascript:alert(1)`, expected an address".to_owned(),
            None,
        ),
        (
            "https://example.org/issues/",
            "https://example.org/) [x](",
            "`issue_url` of the notes context is `https://example.org/) [x](`".to_owned(),
            None,
        ),
    ] {
        let edited = json.replacen(old, new, 1);
        assert_ne!(edited, json, "{old}");
        let error = NotesContext::from_json(&edited).unwrap_err();
        assert!(error.to_string().contains(&message), "{error}\n{message}");
        assert_eq!(error.hint().as_deref(), hint, "{error}");
    }
    let cut = &json[..json.len() / 2];
    assert!(matches!(NotesContext::from_json(cut), Err(NotesError::Json { line, .. }) if line > 10));
}

#[test]
fn what_cannot_be_rendered_well_is_not_rendered() {
    let mut context = notes_of(&MESSAGES);
    context.features[0].entries.clear();
    for outcome in [render(&context), render_announcement(&context)] {
        let message = outcome.unwrap_err().to_string();
        assert_eq!(
            message,
            "`features[0].entries` of the notes context is empty; remove the whole section"
        );
    }
}

#[test]
fn the_type_of_a_release_is_that_of_what_it_leads_to() {
    let mut context = notes_of(&[]);
    for (version, expected) in [
        ("1.0.0", "Major"),
        ("2.0.0-rc3", "Major (release candidate)"),
        ("0.6.0", "Minor"),
        ("0.6.0-rc1", "Minor (release candidate)"),
        ("1.2.0-nightly.20261121", "Minor (nightly build)"),
        ("0.5.7", "Patch"),
        ("1.0.1-rc2", "Patch (release candidate)"),
    ] {
        context.version = version.parse().unwrap();
        assert_eq!(context.release_type(), expected, "{version}");
    }
}

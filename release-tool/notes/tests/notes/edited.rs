//! Notes that a person edited.

use crate::documents::{HEADINGS, full, headings};
use vrel_notes::{check_edited, draft, render, render_edited};

#[test]
fn an_edited_draft_is_published_with_the_releases_own_facts() {
    let context = full();
    let draft = draft(&context).unwrap();
    assert_eq!(check_edited(&context, &draft), Ok(()));
    assert_eq!(headings(&draft, "##"), HEADINGS[..HEADINGS.len() - 1]);
    assert!(!draft.contains("Release date"));
    // Nothing edited: the same notes.
    assert_eq!(
        render_edited(&context, &draft).unwrap(),
        render(&context).unwrap()
    );
    let edited = draft.replace("Count ticks", "Count *every* tick");
    assert_ne!(edited, draft);
    let expected = render(&context)
        .unwrap()
        .replace("Count ticks", "Count *every* tick");
    assert_eq!(render_edited(&context, &edited).unwrap(), expected);
}

#[test]
fn what_cannot_be_published_is_named_with_its_line() {
    let context = full();
    let draft = draft(&context).unwrap();
    let lines = draft.lines().count();
    for (edited, line, words) in [
        (
            draft.replace("0.6.0-rc1 Release", "0.7.0 Release"),
            1,
            "expected the title",
        ),
        (
            format!("{draft}## Highlights\n"),
            lines + 1,
            "is not in its place",
        ),
        (format!("{draft}## Downloads\n"), lines + 1, "there is no heading"),
        (format!("{draft}## Download Links\n"), lines + 1, "is made anew"),
        (
            format!("{draft}<<<<<<< edited\n"),
            lines + 1,
            "mark of a conflict",
        ),
        (draft.lines().next().unwrap().to_owned(), 1, "there is no section"),
    ] {
        let error = check_edited(&context, &edited).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.message.contains(words), "{error}");
    }
    let code = format!("{draft}```\n## Anything\n```\n");
    assert_eq!(check_edited(&context, &code), Ok(()));
}

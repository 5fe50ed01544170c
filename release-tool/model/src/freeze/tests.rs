//! Reading, judging and changing the file.

use super::*;

const FILE: &str = r#"# Decided in the meeting of November.
schema = 1

[[window]]
branches = ["release/0.6"]
starts = "2026-11-10T00:00:00Z"
ends = "2026-11-20T00:00:00Z"
commit = "1111111111111111111111111111111111111111"
by = "Ada <ada@example.org>"
recorded = "2026-11-01T08:00:00Z"
reason = "0.6.0" # the first

[[window.exception]]
path = "docs/**"
reason = "the manual is late"
risk = "low"
approver = "Bob <bob@example.org>"
until = "2026-11-15"
by = "Ada <ada@example.org>"
recorded = "2026-11-11T08:00:00Z"
"#;

fn file() -> FreezeFile {
    FreezeFile::parse("lines/0.6/freeze.toml", FILE).unwrap()
}

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn window() -> FreezeWindow {
    FreezeWindow {
        commit: None,
        ends: None,
        exceptions: Vec::new(),
        starts: time("2026-12-01T00:00:00Z"),
        ..file().windows[0].clone()
    }
}

#[test]
fn a_freeze_begins_and_ends_when_it_says() {
    let mut window = file().windows.remove(0);
    for (now, state) in [
        ("2026-11-09T23:59:59Z", FreezeState::Announced),
        ("2026-11-10T00:00:00Z", FreezeState::Frozen),
        ("2026-11-19T23:59:59Z", FreezeState::Frozen),
        ("2026-11-20T00:00:00Z", FreezeState::Over),
    ] {
        assert_eq!(window.state(time(now)), state, "{now}");
    }
    window.end = Some(FreezeEnd {
        at: time("2026-11-12T00:00:00Z"),
        by: window.by.clone(),
        reason: "done".to_owned(),
    });
    assert_eq!(window.state(time("2026-11-12T00:00:00Z")), FreezeState::Over);
    assert_eq!(window.state(time("2026-11-11T00:00:00Z")), FreezeState::Frozen);
}

#[test]
fn changes_leave_the_rest_as_it_is() {
    let more = add_window(Some(FILE), &window()).unwrap();
    assert!(more.starts_with(FILE), "{more}");
    let exception = FreezeException {
        what: Excepted::Subject("feat: \"quoted\"".to_owned()),
        ..file().windows[0].exceptions[0].clone()
    };
    let more = add_exception(&more, 1, &exception).unwrap();
    let more = begin_window(&more, 1, &"2".repeat(40)).unwrap();
    let end = FreezeEnd {
        at: time("2026-12-02T00:00:00Z"),
        by: "Bob <bob@example.org>".parse().unwrap(),
        reason: "released".to_owned(),
    };
    let more = end_window(&more, 1, &end).unwrap();
    assert!(more.starts_with(FILE), "{more}");
    let parsed = FreezeFile::parse("f", &more).unwrap();
    assert_eq!(parsed.windows[0], file().windows[0]);
    let expected = FreezeWindow {
        commit: Some("2".repeat(40)),
        exceptions: vec![exception],
        end: Some(end),
        ..window()
    };
    assert_eq!(parsed.windows[1], expected, "{more}");
    // An exception after the end, as for an older freeze that is written by hand, is still in its window.
    let again = add_exception(&more, 0, &expected.exceptions[0]).unwrap();
    let parsed = FreezeFile::parse("f", &again).unwrap();
    assert_eq!(
        (parsed.windows[0].exceptions.len(), &parsed.windows[1]),
        (2, &expected),
        "{again}"
    );

    let first = add_window(None, &window()).unwrap();
    assert_eq!(
        FreezeFile::parse("f", &first).unwrap().windows,
        [window()],
        "{first}"
    );
    assert!(add_exception(&first, 1, &expected.exceptions[0]).is_err());
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (from, to, line, part) in [
        ("schema = 1", "schema = 2", 2, "a newer vrel"),
        (
            "branches = [\"release/0.6\"]",
            "branches = []",
            4,
            "names no branch",
        ),
        ("2026-11-20T00", "2026-11-10T00", 4, "is not after"),
        ("path = ", "commit = ", 13, "40 hexadecimal digits"),
        ("risk = \"low\"", "risk = \"tiny\"", 16, "`tiny`"),
        ("until = \"2026-11-15\"", "until = \"soon\"", 18, "is not a day"),
        (
            "approver = \"Bob <bob@example.org>\"\n",
            "",
            13,
            "missing field `approver`",
        ),
        ("path = \"docs/**\"\n", "", 13, "exactly one of"),
        (
            "reason = \"the manual is late\"",
            "reason = \" \"",
            13,
            "`reason` is empty",
        ),
        (
            "by = \"Ada <ada@example.org>\"\nrecorded = \"2026-11-01",
            "by = \"Ada\"\nrecorded = \"2026-11-01",
            9,
            "person",
        ),
    ] {
        let text = FILE.replacen(from, to, 1);
        assert_ne!(text, FILE, "{from}");
        let error = FreezeFile::parse("f", &text).unwrap_err();
        assert!(error.message.contains(part), "{to}: {error}");
        assert_eq!(error.line, line, "{to}: {error}");
    }
}

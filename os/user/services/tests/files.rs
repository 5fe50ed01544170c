//! Service files and sets: what is read, what is refused and how that is said.

use std::time::Duration;

use proptest::prelude::*;
use services::{Restart, Service, Set, SetError, parse};

const FULL: &str = r#"
# A comment.
[service]
exec = /bin/logger
args = -f "two words" "" "a \"quote\" and \\"
env = PATH=/bin
env = EMPTY=
after = clock disks clock
requires = files
restart = on-failure
backoff = 250ms
burst = 3
stop-timeout = 1min
type = oneshot
console = yes
provides = log log.control log
"#;

#[test]
fn every_key_is_read() {
    let text = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = Service {
        name: "logger".into(),
        exec: "/bin/logger".into(),
        args: text(&["-f", "two words", "", r#"a "quote" and \"#]),
        env: vec![("PATH".into(), "/bin".into()), ("EMPTY".into(), String::new())],
        after: text(&["clock", "disks"]),
        requires: text(&["files"]),
        restart: Restart::OnFailure,
        backoff: Duration::from_millis(250),
        burst: 3,
        stop_timeout: Duration::from_secs(60),
        oneshot: true,
        console: true,
        provides: text(&["log", "log.control"]),
    };
    assert_eq!(parse("/etc/services/logger.service", FULL), Ok(expected));
}

#[test]
fn what_is_not_said_has_its_default() {
    let service = parse("x", "[service]\nexec=/x").unwrap();
    assert_eq!((service.restart, service.burst), (Restart::Never, 5));
    assert_eq!(
        (service.backoff, service.stop_timeout),
        (Duration::from_secs(1), Duration::from_secs(5))
    );
    assert!(!service.oneshot && !service.console && service.args.is_empty());
}

#[test]
fn errors_name_file_and_line_and_what_was_meant() {
    let cases = [
        (
            "[service]\nexce = /x",
            "a.service:2: unknown key \"exce\"; did you mean \"exec\"?",
        ),
        (
            "[service]\nexec = /x\nstop-timout = 1s",
            "a.service:3: unknown key \"stop-timout\"; did you mean \"stop-timeout\"?",
        ),
        ("[service]\ncolour = red", "a.service:2: unknown key \"colour\""),
        (
            "[service]\nrestart = on_failure",
            "a.service:2: unknown value \"on_failure\" (expected one of: never, on-failure, always); did you mean \"on-failure\"?",
        ),
        (
            "[servise]",
            "a.service:1: unknown section \"[servise]\"; did you mean \"[service]\"?",
        ),
        ("[service]\n[service]", "a.service:2: [service] comes twice"),
        (
            "[service]\nexec = /x\nprovides = log /dev/log",
            "a.service:3: \"/dev/log\" is no name that can be registered",
        ),
        (
            "[service]\nexec = /x\nprovides = a b c d e f g h i",
            "a.service:3: more than 8 names",
        ),
        (
            "exec = /x",
            "a.service:1: expected [service] before the first key",
        ),
        ("[service]\nexec", "a.service:2: expected key = value"),
        (
            "[service]\nexec = x",
            "a.service:2: expected an absolute path, found \"x\"",
        ),
        (
            "[service]\nexec = /x\nexec = /y",
            "a.service:3: the key \"exec\" comes twice",
        ),
        ("[service]\nargs = \"x", "a.service:2: a quote is not closed"),
        ("[service]\nargs = \"\\n\"", "a.service:2: unknown escape \\n"),
        (
            "[service]\nenv = x",
            "a.service:2: expected NAME=value, found \"x\"",
        ),
        (
            "[service]\nburst = many",
            "a.service:2: expected a number, found \"many\"",
        ),
        (
            "[service]\nbackoff = 5",
            "a.service:2: expected a time like 500ms, 2s or 1min, found \"5\"",
        ),
        (
            "[service]\nafter = a/b",
            "a.service:2: \"a/b\" is no name of a service",
        ),
        ("[service]\nburst = 1", "a.service: the key \"exec\" is missing"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse("a.service", text).unwrap_err().to_string(), expected);
    }
    assert_eq!(
        parse("..", FULL).unwrap_err().to_string(),
        "..: \"..\" is no name of a service"
    );
}

fn service(name: &str, after: &[&str], requires: &[&str]) -> Service {
    let text = format!(
        "[service]\nexec=/x\nafter={}\nrequires={}",
        after.join(" "),
        requires.join(" ")
    );
    parse(name, &text).unwrap()
}

#[test]
fn sets_that_do_not_fit_together_are_refused() {
    let set = Set::new(vec![
        service("a", &["b", "nobody"], &[]),
        service("b", &[], &["c"]),
        service("c", &[], &[]),
    ]);
    let names: Vec<_> = set
        .unwrap()
        .services()
        .iter()
        .map(|service| service.name.clone())
        .collect();
    assert_eq!(names, ["c", "b", "a"]);
    let error = Set::new(vec![service("a", &[], &["b"])]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "service \"a\" requires \"b\", which is not there"
    );
    let error = Set::new(vec![service("a", &[], &[]), service("a", &[], &[])]).unwrap_err();
    assert_eq!(error.to_string(), "two services have the name \"a\"");
    // The one that only leads to the cycle is not named.
    let cycle = vec![
        service("a", &["b"], &[]),
        service("b", &["c"], &[]),
        service("c", &[], &["d"]),
        service("d", &["b"], &[]),
    ];
    let error = Set::new(cycle).unwrap_err();
    assert_eq!(
        error.to_string(),
        "services wait for each other: b after c after d after b"
    );
    let error = Set::new(vec![service("a", &["a"], &[])]).unwrap_err();
    assert_eq!(error.to_string(), "services wait for each other: a after a");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(
        text in prop::collection::vec("\\[service\\]|exec|args|env|burst|backoff|after|=|/x|\"|\\\\| |\n|#|[0-9]{1,12}|ms|min|\\PC", 0..60),
        name in "\\PC{0,10}",
    ) {
        let text = text.concat();
        if let Err(error) = parse(&name, &text) {
            prop_assert!(error.line <= text.lines().count());
        }
    }

    /// Arguments that are quoted as the documentation says come back.
    #[test]
    fn quoted_arguments_come_back(args in prop::collection::vec("[a-z \"\\\\é=#\\[]{0,8}", 0..6)) {
        let quoted: Vec<_> = args.iter().map(|arg| format!("\"{}\"", arg.replace('\\', "\\\\").replace('"', "\\\""))).collect();
        let text = format!("[service]\nexec=/x\nargs = {}", quoted.join("  "));
        prop_assert_eq!(parse("x", &text).unwrap().args, args);
    }

    /// Any graph: an order in which all comes behind what it waits for, or a cycle that really is one.
    #[test]
    fn orders_and_cycles_are_right(edges in prop::collection::vec((0..7usize, 0..7usize, any::<bool>()), 0..14)) {
        let name = |index: usize| format!("s{index}");
        let services: Vec<_> = (0..7).map(|index| {
            let of = |required: bool| edges.iter().filter(|edge| edge.0 == index && edge.2 == required).map(|edge| name(edge.1)).collect::<Vec<_>>();
            let (after, requires) = (of(false), of(true));
            let text = |names: &[String]| names.join(" ");
            parse(&name(index), &format!("[service]\nexec=/x\nafter={}\nrequires={}", text(&after), text(&requires))).unwrap()
        }).collect();
        match Set::new(services) {
            Ok(set) => {
                let place = |index: usize| set.services().iter().position(|service| service.name == name(index)).unwrap();
                prop_assert_eq!(set.services().len(), 7);
                for (one, other, _) in edges {
                    prop_assert!(place(other) < place(one));
                }
            }
            Err(SetError::Cycle(names)) => {
                prop_assert!(!names.is_empty());
                for (at, one) in names.iter().enumerate() {
                    let next = &names[(at + 1) % names.len()];
                    prop_assert!(edges.iter().any(|edge| name(edge.0) == *one && name(edge.1) == *next));
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

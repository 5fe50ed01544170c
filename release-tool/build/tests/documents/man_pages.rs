//! Manual pages: clean, complete, reproducible, and understood by two programs.

use crate::{assert_links_lead_somewhere, assert_same, assert_valid_html, os, tree};
use std::path::Path;
use std::process::Command;
use vrel_build::man_pages::{Request, write};
use vrel_build::{BuildError, Image, Mandoc};
use vrel_documents::manual::{Page, Stamp};
use vrel_model::UtcTime;
use vrel_world::RealWorld;

/// As `clap_mangen` makes pages, with everything that it leaves untidy.
const COMMAND: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH vrel-log 1  \"log \" \n.SH NAME\nvrel\\-log \\- Show a \
                       release\\*(Aqs journal\n.SH SYNOPSIS\n\\fBvrel log\\fR <\\fIVERSION\\fR> \n.SH OPTIONS\n.TP\n\\fB\\-x\\fR\nThe \
                       shell\n.br\n\n.br\n\\fIPossible values:\\fR\n.RS 14\n.IP \\(bu 2\nbash\n.RE\n.SH EXTRA\nExamples:\n  vrel log \
                       0.6.0\n\n  vrel log 0.6.0\\-rc1\n";

fn stamp() -> Stamp {
    Stamp {
        product: "VeridianOS".to_owned(),
        version: "0.6.0-rc1".parse().unwrap(),
        date: UtcTime::from_unix(1_795_230_000).unwrap(),
    }
}

fn page(name: &str, source: &str) -> Page {
    Page {
        name: name.parse().unwrap(),
        source: source.to_owned(),
    }
}

fn pack(os: &Path, programs: &[String], others: &[Page], out: &Path) -> Result<Vec<String>, BuildError> {
    let world = RealWorld::default();
    let request = Request {
        os,
        programs,
        others,
        stamp: &stamp(),
        mandoc: &Mandoc::find(&world).unwrap(),
    };
    write(&world, &request, out)
}

/// The programs of the released image.
fn released() -> Vec<String> {
    Image::read(&RealWorld::default(), &os(), "system")
        .unwrap()
        .programs
}

/// What `man` and `mandoc` find fault with in a page.
fn faults(page: &Path) -> String {
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .arg(page)
            .env("LC_ALL", "C.UTF-8")
            .env("MANROFFSEQ", "")
            .output()
            .unwrap_or_else(|error| panic!("{program} (see requirements.toml): {error}"));
        (
            output.stdout,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (lint, _) = run("mandoc", &["-T", "lint", "-W", "warning"]);
    let (shown, warnings) = run("man", &["--warnings=w", "--local-file"]);
    assert!(
        !shown.is_empty(),
        "man shows nothing of {}: {warnings}",
        page.display()
    );
    format!("{}{warnings}", String::from_utf8_lossy(&lint))
}

#[test]
fn the_pages_of_a_release_are_clean_and_complete() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let files = pack(&os(), &released(), &[page("vrel-log.1", COMMAND)], &out).unwrap();
    let found = tree(&out);
    assert!(found.keys().eq(files.iter()), "{files:?}");
    for name in ["init.8", "vrel-log.1"] {
        let (_, section) = name.split_once('.').unwrap();
        let source = format!("man/man{section}/{name}");
        assert_eq!(faults(&out.join(&source)), "", "{name}");
        let text = String::from_utf8(found[&format!("txt/{name}.txt")].clone()).unwrap();
        assert!(text.contains("VeridianOS 0.6.0-rc1"), "{text}");
        assert!(text.contains("2026"), "{text}");
        assert!(
            !text.contains('\u{8}') && text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        let page = format!("html/{name}.html");
        assert_valid_html(&out.join(&page));
        assert_links_lead_somewhere(&found, &page);
    }
    for page in ["index.html", "html/index.html"] {
        assert_valid_html(&out.join(page));
        assert_links_lead_somewhere(&found, page);
    }
    let text = String::from_utf8_lossy(&found["txt/vrel-log.1.txt"]).into_owned();
    assert!(
        text.contains("EXAMPLES\n       vrel log 0.6.0\n")
            || text.contains("EXAMPLES\n         vrel log 0.6.0\n"),
        "{text}"
    );
}

#[test]
fn readers_find_a_page_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    pack(&os(), &released(), &[], dir.path()).unwrap();
    let output = Command::new("man")
        .arg("-M")
        .arg(dir.path().join("man"))
        .args(["8", "init"])
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("first process of the system"),
        "{text}"
    );
}

#[test]
fn sources_are_clean_before_they_are_stamped() {
    for program in released() {
        for entry in std::fs::read_dir(os().join("user").join(program).join("man")).unwrap() {
            assert_eq!(faults(&entry.unwrap().path()), "");
        }
    }
}

#[test]
fn pages_are_the_same_wherever_they_are_made() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (
        dir.path().join("one"),
        dir.path().join("another directory/of pages"),
    );
    for out in [&one, &other] {
        pack(&os(), &released(), &[page("vrel-log.1", COMMAND)], out).unwrap();
    }
    assert_same(&tree(&one), &tree(&other));
}

#[test]
fn what_is_wrong_with_pages_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let head = ".Dd x\n.Dt A 1\n.Os\n.Sh NAME\n.Nm a\n.Nd b\n";
    let refused = |programs: &[&str], others: &[Page]| {
        let programs: Vec<String> = programs.iter().map(|&program| program.to_owned()).collect();
        pack(&os(), &programs, others, &dir.path().join("out"))
            .unwrap_err()
            .to_string()
    };
    let error = refused(&["fault"], &[]);
    assert!(
        error.contains("a manual page of the program `fault`") && error.contains("fault.8"),
        "{error}"
    );
    let error = refused(&[], &[page("a.1", head), page("a.1", head)]);
    assert_eq!(error, "expected one manual page a.1, got two");
    let error = refused(&[], &[page("a.1", &format!("{head}.Sh SEE ALSO\n.Xr b 1\n"))]);
    assert!(error.contains("a.1 refers to b(1)"), "{error}");
    let error = refused(&[], &[page("a.1", &format!("{head}.Bd -wrong\n"))]);
    assert!(
        error.starts_with("the manual page a.1 has mistakes:\n") && error.contains("WARNING"),
        "{error}"
    );
    let error = refused(&[], &[page("a.1", "no page\n")]);
    assert!(error.starts_with("a.1: expected a page in mdoc"), "{error}");
}

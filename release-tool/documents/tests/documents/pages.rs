//! Pages are valid HTML, as a program finds that has nothing to do with this project.

use crate::{full, full_upgrade, release};
use std::process::Command;
use vrel_documents::guides::{Upgrade, installation, upgrade};
use vrel_documents::markdown::Document;
use vrel_documents::reference::{Library, front_page};

/// Everything that Markdown has, and some that it has not.
const KITCHEN_SINK: &str = "\
Text before a title with `code`, *emphasis*, **weight**, ~~strikes~~, [a *link*](https://example.org/?a=1&b=2 \"title\"),
![a picture](x.png), <https://example.org/ä>, <me@example.org>, a hard  \nbreak, &amp; &lt; &copy; &#0; and \\*escapes\\*.

### Third level first
# Title `code` [link](x) <b>
## Same
## Same
#### Fourth
## Part
### Inner

- tight
- list
  - inner

7. spread

   paragraph

   ```rust
   fn main() {} // <>&\"'
   ```
8. item
9.

> quote
> > inner
>
> - list

| left | middle | right | |
| :--- | :---: | ---: | --- |
| `a\\|b` | | [x](y) | <i> |
| one |

| head only |
| --- |

***

    indented code

<div id=\"x\" onclick='y'>
<p>

<!-- comment --><br/>

[reference][ref] [undefined][no] [^1] $x$ - [ ] task

[ref]: <https://example.org/a b>
";

fn assert_valid(page: &str, what: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page.html");
    std::fs::write(&path, page).unwrap();
    let output = Command::new("tidy")
        .args([
            "-quiet",
            "-errors",
            "-utf8",
            "--strict-tags-attributes",
            "yes",
            "--drop-empty-elements",
            "no",
        ])
        .arg(&path)
        .output()
        .unwrap_or_else(|error| panic!("tidy (see requirements.toml): {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty(),
        "{what}:\n{said}\n{page}"
    );
}

#[test]
fn guides_are_valid_pages() {
    for (what, markdown) in [
        ("installation", installation(&full()).unwrap()),
        ("empty installation", installation(&release(&[], &[])).unwrap()),
        ("upgrade", upgrade(&full(), &full_upgrade()).unwrap()),
        ("first upgrade", upgrade(&full(), &Upgrade::default()).unwrap()),
    ] {
        assert_valid(&Document::read(&markdown).html("Guide"), what);
    }
}

#[test]
fn any_markdown_is_a_valid_page() {
    for markdown in [KITCHEN_SINK, "word\n", "# T\n"] {
        assert_valid(&Document::read(markdown).html("Untitled"), "a page");
    }
    let libraries = [Library {
        name: "rt".to_owned(),
        description: "runtime".to_owned(),
    }];
    let front = front_page(
        "VeridianOS",
        &"0.6.0".parse().unwrap(),
        &libraries,
        "system-calls.html",
    );
    assert_valid(&Document::read(&front).html("Reference"), "the front page");
    let reference = include_str!("../../../../os/abi/SYSCALLS.md");
    assert_valid(&Document::read(reference).html("System calls"), "the reference");
}

#[test]
fn the_validator_finds_mistakes() {
    let good = Document::read("# T\n\nx\n").html("T");
    let bad = good.replace("<p>x</p>", "<p><a href=x>x</p></a><blink>");
    assert_ne!(good, bad);
    assert!(std::panic::catch_unwind(|| assert_valid(&bad, "bad")).is_err());
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let page = Document::read(KITCHEN_SINK).html("Untitled");
    for foreign in [
        "<script", "<link", "<img", "<iframe", "<object", " src=", "@import", "url(", " style=",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("default-src 'none'"));
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    assert!(page.contains("<html lang=\"en\">") && page.contains("name=\"viewport\""));
}

#[test]
fn links_within_a_page_lead_somewhere() {
    for markdown in [KITCHEN_SINK, &installation(&full()).unwrap()] {
        let page = Document::read(markdown).html("Untitled");
        let mut found = 0;
        for target in page
            .split(" href=\"#")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert_eq!(page.matches(&format!(" id=\"{target}\"")).count(), 1, "#{target}");
            found += 1;
        }
        assert!(found > 3);
    }
}

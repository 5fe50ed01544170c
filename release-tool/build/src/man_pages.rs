//! The manual pages of a release as a tree of files.
//!
//! ```text
//! index.html
//! man/man8/init.8        for `man -M man`
//! html/init.8.html       for browsers, with html/index.html
//! txt/init.8.txt         for everything else
//! ```

use crate::BuildError;
use crate::mandoc::{Mandoc, Rendering};
use std::path::Path;
use vrel_documents::manual::{self, Page, PageName, Stamp};
use vrel_documents::markdown::Document;
use vrel_world::{ErrorKind, World, WorldError};

/// Which pages, for which release.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The operating system's source directory.
    pub os: &'a Path,
    /// The released programs, each with pages in `user/<program>/man/`.
    pub programs: &'a [String],
    /// Pages that come from elsewhere: those of the tool.
    pub others: &'a [Page],
    /// The release.
    pub stamp: &'a Stamp,
    /// What renders them.
    pub mandoc: &'a Mandoc,
}

/// Writes the tree into `out`, an empty directory or one that is still to be made, and lists its files, sorted.
///
/// Pages are dated with the release. The same pages and the same `mandoc` give the same bytes.
///
/// # Errors
/// When a program has no page, when two pages have the same name, when a page is not as [`Page::stamp`] wants it, refers to
/// one that there is not, or is found fault with by `mandoc`, and when an effect fails.
pub fn write(world: &dyn World, request: &Request<'_>, out: &Path) -> Result<Vec<String>, BuildError> {
    let mut pages = Vec::new();
    for page in collect(world, request)? {
        pages.push(page.stamp(request.stamp)?);
    }
    pages.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(pair) = pages.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(BuildError::DoublePage {
            page: pair[0].name.to_string(),
        });
    }
    let names: Vec<PageName> = pages.iter().map(|page| page.name.clone()).collect();
    let mut files = Files {
        world,
        out,
        written: Vec::new(),
    };
    for page in &pages {
        world.check_interrupt()?;
        page.check_references(&names)?;
        files.write(&format!("man/{}", page.name.path()), &page.source)?;
        let dir = out.join(format!("man/man{}", page.name.section()));
        let file = page.name.to_string();
        request.mandoc.check(world, &dir, &file)?;
        let render = |rendering| {
            let system = request.stamp.system();
            request.mandoc.render(world, &dir, &file, &system, rendering)
        };
        let html = manual::page(&page.name, request.stamp, &render(Rendering::HtmlFragment)?);
        files.write(&format!("html/{file}.html"), &html)?;
        files.write(
            &format!("txt/{file}.txt"),
            &manual::plain(&render(Rendering::Text)?),
        )?;
    }
    let described: Vec<_> = pages
        .iter()
        .map(|page| (page.name.clone(), page.description()))
        .collect();
    for (path, directory) in [("index.html", "html/"), ("html/index.html", "")] {
        let contents = manual::contents(&described, request.stamp, |name| {
            format!("{directory}{name}.html")
        });
        files.write(path, &Document::read(&contents).html("Manual pages"))?;
    }
    files.written.sort();
    Ok(files.written)
}

/// The pages of the programs, and the others.
fn collect(world: &dyn World, request: &Request<'_>) -> Result<Vec<Page>, BuildError> {
    let mut pages = request.others.to_vec();
    for program in request.programs {
        let dir = request.os.join("user").join(program).join("man");
        let entries = match world.fs().metadata(&dir)? {
            Some(_) => world.fs().list(&dir)?,
            None => Vec::new(),
        };
        if entries.is_empty() {
            return Err(BuildError::NoManPage {
                program: program.clone(),
                dir,
            });
        }
        for entry in entries {
            let path = dir.join(&entry.name);
            let source = String::from_utf8(world.fs().read(&path)?).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                let reason = format!("expected UTF-8, got something else from byte {at} on");
                WorldError::new("read", path.display().to_string(), ErrorKind::Other, reason)
            })?;
            pages.push(Page {
                name: entry.name.parse()?,
                source,
            });
        }
    }
    Ok(pages)
}

/// A tree in the making.
struct Files<'a> {
    world: &'a dyn World,
    out: &'a Path,
    written: Vec<String>,
}

impl Files<'_> {
    fn write(&mut self, path: &str, content: &str) -> Result<(), BuildError> {
        let target = self.out.join(path);
        if let Some(parent) = target.parent() {
            self.world.fs().create_dir_all(parent)?;
        }
        self.world.fs().write(&target, content.as_bytes(), 0o644)?;
        self.written.push(path.to_owned());
        Ok(())
    }
}

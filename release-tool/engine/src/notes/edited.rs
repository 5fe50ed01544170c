//! The notes that a person edits, `notes/VERSION.md`, and what was generated for them.

use crate::{EngineError, Site};
use std::path::PathBuf;
use vrel_model::Version;
use vrel_notes::{NotesContext, check_edited, conflict, draft, render, render_edited};
use vrel_world::World;

/// What became of notes that a person may have edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// They are there now, and were not before.
    Written(PathBuf),
    /// What is generated anew was merged into them.
    Merged(PathBuf),
    /// As before, but both sides changed the same lines: the file has both.
    Conflicts(PathBuf),
    /// What is generated is what was generated before.
    Unchanged(PathBuf),
}

fn name(version: &Version) -> String {
    format!("notes/{version}.md")
}

/// Where what was generated last is kept, beside the edited file and in git like it: the base of the next merge, in every
/// clone and whichever version of the tool made it.
fn generated_name(version: &Version) -> String {
    format!("notes/generated/{version}.md")
}

/// Writes the notes for a person to edit, or merges what is generated now into what a person edited.
///
/// # Errors
/// When the file has conflicts that nobody decided, or when it is there and what was generated for it is not.
pub fn edit_notes(world: &dyn World, site: &Site, context: &NotesContext) -> Result<Edit, EngineError> {
    let path = site.root().join(name(&context.version));
    let base_path = site.root().join(generated_name(&context.version));
    let theirs = draft(context).map_err(|error| EngineError::Policy {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let wrong = |reason: String| EngineError::Policy {
        path: name(&context.version).into(),
        reason,
    };
    let read = |path: &PathBuf| -> Result<Option<String>, EngineError> {
        if world.fs().metadata(path)?.is_none() {
            return Ok(None);
        }
        let text = String::from_utf8(world.fs().read(path)?);
        text.map(Some)
            .map_err(|_| wrong("this file is not UTF-8 text".to_owned()))
    };
    let write = |path: &PathBuf, text: &str| -> Result<(), EngineError> {
        if let Some(parent) = path.parent() {
            world.fs().create_dir_all(parent)?;
        }
        Ok(world.fs().write(path, text.as_bytes(), 0o644)?)
    };
    let Some(ours) = read(&path)? else {
        // The base first: with the file alone, nobody could tell what a person wrote.
        write(&base_path, &theirs)?;
        write(&path, &theirs)?;
        return Ok(Edit::Written(path));
    };
    if let Some(line) = conflict(&ours) {
        let line = line + 1;
        return Err(wrong(format!(
            "line {line} is the mark of a conflict: decide, and remove the marks"
        )));
    }
    let Some(base) = read(&base_path)? else {
        let base = generated_name(&context.version);
        return Err(wrong(format!(
            "{base}, from which it was edited, is not there: get it back from git, or move the edited file away"
        )));
    };
    if base == theirs {
        return Ok(Edit::Unchanged(path));
    }
    let merged = world.git().merge_texts(&base, &ours, &theirs)?;
    // The file first: after a crash between the two, the same changes come from both sides, and that is no conflict.
    write(&path, &merged.text)?;
    write(&base_path, &theirs)?;
    Ok(if merged.is_clean {
        Edit::Merged(path)
    } else {
        Edit::Conflicts(path)
    })
}

/// The notes as they are published: with the sections that a person edited, where the release's commit has them.
///
/// # Errors
/// When what was edited cannot be published.
pub fn published_notes(
    world: &dyn World,
    site: &Site,
    commit: &str,
    context: &NotesContext,
) -> Result<String, EngineError> {
    let path = name(&context.version);
    let wrong = |reason: String| EngineError::Policy {
        path: PathBuf::from(&path),
        reason,
    };
    let Some(bytes) = world.git().file_at(site.root(), commit, &path)? else {
        return render(context).map_err(|error| wrong(error.to_string()));
    };
    let edited = String::from_utf8(bytes).map_err(|_| wrong("this file is not UTF-8 text".to_owned()))?;
    check_edited(context, &edited).map_err(|error| wrong(error.to_string()))?;
    render_edited(context, &edited).map_err(|error| wrong(error.to_string()))
}

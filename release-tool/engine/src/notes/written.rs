//! What people wrote down apart from the commits: fragments, and the known issues of the living plan.

use crate::EngineError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use vrel_model::{Config, Version};
use vrel_notes::{Fragment, FragmentKind, KnownIssue};
use vrel_todo::Todo;
use vrel_world::Git;

/// Where fragments lie.
const DIRECTORY: &str = "notes";

/// What is written down at some commits. What several of them have is read once.
pub(super) struct Written<'w> {
    git: &'w dyn Git,
    root: &'w Path,
    plan_path: String,
    /// The fragments' directory by commit.
    directories: HashMap<String, String>,
    /// The living plan by commit.
    plans: HashMap<String, String>,
    read_directories: HashMap<String, Vec<Read>>,
    /// `None` for a plan that cannot be read.
    read_plans: HashMap<String, Option<Todo>>,
}

/// A fragment as it lies in the tree.
struct Read {
    path: String,
    text: String,
    fragment: Fragment,
}

impl<'w> Written<'w> {
    pub(super) fn new(
        git: &'w dyn Git,
        root: &'w Path,
        config: &Config,
        commits: &[&str],
    ) -> Result<Self, EngineError> {
        let plan_path = config.plan.file.to_string_lossy().into_owned();
        let objects = |path: &str| -> Result<HashMap<String, String>, EngineError> {
            let objects = git.objects_at(root, commits, path)?;
            let both = commits.iter().zip(objects);
            Ok(both
                .filter_map(|(commit, object)| Some(((*commit).to_owned(), object?)))
                .collect())
        };
        Ok(Self {
            git,
            root,
            directories: objects(DIRECTORY)?,
            plans: objects(&plan_path)?,
            plan_path,
            read_directories: HashMap::new(),
            read_plans: HashMap::new(),
        })
    }

    /// The fragments of a release's commit that the commit of the release before does not have, and the known issues among
    /// them. None is an advisory that calls the release affected. A fragment is known by its path: wherever it was picked or merged to, it is told of once.
    pub(super) fn fragments(
        &mut self,
        version: &Version,
        commit: &str,
        before: Option<&str>,
    ) -> Result<Vec<Fragment>, EngineError> {
        let told: Vec<String> = match before {
            Some(before) if self.directories.contains_key(commit) => self.paths(before)?,
            _ => Vec::new(),
        };
        let Some(directory) = self.directories.get(commit).cloned() else {
            return Ok(Vec::new());
        };
        if !self.read_directories.contains_key(&directory) {
            let read = self.read(commit)?;
            self.read_directories.insert(directory.clone(), read);
        }
        let all = self.read_directories.get(&directory).into_iter().flatten();
        let mut ours = Vec::new();
        for Read { path, text, fragment } in all {
            let is_ours = match fragment.kind {
                FragmentKind::KnownIssue => fragment.is_known_in(version),
                _ => !told.contains(path),
            };
            if is_ours {
                fragment.check_news_of(version, Path::new(path), text)?;
                ours.push(fragment.clone());
            }
        }
        Ok(ours)
    }

    fn paths(&self, commit: &str) -> Result<Vec<String>, EngineError> {
        if !self.directories.contains_key(commit) {
            return Ok(Vec::new());
        }
        let mut paths = self.git.paths_at(self.root, commit, DIRECTORY)?;
        paths.retain(|path| path.ends_with(".toml"));
        Ok(paths)
    }

    fn read(&self, commit: &str) -> Result<Vec<Read>, EngineError> {
        let read = |path: String| {
            let bytes = self.git.file_at(self.root, commit, &path)?.unwrap_or_default();
            let text = String::from_utf8(bytes).map_err(|_| EngineError::Policy {
                path: PathBuf::from(&path),
                reason: "this file is not UTF-8 text".to_owned(),
            })?;
            let fragment = Fragment::parse(Path::new(&path), &text)?;
            Ok(Read { path, text, fragment })
        };
        self.paths(commit)?.into_iter().map(read).collect()
    }

    /// The issues that the living plan of a commit says are known in a release. A plan that cannot be read has none: the
    /// notes of an old release must not depend on what plans look like today.
    pub(super) fn known_issues(
        &mut self,
        version: &Version,
        commit: &str,
    ) -> Result<Vec<KnownIssue>, EngineError> {
        let Some(object) = self.plans.get(commit).cloned() else {
            return Ok(Vec::new());
        };
        if !self.read_plans.contains_key(&object) {
            let bytes = self
                .git
                .file_at(self.root, commit, &self.plan_path)?
                .unwrap_or_default();
            let text = String::from_utf8(bytes).ok();
            let plan = text.and_then(|text| Todo::parse(&text).ok());
            self.read_plans.insert(object.clone(), plan);
        }
        let Some(Some(plan)) = self.read_plans.get(&object) else {
            return Ok(Vec::new());
        };
        let issues = plan.known_issues_of(version).into_iter().map(|issue| KnownIssue {
            area: None,
            text: issue.text.clone(),
            workaround: issue.workaround.clone(),
        });
        Ok(issues.collect())
    }
}

//! Real repositories: libgit2 for everything local, the `git` program for remotes and signatures, because those follow
//! the user's own configuration (credentials, hooks, signing programs).

use super::last_read::{LastRead, Reading};
use super::picking::RealPicking;
use super::process::RealProcesses;
use super::tag_names;
use super::{Interrupt, git_commits, git_write, history};
use crate::{
    Command, Difference, ErrorKind, FileCommit, FilesCommit, Git, Head, MergedText, NewTag, Picking,
    Processes, PushRef, Result, TagInfo, TreeFile, TreeFileKind, WorldError,
};
use git2::build::TreeUpdateBuilder;
use git2::{
    FileMode, MergeFileInput, MergeFileOptions, ObjectType, Oid, Repository, Signature, StatusOptions, Time,
    TreeWalkMode, TreeWalkResult,
};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use vrel_model::{HistoryCommit, UtcTime};

#[derive(Debug, Default)]
pub(super) struct RealGit {
    interrupt: Interrupt,
    /// Further places of objects, besides the repository's own.
    object_dirs: Vec<PathBuf>,
    picking: RealPicking,
    /// What was read last.
    last: LastRead,
}

impl RealGit {
    pub(super) fn new(interrupt: Interrupt) -> Self {
        // The walk over a long history spends half its time on re-hashing objects that it only reads.
        git2::opts::strict_hash_verification(false);
        Self {
            picking: RealPicking::new(interrupt.clone()),
            interrupt,
            object_dirs: Vec::new(),
            last: LastRead::default(),
        }
    }

    pub(super) fn look_in(&mut self, object_dirs: Vec<PathBuf>) {
        self.object_dirs = object_dirs;
        self.last = LastRead::default();
    }

    /// As [`Self::open`], for what asks for objects and refs alone.
    fn reading(&self, repo: &Path) -> Result<Reading<'_>> {
        let repository = match self.last.take(repo) {
            Some(kept) => kept,
            None => self.open(repo)?,
        };
        Ok(Reading::new(repository, repo, &self.last))
    }

    fn open(&self, repo: &Path) -> Result<Repository> {
        let open = || {
            let repo = Repository::open(repo)?;
            for dir in &self.object_dirs {
                repo.odb()?.add_disk_alternate(&dir.to_string_lossy())?;
            }
            Ok(repo)
        };
        open().map_err(|error| failed("open the repository", repo.display().to_string(), &error))
    }

    pub(super) fn command(repo: &Path) -> Command {
        // Never ask on a terminal: a cron job would hang.
        Command::new("git")
            .args(["-C", &repo.display().to_string()])
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
    }

    fn output(&self, command: &Command) -> Result<Vec<u8>> {
        RealProcesses::new(self.interrupt.clone(), None).output(command)
    }

    /// Runs git, and says whether it succeeded and what it printed.
    fn said(&self, command: &Command) -> Result<(bool, Vec<String>)> {
        let mut said = Vec::new();
        let exit = RealProcesses::new(self.interrupt.clone(), None).run(command, &mut |_, line| {
            said.push(String::from_utf8_lossy(line).trim().to_owned());
        })?;
        Ok((exit.success(), said))
    }

    fn push_specs(&self, repo: &Path, remote: &str, refs: &[PushRef], specs: &[String]) -> Result<()> {
        let mut command = Self::command(repo).args(["push", "--porcelain", "--atomic"]);
        for one in refs {
            let expected = one.expected.as_deref().unwrap_or_default();
            command = command.arg(format!("--force-with-lease={}:{expected}", one.name));
        }
        command = command.args(["--", remote]).args(specs.iter().cloned());
        let (success, said) = self.said(&command)?;
        if success {
            return Ok(());
        }
        let names: Vec<_> = refs.iter().map(|one| one.name.as_str()).collect();
        let kind = if said.iter().any(|line| line.starts_with('!')) {
            ErrorKind::Rejected
        } else {
            ErrorKind::Other
        };
        let what = format!("{} to {remote}", names.join(", "));
        Err(WorldError::new("push", what, kind, said.join("; ")))
    }
}

pub(super) fn failed(action: &'static str, object: impl Into<String>, error: &git2::Error) -> WorldError {
    let kind = match error.code() {
        git2::ErrorCode::NotFound | git2::ErrorCode::UnbornBranch => ErrorKind::NotFound,
        git2::ErrorCode::Exists => ErrorKind::Exists,
        git2::ErrorCode::Modified => ErrorKind::Rejected,
        _ => ErrorKind::Other,
    };
    WorldError::new(action, object, kind, error.message())
}

pub(super) fn oid(text: &str) -> Result<Oid> {
    Oid::from_str(text).map_err(|error| failed("read the object id", text, &error))
}

pub(super) fn find_commit<'r>(repo: &'r Repository, id: &str) -> Result<git2::Commit<'r>> {
    repo.find_commit(oid(id)?)
        .map_err(|error| failed("read the commit", id, &error))
}

pub(super) fn identity(repo: &Repository, time: UtcTime) -> Result<Signature<'static>> {
    let configured = repo.signature().map_err(|_| {
        let reason =
            "no name and mail address are configured; set them with `git config user.name` and `user.email`";
        WorldError::new("sign", "a commit or tag", ErrorKind::NotFound, reason)
    })?;
    let name = configured.name().unwrap_or_default().to_owned();
    let email = configured.email().unwrap_or_default().to_owned();
    Signature::new(&name, &email, &Time::new(time.unix(), 0))
        .map_err(|error| failed("use the identity", name, &error))
}

fn time_of(commit: &git2::Commit<'_>) -> Result<UtcTime> {
    UtcTime::from_unix(commit.time().seconds()).map_err(|error| {
        WorldError::new(
            "read the time of",
            commit.id().to_string(),
            ErrorKind::Other,
            error.to_string(),
        )
    })
}

/// What a ref says of a tag; `None` for a name that is not UTF-8 and for a tag of a tree or a blob: those are no releases.
fn tag_info(repo: &Repository, reference: &git2::Reference<'_>) -> Result<Option<TagInfo>> {
    let (Ok(name), Some(object), Ok(commit)) =
        (reference.name(), reference.target(), reference.peel_to_commit())
    else {
        return Ok(None);
    };
    let tagged = repo
        .find_tag(object)
        .ok()
        .and_then(|tag| tag.tagger().map(|tagger| tagger.when().seconds()))
        .and_then(|seconds| UtcTime::from_unix(seconds).ok());
    Ok(Some(TagInfo {
        name: name.trim_start_matches("refs/tags/").to_owned(),
        object: object.to_string(),
        commit: commit.id().to_string(),
        time: match tagged {
            Some(time) => time,
            None => time_of(&commit)?,
        },
    }))
}

fn merge_texts(base: &str, ours: &str, theirs: &str) -> std::result::Result<MergedText, git2::Error> {
    let [mut ancestor, mut mine, mut other] = [(); 3].map(|()| MergeFileInput::new());
    ancestor.content(base.as_bytes());
    mine.content(ours.as_bytes());
    other.content(theirs.as_bytes());
    let mut options = MergeFileOptions::new();
    options
        .our_label("edited")
        .their_label("generated")
        .ancestor_label("generated before");
    let merged = git2::merge_file(&ancestor, &mine, &other, Some(&mut options))?;
    Ok(MergedText {
        text: String::from_utf8_lossy(merged.content()).into_owned(),
        is_clean: merged.is_automergeable(),
    })
}

/// Brings the index and the work tree in line with a file that was just committed on the checked-out branch. A file
/// that is neither as it was before (`old`) nor as it is now holds a person's work and stays.
fn refresh_work_tree(repo: &Repository, commit: &FileCommit<'_>, old: Option<&[u8]>) -> Result<()> {
    let head = repo
        .find_reference("HEAD")
        .map_err(|error| failed("read", "HEAD", &error))?;
    let on_branch = head.symbolic_target().ok().flatten() == Some(&format!("refs/heads/{}", commit.branch));
    let Some(work_tree) = repo.workdir().filter(|_| on_branch) else {
        return Ok(());
    };
    let file = work_tree.join(commit.path);
    let there = std::fs::read(&file).ok();
    if there.as_deref() != Some(commit.content) {
        if there.as_deref() != old {
            return Ok(());
        }
        replace_file(repo.path(), &file, commit.content)?;
    }
    let update = || {
        let mut index = repo.index()?;
        index.read(true)?;
        index.add_path(Path::new(commit.path))?;
        index.write()
    };
    update().map_err(|error| failed("update the index for", commit.path, &error))
}

/// Replaces a file of the work tree in one step. The unfinished file lies in the git directory, where no status shows it.
fn replace_file(git_dir: &Path, file: &Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    let write = || {
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut temporary = tempfile::Builder::new().prefix("vrel-").tempfile_in(git_dir)?;
        temporary.write_all(content)?;
        let mode = std::fs::metadata(file).map_or(0o644, |found| found.permissions().mode());
        temporary
            .as_file()
            .set_permissions(std::fs::Permissions::from_mode(mode))?;
        temporary.persist(file).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error| WorldError::io("write", file, &error))
}

fn write_if_different(path: &Path, kind: TreeFileKind, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let present = std::fs::symlink_metadata(path).ok();
    if kind == TreeFileKind::Symlink {
        use std::os::unix::ffi::OsStrExt;
        let target = Path::new(std::ffi::OsStr::from_bytes(content));
        if std::fs::read_link(path).is_ok_and(|there| there == target) {
            return Ok(());
        }
        if present.is_some() {
            std::fs::remove_file(path)?;
        }
        return std::os::unix::fs::symlink(target, path);
    }
    if present.as_ref().is_some_and(|there| !there.is_file()) {
        std::fs::remove_file(path)?;
    }
    if !std::fs::read(path).is_ok_and(|there| there == content) {
        std::fs::write(path, content)?;
    }
    let mode = if kind == TreeFileKind::Executable {
        0o755
    } else {
        0o644
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

fn remove_others(dir: &Path, keep: &HashSet<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if std::fs::symlink_metadata(&path)?.is_dir() {
            if keep.iter().any(|kept| kept.starts_with(&path)) {
                remove_others(&path, keep)?;
            } else {
                std::fs::remove_dir_all(&path)?;
            }
        } else if !keep.contains(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

impl Git for RealGit {
    fn picking(&self) -> &dyn Picking {
        &self.picking
    }

    fn discover(&self, path: &Path) -> Result<PathBuf> {
        let repo = Repository::discover(path)
            .map_err(|error| failed("find a git repository at", path.display().to_string(), &error))?;
        repo.workdir().map(Path::to_owned).ok_or_else(|| {
            WorldError::new(
                "use",
                path.display().to_string(),
                ErrorKind::Other,
                "the repository has no work tree",
            )
        })
    }

    fn head(&self, repo: &Path) -> Result<Head> {
        let repo = self.open(repo)?;
        let head = repo
            .find_reference("HEAD")
            .map_err(|error| failed("read", "HEAD", &error))?;
        let branch = head
            .symbolic_target()
            .ok()
            .flatten()
            .and_then(|name| name.strip_prefix("refs/heads/"));
        let commit = head.peel_to_commit().ok().map(|commit| commit.id().to_string());
        Ok(Head {
            branch: branch.map(str::to_owned),
            commit,
        })
    }

    fn dirty_paths(&self, repo: &Path) -> Result<Vec<String>> {
        let opened = self.open(repo)?;
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(false)
            .include_ignored(false);
        let statuses = opened
            .statuses(Some(&mut options))
            .map_err(|error| failed("read the status of", repo.display().to_string(), &error))?;
        let mut paths: Vec<_> = statuses
            .iter()
            .map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned())
            .collect();
        paths.sort();
        Ok(paths)
    }

    fn is_shallow(&self, repo: &Path) -> Result<bool> {
        Ok(self.reading(repo)?.is_shallow())
    }

    fn resolve(&self, repo: &Path, name: &str) -> Result<Option<String>> {
        match self.reading(repo)?.refname_to_id(name) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed("read the ref", name, &error)),
        }
    }

    fn tags(&self, repo: &Path) -> Result<Vec<TagInfo>> {
        let repo = self.reading(repo)?;
        let mut tags = Vec::new();
        let references = repo
            .references_glob("refs/tags/*")
            .map_err(|error| failed("list", "the tags", &error))?;
        for reference in references {
            let reference = reference.map_err(|error| failed("list", "the tags", &error))?;
            tags.extend(tag_info(&repo, &reference)?);
        }
        tags.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(tags)
    }

    fn tag_names(&self, repo: &Path) -> Result<Vec<String>> {
        tag_names::read(self.reading(repo)?.commondir())
    }

    fn tag(&self, repo: &Path, name: &str) -> Result<Option<TagInfo>> {
        let repo = self.reading(repo)?;
        match repo.find_reference(&format!("refs/tags/{name}")) {
            Ok(reference) => tag_info(&repo, &reference),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed("read the tag", name, &error)),
        }
    }

    fn commit_time(&self, repo: &Path, commit: &str) -> Result<UtcTime> {
        time_of(&find_commit(&*self.reading(repo)?, commit)?)
    }

    fn first_parent(&self, repo: &Path, commit: &str) -> Result<Option<String>> {
        Ok(find_commit(&*self.reading(repo)?, commit)?
            .parent_id(0)
            .ok()
            .map(|id| id.to_string()))
    }

    fn is_ancestor(&self, repo: &Path, ancestor: &str, descendant: &str) -> Result<bool> {
        if ancestor == descendant {
            return Ok(true);
        }
        self.reading(repo)?
            .graph_descendant_of(oid(descendant)?, oid(ancestor)?)
            .map_err(|error| failed("compare", format!("{ancestor} with {descendant}"), &error))
    }

    fn history(
        &self,
        repo: &Path,
        hidden: &[&str],
        to: &str,
        visit: &mut dyn FnMut(HistoryCommit),
    ) -> Result<()> {
        let difference = history::difference(&self.interrupt, &*self.reading(repo)?, &[to], hidden)?;
        difference.ours.into_iter().for_each(visit);
        Ok(())
    }

    fn difference(&self, repo: &Path, ours: &[&str], theirs: &[&str]) -> Result<Difference> {
        history::difference(&self.interrupt, &*self.reading(repo)?, ours, theirs)
    }

    fn objects_at(&self, repo: &Path, commits: &[&str], path: &str) -> Result<Vec<Option<String>>> {
        history::objects_at(&*self.reading(repo)?, commits, path)
    }

    fn merge_texts(&self, base: &str, ours: &str, theirs: &str) -> Result<MergedText> {
        merge_texts(base, ours, theirs).map_err(|error| failed("merge", "two texts", &error))
    }

    fn patch_id(&self, repo: &Path, commit: &str) -> Result<Option<String>> {
        history::patch_id(&*self.reading(repo)?, commit)
    }

    fn equal_patches(&self, repo: &Path, ours: &[&str], theirs: &[&str]) -> Result<Vec<Option<usize>>> {
        history::equal_patches(&self.interrupt, &*self.reading(repo)?, ours, theirs)
    }

    fn file_at(&self, repo: &Path, commit: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let repo = self.reading(repo)?;
        let read_error = |error: git2::Error| failed("read", format!("{path} of {commit}"), &error);
        let tree = find_commit(&repo, commit)?.tree().map_err(read_error)?;
        match tree.get_path(Path::new(path)) {
            Ok(entry) => {
                let blob = repo.find_blob(entry.id()).map_err(read_error)?;
                Ok(Some(blob.content().to_vec()))
            }
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(read_error(error)),
        }
    }

    fn walk_tree(
        &self,
        repo: &Path,
        commit: &str,
        visit: &mut dyn FnMut(TreeFile<'_>) -> Result<()>,
    ) -> Result<()> {
        let repo = self.open(repo)?;
        let tree = find_commit(&repo, commit)?
            .tree()
            .map_err(|error| failed("read the tree of", commit, &error))?;
        let mut outcome = Ok(());
        let walked = tree.walk(TreeWalkMode::PreOrder, |directory, entry| {
            let mut one = || {
                self.interrupt.check()?;
                let path = format!("{directory}{}", String::from_utf8_lossy(entry.name_bytes()));
                let kind = match (entry.kind(), entry.filemode()) {
                    (Some(ObjectType::Tree), _) => return Ok(()),
                    (Some(ObjectType::Blob), 0o120_000) => TreeFileKind::Symlink,
                    (Some(ObjectType::Blob), 0o100_755) => TreeFileKind::Executable,
                    (Some(ObjectType::Blob), _) => TreeFileKind::File,
                    _ => {
                        let reason = "it is a submodule, which a release cannot contain";
                        return Err(WorldError::new("read", path, ErrorKind::Other, reason));
                    }
                };
                let blob = repo
                    .find_blob(entry.id())
                    .map_err(|error| failed("read", path.as_str(), &error))?;
                visit(TreeFile {
                    path: &path,
                    kind,
                    content: blob.content(),
                })
            };
            match one() {
                Ok(()) => TreeWalkResult::Ok,
                Err(error) => {
                    outcome = Err(error);
                    TreeWalkResult::Abort
                }
            }
        });
        outcome?;
        walked.map_err(|error| failed("read the tree of", commit, &error))
    }

    fn export(&self, repo: &Path, commit: &str, dir: &Path) -> Result<()> {
        let make = std::fs::create_dir_all(dir);
        make.map_err(|error| WorldError::io("make the directory", dir, &error))?;
        let mut keep = HashSet::new();
        self.walk_tree(repo, commit, &mut |file| {
            let path = dir.join(file.path);
            write_if_different(&path, file.kind, file.content)
                .map_err(|error| WorldError::io("write", &path, &error))?;
            keep.insert(path);
            Ok(())
        })?;
        remove_others(dir, &keep).map_err(|error| WorldError::io("clean", dir, &error))
    }

    fn identity_problem(&self, repo: &Path) -> Result<Option<String>> {
        let time = UtcTime::from_unix(0)
            .map_err(|error| WorldError::new("read", "the time", ErrorKind::Other, error.to_string()))?;
        Ok(identity(&self.open(repo)?, time)
            .err()
            .map(|error| error.to_string()))
    }

    fn committer(&self, repo: &Path) -> Result<String> {
        let time = UtcTime::from_unix(0)
            .map_err(|error| WorldError::new("read", "the time", ErrorKind::Other, error.to_string()))?;
        Ok(identity(&self.open(repo)?, time)?.to_string())
    }

    fn create_branch(&self, repo: &Path, name: &str, commit: &str) -> Result<()> {
        let repo = self.open(repo)?;
        let commit = find_commit(&repo, commit)?;
        repo.branch(name, &commit, false)
            .map_err(|error| failed("make the branch", name, &error))?;
        Ok(())
    }

    fn signs_tags(&self, repo: &Path) -> Result<bool> {
        let config = self
            .open(repo)?
            .config()
            .map_err(|error| failed("read", "the git configuration", &error))?;
        Ok(config.get_bool("tag.gpgSign").unwrap_or(false) || config.get_string("user.signingkey").is_ok())
    }

    fn create_tag(&self, repo: &Path, tag: &NewTag<'_>) -> Result<String> {
        let opened = self.open(repo)?;
        let tagger = identity(&opened, tag.time)?;
        if self.signs_tags(repo)? {
            let date = format!("@{} +0000", tag.time.unix());
            let command = Self::command(repo).env("GIT_COMMITTER_DATE", date).args([
                "tag",
                "-s",
                "-m",
                tag.message,
                "--",
                tag.name,
                tag.commit,
            ]);
            self.output(&command)?;
            let name = format!("refs/tags/{}", tag.name);
            return self
                .resolve(repo, &name)?
                .ok_or_else(|| WorldError::new("find", name, ErrorKind::NotFound, "git made no such tag"));
        }
        let commit = find_commit(&opened, tag.commit)?;
        opened
            .tag(tag.name, commit.as_object(), &tagger, tag.message, false)
            .map(|id| id.to_string())
            .map_err(|error| failed("make the tag", tag.name, &error))
    }

    fn delete_ref(&self, repo: &Path, name: &str, expected: &str) -> Result<()> {
        let repo = self.open(repo)?;
        let mut reference = match repo.find_reference(name) {
            Ok(reference) => reference,
            Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(()),
            Err(error) => return Err(failed("read the ref", name, &error)),
        };
        let found = reference.target().map(|id| id.to_string()).unwrap_or_default();
        if found != expected {
            let reason = format!("it names {found}, expected {expected}");
            return Err(WorldError::new(
                "remove the ref",
                name,
                ErrorKind::Rejected,
                reason,
            ));
        }
        reference
            .delete()
            .map_err(|error| failed("remove the ref", name, &error))
    }

    fn commit_file(&self, repo: &Path, commit: &FileCommit<'_>) -> Result<String> {
        let FileCommit {
            branch,
            parent,
            path,
            content,
            message,
            time,
        } = *commit;
        let repo = self.open(repo)?;
        let name = format!("refs/heads/{branch}");
        let commit_error = |error: git2::Error| failed("commit to", branch, &error);
        let tip = repo.refname_to_id(&name).map_err(commit_error)?.to_string();
        let parent_commit = find_commit(&repo, parent)?;
        let old = self.file_at(repo.path(), parent, path)?;
        if tip != parent {
            // A process that died after moving the branch left the work tree behind.
            let tip_commit = find_commit(&repo, &tip)?;
            let ours = tip_commit.parent_ids().eq([parent_commit.id()])
                && tip_commit.message() == Ok(message)
                && self.file_at(repo.path(), &tip, path)?.as_deref() == Some(content);
            if !ours {
                let reason = format!("it moved to {tip}, expected {parent}");
                return Err(WorldError::new("commit to", branch, ErrorKind::Rejected, reason));
            }
            refresh_work_tree(&repo, commit, old.as_deref())?;
            return Ok(tip);
        }
        let author = identity(&repo, time)?;
        let write = || {
            let blob = repo.blob(content)?;
            let base = parent_commit.tree()?;
            let tree = TreeUpdateBuilder::new()
                .upsert(path, blob, FileMode::Blob)
                .create_updated(&repo, &base)?;
            let tree = repo.find_tree(tree)?;
            let id = repo.commit(None, &author, &author, message, &tree, &[&parent_commit])?;
            repo.reference_matching(&name, id, true, parent_commit.id(), message)?;
            Ok(id.to_string())
        };
        let id = write().map_err(commit_error)?;
        refresh_work_tree(&repo, commit, old.as_deref())?;
        Ok(id)
    }

    fn write_commit(&self, repo: &Path, commit: &FilesCommit<'_>) -> Result<String> {
        git_write::write_commit(&self.open(repo)?, commit)
    }

    fn set_ref(&self, repo: &Path, name: &str, commit: &str, expected: Option<&str>) -> Result<()> {
        git_write::set_ref(&self.open(repo)?, name, commit, expected)
    }

    fn paths_at(&self, repo: &Path, commit: &str, dir: &str) -> Result<Vec<String>> {
        git_commits::paths_at(&*self.reading(repo)?, commit, dir)
    }

    fn changed_paths(&self, repo: &Path, commit: &str) -> Result<Vec<String>> {
        git_commits::changed_paths(&*self.reading(repo)?, commit)
    }

    fn is_plain_merge(&self, repo: &Path, commit: &str) -> Result<bool> {
        git_commits::is_plain_merge(&*self.reading(repo)?, commit)
    }

    fn revision(&self, repo: &Path, text: &str) -> Result<Option<String>> {
        git_commits::revision(&*self.reading(repo)?, text)
    }

    fn remote_url(&self, repo: &Path, remote: &str) -> Result<Option<String>> {
        match self.open(repo)?.find_remote(remote) {
            Ok(found) => Ok(found.url().ok().map(str::to_owned)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed("read the remote", remote, &error)),
        }
    }

    fn ls_remote(&self, repo: &Path, remote: &str) -> Result<BTreeMap<String, String>> {
        let output =
            self.output(&Self::command(repo).args(["ls-remote", "--heads", "--tags", "--", remote]))?;
        let text = String::from_utf8_lossy(&output);
        Ok(text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(id, name)| (name.into(), id.into()))
            .collect())
    }

    fn push(&self, repo: &Path, remote: &str, refs: &[PushRef]) -> Result<()> {
        let specs: Vec<_> = refs.iter().map(|one| format!("{0}:{0}", one.name)).collect();
        self.push_specs(repo, remote, refs, &specs)
    }

    fn push_commit(&self, repo: &Path, remote: &str, commit: &str, to: &PushRef) -> Result<()> {
        let spec = format!("{commit}:{}", to.name);
        self.push_specs(repo, remote, std::slice::from_ref(to), &[spec])
    }

    fn fetch(&self, repo: &Path, remote: &str, refspecs: &[&str]) -> Result<()> {
        let command = Self::command(repo)
            .args(["fetch", "--no-tags", "--no-write-fetch-head", "--", remote])
            .args(refspecs.iter().copied());
        let (success, said) = self.said(&command)?;
        if success {
            return Ok(());
        }
        let absent = said.iter().any(|line| line.contains("couldn't find remote ref"));
        let kind = if absent {
            ErrorKind::NotFound
        } else {
            ErrorKind::Other
        };
        let what = format!("{} of {remote}", refspecs.join(", "));
        Err(WorldError::new("fetch", what, kind, said.join("; ")))
    }
}

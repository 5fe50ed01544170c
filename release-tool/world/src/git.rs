//! Repositories. Commits and objects are named by 40 hexadecimal digits, refs by their full names.

use crate::{Picking, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_model::{HistoryCommit, UtcTime};

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch's short name; `None` when HEAD is detached.
    pub branch: Option<String>,
    /// The commit; `None` on a branch without commits.
    pub commit: Option<String>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagInfo {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// What the ref names: the tag object of an annotated tag, else the commit.
    pub object: String,
    /// The commit that it leads to.
    pub commit: String,
    /// When it says it was made; of a tag that does not say so, the committer's time of its commit.
    pub time: UtcTime,
}

/// How two histories differ. Both lists are newest first in topological order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What only our commits lead to.
    pub ours: Vec<HistoryCommit>,
    /// What only their commits lead to.
    pub theirs: Vec<HistoryCommit>,
}

/// What came of merging two texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedText {
    /// The text.
    pub text: String,
    /// Whether there are no conflicts in it.
    pub is_clean: bool,
}

/// An annotated tag to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTag<'a> {
    /// Its name, without `refs/tags/`.
    pub name: &'a str,
    /// The commit.
    pub commit: &'a str,
    /// The message.
    pub message: &'a str,
    /// When it says it was made.
    pub time: UtcTime,
}

/// A commit that replaces one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileCommit<'a> {
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// The branch's tip before.
    pub parent: &'a str,
    /// The file's path, with `/`.
    pub path: &'a str,
    /// Its new content.
    pub content: &'a [u8],
    /// The commit's message.
    pub message: &'a str,
    /// The author's and committer's time.
    pub time: UtcTime,
}

/// One change of a file in a commit that is made without a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEdit {
    /// The file has this content afterwards.
    Write {
        /// Its path, with `/`.
        path: String,
        /// Its content.
        content: Vec<u8>,
    },
    /// There is no such file afterwards.
    Remove {
        /// Its path, with `/`.
        path: String,
    },
}

impl FileEdit {
    /// The file that is changed.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Write { path, .. } | Self::Remove { path } => path,
        }
    }
}

/// A commit that changes some files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesCommit<'a> {
    /// The commit before; `None` makes a root commit.
    pub parent: Option<&'a str>,
    /// What is changed, each file at most once. Removing what is not there is fine.
    pub edits: &'a [FileEdit],
    /// The commit's message.
    pub message: &'a str,
    /// The author's and committer's time.
    pub time: UtcTime,
}

/// One ref of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushRef {
    /// Full name, the same here and there.
    pub name: String,
    /// What the remote must have before: `None` when it must not have it.
    pub expected: Option<String>,
}

/// What a file in a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeFileKind {
    /// A regular file.
    File,
    /// A file with the execute bit.
    Executable,
    /// A symbolic link; the content is its target.
    Symlink,
}

/// A file of a commit's tree.
#[derive(Clone, Copy, Debug)]
pub struct TreeFile<'a> {
    /// Its path, with `/`.
    pub path: &'a str,
    /// What it is.
    pub kind: TreeFileKind,
    /// Its content.
    pub content: &'a [u8],
}

/// Reading and changing repositories.
pub trait Git: Send + Sync {
    /// Carrying commits from one branch to another.
    fn picking(&self) -> &dyn Picking;

    /// The top directory of the work tree that `path` is in.
    ///
    /// # Errors
    /// When there is none.
    fn discover(&self, path: &Path) -> Result<PathBuf>;

    /// What is checked out.
    ///
    /// # Errors
    /// When the repository cannot be read; so for all that follow.
    fn head(&self, repo: &Path) -> Result<Head>;

    /// Paths that differ from HEAD or are untracked and not ignored, sorted.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn dirty_paths(&self, repo: &Path) -> Result<Vec<String>>;

    /// Whether the history is cut off (a shallow clone).
    ///
    /// # Errors
    /// See [`Git::head`].
    fn is_shallow(&self, repo: &Path) -> Result<bool>;

    /// The object that a ref names; `None` when there is no such ref.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn resolve(&self, repo: &Path, name: &str) -> Result<Option<String>>;

    /// All tags, sorted by name.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn tags(&self, repo: &Path) -> Result<Vec<TagInfo>>;

    /// The names of all tags, sorted. It takes a fraction of the time of [`Git::tags`], which reads the objects.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn tag_names(&self, repo: &Path) -> Result<Vec<String>>;

    /// A tag by its name; `None` when there is none, or when it leads to no commit.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn tag(&self, repo: &Path, name: &str) -> Result<Option<TagInfo>>;

    /// The committer's time of a commit.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn commit_time(&self, repo: &Path, commit: &str) -> Result<UtcTime>;

    /// The first parent of a commit; `None` for one without.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn first_parent(&self, repo: &Path, commit: &str) -> Result<Option<String>>;

    /// Whether one commit is the other or comes before it in its history.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn is_ancestor(&self, repo: &Path, ancestor: &str, descendant: &str) -> Result<bool>;

    /// Calls `visit` for every commit that can be reached from `to` but from none of `hidden`, newest first in
    /// topological order.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn history(
        &self,
        repo: &Path,
        hidden: &[&str],
        to: &str,
        visit: &mut dyn FnMut(HistoryCommit),
    ) -> Result<()>;

    /// What can be reached from `ours` but not from `theirs`, and the other way round.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn difference(&self, repo: &Path, ours: &[&str], theirs: &[&str]) -> Result<Difference>;

    /// Merges two texts that both come from a third, line by line. Where they disagree, the result has both, between marks
    /// of conflict.
    ///
    /// # Errors
    /// When they cannot be merged at all.
    fn merge_texts(&self, base: &str, ours: &str, theirs: &str) -> Result<MergedText>;

    /// What tells a commit's change apart from others, wherever it was applied: `git patch-id --stable` of its patch, and
    /// the blobs of binary files. `None` for a merge and for a commit that changes nothing.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn patch_id(&self, repo: &Path, commit: &str) -> Result<Option<String>>;

    /// For each of `ours` the index of the first of `theirs` with the same [`Git::patch_id`]. Computes only those that
    /// can matter.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn equal_patches(&self, repo: &Path, ours: &[&str], theirs: &[&str]) -> Result<Vec<Option<usize>>>;

    /// One file of a commit; `None` when it is not there.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn file_at(&self, repo: &Path, commit: &str, path: &str) -> Result<Option<Vec<u8>>>;

    /// Calls `visit` for every file of a commit, in path order. Submodules are an error. An error from `visit` ends the
    /// walk and is passed on.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn walk_tree(
        &self,
        repo: &Path,
        commit: &str,
        visit: &mut dyn FnMut(TreeFile<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Writes a commit's files into a directory, which is made; files there that the commit does not have are removed,
    /// files that are the same already are left alone.
    ///
    /// # Errors
    /// See [`Git::head`], and as any write.
    fn export(&self, repo: &Path, commit: &str, dir: &Path) -> Result<()>;

    /// Why no commit or tag can be made in the committer's name; `None` when one can.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn identity_problem(&self, repo: &Path) -> Result<Option<String>>;

    /// In whose name commits and tags are made: `Name <mail>`.
    ///
    /// # Errors
    /// When no name and address are configured.
    fn committer(&self, repo: &Path) -> Result<String>;

    /// Makes a branch; fails when it is there.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn create_branch(&self, repo: &Path, name: &str, commit: &str) -> Result<()>;

    /// Whether tags will be signed: a signing key or `tag.gpgSign` is configured.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn signs_tags(&self, repo: &Path) -> Result<bool>;

    /// Makes an annotated tag, signed where [`Git::signs_tags`], and returns the tag object; fails when it is there.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn create_tag(&self, repo: &Path, tag: &NewTag<'_>) -> Result<String>;

    /// Removes a ref if it still names `expected`; fine when it is gone.
    ///
    /// # Errors
    /// When it names something else.
    fn delete_ref(&self, repo: &Path, name: &str, expected: &str) -> Result<()>;

    /// Adds a commit to a branch that replaces one file, and returns its id. Where the branch is checked out, the index
    /// and the file in the work tree follow. The committer is the configured user.
    ///
    /// # Errors
    /// When the branch is not at `parent`, or as any write.
    fn commit_file(&self, repo: &Path, commit: &FileCommit<'_>) -> Result<String>;

    /// Writes a commit that no ref names yet, and returns its id. The committer is the configured user.
    ///
    /// # Errors
    /// When the parent is not there, or as any write.
    fn write_commit(&self, repo: &Path, commit: &FilesCommit<'_>) -> Result<String>;

    /// Makes a ref (full name) name a commit, if it still names `expected` (`None`: if it is not there).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Rejected`] when it names something else, or is a branch that is checked out in a work tree,
    /// which would no longer agree with it.
    fn set_ref(&self, repo: &Path, name: &str, commit: &str, expected: Option<&str>) -> Result<()>;

    /// Adds a commit to a branch (without `refs/heads/`) that need not be checked out, and returns its id.
    ///
    /// # Errors
    /// As [`Git::write_commit`] and [`Git::set_ref`]: the branch must be at the commit's parent.
    fn commit_files(&self, repo: &Path, branch: &str, commit: &FilesCommit<'_>) -> Result<String> {
        let id = self.write_commit(repo, commit)?;
        self.set_ref(repo, &format!("refs/heads/{branch}"), &id, commit.parent)?;
        Ok(id)
    }

    /// For each commit the object that a path names in it, a file's or a directory's; `None` where there is none.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn objects_at(&self, repo: &Path, commits: &[&str], path: &str) -> Result<Vec<Option<String>>>;

    /// The paths of a commit's files under a directory (`""`: all of them), sorted.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn paths_at(&self, repo: &Path, commit: &str, dir: &str) -> Result<Vec<String>>;

    /// The paths that a commit changes against its first parent (all of them, without a parent), sorted; both names of a
    /// file that was moved.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn changed_paths(&self, repo: &Path, commit: &str) -> Result<Vec<String>>;

    /// Whether a commit merges two parents and nothing was changed by hand in it: merging them again gives the same files.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn is_plain_merge(&self, repo: &Path, commit: &str) -> Result<bool>;

    /// The commit that a person means by `text`, in the words of gitrevisions; `None` when there is no such commit.
    ///
    /// # Errors
    /// See [`Git::head`]; and when `text` makes no sense, or is the beginning of several ids.
    fn revision(&self, repo: &Path, text: &str) -> Result<Option<String>>;

    /// The address of a remote; `None` when it is not configured.
    ///
    /// # Errors
    /// See [`Git::head`].
    fn remote_url(&self, repo: &Path, remote: &str) -> Result<Option<String>>;

    /// The refs of a remote under `refs/heads/` and `refs/tags/`, by full name; annotated tags' commits appear with `^{}`
    /// at the end of the name.
    ///
    /// # Errors
    /// When the remote cannot be reached.
    fn ls_remote(&self, repo: &Path, remote: &str) -> Result<BTreeMap<String, String>>;

    /// Pushes refs, all or none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Rejected`] when the remote has something else than expected or refuses.
    fn push(&self, repo: &Path, remote: &str, refs: &[PushRef]) -> Result<()>;

    /// Pushes one commit, which no ref here needs to name, to a ref of the remote.
    ///
    /// # Errors
    /// As [`Git::push`].
    fn push_commit(&self, repo: &Path, remote: &str, commit: &str, to: &PushRef) -> Result<()>;

    /// Fetches refs (`[+]source:destination`), without tags.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`] when the remote lacks one of the sources; then none may have been fetched.
    fn fetch(&self, repo: &Path, remote: &str, refspecs: &[&str]) -> Result<()>;
}

//! Making one effect fail, or the process die there.

use crate::faulty_picking::FaultyPicking;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vrel_model::{HistoryCommit, UtcTime};
use vrel_world::{
    Answer, Command, Difference, Entry, ErrorKind, Exit, FileCommit, FilesCommit, Fs, Git, Head, Lock,
    MergedText, Metadata, NewTag, OutFile, Picking, Processes, PushRef, ReadSeek, Result, Stream, TagInfo,
    TreeFile, World, WorldError,
};

/// How an effect goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It fails and has done nothing.
    Error,
    /// It is done, but reports a failure: the reply was lost.
    LostReply,
    /// The process dies before it.
    KillBefore,
    /// The process dies within it: an append leaves half a line, other writes an unfinished file beside the name.
    KillWithin,
    /// The process dies right after it.
    KillAfter,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::LostReply,
        Self::KillBefore,
        Self::KillWithin,
        Self::KillAfter,
    ];

    /// Whether the process dies.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillWithin | Self::KillAfter)
    }
}

/// Which effect goes wrong, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The effect's number, from 0.
    pub at: usize,
    /// What happens there.
    pub mode: Mode,
}

#[derive(Default)]
pub(crate) struct State {
    fault: Option<Fault>,
    count: AtomicUsize,
    dead: AtomicBool,
    trace: Mutex<Vec<String>>,
}

/// A world whose effects are counted, and of which one goes wrong. Reading is not counted; after a death everything
/// fails, reading as well.
pub struct Faulty<'w> {
    fs: FaultyFs<'w>,
    git: FaultyGit<'w>,
    processes: FaultyProcesses<'w>,
    inner: &'w dyn World,
    state: Arc<State>,
}

struct FaultyFs<'w> {
    inner: &'w dyn Fs,
    state: Arc<State>,
}

struct FaultyGit<'w> {
    inner: &'w dyn Git,
    picking: FaultyPicking<'w>,
    state: Arc<State>,
}

struct FaultyProcesses<'w> {
    inner: &'w dyn Processes,
    state: Arc<State>,
}

fn dead(what: &str) -> WorldError {
    WorldError::new("go on with", what, ErrorKind::Other, "the process was killed")
}

impl State {
    pub(crate) fn alive(&self, what: &str) -> Result<()> {
        if self.dead.load(Ordering::SeqCst) {
            Err(dead(what))
        } else {
            Ok(())
        }
    }

    /// Runs one effect; `torn` is what a death within it leaves behind.
    pub(crate) fn effect<T>(
        &self,
        what: &str,
        act: impl FnOnce() -> Result<T>,
        torn: impl FnOnce(),
    ) -> Result<T> {
        self.alive(what)?;
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what.to_owned());
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        let Some(Fault { mode, .. }) = self.fault.filter(|fault| fault.at == number) else {
            return act();
        };
        if mode.kills() {
            self.dead.store(true, Ordering::SeqCst);
        }
        let failed = |reason: &str| WorldError::new("do", what, ErrorKind::NoSpace, reason);
        match mode {
            Mode::Error => Err(failed("a fault of the test")),
            Mode::LostReply => act().and(Err(failed("the reply was lost"))),
            Mode::KillBefore => Err(dead(what)),
            Mode::KillWithin => {
                torn();
                Err(dead(what))
            }
            Mode::KillAfter => act().and(Err(dead(what))),
        }
    }
}

impl<'w> Faulty<'w> {
    /// A world like `inner`, with this fault.
    #[must_use]
    pub fn new(inner: &'w dyn World, fault: Option<Fault>) -> Self {
        let state = Arc::new(State {
            fault,
            ..State::default()
        });
        Self {
            fs: FaultyFs {
                inner: inner.fs(),
                state: Arc::clone(&state),
            },
            git: FaultyGit {
                inner: inner.git(),
                picking: FaultyPicking::new(inner.git().picking(), Arc::clone(&state)),
                state: Arc::clone(&state),
            },
            processes: FaultyProcesses {
                inner: inner.processes(),
                state: Arc::clone(&state),
            },
            inner,
            state,
        }
    }

    /// How many effects there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.count.load(Ordering::SeqCst)
    }

    /// What the effects were, in order.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.state
            .trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl World for Faulty<'_> {
    fn fs(&self) -> &dyn Fs {
        &self.fs
    }

    fn git(&self) -> &dyn Git {
        &self.git
    }

    fn processes(&self) -> &dyn Processes {
        &self.processes
    }

    fn now(&self) -> UtcTime {
        self.inner.now()
    }

    fn uptime(&self) -> Duration {
        self.inner.uptime()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.inner.random(buffer)
    }

    fn check_interrupt(&self) -> Result<()> {
        self.state.alive("the work")?;
        self.inner.check_interrupt()
    }
}

/// The unfinished file that a death within an atomic write leaves beside the name.
fn litter(path: &Path, content: &[u8]) {
    let half = &content[..content.len() / 2];
    let name = format!(
        ".vrel-tmp-{}",
        path.file_name().and_then(|name| name.to_str()).unwrap_or("torn")
    );
    drop(std::fs::write(path.with_file_name(name), half));
}

fn named(what: &str, path: &Path) -> String {
    let name = path
        .components()
        .rev()
        .take(3)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>();
    format!("{what} {}", name.into_iter().rev().collect::<Vec<_>>().join("/"))
}

struct FaultyOut<'w> {
    inner: Box<dyn OutFile + 'w>,
    path: PathBuf,
    state: Arc<State>,
}

impl Read for FaultyOut<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Write for FaultyOut<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.inner.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Seek for FaultyOut<'_> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

impl OutFile for FaultyOut<'_> {
    fn commit(self: Box<Self>) -> Result<()> {
        let Self { inner, path, state } = *self;
        state.effect(
            &named("commit", &path),
            || inner.commit(),
            || litter(&path, b"unfinished"),
        )
    }
}

impl Fs for FaultyFs<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        self.state.alive("reading")?;
        self.inner.read(path)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn ReadSeek>> {
        self.state.alive("reading")?;
        self.inner.open(path)
    }

    fn extents(&self, path: &Path) -> Result<Vec<std::ops::Range<u64>>> {
        self.state.alive("reading")?;
        self.inner.extents(path)
    }

    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        self.state.alive("looking")?;
        self.inner.metadata(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        self.state.alive("looking")?;
        self.inner.list(path)
    }

    fn free_space(&self, path: &Path) -> Result<u64> {
        self.state.alive("looking")?;
        self.inner.free_space(path)
    }

    fn create_dir_all(&self, path: &Path) -> Result<()> {
        if self.inner.metadata(path)?.is_some() {
            return self.state.alive("looking");
        }
        self.state
            .effect(&named("mkdir", path), || self.inner.create_dir_all(path), || {})
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        let act = || self.inner.write(path, content, mode);
        self.state
            .effect(&named("write", path), act, || litter(path, content))
    }

    fn create_new(&self, path: &Path, content: &[u8]) -> Result<()> {
        let act = || self.inner.create_new(path, content);
        self.state
            .effect(&named("create", path), act, || litter(path, content))
    }

    fn append(&self, path: &Path, content: &[u8]) -> Result<()> {
        let torn = || drop(self.inner.append(path, &content[..content.len() / 2]));
        self.state
            .effect(&named("append", path), || self.inner.append(path, content), torn)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn OutFile>> {
        self.state.alive("writing")?;
        let inner = self.inner.create(path)?;
        Ok(Box::new(FaultyOut {
            inner,
            path: path.to_owned(),
            state: Arc::clone(&self.state),
        }))
    }

    fn copy_new(&self, from: &Path, to: &Path) -> Result<()> {
        let act = || self.inner.copy_new(from, to);
        self.state
            .effect(&named("copy", to), act, || litter(to, b"unfinished"))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.state
            .effect(&named("rename", to), || self.inner.rename(from, to), || {})
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.state
            .effect(&named("remove", path), || self.inner.remove_file(path), || {})
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        self.state
            .effect(&named("remove", path), || self.inner.remove_dir_all(path), || {})
    }

    fn lock(&self, path: &Path, holder: &str) -> Result<Lock> {
        self.state
            .effect(&named("lock", path), || self.inner.lock(path, holder), || {})
    }

    fn lock_shared(&self, path: &Path) -> Result<Lock> {
        self.state
            .effect(&named("share", path), || self.inner.lock_shared(path), || {})
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        self.state
            .effect(&named("mode", path), || self.inner.set_mode(path, mode), || {})
    }
}

impl Git for FaultyGit<'_> {
    fn picking(&self) -> &dyn Picking {
        &self.picking
    }

    fn discover(&self, path: &Path) -> Result<PathBuf> {
        self.inner.discover(path)
    }

    fn head(&self, repo: &Path) -> Result<Head> {
        self.inner.head(repo)
    }

    fn dirty_paths(&self, repo: &Path) -> Result<Vec<String>> {
        self.inner.dirty_paths(repo)
    }

    fn is_shallow(&self, repo: &Path) -> Result<bool> {
        self.inner.is_shallow(repo)
    }

    fn resolve(&self, repo: &Path, name: &str) -> Result<Option<String>> {
        self.inner.resolve(repo, name)
    }

    fn tags(&self, repo: &Path) -> Result<Vec<TagInfo>> {
        self.inner.tags(repo)
    }

    fn commit_time(&self, repo: &Path, commit: &str) -> Result<UtcTime> {
        self.inner.commit_time(repo, commit)
    }

    fn first_parent(&self, repo: &Path, commit: &str) -> Result<Option<String>> {
        self.inner.first_parent(repo, commit)
    }

    fn is_ancestor(&self, repo: &Path, ancestor: &str, descendant: &str) -> Result<bool> {
        self.inner.is_ancestor(repo, ancestor, descendant)
    }

    fn history(
        &self,
        repo: &Path,
        hidden: &[&str],
        to: &str,
        visit: &mut dyn FnMut(HistoryCommit),
    ) -> Result<()> {
        self.inner.history(repo, hidden, to, visit)
    }

    fn difference(&self, repo: &Path, ours: &[&str], theirs: &[&str]) -> Result<Difference> {
        self.inner.difference(repo, ours, theirs)
    }

    fn objects_at(&self, repo: &Path, commits: &[&str], path: &str) -> Result<Vec<Option<String>>> {
        self.inner.objects_at(repo, commits, path)
    }

    fn merge_texts(&self, base: &str, ours: &str, theirs: &str) -> Result<MergedText> {
        self.inner.merge_texts(base, ours, theirs)
    }

    fn tag_names(&self, repo: &Path) -> Result<Vec<String>> {
        self.inner.tag_names(repo)
    }

    fn tag(&self, repo: &Path, name: &str) -> Result<Option<TagInfo>> {
        self.inner.tag(repo, name)
    }

    fn patch_id(&self, repo: &Path, commit: &str) -> Result<Option<String>> {
        self.inner.patch_id(repo, commit)
    }

    fn equal_patches(&self, repo: &Path, ours: &[&str], theirs: &[&str]) -> Result<Vec<Option<usize>>> {
        self.inner.equal_patches(repo, ours, theirs)
    }

    fn file_at(&self, repo: &Path, commit: &str, path: &str) -> Result<Option<Vec<u8>>> {
        self.inner.file_at(repo, commit, path)
    }

    fn walk_tree(
        &self,
        repo: &Path,
        commit: &str,
        visit: &mut dyn FnMut(TreeFile<'_>) -> Result<()>,
    ) -> Result<()> {
        self.inner.walk_tree(repo, commit, visit)
    }

    fn export(&self, repo: &Path, commit: &str, dir: &Path) -> Result<()> {
        self.state.effect(
            "export",
            || self.inner.export(repo, commit, dir),
            || drop(std::fs::create_dir_all(dir)),
        )
    }

    fn identity_problem(&self, repo: &Path) -> Result<Option<String>> {
        self.inner.identity_problem(repo)
    }

    fn committer(&self, repo: &Path) -> Result<String> {
        self.inner.committer(repo)
    }

    fn create_branch(&self, repo: &Path, name: &str, commit: &str) -> Result<()> {
        self.state
            .effect("branch", || self.inner.create_branch(repo, name, commit), || {})
    }

    fn signs_tags(&self, repo: &Path) -> Result<bool> {
        self.inner.signs_tags(repo)
    }

    fn create_tag(&self, repo: &Path, tag: &NewTag<'_>) -> Result<String> {
        self.state
            .effect("tag", || self.inner.create_tag(repo, tag), || {})
    }

    fn delete_ref(&self, repo: &Path, name: &str, expected: &str) -> Result<()> {
        self.state.effect(
            "delete ref",
            || self.inner.delete_ref(repo, name, expected),
            || {},
        )
    }

    fn commit_file(&self, repo: &Path, commit: &FileCommit<'_>) -> Result<String> {
        // A death within: the branch has moved, the work tree has not followed.
        let torn = || {
            let file = repo.join(commit.path);
            let old = std::fs::read(&file);
            drop(self.inner.commit_file(repo, commit));
            if let Ok(old) = old {
                drop(std::fs::write(&file, old));
            }
        };
        self.state
            .effect("commit", || self.inner.commit_file(repo, commit), torn)
    }

    fn write_commit(&self, repo: &Path, commit: &FilesCommit<'_>) -> Result<String> {
        // A death within leaves objects that nothing names, as a death right after it does.
        self.state.effect(
            "write commit",
            || self.inner.write_commit(repo, commit),
            || drop(self.inner.write_commit(repo, commit)),
        )
    }

    fn set_ref(&self, repo: &Path, name: &str, commit: &str, expected: Option<&str>) -> Result<()> {
        self.state.effect(
            &format!("set {name}"),
            || self.inner.set_ref(repo, name, commit, expected),
            || {},
        )
    }

    fn paths_at(&self, repo: &Path, commit: &str, dir: &str) -> Result<Vec<String>> {
        self.inner.paths_at(repo, commit, dir)
    }

    fn changed_paths(&self, repo: &Path, commit: &str) -> Result<Vec<String>> {
        self.inner.changed_paths(repo, commit)
    }

    fn is_plain_merge(&self, repo: &Path, commit: &str) -> Result<bool> {
        self.inner.is_plain_merge(repo, commit)
    }

    fn revision(&self, repo: &Path, text: &str) -> Result<Option<String>> {
        self.inner.revision(repo, text)
    }

    fn remote_url(&self, repo: &Path, remote: &str) -> Result<Option<String>> {
        self.inner.remote_url(repo, remote)
    }

    fn ls_remote(&self, repo: &Path, remote: &str) -> Result<BTreeMap<String, String>> {
        self.state
            .effect("ask the remote", || self.inner.ls_remote(repo, remote), || {})
    }

    fn push(&self, repo: &Path, remote: &str, refs: &[PushRef]) -> Result<()> {
        let names = refs
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        self.state.effect(
            &format!("push {names}"),
            || self.inner.push(repo, remote, refs),
            || {},
        )
    }

    fn push_commit(&self, repo: &Path, remote: &str, commit: &str, to: &PushRef) -> Result<()> {
        self.state.effect(
            &format!("push commit {}", to.name),
            || self.inner.push_commit(repo, remote, commit, to),
            || {},
        )
    }

    fn fetch(&self, repo: &Path, remote: &str, refspecs: &[&str]) -> Result<()> {
        self.state
            .effect("fetch", || self.inner.fetch(repo, remote, refspecs), || {})
    }
}

/// What the effect of running a program is called.
fn run_of(command: &Command) -> String {
    let verb = command.args.first().map_or("", String::as_str);
    let program = Path::new(command.program.file_name().unwrap_or_default());
    format!("{} {verb}", named("run", program))
}

impl Processes for FaultyProcesses<'_> {
    fn run(&self, command: &Command, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Exit> {
        self.state
            .effect(&run_of(command), || self.inner.run(command, on_line), || {})
    }

    fn converse(&self, command: &Command, answer: Answer<'_>) -> Result<Exit> {
        self.state
            .effect(&run_of(command), || self.inner.converse(command, answer), || {})
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        self.inner.find(name)
    }
}

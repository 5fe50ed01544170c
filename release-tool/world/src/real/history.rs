//! Walking a history, and telling whether two commits make the same change.

use super::Interrupt;
use super::git::{failed, oid};
use crate::{Difference, ErrorKind, Result, WorldError};
use git2::{Diff, DiffOptions, Mailmap, ObjectType, Odb, Oid, Repository, Signature, Time};
use std::cmp::Reverse;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::path::Path;
use vrel_model::{HistoryCommit, UtcTime};

/// How much older than its child's a commit's time is believed to be at worst when it should be younger: clocks are wrong.
const SKEW_SECONDS: i64 = 86_400;

/// That a commit can be reached from one of ours; from one of theirs.
const OURS: u8 = 1;
const THEIRS: u8 = 2;
const COMMON: u8 = OURS | THEIRS;

/// What can be reached from `ours` but not from `theirs`, and the other way round.
///
/// Each commit is read once, with its message; that is why a commit-graph file would save nothing here.
pub(super) fn difference(
    interrupt: &Interrupt,
    repo: &Repository,
    ours: &[&str],
    theirs: &[&str],
) -> Result<Difference> {
    let _uncached = Uncached::new();
    let mut walk = Walk::new(Reader::new(repo)?);
    for (ids, side) in [(ours, OURS), (theirs, THEIRS)] {
        for id in ids {
            walk.reach(oid(id)?, side)?;
        }
    }
    while let Some(at) = walk.next() {
        interrupt.check()?;
        walk.pass_on(at)?;
    }
    Ok(walk.finish())
}

/// While it lives, libgit2 keeps no object that it has read. Each commit of a walk is read once, and keeping it costs more
/// than reading it.
struct Uncached;

impl Uncached {
    fn new() -> Self {
        git2::opts::enable_caching(false);
        Self
    }
}

impl Drop for Uncached {
    fn drop(&mut self) {
        git2::opts::enable_caching(true);
    }
}

/// Ids are digests: some of their bytes are as good as a hash of all of them.
type ById = BuildHasherDefault<FirstBytes>;

#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        // The last thing that is written is the id; its length comes before.
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A walk from the newest commits to where both sides meet.
struct Walk<'r> {
    reader: Reader<'r>,
    nodes: Vec<Node>,
    by_id: HashMap<Oid, usize, ById>,
    /// Commits whose sides their parents have not heard of, newest first.
    queue: BinaryHeap<(i64, Reverse<usize>)>,
    /// How many of those can be reached from one side only.
    one_sided: usize,
    /// The oldest commit that was reached from one side only when it was passed.
    oldest: i64,
}

struct Node {
    commit: HistoryCommit,
    parents: Vec<Oid>,
    time: i64,
    sides: u8,
    is_queued: bool,
}

impl<'r> Walk<'r> {
    fn new(reader: Reader<'r>) -> Self {
        Self {
            reader,
            nodes: Vec::new(),
            by_id: HashMap::default(),
            queue: BinaryHeap::new(),
            one_sided: 0,
            oldest: i64::MAX,
        }
    }

    /// Notes that a commit can be reached from a side, and queues it if that is news.
    fn reach(&mut self, id: Oid, sides: u8) -> Result<()> {
        let at = match self.by_id.get(&id) {
            Some(at) => *at,
            None => {
                let (commit, parents) = self.reader.commit(id)?;
                self.nodes.push(Node {
                    time: commit.time.unix(),
                    commit,
                    parents,
                    sides: 0,
                    is_queued: false,
                });
                self.by_id.insert(id, self.nodes.len() - 1);
                self.nodes.len() - 1
            }
        };
        let node = &mut self.nodes[at];
        let before = node.sides;
        node.sides |= sides;
        if node.sides == before {
            return Ok(());
        }
        if node.is_queued {
            self.one_sided -= usize::from(before != COMMON);
        } else {
            node.is_queued = true;
            self.queue.push((node.time, Reverse(at)));
        }
        self.one_sided += usize::from(node.sides != COMMON);
        Ok(())
    }

    /// The newest commit that waits; `None` once all that wait are common and too old to lead back to one that is not.
    fn next(&mut self) -> Option<usize> {
        let (time, Reverse(at)) = *self.queue.peek()?;
        if self.one_sided == 0 && time < self.oldest.saturating_sub(SKEW_SECONDS) {
            return None;
        }
        self.queue.pop();
        let node = &mut self.nodes[at];
        node.is_queued = false;
        if node.sides != COMMON {
            self.one_sided -= 1;
            self.oldest = self.oldest.min(time);
        }
        Some(at)
    }

    /// Tells the parents of a commit where it can be reached from.
    fn pass_on(&mut self, at: usize) -> Result<()> {
        let sides = self.nodes[at].sides;
        for parent in 0..self.nodes[at].parents.len() {
            self.reach(self.nodes[at].parents[parent], sides)?;
        }
        Ok(())
    }

    fn finish(self) -> Difference {
        let Self { nodes, by_id, .. } = self;
        // How many children of its own side each commit has that were not written down yet.
        let mut children = vec![0_usize; nodes.len()];
        let parents = |node: &Node| -> Vec<usize> {
            let of_side = |at: &usize| nodes[*at].sides == node.sides;
            let known = node.parents.iter().filter_map(|id| by_id.get(id).copied());
            known.filter(of_side).collect()
        };
        for node in nodes.iter().filter(|node| node.sides != COMMON) {
            for parent in parents(node) {
                children[parent] += 1;
            }
        }
        let is_tip = |at: &usize| nodes[*at].sides != COMMON && children[*at] == 0;
        let mut ready: Vec<usize> = (0..nodes.len()).filter(is_tip).collect();
        ready.reverse();
        // The last one of the ready commits goes first, as in git's own order: branches are not interleaved.
        let mut order = Vec::new();
        while let Some(at) = ready.pop() {
            for parent in parents(&nodes[at]) {
                children[parent] -= 1;
                if children[parent] == 0 {
                    ready.push(parent);
                }
            }
            order.push(at);
        }
        let mut commits: Vec<_> = nodes
            .into_iter()
            .map(|node| (node.sides, Some(node.commit)))
            .collect();
        let mut difference = Difference::default();
        for at in order {
            let (sides, commit) = &mut commits[at];
            let list = match *sides {
                OURS => &mut difference.ours,
                _ => &mut difference.theirs,
            };
            list.extend(commit.take());
        }
        difference
    }
}

/// Reads commits as they are stored.
struct Reader<'r> {
    odb: Odb<'r>,
    people: People,
}

/// The authors.
struct People {
    mailmap: Option<Mailmap>,
    /// Names and addresses after `.mailmap`, by what commits have.
    known: HashMap<Vec<u8>, (String, String)>,
}

impl<'r> Reader<'r> {
    fn new(repo: &'r Repository) -> Result<Self> {
        Ok(Self {
            odb: repo
                .odb()
                .map_err(|error| failed("open", "the object database", &error))?,
            people: People {
                mailmap: repo.mailmap().ok(),
                known: HashMap::new(),
            },
        })
    }

    fn commit(&mut self, id: Oid) -> Result<(HistoryCommit, Vec<Oid>)> {
        let object = self
            .odb
            .read(id)
            .map_err(|error| failed("read the commit", id.to_string(), &error))?;
        if object.kind() != ObjectType::Commit {
            return Err(broken(id, "it is no commit"));
        }
        let raw = RawCommit::parse(object.data()).ok_or_else(|| broken(id, "its header is damaged"))?;
        let time = UtcTime::from_unix(raw.time).map_err(|error| broken(id, error.to_string()))?;
        let (author_name, author_email) = self.people.find(raw.author);
        let commit = HistoryCommit {
            id: id.to_string(),
            parents: raw.parents.iter().map(ToString::to_string).collect(),
            author_name,
            author_email,
            time,
            message: String::from_utf8_lossy(raw.message).into_owned(),
        };
        Ok((commit, raw.parents))
    }
}

impl People {
    /// The name and the address of `Name <address>`.
    fn find(&mut self, raw: &[u8]) -> (String, String) {
        if let Some(known) = self.known.get(raw) {
            return known.clone();
        }
        let text = String::from_utf8_lossy(raw);
        let (name, rest) = text.split_once('<').unwrap_or((&text, ""));
        let email = rest.split('>').next().unwrap_or_default();
        let mut person = (name.trim().to_owned(), email.trim().to_owned());
        let mapped = self.mailmap.as_ref().and_then(|mailmap| {
            let signature = Signature::new(&person.0, &person.1, &Time::new(0, 0)).ok()?;
            mailmap.resolve_signature(&signature).ok()
        });
        if let Some(mapped) = mapped {
            person = (
                String::from_utf8_lossy(mapped.name_bytes()).into_owned(),
                String::from_utf8_lossy(mapped.email_bytes()).into_owned(),
            );
        }
        self.known.insert(raw.to_vec(), person.clone());
        person
    }
}

fn broken(id: Oid, reason: impl Into<String>) -> WorldError {
    WorldError::new("read the commit", id.to_string(), ErrorKind::Other, reason)
}

/// The parts of a stored commit that matter here.
struct RawCommit<'a> {
    parents: Vec<Oid>,
    /// `Name <address>`.
    author: &'a [u8],
    /// The committer's seconds since 1970.
    time: i64,
    message: &'a [u8],
}

impl<'a> RawCommit<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let mut rest = data;
        let mut raw = Self {
            parents: Vec::new(),
            author: b"",
            time: 0,
            message: b"",
        };
        let mut has_committer = false;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            if line.is_empty() {
                raw.message = rest;
                break;
            }
            if let Some(id) = line.strip_prefix(b"parent ") {
                raw.parents
                    .push(Oid::from_str(std::str::from_utf8(id).ok()?).ok()?);
            } else if let Some(author) = line.strip_prefix(b"author ") {
                let end = author.iter().rposition(|byte| *byte == b'>');
                raw.author = end.map_or(author, |end| &author[..=end]);
            } else if let Some(committer) = line.strip_prefix(b"committer ") {
                let end = committer.iter().rposition(|byte| *byte == b'>')?;
                let after = std::str::from_utf8(&committer[end + 1..]).ok()?;
                raw.time = after.split_whitespace().next()?.parse().ok()?;
                has_committer = true;
            }
        }
        has_committer.then_some(raw)
    }
}

/// For each commit the object that a path names in it.
pub(super) fn objects_at(repo: &Repository, commits: &[&str], path: &str) -> Result<Vec<Option<String>>> {
    let object_at = |commit: &&str| {
        let read_error = |error: git2::Error| failed("read", format!("{path} of {commit}"), &error);
        let found = repo.find_commit(oid(commit)?).map_err(read_error)?;
        match found.tree().map_err(read_error)?.get_path(Path::new(path)) {
            Ok(entry) => Ok(Some(entry.id().to_string())),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(read_error(error)),
        }
    };
    commits.iter().map(object_at).collect()
}

/// What `git patch-id --stable` says of a commit's patch, with the blobs of binary files, which that leaves out; `None`
/// for a merge and for a commit that changes nothing.
pub(super) fn patch_id(repo: &Repository, commit: &str) -> Result<Option<String>> {
    match diff(repo, commit)? {
        Some(diff) => patch_id_of(&diff, commit),
        None => Ok(None),
    }
}

/// For each of `ours` the first of `theirs` that makes the same change, by patch id.
pub(super) fn equal_patches(
    interrupt: &Interrupt,
    repo: &Repository,
    ours: &[&str],
    theirs: &[&str],
) -> Result<Vec<Option<usize>>> {
    if ours.is_empty() || theirs.is_empty() {
        return Ok(vec![None; ours.len()]);
    }
    // Patches of other files cannot be equal, and which files a commit changes costs a fraction of its patch. That is
    // not so of author, date and subject: a person who does a change again changes all of them and none of the patch.
    let mut by_files: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, commit) in theirs.iter().enumerate() {
        interrupt.check()?;
        if let Some(diff) = diff(repo, commit)? {
            by_files.entry(changed_files(&diff)).or_default().push(at);
        }
    }
    let mut known: HashMap<usize, Option<String>> = HashMap::new();
    let mut equal = Vec::with_capacity(ours.len());
    for commit in ours {
        interrupt.check()?;
        let ours = diff(repo, commit)?;
        let same_files = ours
            .as_ref()
            .and_then(|diff| Some((diff, by_files.get(&changed_files(diff))?)));
        let Some((ours, candidates)) = same_files else {
            equal.push(None);
            continue;
        };
        let id = patch_id_of(ours, commit)?;
        let mut found = None;
        for at in candidates {
            if !known.contains_key(at) {
                let other = theirs[*at];
                let theirs = diff(repo, other)?;
                let theirs = theirs.map(|diff| patch_id_of(&diff, other)).transpose()?;
                known.insert(*at, theirs.flatten());
            }
            if id.is_some() && known.get(at) == Some(&id) {
                found = Some(*at);
                break;
            }
        }
        equal.push(found);
    }
    Ok(equal)
}

/// What a commit changes in its parent; `None` for a merge.
fn diff<'r>(repo: &'r Repository, commit: &str) -> Result<Option<Diff<'r>>> {
    let read_error = |error: git2::Error| failed("read the changes of", commit, &error);
    let found = repo.find_commit(oid(commit)?).map_err(read_error)?;
    if found.parent_count() > 1 {
        return Ok(None);
    }
    let old = match found.parent(0) {
        Ok(parent) => Some(parent.tree().map_err(read_error)?),
        Err(_) => None,
    };
    let new = found.tree().map_err(read_error)?;
    let mut options = DiffOptions::new();
    // As git does unless told otherwise; without it the same change can be cut into other hunks.
    options.indent_heuristic(true);
    let diff = repo.diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options));
    diff.map(Some).map_err(read_error)
}

/// A digest of the names of the files that differ, and how. Two equal patches have the same one.
fn changed_files(diff: &Diff<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for delta in diff.deltas() {
        (delta.status() as u32).hash(&mut hasher);
        delta.old_file().path_bytes().hash(&mut hasher);
        delta.new_file().path_bytes().hash(&mut hasher);
    }
    hasher.finish()
}

fn patch_id_of(diff: &Diff<'_>, commit: &str) -> Result<Option<String>> {
    if diff.deltas().len() == 0 {
        return Ok(None);
    }
    let id = diff
        .patchid(None)
        .map_err(|error| failed("read the changes of", commit, &error))?;
    let mut id = id.to_string();
    // A patch without text says nothing about what binary files hold; it is known only now which ones are.
    for delta in diff.deltas().filter(|delta| delta.flags().is_binary()) {
        id.push_str(&format!("+{}:{}", delta.old_file().id(), delta.new_file().id()));
    }
    Ok(Some(id))
}

//! What was made before.
//!
//! ```text
//! lock                       shared by those who build, exclusive for one who prunes
//! objects/aa/<sha256>        content of files
//! actions/aa/<key>.json      what came out of a recipe
//! trees/aa/<sha256>.json     what was in a source tree
//! last/<graph>/<node>.json   what a node was made from the last time
//! work/<run>/                where packers are at work
//! ```
//!
//! Everything has its name by its content or is replaced in one step, so that processes can share a cache: at worst they
//! do the same work twice. A file that a power loss cut short is noticed by its digest and made again; that is why
//! nothing is forced to the disk before it leaves the cache.

use crate::listing::Listing;
use crate::objects::Objects;
use crate::record::{ActionRecord, PRECISION_DAYS};
use crate::workspace::Workspaces;
use crate::{CachedFile, Damage, GraphError, Recipe, names};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use vrel_model::Sha256Digest;
use vrel_world::{ErrorKind, Lock, LockGuard, World};

/// What tells backup programs that a directory can be made again (bford.info/cachedir).
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# What vrel built before.\n";

/// A directory with what was made before, held against pruning as long as this lives.
pub struct Cache<'w> {
    pub(crate) world: &'w dyn World,
    dir: PathBuf,
    pub(crate) objects: Objects<'w>,
    pub(crate) workspaces: Workspaces<'w>,
    _lock: Mutex<Box<dyn LockGuard>>,
}

/// Where in a directory the file of a digest lies: no directory gets too many names.
pub(crate) fn fan_out(dir: &Path, digest: Sha256Digest) -> PathBuf {
    let text = digest.to_string();
    dir.join(&text[..2]).join(text)
}

impl<'w> Cache<'w> {
    /// Opens a cache; a directory that does not exist is an empty one.
    ///
    /// # Errors
    /// [`GraphError::Pruning`] when somebody prunes it, and when the directory cannot be written.
    pub fn open(world: &'w dyn World, dir: &Path) -> Result<Self, GraphError> {
        let fs = world.fs();
        fs.create_dir_all(dir)?;
        let lock = match fs.lock_shared(&dir.join("lock"))? {
            Lock::Held(lock) => lock,
            Lock::Busy(holder) => {
                let dir = dir.to_owned();
                return Err(GraphError::Pruning { dir, holder });
            }
        };
        let tag = dir.join("CACHEDIR.TAG");
        if fs.metadata(&tag)?.is_none() {
            fs.write(&tag, TAG.as_bytes(), 0o644)?;
        }
        Ok(Self {
            world,
            dir: dir.to_owned(),
            objects: Objects::new(world, dir.join("objects")),
            workspaces: Workspaces::open(world, &dir.join("work"))?,
            _lock: Mutex::new(lock),
        })
    }

    /// The path of a file, which is hashed first unless this run has done so. The file is not to be changed; it can be
    /// read as long as the cache is open.
    ///
    /// # Errors
    /// [`GraphError::Damaged`] when it is not what it should be; it is then dropped, and the next run builds it again.
    pub fn path(&self, file: &CachedFile) -> Result<PathBuf, GraphError> {
        match self.objects.check(&[*file], NonZeroUsize::MIN)?.first() {
            None => Ok(self.objects.path(file.sha256)),
            Some((_, damage)) => Err(self.damaged(file, *damage)?),
        }
    }

    /// Drops a damaged object; what to say of it.
    pub(crate) fn damaged(&self, file: &CachedFile, damage: Damage) -> Result<GraphError, GraphError> {
        self.objects.drop_damaged(file, damage, &self.workspaces)?;
        let path = self.objects.path(file.sha256);
        Ok(GraphError::Damaged { path, damage })
    }

    pub(crate) fn action_path(&self, key: Sha256Digest) -> PathBuf {
        // A hexadecimal name has no extension to lose.
        fan_out(&self.dir.join("actions"), key).with_extension("json")
    }

    /// What came out of the recipe of this key; in words what is wrong with the record if it cannot be used.
    pub(crate) fn action(
        &self,
        key: Sha256Digest,
    ) -> Result<Option<Result<ActionRecord, String>>, GraphError> {
        let bytes = self.read(&self.action_path(key))?;
        Ok(bytes.map(|bytes| ActionRecord::parse(&bytes, key)))
    }

    pub(crate) fn put_action(&self, record: &ActionRecord) -> Result<(), GraphError> {
        self.write(&self.action_path(record.recipe.key()), &record.to_bytes())
    }

    /// Notes that a record was used, at most once a day.
    pub(crate) fn touch(&self, mut record: ActionRecord) -> Result<(), GraphError> {
        let now = self.world.now();
        if now < record.last_used.plus_days(PRECISION_DAYS) {
            return Ok(());
        }
        record.last_used = now;
        self.put_action(&record)
    }

    fn last_path(&self, graph: &str, node: &str) -> PathBuf {
        let dir = self.dir.join("last").join(names::file_name(graph));
        dir.join(format!("{}.json", names::file_name(node)))
    }

    /// What a node was made from the last time. It serves only to say what changed, so a damaged one is as good as none.
    pub(crate) fn last(&self, graph: &str, node: &str) -> Result<Option<Recipe>, GraphError> {
        let bytes = self.read(&self.last_path(graph, node))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(crate) fn put_last(&self, graph: &str, node: &str, recipe: &Recipe) -> Result<(), GraphError> {
        // Strings, numbers and maps with text as keys always become JSON.
        let bytes = serde_json::to_vec(recipe).unwrap_or_default();
        self.write(&self.last_path(graph, node), &bytes)
    }

    fn tree_path(&self, digest: Sha256Digest) -> PathBuf {
        fan_out(&self.dir.join("trees"), digest).with_extension("json")
    }

    /// What was in a source tree, if that is known.
    pub(crate) fn tree(&self, digest: Sha256Digest) -> Result<Option<Listing>, GraphError> {
        let listing = self
            .read(&self.tree_path(digest))?
            .and_then(|bytes| Listing::parse(&bytes));
        Ok(listing.filter(|listing| listing.digest() == digest))
    }

    pub(crate) fn put_tree(&self, digest: Sha256Digest, listing: &Listing) -> Result<(), GraphError> {
        let path = self.tree_path(digest);
        if self.world.scratch().metadata(&path)?.is_some() {
            return Ok(());
        }
        self.write(&path, &listing.to_bytes())
    }

    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, GraphError> {
        match self.world.scratch().read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), GraphError> {
        let fs = self.world.scratch();
        fs.create_dir_all(path.parent().unwrap_or(&self.dir))?;
        Ok(fs.write(path, bytes, 0o644)?)
    }
}

//! Packers that do almost nothing, and a place to use them.

use serde_json::Value;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use vrel_graph::{
    Budget, Cache, CachedFile, Event, Graph, GraphError, Input, Job, LocalExecutor, Node, Observer, Packer,
    PackerError, Packers, Report, Silent, run,
};
use vrel_world::RealWorld;

type Pack = dyn Fn(&Job<'_>) -> Result<(), PackerError> + Send + Sync;

/// A packer made of a function.
pub(crate) struct Toy {
    name: String,
    version: u32,
    pack: Box<Pack>,
}

impl Toy {
    pub(crate) fn new(
        name: &str,
        version: u32,
        pack: impl Fn(&Job<'_>) -> Result<(), PackerError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            version,
            pack: Box::new(pack),
        }
    }
}

impl Packer for Toy {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn pack(&self, job: &Job<'_>) -> Result<(), PackerError> {
        (self.pack)(job)
    }
}

/// The nodes whose packers ran, in the order of their start.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// What every input holds, trees name by name, in the order of the slots.
pub(crate) fn read_inputs(job: &Job<'_>) -> Result<Vec<u8>, PackerError> {
    fn read(path: &Path, all: &mut Vec<u8>) -> Result<(), PackerError> {
        if path.is_dir() {
            let mut inner: Vec<PathBuf> = fs::read_dir(path)?
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<_>>()?;
            inner.sort();
            return inner.iter().try_for_each(|path| read(path, all));
        }
        all.extend(fs::read(path)?);
        Ok(())
    }
    let mut all = Vec::new();
    job.inputs.values().try_for_each(|path| read(path, &mut all))?;
    Ok(all)
}

/// Writes every output: its name (when there are several), the text of the parameters, the content.
pub(crate) fn write_outputs(job: &Job<'_>, content: &[u8]) -> Result<(), PackerError> {
    let text = job.params.get("text").and_then(Value::as_str).unwrap_or_default();
    for (name, path) in job.outputs {
        let name = if job.outputs.len() > 1 { name.as_str() } else { "" };
        let all = [name.as_bytes(), text.as_bytes(), content].concat();
        job.world.fs().write(path, &all, 0o644)?;
    }
    Ok(())
}

/// `concat` joins its inputs, `upper` makes them upper-case, `first` keeps the first byte; `concat_version` is the version
/// of the first.
pub(crate) fn packers(concat_version: u32, log: &Log) -> Packers {
    let mut packers = Packers::new();
    let mut add = |name: &str, version: u32, change: fn(Vec<u8>) -> Vec<u8>| {
        let log = Arc::clone(log);
        let pack = move |job: &Job<'_>| {
            log.lock().unwrap().push(job.node.to_owned());
            write_outputs(job, &change(read_inputs(job)?))
        };
        packers.add(Toy::new(name, version, pack)).unwrap();
    };
    add("concat", concat_version, |content| content);
    add("upper", 1, |content| content.to_ascii_uppercase());
    add("first", 1, |content| content[..1].to_vec());
    packers
}

pub(crate) fn budget(cores: u32) -> Budget {
    Budget {
        cores: NonZeroU32::new(cores).unwrap(),
        memory: 1 << 30,
    }
}

/// A directory that goes away. Every write is forced to the disk, which would take most of the time of these tests: they
/// run in memory where the system has a place for that.
fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A directory with sources and a cache.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) world: RealWorld,
    pub(crate) packers: Packers,
    pub(crate) log: Log,
}

impl Place {
    pub(crate) fn new() -> Self {
        let log = Log::default();
        Self {
            dir: directory(),
            world: RealWorld::default(),
            packers: packers(1, &log),
            log,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn cache_dir(&self) -> PathBuf {
        self.path("cache")
    }

    pub(crate) fn cache(&self) -> Cache<'_> {
        Cache::open(&self.world, &self.cache_dir()).unwrap()
    }

    pub(crate) fn executor(&self) -> LocalExecutor<'_> {
        LocalExecutor::new(&self.world, &self.packers)
    }

    pub(crate) fn try_run(&self, graph: &Graph, wanted: &[&str]) -> Result<Report, GraphError> {
        run(graph, wanted, &self.cache(), &self.executor(), budget(2), &Silent)
    }

    pub(crate) fn run(&self, graph: &Graph, wanted: &[&str]) -> Report {
        self.try_run(graph, wanted).unwrap()
    }

    /// The nodes whose packers ran since the last call, sorted.
    pub(crate) fn ran(&self) -> Vec<String> {
        let mut ran = std::mem::take(&mut *self.log.lock().unwrap());
        ran.sort();
        ran
    }

    /// Where the cache keeps a file.
    pub(crate) fn object(&self, file: &CachedFile) -> PathBuf {
        let name = file.sha256.to_string();
        self.cache_dir().join("objects").join(&name[..2]).join(&name)
    }

    /// Replaces what the cache keeps, as a failing disk might.
    pub(crate) fn damage(&self, file: &CachedFile, content: &[u8]) {
        let path = self.object(file);
        fs::remove_file(&path).unwrap();
        fs::write(&path, content).unwrap();
    }

    /// What an output of a run holds.
    pub(crate) fn content(&self, report: &Report, node: &str, output: &str) -> Vec<u8> {
        let file = report.output(node, output).unwrap();
        fs::read(self.cache().path(&file).unwrap()).unwrap()
    }

    pub(crate) fn text(&self, report: &Report, node: &str) -> String {
        String::from_utf8(self.content(report, node, "out")).unwrap()
    }
}

/// A node with the output `out` that is made from the outputs `out` of others.
pub(crate) fn node(name: &str, packer: &str, from: &[&str]) -> Node {
    let node = Node::new(name, packer).output("out");
    from.iter().fold(node, |node, other| {
        node.input(*other, Input::output(*other, "out"))
    })
}

pub(crate) fn graph(nodes: Vec<Node>) -> Graph {
    Graph::new("test", nodes).unwrap()
}

/// Why each node was built, in words.
pub(crate) fn why(report: &Report, node: &str) -> Vec<String> {
    match &report.nodes[node].outcome {
        vrel_graph::Outcome::Reused => Vec::new(),
        vrel_graph::Outcome::Built { why } => why.iter().map(ToString::to_string).collect(),
    }
}

/// Writes down what happens.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Mutex<Vec<String>>);

impl Observer for Notes {
    fn event(&self, event: Event<'_>) {
        let text = match event {
            Event::Planned { nodes } => format!("{nodes} nodes"),
            Event::Reused { node } => format!("reused {node}"),
            Event::Started { node, why } => format!("started {node}: {}", why[0]),
            Event::Line { node, line } => format!("{node} says {line}"),
            Event::Built { node, .. } => format!("built {node}"),
            Event::Failed { node, error } => format!("failed {node}: {error}"),
            Event::Warned(warning) => format!("warned: {warning}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

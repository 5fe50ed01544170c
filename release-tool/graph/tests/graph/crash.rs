//! Death between any two effects: the next run goes on from what is there, and makes the same bytes.

use crate::toys::{Place, budget, graph, node, packers};
use serde_json::json;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use vrel_graph::{Cache, Graph, Input, LocalExecutor, Placement, Report, Silent, run_and_place};
use vrel_model::UtcTime;
use vrel_world::{
    Entry, ErrorKind, Fs, Git, Lock, Metadata, OutFile, Processes, ReadSeek, RealWorld, Result, World,
    WorldError,
};

/// How the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Before,
    /// A write leaves an unfinished file beside the name.
    Within,
    After,
}

#[derive(Default)]
struct State {
    /// Of each effect, whether it can be half done.
    torn: Mutex<Vec<bool>>,
    dead: AtomicBool,
    death: Option<(usize, Death)>,
}

/// A world in which the process dies at one effect on files; from then on everything fails.
struct Mortal {
    real: RealWorld,
    state: Arc<State>,
}

fn dead() -> WorldError {
    WorldError::new("go on with", "the test", ErrorKind::Other, "the process is dead")
}

impl State {
    fn alive(&self) -> Result<()> {
        if self.dead.load(Ordering::SeqCst) {
            Err(dead())
        } else {
            Ok(())
        }
    }

    fn effect<T>(&self, act: impl FnOnce() -> Result<T>, torn: Option<&dyn Fn()>) -> Result<T> {
        self.alive()?;
        let mut known = self.torn.lock().unwrap();
        let number = known.len();
        known.push(torn.is_some());
        drop(known);
        let Some((_, death)) = self.death.filter(|(at, _)| *at == number) else {
            return act();
        };
        self.dead.store(true, Ordering::SeqCst);
        match death {
            Death::Before => {}
            Death::Within => torn.map(|torn| torn()).unwrap_or_default(),
            Death::After => drop(act()?),
        }
        Err(dead())
    }
}

impl Mortal {
    fn new(death: Option<(usize, Death)>) -> Self {
        let state = State {
            death,
            ..State::default()
        };
        Self {
            real: RealWorld::default(),
            state: Arc::new(state),
        }
    }
}

impl World for Mortal {
    fn fs(&self) -> &dyn Fs {
        self
    }

    fn git(&self) -> &dyn Git {
        self.real.git()
    }

    fn processes(&self) -> &dyn Processes {
        self.real.processes()
    }

    fn now(&self) -> UtcTime {
        self.real.now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.real.random(buffer)
    }

    fn check_interrupt(&self) -> Result<()> {
        self.state.alive()
    }
}

fn litter(path: &Path, content: &[u8]) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let half = &content[..content.len() / 2];
    drop(fs::write(path.with_file_name(format!(".vrel-tmp-{name}")), half));
}

struct MortalFile {
    inner: Box<dyn OutFile>,
    path: PathBuf,
    state: Arc<State>,
}

impl Read for MortalFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Write for MortalFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.inner.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Seek for MortalFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

impl OutFile for MortalFile {
    fn commit(self: Box<Self>) -> Result<()> {
        let Self { inner, path, state } = *self;
        state.effect(|| inner.commit(), Some(&|| litter(&path, b"unfinished")))
    }
}

impl Fs for Mortal {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        self.state.alive()?;
        self.real.fs().read(path)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn ReadSeek>> {
        self.state.alive()?;
        self.real.fs().open(path)
    }

    fn metadata(&self, path: &Path) -> Result<Option<Metadata>> {
        self.state.alive()?;
        self.real.fs().metadata(path)
    }

    fn extents(&self, path: &Path) -> Result<Vec<Range<u64>>> {
        self.state.alive()?;
        self.real.fs().extents(path)
    }

    fn list(&self, path: &Path) -> Result<Vec<Entry>> {
        self.state.alive()?;
        self.real.fs().list(path)
    }

    fn free_space(&self, path: &Path) -> Result<u64> {
        self.state.alive()?;
        self.real.fs().free_space(path)
    }

    fn create_dir_all(&self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return self.state.alive();
        }
        self.state.effect(|| self.real.fs().create_dir_all(path), None)
    }

    fn write(&self, path: &Path, content: &[u8], mode: u32) -> Result<()> {
        let act = || self.real.fs().write(path, content, mode);
        self.state.effect(act, Some(&|| litter(path, content)))
    }

    fn create_new(&self, path: &Path, content: &[u8]) -> Result<()> {
        let act = || self.real.fs().create_new(path, content);
        self.state.effect(act, Some(&|| litter(path, content)))
    }

    fn append(&self, path: &Path, content: &[u8]) -> Result<()> {
        let torn = || drop(self.real.fs().append(path, &content[..content.len() / 2]));
        self.state
            .effect(|| self.real.fs().append(path, content), Some(&torn))
    }

    fn create(&self, path: &Path) -> Result<Box<dyn OutFile>> {
        self.state.alive()?;
        Ok(Box::new(MortalFile {
            inner: self.real.fs().create(path)?,
            path: path.to_owned(),
            state: Arc::clone(&self.state),
        }))
    }

    fn copy_new(&self, from: &Path, to: &Path) -> Result<()> {
        let act = || self.real.fs().copy_new(from, to);
        self.state.effect(act, Some(&|| litter(to, b"unfinished")))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.state.effect(|| self.real.fs().rename(from, to), None)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        self.state.effect(|| self.real.fs().set_mode(path, mode), None)
    }

    fn remove_file(&self, path: &Path) -> Result<()> {
        self.state.effect(|| self.real.fs().remove_file(path), None)
    }

    fn remove_dir_all(&self, path: &Path) -> Result<()> {
        // A death within leaves the directory without what is in it.
        let torn = || {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                drop(fs::remove_file(entry.path()));
            }
        };
        self.state
            .effect(|| self.real.fs().remove_dir_all(path), Some(&torn))
    }

    fn lock(&self, path: &Path, holder: &str) -> Result<Lock> {
        self.state.effect(|| self.real.fs().lock(path, holder), None)
    }

    fn lock_shared(&self, path: &Path) -> Result<Lock> {
        self.state.effect(|| self.real.fs().lock_shared(path), None)
    }
}

fn sample(place: &Place, text: &str) -> Graph {
    graph(vec![
        node("low", "concat", &[]).input("src", Input::tree(place.path("src"))),
        node("mid", "upper", &["low"]).output("log"),
        node("top", "concat", &["low", "mid"]).params(json!({"text": text})),
    ])
}

fn build(
    place: &Place,
    world: &dyn World,
    text: &str,
) -> std::result::Result<Report, vrel_graph::GraphError> {
    let packers = packers(1, &place.log);
    let cache = Cache::open(world, &place.cache_dir())?;
    let placement = Placement {
        node: "top".to_owned(),
        output: "out".to_owned(),
        to: place.path("out/top"),
    };
    let executor = LocalExecutor::new(world, &packers);
    run_and_place(
        &sample(place, text),
        &[placement],
        &cache,
        &executor,
        budget(1),
        &Silent,
    )
}

/// Every object has the content that its name says.
fn assert_whole(place: &Place) {
    let mut objects = 0;
    for dir in fs::read_dir(place.cache_dir().join("objects")).unwrap() {
        for entry in fs::read_dir(dir.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let digest = vrel_trust::digest_bytes(&fs::read(&path).unwrap()).sha256;
            assert_eq!(name, digest.to_string());
            objects += 1;
        }
    }
    assert!(objects >= 4, "only {objects} objects");
}

/// A source, and a cache in which `old` was built if there is one.
fn prepared(old: Option<&str>) -> Place {
    let place = Place::new();
    place.put("src/x", "source");
    if let Some(text) = old {
        build(&place, &RealWorld::default(), text).unwrap();
        place.put("src/x", "another");
    }
    place
}

fn deaths(old: Option<&str>) {
    let clean = prepared(None);
    clean.put("src/x", if old.is_some() { "another" } else { "source" });
    let expected = build(&clean, &RealWorld::default(), "new").unwrap();
    let content = fs::read(clean.path("out/top")).unwrap();

    let counting = prepared(old);
    let world = Mortal::new(None);
    build(&counting, &world, "new").unwrap();
    let effects = world.state.torn.lock().unwrap().clone();
    assert!(effects.len() > 30, "only {} effects", effects.len());

    let (mut tried, mut died) = (0, 0);
    for (at, torn) in effects.into_iter().enumerate() {
        for death in [Death::Before, Death::Within, Death::After] {
            // Before an effect is as after the one before it.
            let differs = match death {
                Death::Before => at == 0,
                Death::Within => torn,
                Death::After => true,
            };
            if !differs {
                continue;
            }
            tried += 1;
            let place = prepared(old);
            let before = fs::read(place.path("out/top")).ok();
            let world = Mortal::new(Some((at, death)));
            // At the very end only the clean-up is left, which nobody waits for.
            died += usize::from(build(&place, &world, "new").is_err());
            assert!(world.state.dead.load(Ordering::SeqCst), "{at} {death:?}");
            let now = fs::read(place.path("out/top")).ok();
            assert!(
                now == before || now.as_ref() == Some(&content),
                "{at} {death:?}: half a file under its final name"
            );

            let report = build(&place, &RealWorld::default(), "new")
                .unwrap_or_else(|error| panic!("{at} {death:?}: {error}"));
            for (name, node) in &report.nodes {
                assert_eq!(
                    node.outputs, expected.nodes[name].outputs,
                    "{at} {death:?}: {name}"
                );
            }
            assert_eq!(report.warnings, [], "{at} {death:?}");
            assert_eq!(
                fs::read(place.path("out/top")).unwrap(),
                content,
                "{at} {death:?}"
            );
            assert_whole(&place);
            assert_eq!(
                fs::read_dir(place.cache_dir().join("work")).unwrap().count(),
                0,
                "{at} {death:?}"
            );
            let third = build(&place, &RealWorld::default(), "new").unwrap();
            assert_eq!(third.built(), [""; 0], "{at} {death:?}");
        }
    }
    assert!(died > tried - 8, "died only {died} of {tried} times");
}

#[test]
fn a_first_build_that_is_killed_anywhere_leaves_a_usable_cache() {
    deaths(None);
}

#[test]
fn a_rebuild_that_is_killed_anywhere_leaves_a_usable_cache() {
    deaths(Some("old"));
}

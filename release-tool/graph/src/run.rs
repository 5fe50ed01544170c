//! Making what is wanted.

use crate::build::{Builder, Made, is_interrupt, threads};
use crate::lookup::{self, Resolved};
use crate::place::place_all;
use crate::record::Outputs;
use crate::schedule::Schedule;
use crate::sources::Sources;
use crate::{
    Budget, Cache, CachedFile, Cost, Damage, Event, Executor, Graph, GraphError, NodeReport, Observer,
    Outcome, Report, Warning, Why,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often files are placed: what is built again in between was damaged once, and what this process wrote itself must
/// not be, so that a third time is never needed on a machine that works.
const ROUNDS: u32 = 3;

/// A file that leaves the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The node.
    pub node: String,
    /// Its output.
    pub output: String,
    /// Where to put it, under which name. Directories are made.
    pub to: PathBuf,
}

/// Makes the wanted nodes, and what they need, as far as the cache has not got it.
///
/// The bytes that come out depend on nothing but the graph and its sources: not on the budget, nor on what was in the
/// cache. After the first failure nothing new is started; what runs may end.
///
/// # Errors
/// The first failure: that of a packer, with its node; a source that is not there; an effect; that the program was asked
/// to stop.
pub fn run(
    graph: &Graph,
    wanted: &[&str],
    cache: &Cache<'_>,
    executor: &dyn Executor,
    budget: Budget,
    observer: &dyn Observer,
) -> Result<Report, GraphError> {
    let needed = graph.needed(wanted)?;
    let versions = versions(graph, &needed, executor)?;
    let sources = sources(graph, &needed, cache, threads(budget.cores.get()))?;
    observer.event(Event::Planned { nodes: needed.len() });
    let run = Run {
        graph,
        versions,
        builder: Builder {
            cache,
            executor,
            observer,
            sources: &sources,
        },
        progress: Mutex::new(Progress {
            schedule: Schedule::new(graph, &needed, budget),
            nodes: BTreeMap::new(),
            warnings: Vec::new(),
            failure: None,
        }),
        wake: Condvar::new(),
    };
    let width = run.lock().schedule.width();
    std::thread::scope(|scope| {
        for _ in 1..width {
            scope.spawn(|| run.work());
        }
        run.work();
    });
    let progress = run.progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    match progress.failure {
        Some(error) => Err(error),
        None => Ok(progress.report(graph)),
    }
}

/// As [`run`] for the nodes of the placements, and then gives the files their final names. A file that turns out to be
/// damaged while it is copied is built again.
///
/// # Errors
/// As [`run`]; two placements with one target; a target that is not a file; a cache that does not keep what is put in.
pub fn run_and_place(
    graph: &Graph,
    placements: &[Placement],
    cache: &Cache<'_>,
    executor: &dyn Executor,
    budget: Budget,
    observer: &dyn Observer,
) -> Result<Report, GraphError> {
    let mut targets: BTreeMap<&PathBuf, String> = BTreeMap::new();
    for Placement { node, output, to } in placements {
        let name = format!("{node}/{output}");
        if let Some(first) = targets.insert(to, name.clone()) {
            return Err(GraphError::PlacedTwice {
                path: to.clone(),
                first,
                second: name,
            });
        }
        let known = &graph.node(node)?.outputs;
        if !known.contains(output) {
            return Err(GraphError::UnknownOutput {
                wanted_by: to.display().to_string(),
                node: node.clone(),
                output: output.clone(),
                known: known.clone(),
            });
        }
    }
    let wanted: BTreeSet<&str> = placements.iter().map(|one| one.node.as_str()).collect();
    let wanted: Vec<&str> = wanted.into_iter().collect();
    let mut report = run(graph, &wanted, cache, executor, budget, observer)?;
    for left in (0..ROUNDS).rev() {
        let files = placements
            .iter()
            .map(|one| Ok((report.output(&one.node, &one.output)?, one.to.as_path())))
            .collect::<Result<Vec<_>, GraphError>>()?;
        let damaged = place_all(cache, &files, threads(budget.cores.get()))?;
        match damaged.into_iter().next() {
            Some(error) if left == 0 => return Err(error),
            // It has been dropped, so that it is found missing and built again.
            Some(_) => {
                let before = report;
                report = run(graph, &wanted, cache, executor, budget, observer)?.after(before);
            }
            None => break,
        }
    }
    Ok(report)
}

/// The version of the packer of each node.
pub(crate) fn versions(
    graph: &Graph,
    needed: &[usize],
    executor: &dyn Executor,
) -> Result<BTreeMap<usize, u32>, GraphError> {
    let packers = executor.packers();
    let version = |&index: &usize| {
        let node = graph.at(index);
        let version = packers.get(&node.packer).copied();
        let version = version.ok_or_else(|| GraphError::UnknownPacker {
            node: node.name.clone(),
            packer: node.packer.clone(),
            known: packers.keys().cloned().collect(),
        });
        Ok((index, version?))
    };
    needed.iter().map(version).collect()
}

/// All sources of the nodes.
pub(crate) fn sources(
    graph: &Graph,
    needed: &[usize],
    cache: &Cache<'_>,
    threads: std::num::NonZeroUsize,
) -> Result<Sources, GraphError> {
    let inputs = needed.iter().flat_map(|&index| {
        let node = graph.at(index);
        let inputs = node.inputs.iter();
        inputs.map(|(slot, input)| (node.name.as_str(), slot.as_str(), input))
    });
    Sources::read(cache.world, inputs, threads)
}

/// What is known of a node on its way.
struct Progressing {
    resolved: Resolved,
    why: Vec<Why>,
    /// What an earlier build from the same recipe gave.
    before: Option<Outputs>,
    /// What it makes. When it has to be built again this stays: others go on from it.
    outputs: Option<Outputs>,
    built: bool,
    duration: Duration,
}

struct Progress<'g> {
    schedule: Schedule<'g>,
    nodes: BTreeMap<usize, Progressing>,
    warnings: Vec<Warning>,
    failure: Option<GraphError>,
}

impl Progress<'_> {
    fn report(self, graph: &Graph) -> Report {
        let node = |(index, node): (usize, Progressing)| {
            let report = NodeReport {
                key: node.resolved.recipe.key(),
                outcome: if node.built {
                    Outcome::Built { why: node.why }
                } else {
                    Outcome::Reused
                },
                duration: node.duration,
                outputs: node.outputs.unwrap_or_default(),
            };
            (graph.at(index).name.clone(), report)
        };
        Report {
            nodes: self.nodes.into_iter().map(node).collect(),
            warnings: self.warnings,
        }
    }
}

struct Run<'a> {
    graph: &'a Graph,
    versions: BTreeMap<usize, u32>,
    builder: Builder<'a>,
    progress: Mutex<Progress<'a>>,
    /// Something ended.
    wake: Condvar,
}

impl<'a> Run<'a> {
    fn lock(&self) -> MutexGuard<'_, Progress<'a>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds nodes until there is nothing more to start.
    fn work(&self) {
        let mut progress = self.lock();
        loop {
            while progress.failure.is_none()
                && let Some(index) = progress.schedule.next_open()
            {
                if let Err(error) = self.open(&mut progress, index) {
                    self.fail(&mut progress, index, error);
                }
            }
            if progress.failure.is_some() || progress.schedule.is_done() {
                break;
            }
            let Some((index, granted)) = progress.schedule.start() else {
                // Something runs: only a node that waits for itself could leave nothing to start, and a graph has none.
                assert!(!progress.schedule.is_idle(), "nothing runs and nothing can start");
                progress = self.wake.wait(progress).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            // Others may find something to start too.
            self.wake.notify_all();
            let node = self.graph.at(index);
            let state = &progress.nodes[&index];
            let resolved = state.resolved.clone();
            self.builder.observer.event(Event::Started {
                node: &node.name,
                why: &state.why,
            });
            drop(progress);
            let (made, duration) = self.build(index, &resolved, granted);
            progress = self.lock();
            if let Err(error) = made.and_then(|made| self.close(&mut progress, index, made, duration)) {
                self.fail(&mut progress, index, error);
            }
            self.wake.notify_all();
        }
        self.wake.notify_all();
    }

    fn build(
        &self,
        index: usize,
        resolved: &Resolved,
        granted: Cost,
    ) -> (Result<Made, GraphError>, Duration) {
        let world = self.builder.cache.world;
        let start = world.uptime();
        let made = self.builder.build(self.graph.at(index), resolved, granted);
        (made, world.uptime().saturating_sub(start))
    }

    fn fail(&self, progress: &mut Progress<'_>, index: usize, error: GraphError) {
        progress.schedule.set_failed(index);
        if !is_interrupt(&error) {
            let node = &self.graph.at(index).name;
            self.builder.observer.event(Event::Failed { node, error: &error });
        }
        progress.failure.get_or_insert(error);
    }

    fn warn(&self, progress: &mut Progress<'_>, warning: Warning) {
        self.builder.observer.event(Event::Warned(&warning));
        progress.warnings.push(warning);
    }

    fn warn_damaged(
        &self,
        progress: &mut Progress<'_>,
        node: &str,
        output: &str,
        file: &CachedFile,
        damage: Damage,
    ) {
        let warning = Warning::Damaged {
            node: node.to_owned(),
            output: output.to_owned(),
            path: self.builder.cache.objects.path(file.sha256),
            damage,
        };
        self.warn(progress, warning);
    }

    /// Finds out whether a node has to run. What it is made from is known.
    fn open(&self, progress: &mut Progress<'_>, index: usize) -> Result<(), GraphError> {
        let (cache, sources) = (self.builder.cache, self.builder.sources);
        cache.world.check_interrupt()?;
        let start = cache.world.uptime();
        let node = self.graph.at(index);
        let known = |name: &str| {
            let index = self.graph.index(name).ok()?;
            progress.nodes.get(&index)?.outputs.as_ref()
        };
        let version = self.versions.get(&index).copied().unwrap_or(0);
        let resolved = lookup::resolve(node, version, sources, cache, &known);
        // The schedule opens a node when all that it is made from is done.
        let resolved =
            resolved.unwrap_or_else(|waits_for| unreachable!("{} waits for {waits_for:?}", node.name));
        let found = lookup::look_up(cache, self.graph.name(), node, &resolved.recipe, sources)?;

        for (output, file, damage) in found.damaged {
            cache.objects.drop_damaged(&file, damage, &cache.workspaces)?;
            self.warn_damaged(progress, &node.name, &output, &file, damage);
        }
        if let Some(reason) = found.bad_record {
            let path = cache.action_path(resolved.recipe.key());
            let node = node.name.clone();
            self.warn(progress, Warning::Record { node, path, reason });
        }
        let outputs = match found.whole {
            Some(record) => {
                let outputs = record.outputs.clone();
                cache.touch(record)?;
                if found.last.as_ref() != Some(&resolved.recipe) {
                    cache.put_last(self.graph.name(), &node.name, &resolved.recipe)?;
                }
                self.builder.observer.event(Event::Reused { node: &node.name });
                progress.schedule.set_done(index);
                Some(outputs)
            }
            None => {
                progress.schedule.set_ready(index);
                None
            }
        };
        progress.nodes.insert(
            index,
            Progressing {
                resolved,
                why: found.why,
                before: found.before,
                outputs,
                built: false,
                duration: cache.world.uptime().saturating_sub(start),
            },
        );
        Ok(())
    }

    /// Takes note of what became of a node that ran.
    fn close(
        &self,
        progress: &mut Progress<'_>,
        index: usize,
        made: Made,
        duration: Duration,
    ) -> Result<(), GraphError> {
        let node = self.graph.at(index);
        let outputs = match made {
            Made::Outputs(outputs) => outputs,
            Made::Damaged(damaged) => return self.make_again(progress, index, damaged),
        };
        let Some(state) = progress.nodes.get_mut(&index) else {
            return Ok(());
        };
        state.built = true;
        state.duration += duration;
        let used = state.outputs.replace(outputs.clone());
        let before = used.clone().or(state.before.clone()).unwrap_or_default();
        self.builder
            .cache
            .put_last(self.graph.name(), &node.name, &state.resolved.recipe)?;
        let differs = |(output, file): (&String, &CachedFile)| {
            let now = outputs.get(output).filter(|now| *now != file)?;
            Some((output.clone(), file.sha256, now.sha256))
        };
        if let Some((output, before, now)) = before.iter().find_map(differs) {
            let node = node.name.clone();
            if used.is_some() {
                return Err(GraphError::NotReproducible {
                    node,
                    output,
                    expected: before,
                    found: now,
                });
            }
            self.warn(
                progress,
                Warning::NotReproducible {
                    node,
                    output,
                    before,
                    now,
                },
            );
        }
        self.builder.observer.event(Event::Built {
            node: &node.name,
            duration,
        });
        progress.schedule.set_done(index);
        Ok(())
    }

    /// Has the nodes run again that made the damaged inputs of a node.
    fn make_again(
        &self,
        progress: &mut Progress<'_>,
        index: usize,
        damaged: Vec<(String, String, CachedFile, Damage)>,
    ) -> Result<(), GraphError> {
        let objects = &self.builder.cache.objects;
        let mut makers = BTreeSet::new();
        let mut stale = BTreeSet::new();
        for (node, output, file, damage) in damaged {
            let maker = self.graph.index(&node)?;
            makers.insert(maker);
            if objects.is_written(file.sha256) {
                continue;
            }
            let why = Why::OutputDamaged {
                output: output.clone(),
                damage,
            };
            stale.insert(maker);
            if let Some(state) = progress.nodes.get_mut(&maker)
                && !state.why.contains(&why)
            {
                state.why.push(why);
                self.warn_damaged(progress, &node, &output, &file, damage);
            }
        }
        progress
            .schedule
            .again(index, &makers, &|maker| stale.contains(&maker));
        Ok(())
    }
}

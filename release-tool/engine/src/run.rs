//! Following the step table.

use crate::{EngineError, Event, Journal, Progress, ProgressEvent};
use vrel_world::World;

/// What a step sees when it looks at the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The end state holds; the text says what is there.
    Done(String),
    /// It does not; the text says what is missing.
    Missing(String),
}

/// What a step does: an action on the context.
pub type Action<C> = fn(&C) -> Result<(), EngineError>;

/// One step of a command, working on a context `C`.
pub struct Step<C> {
    /// Its name, as in the plan.
    pub name: &'static str,
    /// Looks whether the end state holds. Fails when the world contradicts the plan.
    pub observe: fn(&C) -> Result<Observation, EngineError>,
    /// Brings the end state about, whatever an earlier attempt left behind.
    pub act: Action<C>,
    /// Takes the step back, whatever is left of it. `None` when the step is irreversible.
    pub undo: Option<Action<C>>,
}

/// Follows the table from the first step whose end state does not hold.
///
/// # Errors
/// The first step that fails ends the run; the journal says which, and running it again goes on from there.
pub fn apply<C>(
    world: &dyn World,
    context: &C,
    steps: &[Step<C>],
    journal: &mut Journal,
    progress: &dyn Progress,
) -> Result<(), EngineError> {
    let summaries: Vec<String> = journal
        .plan()
        .steps
        .iter()
        .map(|step| step.summary.clone())
        .collect();
    for (index, step) in steps.iter().enumerate() {
        let summary = summaries.get(index).map_or("", String::as_str);
        let total = steps.len();
        progress.event(&ProgressEvent::StepStarted {
            step: step.name,
            summary,
            index: index + 1,
            total,
        });
        match run_step(world, context, step, journal) {
            Ok((note, skipped)) => {
                progress.event(&ProgressEvent::StepFinished {
                    step: step.name,
                    skipped,
                    note: &note,
                });
            }
            Err(error) => {
                let message = error.to_string();
                progress.event(&ProgressEvent::StepFailed {
                    step: step.name,
                    message: &message,
                });
                // The step's own error matters more than a journal that cannot be written either.
                let failed = Event::Failed {
                    step: step.name.into(),
                    message,
                };
                drop(journal.append(world, failed));
                return Err(error);
            }
        }
    }
    if journal.is_open() {
        journal.append(world, Event::Finished)?;
    }
    Ok(())
}

fn run_step<C>(
    world: &dyn World,
    context: &C,
    step: &Step<C>,
    journal: &mut Journal,
) -> Result<(String, bool), EngineError> {
    world.check_interrupt()?;
    let (note, skipped) = match (step.observe)(context)? {
        Observation::Done(note) => (note, true),
        Observation::Missing(_) => {
            journal.append(
                world,
                Event::Begun {
                    step: step.name.into(),
                },
            )?;
            (step.act)(context)?;
            match (step.observe)(context)? {
                Observation::Done(note) => (note, false),
                Observation::Missing(missing) => {
                    return Err(EngineError::NotConfirmed {
                        step: step.name.into(),
                        missing,
                    });
                }
            }
        }
    };
    if !journal.is_done(step.name) {
        journal.append(
            world,
            Event::Done {
                step: step.name.into(),
                note: note.clone(),
            },
        )?;
    }
    Ok((note, skipped))
}

/// Takes a release back, last step first, and puts its journal away.
///
/// # Errors
/// [`EngineError::NoReturn`] when an irreversible step was begun; else the first step that cannot be taken back.
pub fn undo<C>(
    world: &dyn World,
    context: &C,
    steps: &[Step<C>],
    mut journal: Journal,
    progress: &dyn Progress,
) -> Result<(), EngineError> {
    let irreversible = steps
        .iter()
        .find(|step| step.undo.is_none() && journal.was_begun(step.name));
    if let Some(step) = irreversible {
        let version = journal.plan().version.to_string();
        return Err(EngineError::NoReturn {
            version,
            step: step.name.into(),
        });
    }
    journal.append(world, Event::UndoStarted)?;
    for step in steps
        .iter()
        .rev()
        .filter(|step| journal.was_begun(step.name))
        .collect::<Vec<_>>()
    {
        if let Some(take_back) = step.undo {
            world.check_interrupt()?;
            take_back(context)?;
            journal.append(
                world,
                Event::StepUndone {
                    step: step.name.into(),
                },
            )?;
            progress.event(&ProgressEvent::StepUndone { step: step.name });
        }
    }
    journal.append(world, Event::Undone)?;
    journal.archive(world)
}

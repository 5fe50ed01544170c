//! Progress: bars on a terminal, plain lines in a log, JSON lines for machines.

use crate::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use vrel_engine::{Progress, ProgressEvent};

/// How long one step took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StepTime {
    /// The step.
    pub(crate) step: String,
    /// How long; `None` when it was done already.
    pub(crate) took: Option<Duration>,
}

#[derive(Debug)]
enum Look {
    Bar(ProgressBar),
    Lines,
    Json,
}

#[derive(Debug, Default)]
struct Times {
    started: Option<Instant>,
    steps: Vec<StepTime>,
    heading: String,
}

/// Shows what the engine tells, and remembers how long each step took.
#[derive(Debug)]
pub(crate) struct Reporter {
    look: Look,
    verbose: bool,
    times: Mutex<Times>,
}

impl Reporter {
    /// A reporter for this run: JSON when asked for, bars when standard error is a terminal, else lines. `verbose` also
    /// shows what the programs print that a step runs.
    #[must_use]
    pub(crate) fn new(json: bool, verbose: bool) -> Self {
        let look = if json {
            Look::Json
        } else if std::io::stderr().is_terminal() && !verbose {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
            Look::Bar(bar)
        } else {
            Look::Lines
        };
        Self {
            look,
            verbose,
            times: Mutex::default(),
        }
    }

    /// How long the steps took, in their order.
    #[must_use]
    pub(crate) fn times(&self) -> Vec<StepTime> {
        self.times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .steps
            .clone()
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        if let Look::Bar(bar) = &self.look {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.look {
            Look::Bar(bar) => bar.suspend(|| output::say(text)),
            Look::Lines => output::say(text),
            Look::Json => {}
        }
    }

    fn started(&self, step: &str, summary: &str, index: usize, total: usize) {
        let heading = format!("[{index:>2}/{total}] {step}");
        {
            let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
            times.started = Some(Instant::now());
            times.heading.clone_from(&heading);
        }
        match &self.look {
            Look::Bar(bar) => {
                set_spinner(bar);
                bar.set_prefix(heading);
                bar.set_message(summary.to_owned());
            }
            Look::Lines => output::say(&format!("{heading}: {summary}")),
            Look::Json => {}
        }
    }

    fn finished(&self, step: &str, skipped: bool, note: &str) {
        let (took, heading) = {
            let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
            let took = times
                .started
                .take()
                .map(|started| started.elapsed())
                .filter(|_| !skipped);
            times.steps.push(StepTime {
                step: step.to_owned(),
                took,
            });
            (took, times.heading.clone())
        };
        let time = took.map_or_else(|| "already done".to_owned(), seconds);
        self.line(&format!("{heading}: {note} ({time})"));
    }

    fn advanced(&self, done: u64, total: u64, what: &str) {
        match &self.look {
            Look::Bar(bar) => {
                let style = ProgressStyle::with_template("{spinner} {prefix} {bar:30} {pos}/{len} {msg}");
                if let Ok(style) = style {
                    bar.set_style(style);
                }
                bar.set_length(total);
                bar.set_position(done);
                bar.set_message(what.to_owned());
            }
            Look::Lines => output::say(&format!("        {done}/{total} {what}")),
            Look::Json => {}
        }
    }
}

fn set_spinner(bar: &ProgressBar) {
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.reset();
}

/// A duration as people read it: `0.42 s`, `12.3 s`, `2 min 05 s`.
#[must_use]
pub(crate) fn seconds(time: Duration) -> String {
    let total = time.as_secs();
    match total {
        0..=9 => format!("{:.2} s", time.as_secs_f64()),
        10..=59 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {:02} s", total / 60, total % 60),
    }
}

impl Progress for Reporter {
    fn event(&self, event: &ProgressEvent<'_>) {
        if matches!(self.look, Look::Json)
            && let Ok(line) = serde_json::to_string(event)
        {
            // A reader that has gone away does not stop a release.
            drop(output::print(&(line + "\n")));
        }
        match *event {
            ProgressEvent::StepStarted {
                step,
                summary,
                index,
                total,
            } => self.started(step, summary, index, total),
            ProgressEvent::StepFinished { step, skipped, note } => self.finished(step, skipped, note),
            ProgressEvent::StepFailed { step, .. } => {
                self.clear();
                self.line(&format!("{step}: failed"));
            }
            ProgressEvent::StepUndone { step } => self.line(&format!("{step}: taken back")),
            ProgressEvent::Advanced {
                done, total, what, ..
            } => self.advanced(done, total, what),
            ProgressEvent::Output {
                source: "warning",
                line,
                ..
            } => self.line(&format!("warning: {line}")),
            ProgressEvent::Output { source, line, .. } => {
                if self.verbose {
                    self.line(&format!("        {source}: {line}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(420)), "0.42 s");
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}

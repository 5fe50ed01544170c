//! The files for cron, systemd and hosted CI.
//!
//! Their words are in `templates/ci/`; what they say comes from the policy files. Names of users, labels and paths need no
//! quotes in any of these languages, by their types; everything else is quoted here.

use crate::DocumentError;
use askama::Template;
use vrel_model::{CiPlan, PlainWord, Rhythm, TimeOfDay};

/// How the first line of every file that is written here ends; no other file has it.
pub const MARK: &str =
    "Written by `vrel ci generate` from vrel.toml and channels/; what is changed here is lost.";

/// The action that fetches the sources, by its content, so that nobody can put another one in its place.
const CHECKOUT: &str = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2";

/// For which program a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CiKind {
    /// cron.
    Crontab,
    /// systemd.
    Systemd,
    /// Hosted CI, in the language of GitHub Actions.
    Workflows,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiFile {
    /// For which program.
    pub kind: CiKind,
    /// Where it lies in the directory of all of them, with `/`.
    pub path: &'static str,
    /// What it says.
    pub text: String,
}

/// All files of a plan, by path.
///
/// # Errors
/// When a template fails.
pub fn ci_files(plan: &CiPlan) -> Result<Vec<CiFile>, DocumentError> {
    let ci = &View::of(plan);
    let mut files = vec![
        file(CiKind::Crontab, "crontab", &Crontab { ci })?,
        file(
            CiKind::Systemd,
            "systemd/veridian-nightly-check.service",
            &AlarmService { ci },
        )?,
        file(
            CiKind::Systemd,
            "systemd/veridian-nightly-check.timer",
            &AlarmTimer { ci },
        )?,
        file(
            CiKind::Systemd,
            "systemd/veridian-nightly.service",
            &NightlyService { ci },
        )?,
        file(
            CiKind::Systemd,
            "systemd/veridian-nightly.timer",
            &NightlyTimer { ci },
        )?,
        file(CiKind::Workflows, "workflows/ci.yml", &Ci { ci })?,
    ];
    if !plan.config.nightly_runner.is_empty() {
        files.push(file(
            CiKind::Workflows,
            "workflows/nightly-check.yml",
            &Alarm { ci },
        )?);
    }
    files.push(file(CiKind::Workflows, "workflows/nightly.yml", &Nightly { ci })?);
    Ok(files)
}

fn file(kind: CiKind, path: &'static str, template: &impl Template) -> Result<CiFile, DocumentError> {
    let mut text = template.render().map_err(|error| DocumentError::Template {
        template: path,
        reason: error.to_string(),
    })?;
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(CiFile { kind, path, text })
}

/// A plan in the words of the files' languages.
struct View<'a> {
    plan: &'a CiPlan,
    mark: &'static str,
    advice: &'static str,
    checkout: &'static str,
    product_line: String,
    product_unit: String,
    main_yaml: String,
    main_shell: String,
    release_branches: String,
    cron_nightly: String,
    cron_alarm: String,
    calendar_nightly: String,
    calendar_alarm: String,
    runner: String,
    nightly_runner: String,
}

impl<'a> View<'a> {
    fn of(plan: &'a CiPlan) -> Self {
        let config = &plan.config;
        Self {
            plan,
            mark: MARK,
            advice: "Change those, or templates/ci/, and run it again.",
            checkout: CHECKOUT,
            product_line: line(&plan.product),
            // What follows a per cent sign means something to systemd.
            product_unit: line(&plan.product).replace('%', "%%"),
            main_yaml: yaml(&plan.main),
            main_shell: format!("'{}'", line(&plan.main).replace('\'', "'\\''")),
            release_branches: yaml(&plan.release_branches),
            cron_nightly: cron(plan.rhythm, config.nightly_at),
            // Looked at every day, however rarely a nightly is made.
            cron_alarm: cron(Rhythm::Daily, config.alarm_at),
            calendar_nightly: calendar(plan.rhythm, config.nightly_at),
            calendar_alarm: calendar(Rhythm::Daily, config.alarm_at),
            runner: labels(&config.runner),
            nightly_runner: labels(&config.nightly_runner),
        }
    }
}

/// A text that stays on its line.
fn line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn yaml(text: &str) -> String {
    format!("'{}'", line(text).replace('\'', "''"))
}

fn labels(labels: &[PlainWord]) -> String {
    let labels: Vec<&str> = labels.iter().map(PlainWord::as_str).collect();
    labels.join(", ")
}

fn cron(rhythm: Rhythm, at: TimeOfDay) -> String {
    let day = match rhythm {
        Rhythm::Daily => "*",
        Rhythm::Weekly => "1",
    };
    format!("{} {} * * {day}", at.minute(), at.hour())
}

fn calendar(rhythm: Rhythm, at: TimeOfDay) -> String {
    let day = match rhythm {
        Rhythm::Daily => "",
        Rhythm::Weekly => "Mon ",
    };
    format!("{day}*-*-* {at}:00 UTC")
}

macro_rules! templates {
    ($($name:ident $path:literal),* $(,)?) => {$(
        #[derive(Template)]
        #[template(path = $path, escape = "none", syntax = "ci")]
        struct $name<'a> {
            ci: &'a View<'a>,
        }
    )*};
}

templates! {
    Crontab "ci/crontab",
    NightlyService "ci/nightly.service",
    NightlyTimer "ci/nightly.timer",
    AlarmService "ci/alarm.service",
    AlarmTimer "ci/alarm.timer",
    Ci "ci/ci.yml",
    Nightly "ci/nightly.yml",
    Alarm "ci/alarm.yml",
}

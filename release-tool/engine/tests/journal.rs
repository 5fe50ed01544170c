//! The journal and the runner on a real disk.

use std::cell::RefCell;
use std::path::Path;
use vrel_engine::{
    EngineError, Event, Journal, JournalState, Observation, Silent, Site, Step, apply, load_all, take_lock,
    undo,
};
use vrel_model::{Config, Plan, PlannedStep, Version, toml_file};
use vrel_world::{RealWorld, World};

fn site(root: &Path) -> Site {
    let text = "[product]\nname = 'OS'\nid = 'os'\n[git]\nremote = 'origin'\nmain = 'main'\nrelease-branch = 'r/{line}'\n\
                [publish]\norigin = 'published'\ncandidate-channel = 'beta'\npointer-lifetime-days = 1\npublic-url = 'x'\n\
                [os]\nsource = 'os'\nimage = 'i'\nesp-size = '4 MiB'\n\
                [toolchain]\nrust = '1.95'\nzstd-level = 1\nzstd-workers = 1\n[plan]\nfile = 'T.md'\npush = true\n";
    let config: Config = toml_file::parse(Path::new("vrel.toml"), text).unwrap();
    Site::new(root, &config)
}

fn plan(steps: &[&str]) -> Plan {
    let steps: Vec<_> = steps
        .iter()
        .map(|name| PlannedStep {
            name: (*name).into(),
            summary: format!("do {name}"),
            reversible: true,
        })
        .collect();
    serde_json::from_value(serde_json::json!({
        "schema": 1, "command": "cut-rc", "product_name": "OS", "product": "os", "version": "0.6.0-rc1",
        "channel": "beta", "commit": "1".repeat(40), "source_date_epoch": 0, "created": "2026-11-21T03:00:00Z",
        "previous": null, "remote": "origin", "origin": "published", "refs": [], "artifacts": [], "objects": [],
        "key_role": "release", "pointer_role": "pointer", "messages": [], "steps": steps,
        "pointer": {"from": null, "to": 1, "head_before": null, "expires": "2026-12-21T03:00:00Z"},
    }))
    .unwrap()
}

fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

/// A context whose steps add their name to a list, and fail where told to.
#[derive(Default)]
struct Context {
    done: RefCell<Vec<&'static str>>,
    fail: RefCell<Option<&'static str>>,
    calls: RefCell<Vec<&'static str>>,
}

macro_rules! step {
    ($name:literal, $undo:expr) => {
        Step {
            name: $name,
            observe: |context: &Context| {
                let done = context.done.borrow().contains(&$name);
                Ok(if done {
                    Observation::Done($name.into())
                } else {
                    Observation::Missing($name.into())
                })
            },
            act: |context: &Context| {
                context.calls.borrow_mut().push($name);
                if *context.fail.borrow() == Some($name) {
                    let hint = None;
                    return Err(EngineError::Step {
                        step: $name.into(),
                        message: "told to".into(),
                        hint,
                        conflict: false,
                    });
                }
                context.done.borrow_mut().push($name);
                Ok(())
            },
            undo: $undo,
        }
    };
}

fn steps() -> Vec<Step<Context>> {
    fn forget(context: &Context) -> Result<(), EngineError> {
        context.done.borrow_mut().pop();
        Ok(())
    }
    vec![
        step!("one", Some(forget)),
        step!("two", Some(forget)),
        step!("push", None),
    ]
}

#[test]
fn a_failed_run_goes_on_where_it_stopped_and_does_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let context = Context::default();
    *context.fail.borrow_mut() = Some("two");
    let mut journal = Journal::start(&world, &site, plan(&["one", "two", "push"])).unwrap();
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap_err();
    let mut journal = Journal::load(&world, &site, &version()).unwrap().unwrap();
    let failure = Some("step `two`: told to".to_owned());
    assert_eq!(
        journal.state(),
        JournalState::Unfinished {
            step: "two".into(),
            failure
        }
    );

    *context.fail.borrow_mut() = None;
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap();
    assert_eq!(*context.calls.borrow(), ["one", "two", "two", "push"]);
    let mut journal = Journal::load(&world, &site, &version()).unwrap().unwrap();
    assert_eq!(journal.state(), JournalState::Finished);
    let records = journal.records().len();
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap();
    assert_eq!(
        (journal.records().len(), context.calls.borrow().len()),
        (records, 4)
    );
}

#[test]
fn the_world_decides_whether_a_step_is_done_not_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let context = Context::default();
    let mut journal = Journal::start(&world, &site, plan(&["one", "two", "push"])).unwrap();
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap();
    context.done.borrow_mut().retain(|step| *step != "one");
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap();
    assert_eq!(*context.calls.borrow(), ["one", "two", "push", "one"]);
}

#[test]
fn a_step_that_only_claims_success_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let liar = Step {
        name: "liar",
        observe: |_: &Context| Ok(Observation::Missing("the result".into())),
        act: |_| Ok(()),
        undo: None,
    };
    let mut journal = Journal::start(&world, &site, plan(&["liar"])).unwrap();
    let error = apply(&world, &Context::default(), &[liar], &mut journal, &Silent).unwrap_err();
    assert!(matches!(error, EngineError::NotConfirmed { .. }), "{error}");
}

#[test]
fn undo_takes_back_what_was_begun_and_frees_the_version() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let context = Context::default();
    *context.fail.borrow_mut() = Some("two");
    let mut journal = Journal::start(&world, &site, plan(&["one", "two", "push"])).unwrap();
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap_err();
    undo(&world, &context, &steps(), journal, &Silent).unwrap();
    assert_eq!(*context.done.borrow(), Vec::<&str>::new());
    assert!(Journal::load(&world, &site, &version()).unwrap().is_none());
    assert!(load_all(&world, &site).unwrap().is_empty());
    assert!(site.journals().join("0.6.0-rc1.undone-1.jsonl").exists());
}

#[test]
fn undo_refuses_after_the_point_of_no_return() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let context = Context::default();
    *context.fail.borrow_mut() = Some("push");
    let mut journal = Journal::start(&world, &site, plan(&["one", "two", "push"])).unwrap();
    apply(&world, &context, &steps(), &mut journal, &Silent).unwrap_err();
    let error = undo(&world, &context, &steps(), journal, &Silent).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0.6.0-rc1 cannot be taken back: `push` was reached, and it is public"
    );
    assert_eq!(*context.done.borrow(), ["one", "two"]);
}

#[test]
fn a_torn_last_line_is_forgotten_and_a_changed_line_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let mut journal = Journal::start(&world, &site, plan(&["one"])).unwrap();
    journal
        .append(&world, Event::Begun { step: "one".into() })
        .unwrap();
    let path = site.journals().join("0.6.0-rc1.jsonl");
    let whole = std::fs::read_to_string(&path).unwrap();

    std::fs::write(&path, format!("{whole}{{\"seq\":2,\"pre")).unwrap();
    let mut journal = Journal::load(&world, &site, &version()).unwrap().unwrap();
    assert_eq!(journal.records().len(), 2);
    journal.append(&world, Event::Finished).unwrap();
    let journal = Journal::load(&world, &site, &version()).unwrap().unwrap();
    assert_eq!(
        (journal.records().len(), journal.state()),
        (3, JournalState::Finished)
    );

    std::fs::write(&path, whole.replacen("\"OS\"", "\"XX\"", 1)).unwrap();
    let error = Journal::load(&world, &site, &version()).unwrap_err().to_string();
    assert!(
        error.contains("damaged at line 2: it does not follow from the line before"),
        "{error}"
    );
    std::fs::write(&path, "").unwrap();
    let error = Journal::load(&world, &site, &version()).unwrap_err().to_string();
    assert!(error.contains("does not start with a plan"), "{error}");
}

#[test]
fn the_second_command_learns_who_is_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let (world, site) = (RealWorld::default(), site(dir.path()));
    let held = take_lock(&world, &site, "pid 1: vrel cut-rc 0.6.0-rc1").unwrap();
    let Err(EngineError::Locked { holder }) = take_lock(&world, &site, "pid 2") else {
        panic!("taken twice")
    };
    assert_eq!(holder, "pid 1: vrel cut-rc 0.6.0-rc1");
    drop(held);
    take_lock(&world, &site, "pid 2").unwrap();
    assert!(world.fs().metadata(&site.lock()).unwrap().is_some());
}

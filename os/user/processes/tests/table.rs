//! Processes: their families, groups, ends and signals; by example, and against a model.

use std::collections::BTreeMap;

use processes::{
    Child, Effect, Error, Fate, Group, Limits, Outcome, Pid, Reading, Signal, Spawn, State, Status, Table,
    Target, Ticket, Wait,
};
use proptest::prelude::*;

fn table() -> Table {
    Table::new("init", Limits::default())
}

fn spawn(table: &mut Table, parent: Pid, group: Group) -> Result<Pid, Error> {
    table.spawn(Spawn {
        parent,
        name: "x",
        group,
    })
}

fn child(table: &mut Table, parent: Pid) -> Pid {
    spawn(table, parent, Group::Inherit).unwrap()
}

const fn any(parent: Pid) -> Wait {
    Wait {
        parent,
        child: Child::Any,
        stops: false,
    }
}

#[test]
fn a_parent_is_told_once_how_its_child_ended() {
    let mut table = table();
    let parent = child(&mut table, 1);
    assert_eq!(table.wait(any(parent)), Outcome::Reply(Err(Error::NoChild)));
    let kid = child(&mut table, parent);
    assert_eq!(table.try_wait(any(parent)), Ok(None));
    let Outcome::Park(ticket) = table.wait(any(parent)) else {
        panic!()
    };
    let Outcome::Park(second) = table.wait(Wait {
        child: Child::Process(kid),
        ..any(parent)
    }) else {
        panic!()
    };
    table.ended(kid, Fate::Exited(3)).unwrap();
    let done = table.ready().unwrap();
    assert_eq!(
        (done.ticket, done.parent, done.result),
        (ticket, parent, Ok((kid, Status::Ended(Fate::Exited(3)))))
    );
    let done = table.ready().unwrap();
    assert_eq!((done.ticket, done.result), (second, Err(Error::NoChild)));
    assert_eq!(table.ended(kid, Fate::Exited(0)), Err(Error::NotFound));
    // Ended before anybody asked: it stays until somebody does.
    let kid = child(&mut table, parent);
    table.ended(kid, Fate::Faulted(5)).unwrap();
    assert_eq!(table.info(kid).unwrap().state, State::Ended(Fate::Faulted(5)));
    assert_eq!(
        table.wait(any(parent)),
        Outcome::Reply(Ok((kid, Status::Ended(Fate::Faulted(5)))))
    );
    assert_eq!(table.info(kid), Err(Error::NotFound));
}

#[test]
fn orphans_go_to_the_first_process() {
    let mut table = table();
    let parent = child(&mut table, 1);
    let (alive, ended) = (child(&mut table, parent), child(&mut table, parent));
    table.ended(ended, Fate::Exited(1)).unwrap();
    // It is no child of the first process yet.
    assert_eq!(
        table.try_wait(Wait {
            child: Child::Process(alive),
            ..any(1)
        }),
        Err(Error::NoChild)
    );
    let Outcome::Park(ticket) = table.wait(Wait {
        child: Child::Process(parent),
        ..any(1)
    }) else {
        panic!()
    };
    table.ended(parent, Fate::Exited(0)).unwrap();
    assert_eq!(table.ready().unwrap().ticket, ticket);
    assert_eq!(table.info(alive).unwrap().parent, 1);
    assert_eq!(
        table.try_wait(any(1)),
        Ok(Some((ended, Status::Ended(Fate::Exited(1)))))
    );
    assert_eq!(table.try_wait(any(1)), Ok(None));
}

#[test]
fn jobs_stop_and_continue() {
    let mut table = table();
    let shell = child(&mut table, 1);
    let job = spawn(&mut table, shell, Group::New).unwrap();
    let other = spawn(&mut table, shell, Group::Join(job)).unwrap();
    table.set_foreground(shell, job).unwrap();
    let session = table.info(shell).unwrap().session;
    assert_eq!(table.foreground(session), Some(job));
    let stops = Wait {
        child: Child::Group(job),
        stops: true,
        ..any(shell)
    };
    let Outcome::Park(ticket) = table.wait(stops) else {
        panic!()
    };
    table.kill(Target::Group(job), Signal::Stop).unwrap();
    assert_eq!(table.effect(), Some(Effect::Suspend(job)));
    assert_eq!(table.effect(), Some(Effect::Suspend(other)));
    let done = table.ready().unwrap();
    assert_eq!((done.ticket, done.result), (ticket, Ok((job, Status::Stopped))));
    // Each stop is told once, and only to those who want to know.
    assert_eq!(table.try_wait(any(shell)), Ok(None));
    assert_eq!(table.try_wait(stops), Ok(Some((other, Status::Stopped))));
    assert_eq!(table.try_wait(stops), Ok(None));
    table.kill(Target::Group(job), Signal::Stop).unwrap();
    assert_eq!(table.effect(), None);
    table.kill(Target::Process(job), Signal::Continue).unwrap();
    assert_eq!(table.effect(), Some(Effect::Resume(job)));
    // What is stopped can be ended.
    table.kill(Target::Group(job), Signal::Kill).unwrap();
    table.kill(Target::Group(job), Signal::Interrupt).unwrap();
    table.kill(Target::Group(job), Signal::Stop).unwrap();
    assert_eq!(table.effect(), Some(Effect::Destroy(job, Signal::Kill)));
    assert_eq!(table.effect(), Some(Effect::Destroy(other, Signal::Kill)));
    assert_eq!(table.effect(), None);
    table.ended(job, Fate::Killed(Signal::Kill)).unwrap();
    table.ended(other, Fate::Killed(Signal::Kill)).unwrap();
    assert_eq!(table.foreground(session), None);
    assert_eq!(table.kill(Target::Group(job), Signal::Kill), Err(Error::NotFound));
    assert_eq!(
        table.kill(Target::Process(1), Signal::Kill),
        Err(Error::NotPermitted)
    );
}

#[test]
fn groups_stay_in_their_session() {
    let mut table = table();
    let leader = spawn(&mut table, 1, Group::Session).unwrap();
    let inside = spawn(&mut table, leader, Group::New).unwrap();
    let outside = spawn(&mut table, 1, Group::New).unwrap();
    assert_eq!(table.info(inside).unwrap().session, leader);
    assert_eq!(
        spawn(&mut table, leader, Group::Join(outside)),
        Err(Error::NotPermitted)
    );
    assert_eq!(
        spawn(&mut table, leader, Group::Join(999)),
        Err(Error::NotPermitted)
    );
    assert_eq!(table.set_foreground(leader, outside), Err(Error::NotPermitted));
    assert_eq!(table.set_group(outside, inside, inside), Err(Error::NotPermitted));
    assert_eq!(table.set_group(leader, inside, outside), Err(Error::NotPermitted));
    assert_eq!(table.set_group(leader, inside, leader), Ok(()));
    assert_eq!(table.info(inside).unwrap().group, leader);
}

#[test]
fn the_background_does_not_read() {
    let mut table = table();
    let shell = spawn(&mut table, 1, Group::New).unwrap();
    let job = spawn(&mut table, shell, Group::New).unwrap();
    let member = child(&mut table, job);
    let stranger = spawn(&mut table, 1, Group::Session).unwrap();
    // Nobody has said who is in the foreground.
    assert_eq!(table.may_read(job), Ok(Reading::Allowed));
    table.set_foreground(shell, shell).unwrap();
    assert_eq!(table.may_read(shell), Ok(Reading::Allowed));
    assert_eq!(table.may_read(job), Ok(Reading::Stops));
    // Its own parent is in the same group, but its leader's is not.
    assert_eq!(table.may_read(member), Ok(Reading::Stops));
    assert_eq!(table.may_read(stranger), Ok(Reading::Allowed));
    assert_eq!(table.may_read(1), Ok(Reading::Refused));
    table.set_foreground(shell, job).unwrap();
    assert_eq!(table.may_read(member), Ok(Reading::Allowed));
    // The shell would be stopped as well, were it not that nobody looks after it.
    assert_eq!(table.may_read(shell), Ok(Reading::Refused));
    table.set_foreground(shell, shell).unwrap();
    // The leader ends: its children are the first process's, which does not look after them.
    table.ended(job, Fate::Exited(0)).unwrap();
    assert_eq!(table.may_read(member), Ok(Reading::Refused));
    assert_eq!(table.may_read(job), Err(Error::NotFound));
    // So is a job whose shell has ended. The foreground of the dead stays the foreground.
    let other = spawn(&mut table, shell, Group::New).unwrap();
    assert_eq!(table.may_read(other), Ok(Reading::Stops));
    table.ended(shell, Fate::Exited(0)).unwrap();
    assert_eq!(table.may_read(other), Ok(Reading::Refused));
}

#[test]
fn limits_hold_and_ended_children_count() {
    let limits = Limits {
        processes: 6,
        children: 2,
        parked: 1,
        ..Limits::default()
    };
    let mut table = Table::new("init", limits);
    let parent = child(&mut table, 1);
    let first = child(&mut table, parent);
    child(&mut table, parent);
    table.ended(first, Fate::Exited(0)).unwrap();
    assert_eq!(spawn(&mut table, parent, Group::Inherit), Err(Error::TooMany));
    assert_eq!(table.try_wait(any(parent)).unwrap().unwrap().0, first);
    child(&mut table, parent);
    let Outcome::Park(ticket) = table.wait(any(parent)) else {
        panic!()
    };
    assert_eq!(table.wait(any(parent)), Outcome::Reply(Err(Error::TooMany)));
    assert!(table.cancel(ticket));
    assert!(!table.cancel(ticket));
    child(&mut table, 1);
    child(&mut table, 1);
    assert_eq!(spawn(&mut table, 1, Group::Inherit), Err(Error::TooMany));
    assert_eq!(
        table.spawn(Spawn {
            parent: 1,
            name: "",
            group: Group::New
        }),
        Err(Error::BadName)
    );
    assert_eq!(spawn(&mut table, 77, Group::New), Err(Error::NotFound));
}

#[test]
fn numbers_are_not_used_again_before_their_turn() {
    let highest = 300;
    let mut table = Table::new(
        "init",
        Limits {
            highest,
            ..Limits::default()
        },
    );
    let leader = spawn(&mut table, 1, Group::New).unwrap();
    let member = spawn(&mut table, 1, Group::Join(leader)).unwrap();
    table.ended(leader, Fate::Exited(0)).unwrap();
    table.try_wait(any(1)).unwrap().unwrap();
    let mut last = member;
    // Three times around: the group's number stays away, though its process is long gone.
    for _ in 0..3 * highest {
        let pid = child(&mut table, 1);
        assert!(pid != leader && pid != member && pid != 1);
        assert!(
            pid == last + 1 || (last == highest && pid == member + 1),
            "{last} {pid}"
        );
        last = pid;
        table.ended(pid, Fate::Exited(0)).unwrap();
        table.try_wait(any(1)).unwrap().unwrap();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Spawn(usize, u8),
    End(usize),
    Wait(usize, u8, usize, bool),
    Kill(usize, bool, u8),
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..8usize;
    prop_oneof![
        4 => (who(), 0..4u8).prop_map(|(parent, group)| Step::Spawn(parent, group)),
        3 => who().prop_map(Step::End),
        4 => (who(), 0..3u8, who(), any_bool()).prop_map(|(parent, what, child, stops)| Step::Wait(parent, what, child, stops)),
        3 => (who(), any_bool(), 0..5u8).prop_map(|(target, group, signal)| Step::Kill(target, group, signal)),
        1 => who().prop_map(Step::Cancel),
    ]
}

fn any_bool() -> impl Strategy<Value = bool> {
    proptest::bool::ANY
}

/// What the model knows of a process.
#[derive(Clone, Debug)]
struct Known {
    parent: Pid,
    group: Pid,
    state: State,
    news: bool,
}

#[derive(Default)]
struct Model {
    all: BTreeMap<Pid, Known>,
    waiting: Vec<(Ticket, Wait)>,
}

impl Model {
    fn ask(&mut self, wait: Wait) -> Option<Result<(Pid, Status), Error>> {
        let children: Vec<(Pid, Known)> = self
            .all
            .iter()
            .filter(|(pid, known)| {
                known.parent == wait.parent
                    && match wait.child {
                        Child::Any => true,
                        Child::Process(other) => **pid == other,
                        Child::Group(group) => known.group == group,
                    }
            })
            .map(|(pid, known)| (*pid, known.clone()))
            .collect();
        for (pid, known) in &children {
            match known.state {
                State::Ended(fate) => {
                    self.all.remove(pid);
                    return Some(Ok((*pid, Status::Ended(fate))));
                }
                State::Stopped if known.news && wait.stops => {
                    self.all.get_mut(pid).unwrap().news = false;
                    return Some(Ok((*pid, Status::Stopped)));
                }
                _ => {}
            }
        }
        children.is_empty().then_some(Err(Error::NoChild))
    }

    /// Everything that can be answered now, first come first served, until nothing is left.
    fn settle(&mut self) -> BTreeMap<Ticket, Result<(Pid, Status), Error>> {
        let mut answers = BTreeMap::new();
        'again: loop {
            for at in 0..self.waiting.len() {
                let (ticket, wait) = self.waiting[at];
                if let Some(answer) = self.ask(wait) {
                    answers.insert(ticket, answer);
                    self.waiting.remove(at);
                    continue 'again;
                }
            }
            return answers;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_does_what_the_model_does(steps in prop::collection::vec(step(), 1..120)) {
        let mut table = table();
        let mut model = Model::default();
        model.all.insert(1, Known { parent: 0, group: 1, state: State::Running, news: false });
        for step in steps {
            let living: Vec<Pid> = model.all.iter().filter(|one| !matches!(one.1.state, State::Ended(_))).map(|one| *one.0).collect();
            let pick = |at: usize| living[at % living.len()];
            match step {
                Step::Spawn(parent, group) => {
                    let parent = pick(parent);
                    let inherited = model.all[&parent].group;
                    let asked = match group { 0 => Group::New, 1 => Group::Join(inherited), _ => Group::Inherit };
                    let Ok(pid) = spawn(&mut table, parent, asked) else {
                        // Its group has lost its last living member: then only a new one can be had.
                        panic!("{asked:?}");
                    };
                    prop_assert!(!model.all.contains_key(&pid));
                    let group = if group == 0 { pid } else { inherited };
                    model.all.insert(pid, Known { parent, group, state: State::Running, news: false });
                }
                Step::End(who) => {
                    let pid = pick(who);
                    if pid == 1 {
                        continue;
                    }
                    let fate = match model.all[&pid].state { State::Dying(signal) => Fate::Killed(signal), _ => Fate::Exited(pid) };
                    table.ended(pid, fate).unwrap();
                    for known in model.all.values_mut() {
                        if known.parent == pid {
                            known.parent = 1;
                        }
                    }
                    model.all.get_mut(&pid).unwrap().state = State::Ended(fate);
                    model.waiting.retain(|waiting| waiting.1.parent != pid);
                }
                Step::Wait(parent, what, other, stops) => {
                    let other = pick(other);
                    let child = match what { 0 => Child::Any, 1 => Child::Process(other), _ => Child::Group(model.all[&other].group) };
                    let wait = Wait { parent: pick(parent), child, stops };
                    let full = model.waiting.iter().filter(|waiting| waiting.1.parent == wait.parent).count() >= Limits::default().parked;
                    match (table.wait(wait), model.ask(wait)) {
                        (Outcome::Reply(mine), Some(theirs)) => prop_assert_eq!(mine, theirs),
                        (Outcome::Reply(Err(Error::TooMany)), None) => prop_assert!(full),
                        (Outcome::Park(ticket), None) => model.waiting.push((ticket, wait)),
                        other => panic!("{other:?}"),
                    }
                }
                Step::Kill(target, group, signal) => {
                    let pid = pick(target);
                    let signal = [Signal::Interrupt, Signal::Kill, Signal::Terminate, Signal::Stop, Signal::Continue][usize::from(signal)];
                    let number = model.all[&pid].group;
                    let target = if group { Target::Group(number) } else { Target::Process(pid) };
                    let _ = table.kill(target, signal);
                    let mut expected = Vec::new();
                    for (&other, known) in &mut model.all {
                        if other == 1 || !(if group { known.group == number } else { other == pid }) {
                            continue;
                        }
                        match (known.state, signal) {
                            (State::Running, Signal::Stop) => {
                                (known.state, known.news) = (State::Stopped, true);
                                expected.push(Effect::Suspend(other));
                            }
                            (State::Stopped, Signal::Continue) => {
                                (known.state, known.news) = (State::Running, false);
                                expected.push(Effect::Resume(other));
                            }
                            (State::Running | State::Stopped, Signal::Interrupt | Signal::Kill | Signal::Terminate) => {
                                known.state = State::Dying(signal);
                                expected.push(Effect::Destroy(other, signal));
                            }
                            _ => {}
                        }
                    }
                    let effects: Vec<Effect> = std::iter::from_fn(|| table.effect()).collect();
                    prop_assert_eq!(effects, expected);
                }
                Step::Cancel(at) => {
                    if at < model.waiting.len() {
                        let (ticket, _) = model.waiting.remove(at);
                        prop_assert!(table.cancel(ticket));
                    }
                }
            }
            let answers: BTreeMap<_, _> = std::iter::from_fn(|| table.ready()).map(|done| (done.ticket, done.result)).collect();
            prop_assert_eq!(answers, model.settle());
            let mine: Vec<_> = table.processes().into_iter().map(|info| (info.pid, info.parent, info.group, info.state)).collect();
            let theirs: Vec<_> = model.all.iter().map(|(&pid, known)| (pid, known.parent, known.group, known.state)).collect();
            prop_assert_eq!(mine, theirs);
        }
    }
}

#[test]
fn nothing_is_done_to_a_process_that_has_ended_by_itself() {
    let mut table = table();
    let (first, second) = (child(&mut table, 1), child(&mut table, 1));
    table.kill(Target::Process(first), Signal::Kill).unwrap();
    table.kill(Target::Process(second), Signal::Stop).unwrap();
    table.ended(first, Fate::Exited(0)).unwrap();
    assert_eq!(table.effect(), Some(Effect::Suspend(second)));
    assert_eq!(table.effect(), None);
    assert_eq!(
        table.kill(Target::Process(first), Signal::Kill),
        Err(Error::NotFound)
    );
}

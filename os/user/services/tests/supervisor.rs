//! The supervisor on simulated clocks: order, restarts, shutdown, and any events at all.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use services::{Command, Event, Exit, Restart, SETTLED, Service, Set, State, Supervisor, parse};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn set(files: &[(&str, &str)]) -> Set {
    let parse = |(name, text): &(&str, &str)| parse(name, &format!("[service]\nexec=/x\n{text}")).unwrap();
    Set::new(files.iter().map(parse).collect()).unwrap()
}

fn commands(supervisor: &mut Supervisor) -> Vec<Command> {
    std::iter::from_fn(|| supervisor.command()).collect()
}

#[test]
fn services_start_in_order_and_stop_in_reverse() {
    // In the order of the set: disk, files, shell.
    let files = [
        ("shell", "requires=files"),
        ("files", "after=disk\nstop-timeout=2s"),
        ("disk", "type=oneshot"),
    ];
    let mut supervisor = Supervisor::new(set(&files));
    assert_eq!(commands(&mut supervisor), [Command::Start(0)]);
    supervisor.handle(
        Event::Started {
            service: 0,
            process: 10,
        },
        seconds(0),
    );
    assert_eq!(commands(&mut supervisor), [], "a oneshot is up when it is done");
    supervisor.handle(
        Event::Exited {
            process: 10,
            exit: Exit::Status(0),
        },
        seconds(1),
    );
    assert_eq!(commands(&mut supervisor), [Command::Start(1)]);
    supervisor.handle(
        Event::Started {
            service: 1,
            process: 11,
        },
        seconds(1),
    );
    assert_eq!(commands(&mut supervisor), [Command::Start(2)]);
    supervisor.handle(
        Event::Started {
            service: 2,
            process: 12,
        },
        seconds(1),
    );
    supervisor.handle(Event::Shutdown, seconds(5));
    assert_eq!(commands(&mut supervisor), [Command::Terminate(12)]);
    supervisor.handle(
        Event::Exited {
            process: 12,
            exit: Exit::Killed,
        },
        seconds(6),
    );
    assert_eq!(commands(&mut supervisor), [Command::Terminate(11)]);
    assert_eq!(supervisor.deadline(), Some(seconds(8)));
    supervisor.handle(Event::Tick, seconds(7));
    assert_eq!(commands(&mut supervisor), []);
    supervisor.handle(Event::Tick, seconds(8));
    assert_eq!(commands(&mut supervisor), [Command::Kill(11)]);
    supervisor.handle(
        Event::Exited {
            process: 11,
            exit: Exit::Killed,
        },
        seconds(9),
    );
    assert_eq!(commands(&mut supervisor), [Command::PowerOff]);
    supervisor.handle(Event::Shutdown, seconds(10));
    assert_eq!(commands(&mut supervisor), []);
}

#[test]
fn restarts_wait_longer_each_time_until_the_service_has_failed() {
    let mut supervisor = Supervisor::new(set(&[
        ("a", "restart=always\nburst=3"),
        ("b", "requires=a"),
        ("c", "after=a"),
    ]));
    let (mut now, mut waits) = (seconds(0), Vec::new());
    // `b` and `c` start once `a` is up; they run on.
    for process in 0..4 {
        assert_eq!(commands(&mut supervisor)[0], Command::Start(0));
        supervisor.handle(Event::Started { service: 0, process }, now);
        if process == 0 {
            assert_eq!(commands(&mut supervisor), [Command::Start(1), Command::Start(2)]);
        }
        supervisor.handle(
            Event::Exited {
                process,
                exit: Exit::Status(0),
            },
            now,
        );
        if let State::Backoff { until } = supervisor.states()[0] {
            waits.push((until - now).as_secs());
            supervisor.handle(Event::Tick, until - Duration::from_millis(1));
            assert_eq!(commands(&mut supervisor), []);
            now = until;
            supervisor.handle(Event::Tick, now);
        }
    }
    assert_eq!(waits, [1, 2, 4]);
    assert_eq!(supervisor.states()[0], State::Failed);
}

#[test]
fn a_long_run_ends_the_row() {
    let mut supervisor = Supervisor::new(set(&[("a", "restart=on-failure\nburst=1")]));
    let mut now = seconds(0);
    for process in 0..5 {
        assert_eq!(commands(&mut supervisor), [Command::Start(0)]);
        supervisor.handle(Event::Started { service: 0, process }, now);
        now += SETTLED;
        supervisor.handle(
            Event::Exited {
                process,
                exit: Exit::Killed,
            },
            now,
        );
        now += seconds(1);
        supervisor.handle(Event::Tick, now);
    }
    supervisor.handle(
        Event::Started {
            service: 0,
            process: 9,
        },
        now,
    );
    supervisor.handle(
        Event::Exited {
            process: 9,
            exit: Exit::Status(0),
        },
        now,
    );
    assert_eq!(supervisor.states(), [State::Stopped], "success is no failure");
}

#[test]
fn what_requires_a_failed_service_fails_and_what_only_comes_after_it_starts() {
    let mut supervisor = Supervisor::new(set(&[
        ("a", ""),
        ("b", "requires=a"),
        ("c", "after=a b"),
        ("d", "requires=b"),
    ]));
    let names: Vec<_> = supervisor
        .set()
        .services()
        .iter()
        .map(|service| service.name.clone())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(commands(&mut supervisor), [Command::Start(0)]);
    supervisor.handle(Event::NotStarted { service: 0 }, seconds(0));
    assert_eq!(commands(&mut supervisor), [Command::Start(2)]);
    assert_eq!(
        supervisor.states(),
        [State::Failed, State::Failed, State::Starting, State::Failed]
    );
    // A start that comes after the shutdown was asked for is undone.
    supervisor.handle(Event::Shutdown, seconds(1));
    assert_eq!(commands(&mut supervisor), []);
    supervisor.handle(
        Event::Started {
            service: 2,
            process: 5,
        },
        seconds(1),
    );
    assert_eq!(commands(&mut supervisor), [Command::Terminate(5)]);
}

/// A machine that does what the supervisor says, with services that behave as the numbers say.
struct World {
    now: Duration,
    next: u32,
    /// Processes that run: the service.
    running: BTreeMap<u32, usize>,
    starting: Vec<usize>,
    off: bool,
}

fn service() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, u8, bool, u32)> {
    let names = || prop::collection::vec(0..6usize, 0..3);
    (names(), names(), 0..3u8, any::<bool>(), 0..4u32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_holds_and_shutdown_ends(
        services in prop::collection::vec(service(), 6),
        events in prop::collection::vec((0..6u8, 0..6usize, 0..4u32, 0..40_000u64), 0..80),
    ) {
        // Each waits for earlier ones only, so that there is no cycle.
        let services: Vec<Service> = services.iter().enumerate().map(|(index, (after, requires, restart, oneshot, burst))| {
            let names = |all: &[usize]| all.iter().filter(|&&other| other < index).map(|other| format!("s{other}")).collect::<Vec<_>>().join(" ");
            let restart = ["never", "on-failure", "always"][usize::from(*restart)];
            let kind = if *oneshot { "oneshot" } else { "simple" };
            parse(&format!("s{index}"), &format!(
                "[service]\nexec=/x\nafter={}\nrequires={}\nrestart={restart}\ntype={kind}\nburst={burst}", names(after), names(requires)
            )).unwrap()
        }).collect();
        let mut supervisor = Supervisor::new(Set::new(services).unwrap());
        let services = supervisor.set().services().to_vec();
        let place = |name: &String| services.iter().position(|service| service.name == *name).unwrap();
        let mut world = World { now: seconds(0), next: 1, running: BTreeMap::new(), starting: Vec::new(), off: false };
        let mut going_down = false;
        for command in commands(&mut supervisor) {
            let Command::Start(service) = command else { panic!("{command:?}") };
            world.starting.push(service);
        }
        // Random events first; then a shutdown that has to come to its end.
        let rest = (0..40u64).map(|_| (6, 0, 0, 6000));
        for (what, service, status, wait) in events.into_iter().chain(std::iter::once((5, 0, 0, 0))).chain(rest) {
            world.now += Duration::from_millis(wait);
            let process = world.running.keys().copied().nth(service);
            let event = match what {
                0 | 1 | 6 if !world.starting.is_empty() => {
                    let service = world.starting.remove(0);
                    if status == 3 {
                        Event::NotStarted { service }
                    } else {
                        world.next += 1;
                        world.running.insert(world.next, service);
                        Event::Started { service, process: world.next }
                    }
                }
                2 if process.is_some() => {
                    let process = process.unwrap();
                    world.running.remove(&process);
                    Event::Exited { process, exit: if status == 3 { Exit::Killed } else { Exit::Status(status / 2) } }
                }
                3 => Event::Exited { process: 1000 + status, exit: Exit::Killed },
                4 => Event::Started { service: service + 6, process: 5000 },
                5 if status == 0 => {
                    going_down = true;
                    Event::Shutdown
                }
                _ => Event::Tick,
            };
            let mut pending = vec![event];
            while let Some(event) = pending.pop() {
                supervisor.handle(event, world.now);
                while let Some(command) = supervisor.command() {
                    prop_assert!(!world.off);
                    match command {
                        Command::Start(service) => {
                            prop_assert!(!going_down);
                            prop_assert!(!world.running.values().any(|&other| other == service));
                            prop_assert!(!world.starting.contains(&service));
                            world.starting.push(service);
                            // The first start: a restart looks at nobody.
                            for name in services[service].requires.iter().filter(|_| services[service].restart == Restart::Never) {
                                let state = supervisor.states()[place(name)];
                                prop_assert!(matches!(state, State::Done | State::Running { .. }), "{:?}", state);
                            }
                        }
                        Command::Terminate(process) => {
                            let stopped = world.running[&process];
                            for &other in world.running.values().chain(&world.starting) {
                                let waits = services[other].after.iter().chain(&services[other].requires);
                                prop_assert!(!waits.map(place).any(|place| place == stopped));
                            }
                        }
                        Command::Kill(process) => {
                            prop_assert!(world.running.remove(&process).is_some());
                            pending.push(Event::Exited { process, exit: Exit::Killed });
                        }
                        Command::PowerOff => {
                            prop_assert!(going_down && world.running.is_empty() && world.starting.is_empty());
                            world.off = true;
                        }
                    }
                }
            }
            // What waits for its time has one.
            let waits = supervisor.states().iter().any(|state| matches!(state, State::Backoff { .. } | State::Stopping { .. }));
            prop_assert_eq!(waits, supervisor.deadline().is_some());
            prop_assert!(supervisor.deadline().is_none_or(|deadline| deadline > world.now));
        }
        prop_assert!(world.off, "{:?}", supervisor.states());
    }
}

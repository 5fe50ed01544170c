//! The registry with a kernel that only notes what it is asked.

use clients::Call;
use proptest::prelude::*;
use protocol::names::{self, Name};
use protocol::{Error, OK, PROCESS_SERVER};
use registry::{
    Answer, Kernel, MAX_NAMES, MAX_OWNED, MAX_PERMISSIONS, MAX_WAITING, MAX_WAITING_EACH, Registry,
};

/// Whose endpoint was given, and to whom.
type Given = Option<(u64, u32)>;

/// Places with capabilities and rights to reply, and what was done with them.
#[derive(Default)]
struct Fake {
    /// The number of the endpoint in each place of a name; what comes next.
    names: Vec<Option<u64>>,
    comes: Option<u64>,
    /// Endpoints that have ended.
    ended: Vec<u64>,
    offered: Option<(u64, u32)>,
    saved: Vec<bool>,
    /// Answers to who waited: place, label, and what was given.
    replies: Vec<(usize, u32, Given)>,
}

impl Fake {
    fn new() -> Self {
        Self {
            names: vec![None; MAX_NAMES],
            saved: vec![false; MAX_WAITING],
            ..Self::default()
        }
    }
}

impl Kernel for Fake {
    fn keep(&mut self, place: usize) -> bool {
        assert!(self.names[place].is_none(), "a place is used twice");
        self.names[place] = self.comes.take();
        self.names[place].is_some()
    }

    fn is_there(&self, place: usize) -> bool {
        self.names[place].is_some_and(|endpoint| !self.ended.contains(&endpoint))
    }

    fn drop_name(&mut self, place: usize) {
        self.names[place] = None;
    }

    fn offer(&mut self, place: usize, process: u32) -> bool {
        self.offered = self.names[place].map(|endpoint| (endpoint, process));
        self.offered.is_some()
    }

    fn save_reply(&mut self, place: usize) -> bool {
        assert!(
            !std::mem::replace(&mut self.saved[place], true),
            "a place is used twice"
        );
        true
    }

    fn reply(&mut self, place: usize, answer: Answer) {
        assert!(std::mem::take(&mut self.saved[place]), "nobody waits there");
        let given = self.offered.filter(|_| answer.gives);
        self.replies.push((place, answer.label, given));
    }

    fn drop_reply(&mut self, place: usize) {
        self.saved[place] = false;
    }
}

/// A registry, and what processes ask of it.
struct World(Registry<Fake>);

impl World {
    fn new() -> Self {
        Self(Registry::new(Fake::new()))
    }

    fn call(&mut self, badge: u64, label: u32, words: [u64; 4], has_capability: bool) -> Option<Answer> {
        self.0.serve(&Call {
            badge,
            label,
            words,
            wants_reply: true,
            has_capability,
        })
    }

    /// Asks about a name. `None` while it waits.
    fn ask(&mut self, process: u32, label: u32, name: &str) -> Option<u32> {
        let [a, b, c] = Name::new(name).unwrap().words();
        let answer = self.call(process.into(), label, [a, b, c, 0], false)?;
        assert!(!answer.gives || answer.label == OK);
        Some(answer.label)
    }

    fn register(&mut self, process: u32, name: &str, endpoint: u64) -> u32 {
        self.0.kernel().comes = Some(endpoint);
        let [a, b, c] = Name::new(name).unwrap().words();
        let answer = self.call(process.into(), names::REGISTER, [a, b, c, 0], true);
        self.0.kernel().comes = None;
        answer.unwrap().label
    }

    fn allow(&mut self, process: u32, name: Option<&str>) -> u32 {
        let [a, b, c] = name.map_or([0; 3], |name| Name::new(name).unwrap().words());
        let words = [a, b, c, process.into()];
        self.call(PROCESS_SERVER, names::ALLOW, words, false)
            .unwrap()
            .label
    }

    fn gone(&mut self, process: u32) {
        let words = [process.into(), 0, 0, 0];
        let answer = self.call(PROCESS_SERVER, names::GONE, words, false);
        assert_eq!(answer.unwrap().label, OK);
    }

    /// Whose endpoint a process gets by a name.
    fn found(&mut self, process: u32, name: &str) -> Option<u64> {
        match self.ask(process, names::LOOK_UP, name).unwrap() {
            OK => {
                let (endpoint, badge) = self.0.kernel().offered.unwrap();
                assert_eq!(badge, process);
                Some(endpoint)
            }
            label => {
                assert_eq!(label, Error::NotFound as u32);
                None
            }
        }
    }

    fn list(&mut self) -> Vec<(String, u32)> {
        let (mut all, mut index) = (Vec::new(), 0);
        loop {
            let answer = self.call(1, names::LIST, [index, 0, 0, 0], false).unwrap();
            if answer.label != OK {
                return all;
            }
            let [a, b, c, last] = answer.words;
            assert!(last >> 32 > index);
            index = last >> 32;
            all.push((Name::from_words([a, b, c]).unwrap().as_str().into(), last as u32));
        }
    }
}

#[test]
fn a_name_is_found_until_its_owner_ends() {
    let mut world = World::new();
    assert_eq!(world.found(2, "log"), None);
    assert_eq!(world.register(5, "log", 50), Error::PermissionDenied as u32);
    world.allow(5, Some("log"));
    assert_eq!(world.register(5, "log", 50), OK);
    assert_eq!(world.register(5, "clock", 51), Error::PermissionDenied as u32);
    assert_eq!(world.found(2, "log"), Some(50));
    assert_eq!(world.list(), [("log".into(), 5)]);
    // A second owner, and the same one again.
    world.allow(6, None);
    assert_eq!(world.register(6, "log", 60), Error::Exists as u32);
    assert_eq!(world.register(5, "log", 52), Error::Exists as u32);
    assert_eq!(
        world.ask(6, names::WITHDRAW, "log"),
        Some(Error::PermissionDenied as u32)
    );
    world.gone(5);
    assert_eq!(world.found(2, "log"), None);
    assert_eq!(world.list(), []);
    // What it was allowed is not its number's next owner's.
    assert_eq!(world.register(5, "log", 53), Error::PermissionDenied as u32);
    assert_eq!(world.register(6, "log", 60), OK);
    assert_eq!(world.ask(6, names::WITHDRAW, "log"), Some(OK));
    assert_eq!(world.ask(6, names::WITHDRAW, "log"), Some(Error::NotFound as u32));
    assert!(world.0.kernel().names.iter().all(Option::is_none));
}

#[test]
fn a_name_whose_endpoint_has_ended_is_free() {
    let mut world = World::new();
    world.allow(5, None);
    world.allow(6, None);
    assert_eq!(world.register(5, "log", 50), OK);
    world.0.kernel().ended.push(50);
    assert_eq!(world.found(2, "log"), None);
    assert_eq!(world.register(5, "log", 51), OK);
    world.0.kernel().ended.push(51);
    assert_eq!(world.register(6, "log", 60), OK);
    assert_eq!(world.found(2, "log"), Some(60));
}

#[test]
fn what_is_of_no_use_is_not_registered() {
    let mut world = World::new();
    world.allow(5, None);
    let [a, b, c] = Name::new("log").unwrap().words();
    for has_capability in [false, true] {
        let answer = world.call(5, names::REGISTER, [a, b, c, 0], has_capability);
        assert_eq!(answer.unwrap().label, Error::BadArgument as u32);
    }
    assert_eq!(world.found(2, "log"), None);
    assert_eq!(world.register(5, "log", 50), OK);
}

#[test]
fn who_waits_is_answered_when_the_name_comes() {
    let mut world = World::new();
    world.allow(5, None);
    assert_eq!(world.ask(2, names::WAIT_FOR, "log"), None);
    assert_eq!(world.ask(3, names::WAIT_FOR, "clock"), None);
    assert_eq!(world.ask(4, names::WAIT_FOR, "log"), None);
    assert_eq!(world.register(5, "log", 50), OK);
    assert_eq!(
        world.0.kernel().replies,
        [(0, OK, Some((50, 2))), (2, OK, Some((50, 4)))]
    );
    assert_eq!(world.ask(2, names::WAIT_FOR, "log"), Some(OK));
    world.gone(3);
    assert!(world.0.kernel().saved.iter().all(|saved| !saved));
    assert_eq!(world.register(5, "clock", 51), OK);
    assert_eq!(world.0.kernel().replies.len(), 2);
    // Who wants no answer waits for none.
    let [a, b, c] = Name::new("none").unwrap().words();
    let call = Call {
        badge: 2,
        label: names::WAIT_FOR,
        words: [a, b, c, 0],
        wants_reply: false,
        has_capability: false,
    };
    assert_eq!(world.0.serve(&call), None);
    assert!(world.0.kernel().saved.iter().all(|saved| !saved));
}

#[test]
fn the_oldest_makes_room_for_who_waits() {
    let mut world = World::new();
    let busy = Error::Busy as u32;
    for _ in 0..MAX_WAITING_EACH {
        assert_eq!(world.ask(1, names::WAIT_FOR, "log"), None);
    }
    assert_eq!(world.ask(1, names::WAIT_FOR, "clock"), None);
    assert_eq!(world.0.kernel().replies, [(0, busy, None)]);
    for process in 2..2 + (MAX_WAITING - MAX_WAITING_EACH) as u32 {
        assert_eq!(world.ask(process, names::WAIT_FOR, "log"), None);
    }
    assert_eq!(world.0.kernel().replies.len(), 1);
    assert_eq!(world.ask(1000, names::WAIT_FOR, "log"), None);
    assert_eq!(world.0.kernel().replies[1..], [(1, busy, None)]);
    assert!(world.0.kernel().saved.iter().all(|saved| *saved));
}

#[test]
fn tables_that_are_full_refuse_and_have_room_again() {
    let mut world = World::new();
    let no_space = Error::NoSpace as u32;
    let owners = (MAX_NAMES / MAX_OWNED) as u32;
    for owner in 1..=owners + 1 {
        world.allow(owner, None);
    }
    for owner in 1..=owners {
        for number in 0..MAX_OWNED {
            assert_eq!(world.register(owner, &format!("n-{owner}-{number}"), 1), OK);
        }
        assert_eq!(world.register(owner, "more", 1), no_space);
    }
    assert_eq!(world.register(owners + 1, "more", 1), no_space);
    assert_eq!(world.list().len(), MAX_NAMES);
    world.gone(1);
    assert_eq!(world.register(owners + 1, "more", 1), OK);
    assert_eq!(world.list().len(), MAX_NAMES - MAX_OWNED + 1);
    for process in 0..MAX_PERMISSIONS as u32 {
        world.allow(1000 + process, Some("x"));
    }
    assert_eq!(world.allow(5000, Some("x")), no_space);
    assert_eq!(world.allow(1000, Some("x")), OK);
    world.gone(1000);
    assert_eq!(world.allow(5000, Some("x")), OK);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is asked, by whom: places are used once, names are unique, and nothing of who has gone is left.
    #[test]
    fn no_request_breaks_it(
        calls in prop::collection::vec(
            (prop_oneof![Just(PROCESS_SERVER), 0_u64..6, any::<u64>()],
             prop_oneof![80_u32..86, 95_u32..99, any::<u32>()],
             prop_oneof![Just([0x61, 0, 0]), Just([0x62, 0, 0]), Just([0; 3]), any::<[u64; 3]>()],
             prop_oneof![0_u64..6, any::<u64>()], any::<(bool, bool)>(), 0_u64..9),
            0..200,
        ),
    ) {
        let mut world = World::new();
        for (badge, label, [a, b, c], last, (wants_reply, has_capability), endpoint) in calls {
            world.0.kernel().comes = has_capability.then_some(endpoint);
            if endpoint == 8 {
                world.0.kernel().ended = vec![last];
            }
            let answer = world.0.serve(&Call { badge, label, words: [a, b, c, last], wants_reply, has_capability });
            prop_assert!(wants_reply || answer.is_none());
            let list = world.list();
            let mut names: Vec<_> = list.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            prop_assert_eq!(names.len(), list.len());
        }
        for process in 0..6 {
            world.gone(process);
        }
        let left = world.list();
        prop_assert!(left.iter().all(|(_, owner)| *owner >= 6), "{left:?}");
    }
}

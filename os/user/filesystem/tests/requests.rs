//! The front: paths, handles, limits, listing while a directory changes, and any request at all.

mod common;

use std::collections::BTreeMap;

use common::{error, over, ram};
use filesystem::{
    DevFs, Error, Flags, Handle, Limits, MAX_NAME, MAX_PATH, Outcome, Quota, RamFs, Request, Server, Ticket,
    Whence,
};
use proptest::prelude::*;

/// What a path means, from its text alone: the names, and whether every step is in a directory that exists.
fn naive(path: &str) -> Result<Vec<&str>, Error> {
    let directories: [&[&str]; 4] = [&[], &["a"], &["a", "b"], &["c"]];
    let mut at: Vec<&str> = Vec::new();
    let steps = path.split('/').filter(|step| !step.is_empty());
    for step in steps {
        if !directories.contains(&at.as_slice()) {
            return Err(Error::NotDirectory);
        }
        match step {
            "." => {}
            ".." => drop(at.pop()),
            name => {
                at.push(name);
                let file = at == ["a", "f"];
                if !file && !directories.contains(&at.as_slice()) {
                    return Err(Error::NotFound);
                }
            }
        }
    }
    if path.ends_with('/') && !directories.contains(&at.as_slice()) {
        return Err(Error::NotDirectory);
    }
    Ok(at)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn paths_lead_where_their_text_says(steps in prop::collection::vec("a|b|c|f|\\.|\\.\\.||x", 1..12), base in 0..3usize) {
        let mut fs = ram();
        for directory in ["a", "a/b", "c"] {
            fs.mkdir(directory).unwrap();
        }
        fs.put("a/f", b"").unwrap();
        let path = steps.join("/");
        prop_assume!(!path.is_empty());
        let base = ["", "/a", "/a/b/../b/"][base];
        let full = if path.starts_with('/') { path.clone() } else { format!("{base}/{path}") };
        let expected = naive(&full).map(|names| format!("/{}", names.join("/")));
        prop_assert_eq!(fs.canonical(base, &path), expected);
    }
}

#[test]
fn paths_beyond_the_limits_are_refused() {
    let mut fs = ram();
    let longest = "n".repeat(MAX_NAME);
    fs.mkdir(&longest).unwrap();
    assert_eq!(error(fs.mkdir(&format!("{longest}x"))), Error::NameTooLong);
    assert_eq!(error(fs.stat(&format!("{longest}x/y"))), Error::NameTooLong);
    assert_eq!(fs.list("/").unwrap(), [longest]);
    let path = "/".repeat(MAX_PATH);
    assert_eq!(fs.canonical("", &path).unwrap(), "/");
    assert_eq!(error(fs.canonical("", &format!("{path}/"))), Error::NameTooLong);
    assert_eq!(error(fs.canonical("relative", "x")), Error::BadArgument);
    assert_eq!(error(fs.stat("")), Error::NotFound);
    assert_eq!(error(fs.mkdir("zero\0byte")), Error::BadName);
    let mut bytes = *b"\xff\xfe";
    let path = filesystem::Path { base: 0, len: 2 };
    assert_eq!(
        error(fs.now(Request::MakeDirectory(path), &mut bytes)),
        Error::BadName
    );
    let path = filesystem::Path {
        base: u32::MAX,
        len: u32::MAX,
    };
    assert_eq!(
        error(fs.now(Request::MakeDirectory(path), &mut bytes)),
        Error::BadArgument
    );
}

#[test]
fn duplicates_share_one_position_and_outlive_each_other() {
    let mut fs = ram();
    fs.put("f", b"abcdef").unwrap();
    let first = fs.open("f", Flags::READ).unwrap();
    let second = Handle(fs.now(Request::Duplicate(first), &mut []).unwrap() as u32);
    assert_eq!(fs.read(first, 2).unwrap(), b"ab");
    assert_eq!(fs.read(second, 2).unwrap(), b"cd");
    let moved = fs.server.transfer(7, first, 8).unwrap();
    assert_eq!(moved, Handle(0));
    assert_eq!(error(fs.read(first, 1)), Error::BadHandle);
    fs.client_is(8, |fs| assert_eq!(fs.read(moved, 1).unwrap(), b"e"));
    fs.server.client_gone(8);
    assert_eq!(fs.read(second, 9).unwrap(), b"f");
    fs.client_is(8, |fs| assert_eq!(error(fs.read(moved, 1)), Error::BadHandle));
    assert_eq!(fs.server.transfer(8, moved, 7), Err(Error::BadHandle));
    // The lowest number is used again.
    assert_eq!(fs.open("f", Flags::READ).unwrap(), first);
}

impl common::Fs<'_> {
    fn client_is(&mut self, client: u64, act: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.client, client);
        act(self);
        self.client = before;
    }
}

#[test]
fn a_shared_handle_can_replace_one_even_itself() {
    let mut fs = ram();
    fs.put("f", b"abc").unwrap();
    fs.put("g", b"xyz").unwrap();
    let (f, g) = (
        fs.open("f", Flags::READ).unwrap(),
        fs.open("g", Flags::READ).unwrap(),
    );
    let share = |handle, at| Request::Share {
        from: 7,
        handle,
        to: 7,
        at: Some(at),
    };
    fs.client_is(0, |fs| {
        fs.now(share(f, f), &mut []).unwrap();
        fs.now(share(f, g), &mut []).unwrap();
        assert_eq!(
            error(fs.now(share(f, Handle(u32::MAX)), &mut [])),
            Error::BadHandle
        );
    });
    assert_eq!(fs.read(g, 2).unwrap(), b"ab");
    fs.close(g).unwrap();
    assert_eq!(fs.read(f, 2).unwrap(), b"c");
}

#[test]
fn clients_have_limits() {
    let limits = Limits {
        clients: 2,
        handles: 3,
        pipes: 1,
        all_pipes: 1,
        parked: 1,
    };
    let mut fs = common::Fs {
        server: Server::new(Box::new(RamFs::new(common::ROOMY)), limits, None),
        client: 1,
    };
    fs.put("f", b"").unwrap();
    let handles = [0; 3].map(|_| fs.open("f", Flags::READ).unwrap());
    assert_eq!(
        error(fs.open("new", Flags::WRITE | Flags::CREATE)),
        Error::TooManyOpen
    );
    // What could not be opened was not made either.
    assert_eq!(error(fs.stat("new")), Error::NotFound);
    fs.close(handles[1]).unwrap();
    assert_eq!(error(fs.pipe(0)), Error::TooManyOpen);
    fs.client_is(2, |fs| assert!(fs.open("f", Flags::READ).is_ok()));
    fs.client_is(3, |fs| {
        assert_eq!(error(fs.open("f", Flags::READ)), Error::TooMany)
    });
    fs.server.client_gone(2);
    fs.client_is(3, |fs| assert!(fs.open("f", Flags::READ).is_ok()));
    // Without a manager nobody is one.
    assert_eq!(error(fs.now(Request::Gone(3), &mut [])), Error::NotPermitted);
}

#[test]
fn flags_without_a_meaning_are_refused() {
    for bits in 0..512 {
        let has = |flag: Flags| bits & flag.bits() == flag.bits();
        let fine = bits < 256
            && bits & (1 | 2 | 32) != 0
            && (!has(Flags::TRUNCATE) || bits & (2 | 32) != 0)
            && (!has(Flags::EXCLUSIVE) || has(Flags::CREATE))
            && !(has(Flags::CREATE) && has(Flags::DIRECTORY));
        assert_eq!(Flags::from_bits(bits).is_ok(), fine, "{bits}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Entries that stay are met exactly once, whatever comes, goes and is renamed meanwhile.
    #[test]
    fn listing_is_stable(changes in prop::collection::vec((0..3u8, 0..20u8, 0..20u8), 0..40)) {
        let mut fs = ram();
        for number in 0..10 {
            fs.put(&format!("stays{number}"), b"").unwrap();
            fs.put(&format!("moves{number}"), b"").unwrap();
        }
        let handle = fs.open("/", Flags::READ).unwrap();
        let mut met: BTreeMap<String, u32> = BTreeMap::new();
        let mut changes = changes.into_iter();
        loop {
            let entries = fs.entries(handle, 64).unwrap();
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                *met.entry(entry.name).or_default() += 1;
            }
            if let Some((what, one, other)) = changes.next() {
                let _ = match what {
                    0 => fs.put(&format!("moves{one}"), b""),
                    1 => fs.unlink(&format!("moves{one}")),
                    _ => fs.rename(&format!("moves{one}"), &format!("moves{other}")),
                };
            }
        }
        for number in 0..10 {
            prop_assert_eq!(met.get(&format!("stays{number}")), Some(&1));
        }
        // From the start again.
        fs.seek(handle, Whence::Start, 0).unwrap();
        prop_assert!(!fs.entries(handle, 64).unwrap().is_empty());
        prop_assert_eq!(error(fs.entries(handle, 5)), Error::BadArgument);
    }

    /// No request panics, what is parked completes at most once, and clients that are gone leave nothing behind.
    #[test]
    fn any_requests_are_survived(
        requests in prop::collection::vec((0..4u64, 0..22u32, prop::array::uniform4(small()), prop::collection::vec("a|b|/|\\.|\\.\\./|dev/zero|dev", 0..6)), 0..120),
    ) {
        let quota = Quota { bytes: 1 << 20, nodes: 50 };
        let mut fs = over(RamFs::new(quota));
        fs.mkdir("dev").unwrap();
        fs.server.mount("dev", Box::new(DevFs::new(1, None))).unwrap();
        let mut parked = Vec::<Ticket>::new();
        for (client, label, words, path) in requests {
            let mut payload = path.concat().into_bytes();
            payload.resize(payload.len() + 50, b'a');
            let Some(request) = Request::from_words(label, words) else { continue };
            match fs.server.handle(client, request, &mut payload, 0) {
                Outcome::Reply { result, len } => {
                    prop_assert!(len <= payload.len());
                    prop_assert!(result.is_ok() || len == 0);
                }
                Outcome::Park(ticket) => {
                    prop_assert!(!parked.contains(&ticket));
                    parked.push(ticket);
                }
                Outcome::Redirect { device } => prop_assert_eq!(device, 1),
            }
            while let Some(done) = fs.server.ready() {
                let at = parked.iter().position(|&ticket| ticket == done.ticket);
                prop_assert!(at.is_some());
                parked.remove(at.unwrap());
            }
        }
        for client in 0..4 {
            fs.server.client_gone(client);
        }
        prop_assert_eq!(fs.server.ready(), None);
        for ticket in parked {
            prop_assert!(!fs.server.cancel(ticket));
        }
    }
}

/// Words that often are handles and lengths that exist, and sometimes anything.
fn small() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0..6u64,
        4 => (0..6u64, 0..60u64).prop_map(|(low, high)| low | high << 32),
        2 => (0..3u64, 0..40u64).prop_map(|(base, len)| base | len << 32),
        1 => any::<u64>(),
    ]
}

/// Paths, files and contents against a map from names to contents.
mod model {
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn files_hold_what_was_written(steps in prop::collection::vec((0..5u8, "[a-c]", "[a-c]", 0..20_000u32, any::<u8>()), 1..60)) {
            let mut fs = ram();
            let mut files = BTreeMap::<String, Vec<u8>>::new();
            for (what, name, other, at, byte) in steps {
                match what {
                    0 => {
                        fs.put(&name, &vec![byte; at as usize]).unwrap();
                        files.insert(name, vec![byte; at as usize]);
                    }
                    1 => {
                        let handle = fs.open(&name, Flags::WRITE | Flags::CREATE).unwrap();
                        let request = Request::WriteAt { handle, len: 3, offset: at.into() };
                        prop_assert_eq!(fs.now(request, &mut [byte; 3]), Ok(3));
                        fs.close(handle).unwrap();
                        let file = files.entry(name).or_default();
                        file.resize(file.len().max(at as usize + 3), 0);
                        file[at as usize..at as usize + 3].fill(byte);
                    }
                    2 => {
                        prop_assert_eq!(fs.unlink(&name).is_ok(), files.remove(&name).is_some());
                    }
                    3 => {
                        let renamed = fs.rename(&name, &other).is_ok();
                        prop_assert_eq!(renamed, files.contains_key(&name));
                        if let Some(file) = files.remove(&name) {
                            files.insert(other, file);
                        }
                    }
                    _ => {
                        if let Ok(handle) = fs.open(&name, Flags::WRITE) {
                            fs.truncate(handle, at.into()).unwrap();
                            fs.close(handle).unwrap();
                            files.get_mut(&name).unwrap().resize(at as usize, 0);
                        }
                    }
                }
                prop_assert_eq!(fs.list("/").unwrap(), files.keys().cloned().collect::<Vec<_>>());
                for (name, data) in &files {
                    prop_assert!(fs.get(name).unwrap() == *data, "{}", name);
                }
            }
        }
    }
}

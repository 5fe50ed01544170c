//! What is written into memory is what is read from it, and no memory makes a reader fail.

use proptest::prelude::*;
use protocol::list::{Entries, Entry};
use protocol::names::Name;
use protocol::start::{Header, Reader, Stream, WORDS, Writer};

fn streams() -> impl Strategy<Value = [Stream; 3]> {
    any::<[(u64, u64); 3]>().prop_map(|streams| streams.map(|(server, handle)| Stream { server, handle }))
}

proptest! {
    #[test]
    fn a_start_record_is_read_as_it_was_written(
        [process, group, heap, length, heap_start, io, channels, threads] in any::<[u64; 8]>(),
        streams in streams(),
        directory in ".*",
        program in ".*",
        arguments in prop::collection::vec(".*", 0..5),
        variables in prop::collection::vec(("[^=]*", ".*"), 0..5),
        names in prop::collection::vec("[a-z]{1,9}", 0..3),
        cut in 0_usize..2000,
    ) {
        let header = Header {
            process,
            group,
            arguments: arguments.len() as u64,
            variables: variables.len() as u64,
            streams,
            heap,
            length,
            heap_start,
            io,
            channels,
            threads,
            provides: names.len() as u64,
        };
        let mut bytes = vec![0xff; 20_000];
        let mut writer = Writer::new(&mut bytes, &header).unwrap();
        writer.text(&directory).unwrap();
        writer.text(&program).unwrap();
        for argument in &arguments {
            writer.text(argument).unwrap();
        }
        for (name, value) in &variables {
            writer.joined(name, "=", value).unwrap();
        }
        for name in &names {
            writer.text(name).unwrap();
        }
        let len = writer.len();

        // What lies behind the record does not matter.
        let reader = Reader::new(&bytes).unwrap();
        prop_assert_eq!(reader.header, header);
        prop_assert_eq!(reader.directory(), directory);
        prop_assert_eq!(reader.program(), program);
        prop_assert_eq!(reader.arguments().collect::<Vec<_>>(), arguments);
        let read: Vec<_> = reader.variables().map(|variable| variable.split_once('=').unwrap()).collect();
        let written: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        prop_assert_eq!(read, written);
        prop_assert_eq!(reader.provides().collect::<Vec<_>>(), names);

        prop_assert!(Reader::new(&bytes[..len]).is_some());
        prop_assert!(Reader::new(&bytes[..cut.min(len - 1)]).is_none());
    }

    #[test]
    fn names_are_read_as_they_were_written(text in "[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,23}") {
        let name = Name::new(&text).unwrap();
        prop_assert_eq!(name.as_str(), text);
        prop_assert_eq!(Name::from_words(name.words()), Some(name));
    }

    #[test]
    fn any_words_can_be_a_name(words in any::<[u64; 3]>(), text in ".{0,30}") {
        for name in [Name::from_words(words), Name::new(&text)].into_iter().flatten() {
            prop_assert_eq!(Name::new(name.as_str()), Some(name));
        }
    }

    #[test]
    fn a_writer_stays_in_its_memory(room in 0_usize..200, texts in prop::collection::vec(".{0,20}", 0..8)) {
        let mut bytes = vec![0; room];
        match Writer::new(&mut bytes, &Header::default()) {
            None => prop_assert!(room < WORDS * 8),
            Some(mut writer) => {
                let mut expected = WORDS * 8;
                for text in &texts {
                    let len = expected + 4 + text.len();
                    prop_assert_eq!(writer.text(text).is_some(), len <= room);
                    if len > room {
                        break;
                    }
                    expected = len;
                    prop_assert_eq!(writer.len(), expected);
                }
            }
        }
    }

    #[test]
    fn any_memory_can_be_read(mut bytes in prop::collection::vec(any::<u8>(), 0..400), counts in any::<[u8; 2]>()) {
        let _ = Reader::new(&bytes);
        let _ = Entries::new(&bytes).count();
        // With a good beginning, more of it is looked at.
        if bytes.len() >= WORDS * 8 {
            bytes[..8].copy_from_slice(b"vstart03");
            bytes[24..40].fill(0);
            bytes[24] = counts[0] % 4;
            bytes[32] = counts[1] % 4;
            bytes[120..128].fill(0);
            bytes[120] = counts[0] / 4 % 3;
            if let Some(reader) = Reader::new(&bytes) {
                let header = reader.header;
                let texts = 2 + header.arguments + header.variables + header.provides;
                prop_assert_eq!(reader.texts().count() as u64, texts);
            }
        }
    }

    #[test]
    fn a_list_is_read_as_it_was_written(
        processes in prop::collection::vec((any::<[u64; 6]>(), ".*", ".*"), 0..5),
        room in 0_usize..600,
    ) {
        let entries: Vec<_> = processes
            .iter()
            .map(|([process, parent, group, state, memory, time], name, arguments)| Entry {
                process: *process,
                parent: *parent,
                group: *group,
                state: *state,
                memory: *memory,
                time: *time,
                name,
                arguments,
            })
            .collect();
        let mut bytes = vec![0; room];
        let mut len = 0;
        let mut fits = 0;
        for entry in &entries {
            let Some(more) = entry.write(&mut bytes[len..]) else {
                prop_assert!(room - len < 56 + entry.name.len() + entry.arguments.len());
                break;
            };
            len += more;
            fits += 1;
        }
        prop_assert_eq!(Entries::new(&bytes[..len]).collect::<Vec<_>>(), &entries[..fits]);
        if len > 0 {
            prop_assert_eq!(Entries::new(&bytes[..len - 1]).count(), fits - 1);
        }
    }
}

#[test]
fn what_is_no_name_is_refused() {
    for text in ["", ".", ".a", "a b", "a/b", "\u{e9}", "abcdefghijklmnopqrstuvwxy"] {
        assert_eq!(Name::new(text), None, "{text:?}");
    }
    let a = u64::from(b'a');
    for words in [
        [0; 3],
        [0, a, 0],
        [a, a, 0],
        [a | a << 16, 0, 0],
        [u64::from(b'/'), 0, 0],
    ] {
        assert_eq!(Name::from_words(words), None, "{words:?}");
    }
    assert!(Name::new("abcdefghijklmnopqrstuvwx").is_some());
}

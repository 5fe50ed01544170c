//! Symbol tables, and any bytes as one.

use std::collections::BTreeMap;

use kcore::symbols::{Error, MAGIC, Symbol, Symbols};
use proptest::prelude::*;

/// A table of symbols that are sorted by address, the last of which ends at `end`.
fn encode<'n>(symbols: impl IntoIterator<Item = (u64, &'n str)>, end: u64) -> Vec<u8> {
    let symbols: Vec<_> = symbols.into_iter().collect();
    let base = symbols.first().map_or(end, |(address, _)| *address);
    let names: String = symbols.iter().map(|(_, name)| *name).collect();
    let mut table = MAGIC.to_vec();
    table.extend(base.to_le_bytes());
    for number in [end - base, symbols.len() as u64, names.len() as u64] {
        table.extend((number as u32).to_le_bytes());
    }
    let mut at = 0_u32;
    for (address, name) in symbols {
        table.extend(((address - base) as u32).to_le_bytes());
        table.extend(at.to_le_bytes());
        at += name.len() as u32;
    }
    table.extend(names.into_bytes());
    table
}

fn table(symbols: &BTreeMap<u32, String>, base: u64, last_len: u64) -> (Vec<u8>, u64) {
    let all = symbols
        .iter()
        .map(|(&at, name)| (base + u64::from(at), name.as_str()));
    let end = base + symbols.keys().last().map_or(0, |&at| u64::from(at)) + last_len;
    (encode(all, end), end)
}

proptest! {
    #[test]
    fn an_address_belongs_to_the_last_symbol_before_it(
        symbols in prop::collection::btree_map(0..5000_u32, ".{0,12}", 0..40),
        base in 0..u64::MAX / 2,
        last_len in 1..100_u64,
        addresses in prop::collection::vec(0..6000_u64, 1..50),
        behind in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let (mut bytes, end) = table(&symbols, base, last_len);
        bytes.extend(behind);
        let parsed = Symbols::parse(&bytes).unwrap();
        prop_assert_eq!((parsed.len(), parsed.is_empty()), (symbols.len(), symbols.is_empty()));
        for offset in addresses.into_iter().chain(symbols.keys().map(|&at| u64::from(at))) {
            let expected = symbols.range(..=offset as u32).last().filter(|_| base + offset < end);
            let expected = expected.map(|(&at, name)| Symbol { name, offset: offset - u64::from(at) });
            prop_assert_eq!(parsed.find(base + offset), expected);
        }
        for outside in [0, end, u64::MAX] {
            prop_assert!(outside == base || parsed.find(outside).is_none());
        }
    }

    #[test]
    fn any_bytes_are_survived(
        symbols in prop::collection::btree_map(0..500_u32, ".{0,5}", 0..8),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        addresses in prop::collection::vec(any::<u64>(), 10),
    ) {
        let (mut bytes, _) = table(&symbols, 100, 5);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(parsed) = Symbols::parse(&bytes) {
            for address in (90..700).chain(addresses) {
                if let Some(symbol) = parsed.find(address) {
                    prop_assert!(symbol.offset <= address);
                }
            }
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let good = encode([(0x1000, "a"), (0x1010, "bé"), (0x1020, "")], 0x1030);
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Symbols::parse(&bytes).err()
    };
    assert_eq!(
        Symbols::parse(&good).unwrap().find(0x1011),
        Some(Symbol {
            name: "bé",
            offset: 1
        })
    );
    assert_eq!(Symbols::parse(&good[..27]).err(), Some(Error::Truncated));
    assert_eq!(
        Symbols::parse(&good[..good.len() - 1]).err(),
        Some(Error::Truncated)
    );
    assert_eq!(Symbols::parse(&[0; 100]).err(), Some(Error::NotATable));
    assert_eq!(with(7, 1), Some(Error::NotATable));
    assert_eq!(with(20, 200), Some(Error::Truncated), "more symbols than bytes");
    assert_eq!(with(23, 255), Some(Error::Truncated), "more than memory");
    assert_eq!(with(24, 200), Some(Error::Truncated), "longer names than bytes");
    assert_eq!(
        with(28, 0x20),
        Some(Error::Disordered),
        "an address behind the next"
    );
    assert_eq!(with(16, 0x20), Some(Error::Disordered), "the end before the last");
    assert_eq!(with(32, 2), Some(Error::Disordered), "a name behind the next");
    assert_eq!(with(48, 100), Some(Error::Disordered), "a name outside");
    assert_eq!(
        with(48, 3),
        Some(Error::BadName),
        "a name that starts within a character"
    );
    assert_eq!(with(52, 0xff), Some(Error::BadName));
    assert_eq!(with(15, 0xff), None);
}

//! The strict parser beside three others: the C tool, the `minisign` crate and `minisign-verify`.
//!
//! They differ from each other on odd files. What is accepted here must be accepted by all of them, with the same
//! trusted comment, so that no file can mean one thing to us and another to a stranger.

use crate::stock::{Keys, role, statement, stock_verify};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vrel_trust::{Signature, digest_bytes};

const CONTENT: &[u8] = b"content";

struct Others {
    keys: Keys,
    public: String,
    good: String,
}

#[derive(Debug, PartialEq, Eq, Clone)]
struct Verdicts {
    ours: Option<String>,
    stock: Option<String>,
    /// The crate gives no access to a verified comment.
    crate_sign: bool,
    crate_verify: Option<String>,
}

/// The other implementations panic on some files that are cut off; that counts as not accepting them.
fn calmly<T>(verdict: impl FnOnce() -> Option<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(verdict))
        .ok()
        .flatten()
}

impl Others {
    fn new() -> Self {
        let keys = Keys::new(&["release"]);
        let key = keys.secret("release");
        let digests = digest_bytes(CONTENT);
        let good = key.sign(&digests.blake2b, &statement("data", &digests)).unwrap();
        std::fs::write(keys.path("data"), CONTENT).unwrap();
        Self {
            public: key.public_key().to_base64(),
            keys,
            good,
        }
    }

    fn ours(&self, text: &[u8]) -> Option<String> {
        let signature = Signature::parse(text).ok()?;
        signature
            .verify(
                "data",
                &self.keys.ring(),
                &role("release"),
                &digest_bytes(CONTENT).blake2b,
            )
            .ok()?;
        Some(signature.trusted_comment().to_owned())
    }

    fn verdicts(&self, text: &[u8]) -> Verdicts {
        std::fs::write(self.keys.path("data.minisig"), text).unwrap();
        let as_text = std::str::from_utf8(text).ok();
        let crate_sign = calmly(|| {
            let public = minisign::PublicKey::from_base64(&self.public).ok()?;
            let signature = minisign::SignatureBox::from_string(as_text?).ok()?;
            minisign::verify(
                &public,
                &signature,
                std::io::Cursor::new(CONTENT),
                true,
                false,
                false,
            )
            .ok()
        });
        let crate_verify = calmly(|| {
            let public = minisign_verify::PublicKey::from_base64(&self.public).ok()?;
            let signature = minisign_verify::Signature::decode(as_text?).ok()?;
            public.verify(CONTENT, &signature, false).ok()?;
            Some(signature.trusted_comment().to_owned())
        });
        let stock = stock_verify(self.keys.dir.path(), &self.public, "data");
        Verdicts {
            ours: self.ours(text),
            stock,
            crate_sign: crate_sign.is_some(),
            crate_verify,
        }
    }
}

#[test]
fn everybody_accepts_what_is_signed_here() {
    let others = Others::new();
    let comment = Some(statement("data", &digest_bytes(CONTENT)).to_string());
    let verdicts = others.verdicts(others.good.as_bytes());
    let all = Verdicts {
        ours: comment.clone(),
        stock: comment.clone(),
        crate_sign: true,
        crate_verify: comment,
    };
    assert_eq!(verdicts, all);
}

/// Files on which parsers are known to differ, made from a good one.
fn odd_files(good: &str) -> Vec<String> {
    let lines: Vec<&str> = good.lines().collect();
    let line = |index: usize, text: &str| {
        let mut changed = lines.clone();
        changed[index] = text;
        changed.join("\n") + "\n"
    };
    let stray_bits = |text: &str| {
        // 74 and 64 bytes leave unused bits in the last digit before the padding.
        let at = text.trim_end_matches('=').len() - 1;
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] += 1;
        String::from_utf8(bytes).unwrap()
    };
    vec![
        good.replace('\n', "\r\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}more\n"),
        format!("{good}\0"),
        format!("\n{good}"),
        format!("\u{feff}{good}"),
        line(0, ""),
        line(0, "untrusted comment: "),
        line(0, "comment"),
        line(0, &format!("{} ", lines[0])),
        line(0, "untrusted comment: ünicode"),
        line(1, &format!("{} ", lines[1])),
        line(1, &format!(" {}", lines[1])),
        line(1, &format!("{}\t", lines[1])),
        line(1, lines[1].trim_end_matches('=')),
        line(1, &format!("{}=", lines[1])),
        line(1, &stray_bits(lines[1])),
        line(2, &format!("{} ", lines[2])),
        line(2, &format!("{}\t", lines[2])),
        line(2, &lines[2].replace("trusted comment: ", "trusted comment:")),
        line(2, lines[2].strip_prefix("trusted comment: ").unwrap()),
        line(2, &lines[2].replace("trusted", "Trusted")),
        line(3, &format!("{} ", lines[3])),
        line(3, &stray_bits(lines[3])),
        line(3, lines[3].trim_end_matches('=')),
    ]
}

#[test]
fn odd_files_are_refused_here_whatever_the_others_say() {
    let others = Others::new();
    for odd in odd_files(&others.good) {
        assert_ne!(odd, others.good);
        assert_eq!(others.ours(odd.as_bytes()), None, "{odd:?}");
    }
}

/// The trap that makes the strict parser necessary. Should this fail after an update, the others have become stricter,
/// and the list above can be shorter.
#[test]
fn the_others_disagree_with_each_other() {
    let others = Others::new();
    let disagree = |verdicts: &Verdicts| {
        let accepted = [
            verdicts.stock.is_some(),
            verdicts.crate_sign,
            verdicts.crate_verify.is_some(),
        ];
        accepted.contains(&true) && accepted.contains(&false)
    };
    let odd = odd_files(&others.good);
    let disputed = odd
        .iter()
        .filter(|text| disagree(&others.verdicts(text.as_bytes())))
        .count();
    assert!(disputed > 0, "all others agree on all {} files", odd.len());
}

#[test]
fn a_legacy_signature_is_refused_here_and_accepted_by_the_stock_tool() {
    let others = Others::new();
    let dir = others.keys.dir.path();
    let args = [
        "-S",
        "-l",
        "-W",
        "-s",
        "release.key",
        "-m",
        "data",
        "-t",
        "legacy",
    ];
    assert!(crate::stock::minisign(dir, &args).status.success());
    assert!(stock_verify(dir, &others.public, "data").is_some());
    let text = std::fs::read(others.keys.path("data.minisig")).unwrap();
    let error = Signature::parse(&text).unwrap_err().to_string();
    assert!(error.contains("legacy signature"), "{error}");
}

/// One edit somewhere in a good file.
#[derive(Debug, Clone)]
enum Edit {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Cut(usize),
    Swap(usize, usize),
    Double(usize),
}

impl Edit {
    fn apply(&self, text: &mut Vec<u8>) {
        let length = text.len().max(1);
        match *self {
            _ if text.is_empty() => {}
            Self::Replace(at, byte) => text[at % length] = byte,
            Self::Insert(at, byte) => text.insert(at % length, byte),
            Self::Remove(at) => drop(text.remove(at % length)),
            Self::Cut(at) => text.truncate(at % length),
            Self::Swap(a, b) => text.swap(a % length, b % length),
            Self::Double(at) => {
                let mut lines: Vec<Vec<u8>> = text
                    .split_inclusive(|&b| b == b'\n')
                    .map(<[u8]>::to_vec)
                    .collect();
                let at = at % lines.len();
                lines.insert(at, lines[at].clone());
                *text = lines.concat();
            }
        }
    }
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let byte = prop_oneof![
        Just(b'\n'),
        Just(b'\r'),
        Just(b' '),
        Just(b'\t'),
        Just(b'='),
        Just(b':'),
        Just(0u8),
        Just(0xc3u8),
        0x20u8..0x7f
    ];
    let edit = prop_oneof![
        (any::<usize>(), byte.clone()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<usize>(), byte).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        any::<usize>().prop_map(Edit::Remove),
        any::<usize>().prop_map(Edit::Cut),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Edit::Swap(a, b)),
        any::<usize>().prop_map(Edit::Double),
    ];
    proptest::collection::vec(edit, 0..3)
}

#[test]
fn what_is_accepted_here_everybody_accepts_with_the_same_meaning() {
    let others = Others::new();
    let mut runner = TestRunner::new(Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&edits(), |edits| {
        let mut text = others.good.clone().into_bytes();
        edits.iter().for_each(|edit| edit.apply(&mut text));
        let verdicts = others.verdicts(&text);
        if let Some(comment) = &verdicts.ours {
            prop_assert_eq!(verdicts.stock.as_ref(), Some(comment));
            prop_assert_eq!(verdicts.crate_verify.as_ref(), Some(comment));
            prop_assert!(verdicts.crate_sign);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn the_parser_is_the_inverse_of_the_writer() {
    let others = Others::new();
    let mut runner = TestRunner::new(Config {
        cases: 5000,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&edits(), |edits| {
        let mut text = others.good.clone().into_bytes();
        edits.iter().for_each(|edit| edit.apply(&mut text));
        if let Ok(signature) = Signature::parse(&text) {
            prop_assert_eq!(signature.to_text().into_bytes(), text);
        }
        Ok(())
    });
    outcome.unwrap();
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Signature::parse(&bytes).is_err());
    }
}

//! The pointer: the one small file of an origin that changes.
//!
//! It says which release is the head of each channel, by the digest of that release's manifest. Replacing it is the
//! moment at which a release becomes public. Its signature is inside it, so that no cache can serve a pointer and a
//! signature of different ages. The form is TUF's (a `signed` object in canonical JSON beside its signatures), so that
//! it can become a TUF timestamp without a change for those who fetch it.

use crate::{
    ChannelName, Dud, Edition, KeyId, Line, Rollback, Sha256Digest, Stage, UtcTime, Version, edition,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The signed part. Readers ignore fields that they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pointer {
    /// Always `pointer`.
    #[serde(rename = "_type")]
    #[schemars(extend("const" = "pointer"))]
    pub kind: String,
    /// Version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub spec: u32,
    /// The product's id.
    pub product: String,
    /// Counts the pointers of this origin from 1; each is the previous + 1.
    pub version: u64,
    /// When it was made.
    pub issued: UtcTime,
    /// From when it must not be trusted.
    pub expires: UtcTime,
    /// The head of each channel that has had a release.
    pub channels: BTreeMap<ChannelName, ChannelHead>,
    /// Of each channel, the newest release of every line that is older than its newest release's, the oldest line first:
    /// what a channel has beside its head once it serves several lines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub older_lines: BTreeMap<ChannelName, Vec<ChannelHead>>,
    /// The newest manifest of each release that architectures were added to after it was published. Of every other
    /// release `manifest.json` is the only one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub backfilled: BTreeMap<Version, BackfilledManifest>,
    /// The releases that nobody may use. None of them is the head of a channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub duds: BTreeMap<Version, Dud>,
}

/// The newest manifest of a release that was added to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackfilledManifest {
    /// The release's edition, written as the name of its manifest.
    #[serde(rename = "manifest", with = "edition::as_manifest_name")]
    #[schemars(
        with = "String",
        description = "Its name.",
        extend("pattern" = "^manifest-[2-9]\\.json$")
    )]
    pub edition: Edition,
    /// Its length in bytes.
    pub manifest_length: u64,
    /// Its SHA-256.
    pub manifest_sha256: Sha256Digest,
}

/// The release that a channel gives to its users, by the manifest that it was published with: its newest one, unless the
/// channel was rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChannelHead {
    /// The release.
    pub release: Version,
    /// Length of its `manifest.json` in bytes.
    pub manifest_length: u64,
    /// SHA-256 of its `manifest.json`.
    pub manifest_sha256: Sha256Digest,
    /// How the channel came back to this release; absent while it is the newest one that the channel has had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
}

impl ChannelHead {
    /// The newest release that the channel has had. It goes on with a newer one only.
    #[must_use]
    pub fn newest(&self) -> &Version {
        self.rollback
            .as_ref()
            .map_or(&self.release, |rollback| &rollback.from)
    }
}

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(
    title = "Pointer file",
    description = "`pointer.json` of an origin. Readers ignore fields that they do not know."
)]
pub struct SignedPointer {
    /// A [`Pointer`], kept as it was read so that fields which this program does not know stay signed.
    #[schemars(with = "Pointer", description = "What is signed.")]
    pub signed: Value,
    /// Signatures over [`SignedPointer::signed_bytes`].
    #[schemars(description = "Signatures over the canonical form of `signed`: keys sorted, no white space.")]
    pub signatures: Vec<KeySignature>,
}

/// One signature inside a pointer file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeySignature {
    /// The key that made it.
    pub keyid: KeyId,
    /// The text of a minisign signature file, whose trusted comment is [`Pointer::trusted_comment`].
    #[schemars(
        description = "The text of a minisign signature file. Its trusted comment is `timestamp:T product:P pointer:N`."
    )]
    pub minisig: String,
}

/// Why a pointer file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PointerError {
    /// Not JSON, or not of this shape.
    #[error("the pointer is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Some other document, or a format that this program does not know.
    #[error(
        "not a pointer that this program understands: type `{kind}`, spec {spec}; expected type `pointer`, spec 1"
    )]
    Kind {
        /// The document's type.
        kind: String,
        /// Its format version.
        spec: u32,
    },
    /// A dud that is the head of a channel.
    #[error("the pointer makes {version} the head of {channel} and says that it is a dud: {reason}")]
    DudAsHead {
        /// The channel.
        channel: ChannelName,
        /// The release.
        version: Version,
        /// Why it is a dud.
        reason: String,
    },
    /// A release under `older_lines` that is not the newest of a line older than its channel's newest.
    #[error("the pointer has {version} among the older lines of {channel}, where it cannot be")]
    NotOlder {
        /// The channel.
        channel: ChannelName,
        /// The release.
        version: Version,
    },
    /// A channel that went back to a release that is not older.
    #[error("the pointer rolls {channel} back from {from} to {to}, which is not older")]
    RollbackForwards {
        /// The channel.
        channel: ChannelName,
        /// What it had.
        from: Version,
        /// What it has.
        to: Version,
    },
}

impl Pointer {
    /// The pointer that follows `current`, or an origin's first one: it says the same, and has the next number.
    #[must_use]
    pub fn following(current: Option<Self>, product: &str, issued: UtcTime, expires: UtcTime) -> Self {
        let version = current.as_ref().map_or(1, |pointer| pointer.version + 1);
        let (channels, older_lines, backfilled, duds) = current.map_or_else(Default::default, |pointer| {
            (
                pointer.channels,
                pointer.older_lines,
                pointer.backfilled,
                pointer.duds,
            )
        });
        Self {
            kind: "pointer".to_owned(),
            spec: 1,
            product: product.to_owned(),
            version,
            issued,
            expires,
            channels,
            older_lines,
            backfilled,
            duds,
        }
    }

    /// The newest release of a line that a channel has had, and still gives to those who stay on that line: the channel's
    /// head, what it was rolled back from, or the newest of an older line.
    #[must_use]
    pub fn newest_on(&self, channel: &ChannelName, line: Line) -> Option<&Version> {
        let head = self.channels.get(channel).map(ChannelHead::newest);
        let older = self.older(channel, line).map(|head| &head.release);
        head.filter(|newest| newest.line() == line).max(older)
    }

    /// The newest release of a line that is older than the newest one of its channel.
    #[must_use]
    pub fn older(&self, channel: &ChannelName, line: Line) -> Option<&ChannelHead> {
        let lines = self.older_lines.get(channel)?;
        lines.iter().find(|head| head.release.line() == line)
    }

    /// Whether a release would become the newest of an older line of the channel, whose head stays what it is.
    #[must_use]
    pub fn is_of_older_line(&self, channel: &ChannelName, release: &Version) -> bool {
        let head = self.channels.get(channel);
        head.is_some_and(|head| release.line() < head.newest().line())
    }

    /// Makes a release public in a channel. One of an older line than the channel's newest leaves the head alone. Any other
    /// becomes the head, and the head before it stays the newest of its line, unless it was a nightly: those are not kept.
    pub fn publish(&mut self, channel: &ChannelName, head: ChannelHead) {
        if self.is_of_older_line(channel, &head.release) {
            self.keep_older(channel, head);
            return;
        }
        let line = head.release.line();
        if let Some(before) = self.channels.insert(channel.clone(), head)
            && before.release.line() < line
            && !matches!(before.release.stage(), Stage::Nightly { .. })
        {
            let before = ChannelHead {
                rollback: None,
                ..before
            };
            self.keep_older(channel, before);
        }
        if let Some(lines) = self.older_lines.get_mut(channel) {
            lines.retain(|head| head.release.line() < line);
        }
        self.older_lines.retain(|_, lines| !lines.is_empty());
    }

    /// Takes a release out of the older lines of a channel, and puts another one of its line in its place where there is one.
    pub fn replace_older(&mut self, channel: &ChannelName, release: &Version, instead: Option<ChannelHead>) {
        if let Some(lines) = self.older_lines.get_mut(channel) {
            lines.retain(|head| head.release != *release);
        }
        self.older_lines.retain(|_, lines| !lines.is_empty());
        if let Some(instead) = instead {
            self.keep_older(channel, instead);
        }
    }

    /// Makes a release the newest of its line, where none is newer.
    fn keep_older(&mut self, channel: &ChannelName, head: ChannelHead) {
        let lines = self.older_lines.entry(channel.clone()).or_default();
        match lines
            .iter_mut()
            .find(|there| there.release.line() == head.release.line())
        {
            Some(there) if there.release < head.release => *there = head,
            Some(_) => {}
            None => lines.push(head),
        }
        lines.sort_by(|a, b| a.release.cmp(&b.release));
    }

    /// Finds what the pointer says that cannot be so together.
    ///
    /// # Errors
    /// When a dud is a head or the newest of a line, a channel was rolled back to what is not older, or an older line is
    /// not older.
    pub fn check(&self) -> Result<(), PointerError> {
        for (channel, heads) in &self.older_lines {
            self.check_older(channel, heads)?;
        }
        for (channel, head) in &self.channels {
            if let Some(dud) = self.duds.get(&head.release) {
                return Err(PointerError::DudAsHead {
                    channel: channel.clone(),
                    version: head.release.clone(),
                    reason: dud.why(),
                });
            }
            if *head.newest() < head.release
                || head
                    .rollback
                    .as_ref()
                    .is_some_and(|back| back.from == head.release)
            {
                return Err(PointerError::RollbackForwards {
                    channel: channel.clone(),
                    from: head.newest().clone(),
                    to: head.release.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_older(&self, channel: &ChannelName, heads: &[ChannelHead]) -> Result<(), PointerError> {
        let newest = self.channels.get(channel).map(|head| head.newest().line());
        let mut line = None;
        for head in heads {
            if let Some(dud) = self.duds.get(&head.release) {
                return Err(PointerError::DudAsHead {
                    channel: channel.clone(),
                    version: head.release.clone(),
                    reason: dud.why(),
                });
            }
            let own = head.release.line();
            if line.is_some_and(|before| before >= own)
                || newest.is_none_or(|newest| own >= newest)
                || head.rollback.is_some()
            {
                return Err(PointerError::NotOlder {
                    channel: channel.clone(),
                    version: head.release.clone(),
                });
            }
            line = Some(own);
        }
        Ok(())
    }

    /// The newest public edition of a release.
    #[must_use]
    pub fn edition(&self, release: &Version) -> Edition {
        self.backfilled
            .get(release)
            .map_or(Edition::FIRST, |newest| newest.edition)
    }

    /// The text that a pointer's signature carries as its trusted comment.
    #[must_use]
    pub fn trusted_comment(&self) -> String {
        format!(
            "timestamp:{} product:{} pointer:{}",
            self.issued.unix(),
            self.product,
            self.version
        )
    }

    /// The file's signed part, before it is signed.
    ///
    /// # Errors
    /// When it contradicts itself.
    pub fn to_unsigned(&self) -> Result<SignedPointer, PointerError> {
        self.check()?;
        Ok(SignedPointer {
            signed: serde_json::to_value(self)?,
            signatures: Vec::new(),
        })
    }
}

impl SignedPointer {
    /// Reads a pointer file.
    ///
    /// # Errors
    /// When it is not JSON of this shape. Signatures are not looked at.
    pub fn parse(bytes: &[u8]) -> Result<Self, PointerError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The bytes that are signed: the `signed` object as canonical JSON (keys sorted, no white space).
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut out = String::new();
        canonical(&self.signed, &mut out);
        out.into_bytes()
    }

    /// The pointer, to be called after a signature over [`Self::signed_bytes`] was verified.
    ///
    /// # Errors
    /// When the signed object is not a pointer of a format that this program knows, or contradicts itself.
    pub fn pointer(&self) -> Result<Pointer, PointerError> {
        let pointer: Pointer = serde_json::from_value(self.signed.clone())?;
        if pointer.kind != "pointer" || pointer.spec != 1 {
            return Err(PointerError::Kind {
                kind: pointer.kind,
                spec: pointer.spec,
            });
        }
        pointer.check()?;
        Ok(pointer)
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // The signed object is written in its canonical form, so that what is signed can be cut out of the file.
        let mut out = String::from("{\"signed\":");
        canonical(&self.signed, &mut out);
        out.push_str(",\"signatures\":");
        let signatures = self
            .signatures
            .iter()
            .map(|s| serde_json::json!({"keyid": s.keyid, "minisig": s.minisig}));
        canonical(&Value::Array(signatures.collect()), &mut out);
        out.push_str("}\n");
        out.into_bytes()
    }
}

/// Canonical JSON: object keys in byte order, no white space. Written out here because `serde_json`'s own key order
/// depends on a feature that any dependency may turn on.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            out.push('{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                canonical(item, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer() -> Pointer {
        let head = ChannelHead {
            release: "0.6.0-rc1".parse().unwrap(),
            manifest_length: 10,
            manifest_sha256: Sha256Digest::new([7; 32]),
            rollback: None,
        };
        Pointer {
            kind: "pointer".into(),
            spec: 1,
            product: "os".into(),
            version: 4,
            issued: "2026-11-21T03:00:00Z".parse().unwrap(),
            expires: "2026-12-21T03:00:00Z".parse().unwrap(),
            channels: [("beta".parse().unwrap(), head)].into(),
            older_lines: BTreeMap::new(),
            backfilled: BTreeMap::new(),
            duds: BTreeMap::new(),
        }
    }

    #[test]
    fn signed_bytes_survive_a_round_trip_whatever_the_order_of_keys() {
        let file = pointer().to_unsigned().unwrap();
        let again = SignedPointer::parse(&file.to_bytes()).unwrap();
        assert_eq!(again.signed_bytes(), file.signed_bytes());
        assert_eq!(again.pointer().unwrap(), pointer());
        let text = String::from_utf8(file.to_bytes()).unwrap();
        let shuffled = text.replacen("\"_type\":\"pointer\",", "", 1).replacen(
            "\"version\":4",
            "\"version\":4,\"_type\":\"pointer\"",
            1,
        );
        assert_eq!(
            SignedPointer::parse(shuffled.as_bytes()).unwrap().signed_bytes(),
            file.signed_bytes()
        );
    }

    #[test]
    fn unknown_fields_stay_signed() {
        let mut file = pointer().to_unsigned().unwrap();
        file.signed["later"] = Value::from(1);
        let again = SignedPointer::parse(&file.to_bytes()).unwrap();
        assert!(
            String::from_utf8(again.signed_bytes())
                .unwrap()
                .contains("\"later\":1")
        );
        assert_eq!(again.pointer().unwrap(), pointer());
    }

    #[test]
    fn a_later_manifest_is_named_exactly_or_not_at_all() {
        let mut with = pointer();
        let release: Version = "0.6.0-rc1".parse().unwrap();
        assert_eq!(with.edition(&release), Edition::FIRST);
        let newest = BackfilledManifest {
            edition: Edition::FIRST.next().unwrap(),
            manifest_length: 11,
            manifest_sha256: Sha256Digest::new([8; 32]),
        };
        with.backfilled.insert(release.clone(), newest);
        let file = with.to_unsigned().unwrap();
        assert_eq!(
            file.signed["backfilled"]["0.6.0-rc1"]["manifest"],
            "manifest-2.json"
        );
        let again = SignedPointer::parse(&file.to_bytes()).unwrap().pointer().unwrap();
        assert_eq!(again, with);
        assert_eq!(again.edition(&release).number(), 2);
        let without = pointer().to_unsigned().unwrap();
        assert!(without.signed.get("backfilled").is_none());
        for strange in [
            "manifest.json",
            "../../evil/manifest-2.json",
            "manifest-10.json",
            "manifest-2.json\0",
        ] {
            let mut file = file.clone();
            file.signed["backfilled"]["0.6.0-rc1"]["manifest"] = Value::from(strange);
            let error = file.pointer().unwrap_err().to_string();
            assert!(
                error.contains("is not the name of a later manifest"),
                "{strange}: {error}"
            );
        }
    }

    fn dud(reason: &str) -> Dud {
        Dud {
            reason: reason.parse().unwrap(),
            since: "2026-11-21T03:00:00Z".parse().unwrap(),
            advisory: None,
        }
    }

    #[test]
    fn a_dud_is_never_a_head() {
        let mut with = pointer();
        with.duds.insert("0.5.0".parse().unwrap(), dud("does not boot"));
        let file = with.to_unsigned().unwrap();
        assert_eq!(file.signed["duds"]["0.5.0"]["reason"], "does not boot");
        assert_eq!(file.pointer().unwrap(), with);
        assert!(pointer().to_unsigned().unwrap().signed.get("duds").is_none());
        // Neither written nor believed.
        with.duds.insert("0.6.0-rc1".parse().unwrap(), dud("loses data"));
        let error = with.to_unsigned().unwrap_err().to_string();
        assert!(
            error.contains("0.6.0-rc1") && error.contains("loses data"),
            "{error}"
        );
        let mut forged = file;
        forged.signed["duds"]["0.6.0-rc1"] = forged.signed["duds"]["0.5.0"].clone();
        assert!(matches!(forged.pointer(), Err(PointerError::DudAsHead { .. })));
        forged.signed["duds"]["0.6.0-rc1"]["reason"] = Value::from("two\nlines");
        assert!(
            forged
                .pointer()
                .unwrap_err()
                .to_string()
                .contains("is not a reason")
        );
    }

    #[test]
    fn a_channel_that_went_back_remembers_the_newest_it_had() {
        let mut with = pointer();
        let beta: ChannelName = "beta".parse().unwrap();
        let back = |from: &str| Rollback {
            from: from.parse().unwrap(),
            reason: "slow".parse().unwrap(),
            at: "2026-11-21T03:00:00Z".parse().unwrap(),
        };
        assert_eq!(with.channels[&beta].newest().to_string(), "0.6.0-rc1");
        assert!(
            with.to_unsigned().unwrap().signed["channels"]["beta"]
                .get("rollback")
                .is_none()
        );
        with.channels.get_mut(&beta).unwrap().rollback = Some(back("0.6.0-rc2"));
        assert_eq!(with.channels[&beta].newest().to_string(), "0.6.0-rc2");
        assert_eq!(with.to_unsigned().unwrap().pointer().unwrap(), with);
        for not_newer in ["0.6.0-rc1", "0.5.9"] {
            with.channels.get_mut(&beta).unwrap().rollback = Some(back(not_newer));
            assert!(matches!(
                with.to_unsigned(),
                Err(PointerError::RollbackForwards { .. })
            ));
        }
    }

    #[test]
    fn the_next_pointer_says_what_the_last_one_said() {
        let mut last = pointer();
        last.duds.insert("0.5.0".parse().unwrap(), dud("does not boot"));
        let issued = "2026-11-22T03:00:00Z".parse().unwrap();
        let next = Pointer::following(Some(last.clone()), "os", issued, last.expires);
        assert_eq!(
            (next.version, &next.channels, &next.duds),
            (5, &last.channels, &last.duds)
        );
        assert_eq!(Pointer::following(None, "os", issued, last.expires).version, 1);
    }

    fn head(version: &str) -> ChannelHead {
        ChannelHead {
            release: version.parse().unwrap(),
            manifest_length: 10,
            manifest_sha256: Sha256Digest::new([9; 32]),
            rollback: None,
        }
    }

    /// The head of a channel and the newest releases of its older lines, after these were published in this order.
    fn after(versions: &[&str]) -> (Pointer, Vec<String>) {
        let channel = "stable".parse().unwrap();
        let mut pointer = pointer();
        pointer.channels.clear();
        for version in versions {
            pointer.publish(&channel, head(version));
            pointer.check().unwrap();
        }
        let older = pointer.older_lines.values().flatten();
        let heads = older.chain(pointer.channels.get(&channel));
        let heads = heads.map(|head| head.release.to_string()).collect();
        (pointer, heads)
    }

    #[test]
    fn a_channel_keeps_the_newest_release_of_every_older_line() {
        for (published, expected) in [
            (&["0.6.0", "0.6.1"][..], &["0.6.1"][..]),
            (&["0.6.0", "0.7.0"], &["0.6.0", "0.7.0"]),
            (&["0.6.0", "0.7.0", "0.6.1"], &["0.6.1", "0.7.0"]),
            (&["0.6.0", "0.7.0", "0.6.1", "0.7.1"], &["0.6.1", "0.7.1"]),
            (
                &["0.7.0", "0.6.0", "0.8.0", "0.7.1"],
                &["0.6.0", "0.7.1", "0.8.0"],
            ),
            (
                &["0.6.0-nightly.20261121", "0.7.0-nightly.20261122"],
                &["0.7.0-nightly.20261122"],
            ),
        ] {
            let (pointer, heads) = after(published);
            assert_eq!(heads, expected, "{published:?}");
            let file = pointer.to_unsigned().unwrap();
            let again = SignedPointer::parse(&file.to_bytes()).unwrap().pointer().unwrap();
            assert_eq!(again, pointer);
        }
        let (pointer, _) = after(&["0.6.0", "0.7.0", "0.6.1"]);
        let channel = "stable".parse().unwrap();
        let newest = |line: &str| {
            pointer
                .newest_on(&channel, line.parse().unwrap())
                .map(ToString::to_string)
        };
        assert_eq!(newest("0.6").as_deref(), Some("0.6.1"));
        assert_eq!(newest("0.7").as_deref(), Some("0.7.0"));
        assert_eq!(newest("0.8"), None);
    }

    #[test]
    fn older_lines_are_older_and_in_order() {
        let (good, _) = after(&["0.6.0", "0.7.0", "0.8.0"]);
        let channel: ChannelName = "stable".parse().unwrap();
        let mut swapped = good.clone();
        swapped.older_lines.get_mut(&channel).unwrap().reverse();
        let mut newer = good.clone();
        newer.older_lines.get_mut(&channel).unwrap().push(head("0.8.0"));
        let mut of_none = good.clone();
        of_none.channels.clear();
        for wrong in [swapped, newer, of_none] {
            let error = wrong.to_unsigned().unwrap_err().to_string();
            assert!(error.contains("among the older lines of stable"), "{error}");
        }
    }

    #[test]
    fn another_document_is_not_a_pointer() {
        let mut file = pointer().to_unsigned().unwrap();
        file.signed["_type"] = Value::from("root");
        assert!(file.pointer().unwrap_err().to_string().contains("type `root`"));
        assert!(SignedPointer::parse(b"{").is_err());
    }
}

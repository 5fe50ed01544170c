//! What can be wrong with a release.

use crate::OriginError;
use std::fmt;
use vrel_model::{ChannelName, KeyRole, Trespass, UtcTime, Version};
use vrel_trust::TrustError;

/// A problem of a published release.
#[derive(Debug)]
pub struct Finding {
    /// The file, as it is named in the release's directory.
    pub object: String,
    /// What is wrong with it; boxed, because findings are also what functions fail with.
    pub problem: Box<Problem>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.problem)
    }
}

impl Finding {
    /// Whether a person asked the program to stop.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(&*self.problem, Problem::Origin(error) if error.is_interruption())
    }

    /// What a person can do about it, in one line, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &*self.problem {
            Problem::Origin(error) => error.hint(),
            Problem::Trust(error) => error.hint(),
            Problem::Replayed { .. } => Some("somebody serves an old state; try another mirror".to_owned()),
            Problem::Dud { .. } => {
                Some("do not use it; take the head of its channel, which `pointer.json` names".to_owned())
            }
            _ => None,
        }
    }
}

/// What is wrong with a file of a release.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It cannot be read, or is not of its length.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// It is not signed as it must be.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It differs from what the manifest, or for the manifest the pointer, says.
    #[error("{what} is {found}, expected {expected}")]
    Differs {
        /// Which property.
        what: &'static str,
        /// What the signed document says.
        expected: String,
        /// What came.
        found: String,
    },
    /// The pointer is older than one that was seen before.
    #[error("version {found} is older than version {seen}, which was seen before")]
    Replayed {
        /// The newest version that was ever seen.
        seen: u64,
        /// The version that came.
        found: u64,
    },
    /// The release is there, but not public.
    #[error("{version} is not public: {}", head.as_ref().map_or_else(
        || format!("the pointer names no release of {channel}"),
        |head| format!("the newest release of {channel} is {head}")
    ))]
    NotPublic {
        /// The release.
        version: Version,
        /// Its channel.
        channel: ChannelName,
        /// The channel's head.
        head: Option<Version>,
    },
    /// The project says that nobody may use the release.
    #[error("{version} is a dud since {since}: {why}")]
    Dud {
        /// The release.
        version: Version,
        /// Since when.
        since: UtcTime,
        /// Why.
        why: String,
    },
    /// A release that leads a channel whose releases another role signs.
    #[error("{version} is the head of {channel}, but no key of the role `{role}` signed it")]
    ForeignHead {
        /// The release.
        version: Version,
        /// The channel.
        channel: ChannelName,
        /// Who signs the channel's releases.
        role: KeyRole,
    },
    /// The release's channel has no policy, so nobody is trusted to sign it.
    #[error(
        "it is signed for the channel `{channel}`, which this project does not have; channels are {known}"
    )]
    UnknownChannel {
        /// The channel.
        channel: ChannelName,
        /// Those there are.
        known: String,
    },
    /// A signed document that contradicts itself or what was asked for.
    #[error("{0}")]
    Document(String),
    /// A later manifest of a release that does more than add to the one before it.
    #[error("{0}")]
    Trespass(Trespass),
    /// A file that belongs to nothing.
    #[error("is not part of the release")]
    Unexpected,
}

//! Reading origins from the command line: which one, and whom to trust.

use crate::app::App;
use crate::exit::{Failure, FailureKind};
use crate::secrets::key_ring;
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vrel_model::{ChannelName, ChannelPolicy, KeyRole, RolePolicy, SigningPolicy, StageName};
use vrel_origin::{HttpLimits, HttpOrigin, LocalOrigin, OriginError, OriginReader, TrustRoot};
use vrel_trust::KeyRing;

/// Options of verbs that read a published origin.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrustOptions {
    /// The directory of trusted public keys, `ROLE.pub` each [default: signing/keys of the repository]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The product's id [default: that of the repository, else veridianos]
    #[arg(long, value_name = "ID")]
    product: Option<String>,
}

/// Whom to trust, and for which product.
pub(crate) struct Trust {
    ring: KeyRing,
    signing: SigningPolicy,
    channels: BTreeMap<ChannelName, ChannelPolicy>,
    /// The product's id.
    pub(crate) product: String,
}

impl Trust {
    /// As the origin's library takes it.
    pub(crate) fn root(&self) -> TrustRoot<'_> {
        TrustRoot {
            ring: &self.ring,
            signing: &self.signing,
            channels: &self.channels,
        }
    }
}

impl TrustOptions {
    /// Reads the public keys. Inside a repository its policies say which role signs what; anywhere else the roles are
    /// `release` and `pointer`, as they have always been published.
    ///
    /// # Errors
    /// When there are no keys, or a key file is malformed.
    pub(crate) fn trust(&self, app: &App) -> Result<Trust, Failure> {
        let repository = app.site();
        let (signing, channels, product) = match &repository {
            Ok((_, policies)) => {
                let product = policies.config.product.id.to_string();
                (policies.signing.clone(), policies.channels.clone(), product)
            }
            Err(_) => (published_policy(), published_channels(), "veridianos".to_owned()),
        };
        let dir = match (&self.keys, repository) {
            (Some(dir), _) => dir.clone(),
            (None, Ok((site, _))) => site.public_keys(),
            (None, Err(failure)) => {
                return Err(failure.hint("or name the directory of public keys with `--keys DIR`"));
            }
        };
        let ring = key_ring(app, &dir, &signing)?;
        Ok(Trust {
            ring,
            signing,
            channels,
            product: self.product.clone().unwrap_or(product),
        })
    }
}

fn role(name: &str) -> KeyRole {
    name.parse()
        .unwrap_or_else(|_| unreachable!("`{name}` is a role"))
}

fn published_policy() -> SigningPolicy {
    let policy = |purpose: &str| RolePolicy {
        purpose: purpose.to_owned(),
    };
    SigningPolicy {
        pointer_role: role("pointer"),
        roles: [
            (role("release"), policy("signs releases")),
            (role("pointer"), policy("signs the pointer")),
        ]
        .into(),
    }
}

fn published_channels() -> BTreeMap<ChannelName, ChannelPolicy> {
    let channel = |name: &str| {
        let policy = ChannelPolicy {
            tier_2_lag_days: 0,
            cadence_days: None,
            soak_days: None,
            description: name.to_owned(),
            from: Vec::new(),
            stages: vec![StageName::Nightly, StageName::Candidate, StageName::Final],
            key_role: role("release"),
            double_build: false,
            keep_last: None,
            keep_days: 0,
            stale_after_hours: None,
            support: None,
            gates: Vec::new(),
            approvals: 0,
            approvers: Vec::new(),
        };
        name.parse::<ChannelName>().ok().map(|name| (name, policy))
    };
    ["nightly", "beta", "stable", "lts"]
        .into_iter()
        .filter_map(channel)
        .collect()
}

/// Opens an origin: an `http://` or `https://` address, else a directory.
///
/// # Errors
/// When there is no origin.
pub(crate) fn open<'a>(app: &'a App, origin: &str) -> Result<Box<dyn OriginReader + 'a>, Failure> {
    if origin.starts_with("http://") || origin.starts_with("https://") {
        return Ok(Box::new(HttpOrigin::new(
            &app.world,
            origin,
            HttpLimits::default(),
        )?));
    }
    let dir = origin.strip_prefix("file://").unwrap_or(origin);
    Ok(Box::new(LocalOrigin::open(&app.world, Path::new(dir))?))
}

impl From<OriginError> for Failure {
    fn from(error: OriginError) -> Self {
        match error {
            OriginError::World(error) => error.into(),
            OriginError::Trust(error) => error.into(),
            error => Self::new(FailureKind::Environment, error.to_string()),
        }
    }
}

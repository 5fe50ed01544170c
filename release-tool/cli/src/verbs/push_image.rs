//! `vrel push-image`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::origins::{self, TrustOptions};
use crate::output;
use clap::Args;
use vrel_model::{ArtifactName, Packer, Version};
use vrel_origin::{
    Credentials, DownloadRequest, HttpLimits, Registry, RepositoryName, Tagged, download, fetch_manifest,
};
use vrel_process::plan_files;
use vrel_world::World;

/// Push the container image of a published release to a registry.
///
/// The image is taken from the origin, verified, and pushed by digest; then it is read back, and only then tagged with the
/// version. What the registry has already is not sent again, and a tag is never moved to another image. When the tag names
/// this very image already, there is nothing to do (exit code 10).
///
/// A password is read from the variable VREL_REGISTRY_PASSWORD, a token that the registry gave out from
/// VREL_REGISTRY_TOKEN.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  vrel push-image 0.6.0-rc1 --to ghcr.io/veridianos/veridianos --user release-bot\n  \
                        vrel push-image 0.6.0-rc1 --to http://127.0.0.1:5000/veridianos"
)]
pub(crate) struct PushImage {
    /// The release.
    version: Version,
    /// The repository, HOST[:PORT]/NAME; `http://` in front only for this machine.
    #[arg(long, value_name = "REPOSITORY")]
    to: RepositoryName,
    /// The user whose password VREL_REGISTRY_PASSWORD is.
    #[arg(long)]
    user: Option<String>,
    /// The origin, a directory or an address [default: that of vrel.toml]
    #[arg(long)]
    origin: Option<String>,
    #[command(flatten)]
    trust: TrustOptions,
}

impl PushImage {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        let credentials = self.credentials()?;
        let (site, policies) = app.site()?;
        let trust = self.trust.trust(app)?;
        let origin = match &self.origin {
            Some(origin) => origin.clone(),
            None => site.origin().display().to_string(),
        };
        let reader = origins::open(app, &origin)?;
        let not_genuine =
            |finding: vrel_origin::Finding| Failure::new(FailureKind::NotGenuine, finding.to_string());
        let manifest = fetch_manifest(reader.as_ref(), &trust.root(), &trust.product, &self.version);
        let manifest = manifest.map_err(not_genuine)?;
        let planned = plan_files(&policies, None, &self.version.to_string())?.artifacts;
        let is_image = |name: &ArtifactName| {
            let image = planned.iter().find(|artifact| artifact.packer == Packer::Oci);
            image.is_some_and(|image| image.name == *name)
        };
        let image = manifest
            .artifacts
            .iter()
            .find(|artifact| is_image(&artifact.name));
        let image = image.ok_or_else(|| {
            let message = format!("{} has no container image", self.version);
            Failure::new(FailureKind::Policy, message)
                .hint("`vrel artifacts list` says which channels carry one")
        })?;
        let dir = site.state().join("download").join(self.version.to_string());
        app.world.fs().create_dir_all(&dir)?;
        let archive = dir.join(image.name.as_str());
        let request = DownloadRequest {
            trust: trust.root(),
            product: &trust.product,
            version: &self.version,
            artifact: &image.name,
        };
        download(&app.world, reader.as_ref(), &request, &archive, &|_| {}).map_err(not_genuine)?;

        let name = self.to.to_string();
        let registry = Registry::new(&app.world, self.to, credentials, HttpLimits::default())?;
        output::say(&format!("pushing {} to {name}", image.name));
        let pushed = registry.push(&archive)?;
        let tagged = registry.tag(&self.version, pushed.index)?;
        if tagged == Tagged::Before {
            let message = format!("{name}:{} names this image already", self.version);
            return Err(Failure::new(FailureKind::NothingToDo, message));
        }
        if app.global.json {
            return output::print_json(&serde_json::json!({
                "repository": name, "tag": self.version, "index": format!("sha256:{}", pushed.index),
                "sent": pushed.sent, "known": pushed.known,
            }));
        }
        output::print(&format!(
            "{name}:{} is {name}@sha256:{}\n{} objects sent, {} were there\n",
            self.version, pushed.index, pushed.sent, pushed.known
        ))
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        let password = std::env::var("VREL_REGISTRY_PASSWORD").ok();
        let token = std::env::var("VREL_REGISTRY_TOKEN").ok();
        match (&self.user, password, token) {
            (None, _, Some(token)) => Ok(Credentials::Token(token)),
            (None, _, None) => Ok(Credentials::Anonymous),
            (Some(user), Some(password), _) => Ok(Credentials::Password {
                user: user.clone(),
                password,
            }),
            (Some(user), None, _) => {
                let message = format!("there is no password for the registry's user `{user}`");
                Err(Failure::new(FailureKind::Usage, message).hint("set VREL_REGISTRY_PASSWORD"))
            }
        }
    }
}

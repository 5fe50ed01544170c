//! What runs by itself, from the policy files.

use crate::{Finding, Policies};
use vrel_model::{ChannelPolicy, CiPlan, Rhythm};

/// What the files for cron, systemd and hosted CI say, or why nothing can be said.
///
/// # Errors
/// All breaches of the rules.
pub fn plan_ci(policies: &Policies) -> Result<CiPlan, Vec<Finding>> {
    let config = &policies.config;
    let name = &config.publish.nightly_channel;
    let channel = policies.channels.get(name);
    let mut findings = Vec::new();
    findings.extend(nightly_channel(policies));
    findings.extend(channel.and_then(|channel| cadence(name.as_str(), channel)));
    findings.extend(runner(policies));
    findings.extend(alarm_after_nightly(policies));
    let release_branches = match config.git.release_branch.expand(&[("line", "*")]) {
        Ok(pattern) => pattern,
        Err(error) => {
            findings.push(Finding::policy("release-branches", error.to_string()));
            String::new()
        }
    };
    if !findings.is_empty() {
        return Err(findings);
    }
    Ok(CiPlan {
        product: config.product.name.clone(),
        channel: name.to_string(),
        stale_after_hours: channel.and_then(|channel| channel.stale_after_hours),
        rhythm: match channel.and_then(|channel| channel.cadence_days) {
            Some(7) => Rhythm::Weekly,
            _ => Rhythm::Daily,
        },
        main: config.git.main.clone(),
        release_branches,
        repository: repository(policies),
        config: config.ci.clone(),
    })
}

fn nightly_channel(policies: &Policies) -> Option<Finding> {
    let name = &policies.config.publish.nightly_channel;
    let message = format!("vrel.toml: `publish.nightly-channel` is `{name}`, but there is no such channel");
    let missing = !policies.channels.contains_key(name);
    missing.then(|| Finding::policy("nightly-channel", message).hint(format!("write channels/{name}.toml")))
}

/// Cron knows days of the week and of the month, so it cannot be told "every five days".
fn cadence(name: &str, channel: &ChannelPolicy) -> Option<Finding> {
    let days = channel.cadence_days.unwrap_or(1);
    let message = format!("channels/{name}.toml: `cadence-days` is {days}, which cron cannot be told");
    (days != 1 && days != 7)
        .then(|| Finding::policy("nightly-cadence", message).hint("1 is every day, 7 every Monday"))
}

fn runner(policies: &Policies) -> Option<Finding> {
    let none = policies.config.ci.runner.is_empty();
    none.then(|| {
        Finding::policy(
            "ci-runner",
            "vrel.toml: `ci.runner` is empty, so no machine would test a change",
        )
        .hint("give at least one label, for example `runner = [\"ubuntu-24.04\"]`")
    })
}

/// At the same minute the alarm would look at the channel while its nightly is being made, and tell of yesterday's.
fn alarm_after_nightly(policies: &Policies) -> Option<Finding> {
    let ci = &policies.config.ci;
    (ci.alarm_at == ci.nightly_at).then(|| {
        Finding::policy(
            "ci-alarm",
            format!(
                "vrel.toml: `ci.alarm-at` is `{}`, and so is `ci.nightly-at`",
                ci.alarm_at
            ),
        )
        .hint("let the alarm look some hours later, when a nightly is done or has failed")
    })
}

fn repository(policies: &Policies) -> Option<String> {
    if let Some(forge) = &policies.config.forge {
        return Some(forge.repository.to_string());
    }
    let url = policies.config.git.public_url.as_deref()?;
    let path = url.strip_prefix("https://github.com/")?.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let slug: vrel_model::RepositorySlug = path.parse().ok()?;
    Some(slug.to_string())
}

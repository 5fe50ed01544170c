//! Approvals of plans and promotions.

use super::{decide, facts, paths};
use crate::records::{Changed, Records};
use crate::{EngineError, Site};
use std::path::Path;
use toml_edit::DocumentMut;
use vrel_model::{ChannelName, SignedStatement, toml_file};
use vrel_process::Policies;
use vrel_world::{FileEdit, World};

/// Records an approval in the place of what the same person approved before, unless it is the same; `promoted_to` is the channel
/// where it is of a promotion.
///
/// # Errors
/// When its signature does not count, or the records cannot be changed.
pub fn record_approval(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    signed: &SignedStatement,
    promoted_to: Option<&ChannelName>,
) -> Result<Changed, EngineError> {
    let statement = &signed.statement;
    if let Some(problem) = facts::checked(policies, signed.clone()).problem {
        return Err(EngineError::Refused {
            message: problem,
            hint: None,
        });
    }
    let dir = paths::approvals(&statement.version, promoted_to);
    let path = paths::approval(&dir, &statement.person);
    let digest = statement
        .plan_sha256
        .as_ref()
        .map_or_else(String::new, ToString::to_string);
    let message = format!(
        "approve {}{} by {}\n\nCommit: {}\nPlan-SHA256: {digest}\n",
        statement.version,
        promoted_to.map_or_else(String::new, |channel| format!(" for {channel}")),
        statement.person,
        statement.commit
    );
    Records::new(world, site, &policies.config).change(&message, &mut |view| {
        if let Some(text) = view.read_text(&path)?
            // What cannot be read is no approval, and is replaced.
            && let Ok(there) = toml_file::parse::<SignedStatement>(Path::new(&path), &text)
            && there.statement.agrees_with(statement)
            && facts::checked(policies, there).problem.is_none()
        {
            return Ok(Vec::new());
        }
        let mut document = DocumentMut::new();
        for (key, item) in &decide::table(signed) {
            document.insert(key, item.clone());
        }
        Ok(vec![FileEdit::Write {
            path: path.clone(),
            content: document.to_string().into_bytes(),
        }])
    })
}

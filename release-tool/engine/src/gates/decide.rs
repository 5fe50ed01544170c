//! Sign-offs and waivers.

use super::{facts, paths};
use crate::records::{Changed, Records, RecordsView};
use crate::{EngineError, Site};
use std::path::Path;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};
use vrel_model::{
    Config, Day, GateId, PersonId, PersonalStatement, SignedStatement, SignedStatements, StatementKind,
    UtcTime, toml_file,
};
use vrel_process::{GateSubject, Policies};
use vrel_world::{FileEdit, World};

/// Who is at work: the person that was named, or the one whose address git commits with.
///
/// # Errors
/// When there is no such person; with those that there are.
pub fn find_person(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    named: Option<&PersonId>,
) -> Result<PersonId, EngineError> {
    let known = || {
        let names: Vec<_> = policies.people.keys().map(PersonId::as_str).collect();
        if names.is_empty() {
            "nobody has a file in signing/people yet: `vrel keys person NAME --role ROLE` makes one"
                .to_owned()
        } else {
            format!("name one of them with `--person`: {}", names.join(", "))
        }
    };
    let refused = |message: String, hint: String| EngineError::Refused {
        message,
        hint: Some(hint),
    };
    if let Some(named) = named {
        if policies.people.contains_key(named) {
            return Ok(named.clone());
        }
        let close = toml_file::closest(named.as_str(), policies.people.keys().map(PersonId::as_str));
        let hint = close.map_or_else(known, |close| format!("did you mean `{close}`?"));
        return Err(refused(format!("there is no signing/people/{named}.toml"), hint));
    }
    let committer = world.git().committer(site.root())?;
    let address = committer
        .split_once('<')
        .and_then(|(_, rest)| rest.strip_suffix('>'));
    let mut found = policies
        .people
        .iter()
        .filter(|(_, person)| address == Some(person.email.as_str()));
    match (found.next(), found.next()) {
        (Some((person, _)), None) => Ok(person.clone()),
        (None, _) => Err(refused(
            format!("nobody in signing/people has the address of {committer}"),
            known(),
        )),
        (Some((one, _)), Some((other, _))) => Err(refused(
            format!("{one} and {other} both have the address of {committer}"),
            known(),
        )),
    }
}

/// What a person would sign about a gate.
#[must_use]
pub fn statement(
    config: &Config,
    subject: &GateSubject,
    what: StatementKind,
    gate: &GateId,
    person: &PersonId,
    (reason, until): (&str, Option<Day>),
    at: UtcTime,
) -> PersonalStatement {
    PersonalStatement {
        what,
        product: config.product.id.to_string(),
        version: subject.version.clone(),
        commit: subject.commit.clone(),
        gate: Some(gate.clone()),
        plan_sha256: None,
        person: person.clone(),
        at,
        reason: Some(reason.to_owned()),
        until,
    }
}

/// Records a signed decision about a gate, unless the same person decided the same already.
///
/// # Errors
/// When its signature does not count, or the records cannot be changed.
pub fn record_statement(
    world: &dyn World,
    site: &Site,
    policies: &Policies,
    signed: &SignedStatement,
) -> Result<Changed, EngineError> {
    let statement = &signed.statement;
    if let Some(problem) = facts::checked(policies, signed.clone()).problem {
        return Err(EngineError::Refused {
            message: problem,
            hint: None,
        });
    }
    let path = paths::decisions(&statement.version);
    let gate = statement.gate.as_ref().map_or("", GateId::as_str);
    let message = format!(
        "{}: {gate} of {} by {}\n\n{}\n\nCommit: {}\n",
        statement.what,
        statement.version,
        statement.person,
        statement.reason.as_deref().unwrap_or_default(),
        statement.commit
    );
    Records::new(world, site, &policies.config).change(&message, &mut |view| {
        let (text, file) = read(view, &path)?;
        let same = |there: &SignedStatement| {
            there.statement.agrees_with(statement)
                && facts::checked(policies, there.clone()).problem.is_none()
        };
        if file.is_some_and(|file| file.decisions.iter().any(same)) {
            return Ok(Vec::new());
        }
        Ok(vec![FileEdit::Write {
            path: path.clone(),
            content: appended(&path, &text, signed)?.into_bytes(),
        }])
    })
}

fn read(view: &RecordsView<'_>, path: &str) -> Result<(String, Option<SignedStatements>), EngineError> {
    let Some(text) = view.read_text(path)? else {
        return Ok((String::new(), None));
    };
    let file = toml_file::parse(Path::new(path), &text)?;
    Ok((text, Some(file)))
}

/// The file's text with one more decision; what is there stays as it is.
fn appended(path: &str, text: &str, signed: &SignedStatement) -> Result<String, EngineError> {
    let wrong = |reason: String| EngineError::Policy {
        path: path.into(),
        reason,
    };
    let mut document: DocumentMut = text.parse().map_err(|error| wrong(format!("{error}")))?;
    if !document.contains_key("schema") {
        document.insert("schema", value(1));
    }
    let decisions = document
        .entry("decision")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or_else(|| wrong("`decision` is not written as [[decision]]".to_owned()))?;
    decisions.push(table(signed));
    Ok(document.to_string())
}

/// A signed statement as the records have it.
pub(super) fn table(signed: &SignedStatement) -> Table {
    let statement = &signed.statement;
    let mut fields = Table::new();
    fields.insert("what", value(statement.what.to_string()));
    fields.insert("product", value(&statement.product));
    fields.insert("version", value(statement.version.to_string()));
    fields.insert("commit", value(&statement.commit));
    if let Some(gate) = &statement.gate {
        fields.insert("gate", value(gate.as_str()));
    }
    if let Some(digest) = &statement.plan_sha256 {
        fields.insert("plan-sha256", value(digest.to_string()));
    }
    fields.insert("person", value(statement.person.as_str()));
    fields.insert("at", value(statement.at.to_string()));
    if let Some(reason) = &statement.reason {
        fields.insert("reason", value(reason));
    }
    if let Some(until) = statement.until {
        fields.insert("until", value(until.to_string()));
    }
    let mut table = Table::new();
    table.insert("signature", value(&signed.signature));
    table.insert("statement", Item::Table(fields));
    table
}

//! Where the command line gets secret keys and their passwords from.

use crate::app::{App, default_key_dir};
use crate::exit::{Failure, FailureKind};
use clap::Args;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use vrel_model::{KeyRole, PersonId};
use vrel_process::{KeyFact, Policies};
use vrel_trust::{KeyRing, Password, Scrypt, SecretKey, TrustError, inspect_secret_key};
use vrel_world::World;

/// The variable that holds the password of secret keys.
pub(crate) const PASSWORD_VARIABLE: &str = "VREL_KEY_PASSWORD";

/// Options of verbs that use secret keys.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyOptions {
    /// Where secret keys lie, one `ROLE.key` per role [default: ~/.config/veridian/keys]
    #[arg(long, env = "VREL_KEY_DIR", value_name = "DIR")]
    key_dir: Option<PathBuf>,
    /// A file whose first line is the password of the secret keys; else the variable `VREL_KEY_PASSWORD` is used, else
    /// the password is asked for on the terminal.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl KeyOptions {
    /// The directory of secret keys.
    ///
    /// # Errors
    /// When none is given and there is no home directory.
    pub(crate) fn dir(&self) -> Result<PathBuf, Failure> {
        self.key_dir.clone().or_else(default_key_dir).ok_or_else(|| {
            Failure::new(FailureKind::Usage, "there is no home directory to keep keys in")
                .hint("pass `--key-dir DIR`")
        })
    }

    /// The file of a role's secret key.
    ///
    /// # Errors
    /// As [`KeyOptions::dir`].
    pub(crate) fn file(&self, role: &KeyRole) -> Result<PathBuf, Failure> {
        Ok(self.dir()?.join(format!("{role}.key")))
    }

    /// The password, from the file or the environment; `None` when neither is given.
    ///
    /// # Errors
    /// When the file cannot be read or is empty.
    pub(crate) fn given_password(&self) -> Result<Option<Password>, Failure> {
        let Some(path) = &self.password_file else {
            return Ok(std::env::var(PASSWORD_VARIABLE)
                .ok()
                .filter(|text| !text.is_empty())
                .map(Password::new));
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::from(vrel_world::WorldError::io("read", path, &error)))?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Some(Password::new(line.to_owned()))),
            _ => Err(Failure::new(
                FailureKind::Usage,
                format!("the password file {} is empty", path.display()),
            )),
        }
    }

    /// Loads a role's secret key, and makes sure that its signatures will be accepted. Asks for a password only where
    /// somebody is there to answer.
    ///
    /// # Errors
    /// When the key is missing, open to others, encrypted without a password, or not one of the role's.
    pub(crate) fn load(&self, app: &App, role: &KeyRole, ring: &KeyRing) -> Result<SecretKey, Failure> {
        let key = self.open(app, role)?;
        ring.require(role, &key).map_err(|error| failure(&error, role))?;
        Ok(key)
    }

    /// Loads a person's secret key, and makes sure that it is the one of their file in signing/people.
    ///
    /// # Errors
    /// When the key is missing, open to others, encrypted without a password, or another one than the person's.
    pub(crate) fn load_person(
        &self,
        app: &App,
        policies: &Policies,
        person: &PersonId,
    ) -> Result<SecretKey, Failure> {
        let role = person_role(person)?;
        let key = self.open(app, &role)?;
        let signatory = policies.people.get(person).ok_or_else(|| {
            let message = format!("there is no signing/people/{person}.toml");
            Failure::new(FailureKind::Policy, message).hint("`vrel keys person` makes one")
        })?;
        let public = vrel_trust::person_key(person, signatory)?;
        if key.public_key() == public {
            return Ok(key);
        }
        let message = format!(
            "{} is key {}, but signing/people/{person}.toml has key {}",
            self.file(&role)?.display(),
            key.id(),
            public.id()
        );
        Err(Failure::new(FailureKind::Environment, message)
            .hint("name the directory of the right key with `--key-dir`, or have the file changed"))
    }

    /// Reads a secret key, whoever trusts it.
    fn open(&self, app: &App, role: &KeyRole) -> Result<SecretKey, Failure> {
        let path = self.file(role)?;
        let info =
            inspect_secret_key(&app.world, &path, Scrypt::STRONG).map_err(|error| failure(&error, role))?;
        let mut password = if info.scrypt.is_some() {
            self.given_password()?
        } else {
            None
        };
        if info.scrypt.is_some() && password.is_none() && std::io::stdin().is_terminal() {
            password = Some(Password::new(prompt(&format!(
                "Password of the key {}: ",
                path.display()
            ))?));
        }
        SecretKey::load(&app.world, &path, password.as_ref(), Scrypt::STRONG)
            .map_err(|error| failure(&error, role))
    }

    /// What can be said of a role's key without its password: for the preflight, which shows every problem at once.
    ///
    /// # Errors
    /// As [`KeyOptions::dir`].
    pub(crate) fn look(&self, app: &App, role: &KeyRole) -> Result<KeyFact, Failure> {
        let path = self.file(role)?;
        let fact = |problem: Option<String>, hint| KeyFact {
            role: role.clone(),
            problem,
            hint,
        };
        Ok(match inspect_secret_key(&app.world, &path, Scrypt::STRONG) {
            Err(error) => fact(Some(error.to_string()), hint_of(&error, role)),
            Ok(info) if info.scrypt.is_some() && !std::io::stdin().is_terminal() => {
                let missing = self.given_password()?.is_none();
                let hint = format!("pass `--password-file FILE` or set {PASSWORD_VARIABLE}");
                let problem = format!("{} is encrypted and no password was given", path.display());
                if missing {
                    fact(Some(problem), Some(hint))
                } else {
                    fact(None, None)
                }
            }
            Ok(_) => fact(None, None),
        })
    }
}

/// The name of a person's key among those of roles: `person-NAME`.
///
/// # Errors
/// When the name is too long.
pub(crate) fn person_role(person: &PersonId) -> Result<KeyRole, Failure> {
    format!("person-{person}").parse().map_err(|_| {
        let message = format!("`{person}` is too long for the name of a key");
        Failure::new(FailureKind::Usage, message).hint("a person's name has at most 25 characters")
    })
}

fn hint_of(error: &TrustError, role: &KeyRole) -> Option<String> {
    match error {
        TrustError::KeyFile {
            problem: vrel_trust::KeyFileProblem::Missing,
            ..
        } => Some(format!(
            "make one with {}, or name another directory with `--key-dir`",
            match role.as_str().strip_prefix("person-") {
                Some(person) => format!("`vrel keys person {person}`"),
                None => format!("`vrel keys generate {role}`"),
            }
        )),
        TrustError::KeyFile {
            problem: vrel_trust::KeyFileProblem::NeedsPassword,
            ..
        } => Some(format!("pass `--password-file FILE` or set {PASSWORD_VARIABLE}")),
        other => other.hint(),
    }
}

fn failure(error: &TrustError, role: &KeyRole) -> Failure {
    let failure = Failure::new(
        FailureKind::Environment,
        format!("key of the role `{role}`: {error}"),
    );
    match hint_of(error, role) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A trust error outside the loading of keys.
impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        if let TrustError::World(inner) = error {
            return inner.into();
        }
        let failure = Self::new(FailureKind::Environment, error.to_string());
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Asks for a password on the terminal.
///
/// # Errors
/// When the terminal cannot be read.
pub(crate) fn prompt(question: &str) -> Result<String, Failure> {
    rpassword::prompt_password(question).map_err(|error| {
        Failure::new(
            FailureKind::Environment,
            format!("cannot read the password: {error}"),
        )
    })
}

/// The trusted public keys of the repository.
///
/// # Errors
/// When a key file is malformed or of no role.
pub(crate) fn key_ring(
    app: &App,
    dir: &Path,
    policy: &vrel_model::SigningPolicy,
) -> Result<KeyRing, Failure> {
    Ok(KeyRing::load(&app.world as &dyn World, dir, policy)?)
}

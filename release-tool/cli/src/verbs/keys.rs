//! `vrel keys`.

use crate::app::App;
use crate::exit::{Failure, FailureKind, Outcome};
use crate::output;
use crate::secrets::{KeyOptions, key_ring, person_role, prompt};
use clap::{Args, Subcommand};
use std::io::IsTerminal;
use std::path::{Component, Path, PathBuf};
use vrel_engine::Site;
use vrel_model::{KeyRole, Person, PersonId, PersonRole, toml_file::closest};
use vrel_trust::{GeneratedKey, NewKey, Password, Protection, Scrypt, generate, inspect_secret_key};
use vrel_world::World;

/// Make and list signing keys.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a minisign key for a role of signing/policy.toml.
    ///
    /// The secret key goes into the key directory, outside the repository; the public key goes to
    /// signing/keys/ROLE.pub, to be committed. The password comes from a file, from VREL_KEY_PASSWORD or from the
    /// terminal. Both files are in minisign's format.
    #[command(after_help = "Examples:\n  vrel keys generate release\n  \
                            vrel keys generate pointer --password-file pointer.pass\n  \
                            vrel keys generate release --no-password --key-dir throwaway   # tests only")]
    Generate {
        /// The role, for example release or pointer.
        role: KeyRole,
        /// Do not encrypt the secret key: whoever can read the file can sign.
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
        #[command(flatten)]
        keys: KeyOptions,
    },
    /// Make a minisign key for a person who signs off, waives and approves, and their file in signing/people.
    ///
    /// The secret key goes into the key directory as person-NAME.key; signing/people/NAME.toml has the public key and is to
    /// be committed: by it the project agrees to what the person may decide. The key can be made by `minisign -G` as well.
    #[command(after_help = "Examples:\n  vrel keys person ada --role maintainer\n  \
                            vrel keys person ada --role maintainer --role release-manager --email ada@example.org --name 'Ada Lovelace'")]
    Person {
        /// The person's short name.
        person: PersonId,
        /// What the person may decide. Can be given several times.
        #[arg(long, required = true, value_name = "ROLE")]
        role: Vec<PersonRole>,
        /// The full name [default: git's user.name]
        #[arg(long)]
        name: Option<String>,
        /// The address, by which the tool knows who is at work [default: git's user.email]
        #[arg(long)]
        email: Option<String>,
        /// Do not encrypt the secret key: whoever can read the file can sign.
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
        #[command(flatten)]
        keys: KeyOptions,
    },
    /// List the roles, their public keys, and which secret keys are on this machine.
    #[command(after_help = "Examples:\n  vrel keys list\n  vrel keys list --json")]
    List {
        #[command(flatten)]
        keys: KeyOptions,
    },
}

impl Keys {
    /// Runs the verb.
    pub(crate) fn run(self, app: &App) -> Outcome {
        match self.command {
            Command::Generate {
                role,
                no_password,
                keys,
            } => make(app, &role, no_password, &keys),
            Command::Person {
                person,
                role,
                name,
                email,
                no_password,
                keys,
            } => {
                let asked = NewPerson {
                    person,
                    roles: role,
                    name,
                    email,
                };
                asked.make(app, no_password, &keys)
            }
            Command::List { keys } => list(app, &keys),
        }
    }
}

fn make(app: &App, role: &KeyRole, no_password: bool, keys: &KeyOptions) -> Outcome {
    let (site, policies) = app.site()?;
    if !policies.signing.roles.contains_key(role) {
        let known: Vec<_> = policies.signing.roles.keys().map(KeyRole::as_str).collect();
        let message = format!(
            "signing/policy.toml has no role `{role}`; it has {}",
            known.join(", ")
        );
        let failure = Failure::new(FailureKind::Policy, message);
        return Err(match closest(role.as_str(), known.iter().copied()) {
            Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
            None => failure,
        });
    }
    let secret_file = keys.file(role)?;
    outside(&site, &secret_file)?;
    let public_file = site.public_keys().join(format!("{role}.pub"));
    for file in [&secret_file, &public_file] {
        if app.world.fs().metadata(file)?.is_some() {
            return Err(exists(file).hint(
                "move the old key away first, and keep its public file as `ROLE-old.pub` while it is trusted",
            ));
        }
    }
    let made = write_pair(app, role, (&secret_file, &public_file), no_password, keys)?;
    if app.global.json {
        return output::print_json(&serde_json::json!({
            "role": role, "keyid": made.public.id(), "public": public_file, "secret": secret_file,
            "encrypted": made.scrypt.is_some(),
        }));
    }
    output::print(&format!(
        "Key {} for the role {role}\n  secret  {}\n  public  {}\nCommit the public file, and keep a copy of the secret \
         one in a safe place.\n",
        made.public.id(),
        secret_file.display(),
        public_file.display()
    ))
}

fn exists(file: &Path) -> Failure {
    let message = format!("{} is there already; keys are never overwritten", file.display());
    Failure::new(FailureKind::Policy, message)
}

/// A secret key never lies where it could be committed.
fn outside(site: &Site, secret_file: &Path) -> Outcome {
    let (place, root) = (resolved(secret_file)?, resolved(site.root())?);
    let state = root.join(site.state().strip_prefix(site.root()).unwrap_or(&site.state()));
    if place.starts_with(&root) && !place.starts_with(&state) {
        let message = format!("{} is inside the repository", secret_file.display());
        return Err(Failure::new(FailureKind::Usage, message)
            .hint("a secret key never lies where it could be committed"));
    }
    Ok(())
}

/// Makes a key pair and writes both files.
fn write_pair(
    app: &App,
    role: &KeyRole,
    (secret_file, public_file): (&Path, &Path),
    no_password: bool,
    keys: &KeyOptions,
) -> Result<GeneratedKey, Failure> {
    let password = if no_password {
        None
    } else {
        Some(new_password(keys)?)
    };
    let protection = match &password {
        Some(password) => Protection::Password {
            password,
            scrypt: Scrypt::STRONG,
        },
        None => Protection::FileModeOnly,
    };
    for file in [secret_file, public_file] {
        if let Some(dir) = file.parent() {
            app.world.fs().create_dir_all(dir)?;
        }
    }
    let new = NewKey {
        role,
        secret_file,
        public_file,
        protection,
    };
    Ok(generate(&app.world, &new)?)
}

/// A person who gets a key.
struct NewPerson {
    person: PersonId,
    roles: Vec<PersonRole>,
    name: Option<String>,
    email: Option<String>,
}

impl NewPerson {
    fn make(self, app: &App, no_password: bool, keys: &KeyOptions) -> Outcome {
        let (site, _) = app.site()?;
        let (name, email) = self.called(app, &site)?;
        let role = person_role(&self.person)?;
        let secret_file = keys.file(&role)?;
        outside(&site, &secret_file)?;
        // The public file lies beside the secret one; what is committed is the person's file.
        let public_file = secret_file.with_extension("pub");
        let person_file = site
            .root()
            .join("signing/people")
            .join(format!("{}.toml", self.person));
        for file in [&secret_file, &public_file, &person_file] {
            if app.world.fs().metadata(file)?.is_some() {
                return Err(exists(file).hint("move the old one away first, or choose another name"));
            }
        }
        let made = write_pair(app, &role, (&secret_file, &public_file), no_password, keys)?;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let roles: Vec<_> = self.roles.iter().map(|role| quoted(role.as_str())).collect();
        let text = format!(
            "name = {}\nemail = {}\nkey = {}\nroles = [{}]\n",
            quoted(&name),
            quoted(&email),
            quoted(&made.public.to_base64()),
            roles.join(", ")
        );
        if let Some(dir) = person_file.parent() {
            app.world.fs().create_dir_all(dir)?;
        }
        app.world.fs().create_new(&person_file, text.as_bytes())?;
        if app.global.json {
            return output::print_json(&serde_json::json!({
                "person": self.person, "keyid": made.public.id(), "file": person_file, "secret": secret_file,
                "encrypted": made.scrypt.is_some(),
            }));
        }
        output::print(&format!(
            "Key {} of {}\n  secret  {}\n  file    {}\nCommit the file, and keep a copy of the secret key in a safe place.\n",
            made.public.id(),
            self.person,
            secret_file.display(),
            person_file.display()
        ))
    }

    /// Name and address: as given, else as git has them.
    fn called(&self, app: &App, site: &Site) -> Result<(String, String), Failure> {
        let given = match (&self.name, &self.email) {
            (Some(name), Some(email)) => format!("{name} <{email}>"),
            (name, email) => {
                let committer: Person = app
                    .world
                    .git()
                    .committer(site.root())?
                    .parse()
                    .map_err(wrong_person)?;
                let text = committer.to_string();
                let address = text
                    .rsplit_once('<')
                    .map_or("", |(_, rest)| rest.trim_end_matches('>'));
                let name = name.as_deref().unwrap_or(committer.name());
                format!("{name} <{}>", email.as_deref().unwrap_or(address))
            }
        };
        let person: Person = given.parse().map_err(wrong_person)?;
        let text = person.to_string();
        let address = text
            .rsplit_once('<')
            .map_or("", |(_, rest)| rest.trim_end_matches('>'));
        Ok((person.name().to_owned(), address.to_owned()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn wrong_person(error: vrel_model::PersonError) -> Failure {
    Failure::new(FailureKind::Usage, error.to_string()).hint("pass `--name` and `--email`")
}

/// Where a path leads, of which the end need not exist: absolute, without `..` and symbolic links.
fn resolved(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: &std::io::Error| Failure::from(vrel_world::WorldError::io("look at", path, error));
    let mut place = PathBuf::new();
    for part in std::path::absolute(path)
        .map_err(|error| failed(&error))?
        .components()
    {
        if part == Component::ParentDir {
            place.pop();
            continue;
        }
        place.push(part);
        match place.canonicalize() {
            Ok(real) => place = real,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    Ok(place)
}

fn new_password(keys: &KeyOptions) -> Result<Password, Failure> {
    if let Some(password) = keys.given_password()? {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        let message = "a key needs a password, and there is no terminal to ask for one";
        return Err(Failure::new(FailureKind::Usage, message)
            .hint("pass `--password-file FILE`, set VREL_KEY_PASSWORD, or say `--no-password`"));
    }
    let password = prompt("Password of the new key: ")?;
    if prompt("The same again: ")? == password {
        Ok(Password::new(password))
    } else {
        Err(Failure::new(
            FailureKind::Usage,
            "the two passwords differ; no key was made",
        ))
    }
}

fn list(app: &App, keys: &KeyOptions) -> Outcome {
    let (site, policies) = app.site()?;
    let ring = key_ring(app, &site.public_keys(), &policies.signing)?;
    let mut rows = Vec::new();
    let mut data = Vec::new();
    for (role, policy) in &policies.signing.roles {
        let secret_file = keys.file(role)?;
        let secret = match inspect_secret_key(&app.world, &secret_file, Scrypt::STRONG) {
            Ok(info) if info.scrypt.is_some() => "here, encrypted".to_owned(),
            Ok(_) => "here, not encrypted".to_owned(),
            Err(vrel_trust::TrustError::KeyFile {
                problem: vrel_trust::KeyFileProblem::Missing,
                ..
            }) => "not here".to_owned(),
            Err(error) => error.to_string(),
        };
        let ids: Vec<_> = ring.keys(role).iter().map(vrel_trust::PublicKey::id).collect();
        let shown = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let shown = if shown.is_empty() {
            "none: `vrel keys generate`".to_owned()
        } else {
            shown
        };
        rows.push(vec![
            role.to_string(),
            shown,
            secret.clone(),
            policy.purpose.clone(),
        ]);
        data.push(serde_json::json!({
            "role": role, "purpose": policy.purpose, "public_keys": ids, "secret": secret, "secret_file": secret_file,
        }));
    }
    if app.global.json {
        return output::print_json(&data);
    }
    let head = ["role", "public keys", "secret key", "purpose"]
        .map(str::to_owned)
        .to_vec();
    output::print(&output::table(
        &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
        &[],
    ))
}

//! `parlor user`: manages accounts, also while the server runs. Prints the core's outcome and has no rules of its own.

mod list;
mod password;

use std::path::Path;

use clap::{Subcommand, ValueEnum};

use super::{Failure, logging, print};
use crate::chat::offline_accounts::{self, ManageError};
use crate::config::Config;
use crate::model::{Email, Role, ShownName, Username};
use crate::store::{NewUser, OpenOptions, Store, StoreError};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Migrate an older database first, after making a backup
    #[arg(long, global = true)]
    migrate: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create an account
    Add(Add),
    /// List all accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set an account's password and end its sessions
    Passwd {
        /// User name or e-mail
        name: String,
        #[command(flatten)]
        source: password::Source,
    },
    /// Set an account's role
    Role {
        /// User name or e-mail
        name: String,
        role: AccountRole,
    },
    /// Delete an account; its messages stay and its name cannot be used again
    Remove {
        /// User name or e-mail
        name: String,
    },
}

#[derive(clap::Args, Debug)]
struct Add {
    /// The unique name
    #[arg(value_parser = Username::parse)]
    name: Username,
    /// The unique e-mail address, which also works at log-in
    #[arg(long, value_parser = Email::parse)]
    email: Option<Email>,
    #[arg(long, default_value = "user")]
    role: AccountRole,
    /// The name to show [default: NAME]
    #[arg(long, value_name = "NAME", value_parser = ShownName::of_person)]
    display_name: Option<ShownName>,
    #[command(flatten)]
    source: password::Source,
}

/// Roles that an operator can assign. Guests create their own accounts.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AccountRole {
    /// Manages people and rooms
    Admin,
    /// An ordinary account
    User,
}

impl From<AccountRole> for Role {
    fn from(role: AccountRole) -> Self {
        match role {
            AccountRole::Admin => Self::Admin,
            AccountRole::User => Self::User,
        }
    }
}

pub(super) fn run(args: Args, config: &Config) -> Result<(), Failure> {
    if args.migrate {
        // Migrations report their progress in the log.
        let _ = logging::start(&config.log);
    }
    let file = File {
        config,
        migrate: args.migrate,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start, runtime: {error}")))?;
    runtime.block_on(obey(args.command, &file))
}

/// The database, and whether it may be migrated.
struct File<'a> {
    config: &'a Config,
    migrate: bool,
}

async fn obey(command: Command, file: &File<'_>) -> Result<(), Failure> {
    match command {
        Command::Add(args) => add(args, file).await,
        Command::List { json } => list(json, file).await,
        Command::Passwd { name, source } => passwd(&name, &source, file).await,
        Command::Role { name, role } => set_role(&name, role.into(), file).await,
        Command::Remove { name } => remove(&name, file).await,
    }
}

async fn add(args: Add, file: &File<'_>) -> Result<(), Failure> {
    let not = format!("no account was made for {}", args.name.as_str());
    let hash = args.source.hash(args.name.as_str(), &not, file.config)?;
    let new = NewUser {
        password_hash: Some(hash),
        role: args.role.into(),
        ..NewUser::named(args.name, args.email, args.display_name)
    };
    let work = async |store: &Store| {
        Ok((
            offline_accounts::add(store, new).await?,
            store.path().to_owned(),
        ))
    };
    let (user, db) = on_file(file, &not, work).await?;
    let (name, role) = (&user.person.username, user.role().as_str());
    print(&format!("made the {role} {name} in {}\n", db.display()))
}

async fn list(json: bool, file: &File<'_>) -> Result<(), Failure> {
    let not = "no accounts can be shown";
    must_be_there(file.config, not)?;
    let all = on_file(file, not, offline_accounts::list).await?;
    print(&if json {
        list::json(&all)
    } else {
        list::table(&all)
    })
}

async fn passwd(login: &str, source: &password::Source, file: &File<'_>) -> Result<(), Failure> {
    let not = format!("the password of {login} was not changed");
    must_be_there(file.config, &not)?;
    let hash = source.hash(login, &not, file.config)?;
    let work = async |store: &Store| offline_accounts::change_password(store, login, hash).await;
    let user = on_file(file, &not, work).await?;
    print(&format!(
        "{} has another password and is logged out everywhere\n",
        user.person.username
    ))
}

async fn set_role(login: &str, role: Role, file: &File<'_>) -> Result<(), Failure> {
    let not = format!("the role of {login} was not changed");
    must_be_there(file.config, &not)?;
    let work = async |store: &Store| offline_accounts::set_role(store, login, role).await;
    let user = on_file(file, &not, work).await?;
    let (name, role) = (&user.person.username, user.role().as_str());
    print(&format!("{name} has the role {role} now\n"))
}

async fn remove(login: &str, file: &File<'_>) -> Result<(), Failure> {
    let not = format!("the account of {login} was not removed");
    must_be_there(file.config, &not)?;
    let work = async |store: &Store| offline_accounts::remove(store, login).await;
    let user = on_file(file, &not, work).await?;
    print(&format!("the account {} has ended\n", user.person.username))
}

/// Checks that the database exists. Only `user add` may create a new file; for other commands a missing one is a wrong
/// path.
fn must_be_there(config: &Config, not: &str) -> Result<(), Failure> {
    let db = &config.server.db;
    match db.try_exists() {
        Ok(false) => Err(Failure::failed(format!(
            "{not}, there is no {}: name the database with --db",
            db.display()
        ))),
        // Opening the file reports any other error.
        _ => Ok(()),
    }
}

/// Opens the database for one operation and closes it afterwards, even if that failed.
async fn on_file<T>(
    file: &File<'_>,
    not: &str,
    work: impl AsyncFnOnce(&Store) -> Result<T, ManageError>,
) -> Result<T, Failure> {
    let refused = |error| refused(not, &error);
    let store =
        open(&file.config.server.db, file.migrate).map_err(|error| refused(error.into()))?;
    let done = work(&store).await;
    store.close().await;
    done.map_err(refused)
}

/// Opens the database as its only process, or alongside the server that has locked it.
fn open(db: &Path, migrate: bool) -> Result<Store, StoreError> {
    let owned = OpenOptions {
        keep_version: !migrate,
        ..OpenOptions::default()
    };
    let beside = OpenOptions {
        beside_server: true,
        ..OpenOptions::default()
    };
    match Store::open(db, &owned) {
        Err(StoreError::Locked { .. }) => Store::open(db, &beside),
        opened => opened,
    }
}

fn refused(not: &str, error: &ManageError) -> Failure {
    let mend = match error {
        ManageError::NoAccount(_) => ": parlor user list shows all",
        ManageError::LastAdmin(_) => ": make somebody else an admin first",
        ManageError::Guest(_) => ": give them a role first, with parlor user role",
        ManageError::Store(StoreError::Conflict("username")) => {
            ": choose another; look-alikes count, and who was removed keeps theirs"
        }
        ManageError::Store(StoreError::Conflict(_)) => ": choose another",
        ManageError::Store(StoreError::Busy | StoreError::Timeout) => ": try again",
        ManageError::Store(_) | ManageError::Hash(_) => "",
    };
    Failure::failed(format!("{not}, {error}{mend}"))
}

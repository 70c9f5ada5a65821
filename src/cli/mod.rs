//! The command line, one file per subcommand. Turns flags into calls, and errors into lines and an exit code.
//! Independent of HTTP.

mod backup;
mod banner;
mod config;
mod failure;
mod interrupt;
mod logging;
mod repeats;
mod restore;
mod serve;
mod signals;
mod user;
mod version;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Flags, Loaded, load};
use failure::Failure;

/// Chat for the house: one binary, one file.
#[derive(Debug, Parser)]
#[command(name = "parlor", version)]
struct Cli {
    /// The database file [default: parlor.db]
    #[arg(long, global = true, value_name = "PATH")]
    db: Option<PathBuf>,
    /// Read settings from this file; config.toml explains them all
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args, Debug, Default)]
struct ServeArgs {
    /// Address and port to listen on [default: 0.0.0.0:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Migrate an older database without making a backup
    #[arg(long)]
    no_backup: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default command)
    Serve(ServeArgs),
    /// Back up the database to FILE, also while the server runs
    Backup(backup::Args),
    /// Replace the database with a backup and keep the old file; the server must be stopped
    Restore(restore::Args),
    /// Manage accounts, also while the server runs
    User(user::Args),
    /// Check and print the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Print the version
    Version(version::Args),
}

/// Runs the command line of this process. The exit code is 0 on success, 1 on failure, and 2 if the command line or the
/// settings are invalid.
pub fn run() -> ExitCode {
    match run_with(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run_with(args: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    match Cli::try_parse_from(args) {
        Ok(cli) => cli.run(),
        Err(error) if error.use_stderr() => Err(error.into()),
        Err(help) => print(&help.to_string()),
    }
}

impl Cli {
    fn run(mut self) -> Result<(), Failure> {
        match self.command.take() {
            None => self.serve(),
            Some(Command::Serve(args)) => {
                self.serve.listen = args.listen.or(self.serve.listen);
                self.serve.no_backup |= args.no_backup;
                self.serve()
            }
            Some(_) if self.serve.listen.is_some() || self.serve.no_backup => Err(Failure::usage(
                "--listen and --no-backup belong to serve, command line: leave them out",
            )),
            Some(Command::Backup(args)) => backup::run(args, &self.settings()?.config),
            Some(Command::Restore(args)) => restore::run(args, &self.settings()?.config),
            Some(Command::User(args)) => user::run(args, &self.settings()?.config),
            Some(Command::Config(command)) => config::run(&command, &self.settings()?),
            Some(Command::Version(args)) => version::run(&args),
        }
    }

    fn serve(self) -> Result<(), Failure> {
        let no_backup = self.serve.no_backup;
        serve::run(&self.settings()?.config, no_backup)
    }

    fn settings(self) -> Result<Loaded, Failure> {
        let flags = Flags {
            db: self.db,
            listen: self.serve.listen,
        };
        Ok(load(self.config.as_deref(), std::env::vars_os(), flags)?)
    }
}

/// Writes to stdout. A closed pipe (`parlor config print | head -1`) is not an error.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write, stdout: {error}")))
        }
        _ => Ok(()),
    }
}

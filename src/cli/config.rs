//! `parlor config`: checks and prints the settings.

use clap::Subcommand;

use super::{Failure, print};
use crate::config::Loaded;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the settings
    Check,
    /// Print the effective settings as TOML, each with its source
    Print,
}

/// Runs the command. Invalid settings have already been refused when they were loaded.
pub(super) fn run(command: &Command, settings: &Loaded) -> Result<(), Failure> {
    match command {
        Command::Print => print(&settings.to_toml()),
        Command::Check => {
            for warning in settings.config.warnings() {
                print(&format!("warning: {warning}\n"))?;
            }
            print("the settings are right\n")
        }
    }
}

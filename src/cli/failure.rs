//! Failed commands: error lines for the operator, and an exit code.

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::config::ConfigError;

/// Error of a command. Each line says what is wrong, where, and how to correct it.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    lines: Vec<String>,
    /// Help text, printed without a prefix.
    help: String,
}

impl Failure {
    /// Creates the failure of a command: exit code 1.
    pub(super) fn failed(line: impl Into<String>) -> Self {
        Self::new(1, vec![line.into()])
    }

    /// Creates the failure for an invalid command line or setting: exit code 2.
    pub(super) fn usage(line: impl Into<String>) -> Self {
        Self::new(2, vec![line.into()])
    }

    fn new(code: u8, lines: Vec<String>) -> Self {
        Self {
            code,
            lines,
            help: String::new(),
        }
    }

    /// Prints the error to stderr and returns the exit code.
    pub(super) fn report(&self) -> ExitCode {
        for line in &self.lines {
            eprintln!("parlor: {}", line.replace('\n', ", "));
        }
        eprint!("{}", self.help);
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(2, error.problems)
    }
}

impl From<clap::Error> for Failure {
    /// Uses the help text if a subcommand is missing, else clap's error message with a hint to `--help`.
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self {
                code: 2,
                lines: Vec::new(),
                help: text,
            };
        }
        let lines = text.lines().take_while(|line| !line.starts_with("Usage:"));
        let said: Vec<_> = lines
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let said = said.join(", ").replace(":, ", ": ");
        let said = said
            .trim_start_matches("error: ")
            .trim_end_matches(", For more information, try '--help'.");
        let command = command_of(&text);
        Self::usage(format!("{said}, command line: see {command} --help"))
    }
}

/// Extracts `parlor user add` from `Usage: parlor user add [OPTIONS] <NAME>`.
fn command_of(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let is_name = |word: &&str| !word.starts_with(['[', '<', '-']);
    let words: Vec<_> = usage
        .unwrap_or("parlor")
        .split_whitespace()
        .take_while(is_name)
        .collect();
    words.join(" ")
}

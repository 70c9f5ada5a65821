//! How a command ends when it does not end well: lines for the operator and an exit code.

use std::process::ExitCode;

use crate::config::ConfigError;

/// Why a command did not do what it was asked for; each line says what, where and how to mend it.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    lines: Vec<String>,
}

impl Failure {
    /// The work went wrong: exit code 1.
    pub(super) fn failed(line: impl Into<String>) -> Self {
        Self {
            code: 1,
            lines: vec![line.into()],
        }
    }

    /// The command line or the settings are wrong: exit code 2.
    pub(super) fn usage(line: impl Into<String>) -> Self {
        Self {
            code: 2,
            lines: vec![line.into()],
        }
    }

    /// Tells the operator; gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        for line in &self.lines {
            eprintln!("parlor: {}", line.replace('\n', ", "));
        }
        ExitCode::from(self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self {
            code: 2,
            lines: error.problems,
        }
    }
}

impl From<clap::Error> for Failure {
    /// The first lines of what clap says, without the usage that follows.
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        let lines = text.lines().take_while(|line| !line.starts_with("Usage:"));
        let said: Vec<_> = lines
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let said = said.join(", ");
        let said = said
            .trim_start_matches("error: ")
            .trim_end_matches(", For more information, try '--help'.");
        Self::usage(format!("{said}, command line: see parlor --help"))
    }
}

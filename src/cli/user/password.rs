//! Password input: from stdin, or typed twice. Never from the command line, which other users of the machine can read.

use std::io::{self, IsTerminal as _, Read};

use super::Failure;
use crate::chat::offline_accounts;
use crate::config::Config;
use crate::model::ChosenPassword;

/// Limit for input, in bytes; longer than any password.
const BYTES_MAX: u64 = 4096;

#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Source {
    /// Read the password from stdin, one line, instead of asking for it on the terminal
    #[arg(long)]
    password_stdin: bool,
}

impl Source {
    /// Reads a password and returns its hash. `not` begins the error message.
    pub(super) fn hash(&self, name: &str, not: &str, config: &Config) -> Result<String, Failure> {
        let failed = |why: String| Failure::failed(format!("{not}, {why}"));
        let text = match (self.password_stdin, io::stdin().is_terminal()) {
            (true, _) => one_line(io::stdin().lock()).map_err(failed)?,
            (false, true) => ask(name).map_err(failed)?,
            (false, false) => {
                return Err(Failure::usage(format!(
                    "{not}, no password: pipe it in and say --password-stdin"
                )));
            }
        };
        let password = ChosenPassword::parse(&text, config.auth.password_min)
            .map_err(|error| failed(error.to_string()))?;
        offline_accounts::hash(&password, config.auth.pbkdf2_rounds)
            .map_err(|e| failed(e.to_string()))
    }
}

fn ask(name: &str) -> Result<String, String> {
    let ask = |prompt: String| {
        rpassword::prompt_password(prompt).map_err(|error| format!("terminal: {error}"))
    };
    let first = ask(format!("New password for {name}: "))?;
    let second = ask("The same again: ".to_owned())?;
    if first == second {
        Ok(first)
    } else {
        Err("the two passwords differ: try again".to_owned())
    }
}

/// Reads a line without its line ending. Control characters are refused, because they cannot be typed into a form.
fn one_line(from: impl Read) -> Result<String, String> {
    let mut text = String::new();
    from.take(BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| format!("stdin: {error}"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(char::is_control) {
        return Err("stdin: the password must be one line of text".to_owned());
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_ending_is_stripped_from_the_password() {
        for typed in ["s3cret word ", "s3cret word \n", "s3cret word \r\n"] {
            assert_eq!(one_line(typed.as_bytes()).unwrap(), "s3cret word ");
        }
        for typed in ["one\ntwo\n", "a\0b", "tab\t"] {
            assert!(one_line(typed.as_bytes()).is_err(), "{typed:?}");
        }
        assert!(one_line(&b"\xff"[..]).is_err());
    }
}

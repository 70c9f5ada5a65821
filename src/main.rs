//! The `parlor` binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlor::cli::run()
}

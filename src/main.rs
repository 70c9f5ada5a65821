//! The `parlor` binary.

use std::process::ExitCode;

/// Returns freed memory to the system after a second, however fragmented; glibc's allocator keeps most of it. Its
/// settings are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    parlor::cli::run()
}

//! The `tessera` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tessera_server::boot::cli::main()
}

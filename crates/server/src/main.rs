//! The `tessera` binary.

use std::process::ExitCode;

/// A request makes many small allocations on one thread and frees them on another: this allocator is made for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tessera_server::boot::cli::main()
}

//! The safety of what is stored: rows that were put back, swapped or altered; keys that are wrong or gone; parts that
//! fail; and who may see what (OS-39 to OS-59).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

mod at_once;
mod faults;
mod faults_postgres;
mod keys;
mod nonces_postgres;
mod put_back;
mod stage;
mod swapped;
mod verify_postgres;
mod who;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

//! The development console: its pages, and what it shows of calls.

mod console;
mod inspector;
mod stage;

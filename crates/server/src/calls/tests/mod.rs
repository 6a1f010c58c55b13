//! Calls through the front door: a real registry, grants, upstream and App; only the platform is a stage set.

mod answers;
mod expanding;
mod golden;
mod oauth2;
mod refusals;
mod stage;

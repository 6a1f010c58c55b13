//! Pages for people.

pub mod sign_in;

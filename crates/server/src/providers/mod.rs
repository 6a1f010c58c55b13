//! OAuth2 providers: what differs between them as data, the requests that go to them, and what their replies mean.
//!
//! The protocol is the library's (`oauth2`); reading replies is ours, because hardly any provider answers as the RFC
//! has it. Nothing here keeps anything or knows of Apps and users: `grants` does.

mod account;
mod catalogue;
mod descriptor;
mod end;
mod failure;
mod metadata;
mod place;
mod reply;
mod request;

pub use account::Account;
pub use catalogue::{BadFile, Catalogue};
pub use descriptor::{
    BasicEncoding, BodyFormat, ClientAuth, Descriptor, Pkce, RefreshRules, ReplyRules, Revoke, RevokeStyle,
    Rotation, Scopes,
};
pub use end::Ended;
pub use failure::{Class, Failure};
pub use metadata::Metadata;
pub use place::{Filled, Form, Placeholder, Template};
pub use reply::{Expiry, Tokens, read};
pub use request::{Client, Outgoing, Provider, Verifier};

/// What can be wrong with a descriptor, or with what an administrator filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field, and what is the matter with it.
    #[error("{0}: {1}")]
    Field(String, String),
    /// The file is no TOML.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was found, or expected.
        what: String,
    },
    /// A place that nobody filled in.
    #[error("{0}: must be filled in")]
    Missing(String),
    /// No such preset.
    #[error("there is no provider {0:?}: {1}")]
    Unknown(String, String),
    /// Two files describe the same one.
    #[error("the provider {0:?} is described twice")]
    Twice(String),
    /// The library could not write a request.
    #[error("the request to {0} could not be written")]
    Unwritten(&'static str),
}

//! OAuth2 providers: what differs between them as data, the requests that go to them, and what their replies mean.
//!
//! The protocol is the library's (`oauth2`); reading replies is ours, because hardly any provider answers as the RFC
//! has it. Nothing here knows of Apps and users, and what is to be kept the caller keeps: `grants` does.

mod account;
mod assertion;
mod catalogue;
mod client;
mod descriptor;
mod device;
mod device_poll;
mod end;
mod failure;
mod grant;
mod id_token;
mod key_set;
mod keys;
mod metadata;
mod outgoing;
mod place;
mod private_key;
mod probe;
mod provider;
mod reading;
mod reply;
mod token;

pub use account::Account;
pub use catalogue::{BadFile, Catalogue};
pub use client::{Client, Verifier};
pub use descriptor::{
    AssertionAudience, BasicEncoding, BodyFormat, ClientAuth, Descriptor, Pkce, RefreshRules, ReplyRules,
    Revoke, RevokeStyle, Rotation, Scopes,
};
pub use device::{Device, read_device};
pub use device_poll::{DeviceNext, DevicePoll};
pub use end::Ended;
pub use failure::{Class, Failure};
pub use id_token::{Claims, Expected, Forged, verify};
pub use key_set::KeySet;
pub use keys::{Cached, Keys, Unverified};
pub use metadata::{Issuer, Metadata};
pub use outgoing::Outgoing;
pub use place::{Filled, Form, Placeholder, Template};
pub use private_key::PrivateKey;
pub use probe::{Probe, refuses_client, verdict};
pub use provider::{Asking, Provider};
pub use reply::{Expiry, Tokens, read};

/// What can be wrong with a descriptor, with what an administrator filled in, or with writing a request.
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
    /// The operating system gave no random bytes.
    #[error("there is no randomness to write a request with")]
    NoRandomness,
}

//! Wire JSON, ids, route paths and secret newtypes of the Mattermost Apps framework, for Tessera's server and driver.
//!
//! No IO, no clock, no randomness. Every type reads as liberally as Go's decoder and writes as Go's encoder does,
//! because unmodified Go programs are on the other end: use [`json`] rather than a plain JSON library.

mod app;
mod call;
mod channel;
mod context;
mod deploy;
pub mod error;
mod form;
mod id;
pub mod json;
mod listed;
pub mod location;
mod manifest;
pub mod path;
mod permission;
mod post;
mod raw;
mod response;
pub mod routes;
pub mod secret;
mod shorthand;
mod team;
mod user;
mod validate;

pub use app::{App, MattermostOAuth2App};
pub use call::{AppMetadata, Call, CallRequest, Expand, ExpandLevel, parse_level};
pub use channel::{Channel, ChannelMember};
pub use context::{AppSummary, Context, Empty, OAuth2App, OAuth2Context};
pub use deploy::{
    AwsFunction, AwsLambda, DeployType, Http, OpenFaas, OpenFaasFunction, Plugin, UpdateAppListing,
};
pub use form::{Binding, Field, Form, SelectOption};
pub use id::{AppId, AppIdError};
pub use listed::{Label, ListedApp};
pub use manifest::Manifest;
pub use permission::Permission;
pub use post::Post;
pub use raw::RawJson;
pub use response::{CallResponse, CallResponseWithMetadata};
pub use secret::{
    AccessToken, AuthorizationCode, ClientSecret, JwtSecret, Password, RefreshToken, SecretBytes,
    WebhookSecret,
};
pub use team::{Team, TeamMember};
pub use user::User;
pub use validate::{Fault, Rule};

/// For members that are left out when they say nothing.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

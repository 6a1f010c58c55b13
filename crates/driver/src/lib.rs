#![doc = include_str!("../README.md")]

pub mod app;
pub mod binding;
pub mod client;
pub mod connection;
pub mod docs;
mod error;
pub mod form;
mod manifest;
pub mod oauth2;
pub mod respond;
pub mod test;
mod values;

pub use app::{App, Handler, IntoCallResponse, JWT_HEADER};
pub use client::{Client, Stored, http_client_builder};
pub use connection::{Connection, ConnectionStatus, LiveToken, OAuth2ContextExt};
pub use error::Error;
pub use form::call;
pub use manifest::{ManifestBuilder, manifest};
pub use values::CallRequestExt;

pub use axum;
pub use tessera_types as types;
pub use tessera_types::{
    AccessToken, Binding, Call, CallRequest, CallResponse, ClientSecret, Context, DeployType, Expand, Field,
    Form, JwtSecret, Manifest, OAuth2App, OAuth2Context, Post, RawJson, RefreshToken, SelectOption,
    UpdateAppListing, User,
};
pub use time;

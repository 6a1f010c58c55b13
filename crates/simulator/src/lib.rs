//! A local OAuth2 provider, for trying Apps without an account anywhere.
//!
//! It has what a person meets at a real provider (a sign-in page, a consent page that names the client and what
//! it asks for) and what a client meets: the authorization code grant with PKCE, refresh tokens, revocation,
//! server metadata, and a protected resource that looks like Google's calendar list. It knows nothing of the
//! Tessera server and imports none of it.
//!
//! | route | what | source |
//! |---|---|---|
//! | `GET /authorize` | the sign-in or the consent page | RFC 6749 §4.1.1, RFC 7636 |
//! | `GET`, `POST /sign-in` | name and password | |
//! | `GET`, `POST /consent` | approve or deny, then 303 back to the client | RFC 6749 §4.1.2, RFC 9207 |
//! | `POST /token` | `authorization_code`, `refresh_token`, `client_credentials`, a device's | RFC 6749 §4.1.3, §6, §4.4 |
//! | `POST /device_authorization`, `GET`, `POST /device` | a code for a device, and where it is typed in | RFC 8628 |
//! | `POST /revoke` | ends a token | RFC 7009 |
//! | `GET /userinfo` | who signed in | |
//! | `GET /calendar/v3/users/me/calendarList` | that account's calendars | RFC 6750 |
//! | `GET /jwks` | the keys of id_tokens, which come where `openid` was granted | OpenID Connect Core, RFC 7517 |
//! | `GET /.well-known/oauth-authorization-server`, `…/openid-configuration` | metadata | RFC 8414 |
//! | `POST /token/refresh`, `POST /token/moved` | what two switches lead to | |
//! | `GET`, `POST /quirks` | the switches, as a page and as JSON; from this machine alone | |
//!
//! Two accounts exist from the start, `ada` and `grace`, both with the password [`PASSWORD`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tessera_simulator::Simulator;
//!
//! let simulator = Simulator::builder()
//!     .client("hello", "s3cret", ["http://localhost:8065/oauth2/complete"])
//!     .build();
//! let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
//! let running = simulator.start(listener)?;
//! println!("authorize at {}/authorize", running.url());
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! By default it is a strict, ordinary provider. [`Behaviour`] has 35 switches for what real ones do otherwise or wrong:
//! set before it starts ([`Builder::behaviour`]), while it runs ([`Simulator::change_behaviour`]), by name
//! ([`Behaviour::set`]), or at `/quirks`. The table of them is in the crate's README, and [`Behaviour::switches`] lists
//! them.
//!
//! ```
//! use tessera_simulator::{Counted, RetryAfter, Simulator};
//!
//! let simulator = Simulator::builder()
//!     .behaviour(|switches| switches.rotate_refresh_tokens = true)
//!     .build();
//! // While it runs: the next two token requests are told to wait.
//! simulator.change_behaviour(|switches| {
//!     switches.rate_limited = Counted::times(Some(RetryAfter::Seconds(30)), 2);
//! });
//! ```
//!
//! Everything is kept in memory and in the clear: it is a stand-in, never a place for a real secret.

mod assertion;
mod authorize;
mod behaviour;
mod builder;
mod client_auth;
mod clients;
mod control;
mod counted;
mod device;
mod error;
mod extras;
mod fault;
mod grants;
mod id_token;
mod metadata;
mod named;
mod pages;
mod params;
mod people;
mod pkce;
mod positions;
mod reply;
mod request;
mod resource;
mod running;
mod scope;
mod simulator;
mod terms;
mod token;

pub use behaviour::{Behaviour, Switch};
pub use builder::{Builder, Clock, PASSWORD, Random};
pub use counted::Counted;
pub use error::StartError;
pub use named::SwitchError;
pub use positions::{BodyFault, Extras, HeldToken, Iss, Redirect, RetryAfter, RevokeAnswer, SecretPlace};
pub use running::Running;
pub use simulator::Simulator;

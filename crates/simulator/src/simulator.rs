//! The simulator itself: its state behind one lock, and what tests and the demo may ask of it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{DATE, HOST};
use http::{HeaderMap, HeaderValue};

use crate::assertion::Seen;
use crate::behaviour::Behaviour;
use crate::builder::{Builder, Clock, Random};
use crate::clients::Clients;
use crate::device::{self, Devices};
use crate::grants::Grants;
use crate::id_token::{self, Keys};
use crate::people::People;
use crate::{authorize, control, fault, metadata, pages, resource, token};

/// The most that a form may weigh, in bytes.
const FORM_LIMIT: usize = 64 * 1024;

/// A local OAuth2 provider. Clones are handles to the same one.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    provider: Mutex<Provider>,
    clock: Clock,
    random: Random,
    /// What forms of the control page carry, so that no other page can post them.
    control: String,
}

/// All that the provider knows.
pub(crate) struct Provider {
    pub(crate) behaviour: Behaviour,
    pub(crate) clients: Clients,
    pub(crate) people: People,
    pub(crate) grants: Grants,
    pub(crate) keys: Keys,
    pub(crate) devices: Devices,
    pub(crate) seen: Seen,
    pub(crate) counts: Counts,
    /// Known once it listens.
    issuer: Option<String>,
}

/// What happened so far.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) authorizations: u64,
    pub(crate) token_requests: u64,
    pub(crate) refreshes: u64,
    pub(crate) resource_reads: u64,
}

impl Provider {
    pub(crate) fn new(clients: Clients, people: People, behaviour: Behaviour) -> Self {
        let (grants, counts) = (Grants::default(), Counts::default());
        let (keys, devices, seen) = (Keys::default(), Devices::default(), Seen::default());
        Self { behaviour, clients, people, grants, keys, devices, seen, counts, issuer: None }
    }
}

impl Simulator {
    /// Begins a simulator with two accounts, no client, the system's clock and its randomness.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(mut provider: Provider, clock: Clock, random: Random) -> Self {
        provider.keys.renew(&seed(&random));
        let control = secret(&random, "");
        Self(Arc::new(Inner { provider: Mutex::new(provider), clock, random, control }))
    }

    /// The routes, for serving them in an axum of one's own, at the root of a host. Unless
    /// [`Simulator::start`] was called the issuer is taken from each request's `Host`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/authorize", get(authorize::authorize))
            .route("/sign-in", get(authorize::sign_in_page).post(authorize::sign_in))
            .route("/consent", get(authorize::consent_page).post(authorize::consent))
            .route("/token", post(token::token))
            .route("/token/refresh", post(token::refresh))
            .route("/token/moved", post(token::moved))
            .route("/device_authorization", post(device::begin))
            .route("/device", get(device::show).post(device::decide))
            .route("/revoke", post(token::revoke))
            .route("/userinfo", get(resource::userinfo))
            .route("/calendar/v3/users/me/calendarList", get(resource::calendar_list))
            .route("/jwks", get(id_token::jwks))
            .route("/.well-known/oauth-authorization-server", get(metadata::metadata))
            .route("/.well-known/openid-configuration", get(metadata::metadata))
            .route("/quirks", get(control::show).post(control::change))
            .route("/simulator.css", get(pages::style))
            .layer(map_response_with_state(self.clone(), dated))
            .layer(DefaultBodyLimit::max(FORM_LIMIT))
            .with_state(self.clone())
    }

    /// Registers a client while running, in place of an earlier one with the same id. See [`Builder::client`].
    pub fn add_client<U: Into<String>>(
        &self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        redirect_uris: impl IntoIterator<Item = U>,
    ) {
        let redirect_uris = redirect_uris.into_iter().map(Into::into).collect();
        let (client_id, client_secret) = (client_id.into(), client_secret.into());
        self.lock().clients.put(client_id, client_secret, redirect_uris);
    }

    /// Flips switches while running; what comes next goes by them. The whole of them is put back when `change` returns:
    /// a count that runs down in the meantime is not seen.
    pub fn change_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut behaviour = self.lock().behaviour.clone();
        change(&mut behaviour);
        self.lock().behaviour = behaviour;
    }

    /// The switches as they are now.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.lock().behaviour.clone()
    }

    /// How many times a person approved, so how many codes were given.
    #[must_use]
    pub fn authorizations(&self) -> u64 {
        self.lock().counts.authorizations
    }

    /// How many requests the token endpoint got, refused ones included.
    #[must_use]
    pub fn token_requests(&self) -> u64 {
        self.lock().counts.token_requests
    }

    /// How many refreshes gave an access token.
    #[must_use]
    pub fn refreshes(&self) -> u64 {
        self.lock().counts.refreshes
    }

    /// How many times a protected resource (calendar list or user info) was given out.
    #[must_use]
    pub fn resource_reads(&self) -> u64 {
        self.lock().counts.resource_reads
    }

    /// Makes every live access token expire now. Refresh tokens live on.
    pub fn expire_access_tokens(&self) {
        let now = self.now();
        self.lock().grants.expire_access_tokens(now);
    }

    /// Answers for a person whom a device's code was given to, as the page `/device` does. False when no device waits
    /// with this code.
    pub fn answer_device(&self, user_code: &str, account: &str, approve: bool) -> bool {
        let now = self.now();
        self.lock().devices.answer(user_code, account, approve, now)
    }

    /// Calls so many of the next questions of devices too fast, whenever they come: a provider under load may
    /// (RFC 8628 §3.5, `slow_down`).
    pub fn slow_devices_down(&self, times: u32) {
        self.lock().devices.slow_down(times);
    }

    /// Signs id_tokens with a new key from now on. The key before is still published, those before that are not.
    pub fn renew_signing_key(&self) {
        let seed = seed(&self.0.random);
        self.lock().keys.renew(&seed);
    }

    /// Every code (a device's, too), access token, refresh token and id_token ever issued, in order, for searching logs,
    /// pages and files for leaks.
    #[must_use]
    pub fn issued_secrets(&self) -> Vec<String> {
        self.lock().grants.issued().to_vec()
    }

    /// The state. Never held across an await, nor while a caller's clock, randomness or closure runs.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Provider> {
        self.0.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// A new unguessable text: `kind`, then 32 random bytes in base64url.
    pub(crate) fn secret(&self, kind: &str) -> String {
        secret(&self.0.random, kind)
    }

    pub(crate) fn seed(&self) -> [u8; 32] {
        seed(&self.0.random)
    }

    /// The clock that clients are shown, which a switch sets off.
    pub(crate) fn shown(&self) -> i64 {
        self.now().saturating_add(self.lock().behaviour.clock_off.into())
    }

    pub(crate) fn control(&self) -> &str {
        &self.0.control
    }

    pub(crate) fn set_issuer(&self, issuer: String) {
        self.lock().issuer = Some(issuer);
    }

    /// Who we are (RFC 8414 §2).
    pub(crate) fn issuer(&self, headers: &HeaderMap) -> String {
        if let Some(issuer) = self.lock().issuer.clone() {
            return issuer;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        format!("http://{}", host.unwrap_or("localhost"))
    }
}

fn secret(random: &Random, kind: &str) -> String {
    format!("{kind}{}", URL_SAFE_NO_PAD.encode(seed(random)))
}

fn seed(random: &Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    random(&mut bytes);
    bytes
}

/// `Date` by a clock that is off; otherwise the server's own stays.
async fn dated(State(simulator): State<Simulator>, mut response: Response) -> Response {
    if simulator.lock().behaviour.clock_off != 0
        && let Ok(date) = HeaderValue::from_str(&fault::date(simulator.shown()))
    {
        response.headers_mut().insert(DATE, date);
    }
    response
}

impl fmt::Debug for Simulator {
    /// Names the type only: its state is full of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

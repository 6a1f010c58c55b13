//! How a simulator is put together.

use std::sync::Arc;
use std::time::Duration;

use crate::assertion::PublicKey;
use crate::behaviour::Behaviour;
use crate::clients::Clients;
use crate::people::{Account, People};
use crate::simulator::{Provider, Simulator};

/// Tells the time, in seconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Fills the buffer with random bytes. Codes, tokens and session ids are made of them.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The password of the accounts that exist from the start.
pub const PASSWORD: &str = "simulator";

/// A simulator in the making: see [`Simulator::builder`].
pub struct Builder {
    clients: Clients,
    people: People,
    behaviour: Behaviour,
    clock: Clock,
    random: Random,
}

impl Builder {
    pub(crate) fn new() -> Self {
        let start = Self {
            clients: Clients::default(),
            people: People::default(),
            behaviour: Behaviour::default(),
            clock: Arc::new(system_clock),
            random: Arc::new(system_random),
        };
        start.account("ada", PASSWORD, "ada@simulator.example").account(
            "grace",
            PASSWORD,
            "grace@simulator.example",
        )
    }

    /// Registers a client. Redirect URIs are absolute, without a fragment, and are compared byte for byte.
    #[must_use]
    pub fn client<U: Into<String>>(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        redirect_uris: impl IntoIterator<Item = U>,
    ) -> Self {
        let redirect_uris = redirect_uris.into_iter().map(Into::into).collect();
        self.clients.put(client_id.into(), client_secret.into(), redirect_uris);
        self
    }

    /// Registers a client that signs for itself (`private_key_jwt`), with its public key as a JWK: RSA, or P-256. A key
    /// of another kind is that of no client.
    #[must_use]
    pub fn client_with_key<U: Into<String>>(
        mut self,
        client_id: impl Into<String>,
        jwk: &serde_json::Value,
        redirect_uris: impl IntoIterator<Item = U>,
    ) -> Self {
        let redirect_uris = redirect_uris.into_iter().map(Into::into).collect();
        if let Some(key) = PublicKey::of_jwk(jwk) {
            self.clients.put_key(client_id.into(), key, redirect_uris);
        }
        self
    }

    /// Adds an account beside `ada` and `grace`, or puts another in the place of one of them.
    #[must_use]
    pub fn account(
        mut self,
        name: impl Into<String>,
        password: impl Into<String>,
        email: impl Into<String>,
    ) -> Self {
        self.people.put(Account { name: name.into(), password: password.into(), email: email.into() });
        self
    }

    /// How long access tokens live: [`Behaviour::token_life`].
    #[must_use]
    pub fn token_life(mut self, life: Duration) -> Self {
        self.behaviour.token_life = life;
        self
    }

    /// Whether refreshing replaces the refresh token: [`Behaviour::rotate_refresh_tokens`].
    #[must_use]
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.behaviour.rotate_refresh_tokens = rotate;
        self
    }

    /// Flips switches before it starts.
    #[must_use]
    pub fn behaviour(mut self, change: impl FnOnce(&mut Behaviour)) -> Self {
        change(&mut self.behaviour);
        self
    }

    /// Takes the time from `clock` instead of the system.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes random bytes from `random` instead of the system.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// The simulator, not yet listening anywhere.
    #[must_use]
    pub fn build(self) -> Simulator {
        let Self { clients, people, behaviour, clock, random } = self;
        Simulator::new(Provider::new(clients, people, behaviour), clock, random)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the default of Builder::clock, the one place that reads the system's"
)]
fn system_clock() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the default of Builder::random, the one place that asks the system"
)]
#[expect(clippy::expect_used, reason = "without randomness there is nothing safe to go on with")]
fn system_random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the system gives random bytes");
}

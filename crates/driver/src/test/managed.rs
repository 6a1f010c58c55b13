//! Managed connections in the fake: what an administrator, a person at the provider, and time would do.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::fake::FakeService;
use crate::ConnectionStatus;

/// Without `min_ttl` a token with this much life, or half of its whole life, is fresh enough.
const ENOUGH: Duration = Duration::from_secs(60);
/// What the server says when the provider is out of reach and no time is set.
const WAIT: Duration = Duration::from_secs(1);

/// The provider record, and what people granted.
pub(super) struct Managed {
    /// How long tokens live.
    life: Duration,
    /// How much later it is here than on this machine.
    passed: Duration,
    grants: BTreeMap<String, Grant>,
    issued: u64,
    ended: Vec<String>,
}

struct Grant {
    /// Connected, MissingScopes, NeedsReconnect, or Unavailable while the provider is out of reach.
    status: ConnectionStatus,
    token: String,
    /// By the fake's clock.
    expiry: OffsetDateTime,
}

/// What R03 gives of a managed connection.
pub(super) struct Given {
    /// Empty where there is none to be given.
    pub(super) body: Vec<u8>,
    pub(super) status: ConnectionStatus,
}

/// Why there is no token as it was asked for: status, text, and when to come back.
pub(super) type NotGiven = (StatusCode, String, Option<Duration>);

impl Managed {
    fn new(life: Duration) -> Self {
        let (passed, grants, ended) = (Duration::ZERO, BTreeMap::new(), Vec::new());
        Self { life, passed, grants, issued: 0, ended }
    }

    #[expect(clippy::disallowed_methods, reason = "an App under test compares with the machine's clock")]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.passed
    }

    fn fresh(&mut self) -> (String, OffsetDateTime) {
        self.issued += 1;
        (format!("managed-token-{}", self.issued), self.now() + self.life)
    }

    /// Ends a person's grant, here and at the provider. False when there was none.
    pub(super) fn end(&mut self, user_id: &str) -> bool {
        let ended = self.grants.remove(user_id).is_some();
        if ended {
            self.ended.push(user_id.to_owned());
        }
        ended
    }

    /// A token that lives as long as is asked for; refreshed, if need be.
    pub(super) fn give(&mut self, user_id: &str, least: Option<Duration>) -> Result<Given, NotGiven> {
        let nothing = |status| Given { body: Vec::new(), status };
        let (now, life) = (self.now(), self.life);
        let Some(grant) = self.grants.get(user_id) else {
            return Ok(nothing(ConnectionStatus::NotConnected));
        };
        if grant.status == ConnectionStatus::NeedsReconnect {
            return Ok(nothing(ConnectionStatus::NeedsReconnect));
        }
        let left = grant.expiry - now;
        let wanted = least.unwrap_or(ENOUGH.min(life / 2));
        if !left.is_positive() || left < wanted {
            if wanted > life {
                let text = format!(
                    "no token with {} more seconds can be had: tokens of this provider live {} seconds: ask for less",
                    wanted.as_secs(),
                    life.as_secs()
                );
                return Err((StatusCode::UNPROCESSABLE_ENTITY, text, None));
            }
            let away = match &grant.status {
                ConnectionStatus::Unavailable { retry_after } => Some(retry_after.unwrap_or(WAIT)),
                _ => None,
            };
            match away {
                None => {
                    let fresh = self.fresh();
                    if let Some(grant) = self.grants.get_mut(user_id) {
                        (grant.token, grant.expiry) = fresh;
                    }
                }
                // The old one serves whoever insists on nothing, as long as it lives.
                Some(_) if least.is_none() && left.is_positive() => {}
                Some(wait) => {
                    let text = "the token of this connection can't be refreshed right now (out_of_reach)";
                    return Err((StatusCode::SERVICE_UNAVAILABLE, text.to_owned(), Some(wait)));
                }
            }
        }
        Ok(self.grants.get(user_id).map_or_else(|| nothing(ConnectionStatus::NotConnected), Grant::given))
    }
}

impl Grant {
    fn given(&self) -> Given {
        let body = json!({
            "access_token": self.token,
            "token_type": "Bearer",
            "expiry": self.expiry.replace_nanosecond(0).unwrap_or(self.expiry).format(&Rfc3339).unwrap_or_default(),
            "account": {"id": "1", "name": "somebody@provider.example"},
        });
        let status = match &self.status {
            ConnectionStatus::MissingScopes => ConnectionStatus::MissingScopes,
            _ => ConnectionStatus::Connected,
        };
        Given { body: body.to_string().into_bytes(), status }
    }
}

/// Managed connections: see [`manage`](FakeService::manage).
impl FakeService {
    /// Gives the App a provider record, as an administrator would: from now on the service keeps its users' tokens,
    /// each of which lives this long, the App's context has no client secret, and storing a record is refused with 409;
    /// storing `null` disconnects. Nobody is connected yet.
    pub fn manage(&self, life: Duration) {
        self.state().managed = Some(Managed::new(life));
    }

    /// Brings a person's managed connection about:
    ///
    /// | status | what happened |
    /// |---|---|
    /// | `Connected`, `MissingScopes` | the person agreed just now; the token is fresh |
    /// | `NeedsReconnect` | the grant ended at the provider |
    /// | `Unavailable` | the provider is out of reach until the next call of this; the token that is there, or a fresh one, lives on |
    /// | `NotConnected` | the connection was ended |
    ///
    /// Nothing happens before [`manage`](Self::manage).
    pub fn set_connection(&self, user_id: &str, status: ConnectionStatus) {
        let mut state = self.state();
        let Some(managed) = &mut state.managed else { return };
        match status {
            ConnectionStatus::NotConnected => {
                managed.end(user_id);
            }
            ConnectionStatus::Unavailable { .. } if managed.grants.contains_key(user_id) => {
                if let Some(grant) = managed.grants.get_mut(user_id) {
                    grant.status = status;
                }
            }
            status => {
                let (token, expiry) = managed.fresh();
                managed.grants.insert(user_id.to_owned(), Grant { status, token, expiry });
            }
        }
    }

    /// Lets time pass for managed tokens, without waiting.
    pub fn pass_time(&self, time: Duration) {
        if let Some(managed) = &mut self.state().managed {
            managed.passed += time;
        }
    }

    /// How many managed tokens were given out by the provider so far, refreshed ones included.
    pub fn issued_tokens(&self) -> u64 {
        self.state().managed.as_ref().map_or(0, |managed| managed.issued)
    }

    /// Whose grants were ended at the provider, in order, as a disconnect does.
    pub fn ended_grants(&self) -> Vec<String> {
        self.state().managed.as_ref().map_or_else(Vec::new, |managed| managed.ended.clone())
    }
}

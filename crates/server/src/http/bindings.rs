//! R07: a user agent fetches bindings (apps-framework.md section 2.8).

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tessera_types::{Binding, Context};

use super::House;
use super::admin::json_response;
use super::caller::Caller;
use super::errors::WireError;
use super::extract::first;

/// The answer to who asks with `test`.
#[derive(Serialize)]
struct Tested {
    bindings: Option<Vec<Binding>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Always 200: problems are for the log, and for who asks with `test` (B-15). No bindings at all are `null` in
/// development (B-41), and an empty list beside a Mattermost: an older web client of its does not get over `null`.
pub(super) async fn bindings(
    State(house): State<House>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, WireError> {
    let asked = Asked::of(query.as_deref().unwrap_or_default());
    let (bindings, error) = match caller.user() {
        Err(_) => (Vec::new(), Some("user ID is required: unauthorized".to_owned())),
        Ok(who) => {
            house.calls.take(who)?;
            let found = house.calls.bindings(who, &asked.place, &caller.request, caller.deadline).await?;
            (found.bindings, found.problems.into_result().err().map(|problems| problems.to_string()))
        }
    };
    let bindings = Some(bindings).filter(|bindings| !(bindings.is_empty() && house.settings.development));
    if asked.test {
        return json_response(&Tested { bindings, error });
    }
    if let Some(error) = error {
        tracing::debug!(%error, "gathered bindings with problems");
    }
    json_response(&bindings)
}

/// The query's arguments that count; of a repeated one the first.
#[derive(Default)]
struct Asked {
    place: Context,
    test: bool,
}

impl Asked {
    fn of(query: &str) -> Self {
        let first = |name: &str| first(query, name);
        let mut user_agent = first("user_agent_type");
        if user_agent.is_empty() {
            // What web and mobile clients really send (B-16).
            user_agent = first("user_agent");
        }
        let place = Context {
            team_id: first("team_id"),
            channel_id: first("channel_id"),
            user_agent,
            ..Context::default()
        };
        Self { place, test: !first("test").is_empty() }
    }
}

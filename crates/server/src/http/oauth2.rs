//! R01 to R03: an App's client and a user's record (apps-framework.md sections 2.2 to 2.4), and DELETE to disconnect.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tessera_types::{AppId, OAuth2App, json};

use super::House;
use super::body::{self, RECORD_CAP};
use super::caller::Caller;
use super::errors::WireError;
use crate::calls::Profile;
use crate::grants::{Act, Change, Use, Want};
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

type Answer = Result<Response, WireError>;

/// R01.
pub(super) async fn store_app(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let bytes = body::read(body, RECORD_CAP).await?;
    let is_bot = caller.user()?.is_bot;
    if !(is_bot && house.settings.profile == Profile::Documented) {
        caller.administrator(&house).await?;
    }
    let act = act(&caller, caller.app()?)?;
    let fresh: OAuth2App = json::from_slice_strict(&bytes)
        .map_err(|error| WireError::invalid(&format_args!("OAuth2App is not valid JSON: {error}")))?;
    let change = house.grants.put_credentials(&act, &fresh).await?;
    Ok(stored(&house, change, Audience::Everyone))
}

/// R02.
pub(super) async fn store_user(State(house): State<House>, caller: Caller, body: Body) -> Answer {
    let bytes = body::read(body, RECORD_CAP).await?;
    caller.user()?;
    let act = act(&caller, caller.app()?)?;
    caller.person_or_documented_bot(house.settings.profile)?;
    json::valid_strict(&bytes).map_err(|_| WireError::invalid(&"payload is not valid JSON"))?;
    let change = house.grants.put_record(&act, &bytes).await?;
    Ok(stored(&house, change, Audience::User(act.actor.to_owned())))
}

/// R03. Nothing stored is 200 without a body: the driver's "not connected" (B-01). Of a managed connection a header
/// tells how it stands, and who asks may say for how long the token must live.
pub(super) async fn get_user(State(house): State<House>, caller: Caller, Wanted(want): Wanted) -> Answer {
    caller.person_or_documented_bot(house.settings.profile)?;
    let act = act(&caller, caller.app()?)?;
    house.grants.take_read(act.app)?;
    let released = house.grants.record(&act, Use::Api, want?).await?;
    let standing = released.standing;
    let mut response = match released.record {
        None => StatusCode::OK.into_response(),
        Some(bytes) => {
            ([(header::CONTENT_TYPE, "application/json")], bytes.expose().to_vec()).into_response()
        }
    };
    if standing.is_worth_telling() {
        response.headers_mut().insert(STATUS, HeaderValue::from_static(standing.word()));
    }
    Ok(response)
}

/// How a managed connection stands, unless all is well.
const STATUS: HeaderName = HeaderName::from_static("tessera-connection");
/// For how many seconds more the token must live; also as the query's `min_ttl`.
const MIN_TTL: HeaderName = HeaderName::from_static("tessera-min-ttl");
/// The most that may be asked for: a year of seconds.
const LONGEST: i64 = 366 * 86_400;

/// What is wanted of a token, or what is wrong with how that is said: for who may ask at all. Taken from the request
/// where it lies, as every read comes by here.
pub(super) struct Wanted(Result<Want, WireError>);

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(want(parts.uri.query(), &parts.headers)))
    }
}

fn want(query: Option<&str>, headers: &HeaderMap) -> Result<Want, WireError> {
    let wrong = || WireError::invalid(&"min_ttl must be a whole number of seconds, a year at most");
    let seconds = |text: &str| match text.trim().parse::<i64>() {
        Ok(seconds @ 0..=LONGEST) => Ok(seconds),
        _ => Err(wrong()),
    };
    let asked = query.and_then(|query| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == "min_ttl").map(|(_, value)| value.into_owned())
    });
    let asked = asked.map(|text| seconds(&text)).transpose()?;
    // What is wrong in the header is wrong, also where the query wins.
    let header = headers.get(MIN_TTL).map(|value| value.to_str().map_err(|_| wrong()).and_then(seconds));
    let header = header.transpose()?;
    Ok(asked.or(header).map_or_else(Want::default, |seconds| Want::AtLeast(seconds * 1_000)))
}

/// Disconnect: ours, beside the framework's routes. 200 also where there was nothing.
pub(super) async fn disconnect(State(house): State<House>, caller: Caller) -> Answer {
    caller.person_or_documented_bot(house.settings.profile)?;
    let act = act(&caller, caller.app()?)?;
    let change = match house.grants.disconnect(&act).await? {
        true => Change::Made,
        false => Change::None,
    };
    Ok(stored(&house, change, Audience::User(act.actor.to_owned())))
}

fn act<'a>(caller: &'a Caller, app: &'a AppId) -> Result<Act<'a>, WireError> {
    Ok(Act { actor: &caller.user()?.user_id, app, request: &caller.request, reason: "api" })
}

fn stored(house: &House, change: Change, audience: Audience) -> Response {
    if change == Change::Made {
        house.platform.publish(Event { name: REFRESH_BINDINGS, audience });
    }
    StatusCode::OK.into_response()
}

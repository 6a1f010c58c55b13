//! The way of a person: a request comes in, sign-in, consent, and back to the client.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use cookie::{Cookie, SameSite};
use http::header::{CACHE_CONTROL, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq as _;

use crate::behaviour::seconds;
use crate::error::AuthorizeError;
use crate::pages::{ConsentPage, ProblemPage, ScopeLine, SignInPage, page};
use crate::params::Params;
use crate::people::Session;
use crate::positions::Iss;
use crate::request::{AuthorizationRequest, Back};
use crate::scope::opened_by;
use crate::simulator::{Provider, Simulator};
use crate::{extras, pages};

/// Cookies are not told apart by port, so the name must not be one that a neighbour on localhost would use.
const SESSION_COOKIE: &str = "tessera_simulator_session";

/// Whom the callback names when it names somebody else.
const WRONG_ISSUER: &str = "https://somebody-else.example";

/// `GET /authorize` (RFC 6749 §4.1.1). Consent is asked for every time, whatever `prompt` says.
pub(crate) async fn authorize(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    begin(&simulator, &headers, &query_params(query))
        .unwrap_or_else(|error| refused(error, &simulator, &headers))
}

/// `GET /sign-in?request=…`: signing in, also as somebody else.
pub(crate) async fn sign_in_page(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = ask(&simulator, &headers, &query_params(query), true);
    asked.unwrap_or_else(|error| refused(error, &simulator, &headers))
}

/// `GET /consent?request=…`.
pub(crate) async fn consent_page(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = ask(&simulator, &headers, &query_params(query), false);
    asked.unwrap_or_else(|error| refused(error, &simulator, &headers))
}

/// `POST /sign-in`: `request`, `csrf`, `username`, `password`.
pub(crate) async fn sign_in(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    let signed_in = enter(&simulator, &headers, &Params::parse(&body));
    signed_in.unwrap_or_else(|error| refused(error, &simulator, &headers))
}

/// `POST /consent`: `request`, `csrf`, `decision`.
pub(crate) async fn consent(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Response {
    let decided = decide(&simulator, &headers, &Params::parse(&body));
    decided.unwrap_or_else(|error| refused(error, &simulator, &headers))
}

fn begin(simulator: &Simulator, headers: &HeaderMap, params: &Params) -> Result<Response, AuthorizeError> {
    let now = simulator.now();
    let request_id = simulator.secret("");
    let new_session = (simulator.secret(""), simulator.secret(""));
    let mut provider = simulator.lock();
    let request = AuthorizationRequest::check(params, &provider.clients, provider.behaviour.pkce_ignored)?;
    let known = session_of(headers, &provider).map(|(id, _)| id);
    let is_new = known.is_none();
    let session_id = known.unwrap_or_else(|| {
        let (id, csrf) = new_session;
        provider.people.open_session(id.clone(), csrf);
        id
    });
    provider.people.wait(request_id.clone(), session_id.clone(), request, now);
    let visit = Visit::of(&provider, &session_id, &request_id, now)?;
    drop(provider);
    let response = visit.next_page(false);
    Ok(if is_new { with_session(response, session_id) } else { response })
}

fn ask(
    simulator: &Simulator,
    headers: &HeaderMap,
    params: &Params,
    sign_in_again: bool,
) -> Result<Response, AuthorizeError> {
    let now = simulator.now();
    let request_id = params.get("request")?.ok_or(AuthorizeError::Gone)?;
    let provider = simulator.lock();
    let (session_id, _) = session_of(headers, &provider).ok_or(AuthorizeError::Gone)?;
    let visit = Visit::of(&provider, &session_id, request_id, now)?;
    drop(provider);
    Ok(visit.next_page(sign_in_again))
}

fn enter(simulator: &Simulator, headers: &HeaderMap, params: &Params) -> Result<Response, AuthorizeError> {
    let now = simulator.now();
    let (new_id, new_csrf) = (simulator.secret(""), simulator.secret(""));
    let (name, password) = (params.get("username")?, params.get("password")?);
    let mut provider = simulator.lock();
    let (session_id, visit) = posted(&provider, headers, params, now)?;
    let name = name.unwrap_or_default();
    if !provider.people.password_matches(name, password.unwrap_or_default()) {
        drop(provider);
        return Ok(page(StatusCode::FORBIDDEN, &visit.sign_in_page(Some(name.to_owned())), None));
    }
    provider.people.sign_in(&session_id, &new_id, new_csrf, name.to_owned());
    drop(provider);
    let next = format!("/consent?request={}", visit.request_id);
    Ok(with_session(see_other(&next), new_id))
}

fn decide(simulator: &Simulator, headers: &HeaderMap, params: &Params) -> Result<Response, AuthorizeError> {
    let now = simulator.now();
    let issuer = simulator.issuer(headers);
    let code = simulator.secret("code-");
    let mut provider = simulator.lock();
    let (session_id, visit) = posted(&provider, headers, params, now)?;
    let Some(account) = visit.session.account.clone() else {
        return Ok(visit.next_page(true));
    };
    let approved = match params.get("decision")? {
        Some("approve") => true,
        Some("deny") => false,
        _ => return Err(AuthorizeError::NoDecision),
    };
    let request = provider.people.answer(&visit.request_id, &session_id, now);
    let mut request = request.ok_or(AuthorizeError::Gone)?;
    let (back, client_id) = (request.back.clone(), request.client_id.clone());
    if !approved {
        drop(provider);
        let answer = [("error", "access_denied"), ("error_description", "the person said no")];
        return Ok(send_back(simulator, &back, &answer, &issuer, &client_id));
    }
    if let Some(dropped) = &provider.behaviour.fewer_scopes {
        request.scope = request.scope.without(dropped);
    }
    let expires_at = now.saturating_add(seconds(provider.behaviour.code_life));
    provider.grants.give_code(code.clone(), request, account, expires_at);
    provider.counts.authorizations += 1;
    drop(provider);
    Ok(send_back(simulator, &back, &[("code", &code)], &issuer, &client_id))
}

/// Back to the client with `answer`, as the switches for callbacks have it.
fn send_back(
    simulator: &Simulator,
    back: &Back,
    answer: &[(&str, &str)],
    issuer: &str,
    client_id: &str,
) -> Response {
    let shown = simulator.shown();
    let mut provider = simulator.lock();
    let issuer = match provider.behaviour.iss {
        Iss::Present => Some(issuer),
        Iss::Wrong => Some(WRONG_ISSUER),
        Iss::Missing | Iss::Unsupported => None,
    };
    let mut callback = back.with(answer, issuer);
    if let Some(extras) = provider.behaviour.callback_extras {
        let secret = provider.clients.secret(client_id).unwrap_or_default();
        extras::add(extras, &mut callback, shown, secret);
    }
    match provider.behaviour.callback_twice.take() {
        true => pages::twice(&callback, back),
        false => see_other(callback.as_str()),
    }
}

/// A request that waits for the person, and the browser it waits in.
struct Visit {
    request_id: String,
    request: AuthorizationRequest,
    session: Session,
    email: String,
}

impl Visit {
    fn of(provider: &Provider, session_id: &str, request_id: &str, now: i64) -> Result<Self, AuthorizeError> {
        let session = provider.people.session(session_id).cloned().ok_or(AuthorizeError::Gone)?;
        let request = provider.people.waiting(request_id, session_id, now).cloned();
        let account = session.account.as_deref().and_then(|name| provider.people.account(name));
        let email = account.map(|account| account.email.clone()).unwrap_or_default();
        Ok(Self {
            request_id: request_id.to_owned(),
            request: request.ok_or(AuthorizeError::Gone)?,
            session,
            email,
        })
    }

    /// Consent for whoever is signed in; sign-in for anyone else, and on demand.
    fn next_page(&self, sign_in_again: bool) -> Response {
        match &self.session.account {
            Some(account) if !sign_in_again => {
                let target = self.request.back.csp_source();
                page(StatusCode::OK, &self.consent_page(account), Some(&target))
            }
            _ => page(StatusCode::OK, &self.sign_in_page(None), None),
        }
    }

    fn sign_in_page(&self, tried: Option<String>) -> SignInPage {
        SignInPage {
            client_id: self.request.client_id.clone(),
            request: self.request_id.clone(),
            csrf: self.session.csrf.clone(),
            tried,
        }
    }

    fn consent_page(&self, account: &str) -> ConsentPage {
        let line = |name: &str| ScopeLine {
            name: name.to_owned(),
            described: opened_by(name)
                .map(crate::scope::Opens::described)
                .or((name == "openid").then_some("Know who you are")),
        };
        ConsentPage {
            client_id: self.request.client_id.clone(),
            request: self.request_id.clone(),
            csrf: self.session.csrf.clone(),
            account: account.to_owned(),
            email: self.email.clone(),
            scopes: self.request.scope.names().map(line).collect(),
            place: self.request.back.place().to_owned(),
            offline: self.request.offline,
        }
    }
}

/// The visit that a form was posted for, once its token was found to be that of this browser.
fn posted(
    provider: &Provider,
    headers: &HeaderMap,
    params: &Params,
    now: i64,
) -> Result<(String, Visit), AuthorizeError> {
    let (session_id, session) = session_of(headers, provider).ok_or(AuthorizeError::Gone)?;
    let csrf = params.get("csrf")?.unwrap_or_default();
    if !bool::from(session.csrf.as_bytes().ct_eq(csrf.as_bytes())) {
        return Err(AuthorizeError::Forged);
    }
    let request_id = params.get("request")?.ok_or(AuthorizeError::Gone)?;
    let visit = Visit::of(provider, &session_id, request_id, now)?;
    Ok((session_id, visit))
}

fn session_of<'a>(headers: &HeaderMap, provider: &'a Provider) -> Option<(String, &'a Session)> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| Cookie::split_parse(line.to_owned()).flatten())
        .filter(|cookie| cookie.name() == SESSION_COOKIE)
        .find_map(|cookie| Some((cookie.value().to_owned(), provider.people.session(cookie.value())?)))
}

fn with_session(response: Response, session_id: String) -> Response {
    // Not Secure: the simulator is plain http on loopback.
    let cookie =
        Cookie::build((SESSION_COOKIE, session_id)).path("/").http_only(true).same_site(SameSite::Lax);
    ([(SET_COOKIE, cookie.build().to_string())], response).into_response()
}

fn see_other(location: &str) -> Response {
    let headers = [(LOCATION, location), (CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn query_params(query: Option<String>) -> Params {
    Params::parse(query.unwrap_or_default().as_bytes())
}

/// Tells the client where that is safe, and the person otherwise.
fn refused(error: AuthorizeError, simulator: &Simulator, headers: &HeaderMap) -> Response {
    let status = match &error {
        AuthorizeError::Back { back, client_id, error, why } => {
            let answer = [("error", *error), ("error_description", why)];
            return send_back(simulator, back, &answer, &simulator.issuer(headers), client_id);
        }
        AuthorizeError::Forged => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    page(status, &ProblemPage { text: error.to_string() }, None)
}

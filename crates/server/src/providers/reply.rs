//! Reading what a token endpoint answers, whatever it is labelled and however it is written.
//!
//! One rule stands above the others: a refresh token that came is never lost because something beside it does not
//! make sense. It may be the only one that still works.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use tessera_types::{AccessToken, RefreshToken};

use super::descriptor::{Descriptor, ReplyRules};
use super::failure::Failure;

/// When an access token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At this time, Unix milliseconds.
    At(i64),
    /// Not by itself.
    Never,
    /// The provider does not say.
    Unknown,
}

/// What a provider gave. `Debug` masks what is secret.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What calls are made with.
    pub access_token: AccessToken,
    /// `Bearer`, mostly.
    pub token_type: String,
    /// What brings the next one; None when none came: then the one that is held goes on.
    pub refresh_token: Option<RefreshToken>,
    /// When the access token ends.
    pub expiry: Expiry,
    /// What was granted; None when the reply does not say, which means: what was asked for.
    pub scopes: Option<Vec<String>>,
    /// Who the account is of, as OpenID Connect says it; to be verified before it is believed.
    pub id_token: Option<AccessToken>,
    /// Everything else that came, tokens left out.
    pub extra: Map<String, Value>,
}

/// The longest life that is believed: ten years, in seconds.
const LONGEST_LIFE: f64 = 10.0 * 366.0 * 86_400.0;

/// Reads a reply. `sent_ms` is the time before the request was sent: a life begins no later than then.
///
/// # Errors
/// When the provider refused, or no access token is there; a reply that cannot be read says nothing about the grant.
pub fn read(
    provider: &Descriptor,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    sent_ms: i64,
) -> Result<Tokens, Failure> {
    let refused = |code: Option<&str>| Failure::told(&provider.errors, status, headers, code, sent_ms);
    let Some(members) = members(body) else {
        let garbled = status.is_success();
        return Err(if garbled {
            Failure::unreadable("unreadable_reply", status.as_u16())
        } else {
            refused(None)
        });
    };
    if let Some(code) = code_of(provider, &members) {
        return Err(refused(Some(&code)));
    }
    let inner = provider.reply.within.as_ref().and_then(|name| members.get(name)).and_then(Value::as_object);
    let main = inner.unwrap_or(&members);
    let Some(access_token) = text(main, "access_token") else {
        return Err(match status.is_success() {
            true => Failure::unreadable("no_access_token", status.as_u16()),
            false => refused(None),
        });
    };
    let token_type = text(main, "token_type").or_else(|| text(&members, "token_type"));
    // GitHub Apps and Slack name the kind of token there; what we cannot honour is a key-bound one.
    let token_type = token_type.unwrap_or_else(|| "Bearer".to_owned());
    if ["dpop", "mac", "pop"].iter().any(|kind| token_type.eq_ignore_ascii_case(kind)) {
        return Err(Failure::unreadable("unsupported_token_type", status.as_u16()));
    }
    let scopes = ["scope", "scopes"].into_iter().find_map(|name| scopes(main.get(name)?));
    Ok(Tokens {
        refresh_token: text(main, "refresh_token").map(RefreshToken::new),
        expiry: expiry(main, &provider.reply, sent_ms),
        scopes,
        id_token: text(&members, "id_token").map(AccessToken::new),
        extra: extra(&members, provider.reply.within.as_deref()),
        access_token: AccessToken::new(access_token),
        token_type,
    })
}

/// What a reply refuses, if it says so: for answers in which no token is looked for.
pub(super) fn refusal(
    provider: &Descriptor,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now_ms: i64,
) -> Option<Failure> {
    let code = code_of(provider, &members(body)?)?;
    Some(Failure::told(&provider.errors, status, headers, Some(&code), now_ms))
}

/// JSON or a form, judged by what it is and not by what it is called.
pub(super) fn members(body: &[u8]) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let end = body.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let body = body[..end].trim_ascii();
    match body.first()? {
        b'{' => serde_json::from_slice(body).ok(),
        // A page, a list or a word is none.
        b'<' | b'[' | b'"' => None,
        _ if !body.contains(&b'=') || body.iter().any(|byte| byte.is_ascii_whitespace()) => None,
        _ => {
            let pairs = url::form_urlencoded::parse(body);
            Some(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
        }
    }
}

/// The code of a refusal, whatever the status: what the provider calls it, `error` as text, number or object, or `ok: false`.
pub(super) fn code_of(provider: &Descriptor, members: &Map<String, Value>) -> Option<String> {
    let named = |value: &Value| match value {
        Value::String(code) if !code.is_empty() => Some(code.clone()),
        Value::Number(code) => Some(code.to_string()),
        // Meta and Google's older APIs: an object with a kind or a status.
        Value::Object(inner) => {
            ["type", "status", "code", "error"].into_iter().find_map(|name| match inner.get(name)? {
                Value::String(code) if !code.is_empty() => Some(code.clone()),
                Value::Number(code) => Some(code.to_string()),
                _ => None,
            })
        }
        Value::Bool(true) => Some("error".to_owned()),
        _ => None,
    };
    let names = provider.reply.code.as_deref().into_iter().chain(["error", "errorCode", "error_code"]);
    let code = names.filter_map(|name| members.get(name)).find_map(named);
    let refused = members.get("ok") == Some(&Value::Bool(false));
    code.or_else(|| refused.then(|| "not_ok".to_owned()))
}

pub(super) fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A number, however it is written.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number| number.is_finite())
}

fn scopes(value: &Value) -> Option<Vec<String>> {
    let parted = |text: &str| -> Vec<String> {
        let parts = text.split([' ', ',', '+']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    match value {
        Value::String(text) => Some(parted(text)).filter(|scopes| !scopes.is_empty()),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).flat_map(parted).collect()),
        _ => None,
    }
}

fn expiry(members: &Map<String, Value>, rules: &ReplyRules, sent_ms: i64) -> Expiry {
    let get = |name: &str| members.get(name).and_then(number);
    let after = |seconds: f64| Expiry::At(sent_ms.saturating_add((seconds * 1000.0) as i64));
    let believable = |seconds: f64| seconds > 0.0 && seconds <= LONGEST_LIFE;
    match get("expires_in") {
        Some(0.0) if rules.zero_is_forever => return Expiry::Never,
        Some(seconds) if believable(seconds) => return after(seconds),
        _ => {}
    }
    // A moment instead of a life, in seconds or milliseconds since 1970.
    let moment = ["expires_at", "expires_on", "expires"].into_iter().find_map(get);
    if let Some(moment) = moment {
        let ms = if moment > 1e11 { moment } else { moment * 1000.0 };
        if believable((ms - sent_ms as f64) / 1000.0) {
            return Expiry::At(ms as i64);
        }
    }
    match (rules.default_ttl, rules.silent_is_forever) {
        (Some(seconds), _) => after(seconds as f64),
        (None, true) => Expiry::Never,
        (None, false) => Expiry::Unknown,
    }
}

/// What is kept beside the tokens: never a second copy of one.
fn extra(members: &Map<String, Value>, within: Option<&str>) -> Map<String, Value> {
    const SECRET: [&str; 3] = ["access_token", "refresh_token", "id_token"];
    const READ: [&str; 4] = ["token_type", "expires_in", "scope", "ok"];
    let mut extra = Map::new();
    for (name, value) in members {
        if SECRET.contains(&name.as_str()) || READ.contains(&name.as_str()) {
            continue;
        }
        let value = match value {
            Value::Object(inner) if Some(name.as_str()) == within => {
                let rest = inner
                    .iter()
                    .filter(|(name, _)| !SECRET.contains(&name.as_str()) && !READ.contains(&name.as_str()));
                Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            other => other.clone(),
        };
        extra.insert(name.clone(), value);
    }
    extra
}

//! What a provider's refusal means for a grant. Told by the code, never by the words around it (OS-33).

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::egress;

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The grant is dead: only a new consent helps.
    Terminal,
    /// It passes: the grant is kept, and asked again later.
    Transient,
    /// The client itself is wrong: an administrator's work, and no grant's fault.
    Operator,
    /// The grant lives, and the person must do something at the provider first.
    User,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is to be done.
    pub class: Class,
    /// The provider's code, or a word of ours for what has none: at most 64 plain characters.
    pub code: String,
    /// The reply's status; 0 where there was none.
    pub status: u16,
    /// How long the provider wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the provider may have done what was asked all the same: a refresh token may be spent, and the new one
    /// never have arrived.
    pub outcome_unknown: bool,
}

/// Codes whose meaning everybody shares: RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect Core
/// section 3.1.2.6, and what well-known providers say besides.
const KNOWN: &[(&str, Class)] = &[
    ("invalid_grant", Class::Terminal),
    ("expired_token", Class::Terminal),
    ("invalid_refresh_token", Class::Terminal),
    ("bad_refresh_token", Class::Terminal),
    ("token_revoked", Class::Terminal),
    ("token_expired", Class::Terminal),
    ("bad_verification_code", Class::Terminal),
    ("invalid_code", Class::Terminal),
    ("code_already_used", Class::Terminal),
    ("account_inactive", Class::Terminal),
    ("incorrect_device_code", Class::Terminal),
    ("invalid_client", Class::Operator),
    ("unauthorized_client", Class::Operator),
    ("incorrect_client_credentials", Class::Operator),
    ("bad_client_secret", Class::Operator),
    ("invalid_client_id", Class::Operator),
    ("redirect_uri_mismatch", Class::Operator),
    ("bad_redirect_uri", Class::Operator),
    ("application_suspended", Class::Operator),
    ("device_flow_disabled", Class::Operator),
    ("unsupported_grant_type", Class::Operator),
    ("unsupported_response_type", Class::Operator),
    ("unsupported_token_type", Class::Operator),
    ("invalid_request", Class::Operator),
    ("invalid_target", Class::Operator),
    ("interaction_required", Class::User),
    ("consent_required", Class::User),
    ("login_required", Class::User),
    ("account_selection_required", Class::User),
    ("invalid_scope", Class::User),
    ("access_denied", Class::User),
    ("authorization_declined", Class::User),
    ("temporarily_unavailable", Class::Transient),
    ("server_error", Class::Transient),
    ("internal_error", Class::Transient),
    ("fatal_error", Class::Transient),
    ("service_unavailable", Class::Transient),
    ("request_timeout", Class::Transient),
    ("ratelimited", Class::Transient),
    ("rate_limited", Class::Transient),
    ("slow_down", Class::Transient),
    ("authorization_pending", Class::Transient),
];

/// The most characters of a code that are kept.
const LONGEST: usize = 64;
/// The longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

impl Failure {
    /// A refusal with its code, if it had one. `own` are the provider's own codes.
    pub(super) fn told(
        own: &BTreeMap<String, Class>,
        status: StatusCode,
        headers: &HeaderMap,
        code: Option<&str>,
        now_ms: i64,
    ) -> Self {
        let code = code.map(plain).filter(|code| !code.is_empty());
        // A status that says "later" says so whatever code stands beside it.
        let later = matches!(status.as_u16(), 408 | 425 | 429 | 500..=599);
        let class = match &code {
            _ if later => Class::Transient,
            Some(code) => {
                let known = || KNOWN.iter().find(|(known, _)| known == code).map(|(_, class)| *class);
                // A code that nobody knows kills nothing.
                own.get(code).copied().or_else(known).unwrap_or(Class::Transient)
            }
            // RFC 6749 section 5.2: what 401 says even without a word.
            None if status == StatusCode::UNAUTHORIZED => Class::Operator,
            // Moved, or never there: the descriptor's address is wrong.
            None if status.is_redirection() => Class::Operator,
            None if matches!(status.as_u16(), 404 | 405 | 410) => Class::Operator,
            None => Class::Transient,
        };
        // A gateway's word, or that of something that fell over: whoever is behind it may have done its work before.
        let outcome_unknown = code.is_none() && matches!(status.as_u16(), 500 | 502 | 504);
        let code = code.unwrap_or_else(|| format!("http_{}", status.as_u16()));
        Self { class, code, status: status.as_u16(), retry_after: pause(headers, now_ms), outcome_unknown }
    }

    /// A reply that cannot be read: whether the request was carried out is not known.
    pub(super) fn unreadable(code: &'static str, status: u16) -> Self {
        Self {
            class: Class::Transient,
            code: code.to_owned(),
            status,
            retry_after: None,
            outcome_unknown: true,
        }
    }

    /// No reply at all.
    pub(super) fn no_reply(error: &egress::Error) -> Self {
        use egress::Reason;
        let (class, code, outcome_unknown) = match &error.reason {
            Reason::Forbidden
            | Reason::PlainHttp
            | Reason::Scheme(_)
            | Reason::NoHost
            | Reason::Unsendable => (Class::Operator, "address_not_allowed", false),
            Reason::Tls(_) => (Class::Operator, "certificate_not_trusted", false),
            Reason::Lookup { .. } | Reason::Connect(_) | Reason::ConnectTimeout => {
                (Class::Transient, "unreachable", false)
            }
            Reason::Deadline | Reason::Closed | Reason::Cut | Reason::TooLarge { .. } | Reason::Malformed => {
                (Class::Transient, "no_reply", true)
            }
        };
        Self { class, code: code.to_owned(), status: 0, retry_after: None, outcome_unknown }
    }
}

/// A stranger's code in one short line.
fn plain(code: &str) -> String {
    let kept = code.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c));
    kept.take(LONGEST).collect::<String>().to_ascii_lowercase()
}

/// `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3).
fn pause(headers: &HeaderMap, now_ms: i64) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now_ms).ok()?);
            at.duration_since(now).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

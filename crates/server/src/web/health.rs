//! How a managed connection stands, and when its token is renewed: in words for the person whose it is.

use super::moments::Moment;
use crate::grants::{ManagedConnection, Standing};

/// How it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Health {
    /// One sentence or two.
    pub text: String,
    /// Whether it works as the App wants it.
    pub good: bool,
    /// Whether a new consent helps.
    pub reconnect: bool,
}

impl Health {
    /// Of a connection.
    pub fn of(managed: &ManagedConnection) -> Self {
        let provider = &managed.provider_name;
        let code = shown(&managed.code);
        let bad = |text: String, reconnect| Self { text, good: false, reconnect };
        match managed.status {
            Standing::NotConnected | Standing::NeedsReconnect => bad(ended(provider, &managed.code), true),
            status if !managed.client_refused.is_empty() => {
                let works = match status {
                    Standing::Unavailable => "It does not work until then.",
                    _ => "It works as long as its token does.",
                };
                let why = shown(&managed.client_refused);
                let told = format!(
                    "{provider} does not accept this App just now{why}: an administrator must look at it."
                );
                bad(format!("{told} {works}"), false)
            }
            Standing::Unavailable => bad(
                format!(
                    "{provider} cannot be asked for a new token just now{code}. It is tried again by itself: there is \
                     nothing for you to do."
                ),
                false,
            ),
            Standing::MissingScopes => bad("Works, with less than the App asked for.".into(), true),
            Standing::Connected if managed.code.is_empty() => {
                Self { text: "Works".into(), good: true, reconnect: false }
            }
            Standing::Connected => Self {
                text: format!(
                    "Works. {provider} gave no new token the last time{code}, and is asked again by itself."
                ),
                good: true,
                reconnect: false,
            },
        }
    }
}

/// Why a new consent is needed.
fn ended(provider: &str, code: &str) -> String {
    match code {
        "client_changed" => format!("Has ended: an administrator changed what the App is at {provider}."),
        "no_refresh_token" => format!("Has ended: {provider} gave it for a limited time."),
        "interaction_required" | "login_required" => format!("{provider} wants you to sign in there again."),
        "consent_required" | "invalid_scope" => format!("{provider} wants you to agree anew."),
        code => format!("Has ended: {provider} does not accept it any more{}.", shown(code)),
    }
}

/// A code in brackets, where there is one.
pub(super) fn shown(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(" ({code})") }
}

/// When a token is renewed by itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Then.
    At(Moment),
    /// Nobody uses it: when somebody does.
    WhenUsed,
    /// It cannot be: it ends then.
    Ends(Moment),
    /// It cannot be, and nobody says when it ends.
    Unknown,
}

impl Renewal {
    /// Of a connection that works; None where only its person can help.
    pub fn of(managed: &ManagedConnection, now: i64) -> Option<Self> {
        if matches!(managed.status, Standing::NeedsReconnect) {
            return None;
        }
        let ahead = |at| Moment::ahead(at, now);
        Some(match (managed.refreshable, managed.next_refresh_at, managed.expires_at) {
            (true, Some(at), _) => Self::At(ahead(at)),
            (true, None, _) => Self::WhenUsed,
            (false, _, Some(at)) => Self::Ends(ahead(at)),
            (false, _, None) => Self::Unknown,
        })
    }
}

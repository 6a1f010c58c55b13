//! How the simulator behaves where providers differ, or misbehave.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::counted::Counted;
use crate::positions::{BodyFault, Extras, HeldToken, Iss, Redirect, RetryAfter, RevokeAnswer, SecretPlace};

/// A switch, for whoever lists or sets them by name.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Switch {
    /// Its number, 1 to 35; 0 for a setting that every provider has.
    pub number: u8,
    /// Its name, as [`Behaviour::set`] and JSON have it.
    pub name: &'static str,
    /// The position that it is put into when no value is given.
    pub on: &'static str,
    /// Which values there are.
    pub values: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether it can hold for the next N times only.
    pub counted: bool,
}

const fn is_counted(kind: &str) -> bool {
    // The type as it is written below.
    kind.len() > 7 && kind.as_bytes()[7] == b'<' && kind.as_bytes()[0] == b'C'
}

/// Makes the struct and the list of its switches of one text.
macro_rules! switches {
    ($(
        $number:literal $name:literal, on $on:literal, of $values:literal;
        $(#[doc = $about:literal])+
        $field:ident: $kind:ty,
    )+) => {
        /// The switches of a simulated provider. The defaults are those of a strict, ordinary provider, near Google's.
        ///
        /// Every way in which a provider may differ, or misbehave, is a field here and read where the step happens, so
        /// that one can be flipped while a flow is under way: see
        /// [`Simulator::change_behaviour`](crate::Simulator::change_behaviour). As JSON the names have dashes for
        /// underscores, and lives are whole seconds.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[non_exhaustive]
        pub struct Behaviour {
            /// How long an access token lives, in whole seconds; told to the client as `expires_in`. Default: one hour.
            #[serde(with = "whole_seconds")]
            pub token_life: Duration,
            /// How long an authorization code may wait to be exchanged, in whole seconds. Default: ten minutes, the
            /// most that RFC 6749 §4.1.2 recommends.
            #[serde(with = "whole_seconds")]
            pub code_life: Duration,
            $(
                $(#[doc = $about])+
                pub $field: $kind,
            )+
        }

        impl Default for Behaviour {
            fn default() -> Self {
                Self {
                    token_life: Duration::from_secs(3600),
                    code_life: Duration::from_secs(600),
                    $($field: <$kind>::default(),)+
                }
            }
        }

        /// Everything that can be set by name, the two lives first.
        pub(crate) const SWITCHES: &[Switch] = &[
            Switch {
                number: 0,
                name: "token-life",
                on: "3600",
                values: "seconds",
                about: " How long an access token lives.",
                counted: false,
            },
            Switch {
                number: 0,
                name: "code-life",
                on: "600",
                values: "seconds",
                about: " How long an authorization code may wait to be exchanged.",
                counted: false,
            },
            $(Switch {
                number: $number,
                name: $name,
                on: $on,
                values: $values,
                about: concat!($($about),+),
                counted: is_counted(stringify!($kind)),
            },)+
        ];
    };
}

switches! {
    1 "form-reply", on "true", of "true";
    /// The token endpoint answers in form encoding (GitHub, unless JSON is asked for).
    form_reply: Counted<bool>,
    2 "error-with-200", on "true", of "true";
    /// The token endpoint refuses with status 200 (GitHub, Slack).
    error_with_200: Counted<bool>,
    3 "nested-token", on "data", of "a member's name";
    /// The token reply is inside this member of an otherwise empty object.
    nested_token: Counted<Option<String>>,
    4 "scope-array", on "true", of "true";
    /// `scope` in the token reply is a JSON array (Twitch).
    scope_array: Counted<bool>,
    5 "string-ttl", on "true", of "true";
    /// `expires_in` is a string (PayPal).
    string_ttl: Counted<bool>,
    6 "no-ttl", on "true", of "true";
    /// `expires_in` is absent, although the token ends (Salesforce).
    no_ttl: Counted<bool>,
    7 "zero-ttl", on "true", of "true";
    /// `expires_in` is 0, although the token lives its life (Mailchimp).
    zero_ttl: Counted<bool>,
    8 "keep-refresh-token", on "omitted", of "omitted, empty, repeated";
    /// No refresh brings a new refresh token, whatever the two switches after this one say: the one that is held
    /// stays valid, and the reply does not have it, has it empty, or repeats it.
    keep_refresh_token: Option<HeldToken>,
    9 "rotate-refresh-tokens", on "true", of "true";
    /// Each refresh brings a new refresh token and ends the old one (RFC 6749 §6; Zoom, Atlassian, Airtable).
    rotate_refresh_tokens: bool,
    10 "rotate-by-clock", on "86400", of "seconds";
    /// A refresh brings a new refresh token once the one that is held is as old as this; until then it repeats it
    /// (QuickBooks).
    rotate_by_clock: Option<u32>,
    11 "reuse-kills-family", on "true", of "true";
    /// Whoever presents a refresh token that was replaced ends the whole grant (Okta, Auth0, Salesforce).
    reuse_kills_family: bool,
    12 "reuse-grace", on "60", of "seconds";
    /// A refresh token that was replaced still works for so long (Okta, Auth0, Xero).
    reuse_grace: u32,
    13 "reply-lost", on "true", of "true";
    /// The token endpoint does what it was asked for, and closes the connection without a reply.
    reply_lost: Counted<bool>,
    14 "delayed-reply", on "60000", of "milliseconds";
    /// The token endpoint does what it was asked for, and replies so much later.
    delayed_reply: Counted<u32>,
    15 "invalid-grant-403", on "true", of "true";
    /// `invalid_grant` comes with status 403 (Atlassian).
    invalid_grant_403: Counted<bool>,
    16 "html-502", on "true", of "true";
    /// The token endpoint does nothing and answers 502 with a page of HTML.
    html_502: Counted<bool>,
    17 "rate-limited", on "30", of "seconds, date+seconds";
    /// The token endpoint does nothing and answers 429 with `Retry-After`, in seconds or as a date.
    rate_limited: Counted<Option<RetryAfter>>,
    18 "secret-place", on "basic", of "either, basic, body, any";
    /// Where a client's secret is accepted: in header or body but never both, in one of them only, or anyhow.
    secret_place: SecretPlace,
    19 "json-body-only", on "true", of "true";
    /// The token endpoint takes JSON bodies and no forms (Notion).
    json_body_only: bool,
    20 "separate-refresh-url", on "true", of "true";
    /// Refreshes are taken at `/token/refresh` and nowhere else (Figma).
    separate_refresh_url: bool,
    21 "fewer-scopes", on "last", of "last, or scopes parted by commas";
    /// These scopes are not granted although the person approved: the last that was asked for, or those named.
    fewer_scopes: Option<String>,
    22 "refresh-token-once", on "true", of "true";
    /// A refresh token comes with the first consent of a person to a client only, unless `prompt=consent` is asked
    /// for (Google).
    refresh_token_once: bool,
    23 "grant-cap", on "5", of "a number";
    /// A person may have so many grants with a client: one more ends the oldest without a word (Salesforce, Google).
    grant_cap: Option<u32>,
    24 "idle-death", on "2592000", of "seconds";
    /// A grant whose refresh token was not used for so long is dead.
    idle_death: Option<u32>,
    25 "kill-old-access-token", on "true", of "true";
    /// A refresh ends the access tokens that came before it (GitHub Apps, GitLab).
    kill_old_access_token: bool,
    26 "iss", on "wrong", of "present, wrong, missing, unsupported";
    /// The callback names us, names somebody else, or names nobody; `missing` although the metadata promises it.
    iss: Iss,
    27 "pkce-ignored", on "true", of "true";
    /// Proof keys are not looked at: whoever has the code has the tokens.
    pkce_ignored: bool,
    28 "long-token", on "16384", of "bytes, 1000000 at most";
    /// Access tokens are as long as this (Microsoft's have several kilobytes).
    long_token: Counted<u32>,
    29 "redirect-reply", on "307", of "302, 303, 307, 308";
    /// The token endpoint does nothing and sends the client on to `/token/moved`, which would do it.
    redirect_reply: Counted<Option<Redirect>>,
    30 "callback-extras", on "realm-id", of "realm-id, shop";
    /// The callback carries `realmId` (QuickBooks), or `shop`, `timestamp` and `hmac` (Shopify).
    callback_extras: Option<Extras>,
    31 "clock-off", on "600", of "seconds, also negative";
    /// The clock that clients are shown is off by so much: `Date`, dates in `Retry-After`, and `created_at` and
    /// `expires_at`, which token replies then have.
    clock_off: i32,
    32 "two-tokens", on "true", of "true";
    /// A code brings two tokens: a bot's at the top and the person's in `authed_user`, each with a refresh token of
    /// its own (Slack).
    two_tokens: bool,
    33 "revoke-answer", on "503", of "200, 400, 503";
    /// The revocation endpoint answers 200 and ends nothing, 400 to refresh tokens, or 503 with `Retry-After`.
    revoke_answer: Counted<Option<RevokeAnswer>>,
    34 "body-fault", on "split", of "split, stalled, cut";
    /// Bodies of token replies come byte by byte, stop half-way, or end half-way.
    body_fault: Counted<Option<BodyFault>>,
    35 "callback-twice", on "true", of "true";
    /// The way back to the client is a page that loads the callback twice: once as an image, and then as the next
    /// page.
    callback_twice: Counted<bool>,
}

/// `life` in seconds, for adding to a clock reading.
pub(crate) fn seconds(life: Duration) -> i64 {
    i64::try_from(life.as_secs()).unwrap_or(i64::MAX)
}

/// Lives as whole seconds.
mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(life: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(life.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

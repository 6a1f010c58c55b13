//! The positions of the switches that have more than on and off.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a refresh says of the refresh token that it leaves in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HeldToken {
    /// Nothing: the member is absent.
    Omitted,
    /// The member is there, and empty.
    Empty,
    /// The same token again.
    Repeated,
}

/// Where a client may put its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SecretPlace {
    /// In the header or in the body, never in both (RFC 6749 §2.3).
    #[default]
    Either,
    /// In `Authorization: Basic` only.
    Basic,
    /// In the body only.
    Body,
    /// Anywhere, also in both at once.
    Any,
}

/// What the callback says of the issuer (RFC 9207).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Iss {
    /// Who we are.
    #[default]
    Present,
    /// Somebody else, as in a mix-up attack.
    Wrong,
    /// Nothing, although the metadata promises it.
    Missing,
    /// Nothing, and the metadata promises nothing.
    Unsupported,
}

/// What a callback carries besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Extras {
    /// `realmId`, as QuickBooks: whose books they are. It comes nowhere else.
    RealmId,
    /// `shop`, `timestamp`, and an `hmac` of the whole query under the client's secret, as Shopify.
    Shop,
}

/// What becomes of a reply's body on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BodyFault {
    /// It comes byte by byte, each in a chunk of its own.
    Split,
    /// Half of it comes, and then nothing: the connection stays open.
    Stalled,
    /// Half of it comes, and the connection is closed.
    Cut,
}

/// What the revocation endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeAnswer {
    /// 200, and nothing is ended: as to a token that is not known.
    Nothing,
    /// 400 `unsupported_token_type` to a refresh token; an access token is ended (RFC 7009 §2.2.1).
    AccessTokensOnly,
    /// 503 with `Retry-After`, and nothing is ended.
    Later,
}

/// Where the token endpoint sends the client on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirect {
    /// 302: a client that follows asks with GET.
    Found = 302,
    /// 303: the same, by the book.
    SeeOther = 303,
    /// 307: a client that follows sends its secret and its code there.
    Temporary = 307,
    /// 308: the same, for good.
    Permanent = 308,
}

/// How `Retry-After` says how long to wait (RFC 9110 §10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u32),
    /// A date so many seconds from now, by the clock that clients are shown.
    Date(u32),
}

/// Text that is none of the positions; says what would be one.
#[derive(Debug)]
pub struct NoPosition(&'static str);

impl fmt::Display for NoPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.0)
    }
}

impl FromStr for RevokeAnswer {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        match text {
            "200" => Ok(Self::Nothing),
            "400" => Ok(Self::AccessTokensOnly),
            "503" => Ok(Self::Later),
            _ => Err(NoPosition("200, 400 or 503")),
        }
    }
}

impl fmt::Display for RevokeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "200",
            Self::AccessTokensOnly => "400",
            Self::Later => "503",
        })
    }
}

impl FromStr for Redirect {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        match text {
            "302" => Ok(Self::Found),
            "303" => Ok(Self::SeeOther),
            "307" => Ok(Self::Temporary),
            "308" => Ok(Self::Permanent),
            _ => Err(NoPosition("302, 303, 307 or 308")),
        }
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", *self as u16)
    }
}

impl FromStr for RetryAfter {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let (make, number): (fn(u32) -> Self, _) = match text.strip_prefix("date+") {
            Some(number) => (Self::Date, number),
            None => (Self::Seconds, text),
        };
        number.parse().map(make).map_err(|_| NoPosition("a number of seconds, or date+ and such a number"))
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Date(seconds) => write!(f, "date+{seconds}"),
        }
    }
}

/// Serde by way of the text that people type; a number counts as its digits.
macro_rules! as_typed {
    ($($kind:ty),*) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = match serde_json::Value::deserialize(deserializer)? {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_typed!(RevokeAnswer, Redirect, RetryAfter);

//! What an id_token says, once it is known who says it (OpenID Connect Core section 3.1.3.7; OS-24).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tessera_types::AccessToken;

use super::key_set::{KeySet, Signature};
use super::place::TENANT;

/// Seconds that the provider's clock may be off.
const SKEW: f64 = 60.0;
/// The most bytes that a token may have.
const LONGEST: usize = 64 << 10;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer, to the letter; `{tenantid}` in it is filled with the token's own `tid` first: see
    /// [`Provider::id_token_issuer`](super::Provider::id_token_issuer).
    pub issuer: &'a str,
    /// Whom it is for.
    pub client_id: &'a str,
    /// The flow's nonce: [`Verifier::nonce`](super::Verifier::nonce). None where no person was sent anywhere with one,
    /// after a refresh or with a device code: then none is looked for.
    pub nonce: Option<&'a str>,
    /// The time, Unix milliseconds.
    pub now_ms: i64,
}

/// Who the account is of. An account is told apart by `issuer` and `subject` together, and by nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who says so, with the tenant filled in.
    pub issuer: String,
    /// The account's id there.
    pub subject: String,
    /// An address; whoever relies on it looks at the next one, too.
    pub email: Option<String>,
    /// Whether the provider says that the address is that person's.
    pub email_verified: bool,
    /// What people call that person.
    pub name: Option<String>,
    /// What that person wants to be called by; not unique, and may change.
    pub preferred_username: Option<String>,
}

/// Why a token is not believed. Nothing of the token is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// It is no JWT of three parts, or a part is not what it should be.
    #[error("the id_token is no signed JWT that could be read")]
    Malformed,
    /// It is not signed, or by an algorithm that anybody could use who knows the public key.
    #[error("the id_token's algorithm is none that is believed")]
    Algorithm,
    /// It has a header that must be understood, or is a JWT of another kind.
    #[error("the id_token's header asks for what is not understood here")]
    Header,
    /// The provider's keys have none that it could be signed with.
    #[error("the id_token is signed with a key that the provider does not list")]
    UnknownKey,
    /// Somebody else signed it, or changed it.
    #[error("the id_token's signature is not the provider's")]
    Signature,
    /// `iss` is another one.
    #[error("the id_token is another issuer's")]
    Issuer,
    /// `aud` does not name the client, or names others, too, and `azp` does not.
    #[error("the id_token is for another client")]
    Audience,
    /// `exp` has passed.
    #[error("the id_token has expired")]
    Expired,
    /// `iat` or `nbf` is yet to come.
    #[error("the id_token is from the future: compare the clocks")]
    Future,
    /// `nonce` is not the flow's.
    #[error("the id_token is not of this flow")]
    Nonce,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    tid: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
    name: Option<String>,
    preferred_username: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Checks a token: its signature first, and then all that it says. Nothing of one that is refused may be used.
///
/// # Errors
/// Why it is not believed; [`Forged::UnknownKey`] may be a key that is newer than `keys`.
pub fn verify(token: &AccessToken, keys: &KeySet, expected: Expected<'_>) -> Result<Claims, Forged> {
    let token = token.expose();
    let (signed, signature) =
        token.rsplit_once('.').filter(|_| token.len() <= LONGEST).ok_or(Forged::Malformed)?;
    // A fourth part would be within the second, and no base64url.
    let (header, body) = signed.split_once('.').ok_or(Forged::Malformed)?;
    let header: Header = part(header)?;
    let typ = header.typ.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    // RFC 7515 section 4.1.11; RFC 8725 section 3.11: an access or logout token is no id_token.
    if header.crit.is_some() || typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(Forged::Header);
    }
    match keys.judge(&header.alg, header.kid.as_deref(), signed, signature) {
        Signature::Good => {}
        Signature::Bad => return Err(Forged::Signature),
        Signature::UnknownKey => return Err(Forged::UnknownKey),
        Signature::BadAlgorithm => return Err(Forged::Algorithm),
    }
    part::<Body>(body)?.checked(expected)
}

impl Body {
    fn checked(self, expected: Expected<'_>) -> Result<Claims, Forged> {
        if self.iss != issuer_for(expected.issuer, self.tid.as_deref()).ok_or(Forged::Issuer)? {
            return Err(Forged::Issuer);
        }
        let (ours, several) = match &self.aud {
            Audience::One(one) => (one == expected.client_id, false),
            Audience::Several(all) => (all.iter().any(|one| one == expected.client_id), all.len() > 1),
        };
        // Of several, one asked for it: it must be us. Where `azp` is there it is believed in any case.
        let asked = self.azp.as_deref().map_or(!several, |azp| azp == expected.client_id);
        if !ours || !asked {
            return Err(Forged::Audience);
        }
        let now = expected.now_ms as f64 / 1_000.0;
        // JSON has numbers alone, so each comparison has an answer.
        if now >= self.exp + SKEW {
            return Err(Forged::Expired);
        }
        if self.iat.max(self.nbf.unwrap_or(self.iat)) > now + SKEW {
            return Err(Forged::Future);
        }
        if expected.nonce.is_some() && self.nonce.as_deref() != expected.nonce {
            return Err(Forged::Nonce);
        }
        if self.sub.is_empty() {
            return Err(Forged::Malformed);
        }
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Claims {
            issuer: self.iss,
            subject: self.sub,
            email: text(self.email),
            // Some write it as text.
            email_verified: self.email_verified.is_some_and(|yes| yes == true || yes == "true"),
            name: text(self.name),
            preferred_username: text(self.preferred_username),
        })
    }
}

/// The issuer that a token of this tenant must name; None where the tenant is missing or is none.
fn issuer_for(issuer: &str, tenant: Option<&str>) -> Option<String> {
    let place = ["{", TENANT, "}"].concat();
    if !issuer.contains(&place) {
        return Some(issuer.to_owned());
    }
    let is_plain = |tenant: &&str| {
        !tenant.is_empty()
            && tenant.len() <= 64
            && tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    tenant.filter(is_plain).map(|tenant| issuer.replace(&place, tenant))
}

fn part<T: DeserializeOwned>(encoded: &str) -> Result<T, Forged> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Forged::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Forged::Malformed)
}

//! Is a request really from the Mattermost server?
//!
//! With `use_jwt` in its manifest an App gets `Mattermost-App-Authorization: Bearer <jwt>` with every
//! call: JWS compact (RFC 7515), HS256 with the App's secret, the one claim that matters being `exp`.

use http::HeaderMap;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use tessera_types::JwtSecret;

/// The header that carries the JWT. It is not `Authorization`, so that a proxy in between may use that.
pub const JWT_HEADER: &str = "Mattermost-App-Authorization";

/// What the JWT says. `exp` is checked and not kept.
#[derive(serde::Deserialize)]
struct Claims {}

pub(crate) struct Verifier {
    key: DecodingKey,
    rules: Validation,
}

impl Verifier {
    pub(crate) fn new(secret: &JwtSecret) -> Self {
        // HS256 and nothing else: a token does not choose how it is checked. `exp` is required.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp"]);
        // The server gives 15 minutes, which is leeway enough for any clock.
        rules.leeway = 0;
        Self { key: DecodingKey::from_secret(secret.expose().as_bytes()), rules }
    }

    /// The library compares the signature in constant time.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let mut values = headers.get_all(JWT_HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err("exactly one Mattermost-App-Authorization header is needed: is use_jwt on in the \
                        manifest that was installed?");
        };
        let value = value.to_str().map_err(|_| "the Mattermost-App-Authorization header is not text")?;
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err("the Mattermost-App-Authorization header is not of the form Bearer <jwt>");
        }
        match decode::<Claims>(token.trim(), &self.key, &self.rules) {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.kind() {
                ErrorKind::ExpiredSignature => "the JWT has expired",
                ErrorKind::MissingRequiredClaim(_) => "the JWT has no exp",
                ErrorKind::InvalidSignature => {
                    "the JWT is signed with another secret than this App's: use the one given at installation"
                }
                ErrorKind::InvalidAlgorithm => "the JWT is not signed with HS256",
                _ => "the JWT cannot be read",
            }),
        }
    }
}

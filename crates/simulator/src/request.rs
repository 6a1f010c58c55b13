//! An authorization request, checked before anyone is asked anything (RFC 6749 §4.1.1).

use url::Url;

use crate::clients::{Clients, Registration};
use crate::error::AuthorizeError;
use crate::params::{Params, Repeated};
use crate::pkce::Challenge;
use crate::scope::Scope;

/// A request that may be shown to a person.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) back: Back,
    pub(crate) scope: Scope,
    pub(crate) challenge: Option<Challenge>,
    /// Whether a refresh token is wanted: always, unless the client says `access_type=online`.
    pub(crate) offline: bool,
    /// Whether the client asks for consent even from those who gave it before: `prompt=consent`.
    pub(crate) consent_again: bool,
    /// What the id_token must bring back (OpenID Connect Core §3.1.2.1).
    pub(crate) nonce: Option<String>,
}

/// The way back to the client: a redirect URI that is registered for it, and its state.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    /// Exactly as registered; the token request must repeat it.
    pub(crate) redirect_uri: String,
    url: Url,
    state: Option<String>,
}

impl Back {
    /// The redirect URI with `answer`, the state and the issuer (RFC 9207), if it is to be named, added to its query.
    pub(crate) fn with(&self, answer: &[(&str, &str)], issuer: Option<&str>) -> Url {
        let mut url = self.url.clone();
        let mut query = url.query_pairs_mut();
        query.extend_pairs(answer);
        query.extend_pairs(self.state.as_deref().map(|state| ("state", state)));
        query.extend_pairs(issuer.map(|issuer| ("iss", issuer)));
        drop(query);
        url
    }

    /// What the consent page's policy must allow the browser to be sent on to: an origin, or where that cannot be
    /// written as a CSP source (an IPv6 host, a separator in a name, a scheme of one's own) the whole scheme.
    pub(crate) fn csp_source(&self) -> String {
        let origin = self.url.origin();
        let origin = origin.is_tuple().then(|| origin.ascii_serialization());
        origin
            .filter(|text| !text.contains(['[', ';', ',', '\'', '"', '*']))
            .unwrap_or_else(|| format!("{}:", self.url.scheme()))
    }

    /// Where the person will be sent, short enough to be read.
    pub(crate) fn place(&self) -> &str {
        self.url.host_str().unwrap_or(self.url.scheme())
    }
}

impl AuthorizationRequest {
    /// Checks a request. Until client and redirect URI are known to belong together every fault is for the person
    /// alone; only then is there somewhere to send an error to (RFC 6749 §4.1.2.1).
    pub(crate) fn check(
        params: &Params,
        clients: &Clients,
        pkce_ignored: bool,
    ) -> Result<Self, AuthorizeError> {
        let page = |Repeated(name)| AuthorizeError::RepeatedOnPage(name);
        let client_id = params.get("client_id").map_err(page)?.ok_or(AuthorizeError::UnknownClient)?;
        let redirect_uri = params.get("redirect_uri").map_err(page)?;
        let redirect_uri = redirect_uri.ok_or(AuthorizeError::UnknownRedirect)?;
        match clients.registration(client_id, redirect_uri) {
            Registration::UnknownClient => return Err(AuthorizeError::UnknownClient),
            Registration::UnknownRedirect => return Err(AuthorizeError::UnknownRedirect),
            Registration::Registered => {}
        }
        let url = Url::parse(redirect_uri).ok().filter(|url| url.fragment().is_none());
        let url = url.ok_or(AuthorizeError::UnusableRedirect)?;

        let state = params.get("state");
        let back = Back {
            redirect_uri: redirect_uri.to_owned(),
            url,
            state: state.ok().flatten().map(str::to_owned),
        };
        let refuse = |error, why: String| AuthorizeError::Back {
            back: Box::new(back.clone()),
            client_id: client_id.to_owned(),
            error,
            why,
        };
        let twice = |Repeated(name)| refuse("invalid_request", format!("{name} came more than once"));
        state.map_err(twice)?;
        match params.get("response_type").map_err(twice)? {
            Some("code") => {}
            None => return Err(refuse("invalid_request", "response_type is missing".into())),
            Some(_) => {
                return Err(refuse(
                    "unsupported_response_type",
                    "only response_type=code is known here".into(),
                ));
            }
        }
        let scope = params.get("scope").map_err(twice)?.and_then(Scope::parse);
        let scope = scope.ok_or_else(|| refuse("invalid_scope", "scope is missing or malformed".into()))?;
        let challenge = params.get("code_challenge").map_err(twice)?;
        let method = params.get("code_challenge_method").map_err(twice)?;
        let challenge = match (challenge, method) {
            _ if pkce_ignored => None,
            (None, None) => None,
            (Some(text), Some("S256")) => Some(Challenge::parse(text).ok_or_else(|| {
                refuse("invalid_request", "code_challenge is no base64url of a SHA-256 digest".into())
            })?),
            (Some(_), _) => {
                return Err(refuse("invalid_request", "code_challenge_method must be S256".into()));
            }
            (None, Some(_)) => return Err(refuse("invalid_request", "code_challenge is missing".into())),
        };
        let offline = params.get("access_type").map_err(twice)? != Some("online");
        let consent_again =
            params.get("prompt").map_err(twice)?.is_some_and(|prompt| prompt.contains("consent"));
        let nonce = params.get("nonce").map_err(twice)?.map(str::to_owned);
        Ok(Self { client_id: client_id.to_owned(), back, scope, challenge, offline, consent_again, nonce })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_an_origin_or_only_its_scheme() {
        for (redirect_uri, source) in [
            ("http://localhost:8065/a?b", "http://localhost:8065"),
            ("https://app.example/", "https://app.example"),
            ("http://[::1]:8065/", "http:"),
            ("http://a;script-src/", "http:"),
            ("my.app:/done", "my.app:"),
        ] {
            let url = Url::parse(redirect_uri).unwrap();
            let back = Back { redirect_uri: redirect_uri.to_owned(), url, state: None };
            assert_eq!(back.csp_source(), source);
        }
    }
}

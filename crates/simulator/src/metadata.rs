//! Authorization server metadata (RFC 8414), which is also OpenID Connect's (Discovery §3).

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::pages::json_reply;
use crate::positions::{Iss, SecretPlace};
use crate::scope::Scope;
use crate::simulator::Simulator;

/// `GET /.well-known/oauth-authorization-server`, `GET /.well-known/openid-configuration`.
pub(crate) async fn metadata(State(simulator): State<Simulator>, headers: HeaderMap) -> Response {
    let issuer = simulator.issuer(&headers);
    let (place, iss, signs) = {
        let provider = simulator.lock();
        (provider.behaviour.secret_place, provider.behaviour.iss, provider.clients.any_signs())
    };
    let mut client_auth = match place {
        SecretPlace::Basic => vec!["client_secret_basic"],
        SecretPlace::Body => vec!["client_secret_post"],
        SecretPlace::Either | SecretPlace::Any => vec!["client_secret_basic", "client_secret_post"],
    };
    if signs {
        client_auth.push("private_key_jwt");
    }
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "device_authorization_endpoint": format!("{issuer}/device_authorization"),
        "jwks_uri": format!("{issuer}/jwks"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "scopes_supported": Scope::known().collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "token_endpoint_auth_methods_supported": client_auth,
        "revocation_endpoint_auth_methods_supported": client_auth,
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": iss != Iss::Unsupported,
    });
    json_reply(StatusCode::OK, &document)
}

//! PKCE, as versions from 11.2 on ask for it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;

fn fits(text: &str, more: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
}

/// Whether a request may be made with this challenge; it need not have one.
pub(super) fn check_request(challenge: &str, method: &str) -> Result<(), Refusal> {
    let wrong = |id| Err(Refusal::new(400, id));
    match (challenge, method) {
        ("", "") => Ok(()),
        ("", _) => wrong("model.authorize.is_valid.code_challenge.app_error"),
        (_, "") => wrong("model.authorize.is_valid.code_challenge_method.app_error"),
        (_, method) if method != "S256" => {
            wrong("model.authorize.is_valid.code_challenge_method.unsupported.app_error")
        }
        _ if !(43..=128).contains(&challenge.len()) => {
            wrong("model.authorize.is_valid.code_challenge.length.app_error")
        }
        _ if !fits(challenge, b"-_") => wrong("model.authorize.is_valid.code_challenge.format.app_error"),
        _ => Ok(()),
    }
}

/// Whether a code with this challenge may be exchanged with this verifier.
pub(super) fn check_exchange(challenge: &str, verifier: &str, is_public: bool) -> Result<(), Refusal> {
    let wrong = |id| Err(Refusal::new(400, id));
    match (challenge, verifier) {
        ("", _) if is_public => wrong("model.authorize.validate_pkce.public_client_required.app_error"),
        ("", "") => Ok(()),
        ("", _) => wrong("model.authorize.validate_pkce.not_used_in_auth.app_error"),
        (_, "") => wrong("model.authorize.validate_pkce.verifier_required.app_error"),
        _ if (43..=128).contains(&verifier.len())
            && fits(verifier, b"-._~")
            && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == challenge =>
        {
            Ok(())
        }
        _ => wrong("model.authorize.validate_pkce.verification_failed.app_error"),
    }
}

//! What the answer to a code that cannot exist says about the client that asked.

use super::failure::{Class, Failure};
use super::reply::Tokens;

/// What a provider thinks of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It knows the client and minds nothing but the code. A provider that looks at the code first says this of any
    /// client: it is no proof.
    Accepted,
    /// It refuses the client: id, secret or key are wrong, or it may not do this.
    Refused {
        /// The provider's code.
        code: String,
    },
    /// It minds the redirect URI, which must be registered there to the letter; of the secret it says nothing.
    Redirect {
        /// The provider's code.
        code: String,
    },
    /// Nothing about the client: it is out of reach, or minds the request itself.
    Unclear {
        /// The provider's code, or ours.
        code: String,
    },
}

/// Codes of requests that were wrong in themselves, although only an administrator can mend them.
const NOT_THE_CLIENT: [&str; 6] = [
    "invalid_request",
    "invalid_target",
    "unsupported_grant_type",
    "unsupported_response_type",
    "address_not_allowed",
    "certificate_not_trusted",
];

/// Reads what came of [`Provider::probe`](super::Provider::probe).
pub fn verdict(outcome: &Result<Tokens, Failure>) -> Probe {
    let Err(failure) = outcome else {
        // Whoever swaps a code that nobody gave says nothing that could be relied on.
        return Probe::Unclear { code: "unknown_code_accepted".to_owned() };
    };
    verdict_of(failure)
}

fn verdict_of(failure: &Failure) -> Probe {
    let code = failure.code.clone();
    match failure.class {
        _ if ["redirect_uri_mismatch", "bad_redirect_uri"].contains(&code.as_str()) => {
            Probe::Redirect { code }
        }
        Class::Terminal => Probe::Accepted,
        // A bare 401 is about the client (RFC 6749 section 5.2); a bare 404 or a redirect is about the address.
        Class::Operator if code == "http_401" => Probe::Refused { code },
        Class::Operator if code.starts_with("http_") => Probe::Unclear { code },
        Class::Operator if NOT_THE_CLIENT.contains(&code.as_str()) => Probe::Unclear { code },
        Class::Operator => Probe::Refused { code },
        Class::Transient | Class::User => Probe::Unclear { code },
    }
}

/// Whether a refusal is about the client itself, and so stands for all of its grants; other operators' faults may be one
/// request's.
pub fn refuses_client(failure: &Failure) -> bool {
    matches!(verdict_of(failure), Probe::Refused { .. })
}

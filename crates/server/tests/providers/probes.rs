//! What an answer to a code that cannot exist says about a client.

use http::{HeaderMap, StatusCode};
use tessera_server::providers::{Catalogue, Probe, read, verdict};

type Kind = fn(String) -> Probe;

#[test]
fn an_answer_is_about_the_client_about_the_redirect_or_about_nothing() {
    use Probe::{Accepted, Redirect, Refused, Unclear};
    let catalogue = Catalogue::bundled().unwrap();
    let accepted = |_: String| Accepted;
    let refused = |code| Refused { code };
    let redirect = |code| Redirect { code };
    let unclear = |code| Unclear { code };
    let table: [(&str, u16, &str, Kind, &str); 19] = [
        ("google", 400, r#"{"error":"invalid_grant"}"#, accepted, ""),
        ("atlassian", 403, r#"{"error":"invalid_grant"}"#, accepted, ""),
        ("github", 200, r#"{"error":"bad_verification_code"}"#, accepted, ""),
        ("slack", 200, r#"{"ok":false,"error":"invalid_code"}"#, accepted, ""),
        ("google", 401, r#"{"error":"invalid_client"}"#, refused, "invalid_client"),
        ("google", 401, "", refused, "http_401"),
        ("google", 400, r#"{"error":"deleted_client"}"#, refused, "deleted_client"),
        ("google", 400, r#"{"error":"unauthorized_client"}"#, refused, "unauthorized_client"),
        (
            "github",
            200,
            r#"{"error":"incorrect_client_credentials"}"#,
            refused,
            "incorrect_client_credentials",
        ),
        ("slack", 200, r#"{"ok":false,"error":"bad_client_secret"}"#, refused, "bad_client_secret"),
        ("github", 200, r#"{"error":"redirect_uri_mismatch"}"#, redirect, "redirect_uri_mismatch"),
        ("slack", 200, r#"{"ok":false,"error":"bad_redirect_uri"}"#, redirect, "bad_redirect_uri"),
        ("google", 400, r#"{"error":"invalid_request"}"#, unclear, "invalid_request"),
        ("google", 400, r#"{"error":"unsupported_grant_type"}"#, unclear, "unsupported_grant_type"),
        ("google", 404, "<html>", unclear, "http_404"),
        ("google", 302, "", unclear, "http_302"),
        ("google", 503, r#"{"error":"invalid_client"}"#, unclear, "invalid_client"),
        ("google", 400, r#"{"error":"teapot"}"#, unclear, "teapot"),
        ("google", 200, r#"{"access_token":"a"}"#, unclear, "unknown_code_accepted"),
    ];
    for (name, status, body, kind, code) in table {
        let (provider, status) = (catalogue.get(name).unwrap(), StatusCode::from_u16(status).unwrap());
        let outcome = read(&provider, status, &HeaderMap::new(), body.as_bytes(), 0);
        assert_eq!(verdict(&outcome), kind(code.to_owned()), "{name} {status} {body}");
    }
}

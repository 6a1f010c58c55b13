//! What refusals mean: real shapes, by status, code and headers, and never by the words beside them.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tessera_server::providers::{Catalogue, Class, Failure, read};

use Class::{Operator, Terminal, Transient, User};

/// 2026-11-25 10:26:40 UTC.
const SENT: i64 = 1_795_602_400_000;

fn failure(provider: &str, status: u16, retry_after: &str, body: &str) -> Failure {
    let descriptor = Catalogue::bundled().unwrap().get(provider).unwrap();
    let mut headers = HeaderMap::new();
    if !retry_after.is_empty() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
    }
    let status = StatusCode::from_u16(status).unwrap();
    read(&descriptor, status, &headers, body.as_bytes(), SENT).unwrap_err()
}

const SHAPES: &[(&str, u16, &str, Class)] = &[
    ("google", 400, r#"{"error":"invalid_grant","error_description":"Bad Request"}"#, Terminal),
    (
        "google",
        400,
        r#"{"error":"invalid_grant","error_description":"temporarily unavailable, try again"}"#,
        Terminal,
    ),
    ("google", 401, r#"{"error":"invalid_client","error_description":"Unauthorized"}"#, Operator),
    ("google", 400, r#"{"error":"redirect_uri_mismatch","error_description":"Bad Request"}"#, Operator),
    ("google", 400, r#"{"error":"unauthorized_client","error_description":"Unauthorized"}"#, Operator),
    ("google", 400, r#"{"error":"unsupported_grant_type"}"#, Operator),
    ("google", 400, r#"{"error":"admin_policy_enforced"}"#, User),
    ("google", 403, r#"{"error":"org_internal"}"#, Operator),
    ("google", 500, r#"{"error":"internal_failure"}"#, Transient),
    ("google", 403, r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"x"}}"#, Transient),
    ("microsoft", 400, r#"{"error":"invalid_grant","error_codes":[50173],"suberror":"bad_token"}"#, Terminal),
    ("microsoft", 400, r#"{"error":"interaction_required","error_codes":[50079]}"#, User),
    ("microsoft", 400, r#"{"error":"consent_required","error_codes":[65001]}"#, User),
    ("microsoft", 400, r#"{"error":"login_required","error_codes":[50058]}"#, User),
    ("microsoft", 400, r#"{"error":"invalid_scope","error_codes":[70011]}"#, User),
    ("microsoft", 400, r#"{"error":"invalid_resource","error_codes":[50001]}"#, Operator),
    ("microsoft", 400, r#"{"error":"invalid_request","error_codes":[90014]}"#, Operator),
    ("microsoft", 503, r#"{"error":"temporarily_unavailable"}"#, Transient),
    ("microsoft", 429, r#"{"error":"invalid_grant"}"#, Transient),
    ("github", 200, r#"{"error":"bad_verification_code"}"#, Terminal),
    ("github", 200, "error=bad_refresh_token&error_description=x", Terminal),
    ("github", 200, r#"{"error":"incorrect_client_credentials"}"#, Operator),
    ("github", 200, r#"{"error":"redirect_uri_mismatch"}"#, Operator),
    ("github", 200, r#"{"error":"application_suspended"}"#, Operator),
    ("github", 200, r#"{"error":"unverified_user_email"}"#, User),
    ("github", 404, r#"{"message":"Not Found","documentation_url":"x"}"#, Operator),
    ("github", 200, r#"{"error":"authorization_pending"}"#, Transient),
    ("github", 200, r#"{"error":"slow_down","interval":10}"#, Transient),
    ("github", 200, r#"{"error":"expired_token"}"#, Terminal),
    ("slack", 200, r#"{"ok":false,"error":"invalid_refresh_token"}"#, Terminal),
    ("slack", 200, r#"{"ok":false,"error":"token_revoked"}"#, Terminal),
    ("slack", 200, r#"{"ok":false,"error":"token_expired"}"#, Terminal),
    ("slack", 200, r#"{"ok":false,"error":"account_inactive"}"#, Terminal),
    ("slack", 200, r#"{"ok":false,"error":"code_already_used"}"#, Terminal),
    ("slack", 200, r#"{"ok":false,"error":"bad_redirect_uri"}"#, Operator),
    ("slack", 200, r#"{"ok":false,"error":"invalid_client_id"}"#, Operator),
    ("slack", 200, r#"{"ok":false,"error":"missing_scope"}"#, User),
    ("slack", 200, r#"{"ok":false,"error":"internal_error"}"#, Transient),
    ("slack", 200, r#"{"ok":false,"error":"fatal_error"}"#, Transient),
    ("slack", 200, r#"{"ok":false,"error":"service_unavailable"}"#, Transient),
    ("slack", 200, r#"{"ok":false}"#, Transient),
    ("atlassian", 403, r#"{"error":"invalid_grant"}"#, Terminal),
    ("atlassian", 401, r#"{"error":"access_denied"}"#, Operator),
    ("salesforce", 400, r#"{"error":"inactive_org"}"#, Terminal),
    ("salesforce", 400, r#"{"error":"rate_limit_exceeded"}"#, Transient),
    ("zoom", 400, r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#, Terminal),
    ("zoom", 401, r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#, Operator),
    ("gitlab", 401, r#"{"error":"invalid_client"}"#, Operator),
    ("gitlab", 502, "<html><body>GitLab is not responding</body></html>", Transient),
    ("linear", 401, "", Operator),
    ("notion", 400, r#"{"error":"invalid_grant"}"#, Terminal),
    ("hubspot", 400, r#"{"status":"BAD_REFRESH_TOKEN","message":"x"}"#, Transient),
    ("box", 400, r#"{"error":"invalid_grant","error_description":"Refresh token has expired"}"#, Terminal),
    (
        "discord",
        429,
        r#"{"message":"You are being rate limited.","retry_after":0.5,"global":false}"#,
        Transient,
    ),
    ("dropbox", 302, "", Operator),
    ("zendesk", 408, "", Transient),
    ("zendesk", 425, "", Transient),
    ("zendesk", 403, "<html>Access denied by the edge</html>", Transient),
    ("asana", 400, r#"{"error":"something_new_tomorrow"}"#, Transient),
];

#[test]
fn real_refusals_are_told_apart_by_code() {
    assert!(SHAPES.len() >= 40);
    for (provider, status, body, class) in SHAPES {
        let seen = failure(provider, *status, "", body);
        assert_eq!(seen.class, *class, "{provider} {status} {body}: {seen:?}");
        assert_eq!(seen.status, *status);
    }
}

#[test]
fn a_code_that_nobody_knows_kills_no_grant() {
    for status in [200, 400, 401, 403, 422] {
        assert_eq!(failure("asana", status, "", r#"{"error":"teapot"}"#).class, Transient, "{status}");
    }
}

/// A refresh token may be spent behind a gateway that lost the reply; who names a code knows that it is not.
#[test]
fn a_gateways_word_leaves_open_whether_it_was_done() {
    for (status, body, unknown) in [
        (500, "", true),
        (502, "<html>Bad Gateway</html>", true),
        (504, "", true),
        (500, r#"{"error":"server_error"}"#, false),
        (503, "<html>Down for maintenance</html>", false),
        (429, "", false),
        (400, r#"{"error":"invalid_grant"}"#, false),
    ] {
        assert_eq!(failure("zoom", status, "", body).outcome_unknown, unknown, "{status} {body}");
    }
}

#[test]
fn how_long_to_wait_is_said_in_seconds_or_as_a_date() {
    for (text, expected) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("Wed, 25 Nov 2026 10:27:40 GMT", Some(60)),
        ("Wed, 25 Nov 2026 10:00:00 GMT", Some(0)),
        ("99999999999", Some(86_400)),
        ("soon", None),
        ("-5", None),
        ("", None),
    ] {
        let seen = failure("google", 429, text, r#"{"error":"rate_limited"}"#).retry_after;
        assert_eq!(seen, expected.map(Duration::from_secs), "{text:?}");
    }
}

//! How token replies are read, whatever they look like.

use http::{HeaderMap, StatusCode};
use tessera_server::providers::{Class, Descriptor, Expiry, Failure, Tokens, read};

const SENT: i64 = 1_795_600_000_000;

fn descriptor(reply: &str) -> Descriptor {
    let text = format!(
        "name = 'x'\ndisplay_name = 'X'\nauthorize_url = 'https://x/a'\ntoken_url = 'https://x/t'\n[reply]\n{reply}"
    );
    Descriptor::read(&text).unwrap()
}

fn reading(reply: &str, body: impl AsRef<[u8]>) -> Result<Tokens, Failure> {
    read(&descriptor(reply), StatusCode::OK, &HeaderMap::new(), body.as_ref(), SENT)
}

fn good(body: impl AsRef<[u8]>) -> Tokens {
    reading("", body).unwrap()
}

#[test]
fn forms_and_json_are_told_apart_by_what_they_are() {
    let form = good("access_token=a%2Fb&token_type=bearer&expires_in=60&refresh_token=r&scope=x%2Cy");
    assert_eq!(form.access_token.expose(), "a/b");
    assert_eq!((form.expiry, form.refresh_token.unwrap().expose()), (Expiry::At(SENT + 60_000), "r"));
    assert_eq!(form.scopes.unwrap(), ["x", "y"]);
    let padded = [b"\xef\xbb\xbf \n".as_slice(), br#"{"access_token":"a"}"#, b"\n\0\0"].concat();
    assert_eq!(good(padded).access_token.expose(), "a");
    for body in
        ["", "<html>access_token=x</html>", "[]", "\"access_token=x\"", "Sorry, try a=b later", "{", "\u{0}"]
    {
        let failure = reading("", body).unwrap_err();
        assert_eq!((failure.class, failure.outcome_unknown), (Class::Transient, true), "{body:?}");
    }
    let deep = format!("{{\"access_token\":\"a\",\"x\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(reading("", deep).unwrap_err().code, "unreadable_reply");
}

#[test]
fn a_code_may_stand_elsewhere_than_under_error() {
    let refusal = br#"{"id":"api.oauth.refused","message":"no","status_code":404}"#;
    let told = |reply: &str| {
        read(&descriptor(reply), StatusCode::NOT_FOUND, &HeaderMap::new(), refusal, SENT).unwrap_err()
    };
    assert_eq!((told("").class, told("").code.as_str()), (Class::Operator, "http_404"));
    let named = told("code = 'id'\n[errors]\n'api.oauth.refused' = 'terminal'");
    assert_eq!((named.class, named.code.as_str()), (Class::Terminal, "api.oauth.refused"));
}

#[test]
fn a_life_is_read_however_it_is_written_and_nonsense_costs_no_token() {
    let life = |text: &str| {
        let tokens = good(format!("{{\"access_token\":\"a\",\"refresh_token\":\"r\",{text}}}"));
        assert_eq!(tokens.refresh_token.unwrap().expose(), "r", "{text}");
        tokens.expiry
    };
    let at = |seconds: i64| Expiry::At(SENT + seconds * 1000);
    for (text, expiry) in [
        ("\"expires_in\":3600", at(3600)),
        ("\"expires_in\":3600.0", at(3600)),
        ("\"expires_in\":\"3600\"", at(3600)),
        ("\"expires_in\":\" 3600 \"", at(3600)),
        ("\"expires_in\":\"\"", Expiry::Unknown),
        ("\"expires_in\":null", Expiry::Unknown),
        ("\"expires_in\":0", Expiry::Unknown),
        ("\"expires_in\":-5", Expiry::Unknown),
        ("\"expires_in\":1e300", Expiry::Unknown),
        ("\"expires_in\":99999999999999999999", Expiry::Unknown),
        ("\"expires_in\":{\"a\":1}", Expiry::Unknown),
        ("\"expires_in\":true", Expiry::Unknown),
        ("\"expires_in\":\"NaN\"", Expiry::Unknown),
        ("\"expires_at\":1795600060", at(60)),
        ("\"expires_at\":1795600060000", at(60)),
        ("\"expires_on\":\"1795600060\"", at(60)),
        ("\"expires_in\":60,\"expires_in\":120", at(120)),
    ] {
        assert_eq!(life(text), expiry, "{text}");
    }
    let ruled =
        |rules: &str, text: &str| reading(rules, format!("{{\"access_token\":\"a\"{text}}}")).unwrap().expiry;
    assert_eq!(ruled("zero_is_forever = true", ",\"expires_in\":0"), Expiry::Never);
    assert_eq!(ruled("silent_is_forever = true", ""), Expiry::Never);
    assert_eq!(ruled("default_ttl = 60", ""), at(60));
    assert_eq!(ruled("default_ttl = 60", ",\"expires_in\":-1"), at(60));
    assert_eq!(ruled("default_ttl = 60", ",\"expires_in\":30"), at(30));
}

#[test]
fn scopes_are_text_or_a_list_and_silence_means_as_asked() {
    let scopes = |text: &str| good(format!("{{\"access_token\":\"a\"{text}}}")).scopes;
    for (text, expected) in [
        (",\"scope\":\"a b\"", Some(vec!["a", "b"])),
        (",\"scope\":\"a,b\"", Some(vec!["a", "b"])),
        (",\"scope\":\"a+b\"", Some(vec!["a", "b"])),
        (",\"scope\":[\"a\",\"b\"]", Some(vec!["a", "b"])),
        (",\"scopes\":\"a\"", Some(vec!["a"])),
        (",\"scope\":[]", Some(vec![])),
        (",\"scope\":\"\"", None),
        (",\"scope\":null", None),
        ("", None),
    ] {
        let expected =
            expected.map(|list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(scopes(text), expected, "{text}");
    }
}

#[test]
fn what_else_came_is_kept_without_a_second_copy_of_a_token() {
    let body = r#"{"access_token":"at-1","refresh_token":"rt-1","id_token":"id-1","realmId":"42",
        "n":12345678901234567890,"authed_user":{"id":"U1","access_token":"at-2","refresh_token":"rt-2"}}"#;
    let tokens = reading("within = 'authed_user'", body).unwrap();
    assert_eq!(
        (tokens.access_token.expose(), tokens.id_token.unwrap().expose().to_owned()),
        ("at-2", "id-1".to_owned())
    );
    let extra = serde_json::to_string(&tokens.extra).unwrap();
    assert_eq!(extra, r#"{"authed_user":{"id":"U1"},"n":12345678901234567890,"realmId":"42"}"#);
}

#[test]
fn a_token_of_16_kb_is_read_and_one_that_is_bound_to_a_key_is_not() {
    let long = "x".repeat(16 << 10);
    assert_eq!(good(format!("{{\"access_token\":\"{long}\"}}")).access_token.expose(), long);
    for kind in ["DPoP", "dpop", "mac"] {
        let failure =
            reading("", format!("{{\"access_token\":\"a\",\"token_type\":\"{kind}\"}}")).unwrap_err();
        assert_eq!(failure.code, "unsupported_token_type");
    }
    let tokens = good(r#"{"access_token":"a","token_type":"BEARER","refresh_token":"","id_token":7}"#);
    assert!(tokens.refresh_token.is_none() && tokens.id_token.is_none());
}

#[test]
fn os_51_nothing_secret_is_in_debug_or_in_a_failure() {
    let shown = format!(
        "{:?}",
        good(r#"{"access_token":"canary-1","refresh_token":"canary-2","id_token":"canary-3"}"#)
    );
    assert!(!shown.contains("canary"), "{shown}");
    let failure = reading("", r#"{"error":"invalid_grant\nx","error_description":"canary"}"#).unwrap_err();
    assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    assert_eq!(failure.code, "invalid_grantx");
}

/// Bytes changed one at a time, and cut off at each place: never a panic, and never a token that did not come.
#[test]
fn no_bytes_make_it_panic() {
    let whole = br#"{"access_token":"at","expires_in":"3600","scope":["a"],"authed_user":{"access_token":"b"},"error":""}"#;
    let rules = descriptor("within = 'authed_user'");
    let mut read_as_tokens = 0;
    for at in 0..whole.len() {
        for byte in [0, b'"', b'{', b'[', b'=', b'&', b'\\', b'9', 0xff] {
            let mut bytes = whole.to_vec();
            bytes[at] = byte;
            read_as_tokens +=
                usize::from(read(&rules, StatusCode::OK, &HeaderMap::new(), &bytes, SENT).is_ok());
        }
        assert!(read(&rules, StatusCode::OK, &HeaderMap::new(), &whole[..at], SENT).is_err());
    }
    assert!(read_as_tokens > 100, "only {read_as_tokens}: do the changes still reach the reader?");
}

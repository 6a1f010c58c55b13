//! Settings from the environment.

use std::collections::HashMap;

use hello_oauth2::{ClientAuth, Settings, SettingsError};

fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let pairs: HashMap<_, _> = pairs.iter().copied().collect();
    Settings::from_env(|name| pairs.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn the_default_is_google_with_the_three_scopes_of_the_page() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.provider.name, "Google");
    assert_eq!(settings.provider.authorize_url.host_str(), Some("accounts.google.com"));
    assert_eq!(
        settings.provider.scopes,
        [
            "https://www.googleapis.com/auth/calendar",
            "https://www.googleapis.com/auth/userinfo.profile",
            "https://www.googleapis.com/auth/userinfo.email",
        ]
    );
    assert_eq!(settings.root_url.as_str(), "http://127.0.0.1:4000/");
}

#[test]
fn another_provider_needs_all_three_urls() {
    let urls = [
        ("HELLO_OAUTH2_AUTHORIZE_URL", "https://idp.example/authorize"),
        ("HELLO_OAUTH2_TOKEN_URL", "https://idp.example/token"),
        ("HELLO_OAUTH2_CALENDAR_URL", "https://idp.example/calendars"),
    ];
    let settings = read(&urls).unwrap();
    assert_eq!(settings.provider.token_url.as_str(), "https://idp.example/token");
    assert!(settings.provider.authorize_params.is_empty());
    let error = read(&urls[..2]).unwrap_err().to_string();
    assert_eq!(error, "HELLO_OAUTH2_CALENDAR_URL: is needed with another provider than Google");
}

#[test]
fn the_rest_can_be_set_and_an_error_names_the_variable() {
    let settings = read(&[
        ("HELLO_OAUTH2_SCOPES", " read  write "),
        ("HELLO_OAUTH2_LISTEN", "127.0.0.1:9"),
        ("HELLO_OAUTH2_CLIENT_AUTH", "form"),
        ("HELLO_OAUTH2_JWT_SECRET", "canary"),
        ("HELLO_OAUTH2_AUTHORIZE_PARAMS", "audience=a%20b"),
        ("HELLO_OAUTH2_ISSUER", "https://idp.example/a"),
        ("HELLO_OAUTH2_REVOKE_URL", "https://idp.example/revoke"),
    ])
    .unwrap();
    assert_eq!(settings.provider.scopes, ["read", "write"]);
    assert_eq!(settings.root_url.as_str(), "http://127.0.0.1:9/");
    assert_eq!(settings.provider.client_auth, ClientAuth::Form);
    assert_eq!(settings.provider.authorize_params, [("audience".to_owned(), "a b".to_owned())]);
    assert_eq!(settings.provider.issuer.as_deref(), Some("https://idp.example/a"));
    assert_eq!(settings.provider.revoke_url.as_ref().unwrap().as_str(), "https://idp.example/revoke");
    assert!(!format!("{settings:?}").contains("canary"));

    for (name, value) in [
        ("HELLO_OAUTH2_LISTEN", "4000"),
        ("HELLO_OAUTH2_ROOT_URL", "ftp://x"),
        ("HELLO_OAUTH2_TOKEN_URL", "nonsense"),
        ("HELLO_OAUTH2_CLIENT_AUTH", "digest"),
        ("HELLO_OAUTH2_REVOKE_URL", "/revoke"),
    ] {
        let error = read(&[(name, value)]).unwrap_err().to_string();
        let expected = if name == "HELLO_OAUTH2_TOKEN_URL" { "HELLO_OAUTH2_" } else { name };
        assert!(error.starts_with(expected), "{error}");
    }
}

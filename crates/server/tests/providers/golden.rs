//! For each complete provider: the requests as they go out and what its recorded replies are read as, in a file each.
//! A change is looked at, then accepted with `TESSERA_UPDATE_GOLDEN=1`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use tessera_server::providers::{
    Asking, Catalogue, Client, Expiry, Outgoing, Provider, Tokens, Verifier, read,
};
use tessera_types::{AccessToken, AuthorizationCode, ClientSecret, RefreshToken};
use url::Url;

use crate::still;

/// The providers that are marked as verified, but for the generic one, which has no endpoints of its own.
const COMPLETE: [&str; 10] = [
    "atlassian",
    "github",
    "gitlab",
    "google",
    "linear",
    "microsoft",
    "notion",
    "salesforce",
    "slack",
    "zoom",
];

/// When every request was sent.
const SENT: i64 = 1_795_600_000_000;

#[derive(Deserialize)]
struct Recorded {
    reply: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    about: String,
    status: u16,
    content_type: String,
    #[serde(default)]
    retry_after: Option<String>,
    body: String,
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/providers").join(path)
}

#[test]
fn each_complete_provider_is_spoken_to_as_its_golden_file_says() {
    let catalogue = Catalogue::bundled().unwrap();
    let verified: Vec<&str> = catalogue
        .all()
        .filter(|one| one.verified && one.name != "oidc")
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(verified, COMPLETE, "whoever is verified has a golden file");
    for name in COMPLETE {
        let provider = Provider::new(catalogue.get(name).unwrap(), &BTreeMap::new(), None).unwrap();
        let seen = requests(&provider) + &replies(&provider, name);
        let file = here(&format!("golden/{name}.txt"));
        if std::env::var_os("TESSERA_UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &seen).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            seen, golden,
            "{name}: look at the difference, then accept it with TESSERA_UPDATE_GOLDEN=1"
        );
    }
}

fn requests(provider: &Provider) -> String {
    // An id and a secret with everything that encodings get wrong.
    let secret = ClientSecret::new("s3cr:et%+/ü");
    let (client, env) = (Client::new("the client", &secret), still::env(SENT));
    let redirect =
        Url::parse("https://chat.example.com/plugins/com.mattermost.apps/apps/hello/oauth2/remote/complete")
            .unwrap();
    // RFC 7636 appendix B.
    let verifier = Verifier::of(AccessToken::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    let (access, refresh) = (AccessToken::new("at-1"), RefreshToken::new("rt-1"));
    let code = AuthorizationCode::new("c0de/+=");
    let mut text = String::new();
    let to = provider.authorize_url(Asking {
        client_id: client.id,
        redirect_uri: &redirect,
        state: "st4te.user",
        scopes: &[],
        verifier: &verifier,
    });
    writeln!(text, "== authorize\n{}", shown_url(&to)).unwrap();
    let mut requests = vec![
        ("token", Some(provider.exchange(&env, client, &code, &redirect, &verifier).unwrap())),
        ("refresh", Some(provider.refresh(&env, client, &refresh, &["a".into(), "b".into()]).unwrap())),
        ("revoke", provider.revoke(&env, client, &access, Some(&refresh)).unwrap()),
        ("userinfo", provider.userinfo(&access).unwrap()),
    ];
    if let Some(outgoing) = provider.device(&env, client, &[]).unwrap() {
        requests.push(("device", Some(outgoing)));
        requests.push(("device token", Some(provider.device_token(&env, client, &code).unwrap())));
    }
    let scopes = ["a".into(), "b".into()];
    requests.push(("client credentials", Some(provider.client_credentials(&env, client, &scopes).unwrap())));
    for (what, outgoing) in requests {
        writeln!(text, "\n== {what}\n{}", outgoing.map_or("none".into(), |outgoing| shown(&outgoing)))
            .unwrap();
    }
    text
}

/// An argument a line, as they are written.
fn shown_url(url: &Url) -> String {
    url.as_str().replace('?', "\n  ?").replace('&', "\n  &")
}

fn shown(outgoing: &Outgoing) -> String {
    let mut text = format!("{} {}", outgoing.method, outgoing.url);
    // OS-19: no secret in an address, and never in two places.
    assert!(!outgoing.url.as_str().contains("s3cr"), "{}", outgoing.url);
    let mut headers: Vec<_> = outgoing.headers.iter().collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in &headers {
        write!(text, "\n{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body =
        outgoing.body.as_ref().map(|body| String::from_utf8(body.to_vec()).unwrap()).unwrap_or_default();
    let by_header = outgoing
        .headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"Basic"));
    assert!(!(by_header && body.contains("client_secret")), "the secret is there twice: {text}\n{body}");
    if !body.is_empty() {
        write!(text, "\n\n{}", body.replace('&', "\n&")).unwrap();
    }
    text
}

fn replies(provider: &Provider, name: &str) -> String {
    let file = here(&format!("recorded/{name}.toml"));
    let recorded: Recorded = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut text = String::new();
    let (mut good, mut bad) = (0, 0);
    for reply in recorded.reply {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&reply.content_type).unwrap());
        if let Some(after) = &reply.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(after).unwrap());
        }
        let status = StatusCode::from_u16(reply.status).unwrap();
        let seen = match read(provider.descriptor(), status, &headers, reply.body.as_bytes(), SENT) {
            Ok(tokens) => {
                good += 1;
                told(&tokens)
            }
            Err(failure) => {
                bad += 1;
                format!("refused: {failure:?}")
            }
        };
        write!(text, "\n== reply: {}\n{seen}\n", reply.about).unwrap();
    }
    assert!(good > 0 && bad > 0, "{name} has a success and an error on record");
    text
}

fn told(tokens: &Tokens) -> String {
    let expiry = match tokens.expiry {
        Expiry::At(at) => format!("in {} s", (at - SENT) / 1000),
        other => format!("{other:?}"),
    };
    format!(
        "access_token {}\nrefresh_token {}\ntype {}\nends {expiry}\nscopes {:?}\nid_token {}\nextra {}",
        tokens.access_token.expose(),
        tokens.refresh_token.as_ref().map_or("-", RefreshToken::expose),
        tokens.token_type,
        tokens.scopes,
        tokens.id_token.as_ref().map_or("-", AccessToken::expose),
        serde_json::to_string(&tokens.extra).unwrap(),
    )
}

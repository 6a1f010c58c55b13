//! Descriptors: what comes along, what is refused, and how addresses are filled in.

use std::collections::BTreeMap;
use std::path::Path;

use tessera_server::providers::{Catalogue, Descriptor, Provider};

const GOOD: &str = r#"
name = "tea"
display_name = "Tea"
authorize_url = "https://{host}/authorize"
token_url = "https://{host}/token"

[placeholders.host]
about = "where it is"
form = "host"

[scopes]
default = ["read"]
"#;

fn given(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn provider(values: &[(&str, &str)]) -> Result<Provider, String> {
    let descriptor = Descriptor::read(GOOD).unwrap();
    Provider::new(descriptor.into(), &given(values), None).map_err(|error| error.to_string())
}

#[test]
fn eleven_are_complete_and_fifteen_say_that_they_are_the_communitys() {
    let catalogue = Catalogue::bundled().unwrap();
    let (complete, community): (Vec<_>, Vec<_>) = catalogue.all().partition(|one| one.verified);
    assert_eq!((complete.len(), community.len()), (11, 15));
    for one in complete {
        assert!(one.documentation.is_some(), "{} says where it is documented", one.name);
    }
}

#[test]
fn a_wrong_descriptor_is_refused_with_the_fields_name() {
    let with = |line: &str| GOOD.replace("[placeholders", &format!("{line}\n[placeholders"));
    let table = [
        (with("colour = 1"), "colour", "unknown field"),
        (with("verified = \"yes\""), "verified", "invalid type"),
        (with("client_auth = \"guess\""), "client_auth", "unknown variant"),
        (with("pkce = \"plain\""), "pkce", "unknown variant"),
        (
            with("refresh_params = {client_secret = \"x\"}"),
            "refresh_params.client_secret",
            "written by the service",
        ),
        (
            with("authorize_params = {response_type = \"token\"}"),
            "authorize_params.response_type",
            "only the code flow",
        ),
        (
            with("authorize_params = {response_mode = \"fragment\"}"),
            "authorize_params.response_mode",
            "only `query`",
        ),
        (with("discovery = true"), "issuer", "needed for discovery"),
        (with("userinfo_url = \"ftp://tea.example.com\""), "userinfo_url", "https://"),
        (with("userinfo_url = \"https://{dc}.example.com\""), "userinfo_url", "names {dc}"),
        (with("assertion_audience = \"issuer\""), "assertion_audience", "private_key_jwt"),
        (
            with("client_auth = \"private_key_jwt\"\nassertion_audience = \"us\""),
            "assertion_audience",
            "unknown variant",
        ),
        (
            with(
                "client_auth = \"private_key_jwt\"\nrevoke = {url = \"https://{host}/r\", style = \"delete-json\"}",
            ),
            "revoke.style",
            "client's secret",
        ),
        (with("token_params = {client_assertion = \"x\"}"), "token_params.client_assertion", "the service"),
        (with("authorize_params = {nonce = \"x\"}"), "authorize_params.nonce", "written by the service"),
        (with("device_url = \"ftp://tea.example.com\""), "device_url", "https://"),
        (with("jwks_url = \"https://{dc}.example.com\""), "jwks_url", "names {dc}"),
        (with("id_token_issuer = \"https://{dc}.example.com\""), "id_token_issuer", "names {dc}"),
        (with("issuer = \"https://tea.example.com/{tenantid}\""), "issuer", "names {tenantid}"),
        (
            format!("{GOOD}\n[placeholders.tenantid]\nabout = \"\"\nform = \"label\"\n"),
            "placeholders.tenantid",
            "another name",
        ),
        (with("errors = {teapot = \"hot\"}"), "errors.teapot", "unknown variant"),
        (GOOD.replace("\"tea\"", "\"Tea Time\""), "name", "lower-case"),
        (GOOD.replace("\"Tea\"", "\" \""), "display_name", "is empty"),
        (GOOD.replace("token_url = \"https://{host}/token\"", ""), "token_url", "is needed"),
        (GOOD.replace("form = \"host\"", "form = \"any\""), "placeholders.host.form", "unknown variant"),
        (
            GOOD.replace("form = \"host\"", "form = \"host\"\ndefault = \"a/b\""),
            "placeholders.host.default",
            "must be",
        ),
        (GOOD.replace("[\"read\"]", "[\"read\"]\nseparator = \", \""), "scopes.separator", "character"),
        (GOOD.replace("[\"read\"]", "[\"read\"]\nnone = true"), "scopes.default", "none to ask for"),
    ];
    for (text, field, what) in table {
        let error = Descriptor::read(&text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{field}: ")), "{field}: {error}");
        assert!(error.contains(what), "{what:?}: {error}");
    }
    let error = Descriptor::read("name = \"tea\"\nname = 'tea'\n").unwrap_err().to_string();
    assert!(error.starts_with("line 2, column 1: "), "{error}");
}

#[test]
fn what_is_filled_in_has_its_form() {
    for good in ["id.example.com", "id.example.com:8443", "localhost:9"] {
        assert!(provider(&[("host", good)]).is_ok(), "{good}");
    }
    for bad in
        ["", "a b", "https://x", "x/y", "user@x", "x:y", "x#y", "x?y", "..", "x\r\ny", "ex\u{430}mple.com"]
    {
        let error = provider(&[("host", bad)]).unwrap_err();
        assert!(error.starts_with("host: ") && error.contains("host name"), "{bad}: {error}");
    }
    assert_eq!(provider(&[]).unwrap_err(), "host: must be filled in");
    let error = provider(&[("host", "x"), ("dc", "eu")]).unwrap_err();
    assert_eq!(error, "dc: is not asked for: there is host");
}

#[test]
fn an_administrator_adds_one_and_describes_another_anew() {
    let google = GOOD.replace("\"tea\"", "\"google\"");
    let files = [(Path::new("tea.toml"), GOOD), (Path::new("google.toml"), google.as_str())];
    let catalogue = Catalogue::bundled().unwrap().with_files(files).unwrap();
    assert_eq!(catalogue.get("google").unwrap().display_name, "Tea");
    assert!(!catalogue.get("google").unwrap().verified);
    assert_eq!(catalogue.all().count(), 27);

    let twice = [(Path::new("a.toml"), GOOD), (Path::new("b.toml"), GOOD)];
    let error = Catalogue::bundled().unwrap().with_files(twice).unwrap_err();
    assert_eq!(error.to_string(), "b.toml: the provider \"tea\" is described twice");
    let error = Catalogue::bundled().unwrap().get("gogle").unwrap_err().to_string();
    assert!(error.contains("\"gogle\"") && error.contains("google, "), "{error}");
}

#[test]
fn every_preset_whose_places_are_filled_in_speaks_https() {
    let values =
        given(&[("issuer", "id.example.com"), ("instance", "tea.service-now.com"), ("subdomain", "tea")]);
    for descriptor in Catalogue::bundled().unwrap().all() {
        if descriptor.discovery {
            continue;
        }
        let asked = values.iter().filter(|(name, _)| descriptor.placeholders.contains_key(*name));
        let asked = asked.map(|(name, value)| (name.clone(), value.clone())).collect();
        let provider = Provider::new(descriptor.clone(), &asked, None).unwrap();
        let shown = format!("{provider:?}");
        assert!(!shown.contains("scheme: \"http\""), "{shown}");
    }
}

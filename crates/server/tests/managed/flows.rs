//! Where people are sent and come back to: nobody but the settings decides that.

use std::collections::HashMap;

use serde_json::json;
use tessera_testkit::managed::{APP, CLIENT, Managed, PROVIDER, SECRET, agree, descriptor};
use tessera_testkit::site::flow;
use tessera_testkit::wire::{Answer, Ask, Sent};
use url::Url;

/// Words of a request by which a proxy, or somebody who plays one, says where the site is.
const ELSEWHERE: [(&str, &str); 9] = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Port", "666"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Forwarded-Server", "evil.example"),
    ("X-Original-URL", "https://evil.example/"),
    ("X-Rewrite-URL", "/evil"),
    ("Forwarded", "host=evil.example;proto=https"),
    ("X-Host", "evil.example"),
];

fn arguments(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

fn location(answer: &Answer) -> Url {
    assert_eq!(answer.status, 307, "{}", answer.text());
    Url::parse(answer.header("location").unwrap()).unwrap()
}

#[tokio::test]
async fn os_09_the_redirect_uri_is_of_the_settings_the_same_in_both_requests_and_of_one_app_alone() {
    let stage = Managed::with("").await;
    let site = &stage.cast.site;
    let port = site.address.port();
    let expected = format!("http://localhost:{port}{}", flow(APP, "complete"));
    let begin = Ask::get(flow(APP, "connect")).bearer(&stage.cast.user.token);
    let mut hostile = begin.clone();
    for (name, value) in ELSEWHERE {
        hostile = hostile.with(name, value);
    }
    // Another name of this machine is served in development; it does not become the site's.
    for ask in [begin.clone(), hostile.clone(), hostile.clone().with("Host", format!("127.0.0.1:{port}"))] {
        let to = location(&site.send(&ask).await);
        assert_eq!(arguments(&to)["redirect_uri"], expected);
    }
    let refused = site.send(&begin.with("Host", "evil.example")).await;
    assert_eq!((refused.status, refused.header("location")), (403, None), "{}", refused.text());
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let mut look = Ask::get(PROVIDER).bearer(&stage.cast.admin.token).with("Host", host);
        for (name, value) in ELSEWHERE {
            look = look.with(name, value);
        }
        assert_eq!(site.send(&look).await.json()["redirect_uri"], expected);
    }

    // The simulator swaps a code for the redirect URI alone that it was asked for with, to the letter.
    let back = agree(&location(&site.send(&hostile).await), "ada").await;
    let mut come_back = Ask::get(format!("{}?{}", back.path(), back.query().unwrap()));
    come_back = come_back.bearer(&stage.cast.user.token).with("Host", format!("127.0.0.1:{port}"));
    for (name, value) in ELSEWHERE {
        come_back = come_back.with(name, value);
    }
    let page = site.send(&come_back).await;
    assert_eq!(page.status, 200, "{}", page.text());

    // Another App at the same provider, even with the same client, has another one.
    for other in ["hello2", "hell", "hello-"] {
        site.install(&stage.cast.admin, &stage.cast.fake.manifest(other, &["remote_oauth2", "act_as_user"]))
            .await;
        let record = json!({
            "descriptor": descriptor(stage.provider.url(), ""), "client_id": CLIENT, "client_secret": SECRET,
        });
        let place = PROVIDER.replace("/hello/", &format!("/{other}/"));
        let ask = Ask::new("PUT", place).body(Sent::Whole(record.to_string().into_bytes()));
        let set = site.send(&ask.bearer(&stage.cast.admin.token)).await;
        assert_eq!(set.status, 200, "{}", set.text());
        let to = location(&site.send(&Ask::get(flow(other, "connect")).bearer(&stage.cast.user.token)).await);
        let own = format!("http://localhost:{port}{}", flow(other, "complete"));
        assert_eq!((&arguments(&to)["redirect_uri"], &set.json()["redirect_uri"]), (&own, &json!(own)));
        assert_ne!(own, expected);
    }
}

#[tokio::test]
async fn os_15_there_is_no_flow_but_the_codes() {
    let stage = Managed::with("").await;
    for (line, field) in [
        ("authorize_params = { response_type = 'token' }", "authorize_params.response_type"),
        ("authorize_params = { response_type = 'code id_token' }", "authorize_params.response_type"),
        ("authorize_params = { response_mode = 'fragment' }", "authorize_params.response_mode"),
        ("authorize_params = { response_mode = 'form_post' }", "authorize_params.response_mode"),
        ("token_params = { response_type = 'token' }", "token_params.response_type"),
        ("token_params = { grant_type = 'password' }", "token_params.grant_type"),
        ("refresh_params = { grant_type = 'password' }", "refresh_params.grant_type"),
    ] {
        let answer = stage.set_provider(&stage.record(line)).await;
        assert_eq!(answer.status, 400, "{line}: {}", answer.text());
        assert!(answer.text().starts_with(&format!("{field}: ")), "{line}: {}", answer.text());
    }
    let begun = stage.cast.site.send(&Ask::get(flow(APP, "connect")).bearer(&stage.cast.user.token)).await;
    let to = location(&begun);
    assert_eq!(arguments(&to)["response_type"], "code");
    assert!(!arguments(&to).contains_key("response_mode"), "{to}");

    let back = agree(&to, "ada").await;
    let requests = stage.provider.token_requests();
    for more in
        ["access_token=planted-token", "access_token=planted-token&token_type=bearer", "access%5Ftoken="]
    {
        let answer = stage.come_back(&Url::parse(&format!("{back}&{more}")).unwrap()).await;
        assert_eq!(answer.status, 400, "{more}: {}", answer.text());
        assert!(!answer.whole().contains("planted-token"), "{}", answer.text());
    }
    assert_eq!(stage.provider.token_requests(), requests, "no code is swapped that comes with a token");
    assert_eq!(stage.come_back(&back).await.status, 200, "and nothing was spent");
}

//! Where an App may send a browser (OS-08).

use serde_json::json;
use tessera_server::connect::OriginRule;
use tessera_testkit::browser::{Browser, From};
use tessera_testkit::site::{OAUTH2_APP, Person, flow};
use tessera_testkit::wire::Ask;

use crate::scene::{APP, Scene, said};

const BAD: [(&str, &str); 21] = [
    ("javascript:alert(1)//?state={state}", "not an absolute"),
    ("JavaScript://provider.example/%0aalert(1)?state={state}", "not an absolute"),
    ("data:text/html,x?state={state}", "not an absolute"),
    ("ftp://provider.example/?state={state}", "not an absolute"),
    ("//provider.example/?state={state}", "not an absolute"),
    ("/auth?state={state}", "not an absolute"),
    ("auth?state={state}", "not an absolute"),
    ("\\\\provider.example\\?state={state}", "not an absolute"),
    ("https:provider.example?state={state}", "not an absolute"),
    ("https://a@provider.example/?state={state}", "user name"),
    ("https://a:b@provider.example/?state={state}", "user name"),
    ("https://@provider.example/?state={state}", "user name"),
    ("https://provider.example/\r\nSet-Cookie: a=b?state={state}", "control characters"),
    ("https://provider.example/\u{0}?state={state}", "control characters"),
    (" https://provider.example/?state={state}", "white space"),
    ("https://provider.example/?state={state}#fragment", "fragment"),
    ("https:///?state={state}", "not a URL"),
    ("https://provider.example/?x=1", "does not carry the state"),
    ("https://provider.example/?state={state}&state={state}", "more than one state"),
    ("https://provider.example/?state={state}&st%61te=x", "more than one state"),
    ("https://provider.example/?state=another", "another state"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_08_a_bad_url_of_the_app_is_not_followed() {
    let scene = Scene::set().await;
    let mut browser = Browser::signed_in(scene.site(), "user-1").await;
    for (url, why) in BAD {
        scene.fake.leads_to(url);
        let answer = scene.connect(&scene.user).await;
        assert_eq!((answer.status, answer.header("location")), (502, None), "{url}: {}", answer.text());
        assert!(answer.text().starts_with("the app hello answered a connect URL that can't be followed: "));
        assert!(answer.text().contains(why), "{url}: {}", answer.text());
        assert_eq!(answer.header("set-cookie"), None);

        let page = browser.open(&flow(APP, "connect"), From::Here).await;
        assert_eq!((page.status, page.header("location")), (502, None), "{url}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{url}");
        assert!(page.text().contains(why) && page.text().contains("hello"), "{url}: {}", page.text());
        assert!(!page.text().contains("alert(1)"), "{}", page.text());
    }
    assert!(browser.flows().is_empty());
    for good in [
        "https://provider.example/a?state={state}&next=https://elsewhere.example/",
        "HTTPS://provider.example:8443/?x=1&state={state}",
        "http://127.0.0.1:9/a?state={state}",
    ] {
        scene.fake.leads_to(good);
        let answer = scene.connect(&scene.user).await;
        assert_eq!(answer.status, 307, "{good}: {}", answer.text());
    }
}

/// How many origins were noticed.
fn noticed(scene: &Scene) -> Vec<String> {
    let entries = scene.server.audit().into_iter().filter(|entry| entry["act"] == "origin_seen");
    entries.map(|entry| entry["detail"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_08_a_new_origin_is_let_through_and_noticed_once() {
    let scene = Scene::set().await;
    scene.begin(&scene.user).await;
    scene.begin(&scene.user).await;
    assert_eq!(noticed(&scene), ["https://provider.example"]);
    // The second letter is Cyrillic: to a person the same name, and another origin.
    scene.fake.leads_to("https://pr\u{43e}vider.example/a?state={state}");
    scene.begin(&scene.user).await;
    let noticed = noticed(&scene);
    assert!(noticed.len() == 2 && noticed[1].starts_with("https://xn--"), "{noticed:?}");

    // Administrators are shown them, and nobody else is.
    let list = Ask::get("/plugins/com.mattermost.apps/tessera/v1/apps/hello/origins");
    let shown = scene.site().send(&list.clone().bearer(&scene.admin.token)).await.json();
    let shown = shown.as_array().unwrap();
    assert!(shown.iter().all(|line| line["first_seen"].is_i64()), "{shown:?}");
    let mut origins: Vec<&str> = shown.iter().map(|line| line["origin"].as_str().unwrap()).collect();
    let mut expected: Vec<&str> = noticed.iter().map(String::as_str).collect();
    origins.sort_unstable();
    expected.sort_unstable();
    assert_eq!(origins, expected);
    for ask in [list.clone(), list.clone().bearer(&scene.user.token)] {
        assert_eq!(scene.site().send(&ask).await.status, 401);
    }
    let unknown = Ask::get(list.target.replace("hello", "nobody")).bearer(&scene.admin.token);
    assert_eq!(scene.site().send(&unknown).await.status, 404);
}

async fn stores_root(scene: &Scene, token: &str, root: &str) {
    let body = json!({"remote_root_url": root, "client_id": "cid", "client_secret": "cs"}).to_string();
    let stored = scene.site().send(&Ask::post(OAUTH2_APP, body).bearer(token)).await;
    assert_eq!(said(&stored), (200, String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_08_strict_lets_only_declared_origins_through() {
    let known = vec!["https://declared.example".to_owned()];
    let scene = Scene::set_with(|config| {
        config.connect.origins = OriginRule::Strict;
        config.connect.known_origins = known;
    })
    .await;
    let refused = async |who: &Person| {
        let answer = scene.connect(who).await;
        assert_eq!((answer.status, answer.header("location")), (502, None), "{}", answer.text());
        for named in ["https://provider.example", "connect.origins", "strict", "connect.known_origins"] {
            assert!(answer.text().contains(named), "{named}: {}", answer.text());
        }
    };
    refused(&scene.user).await;
    let (_, bot) = scene.site().tokens(&scene.user, &scene.fake, APP).await;
    stores_root(&scene, &bot, "https://provider.example/bot").await;
    refused(&scene.user).await;

    scene.fake.leads_to("https://declared.example/a?state={state}");
    scene.begin(&scene.user).await;
    scene.fake.leads_to("https://declared.example:8443/a?state={state}");
    assert_eq!(scene.connect(&scene.user).await.status, 502, "another port is another origin");

    let (admin, _) = scene.site().tokens(&scene.admin, &scene.fake, APP).await;
    stores_root(&scene, &admin, "https://provider.example/root").await;
    scene.fake.leads_to("https://provider.example/a?state={state}");
    scene.begin(&scene.user).await;
    assert!(noticed(&scene).is_empty(), "what is declared is no news");
    // The bot's word counts for nothing, also when it says the same after an administrator, and takes it back.
    stores_root(&scene, &bot, "https://provider.example/root").await;
    refused(&scene.user).await;
    stores_root(&scene, &admin, "https://provider.example/root").await;
    scene.begin(&scene.user).await;
    stores_root(&scene, &bot, "https://elsewhere.example/").await;
    refused(&scene.user).await;
}

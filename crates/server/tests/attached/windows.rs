//! Windows of Mattermost's own programs, in which no provider signs anybody in: people go on in a browser, where somebody else
//! may be signed in.

use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::browser::{Browser, From, form_token};
use tessera_testkit::fake_mattermost::Version;
use tessera_testkit::site::flow;
use tessera_testkit::wire::Answer;

const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.227 Electron/28.1.4 Safari/537.36 Mattermost/5.7.0";
const PLUGIN_WINDOW: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.5615.165 Safari/537.36 Mattermost/5.3.1";
const ANDROID: &str = "Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230805.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1";

async fn stage() -> Attached {
    let stage = Attached::to(Version::V11_7).await;
    stage.install(&["act_as_user", "remote_oauth2"]).await;
    stage.fake.leads_to_a_provider();
    stage
}

async fn open(browser: &mut Browser, target: &str, agent: &str) -> Answer {
    let ask = browser.navigation(target, From::Here).with("User-Agent", agent);
    browser.send(&ask).await
}

/// The address on the page, which is there to be opened and to be copied.
fn address(page: &Answer) -> String {
    let text = page.text();
    assert!(text.contains("Continue in your browser") && text.contains("such as Google"), "{text}");
    let (_, rest) = text.split_once("href=\"").unwrap();
    let address = rest.split('"').next().unwrap().to_owned();
    assert!(text.contains(&format!("value=\"{address}\"")), "{text}");
    assert!(text.contains("target=\"_blank\""), "{text}");
    address
}

#[tokio::test]
async fn who_is_in_an_app_s_window_goes_on_in_a_browser() {
    let stage = stage().await;
    let connect = flow(APP, "connect");
    let mut window = stage.browser();
    stage.sign_in(&mut window, "ada").await;
    for agent in [DESKTOP, PLUGIN_WINDOW, ANDROID, IPHONE] {
        let page = open(&mut window, &connect, agent).await;
        // No session, state or token goes over: whoever opens it signs in there.
        assert_eq!(address(&page), format!("{}{connect}?from=window", stage.door.url()), "{agent}");
        assert!(!page.text().contains(&stage.user.token) && page.header("set-cookie").is_none());
    }
    // Nothing began: the App was not asked, and there is no state.
    assert!(stage.fake.calls_to("/oauth2/connect").is_empty());
    for agent in [FIREFOX, SAFARI] {
        assert_eq!(open(&mut window, &connect, agent).await.status, 307, "{agent}");
    }
}

#[tokio::test]
async fn who_signs_in_nowhere_but_in_a_browser_is_told_so_at_once() {
    let stage = stage().await;
    let connect = flow(APP, "connect");
    let mut window = stage.browser();
    let page = open(&mut window, &connect, DESKTOP).await;
    assert_eq!(address(&page), format!("{}{connect}?from=window", stage.door.url()));
    // The same where a window comes to the sign-in page itself.
    let sign_in = format!("/plugins/com.mattermost.apps/tessera/v1/sign-in?return_to={connect}");
    assert_eq!(
        address(&open(&mut window, &sign_in, ANDROID).await),
        format!("{}{connect}?from=window", stage.door.url())
    );
}

#[tokio::test]
async fn os_17_the_browser_s_own_person_is_named_and_may_be_somebody_else() {
    let stage = stage().await;
    let over = format!("{}?from=window", flow(APP, "connect"));
    let mut browser = stage.browser();
    // Somebody else is signed in there, and connected already: they are asked all the same, though the browser vouches.
    stage.sign_in(&mut browser, "root").await;
    let page = open(&mut browser, &over, FIREFOX).await;
    assert_eq!(page.status, 200, "{}", page.text());
    for said in ["<strong>root</strong>", "I am not root", "<code>hello</code>"] {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
    assert!(stage.fake.calls_to("/oauth2/connect").is_empty());

    // "I am not root": that session ends, at Mattermost too.
    let token =
        page.text().split("name=\"token\" value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let session = browser.jar["MMAUTHTOKEN"].clone();
    let sign_out = "/plugins/com.mattermost.apps/tessera/v1/sign-out";
    // With the other form's token nobody is signed out, nor by another site's form.
    let wrong = browser.submit(sign_out, &[("token", &form_token(&page)), ("app", APP)]).await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let foreign = browser.form(sign_out, &[("token", &token), ("app", APP)], From::Elsewhere);
    let foreign = browser.send(&foreign.with("Origin", "https://evil.example")).await;
    assert_eq!(foreign.status, 403, "{}", foreign.text());
    assert_eq!(browser.jar["MMAUTHTOKEN"], session);
    let gone = browser.submit(sign_out, &[("token", &token), ("app", APP)]).await;
    let (place, page) = stage.follow(&mut browser, gone).await;
    assert!(place.contains("/tessera/v1/sign-in?return_to="), "{place}");
    assert!(page.text().contains("Sign in to Mattermost, then continue"), "{}", page.text());
    assert!(!browser.jar.contains_key("MMAUTHTOKEN"));
    assert_eq!(stage.mattermost.count("POST", "/api/v4/users/logout"), 1);

    // As themselves they go on, and are named.
    stage.sign_in(&mut browser, "ada").await;
    let again = browser.open(&place, From::Here).await;
    let (place, page) = stage.follow(&mut browser, again).await;
    assert!(page.text().contains("<strong>ada</strong>"), "{}", page.text());
    // By way of Mattermost, where they agree that the App acts for them, and without a second question.
    let (_, begun) = stage.confirm(&mut browser, &place, &page).await;
    assert_eq!(begun.status, 307, "{}", begun.text());
    assert!(begun.header("location").unwrap().starts_with("https://provider.example/"));
}

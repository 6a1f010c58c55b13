//! Which stores make clients read their bindings again (apps-framework.md section 3.7).

use tessera_testkit::site::OAUTH2_USER;
use tessera_testkit::wire::Ask;

use crate::socket::Socket;
use crate::stage::{Stage, With};

const REFRESH: &str = "custom_com.mattermost.apps_refresh_bindings";

/// Whom each event up to the next one for everybody was for. The last is there because something was then stored
/// that tells everybody: so that what is not heard before was not sent.
async fn heard_until_everybody(socket: &mut Socket) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let event = socket.next().await;
        assert_eq!(event["event"], REFRESH, "{event}");
        match event["broadcast"]["user_id"].as_str().unwrap() {
            "" => return heard,
            id => heard.push(id.to_owned()),
        }
    }
}

#[tokio::test]
async fn c_oa_26_the_same_bytes_again_send_no_refresh_event() {
    let stage = Stage::set().await;
    let site = stage.site;
    let user = stage.token(&stage.user, With::ActingUser).await;
    let admin = stage.token(&stage.admin, With::ActingUser).await;
    let mut users = Socket::open(site, &stage.user).await;
    let mut admins = Socket::open(site, &stage.admin).await;

    site.store(&user, "{\"a\":1}").await;
    site.store(&user, "{\"a\":1}").await;
    site.store_credentials(&admin, "first", "secret").await;
    assert_eq!(heard_until_everybody(&mut users).await, [stage.user.id.as_str()], "the first, and it alone");
    assert_eq!(heard_until_everybody(&mut admins).await, [""; 0], "it is no news to anybody else");

    // Other bytes of the same meaning are a change, as is taking it away; taking nothing away is none.
    site.store(&user, "{\"a\": 1}").await;
    for _ in 0..2 {
        let answer = site.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&user)).await;
        assert_eq!(answer.status, 200);
    }
    // Nor is a refused store.
    assert_eq!(site.send(&Ask::post(OAUTH2_USER, "test").bearer(&user)).await.status, 400);
    site.store_credentials(&admin, "second", "secret").await;
    assert_eq!(heard_until_everybody(&mut users).await.len(), 2);
    assert_eq!(heard_until_everybody(&mut admins).await, [""; 0]);

    // The App's record tells everybody, once: the same one again does not, so that what comes next is the user's.
    site.store_credentials(&admin, "second", "secret").await;
    site.store(&user, "1").await;
    assert_eq!(users.next().await["broadcast"]["user_id"], stage.user.id);
}

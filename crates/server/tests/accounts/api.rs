//! The same for programs: a list, and an end.

use serde_json::{Value, json};
use tessera_testkit::site::{PERMISSIONS, PLUGIN};
use tessera_testkit::wire::Ask;

use crate::scene::{APP, RECORD, Scene, by_person, end};
use crate::socket::Socket;

const REFRESH: &str = "custom_com.mattermost.apps_refresh_bindings";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_person_ends_a_connection_and_the_app_is_told_that_there_is_none() {
    let scene = Scene::set().await;
    let token = scene.connect(&scene.user, APP).await;
    let mut socket = Socket::open(scene.site(), &scene.user).await;
    let mut others = Socket::open(scene.site(), &scene.admin).await;
    let ended = scene.site().send(&end(APP).bearer(&scene.user.token)).await;
    assert_eq!((ended.status, ended.text()), (204, String::new()));
    assert_eq!(scene.site().record(&token).await, "");
    assert!(scene.list(&scene.user).await.is_empty());
    assert_eq!(scene.removals(), [by_person(&scene.user, APP)]);

    // The person's clients read their bindings again. Nobody else's do: the next that others hear is for everybody.
    let heard = socket.next().await;
    assert_eq!((&heard["event"], &heard["broadcast"]["user_id"]), (&json!(REFRESH), &json!(scene.user.id)));
    let (_, bot) = scene.site().tokens(&scene.user, &scene.fake, APP).await;
    scene.site().store_credentials(&bot, "id", "secret").await;
    assert_eq!(others.next().await["broadcast"]["user_id"], "");

    // Connected again, it begins anew.
    scene.server.clock.advance_ms(5_000);
    scene.site().store(&token, RECORD).await;
    assert_eq!(scene.used(&scene.user).await, (Value::Null, Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_48_what_is_not_there_is_404_whether_the_app_is_or_not() {
    let scene = Scene::set().await;
    let other = scene.site().sign_in("user-2").await;
    scene.connect(&other, APP).await;
    let admin = Ask::get(format!("{PLUGIN}/tessera/v1/apps/{APP}/connections")).bearer(&scene.admin.token);
    for app in [APP, "nobody", "a%2Fb", "%00", "HELLO"] {
        let answer = scene.site().send(&end(app).bearer(&scene.user.token)).await;
        assert_eq!(answer.status, 404, "{app}: {}", answer.text());
        assert!(answer.text().starts_with("you have no connection with app "), "{}", answer.text());
    }
    // What an App stores to disconnect is no connection: there is nothing to end, and the App gets it back.
    let token = scene.connect(&scene.user, APP).await;
    scene.site().store(&token, "{}").await;
    assert_eq!(scene.site().send(&end(APP).bearer(&scene.user.token)).await.status, 404);
    assert_eq!(scene.site().record(&token).await, "{}");
    assert!(scene.removals().is_empty());
    let listed = scene.site().send(&admin).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_36_a_connection_can_be_ended_whatever_became_of_the_app() {
    let scene = Scene::set().await;
    let token = scene.connect(&scene.user, APP).await;
    let which = json!({"app_id": APP});
    assert_eq!(scene.site().post(&scene.admin.token, "/disable-app", &which).await.status, 200);
    assert_eq!(scene.list(&scene.user).await.len(), 1);
    assert_eq!(scene.site().send(&end(APP).bearer(&scene.user.token)).await.status, 204);
    assert_eq!(scene.site().post(&scene.admin.token, "/enable-app", &which).await.status, 200);

    scene.connect(&scene.user, APP).await;
    let fewer = scene.fake.manifest(APP, &PERMISSIONS[..2]);
    scene.site().install(&scene.admin, &fewer).await;
    assert_eq!(scene.list(&scene.user).await.len(), 1, "kept for when the permission comes back");
    assert_eq!(scene.site().send(&end(APP).bearer(&scene.user.token)).await.status, 204);
    scene.site().install(&scene.admin, &scene.fake.manifest(APP, &PERMISSIONS)).await;
    let token = match scene.site().send(&Ask::get("/api/v4/users/me").bearer(&token)).await.status {
        200 => token,
        _ => scene.token(&scene.user, APP).await,
    };
    assert_eq!(scene.site().record(&token).await, "");
}

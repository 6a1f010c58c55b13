//! Who may see what, computed from one rule: a record leaves the service only for the App that it belongs to, as the one
//! it belongs to; and nobody learns from a refusal whether there is one (OS-48).

use serde_json::json;
use tessera_testkit::site::{OAUTH2_APP, OAUTH2_USER, PLUGIN};
use tessera_testkit::wire::Ask;

use crate::stage::{APPS, Stage};

/// A caller: a name, a token, and of which App and user it is, if of one.
struct Caller {
    name: String,
    token: String,
    of: Option<(String, String)>,
}

async fn callers(stage: &Stage) -> Vec<Caller> {
    let mut callers = vec![
        Caller { name: "nobody".into(), token: String::new(), of: None },
        Caller { name: "a stranger's token".into(), token: "x".repeat(26), of: None },
    ];
    for (name, person) in
        [("user-1", &stage.user), ("user-2", &stage.other), ("the administrator", &stage.admin)]
    {
        callers.push(Caller { name: name.into(), token: person.token.clone(), of: None });
        for app in APPS {
            let token = stage.token(person, app).await;
            let of = Some((app.to_owned(), person.id.clone()));
            callers.push(Caller { name: format!("{app} as {name}"), token, of });
        }
    }
    for app in APPS {
        let token = stage.bot(app).await;
        callers.push(Caller {
            name: format!("the bot of {app}"),
            token,
            of: Some((app.to_owned(), app.to_owned())),
        });
    }
    callers
}

fn record(app: &str, user: &str) -> String {
    format!("\"the record of {user} with {app}\"")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_48_only_the_app_of_a_record_gets_it_whoever_asks_wherever() {
    let stage = Stage::set().await;
    let site = stage.site();
    let callers = callers(&stage).await;
    let send = |caller: &Caller, ask: Ask| {
        let ask = if caller.token.is_empty() { ask } else { ask.bearer(&caller.token) };
        async move { site.send(&ask).await }
    };
    let routes = [
        OAUTH2_USER.to_owned(),
        OAUTH2_APP.to_owned(),
        format!("{PLUGIN}/tessera/v1/connections"),
        format!("{PLUGIN}/tessera/v1/apps"),
        format!("{PLUGIN}/tessera/v1/apps/hello/connections"),
        format!("{PLUGIN}/tessera/v1/apps/none/connections"),
        format!("{PLUGIN}/tessera/v1/console/calls"),
        format!("{PLUGIN}/api/v1/apps/hello"),
        format!("{PLUGIN}/api/v1/bindings"),
    ];
    // What a caller without a right to the record hears before anybody has one, to be compared with afterwards.
    let mut refusals = Vec::new();
    for caller in &callers {
        for route in &routes {
            let answer = send(caller, Ask::get(route.as_str())).await;
            refusals.push((answer.status, answer.text()));
        }
    }
    let mut owned = Vec::new();
    for caller in &callers {
        let Some((app, user)) = &caller.of else { continue };
        site.store(&caller.token, &record(app, user)).await;
        owned.push((app, user));
        if app == user {
            site.store_credentials(&caller.token, "the-id", &format!("the secret of {app}")).await;
        }
    }
    assert_eq!(owned.len(), 8);
    let mut cells = 0;
    let mut before = refusals.into_iter();
    for caller in &callers {
        for route in &routes {
            let answer = send(caller, Ask::get(route.as_str())).await;
            let (status, text) = before.next().unwrap();
            let cell = format!("{} at {route}: {answer:?}", caller.name);
            let whole = answer.whole();
            for (app, user) in &owned {
                let is_theirs =
                    route == OAUTH2_USER && caller.of.as_ref() == Some(&((*app).clone(), (*user).clone()));
                assert_eq!(
                    whole.contains(record(app, user).trim_matches('"')),
                    is_theirs,
                    "{user}, {app}: {cell}"
                );
            }
            // R23: an administrator sees an App as the original shows it, its client included; nobody else does.
            let may_see_the_client =
                route.ends_with("/api/v1/apps/hello") && caller.name.contains("the administrator");
            assert_eq!(whole.contains("the secret of hello"), may_see_the_client, "{cell}");
            assert!(!whole.contains("the secret of other"), "{cell}");
            if status >= 400 {
                assert_eq!(
                    (answer.status, answer.text()),
                    (status, text),
                    "a record makes a difference: {cell}"
                );
            }
            cells += 1;
        }
    }
    assert_eq!(cells, 13 * routes.len());
    // One who was signed in and is no more, and an App that was switched off: their tokens are as good as none.
    let which = json!({"app_id": "hello"});
    assert_eq!(site.post(&stage.admin.token, "/disable-app", &which).await.status, 200);
    for caller in callers.iter().filter(|caller| caller.of.as_ref().is_some_and(|(app, _)| app == "hello")) {
        for method in ["GET", "DELETE"] {
            let answer = send(caller, Ask::new(method, OAUTH2_USER)).await;
            let nobody = site.send(&Ask::new(method, OAUTH2_USER)).await;
            assert_eq!((answer.status, answer.text()), (nobody.status, nobody.text()), "{}", caller.name);
            assert_eq!(answer.status, 401);
        }
    }
}

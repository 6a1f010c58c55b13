//! Whose record is whose.

use tessera_testkit::site::{OAUTH2_USER, PERMISSIONS, Person};
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage, With};

/// One who may have a record: a person or the bot, through one App.
struct Holder {
    name: String,
    token: String,
}

/// Three people, the bots, and two Apps.
async fn holders(stage: &Stage) -> Vec<Holder> {
    stage.site.install(&stage.admin, &stage.fake.manifest("other", &PERMISSIONS)).await;
    let user_2 = stage.site.sign_in("user-2").await;
    let people: [(&str, &Person); 3] =
        [("sysadmin", &stage.admin), ("user-1", &stage.user), ("user-2", &user_2)];
    let mut holders = Vec::new();
    for app in [APP, "other"] {
        let mut bot = String::new();
        for (name, person) in people {
            let context = stage.site.context(person, &stage.fake, app).await;
            holders.push(Holder { name: format!("{name} with {app}"), token: With::ActingUser.of(&context) });
            bot = With::Bot.of(&context);
        }
        holders.push(Holder { name: format!("the bot of {app}"), token: bot });
    }
    holders
}

#[tokio::test]
async fn c_oa_27_os_48_two_users_and_two_apps_have_records_of_their_own() {
    let stage = Stage::set().await;
    let holders = holders(&stage).await;
    let record = |holder: &Holder| format!("{{\"of\":\"{}\"}}", holder.name);
    for (n, holder) in holders.iter().enumerate() {
        stage.site.store(&holder.token, &record(holder)).await;
        // Nobody else's came or changed.
        for (m, other) in holders.iter().enumerate() {
            let expected = if m <= n { record(other) } else { String::new() };
            assert_eq!(
                stage.site.record(&other.token).await,
                expected,
                "{} after {}",
                other.name,
                holder.name
            );
        }
    }
    for (n, holder) in holders.iter().enumerate() {
        let answer = stage.site.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&holder.token)).await;
        assert_eq!(answer.status, 200);
        for (m, other) in holders.iter().enumerate() {
            let expected = if m > n { record(other) } else { String::new() };
            assert_eq!(
                stage.site.record(&other.token).await,
                expected,
                "{} after {}",
                other.name,
                holder.name
            );
        }
    }
}

#[tokio::test]
async fn os_48_a_record_is_told_to_its_app_for_its_user_whatever_a_request_claims() {
    let stage = Stage::set().await;
    let holders = holders(&stage).await;
    let [owner, others @ ..] = holders.as_slice() else { panic!("nobody") };
    stage.site.store(&owner.token, "\"the owner's own\"").await;
    let claims: [fn(&Stage, Ask) -> Ask; 4] = [
        |_, ask| ask,
        |stage, ask| ask.with("Mattermost-User-Id", &stage.admin.id).with("Mattermost-Session-Id", "x"),
        |_, ask| ask.with("Mattermost-Plugin-Id", "com.mattermost.apps"),
        |stage, ask| {
            let target = format!("{}?user_id={}&app_id={APP}", ask.target, stage.admin.id);
            Ask { target, ..ask }
        },
    ];
    for claim in claims {
        for other in others {
            let answer = stage.site.send(&claim(&stage, Ask::get(OAUTH2_USER).bearer(&other.token))).await;
            assert_eq!((answer.status, answer.text()), (200, String::new()), "{}", other.name);
        }
        // Without an App's token it is the same refusal for the owner as for anybody, and nothing of the record.
        let mut refusals = Vec::new();
        for session in [&stage.admin.token, &stage.user.token] {
            let answer = stage.site.send(&claim(&stage, Ask::get(OAUTH2_USER).bearer(session))).await;
            refusals.push((answer.status, answer.text()));
        }
        assert_eq!(refusals[0], refusals[1]);
        assert_eq!(refusals[0], (401, "not an app session: unauthorized\n".to_owned()));
        let nobody = stage.site.send(&claim(&stage, Ask::get(OAUTH2_USER))).await;
        assert_eq!((nobody.status, nobody.text().as_str()), (401, "user ID is required: unauthorized\n"));
    }
    // In a call, too: what is expanded is the acting user's.
    let admin = stage.site.context(&stage.admin, &stage.fake, APP).await;
    assert_eq!(admin["oauth2"]["user"], "the owner's own");
    for (person, app) in [(&stage.user, APP), (&stage.admin, "other"), (&stage.user, "other")] {
        let heard = stage.site.context(person, &stage.fake, app).await;
        assert!(heard["oauth2"].get("user").is_none(), "{heard}");
    }
}

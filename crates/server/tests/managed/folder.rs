//! The administrator's own folder of descriptors (`providers.dir`).

use serde_json::{Value, json};
use tempfile::TempDir;
use tessera_server::boot::config::Config;
use tessera_server::boot::serve;
use tessera_server::env::Env;
use tessera_testkit::managed::{APP, CLIENT, Managed, SECRET, descriptor};
use tessera_testkit::wire::Ask;

const PROVIDERS: &str = "/plugins/com.mattermost.apps/tessera/v1/providers";

async fn catalogue(stage: &Managed) -> Vec<Value> {
    let answer = stage.cast.site.send(&Ask::get(PROVIDERS).bearer(&stage.cast.admin.token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().as_array().unwrap().clone()
}

#[tokio::test]
async fn a_file_adds_a_provider_or_takes_the_place_of_one_that_comes_along() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    // The port of the simulator is a place that is filled in.
    let text =
        descriptor("http://{host}", "").replace("'simulator'", "'google'").replace("'Simulator'", "'Ours'");
    let text = format!(
        "{text}\n[placeholders.host]\nabout = 'where it is'\nform = 'host'\ndefault = 'localhost:1'\n"
    );
    std::fs::write(folder.path().join("google.toml"), &text).unwrap();
    std::fs::write(folder.path().join("more.toml"), text.replace("'google'", "'more'")).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not read").unwrap();
    let stage = Managed::set_up("", move |config| config.providers.dir = dir, |_| {}).await;

    let all = catalogue(&stage).await;
    assert_eq!(all.len(), 27);
    let of = |name: &str| all.iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(
        of("google"),
        json!({
            "name": "google", "display_name": "Ours", "verified": false, "scopes": ["profile", "email"],
            "values": [{"name": "host", "about": "where it is", "default": "localhost:1"}],
        })
    );
    assert_eq!(of("more")["display_name"], "Ours");
    assert_eq!(all.iter().filter(|one| one["verified"] == false).count(), 17);

    let host = stage.provider.url().strip_prefix("http://").unwrap();
    let record = json!({
        "preset": "google", "values": {"host": host}, "client_id": CLIENT, "client_secret": SECRET,
    });
    let set = stage.set_provider(&record).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let set = set.json();
    assert_eq!(
        (&set["display_name"], &set["verified"], &set["probe"]),
        (&json!("Ours"), &json!(false), &json!("Ours accepts the client"))
    );
    // What was set is kept whole: without the file it goes on.
    drop::<TempDir>(folder);
    stage.connect().await;
    assert_eq!(stage.connections().await[0]["app"], APP);
}

#[tokio::test]
async fn a_bad_file_stops_the_start_with_its_name_and_the_field() {
    let good = descriptor("https://id.example.com", "");
    for (name, text, what) in [
        ("colour.toml", format!("colour = 1\n{good}"), "colour: unknown field"),
        ("broken.toml", "name = ".to_owned(), "line 1, column "),
        ("twice.toml", good.clone(), "the provider \"simulator\" is described twice"),
        (
            "implicit.toml",
            format!("authorize_params = {{ response_type = 'token' }}\n{good}"),
            "authorize_params.response_type: only the code flow is offered",
        ),
    ] {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("a.toml"), &good).unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        let mut config = Config::development(data.path(), "127.0.0.1:0");
        config.providers.dir = folder.path().display().to_string();
        let Err(error) = serve::open(&config, false, Env::system()).await else {
            unreachable!("{name} was taken");
        };
        let error = error.to_string();
        assert!(error.contains("providers.dir") && error.contains(&format!("{name}: ")), "{error}");
        assert!(error.contains(what), "{error}");
    }
    let data = tempfile::tempdir().unwrap();
    let mut config = Config::development(data.path(), "127.0.0.1:0");
    config.providers.dir = data.path().join("nowhere").display().to_string();
    let error = serve::open(&config, false, Env::system()).await.err().unwrap().to_string();
    assert!(error.contains("providers.dir") && error.contains("nowhere"), "{error}");
}

//! `tessera setup mattermost` by the binary itself, at a Mattermost as it is on its first day.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tessera_testkit::attached::{APP, Attached};
use tessera_testkit::fake_mattermost::{FakeMattermost, FrontDoor, Version};
use tessera_testkit::site::Site;
use tessera_testkit::wire::Ask;

/// A fresh one, and its administrator's session.
struct Fresh {
    mattermost: FakeMattermost,
    door: FrontDoor,
    token: String,
    dir: tempfile::TempDir,
}

const TOKENS: &str = "ServiceSettings.EnableUserAccessTokens";
const BOTS: &str = "ServiceSettings.EnableBotAccountCreation";
const INSIDE: &str = "ServiceSettings.AllowedUntrustedInternalConnections";
const STATES: &str = "PluginSettings.PluginStates";

impl Fresh {
    async fn of(version: Version) -> Self {
        Self::with(FakeMattermost::builder(version).fresh().start().await.unwrap()).await
    }

    async fn with(mattermost: FakeMattermost) -> Self {
        let door = FrontDoor::start(mattermost.address(), None).await;
        let admin = mattermost.add_admin("root");
        let token = mattermost.session(&admin).token;
        Self { mattermost, door, token, dir: tempfile::tempdir().unwrap() }
    }

    async fn setup(&self, more: &[&str]) -> Output {
        self.setup_as(&self.token, more).await
    }

    async fn setup_as(&self, token: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
        command
            .args([
                "setup",
                "mattermost",
                "--url",
                &self.door.url(),
                "--internal-url",
                &self.mattermost.url(),
            ])
            .args(["--dir", &self.dir.path().display().to_string()])
            .args(more)
            .env("TESSERA_MATTERMOST__TOKEN", token)
            .stdin(std::process::Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn report(&self, more: &[&str]) -> Value {
        let output = self.setup(&[more, &["--json", "--yes"]].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A setting as it is now.
    async fn setting(&self, key: &str) -> Value {
        let door = Site { address: self.door.address(), below: "" };
        let config = door.send(&Ask::get("/api/v4/config").bearer(&self.token)).await.json();
        let (section, name) = key.split_once('.').unwrap();
        config[section][name].clone()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }
}

fn text(report: &Value) -> String {
    serde_json::to_string(report).unwrap()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_mattermost_is_made_ready_and_doctor_finds_nothing_but_the_proxy() {
    for version in [Version::V6_7, Version::V11_7, Version::V12_0] {
        let fresh = Fresh::of(version).await;
        let report = fresh.report(&[]).await;
        for key in [TOKENS, BOTS] {
            assert_eq!(fresh.setting(key).await, true, "{key}");
        }
        assert_eq!(fresh.setting("ServiceSettings.SiteURL").await, fresh.door.url());
        assert_eq!(fresh.setting(INSIDE).await, "localhost");
        assert!(text(&report).contains("which does not end by itself"), "{report}");
        assert!(report["permissions_used"].as_array().unwrap().contains(&json!("manage_system")));
        // The service's token is an account's of its own, and nobody else may read it.
        let token = fresh.file("mattermost.token").trim().to_owned();
        assert_eq!(mode(&fresh.dir.path().join("mattermost.token")), 0o600);
        assert_eq!(mode(&fresh.dir.path().join("root.key")), 0o600);
        assert_eq!(fresh.mattermost.holder(&token), fresh.mattermost.user_id("tessera"));
        assert!(!text(&report).contains(&token) && !fresh.file("tessera-setup.json").contains(&token));
        let mut doctor = Command::new(env!("CARGO_BIN_EXE_tessera"));
        doctor.args(["doctor", "--json", "--config"]).arg(fresh.dir.path().join("tessera.toml"));
        let output = tokio::task::spawn_blocking(move || doctor.output().unwrap()).await.unwrap();
        let found: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let bad = found["findings"].as_array().unwrap().iter().filter(|finding| finding["state"] == "bad");
        let bad: Vec<_> = bad.map(|finding| finding["about"].as_str().unwrap()).collect();
        assert_eq!(bad, ["proxy path"], "{found}");
        // Again: nothing is left to do, and the token stays.
        let again = fresh.report(&[]).await;
        assert_eq!(again["done"], json!([]), "{again}");
        assert_eq!(fresh.file("mattermost.token").trim(), token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_undone_and_what_others_changed_since_stays() {
    let fresh = Fresh::of(Version::V11_7).await;
    fresh.report(&["--native"]).await;
    assert_eq!(fresh.setting(STATES).await["com.mattermost.apps"]["Enable"], true);
    let token = fresh.file("mattermost.token").trim().to_owned();
    let account = fresh.mattermost.user_id("tessera").unwrap();
    fresh.mattermost.set(INSIDE, "localhost 10.0.0.0/8");
    let dry = fresh.report(&["--undo", "--dry-run"]).await;
    assert!(
        text(&dry).contains("take back: the account @tessera") && fresh.mattermost.is_active(&account),
        "{dry}"
    );
    let report = fresh.report(&["--undo"]).await;
    assert!(text(&report).contains("changed since, and stays as it is"), "{report}");
    assert_eq!(fresh.setting(TOKENS).await, false);
    assert_eq!(fresh.setting(BOTS).await, false);
    assert_eq!(fresh.setting(STATES).await, json!({}));
    assert_eq!(fresh.setting(INSIDE).await, "localhost 10.0.0.0/8");
    assert_eq!(fresh.mattermost.holder(&token), None);
    assert!(!fresh.mattermost.is_active(&account));
    let door = Site { address: fresh.door.address(), below: "" };
    let role = door.send(&Ask::get("/api/v4/roles/name/system_admin").bearer(&fresh.token)).await;
    assert!(!role.text().contains("manage_oauth"), "{}", role.text());
    // Data and key are the service's, and stay; the token is gone. Of what was written down the account's id is left.
    for (name, there) in [
        ("root.key", true),
        ("tessera.toml", true),
        ("mattermost.token", false),
        ("tessera-setup.json", true),
    ] {
        assert_eq!(fresh.dir.path().join(name).exists(), there, "{name}");
    }
    let nothing = fresh.setup(&["--undo", "--yes"]).await;
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("nothing to undo"));
    // And once more: Mattermost kept the account, and it is known again.
    fresh.report(&[]).await;
    assert!(fresh.mattermost.is_active(&account));
    assert_eq!(fresh.mattermost.holder(fresh.file("mattermost.token").trim()), Some(account));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_made_an_administrator_for_having_the_name() {
    let fresh = Fresh::of(Version::V11_7).await;
    let taken = fresh.mattermost.add_user("tessera");
    for (active, words) in [(true, "somebody has that name"), (false, "it is deactivated")] {
        if !active {
            fresh.mattermost.deactivate(&taken);
        }
        let refused = fresh.setup(&["--yes"]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(words), "{said}");
    }
    assert_eq!(fresh.mattermost.count("PUT", "/api/v4/"), 0, "nothing was changed before");
    // An administrator's is used as it is, and stays as it is when it is undone.
    let admin = fresh.mattermost.add_admin("keeper");
    fresh.report(&["--account", "keeper"]).await;
    assert_eq!(fresh.mattermost.holder(fresh.file("mattermost.token").trim()), Some(admin.clone()));
    fresh.report(&["--undo"]).await;
    assert!(fresh.mattermost.is_active(&admin));
    assert_eq!(fresh.mattermost.count("PUT", "/api/v4/users/"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_without_a_word_and_what_cannot_be_done_is_said() {
    let locked = FakeMattermost::builder(Version::V11_7).fresh().env(BOTS, false).start().await.unwrap();
    let fresh = Fresh::with(locked).await;
    let refused = fresh.setup(&[]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("say --yes, or look with --dry-run"));
    let dry = fresh.setup(&["--dry-run", "--native"]).await;
    let said = String::from_utf8_lossy(&dry.stdout).into_owned();
    for words in [
        "would  set ServiceSettings.EnableUserAccessTokens = true",
        "would  give system_admin the permission manage_oauth",
        "set MM_SERVICESETTINGS_ENABLEBOTACCOUNTCREATION=true in Mattermost's environment",
        "set MM_FEATUREFLAGS_APPSENABLED=true",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(std::fs::read_dir(fresh.dir.path()).unwrap().count(), 0);
    assert_eq!(fresh.setting(TOKENS).await, false);
    assert_eq!(fresh.mattermost.count("PUT", "/api/v4/"), 0);
    // Somebody who may not, a token of nobody's, and none.
    let ada = fresh.mattermost.add_user("ada");
    let ada = fresh.mattermost.session(&ada).token;
    for (token, words) in
        [(ada.as_str(), "no system administrator"), ("a".repeat(26).as_str(), "token"), ("", "empty")]
    {
        let refused = fresh.setup_as(token, &["--yes"]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(words), "{words}: {said}");
    }
    // Older ones that do not say what their environment sets: it is seen by what came of it.
    fresh
        .mattermost
        .fail_next("/api/v4/config/environment", tessera_testkit::fake_mattermost::Failure::Status(404));
    let report = fresh.report(&[]).await;
    assert!(
        text(&report["by_hand"]).contains("MM_SERVICESETTINGS_ENABLEBOTACCOUNTCREATION=true"),
        "{report}"
    );
    assert!(!fresh.file("tessera-setup.json").contains(BOTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_installed_at_the_running_service_and_uninstalled_again() {
    let stage = Attached::to(Version::V11_7).await;
    stage.fake.answer(
        "/manifest.json",
        tessera_testkit::fake_app::Answer::Json(stage.fake.manifest(APP, &["act_as_bot"])),
    );
    let dir = tempfile::tempdir().unwrap();
    let run = async |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
        command
            .args(["setup", "mattermost", "--yes", "--url", &stage.door.url()])
            .args(["--internal-url", &stage.mattermost.url(), "--dir", &dir.path().display().to_string()])
            .args(more)
            .env("TESSERA_MATTERMOST__TOKEN", &stage.admin.token);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = run(&["--install", &format!("{}/manifest.json", stage.fake.root_url())]).await;
    assert!(said.contains("done   Installed"), "{said}");
    assert!(stage.mattermost.user_id(APP).is_some());
    let said = run(&["--undo"]).await;
    assert!(said.contains("took back: App hello"), "{said}");
    let apps = stage
        .site()
        .send(&Ask::get("/plugins/com.mattermost.apps/tessera/v1/apps").bearer(&stage.admin.token))
        .await;
    assert_eq!(apps.json()[0]["installed"], false, "{}", apps.text());
}

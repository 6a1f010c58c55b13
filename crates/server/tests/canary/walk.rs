//! The flow with planted secrets, all that came of it, and what of it nobody may find.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tessera_testkit::child::{Child, run, serve};
use tessera_testkit::fake_app::{Answer as AppAnswer, FakeApp};
use tessera_testkit::site::{API, OAUTH2_APP, OAUTH2_USER, PERMISSIONS, PLUGIN, Person, Site, flow};
use tessera_testkit::wire::{Answer, Ask, Sent, send};

use crate::TESSERA;
use crate::browser::Browser;

const DISPLAY: &str = "Canary & Sons \"Visible\" <App>";
const CLIENT_SECRET: &str = "planted/client+secret=&\"quoted\"<b>-4711";
const ACCESS: &str = "planted/access+token=&\"quoted\"<b>-4712";
const REFRESH: &str = "planted/refresh+token=&\"quoted\"<b>-4713";
const CODE: &str = "planted/provider+code=&\"quoted\"<b>-4714";
const PASSWORD: &str = "planted/site+password=&\"quoted\"<b>-4715";
const WRONG_PASSWORD: &str = "planted/wrong+password=&\"quoted\"<b>-4716";
const FRAGMENT: &str = "planted/front+channel=&\"quoted\"<b>-4717";
const DESCRIPTION: &str = "planted/error+description=&\"quoted\"<b>-4718";
const BROKEN: &str = "planted/broken+body=&\"quoted\"<b>-4719";
const VALUE: &str = "planted/call+value=&\"quoted\"<b>-4720";
const QUERY: &str = "planted-query-token-4721";
const HEADER: &str = "planted-header-token-4722";
const EXTRA: &str = "planted/extra+data=&\"quoted\"<b>-4723";
const WORDS: &str = "planted/words+of+the+app=&\"quoted\"<b>-4724";
const ROOT_KEY: &str = "tessera-root-key-v1:cGxhbnRlZC1yb290LWtleS0zMi1ieXRlcy1sb25nISE";

/// What was walked.
pub(crate) struct Walk {
    /// Names and texts that must be nowhere.
    pub(crate) secrets: Vec<(String, String)>,
    /// Names and texts that may be in a file, and nowhere else: without a session's token, of which only a keyed
    /// hash is kept, they are good for nothing.
    pub(crate) companions: Vec<(String, String)>,
    /// Names and texts that must be found, and in what kind of place.
    pub(crate) visible: Vec<(String, String, &'static str)>,
    /// All that was printed, answered and written, by where it was found.
    pub(crate) places: Vec<(String, Vec<u8>)>,
    site: Site,
    data: TempDir,
}

impl Walk {
    /// Walks the whole flow.
    pub(crate) async fn whole() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = serve(TESSERA, data.path());
        command
            .env("TESSERA_LOG__LEVEL", "trace")
            .env("TESSERA_SITE__PASSWORD", PASSWORD)
            .env("TESSERA_VAULT__ROOT_KEY", ROOT_KEY);
        let child = Child::spawn(command);
        let (secrets, companions, visible, places) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut walk = Self { secrets, companions, visible, places, site: child.site, data };
        let fake = FakeApp::start().await;
        walk.plant();

        let (admin, user) = (walk.sign_in("sysadmin").await, walk.sign_in("user-1").await);
        walk.install(&fake, &admin).await;
        walk.configure(&fake, &admin).await;
        walk.connect(&fake).await;
        walk.use_it(&fake, &user).await;
        walk.fail(&fake, &user).await;
        walk.look_around().await;
        walk.keep_files("file while it runs");
        walk.harvest(&fake);

        // Killed, so that whatever was not yet tidied up is still there.
        walk.keep("log", child.kill());
        walk.keep_files("file after kill -9");
        walk
    }

    fn plant(&mut self) {
        for (name, text) in [
            ("client secret", CLIENT_SECRET),
            ("access token", ACCESS),
            ("refresh token", REFRESH),
            ("code", CODE),
            ("password", PASSWORD),
            ("wrong password", WRONG_PASSWORD),
            ("front-channel token", FRAGMENT),
            ("error description", DESCRIPTION),
            ("broken body", BROKEN),
            ("call value", VALUE),
            ("query token", QUERY),
            ("header token", HEADER),
            ("extra data", EXTRA),
            ("the App's words", WORDS),
            ("root key", ROOT_KEY),
            ("root key's bytes", "planted-root-key-32-bytes-long!!"),
        ] {
            self.secret(name, text);
        }
        for kind in ["file", "page", "command"] {
            self.visible.push(("display name".to_owned(), DISPLAY.to_owned(), kind));
        }
        self.visible.push(("route".to_owned(), format!("{API}/oauth2/user"), "metrics"));
    }

    fn secret(&mut self, name: &str, text: impl Into<String>) {
        self.secrets.push((name.to_owned(), text.into()));
    }

    fn keep(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.places.push((place.into(), bytes.into()));
    }

    /// Keeps an answer; what it is meant to hand to the one who asked is taken out first.
    fn keep_answer(&mut self, place: &str, answer: &Answer, meant: &[&str]) {
        let whole = meant.iter().fold(answer.whole(), |whole, meant| whole.replacen(meant, "[meant]", 1));
        let kind = if answer.status >= 400 { "error" } else { "page" };
        self.keep(format!("{kind}: {place}"), whole);
    }

    async fn send(&mut self, place: &str, ask: Ask, status: u16) -> Answer {
        let answer = self.site.send(&ask).await;
        assert_eq!(answer.status, status, "{place}: {}", answer.text());
        self.keep_answer(place, &answer, &[]);
        answer
    }

    async fn sign_in(&mut self, name: &str) -> Person {
        let login = |password: &str| {
            Ask::post("/api/v4/users/login", json!({"login_id": name, "password": password}).to_string())
        };
        self.send("wrong sign-in", login(WRONG_PASSWORD), 401).await;
        let answer = self.site.send(&login(PASSWORD)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let token = answer.header("token").unwrap().to_owned();
        let csrf = answer.headers.iter().find_map(|(_, value)| value.strip_prefix("MMCSRF="));
        if let Some(csrf) = csrf {
            let csrf = csrf.split(';').next().unwrap().to_owned();
            self.companions.push(("a CSRF token".to_owned(), csrf));
        }
        self.keep("page: sign-in", answer.body.clone());
        self.secret("a session token", token.as_str());
        Person { id: answer.json()["id"].as_str().unwrap().to_owned(), token }
    }

    async fn install(&mut self, fake: &FakeApp, admin: &Person) {
        let expand = json!({
            "acting_user": "all", "acting_user_access_token": "all", "app": "all", "oauth2_app": "all",
            "oauth2_user": "all",
        });
        let mut manifest = fake.manifest("canary", &PERMISSIONS);
        manifest["display_name"] = json!(DISPLAY);
        manifest["http"]["use_jwt"] = json!(true);
        manifest["get_oauth2_connect_url"] = json!({"path": "/oauth2/connect", "expand": expand});
        manifest["on_oauth2_complete"] = json!({"path": "/oauth2/complete", "expand": expand});
        manifest["Replace"] = json!(true);
        let post = |route: &str, body: &Value| {
            Ask::post(format!("{API}{route}"), body.to_string()).bearer(&admin.token)
        };
        self.send("listing", post("/update-app-listing", &manifest), 200).await;
        let which = json!({"app_id": "canary", "deploy_type": "http"});
        let installed = self.site.send(&post("/install-app", &which)).await;
        assert_eq!(installed.status, 200, "{}", installed.text());
        // Secrets of the App are shown to the administrator who installs it, and to nobody else.
        let app = installed.json();
        for name in ["secret", "webhook_secret"] {
            if let Some(secret) = app[name].as_str().filter(|secret| !secret.is_empty()) {
                self.secret(name, secret);
            }
        }
        if let Some(secret) =
            app["mattermost_oauth2"]["client_secret"].as_str().filter(|text| !text.is_empty())
        {
            self.secret("the platform's client secret", secret);
        }
        self.send("the App", Ask::get(format!("{API}/apps/canary")).bearer(HEADER), 401).await;
    }

    /// As hello-oauth2's `configure`: a call with the secret in it, which the App stores.
    async fn configure(&mut self, fake: &FakeApp, admin: &Person) {
        let call = json!({
            "path": "/configure", "context": {"app_id": "canary"}, "values": {"client_secret": CLIENT_SECRET, "x": VALUE},
            "expand": {"acting_user_access_token": "all"},
        });
        self.send("configure", Ask::post(format!("{API}/call"), call.to_string()).bearer(&admin.token), 200)
            .await;
        let heard = fake.calls_to("/configure").pop().unwrap().json();
        let token = heard["context"]["acting_user_access_token"].as_str().unwrap();
        let body = json!({
            "client_id": "canary-client", "client_secret": CLIENT_SECRET, "data": {"extra": EXTRA},
        });
        self.send("store the client", Ask::post(OAUTH2_APP, body.to_string()).bearer(token), 200).await;
    }

    /// A person in a browser: sign-in, confirm page, provider, and a callback after the session ended meanwhile.
    async fn connect(&mut self, fake: &FakeApp) {
        fake.answer_with("/oauth2/connect", |call| async move {
            let state = call.json()["values"]["state"].as_str().unwrap().to_owned();
            AppAnswer::Json(
                json!({"type": "ok", "data": format!("https://provider.example/a?state={state}")}),
            )
        });
        let address = self.site.address;
        fake.answer_with("/oauth2/complete", move |call| async move {
            let token = call.json()["context"]["acting_user_access_token"].as_str().unwrap().to_owned();
            let record = json!({"access_token": ACCESS, "refresh_token": REFRESH}).to_string();
            let stored = send(address, &Ask::post(OAUTH2_USER, record).bearer(&token)).await;
            assert_eq!(stored.status, 200, "{}", stored.text());
            AppAnswer::Json(json!({"type": "ok", "text": WORDS}))
        });
        let (site, mut browser) = (self.site, Browser::default());
        let connect = flow("canary", "connect");
        let answer = browser.open(site, &connect).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let sign_in = answer.header("location").unwrap().to_owned();
        self.keep_answer("to the sign-in", &answer, &[]);
        self.sign_in_at(&mut browser, &sign_in, &connect).await;
        let confirm = browser.open(site, &connect).await;
        assert_eq!(confirm.status, 200, "{}", confirm.text());
        let token = field(&confirm.text(), "token");
        self.keep_answer("confirm", &confirm, &[&token]);
        let left = browser.submit(site, &connect, &[("token", &token)]).await;
        assert_eq!(left.status, 303, "{}", left.text());
        self.secret("the confirm page's token", token);
        let state = left.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
        let cookies: Vec<_> = browser.cookies().map(|(name, value)| (name.clone(), value.clone())).collect();
        let meant: Vec<&str> = cookies.iter().map(|(_, value)| value.as_str()).collect();
        self.keep_answer("to the provider", &left, &[&[state.as_str(); 2], meant.as_slice()].concat());

        browser.sign_out();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("state", &state)
            .append_pair("code", CODE)
            .finish();
        let complete = flow("canary", "complete");
        let parked = browser.open(site, &format!("{complete}?{query}")).await;
        assert_eq!(parked.status, 303, "{}", parked.text());
        let after: Vec<_> = browser.cookies().map(|(_, value)| value.clone()).collect();
        let meant: Vec<&str> = after.iter().map(String::as_str).collect();
        self.keep_answer("parked", &parked, &meant);
        let sign_in = parked.header("location").unwrap().to_owned();
        self.remember(&browser);
        self.keep_files("file while a callback is parked");
        self.sign_in_at(&mut browser, &sign_in, &complete).await;
        self.remember(&browser);
        let connected = browser.open(site, &complete).await;
        assert_eq!(connected.status, 200, "{}", connected.text());
        self.keep_answer("connected", &connected, &[]);
        let again = browser.open(site, &format!("{complete}?{query}")).await;
        assert_eq!(again.status, 403, "{}", again.text());
        self.keep_answer("spent", &again, &[]);
        let (random, _) = state.split_once('.').unwrap();
        self.secret("state", random);
    }

    async fn sign_in_at(&mut self, browser: &mut Browser, address: &str, return_to: &str) {
        let site = self.site;
        let path =
            address.strip_prefix(&format!("http://localhost:{}", site.address.port())).unwrap_or(address);
        let page = browser.open(site, path).await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.keep_answer("sign-in", &page, &[]);
        let login = |password| [("login_id", "user-1"), ("password", password), ("return_to", return_to)];
        let wrong = browser.submit(site, "/login", &login(WRONG_PASSWORD)).await;
        assert_eq!(wrong.status, 401, "{}", wrong.text());
        self.keep_answer("wrong sign-in", &wrong, &[]);
        let right = browser.submit(site, "/login", &login(PASSWORD)).await;
        assert_eq!(right.status, 303, "{}", right.text());
        let cookies: Vec<_> = browser.cookies().map(|(_, value)| value.clone()).collect();
        let meant: Vec<&str> = cookies.iter().map(String::as_str).collect();
        self.keep_answer("signed in", &right, &meant);
    }

    /// Every cookie of the browser that is long enough to be a secret.
    fn remember(&mut self, browser: &Browser) {
        for (name, value) in
            browser.cookies().filter(|(name, value)| value.len() >= 26 && *name != "MMUSERID")
        {
            let list = if name == "MMCSRF" { &mut self.companions } else { &mut self.secrets };
            list.push((format!("cookie {name}"), value.clone()));
        }
    }

    async fn use_it(&mut self, fake: &FakeApp, user: &Person) {
        let context = self.site.context(user, fake, "canary").await;
        assert_eq!(context["oauth2"]["user"]["access_token"], ACCESS, "{context}");
        assert_eq!(context["oauth2"]["client_secret"], CLIENT_SECRET, "{context}");
        let token = context["acting_user_access_token"].as_str().unwrap().to_owned();
        let record = self.site.record(&token).await;
        assert!(record.contains("planted"), "{record}");
        let me = self.send("me", Ask::get("/api/v4/users/me").bearer(&token), 200).await;
        let request = me.header("x-request-id").unwrap().to_owned();
        self.visible.push(("request's id".to_owned(), request, "log"));
        self.send(
            "own connections",
            Ask::get(format!("{PLUGIN}/tessera/v1/connections")).bearer(&user.token),
            200,
        )
        .await;
        let accounts = Ask::get(format!("{PLUGIN}/tessera/v1/accounts")).bearer(&user.token);
        let page = self.site.send(&accounts).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let form = field(&page.text(), "token");
        self.keep_answer("accounts", &page, &[&form]);
        self.secret("the accounts page's token", form);
        // The bot has a record of its own, which is put in, replaced and removed.
        let bot = context["bot_access_token"].as_str().unwrap().to_owned();
        for value in [ACCESS, REFRESH] {
            self.send(
                "bot's record",
                Ask::post(OAUTH2_USER, json!({"t": value}).to_string()).bearer(&bot),
                200,
            )
            .await;
        }
        self.send("bot's disconnect", Ask::new("DELETE", OAUTH2_USER).bearer(&bot), 200).await;
    }

    /// Everything that goes wrong with a secret in its hands.
    async fn fail(&mut self, fake: &FakeApp, user: &Person) {
        let context = self.site.context(user, fake, "canary").await;
        let acting = context["acting_user_access_token"].as_str().unwrap().to_owned();
        let bot = context["bot_access_token"].as_str().unwrap().to_owned();
        let broken = format!("{{\"client_secret\": {}", json!(BROKEN));
        let wrong = json!({"client_secret": {"x": BROKEN}, "client_id": [BROKEN]}).to_string();
        for body in [broken.as_str(), wrong.as_str()] {
            self.send("a broken client", Ask::post(OAUTH2_APP, body).bearer(&bot), 400).await;
            self.send("a broken call", Ask::post(format!("{API}/call"), body).bearer(&user.token), 400).await;
        }
        self.send("a broken record", Ask::post(OAUTH2_USER, broken.as_str()).bearer(&acting), 400).await;
        let large = format!("\"{BROKEN}{}\"", "x".repeat(9_000));
        self.send("a large record", Ask::post(OAUTH2_USER, large).bearer(&acting), 413).await;
        let cut = Ask::new("POST", OAUTH2_USER).body(Sent::Cut(broken.clone().into_bytes())).bearer(&acting);
        self.site_may_answer(&cut).await;
        self.send("a wrong token", Ask::get(OAUTH2_USER).bearer(HEADER), 401).await;
        self.send("a token in the query", Ask::get(format!("{OAUTH2_USER}?access_token={QUERY}")), 401).await;
        self.send(
            "a wrong cookie",
            Ask::get(OAUTH2_USER).with("Cookie", format!("MMAUTHTOKEN={HEADER}")),
            401,
        )
        .await;

        let query = |pairs: &[(&str, &str)]| {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            Ask::get(format!("{}?{query}", flow("canary", "complete"))).bearer(&user.token)
        };
        let stale = format!("{QUERY}.{}", user.id);
        self.send("a stale state", query(&[("state", &stale), ("code", CODE)]), 403).await;
        self.send("a strange state", query(&[("state", QUERY), ("code", CODE)]), 403).await;
        self.send("two codes", query(&[("state", &stale), ("code", CODE), ("code", FRAGMENT)]), 400).await;
        self.send("a token", query(&[("state", &stale), ("access_token", FRAGMENT)]), 400).await;

        let begun = self.site.send(&Ask::get(flow("canary", "connect")).bearer(&user.token)).await;
        assert_eq!(begun.status, 307, "{}", begun.text());
        let state = begun.header("location").unwrap().split_once("state=").unwrap().1.to_owned();
        let denied =
            [("state", state.as_str()), ("error", "access_denied"), ("error_description", DESCRIPTION)];
        self.send("denied", query(&denied), 200).await;
        self.secret("another state", state.split('.').next().unwrap());

        // The App fails while it holds secrets: its words are for whoever asked, and for no log.
        fake.answer("/fails", AppAnswer::Json(json!({"type": "error", "text": WORDS})));
        fake.answer("/breaks", AppAnswer::Raw(http::StatusCode::BAD_GATEWAY, "text/plain", WORDS.into()));
        fake.answer("/half", AppAnswer::Cut(format!("{{\"text\":{}", json!(WORDS)).into()));
        for path in ["/fails", "/breaks", "/half"] {
            let call = json!({"path": path, "context": {"app_id": "canary"}, "values": {"x": VALUE}});
            let ask = Ask::post(format!("{API}/call"), call.to_string()).bearer(&user.token);
            let answer = self.site.send(&ask).await;
            assert_eq!(answer.json()["type"], "error", "{}", answer.text());
        }
        fake.answer(
            "/oauth2/connect",
            AppAnswer::Json(json!({"type": "ok", "data": format!("javascript:{QUERY}")})),
        );
        self.send("a bad address", Ask::get(flow("canary", "connect")).bearer(&user.token), 502).await;
        fake.answer("/oauth2/connect", AppAnswer::Json(json!({"type": "ok", "data": {"x": WORDS}})));
        self.send("no address", Ask::get(flow("canary", "connect")).bearer(&user.token), 500).await;
    }

    async fn site_may_answer(&mut self, ask: &Ask) {
        if let Some(answer) = tessera_testkit::wire::try_send(self.site.address, ask).await {
            self.keep_answer("cut off", &answer, &[]);
        }
    }

    async fn look_around(&mut self) {
        for path in ["/metrics", "/healthz", "/readyz"] {
            let answer = self.site.send(&Ask::get(path)).await;
            self.keep(format!("metrics: {path}"), answer.whole());
        }
        for words in [&["apps"][..], &["connections"], &["--json", "connections"], &["--json", "apps"]] {
            let mut command = Command::new(TESSERA);
            let list = if words.contains(&"apps") { &["list"][..] } else { &[] };
            command.args(words).arg("--data").arg(self.data.path()).args(list);
            let (status, text) = run(command);
            assert!(status.success(), "{words:?}: {text}");
            self.keep(format!("command: {}", words.join(" ")), text);
        }
    }

    /// Tokens and JWTs that the App was handed.
    fn harvest(&mut self, fake: &FakeApp) {
        for call in fake.calls() {
            let context = &call.json()["context"];
            for name in ["acting_user_access_token", "bot_access_token"] {
                if let Some(token) = context[name].as_str().filter(|token| !token.is_empty()) {
                    self.secret(name, token);
                }
            }
            if let Some(jwt) = call.headers.get("Mattermost-App-Authorization") {
                let jwt = jwt.to_str().unwrap().rsplit('.').next().unwrap().to_owned();
                self.secret("a JWT's signature", jwt);
            }
        }
        self.secrets.sort();
        self.secrets.dedup();
    }

    fn keep_files(&mut self, what: &str) {
        fn all(dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    all(&path, found);
                } else if let Ok(bytes) = std::fs::read(&path) {
                    found.push((path.file_name().unwrap().to_string_lossy().into_owned(), bytes));
                }
            }
        }
        let mut found = Vec::new();
        all(self.data.path(), &mut found);
        for name in ["tessera.db", "tessera.db-wal", "keys.db", "audit.log"] {
            assert!(
                found.iter().any(|(found, bytes)| found == name && !bytes.is_empty()),
                "no {name}: {what}"
            );
        }
        for (name, bytes) in found {
            self.keep(format!("{what}: {name}"), bytes);
        }
    }
}

/// The value of a hidden field of a page.
fn field(page: &str, name: &str) -> String {
    let (_, value) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    value.split('"').next().unwrap().to_owned()
}

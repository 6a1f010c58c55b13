//! The steps of the walk. Each does what a person would do, and looks at what the person would see.

use serde_json::{Value, json};
use tessera_simulator::{PASSWORD as ACCOUNT_PASSWORD, Simulator};
use tessera_types::{AppId, routes};

use super::api::{self, Api, Person, Reply};
use super::commands::Commands;
use super::report::Failure;
use super::stage::Stage;

/// The App's client at the provider.
pub(super) const CLIENT_ID: &str = "hello-oauth2-demo";
pub(super) const CLIENT_SECRET: &str = "the-demo-client-secret";

pub(super) type Step<T> = Result<(T, String), Failure>;

/// An account at the provider, and how its calendars are called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) password: &'static str,
    calendars: [&'static str; 2],
}

pub(super) const ADA: Account = Account {
    name: "ada",
    password: ACCOUNT_PASSWORD,
    calendars: ["ada@simulator.example", "Analytical Engine"],
};
pub(super) const GRACE: Account = Account {
    name: "grace",
    password: ACCOUNT_PASSWORD,
    calendars: ["grace@simulator.example", "Compilers"],
};

/// What the steps after the installation work with.
pub(super) struct Ready {
    pub(super) api: Api,
    pub(super) app: AppId,
    pub(super) app_name: String,
    pub(super) commands: Commands,
    pub(super) sysadmin: Person,
}

/// `ok`, or what was expected and what was seen instead.
pub(super) fn expect(
    ok: bool,
    expected: impl Into<String>,
    seen: impl FnOnce() -> String,
) -> Result<(), Failure> {
    if ok { Ok(()) } else { Err(Failure::new(expected, seen())) }
}

/// R18 and R19, then R23 to see what came of them.
pub(super) async fn install(stage: &Stage) -> Step<Ready> {
    let (api, app_id) = (Api::new(&stage.server.site), stage.way.app_id());
    let sysadmin = api.sign_in("sysadmin").await?;
    expect(sysadmin.roles.contains("system_admin"), "sysadmin to be an administrator", || {
        sysadmin.roles.clone()
    })?;

    let mut listing = api::manifest(&stage.app_url).await?;
    let app_name = listing["display_name"].as_str().unwrap_or_default().to_owned();
    expect(listing["app_id"] == app_id, format!("the manifest of {app_id}"), || listing.to_string())?;
    listing["Replace"] = true.into();
    listing["add_deploys"] = json!(["http"]);
    let listed = api.post(&sysadmin, routes::UPDATE_APP_LISTING, &listing).await?;
    let root_url = &listed["http"]["root_url"];
    expect(*root_url == stage.app_url, format!("the App listed at {}", stage.app_url), || {
        root_url.to_string()
    })?;

    let which = json!({ "app_id": app_id, "deploy_type": "http" });
    // The answer holds secrets: only what it is about may be told.
    let installed = api.post(&sysadmin, routes::INSTALL_APP, &which).await?;
    expect(installed["app_id"] == app_id, format!("{app_id} installed"), || installed["app_id"].to_string())?;
    let record = api.get(&sysadmin, &format!("{}/{app_id}", routes::APPS)).await?;
    let bot = record["bot_username"].as_str().unwrap_or_default();
    expect(!bot.is_empty(), "the App to have a bot", || "no bot_username".into())?;
    let granted = &record["granted_permissions"];
    let may = granted.as_array().is_some_and(|granted| granted.contains(&Value::from("remote_oauth2")));
    expect(may, "the permission remote_oauth2 granted", || granted.to_string())?;

    let seen = format!("{app_name:?} from {} is installed, its bot is @{bot}", stage.app_url);
    let commands = Commands::ask(&stage.app_url, app_id).await?;
    let app = AppId::unchecked(app_id);
    Ok((Ready { api, app, app_name, commands, sysadmin }, seen))
}

impl Ready {
    async fn command(&self, who: &Person, command: &str, values: Option<Value>) -> Result<Reply, Failure> {
        self.api.call(who, &self.commands.call(command, values)?).await
    }

    /// `/hello-oauth2 configure`, then the redirect URI that it shows goes to the provider.
    pub(super) async fn configure(&self, simulator: &Simulator) -> Step<String> {
        let values = json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET });
        let reply = self.command(&self.sysadmin, "configure", Some(values)).await?;
        expect(reply.is_ok(), "the credentials to be stored", || reply.seen())?;
        expect(!reply.bot.is_empty(), "a reply in the name of the App's bot", || reply.seen())?;
        let shown = reply.text.split('`').nth(1).unwrap_or_default().to_owned();
        let complete = self.api.complete_url(&self.app);
        expect(shown == complete, format!("the redirect URI {complete} to be shown"), || reply.seen())?;
        simulator.add_client(CLIENT_ID, CLIENT_SECRET, [shown.as_str()]);
        let seen = format!("credentials stored; redirect URI {shown}, now registered at the provider");
        Ok((shown, seen))
    }

    /// `connect`: the address that the reply's link leads to.
    pub(super) async fn connect_link(&self, who: &Person) -> Result<String, Failure> {
        let reply = self.command(who, "connect", None).await?;
        let link = reply.text.split_once("](").and_then(|(_, rest)| Some(rest.split_once(')')?.0.to_owned()));
        let wanted = self.api.connect_url(&self.app);
        match link {
            Some(link) if reply.is_ok() && link == wanted => Ok(link),
            _ => Err(Failure::new(format!("a link to {wanted}"), reply.seen())),
        }
    }

    /// `send` by somebody who is connected: the calendars of that very account.
    pub(super) async fn send(&self, who: &Person, account: Account, provider: &Simulator) -> Step<()> {
        let before = provider.resource_reads();
        let reply = self.command(who, "send", None).await?;
        let text = reply.text.replace('\\', "");
        let [own, other] = account.calendars;
        let foreign = [ADA, GRACE]
            .iter()
            .filter(|known| known.name != account.name)
            .any(|known| known.calendars.iter().any(|calendar| text.contains(calendar)));
        let right = reply.is_ok() && text.contains(own) && text.contains(other) && !foreign;
        expect(right, format!("the calendars of {} and no others: {own}, {other}", account.name), || {
            reply.seen()
        })?;
        let reads = provider.resource_reads() - before;
        expect(reads == 1, "the provider to have given the list out once", || format!("{reads} times"))?;
        Ok(((), format!("{}'s calendars: {own}, {other}", account.name)))
    }

    /// `send` by somebody who is not connected.
    pub(super) async fn send_in_vain(&self, who: &Person, provider: &Simulator) -> Step<()> {
        let before = provider.resource_reads();
        let reply = self.command(who, "send", None).await?;
        let told = reply.kind == "error" && reply.text.contains("not connected");
        expect(told, format!("{} to be told: not connected", who.username), || reply.seen())?;
        let reads = provider.resource_reads() - before;
        expect(reads == 0, "the provider not to be asked", || format!("{reads} reads"))?;
        Ok(((), reply.text))
    }

    /// `disconnect`.
    pub(super) async fn disconnect(&self, who: &Person) -> Step<()> {
        let reply = self.command(who, "disconnect", None).await?;
        let done = reply.is_ok() && reply.text.starts_with("Disconnected");
        expect(done, format!("{} to be disconnected", who.username), || reply.seen())?;
        Ok(((), reply.text))
    }

    /// `disconnect` by somebody who may be connected since an earlier walk.
    pub(super) async fn forget(&self, who: &Person) -> Step<()> {
        let reply = self.command(who, "disconnect", None).await?;
        expect(reply.is_ok(), format!("{} not to be connected any more", who.username), || reply.seen())?;
        Ok(((), reply.text))
    }
}

/// What the provider saw of the walk, counted on its side.
pub(super) async fn provider_counts(provider: &Simulator, connects: u64, sends: u64) -> Step<()> {
    let seen = format!(
        "{} consents, {} token requests, {} refreshes, {} reads of calendars",
        provider.authorizations(),
        provider.token_requests(),
        provider.refreshes(),
        provider.resource_reads(),
    );
    let wanted =
        format!("{connects} consents, {connects} token requests, 0 refreshes, {sends} reads of calendars");
    expect(seen == wanted, wanted, || seen.clone())?;
    Ok(((), seen))
}

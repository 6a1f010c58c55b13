//! What a person who runs the demo is told: where everything is, who they can be, and what to type.

use hello_oauth2::APP_ID;
use serde_json::json;
use tessera_simulator::PASSWORD as ACCOUNT_PASSWORD;
use tessera_types::routes;

use super::api::{LOGIN, PASSWORD};
use super::report::{Failure, Report};
use super::stage::Stage;
use super::steps::{ADA, GRACE, Ready};

/// Who can sign in at the site.
const ACCOUNTS: [&str; 3] = ["sysadmin", "user-1", "user-2"];

/// Prints it.
pub(super) fn print(stage: &Stage, ready: &Ready, report: &Report) -> Result<(), Failure> {
    let site = stage.server.site.as_str().trim_end_matches('/');
    let connect = ready.api.connect_url(&ready.app);
    let (send, disconnect) = (ready.commands.call("send", None)?, ready.commands.call("disconnect", None)?);
    let provider = stage.simulator.url();
    let data = match stage.is_fresh() {
        true => format!("{} (removed at the end)", stage.data().display()),
        false => stage.data().display().to_string(),
    };
    let login = ready.api.url(LOGIN);
    let call = ready.api.framework(routes::CALL);
    let curl = |call_json: &serde_json::Value| {
        // No apostrophe can be in it: it is made of the names of paths and levels.
        format!("curl -s -H \"Authorization: Bearer $TOKEN\" -d '{call_json}' {call}; echo")
    };
    let text = || {
        format!(
            "
Tessera for Mattermost Apps, the demo. Everything runs on this machine; nothing leaves it.

  site       {site}
             accounts {accounts}; password {PASSWORD}
  App        {APP_ID} at {app}, installed and configured
  provider   {provider}
             accounts {ada}, {grace}; password {ACCOUNT_PASSWORD}
  data       {data}

1. Connect: open this in a browser, sign in as user-1, continue, sign in at the provider as {ada}, allow.

   {connect}

2. Send: have the App list the calendars of the account you connected. In another terminal:

   TOKEN=$(curl -s -o /dev/null -D - -d '{{\"login_id\":\"user-1\",\"password\":\"{PASSWORD}\"}}' {login} | tr -d '\\r' | sed -n 's/^[Tt]oken: //p')
   {send}

   Sign in as user-2 instead, and the App says that this user is not connected.

3. Disconnect:

   {disconnect}

Ctrl-C ends all of it.",
            accounts = ACCOUNTS.join(", "),
            app = stage.app_url,
            ada = ADA.name,
            grace = GRACE.name,
            send = curl(&send),
            disconnect = curl(&disconnect),
        )
    };
    let object = || {
        json!({
            "site_url": site, "accounts": ACCOUNTS, "password": PASSWORD,
            "app_id": APP_ID, "app_url": stage.app_url,
            "provider_url": provider, "provider_accounts": [ADA.name, GRACE.name], "provider_password": ACCOUNT_PASSWORD,
            "data": stage.data(), "connect_url": connect, "login_url": login, "call_url": call,
            "calls": { "send": send, "disconnect": disconnect },
        })
    };
    report.say(text, object);
    Ok(())
}

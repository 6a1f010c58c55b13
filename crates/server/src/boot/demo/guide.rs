//! What a person who runs the demo is told: where everything is, who they can be, and what to type.

use serde_json::json;
use tessera_simulator::PASSWORD as ACCOUNT_PASSWORD;
use tessera_types::routes;

use super::api::{LOGIN, PASSWORD};
use super::report::{Failure, Report};
use super::stage::{Stage, Way};
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
    let (app_id, login) = (stage.way.app_id(), ready.api.url(LOGIN));
    let (state, asides) = match stage.way {
        Way::AppManaged => ("installed and configured", format!("/{app_id} configure is for sysadmin")),
        Way::Managed => (
            "installed; the service keeps its users' tokens",
            format!("{provider}/quirks sets how long tokens live"),
        ),
    };
    let call = ready.api.framework(routes::CALL);
    let text = || {
        format!(
            "
Tessera for Mattermost Apps, the demo. Everything runs on this machine; nothing leaves it.

  site       {site}
             accounts {accounts}; password {PASSWORD}
  App        {app_id} at {app}, {state}
  provider   {provider}
             accounts {ada}, {grace}; password {ACCOUNT_PASSWORD}
  data       {data}

Open {site} in a browser and sign in as user-1. Then type there, into the line at the bottom:

  /{app_id} connect       follow the link, continue, sign in at the provider as {ada}, allow;
                              the tab closes itself
  /{app_id} send          the App lists the calendars of the account that you connected
  /{app_id} disconnect    and it forgets them

As user-2 the App says that this user is not connected; {asides}.
At the top of the page, Connected accounts takes back what you allowed, and Inspect calls shows what the App was sent
and what it answered.

Ctrl-C ends all of it.",
            accounts = ACCOUNTS.join(", "),
            app = stage.app_url,
            ada = ADA.name,
            grace = GRACE.name,
        )
    };
    let object = || {
        json!({
            "site_url": site, "accounts": ACCOUNTS, "password": PASSWORD,
            "app_id": app_id, "app_url": stage.app_url,
            "provider_url": provider, "provider_accounts": [ADA.name, GRACE.name], "provider_password": ACCOUNT_PASSWORD,
            "data": stage.data(), "connect_url": connect, "login_url": login, "call_url": call,
            "calls": { "send": send, "disconnect": disconnect },
        })
    };
    report.say(text, object);
    Ok(())
}

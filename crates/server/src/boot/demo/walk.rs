//! The order of the steps: once through, a power cut, and once through again.

use super::Error;
use super::api::Person;
use super::connect::Connecting;
use super::report::{Failure, Report};
use super::stage::{Stage, Way};
use super::steps::{self, ADA, Account, GRACE, Ready};

/// Everything that a person needs before connecting: the App installed, known to the provider, and configured or given
/// a provider record.
pub(super) async fn prepare(stage: &Stage, report: &Report) -> Result<Ready, Error> {
    let ready = report.step("list and install the App as sysadmin", steps::install(stage)).await?;
    match stage.way {
        Way::AppManaged => {
            report.step("configure as sysadmin", ready.configure(&stage.simulator)).await?;
        }
        Way::Managed => {
            let provided = ready.provide(&stage.simulator);
            report.step("give the App a provider record as sysadmin", provided).await?;
        }
    }
    Ok(ready)
}

/// The whole flow. Ends at the first step that does not go as it should.
pub(super) async fn walk(stage: &mut Stage, report: &Report) -> Result<(), Error> {
    let (ready, [user_1, _]) = once(stage, report, ADA, !stage.is_fresh()).await?;
    connect(&ready, stage, report, "connect as user-1 once more", &user_1, ADA).await?;
    report.step("kill the server with SIGKILL and start it again", power_cut(stage)).await?;
    // The same session, the same connection: both were stored before the server died.
    let sent = ready.send(&user_1, ADA, &stage.simulator);
    report.step("send as user-1 with what was stored before the kill", sent).await?;

    // The other account, so that nothing that is left of the first one can pass for the second.
    once(stage, report, GRACE, true).await?;
    report.step("what the provider saw", steps::provider_counts(&stage.simulator, 3, 3)).await?;
    report.all_well();
    Ok(())
}

/// One round. `left_over`: an earlier one may have left connections.
async fn once(
    stage: &Stage,
    report: &Report,
    account: Account,
    left_over: bool,
) -> Result<(Ready, [Person; 2]), Error> {
    let ready = prepare(stage, report).await?;
    let provider = &stage.simulator;
    let people = people(&ready, report, left_over).await?;
    let [user_1, user_2] = &people;
    connect(&ready, stage, report, "connect as user-1", user_1, account).await?;
    report.step("send as user-1", ready.send(user_1, account, provider)).await?;
    report.step("send as user-2", ready.send_in_vain(user_2, provider)).await?;
    report.step("disconnect as user-1", ready.disconnect(user_1)).await?;
    report.step("send as user-1 again", ready.send_in_vain(user_1, provider)).await?;
    Ok((ready, people))
}

/// Who takes part, signed in, and not connected.
pub(super) async fn people(ready: &Ready, report: &Report, left_over: bool) -> Result<[Person; 2], Error> {
    let signed_in = async {
        let people = [ready.api.sign_in("user-1").await?, ready.api.sign_in("user-2").await?];
        Ok((people, "both have a session".to_owned()))
    };
    let people = report.step("sign in as user-1 and user-2", signed_in).await?;
    if left_over {
        for user in &people {
            report.step(&format!("forget what {} had", user.username), ready.forget(user)).await?;
        }
    }
    Ok(people)
}

/// A person connects an account, in a browser of their own.
pub(super) async fn connect(
    ready: &Ready,
    stage: &Stage,
    report: &Report,
    name: &str,
    who: &Person,
    account: Account,
) -> Result<(), Error> {
    let connected = async {
        let link = ready.connect_link(who).await?;
        let connecting = Connecting {
            link: &link,
            redirect_uri: &ready.api.complete_url(&ready.app),
            app_name: &ready.app_name,
            username: who.username,
            account,
            provider: stage.simulator.url(),
        };
        connecting.walk().await
    };
    report.step(name, connected).await
}

async fn power_cut(stage: &mut Stage) -> Result<((), String), Failure> {
    let restarted = stage.kill_and_restart_server().await;
    let seen = restarted.map_err(|error| Failure::new("the server back on the same data and port", error))?;
    Ok(((), seen))
}

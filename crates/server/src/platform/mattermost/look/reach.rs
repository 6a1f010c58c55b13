//! Whether the two reach each other: people and Apps us, and Mattermost us by itself.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json as object};
use tessera_types::{json, routes};

use super::super::rest::As;
use super::settings::Set;
use super::{Command, Findings, Look};
use crate::egress::{Allowed, is_inside};
use crate::platform::{COMMANDS, Error};

/// The only setting that opens inside addresses to slash commands.
const INSIDE: &str = "ServiceSettings.AllowedUntrustedInternalConnections";

#[derive(Deserialize)]
struct Known {
    id: String,
}

impl Look {
    /// Whether what people open below the framework's path is this service.
    pub(super) async fn look_at_path(&self, findings: &mut Findings) -> bool {
        let address = routes::below_site(
            self.settings.own_url.as_str(),
            &format!("{}/openapi.json", routes::TESSERA_V1),
        );
        let answered = self.rest.fetch(&address).await;
        let is_us = answered.as_ref().is_ok_and(|reply| {
            let document: Result<Value, _> = json::from_slice_strict(&reply.body);
            document.is_ok_and(|document| {
                document["info"]["title"].as_str().is_some_and(|title| title.contains("Tessera"))
            })
        });
        let found = match answered {
            Ok(_) if is_us => format!("{address} is this service"),
            Ok(reply) => format!("{address} answers {}, and not as this service does", reply.status),
            Err(error) => format!("{address}: {error}"),
        };
        let mend = "have the proxy lead /plugins/com.mattermost.apps/ to the service, path and Host unchanged, and see that the \
                    service runs";
        findings.need("proxy path", is_us, found, mend);
        is_us
    }

    /// Whether Mattermost dares to send a slash command to our address, and whether it arrives.
    pub(super) async fn look_at_callbacks(&self, findings: &mut Findings, set: &Set, is_us: bool) {
        let host = self.settings.own_url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.settings.own_url.port_or_known_default().unwrap_or(443);
        let found = tokio::net::lookup_host((host, port)).await;
        let addresses: Vec<_> = found.map(|all| all.map(|one| one.ip()).collect()).unwrap_or_default();
        let listed: Vec<Allowed> = set.words(INSIDE).filter_map(|entry| entry.parse().ok()).collect();
        let dares = |ip| !is_inside(ip) || listed.iter().any(|entry| entry.covers(host, ip));
        let may = addresses.is_empty() || addresses.into_iter().any(dares);
        let found = match may {
            true => format!("{host} may be called"),
            false => format!("{host} is an inside address, and not listed"),
        };
        let mend =
            format!("add {host} to it: Mattermost sends no slash command to inside addresses otherwise");
        findings.need(INSIDE, may, found, &mend);
        let commands = set.on("ServiceSettings.EnableCommands").unwrap_or(true);
        if may && is_us && commands && self.command == Command::Try {
            self.try_a_command(findings).await;
        }
    }

    /// Has Mattermost send us a command that nobody registered with us, which is refused in a way that nobody else would.
    async fn try_a_command(&self, findings: &mut Findings) {
        let about = "callbacks";
        let (state, found) = match self.called_back().await {
            Ok(found) => found,
            Err(error) => (super::State::Warning, format!("they could not be tried: {error}")),
        };
        let mend = "Mattermost must reach the service at its public address by itself, from the machine on which Mattermost runs: look at \
                    names, firewalls and certificates there, and at Mattermost's own log";
        findings.say(about, state, found, mend);
    }

    async fn called_back(&self) -> Result<(super::State, String), Error> {
        use super::State;
        let teams: Vec<Known> = self.rest.get(As::Service, "/teams?page=0&per_page=1").await?;
        let Some(team) = teams.first() else {
            return Ok((
                State::Good,
                "there is no team yet, and so no command that could be tried".to_owned(),
            ));
        };
        let path = format!("/teams/{}/channels?page=0&per_page=1", team.id);
        let channels: Vec<Known> = self.rest.get(As::Service, &path).await?;
        let Some(channel) = channels.first() else {
            let found = "the first team has no channel, and so no command can be tried";
            return Ok((State::Good, found.to_owned()));
        };
        let word = format!("tessera-doctor-{:08x}", self.env.now_ms() as u32);
        let url = routes::below_site(
            self.settings.own_url.as_str(),
            &format!("{}{COMMANDS}/doctor", routes::PLUGIN_PATH),
        );
        let command = object!({
            "team_id": team.id, "trigger": word, "method": "P", "url": url, "display_name": "tessera doctor",
            "description": "Is there for a moment, while tessera doctor looks", "auto_complete": false,
        });
        let made: Known = self.rest.send(Method::POST, As::Service, "/commands", &command).await?;
        let typed = object!({"channel_id": channel.id, "team_id": team.id, "command": format!("/{word}")});
        let answered = self.rest.tell(Method::POST, As::Service, "/commands/execute", &typed).await;
        self.rest.tell(Method::DELETE, As::Service, &format!("/commands/{}", made.id), &object!({})).await?;
        Ok(match answered {
            Err(Error::Site { id, message, .. }) if id.ends_with("failed_resp.app_error") => {
                match message.contains("401") {
                    true => (State::Good, format!("Mattermost reaches {url}")),
                    false => (State::Bad, format!("at {url} something else answers Mattermost: {message}")),
                }
            }
            Err(error) => (State::Bad, format!("Mattermost does not reach {url}: {error}")),
            Ok(()) => {
                (State::Bad, format!("at {url} something else answers Mattermost, and takes the command"))
            }
        })
    }
}

//! Each App's slash command in each team (C.5): registered, kept as it should be, and known again by the token that
//! Mattermost sends it with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::Method;
use serde::Deserialize;
use serde_json::json;
use tessera_types::{AccessToken, AppId, User, location, routes};

use super::Mattermost;
use super::rest::{As, is_id};
use crate::platform::{COMMANDS, Command, Error, Identity};
use crate::store::CommandRow;
use crate::vault::Domain;

#[derive(Deserialize)]
struct Team {
    id: String,
    #[serde(default)]
    delete_at: i64,
}

#[derive(Deserialize)]
struct Registered {
    id: String,
    #[serde(default)]
    token: AccessToken,
}

/// Who puts commands in order: one at a time, and nobody waits for another.
#[derive(Default)]
pub(super) struct Turns {
    wanted: AtomicU64,
    done: AtomicU64,
    taken: AtomicBool,
}

/// A turn that is being taken.
struct Turn<'a>(&'a Turns);

impl Turns {
    /// The turn, unless somebody has it or nothing was wanted since the last.
    fn take(&self) -> Option<Turn<'_>> {
        let wanted = self.wanted.load(Ordering::SeqCst);
        let is_due = wanted != self.done.load(Ordering::SeqCst);
        if !is_due || self.taken.swap(true, Ordering::SeqCst) {
            return None;
        }
        self.done.store(wanted, Ordering::SeqCst);
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.taken.store(false, Ordering::SeqCst);
    }
}

impl Mattermost {
    /// Registers what is missing, and takes away what should not be there: teams come and go, and so do Apps. Where it is under
    /// way already, whoever does it looks once more.
    pub(super) async fn reconcile_commands(&self) -> Result<(), Error> {
        self.reconciling.wanted.fetch_add(1, Ordering::SeqCst);
        while let Some(_turn) = self.reconciling.take() {
            self.reconcile_once().await?;
        }
        Ok(())
    }

    async fn reconcile_once(&self) -> Result<(), Error> {
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for app in self.apps.all().await? {
            let commands =
                app.granted_locations.iter().any(|granted| location::is_in(granted, location::COMMAND));
            if commands && !app.disabled {
                wanted.insert(app.manifest.app_id.to_string(), app.manifest.display_name.trim().to_owned());
            }
        }
        let known = self.commands.all().await?;
        if wanted.is_empty() && known.is_empty() {
            return Ok(());
        }
        let teams: BTreeSet<String> = self.teams().await?;
        let mut there = BTreeSet::new();
        for row in known {
            let url = self.own(&command_path(&row.app));
            let stays = wanted.contains_key(&row.app) && teams.contains(&row.team) && row.url == url;
            if stays {
                there.insert((row.app, row.team));
            } else {
                self.unregister(&row).await?;
            }
        }
        for (app, name) in &wanted {
            for team in teams.iter().filter(|team| !there.contains(&(app.clone(), (*team).clone()))) {
                self.register(app, name, team).await?;
            }
        }
        Ok(())
    }

    /// Every team that is not archived.
    async fn teams(&self) -> Result<BTreeSet<String>, Error> {
        const PAGE: usize = 200;
        let mut teams = BTreeSet::new();
        for page in 0.. {
            let found: Vec<Team> =
                self.rest.get(As::Service, &format!("/teams?page={page}&per_page={PAGE}")).await?;
            let last = found.len() < PAGE;
            teams.extend(found.into_iter().filter(|team| team.delete_at == 0).map(|team| team.id));
            if last {
                break;
            }
        }
        Ok(teams)
    }

    async fn register(&self, app: &str, name: &str, team: &str) -> Result<(), Error> {
        let (word, url) = (app.to_lowercase(), self.own(&command_path(app)));
        let name = if name.is_empty() { app } else { name };
        let command = json!({
            "team_id": team, "trigger": word, "method": "P", "url": url, "display_name": name,
            "description": format!("Commands of the App {name}"), "auto_complete": true,
            "auto_complete_desc": format!("Commands of the App {name}"), "auto_complete_hint": "[command]",
        });
        let made = self.rest.send(Method::POST, As::Service, "/commands", &command).await;
        let made: Registered = match made {
            Ok(made) => made,
            // Somebody else's command has the word, or commands are off: the others go on.
            Err(Error::Site { status, id, message }) if status != 401 => {
                tracing::warn!(
                    app,
                    team,
                    status,
                    id,
                    message,
                    "an App's slash command could not be registered"
                );
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let digest = self.command_digest(&made.token);
        let (app, team) = (app.to_owned(), team.to_owned());
        Ok(self.commands.put(CommandRow { app, team, id: made.id, word, url, digest }).await?)
    }

    async fn unregister(&self, row: &CommandRow) -> Result<(), Error> {
        let gone =
            self.rest.tell(Method::DELETE, As::Service, &format!("/commands/{}", row.id), &json!({})).await;
        match gone {
            Ok(()) | Err(Error::Site { status: 403 | 404, .. }) => {}
            Err(error) => return Err(error),
        }
        self.commands.delete(&row.app, &row.team).await?;
        Ok(())
    }

    /// Which command a token belongs to, if it is one of this App's.
    pub(super) async fn command_of(
        &self,
        app: &AppId,
        token: &AccessToken,
    ) -> Result<Option<Command>, Error> {
        let row = self.commands.find(&self.command_digest(token)).await?;
        let row = row.filter(|row| row.app == app.as_str());
        Ok(row.map(|row| Command { word: row.word, team_id: row.team }))
    }

    /// Who somebody is whom Mattermost itself named.
    pub(super) async fn whom_it_named(&self, user_id: &str) -> Result<Option<Identity>, Error> {
        if !is_id(user_id) {
            return Ok(None);
        }
        let user: Option<User> = self.rest.find(As::Service, &format!("/users/{user_id}")).await?;
        let user = user.filter(|user| user.delete_at == 0 && !user.is_bot);
        Ok(user.map(|user| Identity {
            display_name: super::identity::display_name(&user),
            user_id: user.id,
            username: user.username,
            is_bot: false,
            app: None,
            session_id: "command".to_owned(),
        }))
    }

    /// Hashed, as of everything that opens something.
    fn command_digest(&self, token: &AccessToken) -> [u8; 32] {
        self.vault.digest(Domain::Session, format!("command:{}", token.expose()).as_bytes())
    }
}

fn command_path(app: &str) -> String {
    format!("{}{COMMANDS}/{app}", routes::PLUGIN_PATH)
}

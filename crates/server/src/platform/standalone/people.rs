//! People: reading them, and what an administrator does to them.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use tessera_types::{User, json};

use super::{Error, Eyes, Refusal, Standalone, is_id};
use crate::platform;
use crate::store::site::{NewPerson, PersonRow};

/// The role that carries `manage_system`.
const ADMIN: &str = "system_admin";
/// How often a change is tried again when others get in between.
const ATTEMPTS: usize = 16;

pub(super) fn is_admin(row: &PersonRow) -> bool {
    row.roles.split_whitespace().any(|role| role == ADMIN)
}

pub(super) fn decode<T: DeserializeOwned>(what: &'static str, doc: &str) -> Result<T, platform::Error> {
    json::from_slice_strict(doc.as_bytes())
        .map_err(|error| platform::Error::Damaged { what, reason: error.to_string() })
}

pub(super) fn encode<T: Serialize>(what: &'static str, entity: &T) -> Result<String, platform::Error> {
    let damaged = |reason: String| platform::Error::Damaged { what, reason };
    let bytes = json::to_vec(entity).map_err(|error| damaged(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))
}

/// The row of a user as it shall be, the `generation`-th of its kind.
pub(super) fn row_of(user: &User, generation: i64) -> Result<PersonRow, platform::Error> {
    Ok(PersonRow {
        id: user.id.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        // A bot's first name is its display name (section 0.7), which is what falls out here.
        display_name: user.display_name(),
        roles: user.roles.clone(),
        is_bot: user.is_bot,
        delete_at: user.delete_at,
        generation,
        doc: encode("user", user)?,
    })
}

/// How a person wants to be notified, as Mattermost begins: clients read it without asking whether it is there.
const NOTIFY: [(&str, &str); 12] = [
    ("channel", "true"),
    ("comments", "never"),
    ("desktop", "mention"),
    ("desktop_sound", "true"),
    ("desktop_threads", "all"),
    ("email", "true"),
    ("email_threads", "all"),
    ("first_name", "false"),
    ("mention_keys", ""),
    ("push", "mention"),
    ("push_status", "online"),
    ("push_threads", "all"),
];

/// A user, whole.
pub(super) fn user_of(row: &PersonRow) -> Result<User, platform::Error> {
    let mut user: User = decode("user", &row.doc)?;
    let notify = || NOTIFY.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    user.notify_props.get_or_insert_with(notify);
    Ok(user)
}

/// What others than the person and administrators do not see.
fn profile(user: User) -> User {
    User { email_verified: false, allow_marketing: false, notify_props: None, failed_attempts: 0, ..user }
}

impl Standalone {
    /// The reader; None for the service itself. Who was deactivated reads nothing.
    pub(super) async fn reader(&self, eyes: Eyes<'_>) -> Result<Option<Arc<PersonRow>>, Error> {
        let Eyes::Of(id) = eyes else { return Ok(None) };
        let row = self.site.people.get(id).await?.filter(|row| row.delete_at == 0);
        row.map(Some).ok_or_else(|| Refusal::signed_out().into())
    }

    /// A reader who administrates the site.
    pub(super) async fn admin(&self, user_id: &str) -> Result<Arc<PersonRow>, Error> {
        let reader = self.reader(Eyes::Of(user_id)).await?;
        reader.filter(|row| is_admin(row)).ok_or_else(|| Refusal::forbidden().into())
    }

    /// The row of someone, active or not.
    pub(super) async fn person(&self, user_id: &str) -> Result<Arc<PersonRow>, Error> {
        self.site.people.get(user_id).await?.ok_or_else(|| Refusal::no_user().into())
    }

    /// A user, as the reader may see them.
    pub async fn read_user(&self, eyes: Eyes<'_>, user_id: &str) -> Result<User, Error> {
        let reader = self.reader(eyes).await?;
        if !is_id(user_id) {
            return Err(Refusal::bad_param("user_id").into());
        }
        let row = self.person(user_id).await?;
        self.seen_by(reader.as_deref(), &row)
    }

    /// The user of a name, as the reader may see them.
    pub async fn read_user_named(&self, eyes: Eyes<'_>, username: &str) -> Result<User, Error> {
        let reader = self.reader(eyes).await?;
        let row = self.site.people.by_name(&username.to_lowercase()).await?.ok_or_else(Refusal::no_user)?;
        self.seen_by(reader.as_deref(), &row)
    }

    /// Those of these users who exist, in the order asked.
    pub async fn read_users(&self, eyes: Eyes<'_>, ids: &[String]) -> Result<Vec<User>, Error> {
        let reader = self.reader(eyes).await?;
        let mut users = Vec::new();
        for id in ids {
            if let Some(row) = self.site.people.get(id).await? {
                users.push(self.seen_by(reader.as_deref(), &row)?);
            }
        }
        Ok(users)
    }

    fn seen_by(&self, reader: Option<&PersonRow>, row: &PersonRow) -> Result<User, Error> {
        let user = user_of(row)?;
        let whole = reader.is_none_or(|reader| reader.id == row.id || is_admin(reader));
        Ok(match (whole, self.settings.show_email_address) {
            (true, _) => user,
            (false, true) => profile(user),
            (false, false) => User { email: String::new(), ..profile(user) },
        })
    }

    /// Adds a person who cannot sign in, having no password; gives their id. For the bench's users.
    pub async fn enrol(&self, username: &str) -> Result<String, platform::Error> {
        let now = self.env.now_ms();
        let user = User {
            id: self.env.id()?,
            create_at: now,
            update_at: now,
            username: username.to_owned(),
            email: format!("{username}@example.com"),
            roles: "system_user".to_owned(),
            locale: self.settings.locale.clone(),
            ..User::default()
        };
        match self.site.people.add(NewPerson { row: row_of(&user, 1)?, password: None }).await? {
            true => Ok(user.id),
            false => Err(platform::Error::NameTaken(username.to_owned())),
        }
    }

    /// Deactivates or reactivates someone. Sessions, and the tokens with which Apps act as them, end at once;
    /// they do not come back.
    pub async fn set_user_active(&self, user_id: &str, active: bool) -> Result<(), Error> {
        let now = self.env.now_ms();
        self.change_user(user_id, |user| {
            if (user.delete_at == 0) == active {
                return false;
            }
            user.delete_at = if active { 0 } else { now };
            user.update_at = now;
            true
        })
        .await?;
        if !active {
            self.end_sessions(user_id).await?;
        }
        Ok(())
    }

    /// Gives someone these roles, separated by spaces, in place of those they had.
    pub async fn set_roles(&self, user_id: &str, roles: &str) -> Result<(), Error> {
        let known = |role: &str| super::rooms::role(role).is_some();
        if roles.trim().is_empty() || !roles.split_whitespace().all(known) {
            return Err(Refusal::bad_body("roles").into());
        }
        let roles = roles.split_whitespace().collect::<Vec<_>>().join(" ");
        let now = self.env.now_ms();
        self.change_user(user_id, |user| {
            let changed = user.roles != roles;
            user.roles.clone_from(&roles);
            user.update_at = now;
            changed
        })
        .await
    }

    /// Changes a user; `change` tells whether it did, and may run several times.
    pub(super) async fn change_user(
        &self,
        user_id: &str,
        change: impl Fn(&mut User) -> bool + Send,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let row = self.person(user_id).await?;
            let mut user: User = decode("user", &row.doc)?;
            if !change(&mut user) || self.site.people.put(row_of(&user, row.generation + 1)?).await? {
                return Ok(());
            }
        }
        Err(platform::Error::Contended("this user").into())
    }

    /// Ends what someone is signed in with.
    pub(super) async fn end_sessions(&self, user_id: &str) -> Result<(), Error> {
        self.site.sessions.delete_user(user_id).await?;
        self.tokens.revoke_user(user_id).await?;
        self.hub.recheck();
        Ok(())
    }
}
